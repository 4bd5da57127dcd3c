// The bounded queue of one endpoint: KCHANNEL_MAX_QUEUE slots, allocated with the endpoint, so that
// queueing a small message never needs memory, and a few more for messages that come back from a
// receiver who could not take them. Guarded by the channel's lock.
#pragma once

#include <new>

#include "arch/paging.h"
#include "ipc/message.h"
#include "mm/frames.h"

class MessageQueue {
  public:
    // Not counted in any budget by itself: the endpoint charges kBytes. -ENOMEM.
    Status create();
    // No message is left in it. Gives the slots back.
    void destroy();

    bool empty() const { return first_ == nullptr; }
    bool full() const { return count_ >= KCHANNEL_MAX_QUEUE; }
    uint32_t count() const { return count_; }
    Message& first() { return first_->message; }

    // There is room. Takes over the content of `message`.
    void push(Message& message);
    // The same for one that comes back: before all others, in a spare slot if need be.
    void push_front(Message& message);
    // Moves the first message out.
    void pop(Message& out);

    static constexpr uint32_t kSpareSlots = 2;

  private:
    struct Slot {
        Message message;
        Slot* next = nullptr;
    };
    static constexpr uint32_t kSlotsPerFrame = kPageSize / sizeof(Slot);
    static constexpr uint32_t kFrames =
        (KCHANNEL_MAX_QUEUE + kSpareSlots + kSlotsPerFrame - 1) / kSlotsPerFrame;

  public:
    static constexpr uint64_t kBytes = kFrames * kPageSize;

  private:
    Slot* take_slot();

    PhysicalAddress frames_[kFrames];
    uint32_t frame_count_ = 0;
    uint32_t count_ = 0;
    uint32_t used_once_ = 0;  // slots beyond this have never been used: no need to thread them all
    Slot* free_ = nullptr;
    Slot* first_ = nullptr;
    Slot* last_ = nullptr;
};
