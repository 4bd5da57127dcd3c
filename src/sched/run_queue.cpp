#include "sched/run_queue.h"

namespace {
// Threads looked at to find one that another hart may run. The line turns, so those that are not
// among the first now come to be.
constexpr uint32_t kLookedAt = 16;
}  // namespace

// Of the process that `thread` belongs to; null if none of it waits in the line.
Thread* RunQueue::leader_of(Line& line, const Thread& thread) {
    Thread* leader =
        line.index.empty() ? line.leaders.front() : line.index.lower_bound(thread.share());
    return leader != nullptr && leader->share() == thread.share() ? leader : nullptr;
}

// Before `leader` joins the line.
void RunQueue::add_to_index(Line& line, Thread& leader) {
    if (line.leaders.empty()) return;
    if (line.index.empty()) line.index.insert(*line.leaders.front());
    line.index.insert(leader);
}

bool RunQueue::joins(Line& line, Thread& thread) {
    if (Thread* leader = leader_of(line, thread)) {
        leader->followers_.push_back(thread);
        return true;
    }
    add_to_index(line, thread);
    return false;
}

void RunQueue::let_next_lead(Line& line, Thread& popped) {
    Thread& next = *popped.followers_.pop_front();
    next.leads_ = true;
    next.followers_.splice_back(popped.followers_);
    add_to_index(line, next);
    line.leaders.push_back(next);
}

void RunQueue::push_front(Thread& thread) {
    const uint32_t priority = thread.queued_priority_ = thread.priority();
    Line& line = lines_[priority];
    occupied_ |= bit_of(priority);
    if (by_process(priority) && !line.leaders.empty()) {
        if (Thread* leader = leader_of(line, thread)) {
            line.leaders.remove(*leader);
            if (line.index.linked(*leader)) line.index.remove(*leader);
            leader->leads_ = false;
            thread.followers_.push_back(*leader);
            thread.followers_.splice_back(leader->followers_);
        }
        add_to_index(line, thread);
    }
    thread.leads_ = true;
    line.leaders.push_front(thread);
}

void RunQueue::remove(Thread& thread) {
    Line& line = lines_[thread.queued_priority_];
    if (!thread.leads_) {
        decltype(thread.followers_)::remove(thread);
        return;
    }
    if (Thread* next = thread.followers_.pop_front()) {
        next->leads_ = true;
        next->followers_.splice_back(thread.followers_);
        line.leaders.insert_after(thread, *next);
        if (line.index.linked(thread)) line.index.insert(*next);
    }
    line.leaders.remove(thread);
    if (line.index.linked(thread)) line.index.remove(thread);
    thread.leads_ = false;
    if (line.leaders.empty()) occupied_ &= ~bit_of(thread.queued_priority_);
}

Thread* RunQueue::pop_below(uint32_t priority) {
    const uint64_t lower = occupied_ & (bit_of(priority) - 1);
    return lower == 0 ? nullptr : pop_from(highest_bit(lower));
}

Thread* RunQueue::first_allowed_on(HartIndex hart) const {
    uint32_t left = kLookedAt;
    for (uint64_t lines = occupied_; lines != 0;) {
        const uint32_t priority = highest_bit(lines);
        lines &= ~bit_of(priority);
        const auto& leaders = lines_[priority].leaders;
        for (Thread* leader = leaders.front(); leader != nullptr; leader = leaders.after(*leader)) {
            const auto& followers = leader->followers_;
            for (Thread* at = leader; at != nullptr;
                 at = at == leader ? followers.front() : followers.after(*at)) {
                if (at->allowed_on(hart)) return at;
                if (--left == 0) return nullptr;
            }
        }
    }
    return nullptr;
}
