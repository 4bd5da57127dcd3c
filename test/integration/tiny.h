// Tiny processes: a page of machine code and a page of data, made with the bare kernel calls. They
// begin in a known state, do one thing, and can be looked at from outside; no SDK is involved.
//
//     0x10000  code   one of the snippets below
//     0x20000  data   TinyData, also readable and writable through TinyProcess::data()
//     0x21000  sp
//
// A snippet starts with a0 the bootstrap handle and a1 the argument.
#pragma once

#include <kairos/syscalls.h>

#include "owned.h"
#include "raw.h"

// Defines `name` to `name`_end, position-independent instructions.
#define SNIPPET(name, text)                                                     \
    extern "C" const char name[];                                               \
    extern "C" const char name##_end[];                                         \
    asm(".pushsection .rodata\n .balign 8\n .hidden " #name "\n .hidden " #name \
        "_end\n"                                                                \
        ".globl " #name "\n .globl " #name "_end\n" #name ":\n" text "\n" #name \
        "_end:\n .popsection\n")

inline constexpr uint64_t kTinyCode = 0x10000;
inline constexpr uint64_t kTinyData = 0x20000;
inline constexpr uint64_t kTinyStackTop = 0x21000;
inline constexpr int64_t kTinyExitCode = 0x55;

// What tiny_call reads and writes.
struct TinyData {
    uint64_t arguments[6];   // a0 to a5
    uint64_t number;         // a7
    uint64_t use_bootstrap;  // not 0: the bootstrap handle instead of arguments[0]
    int64_t result;          // of the call, once it has returned
    uint64_t returned;       // 1 from then on
    uint64_t exit_number;    // KAIROS_SYS_process_exit
    uint64_t exit_code;
    char room[1024];  // for what the arguments point to
};
inline constexpr uint64_t kTinyRoom = kTinyData + offsetof(TinyData, room);

#define TINY_THEN_EXIT "lui t0, 0x20\n ld a0, 88(t0)\n ld a7, 80(t0)\n ecall\n unimp"

// Makes the call that TinyData describes, notes its result, and exits with TinyData::exit_code.
SNIPPET(tiny_call,
        "lui t0, 0x20\n"
        "mv t1, a0\n"
        "ld a0, 0(t0)\n"
        "ld t2, 56(t0)\n"
        "beqz t2, 1f\n"
        "mv a0, t1\n"
        "1: ld a1, 8(t0)\n"
        "ld a2, 16(t0)\n"
        "ld a3, 24(t0)\n"
        "ld a4, 32(t0)\n"
        "ld a5, 40(t0)\n"
        "ld a7, 48(t0)\n"
        "ecall\n"
        "lui t0, 0x20\n"
        "sd a0, 64(t0)\n"
        "li t1, 1\n"
        "sd t1, 72(t0)\n" TINY_THEN_EXIT);
// Makes the call that TinyData describes again and again until it fails.
SNIPPET(tiny_repeat,
        "1: lui t0, 0x20\n"
        "ld a0, 0(t0)\n"
        "ld a1, 8(t0)\n"
        "ld a2, 16(t0)\n"
        "ld a7, 48(t0)\n"
        "ecall\n"
        "bgez a0, 1b\n"
        "lui t0, 0x20\n"
        "sd a0, 64(t0)\n" TINY_THEN_EXIT);
// Exits with the argument.
SNIPPET(tiny_exit, "lui t0, 0x20\n ld a7, 80(t0)\n mv a0, a1\n ecall\n unimp");
// Ends its thread without exiting: by the call whose number is the argument.
SNIPPET(tiny_thread_exit, "mv a7, a1\n ecall\n unimp");
// Never ends.
SNIPPET(tiny_spin, "1: j 1b");
// Counts in data, for ever.
SNIPPET(tiny_count, "lui t0, 0x20\n 1: ld t1, 64(t0)\n addi t1, t1, 1\n sd t1, 64(t0)\n j 1b");
// The same at the address in the argument.
SNIPPET(tiny_count_there, "1: ld t1, 0(a1)\n addi t1, t1, 1\n sd t1, 0(a1)\n j 1b");
// Touch the address in the argument; then exit as tiny_call does.
SNIPPET(tiny_load, "lb t1, 0(a1)\n" TINY_THEN_EXIT);
SNIPPET(tiny_store, "sb zero, 0(a1)\n" TINY_THEN_EXIT);
SNIPPET(tiny_jump, "jr a1\n" TINY_THEN_EXIT);
SNIPPET(tiny_illegal, "unimp\n" TINY_THEN_EXIT);
SNIPPET(tiny_breakpoint, ".option push\n .option norvc\n ebreak\n .option pop\n" TINY_THEN_EXIT);
SNIPPET(tiny_supervisor, "csrr t1, sstatus\n" TINY_THEN_EXIT);

static_assert(offsetof(TinyData, number) == 48);
static_assert(offsetof(TinyData, use_bootstrap) == 56);
static_assert(offsetof(TinyData, result) == 64);
static_assert(offsetof(TinyData, returned) == 72);
static_assert(offsetof(TinyData, exit_number) == 80);
static_assert(offsetof(TinyData, exit_code) == 88);

class TinyProcess {
  public:
    // Not started. `budget` as for kairos_process_create.
    explicit TinyProcess(kairos_handle_t budget = KAIROS_HANDLE_INVALID) {
        REQUIRE_STATUS(0, kairos_process_create("tiny", budget, process.out(), space.out()));
        REQUIRE_STATUS(0, kairos_thread_create(process, "tiny", thread.out()));
        map(code_, kTinyCode, KPROT_READ | KPROT_EXEC);
        map(data_, kTinyData, KPROT_READ | KPROT_WRITE);
        TinyData data{};
        data.exit_number = KAIROS_SYS_process_exit;
        data.exit_code = kTinyExitCode;
        set_data(data);
    }

    void set_code(const char* begin, const char* end) {
        REQUIRE_STATUS(0, kairos_memory_write(code_, 0, begin, static_cast<size_t>(end - begin)));
    }
    TinyData data() const {
        TinyData data;
        REQUIRE_STATUS(0, kairos_memory_read(data_, 0, &data, sizeof(data)));
        return data;
    }
    void set_data(const TinyData& data) {
        REQUIRE_STATUS(0, kairos_memory_write(data_, 0, &data, sizeof(data)));
    }
    kairos_handle_t data_memory() const { return data_; }

    kairos_status_t try_start(kairos_handle_t bootstrap = KAIROS_HANDLE_INVALID,
                              uint64_t argument = 0) {
        return kairos_process_start(process, thread, kTinyCode, kTinyStackTop, bootstrap, argument);
    }
    // `bootstrap` moves.
    void start(Owned bootstrap = {}, uint64_t argument = 0) {
        REQUIRE_STATUS(0, try_start(bootstrap, argument));
        static_cast<void>(bootstrap.release());
    }
    // Describes a call for tiny_call; argument 0 is the bootstrap handle.
    void prepare_call(uint64_t number, uint64_t a1 = 0, uint64_t a2 = 0, uint64_t a3 = 0,
                      uint64_t a4 = 0, uint64_t a5 = 0) {
        prepare(number, true, 0, a1, a2, a3, a4, a5);
    }
    // The same with an argument 0 of its own.
    void prepare_plain_call(uint64_t number, uint64_t a0 = 0, uint64_t a1 = 0, uint64_t a2 = 0) {
        prepare(number, false, a0, a1, a2, 0, 0, 0);
    }
    // Puts something where the arguments of the call may point to; its address there.
    template <typename T>
    uint64_t put(const T& value, uint64_t offset = 0) {
        static_assert(sizeof(T) <= sizeof(TinyData::room));
        REQUIRE_STATUS(0, kairos_memory_write(data_, offsetof(TinyData, room) + offset, &value,
                                              sizeof(value)));
        return kTinyRoom + offset;
    }
    // Waits for its end.
    int64_t exit_code() const {
        int64_t code = 0;
        REQUIRE_STATUS(0, kairos_process_wait(process, KAIROS_TIME_INFINITE, &code));
        return code;
    }

    Owned process;
    Owned space;
    Owned thread;

  private:
    void prepare(uint64_t number, bool use_bootstrap, uint64_t a0, uint64_t a1, uint64_t a2,
                 uint64_t a3, uint64_t a4, uint64_t a5) {
        TinyData data = this->data();
        const uint64_t arguments[] = {a0, a1, a2, a3, a4, a5};
        memcpy(data.arguments, arguments, sizeof(arguments));
        data.number = number;
        data.use_bootstrap = use_bootstrap;
        set_data(data);
        set_code(tiny_call, tiny_call_end);
    }
    void map(const Owned& memory, uint64_t at, uint32_t protection) {
        void* address = reinterpret_cast<void*>(at);
        REQUIRE_STATUS(0, kairos_map(space, memory, 0, &address, KAIROS_PAGE_SIZE, protection));
    }

    Owned code_ = make_memory();
    Owned data_ = make_memory();
};
