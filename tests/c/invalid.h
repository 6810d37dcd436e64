/* Bad arguments are refused with INVALID and change nothing: foreign handles, missing outputs, the
 * wrong payload. Included once for each FIFO FAMILY, with an OTHER family and the FLAGS that create
 * knows. */
#include "options.h"

#define O(name) PASTE(queues_, OTHER, name)

/* Makes every call on a handle that belongs to no queue of this family. */
static void T(handle_is_refused)(void *handle) {
    QUEUE *bad = handle;
    char buffer[8] = {0};
    void *one = buffer, *items[1] = {buffer};
    size_t n = 7;
    CHECK(!Q(retain)(bad));
    CHECK_STATUS(Q(try_put)(bad, one), QUEUES_INVALID);
    CHECK_STATUS(Q(try_get)(bad, &one), QUEUES_INVALID);
    CHECK_STATUS(Q(peek)(bad, &one), QUEUES_INVALID);
    CHECK_STATUS(Q(try_put_bytes)(bad, buffer, 1), QUEUES_INVALID);
    CHECK_STATUS(Q(try_get_bytes)(bad, buffer, sizeof buffer, &n), QUEUES_INVALID);
    CHECK_STATUS(Q(peek_bytes)(bad, buffer, sizeof buffer, &n), QUEUES_INVALID);
    for (size_t i = 0; i < LENGTH(timeouts); i++) {
        CHECK_STATUS(Q(put)(bad, one, timeouts[i]), QUEUES_INVALID);
        CHECK_STATUS(Q(get)(bad, &one, timeouts[i]), QUEUES_INVALID);
        CHECK_STATUS(Q(put_bytes)(bad, buffer, 1, timeouts[i]), QUEUES_INVALID);
        CHECK_STATUS(Q(get_bytes)(bad, buffer, sizeof buffer, &n, timeouts[i]), QUEUES_INVALID);
        CHECK_STATUS(Q(put_many)(bad, items, 1, timeouts[i], &n), QUEUES_INVALID);
        CHECK_STATUS(Q(get_many)(bad, items, 1, timeouts[i], &n), QUEUES_INVALID);
        CHECK_STATUS(Q(put_many)(bad, items, 0, timeouts[i], &n), QUEUES_INVALID);
        CHECK_STATUS(Q(get_many)(bad, items, 0, timeouts[i], &n), QUEUES_INVALID);
    }
    queues_stats_t stats = {.struct_size = sizeof stats, .capacity = 7};
    CHECK_STATUS(Q(clear)(bad, &n), QUEUES_INVALID);
    CHECK_STATUS(Q(close)(bad), QUEUES_INVALID);
    CHECK_STATUS(Q(stats)(bad, &stats), QUEUES_INVALID);
    CHECK(Q(is_closed)(bad));
    CHECK_EQ(Q(size)(bad), 0);
    CHECK_EQ(Q(capacity)(bad), 0);
    CHECK_EQ(stats.capacity, 7);
    CHECK_EQ(n, 7);
    CHECK(one == buffer && items[0] == buffer && buffer[0] == 0);
    Q(release)(bad);
}

static void T(foreign_handles_are_refused)(void) {
    for_each_non_queue(T(handle_is_refused));
    for (size_t item_size = 0; item_size <= 8; item_size += 8) {
        O(t) * other;
        CREATE(OTHER, &other, ROOM(OTHER, 2), .item_size = item_size);
        T(handle_is_refused)(other);
        CHECK(!O(is_closed)(other));
        O(release)(other);
    }
}

static queues_stats_t T(stats_of)(const QUEUE *queue) {
    queues_stats_t stats = {.struct_size = sizeof stats};
    CHECK_OK(Q(stats)(queue, &stats));
    return stats;
}

static void T(arguments_are_checked)(void) {
    for (int flags = 0; flags <= FLAGS; flags++) {
        QUEUE *pointers, *bytes;
        CREATE(FAMILY, &pointers, SIZED(2, 0), .flags = (uint64_t)flags);
        CREATE(FAMILY, &bytes, SIZED(2, 8), .flags = (uint64_t)flags);
        CHECK_OK(Q(try_put)(pointers, &pointers));
        CHECK_OK(Q(try_put_bytes)(bytes, "one", 3));
        const queues_stats_t pointers_before = T(stats_of)(pointers),
                             bytes_before = T(stats_of)(bytes);

        char buffer[9] = {0};
        void *one = buffer, *items[1] = {buffer};
        size_t n = 7;
        /* an output is NULL */
        CHECK_STATUS(Q(try_get)(pointers, NULL), QUEUES_INVALID);
        CHECK_STATUS(Q(get)(pointers, NULL, -1), QUEUES_INVALID);
        CHECK_STATUS(Q(peek)(pointers, NULL), QUEUES_INVALID);
        CHECK_STATUS(Q(try_get_bytes)(bytes, buffer, 8, NULL), QUEUES_INVALID);
        CHECK_STATUS(Q(get_bytes)(bytes, buffer, 8, NULL, -1), QUEUES_INVALID);
        CHECK_STATUS(Q(peek_bytes)(bytes, buffer, 8, NULL), QUEUES_INVALID);
        CHECK_STATUS(Q(try_get_bytes)(bytes, NULL, 8, &n), QUEUES_INVALID);
        CHECK_STATUS(Q(get_bytes)(bytes, NULL, 8, &n, -1), QUEUES_INVALID);
        CHECK_STATUS(Q(peek_bytes)(bytes, NULL, 8, &n), QUEUES_INVALID);
        CHECK_STATUS(Q(put_many)(pointers, items, 1, -1, NULL), QUEUES_INVALID);
        CHECK_STATUS(Q(get_many)(pointers, items, 1, -1, NULL), QUEUES_INVALID);
        CHECK_STATUS(Q(clear)(pointers, NULL), QUEUES_INVALID);
        CHECK_STATUS(Q(clear)(bytes, NULL), QUEUES_INVALID);
        /* items or bytes are NULL, and their number is not 0 */
        CHECK_STATUS(Q(try_put_bytes)(bytes, NULL, 1), QUEUES_INVALID);
        CHECK_STATUS(Q(put_bytes)(bytes, NULL, 1, -1), QUEUES_INVALID);
        CHECK_STATUS(Q(put_many)(pointers, NULL, 1, -1, &n), QUEUES_INVALID);
        CHECK_STATUS(Q(get_many)(pointers, NULL, 1, -1, &n), QUEUES_INVALID);
        /* more bytes or items than can be */
        CHECK_STATUS(Q(try_put_bytes)(bytes, buffer, 9), QUEUES_INVALID);
        CHECK_STATUS(Q(put_bytes)(bytes, buffer, 9, -1), QUEUES_INVALID);
        CHECK_STATUS(Q(try_put_bytes)(bytes, buffer, SIZE_MAX), QUEUES_INVALID);
        CHECK_STATUS(Q(put_many)(pointers, items, SIZE_MAX, 0, &n), QUEUES_INVALID);
        CHECK_STATUS(Q(get_many)(pointers, items, SIZE_MAX / 8 + 2, 0, &n), QUEUES_INVALID);
        /* the other kind of payload */
        CHECK_STATUS(Q(try_put)(bytes, one), QUEUES_INVALID);
        CHECK_STATUS(Q(put)(bytes, one, -1), QUEUES_INVALID);
        CHECK_STATUS(Q(try_get)(bytes, &one), QUEUES_INVALID);
        CHECK_STATUS(Q(get)(bytes, &one, -1), QUEUES_INVALID);
        CHECK_STATUS(Q(peek)(bytes, &one), QUEUES_INVALID);
        CHECK_STATUS(Q(put_many)(bytes, items, 1, -1, &n), QUEUES_INVALID);
        CHECK_STATUS(Q(get_many)(bytes, items, 1, -1, &n), QUEUES_INVALID);
        CHECK_STATUS(Q(try_put_bytes)(pointers, buffer, 1), QUEUES_INVALID);
        CHECK_STATUS(Q(try_put_bytes)(pointers, NULL, 0), QUEUES_INVALID);
        CHECK_STATUS(Q(put_bytes)(pointers, buffer, 1, -1), QUEUES_INVALID);
        CHECK_STATUS(Q(try_get_bytes)(pointers, buffer, 8, &n), QUEUES_INVALID);
        CHECK_STATUS(Q(get_bytes)(pointers, buffer, 8, &n, -1), QUEUES_INVALID);
        CHECK_STATUS(Q(peek_bytes)(pointers, buffer, 8, &n), QUEUES_INVALID);
        T(bad_statistics_are_refused)(pointers);

        CHECK_EQ(n, 7);
        CHECK(one == buffer && items[0] == buffer && buffer[0] == 0);
        queues_stats_t pointers_after = T(stats_of)(pointers), bytes_after = T(stats_of)(bytes);
        CHECK(memcmp(&pointers_after, &pointers_before, sizeof pointers_after) == 0);
        CHECK(memcmp(&bytes_after, &bytes_before, sizeof bytes_after) == 0);
        CHECK_OK(Q(try_get)(pointers, &one));
        CHECK_EQ(one, &pointers);
        CHECK_OK(Q(try_get_bytes)(bytes, buffer, 8, &n));
        CHECK(n == 3 && memcmp(buffer, "one", 3) == 0);
        Q(release)(pointers);
        Q(release)(bytes);
    }
}

/* --- large blobs */

static void T(count_blob)(void *count, void *item) {
    CHECK_EQ(((unsigned char *)item)[BLOB - 1], 1);
    count_item(count, item);
}

/* Each call that copies a blob. `blob` has room for one. */
static void *T(use_large_blobs)(void *blob) {
    size_t dropped = 0, len = 0;
    QUEUE *queue;
    CREATE(FAMILY, &queue, SIZED(2, BLOB), .drop = T(count_blob), .drop_ctx = &dropped);
    memset(blob, 1, BLOB);
    for (int i = 0; i < 2; i++)
        CHECK_OK(Q(try_put_bytes)(queue, blob, BLOB));
    memset(blob, 0, BLOB);
    CHECK_OK(Q(peek_bytes)(queue, blob, BLOB, &len));
    CHECK_EQ(len, BLOB);
    CHECK_EQ(((char *)blob)[BLOB - 1], 1);
    memset(blob, 0, BLOB);
    CHECK_OK(Q(get_bytes)(queue, blob, BLOB, &len, -1));
    CHECK_EQ(len, BLOB);
    CHECK_EQ(((char *)blob)[BLOB - 1], 1);
    CHECK_OK(Q(put_bytes)(queue, blob, BLOB, -1));
    CHECK_OK(Q(clear)(queue, &len));
    CHECK_EQ(len, 2);
    CHECK_OK(Q(put_bytes)(queue, blob, BLOB, -1));
    Q(release)(queue);
    CHECK_EQ(dropped, 3);
    return NULL;
}

static void T(large_blobs_need_no_stack)(void) { run_on_small_stack(T(use_large_blobs), BLOB); }

static void T(run)(void) {
    T(run_options)();
    RUN(T(foreign_handles_are_refused));
    RUN(T(arguments_are_checked));
    RUN(T(large_blobs_need_no_stack));
}

#undef O
