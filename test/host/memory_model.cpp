// Random maps, unmaps, protects, accesses and copies on four harts against a reference that knows
// pages one by one. After each step that takes something away, no TLB may allow more than the page
// table does; every so often all translations, charges and contents are compared.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "hosted/kernel.h"
#include "hosted/machine.h"
#include "memory/address_space.h"

namespace {

using arch::Access;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr int kObjects = 5;
constexpr uint64_t kObjectPages = 700;

// Pages of an address space that the test uses: some around the borders of page tables, which is
// where cutting and pruning may go wrong. As numbers of pages.
constexpr std::array<uint64_t, 4> kWindows = {512 * 3 - 40, 512 * 4 - 10, 512 * 512 - 50,
                                              512 * 700 + 100};
constexpr uint64_t kWindowPages = 110;

struct PageModel {
    int object;
    uint64_t index;  // of the page in the object
    Protection protection;
    Protection ceiling;
};

bool allows(Protection protection, Access access) {
    switch (access) {
        case Access::kRead:
            return protection.read || protection.write;
        case Access::kWrite:
            return protection.write;
        default:
            return protection.execute;
    }
}

class Model {
  public:
    explicit Model(uint64_t seed) : random_(seed) {
        Budget& root = hosted::kernel();
        hosted::settle();
        budget_ = Budget::create(root, 48 * kMiB, root).take();
        space_ = AddressSpace::create(*budget_).take();
        for (int i = 0; i < kObjects; ++i) make_object(i);
        for (uint32_t i = hosted::kHarts; i-- > 0;) {
            hosted::enter_hart({i});
            hosted::run_in(space_.get());
        }
    }

    void step() {
        hosted::enter_hart({below(hosted::kHarts)});
        switch (below(20)) {
            case 0:
            case 1:
            case 2:
                return map_fixed();
            case 3:
                return map_anywhere();
            case 4:
            case 5:
                return unmap();
            case 6:
            case 7:
            case 8:
                return protect();
            case 9:
                return write_from_outside();
            case 10:
                return copy_within();
            case 11:
                return unmap_chosen();
            default:
                return access();
        }
    }

    // Everything that can be seen is as the reference says.
    void compare_all() {
        for (const auto& [number, page] : pages_) {
            const auto shown = space_->page_table().lookup({number * kPageSize});
            if (!shown) continue;
            REQUIRE(shown->address == objects_[page.object]->page(page.index).take());
            REQUIRE(shown->flags.read == allows(page.protection, Access::kRead));
            REQUIRE(shown->flags.write == page.protection.write);
            REQUIRE(shown->flags.execute == page.protection.execute);
        }
        const arch::PageTable& table = space_->page_table();
        const VirtualAddress end{arch::kUserEnd};
        for (VirtualAddress at = table.next_mapped({arch::kUserBegin}, end); at < end;
             at = table.next_mapped(at + kPageSize, end)) {
            REQUIRE(pages_.contains(at.value / kPageSize));
        }
        for (const auto& [place, stamp] : stamps_) {
            const auto& [object, index] = place;
            const PhysicalAddress frame = objects_[object]->page(index).take();
            REQUIRE(*static_cast<uint64_t*>(arch::physical_pointer(frame)) == stamp);
        }
    }

    // Takes everything down; the budget has it all back.
    void finish() {
        hosted::enter_hart({0});
        REQUIRE(space_->unmap({arch::kUserBegin}, arch::kUserEnd - arch::kUserBegin).ok());
        REQUIRE(hosted::tlb_entries(space_->page_table()) == 0);
        for (uint32_t i = hosted::kHarts; i-- > 0;) {
            hosted::enter_hart({i});
            hosted::run_in(nullptr);
        }
        // Only the root table and the object itself are left of the address space.
        for (auto& object : objects_) object = nullptr;
        hosted::settle();
        CHECK(budget_->used() < kPageSize + 2048);
        space_ = nullptr;
        hosted::settle();
        CHECK(budget_->used() == 0);
    }

  private:
    struct Range {
        uint64_t first, count;  // pages
        VirtualAddress start() const { return {first * kPageSize}; }
        uint64_t bytes() const { return count * kPageSize; }
        uint64_t end() const { return first + count; }
    };

    uint32_t below(uint64_t limit) { return static_cast<uint32_t>(random_() % limit); }

    void make_object(int i) {
        objects_[i] = MemoryObject::create(*budget_, kObjectPages * kPageSize).take();
    }

    Range random_range() {
        const uint64_t window = kWindows[below(kWindows.size())];
        const uint64_t offset = below(kWindowPages);
        const uint64_t most = below(4) == 0 ? kWindowPages - offset : 6;
        return {window + offset, 1 + below(std::min(most, kWindowPages - offset))};
    }
    Protection random_protection() {
        const uint32_t bits = below(8);
        return {.read = (bits & 1) != 0, .write = (bits & 2) != 0, .execute = (bits & 4) != 0};
    }
    uint64_t random_page() {
        if (below(8) == 0 && !pages_.empty()) {
            auto chosen = pages_.lower_bound(random_() % (arch::kUserEnd / kPageSize));
            return chosen == pages_.end() ? pages_.begin()->first : chosen->first;
        }
        return kWindows[below(kWindows.size())] + below(kWindowPages);
    }

    bool any_mapped(const Range& range) {
        const auto found = pages_.lower_bound(range.first);
        return found != pages_.end() && found->first < range.end();
    }
    void enter(const Range& range, int object, uint64_t index, Protection protection,
               Protection ceiling) {
        for (uint64_t i = 0; i < range.count; ++i) {
            pages_[range.first + i] = {object, index + i, protection, ceiling};
        }
    }

    struct Request {
        int object;
        uint64_t index;
        Protection protection, ceiling;
        std::optional<Error> refused;
    };
    Request random_request(uint64_t count) {
        Request request{static_cast<int>(below(kObjects)), below(kObjectPages), random_protection(),
                        random_protection(), std::nullopt};
        if (below(3) != 0) request.ceiling = {true, true, true};
        if (!request.ceiling.covers(request.protection) || !request.protection.is_allowed()) {
            request.refused = Error::ACCES;
        } else if (request.index + count > kObjectPages) {
            request.refused = Error::INVAL;
        }
        return request;
    }
    Result<VirtualAddress> map(const Request& request, VirtualAddress at, uint64_t bytes) {
        return space_->map(*objects_[request.object], request.index * kPageSize, at, bytes,
                           request.protection, request.ceiling);
    }

    void map_fixed() {
        const Range range = random_range();
        Request request = random_request(range.count);
        if (!request.refused && any_mapped(range)) request.refused = Error::EXIST;
        const auto mapped = map(request, range.start(), range.bytes());
        REQUIRE(mapped.ok() == !request.refused);
        if (request.refused) {
            REQUIRE(mapped.error() == *request.refused);
            return;
        }
        REQUIRE(mapped.value() == range.start());
        enter(range, request.object, request.index, request.protection, request.ceiling);
    }

    void map_anywhere() {
        if (chosen_.size() >= 40) return;
        const uint64_t count = 1 + below(60);
        const Request request = random_request(count);
        const auto mapped = map(request, {}, count * kPageSize);
        REQUIRE(mapped.ok() == !request.refused);
        if (request.refused) {
            REQUIRE(mapped.error() == *request.refused);
            return;
        }
        const Range range{mapped.value().value / kPageSize, count};
        REQUIRE_FALSE(any_mapped(range));
        chosen_.push_back(range);
        enter(range, request.object, request.index, request.protection, request.ceiling);
    }

    void unmap_range(const Range& range) {
        REQUIRE(space_->unmap(range.start(), range.bytes()).ok());
        pages_.erase(pages_.lower_bound(range.first), pages_.lower_bound(range.end()));
        REQUIRE(hosted::tlbs_agree(space_->page_table()));
    }
    void unmap() { unmap_range(random_range()); }
    void unmap_chosen() {
        if (chosen_.empty()) return;
        const size_t index = below(chosen_.size());
        unmap_range(chosen_[index]);
        chosen_[index] = chosen_.back();
        chosen_.pop_back();
    }

    void protect() {
        Range range = random_range();
        if (below(4) == 0 && !chosen_.empty()) {
            const Range& whole = chosen_[below(chosen_.size())];
            const uint64_t offset = below(whole.count);
            range = {whole.first + offset, 1 + below(whole.count - offset)};
        }
        const Protection protection = random_protection();
        const auto expected = check_protect(range, protection);
        const Status done = space_->protect(range.start(), range.bytes(), protection);
        REQUIRE(done.ok() == !expected);
        if (expected) {
            REQUIRE(done.error() == *expected);
            return;
        }
        for (uint64_t i = 0; i < range.count; ++i) pages_[range.first + i].protection = protection;
        REQUIRE(hosted::tlbs_agree(space_->page_table()));
    }
    std::optional<Error> check_protect(const Range& range, Protection protection) {
        if (!protection.is_allowed()) return Error::ACCES;
        for (uint64_t i = 0; i < range.count; ++i) {
            const auto page = pages_.find(range.first + i);
            if (page == pages_.end()) return Error::INVAL;
            if (!page->second.ceiling.covers(protection)) return Error::ACCES;
        }
        return std::nullopt;
    }

    const PageModel* find(uint64_t number, Access access) {
        const auto found = pages_.find(number);
        if (found == pages_.end() || !allows(found->second.protection, access)) return nullptr;
        return &found->second;
    }
    uint64_t stamp_of(const PageModel& page) {
        const auto found = stamps_.find({page.object, page.index});
        return found == stamps_.end() ? 0 : found->second;
    }
    void set_stamp(const PageModel& page, uint64_t stamp) {
        stamps_[{page.object, page.index}] = stamp;
    }

    // As user code would, at the first word of a page.
    void access() {
        const uint64_t number = random_page();
        const auto access = static_cast<Access>(below(3));
        const PageModel* page = find(number, access);
        uint64_t word = random_();
        const bool done = hosted::user_access({number * kPageSize}, access, &word, sizeof(word));
        REQUIRE(done == (page != nullptr));
        if (!done) return;
        if (access == Access::kWrite) {
            set_stamp(*page, word);
        } else {
            REQUIRE(word == stamp_of(*page));
        }
    }

    // From the kernel, as a message is delivered; across pages now and then, which writes the words
    // at the beginning of each.
    void write_from_outside() {
        const uint64_t number = random_page();
        const uint64_t count = 1 + below(3);
        std::vector<uint64_t> words((count - 1) * kPageSize / 8 + 1);
        for (uint64_t i = 0; i < count; ++i) words[i * kPageSize / 8] = random_();
        const bool done =
            space_->write({number * kPageSize}, words.data(), words.size() * sizeof(uint64_t));
        // What comes before the first page that is bad has been written.
        uint64_t good = 0;
        while (good < count && find(number + good, Access::kWrite) != nullptr) {
            set_stamp(*find(number + good, Access::kWrite), words[good * kPageSize / 8]);
            ++good;
        }
        REQUIRE(done == (good == count));
    }

    void copy_within() {
        const uint64_t from = random_page();
        const uint64_t to = random_page();
        const PageModel* source = find(from, Access::kRead);
        const PageModel* target = find(to, Access::kWrite);
        const bool done = space_->write_from_user({to * kPageSize}, *space_, {from * kPageSize},
                                                  8) == Copied::kAll;
        REQUIRE(done == (source != nullptr && target != nullptr));
        if (done) set_stamp(*target, stamp_of(*source));
    }

    std::mt19937_64 random_;
    Ref<Budget> budget_;
    Ref<AddressSpace> space_;
    Ref<MemoryObject> objects_[kObjects];
    std::map<uint64_t, PageModel> pages_;                  // by number of page
    std::map<std::pair<int, uint64_t>, uint64_t> stamps_;  // first words of pages of objects
    std::vector<Range> chosen_;                            // where the kernel chose
};

}  // namespace

TEST_CASE("address space: a hundred thousand random steps against a reference") {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
        CAPTURE(seed);
        Model model(seed);
        for (int step = 0; step < 25'000; ++step) {
            CAPTURE(step);
            model.step();
            if (step % 500 == 0) model.compare_all();
        }
        model.compare_all();
        model.finish();
    }
}
