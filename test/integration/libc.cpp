// The libc under threads: malloc, stdio, C11 threads. What the library itself does right is not
// tested here, only what the SDK adds under it.
#include <stdlib.h>
#include <threads.h>
#include <time.h>

#include "harness.h"
#include "messages.h"
#include "roles.h"
#include "workers.h"

TEST("malloc: sizes, alignment, contents") {
    void* blocks[40];
    for (size_t i = 0; i < 40; ++i) {
        const size_t size = size_t{1} << (i % 20);
        blocks[i] = malloc(size);
        REQUIRE(blocks[i] != nullptr);
        EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(blocks[i]) % 16);
        memset(blocks[i], static_cast<int>(i), size);
    }
    for (size_t i = 0; i < 40; ++i) {
        const size_t size = size_t{1} << (i % 20);
        const auto* bytes = static_cast<const char*>(blocks[i]);
        EXPECT_EQ(static_cast<char>(i), bytes[0]);
        EXPECT_EQ(static_cast<char>(i), bytes[size - 1]);
        free(blocks[i]);
    }
}

TEST("malloc: what cannot be had is null, and ENOMEM") {
    errno = 0;
    // The compiler is not to know.
    volatile size_t absurd = SIZE_MAX / 2;
    EXPECT(malloc(absurd) == nullptr);
    EXPECT_EQ(ENOMEM, errno);
    EXPECT(calloc(absurd, 4) == nullptr);
}

TEST("malloc: realloc keeps, calloc zeroes") {
    char* text = static_cast<char*>(malloc(10));
    strcpy(text, "keep me");
    for (size_t size = 20; size < 200'000; size *= 3) {
        text = static_cast<char*>(realloc(text, size));
        REQUIRE(text != nullptr);
        if (!EXPECT_EQ(0, strcmp(text, "keep me"))) break;
    }
    free(text);
    for (int round = 0; round < 5; ++round) {
        auto* words = static_cast<uint64_t*>(calloc(1000, sizeof(uint64_t)));
        REQUIRE(words != nullptr);
        for (int i = 0; i < 1000; ++i) {
            if (!EXPECT_EQ(0u, words[i])) break;
            words[i] = ~uint64_t{0};
        }
        free(words);
    }
}

TEST("malloc: many threads") {
    const auto run = [](uint64_t seed) {
        Random random(seed);
        struct Block {
            unsigned char* bytes;
            size_t size;
            unsigned char mark;
        } blocks[32] = {};
        for (int i = 0; i < 2000; ++i) {
            Block& block = blocks[random.below(32)];
            for (size_t k = 0; k < block.size; k += 13) {
                if (!EXPECT_EQ(block.mark, block.bytes[k])) return;
            }
            free(block.bytes);
            block.size = 1 + random.below(random.below(20) == 0 ? 100'000 : 600);
            block.mark = static_cast<unsigned char>(random.next());
            block.bytes = static_cast<unsigned char*>(malloc(block.size));
            if (!EXPECT(block.bytes != nullptr)) return;
            memset(block.bytes, block.mark, block.size);
        }
        for (const Block& block : blocks) free(block.bytes);
    };
    Worker one([&] { run(1); });
    Worker two([&] { run(2); });
    Worker three([&] { run(3); });
}

ROLE("prints from three threads") {
    const auto print = [](const char* word) {
        for (int i = 0; i < 50; ++i) printf("%s %s\n", word, word);
    };
    {
        Worker one([&] { print("one"); });
        Worker two([&] { print("two"); });
        Worker three([&] { print("three"); });
    }
    return fflush(stdout) == 0 ? 0 : 2;
}

TEST("stdio: lines of several threads stay whole") {
    Channel out;
    const Owned process =
        spawn_role("prints from three threads", {{KAIROS_BOOT_STDOUT, out.b.release()}});
    static char text[8192];
    size_t used = 0;
    while (used + 1 < sizeof(text)) {
        const kairos_status_t got =
            kairos_object_read(out.a, text + used, sizeof(text) - 1 - used, 0);
        if (got <= 0) break;
        used += static_cast<size_t>(got);
    }
    text[used] = 0;
    EXPECT_EQ(0, exit_code_of(process));
    int counts[3] = {};
    for (char* line = strtok(text, "\n"); line != nullptr; line = strtok(nullptr, "\n")) {
        if (strcmp(line, "one one") == 0) ++counts[0];
        if (strcmp(line, "two two") == 0) ++counts[1];
        if (strcmp(line, "three three") == 0) ++counts[2];
    }
    for (const int count : counts) EXPECT_EQ(50, count);
}

TEST("threads.h: create, join, detach, mutex, condition, storage, once") {
    static mtx_t mutex;
    static cnd_t condition;
    static tss_t key;
    static int counter;
    static std::atomic<int> destroyed;
    counter = 0;
    destroyed = 0;
    REQUIRE_EQ(thrd_success, mtx_init(&mutex, mtx_plain));
    REQUIRE_EQ(thrd_success, cnd_init(&condition));
    REQUIRE_EQ(thrd_success, tss_create(&key, [](void*) { destroyed.fetch_add(1); }));
    const auto run = [](void* argument) {
        EXPECT(tss_get(key) == nullptr);
        EXPECT_EQ(thrd_success, tss_set(key, argument));
        for (int i = 0; i < 500; ++i) {
            EXPECT_EQ(thrd_success, mtx_lock(&mutex));
            ++counter;
            cnd_broadcast(&condition);
            EXPECT_EQ(thrd_success, mtx_unlock(&mutex));
        }
        EXPECT(tss_get(key) == argument);
        return 41;
    };
    thrd_t threads[3];
    for (thrd_t& thread : threads) {
        REQUIRE_EQ(thrd_success, thrd_create(&thread, run, &counter));
    }
    mtx_lock(&mutex);
    while (counter < 1500) cnd_wait(&condition, &mutex);
    mtx_unlock(&mutex);
    for (const thrd_t thread : threads) {
        int result = 0;
        EXPECT_EQ(thrd_success, thrd_join(thread, &result));
        EXPECT_EQ(41, result);
    }
    EXPECT_EQ(3, destroyed.load());
    tss_delete(key);
    cnd_destroy(&condition);
    mtx_destroy(&mutex);
}

TEST("time: the libc's clock is the system's") {
    timespec before;
    REQUIRE_EQ(0, clock_gettime(CLOCK_MONOTONIC, &before));
    const kairos_time_t now = kairos_clock_now();
    const auto nanoseconds = static_cast<uint64_t>(before.tv_sec) * 1'000'000'000 +
                             static_cast<uint64_t>(before.tv_nsec);
    EXPECT(nanoseconds <= now);
    timespec after;
    REQUIRE_EQ(0, clock_gettime(CLOCK_MONOTONIC, &after));
    EXPECT(static_cast<uint64_t>(after.tv_sec) * 1'000'000'000 +
               static_cast<uint64_t>(after.tv_nsec) >=
           now);
}

TEST("atexit runs when main returns and when exit is called, not at process_exit") {
    EXPECT_EQ(0, run_role("atexit by return"));
    EXPECT_EQ(5, run_role("atexit by process_exit"));
}
static void leave_with_zero() { kairos_process_exit(0); }
ROLE("atexit by return") {
    atexit(leave_with_zero);
    return 9;
}
ROLE("atexit by process_exit") {
    atexit(leave_with_zero);
    kairos_process_exit(5);
}
