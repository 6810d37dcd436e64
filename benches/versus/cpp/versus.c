// The program versus-c, with all contestants in C; with STATIC versus-c-static, which has only
// ours.
#include "harness.h"

const char *const language = "C";

extern const struct contestant ours[];
#ifdef STATIC
const struct contestant *const contestants[] = {ours, NULL};
#else
extern const struct contestant wakes[], ck_rings[], dpdk_rings[], glib_queues[], ours_ipc[],
    kernel_queues[];
const struct contestant *const contestants[] = {
    ours, wakes, ck_rings, dpdk_rings, glib_queues, ours_ipc, kernel_queues, NULL,
};
#endif
