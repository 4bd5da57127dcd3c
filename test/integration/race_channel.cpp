// Everything that can be done with an endpoint against everything that can happen to it: its close,
// its peer's close, revocation, transfer of either end. Each pair many times on two harts; after
// each round the handles of the process, after each case the objects of the system are counted.
#include "harness.h"
#include "messages.h"
#include "packets.h"
#include "race.h"

namespace {

constexpr int kRounds = 25;

// What a round works on. `a` is the end that is operated on: a duplicate of `source`, so that it
// can be revoked.
struct Stage {
    Stage() {
        if (ends_with_original) original.a.close();
    }
    Channel original;
    Owned a = duplicate(original.a);
    Channel carrier;  // by which ends travel
    Owned port = make_port();
    Owned event = make_event();
    kairos_handle_t created = KAIROS_HANDLE_INVALID;  // by an operation
    Inbox inbox;

    // Whether `a` is the only handle of its endpoint.
    static inline bool ends_with_original = true;

    void close_all() {
        a.close();
        original.a.close();
        original.b.close();
        carrier.a.close();
        carrier.b.close();
        port.close();
    }
};

struct Operation {
    const char* name;
    kairos_status_t (*run)(Stage&, kairos_handle_t a);
};

// Sends the stage's event; it has to be gone or still there as the result says.
kairos_status_t send_event(Stage& stage, kairos_handle_t a, uint32_t options) {
    kairos_handle_t handle = stage.event;
    const kairos_channel_msg message = message_of("payload", 7, &handle, 1);
    const kairos_status_t status = kairos_channel_send(a, &message, options, kForever);
    EXPECT_EQ(status != 0, is_valid(stage.event));
    return status;
}

const Operation kOperations[] = {
    {"send", [](Stage& s, kairos_handle_t a) { return send_event(s, a, 0); }},
    {"send, rendezvous",
     [](Stage& s, kairos_handle_t a) { return send_event(s, a, KCHANNEL_OPT_RENDEZVOUS); }},
    {"send to a full queue",
     [](Stage& s, kairos_handle_t a) {
         fill_queue(a);
         return send_event(s, a, 0);
     }},
    {"recv", [](Stage& s, kairos_handle_t a) { return s.inbox.receive(a); }},
    {"recv, rendezvous",
     [](Stage& s, kairos_handle_t a) { return s.inbox.receive(a, KCHANNEL_OPT_RENDEZVOUS); }},
    {"call", [](Stage& s, kairos_handle_t a) { return s.inbox.call(a, message_of("q")); }},
    {"reply_recv", [](Stage& s, kairos_handle_t a) { return s.inbox.reply_receive(a, nullptr); }},
    {"read",
     [](Stage& s, kairos_handle_t a) { return kairos_object_read(a, s.inbox.bytes, 64, 0); }},
    {"write", [](Stage&, kairos_handle_t a) { return kairos_object_write(a, "text", 4, 0); }},
    {"poll",
     [](Stage&, kairos_handle_t a) {
         uint32_t revents;
         return kairos_object_poll(a, POLLIN | POLLOUT, &revents);
     }},
    {"wait",
     [](Stage&, kairos_handle_t a) {
         uint32_t revents;
         return kairos_object_wait(a, POLLIN, kForever, &revents);
     }},
    {"bind",
     [](Stage& s, kairos_handle_t a) {
         return kairos_port_bind(s.port, a, 1, KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED);
     }},
    {"duplicate",
     [](Stage& s, kairos_handle_t a) {
         return kairos_handle_duplicate(a, KRIGHT_SAME, &s.created);
     }},
    {"limit", [](Stage&, kairos_handle_t a) { return kairos_cap_rights_limit(a, KRIGHT_READ); }},
    {"revoke", [](Stage&, kairos_handle_t a) { return kairos_handle_revoke(a); }},
    {"transfer", [](Stage& s, kairos_handle_t a) { return send_handles(s.carrier.a, &a, 1); }},
    {"signal", [](Stage&, kairos_handle_t a) { return kairos_object_signal(a, 0, kUser0); }},
    {"info",
     [](Stage&, kairos_handle_t a) {
         kairos_info_channel info;
         return kairos_object_info(a, KAIROS_INFO_CHANNEL, &info, sizeof(info));
     }},
    {"close", [](Stage&, kairos_handle_t a) { return kairos_handle_close(a, 0); }},
};

using Happening = void (*)(Stage&);

// Races every operation with `happening`.
void race_all(const char* what, Happening happening) {
    Rival rival;
    for (const Operation& operation : kOperations) {
        for (int round = 0; round < kRounds; ++round) {
            const uint32_t before = own_handles();
            {
                Stage stage;
                const kairos_handle_t a = stage.a;
                kairos_status_t result = 0;
                rival.race([&] { result = operation.run(stage, a); }, [&] { happening(stage); },
                           [&] { stage.close_all(); });
                if (stage.created != KAIROS_HANDLE_INVALID) kairos_handle_close(stage.created, 0);
                // A transfer that failed at the very end has given it back.
                kairos_handle_close(a, 0);
                const bool allowed =
                    result >= 0 ||
                    harness::one_of(result, {-EBADF, -EPIPE, -ECANCELED, -EACCES, -EMSGSIZE});
                if (!EXPECT(allowed)) {
                    harness::print("    %s against %s: %s", operation.name, what,
                                   harness::text_of(result).chars);
                }
            }
            if (!EXPECT_EQ(before, own_handles())) {
                harness::print("    after %s against %s", operation.name, what);
                return;
            }
        }
    }
}

// The same with a second handle that keeps the endpoint, and without.
void race_both(const char* what, Happening happening) {
    for (const bool alone : {true, false}) {
        Stage::ends_with_original = alone;
        race_all(what, happening);
    }
}

}  // namespace

TEST("against the close of its handle") {
    race_both("close", [](Stage& stage) { kairos_handle_close(stage.a, 0); });
}

TEST("against the close of its peer") {
    race_both("close of the peer", [](Stage& stage) { stage.original.b.close(); });
}

TEST("against the close of both ends") {
    race_both("close of both", [](Stage& stage) {
        stage.original.b.close();
        kairos_handle_close(stage.a, 0);
    });
}

TEST("against revocation") {
    Stage::ends_with_original = false;
    race_all("revoke", [](Stage& stage) { kairos_handle_revoke(stage.original.a); });
}

TEST("against close with revocation of descendants") {
    Stage::ends_with_original = false;
    race_all("close with revocation", [](Stage& stage) {
        kairos_handle_close(stage.original.a.release(), KHANDLE_CLOSE_F_REVOKE_DESCENDANTS);
    });
}

TEST("against the transfer of its handle") {
    race_both("transfer", [](Stage& stage) {
        kairos_handle_t handle = stage.a;
        send_handles(stage.carrier.a, &handle, 1);
    });
}

TEST("against the transfer of its peer") {
    race_both("transfer of the peer", [](Stage& stage) {
        kairos_handle_t handle = stage.original.b;
        send_handles(stage.carrier.a, &handle, 1);
    });
}

TEST("against a transfer that is received and closed") {
    race_both("transfer and close", [](Stage& stage) {
        kairos_handle_t handle = stage.a;
        if (send_handles(stage.carrier.a, &handle, 1) != 0) return;
        Inbox inbox;
        inbox.poll(stage.carrier.b);
    });
}

TEST("against a message, and then the end") {
    race_both("message", [](Stage& stage) {
        Owned event = make_event();
        send_handle(stage.original.b, event);
        Inbox inbox;
        inbox.poll(stage.original.b);
    });
}

TEST("against limiting its rights") {
    race_both("limit",
              [](Stage& stage) { kairos_cap_rights_limit(stage.a, KRIGHT_READ | KRIGHT_WAIT); });
}

TEST("against an interrupt") {
    // Interrupts have to hit somebody: the rival is found by its blocked state.
    const Channel channel;
    for (int round = 0; round < 200; ++round) {
        Blocked receiver([&] {
            Inbox inbox;
            return inbox.receive(channel.b, round % 2 == 0 ? 0 : KCHANNEL_OPT_RENDEZVOUS);
        });
        // Message and interrupt at once: one of them ends the call, and the message is not lost.
        receiver.interrupt();
        REQUIRE_STATUS(0, send_text(channel.a, "x", round % 3 == 0 ? KCHANNEL_OPT_RENDEZVOUS : 0));
        const kairos_status_t result = receiver.result();
        EXPECT_ONE_OF(ANY(1, -EINTR), result);
        EXPECT_EQ(result == 1 ? 0u : 1u, drain_queue(channel.b));
    }
}
