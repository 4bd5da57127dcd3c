/* Channels: two endpoints; what is sent into one is received from the other, whole, once, and in
 * the order in which each sender sent it (contract, section 4). An endpoint queues up to
 * KCHANNEL_MAX_QUEUE messages. It lives as long as a handle or descriptor of it does, in a process
 * or in a message; when the last is gone, the other end sees the end of the stream. */
#ifndef KAIROS_CHANNEL_H
#define KAIROS_CHANNEL_H

#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* Makes a channel: one end in `*out0`, the other in `*out1`, each with READ, WRITE, TRANSFER,
 * DUPLICATE, WAIT and SIGNAL. `flags` must be 0 (-EINVAL). -EMFILE, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_channel_create(uint32_t flags, kairos_handle_t* out0, kairos_handle_t* out1);

/* Sends a message: `num_bytes` from `bytes`, the `num_handles` handles in `handles`, and `txid` (0
 * for a plain message, or the txid of a request that this answers). Needs KRIGHT_WRITE, and
 * KRIGHT_TRANSFER on each handle. Returns 0.
 *
 * The handles move: after success the caller has none of them, after any failure all, under the
 * same values. Blocks until `deadline` while the other end's queue is full.
 *
 * `options`: KCHANNEL_OPT_NONBLOCK does not block (-EAGAIN when full); KCHANNEL_OPT_RENDEZVOUS
 * lets the message go straight into the memory of a receiver that is waiting and opted in too.
 *
 * A txid that no kairos_channel_call waits for makes the message disappear: 0, its handles closed.
 *
 * -EINVAL: unknown options. -EMSGSIZE: more than KCHANNEL_MAX_MSG_BYTES or
 * KCHANNEL_MAX_MSG_HANDLES. -EACCES: no KRIGHT_WRITE. Of the handles: -EBADF, -EACCES (no
 * KRIGHT_TRANSFER), -EINVAL (one twice, or an end of this channel itself). -EPIPE: the other end is
 * closed, or was while this blocked. -EAGAIN, -ETIMEDOUT, -EINTR, -ECANCELED, -EDQUOT, -ENOMEM. */
kairos_status_t kairos_channel_send(kairos_handle_t channel,
                                    const struct kairos_channel_msg* message, uint32_t options,
                                    kairos_time_t deadline);

/* Receives the next message into `bytes` and `handles` of `message`, which hold up to `num_bytes`
 * and `num_handles`, and fills in both numbers and the txid (not 0: the sender waits for an
 * answer). A handle that was revoked on its way arrives as KAIROS_HANDLE_INVALID. Needs
 * KRIGHT_READ. Blocks until `deadline` while there is no message.
 *
 * Returns 1 for a message and 0 at the end of the stream: the other end is closed and everything it
 * sent has been received, or the last handle of this end went while this blocked. At the end
 * `message` stays as it is.
 *
 * `options` as for kairos_channel_send.
 *
 * -EINVAL: unknown options. -EACCES: no KRIGHT_READ. -EMSGSIZE: the message is larger than the
 * room; `num_bytes` and `num_handles` say what it needs, and it stays the next. -EMFILE, -EDQUOT,
 * -ENOMEM: its handles cannot be taken in; it stays. -EAGAIN, -ETIMEDOUT, -EINTR, -ECANCELED. */
kairos_status_t kairos_channel_recv(kairos_handle_t channel, struct kairos_channel_msg* message,
                                    uint32_t options, kairos_time_t deadline);

/* Sends `request` with a fresh txid (its own field is ignored) and receives the message that
 * answers it into `reply`, as kairos_channel_recv does. Any number of threads may call through one
 * endpoint at once; none gets another's answer, and plain messages are left alone. Needs
 * KRIGHT_READ and KRIGHT_WRITE. Blocks until `deadline`. Returns 1.
 *
 * Errors of both halves in the order of a send and a receive, -EPIPE for the end of the stream. Up
 * to and including the send, a failure leaves all handles with the caller; later the request stays
 * sent, its handles gone, and an answer that still comes, or that does not fit, is dropped. */
kairos_status_t kairos_channel_call(kairos_handle_t channel,
                                    const struct kairos_channel_msg* request,
                                    struct kairos_channel_msg* reply, kairos_time_t deadline);

/* For a server: sends `reply` (null: nothing, the first time) and receives the next message into
 * `next`, in one step. A reply whose caller has gone is dropped, its handles closed. Needs
 * KRIGHT_READ, and KRIGHT_WRITE if `reply` is given. Blocks until `deadline`. Returns 1 or 0 as
 * kairos_channel_recv.
 *
 * Errors of both halves in the order of a send and a receive. Up to and including the send, a
 * failure leaves all handles with the caller; later the reply stays sent. */
kairos_status_t kairos_channel_reply_recv(kairos_handle_t channel,
                                          const struct kairos_channel_msg* reply,
                                          struct kairos_channel_msg* next, kairos_time_t deadline);

KAIROS_END_DECLARATIONS

#endif
