#include "fd/descriptor_table.h"

#include <utility>

#include "arch/paging.h"
#include "base/bits.h"
#include "mm/frames.h"
#include "object/lineage.h"

namespace {
// How many descriptors are closed in one piece.
constexpr int kClosedPerPiece = 4;
}  // namespace

// ---- Numbers ------------------------------------------------------------------------------------

DescriptorTable::Entry* DescriptorTable::live_entry(int number) const {
    const auto index = static_cast<uint32_t>(number);  // a negative one is beyond the table
    if (index >= KFD_MAX_PER_PROCESS || !taken(index)) return nullptr;
    Entry& at = entry(index);
    return at.cap == nullptr ? nullptr : &at;
}

Result<DescriptorTable::Entry*> DescriptorTable::usable_entry(int number, uint32_t needed) const {
    Entry* at = live_entry(number);
    if (at == nullptr || at->cap->object() == nullptr) return Fail(Error::BADF);
    if (!DescriptorRights{at->rights}.covers(needed)) return Fail(Error::BADF);
    return at;
}

uint32_t DescriptorTable::lowest_free(uint32_t from) const {
    for (uint32_t word = from / kNumbersPerWord; word < kWords; ++word) {
        uint64_t free = ~taken_[word];
        if (word == from / kNumbersPerWord) free &= ~uint64_t{0} << from % kNumbersPerWord;
        if (free != 0) return word * kNumbersPerWord + lowest_bit(free);
    }
    return KFD_MAX_PER_PROCESS;
}

Status DescriptorTable::make_room(uint32_t number) {
    if (number < kFirst) return {};
    Entry*& chunk = chunks_[number / kEntriesPerChunk];
    if (chunk != nullptr) return {};
    TRY(charge_.grow(kPageSize));
    auto frame = mm::allocate_zeroed_frame();
    if (!frame) {
        charge_.shrink(kPageSize);
        return Fail(frame.error());
    }
    chunk = static_cast<Entry*>(arch::physical_pointer(*frame));
    ++chunk_count_;
    return {};
}

void DescriptorTable::take(uint32_t number) {
    taken_[number / kNumbersPerWord] |= uint64_t{1} << number % kNumbersPerWord;
}

void DescriptorTable::give(uint32_t number) {
    taken_[number / kNumbersPerWord] &= ~(uint64_t{1} << number % kNumbersPerWord);
}

void DescriptorTable::put(uint32_t number, Descriptor& descriptor) {
    Entry& at = entry(number);
    at.cap = &descriptor.cap.leak();
    // One that was revoked on its way here gets its number all the same.
    static_cast<void>(Lineage::enter_table(*at.cap, *this, number));
    ++at.generation;
    at.rights = static_cast<uint8_t>(descriptor.rights.bits);
    at.nonblocking = (descriptor.flags & KFD_NONBLOCK) != 0;
    at.close_on_exec = (descriptor.flags & KFD_CLOEXEC) != 0;
    used_.fetch_add(1, std::memory_order_relaxed);
}

OwnedCap DescriptorTable::take_out(Entry& at) {
    used_.fetch_sub(1, std::memory_order_relaxed);
    at.cap->table_.store(nullptr, std::memory_order_release);
    return OwnedCap(*std::exchange(at.cap, nullptr));
}

Status DescriptorTable::reserve(uint32_t from, DescriptorReservation& room) {
    LockGuard guard(lock_);
    const uint32_t number = lowest_free(from);
    if (number == KFD_MAX_PER_PROCESS) return Fail(Error::MFILE);
    TRY(make_room(number));
    take(number);
    room.table_ = this;
    room.number_ = number;
    return {};
}

void DescriptorReservation::install(Descriptor descriptor) {
    LockGuard guard(table_->lock_);
    table_->put(number_, descriptor);
    table_ = nullptr;
    guard.unlock();
}

void DescriptorReservation::give_back() {
    LockGuard guard(table_->lock_);
    table_->give(number_);
}

Result<OwnedCap> DescriptorTable::replace(int number, Descriptor& descriptor) {
    const auto index = static_cast<uint32_t>(number);
    if (index >= KFD_MAX_PER_PROCESS) return Fail(Error::BADF);
    LockGuard guard(lock_);
    OwnedCap before;
    if (Entry* at = live_entry(number); at != nullptr) {
        before = take_out(*at);
    } else {
        if (taken(index)) return Fail(Error::BUSY);
        TRY(make_room(index));
        take(index);
    }
    put(index, descriptor);
    return before;
}

Result<OwnedCap> DescriptorTable::remove(int number) {
    LockGuard guard(lock_);
    Entry* at = live_entry(number);
    if (at == nullptr) return Fail(Error::BADF);
    give(static_cast<uint32_t>(number));
    return take_out(*at);
}

// ---- Use ----------------------------------------------------------------------------------------

Result<FoundDescriptor> DescriptorTable::find(int number, uint32_t needed) const {
    LockGuard guard(lock_);
    Entry* at = TRY(usable_entry(number, needed));
    Object* object = at->cap->object();
    if (object == nullptr) return Fail(Error::BADF);  // revoked since
    const uint64_t which = uint64_t{at->generation} << 32 | static_cast<uint32_t>(number);
    return FoundDescriptor{
        object, {at->rights}, flags_of(*at), {const_cast<DescriptorTable*>(this), which}};
}

bool DescriptorTable::still(int number, const Through& through) const {
    LockGuard guard(lock_);
    const auto at = usable_entry(number, 0);
    return at.ok() && at.value()->generation == through.which >> 32;
}

Status DescriptorTable::begin_use(uint64_t which, Waiter& waiter) {
    LockGuard guard(lock_);
    Entry* at = live_entry(static_cast<int>(which));
    if (at == nullptr || at->generation != which >> 32) return {};
    if (!Lineage::begin_use(*at->cap, waiter)) return Fail(Error::CANCELED);
    return {};
}

Status DescriptorTable::limit(int number, DescriptorRights rights) {
    LockGuard guard(lock_);
    Entry* at = TRY(usable_entry(number, 0));
    if (!DescriptorRights{at->rights}.covers(rights.bits)) return Fail(Error::ACCES);
    at->rights = static_cast<uint8_t>(rights.bits);
    return {};
}

Result<uint32_t> DescriptorTable::change_flags(int number, uint32_t clear, uint32_t set) {
    LockGuard guard(lock_);
    Entry* at = TRY(usable_entry(number, 0));
    const uint32_t before = flags_of(*at);
    const uint32_t now = (before & ~clear) | set;
    at->nonblocking = (now & KFD_NONBLOCK) != 0;
    at->close_on_exec = (now & KFD_CLOEXEC) != 0;
    return before;
}

// ---- Deriving -----------------------------------------------------------------------------------

Result<Descriptor> DescriptorTable::copy(int number) {
    LockGuard guard(lock_);
    Entry* at = TRY(usable_entry(number, FD_RIGHT_DUP));
    Cap* child = TRY(Lineage::allocate(budget_, OwnerClass::kDescriptor));
    if (!Lineage::link_child(*at->cap, *child, at->cap->rights())) {
        Lineage::free(*child);
        return Fail(Error::BADF);
    }
    return Descriptor{
        OwnedCap(*child), {at->rights}, static_cast<uint32_t>(at->nonblocking ? KFD_NONBLOCK : 0)};
}

Result<OwnedCap> DescriptorTable::derive(int number, Rights rights) {
    LockGuard guard(lock_);
    Entry* at = TRY(usable_entry(number, 0));
    const Object* object = at->cap->object();
    if (object == nullptr) return Fail(Error::BADF);
    const DescriptorRights own{at->rights};
    const Rights most = object->bridge()->to_handle(own, at->cap->rights());
    if (!Bridge::useful(own) || !most.any() || !most.covers(rights)) return Fail(Error::ACCES);
    Cap* child = TRY(Lineage::allocate(budget_, OwnerClass::kHandle));
    if (!Lineage::link_child(*at->cap, *child, rights.any() ? rights : most)) {
        Lineage::free(*child);
        return Fail(Error::BADF);
    }
    return OwnedCap(*child);
}

// ---- From outside -------------------------------------------------------------------------------

bool DescriptorTable::describe_number(uint32_t number, kairos_handle_entry& entry) {
    Cap* cap = nullptr;
    Ref<Object> object;
    {
        LockGuard guard(lock_);
        if (const Entry* at = live_entry(static_cast<int>(number)); at != nullptr) {
            cap = at->cap;
            object = Lineage::try_pin(*cap);
        }
    }
    if (!object) return false;
    const bool found = Lineage::describe_place(*cap, *object, entry);
    Lineage::unpin(*cap, *object);
    return found && entry.place == KAIROS_PLACE_DESCRIPTOR;
}

// ---- The end ------------------------------------------------------------------------------------

// Nobody reserves, installs or looks anything up any more.
bool DescriptorTable::close_some() {
    for (int closed = 0; closed < kClosedPerPiece; ++closed) {
        OwnedCap cap;  // closed outside the lock
        LockGuard guard(lock_);
        // Most processes have none, and nobody else is left to add one.
        if (used() == 0) return false;
        while (closing_from_ < KFD_MAX_PER_PROCESS &&
               taken_[closing_from_ / kNumbersPerWord] == 0) {
            closing_from_ += kNumbersPerWord - closing_from_ % kNumbersPerWord;
        }
        if (closing_from_ == KFD_MAX_PER_PROCESS) return false;
        const uint64_t word = taken_[closing_from_ / kNumbersPerWord];
        const uint32_t number =
            closing_from_ / kNumbersPerWord * kNumbersPerWord + lowest_bit(word);
        give(number);
        cap = take_out(entry(number));
        guard.unlock();
    }
    return true;
}

void DescriptorTable::dismantle() {
    LockGuard guard(lock_);
    for (Entry*& chunk : chunks_) {
        if (chunk == nullptr) continue;
        mm::free_frame(arch::physical_address_of(std::exchange(chunk, nullptr)));
        --chunk_count_;
    }
    charge_.give_back();
}
