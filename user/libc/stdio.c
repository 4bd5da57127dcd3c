/* stdin, stdout and stderr. picolibc's buffered files do the work: stdout and stderr pass a line on
 * when it is complete, so that a line is one message, and stderr also when a call ends (wrap.c). */
#include <kairos/kairos.h>
#include <stdio-bufio.h>
#include <stdio.h>
#include <unistd.h>

#include "lock.h"

static ssize_t write_whole(int fd, const void* bytes, size_t size);

#define STANDARD_FILE(number, buffer_name, lock_name, direction, flags)                           \
    {                                                                                             \
        .xfile = FDEV_SETUP_EXT(__bufio_put, __bufio_get, __bufio_flush, __bufio_close,           \
                                __bufio_seek, __bufio_setvbuf, (direction) | __SBUF),             \
        .fd = (number), .bflags = (flags), .buf = (buffer_name), .size = sizeof(buffer_name),     \
        .read = read, .write = write_whole, .lseek = lseek, .close = close, .lock = &(lock_name), \
    }

static char in_buffer[BUFSIZ];
static char out_buffer[BUFSIZ];
static char error_buffer[BUFSIZ];

static struct __lock in_lock;
static struct __lock out_lock;
static struct __lock error_lock;

static struct __file_bufio in_file = STANDARD_FILE(STDIN_FILENO, in_buffer, in_lock, __SRD, 0);
static struct __file_bufio out_file =
    STANDARD_FILE(STDOUT_FILENO, out_buffer, out_lock, __SWR, __BLBF);
static struct __file_bufio error_file =
    STANDARD_FILE(STDERR_FILENO, error_buffer, error_lock, __SWR, __BLBF);

FILE* const stdin = &in_file.xfile.cfile.file;
FILE* const stdout = &out_file.xfile.cfile.file;
FILE* const stderr = &error_file.xfile.cfile.file;

/* A buffer that cannot be written is dropped by its file, so an interrupt does not end this: it is
 * kept for the thread's next call that blocks. */
static ssize_t write_whole(int fd, const void* bytes, size_t size) {
    const char* text = bytes;
    size_t done = 0;
    int interrupted = 0;
    while (done < size) {
        const size_t left = size - done; /* of a channel each write is one message */
        const size_t piece = left < KCHANNEL_MAX_MSG_BYTES ? left : KCHANNEL_MAX_MSG_BYTES;
        const ssize_t written = write(fd, text + done, piece);
        if (written >= 0) {
            done += (size_t)written;
        } else if (errno == EINTR) {
            interrupted = 1;
        } else {
            break;
        }
    }
    if (interrupted) kairos_thread_interrupt(kairos_self_thread());
    return done == size ? (ssize_t)size : -1;
}

/* Whatever ends the program in an orderly way ends here: 101 is the last of all destructors. */
__attribute__((destructor(101))) static void flush_at_exit(void) {
    fflush(stdout);
    fflush(stderr);
}
