/* Bad options and bad statistics structures are refused and change nothing; structures of a later
 * version are accepted. Included once for each FAMILY, with the FLAGS that its create knows. */

static queues_status_t T(try_create)(const OPTIONS *options) {
    QUEUE *const untouched = (QUEUE *)&options, *queue = untouched;
    queues_status_t status = Q(create)(options, &queue);
    CHECK_EQ(queue == untouched, status != QUEUES_OK);
    if (status == QUEUES_OK)
        Q(release)(queue);
    return status;
}

static void T(options_are_checked)(void) {
    const OPTIONS good = {.struct_size = sizeof good, SIZED(1, 1)};
    OPTIONS bad = good;
    static const size_t sizes[] = BAD_SIZES(OPTIONS);
    QUEUE *queue = NULL;
    CHECK_OK(T(try_create)(&good));
    CHECK_STATUS(Q(create)(NULL, &queue), QUEUES_INVALID);
    CHECK_STATUS(Q(create)(&good, NULL), QUEUES_INVALID);
    CHECK_STATUS(Q(create)(NULL, NULL), QUEUES_INVALID);
    CHECK(!queue);

    for (size_t i = 0; i < LENGTH(sizes); i++) {
        bad.struct_size = sizes[i];
        CHECK_STATUS(T(try_create)(&bad), QUEUES_INVALID);
    }
    bad.struct_size = sizeof(size_t);
    CHECK_STATUS(T(try_create)(&bad), QUEUES_INVALID);
    /* As if a later header had more fields. */
    for (size_t size = sizeof good; size <= 4097; size++) {
        static union {
            OPTIONS known;
            unsigned char bytes[4097];
        } longer;
        longer.known = good;
        longer.known.struct_size = size;
        CHECK_STATUS(T(try_create)(&longer.known), size <= 4096 ? QUEUES_OK : QUEUES_INVALID);
    }
    bad = good;
    for (int bit = 0; bit < 64; bit++) {
        bad.flags = UINT64_C(1) << bit;
        CHECK_STATUS(T(try_create)(&bad), bad.flags & FLAGS ? QUEUES_OK : QUEUES_INVALID);
        bad.flags |= FLAGS;
        CHECK_STATUS(T(try_create)(&bad), bad.flags == FLAGS ? QUEUES_OK : QUEUES_INVALID);
    }
}

static void T(ignore_blob)(void *ctx, void *data, size_t len) { (void)ctx, (void)data, (void)len; }

/* Both callbacks, or drop_bytes without blobs: no create accepts that. */
static void T(drop_callbacks_are_checked)(void) {
    for (int kind = 0; kind < 8; kind++) {
        bool blobs = kind & 1, drop = kind & 2, bytes = kind & 4;
        OPTIONS options = {.struct_size = sizeof options, SIZED(3, blobs ? 8 : 0)};
        options.drop = drop ? ignore_item : NULL;
        options.drop_bytes = bytes ? T(ignore_blob) : NULL;
        CHECK_STATUS(T(try_create)(&options),
                     bytes && (drop || !blobs) ? QUEUES_INVALID : QUEUES_OK);
    }
}

/* Fields that the library does not know must be 0. */
static void T(unknown_options_are_refused)(void) {
    struct {
        OPTIONS known;
        unsigned char unknown[16];
    } later = {.known = {.struct_size = sizeof later, SIZED(3, 0)}};
    QUEUE *queue = NULL;
    for (size_t i = 0; i < sizeof later.unknown; i++) {
        later.unknown[i] = 1;
        CHECK_STATUS(Q(create)(&later.known, &queue), QUEUES_INVALID);
        later.unknown[i] = 0;
    }
    CHECK(!queue);
    CHECK_OK(Q(create)(&later.known, &queue));
    CHECK_EQ(Q(capacity)(queue), 3);
    Q(release)(queue);
}

static void T(too_large_sizes_are_refused)(void) {
    /* Capacity and item size of queues whose size in bytes overflows a size_t. */
    static const size_t overflow[][2] = {{SIZE_MAX, 0},     {SIZE_MAX / 4, 0}, {SIZE_MAX, SIZE_MAX},
                                         {1, SIZE_MAX},     {1, SIZE_MAX - 7}, {1, SIZE_MAX / 2},
                                         {SIZE_MAX / 8, 8}, {SIZE_MAX / 2, 3}, {SIZE_MAX, 1}};
    for (size_t i = 0; i < LENGTH(overflow); i++) {
        OPTIONS options = {.struct_size = sizeof options, SIZED(overflow[i][0], overflow[i][1])};
        CHECK_STATUS(T(try_create)(&options), QUEUES_INVALID);
    }
    /* The size in bytes fits a size_t, but not the address space. */
    static const size_t large[][2] = {
        {SIZE_MAX >> 14, 0}, {1, SIZE_MAX >> 8}, {SIZE_MAX >> 32, 1 << 20}};
    for (size_t i = 0; i < LENGTH(large); i++) {
        OPTIONS options = {.struct_size = sizeof options, SIZED(large[i][0], large[i][1])};
        CHECK_STATUS(T(try_create)(&options), QUEUES_NOMEM);
    }
}

/* A later header makes the structure longer: the library sets the fields that it does not know to
 * 0, and writes nothing behind the structure. */
static void T(unknown_statistics_are_zero)(void) {
    struct {
        queues_stats_t known;
        uint64_t unknown, behind;
    } later = {
        .known = {.struct_size = sizeof later - sizeof later.behind}, .unknown = 7, .behind = 7};
    QUEUE *queue;
    CREATE(FAMILY, &queue, SIZED(3, 0));
    CHECK_OK(Q(stats)(queue, &later.known));
    CHECK_EQ(later.known.struct_size, sizeof later - sizeof later.behind);
    CHECK_EQ(later.known.capacity, 3);
    CHECK_EQ(later.unknown, 0);
    CHECK_EQ(later.behind, 7);
    Q(release)(queue);
}

/* Called with a queue by the tests of bad arguments. */
static void T(bad_statistics_are_refused)(const QUEUE *queue) {
    static const size_t sizes[] = BAD_SIZES(queues_stats_t);
    CHECK_STATUS(Q(stats)(queue, NULL), QUEUES_INVALID);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        queues_stats_t stats = {.struct_size = sizes[i], .capacity = 7};
        CHECK_STATUS(Q(stats)(queue, &stats), QUEUES_INVALID);
        CHECK(stats.struct_size == sizes[i] && stats.capacity == 7);
    }
}

static void T(run_options)(void) {
    RUN(T(options_are_checked));
    RUN(T(drop_callbacks_are_checked));
    RUN(T(unknown_options_are_refused));
    RUN(T(too_large_sizes_are_refused));
    RUN(T(unknown_statistics_are_zero));
}
