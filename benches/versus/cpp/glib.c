// Adapter for GAsyncQueue of GLib, an unbounded list under a lock. Its items are words only.
#if __has_include(<glib.h>)

#include "harness.h"

#include <glib.h>

static GAsyncQueue *async_create(size_t capacity, size_t size) {
    (void)capacity;
    (void)size;
    return g_async_queue_new();
}
static void async_release(GAsyncQueue *q) { g_async_queue_unref(q); }
static inline bool async_try_put(GAsyncQueue *q, const void *item, size_t size) {
    (void)size;
    g_async_queue_push(q, *(void *const *)item);
    return true;
}
static inline bool async_try_get(GAsyncQueue *q, void *item, size_t size) {
    (void)size;
    return (*(void **)item = g_async_queue_try_pop(q)) != NULL;
}
static inline void async_put(GAsyncQueue *q, const void *item, size_t size) {
    async_try_put(q, item, size);
}
static inline void async_get(GAsyncQueue *q, void *item, size_t size) {
    (void)size;
    *(void **)item = g_async_queue_pop(q);
}
// The lock is taken once for all items.
static inline size_t async_put_bulk(GAsyncQueue *q, void *items, size_t count, size_t size) {
    (void)size;
    g_async_queue_lock(q);
    for (size_t i = 0; i < count; i++)
        g_async_queue_push_unlocked(q, ((void **)items)[i]);
    g_async_queue_unlock(q);
    return count;
}
static inline size_t async_get_bulk(GAsyncQueue *q, void *items, size_t count, size_t size) {
    (void)size;
    size_t done = 0;
    void *item;
    g_async_queue_lock(q);
    while (done < count && (item = g_async_queue_try_pop_unlocked(q)) != NULL)
        ((void **)items)[done++] = item;
    g_async_queue_unlock(q);
    return done;
}
#define QUEUE async
#define HANDLE GAsyncQueue
#define HAS_TRY 1
#define HAS_BLOCKING 1
#define HAS_BULK 1
#include "workloads.h"

static const char *const cases[] = {MPMC_TRY, MPMC_BLOCKING, MPMC_BULK, NULL};

const struct contestant glib_queues[] = {
    {"GAsyncQueue (unbounded)", VERSION_GLIB, NULL, cases, async_run, false},
    {.name = NULL},
};

#else

#include "harness.h"
const struct contestant glib_queues[] = {MISSING("GAsyncQueue", "libglib2.0-dev"), {.name = NULL}};

#endif
