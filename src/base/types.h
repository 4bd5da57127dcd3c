// Strong types for what plain integers blur: addresses, sizes in pages, harts, times.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "abi/types.h"

inline constexpr size_t kPageSize = KAIROS_PAGE_SIZE;
inline constexpr unsigned kPageShift = 12;

struct PhysicalAddress {
    uint64_t value = 0;

    constexpr auto operator<=>(const PhysicalAddress&) const = default;
    constexpr PhysicalAddress operator+(uint64_t bytes) const { return {value + bytes}; }
    constexpr bool page_aligned() const { return value % kPageSize == 0; }
};

// An address in some address space, not proved to be anything yet.
struct VirtualAddress {
    uint64_t value = 0;

    constexpr auto operator<=>(const VirtualAddress&) const = default;
    constexpr VirtualAddress operator+(uint64_t bytes) const { return {value + bytes}; }
    constexpr uint64_t operator-(VirtualAddress other) const { return value - other.value; }
    constexpr bool page_aligned() const { return value % kPageSize == 0; }
    constexpr VirtualAddress page() const { return {value & ~(kPageSize - 1)}; }
    constexpr uint64_t page_offset() const { return value & (kPageSize - 1); }
};

constexpr uint64_t round_up_to_page(uint64_t bytes) {
    return (bytes + kPageSize - 1) & ~(kPageSize - 1);
}
constexpr uint64_t pages_for(uint64_t bytes) {
    return bytes / kPageSize + (bytes % kPageSize != 0 ? 1 : 0);
}

// The kernel's dense number of a hart: its bit in an affinity mask, its index in per-hart arrays.
struct HartIndex {
    uint32_t value = 0;

    constexpr auto operator<=>(const HartIndex&) const = default;
};
inline constexpr uint32_t kMaxHarts = 32;

// A point on the monotonic clock, in nanoseconds since it started.
struct Instant {
    uint64_t nanoseconds = 0;

    constexpr auto operator<=>(const Instant&) const = default;
    static constexpr Instant never() { return {KAIROS_TIME_INFINITE}; }
    constexpr bool is_never() const { return nanoseconds == KAIROS_TIME_INFINITE; }
};

enum class ObjectId : uint64_t { kNone = 0 };

enum class ObjectType : uint32_t {
    kAny = 0,
    kChannel = KOBJ_TYPE_CHANNEL,
    kPort = KOBJ_TYPE_PORT,
    kFile = KOBJ_TYPE_FILE,
    kMemory = KOBJ_TYPE_MEMORY,
    kProcess = KOBJ_TYPE_PROCESS,
    kThread = KOBJ_TYPE_THREAD,
    kAddressSpace = KOBJ_TYPE_ADDRESS_SPACE,
    kTimer = KOBJ_TYPE_TIMER,
    kInterrupt = KOBJ_TYPE_INTERRUPT,
    kResource = KOBJ_TYPE_RESOURCE,
    kEvent = KOBJ_TYPE_EVENT,
    kBudget = KOBJ_TYPE_BUDGET,
};

// A set of KRIGHT_* bits.
class Rights {
  public:
    constexpr Rights() = default;
    constexpr explicit Rights(uint32_t bits) : bits_(bits) {}
    constexpr bool covers(Rights other) const { return (other.bits_ & ~bits_) == 0; }
    constexpr bool any() const { return bits_ != 0; }
    constexpr uint32_t bits() const { return bits_; }
    constexpr Rights operator|(Rights other) const { return Rights(bits_ | other.bits_); }
    constexpr Rights operator&(Rights other) const { return Rights(bits_ & other.bits_); }
    constexpr Rights operator~() const { return Rights(~bits_ & KRIGHT_ALL); }
    constexpr bool operator==(const Rights&) const = default;

  private:
    uint32_t bits_ = 0;
};

namespace right {
inline constexpr Rights kNone{0};
inline constexpr Rights kRead{KRIGHT_READ};
inline constexpr Rights kWrite{KRIGHT_WRITE};
inline constexpr Rights kTransfer{KRIGHT_TRANSFER};
inline constexpr Rights kDuplicate{KRIGHT_DUPLICATE};
inline constexpr Rights kWait{KRIGHT_WAIT};
inline constexpr Rights kManage{KRIGHT_MANAGE};
inline constexpr Rights kMap{KRIGHT_MAP};
inline constexpr Rights kExecute{KRIGHT_EXECUTE};
inline constexpr Rights kSignal{KRIGHT_SIGNAL};
}  // namespace right
