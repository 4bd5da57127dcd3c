// Message: bytes, handles and a transaction number on their way. Up to KCHANNEL_INLINE_MSG_BYTES
// the bytes lie in the message itself; a longer payload lies in page frames, whose addresses take
// the place of the inline bytes. So a message has one size, and a small one never allocates.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/types.h"
#include "object/budget.h"
#include "object/cap.h"

class AddressSpace;

class Message {
  public:
    Message() {}
    ~Message() { free_frames(); }
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;

    // Takes over another's content. This one is empty.
    void take(Message& other);

    // Copies the payload in from the current address space; frames are charged to `budget`.
    // -EDQUOT, -ENOMEM, -EFAULT; on failure the message is empty.
    Status read_small_from_user(VirtualAddress source, uint32_t size);
    Status read_from_user(VirtualAddress source, uint32_t size, Budget& budget);
    void read_small_from_kernel(const void* source, uint32_t size);
    // The same from the kernel's own memory. -EDQUOT, -ENOMEM.
    Status read_from_kernel(const void* source, uint32_t size, Budget& budget);
    // Copies the payload out to the current address space, or to another one. False: bad memory.
    [[nodiscard]] bool write_to_user(VirtualAddress destination) const;
    [[nodiscard]] bool write_to(AddressSpace& space, VirtualAddress destination) const;
    // The same to the kernel's own memory.
    void write_to_kernel(void* destination) const;

    uint32_t size() const { return size_; }
    // A payload that is not in frames.
    const uint8_t* small_bytes() const { return inline_; }
    bool in_frames() const { return size_ > KCHANNEL_INLINE_MSG_BYTES; }

    uint64_t txid = 0;  // 0: a plain message
    CapChain handles;

  private:
    static constexpr uint32_t kMaxFrames = KCHANNEL_MAX_MSG_BYTES / kPageSize;

    // Fills the payload piece by piece; on failure the message is empty.
    template <typename Copy>
    Status fill(uint32_t size, Budget& budget, Copy copy);
    Status allocate_frames(uint32_t size, Budget& budget);
    void free_frames();
    // Calls `copy(piece, offset, length)` for each piece of the payload, in order; stops and
    // answers false when it does.
    template <typename Copy>
    bool for_each_piece(Copy copy) const;

    uint32_t size_ = 0;
    Charge charge_;  // for the frames
    union {
        uint8_t inline_[KCHANNEL_INLINE_MSG_BYTES];
        PhysicalAddress frames_[kMaxFrames];
    };
    static_assert(sizeof(PhysicalAddress) * kMaxFrames <= KCHANNEL_INLINE_MSG_BYTES);
};
