/* Which options no family accepts, and that structures may grow. With a FAMILY, and the FLAGS that
 * it knows; T, QUEUE and OPTIONS are its names. */

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
    QUEUE *queue = NULL;
    CHECK_OK(T(try_create)(&good));
    CHECK_STATUS(Q(create)(NULL, &queue), QUEUES_INVALID);
    CHECK_STATUS(Q(create)(&good, NULL), QUEUES_INVALID);
    CHECK_STATUS(Q(create)(NULL, NULL), QUEUES_INVALID);
    CHECK(!queue);

    static const size_t sizes[] = {0, 1, sizeof(size_t), sizeof good - 1, SIZE_MAX};
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        bad.struct_size = sizes[i];
        CHECK_STATUS(T(try_create)(&bad), QUEUES_INVALID);
    }
    for (size_t size = sizeof good; size <= 4097;
         size++) { /* as if a later header made it longer */
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

static void T(drop_options)(void *ctx, void *item) {
    (void)ctx;
    (void)item;
}

static void T(drop_bytes_options)(void *ctx, void *data, size_t len) {
    (void)ctx;
    (void)data;
    (void)len;
}

static void T(drop_callbacks_are_checked)(void) {
    for (int kind = 0; kind < 8; kind++) {
        bool blobs = kind & 1, drop = kind & 2, bytes = kind & 4;
        OPTIONS options = {.struct_size = sizeof options, SIZED(3, blobs ? 8 : 0)};
        options.drop = drop ? T(drop_options) : NULL;
        options.drop_bytes = bytes ? T(drop_bytes_options) : NULL;
        CHECK_STATUS(T(try_create)(&options),
                     bytes && (drop || !blobs) ? QUEUES_INVALID : QUEUES_OK);
    }
}

/* As if compiled with a later header: what it says beyond ours must not matter. */
static void T(options_of_a_later_version)(void) {
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

static void T(sizes_may_overflow)(void) {
    static const size_t overflow[][2] = {{SIZE_MAX, 0},     {SIZE_MAX / 4, 0}, {SIZE_MAX, SIZE_MAX},
                                         {1, SIZE_MAX},     {1, SIZE_MAX - 7}, {1, SIZE_MAX / 2},
                                         {SIZE_MAX / 8, 8}, {SIZE_MAX / 2, 3}, {SIZE_MAX, 1}};
    for (size_t i = 0; i < LENGTH(overflow); i++) {
        OPTIONS options = {.struct_size = sizeof options, SIZED(overflow[i][0], overflow[i][1])};
        CHECK_STATUS(T(try_create)(&options), QUEUES_INVALID);
    }
    /* More than the address space has, though a size_t counts it. */
    static const size_t large[][2] = {
        {SIZE_MAX >> 14, 0}, {1, SIZE_MAX >> 8}, {SIZE_MAX >> 32, 1 << 20}};
    for (size_t i = 0; i < LENGTH(large); i++) {
        OPTIONS options = {.struct_size = sizeof options, SIZED(large[i][0], large[i][1])};
        CHECK_STATUS(T(try_create)(&options), QUEUES_NOMEM);
    }
}

static void T(statistics_for_a_later_version)(void) {
    struct {
        queues_stats_t known;
        uint64_t unknown, behind;
    } later = {
        .known = {.struct_size = sizeof later - sizeof later.behind}, .unknown = 7, .behind = 7};
    OPTIONS options = {.struct_size = sizeof options, SIZED(3, 0)};
    QUEUE *queue;
    CHECK_OK(Q(create)(&options, &queue));
    CHECK_OK(Q(stats)(queue, &later.known));
    CHECK_EQ(later.known.struct_size, sizeof later - sizeof later.behind);
    CHECK_EQ(later.known.capacity, 3);
    CHECK_EQ(later.unknown, 0);
    CHECK_EQ(later.behind, 7);
    Q(release)(queue);
}
