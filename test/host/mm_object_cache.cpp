// Object caches: magazines, slabs given back, counts, and what debug builds notice.
#include "mm/object_cache.h"

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "hosted/kernel.h"
#include "hosted/machine.h"
#include "mm/frames.h"

namespace {

struct Small {
    char bytes[24];
};
struct Line {
    alignas(64) char bytes[64];
};
struct Large {
    char bytes[2600];
};
struct Huge {
    char bytes[20'000];
};

template <typename T>
struct Caches {
    static constinit inline mm::ObjectCache<T> cache{};
};

// Frees everything and checks that next to nothing is kept.
template <typename T>
void check_empty(mm::ObjectCache<T>& cache, uint64_t slab_frames) {
    CHECK(cache.objects() == 0);
    // What magazines hold may keep a slab each, and one is kept on purpose.
    const uint64_t cells_kept = (hosted::kHarts + 1) * 16;
    CHECK(cache.frames() <= cells_kept * slab_frames);
}

}  // namespace

TEST_CASE_TEMPLATE("object cache: objects are apart, aligned and counted", T, Small, Line, Large,
                   Huge) {
    hosted::kernel();
    auto& cache = Caches<T>::cache;
    std::vector<T*> objects;
    std::set<uintptr_t> addresses;
    for (int i = 0; i < 300; ++i) {
        auto* object = static_cast<T*>(cache.allocate());
        REQUIRE(object != nullptr);
        const auto address = reinterpret_cast<uintptr_t>(object);
        REQUIRE(address % alignof(T) == 0);
        const auto above = addresses.lower_bound(address);
        REQUIRE((above == addresses.end() || *above - address >= sizeof(T)));
        REQUIRE((above == addresses.begin() || address - *std::prev(above) >= sizeof(T)));
        addresses.insert(address);
        std::memset(object->bytes, i, sizeof(object->bytes));
        objects.push_back(object);
    }
    CHECK(cache.objects() == 300);
    const uint64_t needed = 300 * sizeof(T) / kPageSize;
    CHECK(cache.frames() >= needed);
    CHECK(cache.frames() <= needed + needed * 2 / 3 + 8);
    for (int i = 0; i < 300; ++i) {
        REQUIRE(objects[i]->bytes[sizeof(T) - 1] == static_cast<char>(i));
        cache.free(objects[i]);
    }
    check_empty(cache, sizeof(T) > kPageSize ? 8 : 2);
}

TEST_CASE("object cache: empty slabs go back, but for one") {
    hosted::kernel();
    struct Own : Large {};
    static constinit mm::ObjectCache<Own> cache;
    const uint64_t before = mm::free_frames_count();
    std::vector<void*> objects;
    for (int i = 0; i < 500; ++i) objects.push_back(cache.allocate());
    CHECK(mm::free_frames_count() == before - cache.frames());
    for (void* object : objects) cache.free(object);
    CHECK(mm::free_frames_count() == before - cache.frames());
    CHECK(cache.frames() <= 8);
}

TEST_CASE("object cache: freed on another hart") {
    hosted::kernel();
    struct Own : Line {};
    static constinit mm::ObjectCache<Own> cache;
    for (int round = 0; round < 50; ++round) {
        std::vector<void*> objects;
        hosted::enter_hart({static_cast<uint32_t>(round) % hosted::kHarts});
        for (int i = 0; i < 100; ++i) objects.push_back(cache.allocate());
        REQUIRE(cache.objects() == 100);
        hosted::enter_hart({static_cast<uint32_t>(round + 1) % hosted::kHarts});
        for (void* object : objects) cache.free(object);
        REQUIRE(cache.objects() == 0);
    }
    hosted::enter_hart({0});
    CHECK(cache.frames() <= hosted::kHarts + 1);
}

TEST_CASE("object cache: freeing twice, and writing to what is free, is noticed") {
    hosted::kernel();
    struct Own : Line {};
    static constinit mm::ObjectCache<Own> cache;
    auto* first = static_cast<char*>(cache.allocate());
    cache.free(first);
    CHECK_THROWS_AS(cache.free(first), hosted::Panic);
    first[40] = 1;
    CHECK_THROWS_AS((void)cache.allocate(), hosted::Panic);
}

TEST_CASE("object cache: without frames there are no objects, and nothing is lost") {
    hosted::kernel();
    struct Own : Huge {};
    static constinit mm::ObjectCache<Own> cache;
    std::vector<PhysicalAddress> frames;
    while (auto frame = mm::allocate_frame()) frames.push_back(*frame);
    CHECK(cache.allocate() == nullptr);
    CHECK(cache.objects() == 0);
    for (const PhysicalAddress frame : frames) mm::free_frame(frame);
    void* object = cache.allocate();
    CHECK(object != nullptr);
    cache.free(object);
}

TEST_CASE("object cache: random steps against a reference") {
    hosted::kernel();
    struct Own : Small {};
    static constinit mm::ObjectCache<Own> cache;
    struct Held {
        Small* object;
        char stamp;
    };
    std::vector<Held> held;
    std::mt19937_64 random(4);
    for (int step = 0; step < 200'000; ++step) {
        if (step % 8 == 0) hosted::enter_hart({static_cast<uint32_t>(random() % hosted::kHarts)});
        const bool grow = (step / 10'000) % 2 == 0 ? random() % 3 != 0 : random() % 3 == 0;
        if (grow || held.empty()) {
            auto* object = static_cast<Small*>(cache.allocate());
            const auto stamp = static_cast<char>(random());
            std::memset(object->bytes, stamp, sizeof(object->bytes));
            held.push_back({object, stamp});
        } else {
            Held& victim = held[random() % held.size()];
            const char* bytes = victim.object->bytes;
            REQUIRE(std::all_of(bytes, bytes + 24, [&](char c) { return c == victim.stamp; }));
            cache.free(victim.object);
            victim = held.back();
            held.pop_back();
        }
        if (step % 128 == 0) REQUIRE(cache.objects() == held.size());
    }
    for (const Held& one : held) cache.free(one.object);
    CHECK(cache.objects() == 0);
    hosted::enter_hart({0});
}

TEST_CASE("object cache: harts at once") {
    hosted::kernel();
    struct Own : Line {};
    static constinit mm::ObjectCache<Own> cache;
    std::atomic<int> mixed_up{0};
    const auto work = [&](uint32_t hart) {
        hosted::enter_hart({hart});
        std::mt19937_64 random(hart);
        std::vector<Line*> held;
        for (int step = 0; step < 30'000; ++step) {
            if (held.size() < 100 && random() % 2 == 0) {
                held.push_back(static_cast<Line*>(cache.allocate()));
                held.back()->bytes[63] = static_cast<char>(hart);
            } else if (!held.empty()) {
                if (held.back()->bytes[63] != static_cast<char>(hart)) ++mixed_up;
                cache.free(held.back());
                held.pop_back();
            }
        }
        for (Line* object : held) cache.free(object);
    };
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < hosted::kHarts; ++i) threads.emplace_back(work, i);
    for (std::thread& thread : threads) thread.join();
    CHECK(mixed_up == 0);
    CHECK(cache.objects() == 0);
}
