// A server: one thread, one port, and a handler for each channel that it serves.
//
//     int main() {
//         kairos::Server server;
//         auto status = server.serve(kairos::Channel(kairos_bootstrap(KAIROS_BOOT_PARENT)),
//                                    [](kairos::Request& request) {
//             const auto numbers = request.as<Addends>();
//             if (!numbers) return request.close();
//             request.reply(Sum{numbers->left + numbers->right});
//         });
//         return status ? server.run() : 1;
//     }
//
// Guarantees towards clients that cannot be trusted: nothing waits for a client; one message of a
// channel is handled at a time, then it is the others' turn; a message that does not fit into the
// server's buffer ends its connection; handles that no handler took are closed; a request that no
// handler answered gets an empty reply, so that no caller waits for ever.
//
// Handlers may serve further channels, watch further objects and stop the server. A Server belongs
// to one thread; a program with several threads gives each its own.
#pragma once

#include <kairos/channel.hpp>
#include <kairos/port.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace kairos {

// A message as its handler sees it: valid until the handler returns.
class Request {
  public:
    Bytes bytes() const { return message_.bytes(); }
    std::string_view text() const { return message_.text(); }
    template <Plain T>
    std::optional<T> as() const {
        return message_.template as<T>();
    }
    size_t handle_count() const { return message_.handle_count(); }
    [[nodiscard]] Handle take_handle(size_t index = 0) { return message_.take_handle(index); }

    // The channel that the message came from: the same as long as it is served.
    const Channel& channel() const { return channel_; }
    // Whether the sender waits for an answer, and has had none yet.
    bool wants_reply() const { return txid_ != 0; }

    // Answers, once; to a message that wants no reply it is a message of its own. On failure the
    // handles of `moved` are untouched: -EPIPE the client has gone, -EAGAIN its queue is full.
    Result<> reply(Bytes bytes, std::span<Handle> moved = {}) {
        const SendOptions options = {.options = KCHANNEL_OPT_NONBLOCK, .txid = txid_};
        Result<> sent = channel_.send(bytes, moved, options);
        if (sent) txid_ = 0;
        return sent;
    }
    template <Plain T>
    Result<> reply(const T& value, std::span<Handle> moved = {}) {
        return reply(bytes_of(value), moved);
    }
    Result<> reply(std::string_view text, std::span<Handle> moved = {}) {
        return reply(bytes_of(text), moved);
    }

    // Takes the duty to answer away from this request: the txid, with which a message is to be sent
    // over channel() later.
    [[nodiscard]] uint64_t answer_later() { return std::exchange(txid_, 0); }

    // Ends the connection when the handler returns.
    void close() { closes_ = true; }

  private:
    friend class Server;
    Request(const Channel& channel, Message& message)
        : channel_(channel), message_(message), txid_(message.txid()) {}

    const Channel& channel_;
    Message& message_;
    uint64_t txid_;
    bool closes_ = false;
};

class Server {
  public:
    using RequestHandler = std::move_only_function<void(Request&)>;
    using EventHandler = std::move_only_function<void(const kairos_port_packet&)>;
    using CloseHandler = std::move_only_function<void()>;

    // Receives messages of up to `largest_message` bytes.
    explicit Server(size_t largest_message = KAIROS_PAGE_SIZE) : message_(largest_message) {}

    // Handles what arrives on `channel` until its other end is closed, a handler closes it, or it
    // is dropped; it is closed then, and `on_close` called. Returns a name for drop(). On failure
    // `channel` is closed; errors of kairos_port_create and kairos_port_bind.
    Result<uint64_t> serve(Channel channel, RequestHandler on_request, CloseHandler on_close = {});

    // Handles the signals (KPORT_BIND_*) of an object that stays the caller's, which has to outlive
    // this or be dropped before. Returns a name for drop(). Errors as kairos_port_bind.
    Result<uint64_t> watch(const Handle& object, uint32_t signals, EventHandler on_event);

    // Ends serving or watching; a channel is closed. Of a name that is not in use: nothing.
    void drop(uint64_t name);

    // Serves until stop() or until there is nothing left to serve or watch, and returns the value
    // given to stop() or 0; an error of kairos_port_wait makes it return 1.
    int run();

    // Makes run() return `value` when the handler that calls this returns.
    void stop(int value = 0) {
        stopped_ = true;
        value_ = value;
    }

  private:
    // What a packet's key, the name, leads to.
    struct Entry {
        uint64_t name = 0;
        kairos_handle_t bound = KAIROS_HANDLE_INVALID;
        Channel channel;            // of serve
        RequestHandler on_request;  // of serve
        CloseHandler on_close;      // of serve
        EventHandler on_event;      // of watch
        bool dropped = false;       // goes before the next packet is taken
    };

    // A Message in memory of its own.
    class HeapMessage : public Message {
      public:
        explicit HeapMessage(size_t size)
            : HeapMessage(std::make_unique<std::byte[]>(size), size) {}

      private:
        HeapMessage(std::unique_ptr<std::byte[]> room, size_t size)
            : Message({room.get(), size}), room_(std::move(room)) {}
        std::unique_ptr<std::byte[]> room_;
    };

    Result<uint64_t> add(std::unique_ptr<Entry> entry, uint32_t signals);
    Entry* find(uint64_t name);
    void dispatch(const kairos_port_packet& packet);
    void receive(Entry& entry, uint32_t observed);
    bool receive_one(Entry& entry);
    void sweep();

    Port port_;
    HeapMessage message_;
    std::vector<std::unique_ptr<Entry>> entries_;  // by rising names
    uint64_t last_name_ = 0;
    bool has_dropped_ = false;
    bool stopped_ = false;
    int value_ = 0;
};

}  // namespace kairos
