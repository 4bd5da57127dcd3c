/* poll, as POSIX says. Which descriptors there are: <kairos/fd.h>. */
#ifndef KAIROS_POLL_H
#define KAIROS_POLL_H

#define POLLIN 1
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 16
#define POLLNVAL 32

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned long nfds_t;

struct pollfd {
    int fd;        /* below 0: passed over */
    short events;  /* POLLIN, POLLOUT */
    short revents; /* these, and POLLERR, POLLHUP, POLLNVAL whether asked for or not */
};

/* Waits until one of `count` descriptors has an event, at most `timeout_ms` (below 0: for ever).
 * Returns how many have one, 0 when the time has passed, or -1 with errno. */
int poll(struct pollfd* descriptors, nfds_t count, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
