/* The system calls, in the order of their numbers, which are dense from 0 and append-only. One
 * line defines a call everywhere: the number (kairos/syscalls.h), the user stub kairos_NAME, the
 * kernel's dispatch entry, the name in traces. Usable from assembly. */
#ifndef KAIROS_ABI_SYSCALLS_H
#define KAIROS_ABI_SYSCALLS_H

#define KAIROS_SYSCALLS(X)           \
    X(nop)                           \
    X(handle_close)                  \
    X(handle_duplicate)              \
    X(handle_revoke)                 \
    X(cap_rights_get)                \
    X(cap_rights_limit)              \
    X(channel_create)                \
    X(channel_send)                  \
    X(channel_recv)                  \
    X(channel_call)                  \
    X(channel_reply_recv)            \
    X(port_create)                   \
    X(port_bind)                     \
    X(port_unbind)                   \
    X(port_wait)                     \
    X(port_queue)                    \
    X(object_poll)                   \
    X(object_wait)                   \
    X(object_read)                   \
    X(object_write)                  \
    X(object_signal)                 \
    X(object_info)                   \
    X(memory_create)                 \
    X(memory_read)                   \
    X(memory_write)                  \
    X(map)                           \
    X(unmap)                         \
    X(protect)                       \
    X(budget_create)                 \
    X(process_create)                \
    X(process_start)                 \
    X(process_kill)                  \
    X(process_exit)                  \
    X(thread_create)                 \
    X(thread_start)                  \
    X(thread_exit)                   \
    X(thread_interrupt)              \
    X(thread_set_affinity)           \
    X(thread_set_priority)           \
    X(yield)                         \
    X(clock_now)                     \
    X(sleep_until)                   \
    X(timer_create)                  \
    X(timer_set)                     \
    X(futex_wait)                    \
    X(futex_wake)                    \
    X(debug_write)                   \
    X(event_create)                  \
    X(interrupt_create)              \
    X(interrupt_ack)                 \
    X(resource_create)               \
    X(memory_create_physical)        \
    X(system_power)                  \
    X(system_list)                   \
    X(system_open)                   \
    X(thread_suspend)                \
    X(thread_resume)                 \
    X(thread_read_state)             \
    X(thread_write_state)            \
    X(process_set_exception_channel) \
    X(memory_create_in)              \
    X(process_set_priority_ceiling)  \
    X(memory_clone)                  \
    X(memory_resize)                 \
    X(trace_read)                    \
    X(trace_control)                 \
    X(fd_from_handle)                \
    X(handle_from_fd)                \
    X(fd_rights_get)                 \
    X(fd_rights_limit)               \
    X(fd_flags)                      \
    X(fd_read)                       \
    X(fd_write)                      \
    X(fd_close)                      \
    X(fd_dup)                        \
    X(fd_dup2)                       \
    X(fd_poll)                       \
    X(pipe)                          \
    X(fd_console)

#endif
