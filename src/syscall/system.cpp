// Devices, authority, the system as a whole, and the debug console.
#include <algorithm>

#include "device/interrupt.h"
#include "fd/console_file.h"
#include "ipc/event.h"
#include "object/registry.h"
#include "platform/power.h"
#include "process/process.h"
#include "sync/preemption.h"
#include "syscall/authority.h"
#include "syscall/bodies.h"
#include "syscall/give.h"
#include "trace/log.h"
#include "trace/quiet.h"

namespace system_calls {

namespace {

kairos_object_entry describe(Object& object) {
    kairos_object_entry entry{};
    entry.id = static_cast<uint64_t>(object.id());
    entry.type = static_cast<uint32_t>(object.type());
    entry.lifecycle = static_cast<uint32_t>(object.lifecycle());
    entry.references = object.references() - 1;  // without the one that looks at it
    entry.handles = object.handles();
    if (object.type() == ObjectType::kThread) {
        entry.process_id = static_cast<Thread&>(object).describe().process_id;
    }
    const char* name = object.name();
    for (uint32_t i = 0; i + 1 < sizeof(entry.name) && name[i] != 0; ++i) entry.name[i] = name[i];
    return entry;
}

}  // namespace

Status debug_write(UserPointer<char> text, uint64_t size) {
    if (size != 0) TRY(text.check_range(size));
    return write_to_console(text.address, size);
}

Status event_create(UserHandle out) {
    TRY(out.check_range());
    Ref<Event> event = TRY(Event::create(current_thread().budget()));
    return give_object(*event, out);
}

Status interrupt_create(HandleValue resource, uint32_t line, UserHandle out) {
    TRY(out.check_range());
    TRY(authority(resource, right::kManage, {ResourceKind::kInterrupt, line, 1}));
    Ref<Interrupt> interrupt = TRY(Interrupt::create(current_thread().budget(), line));
    return give_object(*interrupt, out);
}

Status interrupt_ack(HandleValue handle) {
    Interrupt* interrupt =
        TRY(current_thread().handles().resolve<Interrupt>(handle, right::kWrite));
    interrupt->acknowledge();
    return {};
}

Status resource_create(HandleValue parent, uint32_t kind, uint64_t base, uint64_t size,
                       UserHandle out) {
    if (kind > KRESOURCE_SYSTEM) return Fail(Error::INVAL);
    TRY(out.check_range());
    const ResourceRange range{static_cast<ResourceKind>(kind), base, size};
    TRY(authority(parent, right::kManage, range));
    Ref<Resource> resource = TRY(Resource::create(current_thread().budget(), range));
    return give_object(*resource, out);
}

Status system_power(HandleValue resource, uint32_t exit_status) {
    TRY(authority(resource, right::kManage, {ResourceKind::kSystem}));
    log("power off, status %u", exit_status & 0xff);
    report_longest_quiet();
    platform::power_off(exit_status);
}

Result<int64_t> system_list(HandleValue resource, uint32_t type, uint64_t after,
                            UserPointer<kairos_object_entry> out, uint32_t max) {
    if (type >= KOBJ_TYPE_COUNT || max == 0) return Fail(Error::INVAL);
    TRY(out.check_range(max));
    TRY(authority(resource, right::kRead, {ResourceKind::kSystem}));
    uint32_t listed = 0;
    for (auto at = static_cast<ObjectId>(after); listed < max; ++listed) {
        Ref<Object> object = ObjectRegistry::next(at, static_cast<ObjectType>(type));
        if (!object) break;
        at = object->id();
        TRY(out.at(listed).write(describe(*object)));
        preemption_point();
    }
    return listed;
}

Status system_open(HandleValue resource, uint64_t id, uint32_t rights, UserHandle out) {
    if (rights == 0 || (rights & ~KRIGHT_ALL) != 0) return Fail(Error::INVAL);
    TRY(out.check_range());
    TRY(authority(resource, right::kManage, {ResourceKind::kSystem}));
    Ref<Object> object = ObjectRegistry::find(static_cast<ObjectId>(id));
    if (!object) return Fail(Error::NOENT);
    return give_object(*object, out, Rights(rights));
}

}  // namespace system_calls
