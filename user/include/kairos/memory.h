/* Memory objects, address spaces and budgets (contract, section 8). Addresses, offsets into
 * mappings and lengths of mappings are multiples of KAIROS_PAGE_SIZE. */
#ifndef KAIROS_MEMORY_H
#define KAIROS_MEMORY_H

#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* Makes a memory object of `size` bytes, rounded up to whole pages, all zeros. Pages are taken as
 * they are first touched, and charged to the budget that the object was made with, the caller's.
 * `flags`: 0, or KMEMORY_CREATE_RESIZABLE. -EINVAL: undefined flags, or `size` is 0. -EFAULT.
 * -EINVAL: `size` is larger than all user addresses. -EMFILE, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_memory_create(uint64_t size, uint32_t flags, kairos_handle_t* out);

/* The same, charged to `budget` (needs KRIGHT_WRITE; KAIROS_HANDLE_INVALID: the caller's): for
 * memory that is to be another process's. Only the handle is charged to the caller. */
kairos_status_t kairos_memory_create_in(kairos_handle_t budget, uint64_t size, uint32_t flags,
                                        kairos_handle_t* out);

/* Copies `size` bytes from `offset` of the memory into `buffer`; any offset and size, no mapping
 * needed. Needs KRIGHT_READ. -EACCES. -EINVAL: beyond the end. -ENOTSUP: device registers. -EFAULT:
 * bytes before the bad page have been copied. -EDQUOT, -ENOMEM: for pages that were never touched.
 */
kairos_status_t kairos_memory_read(kairos_handle_t memory, uint64_t offset, void* buffer,
                                   size_t size);

/* The other way round. Needs KRIGHT_WRITE. Errors as kairos_memory_read. */
kairos_status_t kairos_memory_write(kairos_handle_t memory, uint64_t offset, const void* buffer,
                                    size_t size);

/* Makes a new memory object that begins with a copy of `size` bytes from `offset`, both whole
 * pages, and is then a memory like any other, with all rights. Pages are shared until one of the
 * two sides writes to them, through whatever mapping or call; neither ever sees what the other has
 * written since. What was written before the call is in the clone; of what is written during it, by
 * other threads, any part may be. Clones can be cloned again, without end.
 *
 * The clone's pages are charged to the caller's budget as if they had been copied, so writing to
 * them later cannot fail for want of budget; pages that were never touched cost nothing. `flags` as
 * for kairos_memory_create. Needs KRIGHT_READ. Of the boot archive too; the clone can be written.
 *
 * -EINVAL: undefined flags, `size` is 0, anything unaligned. -EFAULT. -EBADF, -ENOTSUP, -EACCES.
 * -ENOTSUP: device registers. -EINVAL: beyond the end. -EMFILE, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_memory_clone(kairos_handle_t memory, uint64_t offset, uint64_t size,
                                    uint32_t flags, kairos_handle_t* out);

/* Changes the size of a resizable memory, rounded up to whole pages. What is added is zeros; what
 * is cut off is gone, from all mappings and of all processes, when this returns. Mappings stay
 * where they are: an access to a part of them beyond the end faults (a call that is given such
 * memory answers -EFAULT), until the memory has grown again. Needs KRIGHT_MANAGE.
 *
 * -EINVAL: `size` is 0. -EBADF, -ENOTSUP, -EACCES. -ENOTSUP: not made resizable. -EINVAL: `size` is
 * larger than all user addresses. -EBUSY: another thread is resizing it. -EDQUOT, -ENOMEM. */
kairos_status_t kairos_memory_resize(kairos_handle_t memory, uint64_t size);

/* Maps `length` bytes from `offset` of `memory` into `space` (kairos_self_aspace() for the caller's
 * own). `*address` says where; 0 lets the kernel choose, and the choice is put there. `protection`:
 * KPROT_READ, KPROT_WRITE and KPROT_EXEC; 0 reserves the addresses without access. Needs
 * KRIGHT_MAP on the space and on the memory, with KRIGHT_READ, KRIGHT_WRITE and
 * KRIGHT_EXECUTE for what `protection` asks for. The mapping holds the memory: the handle may be
 * closed. Revoking the handle takes the mapping away.
 *
 * -EINVAL: undefined bits in `protection`. -EFAULT: `address` itself. -EINVAL: `length` is 0, or
 * anything is unaligned. -EFAULT: `*address` and what follows are not user addresses. -EBADF,
 * -ENOTSUP, -EACCES. -EACCES: WRITE together with EXEC. -EINVAL: beyond the end of the memory.
 * -EDQUOT. -EEXIST: something is mapped in the given range already. -ENOMEM: there is no room, or
 * no memory. -ESRCH: the process has ended. -EBUSY: the memory is being cloned, and is mapped in
 * many places. */
kairos_status_t kairos_map(kairos_handle_t space, kairos_handle_t memory, uint64_t offset,
                           void** address, size_t length, uint32_t protection);

/* Takes away every mapping, or part of one, between `address` and `address + length`; what is not
 * mapped there is passed over, so a range without any mapping is no error. Needs KRIGHT_MAP.
 * -EINVAL: unaligned, or `length` is 0. -EFAULT: not user addresses. -EBADF, -ENOTSUP, -EACCES.
 * -EDQUOT, -ENOMEM: for cutting a mapping in two; nothing has changed then. */
kairos_status_t kairos_unmap(kairos_handle_t space, void* address, size_t length);

/* Changes what may be done with a range, which may be of several mappings, all of it mapped. Needs
 * KRIGHT_MAP. Never more than the handle used for mapping allowed then, whatever has become of it.
 * -EINVAL: undefined bits; unaligned, or `length` is 0. -EFAULT: not user addresses. -EBADF,
 * -ENOTSUP, -EACCES. -EACCES: WRITE together with EXEC, or more than a mapping allows. -EINVAL:
 * part of the range is not mapped. -EDQUOT, -ENOMEM: for cutting a mapping in two. Nothing has
 * changed after an error. */
kairos_status_t kairos_protect(kairos_handle_t space, void* address, size_t length,
                               uint32_t protection);

/* Makes a budget of `bytes`, carved out of `parent` (needs KRIGHT_WRITE), or of the caller's own
 * budget for KAIROS_HANDLE_INVALID. Kernel objects and user pages of processes made with it are
 * charged to it; when it is gone the bytes are its parent's again. -EINVAL: `bytes` is 0.
 * -EDQUOT: the parent has not that much left. */
kairos_status_t kairos_budget_create(kairos_handle_t parent, uint64_t bytes, kairos_handle_t* out);

KAIROS_END_DECLARATIONS

#endif
