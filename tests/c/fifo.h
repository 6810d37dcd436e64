/* What every FIFO family promises: order, capacity, lengths of blobs, progress of calls on many
 * items, timeouts, close, drop callbacks and statistics. Included once, with FAMILY mpmc, spsc or
 * ties, its DEFAULT_CAPACITY, and how many WAITERS may wait at one end. */
#include "items.h"

#define PUT_BLOB Q(try_put_bytes)
#define HAS_CLEAR 1
#include "lengths.h"

static void put_all(queue_t *queue, size_t first, size_t n) {
    for (size_t i = first; i < first + n; i++)
        CHECK_OK(Q(try_put)(queue, item(i)));
}

static void get_all(queue_t *queue, size_t first, size_t n) {
    for (size_t i = first; i < first + n; i++) {
        void *got = NULL;
        CHECK_OK(Q(try_get)(queue, &got));
        CHECK_EQ(got, item(i));
    }
}

/* --- order and boundaries */

static void pointers_leave_in_order(void) {
    for (size_t capacity = 1; capacity <= MOST; capacity++) {
        queue_t *queue = pointers(capacity);
        CHECK_EQ(Q(capacity)(queue), capacity);
        /* With `kept` items always inside, the rest goes round: every size at every index. */
        for (size_t kept = 0; kept <= capacity; kept++) {
            size_t in = 0, out = 0;
            void *got = NULL;
            put_all(queue, 0, in = kept);
            for (size_t round = 0; round < 3 * capacity; round++) {
                put_all(queue, in, capacity - kept);
                in += capacity - kept;
                CHECK_EQ(Q(size)(queue), capacity);
                CHECK_STATUS(Q(try_put)(queue, item(in)), QUEUES_FULL);
                CHECK_STATUS(Q(put)(queue, item(in), 0), QUEUES_FULL);
                CHECK_STATUS(Q(put)(queue, item(in), 1), QUEUES_TIMEOUT);
                CHECK_OK(Q(peek)(queue, &got));
                CHECK_EQ(got, item(out));
                get_all(queue, out, capacity - kept);
                out += capacity - kept;
                CHECK_EQ(Q(size)(queue), kept);
            }
            get_all(queue, out, kept);
            CHECK_STATUS(Q(try_get)(queue, &got), QUEUES_EMPTY);
            CHECK_STATUS(Q(get)(queue, &got, 0), QUEUES_EMPTY);
            CHECK_STATUS(Q(get)(queue, &got, 1), QUEUES_TIMEOUT);
            CHECK_STATUS(Q(peek)(queue, &got), QUEUES_EMPTY);
            CHECK_EQ(Q(size)(queue), 0);
        }
        Q(release)(queue);
    }
}

static void any_value_is_an_item(void) {
    void *values[] = {NULL, (void *)1, (void *)2, (void *)UINTPTR_MAX, (void *)(UINTPTR_MAX - 1)};
    queue_t *queue = pointers(LENGTH(values));
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < LENGTH(values); i++)
            CHECK_OK(Q(put)(queue, values[i], -1));
        for (size_t i = 0; i < LENGTH(values); i++) {
            void *got = queue;
            CHECK_OK(Q(peek)(queue, &got));
            CHECK_EQ(got, values[i]);
            got = queue;
            CHECK_OK(Q(get)(queue, &got, -1));
            CHECK_EQ(got, values[i]);
        }
    }
    Q(release)(queue);
}

/* Gets a blob into a buffer of exactly its length, at an odd address, and checks the bytes around
 * it. */
static void expect_blob(queue_t *queue, size_t len, size_t seed) {
    unsigned char expected[128], buffer[sizeof expected + 2];
    size_t got = SIZE_MAX;
    fill(expected, len, seed);
    if (len > 0) {
        memset(buffer, 0xEE, sizeof buffer);
        CHECK_STATUS(Q(try_get_bytes)(queue, buffer, len - 1, &got), QUEUES_TOO_SMALL);
        CHECK_EQ(got, len);
        got = SIZE_MAX;
        CHECK_STATUS(Q(get_bytes)(queue, NULL, 0, &got, -1), QUEUES_TOO_SMALL);
        CHECK_EQ(got, len);
        got = SIZE_MAX;
        CHECK_STATUS(Q(peek_bytes)(queue, buffer, len - 1, &got), QUEUES_TOO_SMALL);
        CHECK_EQ(got, len);
        for (size_t i = 0; i < sizeof buffer; i++)
            CHECK_EQ(buffer[i], 0xEE);
    }
    for (int peek = 1; peek >= 0; peek--) {
        memset(buffer, 0xEE, sizeof buffer);
        got = SIZE_MAX;
        CHECK_OK(peek ? Q(peek_bytes)(queue, buffer + 1, len, &got)
                      : Q(try_get_bytes)(queue, buffer + 1, len, &got));
        CHECK_EQ(got, len);
        CHECK(memcmp(buffer + 1, expected, len) == 0);
        CHECK_EQ(buffer[0], 0xEE);
        CHECK_EQ(buffer[len + 1], 0xEE);
    }
}

static void blobs_keep_their_length_and_order(void) {
    static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 24, 63, 64, 65, 100};
    for (size_t capacity = 1; capacity <= MOST; capacity++) {
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            queue_t *queue = bytes(capacity, sizes[i]);
            unsigned char data[128];
            size_t in = 0, out = 0, lengths = sizes[i] + 1, got;
            while (out < 3 * lengths) {
                for (; in < out + capacity; in++) { /* from any address */
                    fill(data + in % 3, in % lengths, in);
                    CHECK_OK(Q(try_put_bytes)(queue, data + in % 3, in % lengths));
                }
                CHECK_STATUS(Q(try_put_bytes)(queue, data, 0), QUEUES_FULL);
                CHECK_STATUS(Q(put_bytes)(queue, data, 1, 0), QUEUES_FULL);
                CHECK_STATUS(Q(put_bytes)(queue, data, 1, 1), QUEUES_TIMEOUT);
                for (size_t taken = out % capacity + 1; taken > 0; taken--, out++)
                    expect_blob(queue, out % lengths, out);
            }
            for (; out < in; out++)
                expect_blob(queue, out % lengths, out);
            CHECK_STATUS(Q(try_get_bytes)(queue, data, sizeof data, &got), QUEUES_EMPTY);
            CHECK_STATUS(Q(get_bytes)(queue, data, sizeof data, &got, 0), QUEUES_EMPTY);
            CHECK_STATUS(Q(get_bytes)(queue, data, sizeof data, &got, 1), QUEUES_TIMEOUT);
            CHECK_STATUS(Q(peek_bytes)(queue, data, sizeof data, &got), QUEUES_EMPTY);
            Q(release)(queue);
        }
    }
}

static void null_with_no_length_is_an_empty_blob(void) {
    queue_t *queue = bytes(2, 8);
    size_t len = SIZE_MAX;
    CHECK_OK(Q(try_put_bytes)(queue, NULL, 0));
    CHECK_OK(Q(put_bytes)(queue, NULL, 0, -1));
    CHECK_OK(Q(peek_bytes)(queue, NULL, 0, &len));
    CHECK_EQ(len, 0);
    len = SIZE_MAX;
    CHECK_OK(Q(try_get_bytes)(queue, NULL, 0, &len));
    CHECK_EQ(len, 0);
    len = SIZE_MAX;
    CHECK_OK(Q(get_bytes)(queue, NULL, 0, &len, -1));
    CHECK_EQ(len, 0);
    Q(release)(queue);
}

static void the_default_capacity_has_room(void) {
    queue_t *queue = pointers(0);
    size_t capacity = Q(capacity)(queue);
    CHECK_EQ(capacity, DEFAULT_CAPACITY);
    put_all(queue, 0, capacity);
    CHECK_STATUS(Q(try_put)(queue, item(0)), QUEUES_FULL);
    get_all(queue, 0, capacity);
    Q(release)(queue);
}

/* --- many items at once */

static void many_reports_how_many_items_it_moved(void) {
    for (size_t capacity = 1; capacity <= MOST; capacity++) {
        void *in[MOST + 2], *out[MOST + 2];
        queue_t *queue = pointers(capacity);
        size_t done = SIZE_MAX;
        for (size_t i = 0; i < LENGTH(in); i++)
            in[i] = item(i);

        CHECK_STATUS(Q(get_many)(queue, out, 1, 0, &done), QUEUES_EMPTY);
        CHECK_EQ(done, 0);
        done = SIZE_MAX;
        CHECK_STATUS(Q(get_many)(queue, out, 1, 1, &done), QUEUES_TIMEOUT);
        CHECK_EQ(done, 0);
        done = SIZE_MAX;
        CHECK_OK(Q(get_many)(queue, out, 0, -1, &done));
        CHECK_EQ(done, 0);
        done = SIZE_MAX;
        CHECK_OK(Q(get_many)(queue, NULL, 0, -1, &done));
        CHECK_EQ(done, 0);

        CHECK_STATUS(Q(put_many)(queue, in, capacity + 1, 0, &done), QUEUES_FULL);
        CHECK_EQ(done, capacity);
        done = SIZE_MAX;
        CHECK_STATUS(Q(put_many)(queue, in, 1, 1, &done), QUEUES_TIMEOUT);
        CHECK_EQ(done, 0);
        done = SIZE_MAX;
        CHECK_OK(Q(put_many)(queue, in, 0, -1, &done));
        CHECK_EQ(done, 0);
        done = SIZE_MAX;
        CHECK_OK(Q(put_many)(queue, NULL, 0, -1, &done));
        CHECK_EQ(done, 0);

        /* One at a time, so that the items wrap around the end of the ring; then all of them. */
        for (size_t first = 0; first < 2 * capacity; first++) {
            CHECK_OK(Q(get_many)(queue, out, 1, -1, &done));
            CHECK_EQ(done, 1);
            CHECK_EQ(out[0], in[first % capacity]);
            CHECK_OK(Q(put_many)(queue, out, 1, -1, &done));
            CHECK_EQ(done, 1);
        }
        CHECK_OK(Q(get_many)(queue, out, capacity + 1, -1, &done));
        CHECK_EQ(done, capacity);
        for (size_t i = 0; i < capacity; i++)
            CHECK_EQ(out[i], in[i]);
        CHECK_STATUS(Q(put_many)(queue, in, capacity + 2, 1, &done), QUEUES_TIMEOUT);
        CHECK_EQ(done, capacity);

        CHECK_OK(Q(close)(queue));
        CHECK_STATUS(Q(put_many)(queue, in, 1, -1, &done), QUEUES_CLOSED);
        CHECK_EQ(done, 0);
        CHECK_OK(Q(get_many)(queue, out, LENGTH(out), -1, &done));
        CHECK_EQ(done, capacity);
        done = SIZE_MAX;
        CHECK_STATUS(Q(get_many)(queue, out, 1, -1, &done), QUEUES_CLOSED);
        CHECK_EQ(done, 0);
        Q(release)(queue);
    }
}

enum { STREAM = 500 };

static void *put_a_stream(void *queue) {
    void *items[STREAM];
    size_t done = 0;
    for (size_t i = 0; i < STREAM; i++)
        items[i] = item(i);
    CHECK_OK(Q(put_many)(queue, items, STREAM, -1, &done));
    CHECK_EQ(done, STREAM);
    return NULL;
}

static void put_many_waits_for_room(void) {
    for (size_t capacity = 1; capacity <= MOST; capacity += 4) {
        queue_t *queue = pointers(capacity);
        pthread_t producer = start(put_a_stream, queue);
        for (size_t out = 0; out < STREAM;) {
            void *items[5];
            size_t done = 0;
            CHECK_OK(Q(get_many)(queue, items, LENGTH(items), -1, &done));
            for (size_t i = 0; i < done; i++)
                CHECK_EQ(items[i], item(out++));
        }
        finish(producer);
        Q(release)(queue);
    }
}

typedef struct {
    queue_t *queue;
    size_t done;
} stream_t;

static void *put_until_closed(void *arg) {
    stream_t *stream = arg;
    void *items[STREAM] = {NULL};
    CHECK_STATUS(Q(put_many)(stream->queue, items, STREAM, -1, &stream->done), QUEUES_CLOSED);
    return NULL;
}

static void put_many_reports_what_it_put_before_a_close(void) {
    stream_t stream = {pointers(7), 0};
    pthread_t producer = start(put_until_closed, &stream);
    void *got;
    size_t out = 0;
    for (; out < STREAM / 2; out++)
        CHECK_OK(Q(get)(stream.queue, &got, -1));
    CHECK_OK(Q(close)(stream.queue));
    for (; Q(get)(stream.queue, &got, -1) == QUEUES_OK; out++)
        ;
    finish(producer);
    CHECK_STATUS(Q(try_get)(stream.queue, &got), QUEUES_CLOSED); /* and stays so */
    CHECK_EQ(stream.done, out);
    Q(release)(stream.queue);
}

/* --- time */

static void calls_that_need_not_wait_succeed_with_any_timeout(void) {
    queue_t *pointer = pointers(1), *byte = bytes(1, 1);
    for (size_t i = 0; i < LENGTH(timeouts); i++) {
        void *items[] = {item(i)}, *got = NULL;
        size_t n = 0;
        char data = (char)i, buffer = -1;
        CHECK_OK(Q(put)(pointer, item(i), timeouts[i]));
        CHECK_OK(Q(get)(pointer, &got, timeouts[i]));
        CHECK_EQ(got, item(i));
        CHECK_OK(Q(put_many)(pointer, items, 1, timeouts[i], &n));
        CHECK_OK(Q(get_many)(pointer, &got, 1, timeouts[i], &n));
        CHECK_EQ(got, item(i));
        CHECK_OK(Q(put_bytes)(byte, &data, 1, timeouts[i]));
        CHECK_OK(Q(get_bytes)(byte, &buffer, 1, &n, timeouts[i]));
        CHECK_EQ(buffer, data);
    }
    Q(release)(pointer);
    Q(release)(byte);
}

static void no_call_times_out_early(void) {
    queue_t *pointer = pointers(1), *byte = bytes(1, 1);
    void *got;
    char data = 0;
    size_t n;
    for (int64_t timeout = 1; timeout <= 16 * MILLISECOND; timeout *= 16) {
        int64_t begin = now_ns();
        CHECK_STATUS(Q(get)(pointer, &got, timeout), QUEUES_TIMEOUT);
        CHECK_STATUS(Q(get_many)(pointer, &got, 1, timeout, &n), QUEUES_TIMEOUT);
        CHECK_STATUS(Q(get_bytes)(byte, &data, 1, &n, timeout), QUEUES_TIMEOUT);
        CHECK(now_ns() - begin >= 3 * timeout);
    }
    CHECK_OK(Q(put)(pointer, item(0), 0));
    CHECK_OK(Q(put_bytes)(byte, &data, 1, 0));
    for (int64_t timeout = 1; timeout <= 16 * MILLISECOND; timeout *= 16) {
        int64_t begin = now_ns();
        CHECK_STATUS(Q(put)(pointer, item(1), timeout), QUEUES_TIMEOUT);
        CHECK_STATUS(Q(put_many)(pointer, &got, 1, timeout, &n), QUEUES_TIMEOUT);
        CHECK_STATUS(Q(put_bytes)(byte, &data, 1, timeout), QUEUES_TIMEOUT);
        CHECK(now_ns() - begin >= 3 * timeout);
    }
    Q(release)(pointer);
    Q(release)(byte);
}

typedef struct {
    queue_t *queue;
    int64_t timeout_ns;
} wait_t;

static void *get_one(void *arg) {
    wait_t *wait = arg;
    void *got = NULL;
    CHECK_OK(Q(get)(wait->queue, &got, wait->timeout_ns));
    CHECK_EQ(got, item(0));
    return NULL;
}

static void *put_one(void *arg) {
    wait_t *wait = arg;
    CHECK_OK(Q(put)(wait->queue, item(1), wait->timeout_ns));
    return NULL;
}

static void unlimited_waits_end_with_an_item_or_room(void) {
    static const int64_t unlimited[] = {INT64_MIN, -1, INT64_MAX};
    for (size_t i = 0; i < LENGTH(unlimited); i++) {
        wait_t wait = {pointers(1), unlimited[i]};
        pthread_t consumer = start(get_one, &wait);
        pause_ns(MILLISECOND);
        put_all(wait.queue, 0, 1);
        finish(consumer);
        put_all(wait.queue, 0, 1);
        pthread_t producer = start(put_one, &wait);
        pause_ns(MILLISECOND);
        get_all(wait.queue, 0, 1);
        finish(producer);
        get_all(wait.queue, 1, 1);
        Q(release)(wait.queue);
    }
}

/* --- close */

static void a_closed_queue_is_drained(void) {
    for (size_t left = 0; left <= 3; left++) {
        queue_t *queue = pointers(3);
        void *got = queue;
        put_all(queue, 0, left);
        CHECK(!Q(is_closed)(queue));
        for (int again = 0; again < 2; again++) {
            CHECK_OK(Q(close)(queue));
            CHECK(Q(is_closed)(queue));
            CHECK_STATUS(Q(try_put)(queue, item(0)), QUEUES_CLOSED);
            for (size_t i = 0; i < LENGTH(timeouts); i++)
                CHECK_STATUS(Q(put)(queue, item(0), timeouts[i]), QUEUES_CLOSED);
        }
        CHECK_EQ(Q(size)(queue), left);
        if (left > 0) {
            CHECK_OK(Q(peek)(queue, &got));
            CHECK_EQ(got, item(0));
        }
        get_all(queue, 0, left);
        got = queue;
        CHECK_STATUS(Q(try_get)(queue, &got), QUEUES_CLOSED);
        CHECK_STATUS(Q(peek)(queue, &got), QUEUES_CLOSED);
        for (size_t i = 0; i < LENGTH(timeouts); i++)
            CHECK_STATUS(Q(get)(queue, &got, timeouts[i]), QUEUES_CLOSED);
        CHECK_EQ(got, queue);
        Q(release)(queue);
    }
}

static void a_closed_queue_of_bytes_is_drained(void) {
    queue_t *queue = bytes(3, 8);
    char buffer[8];
    size_t len;
    for (size_t i = 0; i < 3; i++)
        CHECK_OK(Q(try_put_bytes)(queue, "abc", i));
    CHECK_OK(Q(close)(queue));
    CHECK_STATUS(Q(try_put_bytes)(queue, "abc", 1), QUEUES_CLOSED);
    for (size_t i = 0; i < LENGTH(timeouts); i++)
        CHECK_STATUS(Q(put_bytes)(queue, "abc", 1, timeouts[i]), QUEUES_CLOSED);
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(Q(peek_bytes)(queue, buffer, sizeof buffer, &len));
        CHECK_EQ(len, i);
        CHECK_OK(Q(get_bytes)(queue, buffer, sizeof buffer, &len, -1));
        CHECK_EQ(len, i);
    }
    CHECK_STATUS(Q(try_get_bytes)(queue, buffer, sizeof buffer, &len), QUEUES_CLOSED);
    CHECK_STATUS(Q(peek_bytes)(queue, buffer, sizeof buffer, &len), QUEUES_CLOSED);
    for (size_t i = 0; i < LENGTH(timeouts); i++)
        CHECK_STATUS(Q(get_bytes)(queue, buffer, sizeof buffer, &len, timeouts[i]), QUEUES_CLOSED);
    Q(release)(queue);
}

/* Threads that wait at one end until the queue is closed. */
static void *get_until_closed(void *queue) {
    void *got;
    CHECK_STATUS(Q(get)(queue, &got, -1), QUEUES_CLOSED);
    return NULL;
}

static void *put_to_a_full_queue(void *queue) {
    CHECK_STATUS(Q(put)(queue, item(0), INT64_MAX), QUEUES_CLOSED);
    return NULL;
}

static void close_wakes_all_waiters(void) {
    for (int round = 0; round < 20; round++) {
        queue_t *empty = pointers(1), *full = pointers(1);
        pthread_t consumers[WAITERS], producers[WAITERS];
        put_all(full, 0, 1);
        for (int i = 0; i < WAITERS; i++) {
            consumers[i] = start(get_until_closed, empty);
            producers[i] = start(put_to_a_full_queue, full);
        }
        if (round % 2)
            pause_ns(MILLISECOND);
        CHECK_OK(Q(close)(empty));
        CHECK_OK(Q(close)(full));
        for (int i = 0; i < WAITERS; i++) {
            finish(consumers[i]);
            finish(producers[i]);
        }
        get_all(full, 0, 1);
        Q(release)(empty);
        Q(release)(full);
    }
}

/* Threads that wait for one item, or for room for one. */
static void *wait_for_an_item(void *queue) {
    void *got;
    CHECK_OK(Q(get)(queue, &got, -1));
    return NULL;
}

static void *wait_for_room(void *queue) {
    CHECK_OK(Q(put)(queue, item(0), -1));
    return NULL;
}

static void one_call_wakes_a_waiter_for_each_item_or_place(void) {
    enum { ITEMS, ROOM, CLEARED_ROOM, KINDS };
    for (int round = 0; round < 20 * KINDS; round++) {
        queue_t *queue = pointers(WAITERS);
        pthread_t waiters[WAITERS];
        void *items[WAITERS] = {NULL};
        size_t n = 0;
        int kind = round % KINDS;
        if (kind != ITEMS)
            put_all(queue, 0, WAITERS);
        for (int i = 0; i < WAITERS; i++)
            waiters[i] = start(kind == ITEMS ? wait_for_an_item : wait_for_room, queue);
        if (round % 2)
            pause_ns(MILLISECOND);
        CHECK_OK(kind == ITEMS  ? Q(put_many)(queue, items, WAITERS, -1, &n)
                 : kind == ROOM ? Q(get_many)(queue, items, WAITERS, -1, &n)
                                : Q(clear)(queue, &n));
        CHECK_EQ(n, WAITERS);
        for (int i = 0; i < WAITERS; i++)
            finish(waiters[i]);
        CHECK_EQ(Q(size)(queue), kind == ITEMS ? 0 : WAITERS);
        Q(release)(queue);
    }
}

/* --- leftovers, references, callbacks */

/* Puts `in` items and gets `out` of them: exactly the others are dropped, each once. */
static void check_leftovers(bool blobs, bool clear, size_t capacity, size_t in, size_t out) {
    queue_t *queue = create((options_t){.capacity = capacity,
                                        .item_size = blobs ? 3 : 0,
                                        .drop = blobs ? drop_bytes : drop_pointer,
                                        .drop_ctx = &dropped});
    memset(&dropped, 0, sizeof dropped);
    for (unsigned char i = 0; i < in; i++) {
        unsigned char data[] = {i, 0, 0};
        CHECK_OK(blobs ? Q(try_put_bytes)(queue, data, sizeof data) : Q(try_put)(queue, item(i)));
    }
    for (size_t i = 0; i < out; i++) {
        unsigned char data[3];
        void *got;
        size_t len;
        CHECK_OK(blobs ? Q(try_get_bytes)(queue, data, sizeof data, &len)
                       : Q(try_get)(queue, &got));
    }
    size_t left = in - out, count = SIZE_MAX;
    if (clear) {
        CHECK_OK(Q(clear)(queue, &count));
        CHECK_EQ(count, left);
        CHECK_EQ(Q(size)(queue), 0);
        CHECK_EQ(stats(queue).dequeued, in);
        CHECK_EQ(dropped.total, left);
        CHECK_OK(Q(clear)(queue, &count));
        CHECK_EQ(count, 0);
    }
    CHECK(Q(retain)(queue) == queue);
    Q(release)(queue);
    CHECK_EQ(dropped.total, clear ? left : 0);
    Q(release)(queue);
    CHECK_EQ(dropped.total, left);
    for (size_t i = 0; i < sizeof places; i++)
        CHECK_EQ(dropped.times[i], i >= out && i < in);
    CHECK_EQ(dropped.ctx, left ? &dropped : NULL);
}

static void leftovers_are_dropped_once(void) {
    for (size_t capacity = 1; capacity <= MOST; capacity++)
        for (size_t in = 0; in <= capacity; in++)
            for (size_t out = 0; out <= in; out++)
                for (int kind = 0; kind < 4; kind++)
                    check_leftovers(kind & 1, kind & 2, capacity, in, out);
}

static void leftovers_need_no_callback(void) {
    queue_t *pointer = pointers(3), *byte = bytes(3, 3);
    size_t count = 0;
    put_all(pointer, 0, 3);
    CHECK_OK(Q(clear)(pointer, &count));
    CHECK_EQ(count, 3);
    put_all(pointer, 0, 3);
    CHECK_OK(Q(try_put_bytes)(byte, "abc", 3));
    CHECK_OK(Q(clear)(byte, &count));
    CHECK_EQ(count, 1);
    CHECK_OK(Q(try_put_bytes)(byte, "abc", 3));
    Q(release)(pointer);
    Q(release)(byte);
}

static void clear_leaves_a_closed_queue_drained(void) {
    queue_t *queue = pointers(3);
    void *got;
    size_t count = 0;
    put_all(queue, 0, 2);
    CHECK_OK(Q(close)(queue));
    CHECK_OK(Q(clear)(queue, &count));
    CHECK_EQ(count, 2);
    CHECK_STATUS(Q(try_get)(queue, &got), QUEUES_CLOSED);
    Q(release)(queue);
}

/* The items of a queue are queues with items; of one of them the test holds a reference. */
static void callbacks_may_release_queues(void) {
    queue_t *outer = create((options_t){.capacity = 4, .drop = drop_queue}), *held = NULL;
    memset(&dropped, 0, sizeof dropped);
    for (size_t i = 0; i < 4; i++) {
        queue_t *inner = create((options_t){.capacity = 2, .drop = drop_pointer});
        put_all(inner, i, 2);
        if (i == 0)
            held = Q(retain)(inner);
        CHECK_OK(Q(put)(outer, inner, -1));
    }
    Q(release)(outer);
    CHECK_EQ(dropped.total, 6);
    get_all(held, 0, 2);
    Q(release)(held);
    CHECK_EQ(dropped.total, 6);
}

static queue_t *refilled;

/* Calls the queue that is being cleared, and puts each item back once. */
static void put_back(void *ctx, void *dropped_item) {
    drop_pointer(ctx, dropped_item);
    CHECK(!Q(is_closed)(refilled));
    CHECK_EQ(stats(refilled).current_size, Q(size)(refilled));
    if (dropped.times[(char *)dropped_item - places] == 1)
        CHECK_OK(Q(try_put)(refilled, dropped_item));
}

static void callbacks_may_use_the_queue(void) {
    refilled = create((options_t){.capacity = 8, .drop = put_back});
    memset(&dropped, 0, sizeof dropped);
    put_all(refilled, 0, 4);
    for (size_t times = 1; times <= 2; times++) {
        size_t count = 0;
        CHECK_OK(Q(clear)(refilled,
                          &count)); /* drops only what was in the queue when clear was called */
        CHECK_EQ(count, 4);
        for (size_t i = 0; i < 4; i++)
            CHECK_EQ(dropped.times[i], times);
    }
    CHECK_EQ(Q(size)(refilled), 0);
    Q(release)(refilled);
}

/* --- statistics */

static void statistics_are_exact(void) {
    queue_t *queue = pointers(3);
    void *got, *items[] = {item(3), item(4)};
    size_t n;
    queues_stats_t s = stats(queue);
    CHECK_EQ(s.capacity, 3);
    CHECK_EQ(s.enqueued + s.dequeued + s.failed_enqueue + s.failed_dequeue + s.peak_size, 0);

    CHECK_STATUS(Q(try_get)(queue, &got), QUEUES_EMPTY);
    CHECK_STATUS(Q(get)(queue, &got, 0), QUEUES_EMPTY);
    CHECK_STATUS(Q(get)(queue, &got, 1), QUEUES_TIMEOUT);
    CHECK_EQ(stats(queue).failed_dequeue, 3);
    put_all(queue, 0, 2);
    get_all(queue, 0, 1);
    s = stats(queue);
    CHECK_EQ(s.enqueued, 2);
    CHECK_EQ(s.dequeued, 1);
    CHECK_EQ(s.current_size, 1);
    CHECK_EQ(s.peak_size, 2);
    CHECK_OK(Q(put_many)(queue, items, 2, -1, &n));
    CHECK_STATUS(Q(try_put)(queue, item(0)), QUEUES_FULL);
    CHECK_STATUS(Q(put)(queue, item(0), 1), QUEUES_TIMEOUT);
    CHECK_OK(Q(peek)(queue, &got));
    CHECK_OK(Q(close)(queue));
    CHECK_STATUS(Q(try_put)(queue, item(0)), QUEUES_CLOSED);
    CHECK_OK(Q(get_many)(queue, items, 2, -1, &n));
    CHECK_OK(Q(clear)(queue, &n));
    CHECK_STATUS(Q(try_get)(queue, &got), QUEUES_CLOSED);
    s = stats(queue);
    CHECK_EQ(s.enqueued, 4);
    CHECK_EQ(s.dequeued, 4);
    CHECK_EQ(s.failed_enqueue, 2);
    CHECK_EQ(s.failed_dequeue, 3);
    CHECK_EQ(s.peak_size, 3);
    CHECK_EQ(s.current_size, 0);
    Q(release)(queue);
}

static void run_family(void) {
    RUN(pointers_leave_in_order);
    RUN(any_value_is_an_item);
    RUN(blobs_keep_their_length_and_order);
    RUN(null_with_no_length_is_an_empty_blob);
    RUN(the_default_capacity_has_room);
    RUN(many_reports_how_many_items_it_moved);
    RUN(put_many_waits_for_room);
    RUN(put_many_reports_what_it_put_before_a_close);
    RUN(calls_that_need_not_wait_succeed_with_any_timeout);
    RUN(no_call_times_out_early);
    RUN(unlimited_waits_end_with_an_item_or_room);
    RUN(a_closed_queue_is_drained);
    RUN(a_closed_queue_of_bytes_is_drained);
    RUN(close_wakes_all_waiters);
    RUN(one_call_wakes_a_waiter_for_each_item_or_place);
    RUN(leftovers_are_dropped_once);
    RUN(leftovers_are_dropped_with_their_length);
    RUN(leftovers_need_no_callback);
    RUN(clear_leaves_a_closed_queue_drained);
    RUN(callbacks_may_release_queues);
    RUN(callbacks_may_use_the_queue);
    RUN(statistics_are_exact);
}
