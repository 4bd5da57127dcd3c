// One object in detail; see the header.
#include "apps/objects/describe.hpp"

#include <cinttypes>
#include <cstdio>

#include "apps/common/complain.hpp"
#include "apps/common/object_names.hpp"
#include "apps/common/process_end.hpp"
#include "apps/common/system.hpp"
#include "apps/objects/holders.hpp"

namespace objects {

namespace {

void print(const kairos_info_channel& info) {
    std::printf("peer %" PRIu64 ", %s, %" PRIu32 " messages queued; owners: %" PRIu32
                " handles, %" PRIu32 " fds, %" PRIu32 " others\n",
                info.peer_id, common::name_of(common::kEndpointStateNames, info.state), info.queued,
                info.owners_handle, info.owners_fd, info.owners_other);
}

void print(const kairos_info_port& info) {
    std::printf("%" PRIu32 " packets pending, %" PRIu32 " bindings\n", info.pending, info.bindings);
}

void print(const kairos_info_process& info) {
    std::printf("%s, %" PRIu32 " threads, %" PRIu32 " handles, %" PRIu32 " fds\n",
                common::name_of(common::kProcessStateNames, info.state), info.threads, info.handles,
                info.fds);
    if (info.state != KAIROS_PROCESS_ENDED) return;
    char end[200];
    common::describe_end(info, end);
    std::printf("it %s\n", end);
}

void print(const kairos_info_thread& info) {
    std::printf("'%s' of process %" PRIu64 ", %s, priority %" PRIu32 ", hart %" PRIu32
                ", ran %" PRIu64 " ns\n",
                info.name, info.process_id, common::name_of(common::kThreadStateNames, info.state),
                info.priority, info.hart, info.time_ns);
}

void print(const kairos_info_memory& info) {
    std::printf("%" PRIu64 " bytes, %" PRIu64 " of them in page frames%s\n", info.size,
                info.committed, info.physical != 0 ? ", physical" : "");
}

void print(const kairos_info_budget& info) {
    std::printf("%" PRIu64 " of %" PRIu64 " bytes used, at most %" PRIu64 " so far\n", info.used,
                info.limit, info.peak);
}

void print(const kairos_info_reference_event& event) {
    std::printf("  %12" PRIu64 " ns  %-8s %" PRIu32 " references, by thread %" PRIu64
                " on hart %" PRIu32 "\n",
                event.time, common::name_of(common::kReferenceEventNames, event.what),
                event.references, event.thread_id, event.hart);
}

void print(const kairos_info_transfer_event& event) {
    std::printf("  %12" PRIu64 " ns  %-8s from process %" PRIu64, event.time,
                common::name_of(common::kTransferEventNames, event.what), event.from_process);
    if (event.to_process != 0) std::printf(" to %" PRIu64, event.to_process);
    std::printf(", rights 0x%" PRIx32 "\n", event.rights);
}

// Prints what happened to the object lately, oldest first; nothing if nothing did.
template <typename Event, size_t kMost>
kairos::Result<> print_history(kairos_handle_t object, uint32_t topic, const char* title) {
    std::array<Event, kMost> room;
    const auto events = common::read_list(object, topic, std::span<Event>(room));
    if (!events) return std::unexpected(events.error());
    if (!events->empty()) std::printf("%s:\n", title);
    for (const Event& event : *events) print(event);
    return {};
}

kairos::Result<> print_histories(kairos_handle_t object) {
    const auto references = print_history<kairos_info_reference_event, KAIROS_REFERENCE_EVENTS>(
        object, KAIROS_INFO_REFCOUNT_HISTORY, "references");
    if (!references) return references;
    return print_history<kairos_info_transfer_event, KAIROS_TRANSFER_EVENTS>(
        object, KAIROS_INFO_TRANSFER_HISTORY, "transfers of its handles");
}

// Prints what the object's own topic says.
template <typename Info>
kairos::Result<> print_topic(kairos_handle_t object, uint32_t topic) {
    const auto info = common::read_info<Info>(object, topic);
    if (!info) return std::unexpected(info.error());
    print(*info);
    return {};
}

// Types without a topic of their own have nothing more to tell.
kairos::Result<> print_details(kairos_handle_t object, uint32_t type) {
    switch (type) {
        case KOBJ_TYPE_CHANNEL:
            return print_topic<kairos_info_channel>(object, KAIROS_INFO_CHANNEL);
        case KOBJ_TYPE_PORT:
            return print_topic<kairos_info_port>(object, KAIROS_INFO_PORT);
        case KOBJ_TYPE_PROCESS:
            return print_topic<kairos_info_process>(object, KAIROS_INFO_PROCESS);
        case KOBJ_TYPE_THREAD:
            return print_topic<kairos_info_thread>(object, KAIROS_INFO_THREAD);
        case KOBJ_TYPE_MEMORY:
            return print_topic<kairos_info_memory>(object, KAIROS_INFO_MEMORY);
        case KOBJ_TYPE_BUDGET:
            return print_topic<kairos_info_budget>(object, KAIROS_INFO_BUDGET);
        default:
            return {};
    }
}

}  // namespace

int describe(uint64_t id) {
    char name[24];
    std::snprintf(name, sizeof(name), "%" PRIu64, id);
    const auto object = common::open_object(id, KRIGHT_READ);
    if (!object) return common::complain("objects", name, object.error());
    const auto basic = common::read_info<kairos_info_basic>(object->get(), KAIROS_INFO_BASIC);
    if (!basic) return common::complain("objects", name, basic.error());

    std::printf("%s %" PRIu64 ": %s, %" PRIu32 " references (this look included)\n",
                common::name_of(common::kTypeNames, basic->type), basic->id,
                common::name_of(common::kLifecycleNames, basic->lifecycle), basic->references);
    auto details = print_details(object->get(), basic->type);
    if (details) details = print_histories(object->get());
    if (details) details = print_holders(id);
    if (details && basic->type == KOBJ_TYPE_PROCESS) details = print_handles(id);
    return details ? 0 : common::complain("objects", name, details.error());
}

}  // namespace objects
