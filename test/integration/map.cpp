// Mappings: errors in their order, addresses, splitting, protection and its ceiling, sharing. What
// happens at an access that is not allowed is in fault.cpp.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "tiny.h"
#include "workers.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint32_t kReadWrite = KPROT_READ | KPROT_WRITE;

kairos_handle_t self() { return kairos_self_aspace(); }
void* at(uint64_t address) { return reinterpret_cast<void*>(address); }

// Maps all of `memory` wherever the kernel likes; where.
char* map_all(kairos_handle_t memory, size_t length, uint32_t protection = kReadWrite) {
    void* address = nullptr;
    REQUIRE_STATUS(0, kairos_map(self(), memory, 0, &address, length, protection));
    return static_cast<char*>(address);
}

void unmap(char* address, size_t length) {
    REQUIRE_STATUS(0, kairos_unmap(self(), address, length));
}

}  // namespace

// ---- Errors
// --------------------------------------------------------------------------------------

TEST("map: errors in their order") {
    const BadPointers bad;
    const Owned memory = make_memory(2 * kPage);
    const Owned event = make_event();
    const kairos_handle_t closed = closed_handle();
    auto** kernel = static_cast<void**>(bad.kernel());
    void* address = nullptr;
    EXPECT_STATUS(-EINVAL, kairos_map(closed, closed, 0, kernel, kPage, 8));
    EXPECT_STATUS(-EINVAL, kairos_map(closed, closed, 0, kernel, kPage, ~0u));
    EXPECT_STATUS(-EFAULT, kairos_map(closed, closed, 0, kernel, kPage, kReadWrite));
    EXPECT_STATUS(-EFAULT, kairos_map(closed, closed, 0, nullptr, kPage, kReadWrite));
    EXPECT_STATUS(-EINVAL, kairos_map(closed, closed, 0, &address, 0, kReadWrite));
    EXPECT_STATUS(-EINVAL, kairos_map(closed, closed, 0, &address, 1, kReadWrite));
    EXPECT_STATUS(-EINVAL, kairos_map(closed, closed, 0, &address, kPage + 8, kReadWrite));
    EXPECT_STATUS(-EINVAL, kairos_map(closed, closed, 1, &address, kPage, kReadWrite));
    EXPECT_STATUS(-EBADF, kairos_map(closed, memory, 0, &address, kPage, kReadWrite));
    EXPECT_STATUS(-EBADF, kairos_map(self(), closed, 0, &address, kPage, kReadWrite));
    EXPECT_STATUS(-ENOTSUP, kairos_map(memory, memory, 0, &address, kPage, kReadWrite));
    EXPECT_STATUS(-ENOTSUP, kairos_map(self(), event, 0, &address, kPage, kReadWrite));
    EXPECT_EQ(nullptr, address);
}

TEST("map: rights that are missing") {
    const Owned memory = make_memory();
    void* address = nullptr;
    EXPECT_STATUS(-EACCES,
                  kairos_map(self(), memory, 0, &address, kPage, KPROT_WRITE | KPROT_EXEC));
    EXPECT_STATUS(-EACCES, kairos_map(self(), memory, 0, &address, kPage,
                                      KPROT_READ | KPROT_WRITE | KPROT_EXEC));
    const Owned no_map = without(memory, KRIGHT_MAP);
    const Owned no_read = without(memory, KRIGHT_READ);
    const Owned no_write = without(memory, KRIGHT_WRITE);
    const Owned no_execute = without(memory, KRIGHT_EXECUTE);
    EXPECT_STATUS(-EACCES, kairos_map(self(), no_map, 0, &address, kPage, KPROT_READ));
    EXPECT_STATUS(-EACCES, kairos_map(self(), no_map, 0, &address, kPage, 0));
    EXPECT_STATUS(-EACCES, kairos_map(self(), no_read, 0, &address, kPage, KPROT_READ));
    EXPECT_STATUS(-EACCES, kairos_map(self(), no_write, 0, &address, kPage, kReadWrite));
    EXPECT_STATUS(-EACCES,
                  kairos_map(self(), no_execute, 0, &address, kPage, KPROT_READ | KPROT_EXEC));
    const Owned bare_space = without(self(), KRIGHT_MAP);
    EXPECT_STATUS(-EACCES, kairos_map(bare_space, memory, 0, &address, kPage, KPROT_READ));
    EXPECT_STATUS(-EACCES, kairos_unmap(bare_space, at(kPage), kPage));
    EXPECT_STATUS(-EACCES, kairos_protect(bare_space, at(kPage), kPage, 0));
    EXPECT_EQ(nullptr, address);
}

TEST("map: beyond the end of the memory, or of user addresses") {
    const Owned memory = make_memory(2 * kPage);
    void* address = nullptr;
    EXPECT_STATUS(-EINVAL, kairos_map(self(), memory, 0, &address, 3 * kPage, kReadWrite));
    EXPECT_STATUS(-EINVAL, kairos_map(self(), memory, 2 * kPage, &address, kPage, kReadWrite));
    EXPECT_STATUS(-EINVAL, kairos_map(self(), memory, kPage, &address, 2 * kPage, kReadWrite));
    EXPECT_STATUS(
        -EINVAL, kairos_map(self(), memory, ~uint64_t{kPage - 1}, &address, 2 * kPage, kReadWrite));
    EXPECT_STATUS(-EINVAL,
                  kairos_map(self(), memory, 0, &address, ~uint64_t{kPage - 1}, kReadWrite));
    EXPECT_EQ(nullptr, address);
    for (const uint64_t outside : {uint64_t{1} << 38, (uint64_t{1} << 38) - kPage,
                                   uint64_t{1} << 63, 0xffffffc000000000, ~uint64_t{kPage - 1}}) {
        address = at(outside);
        EXPECT_STATUS(-EFAULT, kairos_map(self(), memory, 0, &address, 2 * kPage, kReadWrite));
        EXPECT_EQ(at(outside), address);
    }
    address = at(kPage + 1);
    EXPECT_STATUS(-EINVAL, kairos_map(self(), memory, 0, &address, kPage, kReadWrite));
}

TEST("map: a result that cannot be written leaves no mapping") {
    const Owned memory = make_memory();
    const Pages pages;
    auto* where = reinterpret_cast<void**>(pages.begin());
    *where = at(0x7000000);
    pages.protect(KPROT_READ);
    EXPECT_ONE_OF(ANY(0, -EFAULT), kairos_map(self(), memory, 0, where, kPage, kReadWrite));
    // With an address that was given there may be nothing to write. Chosen, there is.
    kairos_unmap(self(), at(0x7000000), kPage);
    pages.protect(kReadWrite);
    *where = nullptr;
    pages.protect(KPROT_READ);
    EXPECT_STATUS(-EFAULT, kairos_map(self(), memory, 0, where, kPage, kReadWrite));
}

TEST("unmap and protect: errors in their order") {
    const Owned event = make_event();
    const kairos_handle_t closed = closed_handle();
    EXPECT_STATUS(-EINVAL, kairos_protect(closed, at(1), 0, 8));
    EXPECT_STATUS(-EINVAL, kairos_unmap(closed, at(kPage), 0));
    EXPECT_STATUS(-EINVAL, kairos_unmap(closed, at(kPage), 1));
    EXPECT_STATUS(-EINVAL, kairos_unmap(closed, at(kPage + 8), kPage));
    EXPECT_STATUS(-EINVAL, kairos_protect(closed, at(kPage), 0, KPROT_READ));
    EXPECT_STATUS(-EINVAL, kairos_protect(closed, at(kPage), 1, KPROT_READ));
    EXPECT_STATUS(-EINVAL, kairos_protect(closed, at(kPage + 8), kPage, KPROT_READ));
    EXPECT_STATUS(-EBADF, kairos_unmap(closed, at(kPage), kPage));
    EXPECT_STATUS(-EBADF, kairos_protect(closed, at(kPage), kPage, KPROT_READ));
    EXPECT_STATUS(-ENOTSUP, kairos_unmap(event, at(kPage), kPage));
    EXPECT_STATUS(-ENOTSUP, kairos_protect(event, at(kPage), kPage, KPROT_READ));
    for (const uint64_t outside :
         {uint64_t{1} << 38, uint64_t{1} << 63, 0xffffffc000000000, ~uint64_t{kPage - 1}}) {
        EXPECT_STATUS(-EFAULT, kairos_unmap(self(), at(outside), kPage));
        EXPECT_STATUS(-EFAULT, kairos_protect(self(), at(outside), kPage, KPROT_READ));
    }
    EXPECT_STATUS(-EFAULT, kairos_unmap(self(), at(kPage), ~uint64_t{kPage - 1}));
}

// ---- Addresses
// -----------------------------------------------------------------------------------

TEST("map: where the kernel likes") {
    const Owned memory = make_memory(2 * kPage);
    char* first = map_all(memory, 2 * kPage);
    char* second = map_all(memory, 2 * kPage);
    EXPECT(first != nullptr);
    EXPECT_EQ(0u, reinterpret_cast<uint64_t>(first) % kPage);
    EXPECT(first + 2 * kPage <= second || second + 2 * kPage <= first);
    strcpy(first + kPage, "seen in both");
    EXPECT_EQ(0, strcmp(second + kPage, "seen in both"));
    unmap(first, 2 * kPage);
    EXPECT_EQ(0, strcmp(second + kPage, "seen in both"));
    unmap(second, 2 * kPage);
}

TEST("map: a fixed address that is taken") {
    const Owned memory = make_memory(4 * kPage);
    const uint64_t base = 0x5000000;
    void* address = at(base + 2 * kPage);
    REQUIRE_STATUS(0, kairos_map(self(), memory, 0, &address, 2 * kPage, kReadWrite));
    EXPECT_EQ(at(base + 2 * kPage), address);
    for (const uint64_t offset : {2 * kPage, 3 * kPage, kPage}) {
        address = at(base + offset);
        EXPECT_STATUS(-EEXIST, kairos_map(self(), memory, 0, &address, 2 * kPage, kReadWrite));
    }
    address = at(base + kPage);
    EXPECT_STATUS(-EEXIST, kairos_map(self(), memory, 0, &address, 4 * kPage, KPROT_READ));
    address = at(base);
    EXPECT_STATUS(0, kairos_map(self(), memory, 0, &address, 2 * kPage, kReadWrite));
    address = at(base + 4 * kPage);
    EXPECT_STATUS(0, kairos_map(self(), memory, 0, &address, 2 * kPage, kReadWrite));
    unmap(static_cast<char*>(at(base)), 6 * kPage);
    address = at(base + kPage);
    EXPECT_STATUS(0, kairos_map(self(), memory, 0, &address, 4 * kPage, kReadWrite));
    unmap(static_cast<char*>(at(base + kPage)), 4 * kPage);
}

TEST("map: from an offset") {
    const Owned memory = make_memory(4 * kPage);
    const char text[] = "third page";
    REQUIRE_STATUS(0, kairos_memory_write(memory, 2 * kPage, text, sizeof(text)));
    void* address = nullptr;
    REQUIRE_STATUS(0, kairos_map(self(), memory, 2 * kPage, &address, kPage, KPROT_READ));
    EXPECT_EQ(0, strcmp(static_cast<char*>(address), text));
    unmap(static_cast<char*>(address), kPage);
}

TEST("map: into the space of another process") {
    TinyProcess tiny;
    const Owned memory = make_memory();
    void* address = at(0x40000);
    REQUIRE_STATUS(0, kairos_map(tiny.space, memory, 0, &address, kPage, kReadWrite));
    tiny.set_code(tiny_store, tiny_store_end);
    const char byte = 7;
    REQUIRE_STATUS(0, kairos_memory_write(memory, 5, &byte, 1));
    tiny.start({}, 0x40005);
    EXPECT_EQ(kTinyExitCode, tiny.exit_code());
    char read = 1;
    REQUIRE_STATUS(0, kairos_memory_read(memory, 5, &read, 1));
    EXPECT_EQ(0, static_cast<int>(read));
}

// ---- Parts
// ---------------------------------------------------------------------------------------

TEST("unmap: the middle of a mapping, and its ends") {
    const Prober prober;
    const Owned memory = make_memory(6 * kPage);
    char* base = map_all(memory, 6 * kPage);
    for (int i = 0; i < 6; ++i) base[i * kPage] = static_cast<char>('a' + i);
    unmap(base + 2 * kPage, 2 * kPage);
    unmap(base, kPage);
    unmap(base + 5 * kPage, kPage);
    for (const int gone : {0, 2, 3, 5}) EXPECT(!prober.can_read(base + gone * kPage));
    EXPECT_EQ('b', base[kPage]);
    EXPECT_EQ('e', base[4 * kPage]);
    // What was unmapped is still in the memory.
    char byte = 0;
    REQUIRE_STATUS(0, kairos_memory_read(memory, 3 * kPage, &byte, 1));
    EXPECT_EQ('d', byte);
    // Holes are passed over, and can be filled.
    void* address = base + 2 * kPage;
    REQUIRE_STATUS(0, kairos_map(self(), memory, 0, &address, 2 * kPage, KPROT_READ));
    EXPECT_EQ('a', base[2 * kPage]);
    unmap(base, 6 * kPage);
    for (int i = 0; i < 6; ++i) EXPECT(!prober.can_read(base + i * kPage));
    EXPECT_STATUS(0, kairos_unmap(self(), base, 6 * kPage));
}

TEST("protect: part of a mapping, back and forth") {
    const Prober prober;
    const Owned memory = make_memory(4 * kPage);
    char* base = map_all(memory, 4 * kPage);
    memset(base, 'x', 4 * kPage);
    REQUIRE_STATUS(0, kairos_protect(self(), base + kPage, 2 * kPage, KPROT_READ));
    EXPECT(prober.can_write(base));
    EXPECT(!prober.can_write(base + kPage));
    EXPECT(prober.can_read(base + 2 * kPage));
    EXPECT(prober.can_write(base + 3 * kPage));
    REQUIRE_STATUS(0, kairos_protect(self(), base, 2 * kPage, 0));
    EXPECT(!prober.can_read(base));
    EXPECT(!prober.can_read(base + kPage));
    EXPECT(prober.can_read(base + 2 * kPage));
    REQUIRE_STATUS(0, kairos_protect(self(), base, 4 * kPage, kReadWrite));
    for (int i = 0; i < 4; ++i) {
        EXPECT(prober.can_write(base + i * kPage));
        EXPECT_EQ('x', base[i * kPage + 1]);
    }
    unmap(base, 4 * kPage);
}

TEST("protect: never beyond the rights the handle had when mapping") {
    const Owned memory = make_memory();
    Owned reader = duplicate(memory, KRIGHT_READ | KRIGHT_MAP | KRIGHT_DUPLICATE);
    char* base = map_all(reader, kPage, KPROT_READ);
    EXPECT_STATUS(-EACCES, kairos_protect(self(), base, kPage, kReadWrite));
    EXPECT_STATUS(-EACCES, kairos_protect(self(), base, kPage, KPROT_READ | KPROT_EXEC));
    EXPECT_STATUS(-EACCES, kairos_protect(self(), base, kPage, KPROT_WRITE | KPROT_EXEC));
    EXPECT_STATUS(0, kairos_protect(self(), base, kPage, 0));
    EXPECT_STATUS(0, kairos_protect(self(), base, kPage, KPROT_READ));
    unmap(base, kPage);
    // What the handle loses afterwards does not matter.
    Owned writer = duplicate(memory);
    base = map_all(writer, kPage, KPROT_READ);
    REQUIRE_STATUS(0, kairos_cap_rights_limit(writer, KRIGHT_MAP));
    EXPECT_STATUS(0, kairos_protect(self(), base, kPage, kReadWrite));
    writer.close();
    base[0] = 'w';
    unmap(base, kPage);
}

TEST("protect: a range of which part is not mapped changes nothing") {
    const Prober prober;
    const Owned memory = make_memory(3 * kPage);
    char* base = map_all(memory, 3 * kPage);
    unmap(base + kPage, kPage);
    EXPECT_STATUS(-EINVAL, kairos_protect(self(), base, 3 * kPage, KPROT_READ));
    EXPECT_STATUS(-EINVAL, kairos_protect(self(), base + kPage, kPage, KPROT_READ));
    EXPECT(prober.can_write(base));
    EXPECT(prober.can_write(base + 2 * kPage));
    unmap(base, 3 * kPage);
}

TEST("no access: prot 0 keeps the addresses") {
    const Prober prober;
    const Owned memory = make_memory(2 * kPage);
    char* base = map_all(memory, 2 * kPage, 0);
    EXPECT(!prober.can_read(base));
    void* address = base;
    EXPECT_STATUS(-EEXIST, kairos_map(self(), memory, 0, &address, kPage, KPROT_READ));
    unmap(base, 2 * kPage);
}

// ---- Random sequences against a model
// ------------------------------------------------------------

TEST("random maps, unmaps and protects agree with a model") {
    constexpr uint32_t kSlots = 24;
    constexpr uint64_t kBase = 0x6000000;
    const uint64_t seed = kairos_clock_now();
    harness::print("    seed %llu", static_cast<unsigned long long>(seed));
    Random random(seed);
    const Prober prober;
    const Owned memory = make_memory(kSlots * kPage);
    struct Slot {
        bool mapped = false;
        uint32_t protection = 0;
        uint32_t page = 0;  // of the memory
    } model[kSlots];
    for (uint32_t i = 0; i < kSlots; ++i) {
        REQUIRE_STATUS(0, kairos_memory_write(memory, i * kPage, &i, sizeof(i)));
    }
    for (int step = 0; step < 1500; ++step) {
        const uint32_t first = random.below(kSlots);
        const uint32_t count = 1 + random.below(kSlots - first);
        const uint32_t protection = random.below(4) & kReadWrite;
        void* address = at(kBase + first * kPage);
        bool any = false;
        bool all = true;
        for (uint32_t i = first; i < first + count; ++i) {
            any = any || model[i].mapped;
            all = all && model[i].mapped;
        }
        switch (random.below(3)) {
            case 0: {
                const uint32_t page = random.below(kSlots - count + 1);
                const kairos_status_t status =
                    kairos_map(self(), memory, page * kPage, &address, count * kPage, protection);
                REQUIRE_STATUS(any ? -EEXIST : 0, status);
                for (uint32_t i = 0; !any && i < count; ++i) {
                    model[first + i] = {true, protection, page + i};
                }
                break;
            }
            case 1:
                REQUIRE_STATUS(0, kairos_unmap(self(), address, count * kPage));
                for (uint32_t i = first; i < first + count; ++i) model[i] = {};
                break;
            default:
                REQUIRE_STATUS(all ? 0 : -EINVAL,
                               kairos_protect(self(), address, count * kPage, protection));
                for (uint32_t i = first; all && i < first + count; ++i) {
                    model[i].protection = protection;
                }
        }
        const uint32_t probe = random.below(kSlots);
        auto* word = static_cast<uint32_t*>(at(kBase + probe * kPage));
        const Slot& slot = model[probe];
        REQUIRE_EQ(slot.mapped && slot.protection != 0, prober.can_read(word));
        REQUIRE_EQ(slot.mapped && (slot.protection & KPROT_WRITE) != 0, prober.can_write(word));
        if (slot.mapped && slot.protection != 0) REQUIRE_EQ(slot.page, *word);
    }
    REQUIRE_STATUS(0, kairos_unmap(self(), at(kBase), kSlots * kPage));
}
