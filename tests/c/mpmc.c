/* The MPMC queue: what it shares with the others, and many threads at both ends of it. */
#define FAMILY mpmc
enum { DEFAULT_CAPACITY = 1000, WAITERS = 4 };
#include "family.h"

int main(void) {
    run_family();
    return 0;
}
