// Memory objects: pages on demand, charges, copying, and what becomes of the pages.
#include "memory/memory_object.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "hosted/kernel.h"
#include "hosted/machine.h"
#include "mm/frames.h"

namespace {

constexpr Protection kData{.read = true, .write = true};
constexpr VirtualAddress kBuffer{0x10'0000};
constexpr uint64_t kBufferBytes = 64 * kPageSize;
constexpr VirtualAddress kLastByte{kBuffer.value + kBufferBytes - 1};

// A budget of its own, so that charges can be read off.
struct Fixture {
    explicit Fixture(uint64_t bytes = uint64_t{32} << 20) {
        Budget& root = hosted::kernel();
        hosted::settle();  // the last one's budget is back
        budget = Budget::create(root, bytes, root).take();
    }
    ~Fixture() {
        hosted::settle();
        CHECK(budget->used() == 0);
    }
    Ref<MemoryObject> create(uint64_t size) { return MemoryObject::create(*budget, size).take(); }

    Ref<Budget> budget;
};

// A buffer in user memory, on this hart.
struct UserBuffer {
    explicit UserBuffer(Budget& budget) : space(AddressSpace::create(budget).take()) {
        const Ref<MemoryObject> memory = MemoryObject::create(budget, kBufferBytes).take();
        REQUIRE(space->map(*memory, 0, kBuffer, kBufferBytes, kData, kData).ok());
        hosted::run_in(space.get());
    }
    ~UserBuffer() { hosted::run_in(nullptr); }

    Ref<AddressSpace> space;
};

uint8_t* bytes_of(PhysicalAddress frame) {
    return static_cast<uint8_t*>(arch::physical_pointer(frame));
}

}  // namespace

TEST_CASE("memory object: sizes") {
    Fixture fixture;
    CHECK(MemoryObject::create(*fixture.budget, 0).error() == Error::INVAL);
    CHECK(MemoryObject::create(*fixture.budget, UINT64_MAX).error() == Error::INVAL);
    CHECK(MemoryObject::create(*fixture.budget, arch::kUserEnd + 1).error() == Error::INVAL);
    CHECK(fixture.create(1)->size() == kPageSize);
    CHECK(fixture.create(kPageSize)->size() == kPageSize);
    CHECK(fixture.create(kPageSize + 1)->size() == 2 * kPageSize);
    CHECK(fixture.create(arch::kUserEnd)->size() == arch::kUserEnd);
}

TEST_CASE("memory object: what is not touched costs nothing, however large") {
    Fixture fixture;
    const Ref<MemoryObject> memory = fixture.create(arch::kUserEnd);
    const uint64_t bare = fixture.budget->used();
    CHECK(bare < kPageSize);
    CHECK(memory->describe().committed == 0);

    CHECK(memory->page(0).ok());
    CHECK(memory->describe().committed == kPageSize);
    CHECK(fixture.budget->used() == bare + 4 * kPageSize);  // with three tables
    CHECK(memory->page(arch::kUserEnd / kPageSize - 1).ok());
    CHECK(memory->describe().committed == 2 * kPageSize);
    CHECK(fixture.budget->used() == bare + 7 * kPageSize);  // and two more
    CHECK(memory->page(arch::kUserEnd / kPageSize).error() == Error::INVAL);
    CHECK(memory->page(UINT64_MAX).error() == Error::INVAL);
}

TEST_CASE("memory object: a page is zero at first, and stays the same page") {
    Fixture fixture;
    {
        const Ref<MemoryObject> first = fixture.create(64 * kPageSize);
        for (uint64_t i = 0; i < 64; ++i) {
            std::memset(bytes_of(first->page(i).take().frame), 0xee, kPageSize);
        }
    }
    hosted::settle();
    const Ref<MemoryObject> second = fixture.create(64 * kPageSize);
    for (uint64_t i = 0; i < 64; ++i) {
        const PhysicalAddress frame = second->page(i).take().frame;
        const uint8_t* bytes = bytes_of(frame);
        REQUIRE(std::all_of(bytes, bytes + kPageSize, [](uint8_t byte) { return byte == 0; }));
        REQUIRE(second->page(i).take().frame == frame);
    }
}

TEST_CASE("memory object: a budget that is used up") {
    Fixture fixture(16 * kPageSize);
    const Ref<MemoryObject> memory = fixture.create(100 * kPageSize);
    uint64_t pages = 0;
    while (memory->page(pages).ok()) ++pages;
    CHECK(pages == 14);  // one is the table, of another one a part is the object itself
    CHECK(memory->page(pages).error() == Error::DQUOT);
    CHECK(memory->page(pages - 1).ok());
    CHECK(memory->describe().committed == pages * kPageSize);
}

TEST_CASE("memory object: tables that were made before the budget ran out are given back too") {
    Fixture fixture(3 * kPageSize);
    const Ref<MemoryObject> memory = fixture.create(arch::kUserEnd);
    CHECK(memory->page(0).error() == Error::DQUOT);
    CHECK(memory->describe().committed == 0);
}

TEST_CASE("memory object: taking it down gives everything back, a bounded piece at a time") {
    Fixture fixture;
    const uint64_t free_before = mm::free_frames_count();
    {
        const Ref<MemoryObject> memory = fixture.create(uint64_t{8} << 30);
        for (uint64_t page = 0; page < memory->size() / kPageSize; page += 1013) {
            REQUIRE(memory->page(page).ok());
        }
        for (uint64_t page = 0; page < 600; ++page) REQUIRE(memory->page(page).ok());
        CHECK(free_before - mm::free_frames_count() > 2'600);
    }
    int pieces = 0;
    uint64_t most = 0;
    uint64_t last = mm::free_frames_count();
    hosted::on_preemption_point = [&] {
        ++pieces;
        most = std::max(most, mm::free_frames_count() - last);
        last = mm::free_frames_count();
        // What is charged is what there is, all the way.
        CHECK(fixture.budget->used() / kPageSize == free_before - last);
    };
    hosted::settle();
    hosted::on_preemption_point = nullptr;
    CHECK(pieces > 40);
    CHECK(most <= 64);  // 32 pages, with the tables that end there
    // The slab of the object itself may be kept.
    CHECK(mm::free_frames_count() + 2 >= free_before);
}

TEST_CASE("memory object: read and write, without mapping") {
    Fixture fixture;
    const Ref<MemoryObject> memory = fixture.create(40 * kPageSize);
    const UserBuffer buffer(*fixture.budget);
    std::vector<uint8_t> pattern(20 * kPageSize);
    std::iota(pattern.begin(), pattern.end(), 1);
    REQUIRE(buffer.space->write(kBuffer + 100, pattern.data(), pattern.size()));

    CHECK(memory->write(5'000, kBuffer + 100, pattern.size()).ok());
    CHECK(memory->read(5'000, kBuffer + 30 * kPageSize + 7, pattern.size()).ok());
    std::vector<uint8_t> back(pattern.size());
    for (size_t done = 0; done < back.size();) {
        const VirtualAddress at = kBuffer + 30 * kPageSize + 7 + done;
        const size_t length = std::min(back.size() - done, kPageSize - at.page_offset());
        REQUIRE(hosted::user_access(at, arch::Access::kRead, back.data() + done, length));
        done += length;
    }
    CHECK(back == pattern);
    CHECK(memory->describe().committed == 21 * kPageSize);
}

TEST_CASE("memory object: ranges and pointers that are wrong") {
    Fixture fixture;
    const Ref<MemoryObject> memory = fixture.create(4 * kPageSize);
    const UserBuffer buffer(*fixture.budget);
    const uint64_t size = memory->size();

    CHECK(memory->read(0, kBuffer, size).ok());
    CHECK(memory->read(size, kBuffer, 0).ok());
    CHECK(memory->read(0, {0}, 0).ok());
    CHECK(memory->read(size + 1, kBuffer, 0).error() == Error::INVAL);
    CHECK(memory->read(1, kBuffer, size).error() == Error::INVAL);
    CHECK(memory->read(UINT64_MAX, kBuffer, 2).error() == Error::INVAL);
    CHECK(memory->read(2, kBuffer, UINT64_MAX - 1).error() == Error::INVAL);
    CHECK(memory->write(size, kBuffer, 1).error() == Error::INVAL);

    CHECK(memory->read(0, {0}, 1).error() == Error::FAULT);
    CHECK(memory->write(0, {arch::kUserEnd - 1}, 2).error() == Error::FAULT);
    CHECK(memory->write(0, {UINT64_MAX - 1}, 4).error() == Error::FAULT);
    CHECK(memory->write(0, kLastByte, 2).error() == Error::FAULT);
    CHECK(memory->write(0, kLastByte, 1).ok());
}

TEST_CASE("memory object: the boot archive is read and never written") {
    Fixture fixture;
    const PhysicalAddress base = hosted::kRamBase + hosted::kKernelRam;
    std::memset(bytes_of(base), 0x42, 2 * kPageSize);
    const UserBuffer buffer(*fixture.budget);
    {
        const auto archive =
            MemoryObject::create_archive(*fixture.budget, base, 2 * kPageSize).take();
        CHECK(archive->describe().committed == 2 * kPageSize);
        CHECK(archive->describe().physical == 1);
        CHECK(archive->page(1).take().frame == base + kPageSize);
        CHECK(archive->page(2).error() == Error::INVAL);
        CHECK(archive->write(0, kBuffer, 1).error() == Error::ACCES);
        CHECK(archive->read(kPageSize - 1, kBuffer, 2).ok());
        const Protection read{.read = true};
        CHECK(buffer.space->map(*archive, 0, {}, kPageSize, kData, kData).error() == Error::ACCES);
        const auto at = buffer.space->map(*archive, 0, {}, kPageSize, read, kData);
        REQUIRE(at.ok());
        CHECK(buffer.space->protect(at.value(), kPageSize, kData).error() == Error::ACCES);
        CHECK(buffer.space->unmap(at.value(), kPageSize).ok());
    }
    hosted::settle();
    CHECK(bytes_of(base)[0] == 0x42);  // not freed
}

TEST_CASE("memory object: device memory is mapped as such, and only mapped") {
    Fixture fixture;
    const UserBuffer buffer(*fixture.budget);
    const auto device =
        MemoryObject::create_physical(*fixture.budget, hosted::kDeviceBase, kPageSize).take();
    CHECK(device->read(0, kBuffer, 1).error() == Error::NOTSUP);
    CHECK(device->write(0, kBuffer, 1).error() == Error::NOTSUP);
    const VirtualAddress at = buffer.space->map(*device, 0, {}, kPageSize, kData, kData).take();
    uint8_t byte = 7;
    CHECK(hosted::user_access(at, arch::Access::kWrite, &byte, 1));
    CHECK(bytes_of(hosted::kDeviceBase)[0] == 7);
    const auto shown = buffer.space->page_table().lookup(at);
    REQUIRE(shown.has_value());
    CHECK(shown->flags.device);
}

TEST_CASE("memory object: filled by the kernel") {
    Fixture fixture;
    const Ref<MemoryObject> memory = fixture.create(3 * kPageSize);
    const std::vector<uint8_t> pattern(kPageSize + 10, 0x17);
    CHECK(memory->fill(kPageSize - 5, pattern.data(), pattern.size()));
    CHECK(bytes_of(memory->page(0).take().frame)[kPageSize - 6] == 0);
    CHECK(bytes_of(memory->page(0).take().frame)[kPageSize - 5] == 0x17);
    CHECK(bytes_of(memory->page(2).take().frame)[4] == 0x17);
    CHECK(bytes_of(memory->page(2).take().frame)[5] == 0);
    CHECK_THROWS_AS((void)memory->fill(3 * kPageSize - 1, pattern.data(), 2), hosted::Panic);
}
