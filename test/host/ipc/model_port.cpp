// Two ports, and what is bound to them: events, both ends of a channel, a timer. Random binds,
// unbinds, signals, messages, user packets and waits, against a reference that says what a packet
// is; after each, everything that can be seen is compared.
#include <algorithm>
#include <deque>
#include <list>
#include <memory>

#include "arch/time.h"
#include "explorer.h"
#include "ipc/channel.h"
#include "ipc/port.h"

using namespace ipc_test;

namespace {

constexpr int kPorts = 2;
constexpr int kEvents = 3;
constexpr int kEndA = kEvents;  // sources: the events, two ends of a channel, a timer
constexpr int kEndB = kEvents + 1;
constexpr int kTimer = kEvents + 2;
constexpr int kSources = kEvents + 3;

struct ModelPacket {
    int source;  // -1: a user packet
    uint64_t key;
    uint32_t observed;
    uint32_t count;
};

struct ModelSource {
    HandleValue handle = 0;
    uint32_t holding_user = 0;  // user signals
    int port = -1;              // bound to
    uint64_t key = 0;
    uint32_t signals = 0;
};

struct Reference {
    std::deque<ModelPacket> pending[kPorts];
    ModelSource sources[kSources];
    std::deque<uint64_t> queues[2];  // to be received at A and at B
    bool open[2] = {true, true};
    bool expired = false;

    uint32_t raisable(int source) const {
        if (source < kEvents) return KPORT_BIND_USER;
        if (source == kTimer) return KPORT_BIND_USER | KPORT_BIND_TIMER;
        return KPORT_BIND_READABLE | KPORT_BIND_WRITABLE | KPORT_BIND_PEER_CLOSED | KPORT_BIND_USER;
    }
    uint32_t holding(int source) const {
        uint32_t signals = sources[source].holding_user;
        if (source == kTimer && expired) signals |= KPORT_BIND_TIMER;
        if (source == kEndA || source == kEndB) {
            const int side = source - kEndA;
            if (!queues[side].empty()) signals |= KPORT_BIND_READABLE;
            if (!open[1 - side]) signals |= KPORT_BIND_PEER_CLOSED;
            if (open[1 - side] && queues[1 - side].size() < KCHANNEL_MAX_QUEUE) {
                signals |= KPORT_BIND_WRITABLE;
            }
        }
        return signals;
    }
    void raise(int source, uint32_t signals) {
        const ModelSource& from = sources[source];
        if (from.port < 0 || (signals & from.signals) == 0) return;
        auto& packets = pending[from.port];
        for (ModelPacket& packet : packets) {
            if (packet.source != source) continue;
            packet.observed |= signals & from.signals;
            ++packet.count;
            return;
        }
        packets.push_back({source, from.key, signals & from.signals, 1});
    }
    void unbind(int source) {
        if (sources[source].port < 0) return;
        std::erase_if(pending[sources[source].port],
                      [&](const ModelPacket& packet) { return packet.source == source; });
        sources[source].port = -1;
    }
    long user_packets(int port) const {
        return std::count_if(pending[port].begin(), pending[port].end(),
                             [](const ModelPacket& packet) { return packet.source < 0; });
    }
};

class Comparison {
  public:
    Comparison(Budget& root, uint64_t seed)
        : program_(root),
          random_(seed),
          letter_(program_),
          packets_(program_.make<std::array<kairos_port_packet, 16>>()),
          packet_(program_.make<kairos_port_packet>()),
          out_(program_.make<std::array<HandleValue, 2>>()) {
        for (int i = 0; i < kPorts; ++i) make_port(i);
        for (int i = 0; i < kEvents; ++i) make_single(i, Call::event_create);
        make_single(kTimer, Call::timer_create);
        make_ends();
    }

    void step() {
        switch (below(20)) {
            case 0:
            case 1:
                return bind();
            case 2:
                return unbind();
            case 3:
            case 4:
            case 5:
                return signal();
            case 6:
            case 7:
                return queue();
            case 8:
            case 9:
            case 10:
                return wait();
            case 11:
            case 12:
            case 13:
                return send();
            case 14:
            case 15:
                return receive();
            case 16:
                return timer();
            case 17:
                return below(8) == 0 ? renew_source() : queue();
            case 18:
                return below(20) == 0 ? renew_port() : wait();
            default:
                return below(3) == 0 ? burst() : send();
        }
    }

    void compare() {
        for (int i = 0; i < kPorts; ++i) {
            Port& port = *program_.handles().resolve<Port>(ports_[i], right::kNone).take();
            const kairos_info_port info = port.describe();
            same(info.pending, reference_.pending[i].size());
            const auto bound =
                std::count_if(std::begin(reference_.sources), std::end(reference_.sources),
                              [&](const ModelSource& source) { return source.port == i; });
            same(info.bindings, bound);
            same(port.readiness(), (info.pending != 0 ? KAIROS_POLLIN : 0));
        }
        for (int i = 0; i < kSources; ++i) {
            if (!alive(i)) continue;
            Object& object = *program_.handles().find(reference_.sources[i].handle).take().object;
            same(object.holding_signals(), reference_.holding(i));
        }
    }

    // Every packet comes out, as the reference has it.
    void finish() {
        for (int i = 0; i < kPorts; ++i) {
            while (!reference_.pending[i].empty()) take(i, 16);
            same(take(i, 1), failure(Error::AGAIN));
        }
    }

  private:
    uint64_t below(uint64_t limit) { return random_() % limit; }
    int any_port() { return static_cast<int>(below(kPorts)); }
    bool alive(int source) const { return reference_.sources[source].handle != 0; }
    int any_source() {
        while (true) {
            const int source = static_cast<int>(below(kSources));
            if (alive(source)) return source;
        }
    }

    void make_port(int i) {
        same(program_.call(Call::port_create, 0, program_.address(&out_[0])), 0);
        ports_[i] = out_[0];
    }
    void make_single(int source, Call create) {
        same(program_.call(create, program_.address(&out_[0])), 0);
        reference_.sources[source] = {.handle = out_[0]};
    }
    void make_ends() {
        same(program_.call(Call::channel_create, 0, program_.address(&out_[0]),
                           program_.address(&out_[1])),
             0);
        for (int side = 0; side < 2; ++side) {
            reference_.sources[kEndA + side] = {.handle = out_[side]};
            reference_.queues[side].clear();
            reference_.open[side] = true;
        }
    }

    void bind() {
        const int port = any_port();
        const int source = any_source();
        const uint64_t key = random_();
        auto signals = static_cast<uint32_t>(random_() & random_()) & 0xff3f;
        if (below(2) == 0) signals &= reference_.raisable(source);
        const int64_t result = program_.call(Call::port_bind, ports_[port],
                                             reference_.sources[source].handle, key, signals);
        if (signals == 0 || (signals & ~reference_.raisable(source)) != 0) {
            same(result, failure(Error::INVAL));
            return;
        }
        same(result, 0);
        reference_.unbind(source);
        ModelSource& bound = reference_.sources[source];
        bound.port = port;
        bound.key = key;
        bound.signals = signals;
        reference_.raise(source, reference_.holding(source));
    }

    void unbind() {
        const int port = any_port();
        const int source = any_source();
        const bool bound = reference_.sources[source].port == port;
        same(program_.call(Call::port_unbind, ports_[port], reference_.sources[source].handle),
             (bound ? 0 : failure(Error::NOENT)));
        if (bound) reference_.unbind(source);
    }

    void signal() {
        const int source = any_source();
        const auto clear = static_cast<uint32_t>(random_() & random_()) & KPORT_BIND_USER;
        const auto set = static_cast<uint32_t>(random_() & random_()) & KPORT_BIND_USER;
        same(program_.call(Call::object_signal, reference_.sources[source].handle, clear, set), 0);
        uint32_t& holding = reference_.sources[source].holding_user;
        holding = (holding & ~clear) | set;
        if (set != 0) reference_.raise(source, set);
    }

    void queue() {
        const int port = any_port();
        packet_ = {.key = random_(), .observed = static_cast<uint32_t>(random_()), .count = 77};
        const bool room = reference_.user_packets(port) < KPORT_MAX_QUEUE;
        same(program_.call(Call::port_queue, ports_[port], program_.address(&packet_)),
             (room ? 0 : failure(Error::AGAIN)));
        if (room) reference_.pending[port].push_back({-1, packet_.key, packet_.observed, 1});
    }

    void burst() {
        const uint64_t times = below(200);
        for (uint64_t i = 0; i < times; ++i) below(2) == 0 ? queue() : send();
    }

    int64_t take(int port, uint32_t max) {
        auto& expected = reference_.pending[port];
        const int64_t result =
            program_.call(Call::port_wait, ports_[port], program_.address(&packets_), max,
                          KPORT_WAIT_NONBLOCK, 0);
        if (expected.empty()) {
            same(result, failure(Error::AGAIN));
            return result;
        }
        same(result, static_cast<int64_t>(std::min<size_t>(max, expected.size())));
        for (int64_t i = 0; i < result; ++i) {
            const kairos_port_packet& got = packets_[static_cast<size_t>(i)];
            same(got.key, expected.front().key);
            same(got.observed, expected.front().observed);
            same(got.count, expected.front().count);
            expected.pop_front();
        }
        return result;
    }
    void wait() { take(any_port(), 1 + static_cast<uint32_t>(below(16))); }

    void send() {
        const int side = static_cast<int>(below(2));
        if (!alive(kEndA + side)) return;
        const uint64_t value = random_();
        letter_.set(value);
        const int64_t result =
            program_.call(Call::channel_send, reference_.sources[kEndA + side].handle,
                          letter_.address(), KCHANNEL_OPT_NONBLOCK, 0);
        auto& queue = reference_.queues[1 - side];
        if (!reference_.open[1 - side]) {
            same(result, failure(Error::PIPE));
        } else if (queue.size() == KCHANNEL_MAX_QUEUE) {
            same(result, failure(Error::AGAIN));
        } else {
            same(result, 0);
            queue.push_back(value);
            reference_.raise(kEndA + 1 - side, KPORT_BIND_READABLE);
        }
    }

    void receive() {
        const int side = static_cast<int>(below(2));
        if (!alive(kEndA + side)) return;
        letter_.clear();
        const int64_t result =
            program_.call(Call::channel_recv, reference_.sources[kEndA + side].handle,
                          letter_.address(), KCHANNEL_OPT_NONBLOCK, 0);
        auto& queue = reference_.queues[side];
        if (queue.empty()) {
            same(result, (reference_.open[1 - side] ? failure(Error::AGAIN) : 0));
            return;
        }
        same(result, 1);
        same(letter_.value(), queue.front());
        const bool was_full = queue.size() == KCHANNEL_MAX_QUEUE;
        queue.pop_front();
        if (!queue.empty()) reference_.raise(kEndA + side, KPORT_BIND_READABLE);
        if (was_full && reference_.open[1 - side]) {
            reference_.raise(kEndA + 1 - side, KPORT_BIND_WRITABLE);
        }
    }

    // Set to a time that comes at once, or to never.
    void timer() {
        const bool arm = below(4) != 0;
        const uint64_t now = arch::now().nanoseconds;
        const uint64_t when = arm ? now + below(2) : kForever;
        same(program_.call(Call::timer_set, reference_.sources[kTimer].handle, when, 0), 0);
        reference_.expired = false;
        if (!arm) return;
        // One that has just fired may keep the next interrupt away for a while.
        hosted::set_time({std::max(now + 1, hosted::timer_of(this_hart().index).nanoseconds)});
        same(program_.call(Call::nop), 0);  // on the way in, the interrupt comes
        reference_.expired = true;
        reference_.raise(kTimer, KPORT_BIND_TIMER);
    }

    // The object goes, and with it its packet; another one takes its place.
    void renew_source() {
        const int source = static_cast<int>(below(kSources));
        if (alive(source)) {
            same(program_.call(Call::handle_close, reference_.sources[source].handle, 0), 0);
            reference_.unbind(source);
            reference_.sources[source] = {};
        }
        if (source < kEvents) return make_single(source, Call::event_create);
        if (source == kTimer) {
            reference_.expired = false;
            return make_single(source, Call::timer_create);
        }
        const int side = source - kEndA;
        if (reference_.open[side]) {
            reference_.open[side] = false;
            reference_.queues[side].clear();
            if (alive(kEndA + 1 - side)) {
                reference_.raise(kEndA + 1 - side, KPORT_BIND_PEER_CLOSED);
            }
        }
        if (!alive(kEndA) && !alive(kEndB)) make_ends();
    }

    void renew_port() {
        const int port = any_port();
        same(program_.call(Call::handle_close, ports_[port], 0), 0);
        reference_.pending[port].clear();
        for (ModelSource& source : reference_.sources) {
            if (source.port == port) source.port = -1;
        }
        make_port(port);
    }

    Program program_;
    std::mt19937_64 random_;
    Letter letter_;
    std::array<kairos_port_packet, 16>& packets_;
    kairos_port_packet& packet_;
    std::array<HandleValue, 2>& out_;
    HandleValue ports_[kPorts] = {};
    Reference reference_;
};

}  // namespace

TEST_CASE("model: ports, bindings and user packets") {
    const NothingLeft nothing_left;
    for (const uint64_t seed : seeds()) {
        CAPTURE(seed);
        Comparison comparison(nothing_left.root(), seed);
        const uint64_t steps = 270'000 * effort();
        for (uint64_t step = 0; step < steps; ++step) {
            CAPTURE(step);
            comparison.step();
            comparison.compare();
        }
        comparison.finish();
    }
}
