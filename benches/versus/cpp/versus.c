// The program versus-c, with all contestants in C; with STATIC versus-c-static, which has only
// ours; with QUEUES_INLINE versus-c-inline, which has only those of ours with inlined calls.
#include "harness.h"

const char *const language = "C";

extern const struct contestant ours_inlinable[], ours[];
#ifdef QUEUES_INLINE
const struct contestant *const contestants[] = {ours_inlinable, NULL};
#elif defined(STATIC)
const struct contestant *const contestants[] = {ours_inlinable, ours, NULL};
#else
extern const struct contestant wakes[], ck_rings[], dpdk_rings[], glib_queues[], ours_ipc[],
    kernel_queues[];
const struct contestant *const contestants[] = {
    ours_inlinable, ours, wakes, ck_rings, dpdk_rings, glib_queues, ours_ipc, kernel_queues, NULL,
};
#endif
