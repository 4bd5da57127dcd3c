#include "ipc/message_queue.h"

Status MessageQueue::create() {
    for (; frame_count_ < kFrames; ++frame_count_) {
        auto frame = mm::allocate_frame();
        if (!frame) {
            destroy();
            return Fail(frame.error());
        }
        frames_[frame_count_] = *frame;
    }
    return {};
}

void MessageQueue::destroy() {
    while (frame_count_ > 0) mm::free_frame(frames_[--frame_count_]);
}

MessageQueue::Slot* MessageQueue::take_slot() {
    if (Slot* slot = free_) {
        free_ = slot->next;
        return slot;
    }
    const uint32_t index = used_once_++;
    auto* frame = static_cast<Slot*>(arch::physical_pointer(frames_[index / kSlotsPerFrame]));
    return &frame[index % kSlotsPerFrame];
}

void MessageQueue::push(Message& message) {
    Slot* slot = new (take_slot()) Slot;
    slot->message.take(message);
    (first_ == nullptr ? first_ : last_->next) = slot;
    last_ = slot;
    ++count_;
}

void MessageQueue::push_front(Message& message) {
    Slot* slot = new (take_slot()) Slot;
    slot->message.take(message);
    slot->next = first_;
    if (first_ == nullptr) last_ = slot;
    first_ = slot;
    ++count_;
}

void MessageQueue::pop(Message& out) {
    Slot* slot = first_;
    out.take(slot->message);
    first_ = slot->next;
    slot->~Slot();
    slot->next = free_;
    free_ = slot;
    --count_;
}
