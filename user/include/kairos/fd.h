/* File descriptors (contract, section 7). read, write, close, dup and dup2 are in <unistd.h>, fcntl
 * in <fcntl.h>, poll in <poll.h>; they set errno as POSIX says, and are what their kairos_fd_*
 * counterparts here return.
 *
 * A descriptor is a small number that names an object, as a handle does, with rights of its own
 * (FD_RIGHT_*), which only shrink. It derives from the handle that it was made of, or from the
 * descriptor that it is a copy of, and goes with it: one whose handle was revoked answers -EBADF
 * until it is closed, and a call blocked through it returns -ECANCELED. A process has at most
 * KFD_MAX_PER_PROCESS of them; a new one gets the lowest free number.
 *
 * A program begins with 0, 1 and 2, made of what its spawner gave it as KAIROS_BOOT_STDIN, STDOUT
 * and STDERR. Where nothing was given, the kernel's console stands in: it shows what is written,
 * and reading finds the end.
 *
 * Descriptors are never inherited: a program that is spawned gets what it is given, as handles. So
 * O_CLOEXEC is kept and shown (fcntl), but has nothing to do. O_NONBLOCK belongs to a descriptor,
 * not to what several of them share; copies begin with the same. */
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
 * O_NONBLOCK. The descriptor may do what the rights of the handle map to:
 *
 *   channel  READ, WRITE as they are, DUPLICATE as FD_RIGHT_DUP
 *   port     WAIT as FD_RIGHT_READ, MANAGE as FD_RIGHT_IOCTL, DUPLICATE as FD_RIGHT_DUP
 *   file     as a channel
 *
 * Needs KRIGHT_DUPLICATE. -EINVAL: unknown flags. -EFAULT. -EBADF. -ENOTSUP: a type that has no
 * bridge. -EACCES: no KRIGHT_DUPLICATE, or nothing but FD_RIGHT_DUP would be left. -EINVAL:
 * O_NONBLOCK on a FILE. -EMFILE, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_fd_from_handle(kairos_handle_t handle, uint32_t flags, int* fd);

/* Makes a handle of a descriptor, which is kept. `rights`: KRIGHT_SAME for every right that the
 * descriptor's rights map to and the bridged handle had, or a subset of these. The map is that of
 * kairos_fd_from_handle; of a file, FD_RIGHT_READ and WRITE are also worth KRIGHT_WAIT, and
 * FD_RIGHT_DUP is also worth KRIGHT_TRANSFER, so that a pipe can be given away.
 *
 * -EINVAL: `rights` is empty or has undefined bits. -EFAULT. -EBADF: no such descriptor, or its
 * handle was revoked. -EACCES: rights that it does not give, or it has nothing but FD_RIGHT_DUP.
 * -EMFILE, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_handle_from_fd(int fd, kairos_rights_t rights, kairos_handle_t* out);

/* Puts the rights of a descriptor (FD_RIGHT_*) into `*out`. -EFAULT, -EBADF. */
kairos_status_t kairos_fd_rights_get(int fd, uint32_t* out);

/* Gives up all rights of a descriptor but `rights`. -EINVAL: empty or undefined bits. -EBADF.
 * -EACCES: more than it has. */
kairos_status_t kairos_fd_rights_limit(int fd, uint32_t rights);

/* Clears and then sets flags of a descriptor: O_CLOEXEC, O_NONBLOCK. Returns those it had. -EINVAL:
 * others. -EBADF. */
kairos_status_t kairos_fd_flags(int fd, uint32_t clear, uint32_t set);

/* Makes a pipe: what is written to fds[1] is read from fds[0]. It holds 16384 bytes; a write of up
 * to 4096 (PIPE_BUF) is never mixed with another, nor done in part. `flags`: O_CLOEXEC, O_NONBLOCK.
 * -EINVAL: unknown flags. -EFAULT. -EDQUOT, -ENOMEM, -EMFILE. */
kairos_status_t kairos_pipe(int fds[2], uint32_t flags);

/* Reads up to `size` bytes: how many, 0 at the end. Needs FD_RIGHT_READ. Of a channel one message
 * (one that is larger: -EMSGSIZE, kept), whose handles are closed; of a port whole packets (no room
 * for one: -EINVAL); of a pipe what there is. -EFAULT. -EBADF: no such descriptor, revoked, or
 * without the right. -EAGAIN: O_NONBLOCK. -EINTR, -ECANCELED. BLOCKS while there is nothing. */
kairos_status_t kairos_fd_read(int fd, void* buffer, size_t size);

/* Writes `size` bytes: how many. Needs FD_RIGHT_WRITE. To a channel as one message (-EMSGSIZE: more
 * than KCHANNEL_MAX_MSG_BYTES). To a pipe all of them, but fewer if something ends it after the
 * first. -EFAULT. -EBADF: as for reading. -EPIPE: nobody is left to read. -EAGAIN: O_NONBLOCK.
 * -EDQUOT, -ENOMEM, -EINTR, -ECANCELED. BLOCKS while there is no room. */
kairos_status_t kairos_fd_write(int fd, const void* bytes, size_t size);

/* Closes a descriptor; its number is free. A thread that is blocked in reading or writing goes on
 * if something else keeps the object, else it is as with the last handle: it reads the end, or gets
 * -EPIPE. A poll reports POLLNVAL. -EBADF. */
kairos_status_t kairos_fd_close(int fd);

/* Makes a copy with the lowest free number that is not below `from`; returns it. Needs
 * FD_RIGHT_DUP. `flags`: O_CLOEXEC. -EINVAL: unknown flags, or `from` is no number that a
 * descriptor could have. -EBADF. -EDQUOT, -ENOMEM, -EMFILE. */
kairos_status_t kairos_fd_dup(int fd, uint32_t from, uint32_t flags);

/* Makes a copy with the number `to`, in one step with closing what that named before; returns it.
 * If `to` is `fd`, nothing happens. Needs FD_RIGHT_DUP, then too. -EINVAL: unknown flags. -EBADF,
 * of either. -EBUSY: another thread is making a descriptor of that number. -EDQUOT, -ENOMEM. */
kairos_status_t kairos_fd_dup2(int fd, int to, uint32_t flags);

/* Waits until one of `count` descriptors has an event, or for `deadline`; returns how many have
 * one. POLLIN is reported with FD_RIGHT_READ only, POLLOUT with FD_RIGHT_WRITE only, POLLERR and
 * POLLHUP always, POLLNVAL for what is no descriptor, or is closed or revoked meanwhile. The time
 * passing is no error: 0. The entries are looked at once, at the beginning; waiting takes memory of
 * the caller's budget, 4096 bytes for each 56 of them. -EFAULT. -EDQUOT, -ENOMEM, -EINTR. BLOCKS.
 */
kairos_status_t kairos_fd_poll(struct pollfd* descriptors, uint64_t count, kairos_time_t deadline);

/* Makes a descriptor of the kernel's console, a FILE, and returns it. `flags`: O_CLOEXEC,
 * O_NONBLOCK. -EINVAL. -EDQUOT, -ENOMEM, -EMFILE. */
kairos_status_t kairos_fd_console(uint32_t flags);

KAIROS_END_DECLARATIONS

#endif
