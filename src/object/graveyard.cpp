#include "object/graveyard.h"

#include <utility>

#include "object/budget.h"
#include "object/collection.h"
#include "object/reclaim.h"
#include "object/registry.h"
#include "sync/hart.h"
#include "sync/preemption.h"

namespace {
// Objects that wait on each hart; touched by that hart alone, with interrupts off.
constinit PerHart<Object*> waiting;
}  // namespace

void Graveyard::queue(Object& object) {
    Object*& list = waiting.local();
    object.next_in_graveyard_ = list;
    list = &object;
    this_hart().block.attention |= attention::kTeardown;
}

// The public end of the object: it leaves the lists and gives its charge back. Only its memory
// remains, for harts that may still be looking at it.
void Graveyard::finish(Object& object) {
    ObjectRegistry::remove(object);
    if (Budget* budget = std::exchange(object.charged_budget_, nullptr)) {
        const ObjectHistory* history = object.history();
        budget->put(object.charged_bytes_ + (history == nullptr ? 0 : history->transfer_bytes()));
        budget->release();
    }
    object.become(Lifecycle::kFreed);
    Reclaim::retire(object.retired_, [](Retired& retired) { Object::of(retired).free_memory(); });
}

// True when the object is done with here.
bool Graveyard::do_a_piece(Object& object) {
    if (object.winding_up_.is_set()) {
        if (!object.wind_up()) return false;
        object.winding_up_.clear();
        object.release();
    } else {
        if (!object.dismantle()) return false;
        finish(object);
    }
    return true;
}

bool Graveyard::take_down_a_piece(Object*& list) {
    Object* object = list;
    if (object == nullptr) return false;
    list = object->next_in_graveyard_;
    if (!do_a_piece(*object)) {
        object->next_in_graveyard_ = list;
        list = object;
    }
    return true;
}

void Graveyard::drain() {
    Object* list = std::exchange(waiting.local(), nullptr);
    uint64_t suspects = Collection::suspects();
    while (true) {
        if (take_down_a_piece(list)) {
            suspects = Collection::suspects();
        } else if (Collection::done_up_to(suspects) || !Collection::work_a_piece()) {
            return;
        }
        preemption_point();
        // What this piece has freed comes next, in this thread too.
        if (list == nullptr) list = std::exchange(waiting.local(), nullptr);
    }
}

bool Graveyard::empty() { return waiting.local() == nullptr; }

bool Graveyard::work_a_piece() {
    return take_down_a_piece(waiting.local()) || Collection::work_a_piece();
}
