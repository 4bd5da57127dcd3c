// The C library's functions that libfdt uses beyond those that the compiler may call by itself
// (arch/riscv/string.S), with the meaning the C standard gives them.
#include <cstddef>

extern "C" {

void* memchr(const void* bytes, int byte, size_t size) {
    const auto* each = static_cast<const unsigned char*>(bytes);
    for (size_t i = 0; i < size; ++i) {
        if (each[i] == static_cast<unsigned char>(byte)) {
            return const_cast<unsigned char*>(each + i);
        }
    }
    return nullptr;
}

size_t strnlen(const char* text, size_t max) {
    size_t length = 0;
    while (length < max && text[length] != 0) ++length;
    return length;
}

char* strrchr(const char* text, int character) {
    const char* last = nullptr;
    for (;; ++text) {
        if (*text == static_cast<char>(character)) last = text;
        if (*text == 0) return const_cast<char*>(last);
    }
}

}  // extern "C"
