/* What objects of any type answer (contract, section 6). A type that has no such operation says
 * -ENOTSUP.
 *
 *   channel    POLLIN a message waits; POLLOUT connected and there is room; POLLHUP the other end
 * is closed (and POLLIN until everything has been received) port       POLLIN a packet waits
 *   process, thread  POLLIN and POLLHUP when it has ended
 *   timer      POLLIN when it has expired
 *   interrupt  POLLIN when it has come and was not acknowledged */
#ifndef KAIROS_OBJECT_H
#define KAIROS_OBJECT_H

#include <kairos/base.h>
#include <poll.h>

KAIROS_BEGIN_DECLARATIONS

/* Puts into `*revents` which of `events` (POLLIN, POLLOUT, POLLERR, POLLHUP) hold now; POLLERR and
 * POLLHUP are reported whether asked for or not. Needs KRIGHT_WAIT. Returns 0.
 * -EINVAL: other bits in `events`. -ENOTSUP, -EACCES. */
kairos_status_t kairos_object_poll(kairos_handle_t handle, uint32_t events, uint32_t* revents);

/* The same, but blocks until one of them holds or `deadline` passes. Returns 0.
 * -EINVAL, -ENOTSUP, -EACCES, -ETIMEDOUT, -EINTR; -ECANCELED: the last handle of the object went,
 * or the one used was revoked. */
kairos_status_t kairos_object_wait(kairos_handle_t handle, uint32_t events, kairos_time_t deadline,
                                   uint32_t* revents);

/* Reads bytes as a descriptor of the object would: from a channel one message (KRIGHT_READ), its
 * handles closed, 0 at the end of the stream; from a port whole packets (KRIGHT_WAIT). Returns how
 * many bytes. Blocks unless `options` has KCHANNEL_OPT_NONBLOCK.
 *
 * -EINVAL: unknown options. -ENOTSUP, -EACCES. -EMSGSIZE: the message is larger than `size`; it
 * stays. -EINVAL: `size` is less than one packet. -EAGAIN, -EINTR, -ECANCELED. */
kairos_status_t kairos_object_read(kairos_handle_t handle, void* buffer, size_t size,
                                   uint32_t options);

/* Writes bytes as a descriptor of the object would: to a channel, one message (KRIGHT_WRITE).
 * Returns `size`. Blocks unless `options` has KCHANNEL_OPT_NONBLOCK.
 *
 * -EINVAL: unknown options. -EMSGSIZE: more than KCHANNEL_MAX_MSG_BYTES. -ENOTSUP, -EACCES.
 * -EPIPE, -EAGAIN, -EINTR, -ECANCELED, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_object_write(kairos_handle_t handle, const void* buffer, size_t size,
                                    uint32_t options);

/* Clears the user signals `clear` of the object, then raises `set` (bits of KPORT_BIND_USER).
 * Raising one that is raised already is an event too. Needs KRIGHT_SIGNAL.
 * -EINVAL: other bits. -ENOTSUP, -EACCES. */
kairos_status_t kairos_object_signal(kairos_handle_t handle, uint32_t clear, uint32_t set);

/* Writes what `topic` (KAIROS_INFO_* of <kairos/info.h>) says about the object into `buffer`.
 * Returns the bytes written. Any one right is enough, except where <kairos/info.h> says otherwise.
 *
 * -EINVAL: no such topic. -EBADF. -ENOTSUP: the topic is not one of this type. -EACCES. -EMSGSIZE:
 * `size` is too small. */
kairos_status_t kairos_object_info(kairos_handle_t handle, uint32_t topic, void* buffer,
                                   size_t size);

KAIROS_END_DECLARATIONS

#endif
