/* Files, as two services have them: `archive`, the files that the machine booted with, which never
 * change; and `tmp`, files in memory, which are there until the machine stops or the server fails.
 * The names of each are flat: there are no folders to make, though names of the archive may have a
 * slash in them.
 *
 * A client calls (kairos_channel_call) over its session with a kairos_files_request and gets a
 * kairos_files_reply. OPEN's reply has a channel with it, the open file, over which the calls of
 * kairos_file_request go; OPEN_STREAM's has a plain byte channel, like the console's. Both may be
 * given away, and outlive the session. An open file ends when its channel is closed; a file that
 * was removed lives until its last open file and stream have ended.
 *
 * What was sent into a stream before a request was sent is in the file when that is answered. */
#ifndef KAIROS_PROTOCOLS_FILES_H
#define KAIROS_PROTOCOLS_FILES_H

#include <kairos/archive.h>
#include <kairos/kairos.h>

#define KAIROS_ARCHIVE_SERVICE "archive"
#define KAIROS_TMP_SERVICE "tmp"

#define KAIROS_FILE_NAME_MAX KAIROS_ARCHIVE_NAME_MAX /* bytes, the ending zero included */
#define KAIROS_FILE_DATA_MAX 4096u                   /* bytes in one READ or WRITE */
#define KAIROS_FILE_STREAM_MAX 1024u                 /* bytes in one message of a READ stream */

/* ---- Over the session ------------------------------------------------------------------------ */

/* Every request may be answered by -EINVAL: it is malformed, or `name` can be no file's name. */
enum {
    /* Reply: the file's size, and the open file. -EINVAL flags that make no sense, -ENOENT,
     * -EEXIST, -EROFS, -ENOSPC too many files, -EMFILE too much is open (of this client, or in
     * all), errors of making a channel. */
    KAIROS_FILES_OPEN = 1,
    /* READ alone: a channel that brings the contents as messages, and then its end. WRITE, with
     * or without CREATE, TRUNCATE and EXCLUSIVE: one whose messages are added to the end of the
     * file; when there is no room for one, the channel is closed. Reply and errors as OPEN. */
    KAIROS_FILES_OPEN_STREAM,
    /* Reply: the number, size and name of the file called `name`. -ENOENT. */
    KAIROS_FILES_STAT,
    /* The same of the file with the least number above `after`: all of them, from 0 on. -ENOENT:
     * there are no more. */
    KAIROS_FILES_LIST,
    /* Takes the name away. -ENOENT, -EROFS. */
    KAIROS_FILES_REMOVE,
    /* Gives the file called `name` the name `new_name`, in one step with taking that from the file
     * that had it. -ENOENT, -EROFS. */
    KAIROS_FILES_RENAME,
};

enum {
    KAIROS_FILES_READ = 1u << 0,      /* READ, WRITE or both */
    KAIROS_FILES_WRITE = 1u << 1,     /* what follows needs it */
    KAIROS_FILES_CREATE = 1u << 2,    /* make the file if there is none of the name */
    KAIROS_FILES_EXCLUSIVE = 1u << 3, /* with CREATE: -EEXIST if there is one */
    KAIROS_FILES_TRUNCATE = 1u << 4,  /* it is empty from now on */
    KAIROS_FILES_APPEND = 1u << 5,    /* each WRITE goes to the end, wherever that is by then */
};

struct kairos_files_request {
    uint32_t kind;
    uint32_t flags;                      /* OPEN, OPEN_STREAM */
    uint64_t after;                      /* LIST */
    char name[KAIROS_FILE_NAME_MAX];     /* ended by a zero, as the next */
    char new_name[KAIROS_FILE_NAME_MAX]; /* RENAME */
};

struct kairos_files_reply {
    kairos_status_t status;
    uint64_t number; /* the file's, above 0, the same as long as it lives */
    uint64_t size;   /* bytes */
    char name[KAIROS_FILE_NAME_MAX];
};

/* ---- Over an open file ----------------------------------------------------------------------- */

/* An open file has a position, which those who share its channel share; it begins at 0. */
enum {
    /* Up to `length` bytes (at most DATA_MAX) from the position, which moves behind them. Reply: a
     * kairos_file_data, as long as needed, with status how many, 0 at the end and beyond. -EBADF
     * not opened with READ. */
    KAIROS_FILE_READ = 1,
    /* The bytes that follow the request are written at the position, which moves behind them; a
     * gap before them is zeros. All of them or none. Status: how many. -EBADF not opened with
     * WRITE, -ENOSPC, -EFBIG. */
    KAIROS_FILE_WRITE,
    /* Moves the position by `offset` from `whence`. Status: the new one. -EINVAL it would be
     * below 0. */
    KAIROS_FILE_SEEK,
    /* Reply: number and size. */
    KAIROS_FILE_STAT,
    /* Makes the file `length` bytes long; what is added is zeros. Errors as WRITE. */
    KAIROS_FILE_TRUNCATE,
};

enum { KAIROS_FILE_FROM_START = 0, KAIROS_FILE_FROM_POSITION, KAIROS_FILE_FROM_END };

struct kairos_file_request {
    uint32_t kind;
    uint32_t whence; /* SEEK */
    int64_t offset;  /* SEEK */
    uint64_t length; /* READ, TRUNCATE */
};

/* To all but READ that succeeds. */
struct kairos_file_reply {
    kairos_status_t status;
    uint64_t number;
    uint64_t size;
};

struct kairos_file_data {
    kairos_status_t status;
    uint8_t bytes[KAIROS_FILE_DATA_MAX];
};

#endif
