// One end of a channel. Errors of each operation are those of the call in <kairos/channel.h>.
#pragma once

#include <kairos/message.hpp>

namespace kairos {

struct SendOptions {
    kairos_time_t deadline = KAIROS_TIME_INFINITE;
    uint32_t options = 0;  // KCHANNEL_OPT_*
    uint64_t txid = 0;     // of the request that is answered
};

class Channel : public TypedHandle<Channel> {
  public:
    using TypedHandle::TypedHandle;

    struct Ends;
    [[nodiscard]] static Result<Ends> create();

    // Sends `bytes`, and the handles of `moved`: empty after success, untouched after failure.
    Result<> send(Bytes bytes, std::span<Handle> moved = {},
                  const SendOptions& options = {}) const {
        return with_outgoing(bytes, moved, options.txid, [&](const kairos_channel_msg& message) {
            return kairos_channel_send(get(), &message, options.options, options.deadline);
        });
    }
    Result<> send(std::string_view text, std::span<Handle> moved = {},
                  const SendOptions& options = {}) const {
        return send(bytes_of(text), moved, options);
    }
    template <Plain T>
    Result<> send(const T& value, std::span<Handle> moved = {},
                  const SendOptions& options = {}) const {
        return send(bytes_of(value), moved, options);
    }

    // Receives the next message. False at the end of the stream. On failure `message` is empty.
    [[nodiscard]] Result<bool> receive(Message& message,
                                       kairos_time_t deadline = KAIROS_TIME_INFINITE,
                                       uint32_t options = 0) const {
        const kairos_status_t status = message.fill([&](kairos_channel_msg* header) {
            return kairos_channel_recv(get(), header, options, deadline);
        });
        if (status < 0) return failure(status);
        return status == 1;
    }

    // Sends a request with the handles of `moved` and receives its answer into `reply`. `moved` is
    // empty afterwards in any case: an error does not tell whether the request had been sent, so
    // what is left is closed.
    Result<> call(Bytes request, Message& reply, std::span<Handle> moved = {},
                  kairos_time_t deadline = KAIROS_TIME_INFINITE) const {
        kairos_status_t status = 0;
        const Result<> sent = with_outgoing(request, moved, 0, [&](const kairos_channel_msg& out) {
            status = reply.fill([&](kairos_channel_msg* in) {
                return kairos_channel_call(get(), &out, in, deadline);
            });
            return status;
        });
        if (!sent) {
            for (Handle& handle : moved) handle.reset();
        }
        return sent;
    }
    // The same with structs: -EMSGSIZE if the answer is not exactly a Reply.
    template <Plain Reply, Plain Request>
    [[nodiscard]] Result<Reply> call(const Request& request,
                                     kairos_time_t deadline = KAIROS_TIME_INFINITE) const {
        MessageBuffer<sizeof(Reply)> answer;
        const Result<> called = call(bytes_of(request), answer, {}, deadline);
        if (!called) return std::unexpected(called.error());
        const std::optional<Reply> reply = answer.template as<Reply>();
        if (!reply) return std::unexpected(Error::MSGSIZE);
        return *reply;
    }

  private:
    // Calls `send` with a message of these parts; once it has succeeded the handles are gone.
    template <typename Send>
    static Result<> with_outgoing(Bytes bytes, std::span<Handle> moved, uint64_t txid, Send send) {
        if (bytes.size() > KCHANNEL_MAX_MSG_BYTES || moved.size() > KCHANNEL_MAX_MSG_HANDLES) {
            return std::unexpected(Error::MSGSIZE);
        }
        std::array<kairos_handle_t, KCHANNEL_MAX_MSG_HANDLES> values;
        for (size_t i = 0; i < moved.size(); ++i) values[i] = moved[i].get();
        const kairos_channel_msg message = {
            .bytes = const_cast<std::byte*>(bytes.data()),
            .handles = values.data(),
            .num_bytes = static_cast<uint32_t>(bytes.size()),
            .num_handles = static_cast<uint32_t>(moved.size()),
            .txid = txid,
        };
        const kairos_status_t status = send(message);
        if (status < 0) return failure(status);
        for (Handle& handle : moved) static_cast<void>(handle.release());
        return {};
    }
};

struct Channel::Ends {
    Channel first;
    Channel second;
};

inline Result<Channel::Ends> Channel::create() {
    kairos_handle_t first = KAIROS_HANDLE_INVALID;
    kairos_handle_t second = KAIROS_HANDLE_INVALID;
    const kairos_status_t status = kairos_channel_create(0, &first, &second);
    if (status < 0) return failure(status);
    return Ends{Channel(first), Channel(second)};
}

}  // namespace kairos
