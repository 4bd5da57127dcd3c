// Two threads send messages to each other for ever, so that wakes follow each other without end:
// for faults that are injected into them (`inject=`).
#include <kairos/kairos.h>

namespace {

int exchange(kairos_handle_t channel, bool begins) {
    char byte = 0;
    while (true) {
        kairos_channel_msg message{
            .bytes = &byte, .handles = nullptr, .num_bytes = 1, .num_handles = 0, .txid = 0};
        if (begins && kairos_channel_send(channel, &message, 0, KAIROS_TIME_INFINITE) < 0) return 1;
        begins = true;
        if (kairos_channel_recv(channel, &message, 0, KAIROS_TIME_INFINITE) != 1) return 1;
    }
}

void answer(void* channel) {
    (void)exchange(static_cast<kairos_handle_t>(reinterpret_cast<uintptr_t>(channel)), false);
}

}  // namespace

int main() {
    kairos_handle_t ends[2];
    kairos_handle_t thread;
    if (kairos_channel_create(0, &ends[0], &ends[1]) < 0) return 1;
    auto* other = reinterpret_cast<void*>(static_cast<uintptr_t>(ends[1]));
    if (kairos_thread_spawn(answer, other, &thread) < 0) return 1;
    return exchange(ends[0], true);
}
