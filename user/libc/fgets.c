/* fgets, in front of picolibc's, which forgets what it has read of a last line without an end. */
#include <stdio.h>

char* fgets(char* restrict line, int size, FILE* restrict file) {
    int length = 0;
    while (length < size - 1) {
        const int character = fgetc(file);
        if (character == EOF) break;
        line[length++] = (char)character;
        if (character == '\n') break;
    }
    const int nothing_wanted = size == 1;
    if ((length == 0 && !nothing_wanted) || ferror(file)) return NULL;
    line[length] = 0;
    return line;
}
