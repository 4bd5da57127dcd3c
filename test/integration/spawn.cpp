// Spawning programs: arguments, handles, what is inherited (nothing), streams, errors, ends.
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "messages.h"
#include "roles.h"
#include "workers.h"

namespace {

constexpr uint32_t kUser0 = KAIROS_BOOT_USER0;

kairos_status_t spawn(const char* path, char* const argv[],
                      const kairos_spawn_handle* give = nullptr, size_t n = 0,
                      kairos_handle_t* process = nullptr) {
    kairos_handle_t ignored = KAIROS_HANDLE_INVALID;
    const kairos_status_t status =
        kairos_spawn(path, argv, give, n, process != nullptr ? process : &ignored);
    if (ignored != KAIROS_HANDLE_INVALID) {
        kairos_process_kill(ignored, 0);
        kairos_handle_close(ignored, 0);
    }
    return status;
}

// The arguments of a role, and what follows its name.
struct RoleArguments {
    explicit RoleArguments(const char* role) : list{harness::program_name, option, nullptr} {
        snprintf(name, sizeof(name), "%s", role);
        list[2] = name;
    }
    void add(char* argument) { list[count++] = argument; }
    char option[8] = "--role";
    char name[64];
    char* list[100];
    int count = 3;
};

}  // namespace

// ---- Arguments
// -----------------------------------------------------------------------------------

ROLE("compares its arguments") {
    if (harness::role_argc != 6) return 2;
    char** argv = harness::role_argv;
    const char* const expected[] = {"plain", "", "with space", "\x01\xff\xc3\xa4\"\\'%20", "--"};
    for (int i = 0; i < 5; ++i) {
        if (strcmp(argv[i], expected[i]) != 0) return 10 + i;
    }
    if (strlen(argv[5]) != 20'000) return 3;
    return argv[6] == nullptr ? 0 : 4;
}

TEST("arguments arrive as they are given") {
    RoleArguments arguments("compares its arguments");
    char plain[] = "plain", empty[] = "", space[] = "with space", dashes[] = "--";
    char odd[] = "\x01\xff\xc3\xa4\"\\'%20";
    static char large[20'001];
    memset(large, 'L', 20'000);
    for (char* argument : {plain, empty, space, odd, dashes, large}) arguments.add(argument);
    arguments.list[arguments.count] = nullptr;
    kairos_handle_t value = KAIROS_HANDLE_INVALID;
    REQUIRE_STATUS(0, spawn("self", arguments.list, nullptr, 0, &value));
    const Owned process(value);
    EXPECT_EQ(0, exit_code_of(process));
}

TEST("arguments that are too long") {
    RoleArguments arguments("compares its arguments");
    static char large[KCHANNEL_MAX_MSG_BYTES + 1];
    memset(large, 'L', sizeof(large) - 1);
    arguments.add(large);
    arguments.list[arguments.count] = nullptr;
    EXPECT_STATUS(-EMSGSIZE, spawn("self", arguments.list));
}

TEST("exit codes: of main, of exit, of process_exit") {
    EXPECT_EQ(33, run_role("returns 33"));
    EXPECT_EQ(34, run_role("calls exit 34"));
    EXPECT_EQ(-35, run_role("calls process_exit -35"));
}
ROLE("returns 33") { return 33; }
ROLE("calls exit 34") { exit(34); }
ROLE("calls process_exit -35") { kairos_process_exit(-35); }

TEST("a child that faults") {
    const Owned process = spawn_role("faults");
    EXPECT_STATUS(-EFAULT, exit_code_of(process));
    const kairos_info_process info = process_info(process);
    EXPECT_EQ(0x10u, info.fault_address);
    EXPECT_EQ(15u, info.fault_cause);
    EXPECT(info.fault_pc != 0);
}
ROLE("faults") {
    volatile uintptr_t address = 0x10;
    *reinterpret_cast<volatile int*>(address) = 1;
    return 0;
}

TEST("a stack that is run over faults") {
    const Owned process = spawn_role("runs over its stack");
    EXPECT_STATUS(-EFAULT, exit_code_of(process));
}
// Returns after `depth` frames of a page each.
[[gnu::noinline]] static int descend(int depth) {
    volatile char frame[4096];
    frame[0] = static_cast<char>(depth);
    return depth == 0 ? 0 : descend(depth - 1) + frame[0];
}
ROLE("runs over its stack") { return descend(1'000'000); }

// ---- Handles
// -------------------------------------------------------------------------------------

ROLE("counts what it was given") {
    uint32_t given = 0;
    for (uint32_t which = kUser0; which < KAIROS_BOOT_COUNT; ++which) {
        if (kairos_bootstrap(which) == KAIROS_HANDLE_INVALID) continue;
        ++given;
        // Each has a signal of its own set by the giver.
        if (!is_valid(kairos_bootstrap(which))) return -2;
        if (kairos_bootstrap(which) != kairos_bootstrap(which)) return -3;
    }
    return static_cast<int>(given);
}

TEST("as many handles as there are places") {
    constexpr uint32_t kPlaces = KAIROS_BOOT_COUNT - kUser0;
    kairos_spawn_handle give[kPlaces];
    for (uint32_t i = 0; i < kPlaces; ++i) {
        give[i].which = kUser0 + (i * 7) % kPlaces;
        REQUIRE_STATUS(0, kairos_event_create(&give[i].handle));
    }
    Owned process;
    REQUIRE_STATUS(0, try_spawn_role("counts what it was given", give, kPlaces, process.out()));
    for (const kairos_spawn_handle& one : give) EXPECT(!is_valid(one.handle));
    EXPECT_EQ(static_cast<int64_t>(kPlaces), exit_code_of(process));
}

ROLE("answers over its handles") {
    // Each place holds an endpoint; over it goes the number of the place.
    for (uint32_t which = kUser0; which < kUser0 + 16; ++which) {
        if (send_value(kairos_bootstrap(which), which) != 0) return 2;
    }
    return 0;
}

TEST("each handle is found at its place") {
    Channel channels[16];
    kairos_spawn_handle give[16];
    for (uint32_t i = 0; i < 16; ++i) give[i] = {kUser0 + i, channels[i].b.release()};
    Owned process;
    REQUIRE_STATUS(0, try_spawn_role("answers over its handles", give, 16, process.out()));
    for (uint32_t i = 0; i < 16; ++i) {
        Inbox inbox;
        REQUIRE_STATUS(1, inbox.receive(channels[i].a));
        EXPECT_EQ(kUser0 + i, inbox.value<uint32_t>());
    }
    EXPECT_EQ(0, exit_code_of(process));
    EXPECT_EQ(POLLHUP, ready(channels[3].a, 0));
}

ROLE("says what it has") {
    uint32_t has = 0;
    for (uint32_t which = 0; which < KAIROS_BOOT_COUNT; ++which) {
        if (kairos_bootstrap(which) != KAIROS_HANDLE_INVALID) has |= 1u << (which % 32);
    }
    if (kairos_self_process() == KAIROS_HANDLE_INVALID) return -2;
    if (kairos_self_aspace() == KAIROS_HANDLE_INVALID) return -3;
    if (kairos_self_thread() == KAIROS_HANDLE_INVALID) return -4;
    return static_cast<int>(has);
}

TEST("nothing is inherited but the archive, and that only if nothing else is said") {
    EXPECT_EQ(1 << KAIROS_BOOT_ARCHIVE, run_role("says what it has"));
    EXPECT_EQ(0, run_role("says what it has", {{KAIROS_BOOT_ARCHIVE, KAIROS_HANDLE_INVALID}}));
    Owned event = make_event();
    EXPECT_EQ((1 << KAIROS_BOOT_ARCHIVE) | (1 << KAIROS_BOOT_PARENT),
              run_role("says what it has", {{KAIROS_BOOT_PARENT, event.release()}}));
}

ROLE("counts its handles") { return static_cast<int>(own_handles()); }

TEST("a child has exactly the handles it is given") {
    const int64_t bare =
        run_role("counts its handles", {{KAIROS_BOOT_ARCHIVE, KAIROS_HANDLE_INVALID}});
    // Process, address space, thread, its image; the SDK may add the memory of its heap.
    EXPECT(bare >= 4 && bare <= 5);
    EXPECT_EQ(bare + 1, run_role("counts its handles"));
    EXPECT_EQ(bare + 2, run_role("counts its handles", {{kUser0, make_event().release()}}));
}

TEST("a child spawned without the archive can spawn itself, and nothing else") {
    EXPECT_EQ(
        0, run_role("spawns without an archive", {{KAIROS_BOOT_ARCHIVE, KAIROS_HANDLE_INVALID}}));
}
ROLE("spawns without an archive") {
    char* argv[] = {harness::program_name, nullptr};
    kairos_handle_t process = 77;
    if (kairos_spawn(harness::program_name, argv, nullptr, 0, &process) != -ENOENT) return 2;
    if (process != 77) return 3;
    return run_role("returns 33") == 33 ? 0 : 4;
}

// ---- Streams
// -------------------------------------------------------------------------------------

ROLE("copies stdin to stdout and stderr") {
    char line[64];
    while (fgets(line, sizeof(line), stdin) != nullptr) {
        printf("out %s", line);
        fflush(stdout);
        fprintf(stderr, "err %s", line);
    }
    return 0;
}

// All that arrives on an endpoint until its end.
static void read_all(kairos_handle_t channel, char* text, size_t size) {
    size_t used = 0;
    while (used + 1 < size) {
        const kairos_status_t got = kairos_object_read(channel, text + used, size - 1 - used, 0);
        if (got <= 0) break;
        used += static_cast<size_t>(got);
    }
    text[used] = 0;
}

TEST("the child's streams are the channels it was given") {
    Channel in;
    Channel out;
    Channel err;
    const Owned process =
        spawn_role("copies stdin to stdout and stderr", {{KAIROS_BOOT_STDIN, in.b.release()},
                                                         {KAIROS_BOOT_STDOUT, out.b.release()},
                                                         {KAIROS_BOOT_STDERR, err.b.release()}});
    REQUIRE_STATUS(0, send_text(in.a, "one\ntw"));
    REQUIRE_STATUS(0, send_text(in.a, "o\n"));
    in.a.close();
    char text[256];
    read_all(out.a, text, sizeof(text));
    EXPECT_EQ(0, strcmp(text, "out one\nout two\n"));
    read_all(err.a, text, sizeof(text));
    EXPECT_EQ(0, strcmp(text, "err one\nerr two\n"));
    EXPECT_EQ(0, exit_code_of(process));
}

TEST("without STDIN there is nothing to read") { EXPECT_EQ(0, run_role("reads nothing")); }
ROLE("reads nothing") {
    char byte;
    if (read(0, &byte, 1) != 0) return 2;
    return fgetc(stdin) == EOF ? 0 : 3;
}

// ---- Errors
// --------------------------------------------------------------------------------------

TEST("spawn: what is wrong with the arguments") {
    char* argv[] = {harness::program_name, nullptr};
    char* empty[] = {nullptr};
    const kairos_handle_t closed = closed_handle();
    const kairos_spawn_handle nothing = {kUser0, closed};
    EXPECT_ONE_OF(ANY(-EINVAL, -EFAULT), spawn(nullptr, argv));
    EXPECT_ONE_OF(ANY(-EINVAL, -EFAULT), spawn("self", nullptr));
    EXPECT_STATUS(-EINVAL, spawn("self", empty));
    EXPECT_STATUS(-ENOENT, spawn("no such file", argv));
    EXPECT_STATUS(-ENOENT, spawn("", argv));
    EXPECT_STATUS(-EBADF, spawn("self", argv, &nothing, 1));
}

TEST("spawn: what is wrong with the handles leaves them all with the caller") {
    char* argv[] = {harness::program_name, nullptr};
    const Owned event = make_event();
    const Owned other = make_event();
    const Owned rooted = without(event, KRIGHT_TRANSFER);
    const Owned port = make_port();
    const uint32_t before = own_handles();
    const auto give_two = [&](kairos_spawn_handle first, kairos_spawn_handle second) {
        const kairos_spawn_handle give[] = {first, second};
        return spawn("self", argv, give, 2);
    };
    for (const uint32_t which : {6u, 9u, 15u, KAIROS_BOOT_COUNT, UINT32_MAX}) {
        EXPECT_STATUS(-EINVAL, give_two({kUser0, event}, {which, other}));
    }
    EXPECT_STATUS(-EINVAL, give_two({kUser0, event}, {kUser0, other}));
    EXPECT_STATUS(-EINVAL, give_two({kUser0, event}, {kUser0 + 1, event}));
    EXPECT_STATUS(-EACCES, give_two({kUser0, event}, {kUser0 + 1, rooted}));
    EXPECT_STATUS(-EACCES, give_two({kUser0, event}, {kUser0 + 1, port}));
    EXPECT_STATUS(-EBADF, give_two({kUser0, event}, {kUser0 + 1, closed_handle()}));
    EXPECT_EQ(before, own_handles());
    EXPECT_STATUS(0, kairos_object_signal(event, 0, 1u << 8));
    EXPECT_STATUS(0, kairos_object_signal(other, 0, 1u << 8));
}

TEST("spawn: budgets that are none") {
    kairos_handle_t process = 77;
    EXPECT_STATUS(-EBADF, try_spawn_role("returns 33", nullptr, 0, &process, closed_handle()));
    EXPECT_STATUS(-ENOTSUP, try_spawn_role("returns 33", nullptr, 0, &process, make_event()));
    EXPECT_EQ(77u, process);
}

TEST("spawn: a child that nobody observes") {
    Channel channel;
    const kairos_spawn_handle give = {kUser0, channel.b.release()};
    REQUIRE_STATUS(0, try_spawn_role("waits for its end", &give, 1, nullptr));
    channel.a.close();
}
ROLE("waits for its end") {
    Inbox inbox;
    return inbox.receive(kairos_bootstrap(kUser0)) == 0 ? 0 : 2;
}

TEST("spawn: many, one after the other and at once") {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(33, run_role("returns 33"));
    Owned processes[12];
    for (Owned& process : processes) process = spawn_role("returns 33");
    for (const Owned& process : processes) EXPECT_EQ(33, exit_code_of(process));
}

TEST("spawn: from several threads at once") {
    const auto run = [] {
        for (int i = 0; i < 6; ++i) EXPECT_EQ(33, run_role("returns 33"));
    };
    Worker one(run);
    Worker two(run);
    Worker three(run);
}

TEST("spawn: killed at any time after it") {
    Random random(99);
    for (int i = 0; i < 40; ++i) {
        const Owned process = spawn_role("returns 33");
        for (uint32_t yields = random.below(30); yields > 0; --yields) kairos_yield();
        REQUIRE_STATUS(0, kairos_process_kill(process, 44));
        const int64_t code = exit_code_of(process);
        EXPECT(code == 44 || code == 33);
    }
}

// ---- Where programs lie -------------------------------------------------------------------------

ROLE("says where it lies") {
    const auto code = reinterpret_cast<uint64_t>(&kairos_nop);
    int local = 0;
    const uint64_t places[] = {code, reinterpret_cast<uint64_t>(&local)};
    const kairos_channel_msg message = message_of(places, sizeof(places));
    return kairos_channel_send(kairos_bootstrap(KAIROS_BOOT_USER0), &message, 0, kForever) == 0 ? 0
                                                                                                : 2;
}

TEST("programs lie at addresses that differ from one to the next") {
    constexpr int kPrograms = 4;
    uint64_t places[kPrograms][2];
    for (auto& place : places) {
        Channel channel;
        const Owned process =
            spawn_role("says where it lies", {{KAIROS_BOOT_USER0, channel.b.release()}});
        Inbox inbox;
        REQUIRE_STATUS(1, inbox.receive(channel.a));
        memcpy(place, inbox.bytes, sizeof(place));
        EXPECT_EQ(0, exit_code_of(process));
    }
    for (int i = 0; i < kPrograms; ++i) {
        EXPECT(places[i][0] != reinterpret_cast<uint64_t>(&kairos_nop));
        for (int j = 0; j < i; ++j) {
            EXPECT(places[i][0] != places[j][0]);
            EXPECT(places[i][1] != places[j][1]);
        }
    }
}
