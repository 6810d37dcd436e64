/* A process forks while its other threads are in the middle of calls, hold locks or sleep. The
 * child may use queues of its own, and its copies as docs/abi.md allows ("fork"); the parent's
 * queues are not affected. */
#include "check.h"
#include <linux/membarrier.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAPACITY = 8, SPARE = 4, ITEMS = 100, WATCHDOG_S = 60 };

static int first_forks, forks;

static void *number(uintptr_t n) { return (void *)n; }

/* Waits for a child, which its watchdog ends if it hangs. */
static void expect_success(pid_t child) {
    int status;
    CHECK(child > 0);
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        fprintf(stderr, "a child hung for %d s\n", WATCHDOG_S);
    CHECK_EQ(status, 0);
}

static pid_t fork_with_watchdog(void) {
    pid_t child = fork();
    if (child == 0)
        alarm(WATCHDOG_S);
    return child;
}

/* --- queues that the child creates: of all families, with threads that wait */

static struct {
    queues_mpmc_t *mpmc, *bytes;
    queues_priority_t *priority;
    queues_batch_t *batch;
    queues_spsc_t *spsc;
    queues_deque_t *deque;
} own;

static void *put_to_new_queues(void *unused) {
    for (uintptr_t i = 1; i <= ITEMS; i++) {
        CHECK_OK(queues_mpmc_put(own.mpmc, number(i), -1));
        CHECK_OK(queues_mpmc_put_bytes(own.bytes, &i, sizeof i, -1));
        CHECK_OK(queues_priority_put(own.priority, number(i), (double)i, -1));
        CHECK_OK(queues_batch_put(own.batch, number(i), -1));
        CHECK_OK(queues_spsc_put(own.spsc, number(i), -1));
        CHECK_OK(queues_deque_push(own.deque, number(i)));
    }
    return unused;
}

static void use_new_queues(void) {
    CREATE(mpmc, &own.mpmc, .capacity = 2);
    CREATE(mpmc, &own.bytes, .capacity = 2, .item_size = 100);
    CREATE(priority, &own.priority, .capacity = 2);
    CREATE(batch, &own.batch, .max_pending = 2, .batch_size = 1);
    CREATE(spsc, &own.spsc, .capacity = 2);
    CREATE(deque, &own.deque, .capacity = ITEMS);
    pthread_t producer = start(put_to_new_queues, NULL);
    for (uintptr_t i = 1; i <= ITEMS; i++) {
        void *got = NULL;
        uintptr_t bytes = 0;
        double rank;
        size_t n;
        CHECK_OK(queues_mpmc_get(own.mpmc, &got, -1));
        CHECK_EQ(got, i);
        CHECK_OK(queues_mpmc_get_bytes(own.bytes, &bytes, sizeof bytes, &n, -1));
        CHECK_EQ(bytes, i);
        CHECK_OK(queues_priority_get(own.priority, &got, &rank, -1));
        CHECK_EQ(got, i);
        CHECK_OK(queues_batch_get_batch(own.batch, &got, 1, &n, -1));
        CHECK_EQ(got, i);
        CHECK_OK(queues_spsc_get(own.spsc, &got, -1));
        CHECK_EQ(got, i);
        queues_status_t status;
        while ((status = queues_deque_steal(own.deque, &got)) == QUEUES_EMPTY)
            sched_yield();
        CHECK_OK(status);
        CHECK_EQ(got, i);
    }
    finish(producer);
    queues_mpmc_release(own.mpmc);
    queues_mpmc_release(own.bytes);
    queues_priority_release(own.priority);
    queues_batch_release(own.batch);
    queues_spsc_release(own.spsc);
    queues_deque_release(own.deque);
}

/* --- a fork while another thread creates the first queue of the process */

static atomic_bool begun;

static void *create_first(void *unused) {
    queues_mpmc_t *queue;
    begun = true;
    CREATE(mpmc, &queue, .capacity = 1);
    queues_mpmc_release(queue);
    return unused;
}

/* Each time in a new process that has created no queue. */
static void fork_during_the_first_create(void) {
    for (int i = 0; i < first_forks; i++) {
        fflush(NULL);
        pid_t fresh = fork_with_watchdog();
        if (fresh == 0) {
            pthread_t creator = start(create_first, NULL);
            while (!begun) /* without a yield, which would miss the creation */
                continue;
            for (int64_t end = now_ns() + i * INT64_C(4000); now_ns() < end;)
                continue;
            pid_t child = fork_with_watchdog();
            if (child == 0) {
                use_new_queues();
                _exit(0);
            }
            finish(creator);
            expect_success(child);
            _exit(0);
        }
        expect_success(fresh);
    }
}

/* --- queues that threads of the parent use */

static struct {
    queues_mpmc_t *mpmc, *bytes;
    queues_priority_t *priority, *priority_bytes;
    queues_batch_t *batch;
    queues_spsc_t *spsc, *checked; /* other threads are the producer and the consumer */
    queues_deque_t *deque;
    queues_spsc_t *produced[2]; /* the main thread is the producer; the second queue is checked */
    queues_deque_t *owned;      /* the main thread is the owner */
    queues_mpmc_t *in_place;
    queues_mpmc_t *empty, *full;
    queues_priority_t *no_priorities;
    queues_batch_t *no_batches;
    queues_spsc_t *silent;
} old;

static atomic_bool over;
static _Atomic size_t put_count, got_count, dropped_count;
static void drop(void *ctx, void *item) {
    (void)ctx;
    (void)item;
    dropped_count++;
}

static size_t dropped_in_place;
static void drop_in_place(void *ctx, void *item) {
    (void)ctx;
    (void)item;
    dropped_in_place++;
}

/* Counts a call that returned OK; a call that failed ends the program. */
static queues_status_t count(_Atomic size_t *calls, queues_status_t status) {
    if (status == QUEUES_OK)
        ++*calls;
    else
        CHECK((int)status > QUEUES_OK);
    return status;
}

/* Repeats a call until it returns CLOSED. */
#define UNTIL_CLOSED(call)                                                                         \
    while ((call) != QUEUES_CLOSED)                                                                \
    continue

/* The numbers in each of the two queues ascend. */
static void *put_mpmc(void *unused) {
    for (uintptr_t i = 1; count(&put_count, queues_mpmc_put(old.mpmc, number(i), -1)) == QUEUES_OK;
         i++)
        count(&put_count, queues_mpmc_put_bytes(old.bytes, &i, sizeof i, -1));
    return unused;
}
static void *get_mpmc(void *unused) {
    void *got;
    uintptr_t bytes;
    size_t n;
    while (count(&got_count, queues_mpmc_get(old.mpmc, &got, -1)) != QUEUES_CLOSED)
        count(&got_count, queues_mpmc_get_bytes(old.bytes, &bytes, sizeof bytes, &n, 1000));
    UNTIL_CLOSED(count(&got_count, queues_mpmc_get_bytes(old.bytes, &bytes, sizeof bytes, &n, -1)));
    return unused;
}
/* Holds one cell at most. */
static void *use_in_place(void *unused) {
    void *data;
    size_t n;
    for (uintptr_t turn = 0; !over; turn++) {
        if (queues_mpmc_reserve(old.in_place, &data, MILLISECOND) == QUEUES_OK) {
            memset(data, 1, sizeof turn);
            if (turn % 3 == 0 || queues_mpmc_commit(old.in_place, data, sizeof turn) != QUEUES_OK)
                CHECK_OK(queues_mpmc_cancel(old.in_place, data));
        }
        if (queues_mpmc_lease(old.in_place, &data, &n, MILLISECOND) == QUEUES_OK) {
            CHECK_EQ(n, sizeof turn);
            if (turn % 2 == 0 || queues_mpmc_return(old.in_place, data) != QUEUES_OK)
                CHECK_OK(queues_mpmc_settle(old.in_place, data));
        }
    }
    return unused;
}

static void *use_priority(void *unused) {
    void *got;
    double rank;
    char blob[100] = {0};
    size_t n, turns = 0;
    do {
        if (++turns % 256 == 0)
            pause_ns(MILLISECOND / 10);
        count(&put_count, queues_priority_try_put(old.priority, NULL, 1));
        count(&put_count, queues_priority_try_put_bytes(old.priority_bytes, blob, sizeof blob, 1));
        count(&got_count,
              queues_priority_get_bytes(old.priority_bytes, blob, sizeof blob, &n, &rank, 1000));
    } while (count(&got_count, queues_priority_try_get(old.priority, &got, &rank)) !=
             QUEUES_CLOSED);
    UNTIL_CLOSED(count(&got_count, queues_priority_get_bytes(old.priority_bytes, blob, sizeof blob,
                                                             &n, &rank, -1)));
    return unused;
}
static void *put_batch(void *unused) {
    UNTIL_CLOSED(count(&put_count, queues_batch_put(old.batch, NULL, -1)));
    return unused;
}
static void *get_batch(void *unused) {
    void *items[4];
    size_t n;
    queues_status_t status;
    while ((status = queues_batch_get_batch(old.batch, items, 4, &n, -1)) == QUEUES_OK)
        got_count += n;
    CHECK_STATUS(status, QUEUES_CLOSED);
    return unused;
}
static void *put_spsc(void *queue) {
    UNTIL_CLOSED(count(&put_count, queues_spsc_put(queue, NULL, -1)));
    return NULL;
}
static void *get_spsc(void *queue) {
    void *got;
    UNTIL_CLOSED(count(&got_count, queues_spsc_get(queue, &got, -1)));
    return NULL;
}
static void *own_deque(void *unused) {
    void *got;
    for (uintptr_t i = 1; !over; i++) {
        if (i % 64 == 0)
            pause_ns(MILLISECOND / 10); /* leaves processor time for the child */
        count(&put_count, queues_deque_push(old.deque, number(i)));
        if (i % 3 == 0)
            count(&got_count, queues_deque_pop(old.deque, &got));
    }
    return unused;
}
static void *steal_deques(void *unused) {
    void *got;
    while (!over) {
        sched_yield();
        count(&got_count, queues_deque_steal(old.deque, &got));
        count(&got_count, queues_deque_steal(old.owned, &got));
    }
    return unused;
}
/* Threads that sleep until the end. */
static void *sleep_in_get(void *unused) {
    void *got;
    CHECK_STATUS(queues_mpmc_get(old.empty, &got, -1), QUEUES_CLOSED);
    return unused;
}
static void *sleep_in_put(void *unused) {
    CHECK_STATUS(queues_mpmc_put(old.full, NULL, -1), QUEUES_CLOSED);
    return unused;
}
static void *sleep_in_priority(void *unused) {
    void *got;
    double rank;
    CHECK_STATUS(queues_priority_get(old.no_priorities, &got, &rank, -1), QUEUES_CLOSED);
    return unused;
}
static void *sleep_in_batch(void *unused) {
    void *got;
    size_t n;
    CHECK_STATUS(queues_batch_get_batch(old.no_batches, &got, 1, &n, -1), QUEUES_CLOSED);
    return unused;
}
static void *sleep_in_spsc(void *unused) {
    void *got;
    CHECK_STATUS(queues_spsc_get(old.silent, &got, -1), QUEUES_CLOSED);
    return unused;
}

static void create_old_queues(void) {
#define CREATE_OLD(family, name, ...) CREATE(family, &old.name, .drop = drop, __VA_ARGS__)
    CREATE_OLD(mpmc, mpmc, .capacity = CAPACITY);
    CREATE_OLD(mpmc, bytes, .capacity = CAPACITY, .item_size = sizeof(uintptr_t));
    CREATE(mpmc, &old.in_place, .capacity = CAPACITY, .spare = SPARE,
           .item_size = sizeof(uintptr_t), .drop = drop_in_place);
    CREATE_OLD(priority, priority, .capacity = CAPACITY);
    CREATE_OLD(priority, priority_bytes, .capacity = CAPACITY, .item_size = 100);
    CREATE_OLD(batch, batch, .max_pending = CAPACITY, .batch_size = 4);
    CREATE_OLD(spsc, spsc, .capacity = CAPACITY);
    CREATE_OLD(spsc, checked, .capacity = CAPACITY, .flags = QUEUES_SPSC_CHECKED);
    CREATE_OLD(deque, deque, .capacity = CAPACITY);
    CREATE_OLD(spsc, produced[0], .capacity = CAPACITY);
    CREATE_OLD(spsc, produced[1], .capacity = CAPACITY, .flags = QUEUES_SPSC_CHECKED);
    CREATE_OLD(deque, owned, .capacity = CAPACITY);
    CREATE_OLD(mpmc, empty, .capacity = 1);
    CREATE_OLD(mpmc, full, .capacity = 1);
    CREATE_OLD(priority, no_priorities, .capacity = 1);
    CREATE_OLD(batch, no_batches, .max_pending = 1, .batch_size = 1);
    CREATE_OLD(spsc, silent, .capacity = 1);
}

static void release_old_queues(void) {
    queues_mpmc_release(old.mpmc);
    queues_mpmc_release(old.bytes);
    queues_mpmc_release(old.in_place);
    queues_priority_release(old.priority);
    queues_priority_release(old.priority_bytes);
    queues_batch_release(old.batch);
    queues_spsc_release(old.spsc);
    queues_spsc_release(old.checked);
    queues_spsc_release(old.produced[0]);
    queues_spsc_release(old.produced[1]);
    queues_deque_release(old.deque);
    queues_deque_release(old.owned);
    queues_mpmc_release(old.empty);
    queues_mpmc_release(old.full);
    queues_priority_release(old.no_priorities);
    queues_batch_release(old.no_batches);
    queues_spsc_release(old.silent);
}

/* --- what a child may do with its copies of the queues */

static void expect_ascending(void *got, uintptr_t *last) {
    CHECK((uintptr_t)got > *last);
    *last = (uintptr_t)got;
}

static void *get_one(void *queue) {
    void *got = NULL;
    CHECK_OK(queues_mpmc_get(queue, &got, -1));
    return got;
}

/* mpmc: every call. */
static void use_old_mpmc(void) {
    void *got, *items[CAPACITY + 1] = {NULL};
    uintptr_t last = 0, bytes = 0;
    size_t n;
    queues_stats_t stats = {.struct_size = sizeof stats};
    CHECK(queues_mpmc_size(old.mpmc) <= CAPACITY);
    while (queues_mpmc_try_get(old.mpmc, &got) == QUEUES_OK)
        expect_ascending(got, &last);
    last = 0;
    while (queues_mpmc_try_get_bytes(old.bytes, &bytes, sizeof bytes, &n) == QUEUES_OK)
        expect_ascending(number(bytes), &last);
    CHECK_STATUS(queues_mpmc_get(old.mpmc, &got, 1), QUEUES_TIMEOUT);
    CHECK_STATUS(queues_mpmc_put_many(old.mpmc, items, CAPACITY + 1, 1, &n), QUEUES_TIMEOUT);
    CHECK_EQ(n, CAPACITY);
    CHECK_OK(queues_mpmc_get_many(old.mpmc, items, 2, -1, &n));
    CHECK_OK(queues_mpmc_stats(old.mpmc, &stats));
    CHECK_EQ(stats.current_size, CAPACITY - 2);
    dropped_count = 0;
    CHECK_OK(queues_mpmc_clear(old.mpmc, &n));
    CHECK_EQ(n, CAPACITY - 2);
    for (size_t i = 0; i < CAPACITY; i++)
        CHECK_OK(queues_mpmc_put_bytes(old.bytes, &i, sizeof i, -1));
    CHECK_STATUS(queues_mpmc_try_put_bytes(old.bytes, &bytes, sizeof bytes), QUEUES_FULL);
    CHECK_OK(queues_mpmc_peek_bytes(old.bytes, &bytes, sizeof bytes, &n));
    CHECK_EQ(bytes, 0);
    CHECK_OK(queues_mpmc_close(old.bytes));
    CHECK_STATUS(queues_mpmc_try_put_bytes(old.bytes, &bytes, sizeof bytes), QUEUES_CLOSED);
    queues_mpmc_release(old.bytes);
    CHECK_EQ(dropped_count, CAPACITY - 2 + CAPACITY);

    /* The parent's sleeping threads do not exist in this process: a put wakes a thread of the
     * child. */
    CHECK_OK(queues_mpmc_try_put(old.empty, number(1)));
    CHECK_OK(queues_mpmc_try_get(old.empty, &got));
    pthread_t getter = start(get_one, old.empty);
    pause_ns(MILLISECOND / 10);
    CHECK_OK(queues_mpmc_put(old.empty, number(2), -1));
    CHECK_EQ(pthread_join(getter, &got), 0);
    CHECK_EQ(got, 2);
    CHECK_STATUS(queues_mpmc_try_put(old.full, NULL), QUEUES_FULL);
    CHECK_OK(queues_mpmc_try_get(old.full, &got));
    CHECK_STATUS(queues_mpmc_try_get(old.full, &got), QUEUES_EMPTY);
}

/* mpmc, in place: each of the parent's two threads may have held a cell, which stays held in the
 * child. Blobs that they had leased are dropped by the last release. */
static void use_old_in_place(void) {
    void *cells[CAPACITY + SPARE + 1], *data;
    size_t free_cells = 0, n;
    while (queues_mpmc_lease(old.in_place, &data, &n, 0) == QUEUES_OK)
        CHECK_OK(queues_mpmc_settle(old.in_place, data));
    while (queues_mpmc_reserve(old.in_place, &cells[free_cells], 0) == QUEUES_OK)
        free_cells++;
    CHECK(free_cells >= CAPACITY + SPARE - 2 && free_cells <= CAPACITY + SPARE);
    for (size_t i = 0; i < CAPACITY; i++)
        CHECK_OK(queues_mpmc_commit(old.in_place, cells[i], i % (1 + sizeof i)));
    CHECK_STATUS(queues_mpmc_commit(old.in_place, cells[CAPACITY], 0), QUEUES_FULL);
    for (size_t i = CAPACITY; i < free_cells; i++)
        CHECK_OK(queues_mpmc_cancel(old.in_place, cells[i]));
    for (size_t i = 0; i < CAPACITY; i++) {
        CHECK_OK(queues_mpmc_lease(old.in_place, &data, &n, -1));
        CHECK_EQ(n, i % (1 + sizeof i));
        CHECK_OK(queues_mpmc_return(old.in_place, data));
    }
    CHECK_OK(queues_mpmc_lease(old.in_place, &data, &n, 0));
    CHECK_EQ(dropped_in_place, 0);
    queues_mpmc_release(old.in_place);
    CHECK(dropped_in_place >= CAPACITY && dropped_in_place <= CAPACITY + 2);
}

/* batch: the calls that take no lock. */
static void use_old_batch(void) {
    queues_stats_t stats = {.struct_size = sizeof stats};
    queues_status_t status;
    size_t puts = 0, before = queues_batch_pending_count(old.batch);
    while ((status = queues_batch_try_put(old.batch, NULL)) == QUEUES_OK)
        puts++;
    CHECK_STATUS(status, QUEUES_FULL);
    CHECK(puts + before <= CAPACITY);
    CHECK_STATUS(queues_batch_put(old.batch, NULL, 1), QUEUES_TIMEOUT);
    CHECK_OK(queues_batch_stats(old.batch, &stats));
    CHECK_EQ(queues_batch_capacity(old.batch), CAPACITY);
    CHECK_OK(queues_batch_close(old.batch));
    CHECK(queues_batch_is_closed(old.batch));
    CHECK_STATUS(queues_batch_try_put(old.batch, NULL), QUEUES_CLOSED);
    CHECK_OK(queues_batch_try_put(old.no_batches, NULL));
}

/* spsc and deque: the sides of the main thread, and the calls that any thread may make. */
static void use_old_sides(void) {
    void *got;
    queues_stats_t stats = {.struct_size = sizeof stats};
    for (size_t i = 0; i < LENGTH(old.produced); i++) {
        queues_spsc_t *queue = old.produced[i];
        size_t before = queues_spsc_size(queue), puts = 0;
        queues_status_t status;
        while ((status = queues_spsc_try_put(queue, NULL)) == QUEUES_OK)
            puts++;
        CHECK_STATUS(status, QUEUES_FULL);
        CHECK_EQ(puts + before, CAPACITY);
        CHECK(queues_spsc_is_full(queue));
        CHECK_STATUS(queues_spsc_put(queue, NULL, 1), QUEUES_TIMEOUT);
        CHECK_OK(queues_spsc_close(queue));
        CHECK_STATUS(queues_spsc_try_put(queue, NULL), QUEUES_CLOSED);
    }
    CHECK(queues_spsc_size(old.spsc) <= CAPACITY);
    CHECK_OK(queues_spsc_stats(old.checked, &stats));
    CHECK(!queues_spsc_is_closed(old.checked));

    while (queues_deque_pop(old.owned, &got) == QUEUES_OK)
        continue;
    for (size_t i = 0; i < CAPACITY; i++)
        CHECK_OK(queues_deque_push(old.owned, number(i)));
    CHECK_STATUS(queues_deque_push(old.owned, NULL), QUEUES_FULL);
    CHECK_OK(queues_deque_pop(old.owned, &got));
    CHECK_EQ(got, CAPACITY - 1);
    CHECK_OK(queues_deque_steal(old.owned, &got));
    CHECK_EQ(got, 0);
    uintptr_t last = 0;
    queues_status_t status;
    while ((status = queues_deque_steal(old.deque, &got)) == QUEUES_OK)
        expect_ascending(got, &last);
    CHECK(status == QUEUES_EMPTY || status == QUEUES_RETRY);
    CHECK(queues_deque_size(old.deque) <= CAPACITY);
    CHECK_OK(queues_deque_stats(old.deque, &stats));
}

static long barrier(void) {
    return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

typedef struct {
    void *(*run)(void *);
    void *argument;
} job_t;

static atomic_size_t running;

static void *begin(void *job) {
    running++;
    return ((job_t *)job)->run(((job_t *)job)->argument);
}

static void fork_while_all_are_busy(void) {
    create_old_queues();
    CHECK_OK(queues_mpmc_put(old.full, NULL, 0));
    const long can_barrier =
        barrier(); /* 0: the kernel has it, and create registered the process */
    job_t jobs[] = {
        {put_mpmc, NULL},
        {get_mpmc, NULL},
        {use_priority, NULL},
        {use_priority, NULL},
        {put_batch, NULL},
        {get_batch, NULL},
        {own_deque, NULL},
        {steal_deques, NULL},
        {sleep_in_get, NULL},
        {sleep_in_put, NULL},
        {sleep_in_priority, NULL},
        {sleep_in_batch, NULL},
        {sleep_in_spsc, NULL},
        {use_in_place, NULL},
        {use_in_place, NULL},
        {put_spsc, old.spsc},
        {get_spsc, old.spsc},
        {put_spsc, old.checked},
        {get_spsc, old.checked},
        {get_spsc, old.produced[0]},
        {get_spsc, old.produced[1]},
    };
    const size_t n = LENGTH(jobs);
    pthread_t threads[LENGTH(jobs)];
    for (size_t i = 0; i < n; i++)
        threads[i] = start(begin, &jobs[i]);
    /* A new thread allocates, and the heap of AddressSanitizer does not survive a fork during
     * an allocation: fork only when all threads run. */
    while (running < n)
        sched_yield();

    void *got;
    for (int i = 0; i < forks; i++) {
        for (int k = 0; k < i % 7; k++) {
            count(&put_count, queues_spsc_put(old.produced[k % 2], NULL, -1));
            count(&put_count, queues_deque_push(old.owned, NULL));
        }
        count(&got_count, queues_deque_pop(old.owned, &got));
        pid_t child = fork_with_watchdog();
        if (child == 0) {
            CHECK_EQ(barrier(), can_barrier);
            use_new_queues();
            use_old_mpmc();
            use_old_in_place();
            use_old_batch();
            use_old_sides();
            _exit(0);
        }
        expect_success(child);
    }

    over = true;
    CHECK_OK(queues_mpmc_close(old.mpmc));
    CHECK_OK(queues_mpmc_close(old.bytes));
    CHECK_OK(queues_mpmc_close(old.in_place));
    CHECK_OK(queues_priority_close(old.priority));
    CHECK_OK(queues_priority_close(old.priority_bytes));
    CHECK_OK(queues_batch_close(old.batch));
    CHECK_OK(queues_spsc_close(old.spsc));
    CHECK_OK(queues_spsc_close(old.checked));
    CHECK_OK(queues_spsc_close(old.produced[0]));
    CHECK_OK(queues_spsc_close(old.produced[1]));
    CHECK_OK(queues_mpmc_close(old.empty));
    CHECK_OK(queues_mpmc_close(old.full));
    CHECK_OK(queues_priority_close(old.no_priorities));
    CHECK_OK(queues_batch_close(old.no_batches));
    CHECK_OK(queues_spsc_close(old.silent));
    for (size_t i = 0; i < n; i++)
        finish(threads[i]);
    const size_t left = queues_deque_size(old.deque) + queues_deque_size(old.owned);
    CHECK_EQ(dropped_count, 0);
    CHECK_EQ(got_count + left, put_count); /* no item was lost, and the children took none */
    release_old_queues();
    CHECK_EQ(dropped_count, left + 1);
}

/* No other thread is inside a call: a copy may be used and released like any queue. */
static void fork_alone(void) {
    create_old_queues();
    CHECK_OK(queues_priority_put(old.priority, number(2), 2, 0));
    CHECK_OK(queues_priority_put(old.priority, number(1), 1, 0));
    CHECK_OK(queues_batch_put(old.batch, number(1), 0));
    CHECK_OK(queues_spsc_put(old.checked, number(1), 0));
    CHECK_OK(queues_deque_push(old.deque, number(1)));
    dropped_count = 0;
    for (int generation = 0; generation < 3; generation++) {
        fflush(NULL);
        pid_t child = fork_with_watchdog();
        if (child == 0)
            continue; /* the child goes on, and forks again */
        void *got;
        double rank;
        size_t n;
        CHECK_OK(queues_priority_get(old.priority, &got, &rank, -1));
        CHECK_EQ(got, 1);
        CHECK_OK(queues_batch_flush(old.batch));
        CHECK_OK(queues_batch_get_batch(old.batch, &got, 1, &n, -1));
        CHECK_OK(queues_spsc_get(old.checked, &got, -1));
        CHECK_OK(queues_spsc_put(old.checked, got, -1));
        CHECK_OK(queues_deque_pop(old.deque, &got));
        release_old_queues();
        CHECK_EQ(dropped_count, 2);
        expect_success(child);
        if (generation > 0)
            _exit(0);
        return;
    }
    _exit(0);
}

static bool is_readable(int fd) {
    struct pollfd entry = {fd, POLLIN, 0};
    return poll(&entry, 1, 0) == 1;
}

/* Descriptors belong to the parent: what a child does with its copies of queues and events neither
 * signals nor resets them, nor sets a timer; and a child has descriptors of its own. */
static void fork_with_descriptors(void) {
    queues_mpmc_t *empty, *filled, *filling;
    queues_batch_t *batch;
    queues_event_t *reset, *set;
    int fds[6];
    void *got;
    size_t n;
    CREATE(mpmc, &empty, .capacity = 1);
    CREATE(mpmc, &filled, .capacity = 1);
    CREATE(mpmc, &filling, .capacity = 1);
    CREATE(batch, &batch, .max_pending = 4, .batch_size = 2, .batch_timeout_ns = MILLISECOND);
    CHECK_OK(queues_event_create(&reset));
    CHECK_OK(queues_event_create(&set));
    CHECK_OK(queues_mpmc_put(filled, number(1), 0));
    CHECK_OK(queues_mpmc_put(filling, number(1), 0));
    CHECK_OK(queues_event_set(set));
    CHECK_OK(queues_mpmc_readable_fd(empty, &fds[0]));
    CHECK_OK(queues_mpmc_readable_fd(filled, &fds[1]));
    CHECK_OK(queues_mpmc_writable_fd(filling, &fds[2]));
    CHECK_OK(queues_batch_readable_fd(batch, &fds[3]));
    CHECK_OK(queues_event_readable_fd(reset, &fds[4]));
    CHECK_OK(queues_event_readable_fd(set, &fds[5]));
    CHECK_STATUS(queues_mpmc_try_put(filling, NULL), QUEUES_FULL);
    static const bool readable[] = {false, true, false, false, false, true};
    for (int releases = 0; releases <= 1; releases++) {
        fflush(NULL);
        pid_t child = fork_with_watchdog();
        if (child == 0) {
            CHECK_OK(queues_mpmc_try_put(empty, number(1)));
            CHECK_OK(queues_mpmc_try_get(filled, &got));
            CHECK_STATUS(queues_mpmc_try_get(filled, &got), QUEUES_EMPTY);
            CHECK_OK(queues_mpmc_try_get(filling, &got));
            CHECK_OK(queues_batch_put(batch, number(1), 0)); /* due in a millisecond */
            CHECK_OK(queues_event_set(reset));
            CHECK_OK(queues_event_reset(set));
            CHECK_STATUS(queues_event_wait(set, 0), QUEUES_EMPTY);
            queues_poll_t polls[] = {{empty, QUEUES_READABLE, 0}, {reset, QUEUES_READABLE, 0}};
            CHECK_OK(queues_poll(polls, 2, -1, &n));
            CHECK_EQ(n, 2);
            CHECK_OK(queues_batch_get_batch(batch, &got, 1, &n, -1));
            CHECK_STATUS(queues_batch_get_due(batch, &got, 1, &n), QUEUES_EMPTY);
            if (releases) {
                queues_mpmc_release(empty);
                queues_mpmc_release(filled);
                queues_batch_release(batch);
                queues_event_release(reset);
                queues_event_release(set);
            }
            /* Descriptors of its own. */
            queues_mpmc_t *fresh;
            int fd;
            CREATE(mpmc, &fresh, .capacity = 1);
            CHECK_OK(queues_mpmc_readable_fd(fresh, &fd));
            CHECK(!is_readable(fd));
            CHECK_OK(queues_mpmc_try_put(fresh, NULL));
            CHECK(is_readable(fd));
            CHECK_OK(queues_mpmc_try_get(fresh, &got));
            CHECK_STATUS(queues_mpmc_try_get(fresh, &got), QUEUES_EMPTY);
            CHECK(!is_readable(fd));
            queues_mpmc_release(fresh);
            use_new_queues();
            _exit(0);
        }
        expect_success(child);
        pause_ns(3 * MILLISECOND);
        for (size_t i = 0; i < LENGTH(fds); i++)
            CHECK_EQ(is_readable(fds[i]), readable[i]);
    }
    /* They still work here. */
    CHECK_OK(queues_mpmc_try_put(empty, number(1)));
    CHECK_OK(queues_mpmc_try_get(filling, &got));
    CHECK_OK(queues_event_set(reset));
    CHECK_OK(queues_batch_put(batch, number(1), 0));
    CHECK_OK(queues_batch_put(batch, number(2), 0));
    for (size_t i = 0; i < LENGTH(fds); i++)
        CHECK(is_readable(fds[i]));
    queues_mpmc_release(empty);
    queues_mpmc_release(filled);
    queues_mpmc_release(filling);
    queues_batch_release(batch);
    queues_event_release(reset);
    queues_event_release(set);
}

/* Arguments: the number of forks during the first creation, and while all threads are busy. */
int main(int n, char **arguments) {
    CHECK_EQ(n, 3);
    first_forks = atoi(arguments[1]);
    forks = atoi(arguments[2]);
    CHECK(forks > 0);
    RUN(fork_during_the_first_create);
    RUN(fork_alone);
    RUN(fork_with_descriptors);
    dropped_count = 0;
    RUN(fork_while_all_are_busy);
    return 0;
}
