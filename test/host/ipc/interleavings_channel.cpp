// Channels under every interleaving of a few calls on several harts: nobody sleeps although he
// could go on, no message is lost or delivered twice, and everything comes back.
#include <memory>

#include "arch/time.h"
#include "explorer.h"

using namespace ipc_test;

namespace {

constexpr HartIndex kHart0{0};
constexpr HartIndex kHart1{1};
constexpr HartIndex kHart2{2};

// A channel of one program, with what happened to each of its threads.
struct Stage {
    explicit Stage(Budget& root)
        : program(root),
          channel(make_channel(program)),
          letters{Letter(program), Letter(program), Letter(program), Letter(program)} {
        result.fill(kNotBack);
    }
    std::function<void()> happening() { return nullptr; }

    // ---- What the threads do; each has a place for its result, and a letter of the same number
    // ----
    void send(size_t who, HartIndex hart, HandleValue through, uint32_t options = 0,
              uint64_t deadline = kForever) {
        letters[who].set(100 + who);
        program.start(hart, [=, this] {
            result[who] =
                sys(Call::channel_send, through, letters[who].address(), options, deadline);
        });
    }
    Program::Task& receive(size_t who, HartIndex hart, HandleValue through, uint32_t options = 0,
                           uint64_t deadline = kForever) {
        letters[who].clear();
        return program.start(hart, [=, this] {
            result[who] =
                sys(Call::channel_recv, through, letters[who].address(), options, deadline);
        });
    }
    void close(size_t who, HartIndex hart, HandleValue handle) {
        program.start(hart, [=, this] { result[who] = sys(Call::handle_close, handle, 0); });
    }

    // ---- Looking at it afterwards ----
    bool back(size_t who) const { return result[who] != kNotBack; }
    // What a receive that does not wait answers now, and what it brings.
    int64_t take(HandleValue through, uint64_t* value = nullptr) {
        Letter& letter = letters[3];
        letter.clear();
        const int64_t got =
            program.call(Call::channel_recv, through, letter.address(), KCHANNEL_OPT_NONBLOCK, 0);
        if (value != nullptr) *value = letter.value();
        return got;
    }
    void fill_queue_to(HandleValue through) {
        letters[3].set(7);
        for (uint32_t i = 0; i < KCHANNEL_MAX_QUEUE; ++i) {
            REQUIRE(program.call(Call::channel_send, through, letters[3].address(),
                                 KCHANNEL_OPT_NONBLOCK, 0) == 0);
        }
    }
    bool valid(HandleValue handle) { return program.handles().find(handle).ok(); }

    static constexpr int64_t kNotBack = 1000;
    Program program;
    Pair channel;
    std::array<Letter, 4> letters;
    std::array<int64_t, 4> result;
};

}  // namespace

// ---- Send against the end of either end ---------------------------------------------------------

// A handle is aboard: of a send that failed it is still the sender's.
struct SendAgainstCloseOfPeer : Stage {
    explicit SendAgainstCloseOfPeer(Budget& root) : Stage(root), event(make_event(program)) {
        letters[0].set(1);
        letters[0].add(event);
        program.start(kHart0, [this] {
            result[0] = sys(Call::channel_send, channel.a, letters[0].address(), 0, kForever);
        });
        close(1, kHart1, channel.b);
    }
    void check() {
        CHECK(result[1] == 0);
        CHECK((result[0] == 0 || result[0] == failure(Error::PIPE)));
        CHECK(valid(event) == (result[0] != 0));
    }
    HandleValue event;
};
TEST_CASE("interleavings: send, its peer is closed") { explore<SendAgainstCloseOfPeer>(2); }

struct SendAgainstCloseOfOwnEnd : Stage {
    explicit SendAgainstCloseOfOwnEnd(Budget& root) : Stage(root) {
        send(0, kHart0, channel.a);
        close(1, kHart1, channel.a);
    }
    void check() {
        CHECK(result[1] == 0);
        CHECK((result[0] == 0 || result[0] == failure(Error::PIPE) ||
               result[0] == failure(Error::BADF)));
        uint64_t value = 0;
        const int64_t got = take(channel.b, &value);
        CHECK(got == (result[0] == 0 ? 1 : 0));
        if (got == 1) CHECK(value == 100);
        CHECK(take(channel.b) == 0);
    }
};
TEST_CASE("interleavings: send, its own end is closed") { explore<SendAgainstCloseOfOwnEnd>(2); }

struct FullSendAgainstClose : Stage {
    FullSendAgainstClose(Budget& root, bool own) : Stage(root) {
        fill_queue_to(channel.a);
        send(0, kHart0, channel.a);
        close(1, kHart1, own ? channel.a : channel.b);
    }
    void check() {
        CHECK((result[0] == failure(Error::PIPE) || result[0] == failure(Error::BADF)));
    }
};
struct FullSendAgainstCloseOfPeer : FullSendAgainstClose {
    explicit FullSendAgainstCloseOfPeer(Budget& root) : FullSendAgainstClose(root, false) {}
};
struct FullSendAgainstCloseOfOwnEnd : FullSendAgainstClose {
    explicit FullSendAgainstCloseOfOwnEnd(Budget& root) : FullSendAgainstClose(root, true) {}
};
TEST_CASE("interleavings: a sender that waits for room does not outlive the channel") {
    explore<FullSendAgainstCloseOfPeer>(1, 20);
    explore<FullSendAgainstCloseOfOwnEnd>(1, 20);
}

struct FullSendAgainstReceive : Stage {
    explicit FullSendAgainstReceive(Budget& root) : Stage(root) {
        fill_queue_to(channel.a);
        send(0, kHart0, channel.a);
        send(1, kHart1, channel.a, 0);
        program.start(kHart2, [this] {
            for (int i = 0; i < 2; ++i) {
                result[2] = sys(Call::channel_recv, channel.b, letters[2].address(), 0, kForever);
            }
        });
    }
    void check() {
        CHECK(result[0] == 0);
        CHECK(result[1] == 0);
        CHECK(result[2] == 1);
        for (uint32_t i = 0; i < KCHANNEL_MAX_QUEUE; ++i) REQUIRE(take(channel.b) == 1);
        CHECK(take(channel.b) == failure(Error::AGAIN));
    }
};
TEST_CASE("interleavings: two who wait for room, and room for two") {
    explore<FullSendAgainstReceive>(1, 30);
}

// ---- Receive against send and the end -----------------------------------------------------------

struct ReceiveAgainstSendAndClose : Stage {
    explicit ReceiveAgainstSendAndClose(Budget& root, uint32_t options = 0) : Stage(root) {
        receive(0, kHart0, channel.b, options);
        send(1, kHart1, channel.a, options);
        close(2, kHart2, channel.a);
    }
    void check() {
        // What was sent before the end arrives before the end does.
        CHECK(result[0] == (result[1] == 0 ? 1 : 0));
        if (result[0] == 1) CHECK(letters[0].value() == 101);
        CHECK(take(channel.b) == 0);
    }
};
struct DirectAgainstClose : ReceiveAgainstSendAndClose {
    explicit DirectAgainstClose(Budget& root)
        : ReceiveAgainstSendAndClose(root, KCHANNEL_OPT_RENDEZVOUS) {}
};
TEST_CASE("interleavings: receive, send, the sender's end is closed") {
    explore<ReceiveAgainstSendAndClose>(2);
    explore<DirectAgainstClose>(2);
}

struct ReceiveAgainstCloseOfOwnEnd : Stage {
    explicit ReceiveAgainstCloseOfOwnEnd(Budget& root) : Stage(root) {
        receive(0, kHart0, channel.b);
        close(1, kHart1, channel.b);
        send(2, kHart2, channel.a, KCHANNEL_OPT_NONBLOCK);
    }
    void check() {
        const bool ended = result[0] == 0 || result[0] == failure(Error::BADF);
        const bool arrived = result[0] == 1 && result[2] == 0;
        CHECK((ended || arrived));
        CHECK((result[2] == 0 || result[2] == failure(Error::PIPE)));
    }
};
TEST_CASE("interleavings: receive, its own end is closed") {
    explore<ReceiveAgainstCloseOfOwnEnd>(2);
}

// ---- Two receivers ------------------------------------------------------------------------------

// One opted into direct delivery, one did not; each of the two messages reaches one of them.
struct TwoReceiversTwoMessages : Stage {
    explicit TwoReceiversTwoMessages(Budget& root) : Stage(root) {
        receive(0, kHart0, channel.b, KCHANNEL_OPT_RENDEZVOUS);
        receive(1, kHart1, channel.b);
        program.start(kHart2, [this] {
            for (const uint32_t options : {KCHANNEL_OPT_RENDEZVOUS, 0u}) {
                letters[2].set(200 + options);
                result[2] =
                    sys(Call::channel_send, channel.a, letters[2].address(), options, kForever);
            }
        });
    }
    void check() {
        CHECK(result[0] == 1);
        CHECK(result[1] == 1);
        CHECK(result[2] == 0);
        CHECK(letters[0].value() + letters[1].value() == 400 + KCHANNEL_OPT_RENDEZVOUS);
        CHECK(letters[0].value() != letters[1].value());
        CHECK(take(channel.b) == failure(Error::AGAIN));
    }
};
TEST_CASE("interleavings: two receivers of which one opted into rendezvous") {
    explore<TwoReceiversTwoMessages>(2);
}

// One of two receivers leaves by an interrupt just as the only message comes: the other has it.
struct ReceiverLeavesAsMessageComes : Stage {
    explicit ReceiverLeavesAsMessageComes(Budget& root) : Stage(root) {
        Program::Task& leaving = receive(0, kHart0, channel.b, KCHANNEL_OPT_RENDEZVOUS);
        receive(1, kHart0, channel.b);
        send(2, kHart1, channel.a, KCHANNEL_OPT_RENDEZVOUS);
        program.start(kHart2, [&leaving] { leaving.thread->waiter().interrupt(); });
    }
    void check() {
        CHECK(result[2] == 0);
        if (result[0] == failure(Error::INTR)) {
            CHECK(result[1] == 1);
            CHECK(letters[1].value() == 102);
        } else {
            // The message, or the first of them to come, was his; the interrupt is left for later.
            CHECK((result[0] == 1) != (result[1] == 1));
        }
    }
};
TEST_CASE("interleavings: no wake is spent on a receiver who is just leaving") {
    explore<ReceiverLeavesAsMessageComes>(2);
}

// The first message is too large for one receiver; the other one takes it, whoever comes first.
struct OneReceiverTooSmall : Stage {
    explicit OneReceiverTooSmall(Budget& root) : Stage(root) {
        receive(0, kHart0, channel.b);
        receive(1, kHart1, channel.b);
        letters[0].message.num_bytes = 4;
        send(2, kHart2, channel.a);
    }
    void check() {
        CHECK(result[2] == 0);
        CHECK(result[1] == 1);
        if (!back(0)) return;
        CHECK(result[0] == failure(Error::MSGSIZE));
        CHECK(letters[0].message.num_bytes == 8);
    }
};
TEST_CASE("interleavings: a message that is too large for one receiver is the other's") {
    explore<OneReceiverTooSmall>(2);
}

// ---- Receive with a deadline, an interrupt, a kill
// ------------------------------------------------

struct DeadlineAgainstMessage : Stage {
    explicit DeadlineAgainstMessage(Budget& root, uint32_t options = 0) : Stage(root) {
        deadline = arch::now().nanoseconds + 1000;
        receive(0, kHart0, channel.b, options, deadline);
        send(1, kHart1, channel.a, options);
    }
    std::function<void()> happening() {
        return [this] { hosted::set_time({deadline}); };
    }
    void check() {
        CHECK(result[1] == 0);
        CHECK((result[0] == 1 || result[0] == failure(Error::TIMEDOUT)));
        CHECK(take(channel.b) == (result[0] == 1 ? failure(Error::AGAIN) : 1));
    }
    uint64_t deadline;
};
struct DeadlineAgainstDirect : DeadlineAgainstMessage {
    explicit DeadlineAgainstDirect(Budget& root)
        : DeadlineAgainstMessage(root, KCHANNEL_OPT_RENDEZVOUS) {}
};
TEST_CASE("interleavings: a deadline and a message: one of them wins") {
    explore<DeadlineAgainstMessage>(2);
    explore<DeadlineAgainstDirect>(2);
}

// The receiver's process is killed; its sleep, the message and the deadline all come at once.
struct KillAgainstMessage : Stage {
    explicit KillAgainstMessage(Budget& root)
        : Stage(root), victim(std::make_unique<Program>(root, "victim")), letter(*victim) {
        deadline = arch::now().nanoseconds + 1000;
        const HandleValue theirs = move_end();
        victim->start(kHart0, [this, theirs] {
            got = sys(Call::channel_recv, theirs, letter.address(), KCHANNEL_OPT_RENDEZVOUS,
                      deadline);
        });
        send(1, kHart1, channel.a, KCHANNEL_OPT_RENDEZVOUS);
        program.start(kHart2, [this] { victim->process().end({.code = 9}); });
    }
    HandleValue move_end() {
        TransferReservation leaving;
        const HandleValue end = channel.b;
        REQUIRE(program.handles().reserve_transfer({&end, 1}, nullptr, nullptr, leaving).ok());
        CapChain chain = leaving.commit();
        return victim->handles().insert(chain.pop_front()).take();
    }
    std::function<void()> happening() {
        return [this] { hosted::set_time({deadline}); };
    }
    void check() {
        CHECK((result[1] == 0 || result[1] == failure(Error::PIPE)));
        CHECK(victim->process().describe().state == KAIROS_PROCESS_ENDED);
        CHECK(take(channel.a) == 0);
    }
    std::unique_ptr<Program> victim;
    Letter letter;
    uint64_t deadline;
    int64_t got = kNotBack;
};
TEST_CASE("interleavings: a message, a deadline, and the end of the receiver's process") {
    explore<KillAgainstMessage>(1, 100);
}
