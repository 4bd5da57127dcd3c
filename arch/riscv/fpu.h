// The FPU, given to a thread at its first floating-point instruction. Its registers stay in the
// hart between that thread's runs until another thread there uses the FPU.
//
// The switching itself is in context.S.
//
// sstatus.FS tells the state while a thread runs: Off, the next FPU instruction traps; Clean, the
// registers equal context.fpu; Dirty, they are newer. A thread that does not run has its values in
// context.fpu, always, so it may go on on any hart. The registers of a hart are a context's values
// if the hart's fpu_owner is the context and the context's fpu_home is the hart.
#pragma once

namespace arch {

// After an illegal instruction in user mode: if the FPU was off, gives it to the current thread,
// and the instruction is worth another try.
bool enable_fpu();

}  // namespace arch
