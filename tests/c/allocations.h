/* Which calls allocate, and what they answer when they cannot. Included once a family. */

#define T(name) PASTE(, FAMILY, name)
#define QUEUE Q(t)
#define OPTIONS Q(options_t)

#include "creation.h"

static void T(drop)(void *ctx, void *item) {
    (void)ctx;
    (void)item;
}

static void T(other_calls_allocate_nothing)(void) {
    OPTIONS options = {.struct_size = sizeof options, .capacity = 2, .drop = T(drop)};
    QUEUE *pointers, *bytes;
    CHECK_OK(Q(create)(&options, &pointers));
    options.item_size = 100;
    CHECK_OK(Q(create)(&options, &bytes));

    const size_t calls_before = calls;
    void *items[3] = {NULL};
    char buffer[512] = {0};
    queues_stats_t stats = {.struct_size = sizeof stats};
    size_t n;
    CHECK_STATUS(Q(get)(pointers, items, MILLISECOND), QUEUES_TIMEOUT);
    CHECK_OK(Q(try_put)(pointers, NULL));
    CHECK_STATUS(Q(put_many)(pointers, items, 3, MILLISECOND, &n), QUEUES_TIMEOUT);
    CHECK_STATUS(Q(put)(pointers, NULL, MILLISECOND), QUEUES_TIMEOUT);
    CHECK_OK(Q(peek)(pointers, items));
    CHECK_OK(Q(get_many)(pointers, items, 3, -1, &n));
    CHECK_OK(Q(put)(pointers, NULL, -1));
    CHECK_OK(Q(clear)(pointers, &n));
    CHECK_OK(Q(stats)(pointers, &stats));
    CHECK_OK(queues_stats_json(&stats, buffer, sizeof buffer, &n));
    CHECK_STATUS(Q(get_bytes)(bytes, buffer, 100, &n, MILLISECOND), QUEUES_TIMEOUT);
    CHECK_OK(Q(put_bytes)(bytes, buffer, 100, -1));
    CHECK_OK(Q(try_put_bytes)(bytes, buffer, 1));
    CHECK_STATUS(Q(put_bytes)(bytes, buffer, 1, MILLISECOND), QUEUES_TIMEOUT);
    CHECK_OK(Q(peek_bytes)(bytes, buffer, 100, &n));
    CHECK_OK(Q(get_bytes)(bytes, buffer, 100, &n, -1));
    CHECK_OK(Q(clear)(bytes, &n));
    CHECK_OK(Q(try_put_bytes)(bytes, buffer, 1));
    CHECK_OK(Q(close)(bytes));
    Q(release)(Q(retain)(bytes));
    Q(release)(bytes);
    Q(release)(pointers);
    CHECK_EQ(calls, calls_before);
}

static void T(run)(void) {
    RUN(T(create_may_fail));
    RUN(T(other_calls_allocate_nothing));
}

#undef T
#undef QUEUE
#undef OPTIONS
