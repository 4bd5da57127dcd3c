/* sort [FILE...]: prints all lines in the order of their bytes. */
#include <stdlib.h>

#include "apps/common/text_tool.h"

static char* text; /* lines, each ended by a zero */
static size_t size;
static size_t room;

static int add(char byte) {
    if (size == room) {
        room = room == 0 ? 4096 : 2 * room;
        char* larger = realloc(text, room);
        if (larger == NULL) return complain("sort", "too much text");
        text = larger;
    }
    text[size++] = byte;
    return 0;
}

static int take_lines(FILE* file, const char* name) {
    (void)name;
    int character;
    int open = 0;
    while ((character = fgetc(file)) != EOF) {
        open = character != '\n';
        if (add(open ? (char)character : 0) != 0) return 1;
    }
    return open ? add(0) : 0;
}

static int compare(const void* left, const void* right) {
    return strcmp(*(char* const*)left, *(char* const*)right);
}

int main(int argc, char** argv) {
    (void)argc;
    const int failed = for_each_file("sort", argv + 1, take_lines);
    size_t count = 0;
    for (size_t i = 0; i < size; ++i) count += text[i] == 0;
    if (count == 0) return failed;
    char** lines = malloc(count * sizeof(*lines));
    if (lines == NULL) return complain("sort", "too many lines");
    char* line = text;
    for (size_t i = 0; i < count; ++i, line += strlen(line) + 1) lines[i] = line;
    qsort(lines, count, sizeof(*lines), compare);
    for (size_t i = 0; i < count; ++i) puts(lines[i]);
    free(lines);
    free(text);
    return failed || fflush(stdout) != 0;
}
