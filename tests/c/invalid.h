/* What no queue accepts, and that it changes nothing. Included once a family, with its FAMILY, an
 * OTHER one, and the FLAGS that it knows. */

#define T(name) PASTE(, FAMILY, name)
#define QUEUE Q(t)
#define OPTIONS Q(options_t)
#define O(name) PASTE(queues_, OTHER, name)
#define OTHER_T O(t)

#include "options.h"

/* Every call, on a handle that is none of this family. */
static void T(handle_is_refused)(QUEUE *bad) {
    static const int64_t timeouts[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
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
    static _Alignas(16) char zeros[4096], noise[4096];
    memset(noise, 0x55, sizeof noise);
    T(handle_is_refused)(NULL);
    T(handle_is_refused)((QUEUE *)zeros);
    T(handle_is_refused)((QUEUE *)noise);
    T(handle_is_refused)((QUEUE *)(noise + 16)); /* as malloc aligns, perhaps not as a queue is */
    for (size_t item_size = 0; item_size <= 8; item_size += 8) {
        O(options_t)
        options = {.struct_size = sizeof options, .capacity = 2, .item_size = item_size};
        OTHER_T *other;
        CHECK_OK(O(create)(&options, &other));
        T(handle_is_refused)((QUEUE *)other);
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
        OPTIONS options = {.struct_size = sizeof options, .capacity = 2, .flags = (uint64_t)flags};
        QUEUE *pointers, *bytes;
        CHECK_OK(Q(create)(&options, &pointers));
        options.item_size = 8;
        CHECK_OK(Q(create)(&options, &bytes));
        CHECK_OK(Q(try_put)(pointers, &options));
        CHECK_OK(Q(try_put_bytes)(bytes, "one", 3));
        const queues_stats_t pointers_before = T(stats_of)(pointers),
                             bytes_before = T(stats_of)(bytes);

        char buffer[9] = {0};
        void *one = buffer, *items[1] = {buffer};
        size_t n = 7;
        /* no place for the answer */
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
        /* nothing to put, or nowhere to get to */
        CHECK_STATUS(Q(try_put_bytes)(bytes, NULL, 1), QUEUES_INVALID);
        CHECK_STATUS(Q(put_bytes)(bytes, NULL, 1, -1), QUEUES_INVALID);
        CHECK_STATUS(Q(put_many)(pointers, NULL, 1, -1, &n), QUEUES_INVALID);
        CHECK_STATUS(Q(get_many)(pointers, NULL, 1, -1, &n), QUEUES_INVALID);
        /* too much */
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
        /* statistics for nobody knows whom */
        CHECK_STATUS(Q(stats)(pointers, NULL), QUEUES_INVALID);
        queues_stats_t stats = {.capacity = 7};
        static const size_t sizes[] = {0, 1, sizeof stats - 1, SIZE_MAX};
        for (size_t i = 0; i < LENGTH(sizes); i++) {
            stats.struct_size = sizes[i];
            CHECK_STATUS(Q(stats)(pointers, &stats), QUEUES_INVALID);
            CHECK_EQ(stats.struct_size, sizes[i]);
        }
        CHECK_EQ(stats.capacity, 7);

        CHECK_EQ(n, 7);
        CHECK(one == buffer && items[0] == buffer && buffer[0] == 0);
        queues_stats_t pointers_after = T(stats_of)(pointers), bytes_after = T(stats_of)(bytes);
        CHECK(memcmp(&pointers_after, &pointers_before, sizeof pointers_after) == 0);
        CHECK(memcmp(&bytes_after, &bytes_before, sizeof bytes_after) == 0);
        CHECK_OK(Q(try_get)(pointers, &one));
        CHECK_EQ(one, &options);
        CHECK_OK(Q(try_get_bytes)(bytes, buffer, 8, &n));
        CHECK(n == 3 && memcmp(buffer, "one", 3) == 0);
        Q(release)(pointers);
        Q(release)(bytes);
    }
}

/* --- large blobs, small stacks */

static void T(count)(void *count, void *item) {
    CHECK_EQ(((unsigned char *)item)[BLOB - 1], 1);
    ++*(size_t *)count;
}

static void *T(large_blobs)(void *blob) {
    size_t dropped = 0, len = 0;
    OPTIONS options = {.struct_size = sizeof options,
                       .capacity = 2,
                       .item_size = BLOB,
                       .drop = T(count),
                       .drop_ctx = &dropped};
    QUEUE *queue;
    CHECK_OK(Q(create)(&options, &queue));
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

static void T(large_blobs_need_no_stack)(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    void *blob = malloc(BLOB);
    CHECK(blob);
    CHECK_EQ(pthread_attr_init(&attributes), 0);
    CHECK_EQ(pthread_attr_setstacksize(&attributes, SMALL_STACK), 0);
    CHECK_EQ(pthread_create(&thread, &attributes, T(large_blobs), blob), 0);
    finish(thread);
    CHECK_EQ(pthread_attr_destroy(&attributes), 0);
    free(blob);
}

static void T(run)(void) {
    RUN(T(options_are_checked));
    RUN(T(drop_callbacks_are_checked));
    RUN(T(options_of_a_later_version));
    RUN(T(sizes_may_overflow));
    RUN(T(foreign_handles_are_refused));
    RUN(T(arguments_are_checked));
    RUN(T(statistics_for_a_later_version));
    RUN(T(large_blobs_need_no_stack));
}

#undef T
#undef QUEUE
#undef OPTIONS
#undef O
#undef OTHER_T
