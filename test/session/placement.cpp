// placement: where its code is and where its stack.
#include <cstdio>

int main() {
    const int on_stack = 0;
    std::printf("%p %p\n", reinterpret_cast<void*>(main), static_cast<const void*>(&on_stack));
    return 0;
}
