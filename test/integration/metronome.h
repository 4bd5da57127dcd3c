// Whoever has a timer loses none of its periods, whatever the kernel is busy with meanwhile.
#pragma once

#include <atomic>

#include "packets.h"
#include "workers.h"

// A thread with a periodic timer.
class Metronome {
  public:
    Metronome() {
        REQUIRE_STATUS(0, kairos_port_bind(port_, timer_, kTick, KPORT_BIND_TIMER));
        REQUIRE_STATUS(0, kairos_timer_set(timer_, first_, kPeriod));
    }
    ~Metronome() {
        EXPECT_STATUS(0, kairos_timer_set(timer_, KAIROS_TIME_INFINITE, 0));
        const kairos_port_packet stop{.key = kStop, .observed = 0, .count = 0};
        EXPECT_STATUS(0, kairos_port_queue(port_, &stop));
        worker_.join();
    }

    // Returns when the thread has heard of every period that has begun by now.
    void hear_of_all() const {
        const uint64_t begun = (kairos_clock_now() - first_) / kPeriod + 1;
        while (events_.load() < begun) kairos_yield();
    }

  private:
    static constexpr uint64_t kPeriod = 200'000;
    static constexpr uint64_t kTick = 1;
    static constexpr uint64_t kStop = 2;

    struct Run {
        Metronome* self;
        void operator()() {
            kairos_port_packet packet;
            while (EXPECT_STATUS(1, next_packet(self->port_, packet)) && packet.key != kStop) {
                const uint64_t events = self->events_.load() + packet.count;
                // Not one that was not due yet.
                EXPECT(kairos_clock_now() >= self->first_ + (events - 1) * kPeriod);
                self->events_.store(events);
            }
        }
    };

    const Owned port_ = make_port();
    const Owned timer_ = make_timer();
    const kairos_time_t first_ = kairos_clock_now();
    std::atomic<uint64_t> events_{0};
    Worker<Run> worker_{Run{this}};
};
