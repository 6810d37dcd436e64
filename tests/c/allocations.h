/* In a FIFO family only create allocates, and it reports when it cannot. Included once for each
 * FAMILY, as creation.h. */
#include "creation.h"

static void T(other_calls_allocate_nothing)(void) {
    QUEUE *pointers, *bytes;
    CREATE(FAMILY, &pointers, SIZED(2, 0), .drop = ignore_item);
    CREATE(FAMILY, &bytes, SIZED(2, 100), .drop = ignore_item);

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
    RUN(T(create_reports_failed_allocations));
    RUN(T(other_calls_allocate_nothing));
}
