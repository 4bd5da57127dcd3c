// The threads that wait for their turn on one hart: a line for each priority. Touched by that hart
// alone.
//
// Below real time, turns go to processes and not to threads, so that a process gets no more of a
// hart by having more threads. Of each process one thread, its *leader*, stands in the line; its
// others stand behind the leader. When a leader gets its turn, the next of them leads, from the end
// of the line:
//
//     line   A1 ── B1 ── C1             pop() is A1:    B1 ── C1 ── A2
//            │     │                                    │           │
//            A2    B2                                   B2          A3
//            │
//            A3
//
// A process's leader is found through a tree. As long as a line has one leader only, the tree may
// be empty: so it costs nothing unless processes compete.
#pragma once

#include "base/bits.h"
#include "sched/thread.h"

class RunQueue {
  public:
    bool empty() const { return occupied_ == 0; }
    uint32_t top_priority() const { return highest_bit(occupied_); }
    // Behind all others of its process, and a process that does not wait yet behind all others.
    void push_back(Thread& thread) {
        const uint32_t priority = thread.queued_priority_ = thread.priority();
        Line& line = lines_[priority];
        if (by_process(priority) && !line.leaders.empty() && joins(line, thread)) return;
        occupied_ |= bit_of(priority);
        thread.leads_ = true;
        line.leaders.push_back(thread);
    }
    // Before all others.
    void push_front(Thread& thread);
    void remove(Thread& thread);
    Thread* pop() { return empty() ? nullptr : pop_from(top_priority()); }
    // The next in turn at the highest priority below `priority`; null if there is none.
    Thread* pop_below(uint32_t priority);
    // One of the first, in order of choice, that may run on `hart`. Looks at a bounded number.
    Thread* first_allowed_on(HartIndex hart) const;

  private:
    struct ProcessOf {
        uint64_t operator()(const Thread& thread) const { return thread.share(); }
    };
    struct Line {
        List<Thread, &Thread::run_node_> leaders;
        Tree<Thread, &Thread::leader_node_, ProcessOf> index;
    };

    static constexpr uint64_t bit_of(uint32_t priority) { return uint64_t{1} << priority; }
    static bool by_process(uint32_t priority) { return priority < KPRIORITY_REAL_TIME; }
    static Thread* leader_of(Line& line, const Thread& thread);
    // The thread joins a line that is not empty: behind its leader, or else as one, of which the
    // line has several then.
    static bool joins(Line& line, Thread& thread);
    static void add_to_index(Line& line, Thread& leader);
    static void let_next_lead(Line& line, Thread& popped);

    Thread* pop_from(uint32_t priority) {
        Line& line = lines_[priority];
        Thread& thread = *line.leaders.front();
        line.leaders.remove(thread);
        thread.leads_ = false;
        if (line.index.linked(thread)) line.index.remove(thread);
        if (!thread.followers_.empty()) let_next_lead(line, thread);
        if (line.leaders.empty()) occupied_ &= ~bit_of(priority);
        return &thread;
    }

    uint64_t occupied_ = 0;  // bit p: there are threads of priority p
    Line lines_[KPRIORITY_MAX + 1];
};
