// SPDX-License-Identifier: MIT OR Apache-2.0

// What the Go package calls in C: one function for each operation, with the family as an argument,
// so that all families share one implementation in Go. Queues and items are integers here and
// results are returned by value, so cgo has no pointers to check on the fast path.
//
// No function waits, because a call that sleeps in C holds a thread: the package parks goroutines
// in Go.

#include <queues.h>
#include <stdlib.h>
#include <string.h>

typedef enum { MPMC, SPSC, PRIORITY, DEQUE, BATCH } family_t;

// What a call returns: its status; an item, a length or a number of items; the priority of an item.
typedef struct {
    queues_status_t status;
    uintptr_t value;
    double priority;
} result_t;

// Calls the function of the queue's family: of those that are first in, first out; of those that
// can be closed; of all.
#define QUEUE family_t family, uintptr_t queue
#define FIFO(verb, ...)                                                                            \
    (family == SPSC ? queues_spsc_##verb((queues_spsc_t *)queue, ##__VA_ARGS__)                    \
                    : queues_mpmc_##verb((queues_mpmc_t *)queue, ##__VA_ARGS__))
#define ON_PRIORITY(verb, ...) queues_priority_##verb((queues_priority_t *)queue, ##__VA_ARGS__)
#define ON_BATCH(verb, ...) queues_batch_##verb((queues_batch_t *)queue, ##__VA_ARGS__)
#define ON_DEQUE(verb, ...) queues_deque_##verb((queues_deque_t *)queue, ##__VA_ARGS__)
#define CLOSABLE(verb, ...)                                                                        \
    (family == PRIORITY ? ON_PRIORITY(verb, ##__VA_ARGS__)                                         \
     : family == BATCH  ? ON_BATCH(verb, ##__VA_ARGS__)                                            \
                        : FIFO(verb, ##__VA_ARGS__))
#define ANY(verb, ...)                                                                             \
    (family == DEQUE ? ON_DEQUE(verb, ##__VA_ARGS__) : CLOSABLE(verb, ##__VA_ARGS__))
// The one function that has another name in one family.
#define queues_batch_size queues_batch_pending_count

static inline const char *status_string(int32_t status) {
    return queues_status_string((queues_status_t)status);
}

// --- creation and release

#define CREATE(name)                                                                               \
    static inline queues_status_t create_##name(size_t capacity, size_t item_size, uint64_t flags, \
                                                uintptr_t *handle) {                               \
        queues_##name##_options_t options = {.struct_size = sizeof options,                        \
                                             .capacity = capacity,                                 \
                                             .item_size = item_size,                               \
                                             .flags = flags};                                      \
        queues_##name##_t *queue = NULL;                                                           \
        queues_status_t status = queues_##name##_create(&options, &queue);                         \
        *handle = (uintptr_t)queue;                                                                \
        return status;                                                                             \
    }
CREATE(mpmc)
CREATE(spsc)
CREATE(priority)
CREATE(deque)

static inline result_t create(family_t family, size_t capacity, size_t item_size, uint64_t flags) {
    queues_status_t (*const by_family[])(size_t, size_t, uint64_t, uintptr_t *) = {
        create_mpmc, create_spsc, create_priority, create_deque};
    result_t result = {0};
    result.status = by_family[family](capacity, item_size, flags, &result.value);
    return result;
}

static inline result_t create_batch(size_t max_pending, size_t item_size, size_t batch_size,
                                    int64_t timeout_ns, uint64_t weight) {
    queues_batch_options_t options = {.struct_size = sizeof options,
                                      .max_pending = max_pending,
                                      .item_size = item_size,
                                      .batch_size = batch_size,
                                      .batch_timeout_ns = timeout_ns,
                                      .batch_weight = weight};
    queues_batch_t *queue = NULL;
    queues_status_t status = queues_batch_create(&options, &queue);
    return (result_t){status, (uintptr_t)queue, 0};
}

static inline result_t open_shared(family_t family, int fd, size_t capacity, size_t item_size,
                                   size_t spare, size_t attachments, bool redelivers) {
    if (family == SPSC) {
        queues_spsc_options_t options = {.struct_size = sizeof options,
                                         .capacity = capacity,
                                         .item_size = item_size,
                                         .attachments = attachments};
        queues_spsc_t *queue = NULL;
        queues_status_t status =
            spare || redelivers ? QUEUES_INVALID : queues_spsc_open_shared(&options, fd, &queue);
        return (result_t){status, (uintptr_t)queue, 0};
    }
    queues_mpmc_options_t options = {.struct_size = sizeof options,
                                     .capacity = capacity,
                                     .item_size = item_size,
                                     .spare = spare,
                                     .attachments = attachments,
                                     .flags = redelivers ? QUEUES_REDELIVER : 0};
    queues_mpmc_t *queue = NULL;
    queues_status_t status = queues_mpmc_open_shared(&options, fd, &queue);
    return (result_t){status, (uintptr_t)queue, 0};
}

static inline void release(QUEUE) { ANY(release); }

// Adds a reference.
static inline void *retain(QUEUE) {
    switch (family) {
    case MPMC:
        return queues_mpmc_retain((queues_mpmc_t *)queue);
    case SPSC:
        return queues_spsc_retain((queues_spsc_t *)queue);
    case PRIORITY:
        return ON_PRIORITY(retain);
    case DEQUE:
        return ON_DEQUE(retain);
    default:
        return ON_BATCH(retain);
    }
}

static inline size_t item_size(QUEUE) { return ANY(item_size); }
static inline size_t batch_size(uintptr_t queue) { return ON_BATCH(batch_size); }

// Adds a reference to a queue of another owner; value is 0 if the queue is not of the family and
// payload.
static inline result_t adopt(family_t family, bool words, void *handle) {
    uintptr_t queue = (uintptr_t)handle;
    if (ANY(capacity) == 0 || (ANY(item_size) == 0) != words)
        return (result_t){QUEUES_INVALID, 0, 0};
    return (result_t){QUEUES_OK, (uintptr_t)retain(family, queue), 0};
}

// Writes the descriptor of an end into value.
static inline result_t descriptor(QUEUE, bool readable) {
    int fd = -1;
    queues_status_t status = family == DEQUE ? ON_DEQUE(stealable_fd, &fd)
                             : readable      ? CLOSABLE(readable_fd, &fd)
                                             : CLOSABLE(writable_fd, &fd);
    return (result_t){status, (uintptr_t)fd, 0};
}

// --- items: pointers in C, cell numbers in Go

// `with` is what travels beside an item: the bits of its priority, its weight, or nothing.
static inline double priority_of(uint64_t with) {
    double priority;
    memcpy(&priority, &with, sizeof priority);
    return priority;
}

static inline queues_status_t try_put(QUEUE, uintptr_t item, uint64_t with) {
    return family == PRIORITY ? ON_PRIORITY(try_put, (void *)item, priority_of(with))
           : family == BATCH  ? ON_BATCH(put_weighted, (void *)item, with, 0)
                              : FIFO(try_put, (void *)item);
}

static inline result_t try_get(QUEUE) {
    void *item = NULL;
    double priority = 0;
    queues_status_t status =
        family == PRIORITY ? ON_PRIORITY(try_get, &item, &priority) : FIFO(try_get, &item);
    return (result_t){status, (uintptr_t)item, priority};
}

static inline result_t peek(QUEUE) {
    void *item = NULL;
    double priority = 0;
    queues_status_t status =
        family == PRIORITY ? ON_PRIORITY(peek, &item, &priority) : FIFO(peek, &item);
    return (result_t){status, (uintptr_t)item, priority};
}

static inline result_t put_many(QUEUE, void *items, size_t n) {
    size_t count = 0;
    queues_status_t status = FIFO(put_many, items, n, 0, &count);
    return (result_t){status, count, 0};
}

// Gets a batch that is due, or else one of what is pending.
static inline result_t get_batch(uintptr_t queue, bool due, void *items, size_t max) {
    size_t count = 0;
    queues_status_t status =
        due ? ON_BATCH(get_due, items, max, &count) : ON_BATCH(get_batch, items, max, &count, 0);
    return (result_t){status, count, 0};
}

// A priority queue has no such function, so this gets one item after the other. From a batching
// queue it gets one batch, due or not.
static inline result_t get_many(QUEUE, void *items, size_t n) {
    size_t count = 0;
    double priority;
    queues_status_t status = QUEUES_OK;
    if (family == BATCH)
        return get_batch(queue, false, items, n);
    if (family != PRIORITY)
        status = FIFO(get_many, items, n, 0, &count);
    else
        while (count < n &&
               (status = ON_PRIORITY(try_get, (void **)items + count, &priority)) == QUEUES_OK)
            count++;
    return (result_t){status, count, 0};
}

static inline queues_status_t push(uintptr_t queue, uintptr_t item) {
    return ON_DEQUE(push, (void *)item);
}

static inline result_t take(uintptr_t queue, bool steal) {
    void *item = NULL;
    queues_status_t status = steal ? ON_DEQUE(steal, &item) : ON_DEQUE(pop, &item);
    return (result_t){status, (uintptr_t)item, 0};
}

static inline result_t steal_many(uintptr_t queue, void *items, size_t n) {
    size_t count = 0;
    queues_status_t status = ON_DEQUE(steal_many, items, n, &count);
    return (result_t){status, count, 0};
}

// --- blobs

static inline queues_status_t try_put_bytes(QUEUE, const void *data, size_t len, uint64_t with) {
    return family == PRIORITY ? ON_PRIORITY(try_put_bytes, data, len, priority_of(with))
           : family == BATCH  ? ON_BATCH(put_weighted_bytes, data, len, with, 0)
                              : FIFO(try_put_bytes, data, len);
}

// Gets a blob, or copies it and leaves it in the queue.
static inline result_t read_bytes(QUEUE, bool leave, void *buffer, size_t capacity) {
    size_t len = 0;
    double priority = 0;
    queues_status_t status;
    if (family == PRIORITY)
        status = leave ? ON_PRIORITY(peek_bytes, buffer, capacity, &len, &priority)
                       : ON_PRIORITY(try_get_bytes, buffer, capacity, &len, &priority);
    else
        status = leave ? FIFO(peek_bytes, buffer, capacity, &len)
                       : FIFO(try_get_bytes, buffer, capacity, &len);
    return (result_t){status, len, priority};
}

typedef struct {
    queues_status_t status;
    size_t count, len; // of the blobs, and of all their bytes
} batch_t;

static inline batch_t get_batch_bytes(uintptr_t queue, bool due, void *buffer, size_t capacity,
                                      void *blobs, size_t max) {
    batch_t batch = {0};
    batch.status =
        due ? ON_BATCH(get_due_bytes, buffer, capacity, &batch.len, blobs, max, &batch.count)
            : ON_BATCH(get_batch_bytes, buffer, capacity, &batch.len, blobs, max, &batch.count, 0);
    return batch;
}

static inline queues_status_t push_bytes(uintptr_t queue, const void *data, size_t len) {
    return ON_DEQUE(push_bytes, data, len);
}

static inline result_t take_bytes(uintptr_t queue, bool steal, void *buffer, size_t capacity) {
    size_t len = 0;
    queues_status_t status = steal ? ON_DEQUE(steal_bytes, buffer, capacity, &len)
                                   : ON_DEQUE(pop_bytes, buffer, capacity, &len);
    return (result_t){status, len, 0};
}

// --- blobs in place, of an MPMC queue

typedef struct {
    queues_status_t status;
    void *data;
    size_t len;
} loan_t;

static inline loan_t lease(uintptr_t queue) {
    loan_t loan = {0};
    loan.status = queues_mpmc_lease((queues_mpmc_t *)queue, &loan.data, &loan.len, 0);
    return loan;
}

static inline loan_t reserve(uintptr_t queue) {
    loan_t loan = {0};
    loan.status = queues_mpmc_reserve((queues_mpmc_t *)queue, &loan.data, 0);
    return loan;
}

static inline queues_status_t settle(uintptr_t queue, uintptr_t data) {
    return queues_mpmc_settle((queues_mpmc_t *)queue, (void *)data);
}

static inline queues_status_t put_back(uintptr_t queue, uintptr_t data) {
    return queues_mpmc_return((queues_mpmc_t *)queue, (void *)data);
}

static inline queues_status_t commit(uintptr_t queue, uintptr_t data, size_t len) {
    return queues_mpmc_commit((queues_mpmc_t *)queue, (void *)data, len);
}

static inline queues_status_t cancel(uintptr_t queue, uintptr_t data) {
    return queues_mpmc_cancel((queues_mpmc_t *)queue, (void *)data);
}

// --- the whole queue

static inline result_t clear(QUEUE) {
    size_t count = 0;
    queues_status_t status = CLOSABLE(clear, &count);
    return (result_t){status, count, 0};
}

static inline int64_t next_due(uintptr_t queue) { return ON_BATCH(next_due_ns); }
static inline queues_status_t flush(uintptr_t queue) { return ON_BATCH(flush); }
static inline queues_status_t close_queue(QUEUE) { return CLOSABLE(close); }
static inline bool is_closed(QUEUE) { return CLOSABLE(is_closed); }
static inline size_t size(QUEUE) { return ANY(size); }
static inline size_t capacity(QUEUE) { return ANY(capacity); }
static inline bool is_empty(uintptr_t queue) {
    return queues_spsc_is_empty((queues_spsc_t *)queue);
}
static inline bool is_full(uintptr_t queue) { return queues_spsc_is_full((queues_spsc_t *)queue); }

typedef struct {
    queues_status_t status;
    queues_stats_t stats;
} stats_t;

static inline stats_t stats(QUEUE) {
    stats_t result = {.stats = {.struct_size = sizeof result.stats}};
    result.status = ANY(stats, &result.stats);
    return result;
}

static inline result_t prometheus(queues_stats_t *stats, const char **names, size_t n, char *text,
                                  size_t capacity) {
    for (size_t i = 0; i < n; i++)
        stats[i].struct_size = sizeof stats[i];
    size_t len = 0;
    queues_status_t status = queues_stats_prometheus(stats, names, n, text, capacity, &len);
    return (result_t){status, len, 0};
}
