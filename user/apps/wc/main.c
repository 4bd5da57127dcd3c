/* wc [-clw] [FILE...]: how many lines, words and bytes there are. -l, -w and -c show just these. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct Counts {
    unsigned long lines, words, bytes;
};
static bool show_lines, show_words, show_bytes;

static bool count(FILE* file, struct Counts* counts) {
    bool in_word = false;
    for (int byte; (byte = getc(file)) != EOF;) {
        ++counts->bytes;
        if (byte == '\n') ++counts->lines;
        const bool blank = isspace(byte) != 0;
        if (!blank && !in_word) ++counts->words;
        in_word = !blank;
    }
    return !ferror(file);
}

static void show(const struct Counts* counts, const char* name) {
    if (show_lines) printf(" %7lu", counts->lines);
    if (show_words) printf(" %7lu", counts->words);
    if (show_bytes) printf(" %7lu", counts->bytes);
    printf(name == NULL ? "\n" : " %s\n", name);
}

int main(int argc, char** argv) {
    for (int letter; (letter = getopt(argc, argv, "clw")) >= 0;) {
        if (letter == '?') {
            fprintf(stderr, "usage: wc [-clw] [FILE...]\n");
            return 2;
        }
        show_bytes |= letter == 'c';
        show_lines |= letter == 'l';
        show_words |= letter == 'w';
    }
    if (!show_lines && !show_words && !show_bytes) show_lines = show_words = show_bytes = true;
    bool failed = false;
    struct Counts total = {0};
    if (optind == argc) {
        failed = !count(stdin, &total);
        show(&total, NULL);
    }
    for (int i = optind; i < argc; ++i) {
        FILE* file = fopen(argv[i], "r");
        struct Counts counts = {0};
        if (file == NULL || !count(file, &counts)) {
            fprintf(stderr, "wc: %s: %s\n", argv[i], strerror(errno));
            failed = true;
        } else {
            show(&counts, argv[i]);
        }
        if (file != NULL) fclose(file);
        total.lines += counts.lines;
        total.words += counts.words;
        total.bytes += counts.bytes;
    }
    if (argc - optind > 1) show(&total, "total");
    return failed || fflush(stdout) != 0 ? 1 : 0;
}
