// Calls under every interleaving: the reply against whatever else ends the caller's sleep. One of
// them wins, the caller is told which, and who came too late finds nobody.
#include <memory>

#include "arch/time.h"
#include "explorer.h"

using namespace ipc_test;

namespace {

constexpr HartIndex kHart0{0};
constexpr HartIndex kHart1{1};
constexpr HartIndex kHart2{2};
constexpr uint64_t kAnswer = 4711;

// A caller on one hart, a server that takes the request and answers it on another.
struct CallStage {
    explicit CallStage(Budget& root, uint64_t deadline = kForever)
        : program(root),
          channel(make_channel(program)),
          request(program),
          answer(program),
          received(program) {
        request.set(1);
        caller = &program.start(kHart0, [=, this] {
            called =
                sys(Call::channel_call, channel.a, request.address(), answer.address(), deadline);
        });
        program.start(kHart1, [this] {
            served = sys(Call::channel_recv, channel.b, received.address(), 0, kForever);
            if (served != 1) return;
            const uint64_t txid = received.message.txid;
            received.set(kAnswer);
            received.message.txid = txid;
            replied = sys(Call::channel_send, channel.b, received.address(), 0, kForever);
        });
    }
    std::function<void()> happening() { return nullptr; }

    // The reply, or `other`; whoever replies never learns of it.
    void check_ended_by(Error other) {
        CHECK((called == 1 || called == failure(other)));
        if (called == 1) CHECK(answer.value() == kAnswer);
        if (served == 1) {
            CHECK((replied == 0 || replied == failure(Error::PIPE) ||
                   replied == failure(Error::BADF)));
        }
    }

    static constexpr int64_t kNotBack = 1000;
    Program program;
    Pair channel;
    Letter request;
    Letter answer;
    Letter received;
    Program::Task* caller;
    int64_t called = kNotBack;
    int64_t served = kNotBack;
    int64_t replied = kNotBack;
};

}  // namespace

struct ReplyAlone : CallStage {
    explicit ReplyAlone(Budget& root) : CallStage(root) {}
    void check() {
        CHECK(called == 1);
        CHECK(answer.value() == kAnswer);
        CHECK(replied == 0);
    }
};
TEST_CASE("interleavings: a call and its reply") { explore<ReplyAlone>(2); }

struct ReplyAgainstInterrupt : CallStage {
    explicit ReplyAgainstInterrupt(Budget& root) : CallStage(root) {
        program.start(kHart2, [this] { caller->thread->waiter().interrupt(); });
    }
    void check() { check_ended_by(Error::INTR); }
};
TEST_CASE("interleavings: a reply and an interrupt of the caller") {
    explore<ReplyAgainstInterrupt>(2);
}

struct ReplyAgainstDeadline : CallStage {
    explicit ReplyAgainstDeadline(Budget& root) : CallStage(root, soon()) {}
    static uint64_t soon() { return arch::now().nanoseconds + 1000; }
    std::function<void()> happening() {
        return [when = soon()] { hosted::set_time({when}); };
    }
    void check() {
        check_ended_by(Error::TIMEDOUT);
        CHECK(served == 1);
        CHECK(replied == 0);
    }
};
TEST_CASE("interleavings: a reply and the caller's deadline") { explore<ReplyAgainstDeadline>(2); }

struct ReplyAgainstClose : CallStage {
    ReplyAgainstClose(Budget& root, bool callers) : CallStage(root) {
        program.start(kHart2, [=, this] {
            closed = sys(Call::handle_close, callers ? channel.a : channel.b, 0);
        });
    }
    void check() {
        CHECK(closed == 0);
        // The handle may be gone before either looks for it.
        if (called != failure(Error::BADF) && called != kNotBack) check_ended_by(Error::PIPE);
        CHECK(called != kNotBack);
    }
    int64_t closed = kNotBack;
};
struct ReplyAgainstCloseOfCaller : ReplyAgainstClose {
    explicit ReplyAgainstCloseOfCaller(Budget& root) : ReplyAgainstClose(root, true) {}
};
struct ReplyAgainstCloseOfServer : ReplyAgainstClose {
    explicit ReplyAgainstCloseOfServer(Budget& root) : ReplyAgainstClose(root, false) {}
};
TEST_CASE("interleavings: a reply, and either end is closed") {
    explore<ReplyAgainstCloseOfCaller>(2);
    explore<ReplyAgainstCloseOfServer>(2);
}

// Two callers, both interrupted: there is one answer, for one of them or for nobody.
struct TwoCallersLeave : CallStage {
    explicit TwoCallersLeave(Budget& root) : CallStage(root), second(program), own(program) {
        second.set(2);
        Program::Task& other_caller = program.start(kHart2, [this] {
            other = sys(Call::channel_call, channel.a, second.address(), own.address(), kForever);
        });
        program.start(kHart2, [this, &other_caller] {
            caller->thread->waiter().interrupt();
            other_caller.thread->waiter().interrupt();
        });
    }
    void check() {
        CHECK((called == 1 || called == failure(Error::INTR)));
        CHECK((other == 1 || other == failure(Error::INTR)));
        CHECK(!(called == 1 && other == 1));  // there is one answer only
    }
    Letter second;
    Letter own;
    int64_t other = kNotBack;
};
TEST_CASE("interleavings: two callers who leave, and one answer") {
    explore<TwoCallersLeave>(1, 100);
}
