// Random maps, unmaps, protects, accesses, copies, clones, resizes and revocations, on four harts
// in two address spaces, against a reference that knows pages one by one. After each step that
// takes something away, no TLB may allow more than the page table does; every so often all
// translations, charges and contents are compared.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "hosted/kernel.h"
#include "hosted/machine.h"
#include "memory/address_space.h"

namespace {

using arch::Access;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr int kObjects = 5;  // that have handles
constexpr int kHandles = 3;  // of each: one, its duplicate, and that one's duplicate
constexpr uint64_t kObjectPages = 700;
constexpr int kSpaces = 2;

// Pages of an address space that the test uses: some around the borders of page tables, which is
// where cutting and pruning may go wrong. As numbers of pages.
constexpr std::array<uint64_t, 4> kWindows = {512 * 3 - 40, 512 * 4 - 10, 512 * 512 - 50,
                                              512 * 700 + 100};
constexpr uint64_t kWindowPages = 110;

struct PageModel {
    int object;      // its number; numbers are not used again
    uint64_t index;  // of the page in the object
    Protection protection;
    Protection ceiling;
    int through;  // which of the object's handles; -1: one that has been closed since, or none
};

struct ObjectModel {
    Ref<MemoryObject> memory;
    uint64_t pages = kObjectPages;
    std::map<uint64_t, uint64_t> stamps;  // first words of pages
};

// An object that has handles.
struct Slot {
    int object = -1;
    HandleValue handles[kHandles] = {};
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
        table_ = std::make_unique<HandleTable>(*budget_);
        for (auto& space : spaces_) space = AddressSpace::create(*budget_).take();
        for (Slot& slot : slots_) use_object(slot, make_object(kObjectPages));
        for (uint32_t i = hosted::kHarts; i-- > 0;) {
            hosted::enter_hart({i});
            hosted::run_in(spaces_[i % kSpaces].get());
        }
    }

    void step() {
        const uint32_t hart = below(hosted::kHarts);
        hosted::enter_hart({hart});
        space_ = spaces_[hart % kSpaces].get();
        pages_ = &all_pages_[hart % kSpaces];
        chosen_ = &all_chosen_[hart % kSpaces];
        switch (below(24)) {
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
            case 12:
                return below(4) == 0 ? clone() : access();
            case 13:
                return below(2) == 0 ? resize() : access();
            case 14:
                return below(4) == 0 ? revoke() : access();
            default:
                return access();
        }
    }

    // Everything that can be seen is as the reference says.
    void compare_all() {
        for (int i = 0; i < kSpaces; ++i) compare(*spaces_[i], all_pages_[i]);
        for (const auto& [number, object] : objects_) {
            for (const auto& [index, stamp] : object.stamps) {
                const PhysicalAddress frame = object.memory->page(index).take().frame;
                REQUIRE(*static_cast<uint64_t*>(arch::physical_pointer(frame)) == stamp);
            }
        }
        forget_unused_objects();
        hosted::settle();
    }

    // Takes everything down; the budget has it all back.
    void finish() {
        hosted::enter_hart({0});
        for (auto& space : spaces_) {
            REQUIRE(space->unmap({arch::kUserBegin}, arch::kUserEnd - arch::kUserBegin).ok());
            REQUIRE(hosted::tlb_entries(space->page_table()) == 0);
        }
        for (uint32_t i = hosted::kHarts; i-- > 0;) {
            hosted::enter_hart({i});
            hosted::run_in(nullptr);
        }
        for (Slot& slot : slots_) close_handles(slot);
        objects_.clear();
        table_->dismantle();
        table_ = nullptr;
        hosted::settle();
        // Only root tables and the objects themselves are left of the address spaces, and of each
        // the page table that became idle last.
        CHECK(budget_->used() < kSpaces * (3 * kPageSize + 2048));
        for (auto& space : spaces_) space = nullptr;
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

    // Within the four ranges where tests map, the translations are the reference's and no others.
    void compare(AddressSpace& space, const std::map<uint64_t, PageModel>& pages) {
        for (const auto& [number, page] : pages) {
            const auto shown = space.page_table().lookup({number * kPageSize});
            if (!shown) continue;
            REQUIRE(page.index < objects_[page.object].pages);
            const auto behind = objects_[page.object].memory->page(page.index).take();
            REQUIRE(shown->address == behind.frame);
            REQUIRE(shown->flags.read == allows(page.protection, Access::kRead));
            // What is shared is shown read-only; so is what was shared, until somebody writes.
            if (shown->flags.write) REQUIRE(page.protection.write);
            if (shown->flags.write) REQUIRE(behind.writable);
            REQUIRE(shown->flags.execute == page.protection.execute);
        }
        const arch::PageTable& table = space.page_table();
        const VirtualAddress end{arch::kUserEnd};
        for (VirtualAddress at = table.next_mapped({arch::kUserBegin}, end); at < end;
             at = table.next_mapped(at + kPageSize, end)) {
            REQUIRE(pages.contains(at.value / kPageSize));
        }
    }

    // ---- Objects and their handles ----
    int add_object(Ref<MemoryObject> memory, uint64_t pages) {
        objects_[next_object_] = {std::move(memory), pages, {}};
        return next_object_++;
    }
    int make_object(uint64_t pages) {
        return add_object(
            MemoryObject::create(*budget_, pages * kPageSize, MemoryObject::Resizable::kYes).take(),
            pages);
    }
    void derive_handles(Slot& slot, int from) {
        for (int i = from; i < kHandles; ++i) {
            slot.handles[i] =
                table_->insert(table_->derive(slot.handles[i - 1], right::kNone).take()).take();
        }
    }
    void use_object(Slot& slot, int object) {
        slot.object = object;
        MemoryObject& memory = *objects_[object].memory;
        slot.handles[0] =
            table_
                ->insert(
                    OwnedCap::create_root(memory, MemoryObject::kInitialRights, *budget_).take())
                .take();
        derive_handles(slot, 1);
    }
    // From the top: what was mapped through them derives from nothing in the end.
    void close_handles(Slot& slot) {
        for (const HandleValue handle : slot.handles) (void)table_->remove(handle).take();
        for (auto& pages : all_pages_) {
            for (auto& [number, page] : pages) {
                if (page.object == slot.object) page.through = -1;
            }
        }
    }
    bool is_used(int object) const {
        for (const Slot& slot : slots_) {
            if (slot.object == object) return true;
        }
        for (const auto& pages : all_pages_) {
            for (const auto& [number, page] : pages) {
                if (page.object == object) return true;
            }
        }
        return false;
    }
    void forget_unused_objects() {
        std::erase_if(objects_, [&](const auto& entry) { return !is_used(entry.first); });
    }

    // A clone takes the place of another object, which lives on where it is mapped.
    void clone() {
        const Slot& source_slot = slots_[below(kObjects)];
        ObjectModel& source = objects_[source_slot.object];
        const uint64_t first = below(2) == 0 ? 0 : below(kObjectPages);
        const uint64_t pages = below(2) == 0 ? kObjectPages - first : 1 + below(kObjectPages);
        auto made = source.memory->clone({first * kPageSize, pages * kPageSize}, *budget_,
                                         MemoryObject::Resizable::kYes);
        REQUIRE(made.ok() == (first + pages <= source.pages));
        if (!made.ok()) {
            REQUIRE(made.error() == Error::INVAL);
            return;
        }
        const int number = add_object(made.take(), pages);
        for (const auto& [index, stamp] : objects_[source_slot.object].stamps) {
            if (index >= first && index - first < pages) {
                objects_[number].stamps[index - first] = stamp;
            }
        }
        Slot& target = slots_[below(kObjects)];
        close_handles(target);
        use_object(target, number);
        for (auto& space : spaces_) REQUIRE(hosted::tlbs_agree(space->page_table()));
    }

    void resize() {
        ObjectModel& object = objects_[slots_[below(kObjects)].object];
        const uint64_t pages = below(3) == 0 ? 1 + below(kObjectPages) : kObjectPages;
        // The other harts count as idle, so that no grace period waits for them.
        hosted::enter_hart({0});
        REQUIRE(object.memory->resize(pages * kPageSize - below(kPageSize)).ok());
        object.pages = pages;
        object.stamps.erase(object.stamps.lower_bound(pages), object.stamps.end());
        for (auto& space : spaces_) REQUIRE(hosted::tlbs_agree(space->page_table()));
    }

    void revoke() {
        Slot& slot = slots_[below(kObjects)];
        const int top = static_cast<int>(below(kHandles));
        REQUIRE(table_->revoke_descendants(slot.handles[top]).ok());
        for (int i = top + 1; i < kHandles; ++i) {
            REQUIRE(table_->find(slot.handles[i]).error() == Error::BADF);
        }
        derive_handles(slot, top + 1);
        for (auto& pages : all_pages_) {
            std::erase_if(pages, [&](const auto& entry) {
                return entry.second.object == slot.object && entry.second.through >= top;
            });
        }
        for (int i = 0; i < kSpaces; ++i) {
            REQUIRE(hosted::tlbs_agree(spaces_[i]->page_table()));
            compare(*spaces_[i], all_pages_[i]);
        }
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
        if (below(8) == 0 && !pages_->empty()) {
            auto chosen = pages_->lower_bound(random_() % (arch::kUserEnd / kPageSize));
            return chosen == pages_->end() ? pages_->begin()->first : chosen->first;
        }
        return kWindows[below(kWindows.size())] + below(kWindowPages);
    }

    bool any_mapped(const Range& range) {
        const auto found = pages_->lower_bound(range.first);
        return found != pages_->end() && found->first < range.end();
    }

    struct Request {
        const Slot& slot;
        int handle;
        uint64_t index;
        Protection protection, ceiling;
        std::optional<Error> refused;
    };
    void enter(const Range& range, const Request& request) {
        for (uint64_t i = 0; i < range.count; ++i) {
            (*pages_)[range.first + i] = {request.slot.object, request.index + i,
                                          request.protection, request.ceiling, request.handle};
        }
    }
    Request random_request(uint64_t count) {
        Request request{slots_[below(kObjects)], static_cast<int>(below(kHandles)),
                        below(kObjectPages),     random_protection(),
                        random_protection(),     std::nullopt};
        if (below(3) != 0) request.ceiling = {true, true, true};
        if (!request.ceiling.covers(request.protection) || !request.protection.is_allowed()) {
            request.refused = Error::ACCES;
        } else if (request.index + count > objects_[request.slot.object].pages) {
            request.refused = Error::INVAL;
        }
        return request;
    }
    Result<VirtualAddress> map(const Request& request, VirtualAddress at, uint64_t bytes) {
        return space_->map(*objects_[request.slot.object].memory, request.index * kPageSize, at,
                           bytes, request.protection, request.ceiling,
                           {table_.get(), request.slot.handles[request.handle]});
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
        enter(range, request);
    }

    void map_anywhere() {
        if (chosen_->size() >= 40) return;
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
        chosen_->push_back(range);
        enter(range, request);
    }

    void unmap_range(const Range& range) {
        REQUIRE(space_->unmap(range.start(), range.bytes()).ok());
        pages_->erase(pages_->lower_bound(range.first), pages_->lower_bound(range.end()));
        REQUIRE(hosted::tlbs_agree(space_->page_table()));
    }
    void unmap() { unmap_range(random_range()); }
    void unmap_chosen() {
        if (chosen_->empty()) return;
        const size_t index = below(chosen_->size());
        unmap_range((*chosen_)[index]);
        (*chosen_)[index] = chosen_->back();
        chosen_->pop_back();
    }

    void protect() {
        Range range = random_range();
        if (below(4) == 0 && !chosen_->empty()) {
            const Range& whole = (*chosen_)[below(chosen_->size())];
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
        for (uint64_t i = 0; i < range.count; ++i)
            (*pages_)[range.first + i].protection = protection;
        REQUIRE(hosted::tlbs_agree(space_->page_table()));
    }
    std::optional<Error> check_protect(const Range& range, Protection protection) {
        if (!protection.is_allowed()) return Error::ACCES;
        for (uint64_t i = 0; i < range.count; ++i) {
            const auto page = pages_->find(range.first + i);
            if (page == pages_->end()) return Error::INVAL;
            if (!page->second.ceiling.covers(protection)) return Error::ACCES;
        }
        return std::nullopt;
    }

    const PageModel* find(uint64_t number, Access access) {
        const auto found = pages_->find(number);
        if (found == pages_->end() || !allows(found->second.protection, access)) return nullptr;
        const PageModel& page = found->second;
        return page.index < objects_[page.object].pages ? &page : nullptr;
    }
    uint64_t stamp_of(const PageModel& page) {
        const auto& stamps = objects_[page.object].stamps;
        const auto found = stamps.find(page.index);
        return found == stamps.end() ? 0 : found->second;
    }
    void set_stamp(const PageModel& page, uint64_t stamp) {
        objects_[page.object].stamps[page.index] = stamp;
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
    std::unique_ptr<HandleTable> table_;
    Ref<AddressSpace> spaces_[kSpaces];
    Slot slots_[kObjects];
    std::map<int, ObjectModel> objects_;  // by number
    int next_object_ = 0;
    std::map<uint64_t, PageModel> all_pages_[kSpaces];  // by number of page
    std::vector<Range> all_chosen_[kSpaces];            // where the kernel chose

    // Those of the hart that does the step.
    AddressSpace* space_ = nullptr;
    std::map<uint64_t, PageModel>* pages_ = nullptr;
    std::vector<Range>* chosen_ = nullptr;
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
