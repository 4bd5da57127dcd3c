/* Bytes of kernel memory per thing, as charged to the budget of whoever makes it: many are made,
 * and what the budget says before and after is divided. */
#include <kairos/info.h>
#include <kairos/kairos.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT 256

static kairos_handle_t handles[2 * COUNT];

static void must(kairos_status_t status, const char* what) {
    if (status >= 0) return;
    printf("%s failed: %ld\n", what, (long)status);
    exit(1);
}

static uint64_t used(void) {
    struct kairos_info_budget budget;
    must(kairos_object_info(kairos_self_process(), KAIROS_INFO_BUDGET, &budget, sizeof(budget)),
         "budget");
    return budget.used;
}

static void make_pair(int i) {
    must(kairos_channel_create(0, &handles[2 * i], &handles[2 * i + 1]), "channel_create");
}
static void make_handle(int i) {
    must(kairos_handle_duplicate(kairos_self_process(), KRIGHT_SAME, &handles[i]), "duplicate");
}
static void make_port(int i) { must(kairos_port_create(0, &handles[i]), "port_create"); }
static void make_event(int i) { must(kairos_event_create(&handles[i]), "event_create"); }
static void make_timer(int i) { must(kairos_timer_create(&handles[i]), "timer_create"); }
static void make_memory(int i) { must(kairos_memory_create(65536, 0, &handles[i]), "memory"); }
static void make_thread(int i) {
    must(kairos_thread_create(kairos_self_process(), "thread", &handles[i]), "thread_create");
}
static void make_process(int i) {
    must(kairos_process_create("process", 0, &handles[2 * i], &handles[2 * i + 1]), "process");
}

static void measure(const char* what, void (*make)(int)) {
    const uint64_t before = used();
    for (int i = 0; i < COUNT; ++i) make(i);
    printf("%-40s %8lu\n", what, (unsigned long)((used() - before) / COUNT));
    for (int i = 0; i < 2 * COUNT; ++i) {
        if (handles[i] != KAIROS_HANDLE_INVALID) kairos_handle_close(handles[i], 0);
        handles[i] = KAIROS_HANDLE_INVALID;
    }
}

int main(void) {
    /* Room in the handle table for all that follows, so that it is not counted with the first. */
    for (int i = 0; i < 2 * COUNT; ++i) make_handle(i);
    for (int i = 0; i < 2 * COUNT; ++i) must(kairos_handle_close(handles[i], 0), "close");
    for (int i = 0; i < 2 * COUNT; ++i) handles[i] = KAIROS_HANDLE_INVALID;

    printf("bytes of kernel memory, handles included\n");
    measure("handle (and 32 in the table)", make_handle);
    measure("idle pair of endpoints", make_pair);
    measure("port", make_port);
    measure("event", make_event);
    measure("timer", make_timer);
    measure("memory object, untouched", make_memory);
    measure("thread, not started", make_thread);
    measure("process, empty", make_process);
    return 0;
}
