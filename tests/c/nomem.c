/* Each allocation of a create fails in turn: create returns NOMEM and leaks nothing. No other call
 * allocates, except the push that grows a deque. */
#include "check.h"
#include "heap.h"

static size_t calls, live; /* allocations so far, and those that are not freed */
static size_t failing;     /* the number of the allocation that fails, 0: none */

static void *allocate(size_t alignment, size_t size) {
    void *memory = ++calls == failing ? NULL : take(alignment, size);
    live += memory != NULL;
    return memory;
}

static void deallocate(void *memory) {
    (void)memory;
    live--;
}

#define FAMILY mpmc
#include "allocations.h"
#undef FAMILY
#define FAMILY spsc
#include "allocations.h"
#undef FAMILY
#include "ties.h"
#define FAMILY ties
#include "allocations.h"
#undef FAMILY

#define FAMILY deque
#include "creation.h"

/* A number as an item, a pointer or a blob. */
static queues_status_t push_number(queues_deque_t *deque, size_t item_size, size_t number) {
    return item_size ? queues_deque_push_bytes(deque, &number, sizeof number)
                     : queues_deque_push(deque, (void *)number);
}

static void steal_number(queues_deque_t *deque, size_t item_size, size_t expected) {
    size_t number = SIZE_MAX, len;
    CHECK_OK(item_size ? queues_deque_steal_bytes(deque, &number, sizeof number, &len)
                       : queues_deque_steal(deque, (void **)&number));
    CHECK_EQ(number, expected);
}

/* A push that cannot grow the deque changes nothing, and a later one may. */
static void growth_reports_failed_allocations(void) {
    enum { CAPACITY = 3, FAILURES = 2 }; /* two allocations: the cells, and their owner */
    for (size_t item_size = 0; item_size <= 100; item_size += 50) {
        queues_deque_t *deque;
        CREATE(deque, &deque, .capacity = CAPACITY, .item_size = item_size,
               .flags = QUEUES_DEQUE_GROWABLE);
        const size_t live_before = live;
        for (size_t i = 0; i < CAPACITY; i++)
            CHECK_OK(push_number(deque, item_size, i));
        CHECK_EQ(live, live_before);
        for (size_t n = 1; n <= FAILURES; n++) {
            failing = calls + n;
            CHECK_STATUS(push_number(deque, item_size, 7), QUEUES_NOMEM);
            failing = 0;
            CHECK_EQ(live, live_before);
            CHECK_EQ(queues_deque_size(deque), CAPACITY);
            CHECK_EQ(queues_deque_capacity(deque), CAPACITY);
        }
        queues_stats_t stats = {.struct_size = sizeof stats};
        CHECK_OK(queues_deque_stats(deque, &stats));
        CHECK_EQ(stats.failed_enqueue, FAILURES);
        failing = calls + FAILURES + 1; /* growth needs no third allocation */
        CHECK_OK(push_number(deque, item_size, CAPACITY));
        CHECK_EQ(calls, failing - 1);
        failing = 0;
        CHECK_EQ(queues_deque_capacity(deque), 2 * CAPACITY);
        for (size_t i = 0; i <= CAPACITY; i++)
            steal_number(deque, item_size, i);
        CHECK(queues_deque_is_empty(deque));
        queues_deque_release(deque);
    }
}

static void other_calls_of_a_deque_allocate_nothing(void) {
    for (size_t item_size = 0; item_size <= 100; item_size += 100) {
        queues_deque_t *deque;
        CREATE(deque, &deque, .capacity = 3, .item_size = item_size);
        const size_t calls_before = calls;
        queues_stats_t stats = {.struct_size = sizeof stats};
        for (size_t i = 0; i < 3; i++)
            CHECK_OK(push_number(deque, item_size, i));
        CHECK_STATUS(push_number(deque, item_size, 3), QUEUES_FULL);
        steal_number(deque, item_size, 0);
        char buffer[100];
        size_t n;
        void *items[3];
        CHECK_OK(item_size ? queues_deque_pop_bytes(deque, buffer, sizeof buffer, &n)
                           : queues_deque_pop(deque, items));
        if (item_size == 0)
            CHECK_OK(queues_deque_steal_many(deque, items, 3, &n));
        CHECK_OK(queues_deque_stats(deque, &stats));
        queues_deque_release(queues_deque_retain(deque));
        CHECK_EQ(calls, calls_before);
        queues_deque_release(deque);
    }
}

#undef FAMILY
#define FAMILY batch
#include "creation.h"

static void other_calls_of_a_batching_queue_allocate_nothing(void) {
    queues_batch_t *pointers, *bytes;
    CREATE(batch, &pointers, .max_pending = 3, .batch_size = 2);
    CREATE(batch, &bytes, .max_pending = 3, .batch_size = 2, .item_size = 100);

    const size_t calls_before = calls;
    void *items[2];
    char buffer[200] = {0};
    queues_batch_blob_t blobs[2];
    queues_stats_t stats = {.struct_size = sizeof stats};
    size_t n, len;
    CHECK_STATUS(queues_batch_get_batch(pointers, items, 2, &n, MILLISECOND), QUEUES_TIMEOUT);
    CHECK_OK(queues_batch_put(pointers, NULL, -1));
    CHECK_OK(queues_batch_get_batch(pointers, items, 2, &n, -1)); /* due by its age */
    for (int i = 0; i < 3; i++)
        CHECK_OK(queues_batch_put_weighted(pointers, NULL, 2, -1));
    CHECK_STATUS(queues_batch_put(pointers, NULL, MILLISECOND), QUEUES_TIMEOUT);
    CHECK_OK(queues_batch_get_due(pointers, items, 2, &n));
    CHECK_OK(queues_batch_flush(pointers));
    CHECK_OK(queues_batch_clear(pointers, &n));
    CHECK_OK(queues_batch_put_bytes(bytes, buffer, 100, -1));
    CHECK_OK(queues_batch_try_put_bytes(bytes, buffer, 1));
    CHECK_OK(queues_batch_get_batch_bytes(bytes, buffer, 200, &len, blobs, 2, &n, -1));
    CHECK_OK(queues_batch_stats(bytes, &stats));
    CHECK_OK(queues_batch_try_put_bytes(bytes, buffer, 1));
    CHECK_OK(queues_batch_close(bytes));
    queues_batch_release(queues_batch_retain(bytes));
    queues_batch_release(bytes);
    queues_batch_release(pointers);
    CHECK_EQ(calls, calls_before);
}

#undef FAMILY
#include "families.h"

/* A descriptor needs memory. Without it the queue is as before, and has one later. */
static void descriptors_report_failed_allocations(const family_t *family) {
    for (size_t bytes = 0; bytes <= 8; bytes += 8) {
        void *queue = family->create(1, bytes, NULL, NULL), *item;
        const size_t live_before = live;
        int fd = -2;
        size_t n = 1;
        for (;; n++) {
            failing = calls + n;
            queues_status_t status = family->readable_fd(queue, &fd);
            const bool failed = calls >= failing;
            failing = 0;
            if (!failed) {
                CHECK_OK(status);
                break;
            }
            CHECK_STATUS(status, QUEUES_NOMEM);
            CHECK_EQ(fd, -2);
            CHECK_EQ(live, live_before);
            if (!bytes) {
                CHECK_OK(family->try_put(queue, NULL));
                CHECK_OK(family->try_get(queue, &item));
                CHECK_STATUS(family->try_get(queue, &item), QUEUES_EMPTY);
            }
        }
        CHECK(n > 1);
        const size_t calls_before = calls;
        CHECK_OK(family->readable_fd(queue, &fd));
        if (!bytes) {
            CHECK_STATUS(family->try_get(queue, &item), QUEUES_EMPTY);
            CHECK_OK(family->try_put(queue, NULL));
        }
        queues_poll_t entry = {queue, QUEUES_READABLE, 0};
        size_t ready;
        const queues_status_t polled = queues_poll(&entry, 1, MILLISECOND, &ready);
        CHECK_STATUS(polled, bytes ? QUEUES_TIMEOUT : QUEUES_OK);
        CHECK_EQ(calls, calls_before);
        family->release(queue);
    }
}

static void events_report_failed_allocations(void) {
    const size_t live_before = live;
    for (size_t n = 1;; n++) {
        queues_event_t *event = (queues_event_t *)&live;
        failing = calls + n;
        queues_status_t status = queues_event_create(&event);
        const bool failed = calls >= failing;
        failing = 0;
        if (!failed) {
            CHECK_OK(status);
            CHECK(n > 1);
            int fd;
            failing = calls + 1;
            CHECK_STATUS(queues_event_readable_fd(event, &fd), QUEUES_NOMEM);
            failing = 0;
            const size_t calls_before = calls;
            CHECK_OK(queues_event_set(event));
            CHECK_OK(queues_event_reset(event));
            CHECK_STATUS(queues_event_wait(event, MILLISECOND), QUEUES_TIMEOUT);
            CHECK_EQ(calls, calls_before);
            CHECK_OK(queues_event_readable_fd(event, &fd));
            queues_event_release(event);
            break;
        }
        CHECK_STATUS(status, QUEUES_NOMEM);
        CHECK_EQ(event, &live);
    }
    CHECK_EQ(live, live_before);
}

int main(void) {
    mpmc_run();
    spsc_run();
    ties_run();
    RUN(deque_create_reports_failed_allocations);
    RUN(growth_reports_failed_allocations);
    RUN(other_calls_of_a_deque_allocate_nothing);
    RUN(batch_create_reports_failed_allocations);
    RUN(other_calls_of_a_batching_queue_allocate_nothing);
    const size_t live_before = live;
    for (int i = 0; i < ALL_FAMILIES; i++)
        descriptors_report_failed_allocations(&FAMILIES[i]);
    RUN(events_report_failed_allocations);
    CHECK_EQ(live, live_before);
    return 0;
}
