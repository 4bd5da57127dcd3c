// Edges lead from a sleeping thread to the processes that can end its sleep: those with a handle to
// the other end of its channel, or the process whose end it waits for. A cycle of threads in which
// each waits for the next one's process is what deadlocks of calls look like. Only processes all of
// whose threads sleep without a deadline count for it: others may still help.
#include "process/wait_graph.h"

#include "ipc/channel.h"
#include "object/lineage.h"
#include "object/registry.h"
#include "process/process.h"
#include "trace/log.h"

namespace {

constexpr uint32_t kMaxWaits = 64;
constexpr uint32_t kMaxHolders = 4;

struct Wait {
    const Thread* thread = nullptr;
    bool stuck = true;  // and so are all threads of its process
    ObjectId object{};
    const char* what = nullptr;
    ObjectId peer{};  // the other end of a channel, or none
    uint64_t holders[kMaxHolders] = {};
    uint32_t holder_count = 0;
};

// Not on the stack: it may be nearly full.
Wait waits[kMaxWaits];
uint32_t wait_count = 0;
uint32_t path[kMaxWaits];  // the walk in progress, by place in `waits`

uint64_t number_of(ObjectId id) { return static_cast<uint64_t>(id); }

uint64_t process_of(const Thread& thread) { return number_of(thread.process().id()); }

// What a sleep on this object waits for, besides the object.
void follow(Wait& wait, Object& object) {
    if (object.type() == ObjectType::kProcess) {
        wait.holders[wait.holder_count++] = number_of(object.id());
    } else if (object.type() == ObjectType::kThread) {
        wait.holders[wait.holder_count++] = process_of(static_cast<Thread&>(object));
    } else if (object.type() == ObjectType::kChannel) {
        const Endpoint* peer = static_cast<Endpoint&>(object).peer();
        if (peer == nullptr) return;
        wait.peer = peer->id();
        wait.holder_count = Lineage::holders(*peer, wait.holders);
    }
}

void note_sleeper(Thread& thread) {
    if (wait_count == kMaxWaits || thread.state() != ThreadState::kBlocked) return;
    const WaitSource* source = thread.waiter().source();
    Wait& wait = waits[wait_count++];
    wait.thread = &thread;
    wait.object = source->owner();
    wait.what = source->what();
    ObjectRegistry::for_each_while_stopped([&](Object& object) {
        if (object.id() == wait.object) follow(wait, object);
    });
}

void print_wait(const Wait& wait) {
    print("    thread %lu '%s' of process %lu '%s' waits for %s", number_of(wait.thread->id()),
          wait.thread->name(), process_of(*wait.thread), wait.thread->process().name(), wait.what);
    if (wait.object != ObjectId::kNone) print(" of object %lu", number_of(wait.object));
    if (wait.peer != ObjectId::kNone) print(", peer %lu", number_of(wait.peer));
    for (uint32_t i = 0; i < wait.holder_count; ++i) {
        print("%s%lu", i == 0 ? ", from process " : " or ", wait.holders[i]);
    }
    print("\n");
}

// Whether nothing that the thread does itself will end what it does now.
bool is_stuck(Thread& thread) {
    return thread.state() == ThreadState::kBlocked && thread.waiter().sleeps_until().is_never();
}

void note_helper(Thread& thread) {
    if (thread.is_idle() || thread.state() == ThreadState::kEnded || is_stuck(thread)) return;
    for (uint32_t i = 0; i < wait_count; ++i) {
        if (process_of(*waits[i].thread) == process_of(thread)) waits[i].stuck = false;
    }
}

bool leads_to(const Wait& from, const Wait& to) {
    if (!from.stuck || !to.stuck) return false;
    for (uint32_t i = 0; i < from.holder_count; ++i) {
        if (from.holders[i] == process_of(*to.thread)) return true;
    }
    return false;
}

void print_cycle(uint32_t length) {
    print("cycle:");
    for (uint32_t i = 0; i <= length; ++i) {
        const Thread& thread = *waits[path[i % length]].thread;
        print("%s thread %lu '%s' of process %lu", i == 0 ? "" : " ->", number_of(thread.id()),
              thread.name(), process_of(thread));
    }
    print("\n");
}

// Follows edges depth first from `start`, over later places only but for the way back to it, so
// every cycle is looked for from its lowest place. Steps are bounded, not complete for tangles.
bool find_cycle(uint32_t start) {
    constexpr uint32_t kMaxSteps = 10'000;
    uint32_t length = 1;
    path[0] = start;
    uint32_t next = start;
    for (uint32_t steps = 0; steps < kMaxSteps; ++steps) {
        const Wait& here = waits[path[length - 1]];
        while (next < wait_count && !leads_to(here, waits[next])) ++next;
        if (next == wait_count) {
            if (--length == 0) return false;
            next = path[length] + 1;
        } else if (next == start) {
            print_cycle(length);
            return true;
        } else {
            bool visited = false;
            for (uint32_t i = 0; i < length; ++i) visited |= path[i] == next;
            if (visited || length == kMaxWaits) {
                ++next;
                continue;
            }
            path[length++] = next;
            next = start;
        }
    }
    return false;
}

}  // namespace

void print_wait_graph() {
    ObjectRegistry::for_each_while_stopped([](Object& object) {
        if (object.type() == ObjectType::kThread) note_sleeper(static_cast<Thread&>(object));
    });
    ObjectRegistry::for_each_while_stopped([](Object& object) {
        if (object.type() == ObjectType::kThread) note_helper(static_cast<Thread&>(object));
    });
    print("sleeping threads:\n");
    for (uint32_t i = 0; i < wait_count; ++i) print_wait(waits[i]);
    for (uint32_t i = 0; i < wait_count; ++i) {
        if (find_cycle(i)) return;
    }
}
