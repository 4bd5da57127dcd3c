// Random operations of several threads on handles that they share, and processes that are killed
// in the midst of them. Nothing is expected of a single call but an error of the contract; what is
// expected is that the machine goes on, that nobody hangs, and that in the end nothing is left.
//
// The seed is printed; `stress --role monkeys SEED` repeats the choices, not the
// interleaving.
#include <stdlib.h>

#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "packets.h"
#include "roles.h"
#include "workers.h"

namespace {

constexpr uint32_t kSlots = 48;
constexpr uint64_t kPage = KAIROS_PAGE_SIZE;

// Handles that any thread may use and replace. A value may be stale: that is part of the matter.
std::atomic<kairos_handle_t> slots[kSlots];

// Addresses of every kind.
struct Addresses {
    const BadPointers bad;
    Pages good;
};

class Monkey {
  public:
    Monkey(uint64_t seed, const Addresses& addresses) : random_(seed), addresses_(addresses) {}

    void run(uint32_t operations) {
        for (uint32_t i = 0; i < operations; ++i) {
            const kairos_status_t status = step();
            if (status < 0 && harness::status_name(status) == nullptr) {
                harness::fail(__FILE__, __LINE__, "a call answered %lld",
                              static_cast<long long>(status));
            }
        }
    }

  private:
    kairos_handle_t pick() { return slots[random_.below(kSlots)].load(); }
    // Puts a handle into the pool; what it replaces is closed.
    void put(kairos_handle_t handle) {
        const kairos_handle_t old = slots[random_.below(kSlots)].exchange(handle);
        if (old != KAIROS_HANDLE_INVALID) kairos_handle_close(old, 0);
    }
    kairos_status_t put(kairos_status_t status, kairos_handle_t handle) {
        if (status == 0) put(handle);
        return status;
    }
    kairos_time_t soon() { return kairos_clock_now() + random_.below(100'000); }
    uint32_t options() { return random_.below(4); }
    // Mostly good memory.
    void* pointer() {
        if (random_.below(10) != 0) return addresses_.good.begin() + random_.below(64) * 8;
        return addresses_.bad.all[random_.below(BadPointers::kCount)].address;
    }
    template <typename T>
    T* pointer() {
        return static_cast<T*>(pointer());
    }
    kairos_rights_t rights() {
        return random_.below(3) == 0 ? random_.below(1u << 10) : KRIGHT_SAME;
    }

    kairos_channel_msg outgoing() {
        static char payload[2 * kPage];
        uint32_t count = 0;
        for (uint32_t wanted = random_.below(3); wanted > 0; --wanted) {
            sent_[count++] = pick();
        }
        return message_of(
            random_.below(10) == 0 ? pointer() : payload,
            random_.below(4) == 0 ? random_.below(sizeof(payload)) : random_.below(64), sent_,
            count, random_.below(20) == 0 ? random_.next() : 0);
    }
    kairos_channel_msg* incoming() {
        header_ = message_of(bytes_, sizeof(bytes_), received_, random_.below(5));
        if (random_.below(10) == 0) header_.bytes = pointer();
        return &header_;
    }
    kairos_status_t keep(kairos_status_t status) {
        if (status == 1) {
            for (uint32_t i = 0; i < header_.num_handles; ++i) {
                if (received_[i] != KAIROS_HANDLE_INVALID) put(received_[i]);
            }
        }
        return status;
    }

    kairos_status_t make() {
        kairos_handle_t one = KAIROS_HANDLE_INVALID;
        kairos_handle_t two = KAIROS_HANDLE_INVALID;
        switch (random_.below(6)) {
            case 0:
                return put(kairos_event_create(&one), one);
            case 1:
                return put(kairos_port_create(KPORT_CREATE_TRANSFERABLE, &one), one);
            case 2:
                return put(kairos_timer_create(&one), one);
            case 3:
                return put(kairos_memory_create(1 + random_.below(100'000), 0, &one), one);
            default: {
                const kairos_status_t status = kairos_channel_create(0, &one, &two);
                put(status, two);
                return put(status, one);
            }
        }
    }

    kairos_status_t handles() {
        kairos_handle_t out = KAIROS_HANDLE_INVALID;
        switch (random_.below(7)) {
            case 0:
                return kairos_handle_close(pick(), random_.below(3));
            case 1:
                return kairos_handle_revoke(pick());
            case 2:
                return kairos_cap_rights_limit(pick(), random_.below(1u << 9));
            case 3:
                return kairos_cap_rights_get(pick(), pointer<kairos_rights_t>());
            default:
                return put(kairos_handle_duplicate(pick(), rights(), &out), out);
        }
    }

    kairos_status_t messages() {
        const kairos_handle_t channel = pick();
        const kairos_channel_msg out = outgoing();
        switch (random_.below(7)) {
            case 0:
            case 1:
                return kairos_channel_send(channel, &out, options(), soon());
            case 2:
            case 3:
                return keep(kairos_channel_recv(channel, incoming(), options(), soon()));
            case 4:
                return keep(kairos_channel_call(channel, &out, incoming(), soon()));
            case 5: {
                const kairos_channel_msg* reply = random_.below(2) == 0 ? &out : nullptr;
                return keep(kairos_channel_reply_recv(channel, reply, incoming(), soon()));
            }
            default:
                return random_.below(2) == 0
                           ? kairos_object_read(channel, pointer(), random_.below(200),
                                                KCHANNEL_OPT_NONBLOCK)
                           : kairos_object_write(channel, pointer(), random_.below(200),
                                                 KCHANNEL_OPT_NONBLOCK);
        }
    }

    kairos_status_t ports() {
        kairos_port_packet packets[4] = {};
        switch (random_.below(6)) {
            case 0:
                return kairos_port_bind(pick(), pick(), random_.next(), 1 + random_.below(1 << 12));
            case 1:
                return kairos_port_unbind(pick(), pick());
            case 2:
                return kairos_port_queue(pick(), packets);
            case 3:
                return kairos_object_signal(pick(), KPORT_BIND_USER & random_.below(1 << 16),
                                            KPORT_BIND_USER & random_.below(1 << 16));
            default:
                return kairos_port_wait(pick(), packets, 1 + random_.below(4), random_.below(2),
                                        soon());
        }
    }

    kairos_status_t objects() {
        switch (random_.below(4)) {
            case 0:
                return kairos_object_poll(pick(), random_.below(32), pointer<uint32_t>());
            case 1:
                return kairos_object_wait(pick(), random_.below(8), soon(), pointer<uint32_t>());
            case 2:
                return kairos_object_info(pick(), 1 + random_.below(24), pointer(), 200);
            default:
                return kairos_timer_set(pick(), soon(), random_.below(2) * random_.below(100'000));
        }
    }

    kairos_status_t memory() {
        void* at = nullptr;
        const size_t length = kPage * (1 + random_.below(3));
        switch (random_.below(3)) {
            case 0:
                return kairos_memory_read(pick(), random_.below(20'000), pointer(),
                                          random_.below(400));
            case 1:
                return kairos_memory_write(pick(), random_.below(20'000), pointer(),
                                           random_.below(400));
            default: {
                const kairos_status_t status =
                    kairos_map(kairos_self_aspace(), pick(), 0, &at, length, random_.below(4));
                if (status == 0) kairos_unmap(kairos_self_aspace(), at, length);
                return status;
            }
        }
    }

    kairos_status_t step() {
        switch (random_.below(12)) {
            case 0:
                return make();
            case 1:
            case 2:
                return handles();
            case 3:
            case 4:
            case 5:
            case 6:
                return messages();
            case 7:
            case 8:
                return ports();
            case 9:
                return objects();
            case 10:
                return memory();
            default:
                kairos_yield();
                return 0;
        }
    }

    Random random_;
    const Addresses& addresses_;
    kairos_handle_t sent_[3];
    kairos_handle_t received_[4];
    kairos_channel_msg header_;
    char bytes_[kPage];
};

void run_monkeys(uint64_t seed, uint32_t operations) {
    const Addresses addresses;
    const auto run = [&](uint64_t number) {
        Monkey monkey(seed + number, addresses);
        monkey.run(operations);
    };
    {
        Worker one([&] { run(1); });
        Worker two([&] { run(2); });
        Worker three([&] { run(3); });
        run(4);
    }
    for (std::atomic<kairos_handle_t>& slot : slots) {
        const kairos_handle_t handle = slot.exchange(KAIROS_HANDLE_INVALID);
        if (handle != KAIROS_HANDLE_INVALID) kairos_handle_close(handle, 0);
    }
}

uint64_t new_seed() {
    const uint64_t seed = kairos_clock_now();
    harness::print("    seed %llu", static_cast<unsigned long long>(seed));
    return seed;
}

}  // namespace

// Argument: the seed. A process of its own: what counts is what the
// system holds when it has gone.
ROLE("monkeys") {
    const uint64_t seed = strtoull(harness::role_argv[0], nullptr, 10);
    run_monkeys(seed, 3000);
    return harness::running.failures == 0 ? 0 : 1;
}

static Owned start_monkeys(uint64_t seed) {
    char option[] = "--role";
    char role[] = "monkeys";
    char digits[24];
    snprintf(digits, sizeof(digits), "%llu", static_cast<unsigned long long>(seed));
    char* arguments[] = {harness::program_name, option, role, digits, nullptr};
    Owned process;
    REQUIRE_STATUS(0, kairos_spawn("self", arguments, nullptr, 0, process.out()));
    return process;
}

TEST("random operations of four threads") { EXPECT_EQ(0, exit_code_of(start_monkeys(new_seed()))); }

TEST("random operations in two processes at once") {
    const uint64_t seed = new_seed();
    const Owned one = start_monkeys(seed);
    const Owned two = start_monkeys(seed + 1000);
    EXPECT_EQ(0, exit_code_of(one));
    EXPECT_EQ(0, exit_code_of(two));
}

TEST("random operations, and a kill in the midst of them") {
    const uint64_t seed = new_seed();
    Random random(seed);
    for (int round = 0; round < 12; ++round) {
        const Owned process = start_monkeys(random.next() >> 1);
        while (process_info(process).threads < 4 && ready(process, POLLIN) == 0) kairos_yield();
        for (uint32_t yields = random.below(300); yields > 0; --yields) kairos_yield();
        REQUIRE_STATUS(0, kairos_process_kill(process, 99));
        const int64_t code = exit_code_of(process);
        EXPECT(code == 99 || code == 0);
        EXPECT_EQ(0u, process_info(process).handles);
    }
}

TEST("random interrupts: every blocked call comes back, and no other") {
    const uint64_t seed = new_seed();
    const Channel channel;
    const Owned port = make_port();
    std::atomic<bool> stop{false};
    const auto block = [&](uint64_t number) {
        Random random(seed + number);
        Inbox inbox;
        kairos_port_packet packet;
        const uint32_t word = 0;
        while (!stop.load()) {
            kairos_status_t status = 0;
            switch (random.below(4)) {
                case 0:
                    status = inbox.receive(channel.b);
                    break;
                case 1:
                    status = next_packet(port, packet);
                    break;
                case 2:
                    status = kairos_futex_wait(&word, 0, kForever);
                    break;
                default:
                    status = inbox.call(channel.a, message_of("q"));
            }
            if (!EXPECT_ONE_OF(ANY(-EINTR, 1), status)) return;
        }
    };
    Worker one([&] { block(1); });
    Worker two([&] { block(2); });
    Random random(seed);
    for (int i = 0; i < 500; ++i) {
        kairos_thread_interrupt(random.below(2) == 0 ? one.thread() : two.thread());
        if (random.below(3) == 0) kairos_yield();
    }
    stop = true;
    one.interrupt();
    two.interrupt();
    // One may have used up its interrupt before it saw the end.
    while (thread_info(one.thread()).state != KAIROS_THREAD_ENDED ||
           thread_info(two.thread()).state != KAIROS_THREAD_ENDED) {
        one.interrupt();
        two.interrupt();
        kairos_yield();
    }
}

TEST("messages of many senders to many receivers, each once") {
    constexpr uint32_t kPerSender = 1500;
    const Channel channel;
    std::atomic<uint32_t> received{0};
    std::atomic<uint64_t> sum{0};
    const uint64_t seed = new_seed();
    const auto receive = [&](uint64_t number) {
        Random random(seed + number);
        Inbox inbox;
        while (true) {
            const uint32_t options = random.below(2) == 0 ? 0 : KCHANNEL_OPT_RENDEZVOUS;
            const kairos_time_t deadline =
                random.below(3) == 0 ? kForever : kairos_clock_now() + random.below(50'000);
            const kairos_status_t status = inbox.receive(channel.b, options, deadline);
            if (status == -ETIMEDOUT) continue;
            if (!EXPECT_STATUS(1, status)) return;
            if (inbox.header.num_bytes == 0) return;
            received.fetch_add(1);
            sum.fetch_add(inbox.value<uint64_t>());
        }
    };
    const auto send = [&](uint64_t first) {
        Random random(seed + first);
        for (uint64_t i = first; i < first + kPerSender; ++i) {
            const uint32_t options = random.below(2) == 0 ? 0 : KCHANNEL_OPT_RENDEZVOUS;
            while (true) {
                const kairos_time_t deadline =
                    random.below(3) == 0 ? kForever : kairos_clock_now() + random.below(50'000);
                const kairos_status_t status = send_value(channel.a, i, options, deadline);
                if (status == 0) break;
                if (!EXPECT_STATUS(-ETIMEDOUT, status)) return;
            }
        }
    };
    {
        Worker receiver0([&] { receive(1); });
        Worker receiver1([&] { receive(2); });
        {
            Worker sender0([&] { send(1); });
            Worker sender1([&] { send(1 + kPerSender); });
        }
        for (int i = 0; i < 2; ++i) REQUIRE_STATUS(0, send_text(channel.a, ""));
    }
    EXPECT_EQ(2 * kPerSender, received.load());
    EXPECT_EQ(uint64_t{2 * kPerSender} * (2 * kPerSender + 1) / 2, sum.load());
    EXPECT_EQ(0u, queued_in(channel.b));
}
