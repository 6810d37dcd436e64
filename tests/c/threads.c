/* Many threads at once: nothing lost, nothing twice, order kept, whatever races with what. */
#include "check.h"
#include <signal.h>

enum {
    ITEMS = 1000, /* of one producer */
    BURST = 5,    /* the most items of one call */
    ROUNDS = 30,
};

/* What travels: who put it, as which of its own, and what makes sure that nothing is torn. */
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

/* --- EMPTY and FULL are told only when true */

enum { CYCLERS = 4 };

/* There is one item more than threads that could hold them. */
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

/* There is as much room as threads that could fill it. */
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
    queues_mpmc_options_t options = {
        .struct_size = sizeof options, .capacity = capacity, .item_size = item_size};
    queues_mpmc_t *queue;
    pthread_t threads[CYCLERS];
    CHECK_OK(queues_mpmc_create(&options, &queue));
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

static void never_empty_never_full(void) {
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
    struct sigaction action = {.sa_handler =
                                   ignore}; /* without SA_RESTART: calls are interrupted */
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    mpmc_run();
    spsc_run();
    RUN(never_empty_never_full);
    return 0;
}
