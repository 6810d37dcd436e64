/* The MPMC queue: the tests of every FIFO family, then blobs that are written and read in place:
 * reserve, commit and cancel; lease, settle and return. A cell belongs to one holder at a time, and
 * every address that is not held is refused. */
#define FAMILY mpmc
enum { DEFAULT_CAPACITY = 1000, WAITERS = 4 };
#include "fifo.h"

enum { LONG_BLOB = 100 };

static queue_t *cells(size_t capacity, size_t item_size, size_t spare) {
    return create((options_t){SIZED(capacity, item_size), .spare = spare});
}

static void *reserve(queue_t *queue) {
    void *data = NULL;
    CHECK_OK(queues_mpmc_reserve(queue, &data, 0));
    CHECK_EQ((uintptr_t)data % 8, 0);
    return data;
}

static void reserve_and_put(queue_t *queue, size_t item_size, size_t len, size_t seed) {
    void *data = reserve(queue);
    fill(data, item_size, seed); /* the caller may write item_size bytes and commit fewer */
    CHECK_OK(queues_mpmc_commit(queue, data, len));
}

static void *lease(queue_t *queue, size_t len, size_t seed) {
    unsigned char expected[LONG_BLOB];
    void *data = NULL;
    size_t got = SIZE_MAX;
    fill(expected, len, seed);
    CHECK_OK(queues_mpmc_lease(queue, &data, &got, 0));
    CHECK_EQ((uintptr_t)data % 8, 0);
    CHECK_EQ(got, len);
    CHECK(memcmp(data, expected, len) == 0);
    return data;
}

/* The queue is empty, and exactly n cells are free. */
static void expect_cells(queue_t *queue, size_t n) {
    void *held[64], *one = queue;
    CHECK(n <= LENGTH(held));
    CHECK_EQ(Q(size)(queue), 0);
    for (size_t i = 0; i < n; i++)
        held[i] = reserve(queue);
    CHECK_STATUS(queues_mpmc_reserve(queue, &one, 0), QUEUES_FULL);
    CHECK_EQ(one, queue);
    for (size_t i = 0; i < n; i++)
        CHECK_OK(queues_mpmc_cancel(queue, held[i]));
}

/* At both ends, copies and blobs in place alternate. */
static void blobs_are_written_and_read_in_place(void) {
    static const size_t sizes[] = {1, 7, 8, 9, 24, LONG_BLOB};
    for (size_t capacity = 1; capacity <= MOST; capacity++) {
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            queue_t *queue = cells(capacity, sizes[i], 3);
            unsigned char data[LONG_BLOB];
            void *place = queue;
            size_t in = 0, out = 0, lengths = sizes[i] + 1, len = SIZE_MAX;
            while (out < 2 * lengths) {
                for (; in < out + capacity; in++) {
                    fill(data, in % lengths, in);
                    if (in % 3)
                        reserve_and_put(queue, sizes[i], in % lengths, in);
                    else
                        CHECK_OK(Q(try_put_bytes)(queue, data, in % lengths));
                }
                CHECK_STATUS(queues_mpmc_reserve(queue, &place, 0), QUEUES_FULL);
                CHECK_STATUS(queues_mpmc_reserve(queue, &place, 1), QUEUES_TIMEOUT);
                CHECK_EQ(place, queue);
                for (; out < in; out++) {
                    if (out % 2)
                        CHECK_OK(queues_mpmc_settle(queue, lease(queue, out % lengths, out)));
                    else
                        expect_blob(queue, out % lengths, out);
                }
                CHECK_STATUS(queues_mpmc_lease(queue, &place, &len, 0), QUEUES_EMPTY);
                CHECK_STATUS(queues_mpmc_lease(queue, &place, &len, 1), QUEUES_TIMEOUT);
                CHECK(place == queue && len == SIZE_MAX);
            }
            expect_cells(queue, capacity + 3);
            Q(release)(queue);
        }
    }
}

static void a_commit_is_the_put(void) {
    queue_t *queue = cells(2, 8, 2);
    void *first = reserve(queue), *second = reserve(queue), *third = reserve(queue);
    CHECK_EQ(Q(size)(queue), 0);
    memcpy(first, "1st", 3);
    memcpy(second, "2nd", 3);
    memcpy(third, "3rd", 3);
    CHECK_OK(Q(try_put_bytes)(queue, "put", 3));
    CHECK_OK(queues_mpmc_commit(queue, second, 3)); /* commits may come in any order */
    CHECK_STATUS(queues_mpmc_commit(queue, first, 3), QUEUES_FULL);
    CHECK_EQ(stats(queue).failed_enqueue, 1);
    CHECK_STATUS(queues_mpmc_commit(queue, first, 9), QUEUES_INVALID);
    CHECK_STATUS(queues_mpmc_commit(queue, first, SIZE_MAX), QUEUES_INVALID);
    CHECK_STATUS(queues_mpmc_commit(queue, second, 3), QUEUES_MISUSE);
    CHECK_EQ(stats(queue).failed_enqueue, 1);

    char buffer[8];
    size_t len;
    CHECK_OK(Q(try_get_bytes)(queue, buffer, sizeof buffer, &len));
    CHECK(len == 3 && memcmp(buffer, "put", 3) == 0);
    CHECK_OK(queues_mpmc_commit(queue, first, 2));
    /* Of a reserved cell that cannot be committed, a put can copy the bytes. */
    CHECK_STATUS(Q(put_bytes)(queue, third, 3, 1), QUEUES_TIMEOUT);
    CHECK_OK(Q(try_get_bytes)(queue, buffer, sizeof buffer, &len));
    CHECK(len == 3 && memcmp(buffer, "2nd", 3) == 0);
    CHECK_OK(Q(put_bytes)(queue, third, 3, -1));
    CHECK_OK(queues_mpmc_cancel(queue, third));
    CHECK_OK(Q(try_get_bytes)(queue, buffer, sizeof buffer, &len));
    CHECK(len == 2 && memcmp(buffer, "1s", 2) == 0);
    CHECK_OK(Q(try_get_bytes)(queue, buffer, sizeof buffer, &len));
    CHECK(len == 3 && memcmp(buffer, "3rd", 3) == 0);
    CHECK_EQ(stats(queue).enqueued, 4);
    CHECK_EQ(stats(queue).peak_size, 2);
    expect_cells(queue, 4);
    Q(release)(queue);
}

/* FULL is exact while at most `spare` cells are held. Beyond that it may also mean that no cell is
 * free. */
static void capacity_plus_spare_cells_may_be_held(void) {
    for (size_t capacity = 1; capacity <= 5; capacity++) {
        for (size_t spare = 1; spare <= 5; spare++) {
            queue_t *queue = cells(capacity, 8, spare);
            void *held[10], *one;
            size_t len;
            expect_cells(queue, capacity + spare);
            for (size_t i = 0; i < spare; i++) {
                if (i % 2) {
                    CHECK_OK(Q(try_put_bytes)(queue, "", 0));
                    CHECK_OK(queues_mpmc_lease(queue, &held[i], &len, 0));
                } else {
                    held[i] = reserve(queue);
                }
            }
            for (size_t i = 0; i < capacity; i++)
                CHECK_OK(Q(try_put_bytes)(queue, "", 0));
            CHECK_STATUS(Q(try_put_bytes)(queue, "", 0), QUEUES_FULL);
            CHECK_STATUS(queues_mpmc_reserve(queue, &one, 0), QUEUES_FULL);

            CHECK_OK(queues_mpmc_lease(queue, &one, &len, 0)); /* one more than spare */
            CHECK_EQ(Q(size)(queue), capacity - 1);
            CHECK_STATUS(Q(try_put_bytes)(queue, "", 0), QUEUES_FULL);
            CHECK_STATUS(Q(put_bytes)(queue, "", 0, 1), QUEUES_TIMEOUT);
            CHECK_STATUS(queues_mpmc_reserve(queue, &one, 1), QUEUES_TIMEOUT);
            CHECK_OK(queues_mpmc_return(queue, one)); /* needs no free cell */
            CHECK_EQ(Q(size)(queue), capacity);
            CHECK_OK(queues_mpmc_lease(queue, &one, &len, 0));
            CHECK_OK(queues_mpmc_settle(queue, one));
            CHECK_OK(Q(try_put_bytes)(queue, "", 0));

            for (size_t i = 0; i < spare; i++)
                CHECK_OK(i % 2 ? queues_mpmc_settle(queue, held[i])
                               : queues_mpmc_cancel(queue, held[i]));
            CHECK_OK(Q(clear)(queue, &len));
            CHECK_EQ(len, capacity);
            expect_cells(queue, capacity + spare);
            Q(release)(queue);
        }
    }
    queue_t *queue = bytes(3, 1); /* 64 spare cells by default */
    void *held[3 + 64], *one;
    for (size_t i = 0; i < LENGTH(held); i++)
        held[i] = reserve(queue);
    CHECK_STATUS(queues_mpmc_reserve(queue, &one, 0), QUEUES_FULL);
    CHECK_OK(queues_mpmc_cancel(queue, held[0]));
    CHECK_OK(queues_mpmc_reserve(queue, &one, 0));
    Q(release)(queue);
}

static void the_number_of_spare_cells_is_checked(void) {
    static const struct {
        size_t item_size, spare;
        queues_status_t status;
    } cases[] = {{8, 0, QUEUES_OK},
                 {8, 1, QUEUES_OK},
                 {8, 10000, QUEUES_OK},
                 {0, 0, QUEUES_OK},
                 {0, 1, QUEUES_INVALID}, /* pointers have no cells */
                 {8, SIZE_MAX, QUEUES_INVALID},
                 {8, SIZE_MAX - 1, QUEUES_INVALID},
                 {8, SIZE_MAX / 16, QUEUES_INVALID},
                 {1 << 20, SIZE_MAX >> 32, QUEUES_NOMEM}};
    for (size_t i = 0; i < LENGTH(cases); i++) {
        options_t options = {
            .struct_size = sizeof options, SIZED(2, cases[i].item_size), .spare = cases[i].spare};
        queue_t *queue = NULL;
        CHECK_STATUS(Q(create)(&options, &queue), cases[i].status);
        Q(release)(queue);
    }
}

static void a_lease_takes_a_blob_out_of_the_queue(void) {
    queue_t *queue = cells(3, 8, 1);
    unsigned char data[8];
    size_t len, count;
    for (size_t i = 0; i < 3; i++) {
        fill(data, i, i);
        CHECK_OK(Q(try_put_bytes)(queue, data, i));
    }
    void *zeroth = lease(queue, 0, 0), *first = lease(queue, 1, 1);
    CHECK_EQ(Q(size)(queue), 1);
    CHECK_EQ(stats(queue).dequeued, 2);
    CHECK_OK(Q(peek_bytes)(queue, data, sizeof data, &len));
    CHECK_EQ(len, 2);
    CHECK_OK(queues_mpmc_return(queue, first)); /* becomes the last */
    CHECK_EQ(stats(queue).enqueued, 4);
    expect_blob(queue, 2, 2);
    fill(zeroth, 8, 5); /* a leased blob may be written; its length stays */
    CHECK_OK(queues_mpmc_return(queue, zeroth));
    expect_blob(queue, 1, 1);
    CHECK_OK(Q(peek_bytes)(queue, data, sizeof data, &len));
    CHECK_EQ(len, 0);
    CHECK_OK(Q(clear)(queue, &count));
    CHECK_EQ(count, 1);

    reserve_and_put(queue, 8, 8, 6);
    first = lease(queue, 8, 6);
    for (size_t i = 0; i < 3; i++)
        CHECK_OK(Q(try_put_bytes)(queue, data, 0));
    CHECK_STATUS(queues_mpmc_return(queue, first), QUEUES_FULL);
    CHECK_EQ(stats(queue).failed_enqueue, 1);
    CHECK_OK(Q(try_get_bytes)(queue, data, sizeof data, &len));
    CHECK_OK(queues_mpmc_return(queue, first));
    CHECK_OK(Q(try_get_bytes)(queue, data, sizeof data, &len));
    CHECK_OK(Q(try_get_bytes)(queue, data, sizeof data, &len));
    CHECK_OK(queues_mpmc_settle(queue, lease(queue, 8, 6)));
    expect_cells(queue, 4);
    Q(release)(queue);
}

static void close_keeps_leases_and_reservations(void) {
    queue_t *queue = cells(2, 8, 2);
    void *place = queue;
    size_t len = SIZE_MAX;
    CHECK_OK(Q(try_put_bytes)(queue, "first", 5));
    CHECK_OK(Q(try_put_bytes)(queue, "second", 6));
    CHECK_OK(queues_mpmc_lease(queue, &place, &len, 0));
    void *reserved = reserve(queue), *canceled = reserve(queue), *leased = place;
    memcpy(reserved, "late", 4);
    CHECK_OK(Q(close)(queue));
    for (int again = 0; again < 2; again++) {
        CHECK_STATUS(queues_mpmc_commit(queue, reserved, 4), QUEUES_CLOSED);
        CHECK_STATUS(queues_mpmc_return(queue, leased), QUEUES_CLOSED);
    }
    for (size_t i = 0; i < LENGTH(timeouts); i++)
        CHECK_STATUS(queues_mpmc_reserve(queue, &place, timeouts[i]), QUEUES_CLOSED);
    CHECK_OK(queues_mpmc_lease(queue, &place, &len, -1));
    CHECK(len == 6 && memcmp(place, "second", 6) == 0);
    CHECK_OK(queues_mpmc_settle(queue, place));
    for (size_t i = 0; i < LENGTH(timeouts); i++)
        CHECK_STATUS(queues_mpmc_lease(queue, &place, &len, timeouts[i]), QUEUES_CLOSED);
    CHECK(memcmp(leased, "first", 5) == 0 && memcmp(reserved, "late", 4) == 0);
    CHECK_OK(queues_mpmc_cancel(queue, canceled));
    CHECK_OK(queues_mpmc_cancel(queue, reserved));
    CHECK_OK(queues_mpmc_settle(queue, leased));
    CHECK_EQ(stats(queue).enqueued, 2);
    CHECK_EQ(stats(queue).failed_enqueue + stats(queue).failed_dequeue, 0);
    Q(release)(queue);
}

/* --- misuse */

/* The calls that end a reservation or a lease, except commit, which also takes a length. */
static const struct {
    const char *name;
    queues_status_t (*call)(queue_t *queue, void *data);
} enders[] = {
    {"cancel", queues_mpmc_cancel}, {"settle", queues_mpmc_settle}, {"return", queues_mpmc_return}};

static void expect_misuse(queue_t *queue, void *data) {
    for (size_t i = 0; i < LENGTH(enders); i++)
        CHECK_STATUS(enders[i].call(queue, data), QUEUES_MISUSE);
    for (size_t len = 0; len <= 16; len += 8)
        CHECK_STATUS(queues_mpmc_commit(queue, data, len), QUEUES_MISUSE);
}

/* Tries every address in and around the cells, and some that are far away. */
static void only_addresses_that_are_held_are_accepted(void) {
    static const size_t sizes[] = {1, 8, 16};
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        queue_t *queue = cells(3, sizes[i], 2), *other = cells(3, sizes[i], 2);
        unsigned char data[16];
        fill(data, sizes[i], 1);
        CHECK_OK(Q(try_put_bytes)(queue, data, sizes[i]));
        CHECK_OK(Q(try_put_bytes)(queue, data, sizes[i]));
        void *leased = lease(queue, sizes[i], 1), *reserved = reserve(queue);
        memset(reserved, 0xFF,
               sizes[i]); /* the same bytes as a word for a length with all bits set */
        memset(leased, 0xFF, sizes[i]);
        const queues_stats_t before = stats(queue);

        char *low = leased < reserved ? leased : reserved;
        for (char *at = low - 256; at < low + 256; at++)
            if (at != leased && at != reserved)
                for (size_t k = 0; k < LENGTH(enders); k++)
                    CHECK_STATUS(enders[k].call(queue, at), QUEUES_MISUSE);
        CHECK_STATUS(queues_mpmc_commit(queue, leased, 1), QUEUES_MISUSE);
        CHECK_STATUS(queues_mpmc_cancel(queue, leased), QUEUES_MISUSE);
        CHECK_STATUS(queues_mpmc_settle(queue, reserved), QUEUES_MISUSE);
        CHECK_STATUS(queues_mpmc_return(queue, reserved), QUEUES_MISUSE);
        if (sizes[i] == 16) {
            void *others[] = {data,
                              queue,
                              &leased,
                              (void *)1,
                              (void *)8,
                              (void *)UINTPTR_MAX,
                              reserve(other),
                              (void *)(UINTPTR_MAX - 7),
                              (void *)(uintptr_t)INTPTR_MAX};
            for (size_t k = 0; k < LENGTH(others); k++)
                expect_misuse(queue, others[k]);
            CHECK_OK(queues_mpmc_cancel(other, others[6]));
        }
        const queues_stats_t after = stats(queue);
        CHECK(memcmp(&before, &after, sizeof before) == 0);

        /* What was committed and returned is held no longer. */
        CHECK_OK(queues_mpmc_commit(queue, reserved, sizes[i]));
        CHECK_OK(queues_mpmc_return(queue, leased));
        for (size_t k = 0; k < LENGTH(enders); k++) {
            CHECK_STATUS(enders[k].call(queue, reserved), QUEUES_MISUSE);
            CHECK_STATUS(enders[k].call(queue, leased), QUEUES_MISUSE);
        }
        CHECK_STATUS(queues_mpmc_commit(queue, reserved, 0), QUEUES_MISUSE);
        expect_blob(queue, sizes[i], 1);
        void *again[2];
        size_t len;
        for (int k = 0; k < 2; k++) {
            CHECK_OK(queues_mpmc_lease(queue, &again[k], &len, 0));
            CHECK_EQ(len, sizes[i]);
            for (size_t n = 0; n < len; n++)
                CHECK_EQ(((unsigned char *)again[k])[n], 0xFF);
        }
        CHECK(again[0] == reserved && again[1] == leased);
        CHECK_OK(queues_mpmc_settle(queue, leased));
        CHECK_STATUS(queues_mpmc_settle(queue, leased), QUEUES_MISUSE);
        CHECK_STATUS(queues_mpmc_return(queue, leased), QUEUES_MISUSE);
        CHECK_OK(queues_mpmc_settle(queue, reserved));
        void *canceled = reserve(queue);
        CHECK_OK(queues_mpmc_cancel(queue, canceled));
        CHECK_STATUS(queues_mpmc_cancel(queue, canceled), QUEUES_MISUSE);
        CHECK_STATUS(queues_mpmc_commit(queue, canceled, 1), QUEUES_MISUSE);
        expect_cells(queue, 5);
        Q(release)(queue);
        Q(release)(other);
    }
}

/* The queue has no cells or is no mpmc queue: INVALID. */
static void expect_refused(queue_t *bad, void *data) {
    void *place = data;
    size_t len = 7;
    for (size_t i = 0; i < LENGTH(timeouts); i++) {
        CHECK_STATUS(queues_mpmc_reserve(bad, &place, timeouts[i]), QUEUES_INVALID);
        CHECK_STATUS(queues_mpmc_lease(bad, &place, &len, timeouts[i]), QUEUES_INVALID);
    }
    CHECK_STATUS(queues_mpmc_commit(bad, data, 0), QUEUES_INVALID);
    CHECK_STATUS(queues_mpmc_cancel(bad, data), QUEUES_INVALID);
    CHECK_STATUS(queues_mpmc_settle(bad, data), QUEUES_INVALID);
    CHECK_STATUS(queues_mpmc_return(bad, data), QUEUES_INVALID);
    CHECK(place == data && len == 7);
}

static void arguments_in_place_are_checked(void) {
    static _Alignas(16) char zeros[4096];
    queues_spsc_t *spsc;
    CREATE(spsc, &spsc, .capacity = 2, .item_size = 8);
    queue_t *pointer = pointers(2), *byte = cells(2, 8, 1);
    void *reserved = reserve(byte), *leased;
    size_t len;
    CHECK_OK(Q(try_put_bytes)(byte, "one", 3));
    CHECK_OK(queues_mpmc_lease(byte, &leased, &len, 0));
    CHECK_OK(Q(try_put_bytes)(byte, "two", 3));
    expect_refused(NULL, reserved);
    expect_refused((queue_t *)zeros, reserved);
    expect_refused((queue_t *)spsc, reserved);
    expect_refused(pointer, reserved);
    expect_refused(pointer, leased);

    const queues_stats_t before = stats(byte);
    len = 7;
    for (size_t i = 0; i < LENGTH(timeouts); i++) {
        void *place = zeros;
        CHECK_STATUS(queues_mpmc_reserve(byte, NULL, timeouts[i]), QUEUES_INVALID);
        CHECK_STATUS(queues_mpmc_lease(byte, NULL, &len, timeouts[i]), QUEUES_INVALID);
        CHECK_STATUS(queues_mpmc_lease(byte, &place, NULL, timeouts[i]), QUEUES_INVALID);
        CHECK(place == zeros && len == 7);
    }
    CHECK_STATUS(queues_mpmc_commit(byte, NULL, 0), QUEUES_INVALID);
    CHECK_STATUS(queues_mpmc_cancel(byte, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_mpmc_settle(byte, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_mpmc_return(byte, NULL), QUEUES_INVALID);
    const queues_stats_t after = stats(byte);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    CHECK_OK(queues_mpmc_commit(byte, reserved, 8));
    CHECK_OK(queues_mpmc_settle(byte, leased));
    Q(release)(pointer);
    Q(release)(byte);
    queues_spsc_release(spsc);
}

/* Several threads end the same reservation or lease at once, by different calls: one call succeeds,
 * the others return MISUSE. */
static struct {
    queue_t *queue;
    void *data;
    bool leased;
    pthread_barrier_t barrier;
    atomic_size_t done;
    atomic_bool over;
} contest;

static void *end_in_turn(void *arg) {
    for (size_t turn = (size_t)(uintptr_t)arg;; turn++) {
        pthread_barrier_wait(&contest.barrier);
        if (contest.over)
            return NULL;
        queues_status_t status = contest.leased
                                     ? turn % 2 ? queues_mpmc_settle(contest.queue, contest.data)
                                                : queues_mpmc_return(contest.queue, contest.data)
                                 : turn % 2 ? queues_mpmc_cancel(contest.queue, contest.data)
                                            : queues_mpmc_commit(contest.queue, contest.data, 4);
        if (status == QUEUES_OK)
            contest.done++;
        else
            CHECK_STATUS(status, QUEUES_MISUSE);
        pthread_barrier_wait(&contest.barrier);
    }
}

static void one_call_ends_a_reservation_or_lease(void) {
    enum { THREADS = 3, TURNS = 2000 };
    pthread_t threads[THREADS];
    contest.queue = cells(2, 8, 1);
    CHECK_EQ(pthread_barrier_init(&contest.barrier, NULL, THREADS + 1), 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        threads[i] = start(end_in_turn, (void *)i);
    for (size_t turn = 0; turn < TURNS; turn++) {
        size_t len;
        contest.leased = turn % 2;
        contest.done = 0;
        if (contest.leased) {
            CHECK_OK(Q(try_put_bytes)(contest.queue, "item", 4));
            CHECK_OK(queues_mpmc_lease(contest.queue, &contest.data, &len, 0));
        } else {
            contest.data = reserve(contest.queue);
        }
        pthread_barrier_wait(&contest.barrier);
        pthread_barrier_wait(&contest.barrier);
        CHECK_EQ(contest.done, 1);
        CHECK_OK(Q(clear)(contest.queue, &len));
        CHECK(len <= 1);
    }
    contest.over = true;
    pthread_barrier_wait(&contest.barrier);
    for (size_t i = 0; i < THREADS; i++)
        finish(threads[i]);
    CHECK_EQ(pthread_barrier_destroy(&contest.barrier), 0);
    expect_cells(contest.queue, 3);
    Q(release)(contest.queue);
}

/* --- the last release */

/* Blobs that are leased or in the queue are dropped; those that are reserved or settled are not. */
static void the_last_release_drops_leased_blobs(void) {
    for (int with_length = 0; with_length < 2; with_length++) {
        options_t options = {.capacity = 8, .item_size = 8, .spare = 4};
        if (with_length) {
            options.drop_bytes = drop_with_length;
            options.drop_ctx = &lengths;
        } else {
            options.drop = drop_bytes;
        }
        queue_t *queue = create(options);
        unsigned char data[8];
        memset(&lengths, 0, sizeof lengths);
        memset(&dropped, 0, sizeof dropped);
        for (size_t len = 1; len <= 6; len++) {
            fill(data, len, len);
            CHECK_OK(Q(try_put_bytes)(queue, data, len));
        }
        CHECK_OK(queues_mpmc_settle(queue, lease(queue, 1, 1)));
        lease(queue, 2, 2);
        CHECK_OK(queues_mpmc_return(queue, lease(queue, 3, 3)));
        lease(queue, 4, 4);
        fill(reserve(queue), 7, 7);
        size_t count = 0;
        if (with_length) {
            CHECK_OK(Q(clear)(queue, &count)); /* only what is in the queue */
            CHECK_EQ(count, 3);
            CHECK_EQ(lengths.total, 3);
        }
        Q(release)(queue);
        CHECK_EQ(with_length ? lengths.total : dropped.total, 5);
        for (size_t len = 0; len <= 7; len++)
            CHECK_EQ(with_length ? lengths.times[len] : dropped.times[len], len >= 2 && len <= 6);
    }
}

/* --- waiting */

static queue_t *waited_on;

static void *wait_to_reserve(void *data) {
    CHECK_OK(queues_mpmc_reserve(waited_on, data, -1));
    return NULL;
}

static void *wait_to_put(void *arg) {
    (void)arg;
    CHECK_OK(Q(put_bytes)(waited_on, "put", 3, -1));
    return NULL;
}

static void *wait_to_lease(void *data) {
    size_t len;
    CHECK_OK(queues_mpmc_lease(waited_on, data, &len, -1));
    return NULL;
}

static void *wait_to_get(void *arg) {
    size_t len;
    CHECK_OK(Q(get_bytes)(waited_on, arg, 8, &len, -1));
    return NULL;
}

/* Two threads wait for the only place. The one that wakes first only reserves and so takes no
 * place: it must wake the other. */
static void a_reservation_wakes_the_next_waiter(void) {
    for (int kind = 0; kind < 4; kind++) {
        char buffer[8];
        void *first, *second, *leased;
        size_t len;
        waited_on = cells(1, 8, 4);
        CHECK_OK(Q(try_put_bytes)(waited_on, "one", 3));
        pthread_t reserver = start(wait_to_reserve, &first);
        pause_ns(20 * MILLISECOND);
        pthread_t another = kind % 2 ? start(wait_to_reserve, &second) : start(wait_to_put, NULL);
        pause_ns(20 * MILLISECOND);
        if (kind < 2)
            CHECK_OK(Q(get_bytes)(waited_on, buffer, sizeof buffer, &len, 0));
        else
            CHECK_OK(queues_mpmc_lease(waited_on, &leased, &len, 0));
        finish(reserver);
        finish(another);
        Q(release)(waited_on);
    }
}

/* The queue has room, but every cell is held. */
static void a_free_cell_ends_a_wait(void) {
    for (int kind = 0; kind < 6; kind++) {
        void *held[3], *data = NULL;
        size_t len;
        waited_on = cells(2, 8, 1);
        for (int i = 0; i < 3; i++) {
            held[i] = reserve(waited_on);
            if (kind % 2) {
                CHECK_OK(queues_mpmc_commit(waited_on, held[i], 1));
                CHECK_OK(queues_mpmc_lease(waited_on, &held[i], &len, 0));
            }
        }
        CHECK_STATUS(Q(put_bytes)(waited_on, "put", 3, 1), QUEUES_TIMEOUT);
        pthread_t waiter = start(kind / 2 ? wait_to_reserve : wait_to_put, &data);
        pause_ns(10 * MILLISECOND);
        CHECK_OK(kind % 2 ? queues_mpmc_settle(waited_on, held[1])
                          : queues_mpmc_cancel(waited_on, held[1]));
        finish(waiter);
        CHECK_EQ(Q(size)(waited_on), kind / 2 == 0);
        Q(release)(waited_on);
    }
}

static void leases_commits_and_returns_wake(void) {
    for (int kind = 0; kind < 4; kind++) {
        char buffer[8];
        void *data = NULL, *held;
        size_t len;
        waited_on = cells(1, 8, 8);
        CHECK_OK(Q(try_put_bytes)(waited_on, "one", 3));
        CHECK_OK(queues_mpmc_lease(waited_on, &held, &len, 0));
        /* a get or lease waits for a commit or return */
        pthread_t getter =
            start(kind % 2 ? wait_to_lease : wait_to_get, kind % 2 ? (void *)&data : buffer);
        pause_ns(10 * MILLISECOND);
        if (kind / 2)
            CHECK_OK(queues_mpmc_return(waited_on, held));
        else
            CHECK_OK(queues_mpmc_commit(waited_on, reserve(waited_on), 3));
        finish(getter);
        /* a put or reserve waits for a lease */
        CHECK_OK(Q(try_put_bytes)(waited_on, "two", 3));
        pthread_t putter = start(kind % 2 ? wait_to_reserve : wait_to_put, &data);
        pause_ns(10 * MILLISECOND);
        CHECK_OK(queues_mpmc_lease(waited_on, &held, &len, 0));
        finish(putter);
        Q(release)(waited_on);
    }
}

static void *wait_for_a_close(void *arg) {
    void *data = NULL;
    size_t len;
    CHECK_STATUS(arg ? queues_mpmc_reserve(waited_on, &data, -1)
                     : queues_mpmc_lease(waited_on, &data, &len, -1),
                 QUEUES_CLOSED);
    return NULL;
}

static void close_ends_waits_in_place(void) {
    for (int filled = 0; filled < 2; filled++) {
        pthread_t waiters[WAITERS];
        waited_on = cells(1, 8, 2);
        if (filled)
            CHECK_OK(Q(try_put_bytes)(waited_on, "one", 3));
        for (int i = 0; i < WAITERS; i++)
            waiters[i] = start(wait_for_a_close, filled ? waited_on : NULL);
        pause_ns(10 * MILLISECOND);
        CHECK_OK(Q(close)(waited_on));
        for (int i = 0; i < WAITERS; i++)
            finish(waiters[i]);
        Q(release)(waited_on);
    }
}

/* --- all calls at once */

enum { MIXERS = 4, MIXED = 4000, HELD = 3 };

static atomic_uchar mixed_seen[MIXERS * MIXED];

/* An item is its number, twice. */
static void write_number(void *data, size_t number) {
    size_t both[] = {number, ~number};
    memcpy(data, both, sizeof both);
}

static void see_number(const void *data, size_t len) {
    size_t both[2];
    CHECK_EQ(len, sizeof both);
    memcpy(both, data, sizeof both);
    CHECK(both[0] < LENGTH(mixed_seen) && both[1] == ~both[0]);
    CHECK_EQ(mixed_seen[both[0]]++, 0);
}

/* Puts its own numbers and takes any, each time by random calls. */
static void *mix(void *arg) {
    size_t next = (size_t)(uintptr_t)arg * MIXED, end = next + MIXED, held = 0, len;
    void *leased[HELD], *data;
    unsigned char buffer[2 * sizeof(size_t)];
    uint32_t random = (uint32_t)next + 1;
    while (next < end || held > 0) {
        switch (random_bits(&random, 4)) {
        case 0: /* put */
        case 1:
        case 2:
            write_number(buffer, next);
            if (next < end && Q(try_put_bytes)(waited_on, buffer, sizeof buffer) == QUEUES_OK)
                next++;
            break;
        case 3: /* put in place */
        case 4:
        case 5:
        case 6:
            if (next < end && queues_mpmc_reserve(waited_on, &data, 0) == QUEUES_OK) {
                write_number(data, next);
                if (queues_mpmc_commit(waited_on, data, sizeof buffer) == QUEUES_OK)
                    next++;
                else
                    CHECK_OK(queues_mpmc_cancel(waited_on, data));
            }
            break;
        case 7: /* reserve and cancel */
            if (queues_mpmc_reserve(waited_on, &data, 0) == QUEUES_OK) {
                write_number(data, SIZE_MAX);
                CHECK_OK(queues_mpmc_cancel(waited_on, data));
            }
            break;
        case 8: /* get */
        case 9:
            if (Q(try_get_bytes)(waited_on, buffer, sizeof buffer, &len) == QUEUES_OK)
                see_number(buffer, len);
            break;
        case 10: /* lease */
        case 11:
        case 12:
            if (next < end && held < HELD &&
                queues_mpmc_lease(waited_on, &leased[held], &len, 0) == QUEUES_OK)
                held++;
            break;
        case 13: /* return */
            if (held > 0 && queues_mpmc_return(waited_on, leased[held - 1]) == QUEUES_OK)
                held--;
            break;
        default: /* settle */
            if (held > 0) {
                see_number(leased[--held], sizeof buffer);
                CHECK_OK(queues_mpmc_settle(waited_on, leased[held]));
                CHECK(queues_mpmc_settle(waited_on, (char *)leased[held] + 1) == QUEUES_MISUSE);
            } else if (next == end) {
                return NULL;
            }
        }
        /* No thread waits in a call. If none took from a full queue, all might hold blobs that they
         * cannot return. */
        if (next < end && Q(size)(waited_on) == Q(capacity)(waited_on) &&
            Q(try_get_bytes)(waited_on, buffer, sizeof buffer, &len) == QUEUES_OK)
            see_number(buffer, len);
    }
    return NULL;
}

static void random_calls_lose_nothing(void) {
    static const size_t capacities[] = {1, 2, 5, 17};
    for (size_t i = 0; i < LENGTH(capacities); i++) {
        for (size_t spare = 1; spare <= 16; spare += 5) {
            pthread_t threads[MIXERS];
            char buffer[2 * sizeof(size_t)];
            size_t len;
            memset(mixed_seen, 0, sizeof mixed_seen);
            waited_on = cells(capacities[i], sizeof buffer, spare);
            for (uintptr_t k = 0; k < MIXERS; k++)
                threads[k] = start(mix, (void *)k);
            for (size_t k = 0; k < MIXERS; k++)
                finish(threads[k]);
            while (Q(try_get_bytes)(waited_on, buffer, sizeof buffer, &len) == QUEUES_OK)
                see_number(buffer, len);
            for (size_t k = 0; k < LENGTH(mixed_seen); k++)
                CHECK_EQ(mixed_seen[k], 1);
            expect_cells(waited_on, capacities[i] + spare);
            queues_stats_t s = stats(waited_on);
            CHECK(s.enqueued >= LENGTH(mixed_seen) && s.enqueued == s.dequeued);
            CHECK(s.peak_size <= s.capacity);
            Q(release)(waited_on);
        }
    }
}

/* --- what ThreadSanitizer sees */

static atomic_int turn;

/* Relaxed: only the queue orders what the threads do. */
static void await_turn(int mine) {
    while (atomic_load_explicit(&turn, memory_order_relaxed) != mine)
        sched_yield();
}

static void end_turn(int mine) { atomic_store_explicit(&turn, mine + 1, memory_order_relaxed); }

/* An access that the compiler instruments, unlike a memset that it expands. */
static void touch(uint64_t *data) { ++*data; }

/* Two threads write and read the same cells in turn, and use all cells. */
static void *take_turns(void *first) {
    for (int mine = first ? 0 : 1; mine < 60; mine += 2) {
        void *data[2];
        size_t len;
        await_turn(mine);
        switch (mine / 2 % 3) {
        case 0: /* cancel, then reserve */
            for (int i = 0; i < 2; i++)
                touch(data[i] = reserve(waited_on));
            for (int i = 0; i < 2; i++)
                CHECK_OK(queues_mpmc_cancel(waited_on, data[i]));
            break;
        case 1: /* return, then lease; settle, then reserve */
            for (int i = 0; first && i < 2; i++)
                touch(data[i] = reserve(waited_on));
            if (first)
                CHECK_OK(queues_mpmc_commit(waited_on, data[0], 8));
            CHECK_OK(queues_mpmc_lease(waited_on, &data[0], &len, 0));
            touch(data[0]);
            if (first) {
                CHECK_OK(queues_mpmc_return(waited_on, data[0]));
                CHECK_OK(queues_mpmc_cancel(waited_on, data[1]));
            } else {
                CHECK_OK(queues_mpmc_settle(waited_on, data[0]));
            }
            break;
        default: /* commit, then lease */
            if (first) {
                touch(data[0] = reserve(waited_on));
                CHECK_OK(queues_mpmc_commit(waited_on, data[0], 8));
            } else {
                CHECK_OK(queues_mpmc_lease(waited_on, &data[0], &len, 0));
                touch(data[0]);
                CHECK_OK(queues_mpmc_settle(waited_on, data[0]));
            }
        }
        end_turn(mine);
    }
    return NULL;
}

static void handovers_in_place_are_announced(void) {
    waited_on = cells(1, 8, 1);
    turn = 0;
    pthread_t first = start(take_turns, waited_on), second = start(take_turns, NULL);
    finish(first);
    finish(second);
    expect_cells(waited_on, 2);
    Q(release)(waited_on);
}

int main(void) {
    run_family();
    RUN(blobs_are_written_and_read_in_place);
    RUN(a_commit_is_the_put);
    RUN(capacity_plus_spare_cells_may_be_held);
    RUN(the_number_of_spare_cells_is_checked);
    RUN(a_lease_takes_a_blob_out_of_the_queue);
    RUN(close_keeps_leases_and_reservations);
    RUN(only_addresses_that_are_held_are_accepted);
    RUN(arguments_in_place_are_checked);
    RUN(one_call_ends_a_reservation_or_lease);
    RUN(the_last_release_drops_leased_blobs);
    RUN(a_reservation_wakes_the_next_waiter);
    RUN(a_free_cell_ends_a_wait);
    RUN(leases_commits_and_returns_wake);
    RUN(close_ends_waits_in_place);
    RUN(random_calls_lose_nothing);
    RUN(handovers_in_place_are_announced);
    return 0;
}
