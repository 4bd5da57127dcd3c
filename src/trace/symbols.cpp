#include "trace/symbols.h"

extern "C" {
extern const char kernel_text_begin[];
extern const char kernel_text_end[];
// uint32_t count; count offsets of functions from kernel_text_begin, rising; count offsets of their
// names from the table's beginning; the names.
extern const uint32_t kernel_symbol_table[];
}

Symbol find_symbol(uint64_t address) {
    const auto start = reinterpret_cast<uint64_t>(kernel_text_begin);
    if (address < start || address >= reinterpret_cast<uint64_t>(kernel_text_end)) return {};
    const auto offset = static_cast<uint32_t>(address - start);
    const uint32_t count = kernel_symbol_table[0];
    const uint32_t* functions = kernel_symbol_table + 1;
    uint32_t below = 0;  // the first function that begins beyond `offset` is at or after this
    for (uint32_t above = count; below < above;) {
        const uint32_t middle = (below + above) / 2;
        if (functions[middle] <= offset) {
            below = middle + 1;
        } else {
            above = middle;
        }
    }
    if (below == 0) return {};
    const uint32_t name = functions[count + below - 1];
    return {reinterpret_cast<const char*>(kernel_symbol_table) + name,
            offset - functions[below - 1]};
}
