// Giving the FPU to threads; fpu.h tells the states.
#include "fpu.h"

#include "arch/context.h"
#include "arch/hart.h"
#include "csr.h"
#include "offsets.h"

extern "C" {
void load_fpu_registers(const arch::FpuState& state);
void save_fpu_registers(arch::FpuState& state);
}

namespace arch {
namespace {

enum class FpuMode : uint64_t { kOff = 0, kClean = SSTATUS_FS_CLEAN, kDirty = SSTATUS_FS };

// Rounding mode and flags; the others do not exist.
constexpr uint64_t kFcsrBits = 0xff;

FpuMode mode() { return FpuMode{csr::read<csr::kSstatus>() & SSTATUS_FS}; }

void set_mode(FpuMode mode) {
    csr::clear<csr::kSstatus>(SSTATUS_FS);
    csr::set<csr::kSstatus>(static_cast<uint64_t>(mode));
}

}  // namespace

bool enable_fpu() {
    if (mode() != FpuMode::kOff) return false;
    HartBlock& hart = *hart_block();
    ThreadContext& context = *hart.current;
    if (!context.fpu_used) context.fpu = {};
    context.fpu_used = true;
    set_mode(FpuMode::kDirty);
    load_fpu_registers(context.fpu);
    set_mode(FpuMode::kClean);
    hart.fpu_owner = &context;
    context.fpu_home = &hart;
    return true;
}

void put_fpu_away(ThreadContext& current) {
    if (mode() == FpuMode::kDirty) save_fpu_registers(current.fpu);
    set_mode(FpuMode::kOff);
    current.fpu_home = nullptr;
}

void read_registers(const ThreadContext& context, kairos_thread_float& out) {
    const FpuState state = context.fpu_used ? context.fpu : FpuState{};
    for (int i = 0; i < 32; ++i) out.f[i] = state.f[i];
    out.fcsr = state.fcsr;
}

void write_registers(ThreadContext& context, const kairos_thread_float& in) {
    for (int i = 0; i < 32; ++i) context.fpu.f[i] = in.f[i];
    context.fpu.fcsr = in.fcsr & kFcsrBits;
    context.fpu_used = true;
}

// The hart's fpu_owner may go on pointing to a context that is no more: without its fpu_home, it
// owns nothing, and neither does a new context in its place.
void drop_fpu(ThreadContext& context) {
    context.fpu_used = false;
    context.fpu_home = nullptr;
    if (hart_block()->current == &context) set_mode(FpuMode::kOff);
}

}  // namespace arch
