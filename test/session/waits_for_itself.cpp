// waits_for_itself: calls a channel whose other end it holds itself and never looks at. Before it
// does, it says the numbers of the endpoint and of its thread.
#include <kairos/kairos.h>
#include <kairos/sdk.h>

#include <cinttypes>
#include <cstdio>

namespace {

uint64_t id_of(kairos_handle_t object) {
    kairos_info_basic info{};
    kairos_object_info(object, KAIROS_INFO_BASIC, &info, sizeof(info));
    return info.id;
}

}  // namespace

int main() {
    kairos_handle_t ends[2];
    if (kairos_channel_create(0, &ends[0], &ends[1]) < 0) return 1;
    std::printf("calls %" PRIu64 " as %" PRIu64 ".\n", id_of(ends[0]), id_of(kairos_self_thread()));
    std::fflush(stdout);
    kairos_channel_msg request{};
    kairos_channel_msg reply{};
    kairos_channel_call(ends[0], &request, &reply, KAIROS_TIME_INFINITE);
}
