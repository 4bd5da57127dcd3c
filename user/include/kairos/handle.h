/* Handles: what a process holds of an object, with the rights that say what it may do (contract,
 * section 3). Handles derive from each other: a duplicate is a child of its source, a handle that
 * travels keeps its place. */
#ifndef KAIROS_HANDLE_H
#define KAIROS_HANDLE_H

#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* Closes `handle`. Its children become its parent's. With KHANDLE_CLOSE_F_REVOKE_DESCENDANTS in
 * `flags` everything derived from it is revoked first, as by kairos_handle_revoke.
 *
 * -EINVAL: unknown flags. -EBADF: not a handle of this process (KAIROS_HANDLE_INVALID included), or
 * on its way in a message that another thread is sending. */
kairos_status_t kairos_handle_close(kairos_handle_t handle, uint32_t flags);

/* Puts into `*out` a new handle to the same object, a child of `handle`, with `rights`: a non-empty
 * subset of what `handle` has, or KRIGHT_SAME for all of them. Needs KRIGHT_DUPLICATE.
 *
 * -EINVAL: `rights` is empty or has undefined bits. -EACCES: `handle` lacks KRIGHT_DUPLICATE, or
 * one of `rights`. -EMFILE, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_handle_duplicate(kairos_handle_t handle, kairos_rights_t rights,
                                        kairos_handle_t* out);

/* Closes every handle derived from `handle`, in every process and in messages that are under way
 * (they arrive with KAIROS_HANDLE_INVALID in its place); keeps `handle` itself. Mappings and
 * descriptors derive from the handle that they were made through, and when that is closed, from its
 * parent: they go too, those made through `handle` itself among them, and when this returns no
 * thread reaches the memory through them any more. Calls that are blocked through a handle that
 * goes return -ECANCELED. Needs no right. What was revoked never comes back. */
kairos_status_t kairos_handle_revoke(kairos_handle_t handle);

/* Puts the rights of `handle` into `*out`. */
kairos_status_t kairos_cap_rights_get(kairos_handle_t handle, kairos_rights_t* out);

/* Gives up all rights of `handle` but `rights`, in place. KRIGHT_SAME changes nothing.
 *
 * -EINVAL: `rights` is empty or has undefined bits. -EACCES: it has one that `handle` has not. */
kairos_status_t kairos_cap_rights_limit(kairos_handle_t handle, kairos_rights_t rights);

KAIROS_END_DECLARATIONS

#endif
