// What users point at, until it has been proved: a UserPointer is an allegation. Reading and
// writing go through arch/user_copy.h; nothing here keeps a lock.
#pragma once

#include <cstdint>

#include "arch/paging.h"
#include "arch/user_copy.h"
#include "base/result.h"
#include "base/types.h"

template <typename T>
struct UserPointer {
    VirtualAddress address;

    bool null() const { return address.value == 0; }
    UserPointer at(uint64_t index) const { return {address + index * sizeof(T)}; }
    // Whether `count` elements lie in user space at all. -EFAULT.
    Status check_range(uint64_t count = 1) const {
        // A count this large cannot fit, and the product below must not wrap.
        if (count > arch::kUserEnd / sizeof(T)) return Fail(Error::FAULT);
        if (!arch::user_range(address, count * sizeof(T))) return Fail(Error::FAULT);
        return {};
    }
    Result<T> read() const {
        T value;
        if (!arch::copy_from_user(&value, address, sizeof(T))) return Fail(Error::FAULT);
        return value;
    }
    Status write(const T& value) const {
        if (!arch::copy_to_user(address, &value, sizeof(T))) return Fail(Error::FAULT);
        return {};
    }
};
