// Mappings that go while another hart uses them. The user is a call that stores for the thread, so
// that it is told of the missing page instead of dying of it: it goes the same way, through the
// translations that its hart remembers.
#include "harness.h"
#include "workers.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint64_t kMark = 0x6d61726b6d61726b;
constexpr int kRounds = 10'000;

void* const kPlace = reinterpret_cast<void*>(0x30000000);

uint64_t word_of(kairos_handle_t memory) {
    uint64_t word = 0;
    REQUIRE_STATUS(0, kairos_memory_read(memory, 0, &word, sizeof(word)));
    return word;
}

void map_at_place(kairos_handle_t memory) {
    void* address = kPlace;
    REQUIRE_STATUS(
        0, kairos_map(kairos_self_aspace(), memory, 0, &address, kPage, KPROT_READ | KPROT_WRITE));
}

}  // namespace

//      storing thread                 mapping thread
//      stores the mark                maps a new page
//      stores the mark                unmaps it
//      -EFAULT                        drops it, has its frame again as another's: stays zero?
TEST("unmap: no store lands in what the page's frame becomes") {
    const Owned marks = make_memory();
    REQUIRE_STATUS(0, kairos_memory_write(marks, 0, &kMark, sizeof(kMark)));
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> stores{0};
    Worker storing([&] {
        while (!stop.load()) {
            const kairos_status_t status = kairos_memory_read(marks, 0, kPlace, sizeof(kMark));
            if (status == 0) {
                ++stores;
            } else {
                EXPECT_STATUS(-EFAULT, status);
                kairos_yield();
            }
        }
    });
    int late = 0;
    for (int round = 0; round < kRounds; ++round) {
        Owned memory = make_memory();
        map_at_place(memory);
        // Every so often it is certain that the page is in use.
        if (round % 16 == 0) {
            const uint64_t seen = stores.load();
            while (stores.load() == seen) kairos_yield();
        }
        REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), kPlace, kPage));
        memory.close();
        const Owned next = make_memory();
        const uint64_t zero = 0;
        REQUIRE_STATUS(0, kairos_memory_write(next, 8, &zero, sizeof(zero)));
        if (word_of(next) != 0) ++late;
    }
    stop.store(true);
    storing.join();
    EXPECT_EQ(0, late);
}

TEST("resize: no store lands in what a cut-off page's frame becomes") {
    const Owned marks = make_memory();
    REQUIRE_STATUS(0, kairos_memory_write(marks, 0, &kMark, sizeof(kMark)));
    Owned memory;
    REQUIRE_STATUS(0, kairos_memory_create(2 * kPage, KMEMORY_CREATE_RESIZABLE, memory.out()));
    void* address = nullptr;
    REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &address, 2 * kPage,
                                 KPROT_READ | KPROT_WRITE));
    char* const second = static_cast<char*>(address) + kPage;
    std::atomic<bool> stop{false};
    Worker storing([&] {
        while (!stop.load()) {
            if (kairos_memory_read(marks, 0, second, sizeof(kMark)) != 0) kairos_yield();
        }
    });
    for (int round = 0; round < kRounds / 20; ++round) {
        REQUIRE_STATUS(0, kairos_memory_resize(memory, 2 * kPage));
        kairos_yield();
        REQUIRE_STATUS(0, kairos_memory_resize(memory, kPage));
        const Owned next = make_memory();
        const uint64_t zero = 0;
        REQUIRE_STATUS(0, kairos_memory_write(next, 8, &zero, sizeof(zero)));
        if (!EXPECT_EQ(0u, word_of(next))) break;
    }
    stop.store(true);
    storing.join();
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), address, 2 * kPage));
}
