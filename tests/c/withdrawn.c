/* From some moment on the kernel refuses membarrier, as in a sandbox that a program enters late or
 * after a checkpoint is restored. Queues that were created before and after keep their promises: no
 * wake-up is lost, timeouts and close work. The argument is the error that membarrier returns,
 * EPERM or ENOSYS. */
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 3000, GETTERS = 3, CLOSES = 200 };

static void refuse_membarrier(unsigned error) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = LENGTH(code), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)) {
        puts("not tested: the kernel refuses a seccomp filter");
        exit(0);
    }
    CHECK(syscall(SYS_membarrier, 0, 0, 0) == -1 && errno == (int)error);
}

/* Queues of each family, in both directions, of small capacities, so that both sides sleep. */
typedef struct {
    queues_mpmc_t *mpmc, *back, *blobs, *shared;
    queues_spsc_t *spsc, *spsc_back, *spsc_blobs;
    queues_priority_t *priority;
    queues_batch_t *batch;
} queues_t;

static void create_all(queues_t *all) {
    CREATE(mpmc, &all->mpmc, .capacity = 1);
    CREATE(mpmc, &all->back, .capacity = 1);
    CREATE(mpmc, &all->blobs, .capacity = 1, .item_size = 8);
    CREATE(mpmc, &all->shared, .capacity = GETTERS);
    CREATE(spsc, &all->spsc, .capacity = 1);
    CREATE(spsc, &all->spsc_back, .capacity = 2);
    CREATE(spsc, &all->spsc_blobs, .capacity = 3, .item_size = 8);
    CREATE(priority, &all->priority, .capacity = 1);
    CREATE(batch, &all->batch, .max_pending = 2, .batch_size = 2, .batch_timeout_ns = -1);
}

static void release_all(queues_t *all) {
    queues_mpmc_release(all->mpmc);
    queues_mpmc_release(all->back);
    queues_mpmc_release(all->blobs);
    queues_mpmc_release(all->shared);
    queues_spsc_release(all->spsc);
    queues_spsc_release(all->spsc_back);
    queues_spsc_release(all->spsc_blobs);
    queues_priority_release(all->priority);
    queues_batch_release(all->batch);
}

/* Sometimes, so long that the other side falls asleep. */
static void sometimes_pause(uintptr_t i) {
    if (i % 16 == 0)
        pause_ns(100000);
}

static void *serve(void *arg) {
    const queues_t *all = arg;
    for (uintptr_t i = 0; i < ROUNDS; i++) {
        void *item, *pair[2];
        uint64_t blob;
        double priority;
        size_t n;
        CHECK_OK(queues_mpmc_get(all->mpmc, &item, -1));
        CHECK_EQ((uintptr_t)item, i);
        CHECK_OK(queues_mpmc_put(all->back, item, -1));
        CHECK_OK(queues_mpmc_get_bytes(all->blobs, &blob, sizeof blob, &n, -1));
        CHECK_EQ(blob, i);
        CHECK_OK(queues_spsc_get(all->spsc, &item, -1));
        CHECK_EQ((uintptr_t)item, i);
        CHECK_OK(queues_spsc_put(all->spsc_back, item, -1));
        CHECK_OK(queues_spsc_get_bytes(all->spsc_blobs, &blob, sizeof blob, &n, -1));
        CHECK_EQ(blob, i);
        CHECK_OK(queues_priority_get(all->priority, &item, &priority, -1));
        CHECK_EQ((uintptr_t)item, i);
        CHECK_OK(queues_batch_get_batch(all->batch, pair, 2, &n, -1));
        CHECK_EQ(n, 2);
        CHECK_EQ((uintptr_t)pair[1], i);
        if (i % 3 == 0)
            sometimes_pause(i);
    }
    return NULL;
}

/* Two threads pass items to each other: each item wakes the thread that waits for it. */
static void pass_items(queues_t *all) {
    pthread_t server = start(serve, all);
    for (uintptr_t i = 0; i < ROUNDS; i++) {
        void *item;
        CHECK_OK(queues_mpmc_put(all->mpmc, (void *)i, -1));
        CHECK_OK(queues_mpmc_get(all->back, &item, -1));
        CHECK_EQ((uintptr_t)item, i);
        CHECK_OK(queues_mpmc_put_bytes(all->blobs, &(uint64_t){i}, sizeof(uint64_t), -1));
        CHECK_OK(queues_spsc_put(all->spsc, (void *)i, -1));
        CHECK_OK(queues_spsc_get(all->spsc_back, &item, -1));
        CHECK_EQ((uintptr_t)item, i);
        CHECK_OK(queues_spsc_put_bytes(all->spsc_blobs, &(uint64_t){i}, sizeof(uint64_t), -1));
        CHECK_OK(queues_priority_put(all->priority, (void *)i, 0, -1));
        CHECK_OK(queues_batch_put(all->batch, NULL, -1));
        sometimes_pause(i);
        CHECK_OK(queues_batch_put(all->batch, (void *)i, -1));
    }
    finish(server);
}

/* Event loops and a poll pass items: each end of a queue sleeps at its descriptor. */
static void *serve_in_a_loop(void *arg) {
    const queues_t *all = arg;
    struct pollfd entry = {.events = POLLIN};
    void *item;
    CHECK_OK(queues_mpmc_readable_fd(all->mpmc, &entry.fd));
    for (uintptr_t i = 0; i < ROUNDS; i++) {
        queues_status_t status;
        while ((status = queues_mpmc_try_get(all->mpmc, &item)) == QUEUES_EMPTY)
            CHECK_EQ(poll(&entry, 1, 20000), 1);
        CHECK_OK(status);
        CHECK_EQ((uintptr_t)item, i);
        sometimes_pause(i + 8);
        CHECK_OK(queues_spsc_put(all->spsc_back, item, -1));
    }
    return NULL;
}

static void loops_and_polls(queues_t *all) {
    pthread_t server = start(serve_in_a_loop, all);
    queues_event_t *stop;
    CHECK_OK(queues_event_create(&stop));
    for (uintptr_t i = 0; i < ROUNDS; i++) {
        queues_poll_t polls[] = {{all->spsc_back, QUEUES_READABLE, 0}, {stop, QUEUES_READABLE, 0}};
        void *item;
        size_t ready;
        CHECK_OK(queues_mpmc_put(all->mpmc, (void *)i, -1));
        CHECK_OK(queues_poll(polls, 2, -1, &ready));
        CHECK_EQ(ready, 1);
        CHECK_OK(queues_spsc_try_get(all->spsc_back, &item));
        CHECK_EQ((uintptr_t)item, i);
        sometimes_pause(i);
    }
    finish(server);
    queues_event_release(stop);
}

static atomic_size_t received;

static void *count_items_until_closed(void *queue) {
    void *item;
    queues_status_t status;
    while ((status = queues_mpmc_get(queue, &item, -1)) == QUEUES_OK)
        atomic_fetch_add(&received, 1);
    CHECK_STATUS(status, QUEUES_CLOSED);
    return NULL;
}

/* Several consumers sleep on one queue: each item wakes one of them, and close wakes all. */
static void wake_several(queues_t *all) {
    pthread_t getters[GETTERS];
    atomic_store(&received, 0);
    for (int i = 0; i < GETTERS; i++)
        getters[i] = start(count_items_until_closed, all->shared);
    for (uintptr_t i = 0; i < ROUNDS; i++) {
        void *items[GETTERS] = {0};
        size_t done;
        CHECK_OK(queues_mpmc_put_many(all->shared, items, GETTERS, -1, &done));
        /* Without this, the next put could make up for a lost wake-up. */
        while (atomic_load(&received) < (i + 1) * GETTERS)
            sched_yield();
    }
    CHECK_OK(queues_mpmc_close(all->shared));
    for (int i = 0; i < GETTERS; i++)
        finish(getters[i]);
}

static void *put_until_closed(void *queue) {
    uintptr_t accepted = 0;
    queues_status_t status;
    while ((status = queues_spsc_put(queue, (void *)accepted, -1)) == QUEUES_OK)
        accepted++;
    CHECK_STATUS(status, QUEUES_CLOSED);
    return (void *)accepted;
}

/* Items that were accepted before a close are got before a get returns CLOSED. */
static void accepted_items_are_got_before_closed(void) {
    for (int round = 0; round < CLOSES; round++) {
        queues_spsc_t *queue;
        CREATE(spsc, &queue, .capacity = 4);
        pthread_t putter = start(put_until_closed, queue);
        void *item, *accepted;
        uintptr_t got = 0;
        for (; got < (uintptr_t)round % 50; got++)
            CHECK_OK(queues_spsc_get(queue, &item, -1));
        CHECK_OK(queues_spsc_close(queue));
        for (; queues_spsc_try_get(queue, &item) == QUEUES_OK; got++)
            CHECK_EQ((uintptr_t)item, got);
        CHECK_STATUS(queues_spsc_get(queue, &item, -1), QUEUES_CLOSED);
        CHECK_EQ(pthread_join(putter, &accepted), 0);
        CHECK_EQ((uintptr_t)accepted, got);
        CHECK_STATUS(queues_spsc_try_get(queue, &item), QUEUES_CLOSED);
        queues_spsc_release(queue);
    }
}

static void *get_until_closed(void *queue) {
    void *item;
    uintptr_t got = 0;
    queues_status_t status;
    while ((status = queues_spsc_get(queue, &item, -1)) == QUEUES_OK)
        got++;
    CHECK_STATUS(status, QUEUES_CLOSED);
    return (void *)got;
}

/* No get times out early, and a close wakes. */
static void time_out_and_close(queues_t *all) {
    void *item;
    int64_t begin = now_ns();
    CHECK_STATUS(queues_mpmc_get(all->mpmc, &item, 30 * MILLISECOND), QUEUES_TIMEOUT);
    CHECK_STATUS(queues_spsc_get(all->spsc, &item, 30 * MILLISECOND), QUEUES_TIMEOUT);
    CHECK(now_ns() - begin >= 60 * MILLISECOND);
    pthread_t getter = start(get_until_closed, all->spsc);
    pause_ns(20 * MILLISECOND);
    CHECK_OK(queues_spsc_close(all->spsc));
    finish(getter);
    CHECK_STATUS(queues_spsc_try_put(all->spsc, NULL), QUEUES_CLOSED);
}

int main(int argc, char **argv) {
    CHECK_EQ(argc, 2);
    queues_t before, after;
    queues_spsc_t *closing[CLOSES];
    create_all(&before);
    for (int i = 0; i < CLOSES; i++)
        CREATE(spsc, &closing[i], .capacity = 4);
    /* In half of these queues a thread waits already while membarrier still works. */
    pthread_t getters[CLOSES];
    for (int i = 0; i < CLOSES; i += 2)
        getters[i] = start(get_until_closed, closing[i]);
    refuse_membarrier(strcmp(argv[1], "EPERM") == 0 ? EPERM : ENOSYS);
    for (int i = 0; i < CLOSES; i++) {
        if (i % 2)
            getters[i] = start(get_until_closed, closing[i]);
        pthread_t putter = start(put_until_closed, closing[i]);
        void *accepted, *got;
        sometimes_pause((uintptr_t)i);
        CHECK_OK(queues_spsc_close(closing[i]));
        CHECK_EQ(pthread_join(putter, &accepted), 0);
        CHECK_EQ(pthread_join(getters[i], &got), 0);
        CHECK_EQ((uintptr_t)accepted, (uintptr_t)got);
        queues_spsc_release(closing[i]);
    }
    pass_items(&before);
    loops_and_polls(&before);
    wake_several(&before);
    time_out_and_close(&before);
    create_all(&after);
    pass_items(&after);
    loops_and_polls(&after);
    wake_several(&after);
    time_out_and_close(&after);
    accepted_items_are_got_before_closed();
    release_all(&before);
    release_all(&after);
    return 0;
}
