// Authority and the system as a whole: RESOURCE handles, device memory, interrupts, listing and
// opening objects, power; and the debug console.
#include "harness.h"
#include "hostile.h"
#include "messages.h"
#include "packets.h"
#include "roles.h"
#include "tiny.h"
#include "workers.h"

namespace {

constexpr uint64_t kPage = KAIROS_PAGE_SIZE;

kairos_handle_t root() { return kairos_bootstrap(KAIROS_BOOT_RESOURCE); }

kairos_info_platform platform() {
    return info_of<kairos_info_platform>(root(), KAIROS_INFO_PLATFORM);
}

Owned narrow(kairos_handle_t parent, uint32_t kind, uint64_t base = 0, uint64_t size = 0) {
    Owned resource;
    REQUIRE_STATUS(0, kairos_resource_create(parent, kind, base, size, resource.out()));
    return resource;
}

kairos_status_t try_narrow(kairos_handle_t parent, uint32_t kind, uint64_t base, uint64_t size) {
    kairos_handle_t out = KAIROS_HANDLE_INVALID;
    const kairos_status_t status = kairos_resource_create(parent, kind, base, size, &out);
    if (status == 0) kairos_handle_close(out, 0);
    return status;
}

}  // namespace

// ---- The debug console
// ---------------------------------------------------------------------------

TEST("debug_write: pointers and lengths") {
    const BadPointers bad;
    EXPECT_INPUT_CHECKED(char, kairos_debug_write(in, 1));
    EXPECT_INPUT_CHECKED(char, kairos_debug_write(in, 100'000));
    for (const BadPointer& pointer : bad.all) {
        EXPECT_STATUS(0, kairos_debug_write(static_cast<const char*>(pointer.address), 0));
    }
    EXPECT_STATUS(-EFAULT, kairos_debug_write("x", SIZE_MAX));
    EXPECT_STATUS(-EFAULT, kairos_debug_write("x", SIZE_MAX / 2));
    const Pages pages;
    memset(pages.begin(), ' ', kPage);
    pages.end()[-1] = '\n';
    EXPECT_STATUS(0, kairos_debug_write(pages.end() - 2, 2));
    EXPECT_STATUS(0, kairos_debug_write(pages.end() - 300, 300));
}

TEST("debug_write: every byte, from several threads") {
    const auto write = [] {
        char line[] = "    a line of one thread\n";
        for (int i = 0; i < 10; ++i) EXPECT_STATUS(0, kairos_debug_write(line, sizeof(line) - 1));
    };
    Worker one(write);
    Worker two(write);
}

// ---- Resources
// -----------------------------------------------------------------------------------

TEST("resource_create: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_handle_t*>(bad.kernel());
    const Owned unmanaged = without(root(), KRIGHT_MANAGE);
    kairos_handle_t out = 77;
    EXPECT_STATUS(-EINVAL, kairos_resource_create(closed_handle(), 4, 0, 0, kernel));
    EXPECT_STATUS(-EINVAL, kairos_resource_create(closed_handle(), ~0u, 0, 0, kernel));
    EXPECT_STATUS(-EFAULT, kairos_resource_create(closed_handle(), 1, 0, kPage, kernel));
    EXPECT_STATUS(-EBADF, kairos_resource_create(closed_handle(), 1, 0, kPage, &out));
    EXPECT_STATUS(-ENOTSUP, kairos_resource_create(make_event(), 1, 0, kPage, &out));
    EXPECT_STATUS(-EACCES, kairos_resource_create(unmanaged, 1, 0, kPage, &out));
    EXPECT_EQ(77u, out);
    EXPECT_OUTPUT_CHECKED(kairos_handle_t,
                          kairos_resource_create(root(), KRESOURCE_SYSTEM, 0, 0, out));
}

TEST("resource_create: only ever narrower") {
    const uint64_t base = 0x10000000;
    const Owned mmio = narrow(root(), KRESOURCE_MMIO, base, 4 * kPage);
    EXPECT_STATUS(0, try_narrow(mmio, KRESOURCE_MMIO, base, 4 * kPage));
    EXPECT_STATUS(0, try_narrow(mmio, KRESOURCE_MMIO, base + kPage, kPage));
    EXPECT_STATUS(-EACCES, try_narrow(mmio, KRESOURCE_MMIO, base, 5 * kPage));
    EXPECT_STATUS(-EACCES, try_narrow(mmio, KRESOURCE_MMIO, base - kPage, 2 * kPage));
    EXPECT_STATUS(-EACCES, try_narrow(mmio, KRESOURCE_MMIO, base + kPage, UINT64_MAX));
    EXPECT_STATUS(-EACCES, try_narrow(mmio, KRESOURCE_MMIO, UINT64_MAX - kPage + 1, 2 * kPage));
    EXPECT_STATUS(-EACCES, try_narrow(mmio, KRESOURCE_ROOT, 0, 0));
    EXPECT_STATUS(-EACCES, try_narrow(mmio, KRESOURCE_SYSTEM, 0, 0));
    EXPECT_STATUS(-EACCES, try_narrow(mmio, KRESOURCE_INTERRUPT, 1, 1));
    const Owned lines = narrow(root(), KRESOURCE_INTERRUPT, 8, 4);
    EXPECT_STATUS(0, try_narrow(lines, KRESOURCE_INTERRUPT, 9, 3));
    EXPECT_STATUS(-EACCES, try_narrow(lines, KRESOURCE_INTERRUPT, 9, 4));
    EXPECT_STATUS(-EACCES, try_narrow(lines, KRESOURCE_MMIO, 8, 4));
    const Owned system = narrow(root(), KRESOURCE_SYSTEM);
    EXPECT_STATUS(0, try_narrow(system, KRESOURCE_SYSTEM, 0, 0));
    EXPECT_STATUS(-EACCES, try_narrow(system, KRESOURCE_MMIO, base, kPage));
    EXPECT_STATUS(-EACCES, try_narrow(system, KRESOURCE_ROOT, 0, 0));
}

TEST("system state needs a RESOURCE of the right kind") {
    char room[256];
    const Owned mmio = narrow(root(), KRESOURCE_MMIO, 0x10000000, kPage);
    const Owned system = narrow(root(), KRESOURCE_SYSTEM);
    kairos_object_entry entry;
    kairos_handle_t out = 77;
    for (const uint32_t topic : {KAIROS_INFO_SYSTEM, KAIROS_INFO_PLATFORM}) {
        EXPECT_STATUS(-EACCES, kairos_object_info(mmio, topic, room, sizeof(room)));
        EXPECT(kairos_object_info(system, topic, room, sizeof(room)) > 0);
    }
    EXPECT_STATUS(-EACCES, kairos_system_list(mmio, 0, 0, &entry, 1));
    EXPECT_STATUS(1, kairos_system_list(system, 0, 0, &entry, 1));
    EXPECT_STATUS(-EACCES, kairos_system_open(mmio, id_of(mmio), KRIGHT_READ, &out));
    EXPECT_STATUS(-EACCES, kairos_system_power(mmio, 0));
    EXPECT_EQ(77u, out);
}

TEST("the harts introduce themselves") {
    kairos_info_hart harts[64];
    const kairos_status_t bytes =
        kairos_object_info(root(), KAIROS_INFO_HARTS, harts, sizeof(harts));
    REQUIRE_EQ(static_cast<int64_t>(hart_count() * sizeof(harts[0])), bytes);
    for (uint32_t i = 0; i < hart_count(); ++i) {
        EXPECT_EQ(i, harts[i].hart);
        for (uint32_t j = 0; j < i; ++j) EXPECT(harts[i].sbi_id != harts[j].sbi_id);
    }
    EXPECT_STATUS(-EMSGSIZE, kairos_object_info(root(), KAIROS_INFO_HARTS, harts, 1));
}

// ---- Device memory
// -------------------------------------------------------------------------------

TEST("memory_create_physical: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_handle_t*>(bad.kernel());
    const uint64_t uart = platform().uart_base;
    const kairos_handle_t closed = closed_handle();
    kairos_handle_t out = 77;
    EXPECT_STATUS(-EINVAL, kairos_memory_create_physical(closed, uart, 0, kernel));
    EXPECT_STATUS(-EINVAL, kairos_memory_create_physical(closed, uart, 1, kernel));
    EXPECT_STATUS(-EINVAL, kairos_memory_create_physical(closed, uart + 8, kPage, kernel));
    EXPECT_STATUS(-EINVAL, kairos_memory_create_physical(closed, ~(kPage - 1), 2 * kPage, kernel));
    EXPECT_STATUS(-EFAULT, kairos_memory_create_physical(closed, uart, kPage, kernel));
    EXPECT_STATUS(-EBADF, kairos_memory_create_physical(closed, uart, kPage, &out));
    EXPECT_STATUS(-ENOTSUP, kairos_memory_create_physical(make_event(), uart, kPage, &out));
    const Owned unmanaged = without(root(), KRIGHT_MANAGE);
    EXPECT_STATUS(-EACCES, kairos_memory_create_physical(unmanaged, uart, kPage, &out));
    const Owned other = narrow(root(), KRESOURCE_MMIO, uart + kPage, kPage);
    EXPECT_STATUS(-EACCES, kairos_memory_create_physical(other, uart, kPage, &out));
    EXPECT_STATUS(-EACCES, kairos_memory_create_physical(other, uart + kPage, 2 * kPage, &out));
    const Owned lines = narrow(root(), KRESOURCE_INTERRUPT, 1, 10);
    EXPECT_STATUS(-EACCES, kairos_memory_create_physical(lines, uart, kPage, &out));
    // RAM is nobody's to map so: the kernel lies in it.
    for (const uint64_t ram : {0x80000000, 0x80200000, 0x84000000}) {
        EXPECT_STATUS(-EACCES, kairos_memory_create_physical(root(), ram, kPage, &out));
    }
    EXPECT_STATUS(-EACCES, kairos_memory_create_physical(root(), 0x7ffff000, 2 * kPage, &out));
    EXPECT_EQ(77u, out);
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_memory_create_physical(root(), uart, kPage, out));
}

TEST("device memory can be mapped, and never run") {
    Owned registers;
    REQUIRE_STATUS(
        0, kairos_memory_create_physical(root(), platform().uart_base, kPage, registers.out()));
    EXPECT_EQ(1u, info_of<kairos_info_memory>(registers, KAIROS_INFO_MEMORY).physical);
    void* at = nullptr;
    EXPECT_STATUS(-EACCES, kairos_map(kairos_self_aspace(), registers, 0, &at, kPage,
                                      KPROT_READ | KPROT_EXEC));
    REQUIRE_STATUS(
        0, kairos_map(kairos_self_aspace(), registers, 0, &at, kPage, KPROT_READ | KPROT_WRITE));
    // The scratch register of a 16550 keeps what is written.
    auto* uart = static_cast<volatile uint8_t*>(at);
    uart[7] = 0x5a;
    EXPECT_EQ(0x5a, static_cast<int>(uart[7]));
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), at, kPage));
}

// ---- Interrupts
// ----------------------------------------------------------------------------------

TEST("interrupt_create and ack: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_handle_t*>(bad.kernel());
    const uint32_t line = platform().uart_interrupt;
    kairos_handle_t out = 77;
    EXPECT_STATUS(-EFAULT, kairos_interrupt_create(closed_handle(), line, kernel));
    EXPECT_STATUS(-EBADF, kairos_interrupt_create(closed_handle(), line, &out));
    EXPECT_STATUS(-ENOTSUP, kairos_interrupt_create(make_event(), line, &out));
    const Owned unmanaged = without(root(), KRIGHT_MANAGE);
    EXPECT_STATUS(-EACCES, kairos_interrupt_create(unmanaged, line, &out));
    const Owned others = narrow(root(), KRESOURCE_INTERRUPT, line + 1, 1);
    EXPECT_STATUS(-EACCES, kairos_interrupt_create(others, line, &out));
    const Owned system = narrow(root(), KRESOURCE_SYSTEM);
    EXPECT_STATUS(-EACCES, kairos_interrupt_create(system, line, &out));
    for (const uint32_t none : {0u, 100'000u, UINT32_MAX}) {
        EXPECT_STATUS(-EINVAL, kairos_interrupt_create(root(), none, &out));
    }
    EXPECT_OUTPUT_CHECKED(kairos_handle_t, kairos_interrupt_create(root(), line, out));

    Owned interrupt;
    REQUIRE_STATUS(0, kairos_interrupt_create(root(), line, interrupt.out()));
    EXPECT_STATUS(-EBUSY, kairos_interrupt_create(root(), line, &out));
    EXPECT_EQ(77u, out);
    const Owned mute = without(interrupt, KRIGHT_WRITE);
    EXPECT_STATUS(-EBADF, kairos_interrupt_ack(closed_handle()));
    EXPECT_STATUS(-ENOTSUP, kairos_interrupt_ack(make_event()));
    EXPECT_STATUS(-EACCES, kairos_interrupt_ack(mute));
}

TEST("an interrupt line can be taken again once its object is gone") {
    const uint32_t line = platform().uart_interrupt;
    for (int i = 0; i < 10; ++i) {
        Owned interrupt;
        REQUIRE_STATUS(0, kairos_interrupt_create(root(), line, interrupt.out()));
    }
}

TEST("an interrupt arrives as a packet, once for each ack") {
    constexpr int kEnable = 1;
    constexpr int kIdentify = 2;
    constexpr uint8_t kTransmitterEmpty = 2;
    Owned registers;
    REQUIRE_STATUS(
        0, kairos_memory_create_physical(root(), platform().uart_base, kPage, registers.out()));
    void* at = nullptr;
    REQUIRE_STATUS(
        0, kairos_map(kairos_self_aspace(), registers, 0, &at, kPage, KPROT_READ | KPROT_WRITE));
    auto* uart = static_cast<volatile uint8_t*>(at);
    const uint8_t before = uart[kEnable];

    const Owned port = make_port();
    Owned interrupt;
    REQUIRE_STATUS(0, kairos_interrupt_create(root(), platform().uart_interrupt, interrupt.out()));
    REQUIRE_STATUS(0, kairos_port_bind(port, interrupt, 5, KPORT_BIND_INTERRUPT));
    EXPECT_EQ(0u, ready(interrupt, POLLIN));
    // The transmitter is empty, and says so as long as this is enabled and nobody asks.
    uart[kEnable] = kTransmitterEmpty;
    EXPECT_NO_PACKET(port);  // masked until the first ack
    for (int i = 0; i < 3; ++i) {
        REQUIRE_STATUS(0, kairos_interrupt_ack(interrupt));
        kairos_port_packet packet;
        REQUIRE_STATUS(1, next_packet(port, packet));
        EXPECT_EQ(5u, packet.key);
        EXPECT_EQ(KPORT_BIND_INTERRUPT, packet.observed);
        EXPECT_EQ(POLLIN, ready(interrupt, POLLIN));
        EXPECT_NO_PACKET(port);  // masked again
        // Asking takes it back; enabling raises it anew.
        static_cast<void>(uart[kIdentify]);
        uart[kEnable] = 0;
        uart[kEnable] = kTransmitterEmpty;
    }
    uart[kEnable] = before;
    static_cast<void>(uart[kIdentify]);
    REQUIRE_STATUS(0, kairos_unmap(kairos_self_aspace(), at, kPage));
}

// ---- Listing and opening
// -------------------------------------------------------------------------

TEST("system_list: errors in their order") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_object_entry*>(bad.kernel());
    auto* unreachable = static_cast<kairos_object_entry*>(bad.unreachable());
    const Owned blind = without(root(), KRIGHT_READ);
    EXPECT_STATUS(-EINVAL, kairos_system_list(closed_handle(), KOBJ_TYPE_COUNT, 0, kernel, 1));
    EXPECT_STATUS(-EINVAL, kairos_system_list(closed_handle(), 0, 0, kernel, 0));
    EXPECT_STATUS(-EFAULT, kairos_system_list(closed_handle(), 0, 0, kernel, 1));
    EXPECT_STATUS(-EBADF, kairos_system_list(closed_handle(), 0, 0, unreachable, 1));
    EXPECT_STATUS(-ENOTSUP, kairos_system_list(make_event(), 0, 0, unreachable, 1));
    EXPECT_STATUS(-EACCES, kairos_system_list(blind, 0, 0, unreachable, 1));
    EXPECT_STATUS(-EFAULT, kairos_system_list(root(), 0, 0, unreachable, 1));
}

TEST("system_list: nothing is above the highest id") {
    kairos_object_entry entry;
    EXPECT_STATUS(0, kairos_system_list(root(), 0, UINT64_MAX, &entry, 1));
    EXPECT_STATUS(0, kairos_system_list(root(), 0, UINT64_MAX - 1, &entry, 1));
}

TEST("system_list: all objects, once each, in rising order, page by page") {
    const Owned events[] = {make_event(), make_event(), make_event()};
    const Channel channel;
    bool found[3] = {};
    uint32_t listed = 0;
    kairos_object_entry page[7];
    uint64_t last = 0;
    while (true) {
        const kairos_status_t got = kairos_system_list(root(), 0, last, page, 7);
        REQUIRE(got >= 0 && got <= 7);
        if (got == 0) break;
        for (int64_t i = 0; i < got; ++i) {
            EXPECT(page[i].id > last);
            last = page[i].id;
            ++listed;
            for (int k = 0; k < 3; ++k) {
                if (page[i].id != id_of(events[k])) continue;
                found[k] = true;
                EXPECT_EQ(KOBJ_TYPE_EVENT, page[i].type);
                EXPECT_EQ(1u, page[i].handles);
                EXPECT_EQ(KAIROS_LIFECYCLE_LIVE, page[i].lifecycle);
            }
        }
    }
    for (const bool one : found) EXPECT(one);
    EXPECT(listed >= 8);
}

TEST("system_list: by type, with names") {
    const TinyProcess tiny;
    kairos_object_entry entry{};
    bool found = false;
    while (kairos_system_list(root(), KOBJ_TYPE_PROCESS, entry.id, &entry, 1) == 1) {
        EXPECT_EQ(KOBJ_TYPE_PROCESS, entry.type);
        if (entry.id != id_of(tiny.process)) continue;
        found = true;
        EXPECT_EQ(0, strcmp(entry.name, "tiny"));
    }
    EXPECT(found);
    found = false;
    entry.id = 0;
    while (kairos_system_list(root(), KOBJ_TYPE_THREAD, entry.id, &entry, 1) == 1) {
        if (entry.id == id_of(tiny.thread)) {
            found = true;
            EXPECT_EQ(id_of(tiny.process), entry.process_id);
        }
    }
    EXPECT(found);
}

TEST("system_open: errors, and what it opens") {
    const BadPointers bad;
    auto* kernel = static_cast<kairos_handle_t*>(bad.kernel());
    const Owned event = make_event();
    const Owned unmanaged = without(root(), KRIGHT_MANAGE);
    kairos_handle_t out = 77;
    EXPECT_STATUS(-EINVAL, kairos_system_open(closed_handle(), 1, 0, kernel));
    EXPECT_STATUS(-EINVAL, kairos_system_open(closed_handle(), 1, 1u << 9, kernel));
    EXPECT_STATUS(-EFAULT, kairos_system_open(closed_handle(), 1, KRIGHT_READ, kernel));
    EXPECT_STATUS(-EBADF, kairos_system_open(closed_handle(), 1, KRIGHT_READ, &out));
    EXPECT_STATUS(-ENOTSUP, kairos_system_open(event, 1, KRIGHT_READ, &out));
    EXPECT_STATUS(-EACCES, kairos_system_open(unmanaged, 1, KRIGHT_READ, &out));
    for (const uint64_t none : {uint64_t{0}, UINT64_MAX, uint64_t{1} << 40}) {
        EXPECT_STATUS(-ENOENT, kairos_system_open(root(), none, KRIGHT_READ, &out));
    }
    EXPECT_EQ(77u, out);
    Owned opened;
    REQUIRE_STATUS(0, kairos_system_open(root(), id_of(event), KRIGHT_SIGNAL, opened.out()));
    EXPECT_EQ(KRIGHT_SIGNAL, rights_of(opened));
    EXPECT_EQ(id_of(event), id_of(opened));
    EXPECT_EQ(0u, lineage_of(opened).parent_id);
    REQUIRE_STATUS(0, kairos_handle_revoke(event));
    EXPECT(is_valid(opened));
    EXPECT_OUTPUT_CHECKED(kairos_handle_t,
                          kairos_system_open(root(), id_of(event), KRIGHT_READ, out));
}

TEST("power: errors") {
    const Owned unmanaged = without(root(), KRIGHT_MANAGE);
    EXPECT_STATUS(-EBADF, kairos_system_power(closed_handle(), 0));
    EXPECT_STATUS(-ENOTSUP, kairos_system_power(make_event(), 0));
    EXPECT_STATUS(-EACCES, kairos_system_power(unmanaged, 0));
}
