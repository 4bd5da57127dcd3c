// Addresses that no call may follow, and a range of memory that ends before one.
#pragma once

#include "owned.h"

// `count` pages with read and write access, and a page without any behind them.
class Pages {
  public:
    explicit Pages(uint32_t count = 1) : length_((count + 1) * KAIROS_PAGE_SIZE) {
        const Owned memory = make_memory(length_);
        REQUIRE_STATUS(0, kairos_map(kairos_self_aspace(), memory, 0, &address_, length_,
                                     KPROT_READ | KPROT_WRITE));
        REQUIRE_STATUS(0, kairos_protect(kairos_self_aspace(), end(), KAIROS_PAGE_SIZE, 0));
    }
    ~Pages() {
        if (address_ != nullptr) kairos_unmap(kairos_self_aspace(), address_, length_);
    }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;

    char* begin() const { return static_cast<char*>(address_); }
    // The first byte that is out of reach.
    char* end() const { return begin() + length_ - KAIROS_PAGE_SIZE; }
    // The last `size` bytes.
    template <typename T>
    T* last(size_t count = 1) const {
        return reinterpret_cast<T*>(end() - count * sizeof(T));
    }
    void protect(uint32_t protection) const {
        REQUIRE_STATUS(0, kairos_protect(kairos_self_aspace(), address_, length_ - KAIROS_PAGE_SIZE,
                                         protection));
    }

  private:
    void* address_ = nullptr;
    size_t length_;
};

struct BadPointer {
    const char* what;
    void* address;
    bool out_of_range;  // no user address at all: refused before the handle is looked at
};

// Bad pointers of every kind; the memory behind them lasts as long as this.
class BadPointers {
  public:
    static constexpr int kCount = 8;
    static constexpr int kInputs = kCount - 1;  // those that cannot be read either

    BadPointers() {
        read_only_.protect(KPROT_READ);
        Pages gone;
        const auto kernel = reinterpret_cast<void*>(0xffffffc000200000);
        const auto beyond = reinterpret_cast<void*>(uint64_t{1} << 38);
        const auto half = reinterpret_cast<void*>(uint64_t{1} << 63);
        const auto wrapping = reinterpret_cast<void*>(~uint64_t{3});
        const BadPointer list[kCount] = {
            {"null", nullptr, false},
            {"unmapped", gone.begin(), false},
            {"no access", none_.end(), false},
            {"a kernel address", kernel, true},
            {"the first non-canonical address", beyond, true},
            {"the middle of all addresses", half, true},
            {"the end of all addresses", wrapping, true},
            {"read-only", read_only_.begin(), false},
        };
        for (int i = 0; i < kCount; ++i) all[i] = list[i];
    }

    BadPointer all[kCount];  // the last may be read, but not written

    // The two that tests of the order of errors use: out of range, and found only when touched.
    void* kernel() const { return all[3].address; }
    void* unreachable() const { return all[2].address; }

  private:
    Pages read_only_;
    Pages none_;
};

// Says which pointer a failure was about.
inline void expect_fault(kairos_status_t status, const BadPointer& pointer, const char* call,
                         const char* file, int line) {
    if (status != -EFAULT) {
        harness::fail(file, line, "%s with %s (%p) is %s, not -EFAULT", call, pointer.what,
                      pointer.address, harness::text_of(status).chars);
    }
}

// `call(pointer)` has to answer -EFAULT to every pointer that cannot be written, and to make no
// handle.
template <typename T, typename Call>
void expect_bad_output_refused(const char* name, const char* file, int line, Call call) {
    const BadPointers bad;
    const uint32_t before = own_handles();
    for (const BadPointer& pointer : bad.all) {
        expect_fault(call(static_cast<T*>(pointer.address)), pointer, name, file, line);
    }
    Pages pages;
    const BadPointer straddling = {"two pages of which one is bad", pages.end() - sizeof(T) / 2,
                                   false};
    expect_fault(call(static_cast<T*>(straddling.address)), straddling, name, file, line);
    if (own_handles() != before) {
        harness::fail(file, line, "%s failed and left handles behind", name);
    }
}

// The same with every pointer that cannot be read.
template <typename T, typename Call>
void expect_bad_input_refused(const char* name, const char* file, int line, Call call) {
    const BadPointers bad;
    const uint32_t before = own_handles();
    for (int i = 0; i < BadPointers::kInputs; ++i) {
        const BadPointer& pointer = bad.all[i];
        expect_fault(call(static_cast<T*>(pointer.address)), pointer, name, file, line);
    }
    Pages pages;
    memset(pages.begin(), 0, KAIROS_PAGE_SIZE);
    if constexpr (sizeof(T) > 1) {
        const BadPointer straddling = {"two pages of which one is bad", pages.end() - sizeof(T) / 2,
                                       false};
        expect_fault(call(static_cast<T*>(straddling.address)), straddling, name, file, line);
    }
    if (own_handles() != before) {
        harness::fail(file, line, "%s failed and left handles behind", name);
    }
}

// `call` is an expression of `out`.
#define EXPECT_OUTPUT_CHECKED(type, call)                      \
    expect_bad_output_refused<type>(#call, __FILE__, __LINE__, \
                                    [&](type* out) -> kairos_status_t { return (call); })
// `call` is an expression of `in`.
#define EXPECT_INPUT_CHECKED(type, call)                      \
    expect_bad_input_refused<type>(#call, __FILE__, __LINE__, \
                                   [&](type* in) -> kairos_status_t { return (call); })

// ---- Trying memory without dying of it
// -----------------------------------------------------------

// Whether user memory can be read, or written: asked of the kernel, which copies.
class Prober {
  public:
    bool can_read(const void* address) const {
        return kairos_memory_write(memory_, 0, address, 1) == 0;
    }
    bool can_write(void* address) const {
        char kept = 0;
        if (kairos_memory_write(memory_, 0, address, 1) == 0) {
            kairos_memory_read(memory_, 0, &kept, 1);
        }
        kairos_memory_write(memory_, 0, &kept, 1);
        return kairos_memory_read(memory_, 0, address, 1) == 0;
    }

  private:
    Owned memory_ = make_memory();
};
