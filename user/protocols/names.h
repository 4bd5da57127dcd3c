/* Asking for a service by its name, and managing the names.
 *
 * A client makes a channel, keeps one end, and sends the other with a CONNECT over its names
 * handle. The name server passes the CONNECT on to the service; whoever ends up with the end, the
 * service or the name server, answers on it with a welcome, the first message of every
 * connection. Nothing is ever received from the names handle itself: any number of clients may
 * hold a duplicate of it without seeing each other.
 *
 *   client ──CONNECT "archive" + end──► names ──CONNECT "archive" + end──► archive
 *   client ◄─────────────────────────── welcome ─────────────────────────── archive
 *
 * Messages that are malformed are dropped, their handles closed. */
#ifndef KAIROS_PROTOCOLS_NAMES_H
#define KAIROS_PROTOCOLS_NAMES_H

#include <kairos/kairos.h>

#define KAIROS_NAME_MAX 32u      /* bytes of a service's name, the ending zero included */
#define KAIROS_NAMES_VIEW_MAX 8u /* services that one names handle may lead to */

enum {
    /* From clients: struct kairos_names_request and the end of a channel. */
    KAIROS_NAMES_CONNECT = 1,

    /* From init over the registry channel, which nobody else has; no answers.
     * ADD_SERVICE: a names_request and the channel to which CONNECTs go. Replaces what had the
     * name. REMOVE_SERVICE: a names_request; CONNECTs are refused from now on. ADD_VIEW: a
     * names_view and the receiving end of the names handles that see just these services. */
    KAIROS_NAMES_ADD_SERVICE,
    KAIROS_NAMES_REMOVE_SERVICE,
    KAIROS_NAMES_ADD_VIEW,
};

struct kairos_names_request {
    uint32_t kind;
    uint32_t reserved; /* 0 */
    char name[KAIROS_NAME_MAX];
};

struct kairos_names_view {
    uint32_t kind;
    uint32_t count;
    char names[KAIROS_NAMES_VIEW_MAX][KAIROS_NAME_MAX];
};

/* The first message on a connection. 0: the service listens. Otherwise the end is closed:
 * -EACCES the names handle does not lead to this service, -ENOENT there is none of that name,
 * -EAGAIN too many connections wait for it, -EMFILE the service has no room for another client. */
struct kairos_welcome {
    kairos_status_t status;
};

#endif
