#include "trace/quiet.h"

#include "sync/hart.h"
#include "trace/log.h"
#include "trace/symbols.h"

namespace {
void print_place(uint64_t address) {
    const Symbol symbol = find_symbol(address);
    print("    %lx %s\n", address, symbol.name != nullptr ? symbol.name : "?");
}
}  // namespace

void report_longest_quiet() {
    if constexpr (!kMeasureBuild) return;
    const QuietStretch* worst = &Harts::at({0}).quiet;
    for (uint32_t i = 1; i < Harts::count(); ++i) {
        const QuietStretch& other = Harts::at({i}).quiet;
        if (other.longest.load() > worst->longest.load()) worst = &other;
    }
    log("longest stretch without interrupts: %lu instructions, to", worst->longest.load());
    for (uint32_t i = 0; i < worst->frames; ++i) print_place(worst->ended_at[i]);
    if (worst->longest_in != 0) print_place(worst->longest_in);
}
