/* File descriptors (contract, section 7). read, write, close, dup and dup2 are in <unistd.h>, poll
 * in <poll.h>; they set errno as POSIX says.
 *
 * A program begins with 0, 1 and 2, which are what its spawner gave it as KAIROS_BOOT_STDIN, STDOUT
 * and STDERR. */
#ifndef KAIROS_FD_H
#define KAIROS_FD_H

#include <fcntl.h>
#include <kairos/base.h>
#include <poll.h>
#include <unistd.h>

/* Some libc modes hide this one; its value is the same in all. */
#ifndef O_CLOEXEC
#define O_CLOEXEC 0x40000
#endif

KAIROS_BEGIN_DECLARATIONS

/* Makes a descriptor of `handle`, which is kept; both keep the object alive. `flags`: O_CLOEXEC,
 * O_NONBLOCK. The descriptor may do what the rights of the handle map to: of a channel READ and
 * WRITE as they are, DUPLICATE as FD_RIGHT_DUP; of a port WAIT as FD_RIGHT_READ, MANAGE as
 * FD_RIGHT_IOCTL, DUPLICATE as FD_RIGHT_DUP. Needs KRIGHT_DUPLICATE.
 *
 * -EINVAL: unknown flags. -EBADF. -ENOTSUP: a type that has no bridge. -EACCES: no
 * KRIGHT_DUPLICATE, or no useful right is left. -EINVAL: O_NONBLOCK on a FILE. -EMFILE, -EDQUOT,
 * -ENOMEM. */
kairos_status_t kairos_fd_from_handle(kairos_handle_t handle, uint32_t flags, int* fd);

/* Makes a handle of a descriptor, which is kept. `rights`: KRIGHT_SAME for every right that the
 * descriptor's rights map to and the bridged handle had, or a subset of these.
 *
 * -EINVAL: `rights` is empty or has undefined bits. -EBADF: no such descriptor, or its handle was
 * revoked. -ENOTSUP: it has no handle. -EACCES. -EMFILE, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_handle_from_fd(int fd, kairos_rights_t rights, kairos_handle_t* out);

/* Puts the rights of a descriptor (FD_RIGHT_*) into `*out`. -EBADF. */
kairos_status_t kairos_fd_rights_get(int fd, uint32_t* out);

/* Gives up all rights of a descriptor but `rights`. -EINVAL: empty or undefined bits. -EBADF.
 * -EACCES: more than it has. */
kairos_status_t kairos_fd_rights_limit(int fd, uint32_t rights);

/* Makes a pipe: what is written to fds[1] is read from fds[0]. `flags`: O_CLOEXEC, O_NONBLOCK.
 * -EINVAL: unknown flags. -EMFILE, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_pipe(int fds[2], uint32_t flags);

KAIROS_END_DECLARATIONS

#endif
