/* What a create that cannot allocate answers. With a FAMILY; T, QUEUE and OPTIONS are its names. */

static void T(create_may_fail)(void) {
    for (size_t item_size = 0; item_size <= 100; item_size += 50) {
        OPTIONS options = {.struct_size = sizeof options, SIZED(5, item_size)};
        QUEUE *queue;
        CHECK_OK(Q(create)(&options, &queue)); /* what is looked up once is looked up now */
        Q(release)(queue);
        for (size_t n = 1;; n++) {
            QUEUE *const untouched = (QUEUE *)&options;
            const size_t calls_before = calls, live_before = live;
            queue = untouched;
            failing = calls + n;
            queues_status_t status = Q(create)(&options, &queue);
            failing = 0;
            if (calls - calls_before < n) { /* it needs no more than that */
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
