/* The kernel's counters: name and what it counts. One line defines a counter; its name reaches user
 * mode with it. Each hart counts for itself; a reader adds up. */
#ifndef KAIROS_ABI_COUNTERS_H
#define KAIROS_ABI_COUNTERS_H

#define KAIROS_COUNTERS(X)                                                             \
    X(channel_sends, "messages sent, by queue, handoff or reply")                      \
    X(channel_receives, "messages received")                                           \
    X(channel_queued, "messages that passed a queue")                                  \
    X(channel_handoffs, "messages that went straight to an armed receiver")            \
    X(channel_replies, "replies delivered to their callers")                           \
    X(channel_replies_dropped, "replies that nobody waited for")                       \
    X(channel_payload_frames, "page frames taken for payloads beyond the inline size") \
    X(channel_peer_closed, "sends that found the peer closed")                         \
    X(channel_ends, "receives that found the end of the stream")                       \
    X(channel_closes, "endpoints closed")                                              \
    X(endpoints_collected, "endpoints closed because only queues held them")           \
    X(port_packets, "packets taken from ports")                                        \
    X(port_coalesced, "events that joined a pending packet")                           \
    X(wait_blocks, "sleeps begun")                                                     \
    X(wait_skipped, "sleeps not begun because the sequence had moved")                 \
    X(wait_direct_switches, "sleeps that gave the hart straight to who was woken")     \
    X(wake_data, "sleeps ended by what was waited for")                                \
    X(wake_hup, "sleeps ended by the other side's going")                              \
    X(wake_close, "sleeps ended by the object's own end")                              \
    X(wake_signal, "sleeps ended by an interrupt or a kill")                           \
    X(wake_timeout, "sleeps ended by their deadline")                                  \
    X(wake_cancel, "sleeps ended by revocation")                                       \
    X(cap_revoked, "handles closed by revocation")                                     \
    X(cap_refused, "handles refused for a transfer, a duplicate or a bind")            \
    X(owner_audits, "audits of who owns an object")                                    \
    X(owner_mismatches, "owners that did not add up")                                  \
    X(budget_audits, "audits of all budgets together")                                 \
    X(budget_mismatches, "charges that were not what allocators had handed out")       \
    X(poll_hints_used, "polls answered by a hint because the lock was taken")          \
    X(poll_hint_mismatches, "hints that were not what the lock showed")                \
    X(sched_switches, "switches from one thread to another")                           \
    X(sched_migrations, "threads sent to another hart")                                \
    X(sched_ipis, "harts interrupted by other harts, for their threads or for memory") \
    X(sched_idle_ns, "nanoseconds that harts idled, up to when they began last")       \
    X(interrupts, "interrupts taken")                                                  \
    X(warnings, "warnings, printed or not")

#endif
