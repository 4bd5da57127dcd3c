/* The console: text on the screen, lines or keys from the keyboard.
 *
 * A client calls (kairos_channel_call) over its session to open streams. A stream is an ordinary
 * byte channel, which may be given to any program as its STDIN, STDOUT or STDERR:
 *
 *   output   each message is text to print
 *   input    each message is what was typed: a line with its newline in cooked mode, keys as they
 *            come in raw mode. An empty message is ^D at the beginning of a line.
 *
 * What is typed goes to the input that was opened last and is still open, the foreground. An
 * input is closed by CLOSE_INPUT or by closing its channel; then the one before it is in the
 * foreground again, and gets what had been typed but not yet been delivered.
 *
 * Besides replies the session brings events, with txid 0. */
#ifndef KAIROS_PROTOCOLS_CONSOLE_H
#define KAIROS_PROTOCOLS_CONSOLE_H

#include <kairos/kairos.h>

#define KAIROS_CONSOLE_SERVICE "console"
#define KAIROS_CONSOLE_INPUT_MAX 1024u /* bytes of one message of an input */

enum {
    /* Reply: status, and the client's end of an output. */
    KAIROS_CONSOLE_OPEN_OUTPUT = 1,
    /* `mode`. Reply: status, the input's number, and the client's end of the input. */
    KAIROS_CONSOLE_OPEN_INPUT,
    /* `input`, of this session. Nothing more is delivered to it; what was delivered can still be
     * received. Reply: status (0, -ENOENT). */
    KAIROS_CONSOLE_CLOSE_INPUT,
    /* Whether the endpoint with the id `input` is the console's end of an open stream, whoever
     * opened it. Who holds the other end knows the id (kairos_info_channel.peer_id), and learns
     * that way that it leads to a person. Reply: status (0, -ENOENT). */
    KAIROS_CONSOLE_IS_TERMINAL,
};

enum {
    KAIROS_CONSOLE_COOKED = 0, /* whole lines, echoed and edited; ^C is an event */
    KAIROS_CONSOLE_RAW,        /* every byte as it comes, no echo */
};

struct kairos_console_request {
    uint32_t kind;
    uint32_t mode;  /* OPEN_INPUT */
    uint64_t input; /* CLOSE_INPUT, IS_TERMINAL */
};

/* status: 0, -EINVAL malformed, -EMFILE no room for another stream, -ENOMEM, -ENOENT. */
struct kairos_console_reply {
    kairos_status_t status;
    uint64_t input;
};

enum {
    KAIROS_CONSOLE_INTERRUPT = 1, /* ^C was typed at the cooked input `input` of this session */
};

struct kairos_console_event {
    uint32_t kind;
    uint32_t reserved;
    uint64_t input;
};

#endif
