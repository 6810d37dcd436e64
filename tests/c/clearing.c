/* While clear calls back, a queue's size, its statistics, is_full and FULL agree at every moment,
 * in every family and with both payloads. A callback may put into the queue that is being cleared;
 * clear drops only what was in the queue before. */
#include "families.h"

enum { MOST = 200, BLOB = 100 };

static const family_t *family;
static void *queue;
static size_t capacity, called;
static bool blobs;

static queues_status_t put(void) {
    static char item[BLOB];
    return blobs ? family->try_put_bytes(queue, item, BLOB) : family->try_put(queue, item);
}

static queues_status_t get(void) {
    char blob[BLOB];
    void *item;
    return blobs ? family->try_get_bytes(queue, blob, BLOB) : family->try_get(queue, &item);
}

static queues_stats_t stats(void) {
    queues_stats_t stats = {.struct_size = sizeof stats};
    CHECK_OK(family->stats(queue, &stats));
    return stats;
}

/* A drop callback. It also fills the queue. */
static void check_that_sizes_agree(void *ctx, void *item) {
    (void)ctx, (void)item;
    called++;
    size_t size = family->size(queue), room = 0;
    queues_stats_t s = stats();
    CHECK(size <= capacity);
    CHECK_EQ(s.current_size, size);
    CHECK_EQ(s.enqueued - s.dequeued, size);
    if (family->is_full)
        CHECK_EQ(family->is_full(queue), size == capacity);
    queues_status_t status;
    while ((status = put()) == QUEUES_OK) {
        room++;
        CHECK_EQ(family->size(queue), size + room);
    }
    CHECK_STATUS(status, QUEUES_FULL);
    CHECK_EQ(room, capacity - size);
    CHECK(!family->is_full || family->is_full(queue));
    s = stats();
    CHECK_EQ(s.current_size, capacity);
    CHECK_EQ(s.peak_size, capacity);
}

static void sizes_agree_while_clear_calls_back(const family_t *of) {
    static const size_t capacities[] = {1, 2, 10, MOST};
    family = of;
    for (size_t i = 0; i < 2 * LENGTH(capacities); i++) {
        capacity = capacities[i / 2];
        blobs = i % 2;
        queue = family->create(capacity, blobs ? BLOB : 0, check_that_sizes_agree, NULL);
        for (size_t k = 0; k < capacity; k++)
            CHECK_OK(put());
        CHECK_STATUS(put(), QUEUES_FULL);
        size_t count;
        called = 0;
        CHECK_OK(family->clear(queue, &count)); /* does not drop what the callback puts */
        CHECK_EQ(count, capacity);
        CHECK_EQ(called, capacity);
        CHECK(family->size(queue) >= capacity - 1);
        /* Empty before the last release, which would call back, too. */
        CHECK_OK(family->close(queue));
        while (get() == QUEUES_OK)
            ;
        family->release(queue);
    }
}

/* The place of the item that is being dropped is still taken, but a get finds no item there. */
static void check_is_empty(void *ctx, void *item) {
    (void)ctx, (void)item;
    void *got;
    size_t left = --*(size_t *)ctx;
    CHECK_EQ(queues_spsc_is_empty(queue), left == 0);
    CHECK_STATUS(queues_spsc_peek(queue, &got), left == 0 ? QUEUES_EMPTY : QUEUES_OK);
    CHECK_EQ(queues_spsc_size(queue), left + 1);
}

static void spsc_is_empty_when_there_is_no_item_to_get(void) {
    size_t left = 3, count;
    queue = spsc_create(3, 0, check_is_empty, &left);
    for (size_t i = 0; i < 3; i++)
        CHECK_OK(queues_spsc_try_put(queue, NULL));
    CHECK_OK(queues_spsc_clear(queue, &count));
    CHECK_EQ(count, 3);
    CHECK_EQ(queues_spsc_size(queue), 0);
    queues_spsc_release(queue);
}

int main(void) {
    RUN_FAMILIES(sizes_agree_while_clear_calls_back);
    RUN(spsc_is_empty_when_there_is_no_item_to_get);
    return 0;
}
