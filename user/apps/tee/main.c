/* tee [-a] FILE: what comes on stdin goes to stdout and into the file, with -a to its end. */
#include "apps/common/text_tool.h"

int main(int argc, char** argv) {
    const int append = argc == 3 && strcmp(argv[1], "-a") == 0;
    if (argc != 2 && !append) {
        fprintf(stderr, "usage: tee [-a] FILE\n");
        return 2;
    }
    const char* name = argv[argc - 1];
    FILE* file = fopen(name, append ? "a" : "w");
    if (file == NULL) return complain("tee", name);
    int character;
    int failed = 0;
    while ((character = getchar()) != EOF) {
        if (putchar(character) == EOF) failed = 1;
        if (fputc(character, file) == EOF) failed = 1;
    }
    if (fclose(file) != 0 || failed) return complain("tee", name);
    return 0;
}
