#include "fd/pipe.h"

#include <algorithm>
#include <atomic>

#include "arch/paging.h"
#include "arch/user_copy.h"
#include "mm/frames.h"
#include "mm/object_cache.h"
#include "object/object_storage.h"
#include "sched/blocking_use.h"
#include "sync/preemption.h"

namespace {
constexpr uint32_t kBufferOrder = 2;
constexpr uint64_t kBufferBytes = kPageSize << kBufferOrder;
static_assert(kPipeAtomic <= kBufferBytes);
}  // namespace

// What the two ends share.
class Pipe {
  public:
    // -EDQUOT, -ENOMEM.
    static Result<Pipe*> allocate(Budget& budget);
    // Each end lets go once, when its memory goes; the second frees the pipe.
    void let_go();

    uint64_t filled() const { return written - taken; }
    uint64_t room() const { return kBufferBytes - filled(); }
    // The bytes from `position` on, up to the end of the buffer.
    uint8_t* bytes_at(uint64_t position) const { return buffer_ + position % kBufferBytes; }
    static uint64_t stretch_at(uint64_t position) { return kBufferBytes - position % kBufferBytes; }

    SpinLock lock{LockRank::kChannel};
    // Guarded by the lock.
    PipeEnd* reader = nullptr;  // null once it is closed, as the other
    PipeEnd* writer = nullptr;
    uint64_t taken = 0;    // bytes, since the beginning; moved by who has the reader's turn
    uint64_t written = 0;  // likewise

  private:
    explicit Pipe(uint8_t* buffer, Charge charge) : buffer_(buffer), charge_(std::move(charge)) {}

    uint8_t* const buffer_;
    Charge charge_;
    std::atomic<uint32_t> users_{2};
};

namespace {
constinit mm::ObjectCache<Pipe> pipe_cache;
}

Result<Pipe*> Pipe::allocate(Budget& budget) {
    Charge charge = TRY(budget.charge(kBufferBytes + sizeof(Pipe)));
    const PhysicalAddress block = TRY(mm::allocate_block(kBufferOrder));
    void* cell = pipe_cache.allocate();
    if (cell == nullptr) {
        mm::free_block(block, kBufferOrder);
        return Fail(Error::NOMEM);
    }
    return new (cell) Pipe(static_cast<uint8_t*>(arch::physical_pointer(block)), std::move(charge));
}

void Pipe::let_go() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    mm::free_block(arch::physical_address_of(buffer_), kBufferOrder);
    this->~Pipe();
    pipe_cache.free(this);
}

// ---- Life ---------------------------------------------------------------------------------------

PipeEnd::PipeEnd(Pipe& pipe, bool writes)
    : File(&pipe.lock),
      pipe_(pipe),
      writes_(writes),
      line_(id_ref(), writes ? "room in a pipe" : "bytes in a pipe") {}

Result<PipeEnd::TwoEnds> PipeEnd::create_pair(Budget& budget) {
    Pipe* pipe = TRY(Pipe::allocate(budget));
    auto reading = ObjectStorage<PipeEnd>::create(budget, *pipe, false);
    if (!reading) {
        pipe->let_go();
        pipe->let_go();
        return Fail(reading.error());
    }
    TwoEnds ends{reading.take(), {}};
    auto writing = ObjectStorage<PipeEnd>::create(budget, *pipe, true);
    if (!writing) {
        pipe->let_go();  // the other end's part; its own it lets go when it is freed
        return Fail(writing.error());
    }
    ends.writing = writing.take();
    pipe->reader = ends.reading.get();
    pipe->writer = ends.writing.get();
    return ends;
}

void PipeEnd::free_memory() {
    Pipe& pipe = pipe_;
    ObjectStorage<PipeEnd>::free(*this);
    pipe.let_go();
}

bool PipeEnd::on_unowned() {
    WakeBatch wakes;
    LockGuard held(guard());
    (writes_ ? pipe_.writer : pipe_.reader) = nullptr;
    close(wakes);
    line_.wake_all(WakeReason::kClose, wakes, guard());
    if (PipeEnd* other = peer()) {
        other->line_.wake_all(WakeReason::kHup, wakes, guard());
        other->raise(KPORT_BIND_PEER_CLOSED, WakeReason::kHup, wakes);
    }
    return false;
}

kairos_info_file PipeEnd::describe() { return {.kind = KAIROS_FILE_PIPE, .reserved = 0}; }

PipeEnd* PipeEnd::peer() const { return writes_ ? pipe_.reader : pipe_.writer; }

uint32_t PipeEnd::readiness() const {
    if (writes_) {
        if (peer() == nullptr) return KAIROS_POLLERR | KAIROS_POLLHUP;
        return ready_for(kPipeAtomic) ? KAIROS_POLLOUT : 0;
    }
    return (ready_for(1) ? KAIROS_POLLIN : 0) | (peer() == nullptr ? KAIROS_POLLHUP : 0);
}

uint32_t PipeEnd::holding_signals() const {
    const uint32_t ready = readiness();
    uint32_t signals = 0;
    if ((ready & KAIROS_POLLIN) != 0) signals |= KPORT_BIND_READABLE;
    if ((ready & KAIROS_POLLOUT) != 0) signals |= KPORT_BIND_WRITABLE;
    if ((ready & KAIROS_POLLHUP) != 0) signals |= KPORT_BIND_PEER_CLOSED;
    return signals;
}

// ---- Moving bytes -------------------------------------------------------------------------------

bool PipeEnd::ready_for(uint64_t needed) const {
    return (writes_ ? pipe_.room() : pipe_.filled()) >= needed;
}

// The next in line comes if there is something for it; if it does not suffice, it goes back to the
// end of the line, and the other side wakes it again.
void PipeEnd::pass_turn(WakeBatch& wakes) {
    turn_taken_ = false;
    if (ready_for(1) || peer() == nullptr) line_.wake_one(WakeReason::kData, wakes);
}

Result<uint64_t> PipeEnd::take_turn(uint64_t needed, bool nonblocking, BlockingUse& use) {
    while (true) {
        WakeBatch wakes;
        LockGuard held(guard());
        if (current_waiter().killed()) {  // what it was woken for is for the next in line
            if (!turn_taken_) pass_turn(wakes);
            return Fail(Error::INTR);
        }
        if (closed()) return 0;
        if (writes_ && peer() == nullptr) return 0;
        if (!turn_taken_ && ready_for(needed)) {
            turn_taken_ = true;
            return writes_ ? pipe_.room() : pipe_.filled();
        }
        if (!turn_taken_ && peer() == nullptr) return 0;
        if (nonblocking) return Fail(Error::AGAIN);
        TRY(use.begin());
        const WakeReason reason = line_.block(held, line_.sequence(), Instant::never());
        if (reason >= WakeReason::kSignal) return Fail(error_of_sleep(reason));
    }
}

uint64_t PipeEnd::move(VirtualAddress address, uint64_t size, bool whole) {
    // Nobody else moves this end's position as long as the turn is ours.
    const uint64_t from = writes_ ? pipe_.written : pipe_.taken;
    uint64_t moved = 0;
    while (moved < size) {
        const uint64_t piece =
            std::min({size - moved, Pipe::stretch_at(from + moved), uint64_t{kPageSize}});
        uint8_t* bytes = pipe_.bytes_at(from + moved);
        const bool copied = writes_ ? arch::copy_from_user(bytes, address + moved, piece)
                                    : arch::copy_to_user(address + moved, bytes, piece);
        if (!copied) break;
        moved += piece;
        preemption_point();
    }
    if (whole && moved < size) moved = 0;

    WakeBatch wakes;
    LockGuard held(guard());
    (writes_ ? pipe_.written : pipe_.taken) += moved;
    pass_turn(wakes);
    PipeEnd* other = peer();
    if (other == nullptr || moved == 0) return moved;
    if (!other->turn_taken_) other->line_.wake_one(WakeReason::kData, wakes);
    if (const uint32_t now = other->holding_signals(); now != 0) {
        other->raise(now, WakeReason::kData, wakes);
    }
    return moved;
}

Result<int64_t> PipeEnd::read_bytes(const ByteRequest& request) {
    if (request.size == 0) return 0;
    BlockingUse use(*this, request.through);
    const uint64_t there = TRY(take_turn(1, request.nonblocking, use));
    if (there == 0) return 0;
    const uint64_t moved = move(request.address, std::min(there, request.size), false);
    if (moved == 0) return Fail(Error::FAULT);
    return static_cast<int64_t>(moved);
}

Result<int64_t> PipeEnd::write_bytes(const ByteRequest& request) {
    if (request.size == 0) return 0;
    BlockingUse use(*this, request.through);
    const bool atomic = request.size <= kPipeAtomic;
    uint64_t done = 0;
    while (done < request.size) {
        auto room = take_turn(atomic ? request.size : 1, request.nonblocking, use);
        if (!room || *room == 0) {
            if (done != 0) break;
            return Fail(room ? Error::PIPE : room.error());
        }
        const uint64_t size = std::min(*room, request.size - done);
        const uint64_t moved = move(request.address + done, size, true);
        if (moved == 0) {
            if (done != 0) break;
            return Fail(Error::FAULT);
        }
        done += moved;
    }
    return static_cast<int64_t>(done);
}
