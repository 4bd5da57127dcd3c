/* What the small tools that read text have in common: each file that is named, or stdin. */
#ifndef KAIROS_APPS_TEXT_TOOL_H
#define KAIROS_APPS_TEXT_TOOL_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "PROGRAM: WHAT: why" with errno's reason; returns 1, to be the exit code. */
static inline int complain(const char* program, const char* what) {
    fprintf(stderr, "%s: %s: %s\n", program, what, strerror(errno));
    return 1;
}

/* Returns 0 if all of them could be read and what was printed could be written. `name` is null for
 * stdin. */
static inline int for_each_file(const char* program, char** names,
                                int (*use)(FILE* file, const char* name)) {
    int result = 0;
    if (*names == NULL) result = use(stdin, NULL);
    for (; *names != NULL; ++names) {
        FILE* file = fopen(*names, "r");
        if (file == NULL) {
            result |= complain(program, *names);
            continue;
        }
        result |= use(file, *names);
        if (ferror(file)) result |= complain(program, *names);
        fclose(file);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) return 1;
    return result;
}

#endif
