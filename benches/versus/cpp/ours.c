// Ours through queues.h. Links the shared library, or the static one if STATIC is defined. With
// QUEUES_INLINE the calls of `ours_inlinable` are inlined.
#include "harness.h"
#include "items.h"

#include <pthread.h>
// Results that only tell of a lost item are ignored: the sums show one.
#define QUEUES_WARN_UNUSED
#include <queues.h>
#include <semaphore.h>
#include <stdatomic.h>

#ifdef QUEUES_INLINE
#define NAME(family) "queues_" family ", inlined"
#elif defined(STATIC)
#define NAME(family) "queues_" family ", static"
#else
#define NAME(family) "queues_" family
#endif

// Ends the program unless a call succeeded.
static void expect_ok(queues_status_t status) {
    if (status != QUEUES_OK)
        fail(1, queues_status_string(status));
}

// --- first in, first out

#define ADAPTER(family)                                                                            \
    static queues_##family##_t *family##_create(size_t capacity, size_t size) {                    \
        const queues_##family##_options_t options = {                                              \
            .struct_size = sizeof options, .capacity = capacity, .item_size = size};               \
        queues_##family##_t *q;                                                                    \
        expect_ok(queues_##family##_create(&options, &q));                                         \
        return q;                                                                                  \
    }                                                                                              \
    static void family##_release(queues_##family##_t *q) { queues_##family##_release(q); }         \
    INLINE bool family##_try_put(queues_##family##_t *q, const void *item, size_t size) {          \
        return (size == 0 ? queues_##family##_try_put(q, *(void *const *)item)                     \
                          : queues_##family##_try_put_bytes(q, item, size)) == QUEUES_OK;          \
    }                                                                                              \
    INLINE bool family##_try_get(queues_##family##_t *q, void *item, size_t size) {                \
        size_t length;                                                                             \
        return (size == 0 ? queues_##family##_try_get(q, item)                                     \
                          : queues_##family##_try_get_bytes(q, item, size, &length)) == QUEUES_OK; \
    }                                                                                              \
    INLINE void family##_put(queues_##family##_t *q, const void *item, size_t size) {              \
        size == 0 ? queues_##family##_put(q, *(void *const *)item, -1)                             \
                  : queues_##family##_put_bytes(q, item, size, -1);                                \
    }                                                                                              \
    INLINE void family##_get(queues_##family##_t *q, void *item, size_t size) {                    \
        size_t length;                                                                             \
        size == 0 ? queues_##family##_get(q, item, -1)                                             \
                  : queues_##family##_get_bytes(q, item, size, &length, -1);                       \
    }                                                                                              \
    /* Words only. */                                                                              \
    static inline size_t family##_put_bulk(queues_##family##_t *q, void *items, size_t count,      \
                                           size_t size) {                                          \
        size_t moved = 0;                                                                          \
        (void)size;                                                                                \
        queues_##family##_put_many(q, items, count, 0, &moved);                                    \
        return moved;                                                                              \
    }                                                                                              \
    static inline size_t family##_get_bulk(queues_##family##_t *q, void *items, size_t count,      \
                                           size_t size) {                                          \
        size_t moved = 0;                                                                          \
        (void)size;                                                                                \
        queues_##family##_get_many(q, items, count, 0, &moved);                                    \
        return moved;                                                                              \
    }

ADAPTER(spsc)
#define QUEUE spsc
#define HANDLE queues_spsc_t
#define HAS_TRY 1
#define HAS_BLOCKING 1
#define HAS_BULK 1
#include "workloads.h"

ADAPTER(mpmc)
#define QUEUE mpmc
#define HANDLE queues_mpmc_t
#define HAS_TRY 1
#define HAS_BLOCKING 1
#define HAS_BULK 1
#include "workloads.h"

// Blobs written and read in place, in the slots of the queue.
static queues_spsc_t *in_place_create(size_t capacity, size_t size) {
    return spsc_create(capacity, size);
}
static void in_place_release(queues_spsc_t *q) { queues_spsc_release(q); }
INLINE bool in_place_try_put(queues_spsc_t *q, const void *item, size_t size) {
    void *slot;
    if (queues_spsc_reserve(q, &slot, 0) != QUEUES_OK)
        return false;
    memcpy(slot, item, size);
    queues_spsc_commit(q, size);
    return true;
}
INLINE bool in_place_try_get(queues_spsc_t *q, void *item, size_t size) {
    const void *slot;
    size_t length;
    if (queues_spsc_front(q, &slot, &length, 0) != QUEUES_OK)
        return false;
    memcpy(item, slot, size);
    queues_spsc_consume(q);
    return true;
}
#define QUEUE in_place
#define HANDLE queues_spsc_t
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 0
#include "workloads.h"

// --- priority: the queue is filled to the capacity of the case, then each thread puts an item of
// random priority and gets the lowest, in turn

struct priorities {
    queues_priority_t *queue;
    uint64_t each;
    _Atomic uint64_t got;
};

static void put_random(queues_priority_t *queue, uint64_t *state, uint64_t word) {
    expect_ok(queues_priority_try_put(queue, (void *)word, random_priority(state)));
}
static bool get_lowest(queues_priority_t *queue, uint64_t *sum) {
    void *item;
    double priority;
    if (queues_priority_try_get(queue, &item, &priority) != QUEUES_OK)
        return false;
    *sum += (uint64_t)item;
    return true;
}

static void put_and_get_random(void *context, unsigned thread) {
    struct priorities *p = context;
    uint64_t state = thread, sum = 0;
    for (uint64_t i = 1; i <= p->each; i++) {
        put_random(p->queue, &state, i);
        verify(get_lowest(p->queue, &sum), "empty although each get follows a put");
    }
    p->got += sum;
}

static bool priority_run(const struct case_spec *s, struct measurement *m) {
    const queues_priority_options_t options = {.struct_size = sizeof options,
                                               .capacity = s->capacity + s->threads};
    struct priorities p = {.queue = NULL};
    expect_ok(queues_priority_create(&options, &p.queue));
    uint64_t state = 1, put = sum_up_to(s->capacity);
    for (uint64_t i = 1; i <= s->capacity; i++)
        put_random(p.queue, &state, i);
    for (int pass = 0; pass < 2; pass++) {
        p.each = s->items / (pass == 0 ? 10 : 1) / s->threads / 2;
        put += s->threads * sum_up_to(p.each);
        m->seconds = timed(s->threads, put_and_get_random, &p);
    }
    m->items = p.each * s->threads * 2;
    uint64_t sum = 0, left = 0;
    while (get_lowest(p.queue, &sum))
        left++;
    verify(left == s->capacity, "the number of items left is not the capacity");
    verify_sum(p.got + sum, put);
    queues_priority_release(p.queue);
    return true;
}

// --- deque: alone, the owner pushes and pops in turn. With thieves it pops after every second push
// and when the deque is full, and what is left at the end

struct stealing {
    queues_deque_t *deque;
    uint64_t items;
    bool alone;
    atomic_bool finished;
    _Atomic uint64_t taken;
};

static bool pop(queues_deque_t *deque, uint64_t *sum) {
    void *item;
    if (queues_deque_pop(deque, &item) != QUEUES_OK)
        return false;
    *sum += (uint64_t)item;
    return true;
}

static void own_or_steal(void *context, unsigned thread) {
    struct stealing *t = context;
    uint64_t sum = 0;
    if (t->alone) {
        for (uint64_t i = 1; i <= t->items; i++) {
            queues_deque_push(t->deque, (void *)i);
            pop(t->deque, &sum);
        }
    } else if (thread == 0) {
        for (uint64_t i = 1; i <= t->items; i++) {
            while (queues_deque_push(t->deque, (void *)i) != QUEUES_OK)
                pop(t->deque, &sum);
            if (i % 2 == 0)
                pop(t->deque, &sum);
        }
        while (pop(t->deque, &sum)) {
        }
        t->finished = true;
    } else {
        for (;;) {
            // Loaded before the steal: if the owner had finished by then, an empty deque stays
            // empty.
            const bool last = t->finished;
            void *item;
            if (queues_deque_steal(t->deque, &item) == QUEUES_OK)
                sum += (uint64_t)item;
            else if (last)
                break;
            else
                relax();
        }
    }
    t->taken += sum;
}

static bool deque_run(const struct case_spec *s, struct measurement *m) {
    const queues_deque_options_t options = {.struct_size = sizeof options, .capacity = s->capacity};
    struct stealing t = {.alone = s->threads == 1};
    expect_ok(queues_deque_create(&options, &t.deque));
    for (int pass = 0; pass < 2; pass++) {
        t.items = s->items / (pass == 0 ? 10 : 1);
        t.finished = false;
        t.taken = 0;
        m->seconds = timed(s->threads, own_or_steal, &t);
        verify_sum(t.taken, sum_up_to(t.items));
    }
    m->items = s->items;
    queues_deque_release(t.deque);
    return true;
}

// --- batch: producers block while the queue is full; consumers get a batch when it has BATCH_SIZE
// items or when its oldest has waited for the timeout

struct batches {
    queues_batch_t *queue;
    unsigned producers, consumers;
    uint64_t each;
    atomic_uint_least64_t left, sum;
    // For lateness only: written before the put, read after the get.
    uint64_t arrival;
    sem_t taken;
};

static queues_batch_t *batch_create(const struct case_spec *s, int64_t timeout) {
    const queues_batch_options_t options = {.struct_size = sizeof options,
                                            .max_pending = s->capacity,
                                            .batch_size = BATCH_SIZE,
                                            .batch_timeout_ns = timeout};
    queues_batch_t *queue;
    expect_ok(queues_batch_create(&options, &queue));
    return queue;
}

static void put_or_get_batches(void *context, unsigned thread) {
    struct batches *b = context;
    if (thread < b->producers) {
        for (uint64_t i = 1; i <= b->each; i++)
            queues_batch_put(b->queue, (void *)i, -1);
        return;
    }
    uint64_t sum = 0;
    while (atomic_load_explicit(&b->left, memory_order_relaxed) > 0) {
        void *items[BATCH_SIZE];
        size_t count = 0, zeros = 0;
        expect_ok(queues_batch_get_batch(b->queue, items, BATCH_SIZE, &count, -1));
        for (size_t i = 0; i < count; i++) {
            sum += (uint64_t)items[i];
            zeros += items[i] == NULL;
        }
        atomic_fetch_sub_explicit(&b->left, count - zeros, memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&b->sum, sum, memory_order_relaxed);
    // Another consumer that waits gets a batch of zeros, and ends.
    for (int i = 0; b->consumers > 1 && i < BATCH_SIZE; i++)
        queues_batch_put(b->queue, NULL, -1);
}

static bool batch_stream(const struct case_spec *s, struct measurement *m) {
    struct batches b = {.queue = batch_create(s, BATCH_TIMEOUT_NS),
                        .producers = s->producers,
                        .consumers = s->consumers};
    for (int pass = 0; pass < 2; pass++) {
        b.each = s->items / (pass == 0 ? 10 : 1) / s->producers;
        b.left = b.each * s->producers;
        b.sum = 0;
        m->seconds = timed(s->threads, put_or_get_batches, &b);
        verify_sum(b.sum, s->producers * sum_up_to(b.each));
    }
    m->items = b.each * s->producers;
    queues_batch_release(b.queue);
    return true;
}

static void *send_one_by_one(void *context) {
    struct batches *b = context;
    for (uint64_t i = 1; i <= b->each; i++) {
        // After 300 us the consumer is most likely asleep.
        sleep_for(300000);
        b->arrival = now();
        queues_batch_put(b->queue, (void *)i, -1);
        sem_wait(&b->taken);
    }
    return NULL;
}

// The time from when a batch of one item became due by its timeout until the consumer had it.
static bool batch_lateness(const struct case_spec *s, struct measurement *m) {
    static struct histogram late;
    struct batches b = {.queue = batch_create(s, LATENESS_TIMEOUT_NS), .each = s->items};
    sem_init(&b.taken, 0, 0);
    const uint64_t start = now();
    pthread_t producer;
    if (pthread_create(&producer, NULL, send_one_by_one, &b) != 0)
        fail(1, "no more threads");
    for (uint64_t i = 1; i <= s->items; i++) {
        void *items[BATCH_SIZE];
        size_t count = 0;
        expect_ok(queues_batch_get_batch(b.queue, items, BATCH_SIZE, &count, -1));
        const uint64_t time = now(), due = b.arrival + LATENESS_TIMEOUT_NS;
        verify(count == 1 && (uint64_t)items[0] == i,
               "a batch with other items than the one that was put");
        record(&late, time > due ? time - due : 0);
        sem_post(&b.taken);
    }
    pthread_join(producer, NULL);
    m->seconds = (double)(now() - start) / 1e9;
    m->items = s->items;
    m->latency = &late;
    queues_batch_release(b.queue);
    return true;
}

static bool batch_run(const struct case_spec *s, struct measurement *m) {
    return is(s->shape, "lateness") ? batch_lateness(s, m) : batch_stream(s, m);
}

static const char *const spsc_cases[] = {SPSC_TRY("*"), SPSC_BLOCKING("*"), SPSC_BULK("ptr"), NULL};
static const char *const in_place_cases[] = {"spsc/1P1C/single/*/b8",    "spsc/1P1C/single/*/b16",
                                             "spsc/1P1C/single/*/b64",   "spsc/1P1C/single/*/b256",
                                             "spsc/1P1C/single/*/b1024", NULL};
static const char *const mpmc_cases[] = {MPMC_TRY, MPMC_BLOCKING, MPMC_BULK, NULL};
static const char *const priority_cases[] = {PRIORITY, NULL};
static const char *const deque_cases[] = {DEQUE, NULL};
static const char *const batch_cases[] = {BATCH, NULL};

// Those that have inlined calls.
const struct contestant ours_inlinable[] = {
    {NAME("spsc"), QUEUES_VERSION, NULL, spsc_cases, spsc_run, true},
    {NAME("spsc zero-copy"), QUEUES_VERSION, NULL, in_place_cases, in_place_run, true},
    {NAME("deque"), QUEUES_VERSION, NULL, deque_cases, deque_run, true},
    {.name = NULL},
};

const struct contestant ours[] = {
    {NAME("mpmc"), QUEUES_VERSION, NULL, mpmc_cases, mpmc_run, true},
    {NAME("priority"), QUEUES_VERSION, NULL, priority_cases, priority_run, true},
    {NAME("batch"), QUEUES_VERSION, NULL, batch_cases, batch_run, true},
    {.name = NULL},
};
