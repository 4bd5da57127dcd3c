// Who holds an object, and what a process holds: walks over delegation trees and tables, a node at
// a time. User memory is written with no lock held; the node that a walk stands on is pinned.
#include "object/lineage.h"
#include "object/registry.h"
#include "process/process.h"
#include "sync/preemption.h"
#include "syscall/authority.h"
#include "syscall/bodies.h"

namespace system_calls {

namespace {

using UserEntries = UserPointer<kairos_handle_entry>;

// The part of a list that the caller asked for.
class Page {
  public:
    Page(UserEntries out, uint32_t max, uint64_t after) : out_(out), max_(max), to_skip_(after) {}

    // -EFAULT.
    Status add(const kairos_handle_entry& entry) {
        if (to_skip_ != 0) {
            --to_skip_;
            return {};
        }
        TRY(out_.at(listed_).write(entry));
        ++listed_;
        return {};
    }
    bool full() const { return listed_ == max_; }
    int64_t listed() const { return listed_; }

  private:
    UserEntries out_;
    uint32_t max_;
    uint64_t to_skip_;
    uint32_t listed_ = 0;
};

// What both calls check, in this order.
Status check_arguments(HandleValue resource, UserEntries out, uint32_t max) {
    if (max == 0) return Fail(Error::INVAL);
    TRY(out.check_range(max));
    TRY(authority(resource, right::kRead, {ResourceKind::kSystem}));
    return {};
}

// Adds what the walk stands on.
Status add_node(const LineageWalk& walk, Object& object, Page& page) {
    kairos_handle_entry entry{};
    if (!Lineage::describe_place(*walk.cap(), object, entry)) return {};
    entry.depth = walk.depth();
    return page.add(entry);
}

// Adds what `describe` says of each number below `count`.
template <typename Describe>
Status add_numbers(uint32_t count, Page& page, Describe describe) {
    for (uint32_t number = 0; number < count && !page.full(); ++number) {
        kairos_handle_entry entry{};
        if (describe(number, entry)) TRY(page.add(entry));
        preemption_point();
    }
    return {};
}

}  // namespace

Result<int64_t> system_holders(HandleValue resource, uint64_t id, uint64_t after, UserEntries out,
                               uint32_t max) {
    TRY(check_arguments(resource, out, max));
    Ref<Object> object = ObjectRegistry::find(static_cast<ObjectId>(id));
    if (!object) return Fail(Error::NOENT);
    Page page(out, max, after);
    Status added;
    LineageWalk walk(*object, nullptr);
    while (added && !page.full() && walk.step()) {
        if (walk.first_time_here()) added = add_node(walk, *object, page);
        preemption_point();
    }
    walk.stop();
    TRY(added);
    return page.listed();
}

Result<int64_t> system_handles(HandleValue resource, uint64_t id, uint64_t after, UserEntries out,
                               uint32_t max) {
    TRY(check_arguments(resource, out, max));
    Ref<Object> object = ObjectRegistry::find(static_cast<ObjectId>(id));
    if (!object || object->type() != ObjectType::kProcess) return Fail(Error::NOENT);
    auto& process = static_cast<Process&>(*object);
    Page page(out, max, after);
    TRY(add_numbers(KHANDLE_MAX_PER_PROCESS, page, [&](uint32_t slot, auto& entry) {
        return process.handles().describe_slot(slot, entry);
    }));
    TRY(add_numbers(KFD_MAX_PER_PROCESS, page, [&](uint32_t number, auto& entry) {
        return process.descriptors().describe_number(number, entry);
    }));
    return page.listed();
}

}  // namespace system_calls
