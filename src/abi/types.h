/* The vocabulary that the kernel and its users share: integer types, rights, object types,
 * limits, flags and the structs that system calls read and write. C11 and C++; includes
 * nothing of the project. Every value here is part of the binary contract: append, never
 * renumber. */
#ifndef KAIROS_ABI_TYPES_H
#define KAIROS_ABI_TYPES_H

#include <stdint.h>

typedef uint32_t kairos_handle_t;
typedef uint32_t kairos_rights_t;
typedef int64_t kairos_status_t;
typedef uint64_t kairos_time_t; /* absolute nanoseconds on the monotonic clock */

#define KAIROS_HANDLE_INVALID ((kairos_handle_t)0)
#define KAIROS_TIME_INFINITE UINT64_MAX
#define KAIROS_PAGE_SIZE 4096u

/* ---- Rights ------------------------------------------------------------------------------- */
#define KRIGHT_READ (1u << 0)      /* receive, read memory, read state */
#define KRIGHT_WRITE (1u << 1)     /* send, write memory */
#define KRIGHT_TRANSFER (1u << 2)  /* move the handle through a channel */
#define KRIGHT_DUPLICATE (1u << 3) /* duplicate it; bridge it to an fd */
#define KRIGHT_WAIT (1u << 4)      /* wait on it, consume a port's packets */
#define KRIGHT_MANAGE (1u << 5)    /* change it: bind to a port, kill, set policy */
#define KRIGHT_MAP (1u << 6)       /* map memory */
#define KRIGHT_EXECUTE (1u << 7)   /* map memory executable */
#define KRIGHT_SIGNAL (1u << 8)    /* raise user signals on it */
#define KRIGHT_ALL ((1u << 9) - 1) /* every defined right */
#define KRIGHT_SAME (1u << 31)     /* all that the source handle has */

/* ---- Object types ------------------------------------------------------------------------- */
#define KOBJ_TYPE_CHANNEL 1u
#define KOBJ_TYPE_PORT 2u
#define KOBJ_TYPE_FILE 3u
#define KOBJ_TYPE_MEMORY 4u
#define KOBJ_TYPE_PROCESS 5u
#define KOBJ_TYPE_THREAD 6u
#define KOBJ_TYPE_ADDRESS_SPACE 7u
#define KOBJ_TYPE_TIMER 8u
#define KOBJ_TYPE_INTERRUPT 9u
#define KOBJ_TYPE_RESOURCE 10u
#define KOBJ_TYPE_EVENT 11u
#define KOBJ_TYPE_BUDGET 12u
#define KOBJ_TYPE_COUNT 13u

/* ---- Handles ------------------------------------------------------------------------------ */
#define KHANDLE_MAX_PER_PROCESS 4096u
#define KHANDLE_CLOSE_F_REVOKE_DESCENDANTS 1u

/* ---- Channels ----------------------------------------------------------------------------- */
#define KCHANNEL_MAX_QUEUE 64u /* messages queued per endpoint */
#define KCHANNEL_MAX_MSG_BYTES 65536u
#define KCHANNEL_MAX_MSG_HANDLES 8u
#define KCHANNEL_INLINE_MSG_BYTES 128u /* up to here a queued send allocates nothing */
#define KCHANNEL_OPT_NONBLOCK (1u << 0)
#define KCHANNEL_OPT_RENDEZVOUS (1u << 1)

struct kairos_channel_msg {
    void* bytes;              /* payload: source when sending, buffer when receiving */
    kairos_handle_t* handles; /* handles to move, or room for handles */
    uint32_t num_bytes;       /* in: length or capacity; out (recv): length */
    uint32_t num_handles;     /* in: count or capacity; out (recv): count */
    uint64_t txid;            /* 0 for a plain message; see kairos_channel_call */
};

/* ---- Ports -------------------------------------------------------------------------------- */
#define KPORT_CREATE_TRANSFERABLE 1u
#define KPORT_WAIT_NONBLOCK 1u
#define KPORT_MAX_QUEUE 128u /* user packets pending per port */
#define KPORT_BIND_READABLE (1u << 0)
#define KPORT_BIND_PEER_CLOSED (1u << 1)
#define KPORT_BIND_WRITABLE (1u << 2)
#define KPORT_BIND_TERMINATED (1u << 3) /* process, thread */
#define KPORT_BIND_TIMER (1u << 4)
#define KPORT_BIND_INTERRUPT (1u << 5)
#define KPORT_BIND_USER (0xffu << 8) /* user signals 0..7 */

struct kairos_port_packet {
    uint64_t key;
    uint32_t observed; /* KPORT_BIND_* bits that came true */
    uint32_t count;    /* how many events were coalesced; 1 for a user packet */
};

/* ---- Readiness (kairos_object_poll, kairos_object_wait) ------------------------------------ */
#define KAIROS_POLLIN 1u
#define KAIROS_POLLOUT 4u
#define KAIROS_POLLERR 8u
#define KAIROS_POLLHUP 16u
#define KAIROS_POLLNVAL 32u

/* ---- Memory ------------------------------------------------------------------------------- */
#define KPROT_READ 1u
#define KPROT_WRITE 2u
#define KPROT_EXEC 4u

#define KMEMORY_CREATE_RESIZABLE (1u << 8) /* of kairos_memory_create and kairos_memory_clone */

/* Bytes of stack that a thread gets, and the first thread of a program. Below it is a page without
 * access: running over ends the program with a fault. */
#define KAIROS_STACK_SIZE (1024u * 1024u)

/* ---- Scheduling --------------------------------------------------------------------------- */
#define KPRIORITY_IDLE 0u
#define KPRIORITY_USUAL 16u
#define KPRIORITY_REAL_TIME 32u /* from here up: first in, first out, no time slice */
#define KPRIORITY_MAX 63u

/* ---- Stopped threads and exceptions (kairos/debug.h) ------------------------------------------
 */
#define KTHREAD_STATE_GENERAL 1u /* struct kairos_thread_general */
#define KTHREAD_STATE_FLOAT 2u   /* struct kairos_thread_float */
#define KTHREAD_MAX_SUSPENSIONS 127u

struct kairos_thread_general {
    uint64_t pc;    /* of the next instruction */
    uint64_t x[32]; /* x[0] is 0, and is not written */
};
struct kairos_thread_float {
    uint64_t f[32];
    uint64_t fcsr;
};

#define KEXCEPTION_PAGE 1u       /* nothing is mapped at the address, or not so, or no memory */
#define KEXCEPTION_ILLEGAL 2u    /* illegal instruction */
#define KEXCEPTION_BREAKPOINT 3u /* ebreak; pc is that of the ebreak itself */
#define KEXCEPTION_MISALIGNED 4u
#define KEXCEPTION_OTHER 5u

/* The message to an exception channel; with it travels a handle to the thread. */
struct kairos_exception {
    uint32_t kind; /* KEXCEPTION_* */
    uint32_t reserved;
    uint64_t cause;   /* scause of the RISC-V privileged architecture */
    uint64_t pc;      /* of the instruction that failed */
    uint64_t address; /* stval: the address it touched, or the instruction, or 0 */
    uint64_t process_id, thread_id;
};

/* What the bytes of the answer begin with. Anything else declines. */
#define KEXCEPTION_DECLINE 0u
#define KEXCEPTION_RESUME 1u
struct kairos_exception_answer {
    uint32_t action;
};

/* ---- Resources: the authority that a RESOURCE handle carries --------------------------------- */
#define KRESOURCE_ROOT 0u      /* everything below; only the first program gets one */
#define KRESOURCE_MMIO 1u      /* physical device memory: base and size in bytes */
#define KRESOURCE_INTERRUPT 2u /* interrupt lines: base is the first, size how many */
#define KRESOURCE_SYSTEM 3u    /* look at every object, read system state, power off */

/* ---- File descriptors ---------------------------------------------------------------------- */
#define FD_RIGHT_READ 1u
#define FD_RIGHT_WRITE 2u
#define FD_RIGHT_IOCTL 4u
#define FD_RIGHT_DUP 8u

#define KFD_MAX_PER_PROCESS 1024u
#define KFD_NONBLOCK 0x4000u /* O_NONBLOCK */
#define KFD_CLOEXEC 0x40000u /* O_CLOEXEC */

struct kairos_poll_entry { /* as struct pollfd */
    int32_t fd;            /* below 0: passed over */
    int16_t events;        /* KAIROS_POLL* */
    int16_t revents;
};

/* ---- What a new process finds (kairos_bootstrap) --------------------------------------------- */
#define KAIROS_BOOT_PARENT 0u
#define KAIROS_BOOT_RESOURCE 1u
#define KAIROS_BOOT_ARCHIVE 2u
#define KAIROS_BOOT_STDIN 3u
#define KAIROS_BOOT_STDOUT 4u
#define KAIROS_BOOT_STDERR 5u
/* 6 to 9 belong to the start protocol (abi/startup.h); 10 to 15 are kept free. */
#define KAIROS_BOOT_USER0 16u
#define KAIROS_BOOT_COUNT 48u /* so there are 32 user handles */

#endif
