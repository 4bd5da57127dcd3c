// Two processes that call each other and wait for ever; the first process goes on, for a panic to
// come (`inject=`). Their wait graph has a cycle, which the report names.
#include <kairos/kairos.h>

#include <cstring>

namespace {

int call(kairos_handle_t channel) {
    char bytes[8] = {};
    const kairos_channel_msg request{
        .bytes = bytes, .handles = nullptr, .num_bytes = 8, .num_handles = 0, .txid = 0};
    kairos_channel_msg reply = request;
    return kairos_channel_call(channel, &request, &reply, KAIROS_TIME_INFINITE) == 1 ? 0 : 1;
}

kairos_handle_t start(kairos_handle_t calls, kairos_handle_t serves) {
    char self[] = "self";
    char role[] = "call";
    char* arguments[] = {self, role, nullptr};
    const kairos_spawn_handle give[] = {{KAIROS_BOOT_USER0, calls},
                                        {KAIROS_BOOT_USER0 + 1, serves}};
    kairos_handle_t process = KAIROS_HANDLE_INVALID;
    return kairos_spawn("self", arguments, give, 2, &process) < 0 ? KAIROS_HANDLE_INVALID : process;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], "call") == 0) {
        return call(kairos_bootstrap(KAIROS_BOOT_USER0));
    }
    kairos_handle_t one[2];
    kairos_handle_t two[2];
    if (kairos_channel_create(0, &one[0], &one[1]) < 0) return 1;
    if (kairos_channel_create(0, &two[0], &two[1]) < 0) return 1;
    if (start(one[0], two[1]) == KAIROS_HANDLE_INVALID) return 1;
    if (start(two[0], one[1]) == KAIROS_HANDLE_INVALID) return 1;
    while (true) kairos_sleep_until(kairos_clock_now() + 1'000);
}
