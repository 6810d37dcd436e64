/* The families behind one table of calls, for tests that do the same with each family. An item has
 * priority 1 and weight 1, each item is a batch of its own, and the priority of an item that was
 * got is ignored. */
#ifndef FAMILIES_H
#define FAMILIES_H

#include "check.h"

typedef struct {
    const char *name;
    void *(*create)(size_t capacity, size_t item_size, queues_drop_t drop, void *drop_ctx);
    queues_status_t (*try_put)(void *queue, void *item);
    queues_status_t (*put)(void *queue, void *item, int64_t timeout_ns);
    queues_status_t (*try_put_bytes)(void *queue, const void *data, size_t len);
    queues_status_t (*put_bytes)(void *queue, const void *data, size_t len, int64_t timeout_ns);
    queues_status_t (*try_get)(void *queue, void **item);
    queues_status_t (*get)(void *queue, void **item, int64_t timeout_ns);
    queues_status_t (*try_get_bytes)(void *queue, void *buffer, size_t capacity);
    queues_status_t (*get_bytes)(void *queue, void *buffer, size_t capacity, int64_t timeout_ns);
    queues_status_t (*clear)(void *queue, size_t *count);
    queues_status_t (*close)(void *queue);
    bool (*is_closed)(const void *queue);
    bool (*is_full)(const void *queue); /* NULL: the family has no such call */
    size_t (*size)(const void *queue);
    queues_status_t (*stats)(const void *queue, queues_stats_t *stats);
    queues_status_t (*readable_fd)(void *queue, int *fd);
    queues_status_t (*writable_fd)(void *queue, int *fd); /* NULL: no thread waits for room */
    bool (*retain)(void *queue);
    void (*release)(void *queue);
} family_t;

/* What the calls of a family take beside the item. */
#define PUT_WITH_mpmc
#define PUT_WITH_spsc
#define PUT_WITH_batch
#define PUT_WITH_priority , 1
#define GET_WITH_mpmc
#define GET_WITH_spsc
#define GET_WITH_priority                                                                          \
    , &(double) { 0 }

/* The calls that every family has. */
#define COMMON_CALLS(family)                                                                       \
    static void *family##_create(size_t capacity, size_t item_size, queues_drop_t drop,            \
                                 void *drop_ctx) {                                                 \
        queues_##family##_t *queue = NULL;                                                         \
        CREATE(family, &queue, ROOM(family, capacity), .item_size = item_size, .drop = drop,       \
               .drop_ctx = drop_ctx);                                                              \
        return queue;                                                                              \
    }                                                                                              \
    static size_t family##_size(const void *queue) { return queues_##family##_size(queue); }       \
    static queues_status_t family##_stats(const void *queue, queues_stats_t *stats) {              \
        return queues_##family##_stats(queue, stats);                                              \
    }                                                                                              \
    static bool family##_retain(void *queue) { return queues_##family##_retain(queue) == queue; }  \
    static void family##_release(void *queue) { queues_##family##_release(queue); }

/* The puts, clear and close. */
#define PUT_CALLS(family)                                                                          \
    static queues_status_t family##_try_put(void *queue, void *item) {                             \
        return queues_##family##_try_put(queue, item PUT_WITH_##family);                           \
    }                                                                                              \
    static queues_status_t family##_put(void *queue, void *item, int64_t timeout_ns) {             \
        return queues_##family##_put(queue, item PUT_WITH_##family, timeout_ns);                   \
    }                                                                                              \
    static queues_status_t family##_try_put_bytes(void *queue, const void *data, size_t len) {     \
        return queues_##family##_try_put_bytes(queue, data, len PUT_WITH_##family);                \
    }                                                                                              \
    static queues_status_t family##_put_bytes(void *queue, const void *data, size_t len,           \
                                              int64_t timeout_ns) {                                \
        return queues_##family##_put_bytes(queue, data, len PUT_WITH_##family, timeout_ns);        \
    }                                                                                              \
    static queues_status_t family##_clear(void *queue, size_t *count) {                            \
        return queues_##family##_clear(queue, count);                                              \
    }                                                                                              \
    static queues_status_t family##_close(void *queue) { return queues_##family##_close(queue); }  \
    static queues_status_t family##_readable_fd(void *queue, int *fd) {                            \
        return queues_##family##_readable_fd(queue, fd);                                           \
    }                                                                                              \
    static queues_status_t family##_writable_fd(void *queue, int *fd) {                            \
        return queues_##family##_writable_fd(queue, fd);                                           \
    }                                                                                              \
    static bool family##_is_closed(const void *queue) { return queues_##family##_is_closed(queue); }

#define GET_CALLS(family)                                                                          \
    static queues_status_t family##_try_get(void *queue, void **item) {                            \
        return queues_##family##_try_get(queue, item GET_WITH_##family);                           \
    }                                                                                              \
    static queues_status_t family##_get(void *queue, void **item, int64_t timeout_ns) {            \
        return queues_##family##_get(queue, item GET_WITH_##family, timeout_ns);                   \
    }                                                                                              \
    static queues_status_t family##_try_get_bytes(void *queue, void *buffer, size_t capacity) {    \
        size_t len;                                                                                \
        return queues_##family##_try_get_bytes(queue, buffer, capacity, &len GET_WITH_##family);   \
    }                                                                                              \
    static queues_status_t family##_get_bytes(void *queue, void *buffer, size_t capacity,          \
                                              int64_t timeout_ns) {                                \
        size_t len;                                                                                \
        return queues_##family##_get_bytes(queue, buffer, capacity, &len GET_WITH_##family,        \
                                           timeout_ns);                                            \
    }

/* The size of a batching queue has another name. */
#define queues_batch_size queues_batch_pending_count

COMMON_CALLS(mpmc)
PUT_CALLS(mpmc)
GET_CALLS(mpmc)
COMMON_CALLS(spsc)
PUT_CALLS(spsc)
GET_CALLS(spsc)
COMMON_CALLS(priority)
PUT_CALLS(priority)
GET_CALLS(priority)
COMMON_CALLS(batch)
PUT_CALLS(batch)
COMMON_CALLS(deque)

static bool spsc_is_full(const void *queue) { return queues_spsc_is_full(queue); }

static queues_status_t batch_try_get(void *queue, void **item) {
    size_t n;
    return queues_batch_get_due(queue, item, 1, &n);
}
static queues_status_t batch_get(void *queue, void **item, int64_t timeout_ns) {
    size_t n;
    return queues_batch_get_batch(queue, item, 1, &n, timeout_ns);
}
static queues_status_t batch_try_get_bytes(void *queue, void *buffer, size_t capacity) {
    size_t n, len;
    queues_batch_blob_t blob;
    return queues_batch_get_due_bytes(queue, buffer, capacity, &len, &blob, 1, &n);
}
static queues_status_t batch_get_bytes(void *queue, void *buffer, size_t capacity,
                                       int64_t timeout_ns) {
    size_t n, len;
    queues_batch_blob_t blob;
    return queues_batch_get_batch_bytes(queue, buffer, capacity, &len, &blob, 1, &n, timeout_ns);
}

static queues_status_t deque_steal(void *deque, void **item) {
    return queues_deque_steal(deque, item);
}
static queues_status_t deque_steal_bytes(void *deque, void *buffer, size_t capacity) {
    size_t len;
    return queues_deque_steal_bytes(deque, buffer, capacity, &len);
}
static queues_status_t deque_readable_fd(void *deque, int *fd) {
    return queues_deque_stealable_fd(deque, fd);
}
static queues_status_t deque_push(void *deque, void *item) {
    return queues_deque_push(deque, item);
}
static queues_status_t deque_push_bytes(void *deque, const void *data, size_t len) {
    return queues_deque_push_bytes(deque, data, len);
}

/* The deque is the last: it has no clear, no close and no call that waits. */
enum { MPMC, SPSC, PRIORITY, BATCH, CLOSABLE_FAMILIES, DEQUE = CLOSABLE_FAMILIES, ALL_FAMILIES };

#define CLOSABLE(family)                                                                           \
    .name = #family, .create = family##_create, .try_put = family##_try_put, .put = family##_put,  \
    .try_put_bytes = family##_try_put_bytes, .put_bytes = family##_put_bytes,                      \
    .try_get = family##_try_get, .get = family##_get, .try_get_bytes = family##_try_get_bytes,     \
    .get_bytes = family##_get_bytes, .clear = family##_clear, .close = family##_close,             \
    .is_closed = family##_is_closed, .size = family##_size, .stats = family##_stats,               \
    .readable_fd = family##_readable_fd, .writable_fd = family##_writable_fd,                      \
    .retain = family##_retain, .release = family##_release

static const family_t FAMILIES[ALL_FAMILIES] = {
    [MPMC] = {CLOSABLE(mpmc)},
    [SPSC] = {CLOSABLE(spsc), .is_full = spsc_is_full},
    [PRIORITY] = {CLOSABLE(priority)},
    [BATCH] = {CLOSABLE(batch)},
    [DEQUE] = {.name = "deque",
               .create = deque_create,
               .try_put = deque_push,
               .try_put_bytes = deque_push_bytes,
               .try_get = deque_steal,
               .try_get_bytes = deque_steal_bytes,
               .readable_fd = deque_readable_fd,
               .size = deque_size,
               .stats = deque_stats,
               .retain = deque_retain,
               .release = deque_release},
};

/* Runs a test of one family for each family that can be closed. */
#define RUN_FAMILIES(test)                                                                         \
    do {                                                                                           \
        for (int i_ = 0; i_ < CLOSABLE_FAMILIES; i_++) {                                           \
            fprintf(stderr, "%s: %s\n", FAMILIES[i_].name, #test);                                 \
            test(&FAMILIES[i_]);                                                                   \
        }                                                                                          \
    } while (0)

#endif
