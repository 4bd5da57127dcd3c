// Clones of memory objects, and memory that changes its size: what each side sees, through
// mappings, calls and messages; errors; budgets.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "tiny.h"
#include "workers.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint32_t kReadWrite = KPROT_READ | KPROT_WRITE;

Owned clone_of(kairos_handle_t memory, uint64_t size, uint64_t offset = 0, uint32_t flags = 0) {
    Owned clone;
    REQUIRE_STATUS(0, kairos_memory_clone(memory, offset, size, flags, clone.out()));
    return clone;
}

Owned make_resizable(uint64_t size) {
    Owned memory;
    REQUIRE_STATUS(0, kairos_memory_create(size, KMEMORY_CREATE_RESIZABLE, memory.out()));
    return memory;
}

uint64_t word_at(kairos_handle_t memory, uint64_t offset) {
    uint64_t word = 0;
    REQUIRE_STATUS(0, kairos_memory_read(memory, offset, &word, sizeof(word)));
    return word;
}

void set_word(kairos_handle_t memory, uint64_t offset, uint64_t word) {
    REQUIRE_STATUS(0, kairos_memory_write(memory, offset, &word, sizeof(word)));
}

kairos_info_memory info(kairos_handle_t memory) {
    return info_of<kairos_info_memory>(memory, KAIROS_INFO_MEMORY);
}

// A mapping of the calling process that goes with it.
class Mapped {
  public:
    Mapped(kairos_handle_t memory, uint64_t size, uint32_t protection = kReadWrite) : size_(size) {
        REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &address_, size, protection));
    }
    ~Mapped() { kairos_unmap(kairos_self_aspace(), address_, size_); }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;

    volatile uint64_t& word(uint64_t page) const {
        return *reinterpret_cast<volatile uint64_t*>(bytes() + page * kPage);
    }
    char* bytes() const { return static_cast<char*>(address_); }

  private:
    void* address_ = nullptr;
    uint64_t size_;
};

uint64_t used_of_budget() {
    return info_of<kairos_info_budget>(kairos_self_process(), KAIROS_INFO_BUDGET).used;
}

}  // namespace

// ---- Clones -------------------------------------------------------------------------------------

TEST("clone: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_handle_t*>(bad.kernel());
    const Owned memory = make_memory(4 * kPage);
    const Owned no_read = without(memory, KRIGHT_READ);
    const Owned event = make_event();
    const kairos_handle_t closed = closed_handle();
    kairos_handle_t out = 77;
    EXPECT_STATUS(-EINVAL, kairos_memory_clone(closed, 0, kPage, 1, kernel));
    EXPECT_STATUS(-EINVAL, kairos_memory_clone(closed, 0, kPage, ~0u, kernel));
    EXPECT_STATUS(-EINVAL, kairos_memory_clone(closed, 0, 0, 0, kernel));
    EXPECT_STATUS(-EINVAL, kairos_memory_clone(closed, 0, 1, 0, kernel));
    EXPECT_STATUS(-EINVAL, kairos_memory_clone(closed, 8, kPage, 0, kernel));
    EXPECT_STATUS(-EFAULT, kairos_memory_clone(closed, 0, kPage, 0, kernel));
    EXPECT_STATUS(-EBADF, kairos_memory_clone(closed, 0, kPage, 0, &out));
    EXPECT_STATUS(-ENOTSUP, kairos_memory_clone(event, 0, kPage, 0, &out));
    EXPECT_STATUS(-EACCES, kairos_memory_clone(no_read, 0, kPage, 0, &out));
    EXPECT_STATUS(-EINVAL, kairos_memory_clone(memory, 0, 5 * kPage, 0, &out));
    EXPECT_STATUS(-EINVAL, kairos_memory_clone(memory, 4 * kPage, kPage, 0, &out));
    EXPECT_STATUS(-EINVAL, kairos_memory_clone(memory, ~(kPage - 1), 2 * kPage, 0, &out));
    EXPECT_EQ(77u, out);
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_memory_clone(memory, 0, kPage, 0, out));
}

TEST("clone: neither side sees what the other writes, by whatever way") {
    const Owned memory = make_memory(4 * kPage);
    const Mapped before(memory, 4 * kPage);
    for (uint64_t i = 0; i < 3; ++i) before.word(i) = 100 + i;
    const Owned clone = clone_of(memory, 4 * kPage);
    const Mapped after(memory, 4 * kPage);
    const Mapped cloned(clone, 4 * kPage);
    for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(100 + i, cloned.word(i));
    EXPECT_EQ(0u, cloned.word(3));

    before.word(0) = 1;  // through a mapping from before, which was writable
    set_word(memory, kPage, 2);
    cloned.word(2) = 3;
    set_word(clone, 3 * kPage, 4);
    EXPECT_EQ(1u, after.word(0));
    EXPECT_EQ(2u, after.word(1));
    EXPECT_EQ(102u, after.word(2));
    EXPECT_EQ(0u, after.word(3));
    EXPECT_EQ(1u, word_at(memory, 0));
    EXPECT_EQ(100u, cloned.word(0));
    EXPECT_EQ(101u, word_at(clone, kPage));
    EXPECT_EQ(3u, word_at(clone, 2 * kPage));
    EXPECT_EQ(4u, cloned.word(3));

    // Into a shared page by the kernel: a message.
    const Owned second = clone_of(memory, kPage);
    const Channel channel;
    REQUIRE_STATUS(0, send_text(channel.a, "by message"));
    kairos_channel_msg into = {
        .bytes = before.bytes(), .handles = nullptr, .num_bytes = 64, .num_handles = 0, .txid = 0};
    REQUIRE_STATUS(1, kairos_channel_recv(channel.b, &into, 0, kForever));
    EXPECT_EQ(0, strcmp("by message", before.bytes()));
    EXPECT_EQ(0, strcmp("by message", after.bytes()));
    EXPECT_EQ(1u, word_at(second, 0));
}

TEST("clone: a part, and what lies beyond it") {
    const Owned memory = make_memory(8 * kPage);
    for (uint64_t i = 0; i < 8; ++i) set_word(memory, i * kPage, 10 + i);
    const Owned clone = clone_of(memory, 3 * kPage, 4 * kPage);
    EXPECT_EQ(3 * kPage, info(clone).size);
    for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(14 + i, word_at(clone, i * kPage));
    uint64_t word = 0;
    EXPECT_STATUS(-EINVAL, kairos_memory_read(clone, 3 * kPage, &word, sizeof(word)));
}

TEST("clone: of a clone of a clone, and each outlives the one before") {
    constexpr int kGenerations = 300;
    Owned memory = make_memory(2 * kPage);
    set_word(memory, 0, 42);
    for (uint64_t i = 0; i < kGenerations; ++i) {
        Owned next = clone_of(memory, 2 * kPage);
        set_word(next, kPage, i);
        memory = std::move(next);
    }
    EXPECT_EQ(42u, word_at(memory, 0));
    EXPECT_EQ(uint64_t{kGenerations - 1}, word_at(memory, kPage));
}

TEST("clone: more of one page than can be counted") {
    constexpr int kClones = 400;
    const Owned memory = make_memory();
    set_word(memory, 0, 7);
    Owned clones[kClones];
    for (Owned& clone : clones) clone = clone_of(memory, kPage);
    set_word(memory, 0, 8);
    for (Owned& clone : clones) {
        if (!EXPECT_EQ(7u, word_at(clone, 0))) break;
        set_word(clone, 0, 9);
    }
    EXPECT_EQ(8u, word_at(memory, 0));
}

TEST("clone: of memory that is mapped in many places, and mapped in more afterwards") {
    constexpr int kMappings = 80;
    const Owned memory = make_memory();
    set_word(memory, 0, 1);
    void* addresses[kMappings];
    const auto map_all = [&](int from, int to) {
        for (int i = from; i < to; ++i) {
            addresses[i] = nullptr;
            REQUIRE_STATUS(
                0, kairos_map(kairos_self_aspace(), memory, 0, &addresses[i], kPage, kReadWrite));
            EXPECT_EQ(uint64_t(i) + 1, *static_cast<volatile uint64_t*>(addresses[i]));
            *static_cast<volatile uint64_t*>(addresses[i]) = uint64_t(i) + 2;
        }
    };
    map_all(0, 20);
    const Owned few = clone_of(memory, kPage);
    map_all(20, kMappings);
    const Owned many = clone_of(memory, kPage);
    EXPECT_EQ(uint32_t{kMappings}, info(memory).mappings);
    *static_cast<volatile uint64_t*>(addresses[5]) = 5;
    for (void* address : addresses) EXPECT_EQ(5u, *static_cast<volatile uint64_t*>(address));
    EXPECT_EQ(21u, word_at(few, 0));
    EXPECT_EQ(uint64_t{kMappings} + 1, word_at(many, 0));
    for (void* address : addresses) {
        REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), address, kPage));
    }
}

TEST("clone: is charged as a copy, and writing costs nothing more") {
    constexpr uint64_t kPages = 64;
    const Owned memory = make_memory(1024 * kPage);
    for (uint64_t i = 0; i < kPages; ++i) set_word(memory, i * kPage, i);
    const uint64_t before = used_of_budget();
    {
        const Owned clone = clone_of(memory, 1024 * kPage);
        const uint64_t with_clone = used_of_budget();
        EXPECT(with_clone >= before + kPages * kPage);
        EXPECT(with_clone < before + (kPages + 8) * kPage);
        EXPECT_EQ(kPages * kPage, info(clone).committed);
        for (uint64_t i = 0; i < kPages; ++i) set_word(clone, i * kPage, 2 * i);
        EXPECT_EQ(with_clone, used_of_budget());
    }
    const harness::Patience patience;
    while (used_of_budget() != before && patience.wait()) {}
    EXPECT_EQ(before, used_of_budget());
}

TEST("clone: keeps to read-only and execute-only, and what it is cloned from may be read-only") {
    const Prober prober;
    const Owned memory = make_memory();
    set_word(memory, 0, 5);
    const Owned reader = duplicate(memory, KRIGHT_READ | KRIGHT_MAP);
    const Mapped shown(reader, kPage, KPROT_READ);
    const Owned clone = clone_of(reader, kPage);
    EXPECT(!prober.can_write(shown.bytes()));
    const Mapped own(clone, kPage);
    own.word(0) = 6;
    EXPECT_EQ(5u, shown.word(0));
    EXPECT_STATUS(-EACCES, kairos_protect(kairos_self_aspace(), shown.bytes(), kPage, kReadWrite));
    REQUIRE_STATUS(0, kairos_protect(kairos_self_aspace(), own.bytes(), kPage, KPROT_READ));
    EXPECT(!prober.can_write(own.bytes()));
}

TEST("clone: of the boot archive, which stays as it is") {
    const kairos_handle_t archive = kairos_bootstrap(KAIROS_BOOT_ARCHIVE);
    const uint64_t magic = word_at(archive, 0);
    const Owned clone = clone_of(archive, kPage);
    const Mapped mapped(clone, kPage);
    EXPECT_EQ(magic, mapped.word(0));
    mapped.word(0) = 1;
    EXPECT_EQ(magic, word_at(archive, 0));
    EXPECT_EQ(1u, word_at(clone, 0));
}

// One thread counts up in both words of a page, the second always after the first; the other
// clones. In every clone the second is not ahead of the first, and it stays as it was.
TEST("clone: while another thread writes") {
    const Owned memory = make_memory();
    const Mapped mapped(memory, kPage);
    auto* words = &mapped.word(0);
    std::atomic<bool> stop{false};
    Worker writer([&] {
        for (uint64_t i = 1; !stop.load(); ++i) {
            words[0] = i;
            std::atomic_thread_fence(std::memory_order_seq_cst);
            words[1] = i;
        }
    });
    while (words[1] == 0) kairos_yield();
    for (int round = 0; round < 200; ++round) {
        const Owned clone = clone_of(memory, kPage);
        uint64_t first[2];
        uint64_t again[2];
        REQUIRE_STATUS(0, kairos_memory_read(clone, 0, first, sizeof(first)));
        for (const uint64_t seen = words[1]; words[1] == seen;) kairos_yield();
        REQUIRE_STATUS(0, kairos_memory_read(clone, 0, again, sizeof(again)));
        EXPECT(first[1] <= first[0] && first[0] - first[1] <= 1);
        EXPECT(first[0] == again[0] && first[1] == again[1]);
    }
    stop.store(true);
}

// ---- Sizes --------------------------------------------------------------------------------------

TEST("resize: errors in their order") {
    const Owned memory = make_resizable(kPage);
    const Owned fixed = make_memory();
    const Owned no_manage = without(memory, KRIGHT_MANAGE);
    const Owned event = make_event();
    const kairos_handle_t closed = closed_handle();
    EXPECT_STATUS(-EINVAL, kairos_memory_resize(closed, 0));
    EXPECT_STATUS(-EBADF, kairos_memory_resize(closed, kPage));
    EXPECT_STATUS(-ENOTSUP, kairos_memory_resize(event, kPage));
    EXPECT_STATUS(-EACCES, kairos_memory_resize(no_manage, kPage));
    EXPECT_STATUS(-ENOTSUP, kairos_memory_resize(fixed, kPage));
    EXPECT_STATUS(-EINVAL, kairos_memory_resize(memory, UINT64_MAX));
    EXPECT_STATUS(-EINVAL, kairos_memory_resize(memory, uint64_t{1} << 48));
    EXPECT_EQ(kPage, info(memory).size);
    EXPECT_EQ(KMEMORY_CREATE_RESIZABLE, info(memory).flags);
    EXPECT_EQ(0u, info(fixed).flags);
}

TEST("resize: what is cut off is gone from mappings, and comes back as zeros") {
    const Prober prober;
    const Owned memory = make_resizable(6 * kPage);
    const Mapped mapped(memory, 6 * kPage);
    for (uint64_t i = 0; i < 6; ++i) mapped.word(i) = 60 + i;
    EXPECT_STATUS(0, kairos_memory_resize(memory, 2 * kPage + 1));
    EXPECT_EQ(3 * kPage, info(memory).size);
    EXPECT_EQ(3 * kPage, info(memory).committed);
    for (uint64_t i = 0; i < 6; ++i) EXPECT_EQ(i < 3, prober.can_read(mapped.bytes() + i * kPage));
    uint64_t word = 0;
    EXPECT_STATUS(-EINVAL, kairos_memory_read(memory, 3 * kPage, &word, sizeof(word)));
    void* address = nullptr;
    EXPECT_STATUS(-EINVAL,
                  kairos_map(kairos_self_aspace(), memory, 3 * kPage, &address, kPage, KPROT_READ));
    EXPECT_STATUS(0, kairos_memory_resize(memory, 5 * kPage));
    EXPECT_EQ(62u, mapped.word(2));
    EXPECT_EQ(0u, mapped.word(3));
    EXPECT_EQ(0u, mapped.word(4));
    EXPECT(!prober.can_read(mapped.bytes() + 5 * kPage));
}

TEST("resize: to sizes that need more levels, and back") {
    const Owned memory = make_resizable(kPage);
    set_word(memory, 0, 9);
    for (const uint64_t size : {uint64_t{4} << 20, uint64_t{8} << 30, uint64_t{1} << 37}) {
        REQUIRE_STATUS(0, kairos_memory_resize(memory, size));
        set_word(memory, size - kPage, size);
        EXPECT_EQ(9u, word_at(memory, 0));
    }
    EXPECT_EQ(uint64_t{4} << 20, word_at(memory, (uint64_t{4} << 20) - kPage));
    EXPECT_EQ(4 * kPage, info(memory).committed);
    REQUIRE_STATUS(0, kairos_memory_resize(memory, kPage));
    EXPECT_EQ(kPage, info(memory).committed);
    EXPECT_EQ(9u, word_at(memory, 0));
}

TEST("resize: a thread that uses what is cut off faults") {
    TinyProcess tiny;
    const Owned memory = make_resizable(2 * kPage);
    void* address = reinterpret_cast<void*>(0x40000);
    REQUIRE_STATUS(0, kairos_map(tiny.space, memory, 0, &address, 2 * kPage, kReadWrite));
    tiny.set_code(tiny_count_there, tiny_count_there_end);
    tiny.start({}, 0x40000 + kPage);
    while (word_at(memory, kPage) == 0) kairos_yield();
    REQUIRE_STATUS(0, kairos_memory_resize(memory, kPage));
    EXPECT_EQ(-EFAULT, tiny.exit_code());
    EXPECT_EQ(0x40000u + kPage, process_info(tiny.process).fault_address);
}

TEST("resize: a clone keeps what is cut off from its source") {
    const Owned memory = make_resizable(4 * kPage);
    set_word(memory, 3 * kPage, 33);
    const Owned clone = clone_of(memory, 4 * kPage, 0, KMEMORY_CREATE_RESIZABLE);
    REQUIRE_STATUS(0, kairos_memory_resize(memory, kPage));
    EXPECT_EQ(33u, word_at(clone, 3 * kPage));
    REQUIRE_STATUS(0, kairos_memory_resize(clone, 8 * kPage));
    EXPECT_EQ(33u, word_at(clone, 3 * kPage));
    EXPECT_EQ(0u, word_at(clone, 7 * kPage));
}

TEST("resize: by two threads, while a third writes") {
    const Owned memory = make_resizable(16 * kPage);
    std::atomic<int> left{2};
    const auto resizer = [&](uint32_t seed) {
        Random random(seed);
        for (int i = 0; i < 200; ++i) {
            const kairos_status_t status =
                kairos_memory_resize(memory, (1 + random.below(16)) * kPage);
            EXPECT_ONE_OF(ANY(0, -EBUSY), status);
        }
        --left;
    };
    Worker first([&] { resizer(1); });
    Worker second([&] { resizer(2); });
    for (uint64_t i = 0; left.load() != 0; ++i) {
        const uint64_t word = i;
        EXPECT_ONE_OF(ANY(0, -EINVAL),
                      kairos_memory_write(memory, i % 16 * kPage, &word, sizeof(word)));
    }
    first.join();
    second.join();
    REQUIRE_STATUS(0, kairos_memory_resize(memory, 16 * kPage));
}
