/* spin: never ends by itself. For trying preemption, ^C, kill and `spawn`. */

int main(void) {
    volatile unsigned long turns = 0;
    for (;;) ++turns;
}
