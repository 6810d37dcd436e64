/* drop_bytes is called once for each blob that is left over, with the blob's length and bytes.
 * Lengths from 0 to item_size, dropped by clear and by the last release. Included after items.h
 * with PUT_BLOB(queue, data, len), the family's put, and HAS_CLEAR, 1 or 0. */

enum { LONGEST = 24 };

static struct { size_t times[LONGEST + 1], total; } lengths;

/* The seed of a blob is its length. */
static void drop_with_length(void *ctx, void *data, size_t len) {
    unsigned char expected[LONGEST];
    CHECK_EQ(ctx, &lengths);
    CHECK_EQ((uintptr_t)data % 8, 0);
    CHECK(len <= LONGEST);
    fill(expected, len, len);
    CHECK(memcmp(data, expected, len) == 0);
    lengths.times[len]++;
    lengths.total++;
}

static void put_each_length(queue_t *queue, size_t item_size) {
    unsigned char data[LONGEST];
    for (size_t len = 0; len <= item_size; len++) {
        fill(data, len, len);
        CHECK_OK(PUT_BLOB(queue, data, len));
    }
}

static void leftovers_are_dropped_with_their_length(void) {
    for (size_t item_size = 1; item_size <= LONGEST; item_size++) {
        queue_t *queue = create((options_t){SIZED(item_size + 1, item_size),
                                            .drop_bytes = drop_with_length, .drop_ctx = &lengths});
        memset(&lengths, 0, sizeof lengths);
        size_t rounds = 1;
#if HAS_CLEAR
        for (; rounds <= 2; rounds++) {
            size_t count = 0;
            put_each_length(queue, item_size);
            CHECK_OK(Q(clear)(queue, &count));
            CHECK_EQ(count, item_size + 1);
            CHECK_EQ(lengths.total, rounds * count);
        }
#endif
        put_each_length(queue, item_size);
        Q(release)(queue);
        CHECK_EQ(lengths.total, rounds * (item_size + 1));
        for (size_t len = 0; len <= item_size; len++)
            CHECK_EQ(lengths.times[len], rounds);
    }
}
