/* The kernel's trace: what it can record, and how a record looks. One line defines an event; its
 * name and those of its values reach user mode with it (KAIROS_INFO_TRACE_EVENTS). */
#ifndef KAIROS_ABI_TRACE_H
#define KAIROS_ABI_TRACE_H

#include <stdint.h>

#define KAIROS_TRACE_VERSION 1u    /* of the record's layout */
#define KAIROS_TRACE_RECORDS 1024u /* kept for each hart */

/* Kinds: what is switched on and off together (kairos_trace_control). Append only. */
#define KAIROS_TRACE_KINDS(X)                                   \
    X(ipc, "messages, calls, replies and packets")              \
    X(wake, "sleeps, what ended them, and who made whom ready") \
    X(cap, "handles made, moved, closed and revoked")           \
    X(sched, "switches, idling, threads sent to other harts")   \
    X(syscall, "system calls entered and left")                 \
    X(object, "objects and endpoints, made and gone")           \
    X(life, "threads and processes; user faults")

enum kairos_trace_kind {
#define KAIROS_TRACE_KIND(name, text) KAIROS_TRACE_KIND_##name,
    KAIROS_TRACE_KINDS(KAIROS_TRACE_KIND)
#undef KAIROS_TRACE_KIND
        KAIROS_TRACE_KIND_COUNT
};
#define KAIROS_TRACE_ALL ((1u << KAIROS_TRACE_KIND_COUNT) - 1) /* bits: 1 << kind */

/* Events: kind, name, and what the four values are. The first character of a value's name says how
 * it is read: # an object's id, % bits in hexadecimal, - signed (a status where it is negative), $
 * a system call's number, @ a message (below), ! why a sleep ended, ? a thread's state; any other
 * is a plain number. Append only. */
#define KAIROS_TRACE_EVENTS(X)                                                            \
    X(ipc, send, "#endpoint", "#peer", "txid", "@message")    /* queued at peer */        \
    X(ipc, handoff, "#endpoint", "#peer", "txid", "@message") /* to who waits */          \
    X(ipc, receive, "#endpoint", "#peer", "txid", "@message") /* from the queue */        \
    X(ipc, receive_end, "#endpoint", "#peer", "", "@message") /* hung up, nothing left */ \
    X(ipc, call, "#endpoint", "#peer", "txid", "@message")    /* waits for the reply */   \
    X(ipc, call_end, "#endpoint", "#peer", "txid", "-result")                             \
    X(ipc, reply, "#endpoint", "#peer", "txid", "@message")                               \
    X(ipc, reply_drop, "#endpoint", "#peer", "txid", "@message") /* nobody waits */       \
    X(ipc, drop, "#endpoint", "#peer", "txid", "@message")       /* queued at its end */  \
    X(ipc, packet, "#port", "#object", "%signals", "events")     /* raised */             \
    X(ipc, packet_take, "#port", "key", "%signals", "events")                             \
    X(wake, block, "#object", "sequence", "deadline", "")                                 \
    X(wake, skip, "#object", "sequence", "seen", "") /* moved: no sleep */                \
    X(wake, wake, "#object", "!reason", "", "")      /* the sleeper runs on */            \
    X(wake, ready, "#thread", "hart", "", "")                                             \
    X(cap, cap_create, "#object", "cap", "%rights", "")                                   \
    X(cap, cap_duplicate, "#object", "cap", "%rights", "parent")                          \
    X(cap, cap_take, "#object", "cap", "%rights", "")           /* out, with a message */ \
    X(cap, cap_install, "#object", "cap", "%rights", "%handle") /* into a table */        \
    X(cap, cap_restore, "#object", "cap", "%rights", "")        /* not sent after all */  \
    X(cap, cap_close, "#object", "cap", "%rights", "")                                    \
    X(cap, cap_revoke, "#object", "cap", "%rights", "")                                   \
    X(sched, switch_to, "#from", "#to", "?state", "priority")                             \
    X(sched, idle, "#from", "#to", "?state", "")                                          \
    X(sched, migrate, "#thread", "hart", "", "") /* to an idle hart */                    \
    X(syscall, enter, "$call", "%a0", "%a1", "%a2")                                       \
    X(syscall, leave, "$call", "-result", "", "")                                         \
    X(object, object_create, "#object", "type", "", "")                                   \
    X(object, object_free, "#object", "type", "", "")                                     \
    X(object, channel_create, "#endpoint", "#peer", "", "")                               \
    X(object, endpoint_closing, "#endpoint", "#peer", "queued", "")                       \
    X(object, endpoint_closed, "#endpoint", "#peer", "", "")                              \
    X(life, thread_start, "#thread", "#process", "", "")                                  \
    X(life, thread_end, "#thread", "#process", "", "")                                    \
    X(life, process_end, "#process", "-code", "", "")                                     \
    X(life, user_fault, "#process", "cause", "%pc", "%address")

enum kairos_trace_event {
#define KAIROS_TRACE_EVENT(kind, name, v0, v1, v2, v3) KAIROS_TRACE_##name,
    KAIROS_TRACE_EVENTS(KAIROS_TRACE_EVENT)
#undef KAIROS_TRACE_EVENT
        KAIROS_TRACE_EVENT_COUNT
};

/* What is in an @message. `queued`: in the queue that it came to or left, afterwards. States are
 * KAIROS_ENDPOINT_*, of the endpoint and of its peer. */
#define KAIROS_TRACE_MESSAGE(bytes, handles, queued, state, peer_state)         \
    ((uint64_t)(bytes) | (uint64_t)(handles) << 24 | (uint64_t)(queued) << 32 | \
     (uint64_t)(state) << 40 | (uint64_t)(peer_state) << 48)
#define KAIROS_TRACE_BYTES(message) ((uint32_t)((message)&0xffffff))
#define KAIROS_TRACE_HANDLES(message) ((uint32_t)((message) >> 24 & 0xff))
#define KAIROS_TRACE_QUEUED(message) ((uint32_t)((message) >> 32 & 0xff))
#define KAIROS_TRACE_STATE(message) ((uint32_t)((message) >> 40 & 0xff))
#define KAIROS_TRACE_PEER_STATE(message) ((uint32_t)((message) >> 48 & 0xff))

struct kairos_trace_record {
    uint64_t
        sequence; /* of this hart's records, from 0; a gap means that records were overwritten */
    uint64_t time_ns;
    uint8_t version; /* KAIROS_TRACE_VERSION */
    uint8_t kind;
    uint16_t event;
    uint32_t hart;
    uint64_t thread_id; /* who did it; a hart's idle thread for what an interrupt does there */
    uint64_t values[4];
};

#endif
