// Everything that can be done with a channel against everything that can be done with it: each pair
// of operations at the same moment in two threads, on one end or on both, many times. A third
// thread sees to it that they come back: where both sleep, it closes all that they work on.
//
// After each round the results have to be such as some order explains, what was sent has to be gone
// or to be there, and the handles of the process are counted; after each case the objects of the
// system.
#include "harness.h"
#include "messages.h"
#include "packets.h"
#include "race.h"

namespace {

constexpr int kRounds = 12;

// ---- What a round works on
// -----------------------------------------------------------------------

class Stage {
  public:
    // `kept`: a second handle, from which the first derives, keeps each end.
    explicit Stage(bool kept) {
        for (int side = 0; side < 2; ++side) {
            end[side] = duplicate(source[side]);
            value[side] = end[side];
        }
        if (kept) return;
        channel_.a.close();
        channel_.b.close();
    }

    // Ends whatever anybody may be blocked in.
    void close_all() {
        for (Owned* owned :
             {&end[0], &end[1], &channel_.a, &channel_.b, &carrier.a, &carrier.b, &port}) {
            owned->close();
        }
    }

  private:
    Channel channel_;

  public:
    const kairos_handle_t source[2] = {channel_.a, channel_.b};
    Owned end[2];
    kairos_handle_t value[2];  // of the ends, whoever may have closed them
    Channel carrier;           // by which ends travel
    Owned port = make_port();
};

// One thread's part in it.
struct Actor {
    Actor(Stage& on, kairos_handle_t against, int at) : stage(&on), rival(against), side(at) {}

    Stage* const stage;
    const kairos_handle_t rival;  // the other thread
    const int side;
    Owned event = make_event();  // to send
    Owned made;
    Inbox inbox;

    kairos_handle_t own() const { return stage->value[side]; }
};

// ---- Operations
// ----------------------------------------------------------------------------------

enum Outcome : uint32_t {
    kDone = 1,          // 0
    kOne = 2,           // 1, or what else is more than 0
    kBadHandle = 4,     // -EBADF: it went, or was revoked
    kNoRight = 8,       // -EACCES: limited
    kPeerGone = 16,     // -EPIPE
    kCanceled = 32,     // -ECANCELED: revoked, or the object went
    kInterrupted = 64,  // -EINTR
    kNotBound = 128,    // -ENOENT
    kNothing = 256,     // -EAGAIN
};
constexpr uint32_t kHandleErrors = kBadHandle | kNoRight;
constexpr uint32_t kBlockingErrors = kHandleErrors | kCanceled | kInterrupted;

uint32_t outcome_of(kairos_status_t status) {
    switch (status) {
        case 0:
            return kDone;
        case -EBADF:
            return kBadHandle;
        case -EACCES:
            return kNoRight;
        case -EPIPE:
            return kPeerGone;
        case -ECANCELED:
            return kCanceled;
        case -EINTR:
            return kInterrupted;
        case -ENOENT:
            return kNotBound;
        case -EAGAIN:
            return kNothing;
        default:
            return status > 0 ? uint32_t{kOne} : 0;
    }
}

// What a sleeping operation waits for, besides the end of the channel.
enum class Awaits : uint8_t { kNothing, kMessage, kRoom, kAnswer, kPacket };

struct Operation {
    const char* name;
    Awaits awaits;
    uint32_t allowed;
    kairos_status_t (*run)(Actor& actor);
};

char payload[500];

// Sends the actor's event; it has to be gone or still there as the result says.
kairos_status_t send_event(Actor& actor, uint32_t options, uint32_t size) {
    kairos_handle_t handle = actor.event;
    const kairos_channel_msg message = message_of(payload, size, &handle, 1);
    const kairos_status_t status = kairos_channel_send(actor.own(), &message, options, kForever);
    EXPECT_EQ(status != 0, is_valid(handle));
    if (status == 0) static_cast<void>(actor.event.release());
    return status;
}

kairos_status_t bind_end(const Actor& actor) {
    return kairos_port_bind(actor.stage->port, actor.own(), 1,
                            KPORT_BIND_READABLE | KPORT_BIND_PEER_CLOSED | KPORT_BIND_WRITABLE);
}

kairos_status_t transfer_end(const Actor& actor) {
    kairos_handle_t handle = actor.own();
    return send_handles(actor.stage->carrier.a, &handle, 1);
}

const Operation kOperations[] = {
    {"send", Awaits::kRoom, kDone | kPeerGone | kBlockingErrors,
     [](Actor& a) { return send_event(a, 0, 7); }},
    {"send, large", Awaits::kRoom, kDone | kPeerGone | kBlockingErrors,
     [](Actor& a) { return send_event(a, 0, sizeof(payload)); }},
    {"send, rendezvous", Awaits::kRoom, kDone | kPeerGone | kBlockingErrors,
     [](Actor& a) { return send_event(a, KCHANNEL_OPT_RENDEZVOUS, 200); }},
    {"send to a full queue", Awaits::kRoom, kDone | kPeerGone | kBlockingErrors,
     [](Actor& a) {
         fill_queue(a.own());
         return send_event(a, 0, 7);
     }},
    {"recv", Awaits::kMessage, kDone | kOne | kBlockingErrors,
     [](Actor& a) { return a.inbox.receive(a.own()); }},
    {"recv, rendezvous", Awaits::kMessage, kDone | kOne | kBlockingErrors,
     [](Actor& a) { return a.inbox.receive(a.own(), KCHANNEL_OPT_RENDEZVOUS); }},
    {"call", Awaits::kAnswer, kOne | kPeerGone | kBlockingErrors,
     [](Actor& a) { return a.inbox.call(a.own(), message_of("q")); }},
    {"serve", Awaits::kMessage, kDone | kOne | kBlockingErrors,
     [](Actor& a) {
         const kairos_status_t first = a.inbox.reply_receive(a.own(), nullptr);
         if (first != 1) return first;
         const kairos_channel_msg reply = message_of("r", 1, nullptr, 0, a.inbox.header.txid);
         return Inbox().reply_receive(a.own(), &reply);
     }},
    {"read", Awaits::kMessage, kDone | kOne | kBlockingErrors,
     [](Actor& a) { return kairos_object_read(a.own(), a.inbox.bytes, sizeof(payload), 0); }},
    {"write", Awaits::kRoom, kOne | kPeerGone | kBlockingErrors,
     [](Actor& a) { return kairos_object_write(a.own(), payload, 4, 0); }},
    {"poll", Awaits::kNothing, kDone | kHandleErrors,
     [](Actor& a) {
         uint32_t revents;
         return kairos_object_poll(a.own(), POLLIN | POLLOUT, &revents);
     }},
    {"wait", Awaits::kMessage, kDone | kBlockingErrors,
     [](Actor& a) {
         uint32_t revents;
         return kairos_object_wait(a.own(), POLLIN, kForever, &revents);
     }},
    {"bind", Awaits::kNothing, kDone | kHandleErrors, [](Actor& a) { return bind_end(a); }},
    {"bind and wait", Awaits::kPacket, kDone | kOne | kBlockingErrors,
     [](Actor& a) {
         const kairos_status_t bound = bind_end(a);
         kairos_port_packet packet;
         return bound < 0 ? bound : next_packet(a.stage->port, packet);
     }},
    {"unbind", Awaits::kNothing, kDone | kHandleErrors | kNotBound,
     [](Actor& a) { return kairos_port_unbind(a.stage->port, a.own()); }},
    {"duplicate", Awaits::kNothing, kDone | kHandleErrors,
     [](Actor& a) { return kairos_handle_duplicate(a.own(), KRIGHT_SAME, a.made.out()); }},
    {"limit", Awaits::kNothing, kDone | kHandleErrors,
     [](Actor& a) {
         return kairos_cap_rights_limit(a.own(),
                                        KRIGHT_READ | KRIGHT_WRITE | KRIGHT_WAIT | KRIGHT_TRANSFER);
     }},
    {"revoke", Awaits::kNothing, kDone | kBadHandle,
     [](Actor& a) { return kairos_handle_revoke(a.own()); }},
    {"revoke its source", Awaits::kNothing, kDone | kBadHandle,
     [](Actor& a) { return kairos_handle_revoke(a.stage->source[a.side]); }},
    {"close its source, revoking", Awaits::kNothing, kDone | kBadHandle,
     [](Actor& a) {
         return kairos_handle_close(a.stage->source[a.side], KHANDLE_CLOSE_F_REVOKE_DESCENDANTS);
     }},
    {"transfer", Awaits::kNothing, kDone | kHandleErrors | kPeerGone | kNothing,
     [](Actor& a) { return transfer_end(a); }},
    {"transfer, receive and close", Awaits::kNothing, kDone | kHandleErrors | kPeerGone | kNothing,
     [](Actor& a) {
         const kairos_status_t sent = transfer_end(a);
         if (sent == 0) a.inbox.poll(a.stage->carrier.b);
         return sent;
     }},
    {"signal", Awaits::kNothing, kDone | kHandleErrors,
     [](Actor& a) { return kairos_object_signal(a.own(), 0, kUser0); }},
    {"info", Awaits::kNothing, kOne | kHandleErrors,
     [](Actor& a) {
         kairos_info_channel info;
         return kairos_object_info(a.own(), KAIROS_INFO_CHANNEL, &info, sizeof(info));
     }},
    {"interrupt the other", Awaits::kNothing, kDone,
     [](Actor& a) { return kairos_thread_interrupt(a.rival); }},
    {"close", Awaits::kNothing, kDone | kBadHandle,
     [](Actor& a) { return kairos_handle_close(a.own(), 0); }},
};

// Whether somebody sleeps beside what he waits for, when nothing moves any more.
bool sleeps_wrongly(const Operation& operation, const Stage& stage, int side) {
    uint32_t events = 0;
    if (operation.awaits == Awaits::kMessage || operation.awaits == Awaits::kPacket) {
        events = POLLIN;
    } else if (operation.awaits == Awaits::kRoom) {
        events = POLLOUT;
    }
    const bool packet = operation.awaits == Awaits::kPacket;
    uint32_t holds = 0;
    // Where nobody has a handle any more, nobody can tell.
    kairos_object_poll(packet ? stage.port : stage.source[side], events, &holds);
    return holds != 0;
}

// ---- Rounds
// --------------------------------------------------------------------------------------

// A thread that does an operation whenever it is told to.
class Player {
  public:
    Player() : worker_(Run{this}) {}
    ~Player() {
        stop_ = true;
        release(round_.load() + 1);
        worker_.join();
    }

    kairos_handle_t thread() const { return worker_.thread(); }
    void begin(const Operation& operation, Actor& actor, uint32_t delay) {
        operation_ = &operation;
        actor_ = &actor;
        delay_ = delay;
        stage_ = kReady;
    }
    // Lets it go; `round` differs from the last.
    void release(uint32_t round) {
        round_.store(round);
        kairos_futex_wake(word(), 1);
    }
    bool done() const { return stage_.load() == kFinished; }
    // Whether it is done or sleeps in its operation.
    bool settled() const {
        return done() ||
               (stage_.load() == kRunning && thread_info(thread()).state == KAIROS_THREAD_BLOCKED &&
                stage_.load() == kRunning);
    }
    kairos_status_t result() const { return result_; }
    bool sleeps_wrongly_on(const Stage& stage, int side) const {
        return !done() && sleeps_wrongly(*operation_, stage, side);
    }

  private:
    enum Progress : uint32_t { kReady, kRunning, kFinished };

    struct Run {
        Player* self;
        void operator()() {
            for (uint32_t seen = 0;; ++seen) {
                self->wait_for_round(seen);
                if (self->stop_) return;
                self->play();
            }
        }
    };
    const uint32_t* word() const { return reinterpret_cast<const uint32_t*>(&round_); }
    void wait_for_round(uint32_t seen) const {
        for (int spins = 0; spins < 3000 && round_.load() == seen; ++spins) {}
        while (round_.load() == seen) kairos_futex_wait(word(), seen, kForever);
    }
    void play() {
        stage_ = kRunning;
        spin(delay_);
        result_ = operation_->run(*actor_);
        // An interrupt that has not hit anything does not go with it into the next round.
        const uint32_t zero = 0;
        kairos_futex_wait(&zero, 0, kPast);
        stage_ = kFinished;
    }

    std::atomic<bool> stop_{false};
    std::atomic<uint32_t> round_{0};
    std::atomic<Progress> stage_{kFinished};
    const Operation* operation_ = nullptr;
    Actor* actor_ = nullptr;
    uint32_t delay_ = 0;
    kairos_status_t result_ = 0;
    Worker<Run> worker_;
};

class Match {
  public:
    static constexpr uint32_t kPatience = 20'000;

    Match() {
        const uint32_t harts = hart_count();
        pin(0, players_[0].thread());
        pin(harts > 1 ? 1 : 0, players_[1].thread());
        if (harts > 2) pin(2);
    }

    // False if something is lost.
    bool play(const Operation& first, const Operation& second, bool same_end, bool kept) {
        const uint32_t before = own_handles();
        {
            Stage stage(kept);
            Actor actors[2] = {{stage, players_[1].thread(), 0},
                               {stage, players_[0].thread(), same_end ? 0 : 1}};
            players_[0].begin(first, actors[0], random_.below(500));
            players_[1].begin(second, actors[1], random_.below(500));
            ++round_;
            for (Player& player : players_) player.release(round_);
            see_them_through(stage, actors);
            for (kairos_handle_t value : stage.value) kairos_handle_close(value, 0);
        }
        const bool allowed = explains(first, 0, second) && explains(second, 1, first);
        const bool nobody_stranded = EXPECT(!stranded_);
        if (EXPECT_EQ(before, own_handles()) && allowed && nobody_stranded) return true;
        harness::print("    %s against %s, %s end, %s", first.name, second.name,
                       same_end ? "the same" : "the other", kept ? "kept" : "alone");
        return false;
    }

  private:
    // Until both have come back. Where both sleep, or one does, all is closed; but first whoever
    // sleeps beside what he waits for gets the time to notice: he may have been woken already.
    void see_them_through(Stage& stage, const Actor (&actors)[2]) {
        uint32_t patience = kPatience;
        for (bool open = true; !players_[0].done() || !players_[1].done(); kairos_yield()) {
            if (!open || !players_[0].settled() || !players_[1].settled()) continue;
            bool wrongly = false;
            for (int i = 0; i < 2; ++i) {
                wrongly = wrongly || players_[i].sleeps_wrongly_on(stage, actors[i].side);
            }
            if (wrongly && patience-- != 0) continue;
            stranded_ = wrongly;
            stage.close_all();
            open = false;
        }
    }
    bool explains(const Operation& operation, int player, const Operation& other) const {
        const kairos_status_t result = players_[player].result();
        uint32_t allowed = operation.allowed;
        const bool disturbed = strstr(other.name, "interrupt") != nullptr;
        if (!disturbed) allowed &= ~kInterrupted;
        if ((outcome_of(result) & allowed) != 0) return true;
        harness::fail(__FILE__, __LINE__, "%s is %s", operation.name,
                      harness::text_of(result).chars);
        return false;
    }

    Random random_{kairos_clock_now()};
    uint32_t round_ = 0;
    bool stranded_ = false;  // somebody slept on beside what he waited for
    Player players_[2];
};

void play_all(bool same_end, bool kept) {
    Match match;
    for (const Operation& first : kOperations) {
        for (const Operation& second : kOperations) {
            if (&second < &first) continue;
            for (int round = 0; round < kRounds; ++round) {
                if (!match.play(first, second, same_end, kept)) return;
            }
        }
    }
}

}  // namespace

TEST("both through one handle, the only one of its end") { play_all(true, false); }
TEST("both through one handle, beside its source") { play_all(true, true); }
TEST("each at an end, through its only handle") { play_all(false, false); }
TEST("each at an end, beside the source") { play_all(false, true); }
