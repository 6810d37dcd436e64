/* The batching queue: when a batch is due and which items are in it, by number, age, weight, flush
 * and close. No item is lost or duplicated, also with several producers and consumers. */
#define FAMILY batch
#include "items.h"

#define PUT_BLOB queues_batch_try_put_bytes
#define HAS_CLEAR 1
#include "lengths.h"

#define FLAGS 0
#include "options.h"

enum { BLOB = 16 << 20, WAITERS = 4, NEVER = -1 };

static const int64_t AGE = 20 * MILLISECOND;

/* A queue in which only the number of items makes a batch due. */
static queue_t *counted(size_t max_pending, size_t batch_size) {
    return create((options_t){
        .max_pending = max_pending, .batch_size = batch_size, .batch_timeout_ns = NEVER});
}

/* A queue in which only the age of items makes a batch due, while there are fewer than 100. */
static queue_t *aged(int64_t age) {
    return create((options_t){.max_pending = 100, .batch_size = 100, .batch_timeout_ns = age});
}

static void put_all(queue_t *queue, size_t first, size_t n) {
    for (size_t i = first; i < first + n; i++)
        CHECK_OK(queues_batch_try_put(queue, item(i)));
}

static void check_items(void *const *items, size_t first, size_t n) {
    for (size_t i = 0; i < n; i++)
        CHECK_EQ(items[i], item(first + i));
}

/* A batch is due, of the n items from `first` on. */
static void get_due(queue_t *queue, size_t first, size_t n) {
    void *items[MOST];
    size_t got = SIZE_MAX;
    CHECK_OK(queues_batch_get_due(queue, items, LENGTH(items), &got));
    CHECK_EQ(got, n);
    check_items(items, first, n);
}

static void nothing_is_due(queue_t *queue) {
    void *items[MOST];
    size_t got = SIZE_MAX, pending = queues_batch_pending_count(queue);
    CHECK_STATUS(queues_batch_get_due(queue, items, LENGTH(items), &got), QUEUES_EMPTY);
    CHECK_EQ(got, SIZE_MAX);
    CHECK_EQ(queues_batch_pending_count(queue), pending);
}

/* The same by the call that waits. */
static void get_batch(queue_t *queue, int64_t timeout_ns, size_t first, size_t n) {
    void *items[MOST];
    size_t got = SIZE_MAX;
    CHECK_OK(queues_batch_get_batch(queue, items, LENGTH(items), &got, timeout_ns));
    CHECK_EQ(got, n);
    check_items(items, first, n);
}

static void no_batch(queue_t *queue, int64_t timeout_ns, queues_status_t expected) {
    void *items[1];
    size_t got = SIZE_MAX;
    CHECK_STATUS(queues_batch_get_batch(queue, items, 1, &got, timeout_ns), expected);
    CHECK_EQ(got, SIZE_MAX);
}

/* --- when a batch is due */

static void batch_size_items_are_due(void) {
    for (size_t size = 1; size <= MOST; size++) {
        for (size_t max_pending = size; max_pending <= 2 * size + 1; max_pending++) {
            queue_t *queue = counted(max_pending, size);
            CHECK_EQ(queues_batch_capacity(queue), max_pending);
            size_t in = 0, out = 0;
            for (int turn = 0; turn < 5; turn++) {
                while (in < out + size) {
                    nothing_is_due(queue);
                    put_all(queue, in++, 1);
                    CHECK_EQ(queues_batch_pending_count(queue), in - out);
                }
                put_all(queue, in, out + max_pending - in);
                in = out + max_pending;
                CHECK_STATUS(queues_batch_try_put(queue, item(in)), QUEUES_FULL);
                CHECK_STATUS(queues_batch_put(queue, item(in), 0), QUEUES_FULL);
                CHECK_STATUS(queues_batch_put(queue, item(in), 1), QUEUES_TIMEOUT);
                CHECK_STATUS(queues_batch_put_weighted(queue, item(in), 9, 0), QUEUES_FULL);
                CHECK_STATUS(queues_batch_put_weighted(queue, item(in), 9, 1), QUEUES_TIMEOUT);
                for (; in - out >= size; out += size)
                    turn % 2 ? get_due(queue, out, size) : get_batch(queue, -1, out, size);
                nothing_is_due(queue);
            }
            queues_batch_release(queue);
        }
    }
}

static void the_age_of_the_oldest_item_makes_a_batch_due(void) {
    queue_t *queue = aged(AGE);
    for (int turn = 0; turn < 3; turn++) {
        int64_t begin = now_ns();
        put_all(queue, 0, 1);
        pause_ns(AGE / 4);
        int64_t later = now_ns();
        put_all(queue, 1, 2);
        if (turn == 0) {
            get_batch(queue, -1, 0, 3);
        } else if (turn == 1) { /* polls, as an event loop does */
            void *items[3];
            size_t n = 0;
            while (queues_batch_get_due(queue, items, LENGTH(items), &n) == QUEUES_EMPTY)
                pause_ns(MILLISECOND);
            CHECK_EQ(n, 3);
        } else { /* items that a partial take leaves keep their age */
            void *first;
            size_t n = 0;
            CHECK_OK(queues_batch_get_batch(queue, &first, 1, &n, -1));
            CHECK(n == 1 && first == item(0));
            CHECK(now_ns() - begin >= AGE);
            get_batch(queue, -1, 1, 2);
            CHECK(now_ns() - later >= AGE);
        }
        CHECK(now_ns() - begin >= AGE);
    }
    queues_batch_release(queue);
}

typedef struct {
    queue_t *queue;
    atomic_bool over;
} feeder_t;
static void *put_until_over(void *arg) {
    feeder_t *feeder = arg;
    while (!feeder->over) {
        CHECK_OK(queues_batch_put(feeder->queue, item(0), -1));
        pause_ns(MILLISECOND / 10);
    }
    return NULL;
}

/* If each new item restarted the wait, the first batch would be a full queue. */
static void later_items_do_not_delay_a_batch(void) {
    enum { MANY = 10000 };
    feeder_t feeder = {.queue = create((options_t){
                           .max_pending = MANY, .batch_size = MANY, .batch_timeout_ns = AGE})};
    static void *items[MANY];
    size_t n = 0;
    pthread_t producer = start(put_until_over, &feeder);
    CHECK_OK(queues_batch_get_batch(feeder.queue, items, MANY, &n, -1));
    CHECK(n < MANY);
    feeder.over = true;
    finish(producer);
    queues_batch_release(feeder.queue);
}

static void a_flush_makes_pending_items_due(void) {
    queue_t *queue = counted(10, 3);
    CHECK_OK(queues_batch_flush(queue)); /* no item is pending */
    for (size_t turn = 0, first = 0; turn < 3; turn++) {
        put_all(queue, first, 2);
        nothing_is_due(queue);
        put_all(queue, first + 2, 6);
        CHECK_OK(queues_batch_flush(queue));
        get_due(queue, first, 3);
        get_batch(queue, -1, first + 3, 3);
        get_due(queue, first + 6, 2);
        put_all(queue, first += 8, 1); /* after the flush: not due */
        nothing_is_due(queue);
        CHECK_OK(queues_batch_flush(queue));
        put_all(queue, first + 1, 1); /* in the same batch, because the oldest item is due */
        get_due(queue, first, 2);
        first += 2;
    }
    queues_batch_release(queue);
}

static void *get_three(void *queue) {
    get_batch(queue, -1, 0, 3);
    return NULL;
}

static void a_flush_wakes_a_waiter(void) {
    for (int round = 0; round < 20; round++) {
        queue_t *queue = counted(10, 10);
        pthread_t consumer = start(get_three, queue);
        put_all(queue, 0, 3);
        if (round % 2)
            pause_ns(MILLISECOND);
        CHECK_OK(queues_batch_flush(queue));
        finish(consumer);
        queues_batch_release(queue);
    }
}

static void a_full_queue_has_a_batch(void) {
    queue_t *queue = create((options_t){.max_pending = 5,
                                        .batch_size = 5,
                                        .batch_timeout_ns = NEVER,
                                        .batch_weight = UINT64_C(1) << 40});
    for (size_t i = 0; i < 5; i++)
        CHECK_OK(queues_batch_put_weighted(queue, item(i), 0, -1));
    CHECK_STATUS(queues_batch_try_put(queue, item(5)), QUEUES_FULL);
    get_batch(queue, -1, 0, 5);
    queues_batch_release(queue);
}

static queue_t *weighed(uint64_t batch_weight, size_t batch_size) {
    return create((options_t){.max_pending = MOST,
                              .batch_size = batch_size,
                              .batch_timeout_ns = NEVER,
                              .batch_weight = batch_weight});
}

static void put_weights(queue_t *queue, size_t first, const uint64_t *weights, size_t n) {
    for (size_t i = 0; i < n; i++)
        CHECK_OK(queues_batch_put_weighted(queue, item(first + i), weights[i], 0));
}

static void batch_weight_makes_a_batch_due(void) {
    const struct {
        uint64_t weights[8]; /* the last item makes the first batch due */
        size_t n, batches[8];
    } cases[] = {
        {{100}, 1, {1}},
        {{40, 40, 20}, 3, {3}},
        {{60, 39, 60}, 3, {2}},    /* with the third the batch would be too heavy */
        {{UINT64_MAX}, 1, {1}},    /* an item above the limit is a batch alone, */
        {{10, 500}, 2, {1, 1}},    /* also behind others, */
        {{0, 0, 101}, 3, {2, 1}},  /* even if those weigh nothing */
        {{0, 0, 0, 100}, 4, {4}},  /* items of weight 0 are in the batch */
        {{1, 1, 1, 1, 1}, 5, {5}}, /* due by their number */
        {{99, UINT64_MAX, UINT64_MAX}, 3, {1, 1, 1}},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        queue_t *queue = weighed(100, 5);
        size_t n = cases[i].n, out = 0;
        put_weights(queue, 0, cases[i].weights, n - 1);
        if (n < 3 || cases[i].weights[1] <= 100)
            nothing_is_due(queue);
        put_weights(queue, n - 1, &cases[i].weights[n - 1], 1);
        for (const size_t *batch = cases[i].batches; *batch > 0; out += *batch++)
            out % 2 ? get_batch(queue, -1, out, *batch) : get_due(queue, out, *batch);
        nothing_is_due(queue);
        CHECK_EQ(queues_batch_pending_count(queue), n - out);
        if (out < n) { /* the items that are left count for the next batch, with their weights */
            put_weights(queue, n, (uint64_t[]){40}, 1);
            get_due(queue, out, n + 1 - out);
        }
        queues_batch_release(queue);
    }
}

static void weights_count_only_with_a_limit(void) {
    queue_t *without = weighed(0, 3), *with = weighed(3, 10);
    const uint64_t heavy[] = {UINT64_MAX, UINT64_MAX};
    put_weights(without, 0, heavy, 2);
    nothing_is_due(without);
    put_all(without, 2, 1);
    get_due(without, 0, 3);
    put_all(with, 0, 2); /* of weight 1 each */
    nothing_is_due(with);
    CHECK_OK(queues_batch_put(with, item(2), -1));
    get_due(with, 0, 3);
    queues_batch_release(without);
    queues_batch_release(with);
}

static void a_flush_keeps_the_limit_of_weight(void) {
    queue_t *queue = weighed(100, 10);
    put_weights(queue, 0, (uint64_t[]){50, 60, 20, 30}, 4);
    CHECK_OK(queues_batch_flush(queue));
    get_due(queue, 0, 1);
    get_due(queue, 1, 2);
    get_due(queue, 3, 1);
    put_weights(queue, 4, (uint64_t[]){50, 60, 20}, 3);
    CHECK_OK(queues_batch_close(queue));
    get_due(queue, 4, 1);
    get_due(queue, 5, 2);
    no_batch(queue, -1, QUEUES_CLOSED);
    queues_batch_release(queue);
}

/* --- the timeout of get_batch */

static void get_batch_returns_pending_items_at_its_timeout(void) {
    queue_t *queue = counted(10, 10);
    for (int64_t timeout = 1; timeout <= 16 * MILLISECOND; timeout *= 16) {
        int64_t begin = now_ns();
        no_batch(queue, timeout, QUEUES_TIMEOUT);
        CHECK(now_ns() - begin >= timeout);
        put_all(queue, 0, 4);
        begin = now_ns();
        get_batch(queue, timeout, 0, 4);
        CHECK(now_ns() - begin >= timeout);
    }
    no_batch(queue, 0, QUEUES_EMPTY);
    put_all(queue, 0, 4);
    nothing_is_due(queue);
    get_batch(queue, 0, 0, 4);
    queues_batch_release(queue);
}

static void every_timeout_goes_with_every_age(void) {
    for (size_t i = 0; i < LENGTH(timeouts); i++) {
        queue_t *queue = aged(timeouts[i]);
        const bool ages = timeouts[i] == 0 || timeouts[i] == 1; /* 0: the default */
        for (size_t k = 0; k < LENGTH(timeouts); k++) {
            const bool waits = timeouts[k] < 0 || timeouts[k] == INT64_MAX;
            size_t n = ages || !waits ? 3 : 100, out = 0, got = 0;
            void *items[100];
            for (size_t in = 0; in < n; in++)
                CHECK_OK(queues_batch_put(queue, item(in), timeouts[k]));
            /* At an age of 1 ns a batch may be due before all items are put. */
            for (; out < n; out += got) {
                CHECK_OK(queues_batch_get_batch(queue, items, 100, &got, timeouts[k]));
                check_items(items, out, got);
            }
        }
        queues_batch_release(queue);
    }
}

static void max_limits_a_batch(void) {
    queue_t *queue = counted(10, 4);
    void *items[10];
    size_t n = SIZE_MAX;
    put_all(queue, 0, 10);
    CHECK_OK(queues_batch_get_batch(queue, items, 3, &n, -1));
    CHECK_EQ(n, 3);
    check_items(items, 0, 3);
    CHECK_OK(queues_batch_get_due(queue, items, 10, &n)); /* limited by batch_size */
    CHECK_EQ(n, 4);
    check_items(items, 3, 4);
    nothing_is_due(queue); /* 3 are left */
    n = SIZE_MAX;
    CHECK_OK(queues_batch_get_due(queue, NULL, 0, &n));
    CHECK_EQ(n, 0);
    n = SIZE_MAX;
    CHECK_OK(queues_batch_get_batch(queue, items, 0, &n, -1));
    CHECK_EQ(n, 0);
    get_batch(queue, 0, 7, 3);
    queues_batch_release(queue);
}

/* --- blobs */

typedef struct {
    unsigned char bytes[64];
    size_t len, n;
    queues_batch_blob_t blobs[8];
} bytes_batch_t;

static queues_status_t get_bytes(queue_t *queue, size_t capacity, bool due, bytes_batch_t *batch) {
    memset(batch, 0xEE, sizeof *batch);
    queues_status_t status =
        due ? queues_batch_get_due_bytes(queue, batch->bytes, capacity, &batch->len, batch->blobs,
                                         LENGTH(batch->blobs), &batch->n)
            : queues_batch_get_batch_bytes(queue, batch->bytes, capacity, &batch->len, batch->blobs,
                                           LENGTH(batch->blobs), &batch->n, 1);
    const size_t written = status == QUEUES_OK ? batch->len : 0;
    for (size_t i = written; i < sizeof batch->bytes; i++)
        CHECK_EQ(batch->bytes[i], 0xEE);
    return status;
}

static void blobs_follow_each_other_without_gaps(void) {
    static const size_t lengths[] = {3, 0, 1, 8, 0, 5};
    enum { SUM = 17 };
    for (int due = 0; due < 2; due++) {
        queue_t *queue = create((options_t){
            .max_pending = 6, .item_size = 8, .batch_size = 6, .batch_timeout_ns = NEVER});
        bytes_batch_t batch;
        for (size_t turn = 0; turn < 3; turn++) {
            for (size_t i = 0; i < LENGTH(lengths); i++) {
                unsigned char data[8];
                CHECK_STATUS(get_bytes(queue, 0, true, &batch), QUEUES_EMPTY);
                fill(data, lengths[i], turn + i);
                CHECK_OK(i % 2 ? queues_batch_put_bytes(queue, data, lengths[i], -1)
                               : queues_batch_try_put_bytes(queue, data, lengths[i]));
            }
            CHECK_STATUS(queues_batch_try_put_bytes(queue, NULL, 0), QUEUES_FULL);
            CHECK_STATUS(queues_batch_put_bytes(queue, NULL, 0, 1), QUEUES_TIMEOUT);
            CHECK_STATUS(queues_batch_put_weighted_bytes(queue, NULL, 0, 1, 0), QUEUES_FULL);
            for (size_t room = 0; room < SUM; room += 4) { /* TOO_SMALL changes nothing */
                const size_t untouched = (size_t)0xEEEEEEEEEEEEEEEE;
                CHECK_STATUS(get_bytes(queue, room, due, &batch), QUEUES_TOO_SMALL);
                CHECK_EQ(batch.len, SUM);
                CHECK_EQ(batch.n, untouched);
                CHECK_EQ(queues_batch_pending_count(queue), LENGTH(lengths));
            }
            CHECK_OK(get_bytes(queue, SUM + turn, due, &batch));
            CHECK_EQ(batch.len, SUM);
            CHECK_EQ(batch.n, LENGTH(lengths));
            for (size_t i = 0, offset = 0; i < LENGTH(lengths); offset += lengths[i++]) {
                unsigned char data[8];
                fill(data, lengths[i], turn + i);
                CHECK_EQ(batch.blobs[i].offset, offset);
                CHECK_EQ(batch.blobs[i].length, lengths[i]);
                CHECK(memcmp(batch.bytes + offset, data, lengths[i]) == 0);
            }
        }
        CHECK_STATUS(get_bytes(queue, 8, false, &batch), QUEUES_TIMEOUT);
        CHECK_OK(queues_batch_close(queue));
        CHECK_STATUS(get_bytes(queue, 8, due, &batch), QUEUES_CLOSED);
        CHECK_STATUS(queues_batch_try_put_bytes(queue, NULL, 0), QUEUES_CLOSED);
        CHECK_STATUS(queues_batch_put_bytes(queue, NULL, 0, -1), QUEUES_CLOSED);
        CHECK_STATUS(queues_batch_put_weighted_bytes(queue, NULL, 0, 1, -1), QUEUES_CLOSED);
        queues_batch_release(queue);
    }
}

static void empty_blobs_need_no_buffer(void) {
    queue_t *queue = bytes(3, 8);
    queues_batch_blob_t blob = {7, 7};
    size_t len = 7, n = 7;
    for (int i = 0; i < 2; i++) {
        CHECK_OK(queues_batch_try_put_bytes(queue, NULL, 0));
        CHECK_OK(i ? queues_batch_get_due_bytes(queue, NULL, 0, &len, &blob, 1, &n)
                   : queues_batch_get_batch_bytes(queue, NULL, 0, &len, &blob, 1, &n, -1));
        CHECK(len == 0 && n == 1 && blob.offset == 0 && blob.length == 0);
        len = n = 7;
    }
    CHECK_OK(queues_batch_get_due_bytes(queue, NULL, 0, &len, NULL, 0, &n));
    CHECK(len == 0 && n == 0);
    queues_batch_release(queue);
}

static void blobs_have_weights(void) {
    queue_t *queue = create((options_t){.max_pending = 6,
                                        .item_size = 8,
                                        .batch_size = 6,
                                        .batch_timeout_ns = NEVER,
                                        .batch_weight = 10});
    bytes_batch_t batch;
    CHECK_OK(queues_batch_put_weighted_bytes(queue, "abc", 3, 9, -1));
    CHECK_STATUS(get_bytes(queue, 8, true, &batch), QUEUES_EMPTY);
    CHECK_OK(queues_batch_put_weighted_bytes(queue, "de", 2, 2, -1));
    CHECK_OK(get_bytes(queue, 8, true, &batch)); /* needs room for the first blob only */
    CHECK(batch.n == 1 && batch.len == 3 && memcmp(batch.bytes, "abc", 3) == 0);
    CHECK_OK(get_bytes(queue, 2, false, &batch)); /* at its timeout */
    CHECK(batch.n == 1 && batch.len == 2 && memcmp(batch.bytes, "de", 2) == 0);
    queues_batch_release(queue);
}

static void *use_large_blobs(void *buffer) {
    size_t len = 0, n = 0;
    queues_batch_blob_t blobs[2];
    queue_t *queue = create((options_t){.max_pending = 2, .item_size = BLOB, .batch_size = 2});
    memset(buffer, 1, BLOB);
    for (int i = 0; i < 2; i++)
        CHECK_OK(queues_batch_try_put_bytes(queue, buffer, BLOB));
    memset(buffer, 0, 2 * BLOB);
    CHECK_STATUS(queues_batch_get_due_bytes(queue, buffer, BLOB, &len, blobs, 2, &n),
                 QUEUES_TOO_SMALL);
    CHECK_EQ(len, 2 * BLOB);
    CHECK_OK(queues_batch_get_due_bytes(queue, buffer, 2 * BLOB, &len, blobs, 2, &n));
    CHECK(len == 2 * BLOB && n == 2 && blobs[1].offset == BLOB && blobs[1].length == BLOB);
    CHECK(((char *)buffer)[0] == 1 && ((char *)buffer)[2 * BLOB - 1] == 1);
    queues_batch_release(queue);
    return NULL;
}

static void large_blobs_need_no_stack(void) { run_on_small_stack(use_large_blobs, 2 * BLOB); }

/* --- close */

static void a_closed_queue_is_drained_in_batches(void) {
    for (size_t left = 0; left <= 7; left++) {
        queue_t *queue = counted(7, 3);
        size_t out = 0;
        put_all(queue, 0, left);
        CHECK(!queues_batch_is_closed(queue));
        for (int again = 0; again < 2; again++) {
            CHECK_OK(queues_batch_close(queue));
            CHECK(queues_batch_is_closed(queue));
            CHECK_STATUS(queues_batch_try_put(queue, item(0)), QUEUES_CLOSED);
            for (size_t i = 0; i < LENGTH(timeouts); i++) {
                CHECK_STATUS(queues_batch_put(queue, item(0), timeouts[i]), QUEUES_CLOSED);
                CHECK_STATUS(queues_batch_put_weighted(queue, item(0), 0, timeouts[i]),
                             QUEUES_CLOSED);
            }
        }
        CHECK_EQ(queues_batch_pending_count(queue), left);
        for (size_t n; out < left; out += n) {
            n = left - out < 3 ? left - out : 3;
            left % 2 ? get_due(queue, out, n) : get_batch(queue, -1, out, n);
        }
        void *got = queue;
        size_t n = 7;
        CHECK_STATUS(queues_batch_get_due(queue, &got, 1, &n), QUEUES_CLOSED);
        CHECK(n == 7);
        for (size_t i = 0; i < LENGTH(timeouts); i++)
            no_batch(queue, timeouts[i], QUEUES_CLOSED);
        CHECK_OK(queues_batch_flush(queue));
        queues_batch_release(queue);
    }
}

static void *get_until_closed(void *queue) {
    no_batch(queue, -1, QUEUES_CLOSED);
    return NULL;
}

static void *put_to_a_full_queue(void *queue) {
    CHECK_STATUS(queues_batch_put(queue, item(0), INT64_MAX), QUEUES_CLOSED);
    return NULL;
}

static void close_wakes_all_waiters(void) {
    for (int round = 0; round < 20; round++) {
        queue_t *empty = counted(2, 2), *full = counted(2, 2);
        pthread_t consumers[WAITERS], producers[WAITERS];
        put_all(full, 0, 2);
        for (int i = 0; i < WAITERS; i++) {
            consumers[i] = start(get_until_closed, empty);
            producers[i] = start(put_to_a_full_queue, full);
        }
        if (round % 2)
            pause_ns(MILLISECOND);
        CHECK_OK(queues_batch_close(empty));
        CHECK_OK(queues_batch_close(full));
        for (int i = 0; i < WAITERS; i++) {
            finish(consumers[i]);
            finish(producers[i]);
        }
        get_due(full, 0, 2);
        queues_batch_release(empty);
        queues_batch_release(full);
    }
}

static void *put_one(void *queue) {
    CHECK_OK(queues_batch_put(queue, item(0), -1));
    return NULL;
}

/* A batch that is got, or a clear, makes room for as many items as it removes. */
static void room_wakes_a_waiter_for_each_place(void) {
    for (int round = 0; round < 40; round++) {
        queue_t *queue = counted(WAITERS, WAITERS);
        pthread_t producers[WAITERS];
        size_t n = 0;
        put_all(queue, 0, WAITERS);
        for (int i = 0; i < WAITERS; i++)
            producers[i] = start(put_one, queue);
        if (round % 2)
            pause_ns(MILLISECOND);
        if (round % 4 < 2)
            get_batch(queue, -1, 0, WAITERS);
        else
            CHECK_OK(queues_batch_clear(queue, &n));
        for (int i = 0; i < WAITERS; i++)
            finish(producers[i]);
        CHECK_EQ(queues_batch_pending_count(queue), WAITERS);
        queues_batch_release(queue);
    }
}

/* --- leftovers, references, callbacks */

/* Puts `in` items and gets some full batches: exactly the others are dropped, each once. */
static void check_leftovers(bool blobs, bool clear, size_t in) {
    enum { SIZE = 3 };
    queue_t *queue = create((options_t){.max_pending = MOST,
                                        .batch_size = SIZE,
                                        .batch_timeout_ns = NEVER,
                                        .item_size = blobs ? SIZE : 0,
                                        .drop = blobs ? drop_bytes : drop_pointer,
                                        .drop_ctx = &dropped});
    bytes_batch_t batch;
    memset(&dropped, 0, sizeof dropped);
    for (unsigned char i = 0; i < in; i++) {
        unsigned char data[] = {i, 0, 0};
        CHECK_OK(blobs ? queues_batch_try_put_bytes(queue, data, sizeof data)
                       : queues_batch_try_put(queue, item(i)));
    }
    const size_t out = in / 2 / SIZE * SIZE, left = in - out;
    for (size_t i = 0; i < out; i += SIZE) {
        if (blobs)
            CHECK_OK(get_bytes(queue, sizeof batch.bytes, true, &batch));
        else
            get_due(queue, i, SIZE);
    }
    size_t count = SIZE_MAX;
    if (clear) {
        CHECK_OK(queues_batch_clear(queue, &count));
        CHECK_EQ(count, left);
        CHECK_EQ(queues_batch_pending_count(queue), 0);
        CHECK_EQ(stats(queue).dequeued, in);
        CHECK_EQ(dropped.total, left);
        CHECK_OK(queues_batch_clear(queue, &count));
        CHECK_EQ(count, 0);
    }
    CHECK(queues_batch_retain(queue) == queue);
    queues_batch_release(queue);
    CHECK_EQ(dropped.total, clear ? left : 0);
    queues_batch_release(queue);
    CHECK_EQ(dropped.total, left);
    for (size_t i = 0; i < sizeof places; i++)
        CHECK_EQ(dropped.times[i], i >= out && i < in);
    CHECK_EQ(dropped.ctx, left ? &dropped : NULL);
}

static void leftovers_are_dropped_once(void) {
    for (size_t in = 0; in <= MOST; in++)
        for (int kind = 0; kind < 4; kind++)
            check_leftovers(kind & 1, kind & 2, in);
}

static void leftovers_need_no_callback(void) {
    queue_t *pointer = pointers(3), *byte = bytes(3, 3);
    size_t count = 0;
    put_all(pointer, 0, 3);
    CHECK_OK(queues_batch_clear(pointer, &count));
    CHECK_EQ(count, 3);
    put_all(pointer, 0, 3);
    CHECK_OK(queues_batch_try_put_bytes(byte, "abc", 3));
    queues_batch_release(pointer);
    queues_batch_release(byte);
}

/* Items that were cleared do not count for later batches. */
static void a_clear_resets_number_weight_and_flush(void) {
    queue_t *queue = weighed(100, 3);
    size_t count = 0;
    for (int turn = 0; turn < 3; turn++) {
        put_weights(queue, 0, (uint64_t[]){60, 30}, 2);
        CHECK_OK(queues_batch_flush(queue));
        CHECK_OK(queues_batch_clear(queue, &count));
        CHECK_EQ(count, 2);
        put_weights(queue, 2, (uint64_t[]){60, 30}, 2);
        nothing_is_due(queue);
        put_weights(queue, 4, (uint64_t[]){10}, 1);
        get_due(queue, 2, 3);
    }
    put_all(queue, 0, 1);
    CHECK_OK(queues_batch_close(queue));
    CHECK_OK(queues_batch_clear(queue, &count));
    no_batch(queue, -1, QUEUES_CLOSED);
    queues_batch_release(queue);
}

/* The items of a queue are queues with items; of one of them the test holds a reference. */
static void callbacks_may_release_queues(void) {
    queue_t *outer = create((options_t){SIZED(4, 0), .drop = drop_queue}), *held = NULL;
    memset(&dropped, 0, sizeof dropped);
    for (size_t i = 0; i < 4; i++) {
        queue_t *inner = create((options_t){SIZED(2, 0), .drop = drop_pointer});
        put_all(inner, i, 2);
        if (i == 0)
            held = queues_batch_retain(inner);
        CHECK_OK(queues_batch_put(outer, inner, -1));
    }
    queues_batch_release(outer);
    CHECK_EQ(dropped.total, 6);
    get_due(held, 0, 1);
    get_due(held, 1, 1);
    queues_batch_release(held);
    CHECK_EQ(dropped.total, 6);
}

static queue_t *refilled;

/* Calls the queue that is being cleared, and puts each item back once. */
static void put_back(void *ctx, void *dropped_item) {
    drop_pointer(ctx, dropped_item);
    CHECK(!queues_batch_is_closed(refilled));
    CHECK_EQ(stats(refilled).current_size, queues_batch_pending_count(refilled));
    if (dropped.times[(char *)dropped_item - places] == 1) {
        CHECK_OK(queues_batch_try_put(refilled, dropped_item));
        CHECK_OK(queues_batch_flush(refilled));
    }
}

static void callbacks_may_use_the_queue(void) {
    refilled = create((options_t){.max_pending = 8, .batch_size = 8, .drop = put_back});
    memset(&dropped, 0, sizeof dropped);
    put_all(refilled, 0, 4);
    for (size_t times = 1; times <= 2; times++) {
        size_t count = 0;
        CHECK_OK(queues_batch_clear(
            refilled, &count)); /* drops only what was in the queue when clear was called */
        CHECK_EQ(count, 4);
        for (size_t i = 0; i < 4; i++)
            CHECK_EQ(dropped.times[i], times);
    }
    CHECK_EQ(queues_batch_pending_count(refilled), 0);
    queues_batch_release(refilled);
}

/* All weights together must stay below 2^62: (60 + 64 + 2 * 2) cells, counting spare ones, of at
 * most batch_weight + 1 each, which is what a heavier item counts. */
static void weights_have_a_limit(void) {
    queues_batch_options_t options = {
        .struct_size = sizeof options, .max_pending = 60, .batch_size = 2};
    queue_t *queue;
    size_t n;
    void *items[2];
    options.batch_weight = (UINT64_C(1) << 55) - 1;
    CHECK_STATUS(queues_batch_create(&options, &queue), QUEUES_INVALID);
    options.batch_weight--;
    CHECK_OK(queues_batch_create(&options, &queue));
    for (size_t i = 0; i < 60; i++)
        CHECK_OK(queues_batch_put_weighted(queue, item(i), UINT64_MAX, 0));
    for (size_t i = 0; i < 60; i++) {
        CHECK_OK(queues_batch_get_due(queue, items, 2, &n));
        CHECK_EQ(n, 1);
    }
    queues_batch_release(queue);
}

/* --- statistics */

static void statistics_count_items(void) {
    queue_t *queue = counted(5, 3);
    size_t n;
    queues_stats_t s = stats(queue);
    CHECK_EQ(s.capacity, 5);
    CHECK_EQ(s.enqueued + s.dequeued + s.failed_enqueue + s.failed_dequeue + s.peak_size, 0);
    nothing_is_due(queue);
    no_batch(queue, 0, QUEUES_EMPTY);
    no_batch(queue, 1, QUEUES_TIMEOUT);
    CHECK_EQ(stats(queue).failed_dequeue, 3);
    put_all(queue, 0, 5);
    CHECK_STATUS(queues_batch_try_put(queue, item(5)), QUEUES_FULL);
    CHECK_STATUS(queues_batch_put(queue, item(5), 1), QUEUES_TIMEOUT);
    get_due(queue, 0, 3);
    nothing_is_due(queue); /* 2 are pending: no failed get */
    s = stats(queue);
    CHECK_EQ(s.enqueued, 5);
    CHECK_EQ(s.dequeued, 3);
    CHECK_EQ(s.current_size, 2);
    CHECK_OK(queues_batch_close(queue));
    CHECK_STATUS(queues_batch_try_put(queue, item(0)), QUEUES_CLOSED);
    CHECK_OK(queues_batch_clear(queue, &n));
    no_batch(queue, -1, QUEUES_CLOSED);
    s = stats(queue);
    CHECK_EQ(s.enqueued, 5);
    CHECK_EQ(s.dequeued, 5);
    CHECK_EQ(s.failed_enqueue, 2);
    CHECK_EQ(s.failed_dequeue, 3);
    CHECK_EQ(s.peak_size, 5);
    CHECK_EQ(s.current_size, 0);
    queues_batch_release(queue);
}

/* --- bad input */

static void limits_are_checked(void) {
    static const struct {
        size_t max_pending, batch_size;
        uint64_t batch_weight;
        queues_status_t status;
    } cases[] = {
        {0, 0, 0, QUEUES_OK},
        {1, 1, 0, QUEUES_OK},
        {31, 0, 0, QUEUES_INVALID}, /* batch_size is 32 by default */
        {32, 0, 0, QUEUES_OK},
        {7, 8, 0, QUEUES_INVALID},
        {0, 10000, 0, QUEUES_OK}, /* max_pending is 10000 by default */
        {0, 10001, 0, QUEUES_INVALID},
        {0, 20000, 0, QUEUES_INVALID},
        {0, SIZE_MAX, 0, QUEUES_INVALID},
        {SIZE_MAX, SIZE_MAX, 0, QUEUES_INVALID},
        {SIZE_MAX / 2, SIZE_MAX / 2, 0, QUEUES_INVALID},
        {1, 1, 1, QUEUES_OK},
        {1, 1, UINT64_MAX, QUEUES_INVALID}, /* all weights together would overflow */
        {1, 1, UINT64_MAX / 2, QUEUES_INVALID},
        {1, 1, UINT64_MAX / 1000, QUEUES_OK},
        {1000, 1, UINT64_MAX / 1000, QUEUES_INVALID},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        for (size_t item_size = 0; item_size <= 1; item_size++) {
            options_t options = {.struct_size = sizeof options,
                                 .max_pending = cases[i].max_pending,
                                 .item_size = item_size,
                                 .batch_size = cases[i].batch_size,
                                 .batch_weight = cases[i].batch_weight};
            CHECK_STATUS(T(try_create)(&options), cases[i].status);
        }
    }
}

static void defaults_are_those_of_the_header(void) {
    queue_t *queue = create((options_t){.max_pending = 0});
    void *items[100];
    size_t n = 0;
    CHECK_EQ(queues_batch_capacity(queue), 10000);
    CHECK_EQ(QUEUES_BATCH_DEFAULT_SIZE, 32);
    int64_t begin = now_ns();
    put_all(queue, 0, 100);
    CHECK_OK(queues_batch_get_due(queue, items, LENGTH(items), &n));
    CHECK_EQ(n, 32);
    CHECK_OK(queues_batch_get_batch(queue, items, LENGTH(items), &n, -1));
    CHECK_EQ(n, 32);
    CHECK_OK(queues_batch_get_batch(queue, items, LENGTH(items), &n, -1));
    CHECK_EQ(n, 32);
    CHECK_OK(queues_batch_get_batch(queue, items, LENGTH(items), &n, -1));
    CHECK_EQ(n, 4);
    CHECK(now_ns() - begin >= 10 * MILLISECOND);
    queues_batch_release(queue);
}

/* Makes every call on a handle that belongs to no batching queue. */
static void handle_is_refused(void *handle) {
    queue_t *bad = handle;
    char buffer[8] = {0};
    void *items[1] = {buffer};
    queues_batch_blob_t blobs[1] = {{7, 7}};
    size_t n = 7, len = 7;
    queues_stats_t s = {.struct_size = sizeof s, .capacity = 7};
    CHECK(!queues_batch_retain(bad));
    CHECK_STATUS(queues_batch_try_put(bad, buffer), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_get_due(bad, items, 1, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_get_due(bad, items, 0, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_try_put_bytes(bad, buffer, 1), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_get_due_bytes(bad, buffer, 8, &len, blobs, 1, &n), QUEUES_INVALID);
    for (size_t i = 0; i < LENGTH(timeouts); i++) {
        const int64_t timeout = timeouts[i];
        CHECK_STATUS(queues_batch_put(bad, buffer, timeout), QUEUES_INVALID);
        CHECK_STATUS(queues_batch_put_weighted(bad, buffer, 1, timeout), QUEUES_INVALID);
        CHECK_STATUS(queues_batch_get_batch(bad, items, 1, &n, timeout), QUEUES_INVALID);
        CHECK_STATUS(queues_batch_put_bytes(bad, buffer, 1, timeout), QUEUES_INVALID);
        CHECK_STATUS(queues_batch_put_weighted_bytes(bad, buffer, 1, 1, timeout), QUEUES_INVALID);
        CHECK_STATUS(queues_batch_get_batch_bytes(bad, buffer, 8, &len, blobs, 1, &n, timeout),
                     QUEUES_INVALID);
    }
    CHECK_STATUS(queues_batch_flush(bad), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_clear(bad, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_close(bad), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_stats(bad, &s), QUEUES_INVALID);
    CHECK(queues_batch_is_closed(bad));
    CHECK_EQ(queues_batch_pending_count(bad), 0);
    CHECK_EQ(queues_batch_capacity(bad), 0);
    CHECK(n == 7 && len == 7 && s.capacity == 7 && items[0] == buffer && buffer[0] == 0);
    CHECK(blobs[0].offset == 7 && blobs[0].length == 7);
    queues_batch_release(bad);
}

static void foreign_handles_are_refused(void) {
    for_each_non_queue(handle_is_refused);
    for (size_t item_size = 0; item_size <= 8; item_size += 8) {
        queues_mpmc_t *other;
        queue_t *queue = bytes(1, item_size);
        CREATE(mpmc, &other, .capacity = 2, .item_size = item_size);
        handle_is_refused(other);
        CHECK(!queues_mpmc_is_closed(other));
        CHECK_STATUS(queues_mpmc_close((queues_mpmc_t *)queue), QUEUES_INVALID);
        CHECK(!queues_batch_is_closed(queue));
        queues_mpmc_release(other);
        queues_batch_release(queue);
    }
}

static void arguments_are_checked(void) {
    queue_t *pointer = pointers(2), *byte = bytes(2, 8);
    put_all(pointer, 0, 1);
    CHECK_OK(queues_batch_try_put_bytes(byte, "one", 3));
    const queues_stats_t pointer_before = stats(pointer), byte_before = stats(byte);
    char buffer[9] = {0};
    void *items[1] = {buffer};
    queues_batch_blob_t blobs[1] = {{7, 7}};
    size_t n = 7, len = 7;
    for (int due = 0; due < 2; due++) {
#define GET(queue, ...)                                                                            \
    CHECK_STATUS(due ? queues_batch_get_due(queue, __VA_ARGS__)                                    \
                     : queues_batch_get_batch(queue, __VA_ARGS__, -1),                             \
                 QUEUES_INVALID)
#define GET_BYTES(queue, ...)                                                                      \
    CHECK_STATUS(due ? queues_batch_get_due_bytes(queue, __VA_ARGS__)                              \
                     : queues_batch_get_batch_bytes(queue, __VA_ARGS__, -1),                       \
                 QUEUES_INVALID)
        /* an output is NULL */
        GET(pointer, items, 1, NULL);
        GET(pointer, NULL, 1, &n);
        GET_BYTES(byte, NULL, 8, &len, blobs, 1, &n);
        GET_BYTES(byte, buffer, 8, NULL, blobs, 1, &n);
        GET_BYTES(byte, buffer, 8, &len, NULL, 1, &n);
        GET_BYTES(byte, buffer, 8, &len, blobs, 1, NULL);
        /* more items than can be, or a misaligned array */
        GET(pointer, items, SIZE_MAX, &n);
        GET(pointer, items, SIZE_MAX / sizeof *items + 2, &n);
        GET(pointer, (void **)(buffer + ((uintptr_t)buffer % 2 == 0)), 1, &n);
        GET_BYTES(byte, buffer, 8, &len, blobs, SIZE_MAX / sizeof *blobs + 2, &n);
        /* the other kind of payload */
        GET(byte, items, 1, &n);
        GET(byte, items, 0, &n);
        GET_BYTES(pointer, buffer, 8, &len, blobs, 1, &n);
#undef GET
#undef GET_BYTES
    }
    CHECK_STATUS(queues_batch_clear(pointer, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_clear(byte, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_try_put_bytes(byte, NULL, 1), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_put_bytes(byte, NULL, 1, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_put_weighted_bytes(byte, NULL, 1, 1, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_try_put_bytes(byte, buffer, 9), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_put_bytes(byte, buffer, 9, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_put_weighted_bytes(byte, buffer, SIZE_MAX, 1, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_try_put(byte, items), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_put(byte, items, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_put_weighted(byte, items, 1, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_try_put_bytes(pointer, buffer, 1), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_put_bytes(pointer, NULL, 0, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_batch_put_weighted_bytes(pointer, buffer, 1, 1, -1), QUEUES_INVALID);
    T(bad_statistics_are_refused)(pointer);

    CHECK(n == 7 && len == 7 && items[0] == buffer && buffer[0] == 0);
    CHECK(blobs[0].offset == 7 && blobs[0].length == 7);
    queues_stats_t pointer_after = stats(pointer), byte_after = stats(byte);
    CHECK(memcmp(&pointer_after, &pointer_before, sizeof pointer_after) == 0);
    CHECK(memcmp(&byte_after, &byte_before, sizeof byte_after) == 0);
    get_due(pointer, 0, 1);
    CHECK_OK(queues_batch_get_due_bytes(byte, buffer, 8, &len, blobs, 1, &n));
    CHECK(n == 1 && len == 3 && memcmp(buffer, "one", 3) == 0);
    queues_batch_release(pointer);
    queues_batch_release(byte);
}

/* --- threads */

enum { PRODUCERS = 3, CONSUMERS = 3, ITEMS = 3000, SIZE = 7, MOST_WEIGHT = 20 };

/* Written by its producer and by the consumer that gets it, so that ThreadSanitizer checks the
 * handover. */
typedef struct {
    uint32_t producer, sequence;
    uint64_t weight;
    size_t times;
} task_t;

typedef enum { COUNTED, WEIGHED, AGED, BLOBS, KINDS } kind_t;

typedef struct {
    kind_t kind;
    queue_t *queue;
    task_t tasks[PRODUCERS][ITEMS];
    size_t accepted[PRODUCERS]; /* how many items of each producer the queue accepted */
    atomic_size_t batches;
} work_t;

typedef struct {
    work_t *work;
    uint32_t index;
} actor_t;

static void *produce(void *arg) {
    actor_t *self = arg;
    work_t *work = self->work;
    size_t *accepted = &work->accepted[self->index];
    for (; *accepted < ITEMS; ++*accepted) {
        task_t *task = &work->tasks[self->index][*accepted];
        *task = (task_t){self->index, (uint32_t)*accepted, *accepted % 9, 0};
        queues_status_t status =
            work->kind == BLOBS ? queues_batch_put_bytes(work->queue, &task, sizeof task, -1)
                                : queues_batch_put_weighted(work->queue, task, task->weight, -1);
        if (status != QUEUES_OK) {
            CHECK_STATUS(status, QUEUES_CLOSED);
            break;
        }
    }
    return NULL;
}

/* A batch is a contiguous part of the queue: the items of one producer have no gap. */
static void check_batch(work_t *work, task_t *const *tasks, size_t n, uint32_t *next) {
    const task_t *last[PRODUCERS] = {NULL};
    uint64_t weight = 0;
    CHECK(n > 0 && n <= SIZE);
    for (size_t i = 0; i < n; i++) {
        task_t *task = tasks[i];
        const task_t **before = &last[task->producer];
        CHECK(!*before || task->sequence == (*before)->sequence + 1);
        CHECK(task->sequence >=
              next[task->producer]); /* also between the batches of one consumer */
        next[task->producer] = task->sequence + 1;
        *before = task;
        weight += task->weight;
        CHECK_EQ(task->times++, 0);
    }
    if (work->kind == WEIGHED)
        CHECK(weight <= MOST_WEIGHT || n == 1);
    else if (work->kind != AGED && n < SIZE) /* only the last batch may be smaller */
        CHECK(queues_batch_is_closed(work->queue));
    atomic_fetch_add(&work->batches, 1);
}

/* The second consumer polls, the others wait. */
static void *consume(void *arg) {
    actor_t *self = arg;
    work_t *work = self->work;
    uint32_t next[PRODUCERS] = {0};
    for (;;) {
        task_t *tasks[SIZE];
        queues_batch_blob_t blobs[SIZE];
        size_t n = 0, len = 0;
        const bool due = self->index == 1;
        queues_status_t status;
        if (work->kind == BLOBS)
            status = due ? queues_batch_get_due_bytes(work->queue, tasks, sizeof tasks, &len, blobs,
                                                      SIZE, &n)
                         : queues_batch_get_batch_bytes(work->queue, tasks, sizeof tasks, &len,
                                                        blobs, SIZE, &n, -1);
        else
            status = due ? queues_batch_get_due(work->queue, (void **)tasks, SIZE, &n)
                         : queues_batch_get_batch(work->queue, (void **)tasks, SIZE, &n, -1);
        if (status == QUEUES_EMPTY && due) {
            sched_yield();
        } else if (status == QUEUES_OK) {
            CHECK(work->kind != BLOBS || len == n * sizeof *tasks);
            check_batch(work, tasks, n, next);
        } else {
            CHECK_STATUS(status, QUEUES_CLOSED);
            return NULL;
        }
    }
}

static void transfer_all(kind_t kind, size_t max_pending, int64_t close_after_ns) {
    static work_t work;
    memset(&work, 0, sizeof work);
    work.kind = kind;
    work.queue = create((options_t){.max_pending = max_pending,
                                    .item_size = kind == BLOBS ? sizeof(task_t *) : 0,
                                    .batch_size = SIZE,
                                    .batch_timeout_ns = kind == AGED ? 1000 : NEVER,
                                    .batch_weight = kind == WEIGHED ? MOST_WEIGHT : 0});
    actor_t actors[PRODUCERS];
    pthread_t producers[PRODUCERS], consumers[CONSUMERS];
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        actors[i] = (actor_t){&work, i};
        producers[i] = start(produce, &actors[i]);
        consumers[i] = start(consume, &actors[i]);
    }
    if (close_after_ns >= 0) {
        pause_ns(close_after_ns);
        CHECK_OK(queues_batch_close(work.queue));
    }
    for (size_t i = 0; i < PRODUCERS; i++)
        finish(producers[i]);
    CHECK_OK(queues_batch_close(work.queue));
    for (size_t i = 0; i < CONSUMERS; i++)
        finish(consumers[i]);
    size_t accepted = 0;
    for (size_t i = 0; i < PRODUCERS; i++) {
        accepted += work.accepted[i];
        CHECK(close_after_ns >= 0 || work.accepted[i] == ITEMS);
        for (size_t k = 0; k < ITEMS; k++)
            CHECK_EQ(work.tasks[i][k].times, k < work.accepted[i]);
    }
    queues_stats_t s = stats(work.queue);
    CHECK_EQ(s.enqueued, accepted);
    CHECK_EQ(s.dequeued, accepted);
    CHECK_EQ(s.current_size, 0);
    CHECK(work.batches * SIZE >= accepted);
    queues_batch_release(work.queue);
}

static void every_item_is_got_once(void) {
    for (kind_t kind = 0; kind < KINDS; kind++) {
        static const size_t capacities[] = {SIZE, SIZE + 1, 2 * SIZE, 64};
        for (size_t i = 0; i < LENGTH(capacities); i++)
            transfer_all(kind, capacities[i], -1);
        for (int64_t round = 0; round < 20; round++)
            transfer_all(kind, SIZE + (size_t)round % 3, round * round * 1000);
    }
}

/* --- the last release, while other threads are on their way out of a call */

static void *get_and_release(void *queue) {
    no_batch(queue, -1, QUEUES_CLOSED);
    queues_batch_release(queue);
    return NULL;
}

static void a_waiter_keeps_the_queue_by_its_own_reference(void) {
    for (int round = 0; round < 30; round++) {
        queue_t *queue = counted(10, 10);
        pthread_t waiters[WAITERS];
        for (int i = 0; i < WAITERS; i++)
            waiters[i] = start(get_and_release, queues_batch_retain(queue));
        if (round % 2)
            pause_ns(MILLISECOND / 10);
        CHECK_OK(queues_batch_close(queue));
        queues_batch_release(queue);
        for (int i = 0; i < WAITERS; i++)
            finish(waiters[i]);
    }
}

int main(void) {
    T(run_options)();
    RUN(limits_are_checked);
    RUN(defaults_are_those_of_the_header);
    RUN(foreign_handles_are_refused);
    RUN(arguments_are_checked);
    RUN(batch_size_items_are_due);
    RUN(the_age_of_the_oldest_item_makes_a_batch_due);
    RUN(later_items_do_not_delay_a_batch);
    RUN(a_flush_makes_pending_items_due);
    RUN(a_flush_wakes_a_waiter);
    RUN(a_full_queue_has_a_batch);
    RUN(batch_weight_makes_a_batch_due);
    RUN(weights_count_only_with_a_limit);
    RUN(a_flush_keeps_the_limit_of_weight);
    RUN(get_batch_returns_pending_items_at_its_timeout);
    RUN(every_timeout_goes_with_every_age);
    RUN(max_limits_a_batch);
    RUN(blobs_follow_each_other_without_gaps);
    RUN(empty_blobs_need_no_buffer);
    RUN(blobs_have_weights);
    RUN(large_blobs_need_no_stack);
    RUN(a_closed_queue_is_drained_in_batches);
    RUN(close_wakes_all_waiters);
    RUN(room_wakes_a_waiter_for_each_place);
    RUN(leftovers_are_dropped_once);
    RUN(leftovers_are_dropped_with_their_length);
    RUN(leftovers_need_no_callback);
    RUN(a_clear_resets_number_weight_and_flush);
    RUN(callbacks_may_release_queues);
    RUN(callbacks_may_use_the_queue);
    RUN(weights_have_a_limit);
    RUN(statistics_count_items);
    RUN(every_item_is_got_once);
    RUN(a_waiter_keeps_the_queue_by_its_own_reference);
    return 0;
}
