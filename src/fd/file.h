// File: what all objects of type FILE have in common. Pipe ends (pipe.h) and the kernel's console
// (console_file.h) are files; those of servers are channels to them.
#pragma once

#include "abi/info.h"
#include "object/bridge.h"
#include "object/object.h"

class File : public Object {
  public:
    static constexpr ObjectType kType = ObjectType::kFile;

    // A descriptor of a file is worth a handle that travels, if the handle it was made from did.
    const Bridge* bridge() const final {
        static constexpr Bridge kBridge{
            .read = {right::kRead, right::kRead | right::kWait},
            .write = {right::kWrite, right::kWrite | right::kWait},
            .duplicate = {right::kDuplicate, right::kDuplicate | right::kTransfer},
            .nonblocking_from_handle = false,
        };
        return &kBridge;
    }
    virtual kairos_info_file describe() = 0;

  protected:
    explicit File(SpinLock* shared_guard) : Object(kType, shared_guard) {}
    ~File() = default;
};
