// What a panic says about an object.
#include "abi/info.h"
#include "object/object.h"
#include "trace/log.h"

namespace {

constinit std::atomic<const Object*> subject{nullptr};

void print_references(const ObjectHistory& history) {
    kairos_info_reference_event events[ObjectHistory::kReferenceEvents];
    const uint32_t count = history.references(events);
    for (uint32_t i = 0; i < count; ++i) {
        print("    %12lu ns hart %u thread %lu: %s, %u references\n", events[i].time,
              events[i].hart, events[i].thread_id,
              name_of(static_cast<ReferenceEvent>(events[i].what)), events[i].references);
    }
}

void print_transfers(const ObjectHistory& history) {
    kairos_info_transfer_event events[ObjectHistory::kTransferEvents];
    const uint32_t count = history.transfers(events);
    for (uint32_t i = 0; i < count; ++i) {
        print("    %12lu ns %s: from process %lu to %lu, rights %x\n", events[i].time,
              name_of(static_cast<TransferEvent>(events[i].what)), events[i].from_process,
              events[i].to_process, events[i].rights);
    }
}

}  // namespace

const Object* subject_of_panic() { return subject.load(std::memory_order_relaxed); }

void panic_about(const Object& object, const char* reason, SourceLocation where) {
    subject.store(&object, std::memory_order_relaxed);
    panic(reason, where);
}

void print_object(const Object& object) {
    print(
        "object %lu of type %u '%s': %s, %u references, owners %u handles %u descriptors %u "
        "others\n",
        static_cast<uint64_t>(object.id()), static_cast<uint32_t>(object.type()), object.name(),
        lifecycle::name(object.lifecycle()), object.references(),
        object.owners(OwnerClass::kHandle), object.owners(OwnerClass::kDescriptor),
        object.owners(OwnerClass::kOther));
    if (const ObjectHistory* history = object.history()) {
        print_references(*history);
        print_transfers(*history);
    }
}
