// Cuts the machine's whole authority, which the kernel gives to init alone, into the pieces that
// the manifest speaks of.
#pragma once

#include <kairos/info.h>
#include <kairos/memory.hpp>
#include <kairos/objects.hpp>

#include "servers/init/launch.hpp"
#include "servers/init/manifest.hpp"

namespace init {

class AuthorityCutter {
  public:
    // `root` is the RESOURCE of kind ROOT, `archive` the boot archive. Reads where the devices are;
    // errors as kairos_object_info.
    static kairos::Result<AuthorityCutter> create(kairos::Resource root, kairos::Memory archive);

    // Adds to `launch` what the bits of `authorities` stand for, except kRegistry, which is not
    // the machine's. Errors of making the pieces.
    kairos::Result<> cut(uint32_t authorities, Launch& launch) const;

  private:
    AuthorityCutter(kairos::Resource root, kairos::Memory archive,
                    const kairos_info_platform& platform)
        : root_(std::move(root)), archive_(std::move(archive)), platform_(platform) {}

    kairos::Result<> add_resource(Launch& launch, uint32_t which, uint32_t kind, uint64_t base = 0,
                                  uint64_t size = 0) const;
    kairos::Result<> add_uart(Launch& launch) const;

    kairos::Resource root_;
    kairos::Memory archive_;
    kairos_info_platform platform_;
};

}  // namespace init
