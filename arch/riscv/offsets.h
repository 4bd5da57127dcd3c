// Where assembly finds the fields of C++ structs, the bits of CSRs that both sides name, and the
// proof that they agree. Read by the assembler and by the compiler; nothing else in assembly is a
// literal offset.
#ifndef ARCH_RISCV_OFFSETS_H
#define ARCH_RISCV_OFFSETS_H

// arch::UserFrame
#define FRAME_X(n) (8 * (n))
#define FRAME_PC 256
#define FRAME_STATUS 264
#define FRAME_SIZE 272

// A trap taken in the kernel pushes a UserFrame and above it a frame record, so that a walk along
// frame pointers goes on into the interrupted function.
#define KERNEL_FRAME_RECORD_FP (FRAME_SIZE)
#define KERNEL_FRAME_RECORD_PC (FRAME_SIZE + 8)
#define KERNEL_FRAME_SIZE (FRAME_SIZE + 16)

// arch::HartBlock
#define HART_FRAME 0
#define HART_SCRATCH 8
#define HART_ATTENTION 16
#define HART_BIT 20
#define HART_SYSTEM_CALLS 24
#define HART_CURRENT 32
#define HART_FPU_OWNER 40
#define HART_SATP 48
#define HART_EMERGENCY_STACK 56
#define HART_SYSTEM_CALL_TABLE 64

// arch::ThreadContext
#define CONTEXT_RA 0
#define CONTEXT_SP 8
#define CONTEXT_S(n) (16 + 8 * (n))
#define CONTEXT_GP 112
#define CONTEXT_FRAME 120
#define CONTEXT_SATP 128
#define CONTEXT_SPACE_HARTS 136
#define CONTEXT_FPU_HOME 144
#define CONTEXT_FPU 160

// arch::FpuState
#define FPU_F(n) (8 * (n))
#define FPU_FCSR 256

// arch::user_range
#define USER_BEGIN 0x1000
#define USER_END 0x4000000000

// CSR contents
#define CAUSE_USER_ECALL 8
#define SSTATUS_SIE 0x2
#define SSTATUS_SPIE 0x20
#define SSTATUS_SPP 0x100
#define SSTATUS_FS 0x6000
#define SSTATUS_FS_CLEAN 0x4000
#define SSTATUS_SUM 0x40000
#define SSTATUS_MXR 0x80000
// The firmware's hart state management.
#define SBI_HART_STATE 0x48534d
#define SBI_HART_STOP 1

#define SATP_SV39 8  // the mode, in the topmost four bits
#define SATP_ASID_SHIFT 44
#define SATP_ASID_BITS 16

// The topmost bytes of a hart's first stack, kept free for reporting a fault when the stack of the
// running thread cannot be used.
#define EMERGENCY_STACK_SIZE 4096

#ifndef __ASSEMBLER__

#include <cstddef>

#include "arch/context.h"
#include "arch/hart.h"
#include "arch/paging.h"

namespace arch {

static_assert(offsetof(UserFrame, x[1]) == FRAME_X(1));
static_assert(offsetof(UserFrame, pc) == FRAME_PC);
static_assert(offsetof(UserFrame, status) == FRAME_STATUS);
static_assert(kUserFrameSize == FRAME_SIZE && FRAME_SIZE % 16 == 0);

static_assert(offsetof(HartBlock, frame) == HART_FRAME);
static_assert(offsetof(HartBlock, scratch) == HART_SCRATCH);
static_assert(offsetof(HartBlock, attention) == HART_ATTENTION);
static_assert(offsetof(HartBlock, bit) == HART_BIT);
static_assert(sizeof(HartBlock::attention) == 4 && sizeof(HartBlock::bit) == 4);
static_assert(offsetof(HartBlock, system_calls) == HART_SYSTEM_CALLS);
static_assert(offsetof(HartBlock, current) == HART_CURRENT);
static_assert(offsetof(HartBlock, fpu_owner) == HART_FPU_OWNER);
static_assert(offsetof(HartBlock, satp) == HART_SATP);
static_assert(offsetof(HartBlock, emergency_stack) == HART_EMERGENCY_STACK);
static_assert(offsetof(HartBlock, system_call_table) == HART_SYSTEM_CALL_TABLE);
static_assert(offsetof(HartBlock, flags) == kFlagsOffset && sizeof(HartBlock::flags[0]) == 1);

static_assert(offsetof(ThreadContext, ra) == CONTEXT_RA);
static_assert(offsetof(ThreadContext, sp) == CONTEXT_SP);
static_assert(offsetof(ThreadContext, s[11]) == CONTEXT_S(11));
static_assert(offsetof(ThreadContext, gp) == CONTEXT_GP);
static_assert(offsetof(ThreadContext, frame) == CONTEXT_FRAME);
static_assert(offsetof(ThreadContext, satp) == CONTEXT_SATP);
static_assert(offsetof(ThreadContext, space_harts) == CONTEXT_SPACE_HARTS);
static_assert(offsetof(ThreadContext, fpu_home) == CONTEXT_FPU_HOME);
static_assert(offsetof(ThreadContext, fpu) == CONTEXT_FPU);
static_assert(sizeof(*ThreadContext::space_harts) == 4);

static_assert(offsetof(FpuState, f[31]) == FPU_F(31));
static_assert(offsetof(FpuState, fcsr) == FPU_FCSR);

static_assert(kUserBegin == USER_BEGIN && kUserEnd == USER_END);

}  // namespace arch

#endif
#endif
