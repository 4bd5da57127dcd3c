// The same declarations as on the real machine; test/host/arch implements them.
#include "../../../../../arch/riscv/include/arch/firmware.h"
