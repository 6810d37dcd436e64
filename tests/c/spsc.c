/* The SPSC queue: the tests of every FIFO family, blobs that are written and read in place, and the
 * checked mode, which reports a second producer or consumer. */
#define FAMILY spsc
enum { DEFAULT_CAPACITY = 1024, WAITERS = 1 };
#include "fifo.h"

static void is_empty_and_is_full_are_exact(void) {
    for (size_t capacity = 1; capacity <= MOST; capacity++) {
        queue_t *queue = pointers(capacity);
        for (size_t turn = 0; turn < 3; turn++) {
            for (size_t i = 0; i <= capacity; i++) {
                CHECK_EQ(queues_spsc_is_empty(queue), i == 0);
                CHECK_EQ(queues_spsc_is_full(queue), i == capacity);
                if (i < capacity)
                    put_all(queue, i, 1);
            }
            get_all(queue, 0, capacity);
        }
        Q(release)(queue);
    }
}

/* --- blobs in place */

static void reserve_and_put(queue_t *queue, size_t item_size, size_t len, size_t seed) {
    void *place = NULL;
    CHECK_OK(queues_spsc_reserve(queue, &place, 0));
    CHECK_EQ((uintptr_t)place % 8, 0);
    fill(place, item_size, seed); /* the caller may write item_size bytes and commit fewer */
    CHECK_OK(queues_spsc_commit(queue, len));
}

static void expect_front(queue_t *queue, size_t len, size_t seed) {
    unsigned char expected[128];
    const void *front = NULL;
    size_t got = SIZE_MAX;
    fill(expected, len, seed);
    CHECK_OK(queues_spsc_front(queue, &front, &got, 0));
    CHECK_EQ((uintptr_t)front % 8, 0);
    CHECK_EQ(got, len);
    CHECK(memcmp(front, expected, len) == 0);
    CHECK_OK(queues_spsc_consume(queue));
}

/* At both ends, copies and blobs in place alternate. */
static void blobs_are_written_and_read_in_place(void) {
    static const size_t sizes[] = {1, 7, 8, 9, 24, 100};
    for (size_t capacity = 1; capacity <= MOST; capacity++) {
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            queue_t *queue = bytes(capacity, sizes[i]);
            unsigned char data[128];
            const void *front;
            void *place;
            size_t in = 0, out = 0, lengths = sizes[i] + 1, len;
            while (out < 2 * lengths) {
                for (; in < out + capacity; in++) {
                    fill(data, in % lengths, in);
                    if (in % 3)
                        reserve_and_put(queue, sizes[i], in % lengths, in);
                    else
                        CHECK_OK(Q(try_put_bytes)(queue, data, in % lengths));
                }
                CHECK_STATUS(queues_spsc_reserve(queue, &place, 0), QUEUES_FULL);
                CHECK_STATUS(queues_spsc_reserve(queue, &place, 1), QUEUES_TIMEOUT);
                CHECK_STATUS(queues_spsc_commit(queue, 0), QUEUES_MISUSE);
                for (; out < in; out++) {
                    if (out % 2)
                        expect_front(queue, out % lengths, out);
                    else
                        expect_blob(queue, out % lengths, out);
                }
                CHECK_STATUS(queues_spsc_front(queue, &front, &len, 0), QUEUES_EMPTY);
                CHECK_STATUS(queues_spsc_front(queue, &front, &len, 1), QUEUES_TIMEOUT);
                CHECK_STATUS(queues_spsc_consume(queue), QUEUES_EMPTY);
            }
            Q(release)(queue);
        }
    }
}

static void a_reservation_lasts_until_the_next_put(void) {
    queue_t *queue = bytes(2, 8);
    void *place;
    CHECK_STATUS(queues_spsc_commit(queue, 0), QUEUES_MISUSE);
    CHECK_OK(queues_spsc_reserve(queue, &place, -1));
    CHECK_EQ(Q(size)(queue), 0);
    CHECK_STATUS(queues_spsc_consume(queue), QUEUES_EMPTY);
    CHECK_OK(Q(try_put_bytes)(queue, "put", 3));
    CHECK_STATUS(queues_spsc_commit(queue, 8), QUEUES_MISUSE);
    CHECK_OK(queues_spsc_reserve(queue, &place, -1));
    CHECK_OK(queues_spsc_reserve(queue, &place, -1));
    memcpy(place, "commit", 6);
    CHECK_STATUS(queues_spsc_commit(queue, 9), QUEUES_INVALID);
    CHECK_STATUS(queues_spsc_commit(queue, SIZE_MAX), QUEUES_INVALID);
    CHECK_OK(queues_spsc_commit(queue, 6));
    CHECK_STATUS(queues_spsc_commit(queue, 6), QUEUES_MISUSE);

    char buffer[8];
    size_t len;
    CHECK_OK(Q(try_get_bytes)(queue, buffer, sizeof buffer, &len));
    CHECK(len == 3 && memcmp(buffer, "put", 3) == 0);
    CHECK_OK(Q(try_get_bytes)(queue, buffer, sizeof buffer, &len));
    CHECK(len == 6 && memcmp(buffer, "commit", 6) == 0);
    CHECK_EQ(stats(queue).enqueued, 2);
    Q(release)(queue);
}

static void close_ends_reservations(void) {
    queue_t *queue = bytes(2, 8);
    void *place;
    const void *front;
    size_t len = SIZE_MAX;
    CHECK_OK(Q(try_put_bytes)(queue, "last", 4));
    CHECK_OK(queues_spsc_reserve(queue, &place, -1));
    memcpy(place, "late", 4);
    CHECK_OK(Q(close)(queue));
    CHECK_STATUS(queues_spsc_commit(queue, 4), QUEUES_CLOSED);
    for (size_t i = 0; i < LENGTH(timeouts); i++)
        CHECK_STATUS(queues_spsc_reserve(queue, &place, timeouts[i]), QUEUES_CLOSED);
    CHECK_OK(queues_spsc_front(queue, &front, &len, -1));
    CHECK(len == 4 && memcmp(front, "last", 4) == 0);
    CHECK_OK(queues_spsc_consume(queue));
    for (size_t i = 0; i < LENGTH(timeouts); i++)
        CHECK_STATUS(queues_spsc_front(queue, &front, &len, timeouts[i]), QUEUES_CLOSED);
    CHECK_STATUS(queues_spsc_consume(queue), QUEUES_CLOSED);
    CHECK_EQ(stats(queue).enqueued, 1);
    Q(release)(queue);
}

static void consumed_and_reserved_blobs_are_not_dropped(void) {
    queue_t *queue = create((options_t){.capacity = 4, .item_size = 3, .drop = drop_bytes});
    void *place;
    const void *front;
    size_t len;
    memset(&dropped, 0, sizeof dropped);
    for (unsigned char i = 0; i < 3; i++)
        CHECK_OK(Q(try_put_bytes)(queue, &i, 1));
    CHECK_OK(queues_spsc_reserve(queue, &place, 0));
    CHECK_OK(queues_spsc_consume(queue)); /* without a front before */
    CHECK_OK(queues_spsc_front(queue, &front, &len, 0));
    Q(release)(queue);
    CHECK_EQ(dropped.times[0], 0);
    CHECK_EQ(dropped.times[1], 1); /* read by front and not consumed */
    CHECK_EQ(dropped.times[2], 1);
    CHECK_EQ(dropped.total, 2);
}

static void *stream_in_place(void *queue) {
    for (size_t i = 0; i < STREAM; i++) {
        void *place;
        CHECK_OK(queues_spsc_reserve(queue, &place, -1));
        memcpy(place, &i, sizeof i);
        CHECK_OK(queues_spsc_commit(queue, sizeof i));
    }
    CHECK_OK(Q(close)(queue));
    return NULL;
}

static void reserve_and_front_wait(void) {
    for (size_t capacity = 1; capacity <= 5; capacity++) {
        queue_t *queue = bytes(capacity, sizeof(size_t));
        const void *front;
        size_t out = 0, len;
        pthread_t producer = start(stream_in_place, queue);
        for (; queues_spsc_front(queue, &front, &len, -1) == QUEUES_OK; out++) {
            CHECK_EQ(len, sizeof out);
            CHECK(memcmp(front, &out, len) == 0);
            CHECK_OK(queues_spsc_consume(queue));
        }
        CHECK_EQ(out, STREAM);
        finish(producer);
        Q(release)(queue);
    }
}

/* --- checked mode */

/* These threads wait inside a call until the main thread makes the call succeed. While the main
 * thread probes whether they are inside, it may itself be the first of two callers, so that they
 * get MISUSE: then they call again. */
static void *wait_inside_get(void *queue) {
    queues_status_t status;
    void *got;
    do
        status = Q(get)(queue, &got, -1);
    while (status == QUEUES_MISUSE);
    CHECK_OK(status);
    CHECK_EQ(got, item(0));
    return NULL;
}

static void *wait_inside_put(void *queue) {
    queues_status_t status;
    do
        status = Q(put)(queue, item(1), -1);
    while (status == QUEUES_MISUSE);
    CHECK_OK(status);
    return NULL;
}

static void *wait_inside_get_bytes(void *queue) {
    queues_status_t status;
    char buffer[8];
    size_t len;
    do
        status = Q(get_bytes)(queue, buffer, sizeof buffer, &len, -1);
    while (status == QUEUES_MISUSE);
    CHECK_OK(status);
    CHECK_EQ(len, 1);
    return NULL;
}

static void *wait_inside_put_bytes(void *queue) {
    queues_status_t status;
    do
        status = Q(put_bytes)(queue, "ab", 2, -1);
    while (status == QUEUES_MISUSE);
    CHECK_OK(status);
    return NULL;
}

static void two_consumers_are_reported(void) {
    queue_t *queue = pointers(1);
    pthread_t consumer = start(wait_inside_get, queue);
    void *got = queue;
    size_t n = SIZE_MAX;
    queues_status_t status;
    while ((status = Q(try_get)(queue, &got)) == QUEUES_EMPTY)
        pause_ns(1);
    CHECK_STATUS(status, QUEUES_MISUSE);
    CHECK_STATUS(Q(get)(queue, &got, -1), QUEUES_MISUSE);
    CHECK_STATUS(Q(peek)(queue, &got), QUEUES_MISUSE);
    CHECK_STATUS(Q(get_many)(queue, &got, 1, -1, &n), QUEUES_MISUSE);
    CHECK_STATUS(Q(clear)(queue, &n), QUEUES_MISUSE);
    CHECK_EQ(got, queue);
    CHECK_EQ(n, SIZE_MAX);
    put_all(queue, 0, 1); /* the other side is not affected */
    finish(consumer);
    CHECK_STATUS(Q(try_get)(queue, &got), QUEUES_EMPTY); /* no other consumer is inside now */
    Q(release)(queue);
}

static void two_producers_are_reported(void) {
    queue_t *queue = pointers(1);
    put_all(queue, 0, 1);
    pthread_t producer = start(wait_inside_put, queue);
    void *items[] = {item(2)};
    size_t n = SIZE_MAX;
    queues_status_t status;
    while ((status = Q(try_put)(queue, item(2))) == QUEUES_FULL)
        pause_ns(1);
    CHECK_STATUS(status, QUEUES_MISUSE);
    CHECK_STATUS(Q(put)(queue, item(2), -1), QUEUES_MISUSE);
    CHECK_STATUS(Q(put_many)(queue, items, 1, -1, &n), QUEUES_MISUSE);
    CHECK_EQ(n, SIZE_MAX);
    get_all(queue, 0, 1);
    finish(producer);
    get_all(queue, 1, 1);
    put_all(queue, 2, 1);
    Q(release)(queue);
}

static void two_consumers_of_blobs_are_reported(void) {
    queue_t *queue = bytes(1, 8);
    pthread_t consumer = start(wait_inside_get_bytes, queue);
    const void *front;
    char buffer[8];
    size_t len = SIZE_MAX;
    queues_status_t status;
    while ((status = Q(try_get_bytes)(queue, buffer, sizeof buffer, &len)) == QUEUES_EMPTY)
        pause_ns(1);
    CHECK_STATUS(status, QUEUES_MISUSE);
    CHECK_STATUS(Q(get_bytes)(queue, buffer, sizeof buffer, &len, -1), QUEUES_MISUSE);
    CHECK_STATUS(Q(peek_bytes)(queue, buffer, sizeof buffer, &len), QUEUES_MISUSE);
    CHECK_STATUS(queues_spsc_front(queue, &front, &len, -1), QUEUES_MISUSE);
    CHECK_STATUS(queues_spsc_consume(queue), QUEUES_MISUSE);
    CHECK_EQ(len, SIZE_MAX);
    CHECK_OK(Q(try_put_bytes)(queue, "a", 1));
    finish(consumer);
    CHECK_STATUS(queues_spsc_consume(queue), QUEUES_EMPTY);
    Q(release)(queue);
}

static void two_producers_of_blobs_are_reported(void) {
    queue_t *queue = bytes(1, 8);
    CHECK_OK(Q(try_put_bytes)(queue, "a", 1));
    pthread_t producer = start(wait_inside_put_bytes, queue);
    void *place;
    queues_status_t status;
    while ((status = Q(try_put_bytes)(queue, "abc", 3)) == QUEUES_FULL)
        pause_ns(1);
    CHECK_STATUS(status, QUEUES_MISUSE);
    CHECK_STATUS(Q(put_bytes)(queue, "abc", 3, -1), QUEUES_MISUSE);
    CHECK_STATUS(queues_spsc_reserve(queue, &place, -1), QUEUES_MISUSE);
    CHECK_STATUS(queues_spsc_commit(queue, 0), QUEUES_MISUSE);
    CHECK_OK(queues_spsc_consume(queue));
    finish(producer);
    CHECK_OK(queues_spsc_consume(queue));
    CHECK_OK(queues_spsc_reserve(queue, &place, -1));
    Q(release)(queue);
}

/* A drop callback of clear. Clear counts as a get, so in checked mode the callback may put but not
 * get. */
static void put_and_get(void *q, void *cleared) {
    queue_t *queue = *(queue_t **)q;
    const queues_status_t expected = flags ? QUEUES_MISUSE : QUEUES_OK;
    void *got = NULL;
    size_t n;
    CHECK_OK(Q(try_put)(queue, cleared));
    CHECK_STATUS(Q(peek)(queue, &got), expected);
    CHECK_STATUS(Q(try_get)(queue, &got), expected);
    CHECK_EQ(got, flags ? NULL : cleared);
    CHECK_STATUS(Q(clear)(queue, &n), flags ? QUEUES_MISUSE : QUEUES_OK);
}

static void checked_callbacks_of_clear_may_not_get(void) {
    for (int checked = 0; checked <= 1; checked++) {
        queue_t *queue;
        size_t n;
        flags = checked ? QUEUES_SPSC_CHECKED : 0;
        CREATE(spsc, &queue, .capacity = 2, .flags = flags, .drop = put_and_get,
               .drop_ctx = &queue);
        put_all(queue, 1, 1);
        CHECK_OK(Q(clear)(queue, &n));
        CHECK_EQ(n, 1);
        CHECK_EQ(Q(size)(queue), checked);
        get_all(queue, 1, (size_t)checked);
        Q(release)(queue);
    }
}

static void run_all(void) {
    run_family();
    RUN(is_empty_and_is_full_are_exact);
    RUN(blobs_are_written_and_read_in_place);
    RUN(a_reservation_lasts_until_the_next_put);
    RUN(close_ends_reservations);
    RUN(consumed_and_reserved_blobs_are_not_dropped);
    RUN(reserve_and_front_wait);
}

int main(void) {
    run_all();
    fprintf(stderr, "checked:\n");
    flags = QUEUES_SPSC_CHECKED;
    run_all();
    RUN(checked_callbacks_of_clear_may_not_get);
    RUN(two_consumers_are_reported);
    RUN(two_producers_are_reported);
    RUN(two_consumers_of_blobs_are_reported);
    RUN(two_producers_of_blobs_are_reported);
    return 0;
}
