// The handles that a spawner gives, checked before anything is made.
#pragma once

#include <kairos/kairos.h>

#include <span>

namespace kairos::internal {

class Gifts {
  public:
    // -EINVAL: a place that is not to be given, or one given twice; a handle given twice. -EBADF;
    // -EACCES: no KRIGHT_TRANSFER.
    kairos_status_t check(std::span<const kairos_spawn_handle> give);

    // Whether the spawner has decided on the child's ARCHIVE, be it nothing.
    bool decide_archive() const { return archive_decided_; }

    // What moves, and how much; the entry for an ARCHIVE that the child shall not have is left out.
    size_t count() const { return count_; }
    uint32_t place(size_t index) const { return places_[index]; }

    // Moves them into `channel`, as messages without bytes. Up to eight move all or none; among
    // more, only a handle that another thread closes meanwhile can make a later message fail.
    kairos_status_t send(kairos_handle_t channel) const;

  private:
    kairos_status_t add(const kairos_spawn_handle& gift);

    static constexpr size_t kMax = KAIROS_BOOT_COUNT;
    uint32_t places_[kMax];
    kairos_handle_t handles_[kMax];
    size_t count_ = 0;
    uint64_t given_places_ = 0;  // one bit each
    bool archive_decided_ = false;
};

}  // namespace kairos::internal
