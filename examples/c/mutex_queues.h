/* The queues of the demo without this library: an array, a mutex and two condition variables, as
   in a textbook. `cc -include mutex_queues.h serving.c` makes the calls of serving.c use them, so
   both programs have the same source: `make demo COMPARE=mutex` compares their runs.

   Equal: the calls, capacities, order (FIFO among equal priorities, too), waiting and closing, when
   a batch is due and what it takes, the statistics. Not equal: every call locks, also those of the
   SPSC queues and deques; a steal never loses a race; queues hold only pointers, and lack the calls
   that serving.c does not make. Nothing is slower than need be: no lock is held while a thread is
   woken, and a thread is woken only when its condition may have come true. */
#ifndef MUTEX_QUEUES_H
#define MUTEX_QUEUES_H

#include "serving.h"
#include <queues.h>

#define QUEUES_OF "mutex" /* whose queues the record names */

typedef struct {
    void *item;
    double priority;
    uint64_t number, weight;
    int64_t at_ns; /* when it was put into a batching queue */
} entry_t;

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t not_full, not_empty;
    bool closed;
    size_t head, len; /* of the ring; a heap begins at 0 */
    queues_stats_t stats;
    size_t batch_size;
    uint64_t batch_weight, weight; /* of a batch that is due, and of all entries */
    int64_t batch_timeout_ns;
    entry_t *entries;
} locked_t;

struct queues_mpmc_t {
    locked_t q;
};
struct queues_spsc_t {
    locked_t q;
};
struct queues_priority_t {
    locked_t q;
};
struct queues_deque_t {
    locked_t q;
};
struct queues_batch_t {
    locked_t q;
};

static locked_t *locked_new(size_t capacity) {
    locked_t *q = calloc(1, sizeof *q);
    entry_t *entries = calloc(capacity, sizeof *entries);
    if (!q || !entries)
        fail(EXIT_FAILURE, "calloc: %s", strerror(errno));
    q->entries = entries;
    q->stats.capacity = capacity;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->mutex, NULL);
    pthread_cond_init(&q->not_full, &monotonic);
    pthread_cond_init(&q->not_empty, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return q;
}

static void locked_free(locked_t *q) {
    pthread_mutex_destroy(&q->mutex);
    pthread_cond_destroy(&q->not_full);
    pthread_cond_destroy(&q->not_empty);
    free(q->entries);
    free(q);
}

static entry_t *at(locked_t *q, size_t i) { return &q->entries[(q->head + i) % q->stats.capacity]; }

static size_t locked_size(const locked_t *queue) {
    locked_t *q = (locked_t *)queue;
    pthread_mutex_lock(&q->mutex);
    const size_t len = q->len;
    pthread_mutex_unlock(&q->mutex);
    return len;
}

static queues_status_t locked_stats(const locked_t *queue, queues_stats_t *stats) {
    locked_t *q = (locked_t *)queue;
    pthread_mutex_lock(&q->mutex);
    q->stats.struct_size = stats->struct_size;
    q->stats.current_size = q->len;
    *stats = q->stats;
    pthread_mutex_unlock(&q->mutex);
    return QUEUES_OK;
}

static queues_status_t locked_close(locked_t *q) {
    pthread_mutex_lock(&q->mutex);
    q->closed = true;
    pthread_mutex_unlock(&q->mutex);
    pthread_cond_broadcast(&q->not_full);
    pthread_cond_broadcast(&q->not_empty);
    return QUEUES_OK;
}

/* --- puts and gets. timeout_ns is 0, do not wait, or -1, wait without a limit: serving.c has no
   other. Between begin and end the caller holds the lock. */

static queues_status_t begin_put(locked_t *q, int64_t timeout_ns) {
    pthread_mutex_lock(&q->mutex);
    while (timeout_ns != 0 && !q->closed && q->len == q->stats.capacity)
        pthread_cond_wait(&q->not_full, &q->mutex);
    if (!q->closed && q->len < q->stats.capacity)
        return QUEUES_OK;
    const queues_status_t status = q->closed ? QUEUES_CLOSED : QUEUES_FULL;
    q->stats.failed_enqueue += status == QUEUES_FULL;
    pthread_mutex_unlock(&q->mutex);
    return status;
}

/* The entry is in: `len` includes it. Only some puts into a batching queue wake a thread. */
static queues_status_t end_put(locked_t *q, bool wakes) {
    q->stats.enqueued++;
    if (q->stats.peak_size < q->len)
        q->stats.peak_size = q->len;
    pthread_mutex_unlock(&q->mutex);
    if (wakes)
        pthread_cond_signal(&q->not_empty);
    return QUEUES_OK;
}

static queues_status_t begin_get(locked_t *q, int64_t timeout_ns) {
    pthread_mutex_lock(&q->mutex);
    while (timeout_ns != 0 && !q->closed && q->len == 0)
        pthread_cond_wait(&q->not_empty, &q->mutex);
    if (q->len > 0)
        return QUEUES_OK;
    const queues_status_t status = q->closed ? QUEUES_CLOSED : QUEUES_EMPTY;
    q->stats.failed_dequeue += status == QUEUES_EMPTY;
    pthread_mutex_unlock(&q->mutex);
    return status;
}

static queues_status_t end_get(locked_t *q) {
    q->stats.dequeued++;
    pthread_mutex_unlock(&q->mutex);
    pthread_cond_signal(&q->not_full);
    return QUEUES_OK;
}

static queues_status_t back_put(locked_t *q, void *item, int64_t timeout_ns) {
    const queues_status_t status = begin_put(q, timeout_ns);
    if (status != QUEUES_OK)
        return status;
    *at(q, q->len++) = (entry_t){.item = item};
    return end_put(q, true);
}

static queues_status_t front_get(locked_t *q, void **item, int64_t timeout_ns) {
    const queues_status_t status = begin_get(q, timeout_ns);
    if (status != QUEUES_OK)
        return status;
    *item = at(q, 0)->item;
    q->head = (q->head + 1) % q->stats.capacity;
    q->len--;
    return end_get(q);
}

/* --- the families */

static queues_status_t mutex_mpmc_create(const queues_mpmc_options_t *o, queues_mpmc_t **queue) {
    *queue = (queues_mpmc_t *)locked_new(o->capacity);
    return QUEUES_OK;
}

static queues_status_t mutex_mpmc_put(queues_mpmc_t *queue, void *item, int64_t timeout_ns) {
    return back_put(&queue->q, item, timeout_ns);
}

static queues_status_t mutex_mpmc_get(queues_mpmc_t *queue, void **item, int64_t timeout_ns) {
    return front_get(&queue->q, item, timeout_ns);
}

static queues_status_t mutex_spsc_create(const queues_spsc_options_t *o, queues_spsc_t **queue) {
    *queue = (queues_spsc_t *)locked_new(o->capacity);
    return QUEUES_OK;
}

static queues_status_t mutex_spsc_put(queues_spsc_t *queue, void *item, int64_t timeout_ns) {
    return back_put(&queue->q, item, timeout_ns);
}

static queues_status_t mutex_spsc_try_get(queues_spsc_t *queue, void **item) {
    return front_get(&queue->q, item, 0);
}

static queues_status_t mutex_deque_create(const queues_deque_options_t *o, queues_deque_t **deque) {
    *deque = (queues_deque_t *)locked_new(o->capacity);
    return QUEUES_OK;
}

static queues_status_t mutex_deque_push(queues_deque_t *deque, void *item) {
    return back_put(&deque->q, item, 0);
}

static queues_status_t mutex_deque_pop(queues_deque_t *deque, void **item) {
    locked_t *q = &deque->q;
    const queues_status_t status = begin_get(q, 0);
    if (status != QUEUES_OK)
        return status;
    *item = at(q, --q->len)->item;
    return end_get(q);
}

static queues_status_t mutex_deque_steal(queues_deque_t *deque, void **item) {
    locked_t *q = &deque->q;
    const queues_status_t status = begin_get(q, 0);
    if (status != QUEUES_OK)
        return status;
    *item = at(q, 0)->item;
    q->head = (q->head + 1) % q->stats.capacity;
    q->len--;
    q->stats.stolen++;
    return end_get(q);
}

/* A binary heap, in which an earlier put goes before a later one of the same priority. */

static queues_status_t mutex_priority_create(const queues_priority_options_t *o,
                                             queues_priority_t **queue) {
    *queue = (queues_priority_t *)locked_new(o->capacity);
    return QUEUES_OK;
}

static bool goes_before(const entry_t *a, const entry_t *b) {
    return a->priority < b->priority || (a->priority == b->priority && a->number < b->number);
}

static queues_status_t mutex_priority_put(queues_priority_t *queue, void *item, double priority,
                                          int64_t timeout_ns) {
    locked_t *q = &queue->q;
    const queues_status_t status = begin_put(q, timeout_ns);
    if (status != QUEUES_OK)
        return status;
    const entry_t entry = {.item = item, .priority = priority, .number = q->stats.enqueued};
    size_t i = q->len++;
    for (size_t parent; i > 0 && goes_before(&entry, &q->entries[parent = (i - 1) / 2]); i = parent)
        q->entries[i] = q->entries[parent];
    q->entries[i] = entry;
    return end_put(q, true);
}

static queues_status_t mutex_priority_get(queues_priority_t *queue, void **item, double *priority,
                                          int64_t timeout_ns) {
    locked_t *q = &queue->q;
    const queues_status_t status = begin_get(q, timeout_ns);
    if (status != QUEUES_OK)
        return status;
    *item = q->entries[0].item;
    *priority = q->entries[0].priority;
    const entry_t last = q->entries[--q->len];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < q->len; i = child) {
        child += child + 1 < q->len && goes_before(&q->entries[child + 1], &q->entries[child]);
        if (!goes_before(&q->entries[child], &last))
            break;
        q->entries[i] = q->entries[child];
    }
    q->entries[i] = last;
    return end_get(q);
}

static queues_status_t mutex_batch_create(const queues_batch_options_t *o, queues_batch_t **queue) {
    locked_t *q = locked_new(o->max_pending);
    q->batch_size = o->batch_size;
    q->batch_weight = o->batch_weight;
    q->batch_timeout_ns = o->batch_timeout_ns;
    *queue = (queues_batch_t *)q;
    return QUEUES_OK;
}

static bool is_due(locked_t *q) {
    return q->len > 0 && (q->closed || q->len >= q->batch_size || q->weight >= q->batch_weight ||
                          now_ns() - at(q, 0)->at_ns >= q->batch_timeout_ns);
}

static queues_status_t mutex_batch_put_weighted(queues_batch_t *queue, void *item, uint64_t weight,
                                                int64_t timeout_ns) {
    locked_t *q = &queue->q;
    const queues_status_t status = begin_put(q, timeout_ns);
    if (status != QUEUES_OK)
        return status;
    *at(q, q->len++) = (entry_t){.item = item, .weight = weight, .at_ns = now_ns()};
    q->weight += weight;
    /* The first entry sets until when a thread waits; a later one matters if it makes a batch due.
     */
    return end_put(q, q->len == 1 || is_due(q));
}

/* Takes the longest prefix up to batch_size and batch_weight, at least one entry, and unlocks. */
static queues_status_t end_batch(locked_t *q, void **items, size_t max, size_t *n) {
    uint64_t weight = 0;
    for (*n = 0; *n < q->len && *n < q->batch_size && *n < max; weight += at(q, (*n)++)->weight) {
        if (*n > 0 && weight + at(q, *n)->weight > q->batch_weight)
            break;
        items[*n] = at(q, *n)->item;
    }
    q->head = (q->head + *n) % q->stats.capacity;
    q->len -= *n;
    q->weight -= weight;
    q->stats.dequeued += *n;
    const bool more = q->len > 0;
    pthread_mutex_unlock(&q->mutex);
    pthread_cond_broadcast(&q->not_full);
    if (more)
        pthread_cond_signal(&q->not_empty);
    return QUEUES_OK;
}

/* Ends without a batch. */
static queues_status_t end_without(locked_t *q, queues_status_t otherwise) {
    const bool ended = q->closed && q->len == 0;
    q->stats.failed_dequeue += !ended;
    pthread_mutex_unlock(&q->mutex);
    return ended ? QUEUES_CLOSED : otherwise;
}

static queues_status_t mutex_batch_get_due(queues_batch_t *queue, void **items, size_t max,
                                           size_t *n) {
    locked_t *q = &queue->q;
    pthread_mutex_lock(&q->mutex);
    return is_due(q) ? end_batch(q, items, max, n) : end_without(q, QUEUES_EMPTY);
}

/* When timeout_ns is over, it takes what is pending, due or not. */
static queues_status_t mutex_batch_get_batch(queues_batch_t *queue, void **items, size_t max,
                                             size_t *n, int64_t timeout_ns) {
    locked_t *q = &queue->q;
    const int64_t end_ns = now_ns() + timeout_ns;
    pthread_mutex_lock(&q->mutex);
    while (!is_due(q) && !q->closed && now_ns() < end_ns) {
        int64_t until_ns = end_ns;
        if (q->len > 0 && at(q, 0)->at_ns + q->batch_timeout_ns < until_ns)
            until_ns = at(q, 0)->at_ns + q->batch_timeout_ns;
        const struct timespec until = {until_ns / SECOND, until_ns % SECOND};
        pthread_cond_timedwait(&q->not_empty, &q->mutex, &until);
    }
    return q->len > 0 ? end_batch(q, items, max, n) : end_without(q, QUEUES_TIMEOUT);
}

/* From here on serving.c uses these. A handle is the address of its queue. */
#define queues_mpmc_create mutex_mpmc_create
#define queues_mpmc_put mutex_mpmc_put
#define queues_mpmc_get mutex_mpmc_get
#define queues_mpmc_size(queue) locked_size(&(queue)->q)
#define queues_mpmc_close(queue) locked_close(&(queue)->q)
#define queues_mpmc_stats(queue, stats) locked_stats(&(queue)->q, stats)
#define queues_mpmc_release(queue) locked_free(&(queue)->q)
#define queues_spsc_create mutex_spsc_create
#define queues_spsc_put mutex_spsc_put
#define queues_spsc_try_get mutex_spsc_try_get
#define queues_spsc_size(queue) locked_size(&(queue)->q)
#define queues_spsc_close(queue) locked_close(&(queue)->q)
#define queues_spsc_stats(queue, stats) locked_stats(&(queue)->q, stats)
#define queues_spsc_release(queue) locked_free(&(queue)->q)
#define queues_priority_create mutex_priority_create
#define queues_priority_put mutex_priority_put
#define queues_priority_get mutex_priority_get
#define queues_priority_size(queue) locked_size(&(queue)->q)
#define queues_priority_close(queue) locked_close(&(queue)->q)
#define queues_priority_stats(queue, stats) locked_stats(&(queue)->q, stats)
#define queues_priority_release(queue) locked_free(&(queue)->q)
#define queues_deque_create mutex_deque_create
#define queues_deque_push mutex_deque_push
#define queues_deque_pop mutex_deque_pop
#define queues_deque_steal mutex_deque_steal
#define queues_deque_size(queue) locked_size(&(queue)->q)
#define queues_deque_stats(queue, stats) locked_stats(&(queue)->q, stats)
#define queues_deque_release(queue) locked_free(&(queue)->q)
#define queues_batch_create mutex_batch_create
#define queues_batch_put_weighted mutex_batch_put_weighted
#define queues_batch_get_due mutex_batch_get_due
#define queues_batch_get_batch mutex_batch_get_batch
#define queues_batch_pending_count(queue) locked_size(&(queue)->q)
#define queues_batch_close(queue) locked_close(&(queue)->q)
#define queues_batch_stats(queue, stats) locked_stats(&(queue)->q, stats)
#define queues_batch_release(queue) locked_free(&(queue)->q)

#endif
