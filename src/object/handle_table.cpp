#include "object/handle_table.h"

#include <new>

#include "arch/paging.h"
#include "mm/frames.h"
#include "object/lineage.h"
#include "trace/records.h"

namespace {
constexpr uint32_t kGenerationBits = 20;
constexpr uint32_t kLastGeneration = (1u << kGenerationBits) - 1;
// How much of a table is gone through in one piece: slots looked at, of which a handle that has to
// be closed counts for many.
constexpr uint32_t kSlotsPerPiece = 64;
constexpr uint32_t kSlotsPerClose = 16;

constexpr uint64_t word_of(uint32_t generation, ObjectType type, Rights rights) {
    return uint64_t{generation} << 32 | static_cast<uint64_t>(type) << 16 | rights.bits();
}
constexpr uint32_t generation_of(uint64_t word) { return static_cast<uint32_t>(word >> 32); }
constexpr ObjectType type_of(uint64_t word) {
    return static_cast<ObjectType>((word >> 16) & 0xffff);
}
constexpr Rights rights_of(uint64_t word) { return Rights(word & 0xffff); }

template <TraceEvent kEvent>
void trace_move(const Cap& cap, const Object* object) {
    trace<kEvent>(static_cast<uint64_t>(object->id()), cap.id(), cap.rights().bits());
}
}  // namespace

// ---- Look-up ------------------------------------------------------------------------------------

Result<FoundHandle> HandleTable::find(HandleValue value) const {
    const uint32_t index = index_of(value);
    const Slot* chunk = chunks_[index / kSlotsPerChunk].load(std::memory_order_acquire);
    if (chunk == nullptr) return Fail(Error::BADF);
    const Slot& slot = chunk[index % kSlotsPerChunk];
    const uint64_t word = slot.word.load(std::memory_order_acquire);
    if (word == 0 || generation_of(word) != value >> kSlotBits) return Fail(Error::BADF);
    Object* object = slot.object.load(std::memory_order_acquire);
    // Fewer rights since then are no other handle.
    const uint64_t again = slot.word.load(std::memory_order_relaxed);
    if (generation_of(again) != generation_of(word)) return Fail(Error::BADF);
    return FoundHandle{object, type_of(word), rights_of(word)};
}

uint32_t HandleTable::live_slot(HandleValue value) const {
    const uint32_t index = index_of(value);
    if (index / kSlotsPerChunk >= chunk_count_) return kNoSlot;
    const uint64_t word = slot(index).word.load(std::memory_order_relaxed);
    if (word == 0 || generation_of(word) != value >> kSlotBits) return kNoSlot;
    return index;
}

void HandleTable::publish(uint32_t index, Cap& cap, Object& object) {
    Slot& at = slot(index);
    at.cap = &cap;
    at.object.store(&object, std::memory_order_relaxed);
    at.word.store(word_of(at.generation, object.type(), cap.rights_), std::memory_order_release);
}

void HandleTable::withdraw(uint32_t index) {
    slot(index).word.store(0, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
}

Status HandleTable::begin_use(uint64_t which, Waiter& waiter) {
    const auto value = static_cast<HandleValue>(which);
    LockGuard guard(lock_);
    const Slot& at = slot(index_of(value));
    const uint32_t generation = value >> kSlotBits;
    if (at.generation == generation) {  // here still, if perhaps set aside for a transfer
        if (!Lineage::begin_use(*at.cap, waiter)) return Fail(Error::CANCELED);
        return {};
    }
    const bool just_left = at.generation == generation + 1;
    if (just_left && at.last_was_revoked != 0) return Fail(Error::CANCELED);
    return {};
}

// ---- Room ---------------------------------------------------------------------------------------

void HandleTable::dismantle() {
    LockGuard guard(lock_);
    while (chunk_count_ > 0) {
        Slot* chunk = chunks_[--chunk_count_].exchange(nullptr, std::memory_order_acq_rel);
        mm::free_frame(arch::physical_address_of(chunk));
    }
    charge_.give_back();
}

Status HandleTable::make_room(uint32_t count) {
    while (free_count_ < count) {
        if (chunk_count_ == kChunks) return Fail(Error::MFILE);
        TRY(charge_.grow(kPageSize));
        auto frame = mm::allocate_zeroed_frame();
        if (!frame) {
            charge_.shrink(kPageSize);
            return Fail(frame.error());
        }
        // All zeros is a slot without a handle; it is made when it is first taken.
        auto* chunk = static_cast<Slot*>(arch::physical_pointer(*frame));
        chunks_[chunk_count_].store(chunk, std::memory_order_release);
        ++chunk_count_;
        free_count_ += kSlotsPerChunk;
    }
    return {};
}

uint32_t HandleTable::take_free_slot() {
    uint32_t index = first_free_;
    if (index == kNoSlot) {
        index = taken_once_++;
        new (&slot(index)) Slot;
    } else {
        first_free_ = slot(index).next_free;
    }
    --free_count_;
    used_.fetch_add(1, std::memory_order_relaxed);
    return index;
}

void HandleTable::free_slot(uint32_t index) {
    Slot& at = slot(index);
    at.cap = nullptr;
    at.generation = at.generation == kLastGeneration ? 1 : at.generation + 1;
    at.last_was_revoked = 0;
    at.next_free = first_free_;
    first_free_ = index;
    ++free_count_;
    used_.fetch_sub(1, std::memory_order_relaxed);
}

Status HandleTable::reserve(uint32_t count, SlotReservation& room) {
    LockGuard guard(lock_);
    TRY(make_room(count));
    room.table_ = this;
    while (room.count_ < count) room.slots_[room.count_++] = take_free_slot();
    return {};
}

void SlotReservation::give_back() {
    LockGuard guard(table_->lock_);
    for (uint32_t i = 0; i < count_; ++i) {
        if ((installed_ >> i & 1) == 0) table_->free_slot(slots_[i]);
    }
}

HandleValue SlotReservation::value(uint32_t i) const {
    return HandleTable::value_of(slots_[i], table_->slot(slots_[i]));
}

bool SlotReservation::install(uint32_t i, OwnedCap owned) {
    Object* object = owned->object();
    if (object == nullptr) return false;
    LockGuard guard(table_->lock_);
    if (!Lineage::enter_table(*owned, *table_, value(i))) {
        guard.unlock();  // the cap is closed without the lock
        return false;
    }
    installed_ |= 1u << i;
    if (owned->traveller_of() != 0) {
        owned->note_transfer(TransferEvent::kInstall, table_->process_id());
        owned->set_traveller_of(0);
    }
    trace<TraceEvent::cap_install>(static_cast<uint64_t>(object->id()), owned->id(),
                                   owned->rights().bits(), value(i));
    table_->publish(slots_[i], owned.leak(), *object);
    return true;
}

Result<HandleValue> HandleTable::insert(OwnedCap cap) {
    SlotReservation room;
    TRY(reserve(1, room));
    return room.install(0, std::move(cap)) ? room.value(0) : KAIROS_HANDLE_INVALID;
}

// ---- Leaving ------------------------------------------------------------------------------------

Status HandleTable::reserve_transfer(std::span<const HandleValue> values, const Object* forbidden,
                                     const Object* also_forbidden, TransferReservation& leaving) {
    LockGuard guard(lock_);
    for (size_t i = 0; i < values.size(); ++i) {
        const uint32_t index = live_slot(values[i]);
        if (index == kNoSlot) return Fail(Error::BADF);
        if (!slot(index).cap->rights_.covers(right::kTransfer)) return Fail(Error::ACCES);
        leaving.slots_[i] = index;
    }
    for (size_t i = 0; i < values.size(); ++i) {
        const Object* object = slot(leaving.slots_[i]).object.load(std::memory_order_relaxed);
        if (object == forbidden || object == also_forbidden) return Fail(Error::INVAL);
        for (size_t j = 0; j < i; ++j) {
            if (leaving.slots_[i] == leaving.slots_[j]) return Fail(Error::INVAL);
        }
    }
    for (size_t i = 0; i < values.size(); ++i) {
        withdraw(leaving.slots_[i]);
        Cap& cap = *slot(leaving.slots_[i]).cap;
        cap.set_traveller_of(process_id());
        cap.note_transfer(TransferEvent::kTake);
        if (const Object* object = cap.object()) trace_move<TraceEvent::cap_take>(cap, object);
    }
    leaving.table_ = this;
    leaving.count_ = static_cast<uint32_t>(values.size());
    return {};
}

void TransferReservation::put_back() {
    for (uint32_t i = 0; i < count_; ++i) OwnedCap revoked = table_->restore(slots_[i]);
}

OwnedCap HandleTable::restore(uint32_t index) {
    LockGuard guard(lock_);
    Cap& cap = *slot(index).cap;
    if (Object* object = cap.object(); object != nullptr && !cap.revoked()) {
        cap.note_transfer(TransferEvent::kRestore, process_id());
        cap.set_traveller_of(0);
        trace_move<TraceEvent::cap_restore>(cap, object);
        publish(index, cap, *object);
        return {};
    }
    return leave(index);
}

// Takes a cap that nobody can find any more out of its slot.
OwnedCap HandleTable::leave(uint32_t index) {
    Cap& cap = *slot(index).cap;
    cap.table_.store(nullptr, std::memory_order_release);
    free_slot(index);
    return OwnedCap(cap);
}

CapChain TransferReservation::commit() {
    CapChain chain;
    if (count_ == 0) return chain;
    LockGuard guard(table_->lock_);
    while (count_ != 0) {
        chain.push_front(table_->leave(slots_[--count_]));
    }
    return chain;
}

Result<OwnedCap> HandleTable::remove(HandleValue value) {
    LockGuard guard(lock_);
    const uint32_t index = live_slot(value);
    if (index == kNoSlot) return Fail(Error::BADF);
    withdraw(index);
    return leave(index);
}

bool HandleTable::forget(Cap& cap) {
    LockGuard guard(lock_);
    if (cap.table_.load(std::memory_order_relaxed) != this) return false;
    const uint32_t index = index_of(cap.value_);
    if (slot(index).word.load(std::memory_order_relaxed) == 0) return false;  // reserved
    withdraw(index);
    cap.table_.store(nullptr, std::memory_order_release);
    free_slot(index);
    slot(index).last_was_revoked = 1;
    return true;
}

bool HandleTable::close_some() {
    for (uint32_t looked_at = 0; looked_at < kSlotsPerPiece;) {
        OwnedCap cap;  // closed outside the lock
        LockGuard guard(lock_);
        const uint32_t end = taken_once_;
        while (closing_from_ < end && looked_at < kSlotsPerPiece &&
               slot(closing_from_).word.load(std::memory_order_relaxed) == 0) {
            ++closing_from_;
            ++looked_at;
        }
        if (closing_from_ == end) return false;
        if (looked_at == kSlotsPerPiece) return true;
        withdraw(closing_from_);
        cap = leave(closing_from_);
        looked_at += kSlotsPerClose;
        guard.unlock();
        Object* object = cap->object();
        if (object != nullptr && object->try_retain()) {
            Ref<Object>(*object, kAdoptReference)->audit_owners();  // the cap is still an owner
        }
    }
    return true;
}

// ---- Deriving -----------------------------------------------------------------------------------

Result<OwnedCap> HandleTable::derive(HandleValue value, Rights rights, OwnerClass owner) {
    LockGuard guard(lock_);
    const uint32_t index = live_slot(value);
    if (index == kNoSlot) return Fail(Error::BADF);
    Cap& source = *slot(index).cap;
    if (!source.rights_.covers(rights | right::kDuplicate)) return Fail(Error::ACCES);
    Cap* child = TRY(Lineage::allocate(budget_, owner));
    if (Lineage::link_child(source, *child, rights.any() ? rights : source.rights_)) {
        return OwnedCap(*child);
    }
    Lineage::free(*child);
    return Fail(Error::BADF);
}

Status HandleTable::attach(HandleValue value, const Object& object, Derivation& node) {
    LockGuard guard(lock_);
    const uint32_t index = live_slot(value);
    if (index == kNoSlot) return Fail(Error::BADF);
    Cap& parent = *slot(index).cap;
    if (parent.object() != &object || !Lineage::link_derivation(parent, node)) {
        return Fail(Error::BADF);
    }
    return {};
}

Status HandleTable::limit(HandleValue value, Rights rights) {
    LockGuard guard(lock_);
    const uint32_t index = live_slot(value);
    if (index == kNoSlot) return Fail(Error::BADF);
    Slot& at = slot(index);
    if (!at.cap->rights_.covers(rights)) return Fail(Error::ACCES);
    Object& object = *at.object.load(std::memory_order_relaxed);
    Lineage::limit(*at.cap, object, rights);
    publish(index, *at.cap, object);
    return {};
}

Result<HandleTable::Pinned> HandleTable::pin(HandleValue value) {
    LockGuard guard(lock_);
    const uint32_t index = live_slot(value);
    if (index == kNoSlot) return Fail(Error::BADF);
    Cap& cap = *slot(index).cap;
    Lineage::pin(cap);
    return Pinned{cap, Ref<Object>(*slot(index).object.load(std::memory_order_relaxed))};
}

Status HandleTable::revoke_descendants(HandleValue value) {
    const Pinned top = TRY(pin(value));
    Lineage::revoke_descendants(top.cap, *top.object);
    Lineage::unpin(top.cap, *top.object);
    return {};
}

Result<kairos_info_lineage> HandleTable::describe_lineage(HandleValue value) {
    const Pinned top = TRY(pin(value));
    const kairos_info_lineage info = Lineage::describe(top.cap, *top.object);
    Lineage::unpin(top.cap, *top.object);
    return info;
}

bool HandleTable::describe_slot(uint32_t index, kairos_handle_entry& entry) {
    Cap* cap;
    Ref<Object> object;
    {
        LockGuard guard(lock_);
        cap = index < taken_once_ ? slot(index).cap : nullptr;
        if (cap != nullptr) object = Lineage::try_pin(*cap);
    }
    if (!object) return false;
    const bool found = Lineage::describe_place(*cap, *object, entry);
    Lineage::unpin(*cap, *object);
    return found && entry.place != KAIROS_PLACE_IN_FLIGHT && entry.process_id == process_id();
}
