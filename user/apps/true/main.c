/* true: does nothing, successfully. The least that a program can be, and what starting one costs.
 */

int main(void) { return 0; }
