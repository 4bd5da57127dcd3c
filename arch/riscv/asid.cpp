// The pool of address-space numbers: a bit map searched from where the last search ended.
#include "asid.h"

#include "csr.h"
#include "offsets.h"
#include "sync/spin_lock.h"
#include "tlb.h"

namespace arch {
namespace {

constexpr uint32_t kMaxAsids = 1024;
constexpr uint64_t kAsidMask = (uint64_t{1} << SATP_ASID_BITS) - 1;

constinit SpinLock lock(LockRank::kAsid);
uint32_t limit = 1;  // numbers below this exist; set at boot
uint32_t next GUARDED_BY(lock) = 1;
uint64_t taken[kMaxAsids / 64] GUARDED_BY(lock);

bool is_taken(uint32_t asid) REQUIRES(lock) { return (taken[asid / 64] >> asid % 64 & 1) != 0; }

}  // namespace

// The register keeps only the bits of a number that the hart has.
void init_asids() {
    const uint64_t satp = csr::read<csr::kSatp>();
    csr::write<csr::kSatp>(satp | kAsidMask << SATP_ASID_SHIFT);
    const uint64_t largest = csr::read<csr::kSatp>() >> SATP_ASID_SHIFT & kAsidMask;
    csr::write<csr::kSatp>(satp);
    flush_local_all();
    limit = largest + 1 < kMaxAsids ? static_cast<uint32_t>(largest + 1) : kMaxAsids;
}

uint16_t allocate_asid() {
    LockGuard guard(lock);
    for (uint32_t tried = 1; tried < limit; ++tried) {
        const uint32_t asid = next;
        next = next + 1 < limit ? next + 1 : 1;
        if (is_taken(asid)) continue;
        taken[asid / 64] |= uint64_t{1} << asid % 64;
        return static_cast<uint16_t>(asid);
    }
    return 0;
}

void free_asid(uint16_t asid) {
    if (asid == 0) return;
    LockGuard guard(lock);
    check(is_taken(asid), "freed an address-space number that is free");
    taken[asid / 64] &= ~(uint64_t{1} << asid % 64);
}

}  // namespace arch
