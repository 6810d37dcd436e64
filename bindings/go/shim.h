#include <queues.h>
#include <stdlib.h>
#include <string.h>

typedef enum { MPMC, SPSC, PRIORITY, DEQUE, BATCH } family_t;
typedef struct {
    queues_status_t status;
    uintptr_t value;
    double priority;
} result_t;

#define QUEUE family_t family, uintptr_t queue
// What is first in, first out; what can be closed; all families.
#define FIFO(verb, ...)                                                                            \
    (family == SPSC ? queues_spsc_##verb((queues_spsc_t *)queue, ##__VA_ARGS__)                    \
                    : queues_mpmc_##verb((queues_mpmc_t *)queue, ##__VA_ARGS__))
#define RANKED(verb, ...) queues_priority_##verb((queues_priority_t *)queue, ##__VA_ARGS__)
#define BATCHED(verb, ...) queues_batch_##verb((queues_batch_t *)queue, ##__VA_ARGS__)
#define CLOSABLE(verb, ...)                                                                        \
    (family == PRIORITY ? RANKED(verb, ##__VA_ARGS__)                                              \
     : family == BATCH  ? BATCHED(verb, ##__VA_ARGS__)                                             \
                        : FIFO(verb, ##__VA_ARGS__))
#define queues_batch_size queues_batch_pending_count
#define ON_DEQUE(verb, ...) queues_deque_##verb((queues_deque_t *)queue, ##__VA_ARGS__)
#define CALL(verb, ...)                                                                            \
    (family == DEQUE ? ON_DEQUE(verb, ##__VA_ARGS__) : CLOSABLE(verb, ##__VA_ARGS__))

#define CREATE(name)                                                                               \
    static queues_status_t create_##name(size_t capacity, size_t item_size, uint64_t flags,        \
                                         uintptr_t *handle) {                                      \
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

static result_t create(family_t family, size_t capacity, size_t item_size, uint64_t flags) {
    queues_status_t (*const by_family[])(size_t, size_t, uint64_t, uintptr_t *) = {
        create_mpmc, create_spsc, create_priority, create_deque};
    result_t result = {0};
    result.status = by_family[family](capacity, item_size, flags, &result.value);
    return result;
}
static result_t create_batch(size_t max_pending, size_t item_size, size_t size, int64_t age,
                             uint64_t weight) {
    queues_batch_options_t options = {.struct_size = sizeof options,
                                      .max_pending = max_pending,
                                      .item_size = item_size,
                                      .batch_size = size,
                                      .batch_timeout_ns = age,
                                      .batch_weight = weight};
    queues_batch_t *queue = NULL;
    queues_status_t status = queues_batch_create(&options, &queue);
    return (result_t){status, (uintptr_t)queue, 0};
}
static void release(QUEUE) { CALL(release); }

// With an item goes the bits of its priority, or its weight, where the family has such a thing.
static double priority_of(uint64_t with) {
    double priority;
    memcpy(&priority, &with, sizeof priority);
    return priority;
}
static queues_status_t try_put(QUEUE, uintptr_t item, uint64_t with) {
    return family == PRIORITY ? RANKED(try_put, (void *)item, priority_of(with))
           : family == BATCH  ? BATCHED(put_weighted, (void *)item, with, 0)
                              : FIFO(try_put, (void *)item);
}
static result_t try_get(QUEUE) {
    void *item = NULL;
    double priority = 0;
    queues_status_t status =
        family == PRIORITY ? RANKED(try_get, &item, &priority) : FIFO(try_get, &item);
    return (result_t){status, (uintptr_t)item, priority};
}
static result_t peek(QUEUE) {
    void *item = NULL;
    double priority = 0;
    queues_status_t status =
        family == PRIORITY ? RANKED(peek, &item, &priority) : FIFO(peek, &item);
    return (result_t){status, (uintptr_t)item, priority};
}

static queues_status_t try_put_bytes(QUEUE, const void *data, size_t len, uint64_t with) {
    return family == PRIORITY ? RANKED(try_put_bytes, data, len, priority_of(with))
           : family == BATCH  ? BATCHED(put_weighted_bytes, data, len, with, 0)
                              : FIFO(try_put_bytes, data, len);
}
static result_t read_bytes(QUEUE, bool keep, void *buffer, size_t capacity) {
    size_t len = 0;
    double priority = 0;
    queues_status_t status;
    if (family == PRIORITY)
        status = keep ? RANKED(peek_bytes, buffer, capacity, &len, &priority)
                      : RANKED(try_get_bytes, buffer, capacity, &len, &priority);
    else
        status = keep ? FIFO(peek_bytes, buffer, capacity, &len)
                      : FIFO(try_get_bytes, buffer, capacity, &len);
    return (result_t){status, len, priority};
}

// What is due, or what there is.
static result_t get_batch(uintptr_t queue, bool due, void *items, size_t max) {
    size_t n = 0;
    queues_status_t status =
        due ? BATCHED(get_due, items, max, &n) : BATCHED(get_batch, items, max, &n, 0);
    return (result_t){status, n, 0};
}
static result_t put_many(QUEUE, void *items, size_t n) {
    size_t done = 0;
    queues_status_t status = FIFO(put_many, items, n, 0, &done);
    return (result_t){status, done, 0};
}
// A priority queue has no such call: one by one. A batching queue gives a batch, due or not.
static result_t get_many(QUEUE, void *items, size_t n) {
    size_t done = 0;
    double priority;
    queues_status_t status = QUEUES_OK;
    if (family == BATCH)
        return get_batch(queue, false, items, n);
    if (family != PRIORITY)
        status = FIFO(get_many, items, n, 0, &done);
    else
        while (done < n &&
               (status = RANKED(try_get, (void **)items + done, &priority)) == QUEUES_OK)
            done++;
    return (result_t){status, done, 0};
}

typedef struct {
    queues_status_t status;
    size_t n, len;
} batch_t;
static batch_t get_batch_bytes(uintptr_t queue, bool due, void *buffer, size_t capacity,
                               void *blobs, size_t max) {
    batch_t batch = {0};
    batch.status =
        due ? BATCHED(get_due_bytes, buffer, capacity, &batch.len, blobs, max, &batch.n)
            : BATCHED(get_batch_bytes, buffer, capacity, &batch.len, blobs, max, &batch.n, 0);
    return batch;
}
static queues_status_t flush(uintptr_t queue) { return BATCHED(flush); }

static queues_status_t push(uintptr_t queue, uintptr_t item) {
    return ON_DEQUE(push, (void *)item);
}
static result_t take(uintptr_t queue, bool steal) {
    void *item = NULL;
    queues_status_t status = steal ? ON_DEQUE(steal, &item) : ON_DEQUE(pop, &item);
    return (result_t){status, (uintptr_t)item, 0};
}
static result_t steal_many(uintptr_t queue, void *items, size_t n) {
    size_t done = 0;
    queues_status_t status = ON_DEQUE(steal_many, items, n, &done);
    return (result_t){status, done, 0};
}
static queues_status_t push_bytes(uintptr_t queue, const void *data, size_t len) {
    return ON_DEQUE(push_bytes, data, len);
}
static result_t take_bytes(uintptr_t queue, bool steal, void *buffer, size_t capacity) {
    size_t len = 0;
    queues_status_t status = steal ? ON_DEQUE(steal_bytes, buffer, capacity, &len)
                                   : ON_DEQUE(pop_bytes, buffer, capacity, &len);
    return (result_t){status, len, 0};
}

// Memory of the queue's, lent without waiting.
typedef struct {
    queues_status_t status;
    void *data;
    size_t len;
} lent_t;
static lent_t lease(uintptr_t queue) {
    lent_t lent = {0};
    lent.status = queues_mpmc_lease((queues_mpmc_t *)queue, &lent.data, &lent.len, 0);
    return lent;
}
static lent_t reserve(uintptr_t queue) {
    lent_t lent = {0};
    lent.status = queues_mpmc_reserve((queues_mpmc_t *)queue, &lent.data, 0);
    return lent;
}
static queues_status_t settle(uintptr_t queue, uintptr_t data) {
    return queues_mpmc_settle((queues_mpmc_t *)queue, (void *)data);
}
static queues_status_t put_back(uintptr_t queue, uintptr_t data) {
    return queues_mpmc_return((queues_mpmc_t *)queue, (void *)data);
}
static queues_status_t commit(uintptr_t queue, uintptr_t data, size_t len) {
    return queues_mpmc_commit((queues_mpmc_t *)queue, (void *)data, len);
}
static queues_status_t cancel(uintptr_t queue, uintptr_t data) {
    return queues_mpmc_cancel((queues_mpmc_t *)queue, (void *)data);
}

static size_t clear(QUEUE) {
    size_t count = 0;
    CLOSABLE(clear, &count);
    return count;
}
static void close_queue(QUEUE) { CLOSABLE(close); }
static bool is_closed(QUEUE) { return CLOSABLE(is_closed); }
static size_t size(QUEUE) { return CALL(size); }
static size_t capacity(QUEUE) { return CALL(capacity); }
static bool is_empty(uintptr_t queue) { return queues_spsc_is_empty((queues_spsc_t *)queue); }
static bool is_full(uintptr_t queue) { return queues_spsc_is_full((queues_spsc_t *)queue); }
static queues_stats_t stats(QUEUE) {
    queues_stats_t stats = {.struct_size = sizeof stats};
    CALL(stats, &stats);
    return stats;
}

static result_t prometheus(queues_stats_t *stats, const char **names, size_t n, char *text,
                           size_t capacity) {
    for (size_t i = 0; i < n; i++)
        stats[i].struct_size = sizeof stats[i];
    size_t len = 0;
    queues_status_t status = queues_stats_prometheus(stats, names, n, text, capacity, &len);
    return (result_t){status, len, 0};
}
