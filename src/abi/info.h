/* What kairos_object_info and kairos_system_list report. Structs only grow at their end; a caller
 * that passes the size it knows gets -EMSGSIZE from a kernel that knows more. */
#ifndef KAIROS_ABI_INFO_H
#define KAIROS_ABI_INFO_H

#include "types.h"

enum {
    KAIROS_INFO_BASIC = 1,        /* struct kairos_info_basic; every type */
    KAIROS_INFO_REFCOUNT_HISTORY, /* struct kairos_info_reference_event[], the last 16 */
    KAIROS_INFO_TRANSFER_HISTORY, /* struct kairos_info_transfer_event[], the last 32 */
    KAIROS_INFO_LINEAGE,          /* struct kairos_info_lineage: of the handle used */
    KAIROS_INFO_CHANNEL = 16,
    KAIROS_INFO_PORT,
    KAIROS_INFO_PROCESS, /* needs KRIGHT_READ */
    KAIROS_INFO_THREAD,  /* needs KRIGHT_READ */
    KAIROS_INFO_MEMORY,
    KAIROS_INFO_BUDGET, /* of a budget; of a process (KRIGHT_READ): the one it is charged to */
    KAIROS_INFO_FILE,
    KAIROS_INFO_SYSTEM = 64,  /* on a RESOURCE of kind ROOT or SYSTEM, as all that follow */
    KAIROS_INFO_HARTS,        /* struct kairos_info_hart[], one per hart that runs */
    KAIROS_INFO_PLATFORM,     /* struct kairos_info_platform */
    KAIROS_INFO_COUNTERS,     /* struct kairos_info_counter[], one per counter */
    KAIROS_INFO_TRACE,        /* struct kairos_info_trace[], one per hart that runs */
    KAIROS_INFO_TRACE_EVENTS, /* struct kairos_info_trace_event[], by number of event */
    KAIROS_INFO_ACCOUNTS,     /* struct kairos_info_accounts: all budgets together */
};

/* kairos_info_basic.lifecycle */
enum {
    KAIROS_LIFECYCLE_INIT = 0,
    KAIROS_LIFECYCLE_LIVE,
    KAIROS_LIFECYCLE_DETACHED, /* no handle and no fd names it any more */
    KAIROS_LIFECYCLE_DYING,    /* its last reference is gone */
    KAIROS_LIFECYCLE_FREED
};

/* kairos_info_process.state and kairos_info_thread.state */
enum {
    KAIROS_PROCESS_NEW = 0,
    KAIROS_PROCESS_RUNNING,
    KAIROS_PROCESS_ENDING,
    KAIROS_PROCESS_ENDED
};
enum {
    KAIROS_THREAD_NEW = 0,
    KAIROS_THREAD_READY,
    KAIROS_THREAD_RUNNING,
    KAIROS_THREAD_BLOCKED,
    KAIROS_THREAD_ENDED,
    KAIROS_THREAD_STOPPED /* suspended, or in an exception: its state can be read and written */
};

/* kairos_info_channel.state */
enum { KAIROS_ENDPOINT_OPEN = 0, KAIROS_ENDPOINT_CLOSING, KAIROS_ENDPOINT_CLOSED };

struct kairos_info_basic {
    uint64_t id;
    uint32_t type;
    uint32_t lifecycle;
    uint32_t references;
    uint32_t rights; /* of the handle used */
};

/* kairos_info_reference_event.what */
enum {
    KAIROS_REFERENCE_INIT = 0, /* created */
    KAIROS_REFERENCE_GET,
    KAIROS_REFERENCE_PUT,
    KAIROS_REFERENCE_LAST_PUT
};

/* REFCOUNT_HISTORY: an array, oldest first, of at most KAIROS_REFERENCE_EVENTS; what is returned is
 * its size in bytes, and -EMSGSIZE is for what there is. An event is what makes an object live
 * longer than a call: its creation, handles and descriptors, threads and mappings that keep it.
 * What a call counts while it runs is in `references` but is no event. */
#define KAIROS_REFERENCE_EVENTS 16u
struct kairos_info_reference_event {
    uint64_t time; /* monotonic, nanoseconds */
    uint32_t hart;
    uint32_t what;
    uint64_t thread_id;  /* who did it; 0 at boot */
    uint32_t references; /* after the event */
    uint32_t reserved;
};

/* kairos_info_transfer_event.what */
enum {
    KAIROS_TRANSFER_TAKE = 0, /* reserved in the sender's table */
    KAIROS_TRANSFER_ENQUEUE,  /* in the queue of an endpoint, with its message */
    KAIROS_TRANSFER_DELIVER,  /* with the receiver */
    KAIROS_TRANSFER_INSTALL,  /* in the receiver's table */
    KAIROS_TRANSFER_RESTORE,  /* the send failed: back in the sender's table */
    KAIROS_TRANSFER_DROP      /* closed or revoked on the way */
};

/* TRANSFER_HISTORY: likewise, at most KAIROS_TRANSFER_EVENTS, of all handles of the object. Empty
 * until a handle of it has travelled, and if there was no memory to remember it. */
#define KAIROS_TRANSFER_EVENTS 32u
struct kairos_info_transfer_event {
    uint64_t time;
    uint64_t from_process; /* the sender's id */
    uint64_t to_process;   /* the receiver's, or 0 while there is none */
    uint32_t what;
    uint32_t rights; /* of the handle; 0 where it was revoked */
};

struct kairos_info_lineage {
    uint64_t cap_id;    /* id and generation of the handle's node in the delegation tree */
    uint64_t parent_id; /* 0 for a root */
    uint32_t children;
    uint32_t revoked; /* 0: a revoked handle cannot be asked */
};

struct kairos_info_channel {
    uint64_t peer_id;
    uint32_t state;
    uint32_t queued;
    uint32_t owners_handle, owners_fd, owners_other;
    uint32_t hints; /* KAIROS_POLL* bits last published */
};

struct kairos_info_port {
    uint32_t pending; /* packets that a wait would return */
    uint32_t bindings;
};

/* kairos_info_file.kind */
enum { KAIROS_FILE_PIPE = 1, KAIROS_FILE_CONSOLE };

struct kairos_info_file {
    uint32_t kind;
    uint32_t reserved;
};

struct kairos_info_process {
    uint32_t state;
    uint32_t threads;
    int64_t exit_code;
    uint64_t fault_cause, fault_pc, fault_address;
    uint32_t handles;
    uint32_t fds;
};

struct kairos_info_thread {
    uint64_t process_id;
    uint32_t state;
    uint32_t priority;
    uint32_t hart; /* where it runs or ran last */
    uint32_t reserved;
    uint64_t affinity; /* hart mask */
    uint64_t time_ns;  /* spent running */
    char name[32];
};

struct kairos_info_memory {
    uint64_t size;      /* bytes */
    uint64_t committed; /* bytes that have page frames, those shared with clones included */
    uint32_t physical;  /* 1: device memory or the boot archive */
    uint32_t flags;     /* KMEMORY_CREATE_* that it was made with */
    uint32_t mappings;  /* that show a part of it, in any process; pieces count as one */
    uint32_t reserved;
};

struct kairos_info_budget {
    uint64_t limit, used, peak; /* bytes */
};

/* What all budgets were charged, and what the allocators have handed out that is to be charged. The
 * two are equal whenever nobody makes or frees anything; while somebody does, they may differ. */
struct kairos_info_accounts {
    uint64_t charged;   /* bytes; what a budget carved out of another is not counted twice */
    uint64_t allocated; /* bytes; a page that clones share is counted for each that shows it */
    uint64_t shared;    /* of both: bytes of shared pages beyond the first count of each */
    uint64_t own;       /* bytes that the kernel holds for itself, charged to nobody */
    uint32_t budgets;
    uint32_t sound; /* 1: no budget has carved out more than it uses or used more than its limit */
};

struct kairos_info_system {
    uint32_t harts;
    uint32_t processes;
    uint64_t objects;
    uint64_t memory_total, memory_free; /* bytes */
    uint64_t uptime_ns;
};

struct kairos_info_hart {
    uint32_t hart; /* the kernel's number of it, 0 upwards: the bit in an affinity mask */
    uint32_t reserved;
    uint64_t sbi_id; /* the machine's number of it */
    uint64_t idle_ns;
    uint64_t switches; /* of threads */
    uint64_t system_calls;
    uint64_t interrupts;
    uint64_t ipis_sent;
    uint64_t threads_migrated_here;
    uint64_t
        longest_quiet; /* instructions without interrupts, if the kernel measures; otherwise 0 */
};

struct kairos_info_platform {
    uint64_t uart_base, uart_size; /* physical, for a RESOURCE of kind MMIO */
    uint32_t uart_interrupt;       /* for a RESOURCE of kind INTERRUPT */
    uint32_t timebase_hz;
};

/* A counter: of all harts together, since the machine started. */
struct kairos_info_counter {
    uint64_t total;
    char name[32];
    char text[88]; /* what it counts */
};

/* The trace of one hart. */
struct kairos_info_trace {
    uint64_t oldest; /* sequence of the first record that is still there */
    uint64_t next;   /* sequence that the next record will have */
    uint32_t hart;
    uint32_t kinds;   /* recorded now: bits of 1 << KAIROS_TRACE_KIND_*; the same on all harts */
    uint32_t records; /* how many are kept */
    uint32_t version; /* of struct kairos_trace_record */
};

/* What an event of the trace is called, and its values (<kairos/abi/trace.h> says how the names of
 * values begin; an empty one is not used). */
struct kairos_info_trace_event {
    char kind[8];
    char name[24];
    char values[4][16];
};

/* One line of kairos_system_list. */
struct kairos_object_entry {
    uint64_t id;
    uint32_t type;
    uint32_t lifecycle;
    uint32_t references;
    uint32_t handles;
    uint64_t process_id; /* a thread's or an address space's process; otherwise 0 */
    char name[32];       /* processes and threads; otherwise empty */
};

/* kairos_handle_entry.place */
enum {
    KAIROS_PLACE_HANDLE = 0, /* a handle in a process's table */
    KAIROS_PLACE_RESERVED,   /* the same, while a call sends it or has just received it */
    KAIROS_PLACE_IN_FLIGHT,  /* sent and not received; or the kernel's: an exception channel */
    KAIROS_PLACE_DESCRIPTOR, /* a file descriptor */
    KAIROS_PLACE_MAPPING     /* no handle, but goes with the one that it was mapped through */
};

/* One line of kairos_system_holders and kairos_system_handles: a node of the delegation tree. */
struct kairos_handle_entry {
    uint64_t cap_id;
    uint64_t parent_id; /* cap_id of what it was made from, or of who inherited it; 0: a root */
    uint64_t object_id;
    uint64_t process_id; /* in whose table it is, or, in flight, who sent it; 0: not known */
    uint64_t carrier_id; /* in flight: the endpoint whose queue it lies in, or 0; of a mapping: the
                            address space */
    uint32_t value;      /* the handle, or the number of the descriptor; otherwise 0 */
    uint32_t rights;     /* of a descriptor: the most that a handle made from it can have */
    uint32_t type;       /* KOBJ_TYPE_* of the object */
    uint32_t place;
    uint32_t depth; /* of kairos_system_holders: how many handles and descriptors it hangs below */
    uint32_t reserved;
};

#endif
