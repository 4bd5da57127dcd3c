#include "process/first_program.h"

#include <cstring>

#include "abi/archive.h"
#include "abi/startup.h"
#include "arch/paging.h"
#include "device/resource.h"
#include "ipc/channel.h"
#include "memory/memory_object.h"
#include "platform/power.h"
#include "process/elf_image.h"
#include "process/process.h"
#include "trace/log.h"
#include "trace/quiet.h"

namespace {

constexpr uint32_t kFailedStatus = 101;

constexpr Rights kArchiveRights{KRIGHT_READ | KRIGHT_MAP | KRIGHT_EXECUTE | KRIGHT_DUPLICATE |
                                KRIGHT_TRANSFER};

[[noreturn]] void refuse(const char* problem, const char* name) {
    log("cannot start the first program '%s': %s", name, problem);
    platform::power_off(kFailedStatus);
}

// The value of what must not fail at boot, or the end of the machine with the reason.
template <typename T>
T must(Result<T> result, const char* what, const char* name) {
    if (!result) refuse(what, name);
    return result.take();
}
void must(Status status, const char* what, const char* name) {
    if (!status) refuse(what, name);
}

// The boot archive, where it lies in memory; what it says of itself is checked.
class Archive {
  public:
    Archive(const platform::PhysicalRange& range, const char* program) {
        if (range.size == 0) refuse("no boot archive was given (-initrd)", program);
        base_ = static_cast<const uint8_t*>(arch::physical_pointer(range.base));
        const auto* header = reinterpret_cast<const kairos_archive_header*>(base_);
        if (range.size < sizeof(*header) || header->magic != KAIROS_ARCHIVE_MAGIC ||
            header->size > range.size || header->size % kPageSize != 0 ||
            header->count > (header->size - sizeof(*header)) / sizeof(kairos_archive_entry)) {
            refuse("the boot archive is broken", program);
        }
        size_ = header->size;
        entries_ = {reinterpret_cast<const kairos_archive_entry*>(header + 1), header->count};
    }

    const kairos_archive_entry& find(const char* name) const {
        for (const kairos_archive_entry& entry : entries_) {
            if (std::strncmp(entry.name, name, sizeof(entry.name)) != 0) continue;
            if (entry.offset > size_ || entry.size > size_ - entry.offset ||
                entry.offset % kPageSize != 0) {
                refuse("its entry in the boot archive is broken", name);
            }
            return entry;
        }
        refuse("the boot archive has no such file", name);
    }
    std::span<const uint8_t> bytes(const kairos_archive_entry& entry) const {
        return {base_ + entry.offset, entry.size};
    }
    uint64_t size() const { return size_; }

  private:
    const uint8_t* base_;
    uint64_t size_;
    std::span<const kairos_archive_entry> entries_;
};

Protection protection_of(const ElfImage::Segment& segment) {
    return {.read = segment.readable, .write = segment.writable, .execute = segment.executable};
}

// Room for the program and, behind a page that stays free, its stack: at an address that is hard to
// guess. Nobody else maps in this space yet.
VirtualAddress choose_place(Process& process, const ElfImage& image, const char* name) {
    const uint64_t length = image.end() - image.begin() + kPageSize + KAIROS_STACK_SIZE;
    Ref<MemoryObject> none =
        must(MemoryObject::create(process.budget(), length), "no memory", name);
    const VirtualAddress chosen =
        must(process.space().map(*none, 0, {0}, length, {}, {}), "no room for it", name);
    must(process.space().unmap(chosen, length), "no memory", name);
    return chosen;
}

// Maps one segment: straight from the archive where the file's pages can be used as they are, else
// into memory of its own.
void load_segment(Process& process, const ElfImage::Segment& segment, uint64_t bias,
                  Ref<MemoryObject> archive, const kairos_archive_entry& entry,
                  std::span<const uint8_t> file) {
    const VirtualAddress start{segment.address + bias};
    const uint64_t length = round_up_to_page(start.page_offset() + segment.memory_size);
    const Protection protection = protection_of(segment);
    Ref<MemoryObject> memory = archive;
    uint64_t offset = entry.offset + segment.file_offset - start.page_offset();
    const bool in_place = segment.mappable_from_file();
    if (!in_place) {
        memory = must(MemoryObject::create(process.budget(), length), "no memory", entry.name);
        offset = 0;
    }
    must(process.space().map(*memory, offset, start.page(), length, protection, protection),
         "its segments cannot be mapped", entry.name);
    if (!in_place &&
        !memory->fill(start.page_offset(), file.data() + segment.file_offset, segment.file_size)) {
        refuse("no memory", entry.name);
    }
}

// The strings of the startup message, one after the other; how many bytes.
uint32_t put_strings(const BootOptions& options, char* to, uint32_t room) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < options.argument_count; ++i) {
        const uint32_t length = std::strlen(options.arguments[i]) + 1;
        if (length > room - used) refuse("its arguments are too long", options.program);
        std::memcpy(to + used, options.arguments[i], length);
        used += length;
    }
    return used;
}

// The startup message (abi/startup.h), in the child's end of a new channel.
class Startup {
  public:
    Startup(Budget& budget, const char* program) : budget_(budget), program_(program) {}

    void give(uint32_t which, Object& object, Rights rights) {
        places_[count_] = which;
        caps_[count_++] =
            must(OwnedCap::create_root(object, rights, budget_), "no memory", program_);
    }

    void write(Outgoing& message, kairos_startup header, const BootOptions& options) {
        static char bytes[sizeof(header) + sizeof(places_) + platform::kMaxCommandLine];
        header.magic = KAIROS_STARTUP_MAGIC;
        header.argc = options.argument_count;
        header.handle_count = count_;
        const uint32_t places_end = sizeof(header) + count_ * sizeof(places_[0]);
        header.string_bytes = put_strings(options, bytes + places_end, sizeof(bytes) - places_end);
        std::memcpy(bytes, &header, sizeof(header));
        std::memcpy(bytes + sizeof(header), places_, count_ * sizeof(places_[0]));
        must(message.read_from_kernel(bytes, places_end + header.string_bytes, budget_),
             "no memory", program_);
        while (count_ != 0) message.message.handles.push_front(std::move(caps_[--count_]));
    }

  private:
    Budget& budget_;
    const char* program_;
    uint32_t places_[KCHANNEL_MAX_MSG_HANDLES];
    OwnedCap caps_[KCHANNEL_MAX_MSG_HANDLES];
    uint32_t count_ = 0;
};

void power_off_with(const ProcessEnd& how) {
    report_longest_quiet();
    const bool faulted = how.fault_cause != 0 || how.fault_pc != 0;
    platform::power_off(faulted ? kFailedStatus : static_cast<uint32_t>(how.code & 0xff));
}

}  // namespace

void start_first_program(Budget& budget, const platform::Machine& machine,
                         const BootOptions& options) {
    const char* name = options.program;
    const Archive archive(machine.archive, name);
    const kairos_archive_entry& entry = archive.find(name);
    const std::span<const uint8_t> file = archive.bytes(entry);
    const ElfImage image = must(ElfImage::open(file), "it is not a program for this machine", name);

    Ref<Process> process = must(Process::create(budget, name, KPRIORITY_MAX), "no memory", name);
    Ref<Thread> thread = must(process->create_thread(name), "no memory", name);
    Ref<MemoryObject> files =
        must(MemoryObject::create_archive(budget, machine.archive.base, archive.size()),
             "no memory", name);
    const uint64_t bias =
        image.movable() ? choose_place(*process, image, name).value - image.begin() : 0;
    for (const ElfImage::Segment& segment : image.segments()) {
        load_segment(*process, segment, bias, files, entry, file);
    }
    Ref<MemoryObject> stack =
        must(MemoryObject::create(budget, KAIROS_STACK_SIZE), "no memory", name);
    const VirtualAddress stack_base{image.end() + bias + kPageSize};
    const Protection data{.read = true, .write = true, .execute = false};
    must(process->space().map(*stack, 0, stack_base, KAIROS_STACK_SIZE, data, data),
         "no room for its stack", name);

    Startup startup(budget, name);
    Ref<Resource> resource =
        must(Resource::create(budget, {ResourceKind::kRoot, 0, 0}), "no memory", name);
    startup.give(KAIROS_BOOT_SELF_PROCESS, *process, Process::kInitialRights);
    startup.give(KAIROS_BOOT_SELF_ASPACE, process->space(), AddressSpace::kInitialRights);
    startup.give(KAIROS_BOOT_SELF_THREAD, *thread, Thread::kInitialRights);
    startup.give(KAIROS_BOOT_SELF_IMAGE, *files, kArchiveRights);
    startup.give(KAIROS_BOOT_ARCHIVE, *files, kArchiveRights);
    startup.give(KAIROS_BOOT_RESOURCE, *resource, Resource::kInitialRights);
    Outgoing message;
    kairos_startup header{};
    header.image_offset = entry.offset;
    header.image_size = entry.size;
    header.stack_base = stack_base.value;
    header.stack_size = KAIROS_STACK_SIZE;
    startup.write(message, header, options);

    Endpoint::TwoEnds channel = must(Endpoint::create_pair(budget), "no memory", name);
    OwnedCap ours = must(OwnedCap::create_root(*channel.ends[0], Endpoint::kInitialRights, budget),
                         "no memory", name);
    OwnedCap theirs =
        must(OwnedCap::create_root(*channel.ends[1], Endpoint::kInitialRights, budget), "no memory",
             name);
    must(channel.ends[0]->send(message, {}), "its startup message cannot be sent", name);

    Process::on_first_program_end = power_off_with;
    process->mark_first();
    must(process->start_with(*thread, {image.entry() + bias}, stack_base + KAIROS_STACK_SIZE,
                             std::move(theirs)),
         "it cannot be started", name);
}
