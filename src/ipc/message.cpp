#include "ipc/message.h"

#include <algorithm>
#include <cstring>

#include "arch/hart.h"
#include "arch/paging.h"
#include "arch/user_copy.h"
#include "memory/address_space.h"
#include "mm/frames.h"
#include "trace/counters.h"

void Message::take(Message& other) {
    txid = other.txid;
    handles = std::move(other.handles);
    charge_ = std::move(other.charge_);
    size_ = std::exchange(other.size_, 0);
    const size_t used = in_frames() ? sizeof(frames_) : size_;
    std::memcpy(inline_, other.inline_, used);
}

Status Message::allocate_frames(uint32_t size, Budget& budget) {
    const uint32_t wanted = pages_for(size);
    Charge charge = TRY(budget.charge(wanted * kPageSize));
    for (uint32_t i = 0; i < wanted; ++i) {
        auto frame = mm::allocate_frame();
        if (!frame) {
            while (i > 0) mm::free_frame(frames_[--i]);
            return Fail(frame.error());
        }
        frames_[i] = *frame;
        count(Counter::channel_payload_frames);
    }
    charge_ = std::move(charge);
    size_ = size;
    return {};
}

void Message::free_frames() {
    if (!in_frames()) return;
    for (uint32_t i = 0; i < pages_for(size_); ++i) mm::free_frame(frames_[i]);
    size_ = 0;
}

template <typename Copy>
bool Message::for_each_piece(Copy copy) const {
    if (!in_frames()) return size_ == 0 || copy(const_cast<uint8_t*>(inline_), 0u, size_);
    for (uint32_t done = 0; done < size_; done += kPageSize) {
        const uint32_t length = std::min<uint32_t>(size_ - done, kPageSize);
        if (!copy(static_cast<uint8_t*>(arch::physical_pointer(frames_[done / kPageSize])), done,
                  length)) {
            return false;
        }
        arch::open_interrupt_window();  // a page is copied with interrupts off, not all of them
    }
    return true;
}

template <typename Copy>
Status Message::fill(uint32_t size, Budget& budget, Copy copy) {
    if (size > KCHANNEL_INLINE_MSG_BYTES) {
        TRY(allocate_frames(size, budget));
    } else {
        size_ = size;
    }
    if (for_each_piece(copy)) return {};
    free_frames();
    charge_.give_back();
    size_ = 0;
    return Fail(Error::FAULT);
}

Status Message::read_small_from_user(VirtualAddress source, uint32_t size) {
    if (size != 0 && !arch::copy_from_user(inline_, source, size)) return Fail(Error::FAULT);
    size_ = size;
    return {};
}

void Message::read_small_from_kernel(const void* source, uint32_t size) {
    std::memcpy(inline_, source, size);
    size_ = size;
}

Status Message::read_from_user(VirtualAddress source, uint32_t size, Budget& budget) {
    return fill(size, budget, [&](void* piece, uint32_t offset, uint32_t length) {
        return arch::copy_from_user(piece, source + offset, length);
    });
}

Status Message::read_from_kernel(const void* source, uint32_t size, Budget& budget) {
    return fill(size, budget, [&](void* piece, uint32_t offset, uint32_t length) {
        std::memcpy(piece, static_cast<const uint8_t*>(source) + offset, length);
        return true;
    });
}

bool Message::write_to_user(VirtualAddress destination) const {
    return for_each_piece([&](const void* piece, uint32_t offset, uint32_t length) {
        return arch::copy_to_user(destination + offset, piece, length);
    });
}

bool Message::write_to(AddressSpace& space, VirtualAddress destination) const {
    return for_each_piece([&](const void* piece, uint32_t offset, uint32_t length) {
        return space.write(destination + offset, piece, length);
    });
}

void Message::write_to_kernel(void* destination) const {
    for_each_piece([&](const void* piece, uint32_t offset, uint32_t length) {
        std::memcpy(static_cast<uint8_t*>(destination) + offset, piece, length);
        return true;
    });
}
