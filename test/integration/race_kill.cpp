// A process that is killed while it does something at one end of a channel, against everything that
// may happen at the other end at the same moment. Whoever is there comes back, and what he had sent
// is gone or his still; what the process had comes back to the system, which is counted.
#include "harness.h"
#include "packets.h"
#include "race.h"
#include "tiny.h"

namespace {

constexpr int kRounds = 6;

// What the process does, with the only handle of its end.
struct Victim {
    const char* name;
    bool fills_first;  // the queue that it sends to
    void (*prepare)(TinyProcess& tiny);
};

constexpr uint64_t kRequest = 0;
constexpr uint64_t kReply = 64;
constexpr uint64_t kPayload = 128;
constexpr uint32_t kPayloadBytes = 512;

uint64_t put_message(TinyProcess& tiny, uint64_t offset) {
    kairos_channel_msg message{};
    message.bytes = reinterpret_cast<void*>(kTinyRoom + kPayload);
    message.num_bytes = kPayloadBytes;
    return tiny.put(message, offset);
}

template <uint64_t kNumber, uint32_t kOptions>
void prepare_message_call(TinyProcess& tiny) {
    tiny.prepare_call(kNumber, put_message(tiny, kRequest), kOptions, kForever);
}

const Victim kVictims[] = {
    {"receives", false, prepare_message_call<KAIROS_SYS_channel_recv, 0>},
    {"receives, rendezvous", false,
     prepare_message_call<KAIROS_SYS_channel_recv, KCHANNEL_OPT_RENDEZVOUS>},
    {"sends", false, prepare_message_call<KAIROS_SYS_channel_send, 0>},
    {"sends, rendezvous", false,
     prepare_message_call<KAIROS_SYS_channel_send, KCHANNEL_OPT_RENDEZVOUS>},
    {"sends to a full queue", true, prepare_message_call<KAIROS_SYS_channel_send, 0>},
    {"calls", false,
     [](TinyProcess& tiny) {
         tiny.prepare_call(KAIROS_SYS_channel_call, put_message(tiny, kRequest),
                           put_message(tiny, kReply), kForever);
     }},
    {"calls over a full queue", true,
     [](TinyProcess& tiny) {
         tiny.prepare_call(KAIROS_SYS_channel_call, put_message(tiny, kRequest),
                           put_message(tiny, kReply), kForever);
     }},
    {"serves", false,
     [](TinyProcess& tiny) {
         tiny.prepare_call(KAIROS_SYS_channel_reply_recv, 0, put_message(tiny, kReply), kForever);
     }},
    {"reads", false,
     [](TinyProcess& tiny) {
         tiny.prepare_call(KAIROS_SYS_object_read, kTinyRoom + kPayload, kPayloadBytes, 0);
     }},
    {"waits", false,
     [](TinyProcess& tiny) {
         tiny.prepare_call(KAIROS_SYS_object_wait, POLLIN, kForever, kTinyRoom);
     }},
    {"does nothing", false, [](TinyProcess& tiny) { tiny.set_code(tiny_spin, tiny_spin_end); }},
};

// What happens at the other end. It has to return once that of the process is gone.
struct Operation {
    const char* name;
    bool (*run)(kairos_handle_t end);  // whether its result is one that makes sense
};

bool send_event(kairos_handle_t end, uint32_t options, uint32_t size) {
    static char payload[kPayloadBytes];
    Owned event = make_event();
    kairos_handle_t handle = event;
    const kairos_channel_msg message = message_of(payload, size, &handle, 1);
    const kairos_status_t status = kairos_channel_send(end, &message, options, kForever);
    EXPECT_EQ(status != 0, is_valid(handle));
    if (status == 0) static_cast<void>(event.release());
    return harness::one_of(status, {0, -EPIPE});
}

const Operation kOperations[] = {
    {"send", [](kairos_handle_t end) { return send_event(end, 0, 16); }},
    {"send, large", [](kairos_handle_t end) { return send_event(end, 0, kPayloadBytes); }},
    {"send, rendezvous",
     [](kairos_handle_t end) { return send_event(end, KCHANNEL_OPT_RENDEZVOUS, kPayloadBytes); }},
    {"receive until the end",
     [](kairos_handle_t end) {
         Inbox inbox;
         kairos_status_t status;
         do status = inbox.receive(end, KCHANNEL_OPT_RENDEZVOUS);
         while (status == 1);
         return status == 0;
     }},
    {"call",
     [](kairos_handle_t end) {
         Inbox inbox;
         return inbox.call(end, message_of("q")) == -EPIPE;
     }},
    {"serve until the end",
     [](kairos_handle_t end) {
         Inbox inbox;
         kairos_status_t status = inbox.reply_receive(end, nullptr);
         while (status == 1) {
             const kairos_channel_msg reply = message_of("r", 1, nullptr, 0, inbox.header.txid | 1);
             status = Inbox().reply_receive(end, &reply);
         }
         return status == 0;
     }},
    {"wait for the end",
     [](kairos_handle_t end) {
         uint32_t revents = 0;
         return kairos_object_wait(end, 0, kForever, &revents) == 0 && revents == POLLHUP;
     }},
    {"bind, and wait for the end",
     [](kairos_handle_t end) {
         const Owned port = make_port();
         kairos_port_packet packet{};
         return kairos_port_bind(port, end, 4, KPORT_BIND_PEER_CLOSED) == 0 &&
                next_packet(port, packet) == 1 && packet.observed == KPORT_BIND_PEER_CLOSED &&
                packet.count == 1;
     }},
    {"close", [](kairos_handle_t end) { return kairos_handle_close(end, 0) == 0; }},
};

void race_with_the_kill(Rival& rival, const Victim& victim, const Operation& operation,
                        bool wait_first) {
    Channel channel;
    const kairos_handle_t end = channel.a;
    if (victim.fills_first) fill_queue(channel.b);
    TinyProcess tiny;
    victim.prepare(tiny);
    tiny.start(std::move(channel.b));
    // What it does may be over at once.
    if (wait_first && strcmp(victim.name, "does nothing") != 0) wait_until_blocked(tiny.thread);
    bool sensible = false;
    rival.race([&] { EXPECT_STATUS(0, kairos_process_kill(tiny.process, 1)); },
               [&] { sensible = operation.run(end); }, [] {});
    static_cast<void>(tiny.exit_code());
    EXPECT_EQ(0u, process_info(tiny.process).handles);
    if (!EXPECT(sensible)) harness::print("    it %s, against %s", victim.name, operation.name);
    if (!is_valid(end)) static_cast<void>(channel.a.release());
}

}  // namespace

TEST("a killed process at one end, everything at the other") {
    Rival rival;
    for (const Victim& victim : kVictims) {
        for (const Operation& operation : kOperations) {
            for (int round = 0; round < kRounds; ++round) {
                race_with_the_kill(rival, victim, operation, round % 2 == 0);
            }
        }
    }
}
