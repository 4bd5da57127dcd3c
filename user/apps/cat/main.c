/* cat [FILE...]: prints files; without one, what comes on stdin, as it comes. */
#include <fcntl.h>
#include <unistd.h>

#include "apps/common/text_tool.h"

static int print(int fd, const char* name) {
    char bytes[4096];
    ssize_t count;
    while ((count = read(fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t done = 0; done < count;) {
            const ssize_t written = write(STDOUT_FILENO, bytes + done, (size_t)(count - done));
            if (written < 0) return 1; /* nobody reads what we print any more */
            done += written;
        }
    }
    return count == 0 ? 0 : complain("cat", name);
}

int main(int argc, char** argv) {
    if (argc == 1) return print(STDIN_FILENO, "stdin");
    int result = 0;
    for (int i = 1; i < argc; ++i) {
        const int fd = open(argv[i], O_RDONLY);
        if (fd < 0) {
            result |= complain("cat", argv[i]);
            continue;
        }
        result |= print(fd, argv[i]);
        close(fd);
    }
    return result;
}
