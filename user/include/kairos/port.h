/* Ports: one place to wait for many objects (contract, section 5). An object is bound to a port
 * with a key; when one of the signals of the binding comes true, a packet with that key waits in
 * the port. A binding owns one packet: what happens while it waits is added to it, so nothing is
 * lost and nothing is allocated. */
#ifndef KAIROS_PORT_H
#define KAIROS_PORT_H

#include <kairos/base.h>

KAIROS_BEGIN_DECLARATIONS

/* Makes a port; its handle has WAIT, MANAGE, DUPLICATE and WRITE, and with
 * KPORT_CREATE_TRANSFERABLE in `flags` TRANSFER too. -EINVAL: unknown flags. */
kairos_status_t kairos_port_create(uint32_t flags, kairos_handle_t* out);

/* Reports `signals` (KPORT_BIND_*) of `object` to `port` under `key`. Needs KRIGHT_MANAGE on the
 * port and KRIGHT_WAIT on the object. What holds already is reported at once, with count 1. An
 * object has one binding: binding again, to whatever port, replaces it, and a packet of the old one
 * that nobody has taken is withdrawn.
 *
 * After a packet is taken, READABLE comes again with the next arrival, and with a receive that
 * leaves messages behind.
 *
 * A binding is between the two objects: closing or revoking the handles that it was made through
 * does not undo it. Who takes an object away from somebody who had WAIT on it binds it anew, or
 * gives out another object.
 *
 * -EINVAL: `signals` is 0 or has undefined bits. -ENOTSUP: the object's type raises no signals (a
 * port among them). -EACCES. -EINVAL: the object's type never raises one of `signals`. */
kairos_status_t kairos_port_bind(kairos_handle_t port, kairos_handle_t object, uint64_t key,
                                 uint32_t signals);

/* Ends the binding of `object` to `port` and withdraws its packet. Needs KRIGHT_MANAGE on the port.
 * -ENOENT: the object is not bound to this port. */
kairos_status_t kairos_port_unbind(kairos_handle_t port, kairos_handle_t object);

/* Takes up to `max` packets into `out`, oldest first, and returns how many: at least 1. Needs
 * KRIGHT_WAIT. Blocks until `deadline` while there is none; KPORT_WAIT_NONBLOCK in `options` does
 * not block (-EAGAIN).
 *
 * -EINVAL: unknown options, or `max` is 0. -EACCES. -EAGAIN, -ETIMEDOUT, -EINTR, -ECANCELED (the
 * last handle of the port went, or the one used was revoked). -EFAULT: what could not be written
 * stays in the port. */
kairos_status_t kairos_port_wait(kairos_handle_t port, struct kairos_port_packet* out, uint32_t max,
                                 uint32_t options, kairos_time_t deadline);

/* Puts a packet of the caller's own into the port: `key` and `observed` arrive as given, `count` as
 * 1. Needs KRIGHT_WRITE. -EAGAIN: KPORT_MAX_QUEUE such packets wait already. */
kairos_status_t kairos_port_queue(kairos_handle_t port, const struct kairos_port_packet* packet);

KAIROS_END_DECLARATIONS

#endif
