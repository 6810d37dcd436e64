/* A create whose n-th allocation fails returns NOMEM, leaks nothing and leaves its output as it
 * was; every n is tried. Included once for each FAMILY, by a program that counts allocations in
 * `calls` and lets the one numbered `failing` fail. */

static void T(create_reports_failed_allocations)(void) {
    for (size_t item_size = 0; item_size <= 100; item_size += 50) {
        OPTIONS options = {.struct_size = sizeof options, SIZED(5, item_size)};
        QUEUE *queue;
        /* The first create of a process also looks up symbols, which may allocate. */
        CHECK_OK(Q(create)(&options, &queue));
        Q(release)(queue);
        for (size_t n = 1;; n++) {
            QUEUE *const untouched = (QUEUE *)&options;
            const size_t calls_before = calls, live_before = live;
            queue = untouched;
            failing = calls + n;
            queues_status_t status = Q(create)(&options, &queue);
            failing = 0;
            if (calls - calls_before < n) { /* fewer than n allocations: none has failed */
                CHECK_OK(status);
                CHECK(n > 1);
                Q(release)(queue);
                CHECK_EQ(live, live_before);
                break;
            }
            CHECK_STATUS(status, QUEUES_NOMEM);
            CHECK_EQ(queue, untouched);
            CHECK_EQ(live, live_before);
        }
    }
}
