/* Devices, authority over the machine, and the system as a whole. Everything here begins with a
 * RESOURCE handle: the first program gets one of kind ROOT (KAIROS_BOOT_RESOURCE) and hands on
 * narrower ones. */
#ifndef KAIROS_SYSTEM_H
#define KAIROS_SYSTEM_H

#include <kairos/abi/info.h>
#include <kairos/abi/trace.h>
#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* Makes an EVENT: an object that carries user signals and nothing else. Its handle has READ, WAIT,
 * SIGNAL, DUPLICATE and TRANSFER. */
kairos_status_t kairos_event_create(kairos_handle_t* out);

/* Makes a RESOURCE out of a wider one: `kind` is KRESOURCE_*; of MMIO, `base` and `size` are
 * physical bytes, of INTERRUPT the first line and how many; otherwise they are not looked at. Needs
 * KRIGHT_MANAGE. -EINVAL: no such kind. -EACCES: `parent` does not cover it. */
kairos_status_t kairos_resource_create(kairos_handle_t parent, uint32_t kind, uint64_t base,
                                       uint64_t size, kairos_handle_t* out);

/* Makes an object of interrupt line `line`. Needs KRIGHT_MANAGE on a RESOURCE of kind ROOT or
 * INTERRUPT that covers it (-EACCES). The line is masked: the first kairos_interrupt_ack arms it.
 * -EINVAL: no such line. -EBUSY: there is an object of it already. */
kairos_status_t kairos_interrupt_create(kairos_handle_t resource, uint32_t line,
                                        kairos_handle_t* out);

/* Says that an interrupt has been served: clears POLLIN and unmasks the line; the next interrupt
 * raises KPORT_BIND_INTERRUPT and POLLIN again. Needs KRIGHT_WRITE. */
kairos_status_t kairos_interrupt_ack(kairos_handle_t interrupt);

/* Makes a MEMORY object of `size` bytes of device registers from the physical address `base`, to be
 * mapped; accesses are not cached. Needs KRIGHT_MANAGE on a RESOURCE of kind ROOT or MMIO that
 * covers it. -EINVAL: unaligned or `size` is 0. -EACCES: not covered, or RAM. */
kairos_status_t kairos_memory_create_physical(kairos_handle_t resource, uint64_t base,
                                              uint64_t size, kairos_handle_t* out);

/* Switches the machine off; QEMU's exit status is the low byte of `exit_status`. Needs
 * KRIGHT_MANAGE on a RESOURCE of kind ROOT or SYSTEM. Does not return but with an error. */
kairos_status_t kairos_system_power(kairos_handle_t resource, uint32_t exit_status);

/* Lists living objects of `type` (KOBJ_TYPE_*; 0: all) whose id is above `after_id`, in rising
 * order, up to `max`. Returns how many; 0 when there are no more. Pass the last id to go on. Needs
 * KRIGHT_READ on a RESOURCE of kind ROOT or SYSTEM. -EINVAL: no such type, or `max` is 0. */
kairos_status_t kairos_system_list(kairos_handle_t resource, uint32_t type, uint64_t after_id,
                                   struct kairos_object_entry* out, uint32_t max);

/* Lists who holds the object `object_id`: its handles, in tables and on their way, its descriptors
 * and what is mapped through its handles, as a tree: each after what it was made from and before
 * what was made from others. Closed handles do not show; what was made from them hangs below what
 * they were made from. Leaves out the first `after` lines of the list and writes up to `max`;
 * returns how many; 0 when there are no more. Pass how many you have to go on. What is made, moved
 * or closed meanwhile may be listed or not, and makes others be missed or listed twice where the
 * list is read in several calls; a `depth` may then be too large, a `parent_id` names what is gone.
 * Needs KRIGHT_READ on a RESOURCE of kind ROOT or SYSTEM. -EINVAL: `max` is 0. -EFAULT, -EBADF,
 * -ENOTSUP, -EACCES. -ENOENT: there is no such object. -EFAULT may also come last, with some lines
 * written. */
kairos_status_t kairos_system_holders(kairos_handle_t resource, uint64_t object_id, uint64_t after,
                                      struct kairos_handle_entry* out, uint32_t max);

/* Lists what the process `process_id` holds: its handles in the order of their places in the table,
 * which are the low 12 bits of their values, then its descriptors by number, those that were
 * revoked left out. `depth` is 0. A process that has ended holds nothing. `after`, `max`, what is
 * returned, what happens meanwhile, and errors as kairos_system_holders; -ENOENT: there is no such
 * process. */
kairos_status_t kairos_system_handles(kairos_handle_t resource, uint64_t process_id, uint64_t after,
                                      struct kairos_handle_entry* out, uint32_t max);

/* Makes a handle with `rights` to the living object `id`; it derives from nothing. Needs
 * KRIGHT_MANAGE on a RESOURCE of kind ROOT or SYSTEM. -EINVAL: `rights` is empty or has undefined
 * bits. -EACCES. -ENOENT: there is no such object. */
kairos_status_t kairos_system_open(kairos_handle_t resource, uint64_t id, kairos_rights_t rights,
                                   kairos_handle_t* out);

/* Copies records of hart `hart`'s trace, from sequence `from` on, in order, up to `max`. Returns
 * how many; 0 when there is none yet. Records that were overwritten are left out: the first one's
 * sequence is then beyond `from`, and the difference is how many are lost. Pass the last one's
 * sequence + 1 to go on; KAIROS_INFO_TRACE tells where the rings begin and end now. Reading
 * disturbs no one and takes nothing away. Needs KRIGHT_READ on a RESOURCE of kind ROOT or SYSTEM.
 * -EINVAL: no such hart, or `max` is 0. */
kairos_status_t kairos_trace_read(kairos_handle_t resource, uint32_t hart, uint64_t from,
                                  struct kairos_trace_record* out, uint32_t max);

/* Makes `kinds`, bits of 1 << KAIROS_TRACE_KIND_*, the kinds of events that all harts record; what
 * is recorded stays. Returns the kinds recorded before. What a hart is doing at this moment may
 * still be recorded, or not yet. Needs KRIGHT_MANAGE on a RESOURCE of kind ROOT or SYSTEM.
 * -EINVAL: other bits. */
kairos_status_t kairos_trace_control(kairos_handle_t resource, uint32_t kinds);

KAIROS_END_DECLARATIONS

#endif
