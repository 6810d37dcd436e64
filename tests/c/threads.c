/* Many threads use one FIFO queue at once: no item is lost, duplicated or out of order, and FULL
 * and EMPTY are reported only when true. Every pair of calls to put and get is tried, with closes
 * and signals at any moment. */
#include "check.h"
#include <signal.h>

enum {
    ITEMS = 1000, /* that one producer puts */
    BURST = 5,    /* the most items of one call */
    ROUNDS = 30,
};

/* What travels through the queues. The checksum shows a stamp that was torn: half of one item, half
 * of another. */
typedef struct {
    uint32_t producer, sequence;
    uint64_t checksum;
} stamp_t;

static uint64_t checksum(const stamp_t *stamp) {
    return ~(((uint64_t)stamp->producer << 32 | stamp->sequence) * UINT64_C(0x9E3779B97F4A7C15));
}

static stamp_t stamp(uint32_t producer, uint32_t sequence) {
    stamp_t stamp = {producer, sequence, 0};
    stamp.checksum = checksum(&stamp);
    return stamp;
}

static void check_stamp(const stamp_t *stamp, uint32_t producers) {
    CHECK(stamp->producer < producers && stamp->sequence < ITEMS);
    CHECK_EQ(stamp->checksum, checksum(stamp));
}

#define FAMILY mpmc
#define SIDE 3
#define LEASES
#include "transfer.h"
#undef FAMILY
#undef SIDE
#undef LEASES
#define FAMILY spsc
#define SIDE 1
#define IN_PLACE
#include "transfer.h"
#undef FAMILY
#undef SIDE
#undef IN_PLACE

/* --- EMPTY and FULL are reported only when true */

enum { CYCLERS = 4 };

/* Each thread holds one item at most, and there is one item more than threads: never empty. */
static void *get_and_put(void *queue) {
    for (int i = 0; i < ITEMS; i++) {
        void *item;
        CHECK_OK(queues_mpmc_peek(queue, &item));
        CHECK_OK(queues_mpmc_try_get(queue, &item));
        CHECK_OK(queues_mpmc_try_put(queue, item));
    }
    return NULL;
}

static void *get_and_put_bytes(void *queue) {
    for (int i = 0; i < ITEMS; i++) {
        char item[8];
        size_t len;
        CHECK_OK(queues_mpmc_peek_bytes(queue, item, sizeof item, &len));
        CHECK_OK(queues_mpmc_try_get_bytes(queue, item, sizeof item, &len));
        CHECK_OK(queues_mpmc_try_put_bytes(queue, item, len));
    }
    return NULL;
}

/* Each thread puts one item at most, and there is room for one from each thread: never full. */
static void *put_and_get(void *queue) {
    for (int i = 0; i < ITEMS; i++) {
        void *item;
        CHECK_OK(queues_mpmc_try_put(queue, queue));
        CHECK_OK(queues_mpmc_try_get(queue, &item));
    }
    return NULL;
}

static void *put_and_get_bytes(void *queue) {
    for (int i = 0; i < ITEMS; i++) {
        char item[8] = {0};
        size_t len;
        CHECK_OK(queues_mpmc_try_put_bytes(queue, item, sizeof item));
        CHECK_OK(queues_mpmc_try_get_bytes(queue, item, sizeof item, &len));
    }
    return NULL;
}

static void cycle(void *(*run)(void *), size_t item_size, size_t capacity, size_t items) {
    queues_mpmc_t *queue;
    pthread_t threads[CYCLERS];
    CREATE(mpmc, &queue, .capacity = capacity, .item_size = item_size);
    for (size_t i = 0; i < items; i++)
        CHECK_OK(item_size ? queues_mpmc_try_put_bytes(queue, "12345678", i % 8)
                           : queues_mpmc_try_put(queue, queue));
    for (int i = 0; i < CYCLERS; i++)
        threads[i] = start(run, queue);
    for (int i = 0; i < CYCLERS; i++)
        finish(threads[i]);
    CHECK_EQ(queues_mpmc_size(queue), items);
    queues_mpmc_release(queue);
}

static void full_and_empty_are_reported_only_when_true(void) {
    for (int round = 0; round < ROUNDS; round++) {
        size_t spare = (size_t)round % 3;
        cycle(get_and_put, 0, CYCLERS + 1 + spare, CYCLERS + 1);
        cycle(get_and_put_bytes, 8, CYCLERS + 1 + spare, CYCLERS + 1);
        cycle(put_and_get, 0, CYCLERS + spare, spare);
        cycle(put_and_get_bytes, 8, CYCLERS + spare, spare);
    }
}

static void ignore(int signal) { (void)signal; }

int main(void) {
    struct sigaction action = {.sa_handler = ignore}; /* without SA_RESTART: interrupts calls */
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    mpmc_run();
    spsc_run();
    RUN(full_and_empty_are_reported_only_when_true);
    return 0;
}
