/* rm FILE...: removes files. */
#include <unistd.h>

#include "apps/common/text_tool.h"

int main(int argc, char** argv) {
    if (argc == 1) {
        fprintf(stderr, "usage: rm FILE...\n");
        return 2;
    }
    int result = 0;
    for (int i = 1; i < argc; ++i) {
        if (unlink(argv[i]) != 0) result = complain("rm", argv[i]);
    }
    return result;
}
