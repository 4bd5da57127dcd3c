// Hostile program files and archives: the loader answers with an error and leaves nothing behind.
//
// The case makes an archive of its own in memory, with a small program that works and variants of
// it that are damaged, and gives it to a child, which tries to spawn each.
#include <kairos/archive.h>

#include "harness.h"
#include "messages.h"
#include "roles.h"
#include "tiny.h"
#include "workers.h"

#include <kairos/abi/elf.h>

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint64_t kCodeOffset = kPage;
constexpr uint64_t kFileSize = 2 * kPage;
constexpr uint64_t kAddress = 0x10000;
constexpr int kWorksCode = 7;

static_assert(KAIROS_SYS_process_exit == 32);
SNIPPET(works, ".option push\n .option norvc\n li a0, 7\n li a7, 32\n ecall\n unimp\n .option pop");

struct ProgramFile {
    kairos_elf_header header;
    kairos_elf_segment segments[3];
};

ProgramFile good_file() {
    ProgramFile file{};
    file.header = {.magic = KAIROS_ELF_MAGIC,
                   .file_class = KAIROS_ELF_CLASS_64,
                   .data_encoding = KAIROS_ELF_LITTLE_ENDIAN,
                   .version = 1,
                   .abi = {},
                   .type = KAIROS_ELF_TYPE_FIXED,
                   .machine = KAIROS_ELF_MACHINE_RISCV,
                   .file_version = 1,
                   .entry = kAddress,
                   .segments_offset = offsetof(ProgramFile, segments),
                   .sections_offset = 0,
                   .flags = 5,
                   .header_size = sizeof(kairos_elf_header),
                   .segment_entry_size = sizeof(kairos_elf_segment),
                   .segment_count = 1,
                   .section_entry_size = 64,
                   .section_count = 0,
                   .section_names = 0};
    file.segments[0] = {.type = KAIROS_ELF_SEGMENT_LOAD,
                        .flags = KAIROS_ELF_SEGMENT_READ | KAIROS_ELF_SEGMENT_EXECUTE,
                        .file_offset = kCodeOffset,
                        .address = kAddress,
                        .physical_address = kAddress,
                        .file_size = kPage,
                        .memory_size = kPage,
                        .alignment = kPage};
    return file;
}

// An archive of `count` files named "0000", "0001" and so on, each of kFileSize.
class Archive {
  public:
    static constexpr uint32_t kMaxFiles = 64;
    static constexpr uint64_t kIndexBytes = 2 * kPage;

    explicit Archive(uint32_t count)
        : header_{KAIROS_ARCHIVE_MAGIC, count, 0, kIndexBytes + count * kFileSize},
          memory_(make_memory(header_.size)) {
        for (uint32_t i = 0; i < count; ++i) {
            snprintf(entries_[i].name, sizeof(entries_[i].name), "%04u", static_cast<unsigned>(i));
            entries_[i].offset = kIndexBytes + i * kFileSize;
            entries_[i].size = kFileSize;
        }
        write_index();
    }
    void write_index() {
        write(0, &header_, sizeof(header_));
        write(sizeof(header_), entries_, sizeof(entries_[0]) * kMaxFiles);
    }
    void put(uint32_t number, const ProgramFile& file) {
        const uint64_t base = kIndexBytes + number * kFileSize;
        write(base, &file, sizeof(file));
        write(base + kCodeOffset, works, static_cast<size_t>(works_end - works));
    }
    void write(uint64_t offset, const void* bytes, size_t size) {
        REQUIRE_STATUS(0, kairos_memory_write(memory_, offset, bytes, size));
    }
    kairos_archive_header& header() { return header_; }
    kairos_archive_entry& entry(uint32_t number) { return entries_[number]; }

    // Lets a child spawn the first `count` files; what it was answered.
    void try_all(uint32_t count, int64_t* statuses) {
        Channel channel;
        const Owned process =
            spawn_role("spawns all files", {{KAIROS_BOOT_ARCHIVE, duplicate(memory_).release()},
                                            {KAIROS_BOOT_USER0, channel.b.release()}});
        for (uint32_t i = 0; i < count; ++i) {
            REQUIRE_STATUS(0, send_value(channel.a, i));
            Inbox inbox;
            REQUIRE_STATUS(1, inbox.receive(channel.a));
            statuses[i] = inbox.value<int64_t>();
        }
        channel.a.close();
        EXPECT_EQ(0, exit_code_of(process));
    }

  private:
    kairos_archive_header header_;
    kairos_archive_entry entries_[kMaxFiles] = {};
    Owned memory_;
};

// Spawned, but not to the right end.
constexpr int64_t kRan = 1;

}  // namespace

// For each number received: spawns that file; answers the error, the exit code 7 of the program
// that works, or kRan. Exits with 0 if no handle was lost.
ROLE("spawns all files") {
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_USER0);
    harness::warm_up_sdk();
    const uint32_t before = own_handles();
    Inbox inbox;
    while (inbox.receive(channel) == 1) {
        char name[16];
        snprintf(name, sizeof(name), "%04u", static_cast<unsigned>(inbox.value<uint32_t>()));
        char* argv[] = {name, nullptr};
        kairos_handle_t value = KAIROS_HANDLE_INVALID;
        int64_t answer = kairos_spawn(name, argv, nullptr, 0, &value);
        if (answer >= 0) {
            const Owned process(value);
            // A damaged program may do anything, for ever; one that works ends, though on a busy
            // machine not at once.
            if (kairos_process_wait(process, kairos_clock_now() + 5'000'000'000, &answer) != 0) {
                kairos_process_kill(process, kRan);
                kairos_process_wait(process, kForever, nullptr);
                answer = kRan;
            } else if (answer != kWorksCode) {
                answer = kRan;
            }
        }
        if (send_value(channel, answer) != 0) return 2;
    }
    return own_handles() == before ? 0 : 3;
}

TEST("the small program works, wherever it lies in the archive") {
    Archive archive(3);
    for (uint32_t i = 0; i < 3; ++i) archive.put(i, good_file());
    int64_t statuses[3];
    archive.try_all(3, statuses);
    for (const int64_t status : statuses) EXPECT_EQ(kWorksCode, status);
}

TEST("damaged programs are no programs") {
    using File = ProgramFile;
    const struct {
        const char* what;
        void (*damage)(File&);
    } damages[] = {
        {"magic", [](File& f) { f.header.magic ^= 0x100; }},
        {"32 bits", [](File& f) { f.header.file_class = 1; }},
        {"big-endian", [](File& f) { f.header.data_encoding = 2; }},
        {"relocatable", [](File& f) { f.header.type = 1; }},
        {"a core file", [](File& f) { f.header.type = 4; }},
        {"another machine", [](File& f) { f.header.machine = 62; }},
        {"no segments", [](File& f) { f.header.segment_count = 0; }},
        {"too many segments", [](File& f) { f.header.segment_count = UINT16_MAX; }},
        {"small entries", [](File& f) { f.header.segment_entry_size = 8; }},
        {"empty entries", [](File& f) { f.header.segment_entry_size = 0; }},
        {"segments beyond the end", [](File& f) { f.header.segments_offset = kFileSize; }},
        {"segments across the end", [](File& f) { f.header.segments_offset = kFileSize - 8; }},
        {"segments at the end of numbers", [](File& f) { f.header.segments_offset = ~0ull - 7; }},
        {"nothing to load", [](File& f) { f.segments[0].type = 0; }},
        {"an interpreter",
         [](File& f) {
             f.header.segment_count = 2;
             f.segments[1] = f.segments[0];
             f.segments[1].type = KAIROS_ELF_SEGMENT_INTERPRETER;
         }},
        {"bytes beyond the end", [](File& f) { f.segments[0].file_offset = kFileSize; }},
        {"bytes across the end", [](File& f) { f.segments[0].file_offset = kCodeOffset + 8; }},
        {"an offset that wraps", [](File& f) { f.segments[0].file_offset = ~0ull - kPage + 1; }},
        {"more bytes than memory", [](File& f) { f.segments[0].memory_size = kPage - 1; }},
        {"more bytes than the file",
         [](File& f) { f.segments[0].file_size = f.segments[0].memory_size = 16 * kPage; }},
        {"memory without end", [](File& f) { f.segments[0].memory_size = ~0ull; }},
        {"memory up to the end of numbers",
         [](File& f) { f.segments[0].memory_size = ~0ull - kAddress + 1; }},
        {"a kernel address",
         [](File& f) { f.header.entry = f.segments[0].address = 0xffffffc000000000; }},
        {"the end of user addresses",
         [](File& f) { f.header.entry = f.segments[0].address = (1ull << 38) - 8; }},
        {"the last address", [](File& f) { f.header.entry = f.segments[0].address = ~0ull; }},
        {"writable code", [](File& f) { f.segments[0].flags = 7; }},
        {"code that may not run", [](File& f) { f.segments[0].flags = 4; }},
        {"an entry before the code", [](File& f) { f.header.entry = kAddress - 2; }},
        {"an entry behind the code", [](File& f) { f.header.entry = kAddress + kPage; }},
        {"no entry", [](File& f) { f.header.entry = 0; }},
        {"segments that overlap",
         [](File& f) {
             f.header.segment_count = 2;
             f.segments[1] = f.segments[0];
             f.segments[1].flags = 6;
         }},
        {"segments that share a page",
         [](File& f) {
             f.header.segment_count = 2;
             f.segments[0].memory_size = f.segments[0].file_size = 64;
             f.segments[1] = f.segments[0];
             f.segments[1].address += 2048;
             f.segments[1].file_offset += 2048;
             f.segments[1].flags = 6;
         }},
    };
    constexpr uint32_t kCount = sizeof(damages) / sizeof(damages[0]);
    Archive archive(kCount);
    for (uint32_t i = 0; i < kCount; ++i) {
        ProgramFile file = good_file();
        damages[i].damage(file);
        archive.put(i, file);
    }
    int64_t statuses[kCount];
    archive.try_all(kCount, statuses);
    for (uint32_t i = 0; i < kCount; ++i) {
        if (!EXPECT_STATUS(-ENOEXEC, statuses[i])) harness::print("    with %s", damages[i].what);
    }
}

TEST("files that are too short") {
    const uint64_t sizes[] = {0, 1, 4, 63, 64, 64 + 55, kCodeOffset, kFileSize - 1};
    constexpr uint32_t kCount = sizeof(sizes) / sizeof(sizes[0]);
    Archive archive(kCount);
    for (uint32_t i = 0; i < kCount; ++i) {
        archive.put(i, good_file());
        archive.entry(i).size = sizes[i];
    }
    archive.write_index();
    int64_t statuses[kCount];
    archive.try_all(kCount, statuses);
    for (const int64_t status : statuses) EXPECT_STATUS(-ENOEXEC, status);
}

TEST("damaged archives") {
    const auto status_of_first = [](Archive& archive) {
        archive.write_index();
        int64_t status = 77;
        archive.try_all(1, &status);
        return status;
    };
    const auto fresh = [] {
        Archive archive(2);
        archive.put(0, good_file());
        archive.put(1, good_file());
        return archive;
    };
    {
        Archive archive = fresh();
        archive.header().magic ^= 1;
        EXPECT_STATUS(-ENOENT, status_of_first(archive));
    }
    {
        Archive archive = fresh();
        archive.header().count = 0;
        EXPECT_STATUS(-ENOENT, status_of_first(archive));
    }
    for (const uint32_t count : {Archive::kMaxFiles + 1000, 1u << 20, UINT32_MAX}) {
        Archive archive = fresh();
        archive.header().count = count;
        EXPECT_ONE_OF(ANY(-ENOENT, -ENOEXEC, kWorksCode), status_of_first(archive));
    }
    for (const uint64_t offset : {uint64_t{1} << 40, ~uint64_t{kPage - 1}, ~uint64_t{0},
                                  Archive::kIndexBytes + 8, Archive::kIndexBytes + 4 * kFileSize}) {
        Archive archive = fresh();
        archive.entry(0).offset = offset;
        EXPECT_ONE_OF(ANY(-ENOENT, -ENOEXEC), status_of_first(archive));
    }
    for (const uint64_t size : {uint64_t{1} << 40, ~uint64_t{0}}) {
        Archive archive = fresh();
        archive.entry(0).size = size;
        EXPECT_ONE_OF(ANY(-ENOENT, -ENOEXEC), status_of_first(archive));
    }
    {
        Archive archive = fresh();
        memset(archive.entry(0).name, 'n', sizeof(archive.entry(0).name));
        memset(archive.entry(1).name, 'n', sizeof(archive.entry(1).name));
        EXPECT_STATUS(-ENOENT, status_of_first(archive));
    }
}

TEST("an archive that is no archive") {
    const Owned too_small = make_memory(8);
    const Owned event = make_event();
    for (const kairos_handle_t handle : {kairos_handle_t{too_small}, kairos_handle_t{event}}) {
        Channel channel;
        const Owned process =
            spawn_role("spawns all files", {{KAIROS_BOOT_ARCHIVE, duplicate(handle).release()},
                                            {KAIROS_BOOT_USER0, channel.b.release()}});
        REQUIRE_STATUS(0, send_value(channel.a, uint32_t{0}));
        Inbox inbox;
        REQUIRE_STATUS(1, inbox.receive(channel.a));
        EXPECT(inbox.value<int64_t>() < 0);
        channel.a.close();
        EXPECT_EQ(0, exit_code_of(process));
    }
}

TEST("random damage does no harm") {
    constexpr uint32_t kCount = 40;
    const uint64_t seed = kairos_clock_now();
    harness::print("    seed %llu", static_cast<unsigned long long>(seed));
    Random random(seed);
    Archive archive(kCount);
    for (uint32_t i = 0; i < kCount; ++i) {
        ProgramFile file = good_file();
        auto* bytes = reinterpret_cast<unsigned char*>(&file);
        const uint32_t end = offsetof(ProgramFile, segments) + sizeof(kairos_elf_segment);
        for (uint32_t flips = 1 + random.below(4); flips > 0; --flips) {
            bytes[random.below(end)] ^= static_cast<unsigned char>(1u << random.below(8));
        }
        archive.put(i, file);
    }
    int64_t statuses[kCount];
    archive.try_all(kCount, statuses);
    for (const int64_t status : statuses) {
        EXPECT_ONE_OF(ANY(kWorksCode, kRan, -ENOEXEC, -ENOMEM, -EDQUOT), status);
    }
}
