// Pipe: bytes that go in at one end and come out at the other, through a buffer of bounded size.
// Its two ends are objects of type FILE; each lives while it has a descriptor or
// a handle, like the endpoints of a channel, and one lock guards both.
//
// At each end one thread at a time has the *turn*: it copies between user memory and the buffer
// with the lock released, then moves the position. So a write of up to kPipeAtomic bytes is in the
// pipe whole or not at all, and never mixed with another, and a reader whose memory is bad takes
// nothing. Who has the turn may be switched away; others at this end sleep until it comes to them.
#pragma once

#include "fd/file.h"
#include "wait/parking.h"

class BlockingUse;
class Budget;
class Pipe;

// PIPE_BUF of POSIX.
inline constexpr uint64_t kPipeAtomic = 4096;

class PipeEnd final : public File {
  public:
    static constexpr Rights kReadingRights{KRIGHT_READ | KRIGHT_TRANSFER | KRIGHT_DUPLICATE |
                                           KRIGHT_WAIT};
    static constexpr Rights kWritingRights{KRIGHT_WRITE | KRIGHT_TRANSFER | KRIGHT_DUPLICATE |
                                           KRIGHT_WAIT};
    struct TwoEnds {
        Ref<PipeEnd> reading;
        Ref<PipeEnd> writing;
    };
    // -EDQUOT, -ENOMEM.
    static Result<TwoEnds> create_pair(Budget& budget);

    // Up to `size` bytes, at least one; 0 at the end of the stream: all writers are gone and the
    // pipe is empty. -EFAULT (nothing is taken), -EAGAIN, -EINTR, -ECANCELED. BLOCKS while it is
    // empty.
    Result<int64_t> read_bytes(const ByteRequest& request) override;
    // All of `size` bytes; fewer, if something ends it after the first. -EPIPE: all readers are
    // gone; -EFAULT, -EAGAIN, -EINTR, -ECANCELED. BLOCKS while there is no room: for all of it, up
    // to kPipeAtomic.
    Result<int64_t> write_bytes(const ByteRequest& request) override;
    kairos_info_file describe() override;

    // Writable means that kPipeAtomic bytes have room.
    uint32_t readiness() const override;
    uint32_t raisable_signals() const override {
        return KPORT_BIND_PEER_CLOSED | (writes_ ? KPORT_BIND_WRITABLE : KPORT_BIND_READABLE);
    }
    uint32_t holding_signals() const override;

  private:
    template <typename T>
    friend class ObjectStorage;

    PipeEnd(Pipe& pipe, bool writes);
    bool on_unowned() override;
    void free_memory() override;

    // ---- The guard is held ----
    PipeEnd* peer() const;
    // Whether bytes can be taken, or at least `needed` be put, at this end.
    bool ready_for(uint64_t needed) const;
    void pass_turn(WakeBatch& wakes);

    // Waits until this end is ready for `needed` bytes and the turn is the caller's: how many bytes
    // it may move; 0: the end of the stream, or the reader is gone. Errors as read_bytes(). BLOCKS.
    Result<uint64_t> take_turn(uint64_t needed, bool nonblocking, BlockingUse& use);
    // With the turn: copies `size` bytes from or to user memory, and gives the turn away; how many
    // were moved. All of them or none if `whole`.
    uint64_t move(VirtualAddress address, uint64_t size, bool whole);

    Pipe& pipe_;
    const bool writes_;
    bool turn_taken_ = false;
    WaitSource line_;  // for the turn, and for bytes or room
};
