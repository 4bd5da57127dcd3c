// Reads the machine's description with libfdt: memory, what of it is taken, harts, and the devices
// that the kernel drives itself. Devices under /soc are taken to have the addresses that the harts
// use (an empty `ranges`), as virt has them.
//
// Looking something up in a flattened tree means reading it from the start, so the nodes that
// matter are found in one walk first and read after that.
//
// Whatever the kernel cannot do without and does not find ends the boot here, with one sentence.
#include <libfdt.h>

#include "arch/paging.h"
#include "devices.h"
#include "platform/console.h"
#include "platform/machine.h"
#include "platform/power.h"

namespace platform {
namespace {

constexpr uint32_t kStatusBroken = 101;
constexpr uint32_t kSupervisorExternal = 9;  // a hart's interrupt that contexts are wired to

constinit Machine the_machine{};
constinit Plic the_plic{};
constinit Seed the_seed{};
const void* tree = nullptr;
uint32_t intc_phandles[kMaxHarts];  // of the interrupt controller inside hart_ids[i]

void print(const char* text) { console_write(text, __builtin_strlen(text)); }

[[noreturn]] void fail(const char* reason) {
    print("Kairos cannot start: ");
    print(reason);
    print("\n");
    power_off(kStatusBroken);
}

// ---- Text and numbers ---------------------------------------------------------------------------

// What follows `prefix` in `text`, or null if it does not begin so.
const char* after_prefix(const char* text, const char* prefix) {
    while (*prefix != 0) {
        if (*text++ != *prefix++) return nullptr;
    }
    return text;
}

bool equal(const char* left, const char* right) {
    const char* rest = after_prefix(left, right);
    return rest != nullptr && *rest == 0;
}

// The first string of a property, or null.
const char* text_of(int node, const char* name) {
    return fdt_stringlist_get(tree, node, name, 0, nullptr);
}

bool text_is(int node, const char* name, const char* expected) {
    const char* text = text_of(node, name);
    return text != nullptr && equal(text, expected);
}

bool is_enabled(int node) {
    const char* status = text_of(node, "status");
    return status == nullptr || equal(status, "okay") || equal(status, "ok");
}

// A property as a row of 32-bit cells; cell i may be asked for if i < count.
class Cells {
  public:
    Cells(int node, const char* name) {
        int bytes = 0;
        cells_ = static_cast<const fdt32_t*>(fdt_getprop(tree, node, name, &bytes));
        count_ = cells_ == nullptr ? 0 : static_cast<uint32_t>(bytes) / sizeof(fdt32_t);
    }
    uint32_t count() const { return count_; }
    uint32_t at(uint32_t i) const { return fdt32_to_cpu(cells_[i]); }
    // A number of one or two cells, the upper half first.
    uint64_t number(uint32_t i, uint32_t width) const {
        return width == 1 ? at(i) : uint64_t{at(i)} << 32 | at(i + 1);
    }
    // The whole property as one number; 0 if it is none.
    uint64_t number() const { return count_ == 1 || count_ == 2 ? number(0, count_) : 0; }

  private:
    const fdt32_t* cells_;
    uint32_t count_;
};

// ---- Nodes --------------------------------------------------------------------------------------

struct Node {
    int offset = -1;
    int parent = -1;

    bool found() const { return offset >= 0; }
};

// The nodes that matter here. Of devices, the first enabled one of each kind.
struct Nodes {
    Node memory[kMaxMemoryRanges];
    uint32_t memory_count = 0;
    Node reserved_memory;
    Node chosen;
    Node harts;
    Node test_device;
    Node plic;
    Node uart;
    uint32_t uart_count = 0;
};

// Entries of a `reg` property, in the cell sizes of its node's parent.
class RegisterRanges {
  public:
    explicit RegisterRanges(Node node)
        : cells_(node.offset, "reg"),
          address_width_(width(fdt_address_cells(tree, node.parent))),
          size_width_(width(fdt_size_cells(tree, node.parent))) {}
    uint32_t count() const { return cells_.count() / (address_width_ + size_width_); }
    PhysicalRange at(uint32_t i) const {
        const uint32_t cell = i * (address_width_ + size_width_);
        return {.base = {cells_.number(cell, address_width_)},
                .size = cells_.number(cell + address_width_, size_width_)};
    }

  private:
    static uint32_t width(int cells) {
        if (cells != 1 && cells != 2) fail("the device tree has addresses of an unknown size");
        return static_cast<uint32_t>(cells);
    }

    Cells cells_;
    uint32_t address_width_;
    uint32_t size_width_;
};

void note_place(Nodes& nodes, Node node) {
    const char* name = fdt_get_name(tree, node.offset, nullptr);
    if (name == nullptr) return;
    if (equal(name, "chosen")) nodes.chosen = node;
    if (equal(name, "cpus")) nodes.harts = node;
    if (equal(name, "reserved-memory")) nodes.reserved_memory = node;
    if (after_prefix(name, "memory") != nullptr && text_is(node.offset, "device_type", "memory") &&
        is_enabled(node.offset)) {
        if (nodes.memory_count == kMaxMemoryRanges) fail("the device tree has too many memories");
        nodes.memory[nodes.memory_count++] = node;
    }
}

void note_device(Nodes& nodes, Node node) {
    int bytes = 0;
    const auto* list =
        static_cast<const char*>(fdt_getprop(tree, node.offset, "compatible", &bytes));
    if (list == nullptr) return;
    const auto is = [&](const char* name) {
        return fdt_stringlist_contains(list, bytes, name) != 0;
    };
    Node* place = is("sifive,test1") || is("sifive,test0")       ? &nodes.test_device
                  : is("sifive,plic-1.0.0") || is("riscv,plic0") ? &nodes.plic
                  : is("ns16550a")                               ? &nodes.uart
                                                                 : nullptr;
    if (place == nullptr || !is_enabled(node.offset)) return;
    if (!place->found()) *place = node;
    if (place == &nodes.uart) ++nodes.uart_count;
}

Nodes find_nodes() {
    constexpr int kMaxDepth = 8;  // devices lie at depth 1 or 2
    Nodes nodes;
    int path[kMaxDepth] = {};
    int depth = 0;
    for (int offset = 0; offset >= 0 && depth >= 0; offset = fdt_next_node(tree, offset, &depth)) {
        if (depth >= kMaxDepth) continue;
        path[depth] = offset;
        if (depth == 0) continue;
        const Node node{.offset = offset, .parent = path[depth - 1]};
        if (depth == 1) note_place(nodes, node);
        note_device(nodes, node);
    }
    return nodes;
}

// ---- Memory -------------------------------------------------------------------------------------

void add_memory(PhysicalRange range) {
    if (range.base.value >= arch::kPhysicalLimit || range.size == 0) return;
    const uint64_t room = arch::kPhysicalLimit - range.base.value;
    if (range.size > room) range.size = room;
    if (the_machine.memory_count == kMaxMemoryRanges) {
        fail("the device tree has too many ranges of memory");
    }
    the_machine.memory[the_machine.memory_count++] = range;
}

void read_memory(const Nodes& nodes) {
    for (uint32_t i = 0; i < nodes.memory_count; ++i) {
        const RegisterRanges ranges(nodes.memory[i]);
        for (uint32_t j = 0; j < ranges.count(); ++j) add_memory(ranges.at(j));
    }
    if (the_machine.memory_count == 0) fail("the device tree names no memory");
}

// Keeps whole pages from being used.
void reserve(PhysicalRange range) {
    if (range.size == 0) return;
    if (the_machine.reserved_count == kMaxReservedRanges) {
        fail("the device tree reserves too many ranges of memory");
    }
    const uint64_t begin = range.base.value & ~(kPageSize - 1);
    const uint64_t end = round_up_to_page(range.base.value + range.size);
    the_machine.reserved[the_machine.reserved_count++] = {.base = {begin}, .size = end - begin};
}

bool in_memory(PhysicalRange range) {
    for (uint32_t i = 0; i < the_machine.memory_count; ++i) {
        if (the_machine.memory[i].contains(range)) return true;
    }
    return false;
}

void read_reserved(const Nodes& nodes, PhysicalAddress device_tree) {
    reserve({.base = device_tree, .size = fdt_totalsize(tree)});
    reserve({.base = arch::kernel_image(), .size = arch::kernel_image_size()});
    for (int i = 0; i < fdt_num_mem_rsv(tree); ++i) {
        PhysicalRange range;
        if (fdt_get_mem_rsv(tree, i, &range.base.value, &range.size) == 0) reserve(range);
    }
    if (!nodes.reserved_memory.found()) return;
    int node;
    fdt_for_each_subnode(node, tree, nodes.reserved_memory.offset) {
        const RegisterRanges ranges({.offset = node, .parent = nodes.reserved_memory.offset});
        for (uint32_t i = 0; i < ranges.count(); ++i) reserve(ranges.at(i));
    }
}

// ---- What the boot loader chose -----------------------------------------------------------------

void read_archive(int chosen) {
    const uint64_t start = Cells(chosen, "linux,initrd-start").number();
    const uint64_t end = Cells(chosen, "linux,initrd-end").number();
    if (start == 0 && end == 0) return;
    the_machine.archive = {.base = {start}, .size = end - start};
    if (end <= start || !in_memory(the_machine.archive)) {
        fail("the boot archive does not lie in memory");
    }
    if (!the_machine.archive.base.page_aligned()) fail("the boot archive is not page-aligned");
    reserve(the_machine.archive);
}

void read_command_line(int chosen) {
    const char* text = text_of(chosen, "bootargs");
    if (text == nullptr) return;
    const size_t length = __builtin_strlen(text);
    if (length >= kMaxCommandLine) fail("the command line is too long");
    __builtin_memcpy(the_machine.command_line, text, length + 1);
}

// Adds the bits of a property to the seed, and wipes them out in the tree, which stays in memory.
void draw_seed(int chosen, const char* name) {
    int bytes = 0;
    const void* property = fdt_getprop(tree, chosen, name, &bytes);
    if (property == nullptr) return;
    auto* volatile_bytes = static_cast<volatile uint8_t*>(const_cast<void*>(property));
    for (int i = 0; i < bytes; ++i) {
        const uint64_t byte = volatile_bytes[i];
        the_seed.words[i / 8 % Seed::kWords] ^= byte << i % 8 * 8;
        volatile_bytes[i] = 0;
    }
}

// ---- Harts --------------------------------------------------------------------------------------

// Whether the ISA string names an extension of several letters: rv64imac_zicsr_sstc
bool has_extension(const char* isa, const char* name) {
    for (; *isa != 0; ++isa) {
        if (*isa != '_') continue;
        const char* rest = after_prefix(isa + 1, name);
        if (rest != nullptr && (*rest == '_' || *rest == 0)) return true;
    }
    return false;
}

bool is_usable_hart(int node) {
    const char* mmu = text_of(node, "mmu-type");
    return mmu != nullptr && !equal(mmu, "riscv,none") && text_is(node, "device_type", "cpu") &&
           is_enabled(node);
}

uint32_t intc_phandle_of(int hart) {
    int node;
    fdt_for_each_subnode(node, tree, hart) {
        if (fdt_node_check_compatible(tree, node, "riscv,cpu-intc") == 0) {
            return fdt_get_phandle(tree, node);
        }
    }
    return 0;
}

// The first hart to boot has place 0, the others follow as the tree lists them.
void add_hart(int node, uint64_t id, uint64_t boot_hardware_id, bool& boot_hart_found) {
    uint32_t place = 0;
    if (id == boot_hardware_id) {
        boot_hart_found = true;
    } else if (the_machine.hart_count < kMaxHarts) {
        place = the_machine.hart_count++;
    } else {
        ++the_machine.harts_ignored;
        return;
    }
    the_machine.hart_ids[place] = id;
    intc_phandles[place] = intc_phandle_of(node);
    const char* isa = text_of(node, "riscv,isa");
    if (isa == nullptr || !has_extension(isa, "sstc")) the_machine.has_sstc = false;
}

void read_harts(const Nodes& nodes, uint64_t boot_hardware_id) {
    if (!nodes.harts.found()) fail("the device tree names no harts");
    const int parent = nodes.harts.offset;
    the_machine.timebase_hz = static_cast<uint32_t>(Cells(parent, "timebase-frequency").number());
    if (the_machine.timebase_hz == 0) fail("the device tree does not say how fast the clock is");
    the_machine.hart_count = 1;
    the_machine.has_sstc = true;
    bool boot_hart_found = false;
    int node;
    fdt_for_each_subnode(node, tree, parent) {
        if (!is_usable_hart(node)) continue;
        add_hart(node, Cells(node, "reg").number(), boot_hardware_id, boot_hart_found);
    }
    if (!boot_hart_found) fail("the device tree does not name the hart that booted");
}

// ---- Devices ------------------------------------------------------------------------------------

// The registers of a device; `missing` is the sentence if it has none.
PhysicalRange device_registers(Node node, const char* missing) {
    constexpr PhysicalRange kReachable{.base = {}, .size = arch::kPhysicalLimit};
    const RegisterRanges ranges(node);
    if (ranges.count() == 0 || ranges.at(0).size == 0 || !kReachable.contains(ranges.at(0))) {
        fail(missing);
    }
    return ranges.at(0);
}

void read_test_device(const Nodes& nodes) {
    if (!nodes.test_device.found()) return;
    use_test_device(device_registers(nodes.test_device, "the test device has no registers"));
}

// If there are several UARTs, the one that /chosen names (options follow a colon).
Node chosen_uart(const Nodes& nodes) {
    if (nodes.uart_count <= 1 || !nodes.chosen.found()) return nodes.uart;
    const char* path = text_of(nodes.chosen.offset, "stdout-path");
    if (path == nullptr) return nodes.uart;
    int length = 0;
    while (path[length] != 0 && path[length] != ':') ++length;
    const int offset = fdt_path_offset_namelen(tree, path, length);
    if (offset < 0 || fdt_node_check_compatible(tree, offset, "ns16550a") != 0) return nodes.uart;
    return {.offset = offset, .parent = fdt_parent_offset(tree, offset)};
}

void read_uart(const Nodes& nodes) {
    const Node node = chosen_uart(nodes);
    if (!node.found()) fail("the device tree names no UART (ns16550a)");
    the_machine.uart = device_registers(node, "the UART has no registers");
    if (Cells(node.offset, "reg-shift").number() != 0) {
        fail("the UART's registers are not bytes apart");
    }
    use_uart(the_machine.uart);
    const Cells interrupts(node.offset, "interrupts");
    if (interrupts.count() == 0) fail("the UART has no interrupt");
    the_machine.uart_interrupt = interrupts.at(0);
}

// Contexts are numbered as `interrupts-extended` lists them, each with the hart's interrupt
// controller and the interrupt there that it raises.
void read_plic_contexts(int node) {
    const Cells wires(node, "interrupts-extended");
    for (uint32_t hart = 0; hart < the_machine.hart_count; ++hart) {
        bool found = false;
        for (uint32_t context = 0; context < wires.count() / 2 && !found; ++context) {
            found = wires.at(2 * context) == intc_phandles[hart] &&
                    wires.at(2 * context + 1) == kSupervisorExternal;
            if (found) the_plic.contexts[hart] = context;
        }
        if (!found) fail("the interrupt controller does not reach every hart");
    }
}

void read_plic(const Nodes& nodes) {
    if (!nodes.plic.found()) fail("the device tree names no interrupt controller (PLIC)");
    the_plic.registers = device_registers(nodes.plic, "the interrupt controller has no registers");
    the_plic.lines = static_cast<uint32_t>(Cells(nodes.plic.offset, "riscv,ndev").number());
    if (the_plic.lines == 0) fail("the interrupt controller has no lines");
    read_plic_contexts(nodes.plic.offset);
}

}  // namespace

Registers::Registers(PhysicalRange range)
    : base_(reinterpret_cast<uint64_t>(arch::physical_pointer(range.base))) {}

const Machine& machine() { return the_machine; }
const Plic& plic() { return the_plic; }

Seed take_seed() {
    const Seed taken = the_seed;
    for (volatile uint64_t& word : the_seed.words) word = 0;
    return taken;
}

// The devices to report with come first.
void read_device_tree(PhysicalAddress device_tree, uint64_t boot_hardware_id) {
    if (device_tree.value == 0 || device_tree.value % 8 != 0 ||
        device_tree.value >= arch::kPhysicalLimit) {
        fail("the firmware gave no device tree");
    }
    tree = arch::physical_pointer(device_tree);
    if (fdt_check_header(tree) != 0) fail("the device tree is damaged");
    const Nodes nodes = find_nodes();
    read_test_device(nodes);
    read_uart(nodes);
    read_memory(nodes);
    read_reserved(nodes, device_tree);
    if (nodes.chosen.found()) {
        read_archive(nodes.chosen.offset);
        read_command_line(nodes.chosen.offset);
        draw_seed(nodes.chosen.offset, "rng-seed");
        draw_seed(nodes.chosen.offset, "kaslr-seed");
    }
    read_harts(nodes, boot_hardware_id);
    read_plic(nodes);
}

}  // namespace platform
