/* The header's rules that hold for every function, as far as no family's own tests have them:
 * counts of 0 and counts that are too large, outputs that are NULL, the sizes of structures, and
 * what statistics count as a failure. */
#include "check.h"

enum { UNTOUCHED = 77 }; /* an output that a call has not written */

static void *items[4], *item;
static char buffer[64];
static double priority;
static size_t n, len;
static queues_batch_blob_t blobs[4];

/* --- calls on many items: 0 items are OK at once, also where the array is NULL; more items than
   fit into memory are INVALID. This holds in every state of the queue. */

#define CHECK_COUNT(call_with_, count, status)                                                     \
    do {                                                                                           \
        n = UNTOUCHED;                                                                             \
        CHECK_STATUS(call_with_(count), status);                                                   \
        CHECK_EQ(n, (status) == QUEUES_OK ? 0 : UNTOUCHED);                                        \
    } while (0)

/* The queue is such that a call with items would wait forever or be refused. */
#define CHECK_COUNTS(call_with_, size)                                                             \
    do {                                                                                           \
        CHECK_COUNT(call_with_, 0, QUEUES_OK);                                                     \
        CHECK_COUNT(call_with_, SIZE_MAX, QUEUES_INVALID);                                         \
        CHECK_COUNT(call_with_, (size_t)PTRDIFF_MAX / (size) + 1, QUEUES_INVALID);                 \
    } while (0)

#define PUT_MANY(count) Q(put_many)(queue, (count) ? items : NULL, count, -1, &n)
#define GET_MANY(count) Q(get_many)(queue, (count) ? items : NULL, count, -1, &n)

#define MANY(family)                                                                               \
    static void family##_counts(void) {                                                            \
        queues_##family##_t *queue;                                                                \
        CREATE(family, &queue, .capacity = 1);                                                     \
        CHECK_COUNTS(GET_MANY, sizeof item);                                                       \
        CHECK_OK(Q(put)(queue, item, 0));                                                          \
        CHECK_COUNTS(PUT_MANY, sizeof item);                                                       \
        CHECK_OK(Q(close)(queue));                                                                 \
        CHECK_COUNTS(PUT_MANY, sizeof item);                                                       \
        CHECK_COUNTS(GET_MANY, sizeof item);                                                       \
        CHECK_OK(Q(get)(queue, &item, 0));                                                         \
        CHECK_COUNTS(GET_MANY, sizeof item);                                                       \
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

static void deque_counts(void) {
    queues_deque_t *deque;
    CREATE(deque, &deque, .capacity = 1);
    CHECK_COUNTS(STEAL_MANY, sizeof item);
    CHECK_OK(queues_deque_push(deque, item));
    CHECK_COUNTS(STEAL_MANY, sizeof item);
    queues_deque_release(deque);
}

static void batch_counts(void) {
    queues_batch_t *queue;
    CREATE(batch, &queue, .batch_size = 1);
    queues_batch_t *bytes;
    CREATE(batch, &bytes, .batch_size = 1, .item_size = 8);
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
        CHECK_COUNTS(GET_BATCH, sizeof item);
        CHECK_COUNTS(GET_DUE, sizeof item);
        CHECK_COUNTS(GET_BATCH_BYTES, sizeof *blobs);
        CHECK_COUNTS(GET_DUE_BYTES, sizeof *blobs);
    }
    queues_batch_release(queue);
    queues_batch_release(bytes);
}

/* --- outputs must not be NULL: otherwise the call returns INVALID and changes nothing */

static void null_outputs_are_refused(void) {
    queues_priority_t *pointers;
    CREATE(priority, &pointers, .capacity = 2);
    queues_priority_t *bytes;
    CREATE(priority, &bytes, .capacity = 2, .item_size = 8);
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

/* --- structures: any size from the one that the library knows to 4096 is accepted; fields that the
   library does not know are set to 0, and must be 0 where it reads them */

typedef struct {
    queues_stats_t known;
    char unknown[4096 - sizeof(queues_stats_t) + 1];
} newer_stats_t;

static void structures_of_later_versions_are_accepted(void) {
    static newer_stats_t stats;
    queues_mpmc_t *queue;
    CREATE(mpmc, &queue, .capacity = 2);
    size_t json = 0;
    const char *name = "queue";
    for (size_t size = sizeof stats.known - 1; size <= 4097; size++) {
        bool valid = size >= sizeof stats.known && size <= 4096;
        queues_status_t expected = valid ? QUEUES_TOO_SMALL : QUEUES_INVALID;
        memset(&stats, 1, sizeof stats);
        stats.known.struct_size = size;
        CHECK_STATUS(queues_mpmc_stats(queue, &stats.known), valid ? QUEUES_OK : QUEUES_INVALID);
        CHECK_EQ(stats.known.struct_size, size);
        for (size_t i = sizeof stats.known; i < sizeof stats; i++)
            CHECK_EQ(((char *)&stats)[i], valid && i < size ? 0 : 1);
        CHECK_STATUS(queues_stats_json(&stats.known, NULL, 0, &json), expected);
        CHECK_STATUS(queues_stats_prometheus(&stats.known, &name, 1, NULL, 0, &json), expected);
        if (valid && size > sizeof stats.known) {
            ((char *)&stats)[size - 1] = 1;
            CHECK_STATUS(queues_stats_json(&stats.known, NULL, 0, &json), QUEUES_INVALID);
            CHECK_STATUS(queues_stats_prometheus(&stats.known, &name, 1, NULL, 0, &json),
                         QUEUES_INVALID);
        }
    }
    queues_mpmc_release(queue);
}

/* --- statistics */

static void each_failed_call_counts_once(void) {
    queues_spsc_t *pointers;
    CREATE(spsc, &pointers, .capacity = 2);
    queues_spsc_t *bytes;
    CREATE(spsc, &bytes, .capacity = 1, .item_size = 8);
    queues_stats_t stats = {.struct_size = sizeof stats};
    void *place;
    const void *front;
    CHECK_STATUS(queues_spsc_put_many(pointers, items, 4, 0, &n), QUEUES_FULL);
    CHECK_EQ(n, 2);
    CHECK_STATUS(queues_spsc_put_many(pointers, items, 4, 1, &n), QUEUES_TIMEOUT);
    CHECK_OK(queues_spsc_get_many(pointers, items, 4, 0, &n)); /* fewer than 4: no failure */
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
    RUN(mpmc_counts);
    RUN(spsc_counts);
    RUN(deque_counts);
    RUN(batch_counts);
    RUN(null_outputs_are_refused);
    RUN(structures_of_later_versions_are_accepted);
    RUN(each_failed_call_counts_once);
    return 0;
}
