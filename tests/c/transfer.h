/* Threads pass stamps through a queue by every pair of calls that put and get: nothing is lost or
 * duplicated, the order of each producer is kept, and a close or a signal at any moment changes
 * none of this. Included once for each FAMILY, with the number of SIDE threads at each end, and
 * with IN_PLACE (reserve and front, as of spsc) or LEASES (reserve and lease, as of mpmc) if the
 * family has them. */

/* A function that puts n stamps and one that gets up to n. Both return how many stamps they have
 * passed: 0 or fewer than n only if the queue is closed. */
typedef struct {
    const char *name;
    size_t item_size;
    size_t (*put)(QUEUE *queue, const stamp_t *stamps, size_t n);
    size_t (*get)(QUEUE *queue, stamp_t *stamps, size_t n);
} T(pair_t);

/* A stamp travels through a queue of pointers in memory that the consumer frees. */
static void *T(box)(stamp_t stamp) {
    stamp_t *box = malloc(sizeof *box);
    CHECK(box);
    *box = stamp;
    return box;
}

static stamp_t T(unbox)(void *box) {
    stamp_t stamp = *(stamp_t *)box;
    free(box);
    return stamp;
}

static size_t T(put)(QUEUE *queue, const stamp_t *stamps, size_t n) {
    for (size_t i = 0; i < n; i++) {
        void *box = T(box)(stamps[i]);
        queues_status_t status = Q(put)(queue, box, -1);
        if (status != QUEUES_OK) {
            CHECK_STATUS(status, QUEUES_CLOSED);
            free(box);
            return i;
        }
    }
    return n;
}

static size_t T(get)(QUEUE *queue, stamp_t *stamps, size_t n) {
    (void)n;
    void *box;
    queues_status_t status = Q(get)(queue, &box, -1);
    if (status != QUEUES_OK) {
        CHECK_STATUS(status, QUEUES_CLOSED);
        return 0;
    }
    stamps[0] = T(unbox)(box);
    return 1;
}

/* Tries: where one finds no room or no item, a call with a short timeout follows. */
static size_t T(try_put)(QUEUE *queue, const stamp_t *stamps, size_t n) {
    for (size_t i = 0; i < n; i++) {
        void *box = T(box)(stamps[i]);
        queues_status_t status;
        while ((status = Q(try_put)(queue, box)) == QUEUES_FULL &&
               (status = Q(put)(queue, box, 1000)) == QUEUES_TIMEOUT)
            ;
        if (status != QUEUES_OK) {
            CHECK_STATUS(status, QUEUES_CLOSED);
            free(box);
            return i;
        }
    }
    return n;
}

static size_t T(try_get)(QUEUE *queue, stamp_t *stamps, size_t n) {
    (void)n;
    void *box;
    queues_status_t status;
    while ((status = Q(try_get)(queue, &box)) == QUEUES_EMPTY &&
           (status = Q(get)(queue, &box, 1000)) == QUEUES_TIMEOUT)
        ;
    if (status != QUEUES_OK) {
        CHECK_STATUS(status, QUEUES_CLOSED);
        return 0;
    }
    stamps[0] = T(unbox)(box);
    return 1;
}

static size_t T(put_many)(QUEUE *queue, const stamp_t *stamps, size_t n) {
    void *boxes[BURST];
    for (size_t i = 0; i < n; i++)
        boxes[i] = T(box)(stamps[i]);
    size_t done = SIZE_MAX;
    queues_status_t status = Q(put_many)(queue, boxes, n, -1, &done);
    CHECK_STATUS(status, done == n ? QUEUES_OK : QUEUES_CLOSED);
    for (size_t i = done; i < n; i++)
        free(boxes[i]);
    return done;
}

static size_t T(get_many)(QUEUE *queue, stamp_t *stamps, size_t n) {
    void *boxes[BURST];
    size_t done = SIZE_MAX;
    queues_status_t status = Q(get_many)(queue, boxes, n, -1, &done);
    CHECK_STATUS(status, done > 0 ? QUEUES_OK : QUEUES_CLOSED);
    for (size_t i = 0; i < done; i++)
        stamps[i] = T(unbox)(boxes[i]);
    return done;
}

static size_t T(put_bytes)(QUEUE *queue, const stamp_t *stamps, size_t n) {
    for (size_t i = 0; i < n; i++) {
        queues_status_t status = Q(put_bytes)(queue, &stamps[i], sizeof *stamps, -1);
        if (status != QUEUES_OK) {
            CHECK_STATUS(status, QUEUES_CLOSED);
            return i;
        }
    }
    return n;
}

static size_t T(get_bytes)(QUEUE *queue, stamp_t *stamps, size_t n) {
    (void)n;
    size_t len = 0;
    queues_status_t status = Q(get_bytes)(queue, stamps, sizeof *stamps, &len, -1);
    CHECK_EQ(len, status == QUEUES_OK ? sizeof *stamps : 0);
    CHECK(status == QUEUES_OK || status == QUEUES_CLOSED);
    return status == QUEUES_OK;
}

static size_t T(try_put_bytes)(QUEUE *queue, const stamp_t *stamps, size_t n) {
    for (size_t i = 0; i < n; i++) {
        queues_status_t status;
        while ((status = Q(try_put_bytes)(queue, &stamps[i], sizeof *stamps)) == QUEUES_FULL &&
               (status = Q(put_bytes)(queue, &stamps[i], sizeof *stamps, 1000)) == QUEUES_TIMEOUT)
            ;
        if (status != QUEUES_OK) {
            CHECK_STATUS(status, QUEUES_CLOSED);
            return i;
        }
    }
    return n;
}

static size_t T(try_get_bytes)(QUEUE *queue, stamp_t *stamps, size_t n) {
    (void)n;
    size_t len = 0;
    queues_status_t status;
    while ((status = Q(try_get_bytes)(queue, stamps, sizeof *stamps, &len)) == QUEUES_EMPTY &&
           (status = Q(get_bytes)(queue, stamps, sizeof *stamps, &len, 1000)) == QUEUES_TIMEOUT)
        ;
    CHECK_EQ(len, status == QUEUES_OK ? sizeof *stamps : 0);
    CHECK(status == QUEUES_OK || status == QUEUES_CLOSED);
    return status == QUEUES_OK;
}

#ifdef IN_PLACE
static size_t T(put_in_place)(QUEUE *queue, const stamp_t *stamps, size_t n) {
    for (size_t i = 0; i < n; i++) {
        void *place;
        queues_status_t status = Q(reserve)(queue, &place, -1);
        if (status == QUEUES_OK) {
            *(stamp_t *)place = stamps[i];
            status = Q(commit)(queue, sizeof *stamps);
        }
        if (status != QUEUES_OK) {
            CHECK_STATUS(status, QUEUES_CLOSED);
            return i;
        }
    }
    return n;
}

static size_t T(get_in_place)(QUEUE *queue, stamp_t *stamps, size_t n) {
    (void)n;
    const void *front;
    size_t len;
    queues_status_t status = Q(front)(queue, &front, &len, -1);
    if (status != QUEUES_OK) {
        CHECK_STATUS(status, QUEUES_CLOSED);
        return 0;
    }
    CHECK_EQ(len, sizeof *stamps);
    *stamps = *(const stamp_t *)front;
    CHECK_OK(Q(consume)(queue));
    return 1;
}
#endif

#ifdef LEASES
/* Between reserve and commit other threads may fill the queue: then the reservation is canceled and
 * the stamp is written into a new one. */
static size_t T(put_reserved)(QUEUE *queue, const stamp_t *stamps, size_t n) {
    for (size_t i = 0; i < n; i++) {
        queues_status_t status;
        do {
            void *data;
            status = Q(reserve)(queue, &data, -1);
            if (status != QUEUES_OK)
                break;
            *(stamp_t *)data = stamps[i];
            status = Q(commit)(queue, data, sizeof *stamps);
            if (status != QUEUES_OK) {
                *(stamp_t *)data = (stamp_t){0, 0, 0};
                CHECK_OK(Q(cancel)(queue, data));
            }
        } while (status == QUEUES_FULL);
        if (status != QUEUES_OK) {
            CHECK_STATUS(status, QUEUES_CLOSED);
            return i;
        }
    }
    return n;
}

static size_t T(get_leased)(QUEUE *queue, stamp_t *stamps, size_t n) {
    void *leased[BURST];
    size_t got = 0, len;
    queues_status_t status = QUEUES_OK;
    for (; got < n && status == QUEUES_OK; got += status == QUEUES_OK) {
        status = Q(lease)(queue, &leased[got], &len, got == 0 ? -1 : 0);
        CHECK(status != QUEUES_OK || len == sizeof *stamps);
    }
    CHECK(status == QUEUES_OK || status == QUEUES_CLOSED || status == QUEUES_EMPTY);
    for (size_t i = 0; i < got; i++) {
        stamps[i] = *(stamp_t *)leased[i];
        *(stamp_t *)leased[i] = (stamp_t){0, 0, 0};
        CHECK_OK(Q(settle)(queue, leased[i]));
    }
    return got;
}
#endif

static const T(pair_t) T(pairs)[] = {
    {"put, get", 0, T(put), T(get)},
    {"try_put, try_get", 0, T(try_put), T(try_get)},
    {"put_many, get_many", 0, T(put_many), T(get_many)},
    {"put_bytes, get_bytes", sizeof(stamp_t), T(put_bytes), T(get_bytes)},
    {"try_put_bytes, try_get_bytes", sizeof(stamp_t), T(try_put_bytes), T(try_get_bytes)},
#ifdef IN_PLACE
    {"reserve, front", sizeof(stamp_t), T(put_in_place), T(get_in_place)},
#endif
#ifdef LEASES
    {"reserve, lease", sizeof(stamp_t), T(put_reserved), T(get_leased)},
    {"reserve, get_bytes", sizeof(stamp_t), T(put_reserved), T(get_bytes)},
    {"put_bytes, lease", sizeof(stamp_t), T(put_bytes), T(get_leased)},
#endif
};

typedef struct {
    QUEUE *queue;
    const T(pair_t) * pair;
    atomic_uchar seen[SIDE][ITEMS];
    size_t accepted[SIDE]; /* how many stamps of each producer the queue accepted */
    atomic_bool over;
} T(transfer_t);

typedef struct {
    T(transfer_t) * transfer;
    uint32_t index;
} T(actor_t);

static void *T(produce)(void *arg) {
    T(actor_t) *self = arg;
    T(transfer_t) *transfer = self->transfer;
    size_t *accepted = &transfer->accepted[self->index];
    while (*accepted < ITEMS) {
        stamp_t stamps[BURST];
        size_t n = *accepted % BURST + 1;
        if (n > ITEMS - *accepted)
            n = ITEMS - *accepted;
        for (size_t i = 0; i < n; i++)
            stamps[i] = stamp(self->index, (uint32_t)(*accepted + i));
        size_t put = transfer->pair->put(transfer->queue, stamps, n);
        *accepted += put;
        if (put < n)
            break;
    }
    return NULL;
}

static void *T(consume)(void *arg) {
    T(transfer_t) *transfer = ((T(actor_t) *)arg)->transfer;
    stamp_t stamps[BURST];
    uint32_t next[SIDE] = {0}; /* the least sequence number that each producer may send next */
    for (size_t n; (n = transfer->pair->get(transfer->queue, stamps, BURST)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            check_stamp(&stamps[i], SIDE);
            CHECK(stamps[i].sequence >= next[stamps[i].producer]);
            next[stamps[i].producer] = stamps[i].sequence + 1;
            CHECK_EQ(transfer->seen[stamps[i].producer][stamps[i].sequence]++, 0);
        }
    }
    return NULL;
}

/* Sizes and statistics stay within the capacity while other threads put and get. */
static void *T(watch)(void *arg) {
    T(transfer_t) *transfer = arg;
    while (!transfer->over) {
        queues_stats_t stats = {.struct_size = sizeof stats};
        CHECK(Q(size)(transfer->queue) <= Q(capacity)(transfer->queue));
        CHECK_OK(Q(stats)(transfer->queue, &stats));
        CHECK(stats.current_size <= stats.capacity && stats.peak_size <= stats.capacity);
        pause_ns(MILLISECOND / 10);
    }
    return NULL;
}

/* Closes the queue after close_after_ns, while the producers run, or, below 0, when they have
 * finished. Every accepted stamp is got once, in the order of its producer. */
static void T(transfer_all)(const T(pair_t) * pair, size_t capacity, int64_t close_after_ns) {
    static T(transfer_t) transfer;
    memset(&transfer, 0, sizeof transfer);
    transfer.pair = pair;
    CREATE(FAMILY, &transfer.queue, SIZED(capacity, pair->item_size));

    T(actor_t) actors[SIDE];
    pthread_t producers[SIDE], consumers[SIDE], watcher = start(T(watch), &transfer);
    for (uint32_t i = 0; i < SIDE; i++) {
        actors[i] = (T(actor_t)){&transfer, i};
        consumers[i] = start(T(consume), &actors[i]);
        producers[i] = start(T(produce), &actors[i]);
    }
    if (close_after_ns >= 0) {
        pause_ns(close_after_ns);
        CHECK_OK(Q(close)(transfer.queue));
    }
    for (size_t i = 0; i < SIDE; i++)
        finish(producers[i]);
    CHECK_OK(Q(close)(transfer.queue));
    for (size_t i = 0; i < SIDE; i++)
        finish(consumers[i]);
    transfer.over = true;
    finish(watcher);

    size_t accepted = 0;
    for (size_t i = 0; i < SIDE; i++) {
        accepted += transfer.accepted[i];
        if (close_after_ns < 0)
            CHECK_EQ(transfer.accepted[i], ITEMS);
        for (size_t k = 0; k < ITEMS; k++)
            CHECK_EQ(transfer.seen[i][k], k < transfer.accepted[i]);
    }
    queues_stats_t stats = {.struct_size = sizeof stats};
    CHECK_OK(Q(stats)(transfer.queue, &stats));
    CHECK_EQ(stats.enqueued, accepted);
    CHECK_EQ(stats.dequeued, accepted);
    CHECK_EQ(stats.current_size, 0);
    Q(release)(transfer.queue);
}

static void T(nothing_is_lost)(void) {
    static const size_t capacities[] = {1, 2, 3, 7, 64};
    for (size_t i = 0; i < LENGTH(T(pairs)); i++) {
        for (size_t k = 0; k < LENGTH(capacities); k++) {
            fprintf(stderr, "  %s, capacity %zu\n", T(pairs)[i].name, capacities[k]);
            T(transfer_all)(&T(pairs)[i], capacities[k], -1);
        }
    }
}

static void T(nothing_is_lost_at_a_close)(void) {
    for (size_t i = 0; i < LENGTH(T(pairs)); i++) {
        fprintf(stderr, "  %s\n", T(pairs)[i].name);
        for (size_t round = 0; round < ROUNDS; round++)
            T(transfer_all)(&T(pairs)[i], round % 4 + 1, (int64_t)(round * round) * 1000);
    }
}

/* --- the last release, while other threads are on their way out of a call

   Each of these threads has a reference of its own. */

static void *T(get_and_release)(void *queue) {
    void *got;
    CHECK_STATUS(Q(get)(queue, &got, -1), QUEUES_CLOSED);
    CHECK_EQ(Q(size)(queue), 0);
    Q(release)(queue);
    return NULL;
}

static void *T(put_and_release)(void *queue) {
    CHECK_STATUS(Q(put)(queue, queue, -1), QUEUES_CLOSED);
    CHECK_EQ(Q(size)(queue), 1);
    Q(release)(queue);
    return NULL;
}

static void T(a_waiter_keeps_the_queue_by_its_own_reference)(void) {
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t dropped = 0, filled = round % 2;
        QUEUE *queue;
        pthread_t waiters[SIDE];
        CREATE(FAMILY, &queue, SIZED(1, 0), .drop = count_item, .drop_ctx = &dropped);
        if (filled)
            CHECK_OK(Q(try_put)(queue, NULL));
        for (size_t i = 0; i < SIDE; i++)
            waiters[i] = start(filled ? T(put_and_release) : T(get_and_release), Q(retain)(queue));
        if (round % 4 < 2)
            pause_ns(MILLISECOND / 10);
        CHECK_OK(Q(close)(queue));
        Q(release)(queue);
        for (size_t i = 0; i < SIDE; i++)
            finish(waiters[i]);
        CHECK_EQ(dropped, filled);
    }
}

/* --- signals */

typedef struct {
    QUEUE *fed;
    atomic_bool timed_out, over;
} T(storm_t);

#define CHECK_WAIT(call)                                                                           \
    do {                                                                                           \
        int64_t begin = now_ns();                                                                  \
        CHECK_STATUS(call, QUEUES_TIMEOUT);                                                        \
        CHECK(now_ns() - begin >= timeout_ns);                                                     \
    } while (0)

static void *T(wait_in_a_storm)(void *arg) {
    T(storm_t) *storm = arg;
    const int64_t timeout_ns = 20 * MILLISECOND;
    QUEUE *pointers, *bytes;
    void *place = NULL;
    char data[8] = {0};
    size_t n;
    CREATE(FAMILY, &pointers, SIZED(1, 0));
    CREATE(FAMILY, &bytes, SIZED(1, sizeof data));
    CHECK_WAIT(Q(get)(pointers, &place, timeout_ns));
    CHECK_WAIT(Q(get_many)(pointers, &place, 1, timeout_ns, &n));
    CHECK_WAIT(Q(get_bytes)(bytes, data, sizeof data, &n, timeout_ns));
    CHECK_OK(Q(try_put)(pointers, NULL));
    CHECK_OK(Q(try_put_bytes)(bytes, data, sizeof data));
    CHECK_WAIT(Q(put)(pointers, NULL, timeout_ns));
    CHECK_WAIT(Q(put_many)(pointers, &place, 1, timeout_ns, &n));
    CHECK_WAIT(Q(put_bytes)(bytes, data, sizeof data, timeout_ns));
#ifdef IN_PLACE
    const void *front;
    CHECK_WAIT(Q(reserve)(bytes, &place, timeout_ns));
    CHECK_OK(Q(consume)(bytes));
    CHECK_WAIT(Q(front)(bytes, &front, &n, timeout_ns));
#endif
#ifdef LEASES
    CHECK_WAIT(Q(reserve)(bytes, &place, timeout_ns));
    CHECK_OK(Q(get_bytes)(bytes, data, sizeof data, &n, 0));
    CHECK_WAIT(Q(lease)(bytes, &place, &n, timeout_ns));
#endif
    Q(release)(pointers);
    Q(release)(bytes);
    storm->timed_out = true;
    CHECK_OK(Q(get)(storm->fed, &place, -1));
    storm->over = true;
    return NULL;
}

/* Signals arrive faster than the timeouts expire: a wait that restarted its timeout after each
 * signal would never return. */
static void T(signals_change_no_wait)(void) {
    T(storm_t) storm = {NULL, false, false};
    CREATE(FAMILY, &storm.fed, SIZED(1, 0));
    pthread_t waiter = start(T(wait_in_a_storm), &storm);
    for (int after = 0; !storm.over; after += storm.timed_out) {
        CHECK_EQ(pthread_kill(waiter, SIGUSR1), 0);
        pause_ns(MILLISECOND / 10);
        if (after == 50)
            CHECK_OK(Q(try_put)(storm.fed, NULL));
    }
    finish(waiter);
    Q(release)(storm.fed);
}

static void T(run)(void) {
    RUN(T(nothing_is_lost));
    RUN(T(nothing_is_lost_at_a_close));
    RUN(T(a_waiter_keeps_the_queue_by_its_own_reference));
    RUN(T(signals_change_no_wait));
}

#undef CHECK_WAIT
