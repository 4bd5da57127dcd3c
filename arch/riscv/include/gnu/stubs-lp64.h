/* The cross compiler's C headers look for this file, which lists what a hosted C library of the
 * kernel's ABI does not implement, and which exists only where such a library is installed. The
 * kernel has none. */
