/* Queues of one family, their items, and what became of those: for tests that say #define FAMILY
 * mpmc. */
#include "check.h"

typedef Q(t) queue_t;
typedef Q(options_t) options_t;

enum { MOST = 17 }; /* capacities from 1 to this */

static char places[256];

/* The items of the tests: the i-th is this pointer, or these bytes. */
static void *item(size_t i) { return &places[i % sizeof places]; }

static uint64_t flags; /* of all queues */

static queue_t *create(options_t options) {
    queue_t *queue = NULL;
    options.struct_size = sizeof options;
    options.flags = flags;
    CHECK_OK(Q(create)(&options, &queue));
    CHECK(queue);
    return queue;
}

static queue_t *pointers(size_t capacity) { return create((options_t){SIZED(capacity, 0)}); }
static queue_t *bytes(size_t capacity, size_t item_size) {
    return create((options_t){SIZED(capacity, item_size)});
}

static queues_stats_t stats(const queue_t *queue) {
    queues_stats_t s = {.struct_size = sizeof s};
    CHECK_OK(Q(stats)(queue, &s));
    CHECK_EQ(s.struct_size, sizeof s);
    return s;
}

static void fill(unsigned char *data, size_t len, size_t seed) {
    for (size_t i = 0; i < len; i++)
        data[i] = (unsigned char)(seed + i * 7);
}

static struct {
    size_t times[sizeof places], total;
    void *ctx;
} dropped;

static void drop_pointer(void *ctx, void *dropped_item) {
    dropped.times[(char *)dropped_item - places]++;
    dropped.total++;
    dropped.ctx = ctx;
}

static void drop_bytes(void *ctx, void *data) {
    CHECK_EQ((uintptr_t)data % 8, 0);
    drop_pointer(ctx, item(*(unsigned char *)data));
}
