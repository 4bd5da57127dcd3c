// Lists of who holds what, under every interleaving with calls that change it: a line shows what
// was true at some moment, and no walk disturbs what it walks over.
#include <set>

#include "device/resource.h"
#include "explorer.h"

using namespace ipc_test;

namespace {

constexpr HartIndex kHart0{0};
constexpr HartIndex kHart1{1};
constexpr HartIndex kHart2{2};
constexpr uint32_t kMost = 12;

// An event with handles that hang below each other, in a program:
//
//     top ── middle ── low0
//                 └─── low1
struct Forest {
    explicit Forest(Budget& root)
        : program(root),
          resource(program.give(*Resource::create(root, {ResourceKind::kSystem}).take())),
          channel(make_channel(program)),
          letter(program),
          lines(program.make<std::array<kairos_handle_entry, kMost>>()),
          top(make_event(program)),
          middle(duplicate(top)),
          low0(duplicate(middle)),
          low1(duplicate(middle)) {
        const auto found = program.handles().find(top).take();
        event = static_cast<uint64_t>(found.object->id());
    }
    std::function<void()> happening() { return nullptr; }

    HandleValue duplicate(HandleValue source) {
        auto& out = program.make<HandleValue>();
        REQUIRE(program.call(Call::handle_duplicate, source, KRIGHT_SAME, program.address(&out)) ==
                0);
        return out;
    }
    void list(HartIndex hart) {
        program.start(hart, [this] {
            listed = sys(Call::system_holders, resource, event, 0, program.address(&lines), kMost);
        });
    }
    void list_own(HartIndex hart) {
        const auto id = static_cast<uint64_t>(program.process().id());
        program.start(hart, [=, this] {
            listed = sys(Call::system_handles, resource, id, 0, program.address(&lines), kMost);
        });
    }
    template <typename... Arguments>
    void call(HartIndex hart, Call number, Arguments... arguments) {
        program.start(hart, [=] { static_cast<void>(sys(number, arguments...)); });
    }
    void send_middle(HartIndex hart) {
        letter.set(1);
        letter.add(middle);
        call(hart, Call::channel_send, channel.a, letter.address(), 0, kForever);
    }

    // Every line is of the event, once; what it hangs below stands above it, or has gone.
    void check_tree(int64_t least, int64_t most) {
        CHECK(listed >= least);
        CHECK(listed <= most);
        std::set<uint64_t> seen;
        for (int64_t i = 0; i < listed; ++i) {
            const kairos_handle_entry& line = lines[static_cast<size_t>(i)];
            CHECK(line.object_id == event);
            CHECK(seen.insert(line.cap_id).second);
            CHECK(line.place <= KAIROS_PLACE_IN_FLIGHT);
            CHECK(line.depth <= 2);
        }
        if (listed > 0) CHECK(lines[0].parent_id == 0);
    }
    // What is listed when nothing happens any more.
    int64_t settled() {
        return program.call(Call::system_holders, resource, event, 0, program.address(&lines),
                            kMost);
    }

    Program program;
    HandleValue resource;
    Pair channel;
    Letter letter;
    std::array<kairos_handle_entry, kMost>& lines;
    HandleValue top;
    HandleValue middle;
    HandleValue low0;
    HandleValue low1;
    uint64_t event = 0;
    int64_t listed = -1;
};

struct ListAgainstRevoke : Forest {
    explicit ListAgainstRevoke(Budget& root) : Forest(root) {
        list(kHart0);
        call(kHart1, Call::handle_revoke, top);
    }
    void check() {
        check_tree(1, 4);
        CHECK(settled() == 1);
    }
};

struct ListAgainstCloses : Forest {
    explicit ListAgainstCloses(Budget& root) : Forest(root) {
        list(kHart0);
        call(kHart1, Call::handle_close, middle, 0);
        call(kHart2, Call::handle_close, low0, 0);
    }
    void check() {
        check_tree(2, 4);
        CHECK(settled() == 2);
        CHECK(lines[1].parent_id == lines[0].cap_id);
    }
};

// Whatever the closes come between, the revocation leaves the top where it was in the tree.
struct RevokeAgainstCloses : Forest {
    explicit RevokeAgainstCloses(Budget& root) : Forest(root) {
        call(kHart0, Call::handle_revoke, top);
        call(kHart1, Call::handle_close, middle, 0);
        call(kHart2, Call::handle_close, low0, 0);
    }
    void check() {
        CHECK(settled() == 1);
        const HandleValue later = duplicate(top);
        CHECK(settled() == 2);
        CHECK(program.call(Call::handle_revoke, top) == 0);
        CHECK(!program.handles().find(later).ok());
    }
};

struct ListAgainstSend : Forest {
    explicit ListAgainstSend(Budget& root) : Forest(root) {
        list(kHart0);
        send_middle(kHart1);
        call(kHart2, Call::handle_close, channel.b, 0);
    }
    void check() { check_tree(3, 4); }
};

struct OwnListAgainstRevoke : Forest {
    explicit OwnListAgainstRevoke(Budget& root) : Forest(root) {
        list_own(kHart0);
        call(kHart1, Call::handle_revoke, top);
    }
    // The resource, both ends and the top are there throughout.
    void check() {
        CHECK(listed >= 4);
        CHECK(listed <= 7);
    }
};

struct OwnListAgainstSend : Forest {
    explicit OwnListAgainstSend(Budget& root) : Forest(root) {
        list_own(kHart0);
        send_middle(kHart1);
        call(kHart2, Call::handle_close, low1, 0);
    }
    void check() {
        CHECK(listed >= 5);
        CHECK(listed <= 7);
        for (int64_t i = 0; i < listed; ++i) {
            CHECK(lines[static_cast<size_t>(i)].place <= KAIROS_PLACE_RESERVED);
        }
    }
};

// The handle is set aside, revoked there, and dropped when the send has failed.
struct OwnListAgainstFailedSend : Forest {
    explicit OwnListAgainstFailedSend(Budget& root) : Forest(root) {
        REQUIRE(program.call(Call::handle_close, channel.b, 0) == 0);
        list_own(kHart0);
        send_middle(kHart1);
        call(kHart2, Call::handle_revoke, top);
    }
    void check() {
        CHECK(listed >= 3);
        CHECK(listed <= 6);
        CHECK(settled() == 1);
    }
};

}  // namespace

TEST_CASE("interleavings: a list of holders and a revocation") { explore<ListAgainstRevoke>(2); }
TEST_CASE("interleavings: a revocation, and some of what it revokes is closed") {
    explore<RevokeAgainstCloses>(2);
}
TEST_CASE("interleavings: a list of holders, and some of them go") {
    explore<ListAgainstCloses>(1, 20);
}
TEST_CASE("interleavings: a list of holders, one of which is sent and dropped") {
    explore<ListAgainstSend>(1, 20);
}
TEST_CASE("interleavings: a list of a process's handles, and changes to them") {
    explore<OwnListAgainstRevoke>(1, 20);
    explore<OwnListAgainstSend>(1, 20);
    explore<OwnListAgainstFailedSend>(3, 200);
}
