// waits_for_itself: a thread calls a channel whose other end its own process holds and never looks
// at. Says "asleep" and the number of the endpoint when it sleeps, and waits with it.
#include <kairos/kairos.h>
#include <kairos/sdk.h>

#include <cinttypes>
#include <cstdio>

namespace {

kairos_handle_t ends[2];

void call(void*) {
    kairos_channel_msg request{};
    kairos_channel_msg reply{};
    kairos_channel_call(ends[0], &request, &reply, KAIROS_TIME_INFINITE);
}

}  // namespace

int main() {
    kairos_handle_t thread = KAIROS_HANDLE_INVALID;
    if (kairos_channel_create(0, &ends[0], &ends[1]) < 0) return 1;
    if (kairos_thread_spawn(call, nullptr, &thread) < 0) return 2;
    kairos_info_thread state{};
    while (state.state != KAIROS_THREAD_BLOCKED) {
        if (kairos_object_info(thread, KAIROS_INFO_THREAD, &state, sizeof(state)) < 0) return 3;
        kairos_yield();
    }
    kairos_info_basic basic{};
    if (kairos_object_info(ends[0], KAIROS_INFO_BASIC, &basic, sizeof(basic)) < 0) return 4;
    std::printf("asleep %" PRIu64 "\n", basic.id);
    std::fflush(stdout);
    kairos_thread_join(thread, KAIROS_TIME_INFINITE);
}
