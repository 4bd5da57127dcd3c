/* cp FROM TO: copies a file. */
#include "apps/common/text_tool.h"

static int copy(FILE* from, FILE* to) {
    char bytes[4096];
    size_t count;
    while ((count = fread(bytes, 1, sizeof(bytes), from)) != 0) {
        if (fwrite(bytes, 1, count, to) != count) return -1;
    }
    return ferror(from) ? -1 : 0;
}

int main(int argc, char** argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: cp FROM TO\n");
        return 2;
    }
    FILE* from = fopen(argv[1], "r");
    if (from == NULL) return complain("cp", argv[1]);
    FILE* to = fopen(argv[2], "w");
    if (to == NULL) return complain("cp", argv[2]);
    int result = copy(from, to);
    if (fclose(to) != 0) result = -1;
    fclose(from);
    return result == 0 ? 0 : complain("cp", argv[2]);
}
