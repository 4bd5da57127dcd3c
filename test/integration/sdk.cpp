// The SDK for C++: handles that own, messages, and the server loop with clients that behave and
// clients that do not.
#include <kairos/memory.hpp>
#include <kairos/objects.hpp>
#include <kairos/process.hpp>
#include <kairos/server.hpp>

#include "harness.h"
#include "messages.h"
#include "workers.h"

namespace {

using kairos::Error;
using kairos::Server;

struct Numbers {
    uint64_t left, right;
};
struct Sum {
    uint64_t sum;
};

// Adds numbers; anything else ends the connection.
void add(kairos::Request& request) {
    const auto numbers = request.as<Numbers>();
    if (!numbers) return request.close();
    static_cast<void>(request.reply(Sum{numbers->left + numbers->right}));
}

}  // namespace

// ---- Handles and messages
// ------------------------------------------------------------------------

TEST("a handle closes what it has, once") {
    const uint32_t before = own_handles();
    {
        auto event = kairos::Event::create();
        REQUIRE(event.has_value());
        EXPECT_EQ(before + 1, own_handles());
        kairos::Event moved = std::move(*event);
        EXPECT(!*event);
        EXPECT(static_cast<bool>(moved));
        auto copy = moved.duplicate(KRIGHT_WAIT);
        REQUIRE(copy.has_value());
        EXPECT_EQ(before + 2, own_handles());
        EXPECT(copy->duplicate().error() == Error::ACCES);
        moved.reset();
        EXPECT_EQ(before + 1, own_handles());
        const kairos_handle_t bare = copy->release();
        EXPECT(is_valid(bare));
        EXPECT_STATUS(0, kairos_handle_close(bare, 0));
    }
    EXPECT_EQ(before, own_handles());
}

TEST("messages carry structs and handles") {
    auto ends = kairos::Channel::create();
    REQUIRE(ends.has_value());
    auto event = kairos::Event::create();
    REQUIRE(event.has_value());
    const uint64_t id = id_of(event->get());
    kairos::Handle moved[] = {std::move(*event)};
    REQUIRE(ends->first.send(Numbers{3, 4}, moved).has_value());
    EXPECT(!moved[0]);
    kairos::MessageBuffer<64> message;
    const auto received = ends->second.receive(message);
    REQUIRE(received.has_value() && *received);
    EXPECT_EQ(4u, message.as<Numbers>()->right);
    EXPECT(!message.as<Sum>().has_value());
    REQUIRE_EQ(1u, message.handle_count());
    const kairos::Handle taken = message.take_handle();
    EXPECT_EQ(id, id_of(taken.get()));
    EXPECT(!message.take_handle());
    ends->first.reset();
    EXPECT(*ends->second.receive(message) == false);
    EXPECT(ends->second.send("nobody").error() == Error::PIPE);
}

TEST("memory, mapped and unmapped") {
    auto memory = kairos::Memory::create(2 * KAIROS_PAGE_SIZE);
    REQUIRE(memory.has_value());
    void* address = nullptr;
    {
        auto mapping = memory->map(0, 2 * KAIROS_PAGE_SIZE, KPROT_READ | KPROT_WRITE);
        REQUIRE(mapping.has_value());
        address = mapping->data();
        mapping->bytes()[5] = std::byte{5};
    }
    std::byte byte[1];
    REQUIRE(memory->read(5, byte).has_value());
    EXPECT(byte[0] == std::byte{5});
    // Nothing is there any more.
    EXPECT_STATUS(-EFAULT, kairos_memory_write(memory->get(), 0, address, 1));
}

// ---- The server loop
// -----------------------------------------------------------------------------

// Runs a server for one client in a thread of its own while `client` runs here; the server's value.
template <typename Handler, typename Client>
static int serve(Handler handler, Client client) {
    Channel ends;
    const kairos_handle_t server_end = ends.b.release();
    int value = -1;
    Worker worker([&] {
        Server server(256);
        REQUIRE(server.serve(kairos::Channel(server_end), handler).has_value());
        value = server.run();
    });
    client(ends.a);
    ends.a.close();
    worker.join();
    return value;
}

TEST("a server answers until its last client has gone") {
    const int value = serve(add, [](kairos_handle_t channel) {
        Inbox reply;
        for (uint64_t i = 0; i < 100; ++i) {
            const Numbers numbers = {i, 1000};
            REQUIRE_STATUS(1, reply.call(channel, message_of(&numbers, sizeof(numbers))));
            EXPECT_EQ(i + 1000, reply.value<Sum>().sum);
        }
    });
    EXPECT_EQ(0, value);
}

TEST("a request that no handler answers gets an empty reply") {
    serve([](kairos::Request&) {},
          [](kairos_handle_t channel) {
              Inbox reply;
              EXPECT_STATUS(1, reply.call(channel, message_of("anybody?")));
              EXPECT_EQ(0u, reply.header.num_bytes);
          });
}

TEST("a handler can end the connection, and a message that is too large does") {
    serve(add, [](kairos_handle_t channel) {
        Inbox reply;
        EXPECT_ONE_OF(ANY(1, -EPIPE), reply.call(channel, message_of("no numbers")));
        uint32_t revents;
        EXPECT_STATUS(0, kairos_object_wait(channel, 0, kForever, &revents));
    });
    serve(add, [](kairos_handle_t channel) {
        static char large[257];
        const kairos_channel_msg message = message_of(large, sizeof(large));
        EXPECT_STATUS(0, kairos_channel_send(channel, &message, 0, kForever));
        uint32_t revents;
        EXPECT_STATUS(0, kairos_object_wait(channel, 0, kForever, &revents));
        EXPECT_EQ(POLLHUP, revents);
    });
}

TEST("handles that no handler took are closed") {
    serve(add, [](kairos_handle_t channel) {
        Channel inner;
        kairos_handle_t handle = inner.a.release();
        const Numbers numbers = {1, 2};
        Inbox reply;
        REQUIRE_STATUS(1, reply.call(channel, message_of(&numbers, sizeof(numbers), &handle, 1)));
        uint32_t revents;
        EXPECT_STATUS(0, kairos_object_wait(inner.b, 0, kForever, &revents));
        EXPECT_EQ(POLLHUP, revents);
    });
}

TEST("a client that never takes its answers does not stop the others") {
    Channel rude;
    Channel polite;
    Worker worker([&] {
        Server server(256);
        const auto echo = [](kairos::Request& request) {
            static_cast<void>(request.reply(request.text()));
        };
        REQUIRE(server.serve(kairos::Channel(rude.b.release()), echo).has_value());
        REQUIRE(server.serve(kairos::Channel(polite.b.release()), echo).has_value());
        server.run();
    });
    // Plain messages, each of which is answered with one that nobody takes.
    for (uint32_t i = 0; i < 3 * KCHANNEL_MAX_QUEUE; ++i) {
        const kairos_status_t status = send_text(rude.a, "noise");
        if (status == -EPIPE) break;
        EXPECT_STATUS(0, status);
        if (i % 16 != 0) continue;
        Inbox reply;
        REQUIRE_STATUS(1, reply.call(polite.a, message_of("please")));
        EXPECT(reply.has_text("please"));
    }
    rude.a.close();
    polite.a.close();
    worker.join();
}

TEST("watching, dropping and stopping") {
    auto event = kairos::Event::create();
    REQUIRE(event.has_value());
    Channel ends;
    Worker worker([&] {
        Server server;
        int seen = 0;
        REQUIRE(server
                    .watch(*event, KPORT_BIND_USER,
                           [&](const kairos_port_packet& packet) {
                               seen += static_cast<int>(packet.count);
                               if (seen >= 3) server.stop(17);
                           })
                    .has_value());
        bool closed = false;
        const auto name = server.serve(
            kairos::Channel(ends.b.release()), [](kairos::Request&) {}, [&] { closed = true; });
        REQUIRE(name.has_value());
        server.drop(*name);
        EXPECT_EQ(17, server.run());
        EXPECT(closed);
    });
    uint32_t revents;
    EXPECT_STATUS(0, kairos_object_wait(ends.a, 0, kForever, &revents));
    for (int i = 0; i < 3; ++i) REQUIRE(event->signal(0, 1u << 8).has_value());
    worker.join();
}

TEST("an answer that is given later") {
    uint64_t txid = 0;
    serve(
        [&](kairos::Request& request) {
            if (request.text() == "later") {
                txid = request.answer_later();
            } else {
                const kairos::SendOptions options = {.txid = txid};
                static_cast<void>(request.channel().send("at last", {}, options));
            }
        },
        [](kairos_handle_t channel) {
            Inbox reply;
            Blocked caller([&] { return reply.call(channel, message_of("later")); });
            REQUIRE_STATUS(0, send_text(channel, "now"));
            EXPECT_STATUS(1, caller.result());
            EXPECT(reply.has_text("at last"));
        });
}
