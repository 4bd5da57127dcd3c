// What each system call expects of each argument: one line for a call. contract.cpp makes wrong
// arguments of it. A call without a line is a failure.
#pragma once

#include <kairos/syscalls.h>

#include "owned.h"

// In the order in which the contract has a call look at its arguments.
enum class Stage : uint8_t { kFlags, kStructs, kLengths, kRanges, kHandle, kType, kRights, kOwn };

enum class Kind : uint8_t {
    kNone,      // no such argument
    kAnything,  // no value is wrong
    kChoice,    // `good`, and values that are wrong before anything else is looked at
    kLength,    // the same, among the lengths
    kHandle,
    kDescriptor,
    kText,     // a struct or a name that is read
    kRequest,  // a struct kairos_channel_msg to send
    kReply,    // the same, or null
    kRoom,     // a struct kairos_channel_msg to receive into
    kSource,   // bytes that are read once the handle has been found good
    kPlace,    // a user address that need not be accessible
    kResult,   // where something is written at the end
};

constexpr uint32_t type_bit(uint32_t type) { return 1u << type; }
constexpr uint32_t kAnyType = ((1u << KOBJ_TYPE_COUNT) - 1) & ~1u;

struct Argument {
    Kind kind = Kind::kNone;
    uint64_t good = 0;
    uint64_t wrong[4] = {};
    uint32_t wrong_count = 0;
    int64_t error = -EINVAL;  // for what is wrong
    uint32_t types = 0;       // of a handle; the call is made with one of the lowest
    kairos_rights_t rights = 0;
    bool narrow = false;    // 32 bits, of which the register's upper half is no part
    bool optional = false;  // of a handle: KAIROS_HANDLE_INVALID is good
};

template <typename... Values>
constexpr Argument choice(uint64_t good, Values... wrong) {
    return {Kind::kChoice, good, {static_cast<uint64_t>(wrong)...}, sizeof...(wrong)};
}
template <typename... Values>
constexpr Argument length(uint64_t good, Values... wrong) {
    return {Kind::kLength, good, {static_cast<uint64_t>(wrong)...}, sizeof...(wrong)};
}
// Flags of which these are defined: three that are not are wrong.
constexpr Argument flags(uint32_t defined, uint32_t good = 0) {
    Argument argument = choice(good, ~defined & -~defined, 1u << 31, ~0u);
    argument.narrow = true;
    return argument;
}
constexpr Argument handle(uint32_t types, kairos_rights_t rights = 0) {
    return {.kind = Kind::kHandle, .types = types, .rights = rights, .narrow = true};
}
constexpr Argument own_or(uint32_t types, kairos_rights_t rights) {
    return {
        .kind = Kind::kHandle, .types = types, .rights = rights, .narrow = true, .optional = true};
}
// A descriptor with these rights (FD_RIGHT_*).
constexpr Argument descriptor(uint32_t rights = 0) {
    return {.kind = Kind::kDescriptor, .rights = rights, .narrow = true};
}
constexpr Argument anything(uint64_t good = 0) { return {.kind = Kind::kAnything, .good = good}; }
constexpr Argument kText{.kind = Kind::kText};
constexpr Argument kRequest{.kind = Kind::kRequest};
constexpr Argument kReply{.kind = Kind::kReply};
constexpr Argument kRoom{.kind = Kind::kRoom};
constexpr Argument kSource{.kind = Kind::kSource};
constexpr Argument kPlace{.kind = Kind::kPlace};
constexpr Argument kResult{.kind = Kind::kResult};

struct Line {
    uint64_t number;
    const char* name;
    Argument arguments[6];
};

// ---- Sets of types
// -------------------------------------------------------------------------------

constexpr uint32_t kChannel = type_bit(KOBJ_TYPE_CHANNEL);
constexpr uint32_t kPort = type_bit(KOBJ_TYPE_PORT);
constexpr uint32_t kFile = type_bit(KOBJ_TYPE_FILE);  // one that cannot be bound: the console
constexpr uint32_t kMemory = type_bit(KOBJ_TYPE_MEMORY);
constexpr uint32_t kProcess = type_bit(KOBJ_TYPE_PROCESS);
constexpr uint32_t kThread = type_bit(KOBJ_TYPE_THREAD);
constexpr uint32_t kSpace = type_bit(KOBJ_TYPE_ADDRESS_SPACE);
constexpr uint32_t kTimer = type_bit(KOBJ_TYPE_TIMER);
constexpr uint32_t kInterrupt = type_bit(KOBJ_TYPE_INTERRUPT);
constexpr uint32_t kResource = type_bit(KOBJ_TYPE_RESOURCE);
constexpr uint32_t kEvent = type_bit(KOBJ_TYPE_EVENT);
constexpr uint32_t kBudget = type_bit(KOBJ_TYPE_BUDGET);
constexpr uint32_t kWithUserSignals = kChannel | kTimer | kEvent | kProcess | kThread;
constexpr uint32_t kBindable = kWithUserSignals | kInterrupt;
constexpr uint32_t kPollable = kBindable | kPort | kFile;

constexpr uint32_t kEvents = POLLIN | POLLOUT | POLLERR | POLLHUP;
constexpr uint32_t kUserSignals = KPORT_BIND_USER;
constexpr uint64_t kPage = KAIROS_PAGE_SIZE;
constexpr uint64_t kRoomBytes = 64;  // behind every pointer
constexpr uint64_t kNoTime = 0;
// Device memory and interrupt lines that nobody uses: of virtio slots.
constexpr uint64_t kDevicePage = 0x10001000;
constexpr uint32_t kFreeLine = 2;
constexpr uint32_t kNonblock = KCHANNEL_OPT_NONBLOCK;

inline uint64_t own_process_id() { return id_of(kairos_self_process()); }

// ---- The table
// -----------------------------------------------------------------------------------

#define CALL(name) KAIROS_SYS_##name, #name

inline const Line kLines[] = {
    {CALL(nop), {}},
    {CALL(handle_close), {handle(kAnyType), flags(KHANDLE_CLOSE_F_REVOKE_DESCENDANTS)}},
    {CALL(handle_duplicate),
     {handle(kAnyType, KRIGHT_DUPLICATE), choice(KRIGHT_SAME, 0, 1u << 9, KRIGHT_SAME | 1),
      kResult}},
    {CALL(handle_revoke), {handle(kAnyType)}},
    {CALL(cap_rights_get), {handle(kAnyType), kResult}},
    {CALL(cap_rights_limit), {handle(kAnyType), choice(KRIGHT_SAME, 0, 1u << 9, KRIGHT_SAME | 1)}},
    {CALL(channel_create), {flags(0), kResult, kResult}},
    {CALL(channel_send),
     {handle(kChannel, KRIGHT_WRITE), kRequest, flags(3, kNonblock), anything(kNoTime)}},
    {CALL(channel_recv),
     {handle(kChannel, KRIGHT_READ), kRoom, flags(3, kNonblock), anything(kNoTime)}},
    {CALL(channel_call),
     {handle(kChannel, KRIGHT_READ | KRIGHT_WRITE), kRequest, kRoom, anything(kNoTime)}},
    {CALL(channel_reply_recv),
     {handle(kChannel, KRIGHT_READ | KRIGHT_WRITE), kReply, kRoom, anything(kNoTime)}},
    {CALL(port_create), {flags(KPORT_CREATE_TRANSFERABLE), kResult}},
    {CALL(port_bind),
     {handle(kPort, KRIGHT_MANAGE), handle(kBindable, KRIGHT_WAIT), anything(),
      choice(KPORT_BIND_READABLE, 0, 1u << 6, 1u << 16, ~0u)}},
    {CALL(port_unbind), {handle(kPort, KRIGHT_MANAGE), handle(kAnyType)}},
    {CALL(port_wait),
     {handle(kPort, KRIGHT_WAIT), kResult, length(1, 0), flags(KPORT_WAIT_NONBLOCK, 1),
      anything(kNoTime)}},
    {CALL(port_queue), {handle(kPort, KRIGHT_WRITE), kText}},
    {CALL(object_poll), {handle(kPollable, KRIGHT_WAIT), flags(kEvents, POLLOUT), kResult}},
    {CALL(object_wait),
     {handle(kPollable, KRIGHT_WAIT), flags(kEvents, POLLOUT), anything(kNoTime), kResult}},
    {CALL(object_read),
     {handle(kChannel | kPort | kFile, KRIGHT_READ), kResult, anything(kRoomBytes),
      flags(kNonblock, kNonblock)}},
    {CALL(object_write),
     {handle(kChannel | kFile, KRIGHT_WRITE),
      kSource,
      {Kind::kLength, kRoomBytes, {KCHANNEL_MAX_MSG_BYTES + 1, UINT64_MAX}, 2, -EMSGSIZE},
      flags(kNonblock, kNonblock)}},
    {CALL(object_signal),
     {handle(kWithUserSignals, KRIGHT_SIGNAL), flags(kUserSignals), flags(kUserSignals)}},
    {CALL(object_info),
     {handle(kAnyType), choice(KAIROS_INFO_BASIC, 0, 15, 999, ~0u), kResult, anything(kRoomBytes)}},
    {CALL(memory_create), {length(kPage, 0), flags(KMEMORY_CREATE_RESIZABLE), kResult}},
    {CALL(memory_read), {handle(kMemory, KRIGHT_READ), anything(), kResult, anything(kRoomBytes)}},
    {CALL(memory_write),
     {handle(kMemory, KRIGHT_WRITE), anything(), kSource, anything(kRoomBytes)}},
    {CALL(map),
     {handle(kSpace, KRIGHT_MAP), handle(kMemory, KRIGHT_MAP | KRIGHT_READ), length(0, 1, 8, 4095),
      kText, length(kPage, 0, 1, kPage + 1), flags(7, KPROT_READ)}},
    {CALL(unmap), {handle(kSpace, KRIGHT_MAP), anything(kPage), length(kPage, 0, 1, kPage + 1)}},
    {CALL(protect),
     {handle(kSpace, KRIGHT_MAP), anything(kPage), length(kPage, 0, 1, kPage + 1),
      flags(7, KPROT_READ)}},
    {CALL(budget_create), {own_or(kBudget, KRIGHT_WRITE), length(kPage, 0), kResult}},
    {CALL(process_create), {kText, own_or(kBudget, KRIGHT_WRITE), kResult, kResult}},
    {CALL(process_start),
     {handle(kProcess, KRIGHT_MANAGE), handle(kThread, KRIGHT_MANAGE), anything(), anything(),
      anything(), anything()}},
    {CALL(process_kill), {handle(kProcess, KRIGHT_MANAGE), anything()}},
    {CALL(process_exit), {anything()}},
    {CALL(process_wait),
     {handle(kProcess, KRIGHT_READ | KRIGHT_WAIT), anything(kNoTime), anything()}},
    {CALL(thread_create), {handle(kProcess, KRIGHT_MANAGE), kText, kResult}},
    {CALL(thread_start), {handle(kThread, KRIGHT_MANAGE), anything(), anything()}},
    {CALL(thread_exit), {}},
    {CALL(thread_interrupt), {handle(kThread, KRIGHT_MANAGE)}},
    {CALL(thread_set_affinity), {handle(kThread, KRIGHT_MANAGE), choice(1, 0, uint64_t{1} << 63)}},
    {CALL(thread_set_priority),
     {handle(kThread, KRIGHT_MANAGE), choice(KPRIORITY_USUAL, KPRIORITY_MAX + 1, ~0u)}},
    {CALL(yield), {}},
    {CALL(clock_now), {}},
    {CALL(sleep_until), {anything()}},
    {CALL(timer_create), {kResult}},
    {CALL(timer_set), {handle(kTimer, KRIGHT_MANAGE), anything(), anything()}},
    {CALL(futex_wait), {kSource, anything(77), anything(kNoTime)}},
    {CALL(futex_wake), {kPlace, anything(1)}},
    {CALL(debug_write), {kSource, anything(kRoomBytes)}},
    {CALL(event_create), {kResult}},
    {CALL(interrupt_create), {handle(kResource, KRIGHT_MANAGE), anything(kFreeLine), kResult}},
    {CALL(interrupt_ack), {handle(kInterrupt, KRIGHT_WRITE)}},
    {CALL(resource_create),
     {handle(kResource, KRIGHT_MANAGE), choice(KRESOURCE_SYSTEM, KRESOURCE_SYSTEM + 1, ~0u),
      anything(), anything(), kResult}},
    {CALL(memory_create_physical),
     {handle(kResource, KRIGHT_MANAGE), length(kDevicePage, 1, kDevicePage + 8),
      length(kPage, 0, 1, uint64_t{0} - kPage), kResult}},
    {CALL(system_power), {handle(kResource, KRIGHT_MANAGE), anything(99)}},
    {CALL(system_list),
     {handle(kResource, KRIGHT_READ), choice(0, KOBJ_TYPE_COUNT, ~0u), anything(), kResult,
      length(1, 0)}},
    {CALL(system_open),
     {handle(kResource, KRIGHT_MANAGE), anything(1), choice(1, 0, 1u << 9, 1u << 31), kResult}},
    {CALL(thread_suspend), {handle(kThread, KRIGHT_MANAGE)}},
    {CALL(thread_resume), {handle(kThread, KRIGHT_MANAGE)}},
    {CALL(thread_read_state),
     {handle(kThread, KRIGHT_MANAGE), choice(KTHREAD_STATE_GENERAL, 0, 3, ~0u), kResult,
      anything(sizeof(kairos_thread_general)), anything(kNoTime)}},
    {CALL(thread_write_state),
     {handle(kThread, KRIGHT_MANAGE), choice(KTHREAD_STATE_GENERAL, 0, 3, ~0u), kSource,
      anything(sizeof(kairos_thread_general)), anything(kNoTime)}},
    {CALL(process_set_exception_channel),
     {handle(kProcess, KRIGHT_MANAGE),
      own_or(kChannel, KRIGHT_READ | KRIGHT_WRITE | KRIGHT_TRANSFER)}},
    {CALL(memory_create_in),
     {own_or(kBudget, KRIGHT_WRITE), length(kPage, 0), flags(KMEMORY_CREATE_RESIZABLE), kResult}},
    {CALL(process_set_priority_ceiling),
     {handle(kProcess, KRIGHT_MANAGE), choice(KPRIORITY_USUAL, KPRIORITY_MAX + 1, ~0u)}},
    {CALL(memory_clone),
     {handle(kMemory, KRIGHT_READ), length(0, 1, 8, 4095), length(kPage, 0, 1, kPage + 1),
      flags(KMEMORY_CREATE_RESIZABLE), kResult}},
    {CALL(memory_resize), {handle(kMemory, KRIGHT_MANAGE), length(kPage, 0)}},
    {CALL(trace_read),
     {handle(kResource, KRIGHT_READ), choice(0, 64, ~0u), anything(), kResult, length(1, 0)}},
    {CALL(trace_control),
     {handle(kResource, KRIGHT_MANAGE), choice(0, 1u << KAIROS_TRACE_KIND_COUNT, 1u << 31, ~0u)}},
    {CALL(fd_from_handle),
     {handle(kChannel | kPort | kFile, KRIGHT_DUPLICATE), flags(KFD_NONBLOCK | KFD_CLOEXEC),
      kResult}},
    {CALL(handle_from_fd), {descriptor(), choice(KRIGHT_SAME, 0, 1u << 9, ~0u), kResult}},
    {CALL(fd_rights_get), {descriptor(), kResult}},
    {CALL(fd_rights_limit), {descriptor(), choice(FD_RIGHT_READ, 0, 1u << 4, ~0u)}},
    {CALL(fd_flags),
     {descriptor(), flags(KFD_NONBLOCK | KFD_CLOEXEC), flags(KFD_NONBLOCK | KFD_CLOEXEC)}},
    {CALL(fd_read), {descriptor(FD_RIGHT_READ), kResult, anything(kRoomBytes)}},
    {CALL(fd_write), {descriptor(FD_RIGHT_WRITE), kSource, anything(kRoomBytes)}},
    {CALL(fd_close), {{.kind = Kind::kDescriptor, .narrow = true, .optional = true}}},
    {CALL(fd_dup),
     {descriptor(FD_RIGHT_DUP), choice(0, KFD_MAX_PER_PROCESS, ~0u), flags(KFD_CLOEXEC)}},
    {CALL(fd_dup2), {descriptor(FD_RIGHT_DUP), anything(900), flags(KFD_CLOEXEC)}},
    {CALL(fd_poll), {kResult, anything(1), anything(kNoTime)}},
    {CALL(pipe), {kResult, flags(KFD_NONBLOCK | KFD_CLOEXEC)}},
    {CALL(fd_console), {flags(KFD_NONBLOCK | KFD_CLOEXEC)}},
    {CALL(system_holders),
     {handle(kResource, KRIGHT_READ), anything(own_process_id()), anything(), kResult,
      length(1, 0)}},
    {CALL(system_handles),
     {handle(kResource, KRIGHT_READ), anything(own_process_id()), anything(), kResult,
      length(1, 0)}},
};

#undef CALL
