// The workloads between processes, in C and C++: a template that makes them once for each queue.
// The file that includes it adapts a queue by functions with a prefix and defines
//   QUEUE         the prefix; the template makes QUEUE_process
//   SHARED        the type of what the processes inherit
//   HANDLE        the type of a queue as one process has it
//   HAS_BLOCKING  1 if QUEUE_put(q, item, size) and QUEUE_get(q, item, size) exist, which block as
//                 the queue's users let it; else QUEUE_try_put and QUEUE_try_get, which return
//                 false if the queue is full or empty, and are polled
//   THREADS       1 if the workers are threads of one process, for comparison
// QUEUE_create(capacity, size) makes a SHARED, QUEUE_attach(shared, capacity, size) a HANDLE in
// each process, and QUEUE_detach(handle) and QUEUE_release(shared) end them.
#include "items.h"

#ifndef __cplusplus
#include <stdalign.h>
#endif
#include <stdlib.h>

struct Q(ends) {
    HANDLE *queue, *back;
};

static void *Q(attach_all)(const struct case_spec *s, void *const *queues) {
    struct Q(ends) *ends = (struct Q(ends) *)calloc(1, sizeof *ends);
    ends->queue = Q(attach)((SHARED *)queues[0], s->capacity, s->item_size);
    if (queues[1] != NULL)
        ends->back = Q(attach)((SHARED *)queues[1], s->capacity, s->item_size);
    return ends;
}

static void Q(detach_all)(void *argument) {
    struct Q(ends) *ends = (struct Q(ends) *)argument;
    Q(detach)(ends->queue);
    if (ends->back != NULL)
        Q(detach)(ends->back);
    free(ends);
}

INLINE void Q(put_item)(HANDLE *q, const void *item, size_t size) {
#if HAS_BLOCKING
    Q(put)(q, item, size);
#else
    struct backoff b = {0};
    while (!Q(try_put)(q, item, size))
        snooze(&b);
#endif
}

INLINE void Q(get_item)(HANDLE *q, void *item, size_t size, bool crowded) {
#if HAS_BLOCKING
    (void)crowded;
    Q(get)(q, item, size);
#else
    struct backoff b = {0};
    while (!Q(try_get)(q, item, size))
        crowded ? snooze(&b) : relax();
#endif
}

// Even workers put the numbers from 1 to `items`, odd ones get as many items.
INLINE uint64_t Q(stream)(struct Q(ends) * ends, unsigned worker, uint64_t items, size_t size) {
    alignas(64) char item[LARGEST_ITEM];
    uint64_t sum = 0;
    for (uint64_t i = 1; i <= items; i++) {
        if (worker % 2 == 0) {
            set_number(item, i, size);
            Q(put_item)(ends->queue, item, size);
        } else {
            Q(get_item)(ends->queue, item, size, true);
            sum += number_of(item, size);
        }
    }
    return sum;
}

// A token through one queue and back through the other. Polled without backoff: a yield takes
// longer than the round trip that is measured.
INLINE uint64_t Q(bounce)(struct Q(ends) * ends, unsigned worker, uint64_t items, size_t size) {
    alignas(64) char token[LARGEST_ITEM];
    HANDLE *out = worker == 0 ? ends->queue : ends->back;
    HANDLE *in = worker == 0 ? ends->back : ends->queue;
    const bool crowded = processors() < 2;
    for (uint64_t i = 1; i <= items; i++) {
        if (worker == 0) {
            set_number(token, i, size);
            Q(put_item)(out, token, size);
        }
        Q(get_item)(in, token, size, crowded);
        verify(number_of(token, size) == i, "a round trip returned another token");
        if (worker == 1)
            Q(put_item)(out, token, size);
    }
    return 0;
}

INLINE uint64_t Q(work_sized)(void *argument, const struct case_spec *s, unsigned worker,
                              uint64_t items, size_t size) {
    struct Q(ends) *ends = (struct Q(ends) *)argument;
    return is(s->family, "process") ? Q(stream)(ends, worker, items, size)
                                    : Q(bounce)(ends, worker, items, size);
}

static uint64_t Q(work)(void *ends, const struct case_spec *s, unsigned worker, uint64_t items) {
    switch (s->item_size) {
    case 8:
        return Q(work_sized)(ends, s, worker, items, 8);
    case 64:
        return Q(work_sized)(ends, s, worker, items, 64);
    case 1024:
        return Q(work_sized)(ends, s, worker, items, 1024);
    default:
        fail(2, "blobs have 8, 64 or 1024 bytes");
    }
}

// Until it is killed. The case has blobs of 64 bytes.
static void Q(work_on)(void *argument, unsigned worker, volatile uint64_t *moved) {
    struct Q(ends) *ends = (struct Q(ends) *)argument;
    alignas(64) char item[LARGEST_ITEM];
    for (uint64_t i = 1;; i++) {
        if (worker % 2 == 0) {
            set_number(item, i, 64);
            Q(put_item)(ends->queue, item, 64);
        } else {
            Q(get_item)(ends->queue, item, 64, true);
            verify(number_of(item, 64) != TORN, "an item is torn");
        }
        *moved = *moved + 1;
    }
}

static bool Q(process)(const struct case_spec *s, struct measurement *m) {
    static const struct crew crew = {Q(attach_all), Q(work), Q(work_on), Q(detach_all), THREADS};
    void *queues[2] = {Q(create)(s->capacity, s->item_size), NULL};
    if (is(s->family, "process-ping-pong"))
        queues[1] = Q(create)(s->capacity, s->item_size);
    (is(s->family, "process-kill") ? measure_kills : measure)(&crew, queues, s, m);
    for (int i = 0; i < 2; i++) {
        if (queues[i] != NULL)
            Q(release)((SHARED *)queues[i]);
    }
    return true;
}

#undef QUEUE
#undef SHARED
#undef HANDLE
#undef HAS_BLOCKING
#undef THREADS
