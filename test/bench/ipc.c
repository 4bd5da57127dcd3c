/* Instructions per operation, both sides' user code included: the program against itself in a
 * second process ("self"). Run with kairos-run --icount, which makes the counts exact. */
#include <kairos/kairos.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 64
#define WARM_UP 8

static char buffer[KCHANNEL_MAX_MSG_BYTES];

static void must(kairos_status_t status, const char* what) {
    if (status >= 0) return;
    printf("%s failed: %ld\n", what, (long)status);
    exit(1);
}

/* The server: answers calls, and sends plain messages back, until its peer goes. */
static int serve(void) {
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_PARENT);
    struct kairos_channel_msg request = {.bytes = buffer, .num_bytes = sizeof(buffer)};
    struct kairos_channel_msg reply = {.bytes = buffer};
    kairos_status_t got = kairos_channel_reply_recv(channel, NULL, &request, KAIROS_TIME_INFINITE);
    while (got == 1) {
        reply.num_bytes = request.num_bytes;
        reply.txid = request.txid;
        request.num_bytes = sizeof(buffer);
        got = kairos_channel_reply_recv(channel, &reply, &request, KAIROS_TIME_INFINITE);
    }
    return got == 0 ? 0 : 1;
}

static void report(const char* what, uint64_t instructions) {
    printf("%-36s %8lu\n", what, (unsigned long)(instructions / ROUNDS));
}

static void bench_nop(void) {
    for (int i = 0; i < WARM_UP; ++i) kairos_nop();
    const uint64_t start = kairos_instret();
    for (int i = 0; i < ROUNDS; ++i) kairos_nop();
    report("null system call", kairos_instret() - start);
}

static void bench_duplicate(kairos_handle_t handle) {
    uint64_t start = 0;
    for (int i = -WARM_UP; i < ROUNDS; ++i) {
        if (i == 0) start = kairos_instret();
        kairos_handle_t copy;
        must(kairos_handle_duplicate(handle, KRIGHT_SAME, &copy), "duplicate");
        must(kairos_handle_close(copy, 0), "close");
    }
    report("duplicate + close a handle", kairos_instret() - start);
}

static void bench_create(void) {
    uint64_t start = 0;
    for (int i = -WARM_UP; i < ROUNDS; ++i) {
        if (i == 0) start = kairos_instret();
        kairos_handle_t ends[2];
        must(kairos_channel_create(0, &ends[0], &ends[1]), "create");
        must(kairos_handle_close(ends[0], 0), "close");
        must(kairos_handle_close(ends[1], 0), "close");
    }
    report("create + close a channel", kairos_instret() - start);
}

static void bench_call(kairos_handle_t channel, uint32_t bytes) {
    uint64_t start = 0;
    for (int i = -WARM_UP; i < ROUNDS; ++i) {
        if (i == 0) start = kairos_instret();
        struct kairos_channel_msg request = {.bytes = buffer, .num_bytes = bytes};
        struct kairos_channel_msg reply = {.bytes = buffer, .num_bytes = sizeof(buffer)};
        must(kairos_channel_call(channel, &request, &reply, KAIROS_TIME_INFINITE), "call");
    }
    char what[64];
    snprintf(what, sizeof(what), "call + reply, %u bytes each way", (unsigned)bytes);
    report(what, kairos_instret() - start);
}

static void bench_send(kairos_handle_t channel, uint32_t bytes, uint32_t options) {
    uint64_t start = 0;
    for (int i = -WARM_UP; i < ROUNDS; ++i) {
        if (i == 0) start = kairos_instret();
        struct kairos_channel_msg out = {.bytes = buffer, .num_bytes = bytes};
        struct kairos_channel_msg in = {.bytes = buffer, .num_bytes = sizeof(buffer)};
        must(kairos_channel_send(channel, &out, options, KAIROS_TIME_INFINITE), "send");
        must(kairos_channel_recv(channel, &in, options, KAIROS_TIME_INFINITE), "recv");
    }
    char what[64];
    snprintf(what, sizeof(what), "send + recv each way, %u bytes%s", (unsigned)bytes,
             options ? ", rendezvous" : "");
    report(what, kairos_instret() - start);
}

/* Within one process: what descriptors cost over handles, and a pipe. */
static void bench_descriptors(void) {
    kairos_handle_t ends[2];
    int fds[2], ends_as_fds[2];
    must(kairos_channel_create(0, &ends[0], &ends[1]), "create");
    for (int i = 0; i < 2; ++i) {
        must(kairos_fd_from_handle(ends[i], 0, &ends_as_fds[i]), "fd from handle");
    }
    must(kairos_pipe(fds, 0), "pipe");
    static const char* const what[] = {"send, recv by handles, 64 bytes",
                                       "write, read by channel fds, 64 bytes",
                                       "write, read by pipe fds, 64 bytes"};
    for (int kind = 0; kind < 3; ++kind) {
        const int reads = kind == 1 ? ends_as_fds[1] : fds[0];
        const int writes = kind == 1 ? ends_as_fds[0] : fds[1];
        uint64_t start = 0;
        for (int i = -WARM_UP; i < ROUNDS; ++i) {
            if (i == 0) start = kairos_instret();
            if (kind == 0) {
                struct kairos_channel_msg out = {.bytes = buffer, .num_bytes = 64};
                struct kairos_channel_msg in = {.bytes = buffer, .num_bytes = 64};
                must(kairos_channel_send(ends[0], &out, 0, KAIROS_TIME_INFINITE), "send");
                must(kairos_channel_recv(ends[1], &in, 0, KAIROS_TIME_INFINITE), "recv");
            } else {
                must(kairos_fd_write(writes, buffer, 64), "write");
                must(kairos_fd_read(reads, buffer, 64), "read");
            }
        }
        report(what[kind], kairos_instret() - start);
    }
    uint64_t start = 0;
    for (int i = -WARM_UP; i < ROUNDS; ++i) {
        if (i == 0) start = kairos_instret();
        struct pollfd entries[2] = {{.fd = fds[0], .events = POLLIN},
                                    {.fd = ends_as_fds[0], .events = POLLOUT}};
        must(kairos_fd_poll(entries, 2, 0), "poll");
    }
    report("poll of two fds, one ready", kairos_instret() - start);
    for (int i = 0; i < 2; ++i) {
        must(kairos_fd_close(fds[i]), "close");
        must(kairos_fd_close(ends_as_fds[i]), "close");
        must(kairos_handle_close(ends[i], 0), "close");
    }
}

static void bench_map(void) {
    kairos_handle_t memory;
    must(kairos_memory_create(KAIROS_PAGE_SIZE, 0, &memory), "memory");
    uint64_t start = 0;
    for (int i = -WARM_UP; i < ROUNDS; ++i) {
        if (i == 0) start = kairos_instret();
        void* at = NULL;
        must(kairos_map(kairos_self_aspace(), memory, 0, &at, KAIROS_PAGE_SIZE,
                        KPROT_READ | KPROT_WRITE),
             "map");
        *(volatile char*)at = 1;
        must(kairos_unmap(kairos_self_aspace(), at, KAIROS_PAGE_SIZE), "unmap");
    }
    report("map, touch, unmap one page", kairos_instret() - start);
}

/* Each touch faults: on a page that is there, of which only the translation is missing, or on one
 * that has to be made, of zeros, or copied because it is shared with a clone. */
static void bench_faults(void) {
    const size_t size = ROUNDS * KAIROS_PAGE_SIZE;
    kairos_handle_t memory;
    must(kairos_memory_create(size, 0, &memory), "memory");
    static const char* const what[] = {"page fault, a new page", "page fault, a page that is there",
                                       "page fault, a copy on write"};
    for (int kind = 0; kind < 3; ++kind) {
        kairos_handle_t clone;
        if (kind == 2) must(kairos_memory_clone(memory, 0, size, 0, &clone), "clone");
        void* at = NULL;
        must(kairos_map(kairos_self_aspace(), memory, 0, &at, size, KPROT_READ | KPROT_WRITE),
             "map");
        volatile char* page = at;
        const uint64_t start = kairos_instret();
        for (int i = 0; i < ROUNDS; ++i) page[i * KAIROS_PAGE_SIZE] = 1;
        report(what[kind], kairos_instret() - start);
        must(kairos_unmap(kairos_self_aspace(), at, size), "unmap");
        if (kind == 2) must(kairos_handle_close(clone, 0), "close");
    }
    must(kairos_handle_close(memory, 0), "close");
}

static void bench_memory_object(void) {
    uint64_t start = 0;
    for (int i = -WARM_UP; i < ROUNDS; ++i) {
        if (i == 0) start = kairos_instret();
        kairos_handle_t memory;
        must(kairos_memory_create(2 * KAIROS_PAGE_SIZE, 0, &memory), "memory");
        must(kairos_memory_write(memory, 0, "x", 1), "write");
        must(kairos_memory_write(memory, KAIROS_PAGE_SIZE, "x", 1), "write");
        must(kairos_handle_close(memory, 0), "close");
    }
    report("make, fill and drop two pages", kairos_instret() - start);
}

static void nothing(void* argument) { (void)argument; }

static void bench_threads(void) {
    uint64_t start = 0;
    for (int i = -WARM_UP; i < ROUNDS; ++i) {
        if (i == 0) start = kairos_instret();
        kairos_handle_t thread;
        must(kairos_thread_spawn(nothing, NULL, &thread), "thread");
        must(kairos_thread_join(thread, KAIROS_TIME_INFINITE), "join");
        must(kairos_handle_close(thread, 0), "close");
    }
    report("thread create + join", kairos_instret() - start);
}

static void bench_spawn(void) {
    char* argv[] = {"self", "exit", NULL};
    uint64_t start = 0;
    for (int i = -WARM_UP; i < ROUNDS; ++i) {
        if (i == 0) start = kairos_instret();
        kairos_handle_t process;
        must(kairos_spawn("self", argv, NULL, 0, &process), "spawn");
        must(kairos_process_wait(process, KAIROS_TIME_INFINITE, NULL), "wait");
        must(kairos_handle_close(process, 0), "close");
    }
    report("spawn + exit + wait", kairos_instret() - start);
}

int main(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "serve") == 0) return serve();
    if (argc > 1 && strcmp(argv[1], "exit") == 0) return 0;

    kairos_handle_t ends[2];
    must(kairos_channel_create(0, &ends[0], &ends[1]), "create");
    char* server_argv[] = {"self", "serve", NULL};
    const struct kairos_spawn_handle give = {KAIROS_BOOT_PARENT, ends[1]};
    kairos_handle_t server;
    must(kairos_spawn("self", server_argv, &give, 1, &server), "spawn");

    printf("instructions per operation\n");
    bench_nop();
    bench_duplicate(ends[0]);
    bench_create();
    static const uint32_t sizes[] = {0, 32, 64, 256, 1024, 4096};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); ++i) bench_call(ends[0], sizes[i]);
    bench_send(ends[0], 64, 0);
    bench_send(ends[0], 64, KCHANNEL_OPT_RENDEZVOUS);
    bench_descriptors();
    bench_map();
    bench_faults();
    bench_memory_object();
    bench_threads();
    bench_spawn();
    must(kairos_handle_close(ends[0], 0), "close");
    int64_t code = 1;
    must(kairos_process_wait(server, KAIROS_TIME_INFINITE, &code), "wait");
    return (int)code;
}
