/* The work-stealing deque: the owner pushes and pops the newest item, thieves steal the oldest, and
 * each item is taken once. Fixed and growable deques, with and without the checked mode. */
#define FAMILY deque
#include "items.h"

#define PUT_BLOB queues_deque_push_bytes
#define HAS_CLEAR 0
#include "lengths.h"

#define FLAGS (QUEUES_DEQUE_GROWABLE | QUEUES_DEQUE_CHECKED)
#include "options.h"

enum { LARGE = 1 << 20 };

static queue_t *growable(options_t options) {
    queue_t *deque = NULL;
    options.struct_size = sizeof options;
    options.flags = flags | QUEUES_DEQUE_GROWABLE;
    CHECK_OK(queues_deque_create(&options, &deque));
    return deque;
}

static void push_all(queue_t *deque, size_t first, size_t n) {
    for (size_t i = first; i < first + n; i++)
        CHECK_OK(queues_deque_push(deque, item(i)));
}

/* Pops the n items before `end`, the newest first. */
static void pop_all(queue_t *deque, size_t end, size_t n) {
    for (size_t i = end; i > end - n; i--) {
        void *got = NULL;
        CHECK_OK(queues_deque_pop(deque, &got));
        CHECK_EQ(got, item(i - 1));
    }
}

static void steal_all(queue_t *deque, size_t first, size_t n) {
    for (size_t i = first; i < first + n; i++) {
        void *got = NULL;
        CHECK_OK(queues_deque_steal(deque, &got));
        CHECK_EQ(got, item(i));
    }
}

/* --- order and boundaries */

static void pops_take_the_newest_and_steals_the_oldest(void) {
    for (size_t capacity = 1; capacity <= MOST; capacity++) {
        queue_t *deque = pointers(capacity);
        CHECK_EQ(queues_deque_capacity(deque), capacity);
        /* With `kept` items always inside, the rest goes round: every size at every index. */
        for (size_t kept = 0; kept <= capacity; kept++) {
            size_t in = 0, out = 0;
            void *got = deque;
            push_all(deque, 0, in = kept);
            for (size_t turn = 0; turn < 3 * capacity; turn++) {
                CHECK_EQ(queues_deque_is_empty(deque), kept == 0);
                push_all(deque, in, capacity - kept);
                in += capacity - kept;
                CHECK_EQ(queues_deque_size(deque), capacity);
                CHECK(!queues_deque_is_empty(deque));
                CHECK_STATUS(queues_deque_push(deque, item(in)), QUEUES_FULL);
                size_t popped = (capacity - kept) / 2, stolen = capacity - kept - popped;
                pop_all(deque, in, popped);
                in -= popped;
                steal_all(deque, out, stolen);
                out += stolen;
                CHECK_EQ(queues_deque_size(deque), kept);
            }
            pop_all(deque, in, kept);
            CHECK_STATUS(queues_deque_pop(deque, &got), QUEUES_EMPTY);
            CHECK_STATUS(queues_deque_steal(deque, &got), QUEUES_EMPTY);
            CHECK_EQ(got, deque);
            CHECK_EQ(queues_deque_size(deque), 0);
        }
        queues_deque_release(deque);
    }
}

static void any_value_is_an_item(void) {
    void *values[] = {NULL, (void *)1, (void *)2, (void *)UINTPTR_MAX, (void *)(UINTPTR_MAX - 1)};
    queue_t *deque = pointers(1);
    for (size_t i = 0; i < LENGTH(values); i++) {
        void *got = deque;
        CHECK_OK(queues_deque_push(deque, values[i]));
        CHECK_OK(queues_deque_pop(deque, &got));
        CHECK_EQ(got, values[i]);
        got = deque;
        CHECK_OK(queues_deque_push(deque, values[i]));
        CHECK_OK(queues_deque_steal(deque, &got));
        CHECK_EQ(got, values[i]);
    }
    queues_deque_release(deque);
}

typedef queues_status_t take_bytes_t(queue_t *, void *, size_t, size_t *);

/* Takes a blob into a buffer of exactly its length, at an odd address, and checks the bytes around
 * it. */
static void expect_blob(take_bytes_t *take, queue_t *deque, size_t len, size_t seed) {
    unsigned char expected[128], buffer[sizeof expected + 2];
    size_t got = SIZE_MAX;
    fill(expected, len, seed);
    memset(buffer, 0xEE, sizeof buffer);
    if (len > 0) {
        CHECK_STATUS(take(deque, buffer + 1, len - 1, &got), QUEUES_TOO_SMALL);
        CHECK_EQ(got, len);
        got = SIZE_MAX;
        CHECK_STATUS(take(deque, NULL, 0, &got), QUEUES_TOO_SMALL);
        CHECK_EQ(got, len);
        got = SIZE_MAX;
    }
    CHECK_OK(take(deque, buffer + 1, len, &got));
    CHECK_EQ(got, len);
    CHECK(memcmp(buffer + 1, expected, len) == 0);
    CHECK_EQ(buffer[0], 0xEE);
    CHECK_EQ(buffer[len + 1], 0xEE);
}

static void blobs_keep_their_length(void) {
    static const size_t sizes[] = {1, 2, 7, 8, 9, 16, 17, 63, 64, 65, 100};
    for (size_t capacity = 1; capacity <= 5; capacity++) {
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            queue_t *deque = bytes(capacity, sizes[i]);
            unsigned char data[128];
            size_t in = 0, out = 0, lengths = sizes[i] + 1, got = SIZE_MAX;
            while (in < 3 * lengths) {
                for (; in < out + capacity; in++) { /* from any address */
                    fill(data + in % 3, in % lengths, in);
                    CHECK_OK(queues_deque_push_bytes(deque, data + in % 3, in % lengths));
                }
                CHECK_STATUS(queues_deque_push_bytes(deque, data, 0), QUEUES_FULL);
                expect_blob(queues_deque_steal_bytes, deque, out % lengths, out);
                out++;
            }
            for (; in > out; in--)
                expect_blob(queues_deque_pop_bytes, deque, (in - 1) % lengths, in - 1);
            CHECK_STATUS(queues_deque_pop_bytes(deque, data, sizeof data, &got), QUEUES_EMPTY);
            CHECK_STATUS(queues_deque_steal_bytes(deque, data, sizeof data, &got), QUEUES_EMPTY);
            CHECK_STATUS(queues_deque_pop_bytes(deque, NULL, 0, &got), QUEUES_EMPTY);
            CHECK_STATUS(queues_deque_steal_bytes(deque, NULL, 0, &got), QUEUES_EMPTY);
            CHECK_EQ(got, SIZE_MAX);
            queues_deque_release(deque);
        }
    }
}

static void null_with_no_length_is_an_empty_blob(void) {
    queue_t *deque = bytes(2, 8);
    size_t len = SIZE_MAX;
    CHECK_OK(queues_deque_push_bytes(deque, NULL, 0));
    CHECK_OK(queues_deque_push_bytes(deque, NULL, 0));
    CHECK_OK(queues_deque_pop_bytes(deque, NULL, 0, &len));
    CHECK_EQ(len, 0);
    len = SIZE_MAX;
    CHECK_OK(queues_deque_steal_bytes(deque, NULL, 0, &len));
    CHECK_EQ(len, 0);
    queues_deque_release(deque);
}

static void the_default_capacity_has_room(void) {
    queue_t *deque = pointers(0);
    CHECK_EQ(queues_deque_capacity(deque), 1024);
    push_all(deque, 0, 1024);
    CHECK_STATUS(queues_deque_push(deque, item(0)), QUEUES_FULL);
    queues_deque_release(deque);
}

static void steal_many_reports_how_many_items_it_stole(void) {
    for (size_t capacity = 1; capacity <= MOST; capacity++) {
        queue_t *deque = pointers(capacity);
        void *out[MOST + 1];
        size_t done = SIZE_MAX;
        CHECK_STATUS(queues_deque_steal_many(deque, out, LENGTH(out), &done), QUEUES_EMPTY);
        CHECK_EQ(done, 0);
        done = SIZE_MAX;
        CHECK_OK(queues_deque_steal_many(deque, NULL, 0, &done));
        CHECK_EQ(done, 0);
        for (size_t max = 1; max <= capacity + 1; max++) {
            size_t first = 0;
            push_all(deque, 0, capacity);
            while (first < capacity) {
                size_t expected = max < capacity - first ? max : capacity - first;
                for (size_t i = 0; i < LENGTH(out); i++)
                    out[i] = deque;
                done = SIZE_MAX;
                CHECK_OK(queues_deque_steal_many(deque, out, max, &done));
                CHECK_EQ(done, expected);
                for (size_t i = 0; i < LENGTH(out); i++)
                    CHECK_EQ(out[i], i < done ? item(first + i) : (void *)deque);
                first += done;
            }
        }
        /* Only the call on the empty deque failed, not those that stole fewer than max. */
        CHECK_EQ(stats(deque).failed_dequeue, 1);
        queues_deque_release(deque);
    }
}

/* --- growth */

enum { MANY = 3000 };

/* Growth keeps the order, for every initial capacity and from every index of the ring. */
static void a_growable_deque_is_never_full(void) {
    for (size_t capacity = 1; capacity <= MOST; capacity++) {
        for (size_t turned = 0; turned <= capacity; turned++) {
            queue_t *deque = growable((options_t){.capacity = capacity});
            push_all(deque, 0, turned);
            steal_all(deque, 0, turned);
            CHECK_EQ(queues_deque_capacity(deque), capacity);
            size_t in = turned, out = turned;
            while (in < MANY) {
                push_all(deque, in, 3);
                in += 3;
                steal_all(deque, out++, 1);
            }
            CHECK_EQ(queues_deque_size(deque), in - out);
            size_t grown = capacity;
            while (grown < in - out)
                grown *= 2;
            CHECK_EQ(queues_deque_capacity(deque), grown);
            CHECK_EQ(stats(deque).capacity, grown);
            CHECK_EQ(stats(deque).failed_enqueue, 0);
            steal_all(deque, out, 100);
            pop_all(deque, in, in - out - 100);
            CHECK_EQ(queues_deque_capacity(deque), grown);
            CHECK(queues_deque_is_empty(deque));
            queues_deque_release(deque);
        }
    }
}

static void growth_keeps_blobs(void) {
    for (size_t size = 1; size <= 100; size += 33) {
        queue_t *deque = growable((options_t){.capacity = 1, .item_size = size});
        unsigned char data[128];
        for (size_t in = 0; in < MANY / 10; in++) {
            fill(data, in % (size + 1), in);
            CHECK_OK(queues_deque_push_bytes(deque, data, in % (size + 1)));
        }
        for (size_t out = 0; out < MANY / 20; out++)
            expect_blob(queues_deque_steal_bytes, deque, out % (size + 1), out);
        for (size_t in = MANY / 10; in > MANY / 20; in--)
            expect_blob(queues_deque_pop_bytes, deque, (in - 1) % (size + 1), in - 1);
        queues_deque_release(deque);
    }
}

/* --- leftovers, references, callbacks */

/* Pushes `in` items and takes some at each end: exactly the others are dropped, each once. */
static void check_leftovers(bool blobs, bool grows, size_t in, size_t popped, size_t stolen) {
    options_t options = {.capacity = grows ? 1 : in,
                         .item_size = blobs ? 3 : 0,
                         .drop = blobs ? drop_bytes : drop_pointer,
                         .drop_ctx = &dropped};
    queue_t *deque = grows ? growable(options) : create(options);
    memset(&dropped, 0, sizeof dropped);
    unsigned char data[3] = {0};
    void *got;
    size_t len, left = in - popped - stolen;
    for (size_t i = 0; i < in; i++) {
        data[0] = (unsigned char)i;
        CHECK_OK(blobs ? queues_deque_push_bytes(deque, data, sizeof data)
                       : queues_deque_push(deque, item(i)));
    }
    for (size_t i = 0; i < popped; i++)
        CHECK_OK(blobs ? queues_deque_pop_bytes(deque, data, sizeof data, &len)
                       : queues_deque_pop(deque, &got));
    for (size_t i = 0; i < stolen; i++)
        CHECK_OK(blobs ? queues_deque_steal_bytes(deque, data, sizeof data, &len)
                       : queues_deque_steal(deque, &got));
    CHECK(queues_deque_retain(deque) == deque);
    queues_deque_release(deque);
    CHECK_EQ(dropped.total, 0);
    queues_deque_release(deque);
    CHECK_EQ(dropped.total, left);
    for (size_t i = 0; i < sizeof places; i++)
        CHECK_EQ(dropped.times[i], i >= stolen && i < in - popped);
    CHECK_EQ(dropped.ctx, left ? &dropped : NULL);
}

static void leftovers_are_dropped_once(void) {
    for (size_t in = 1; in <= 9; in++)
        for (size_t popped = 0; popped <= in; popped++)
            for (size_t stolen = 0; stolen <= in - popped; stolen++)
                for (int kind = 0; kind < 4; kind++)
                    check_leftovers(kind & 1, kind & 2, in, popped, stolen);
}

static void leftovers_need_no_callback(void) {
    queue_t *pointer = pointers(3), *byte = bytes(3, 3);
    push_all(pointer, 0, 3);
    CHECK_OK(queues_deque_push_bytes(byte, "abc", 3));
    queues_deque_release(pointer);
    queues_deque_release(byte);
}

/* The items of a deque are deques with items; of one of them the test holds a reference. */
static void callbacks_may_release_deques(void) {
    queue_t *outer = create((options_t){.capacity = 4, .drop = drop_queue}), *held = NULL;
    memset(&dropped, 0, sizeof dropped);
    for (size_t i = 0; i < 4; i++) {
        queue_t *inner = create((options_t){.capacity = 2, .drop = drop_pointer});
        push_all(inner, i, 2);
        if (i == 0)
            held = queues_deque_retain(inner);
        CHECK_OK(queues_deque_push(outer, inner));
    }
    queues_deque_release(outer);
    CHECK_EQ(dropped.total, 6);
    pop_all(held, 2, 2);
    queues_deque_release(held);
    CHECK_EQ(dropped.total, 6);
}

static void push_to_another(void *ctx, void *dropped_item) {
    CHECK_OK(queues_deque_push(ctx, dropped_item));
}

static void callbacks_may_push_to_another_deque(void) {
    queue_t *other = pointers(3);
    queue_t *deque = create((options_t){.capacity = 3, .drop = push_to_another, .drop_ctx = other});
    push_all(deque, 0, 3);
    queues_deque_release(deque);
    steal_all(other, 0, 3);
    queues_deque_release(other);
}

/* --- statistics */

static void statistics_are_exact(void) {
    queue_t *deque = pointers(3);
    void *got, *items[3];
    size_t n;
    queues_stats_t s = stats(deque);
    CHECK_EQ(s.capacity, 3);
    CHECK_EQ(s.enqueued + s.dequeued + s.failed_enqueue + s.failed_dequeue + s.peak_size, 0);
    CHECK_EQ(s.stolen, 0);
    CHECK_STATUS(queues_deque_pop(deque, &got), QUEUES_EMPTY);
    CHECK_STATUS(queues_deque_steal(deque, &got), QUEUES_EMPTY);
    CHECK_STATUS(queues_deque_steal_many(deque, items, 3, &n), QUEUES_EMPTY);
    CHECK_EQ(stats(deque).failed_dequeue, 3);
    push_all(deque, 0, 2);
    steal_all(deque, 0, 1);
    s = stats(deque);
    CHECK_EQ(s.enqueued, 2);
    CHECK_EQ(s.dequeued, 1);
    CHECK_EQ(s.stolen, 1);
    CHECK_EQ(s.current_size, 1);
    CHECK_EQ(s.peak_size, 2);
    push_all(deque, 2, 2);
    CHECK_STATUS(queues_deque_push(deque, item(0)), QUEUES_FULL);
    pop_all(deque, 4, 1);
    CHECK_OK(queues_deque_steal_many(deque, items, 1, &n));
    pop_all(deque, 3, 1); /* the only item left, for which a pop competes with thieves */
    CHECK_STATUS(queues_deque_pop(deque, &got), QUEUES_EMPTY);
    s = stats(deque);
    CHECK_EQ(s.enqueued, 4);
    CHECK_EQ(s.dequeued, 4);
    CHECK_EQ(s.stolen, 2);
    CHECK_EQ(s.failed_enqueue, 1);
    CHECK_EQ(s.failed_dequeue, 4);
    CHECK_EQ(s.peak_size, 3);
    CHECK_EQ(s.current_size, 0);
    queues_deque_release(deque);
}

/* --- bad input */

/* Makes every call on a handle that belongs to no deque. */
static void handle_is_refused(void *bad) {
    char buffer[8] = {0};
    void *one = buffer, *items[1] = {buffer};
    size_t n = 7;
    queues_stats_t s = {.struct_size = sizeof s, .capacity = 7};
    CHECK(!queues_deque_retain(bad));
    CHECK_STATUS(queues_deque_push(bad, one), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_pop(bad, &one), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal(bad, &one), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_many(bad, items, 1, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_many(bad, items, 0, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_push_bytes(bad, buffer, 1), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_pop_bytes(bad, buffer, sizeof buffer, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_bytes(bad, buffer, sizeof buffer, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_stats(bad, &s), QUEUES_INVALID);
    CHECK_EQ(queues_deque_size(bad), 0);
    CHECK_EQ(queues_deque_capacity(bad), 0);
    CHECK(queues_deque_is_empty(bad));
    CHECK_EQ(s.capacity, 7);
    CHECK_EQ(n, 7);
    CHECK(one == buffer && items[0] == buffer && buffer[0] == 0);
    queues_deque_release(bad);
}

/* A queue of another family is no deque, and a deque is no queue of that family. */
#define CHECK_FOREIGN(family)                                                                      \
    for (size_t item_size = 0; item_size <= 8; item_size += 8) {                                   \
        queues_##family##_t *other;                                                                \
        CREATE(family, &other, ROOM(family, 2), .item_size = item_size);                           \
        handle_is_refused(other);                                                                  \
        CHECK_EQ(queues_##family##_capacity(other), 2);                                            \
        queues_##family##_release(other);                                                          \
        queue_t *deque = item_size ? bytes(2, item_size) : pointers(2);                            \
        CHECK_STATUS(queues_##family##_close((void *)deque), QUEUES_INVALID);                      \
        CHECK_EQ(queues_##family##_capacity((void *)deque), 0);                                    \
        CHECK(!queues_##family##_retain((void *)deque));                                           \
        queues_##family##_release((void *)deque);                                                  \
        CHECK_EQ(queues_deque_capacity(deque), 2);                                                 \
        queues_deque_release(deque);                                                               \
    }

static void foreign_handles_are_refused(void) {
    for_each_non_queue(handle_is_refused);
    CHECK_FOREIGN(mpmc)
    CHECK_FOREIGN(spsc)
    CHECK_FOREIGN(priority)
    CHECK_FOREIGN(batch)
}

static void arguments_are_checked(void) {
    queue_t *pointer = pointers(2), *byte = bytes(2, 8);
    push_all(pointer, 0, 1);
    CHECK_OK(queues_deque_push_bytes(byte, "one", 3));
    const queues_stats_t pointer_before = stats(pointer), byte_before = stats(byte);
    char buffer[9] = {0};
    void *one = buffer, *items[1] = {buffer};
    size_t n = 7;
    /* an output is NULL */
    CHECK_STATUS(queues_deque_pop(pointer, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal(pointer, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_many(pointer, items, 1, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_many(pointer, NULL, 1, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_pop_bytes(byte, buffer, 8, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_bytes(byte, buffer, 8, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_pop_bytes(byte, NULL, 8, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_bytes(byte, NULL, 8, &n), QUEUES_INVALID);
    /* bytes are NULL, or there are more bytes or items than can be */
    CHECK_STATUS(queues_deque_push_bytes(byte, NULL, 1), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_push_bytes(byte, buffer, 9), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_push_bytes(byte, buffer, SIZE_MAX), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_many(pointer, items, SIZE_MAX, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_many(pointer, items, SIZE_MAX / 8 + 2, &n), QUEUES_INVALID);
    /* the other kind of payload */
    CHECK_STATUS(queues_deque_push(byte, one), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_pop(byte, &one), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal(byte, &one), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_many(byte, items, 1, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_push_bytes(pointer, buffer, 1), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_push_bytes(pointer, NULL, 0), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_pop_bytes(pointer, buffer, 8, &n), QUEUES_INVALID);
    CHECK_STATUS(queues_deque_steal_bytes(pointer, buffer, 8, &n), QUEUES_INVALID);
    T(bad_statistics_are_refused)(pointer);

    CHECK_EQ(n, 7);
    CHECK(one == buffer && items[0] == buffer && buffer[0] == 0);
    queues_stats_t pointer_after = stats(pointer), byte_after = stats(byte);
    CHECK(memcmp(&pointer_after, &pointer_before, sizeof pointer_after) == 0);
    CHECK(memcmp(&byte_after, &byte_before, sizeof byte_after) == 0);
    pop_all(pointer, 1, 1);
    CHECK_OK(queues_deque_pop_bytes(byte, buffer, 8, &n));
    CHECK(n == 3 && memcmp(buffer, "one", 3) == 0);
    queues_deque_release(pointer);
    queues_deque_release(byte);
}

/* --- large blobs */

static void *use_large_blobs(void *blob) {
    queue_t *deque = growable((options_t){.capacity = 1, .item_size = LARGE});
    size_t len = 0;
    memset(blob, 1, LARGE);
    for (int i = 0; i < 3; i++)
        CHECK_OK(queues_deque_push_bytes(deque, blob, LARGE));
    for (int steal = 0; steal < 2; steal++) {
        memset(blob, 0, LARGE);
        CHECK_OK(steal ? queues_deque_steal_bytes(deque, blob, LARGE, &len)
                       : queues_deque_pop_bytes(deque, blob, LARGE, &len));
        CHECK(len == LARGE && ((char *)blob)[LARGE - 1] == 1);
    }
    queues_deque_release(deque);
    return NULL;
}

static void large_blobs_need_no_stack(void) { run_on_small_stack(use_large_blobs, LARGE); }

/* --- threads */

enum { ITEMS = 20000, THIEVES = 3 };

/* Written by the owner and by the thread that takes it, so that ThreadSanitizer checks the
 * handover. */
typedef struct {
    size_t number;
    size_t times;
} task_t;

typedef struct {
    queue_t *deque;
    bool blobs;
    atomic_bool is_over; /* the owner pushes no more */
    task_t tasks[ITEMS];
} work_t;

typedef struct {
    work_t *work;
    size_t taken, failed;
    size_t next; /* a thief gets items in ascending order: this one or a later one */
} thief_t;

static void take_stolen(thief_t *thief, size_t number) {
    CHECK(number >= thief->next && number < ITEMS);
    thief->next = number + 1;
    thief->work->tasks[number].times++;
    thief->taken++;
}

static void *steal_until_over(void *arg) {
    thief_t *thief = arg;
    work_t *work = thief->work;
    for (size_t turn = 0;; turn++) {
        bool is_over = atomic_load(&work->is_over);
        queues_status_t status;
        void *tasks[5];
        size_t number = 0, n = 0;
        if (work->blobs) {
            status = queues_deque_steal_bytes(work->deque, &number, sizeof number, &n);
            if (status == QUEUES_OK)
                take_stolen(thief, number);
        } else {
            status = turn % 2 ? queues_deque_steal(work->deque, tasks)
                              : queues_deque_steal_many(work->deque, tasks, LENGTH(tasks), &n);
            if (status == QUEUES_OK && turn % 2)
                n = 1;
            for (size_t i = 0; status == QUEUES_OK && i < n; i++)
                take_stolen(thief, ((task_t *)tasks[i])->number);
        }
        if (status == QUEUES_EMPTY) {
            thief->failed++;
            if (is_over)
                return NULL;
            sched_yield();
        } else {
            CHECK(status == QUEUES_OK || status == QUEUES_RETRY);
        }
    }
}

/* One owner and some thieves: each item is taken once. The owner pops at random moments. */
static void check_thieves(bool blobs, bool grows, size_t capacity, uint32_t random) {
    options_t options = {.capacity = capacity, .item_size = blobs ? sizeof(size_t) : 0};
    static work_t work;
    thief_t thieves[THIEVES];
    pthread_t threads[THIEVES];
    memset(&work, 0, sizeof work);
    work.deque = grows ? growable(options) : create(options);
    work.blobs = blobs;
    for (int i = 0; i < THIEVES; i++) {
        thieves[i] = (thief_t){.work = &work};
        threads[i] = start(steal_until_over, &thieves[i]);
    }
    size_t popped = 0, full = 0, failed = 0, stolen = 0;
    for (size_t in = 0; in < ITEMS;) {
        bool is_full = false;
        for (size_t burst = random_bits(&random, 3); burst > 0 && in < ITEMS && !is_full; burst--) {
            work.tasks[in].number = in;
            queues_status_t status = blobs ? queues_deque_push_bytes(work.deque, &in, sizeof in)
                                           : queues_deque_push(work.deque, &work.tasks[in]);
            is_full = status == QUEUES_FULL;
            CHECK(status == QUEUES_OK || (is_full && !grows));
            full += is_full;
            in += !is_full;
        }
        for (size_t burst = random_bits(&random, 3) + is_full; burst > 0; burst--) {
            void *task = NULL;
            size_t number = 0, n;
            queues_status_t status =
                blobs ? queues_deque_pop_bytes(work.deque, &number, sizeof number, &n)
                      : queues_deque_pop(work.deque, &task);
            if (status == QUEUES_EMPTY) {
                failed++;
                break;
            }
            CHECK_OK(status);
            work.tasks[blobs ? number : ((task_t *)task)->number].times++;
            popped++;
        }
    }
    atomic_store(&work.is_over, true);
    for (int i = 0; i < THIEVES; i++) {
        finish(threads[i]);
        stolen += thieves[i].taken;
        failed += thieves[i].failed;
    }
    for (size_t i = 0; i < ITEMS; i++)
        CHECK_EQ(work.tasks[i].times, 1);
    queues_stats_t s = stats(work.deque);
    CHECK_EQ(popped + stolen, ITEMS);
    CHECK_EQ(s.enqueued, ITEMS);
    CHECK_EQ(s.dequeued, ITEMS);
    CHECK_EQ(s.stolen, stolen);
    CHECK_EQ(s.failed_enqueue, full);
    CHECK_EQ(s.failed_dequeue, failed);
    CHECK_EQ(s.current_size, 0);
    CHECK(s.peak_size >= 1 && s.peak_size <= s.capacity);
    CHECK(grows || s.capacity == capacity);
    queues_deque_release(work.deque);
}

static void every_item_is_taken_once(void) {
    for (size_t capacity = 1; capacity <= 7; capacity++)
        for (int kind = 0; kind < 4; kind++)
            check_thieves(kind & 1, kind & 2, capacity, (uint32_t)(7 * capacity) + (uint32_t)kind);
}

/* --- checked deques */

typedef struct {
    queue_t *deque;
    char *blob; /* NULL: pointers */
    atomic_bool is_reported;
    atomic_size_t pushed, popped;
} owners_t;

/* Pushes and pops as if it were the only owner, until a call of one of the two returns MISUSE. */
static void *own(void *arg) {
    owners_t *owners = arg;
    for (unsigned round = 0; !atomic_load(&owners->is_reported); round++) {
        /* Valgrind runs one thread at a time, each for the same number of steps. With rounds of one
           length it would always switch at the same place of a round, maybe never within a call. */
        for (volatile unsigned i = round % 61; i > 0; i--)
            ;
        char *buffer = owners->blob ? malloc(LARGE) : NULL;
        void *got = NULL;
        size_t len = 7;
        queues_status_t status = buffer
                                     ? queues_deque_push_bytes(owners->deque, owners->blob, LARGE)
                                     : queues_deque_push(owners->deque, owners);
        if (status == QUEUES_OK)
            atomic_fetch_add(&owners->pushed, 1);
        else if (status == QUEUES_MISUSE)
            atomic_store(&owners->is_reported, true);
        else
            CHECK_STATUS(status, QUEUES_FULL);
        status = buffer ? queues_deque_pop_bytes(owners->deque, buffer, LARGE, &len)
                        : queues_deque_pop(owners->deque, &got);
        if (status == QUEUES_OK) {
            atomic_fetch_add(&owners->popped, 1);
            CHECK(buffer ? len == LARGE : got == owners);
        } else {
            if (status == QUEUES_MISUSE)
                atomic_store(&owners->is_reported, true);
            else
                CHECK_STATUS(status, QUEUES_EMPTY);
            CHECK(!got && len == 7);
        }
        free(buffer);
    }
    return NULL;
}

static void two_owners_are_reported(void) {
    for (size_t item_size = 0; item_size <= LARGE; item_size += LARGE) {
        owners_t owners = {.deque = item_size ? bytes(2, item_size) : pointers(2),
                           .blob = item_size ? calloc(1, LARGE) : NULL};
        pthread_t other = start(own, &owners);
        own(&owners);
        finish(other);
        /* The calls that returned MISUSE changed nothing. */
        queues_stats_t s = stats(owners.deque);
        CHECK_EQ(s.enqueued, owners.pushed);
        CHECK_EQ(s.dequeued, owners.popped);
        CHECK_EQ(s.current_size, owners.pushed - owners.popped);
        queues_deque_release(owners.deque);
        free(owners.blob);
    }
}

static void run_all(void) {
    RUN(pops_take_the_newest_and_steals_the_oldest);
    RUN(any_value_is_an_item);
    RUN(blobs_keep_their_length);
    RUN(null_with_no_length_is_an_empty_blob);
    RUN(the_default_capacity_has_room);
    RUN(steal_many_reports_how_many_items_it_stole);
    RUN(a_growable_deque_is_never_full);
    RUN(growth_keeps_blobs);
    RUN(leftovers_are_dropped_once);
    RUN(leftovers_are_dropped_with_their_length);
    RUN(leftovers_need_no_callback);
    RUN(callbacks_may_release_deques);
    RUN(callbacks_may_push_to_another_deque);
    RUN(statistics_are_exact);
    RUN(foreign_handles_are_refused);
    RUN(arguments_are_checked);
    RUN(large_blobs_need_no_stack);
    RUN(every_item_is_taken_once);
}

int main(void) {
    T(run_options)();
    run_all();
    fprintf(stderr, "checked:\n");
    flags = QUEUES_DEQUE_CHECKED;
    run_all();
    RUN(two_owners_are_reported);
    return 0;
}
