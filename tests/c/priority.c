/* The priority queue: lowest priority first, equal priorities in order, and NaN is refused. While
 * all priorities are equal it also passes the tests of the FIFO families. */
#include "check.h"

#include "ties.h"
#define FAMILY ties
enum { DEFAULT_CAPACITY = 10000, WAITERS = 4 };
#include "fifo.h"

#define FLAGS 0
#include "options.h"

#include <float.h>
#include <math.h>

static void lowest_first_and_ties_in_order(void) {
    static const double priorities[] = {2, -INFINITY, 0.0,      INFINITY, -0.0, DBL_MIN,  -1,
                                        2, DBL_MAX,   -DBL_MAX, -DBL_MIN, 0.0,  -INFINITY};
    static const size_t order[] = {1, 12, 9, 6, 10, 2, 4, 11, 5, 0, 7, 8, 3};
    enum { N = LENGTH(priorities) };
    for (size_t item_size = 0; item_size <= 200; item_size += 100) {
        queue_t *queue = create((options_t){.capacity = N, .item_size = item_size});
        for (size_t i = 0; i < N; i++)
            CHECK_OK(item_size ? queues_priority_try_put_bytes(queue, &i, sizeof i, priorities[i])
                               : queues_priority_put(queue, item(i), priorities[i], -1));
        for (size_t i = 0; i < N; i++) {
            void *got = NULL;
            double priority = NAN, peeked = NAN;
            if (item_size) {
                size_t number = SIZE_MAX, len = 0;
                CHECK_OK(queues_priority_peek_bytes(queue, &number, sizeof number, &len, &peeked));
                CHECK_EQ(number, order[i]);
                CHECK_OK(
                    queues_priority_get_bytes(queue, &number, sizeof number, &len, &priority, 0));
                CHECK_EQ(number, order[i]);
                CHECK_EQ(len, sizeof number);
            } else {
                CHECK_OK(queues_priority_peek(queue, &got, &peeked));
                CHECK(got == item(order[i]));
                CHECK_OK(queues_priority_try_get(queue, &got, &priority));
                CHECK(got == item(order[i]));
            }
            CHECK(priority >= priorities[order[i]] && priority <= priorities[order[i]]);
            CHECK(peeked >= priority && peeked <= priority);
            CHECK(!signbit(priority) || priority < 0);
        }
        queues_priority_release(queue);
    }
}

static void bad_arguments_are_refused(void) {
    queue_t *pointer = pointers(2), *byte = bytes(2, 8);
    const double nans[] = {NAN, -NAN};
    void *got = &got;
    double priority = 7;
    char buffer[8] = {0};
    size_t len = 7;
    for (size_t i = 0; i < LENGTH(nans); i++) {
        CHECK_STATUS(queues_priority_try_put(pointer, NULL, nans[i]), QUEUES_INVALID);
        CHECK_STATUS(queues_priority_put(pointer, NULL, nans[i], -1), QUEUES_INVALID);
        CHECK_STATUS(queues_priority_try_put_bytes(byte, buffer, 1, nans[i]), QUEUES_INVALID);
        CHECK_STATUS(queues_priority_put_bytes(byte, buffer, 1, nans[i], -1), QUEUES_INVALID);
    }
    CHECK_EQ(queues_priority_size(pointer), 0);
    CHECK_EQ(queues_priority_size(byte), 0);
    put_all(pointer, 1, 1);
    CHECK_OK(queues_priority_try_put_bytes(byte, buffer, 1, 1));
    CHECK_STATUS(queues_priority_try_get(pointer, &got, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_get(pointer, &got, NULL, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_peek(pointer, &got, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_try_get(pointer, NULL, &priority), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_try_get_bytes(byte, buffer, 8, &len, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_get_bytes(byte, buffer, 8, &len, NULL, -1), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_peek_bytes(byte, buffer, 8, &len, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_priority_try_get_bytes(byte, buffer, 0, &len, &priority), QUEUES_TOO_SMALL);
    CHECK_EQ(len, 1);
    CHECK(got == &got && priority >= 7 && priority <= 7);
    T(bad_statistics_are_refused)(pointer);
    CHECK_EQ(queues_priority_size(pointer), 1);
    CHECK_EQ(queues_priority_size(byte), 1);
    queues_priority_release(pointer);
    queues_priority_release(byte);
}

int main(void) {
    T(run_options)();
    run_family();
    RUN(lowest_first_and_ties_in_order);
    RUN(bad_arguments_are_refused);
    return 0;
}
