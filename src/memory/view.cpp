#include "memory/view.h"

#include <new>

#include "memory/address_space.h"
#include "memory/memory_object.h"
#include "mm/object_cache.h"
#include "object/lineage.h"

namespace {
constinit mm::ObjectCache<View> view_cache;
}

View::View(Budget& budget, AddressSpace& space, MemoryObject& memory, MemoryRange range,
           Protection ceiling)
    : Derivation(static_cast<uint64_t>(space.id()), ceiling.rights()),
      budget_(budget),
      space_(space),
      memory_(Ref<MemoryObject>(memory)),
      range_(range),
      ceiling_(ceiling) {}

Result<Ref<View>> View::create(Budget& budget, AddressSpace& space, MemoryObject& memory,
                               MemoryRange range, Protection ceiling) {
    TRY(budget.take(sizeof(View)));
    void* cell = view_cache.allocate();
    if (cell == nullptr) {
        budget.put(sizeof(View));
        return Fail(Error::NOMEM);
    }
    budget.retain();
    View& view = *new (cell) View(budget, space, memory, range, ceiling);
    if (const Status added = memory.add_view(view); !added) {
        view.free_node();
        return Fail(added.error());
    }
    return Ref<View>(view, kAdoptReference);
}

void View::free_node() {
    Budget& budget = budget_;
    this->~View();
    view_cache.free(this);
    budget.put(sizeof(View));
    budget.release();
}

void View::release() {
    if (pieces_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (memory_->end_view(*this)) Lineage::close(*this);
}

// Where the view has not been placed yet, it will not be: that is checked together.
void View::revoke() {
    if (Ref<AddressSpace> space = memory_->space_of(*this)) space->unmap_view(*this);
}
