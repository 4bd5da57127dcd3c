#include "memory/memory_object.h"

#include "device/resource.h"
#include "memory/address_space.h"
#include "platform/machine.h"
#include "sched/thread.h"
#include "syscall/bodies.h"
#include "syscall/budget_of.h"
#include "syscall/give.h"

namespace system_calls {

namespace {

Result<Protection> protection_of(uint32_t bits) {
    if ((bits & ~(KPROT_READ | KPROT_WRITE | KPROT_EXEC)) != 0) return Fail(Error::INVAL);
    return Protection{.read = (bits & KPROT_READ) != 0,
                      .write = (bits & KPROT_WRITE) != 0,
                      .execute = (bits & KPROT_EXEC) != 0};
}

// What a memory handle with these rights may ever be mapped as.
Protection ceiling_of(Rights rights) {
    return {.read = rights.covers(right::kRead),
            .write = rights.covers(right::kWrite),
            .execute = rights.covers(right::kExecute)};
}

// A range of whole pages in user space. -EINVAL, -EFAULT.
Status check_pages(VirtualAddress address, uint64_t length) {
    if (length == 0 || length % kPageSize != 0 || !address.page_aligned()) {
        return Fail(Error::INVAL);
    }
    if (!arch::user_range(address, length)) return Fail(Error::FAULT);
    return {};
}

Result<MemoryObject::Resizable> resizable_of(uint32_t flags) {
    if ((flags & ~KMEMORY_CREATE_RESIZABLE) != 0) return Fail(Error::INVAL);
    return flags != 0 ? MemoryObject::Resizable::kYes : MemoryObject::Resizable::kNo;
}

bool touches_ram(const platform::PhysicalRange& range) {
    const platform::Machine& machine = platform::machine();
    for (uint32_t i = 0; i < machine.memory_count; ++i) {
        if (machine.memory[i].overlaps(range)) return true;
    }
    return false;
}

}  // namespace

Status memory_create(uint64_t size, uint32_t flags, UserHandle out) {
    return memory_create_in(KAIROS_HANDLE_INVALID, size, flags, out);
}

// The object is charged to the given budget, the handle to the caller's.
Status memory_create_in(HandleValue budget_handle, uint64_t size, uint32_t flags, UserHandle out) {
    const auto resizable = TRY(resizable_of(flags));
    if (size == 0) return Fail(Error::INVAL);
    TRY(out.check_range());
    Ref<Budget> budget = TRY(budget_of(budget_handle));
    Ref<MemoryObject> memory = TRY(MemoryObject::create(*budget, size, resizable));
    return give_object(*memory, out);
}

Status memory_clone(HandleValue handle, uint64_t offset, uint64_t size, uint32_t flags,
                    UserHandle out) {
    const auto resizable = TRY(resizable_of(flags));
    if (size == 0 || size % kPageSize != 0 || offset % kPageSize != 0) return Fail(Error::INVAL);
    TRY(out.check_range());
    Ref<MemoryObject> memory =
        TRY(current_thread().handles().get<MemoryObject>(handle, right::kRead));
    Ref<MemoryObject> clone =
        TRY(memory->clone({offset, size}, current_thread().budget(), resizable));
    return give_object(*clone, out);
}

Status memory_resize(HandleValue handle, uint64_t size) {
    if (size == 0) return Fail(Error::INVAL);
    Ref<MemoryObject> memory =
        TRY(current_thread().handles().get<MemoryObject>(handle, right::kManage));
    return memory->resize(size);
}

Status memory_read(HandleValue handle, uint64_t offset, UserPointer<uint8_t> buffer,
                   uint64_t size) {
    if (size != 0) TRY(buffer.check_range(size));
    Ref<MemoryObject> memory =
        TRY(current_thread().handles().get<MemoryObject>(handle, right::kRead));
    return memory->read(offset, buffer.address, size);
}

Status memory_write(HandleValue handle, uint64_t offset, UserPointer<uint8_t> buffer,
                    uint64_t size) {
    if (size != 0) TRY(buffer.check_range(size));
    Ref<MemoryObject> memory =
        TRY(current_thread().handles().get<MemoryObject>(handle, right::kWrite));
    return memory->write(offset, buffer.address, size);
}

Status map(HandleValue space_handle, HandleValue memory_handle, uint64_t offset,
           UserPointer<uint64_t> address, uint64_t length, uint32_t protection_bits) {
    const Protection protection = TRY(protection_of(protection_bits));
    const VirtualAddress wanted{TRY(address.read())};
    if (length == 0 || length % kPageSize != 0 || offset % kPageSize != 0) {
        return Fail(Error::INVAL);
    }
    if (wanted.value != 0) TRY(check_pages(wanted, length));
    HandleTable& table = current_thread().handles();
    Ref<AddressSpace> space = TRY(table.get<AddressSpace>(space_handle, right::kMap));
    Ref<MemoryObject> memory = TRY(table.get<MemoryObject>(memory_handle, right::kMap));
    const FoundHandle found = TRY(table.find(memory_handle));
    const Protection ceiling = ceiling_of(found.rights);
    if (!ceiling.covers(protection)) return Fail(Error::ACCES);
    const VirtualAddress at = TRY(
        space->map(*memory, offset, wanted, length, protection, ceiling, {&table, memory_handle}));
    const Status told = address.write(at.value);
    // Nobody has seen the mapping that could not be reported.
    if (!told) (void)space->unmap(at, length);
    return told;
}

Status unmap(HandleValue space_handle, VirtualAddress address, uint64_t length) {
    TRY(check_pages(address, length));
    Ref<AddressSpace> space =
        TRY(current_thread().handles().get<AddressSpace>(space_handle, right::kMap));
    return space->unmap(address, length);
}

Status protect(HandleValue space_handle, VirtualAddress address, uint64_t length,
               uint32_t protection_bits) {
    const Protection protection = TRY(protection_of(protection_bits));
    TRY(check_pages(address, length));
    Ref<AddressSpace> space =
        TRY(current_thread().handles().get<AddressSpace>(space_handle, right::kMap));
    return space->protect(address, length, protection);
}

Status memory_create_physical(HandleValue resource_handle, uint64_t base, uint64_t size,
                              UserHandle out) {
    if (size == 0 || size % kPageSize != 0 || base % kPageSize != 0 || size > UINT64_MAX - base) {
        return Fail(Error::INVAL);
    }
    TRY(out.check_range());
    Resource* resource =
        TRY(current_thread().handles().resolve<Resource>(resource_handle, right::kManage));
    if (!resource->range().covers({ResourceKind::kMmio, base, size})) return Fail(Error::ACCES);
    if (base + size > arch::kPhysicalLimit || touches_ram({{base}, size})) {
        return Fail(Error::ACCES);
    }
    Ref<MemoryObject> memory =
        TRY(MemoryObject::create_physical(current_thread().budget(), {base}, size));
    return give_object(*memory, out, MemoryObject::kInitialRights & ~right::kExecute);
}

}  // namespace system_calls
