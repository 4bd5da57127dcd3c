// A poll reads its entries once, into records of its own, for the caller's memory may change. If
// nothing is ready it watches the source of every object, looks once more, and sleeps on a source
// of its own until a watcher is told.
//
// Entries name descriptors, so each look finds the object anew: one that was closed or revoked
// meanwhile is reported as such, whatever became of its number since.
#include "fd/poll.h"

#include <new>

#include "arch/paging.h"
#include "arch/time.h"
#include "arch/user_copy.h"
#include "fd/descriptor_table.h"
#include "mm/frames.h"
#include "sync/preemption.h"
#include "wait/parking.h"

namespace {

using Entry = kairos_poll_entry;

// Entries looked at between two chances for others to run.
constexpr uint64_t kEntriesPerTurn = 16;

class PollCall;

class Watch final : public Watcher {
  public:
    Watch(PollCall& call, const Entry& entry) : call_(call), entry_(entry) {}

    const Entry& entry() const { return entry_; }
    // What there is to report now. The first look decides which descriptor is meant.
    void look(const DescriptorTable& table, bool first);
    // Until unwatch(), what happens to the object is told to the call. No lock is held.
    void watch();
    void unwatch();

  private:
    void notify(WakeBatch& batch) override;

    PollCall& call_;
    Entry entry_;
    Through found_through_{};
    Ref<Object> object_;  // that which is watched, or is to be
    bool watching_ = false;
    std::atomic<bool> told_{false};  // since it watches; written under the object's guard
};

class PollCall {
  public:
    PollCall(const DescriptorTable& table, VirtualAddress entries, uint64_t count, Budget& budget)
        : table_(table), entries_(entries), count_(count), charge_(budget.charge(0).take()) {}
    ~PollCall();

    Result<int64_t> run(Instant deadline);

  private:
    friend class Watch;

    // Watches lie in page frames, one behind the other.
    struct Block {
        Block* next = nullptr;
        uint64_t count = 0;
        alignas(Watch) uint8_t room[kPageSize - 2 * sizeof(uint64_t)];

        static constexpr uint64_t kCapacity = sizeof(room) / sizeof(Watch);
        Watch& at(uint64_t i) { return reinterpret_cast<Watch*>(room)[i]; }
    };
    static_assert(sizeof(Block) == kPageSize);

    template <typename Visit>
    void for_each(Visit visit);
    Status read_entries();
    Result<Block*> add_block();
    uint64_t look(bool first);
    Status write_back();
    void tell(WakeBatch& batch);

    const DescriptorTable& table_;
    const VirtualAddress entries_;
    const uint64_t count_;
    Charge charge_;
    Block* first_ = nullptr;
    Block* last_ = nullptr;
    SpinLock lock_{LockRank::kPoll};  // guards the source
    WaitSource told_;
};

// ---- One descriptor -----------------------------------------------------------------------------

void Watch::look(const DescriptorTable& table, bool first) {
    entry_.revents = 0;
    if (entry_.fd < 0) return;
    if (!first && !table.still(entry_.fd, found_through_)) {
        entry_.revents = KAIROS_POLLNVAL;
        return;
    }
    const auto found = table.find(entry_.fd, 0);
    if (!found || !found.value().object->try_retain()) {
        entry_.revents = KAIROS_POLLNVAL;
        return;
    }
    Ref<Object> object(*found.value().object, kAdoptReference);
    uint32_t wanted = static_cast<uint16_t>(entry_.events) & (KAIROS_POLLIN | KAIROS_POLLOUT);
    if (!found.value().rights.covers(FD_RIGHT_READ)) wanted &= ~KAIROS_POLLIN;
    if (!found.value().rights.covers(FD_RIGHT_WRITE)) wanted &= ~KAIROS_POLLOUT;
    const uint32_t ready = poll_readiness(*object);
    entry_.revents = static_cast<int16_t>(ready & (wanted | KAIROS_POLLERR | KAIROS_POLLHUP));
    if (first) {
        found_through_ = found.value().through;
        object_ = std::move(object);
    }
}

void Watch::watch() {
    if (!object_ || (watching_ && !told_.load(std::memory_order_relaxed))) return;
    WakeBatch wakes;
    LockGuard held(object_->guard());
    if (watching_) object_->base_wait().notify_watchers(wakes);  // the word is passed on
    told_.store(false, std::memory_order_relaxed);
    object_->base_wait().watch(*this);
    watching_ = true;
}

void Watch::unwatch() {
    if (!watching_) return;
    WakeBatch wakes;
    LockGuard held(object_->guard());
    if (told_.load(std::memory_order_relaxed)) {
        object_->base_wait().notify_watchers(wakes);
    } else {
        WaitSource::unwatch(*this);
    }
}

void Watch::notify(WakeBatch& batch) {
    told_.store(true, std::memory_order_relaxed);
    call_.tell(batch);
}

// ---- The call -----------------------------------------------------------------------------------

template <typename Visit>
void PollCall::for_each(Visit visit) {
    uint64_t seen = 0;
    for (Block* block = first_; block != nullptr; block = block->next) {
        for (uint64_t i = 0; i < block->count; ++i) {
            visit(block->at(i));
            if (++seen % kEntriesPerTurn == 0) preemption_point();
        }
    }
}

PollCall::~PollCall() {
    for_each([](Watch& watch) { watch.unwatch(); });
    while (Block* block = first_) {
        for (uint64_t i = 0; i < block->count; ++i) block->at(i).~Watch();
        first_ = block->next;
        mm::free_frame(arch::physical_address_of(block));
        preemption_point();
    }
}

Result<PollCall::Block*> PollCall::add_block() {
    TRY(charge_.grow(kPageSize));
    Block* block = new (arch::physical_pointer(TRY(mm::allocate_frame()))) Block;
    (last_ == nullptr ? first_ : last_->next) = block;
    last_ = block;
    return block;
}

Status PollCall::read_entries() {
    for (uint64_t i = 0; i < count_; ++i) {
        Entry entry;
        if (!arch::copy_from_user(&entry, entries_ + i * sizeof(entry), sizeof(entry))) {
            return Fail(Error::FAULT);
        }
        Block* block = last_;
        if (block == nullptr || block->count == Block::kCapacity) block = TRY(add_block());
        new (&block->at(block->count)) Watch(*this, entry);
        ++block->count;
        if (i % kEntriesPerTurn == 0) preemption_point();
    }
    return {};
}

uint64_t PollCall::look(bool first) {
    uint64_t ready = 0;
    for_each([&](Watch& watch) {
        watch.look(table_, first);
        if (watch.entry().revents != 0) ++ready;
    });
    return ready;
}

Status PollCall::write_back() {
    VirtualAddress at = entries_ + offsetof(Entry, revents);
    bool copied = true;
    for_each([&](const Watch& watch) {
        const int16_t revents = watch.entry().revents;
        if (copied) copied = arch::copy_to_user(at, &revents, sizeof(revents));
        at = at + sizeof(Entry);
    });
    if (!copied) return Fail(Error::FAULT);
    return {};
}

void PollCall::tell(WakeBatch& batch) {
    LockGuard held(lock_);
    told_.wake_one(WakeReason::kData, batch);
}

Result<int64_t> PollCall::run(Instant deadline) {
    TRY(read_entries());
    uint64_t ready = look(true);
    while (ready == 0 && arch::now() < deadline) {
        uint64_t seen;
        {
            LockGuard held(lock_);
            seen = told_.sequence();
        }
        for_each([](Watch& watch) { watch.watch(); });
        ready = look(false);
        if (ready != 0) break;
        LockGuard held(lock_);
        const WakeReason reason = told_.block(held, seen, deadline);
        if (reason == WakeReason::kTimeout) break;
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
        ready = look(false);
    }
    TRY(write_back());
    return static_cast<int64_t>(ready);
}

}  // namespace

Result<int64_t> poll_descriptors(DescriptorTable& table, VirtualAddress entries, uint64_t count,
                                 Instant deadline, Budget& budget) {
    PollCall call(table, entries, count, budget);
    return call.run(deadline);
}
