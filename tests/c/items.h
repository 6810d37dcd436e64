/* Queues of one FAMILY, numbered items to put into them, and drop callbacks that count those items.
 * The programs that test one family alone are written with these. */
#include "check.h"

typedef QUEUE queue_t;
typedef OPTIONS options_t;

enum { MOST = 17 }; /* the largest capacity of tests that try every capacity from 1 */

static char places[256];

/* Item i of a queue of pointers. A blob stands for item i if its first byte is i. */
static void *item(size_t i) { return &places[i % sizeof places]; }

static uint64_t flags; /* of the queues that create makes */

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

/* Writes bytes that depend on the seed and on their place. */
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

/* Drops a queue that is an item of another queue. */
static void drop_queue(void *ctx, void *queue) {
    (void)ctx;
    Q(release)(queue);
}
