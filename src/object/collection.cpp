#include "object/collection.h"

#include <utility>

#include "object/lineage.h"
#include "object/transit.h"
#include "sync/hart.h"
#include "trace/counters.h"

namespace {

constexpr int kStepsPerPiece = 16;

// What the next step does with the endpoint the search stands on.
enum class Pass : uint8_t { kNone, kEnter, kFollow, kConfirm, kLeave };

constinit SpinLock lock{LockRank::kCollection};

// Everything below is guarded by the lock; objects in these lists are counted.
constinit Object* first_suspect = nullptr;
constinit Object* last_suspect = nullptr;
constinit std::atomic<uint64_t> suspects_added{0};
constinit std::atomic<uint64_t> suspects_done{0};

constinit Pass pass = Pass::kNone;
constinit uint64_t search = 0;  // the number of the search
constinit Object* first_visited = nullptr;
constinit Object* last_visited = nullptr;
constinit Object* at = nullptr;       // of those visited
constinit LineageWalk handles_of_at;  // in kFollow

}  // namespace

void Collection::consider(Object& endpoint, const Transit& transit) {
    if (transit.load() != 0 && transit.in_flight() != 0 && !endpoint.held()) add(endpoint);
}

void Collection::add(Object& endpoint) {
    LockGuard guard(lock);
    Transit& transit = *endpoint.transit();
    if (!std::exchange(transit.suspected_, true)) {
        endpoint.retain();
        transit.next_suspect_ = nullptr;
        (first_suspect == nullptr ? first_suspect : last_suspect->transit()->next_suspect_) =
            &endpoint;
        last_suspect = &endpoint;
        suspects_added.fetch_add(1, std::memory_order_relaxed);
    }
    this_hart().block.attention |= attention::kTeardown;
}

uint64_t Collection::suspects() { return suspects_added.load(std::memory_order_relaxed); }

bool Collection::done_up_to(uint64_t suspects) {
    return suspects_done.load(std::memory_order_acquire) >= suspects;
}

bool Collection::work_a_piece() {
    if (done_up_to(suspects())) return false;
    Ref<Object> lost;
    {
        LockGuard guard(lock);
        for (int i = 0; i < kStepsPerPiece && !lost; ++i) {
            if (!step(lost)) break;
        }
    }
    if (lost) {
        count(Counter::endpoints_collected);
        lost->end_public_life();
    }
    return true;
}

// ---- The search; the lock is held ---------------------------------------------------------------

// False if there is nothing to do.
bool Collection::step(Ref<Object>& lost) {
    switch (pass) {
        case Pass::kNone:
            return begin();
        case Pass::kEnter:
            pass = enter() ? Pass::kFollow : Pass::kLeave;
            break;
        case Pass::kFollow:
            follow();
            break;
        case Pass::kConfirm:
            if (!confirm()) {
                pass = Pass::kLeave;
            } else if (at == nullptr) {
                lost = Ref<Object>(*first_visited);
                pass = Pass::kLeave;
            }
            break;
        case Pass::kLeave:
            if (!leave()) pass = Pass::kNone;
            break;
    }
    return true;
}

bool Collection::begin() {
    Object* suspect = first_suspect;
    if (suspect == nullptr) return false;
    Transit& transit = *suspect->transit();
    first_suspect = transit.next_suspect_;
    // What happens to it from here on makes it a suspect again.
    transit.suspected_ = false;
    ++search;
    visit(*suspect);
    suspect->release();
    at = suspect;
    pass = Pass::kEnter;
    return true;
}

void Collection::visit(Object& endpoint) {
    Transit& transit = *endpoint.transit();
    if (transit.visited_by_ == search || !endpoint.try_retain()) return;
    transit.visited_by_ = search;
    transit.next_visited_ = nullptr;
    (first_visited == nullptr ? first_visited : last_visited->transit()->next_visited_) = &endpoint;
    last_visited = &endpoint;
}

// First pass, first half: whether the endpoint is unheld.
bool Collection::enter() {
    LockGuard guard(at->lineage_lock_);
    if (at->held()) return false;
    at->transit()->arrivals_seen_ = at->transit()->arrivals_;
    handles_of_at = LineageWalk(*at, nullptr);
    return true;
}

// Second half, a handle at a time: visits the carriers.
void Collection::follow() {
    if (handles_of_at.step()) {
        if (!handles_of_at.first_time_here()) return;
        LockGuard guard(at->lineage_lock_);
        // As long as a handle names its carrier, the carrier has not dropped its queue.
        if (Object* carrier = handles_of_at.cap()->carrier_) visit(*carrier);
        return;
    }
    at = at->transit()->next_visited_;
    pass = Pass::kEnter;
    if (at != nullptr) return;
    at = first_visited;
    pass = Pass::kConfirm;
}

// Second pass: whether no handle to the endpoint has arrived anywhere since.
bool Collection::confirm() {
    const Transit& transit = *at->transit();
    LockGuard guard(at->lineage_lock_);
    if (transit.arrivals_ != transit.arrivals_seen_) return false;
    at = transit.next_visited_;
    return true;
}

// Lets go of what was visited. False when that was all.
bool Collection::leave() {
    if (Object* visited = first_visited) {
        first_visited = visited->transit()->next_visited_;
        visited->release();
        return true;
    }
    suspects_done.fetch_add(1, std::memory_order_release);
    return false;
}
