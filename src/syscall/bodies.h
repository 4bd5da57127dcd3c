// The bodies of the system calls, one file per noun. Each takes its arguments typed and answers a
// Result; registers are converted in table.cpp, by the types declared here. What each does, and
// its errors in order, is in the public header (user/include/kairos/kairos.h).
#pragma once

#include "abi/info.h"
#include "abi/trace.h"
#include "base/result.h"
#include "base/types.h"
#include "object/handle_table.h"
#include "syscall/user_memory.h"

namespace system_calls {

using UserMessage = UserPointer<kairos_channel_msg>;
using UserHandle = UserPointer<HandleValue>;

Status nop();

Status handle_close(HandleValue handle, uint32_t flags);
Status handle_duplicate(HandleValue handle, uint32_t rights, UserHandle out);
Status handle_revoke(HandleValue handle);
Status cap_rights_get(HandleValue handle, UserPointer<uint32_t> out);
Status cap_rights_limit(HandleValue handle, uint32_t rights);

Status channel_create(uint32_t flags, UserHandle out0, UserHandle out1);
Status channel_send(HandleValue handle, UserMessage message, uint32_t options, Instant deadline);
Result<int64_t> channel_recv(HandleValue handle, UserMessage message, uint32_t options,
                             Instant deadline);
Result<int64_t> channel_call(HandleValue handle, UserMessage request, UserMessage reply,
                             Instant deadline);
Result<int64_t> channel_reply_recv(HandleValue handle, UserMessage reply, UserMessage next,
                                   Instant deadline);

Status port_create(uint32_t flags, UserHandle out);
Status port_bind(HandleValue port, HandleValue object, uint64_t key, uint32_t signals);
Status port_unbind(HandleValue port, HandleValue object);
Result<int64_t> port_wait(HandleValue port, UserPointer<kairos_port_packet> out, uint32_t max,
                          uint32_t options, Instant deadline);
Status port_queue(HandleValue port, UserPointer<kairos_port_packet> packet);

Status object_poll(HandleValue handle, uint32_t events, UserPointer<uint32_t> revents);
Status object_wait(HandleValue handle, uint32_t events, Instant deadline,
                   UserPointer<uint32_t> revents);
Result<int64_t> object_read(HandleValue handle, UserPointer<uint8_t> buffer, uint64_t size,
                            uint32_t options);
Result<int64_t> object_write(HandleValue handle, UserPointer<uint8_t> buffer, uint64_t size,
                             uint32_t options);
Status object_signal(HandleValue handle, uint32_t clear, uint32_t set);
Result<int64_t> object_info(HandleValue handle, uint32_t topic, UserPointer<uint8_t> buffer,
                            uint64_t size);

Status memory_create(uint64_t size, uint32_t flags, UserHandle out);
Status memory_create_in(HandleValue budget, uint64_t size, uint32_t flags, UserHandle out);
Status memory_read(HandleValue memory, uint64_t offset, UserPointer<uint8_t> buffer, uint64_t size);
Status memory_write(HandleValue memory, uint64_t offset, UserPointer<uint8_t> buffer,
                    uint64_t size);
Status map(HandleValue space, HandleValue memory, uint64_t offset, UserPointer<uint64_t> address,
           uint64_t length, uint32_t protection);
Status unmap(HandleValue space, VirtualAddress address, uint64_t length);
Status protect(HandleValue space, VirtualAddress address, uint64_t length, uint32_t protection);
Status memory_clone(HandleValue memory, uint64_t offset, uint64_t size, uint32_t flags,
                    UserHandle out);
Status memory_resize(HandleValue memory, uint64_t size);
Status memory_create_physical(HandleValue resource, uint64_t base, uint64_t size, UserHandle out);

Status budget_create(HandleValue parent, uint64_t bytes, UserHandle out);
Status process_create(UserPointer<char> name, HandleValue budget, UserHandle process,
                      UserHandle space);
Status process_start(HandleValue process, HandleValue thread, VirtualAddress entry,
                     VirtualAddress sp, HandleValue bootstrap, uint64_t argument);
Status process_kill(HandleValue process, int64_t code);
Status process_exit(int64_t code);
Status process_wait(HandleValue process, Instant deadline, UserPointer<int64_t> exit_code);

Status thread_create(HandleValue process, UserPointer<char> name, UserHandle out);
Status thread_start(HandleValue thread, VirtualAddress entry, VirtualAddress sp, uint64_t argument0,
                    uint64_t argument1);
Status thread_exit();
Status thread_interrupt(HandleValue thread);
Status thread_set_affinity(HandleValue thread, uint64_t hart_mask);
Status thread_set_priority(HandleValue thread, uint32_t priority);
Status yield();
Status thread_suspend(HandleValue thread);
Status thread_resume(HandleValue thread);
Result<int64_t> thread_read_state(HandleValue thread, uint32_t which, UserPointer<uint8_t> buffer,
                                  uint64_t size, Instant deadline);
Result<int64_t> thread_write_state(HandleValue thread, uint32_t which, UserPointer<uint8_t> buffer,
                                   uint64_t size, Instant deadline);
Status process_set_exception_channel(HandleValue process, HandleValue channel);
Status process_set_priority_ceiling(HandleValue process, uint32_t priority);

Status fd_from_handle(HandleValue handle, uint32_t flags, UserPointer<int32_t> out);
Status handle_from_fd(int32_t fd, uint32_t rights, UserHandle out);
Status fd_rights_get(int32_t fd, UserPointer<uint32_t> out);
Status fd_rights_limit(int32_t fd, uint32_t rights);
Result<int64_t> fd_flags(int32_t fd, uint32_t clear, uint32_t set);
Result<int64_t> fd_read(int32_t fd, UserPointer<uint8_t> buffer, uint64_t size);
Result<int64_t> fd_write(int32_t fd, UserPointer<uint8_t> buffer, uint64_t size);
Status fd_close(int32_t fd);
Result<int64_t> fd_dup(int32_t fd, uint32_t from, uint32_t flags);
Result<int64_t> fd_dup2(int32_t fd, int32_t to, uint32_t flags);
Result<int64_t> fd_poll(UserPointer<kairos_poll_entry> entries, uint64_t count, Instant deadline);
Status pipe(UserPointer<int32_t> fds, uint32_t flags);
Result<int64_t> fd_console(uint32_t flags);

Result<int64_t> clock_now();
Status sleep_until(Instant deadline);
Status timer_create(UserHandle out);
Status timer_set(HandleValue timer, Instant deadline, uint64_t period_ns);
Status futex_wait(UserPointer<uint32_t> address, uint32_t expected, Instant deadline);
Result<int64_t> futex_wake(UserPointer<uint32_t> address, uint32_t count);

Status debug_write(UserPointer<char> text, uint64_t size);
Status event_create(UserHandle out);
Status interrupt_create(HandleValue resource, uint32_t line, UserHandle out);
Status interrupt_ack(HandleValue interrupt);
Status resource_create(HandleValue parent, uint32_t kind, uint64_t base, uint64_t size,
                       UserHandle out);
Status system_power(HandleValue resource, uint32_t exit_status);
Result<int64_t> system_list(HandleValue resource, uint32_t type, uint64_t after,
                            UserPointer<kairos_object_entry> out, uint32_t max);
Status system_open(HandleValue resource, uint64_t id, uint32_t rights, UserHandle out);
Result<int64_t> system_holders(HandleValue resource, uint64_t object, uint64_t after,
                               UserPointer<kairos_handle_entry> out, uint32_t max);
Result<int64_t> system_handles(HandleValue resource, uint64_t process, uint64_t after,
                               UserPointer<kairos_handle_entry> out, uint32_t max);
Result<int64_t> trace_read(HandleValue resource, uint32_t hart, uint64_t from,
                           UserPointer<kairos_trace_record> out, uint32_t max);
Result<int64_t> trace_control(HandleValue resource, uint32_t kinds);

}  // namespace system_calls
