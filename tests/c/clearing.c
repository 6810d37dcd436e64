/* What a queue says of itself while clear calls back: its size, is_full and FULL agree at each
 * moment, in every family and payload. */
#include "check.h"

enum { MOST = 200, BLOB = 100 };

static void *queue;
static size_t capacity, called;
static bool blobs;

/* Of one family: what the callback asks, and what it may do. */
#define ASK(family, SIZE, PUT, PUT_BYTES, IS_FULL)                                                 \
    static queues_status_t family##_put(void) {                                                    \
        static char item[BLOB];                                                                    \
        return blobs ? PUT_BYTES : PUT;                                                            \
    }                                                                                              \
    static void family##_agrees(void *ctx, void *item) {                                           \
        (void)ctx, (void)item;                                                                     \
        called++;                                                                                  \
        queues_stats_t stats = {.struct_size = sizeof stats};                                      \
        size_t size = queues_##family##_##SIZE(queue), room = 0;                                   \
        CHECK(size <= capacity);                                                                   \
        CHECK_OK(queues_##family##_stats(queue, &stats));                                          \
        CHECK_EQ(stats.current_size, size);                                                        \
        CHECK_EQ(stats.enqueued - stats.dequeued, size);                                           \
        CHECK_EQ(IS_FULL, size == capacity);                                                       \
        queues_status_t status;                                                                    \
        while ((status = family##_put()) == QUEUES_OK) {                                           \
            room++;                                                                                \
            CHECK_EQ(queues_##family##_##SIZE(queue), size + room);                                \
        }                                                                                          \
        CHECK_STATUS(status, QUEUES_FULL);                                                         \
        CHECK_EQ(room, capacity - size);                                                           \
        size = capacity;                                                                           \
        CHECK(IS_FULL);                                                                            \
        CHECK_OK(queues_##family##_stats(queue, &stats));                                          \
        CHECK_EQ(stats.current_size, capacity);                                                    \
        CHECK_EQ(stats.peak_size, capacity);                                                       \
    }                                                                                              \
    static void family##_while_clear_calls_back(void) {                                            \
        static const size_t capacities[] = {1, 2, 10, MOST};                                       \
        for (size_t i = 0; i < 2 * LENGTH(capacities); i++) {                                      \
            capacity = capacities[i / 2];                                                          \
            blobs = i % 2;                                                                         \
            queues_##family##_options_t options = {.struct_size = sizeof options,                  \
                                                   .item_size = blobs ? BLOB : 0,                  \
                                                   .drop = family##_agrees};                       \
            *(family##_capacity)(&options) = capacity;                                             \
            queues_##family##_t *created;                                                          \
            CHECK_OK(queues_##family##_create(&options, &created));                                \
            queue = created;                                                                       \
            for (size_t k = 0; k < capacity; k++)                                                  \
                CHECK_OK(family##_put());                                                          \
            CHECK_STATUS(family##_put(), QUEUES_FULL);                                             \
            size_t count;                                                                          \
            called = 0;                                                                            \
            CHECK_OK(queues_##family##_clear(queue, &count)); /* and not what it put */            \
            CHECK_EQ(count, capacity);                                                             \
            CHECK_EQ(called, capacity);                                                            \
            CHECK(queues_##family##_##SIZE(queue) >= capacity - 1);                                \
            CHECK_OK(queues_##family##_close(queue)); /* the last release calls back, too */       \
            while (take_##family())                                                                \
                ;                                                                                  \
            queues_##family##_release(queue);                                                      \
        }                                                                                          \
    }

static size_t *mpmc_capacity(queues_mpmc_options_t *options) { return &options->capacity; }
static size_t *spsc_capacity(queues_spsc_options_t *options) { return &options->capacity; }
static size_t *priority_capacity(queues_priority_options_t *options) { return &options->capacity; }
static size_t *batch_capacity(queues_batch_options_t *options) {
    options->batch_size = 1;
    return &options->max_pending;
}

static char buffer[BLOB];
static void *got;
static size_t len;
static double rank;
static queues_batch_blob_t where;

static bool take_mpmc(void) {
    return !(blobs ? queues_mpmc_try_get_bytes(queue, buffer, BLOB, &len)
                   : queues_mpmc_try_get(queue, &got));
}
static bool take_spsc(void) {
    return !(blobs ? queues_spsc_try_get_bytes(queue, buffer, BLOB, &len)
                   : queues_spsc_try_get(queue, &got));
}
static bool take_priority(void) {
    return !(blobs ? queues_priority_try_get_bytes(queue, buffer, BLOB, &len, &rank)
                   : queues_priority_try_get(queue, &got, &rank));
}
static bool take_batch(void) {
    size_t n;
    return !(blobs ? queues_batch_get_due_bytes(queue, buffer, BLOB, &len, &where, 1, &n)
                   : queues_batch_get_due(queue, &got, 1, &n));
}

ASK(mpmc, size, queues_mpmc_try_put(queue, item), queues_mpmc_try_put_bytes(queue, item, BLOB),
    size == capacity)
ASK(spsc, size, queues_spsc_try_put(queue, item), queues_spsc_try_put_bytes(queue, item, BLOB),
    queues_spsc_is_full(queue))
ASK(priority, size, queues_priority_try_put(queue, item, 1),
    queues_priority_try_put_bytes(queue, item, BLOB, 1), size == capacity)
ASK(batch, pending_count, queues_batch_try_put(queue, item),
    queues_batch_try_put_bytes(queue, item, BLOB), size == capacity)

/* An spsc queue is empty as soon as there is nothing to get, although a place is still taken. */
static void is_empty_means_nothing_to_get(void *ctx, void *item) {
    (void)ctx, (void)item;
    size_t left = --*(size_t *)ctx;
    CHECK_EQ(queues_spsc_is_empty(queue), left == 0);
    CHECK_STATUS(queues_spsc_peek(queue, &got), left == 0 ? QUEUES_EMPTY : QUEUES_OK);
    CHECK_EQ(queues_spsc_size(queue), left + 1);
}

static void spsc_is_empty_while_clear_calls_back(void) {
    size_t left = 3, count;
    queues_spsc_options_t options = {.struct_size = sizeof options,
                                     .capacity = 3,
                                     .drop = is_empty_means_nothing_to_get,
                                     .drop_ctx = &left};
    queues_spsc_t *created;
    CHECK_OK(queues_spsc_create(&options, &created));
    queue = created;
    for (size_t i = 0; i < 3; i++)
        CHECK_OK(queues_spsc_try_put(queue, NULL));
    CHECK_OK(queues_spsc_clear(queue, &count));
    CHECK_EQ(count, 3);
    CHECK_EQ(queues_spsc_size(queue), 0);
    queues_spsc_release(queue);
}

int main(void) {
    RUN(mpmc_while_clear_calls_back);
    RUN(spsc_while_clear_calls_back);
    RUN(priority_while_clear_calls_back);
    RUN(batch_while_clear_calls_back);
    RUN(spsc_is_empty_while_clear_calls_back);
    return 0;
}
