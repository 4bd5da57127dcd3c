/* fault: writes through a null pointer, to show what becomes of a program that does. */

int main(void) {
    volatile int* volatile nowhere = 0;
    *nowhere = 1;
    return 0;
}
