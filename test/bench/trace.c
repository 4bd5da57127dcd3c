/* What the trace costs: instructions per pair of a send and a receive by one thread, with nothing
 * recorded, with each kind, and with all. Run with kairos-run --icount. */
#include <kairos/kairos.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 256
#define WARM_UP 8

static void must(kairos_status_t status, const char* what) {
    if (status >= 0) return;
    printf("%s failed: %ld\n", what, (long)status);
    exit(1);
}

static uint64_t pair(kairos_handle_t from, kairos_handle_t to) {
    char bytes[64] = {0};
    uint64_t start = 0;
    for (int i = -WARM_UP; i < ROUNDS; ++i) {
        if (i == 0) start = kairos_instret();
        const struct kairos_channel_msg out = {.bytes = bytes, .num_bytes = sizeof(bytes)};
        struct kairos_channel_msg in = {.bytes = bytes, .num_bytes = sizeof(bytes)};
        must(kairos_channel_send(from, &out, 0, KAIROS_TIME_INFINITE), "send");
        must(kairos_channel_recv(to, &in, 0, KAIROS_TIME_INFINITE), "recv");
    }
    return (kairos_instret() - start) / ROUNDS;
}

static void report(const char* kinds, uint32_t bits, kairos_handle_t from, kairos_handle_t to) {
    must(kairos_trace_control(kairos_bootstrap(KAIROS_BOOT_RESOURCE), bits), "control");
    printf("send + recv, 64 bytes, trace %-8s %8lu\n", kinds, (unsigned long)pair(from, to));
}

int main(void) {
    static const char* const names[] = {
#define NAME(name, text) #name,
        KAIROS_TRACE_KINDS(NAME)
#undef NAME
    };
    kairos_handle_t ends[2];
    must(kairos_channel_create(0, &ends[0], &ends[1]), "create");
    printf("instructions per operation\n");
    report("none", 0, ends[0], ends[1]);
    for (uint32_t kind = 0; kind < KAIROS_TRACE_KIND_COUNT; ++kind) {
        report(names[kind], 1u << kind, ends[0], ends[1]);
    }
    report("all", KAIROS_TRACE_ALL, ends[0], ends[1]);
    return 0;
}
