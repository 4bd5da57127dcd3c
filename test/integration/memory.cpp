// Memory objects: creation, reading and writing without a mapping. Mappings are in map.cpp.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "workers.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;

kairos_info_memory info(kairos_handle_t memory) {
    return info_of<kairos_info_memory>(memory, KAIROS_INFO_MEMORY);
}

}  // namespace

TEST("create: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_handle_t*>(bad.kernel());
    EXPECT_STATUS(-EINVAL, kairos_memory_create(kPage, 1, kernel));
    EXPECT_STATUS(-EINVAL, kairos_memory_create(kPage, ~0u, kernel));
    EXPECT_STATUS(-EINVAL, kairos_memory_create(0, 0, kernel));
    EXPECT_STATUS(-EFAULT, kairos_memory_create(kPage, 0, kernel));
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_memory_create(kPage, 0, out));
}

TEST("create: absurd sizes") {
    kairos_handle_t out = 77;
    for (const uint64_t size :
         {UINT64_MAX, UINT64_MAX - kPage + 1, uint64_t{1} << 63, uint64_t{1} << 48}) {
        EXPECT_ONE_OF(ANY(-EINVAL, -ENOMEM, -EDQUOT), kairos_memory_create(size, 0, &out));
    }
    EXPECT_EQ(77u, out);
}

TEST("create: sizes are whole pages") {
    EXPECT_EQ(kPage, info(make_memory(1)).size);
    EXPECT_EQ(kPage, info(make_memory(kPage)).size);
    EXPECT_EQ(2 * kPage, info(make_memory(kPage + 1)).size);
    EXPECT_EQ(0u, info(make_memory(kPage)).physical);
}

TEST("create: pages are taken as they are touched, and are zero") {
    const Owned memory = make_memory(1 << 20);
    EXPECT_EQ(0u, info(memory).committed);
    uint64_t value = 1;
    REQUIRE_STATUS(0, kairos_memory_write(memory, 5 * kPage, &value, sizeof(value)));
    EXPECT_EQ(kPage, info(memory).committed);
    static char bytes[2 * kPage];
    memset(bytes, 0xee, sizeof(bytes));
    REQUIRE_STATUS(0, kairos_memory_read(memory, 4 * kPage, bytes, sizeof(bytes)));
    for (size_t i = 0; i < sizeof(bytes); ++i) {
        if (!EXPECT_EQ(i == kPage ? 1 : 0, static_cast<int>(bytes[i]))) break;
    }
}

TEST("freed pages come back as zeros") {
    static char pattern[16 * kPage];
    memset(pattern, 0x5a, sizeof(pattern));
    for (int round = 0; round < 10; ++round) {
        const Owned memory = make_memory(sizeof(pattern));
        static char bytes[sizeof(pattern)];
        REQUIRE_STATUS(0, kairos_memory_read(memory, 0, bytes, sizeof(bytes)));
        for (const char byte : bytes) {
            if (!EXPECT_EQ(0, static_cast<int>(byte))) return;
        }
        REQUIRE_STATUS(0, kairos_memory_write(memory, 0, pattern, sizeof(pattern)));
    }
}

TEST("read and write: errors in their order") {
    const BadPointers bad;
    const Owned memory = make_memory(2 * kPage);
    const Owned blind = without(memory, KRIGHT_READ);
    const Owned mute = without(memory, KRIGHT_WRITE);
    const Owned event = make_event();
    const kairos_handle_t closed = closed_handle();
    char bytes[8] = {};
    EXPECT_STATUS(-EFAULT, kairos_memory_read(closed, 0, bad.kernel(), 8));
    EXPECT_STATUS(-EFAULT, kairos_memory_write(closed, 0, bad.kernel(), 8));
    EXPECT_STATUS(-EBADF, kairos_memory_read(closed, 0, bad.unreachable(), 8));
    EXPECT_STATUS(-EBADF, kairos_memory_write(closed, 0, bad.unreachable(), 8));
    EXPECT_STATUS(-ENOTSUP, kairos_memory_read(event, 0, bad.unreachable(), 8));
    EXPECT_STATUS(-ENOTSUP, kairos_memory_write(event, 0, bad.unreachable(), 8));
    EXPECT_STATUS(-EACCES, kairos_memory_read(blind, 0, bad.unreachable(), 8));
    EXPECT_STATUS(-EACCES, kairos_memory_write(mute, 0, bad.unreachable(), 8));
    EXPECT_STATUS(-EFAULT, kairos_memory_read(memory, 0, bad.unreachable(), 8));
    EXPECT_STATUS(-EFAULT, kairos_memory_write(memory, 0, bad.unreachable(), 8));
    EXPECT_STATUS(0, kairos_memory_read(mute, 0, bytes, 8));
    EXPECT_STATUS(0, kairos_memory_write(blind, 0, bytes, 8));
    EXPECT_OUTPUT_CHECKED(uint64_t, kairos_memory_read(memory, 0, out, sizeof(*out)));
    EXPECT_INPUT_CHECKED(uint64_t, kairos_memory_write(memory, 0, in, sizeof(*in)));
}

TEST("read and write: beyond the end") {
    const Owned memory = make_memory(2 * kPage);
    static char bytes[2 * kPage + 8];
    memset(bytes, 0xee, sizeof(bytes));
    const struct {
        uint64_t offset;
        size_t size;
    } wrong[] = {{2 * kPage, 1},      {2 * kPage - 1, 2},
                 {0, 2 * kPage + 1},  {UINT64_MAX, 1},
                 {UINT64_MAX - 3, 8}, {uint64_t{1} << 63, 8},
                 {3 * kPage, 1},      {UINT64_MAX - kPage + 1, kPage}};
    for (const auto& range : wrong) {
        EXPECT_STATUS(-EINVAL, kairos_memory_read(memory, range.offset, bytes, range.size));
        EXPECT_STATUS(-EINVAL, kairos_memory_write(memory, range.offset, bytes, range.size));
    }
    EXPECT_EQ('\xee', bytes[0]);
    EXPECT_EQ(0u, info(memory).committed);
    EXPECT_STATUS(0, kairos_memory_write(memory, 2 * kPage - 1, bytes, 1));
    EXPECT_STATUS(0, kairos_memory_write(memory, 0, bytes, 2 * kPage));
}

TEST("read and write: any offset, across pages") {
    const Owned memory = make_memory(4 * kPage);
    static unsigned char model[4 * kPage];
    static unsigned char bytes[4 * kPage];
    Random random(2024);
    for (int round = 0; round < 200; ++round) {
        const uint32_t offset = random.below(sizeof(model));
        const uint32_t size = 1 + random.below(static_cast<uint32_t>(sizeof(model) - offset));
        for (uint32_t i = 0; i < size; ++i) {
            bytes[i] = static_cast<unsigned char>(random.next());
            model[offset + i] = bytes[i];
        }
        REQUIRE_STATUS(0, kairos_memory_write(memory, offset, bytes, size));
        const uint32_t from = random.below(sizeof(model));
        const uint32_t length = 1 + random.below(static_cast<uint32_t>(sizeof(model) - from));
        REQUIRE_STATUS(0, kairos_memory_read(memory, from, bytes, length));
        if (!EXPECT_EQ(0, memcmp(bytes, model + from, length))) return;
    }
}

TEST("read: into memory that is mapped from the same object") {
    const Owned memory = make_memory(2 * kPage);
    void* address = nullptr;
    REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &address, 2 * kPage,
                                 KPROT_READ | KPROT_WRITE));
    strcpy(static_cast<char*>(address), "from here to there");
    char* there = static_cast<char*>(address) + kPage;
    EXPECT_STATUS(0, kairos_memory_read(memory, 0, there, 32));
    EXPECT_EQ(0, strcmp(there, "from here to there"));
    EXPECT_STATUS(0, kairos_memory_write(memory, 100, there, 32));
    EXPECT_EQ(0, strcmp(static_cast<char*>(address) + 100, "from here to there"));
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), address, 2 * kPage));
}

TEST("a memory object lives while a handle, a message or a mapping has it") {
    const Channel channel;
    Owned memory = make_memory();
    const uint64_t number = 0x1234;
    REQUIRE_STATUS(0, kairos_memory_write(memory, 0, &number, sizeof(number)));
    void* address = nullptr;
    REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &address, kPage, KPROT_READ));
    REQUIRE_STATUS(0, send_handle(channel.a, memory));
    EXPECT_EQ(number, *static_cast<const uint64_t*>(address));
    Inbox inbox;
    REQUIRE_STATUS(1, inbox.poll(channel.b));
    uint64_t read = 0;
    REQUIRE_STATUS(0, kairos_memory_read(inbox.received[0], 0, &read, sizeof(read)));
    EXPECT_EQ(number, read);
    inbox.received[0].close();
    EXPECT_EQ(number, *static_cast<const uint64_t*>(address));
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), address, kPage));
}

TEST("a large object, thinly used, and given back") {
    const Owned memory = make_memory(uint64_t{1} << 30);
    for (uint64_t offset = 0; offset < uint64_t{1} << 30; offset += uint64_t{1} << 24) {
        REQUIRE_STATUS(0, kairos_memory_write(memory, offset, &offset, sizeof(offset)));
    }
    EXPECT_EQ(64 * kPage, info(memory).committed);
    uint64_t read = 0;
    REQUIRE_STATUS(0, kairos_memory_read(memory, uint64_t{5} << 24, &read, sizeof(read)));
    EXPECT_EQ(uint64_t{5} << 24, read);
}
