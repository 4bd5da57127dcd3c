// A received message, and what can be sent as one.
#pragma once

#include <kairos/handle.hpp>

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

namespace kairos {

using Bytes = std::span<const std::byte>;

// A struct that can travel as its bytes. A range, a span or a string among them, cannot: its bytes
// are not its contents.
template <typename T>
concept Plain = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_array_v<T> &&
                !std::ranges::range<T>;

template <Plain T>
Bytes bytes_of(const T& value) {
    return std::as_bytes(std::span(&value, 1));
}
inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// Where a message is received. It owns the handles that came along until they are taken; the next
// receive closes what was left. The storage is the derived MessageBuffer's.
class Message {
  public:
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;

    Bytes bytes() const { return {storage_.data(), size_}; }
    std::string_view text() const {
        return {reinterpret_cast<const char*>(storage_.data()), size_};
    }

    // The message as a T, if it is exactly as long as one.
    template <Plain T>
    std::optional<T> as() const {
        if (size_ != sizeof(T)) return std::nullopt;
        std::array<std::byte, sizeof(T)> image;
        std::memcpy(image.data(), storage_.data(), sizeof(T));
        return std::bit_cast<T>(image);
    }

    // How many handles came along, and the one at `index`: empty if there is none, if it was taken
    // before, or if it was revoked on its way.
    size_t handle_count() const { return handle_count_; }
    [[nodiscard]] Handle take_handle(size_t index = 0) {
        return index < handles_.size() ? std::move(handles_[index]) : Handle();
    }

    // Not 0: the sender waits for an answer with this txid.
    uint64_t txid() const { return txid_; }

    // Forgets the message, closing the handles that nobody took.
    void clear() {
        for (Handle& handle : handles_) handle.reset();
        size_ = 0;
        handle_count_ = 0;
        txid_ = 0;
    }

  protected:
    explicit Message(std::span<std::byte> storage) : storage_(storage) {}

  private:
    friend class Channel;

    // Empties this, lets `receive` fill a kairos_channel_msg, and takes in what came.
    template <typename Receive>
    kairos_status_t fill(Receive receive) {
        clear();
        std::array<kairos_handle_t, KCHANNEL_MAX_MSG_HANDLES> values;
        kairos_channel_msg header = {
            .bytes = storage_.data(),
            .handles = values.data(),
            .num_bytes = static_cast<uint32_t>(storage_.size()),
            .num_handles = KCHANNEL_MAX_MSG_HANDLES,
            .txid = 0,
        };
        const kairos_status_t status = receive(&header);
        if (status != 1) return status;
        for (uint32_t i = 0; i < header.num_handles; ++i) handles_[i].reset(values[i]);
        size_ = header.num_bytes;
        handle_count_ = header.num_handles;
        txid_ = header.txid;
        return status;
    }

    std::span<std::byte> storage_;
    size_t size_ = 0;
    size_t handle_count_ = 0;
    uint64_t txid_ = 0;
    std::array<Handle, KCHANNEL_MAX_MSG_HANDLES> handles_;
};

// A Message with room for `kCapacity` bytes and any number of handles.
template <size_t kCapacity = KAIROS_PAGE_SIZE>
class MessageBuffer final : public Message {
  public:
    static_assert(kCapacity <= KCHANNEL_MAX_MSG_BYTES);
    MessageBuffer() : Message(room_) {}

  private:
    std::array<std::byte, kCapacity> room_;
};

}  // namespace kairos
