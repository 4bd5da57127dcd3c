/* head [-n LINES] [FILE...]: the first lines, ten of them unless told otherwise. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_lines(FILE* file, unsigned long lines) {
    int byte = 0;
    while (lines > 0 && (byte = getc(file)) != EOF && putchar(byte) != EOF) {
        if (byte == '\n') --lines;
    }
}

int main(int argc, char** argv) {
    unsigned long lines = 10;
    for (int letter; (letter = getopt(argc, argv, "n:")) >= 0;) {
        char* end = NULL;
        if (letter == 'n') lines = strtoul(optarg, &end, 10);
        if (end == NULL || end == optarg || *end != 0) {
            fprintf(stderr, "usage: head [-n LINES] [FILE...]\n");
            return 2;
        }
    }
    if (optind == argc) print_lines(stdin, lines);
    bool failed = false;
    for (int i = optind; i < argc; ++i) {
        FILE* file = fopen(argv[i], "r");
        if (file == NULL) {
            fprintf(stderr, "head: %s: %s\n", argv[i], strerror(errno));
            failed = true;
            continue;
        }
        print_lines(file, lines);
        fclose(file);
    }
    return failed || fflush(stdout) != 0 ? 1 : 0;
}
