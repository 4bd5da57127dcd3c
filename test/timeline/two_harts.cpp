// A call between two processes on two harts, traced: prints the lines that timeline.py draws.
#include <kairos/kairos.h>

#include <cstring>

#include "apps/common/trace_text.hpp"

namespace {

constexpr int kWarmUp = 4;
constexpr int kCalls = 3;

void must(kairos_status_t status, const char* what) {
    if (status >= 0) return;
    std::printf("%s failed: %lld\n", what, static_cast<long long>(status));
    kairos_process_exit(1);
}

kairos_channel_msg message(void* bytes, uint32_t size, uint64_t txid = 0) {
    return {.bytes = bytes, .handles = nullptr, .num_bytes = size, .num_handles = 0, .txid = txid};
}

void run_on(uint32_t hart) {
    must(kairos_thread_set_affinity(kairos_self_thread(), uint64_t{1} << hart), "affinity");
}

int serve() {
    run_on(1);
    const kairos_handle_t channel = kairos_bootstrap(KAIROS_BOOT_PARENT);
    char bytes[64];
    kairos_channel_msg request = message(bytes, sizeof(bytes));
    kairos_status_t got =
        kairos_channel_reply_recv(channel, nullptr, &request, KAIROS_TIME_INFINITE);
    while (got == 1) {
        const kairos_channel_msg reply = message(bytes, request.num_bytes, request.txid);
        request.num_bytes = sizeof(bytes);
        got = kairos_channel_reply_recv(channel, &reply, &request, KAIROS_TIME_INFINITE);
    }
    return 0;
}

void call(kairos_handle_t channel) {
    char bytes[64] = "a request";
    const kairos_channel_msg request = message(bytes, 32);
    kairos_channel_msg reply = message(bytes, sizeof(bytes));
    must(kairos_channel_call(channel, &request, &reply, KAIROS_TIME_INFINITE), "call");
}

void print_names() {
    static_cast<void>(common::for_each_object(KOBJ_TYPE_THREAD, [](const auto& thread) {
        static_cast<void>(common::for_each_object(KOBJ_TYPE_PROCESS, [&](const auto& process) {
            if (process.id != thread.process_id) return;
            const auto self =
                common::read_info<kairos_info_basic>(kairos_self_process(), KAIROS_INFO_BASIC);
            const bool own = self && self->id == process.id;
            std::printf("name thread %" PRIu64 " process %" PRIu64 " %s/%s\n", thread.id,
                        process.id, own ? "client" : "server", thread.name);
        }));
    }));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], "serve") == 0) return serve();
    kairos_handle_t ends[2];
    must(kairos_channel_create(0, &ends[0], &ends[1]), "channel");
    char self[] = "self";
    char role[] = "serve";
    char* arguments[] = {self, role, nullptr};
    const kairos_spawn_handle give{KAIROS_BOOT_PARENT, ends[1]};
    kairos_handle_t server = KAIROS_HANDLE_INVALID;
    must(kairos_spawn("self", arguments, &give, 1, &server), "spawn");
    run_on(0);
    for (int i = 0; i < kWarmUp; ++i) call(ends[0]);

    const kairos_handle_t system = common::system_resource();
    const auto text = common::TraceText::load(system);
    common::TraceReader reader;
    must(kairos_trace_control(system, KAIROS_TRACE_ALL), "control");
    if (!text || !reader.begin(system)) return 1;
    for (int i = 0; i < kCalls; ++i) call(ends[0]);
    must(kairos_trace_control(system, 0), "control");
    const auto records = reader.take();
    if (!records) return 1;
    print_names();
    for (const kairos_trace_record& record : *records) {
        char line[256];
        std::fwrite(line, 1, text->write(record, line, sizeof(line)), stdout);
    }
    must(kairos_handle_close(ends[0], 0), "close");
    return 0;
}
