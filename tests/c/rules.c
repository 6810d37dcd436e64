/* The header's rules that hold for every function, where no family's own test has them. */
#include "check.h"

enum { UNTOUCHED = 77 };

static void *items[4], *item;
static char buffer[64];
static double priority;
static size_t n, len;
static queues_batch_blob_t blobs[4];

#define CREATE(family, queue, ...)                                                                 \
    queues_##family##_t *queue;                                                                    \
    CHECK_OK(queues_##family##_create(                                                             \
        &(queues_##family##_options_t){.struct_size = sizeof(queues_##family##_options_t),         \
                                       __VA_ARGS__},                                               \
        &queue))

/* --- many: 0 is OK at once in whatever state, with any address; too many is INVALID */

#define NUMBER(call_with_, count, status)                                                          \
    do {                                                                                           \
        n = UNTOUCHED;                                                                             \
        CHECK_STATUS(call_with_(count), status);                                                   \
        CHECK_EQ(n, (status) == QUEUES_OK ? 0 : UNTOUCHED);                                        \
    } while (0)

/* Calls that would wait for ever, or be turned away, if they had anything to do. */
#define NUMBERS(call_with_, size)                                                                  \
    do {                                                                                           \
        NUMBER(call_with_, 0, QUEUES_OK);                                                          \
        NUMBER(call_with_, SIZE_MAX, QUEUES_INVALID);                                              \
        NUMBER(call_with_, (size_t)PTRDIFF_MAX / (size) + 1, QUEUES_INVALID);                      \
    } while (0)

#define PUT_MANY(count) Q(put_many)(queue, (count) ? items : NULL, count, -1, &n)
#define GET_MANY(count) Q(get_many)(queue, (count) ? items : NULL, count, -1, &n)

#define MANY(family)                                                                               \
    static void family##_numbers(void) {                                                           \
        CREATE(family, queue, .capacity = 1);                                                      \
        NUMBERS(GET_MANY, sizeof item);                                                            \
        CHECK_OK(Q(put)(queue, item, 0));                                                          \
        NUMBERS(PUT_MANY, sizeof item);                                                            \
        CHECK_OK(Q(close)(queue));                                                                 \
        NUMBERS(PUT_MANY, sizeof item);                                                            \
        NUMBERS(GET_MANY, sizeof item);                                                            \
        CHECK_OK(Q(get)(queue, &item, 0));                                                         \
        NUMBERS(GET_MANY, sizeof item);                                                            \
        Q(release)(queue);                                                                         \
    }
#define FAMILY mpmc
MANY(mpmc)
#undef FAMILY
#define FAMILY spsc
MANY(spsc)
#undef FAMILY

#define STEAL_MANY(count) queues_deque_steal_many(deque, (count) ? items : NULL, count, &n)
#define GET_BATCH(count) queues_batch_get_batch(queue, (count) ? items : NULL, count, &n, -1)
#define GET_DUE(count) queues_batch_get_due(queue, (count) ? items : NULL, count, &n)
#define GET_BATCH_BYTES(count)                                                                     \
    queues_batch_get_batch_bytes(bytes, NULL, 0, &len, (count) ? blobs : NULL, count, &n, -1)
#define GET_DUE_BYTES(count)                                                                       \
    queues_batch_get_due_bytes(bytes, NULL, 0, &len, (count) ? blobs : NULL, count, &n)

static void deque_numbers(void) {
    CREATE(deque, deque, .capacity = 1);
    NUMBERS(STEAL_MANY, sizeof item);
    CHECK_OK(queues_deque_push(deque, item));
    NUMBERS(STEAL_MANY, sizeof item);
    queues_deque_release(deque);
}

static void batch_numbers(void) {
    CREATE(batch, queue, .batch_size = 1);
    CREATE(batch, bytes, .batch_size = 1, .item_size = 8);
    for (int state = 0; state < 4; state++) {
        if (state == 1) {
            CHECK_OK(queues_batch_put(queue, item, 0));
            CHECK_OK(queues_batch_put_bytes(bytes, buffer, 8, 0));
        } else if (state == 2) {
            CHECK_OK(queues_batch_close(queue));
            CHECK_OK(queues_batch_close(bytes));
        } else if (state == 3) {
            CHECK_OK(queues_batch_get_due(queue, items, 1, &n));
            CHECK_OK(queues_batch_get_due_bytes(bytes, buffer, 8, &len, blobs, 1, &n));
        }
        NUMBERS(GET_BATCH, sizeof item);
        NUMBERS(GET_DUE, sizeof item);
        NUMBERS(GET_BATCH_BYTES, sizeof *blobs);
        NUMBERS(GET_DUE_BYTES, sizeof *blobs);
    }
    queues_batch_release(queue);
    queues_batch_release(bytes);
}

/* --- every output is wanted: without it nothing happens */

static void outputs_are_wanted(void) {
    CREATE(priority, pointers, .capacity = 2);
    CREATE(priority, bytes, .capacity = 2, .item_size = 8);
    CHECK_OK(queues_priority_try_put(pointers, item, 1));
    CHECK_OK(queues_priority_try_put_bytes(bytes, buffer, 8, 1));
    CHECK_STATUS(queues_priority_try_get(pointers, &item, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_get(pointers, &item, NULL, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_peek(pointers, &item, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_try_get_bytes(bytes, buffer, 8, &len, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_get_bytes(bytes, buffer, 8, &len, NULL, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_peek_bytes(bytes, buffer, 8, &len, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_try_get_bytes(bytes, buffer, 8, NULL, &priority), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_clear(pointers, NULL), QUEUES_INVALID);
    CHECK_EQ(queues_priority_size(pointers), 1);
    CHECK_EQ(queues_priority_size(bytes), 1);
    queues_priority_release(pointers);
    queues_priority_release(bytes);
    queues_priority_release(NULL);
}

/* --- structures: from the size that is known to 4096, and unknown fields are 0 */

typedef struct {
    queues_stats_t known;
    char unknown[4096 - sizeof(queues_stats_t) + 1];
} newer_stats_t;

static void structures_may_be_newer(void) {
    static newer_stats_t stats;
    CREATE(mpmc, queue, .capacity = 2);
    size_t json = 0;
    const char *name = "queue";
    for (size_t size = sizeof stats.known - 1; size <= 4097; size++) {
        bool right = size >= sizeof stats.known && size <= 4096;
        queues_status_t reads = right ? QUEUES_TOO_SMALL : QUEUES_INVALID;
        memset(&stats, 1, sizeof stats);
        stats.known.struct_size = size;
        CHECK_STATUS(queues_mpmc_stats(queue, &stats.known), right ? QUEUES_OK : QUEUES_INVALID);
        CHECK_EQ(stats.known.struct_size, size);
        for (size_t i = sizeof stats.known; i < sizeof stats; i++)
            CHECK_EQ(((char *)&stats)[i], right && i < size ? 0 : 1);
        CHECK_STATUS(queues_stats_json(&stats.known, NULL, 0, &json), reads);
        CHECK_STATUS(queues_stats_prometheus(&stats.known, &name, 1, NULL, 0, &json), reads);
        if (right && size > sizeof stats.known) {
            ((char *)&stats)[size - 1] = 1;
            CHECK_STATUS(queues_stats_json(&stats.known, NULL, 0, &json), QUEUES_INVALID);
            CHECK_STATUS(queues_stats_prometheus(&stats.known, &name, 1, NULL, 0, &json),
                         QUEUES_INVALID);
        }
    }
    queues_mpmc_release(queue);
}

/* --- statistics: what counts as a failure */

static void failures_are_counted_by_the_call(void) {
    CREATE(spsc, pointers, .capacity = 2);
    CREATE(spsc, bytes, .capacity = 1, .item_size = 8);
    queues_stats_t stats = {.struct_size = sizeof stats};
    void *place;
    const void *front;
    CHECK_STATUS(queues_spsc_put_many(pointers, items, 4, 0, &n), QUEUES_FULL);
    CHECK_EQ(n, 2);
    CHECK_STATUS(queues_spsc_put_many(pointers, items, 4, 1, &n), QUEUES_TIMEOUT);
    CHECK_OK(queues_spsc_get_many(pointers, items, 4, 0, &n)); /* fewer than asked for */
    CHECK_STATUS(queues_spsc_peek(pointers, &item), QUEUES_EMPTY);
    CHECK_STATUS(queues_spsc_get_many(pointers, items, 4, 1, &n), QUEUES_TIMEOUT);
    CHECK_OK(queues_spsc_stats(pointers, &stats));
    CHECK_EQ(stats.failed_enqueue, 2);
    CHECK_EQ(stats.failed_dequeue, 1);
    CHECK_STATUS(queues_spsc_front(bytes, &front, &len, 0), QUEUES_EMPTY);
    CHECK_STATUS(queues_spsc_consume(bytes), QUEUES_EMPTY);
    CHECK_OK(queues_spsc_put_bytes(bytes, buffer, 8, 0));
    CHECK_STATUS(queues_spsc_try_get_bytes(bytes, buffer, 7, &len), QUEUES_TOO_SMALL);
    CHECK_STATUS(queues_spsc_reserve(bytes, &place, 0), QUEUES_FULL);
    CHECK_OK(queues_spsc_close(bytes));
    CHECK_STATUS(queues_spsc_put_bytes(bytes, buffer, 8, 0), QUEUES_CLOSED);
    CHECK_OK(queues_spsc_consume(bytes));
    CHECK_STATUS(queues_spsc_consume(bytes), QUEUES_CLOSED);
    CHECK_OK(queues_spsc_stats(bytes, &stats));
    CHECK_EQ(stats.failed_enqueue, 1);
    CHECK_EQ(stats.failed_dequeue, 2);
    queues_spsc_release(pointers);
    queues_spsc_release(bytes);
}

int main(void) {
    RUN(mpmc_numbers);
    RUN(spsc_numbers);
    RUN(deque_numbers);
    RUN(batch_numbers);
    RUN(outputs_are_wanted);
    RUN(structures_may_be_newer);
    RUN(failures_are_counted_by_the_call);
    return 0;
}
