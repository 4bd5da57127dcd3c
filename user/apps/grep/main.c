/* grep [-cinv] TEXT [FILE...]: the lines that have TEXT in them. -c counts them, -i does not tell
 * large letters from small ones, -n numbers them, -v shows the others. Ends with 0 if there was
 * one. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct Options {
    bool count, fold, number, others;
    const char* text;
};

static bool begins_with(const char* line, const char* text, bool fold) {
    for (; *text != 0; ++line, ++text) {
        const bool same =
            fold ? tolower((unsigned char)*line) == tolower((unsigned char)*text) : *line == *text;
        if (!same) return false;
    }
    return true;
}

static bool has(const char* line, const struct Options* options) {
    do {
        if (begins_with(line, options->text, options->fold)) return true;
    } while (*line++ != 0);
    return false;
}

struct Line {
    char* text; /* without its newline */
    size_t room;
};

/* False at the end, or if there is no memory for it. */
static bool read_line(FILE* file, struct Line* line) {
    size_t length = 0;
    int byte;
    while ((byte = getc(file)) != EOF && byte != '\n') {
        if (length + 1 >= line->room) {
            line->room = line->room == 0 ? 128 : 2 * line->room;
            char* more = realloc(line->text, line->room);
            if (more == NULL) return false;
            line->text = more;
        }
        line->text[length++] = (char)byte;
    }
    if (byte == EOF && length == 0) return false;
    if (line->text == NULL && (line->text = calloc(1, line->room = 128)) == NULL) return false;
    line->text[length] = 0;
    return true;
}

/* How many lines were found; negative: it could not go on. */
static long search(FILE* file, const char* name, const struct Options* options) {
    struct Line line = {0};
    long found = 0;
    for (long number = 1; read_line(file, &line); ++number) {
        if (has(line.text, options) == options->others) continue;
        ++found;
        if (options->count) continue;
        if (name != NULL) printf("%s:", name);
        if (options->number) printf("%ld:", number);
        if (puts(line.text) < 0) break;
    }
    free(line.text);
    if (!feof(file) || ferror(stdout)) return -1;
    if (options->count) {
        if (name != NULL) printf("%s:", name);
        printf("%ld\n", found);
    }
    return found;
}

int main(int argc, char** argv) {
    struct Options options = {0};
    for (int letter; (letter = getopt(argc, argv, "cinv")) >= 0;) {
        if (letter == '?') return 2;
        options.count |= letter == 'c';
        options.fold |= letter == 'i';
        options.number |= letter == 'n';
        options.others |= letter == 'v';
    }
    if (optind == argc) {
        fprintf(stderr, "usage: grep [-cinv] TEXT [FILE...]\n");
        return 2;
    }
    options.text = argv[optind++];
    bool any = false, failed = false;
    if (optind == argc) {
        const long found = search(stdin, NULL, &options);
        any = found > 0;
        failed = found < 0;
    }
    const bool several = argc - optind > 1;
    for (int i = optind; i < argc; ++i) {
        FILE* file = fopen(argv[i], "r");
        if (file == NULL) {
            fprintf(stderr, "grep: %s: %s\n", argv[i], strerror(errno));
            failed = true;
            continue;
        }
        const long found = search(file, several ? argv[i] : NULL, &options);
        any |= found > 0;
        failed |= found < 0;
        fclose(file);
    }
    return failed || fflush(stdout) != 0 ? 2 : any ? 0 : 1;
}
