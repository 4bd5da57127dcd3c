// The few string functions of C that the kernel uses beyond memory copies (arch/riscv/string.S).
#include <cstddef>
#include <cstdint>

extern "C" {

int strncmp(const char* left, const char* right, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        const auto a = static_cast<unsigned char>(left[i]);
        const auto b = static_cast<unsigned char>(right[i]);
        if (a != b) return a < b ? -1 : 1;
        if (a == 0) break;
    }
    return 0;
}

int strcmp(const char* left, const char* right) { return strncmp(left, right, SIZE_MAX); }

}  // extern "C"
