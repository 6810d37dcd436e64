/* Descriptors, queues_poll and events from C: what poll(2) and epoll see of each family, with both
 * payloads; the arguments that are refused; descriptors that run out; and the number of system
 * calls that an item costs. */
#include "families.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ITEM = 16 };

/* Whether a descriptor is readable within a time in milliseconds, below 0 without end. */
static bool readable_within(int fd, int milliseconds) {
    struct pollfd entry = {fd, POLLIN, 0};
    int64_t end = now_ns() + milliseconds * MILLISECOND;
    int count;
    while ((count = poll(&entry, 1, milliseconds)) < 0 && errno == EINTR)
        if (milliseconds >= 0 && now_ns() > end)
            return false;
    CHECK(count == 0 || (count == 1 && entry.revents == POLLIN));
    return count == 1;
}
static bool is_readable(int fd) { return readable_within(fd, 0); }

static int readable_fd(const family_t *family, void *queue) {
    int fd = -1, again = -1;
    CHECK_OK(family->readable_fd(queue, &fd));
    CHECK_OK(family->readable_fd(queue, &again));
    CHECK(fd >= 0);
    CHECK_EQ(again, fd);
    return fd;
}
static int writable_fd(const family_t *family, void *queue) {
    int fd = -1, again = -1;
    CHECK_OK(family->writable_fd(queue, &fd));
    CHECK_OK(family->writable_fd(queue, &again));
    CHECK(fd >= 0);
    CHECK_EQ(again, fd);
    return fd;
}

static queues_status_t put(const family_t *family, void *queue, bool bytes) {
    return bytes ? family->try_put_bytes(queue, "a blob", 7) : family->try_put(queue, NULL);
}
static queues_status_t get(const family_t *family, void *queue, bool bytes) {
    char buffer[ITEM];
    void *item;
    return bytes ? family->try_get_bytes(queue, buffer, ITEM) : family->try_get(queue, &item);
}

static int epoll_of(int fd) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    CHECK(epoll >= 0);
    CHECK_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
    return epoll;
}
static bool epoll_reports(int epoll, int milliseconds) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, milliseconds);
    CHECK(count == 0 || count == 1);
    return count == 1;
}

/* Runs a test of each family with both payloads. */
#define RUN_ALL(test)                                                                              \
    do {                                                                                           \
        for (int i_ = 0; i_ < 2 * ALL_FAMILIES; i_++) {                                            \
            fprintf(stderr, "%s, %s: %s\n", FAMILIES[i_ / 2].name, i_ % 2 ? "bytes" : "pointers",  \
                    #test);                                                                        \
            test(&FAMILIES[i_ / 2], i_ % 2);                                                       \
        }                                                                                          \
    } while (0)

/* --- descriptors */

static void a_descriptor_follows_the_items(const family_t *family, bool bytes) {
    void *queue = family->create(2, bytes ? ITEM : 0, NULL, NULL);
    int fd = readable_fd(family, queue), epoll = epoll_of(fd);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(!is_readable(fd));
    for (int round = 0; round < 3; round++) {
        CHECK_OK(put(family, queue, bytes));
        CHECK_OK(put(family, queue, bytes));
        for (int i = 0; i < 3; i++) /* level-triggered */
            CHECK(is_readable(fd) && epoll_reports(epoll, 0));
        CHECK_OK(get(family, queue, bytes));
        CHECK(is_readable(fd));
        CHECK_OK(get(family, queue, bytes));
        CHECK(is_readable(fd)); /* no call has found it empty */
        CHECK_STATUS(get(family, queue, bytes), QUEUES_EMPTY);
        CHECK(!is_readable(fd) && !epoll_reports(epoll, 0));
    }
    /* The last release closes the descriptor, which leaves the epoll instance. */
    family->release(queue);
    CHECK(!epoll_reports(epoll, 0));
    CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    close(epoll);
}

static void a_descriptor_follows_the_room(const family_t *family, bool bytes) {
    if (!family->writable_fd)
        return;
    void *queue = family->create(1, bytes ? ITEM : 0, NULL, NULL);
    int fd = writable_fd(family, queue);
    CHECK(fd != readable_fd(family, queue));
    for (int round = 0; round < 3; round++) {
        CHECK(is_readable(fd));
        CHECK_OK(put(family, queue, bytes));
        CHECK(is_readable(fd)); /* no call has found it full */
        CHECK_STATUS(put(family, queue, bytes), QUEUES_FULL);
        CHECK(!is_readable(fd));
        size_t count = 0;
        if (round == 1)
            CHECK_OK(family->clear(queue, &count));
        else
            CHECK_OK(get(family, queue, bytes));
        CHECK(is_readable(fd));
    }
    CHECK_OK(put(family, queue, bytes));
    CHECK_STATUS(put(family, queue, bytes), QUEUES_FULL);
    CHECK(!is_readable(fd));
    CHECK_OK(family->close(queue));
    int readable = readable_fd(family, queue);
    CHECK(is_readable(fd) && is_readable(readable));
    CHECK_STATUS(put(family, queue, bytes), QUEUES_CLOSED);
    CHECK_OK(get(family, queue, bytes));
    CHECK_STATUS(get(family, queue, bytes), QUEUES_CLOSED);
    CHECK(is_readable(fd) && is_readable(readable)); /* for good */
    family->release(queue);
}

/* A buffer that is too small leaves the item, and the descriptor readable. */
static void too_small_is_readable(const family_t *family, bool bytes) {
    if (!bytes)
        return;
    char buffer[ITEM];
    void *queue = family->create(2, ITEM, NULL, NULL);
    int fd = readable_fd(family, queue);
    CHECK_OK(put(family, queue, true));
    CHECK_STATUS(family->try_get_bytes(queue, buffer, 1), QUEUES_TOO_SMALL);
    CHECK(is_readable(fd));
    CHECK_OK(get(family, queue, true));
    CHECK_STATUS(family->try_get_bytes(queue, buffer, 1), QUEUES_EMPTY);
    CHECK(!is_readable(fd));
    family->release(queue);
}

static const family_t *refusing;
static void is_refused(void *address) {
    int fd = -2;
    CHECK_STATUS(refusing->readable_fd(address, &fd), QUEUES_INVALID);
    if (refusing->writable_fd)
        CHECK_STATUS(refusing->writable_fd(address, &fd), QUEUES_INVALID);
    CHECK_EQ(fd, -2);
}

static void arguments_are_checked(const family_t *family, bool bytes) {
    void *queue = family->create(1, bytes ? ITEM : 0, NULL, NULL);
    CHECK_STATUS(family->readable_fd(queue, NULL), QUEUES_INVALID);
    int places[2];
    CHECK_STATUS(family->readable_fd(queue, (int *)((char *)places + 1)), QUEUES_INVALID);
    refusing = family;
    for_each_non_queue(is_refused);
    for (int i = 0; i < ALL_FAMILIES; i++) {
        if (&FAMILIES[i] == family)
            continue;
        void *foreign = FAMILIES[i].create(1, 0, NULL, NULL);
        is_refused(foreign);
        FAMILIES[i].release(foreign);
    }
    family->release(queue);
}

/* --- what only some families have */

static void leases_and_reservations(void) {
    queues_mpmc_t *queue;
    int readable, writable;
    void *data, *other;
    size_t len;
    CREATE(mpmc, &queue, .capacity = 1, .item_size = 8);
    CHECK_OK(queues_mpmc_readable_fd(queue, &readable));
    CHECK_OK(queues_mpmc_writable_fd(queue, &writable));
    CHECK_OK(queues_mpmc_reserve(queue, &data, 0));
    CHECK(!is_readable(readable));
    CHECK_OK(queues_mpmc_commit(queue, data, 8));
    CHECK(is_readable(readable));
    CHECK_STATUS(queues_mpmc_reserve(queue, &other, 0), QUEUES_FULL);
    CHECK(!is_readable(writable));
    CHECK_OK(queues_mpmc_lease(queue, &data, &len, 0));
    CHECK(is_readable(writable));
    CHECK_STATUS(queues_mpmc_lease(queue, &other, &len, 0), QUEUES_EMPTY);
    CHECK(!is_readable(readable));
    CHECK_OK(queues_mpmc_return(queue, data));
    CHECK(is_readable(readable));
    char buffer[8];
    CHECK_OK(queues_mpmc_peek_bytes(queue, buffer, 8, &len));
    CHECK_OK(queues_mpmc_lease(queue, &data, &len, 0));
    CHECK_OK(queues_mpmc_settle(queue, data));
    CHECK_STATUS(queues_mpmc_peek_bytes(queue, buffer, 8, &len), QUEUES_EMPTY);
    CHECK(!is_readable(readable));
    queues_mpmc_release(queue);

    /* Reservations take all cells: there is room, and yet a put is refused until one is free. */
    enum { SPARE = 1 };
    void *taken[64];
    size_t n = 0;
    CREATE(mpmc, &queue, .capacity = 2, .item_size = 8, .spare = SPARE);
    CHECK_OK(queues_mpmc_writable_fd(queue, &writable));
    while (n < LENGTH(taken) && queues_mpmc_reserve(queue, &taken[n], 0) == QUEUES_OK)
        n++;
    CHECK(n >= 3 && n < LENGTH(taken));
    CHECK(!is_readable(writable));
    queues_poll_t entry = {queue, QUEUES_WRITABLE, 0};
    size_t count;
    CHECK_STATUS(queues_poll(&entry, 1, 0, &count), QUEUES_EMPTY);
    CHECK_OK(queues_mpmc_cancel(queue, taken[--n]));
    CHECK(is_readable(writable));
    CHECK_OK(queues_poll(&entry, 1, 0, &count));
    while (n > 0)
        CHECK_OK(queues_mpmc_cancel(queue, taken[--n]));
    queues_mpmc_release(queue);
}

static void spsc_in_place(void) {
    queues_spsc_t *queue;
    int readable, writable;
    void *data;
    const void *front;
    size_t len;
    CREATE(spsc, &queue, .capacity = 1, .item_size = 8);
    CHECK_OK(queues_spsc_readable_fd(queue, &readable));
    CHECK_OK(queues_spsc_writable_fd(queue, &writable));
    CHECK_STATUS(queues_spsc_front(queue, &front, &len, 0), QUEUES_EMPTY);
    CHECK(!is_readable(readable));
    CHECK_OK(queues_spsc_reserve(queue, &data, 0));
    CHECK_OK(queues_spsc_commit(queue, 8));
    CHECK(is_readable(readable));
    CHECK_STATUS(queues_spsc_reserve(queue, &data, 0), QUEUES_FULL);
    CHECK(!is_readable(writable));
    CHECK_OK(queues_spsc_front(queue, &front, &len, 0));
    CHECK(!is_readable(writable)); /* the blob is still in the queue */
    CHECK_OK(queues_spsc_consume(queue));
    CHECK(is_readable(writable));
    CHECK_STATUS(queues_spsc_peek_bytes(queue, &len, 8, &len), QUEUES_EMPTY);
    CHECK(!is_readable(readable));
    queues_spsc_release(queue);
}

/* A batch is due by number, weight, age, flush and close; the descriptor and queues_poll show it.
 */
static void batches(void) {
    enum { AGE = 40 };
    void *items[4];
    size_t n;
    for (int way = 0; way < 5; way++) {
        queues_batch_t *queue;
        int fd;
        const bool ages = way == 2;
        CREATE(batch, &queue, .max_pending = 8, .batch_size = 4, .batch_weight = 100,
               .batch_timeout_ns = ages ? AGE * MILLISECOND : -1);
        CHECK_OK(queues_batch_readable_fd(queue, &fd));
        queues_poll_t entry = {queue, QUEUES_READABLE, 0};
        size_t count;
        for (int round = 0; round < 2; round++) {
            CHECK_EQ(queues_batch_next_due_ns(queue), -1);
            CHECK_STATUS(queues_batch_get_due(queue, items, 4, &n), QUEUES_EMPTY);
            CHECK(!is_readable(fd));
            const int64_t begin = now_ns();
            CHECK_OK(queues_batch_put_weighted(queue, NULL, 10, 0));
            if (now_ns() - begin < AGE * MILLISECOND / 2) { /* else this thread was stopped */
                CHECK(!is_readable(fd));
                CHECK_STATUS(queues_batch_get_due(queue, items, 4, &n), QUEUES_EMPTY);
                CHECK(!is_readable(fd));
                CHECK_STATUS(queues_poll(&entry, 1, 0, &count), QUEUES_EMPTY);
                CHECK_STATUS(queues_poll(&entry, 1, MILLISECOND, &count), QUEUES_TIMEOUT);
                CHECK_EQ(count, 0);
            }
            size_t expected = 2;
            switch (way) {
            case 0:
                CHECK_EQ(queues_batch_next_due_ns(queue), -1);
                for (int i = 0; i < 3; i++)
                    CHECK_OK(queues_batch_put_weighted(queue, NULL, 10, 0));
                expected = 4;
                break;
            case 1: /* the heavy one is a batch of its own */
                CHECK_OK(queues_batch_put_weighted(queue, NULL, 95, 0));
                expected = 1;
                break;
            case 2: {
                int64_t due = queues_batch_next_due_ns(queue);
                CHECK(due >= 0 && due <= AGE * MILLISECOND);
                CHECK_OK(queues_batch_put_weighted(queue, NULL, 10, 0));
                if (round == 0)
                    CHECK(readable_within(fd, 20000));
                else
                    CHECK_OK(queues_poll(&entry, 1, -1, &count));
                CHECK(now_ns() - begin >= AGE * MILLISECOND);
                break;
            }
            case 3:
                CHECK_OK(queues_batch_put_weighted(queue, NULL, 10, 0));
                CHECK_OK(queues_batch_flush(queue));
                break;
            default:
                expected = 1;
                if (round == 1)
                    CHECK_OK(queues_batch_close(queue));
                else
                    CHECK_OK(queues_batch_flush(queue));
            }
            CHECK_EQ(queues_batch_next_due_ns(queue), 0);
            CHECK(is_readable(fd) || (ages && readable_within(fd, 1000)));
            CHECK_OK(queues_poll(&entry, 1, 0, &count));
            CHECK_EQ(entry.ready, QUEUES_READABLE);
            CHECK_OK(queues_batch_get_due(queue, items, 4, &n));
            CHECK_EQ(n, expected);
            CHECK_OK(queues_batch_clear(queue, &n));
        }
        queues_batch_release(queue);
    }
}

/* A batch leaves items behind: their time counts from their own arrival, for the descriptor, too.
 */
static void leftovers_of_a_batch_become_due(void) {
    for (int round = 0; round < 4; round++) {
        queues_batch_t *queue;
        void *items[4];
        size_t n;
        int fd;
        CREATE(batch, &queue, .max_pending = 8, .batch_size = 4,
               .batch_timeout_ns = 20 * MILLISECOND);
        CHECK_OK(queues_batch_readable_fd(queue, &fd));
        CHECK_STATUS(queues_batch_get_due(queue, items, 4, &n), QUEUES_EMPTY);
        for (int i = 0; i < 6; i++)
            CHECK_OK(queues_batch_try_put(queue, NULL));
        CHECK(is_readable(fd));
        /* With a call that waits, or one that does not; all of the batch, or a part of it. */
        if (round % 2)
            CHECK_OK(queues_batch_get_batch(queue, items, 4, &n, -1));
        else
            CHECK_OK(queues_batch_get_due(queue, items, 4, &n));
        CHECK_EQ(n, 4);
        if (round < 2) {
            queues_status_t status = queues_batch_get_due(queue, items, 4, &n);
            CHECK(status == QUEUES_EMPTY || status == QUEUES_OK); /* OK: this thread was stopped */
        }
        for (size_t left = 2; left > 0; left -= n) {
            queues_status_t status;
            n = 0;
            CHECK(readable_within(fd, 20000));
            status = queues_batch_get_due(queue, items, 4, &n);
            CHECK(status == QUEUES_OK || status == QUEUES_EMPTY);
            if (status == QUEUES_OK && n == 2)
                break;
        }
        CHECK_EQ(queues_batch_pending_count(queue), 0);
        queues_batch_release(queue);
    }
}

static void next_due_of_others(void) {
    CHECK_EQ(queues_batch_next_due_ns(NULL), 0);
    void *other = FAMILIES[MPMC].create(1, 0, NULL, NULL);
    CHECK_EQ(queues_batch_next_due_ns(other), 0);
    FAMILIES[MPMC].release(other);
    queues_batch_t *queue;
    CREATE(batch, &queue, .max_pending = 2, .batch_size = 2, .batch_timeout_ns = INT64_MAX);
    CHECK_EQ(queues_batch_next_due_ns(queue), -1);
    CHECK_OK(queues_batch_put(queue, NULL, 0));
    CHECK(queues_batch_next_due_ns(queue) != 0);
    CHECK_OK(queues_batch_close(queue));
    CHECK_EQ(queues_batch_next_due_ns(queue), 0);
    queues_batch_release(queue);
}

/* --- events */

static void *wait_for(void *event) {
    CHECK_OK(queues_event_wait(event, -1));
    return NULL;
}

static void event_is_refused(void *address) {
    int fd = -2;
    CHECK_STATUS(queues_event_set(address), QUEUES_INVALID);
    CHECK_STATUS(queues_event_reset(address), QUEUES_INVALID);
    CHECK_STATUS(queues_event_wait(address, 0), QUEUES_INVALID);
    CHECK_STATUS(queues_event_readable_fd(address, &fd), QUEUES_INVALID);
    CHECK(!queues_event_is_set(address));
    CHECK(!queues_event_retain(address));
    queues_event_release(address);
    CHECK_EQ(fd, -2);
}

static void events(void) {
    queues_event_t *event;
    int fd;
    CHECK_STATUS(queues_event_create(NULL), QUEUES_INVALID);
    CHECK_OK(queues_event_create(&event));
    CHECK(!queues_event_is_set(event));
    CHECK_STATUS(queues_event_wait(event, 0), QUEUES_EMPTY);
    const int64_t begin = now_ns();
    CHECK_STATUS(queues_event_wait(event, 2 * MILLISECOND), QUEUES_TIMEOUT);
    CHECK(now_ns() - begin >= 2 * MILLISECOND);
    for (int with_fd = 0; with_fd <= 1; with_fd++) {
        pthread_t waiters[3];
        for (size_t i = 0; i < LENGTH(waiters); i++)
            waiters[i] = start(wait_for, event);
        pause_ns(2 * MILLISECOND);
        for (int i = 0; i < 2; i++) {
            CHECK_OK(queues_event_set(event));
            CHECK(queues_event_is_set(event));
            CHECK_OK(queues_event_wait(event, 0));
            CHECK_OK(queues_event_wait(event, -1)); /* it stays set */
            CHECK(!with_fd || is_readable(fd));
        }
        for (size_t i = 0; i < LENGTH(waiters); i++)
            finish(waiters[i]);
        for (int i = 0; i < 2; i++) {
            CHECK_OK(queues_event_reset(event));
            CHECK(!queues_event_is_set(event));
            CHECK_STATUS(queues_event_wait(event, 0), QUEUES_EMPTY);
            CHECK(!with_fd || !is_readable(fd));
        }
        CHECK_OK(queues_event_readable_fd(event, &fd));
        CHECK(!is_readable(fd));
    }
    CHECK_STATUS(queues_event_readable_fd(event, NULL), QUEUES_INVALID);
    CHECK_EQ(queues_event_retain(event), event);
    queues_event_release(event);
    CHECK_OK(queues_event_set(event));
    queues_event_release(event);
    CHECK(fcntl(fd, F_GETFD) == -1);

    CHECK_OK(queues_event_create(&event));
    CHECK_OK(queues_event_set(event));
    CHECK_OK(queues_event_readable_fd(event, &fd));
    CHECK(is_readable(fd)); /* set before the descriptor was requested */
    queues_event_release(event);

    for_each_non_queue(event_is_refused);
    void *queue = FAMILIES[SPSC].create(1, 0, NULL, NULL);
    event_is_refused(queue);
    FAMILIES[SPSC].release(queue);
}

/* --- queues_poll */

static queues_poll_t alone;
static void handle_is_refused(void *address) {
    alone = (queues_poll_t){address, QUEUES_READABLE, 99};
    size_t ready = 77;
    CHECK_STATUS(queues_poll(&alone, 1, 0, &ready), QUEUES_INVALID);
    CHECK_STATUS(queues_poll(&alone, 1, -1, &ready), QUEUES_INVALID);
    CHECK_EQ(ready, 77);
    CHECK_EQ(alone.ready, 99);
}

static void poll_checks_its_arguments(void) {
    void *queue = FAMILIES[MPMC].create(1, 0, NULL, NULL);
    void *deque = FAMILIES[DEQUE].create(1, 0, NULL, NULL);
    queues_event_t *event;
    CHECK_OK(queues_event_create(&event));
    size_t ready = 77;
    for_each_non_queue(handle_is_refused);
    queues_poll_t polls[3] = {{queue, QUEUES_WRITABLE, 0}, {queue, QUEUES_READABLE, 0}};
    CHECK_STATUS(queues_poll(polls, 2, 0, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_poll(polls, 2, 0, (size_t *)((char *)&ready + 1)), QUEUES_INVALID);
    CHECK_STATUS(queues_poll(NULL, 1, 0, &ready), QUEUES_INVALID);
    CHECK_STATUS(queues_poll((queues_poll_t *)((char *)polls + 1), 1, 0, &ready), QUEUES_INVALID);
    CHECK_STATUS(queues_poll(polls, SIZE_MAX / sizeof *polls, 0, &ready), QUEUES_INVALID);
    CHECK_STATUS(queues_poll(polls, SIZE_MAX, 0, &ready), QUEUES_INVALID);
    static const uint32_t unknown[] = {4, 8, 0x80000001, UINT32_MAX};
    for (size_t i = 0; i < LENGTH(unknown); i++) {
        polls[1].events = unknown[i];
        CHECK_STATUS(queues_poll(polls, 2, 0, &ready), QUEUES_INVALID);
    }
    polls[1] = (queues_poll_t){NULL, QUEUES_READABLE, 0};
    CHECK_STATUS(queues_poll(polls, 2, 0, &ready), QUEUES_INVALID); /* one of two is wrong */
    void *const without_room[] = {deque, event};
    for (size_t i = 0; i < LENGTH(without_room); i++)
        for (uint32_t events = QUEUES_WRITABLE; events <= 3; events++) {
            polls[1] = (queues_poll_t){without_room[i], events, 0};
            CHECK_STATUS(queues_poll(polls, 2, 0, &ready), QUEUES_INVALID);
        }
    CHECK_EQ(ready, 77);

    /* No entries: a sleep. */
    CHECK_STATUS(queues_poll(NULL, 0, -1, &ready), QUEUES_INVALID);
    CHECK_STATUS(queues_poll(NULL, 0, INT64_MIN, &ready), QUEUES_INVALID);
    CHECK_STATUS(queues_poll(NULL, 0, 0, &ready), QUEUES_EMPTY);
    CHECK_EQ(ready, 0);
    ready = 77;
    const int64_t begin = now_ns();
    CHECK_STATUS(queues_poll(NULL, 0, 3 * MILLISECOND, &ready), QUEUES_TIMEOUT);
    CHECK(now_ns() - begin >= 3 * MILLISECOND);
    CHECK_EQ(ready, 0);

    /* An entry without events is checked, and never ready. */
    polls[0].events = 0;
    CHECK_STATUS(queues_poll(polls, 1, MILLISECOND, &ready), QUEUES_TIMEOUT);
    FAMILIES[MPMC].release(queue);
    FAMILIES[DEQUE].release(deque);
    queues_event_release(event);
}

enum { MIXED = 2 * ALL_FAMILIES + 1 };

/* Queues of each family and payload, and an event. */
static void create_mixed(void *handles[MIXED], queues_poll_t polls[MIXED]) {
    for (int i = 0; i < MIXED - 1; i++)
        handles[i] = FAMILIES[i / 2].create(2, i % 2 ? ITEM : 0, NULL, NULL);
    CHECK_OK(queues_event_create((queues_event_t **)&handles[MIXED - 1]));
    for (int i = 0; i < MIXED; i++)
        polls[i] = (queues_poll_t){handles[i], QUEUES_READABLE, 99};
}

static void release_mixed(void *handles[MIXED]) {
    for (int i = 0; i < MIXED - 1; i++)
        FAMILIES[i / 2].release(handles[i]);
    queues_event_release(handles[MIXED - 1]);
}

static void make_ready(void *handle, int i) {
    if (i == MIXED - 1)
        CHECK_OK(queues_event_set(handle));
    else
        CHECK_OK(put(&FAMILIES[i / 2], handle, i % 2));
}

static void make_unready(void *handle, int i) {
    if (i == MIXED - 1)
        CHECK_OK(queues_event_reset(handle));
    else
        CHECK_OK(get(&FAMILIES[i / 2], handle, i % 2));
}

static void poll_returns_all_that_are_ready(void) {
    void *handles[MIXED];
    queues_poll_t polls[MIXED];
    size_t ready = 77;
    create_mixed(handles, polls);
    CHECK_STATUS(queues_poll(polls, MIXED, 0, &ready), QUEUES_EMPTY);
    CHECK_EQ(ready, 0);
    for (int i = 0; i < MIXED; i++)
        CHECK_EQ(polls[i].ready, 0);
    const int64_t begin = now_ns();
    CHECK_STATUS(queues_poll(polls, MIXED, 2 * MILLISECOND, &ready), QUEUES_TIMEOUT);
    CHECK(now_ns() - begin >= 2 * MILLISECOND);
    for (uint32_t set = 1; set < 1u << MIXED; set += set < 64 ? 1 : 37) {
        size_t expected = 0;
        for (int i = 0; i < MIXED; i++)
            if (set >> i & 1) {
                make_ready(handles[i], i);
                expected++;
            }
        CHECK_OK(queues_poll(polls, MIXED, set % 2 ? 0 : -1, &ready));
        CHECK_EQ(ready, expected);
        for (int i = 0; i < MIXED; i++) {
            CHECK_EQ(polls[i].ready, set >> i & 1 ? QUEUES_READABLE : 0);
            if (set >> i & 1)
                make_unready(handles[i], i);
        }
    }
    /* One handle in several entries, and both ends of one queue. */
    CHECK_OK(put(&FAMILIES[MPMC], handles[0], false));
    queues_poll_t same[] = {{handles[0], QUEUES_READABLE, 0},
                            {handles[0], QUEUES_READABLE | QUEUES_WRITABLE, 0},
                            {handles[0], QUEUES_WRITABLE, 0},
                            {handles[0], 0, 99},
                            {handles[1], QUEUES_READABLE, 99}};
    CHECK_OK(queues_poll(same, LENGTH(same), -1, &ready));
    CHECK_EQ(ready, 3);
    CHECK_EQ(same[1].ready, QUEUES_READABLE | QUEUES_WRITABLE);
    CHECK_EQ(same[3].ready, 0);
    CHECK_EQ(same[4].ready, 0);
    /* Closed is ready. */
    CHECK_OK(FAMILIES[SPSC].close(handles[2 * SPSC]));
    polls[2 * SPSC].events = QUEUES_READABLE | QUEUES_WRITABLE;
    CHECK_OK(queues_poll(&polls[2 * SPSC], 1, -1, &ready));
    CHECK_EQ(polls[2 * SPSC].ready, QUEUES_READABLE | QUEUES_WRITABLE);
    release_mixed(handles);
}

typedef struct {
    queues_poll_t *polls;
    size_t n, ready;
    int64_t timeout;
    queues_status_t status;
} poller_t;

static void *run_poller(void *arg) {
    poller_t *poller = arg;
    poller->status = queues_poll(poller->polls, poller->n, poller->timeout, &poller->ready);
    return NULL;
}

/* A poll that sleeps wakes for each kind of queue, also where other threads wait for the same. */
static void poll_sleeps_on_each(void) {
    void *handles[MIXED];
    queues_poll_t polls[MIXED], others[MIXED];
    create_mixed(handles, polls);
    for (int i = 0; i < MIXED; i++)
        for (int round = 0; round < 3; round++) {
            memcpy(others, polls, sizeof others);
            poller_t one = {polls, MIXED, 0, -1, QUEUES_INVALID};
            poller_t two = {&others[i], 1, 0, -1, QUEUES_INVALID};
            pthread_t first = start(run_poller, &one), second = start(run_poller, &two);
            pause_ns(round * MILLISECOND / 2);
            make_ready(handles[i], i);
            finish(first);
            finish(second);
            CHECK_OK(one.status);
            CHECK_OK(two.status);
            CHECK_EQ(one.ready, 1);
            CHECK_EQ(polls[i].ready, QUEUES_READABLE);
            CHECK_EQ(others[i].ready, QUEUES_READABLE);
            make_unready(handles[i], i);
        }
    release_mixed(handles);
}

/* Any number of queues: up to 128 events by futex_waitv, and beyond. Each of some entries wakes. */
static void poll_of_many(void) {
    static const size_t numbers[] = {1, 2, 64, 127, 128, 129, 130, 5000};
    for (size_t k = 0; k < LENGTH(numbers); k++) {
        size_t n = numbers[k];
        queues_poll_t *polls = calloc(n, sizeof *polls);
        CHECK(polls);
        for (size_t i = 0; i < n; i++)
            polls[i] = (queues_poll_t){FAMILIES[i % 2 ? SPSC : MPMC].create(1, 0, NULL, NULL),
                                       QUEUES_READABLE, 99};
        size_t ready = 77;
        CHECK_STATUS(queues_poll(polls, n, 0, &ready), QUEUES_EMPTY);
        CHECK_STATUS(queues_poll(polls, n, 2 * MILLISECOND, &ready), QUEUES_TIMEOUT);
        const size_t places[] = {0, n / 2, n - 1};
        for (size_t j = 0; j < LENGTH(places); j++) {
            const size_t i = places[j];
            const family_t *family = &FAMILIES[i % 2 ? SPSC : MPMC];
            poller_t poller = {polls, n, 0, -1, QUEUES_INVALID};
            pthread_t thread = start(run_poller, &poller);
            pause_ns(2 * MILLISECOND);
            CHECK_OK(family->try_put(polls[i].queue, NULL));
            finish(thread);
            CHECK_OK(poller.status);
            CHECK_EQ(poller.ready, 1);
            CHECK_EQ(polls[i].ready, QUEUES_READABLE);
            CHECK_OK(get(family, polls[i].queue, false));
        }
        /* Both events of each: twice as many words. Only the readable end is not ready. */
        for (size_t i = 0; i < n; i++) {
            CHECK_OK(FAMILIES[i % 2 ? SPSC : MPMC].try_put(polls[i].queue, NULL));
            polls[i].events = QUEUES_READABLE | QUEUES_WRITABLE;
        }
        CHECK_OK(queues_poll(polls, n, 0, &ready));
        CHECK_EQ(ready, n);
        for (size_t i = 0; i < n; i++)
            FAMILIES[i % 2 ? SPSC : MPMC].release(polls[i].queue);
        free(polls);
    }
}

/* Threads that poll beside threads that get: no item is lost, and all threads end. */
enum { POLLED_ITEMS = 3000 };
static void *shared_queues[2];
static atomic_size_t taken;

static void *poll_and_get(void *unused) {
    queues_poll_t polls[2] = {{shared_queues[0], QUEUES_READABLE, 0},
                              {shared_queues[1], QUEUES_READABLE, 0}};
    for (int closed = 0; closed < 2;) {
        size_t ready;
        CHECK_OK(queues_poll(polls, 2, -1, &ready));
        closed = 0;
        for (int i = 0; i < 2; i++) {
            void *item;
            queues_status_t status;
            if (!polls[i].ready)
                continue;
            while ((status = queues_mpmc_try_get(shared_queues[i], &item)) == QUEUES_OK)
                atomic_fetch_add(&taken, 1);
            closed += status == QUEUES_CLOSED;
        }
    }
    return unused;
}
static void *get_until_closed(void *queue) {
    void *item;
    queues_status_t status;
    while ((status = queues_mpmc_get(queue, &item, -1)) == QUEUES_OK)
        atomic_fetch_add(&taken, 1);
    CHECK_STATUS(status, QUEUES_CLOSED);
    return NULL;
}

static void pollers_beside_getters(void) {
    pthread_t threads[4];
    atomic_store(&taken, 0);
    for (int i = 0; i < 2; i++)
        shared_queues[i] = FAMILIES[MPMC].create(3, 0, NULL, NULL);
    threads[0] = start(poll_and_get, NULL);
    threads[1] = start(poll_and_get, NULL);
    threads[2] = start(get_until_closed, shared_queues[0]);
    threads[3] = start(get_until_closed, shared_queues[1]);
    for (int i = 0; i < POLLED_ITEMS; i++) {
        CHECK_OK(queues_mpmc_put(shared_queues[i % 2], NULL, -1));
        if (i % 64 == 0) {
            /* All that was put is taken, or a wake-up is lost. */
            for (int64_t end = now_ns() + 20000 * MILLISECOND; atomic_load(&taken) <= (size_t)i;) {
                CHECK(now_ns() < end);
                sched_yield();
            }
            pause_ns(50000); /* so that they sleep */
        }
    }
    for (int i = 0; i < 2; i++)
        CHECK_OK(queues_mpmc_close(shared_queues[i]));
    for (size_t i = 0; i < LENGTH(threads); i++)
        finish(threads[i]);
    CHECK_EQ(taken, POLLED_ITEMS);
    for (int i = 0; i < 2; i++)
        queues_mpmc_release(shared_queues[i]);
}

/* --- signals */

static void do_nothing(int number) { (void)number; }

/* A signal neither ends a poll nor a wait for an event early, nor makes it last longer. */
static void signals_change_no_timeout(void) {
    enum { SPAN = 30 };
    const struct sigaction action = {.sa_handler = do_nothing}; /* without SA_RESTART */
    struct sigaction before;
    const struct itimerval often = {{0, 700}, {0, 700}}, never = {{0, 0}, {0, 0}};
    void *handles[MIXED];
    queues_poll_t polls[MIXED];
    queues_event_t *event;
    size_t ready;
    create_mixed(handles, polls);
    CHECK_OK(queues_event_create(&event));
    queues_poll_t *many = calloc(129, sizeof *many);
    CHECK(many);
    for (int i = 0; i < 129; i++)
        many[i] = (queues_poll_t){event, QUEUES_READABLE, 0};
    CHECK_EQ(sigaction(SIGALRM, &action, &before), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int way = 0; way < 4; way++) {
        const int64_t begin = now_ns(), span = SPAN * MILLISECOND;
        switch (way) {
        case 0:
            CHECK_STATUS(queues_poll(polls, MIXED, span, &ready), QUEUES_TIMEOUT);
            break;
        case 1:
            CHECK_STATUS(queues_poll(many, 129, span, &ready), QUEUES_TIMEOUT);
            break;
        case 2:
            CHECK_STATUS(queues_event_wait(event, span), QUEUES_TIMEOUT);
            break;
        default:
            CHECK_STATUS(queues_poll(NULL, 0, span, &ready), QUEUES_TIMEOUT);
        }
        const int64_t took = now_ns() - begin;
        CHECK(took >= span);
        CHECK(took < 200 * span);
    }
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK_EQ(sigaction(SIGALRM, &before, NULL), 0);
    free(many);
    queues_event_release(event);
    release_mixed(handles);
}

/* --- descriptors run out */

static void no_descriptor_is_left(const family_t *family, bool bytes) {
    struct rlimit limit, none;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    void *queue = family->create(1, bytes ? ITEM : 0, NULL, NULL);
    int next = dup(0);
    CHECK(next >= 0);
    close(next);
    for (rlim_t left = 0; left < 100; left++) { /* other descriptors may be open above */
        int fd = -2;
        none = limit;
        none.rlim_cur = (rlim_t)next + left;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
        queues_status_t status = family->readable_fd(queue, &fd);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        if (status == QUEUES_OK)
            break;
        CHECK_STATUS(status, QUEUES_NOMEM);
        CHECK_EQ(fd, -2);
        int free_again = dup(0);
        CHECK_EQ(free_again, next); /* none is left open */
        close(free_again);
        CHECK_OK(put(family, queue, bytes));
        CHECK_OK(get(family, queue, bytes));
        CHECK_STATUS(get(family, queue, bytes), QUEUES_EMPTY);
    }
    int fd = readable_fd(family, queue);
    CHECK_STATUS(get(family, queue, bytes), QUEUES_EMPTY);
    CHECK(!is_readable(fd));
    CHECK_OK(put(family, queue, bytes));
    CHECK(is_readable(fd));
    family->release(queue);
    next = dup(0) - next;
    CHECK_EQ(next, 0); /* the release has closed all of them */
}

/* --- system calls */

/* The library makes system calls by this function. */
static atomic_size_t signals, resets;
long syscall(long number, ...) {
    static long (*real)(long, ...);
    long a[6];
    va_list list;
    va_start(list, number);
    for (size_t i = 0; i < LENGTH(a); i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (!real) /* at first in the main thread, before other threads run */
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    signals += number == SYS_write;
    resets += number == SYS_read;
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* One write wakes a loop; the puts that follow make none until the loop has found the queue empty.
 */
static void one_signal_for_each_sleep(const family_t *family, bool bytes) {
    enum { SLEEPS = 50, ITEMS = 8 };
    void *queue = family->create(ITEMS, bytes ? ITEM : 0, NULL, NULL);
    int fd = readable_fd(family, queue);
    for (int i = 0; i < SLEEPS; i++) {
        CHECK_STATUS(get(family, queue, bytes), QUEUES_EMPTY);
        CHECK(!is_readable(fd));
        const size_t before = signals;
        for (int k = 0; k < ITEMS; k++)
            CHECK_OK(put(family, queue, bytes));
        CHECK_EQ(signals - before, 1);
        CHECK(is_readable(fd));
        const size_t resets_before = resets;
        for (int k = 0; k < ITEMS; k++)
            CHECK_OK(get(family, queue, bytes));
        CHECK_EQ(signals - before, 1);
        CHECK_EQ(resets - resets_before, 0);
    }
    family->release(queue);
}

/* From here on the kernel ends the process at any system call but exit_group. */
static void allow_nothing(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {.len = LENGTH(code), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program))
        _exit(77);
}

/* While the consumer does not find the queue empty, no item costs a system call: in a process that
 * may make none. Both ends have descriptors, of which the loop has slept at one or at both. */
static void no_system_call_while_awake(const family_t *family, bool bytes) {
    enum { ITEMS = 20000, AHEAD = 3 };
    void *queue = family->create(64, bytes ? ITEM : 0, NULL, NULL);
    readable_fd(family, queue);
    if (family->writable_fd)
        writable_fd(family, queue);
    for (int sleeps = 0; sleeps <= 1; sleeps++) {
        fflush(NULL);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            /* A queue of the child: on a copy descriptors do nothing. */
            void *own = family->create(64, bytes ? ITEM : 0, NULL, NULL);
            readable_fd(family, own);
            if (family->writable_fd)
                writable_fd(family, own);
            if (sleeps)
                CHECK_STATUS(get(family, own, bytes), QUEUES_EMPTY);
            for (int i = 0; i < AHEAD; i++)
                CHECK_OK(put(family, own, bytes));
            allow_nothing();
            for (int i = 0; i < ITEMS; i++)
                if (put(family, own, bytes) != QUEUES_OK || get(family, own, bytes) != QUEUES_OK)
                    _exit(1);
            _exit(0);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
            puts("not tested: the kernel refuses a seccomp filter");
            break;
        }
        CHECK_EQ(status, 0);
    }
    family->release(queue);
}

int main(int n, char **arguments) {
    /* Under tools that make system calls of their own, or lack seccomp. */
    const bool plain = n == 1;
    CHECK(plain || strcmp(arguments[1], "under-a-tool") == 0);
    RUN_ALL(a_descriptor_follows_the_items);
    RUN_ALL(a_descriptor_follows_the_room);
    RUN_ALL(too_small_is_readable);
    RUN_ALL(arguments_are_checked);
    RUN(leases_and_reservations);
    RUN(spsc_in_place);
    RUN(batches);
    RUN(leftovers_of_a_batch_become_due);
    RUN(next_due_of_others);
    RUN(events);
    RUN(poll_checks_its_arguments);
    RUN(poll_returns_all_that_are_ready);
    RUN(poll_sleeps_on_each);
    RUN(poll_of_many);
    RUN(pollers_beside_getters);
    RUN(signals_change_no_timeout);
    if (plain) {
        RUN_ALL(no_descriptor_is_left);
        RUN_ALL(one_signal_for_each_sleep);
        RUN_ALL(no_system_call_while_awake);
    }
    return 0;
}
