/* Output to stdout and stderr by several threads: a call's output stays together. picolibc's files
 * only lock for each character, so these functions are linked in front of its own (--wrap in
 * sdk/kairos-cc.specs). stderr is passed on when a call ends. */
#include <stdarg.h>
#include <stdio-bufio.h>
#include <stdio.h>

#include "lock.h"

int __real_vfprintf(FILE* file, const char* format, va_list arguments);
int __real_fputc(int character, FILE* file);
int __real_fputs(const char* text, FILE* file);
int __real_puts(const char* text);
size_t __real_fwrite(const void* items, size_t size, size_t count, FILE* file);
int __real_fflush(FILE* file);

int __wrap_vfprintf(FILE* file, const char* format, va_list arguments);
int __wrap_fputc(int character, FILE* file);
int __wrap_putc(int character, FILE* file);
int __wrap_fputs(const char* text, FILE* file);
int __wrap_puts(const char* text);
size_t __wrap_fwrite(const void* items, size_t size, size_t count, FILE* file);
int __wrap_fflush(FILE* file);

static int is_shared(const FILE* file) { return file == stdout || file == stderr; }

/* The lock that the file itself takes for each character; it may be taken again. */
static _LOCK_T lock_of(FILE* file) { return ((struct __file_bufio*)file)->lock; }

static void begin(FILE* file) {
    if (is_shared(file)) __retarget_lock_acquire_recursive(lock_of(file));
}

static void end(FILE* file) {
    if (!is_shared(file)) return;
    if (file == stderr) __real_fflush(file);
    __retarget_lock_release_recursive(lock_of(file));
}

int __wrap_vfprintf(FILE* file, const char* format, va_list arguments) {
    begin(file);
    const int result = __real_vfprintf(file, format, arguments);
    end(file);
    return result;
}

int __wrap_fputc(int character, FILE* file) {
    begin(file);
    const int result = __real_fputc(character, file);
    end(file);
    return result;
}

int __wrap_putc(int character, FILE* file) { return __wrap_fputc(character, file); }

int __wrap_fputs(const char* text, FILE* file) {
    begin(file);
    const int result = __real_fputs(text, file);
    end(file);
    return result;
}

int __wrap_puts(const char* text) {
    begin(stdout);
    const int result = __real_puts(text);
    end(stdout);
    return result;
}

size_t __wrap_fwrite(const void* items, size_t size, size_t count, FILE* file) {
    begin(file);
    const size_t result = __real_fwrite(items, size, count, file);
    end(file);
    return result;
}

/* picolibc's does not know that null means all. */
int __wrap_fflush(FILE* file) {
    if (file != NULL) return __real_fflush(file);
    const int out = __real_fflush(stdout);
    const int error = __real_fflush(stderr);
    return out != 0 ? out : error;
}
