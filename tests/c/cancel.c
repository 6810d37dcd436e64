/* pthread_cancel: no call of the library is a cancellation point, not even while a callback runs or
 * the thread sleeps. The request stays pending until the thread reaches a cancellation point of its
 * own. */
#include "families.h"
#include <unistd.h>

enum { ITEMS = 5 };

static queues_status_t put(const family_t *family, void *queue, bool bytes) {
    return bytes ? family->try_put_bytes(queue, "blob", 4) : family->try_put(queue, NULL);
}

/* One call of a thread that is canceled. */
typedef struct {
    const family_t *family;
    void *queue;
    bool clears;
    int state; /* the thread's cancelability before the call */
    queues_status_t status;
    size_t count;
    atomic_bool returned;
} call_t;

/* Returns the state before. */
static int set_state(int state) {
    int before = -1;
    CHECK_EQ(pthread_setcancelstate(state, &before), 0);
    return before;
}

/* The call has returned and left the thread's state as it was; from here on the thread may be
 * canceled. A canceled thread must have no variable on its stack that AddressSanitizer
 * watches: the sanitizer would not see the end of that variable's life. */
static void *end_of(call_t *call) {
    CHECK_EQ(set_state(PTHREAD_CANCEL_DISABLE), call->state);
    atomic_store(&call->returned, true);
    set_state(PTHREAD_CANCEL_ENABLE);
    pthread_testcancel();
    return NULL;
}

/* The thread was canceled, but only after its call. */
static void expect_canceled(pthread_t thread, call_t *call) {
    void *result = NULL;
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(atomic_load(&call->returned));
    CHECK(result == PTHREAD_CANCELED);
}

/* --- callbacks */

static atomic_size_t dropped;

/* Calls functions that are cancellation points. */
static void drop(void *ctx, void *item) {
    (void)ctx, (void)item;
    close(-1);
    CHECK_EQ(write(-1, "", 0), -1);
    pthread_testcancel();
    atomic_fetch_add(&dropped, 1);
}

/* A callback's state ends with the callback. */
static void drop_and_disable(void *ctx, void *item) {
    drop(ctx, item);
    set_state(PTHREAD_CANCEL_DISABLE);
}

/* The library is called within a call of the library. */
static void drop_and_release(void *ctx, void *item) {
    void *inner = mpmc_create(1, 0, drop, NULL);
    CHECK_OK(mpmc_try_put(inner, NULL));
    mpmc_release(inner);
    drop(ctx, item);
}

static void *clear_or_release(void *arg) {
    call_t *call = arg;
    set_state(call->state);
    CHECK_EQ(pthread_cancel(pthread_self()), 0); /* pending from here on */
    if (call->clears) {
        CHECK_OK(call->family->clear(call->queue, &call->count));
        CHECK_EQ(call->count, ITEMS);
    } else {
        call->family->release(call->queue);
    }
    return end_of(call);
}

static void callbacks_are_not_canceled(void) {
    static const queues_drop_t callbacks[] = {drop, drop_and_disable, drop_and_release};
    static const int states[] = {PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DISABLE};
    for (size_t i = 0; i < LENGTH(FAMILIES) * LENGTH(callbacks) * LENGTH(states) * 4; i++) {
        const family_t *family = &FAMILIES[i / 4 % LENGTH(FAMILIES)];
        size_t callback = i / 4 / LENGTH(FAMILIES) % LENGTH(callbacks);
        bool bytes = i & 1, clears = i & 2;
        call_t call = {.family = family,
                       .clears = clears,
                       .state = states[i / 4 / LENGTH(FAMILIES) / LENGTH(callbacks)]};
        if (clears && !family->clear)
            continue;
        call.queue = family->create(ITEMS, bytes ? 8 : 0, callbacks[callback], NULL);
        for (int n = 0; n < ITEMS; n++)
            CHECK_OK(put(family, call.queue, bytes));
        atomic_store(&dropped, 0);
        expect_canceled(start(clear_or_release, &call), &call);
        CHECK_EQ(atomic_load(&dropped), callback == 2 ? 2 * ITEMS : ITEMS);
        if (clears)
            family->release(call.queue);
    }
}

/* --- waits */

static void *get_one(void *arg) {
    call_t *call = arg;
    static void *item;
    call->status = call->family->get(call->queue, &item, -1);
    return end_of(call);
}

static void *put_one(void *arg) {
    call_t *call = arg;
    call->status = call->family->put(call->queue, NULL, -1);
    return end_of(call);
}

static void waits_last_until_they_are_woken(const family_t *family) {
    call_t call = {.family = family, .state = PTHREAD_CANCEL_ENABLE};
    void *item;
    call.queue = family->create(ITEMS, 0, NULL, NULL);
    pthread_t thread = start(get_one, &call);
    pause_ns(20 * MILLISECOND); /* the thread sleeps in its call by now */
    CHECK_EQ(pthread_cancel(thread), 0);
    pause_ns(20 * MILLISECOND);
    CHECK(!atomic_load(&call.returned));
    CHECK_OK(family->try_put(call.queue, NULL));
    expect_canceled(thread, &call);
    CHECK_OK(call.status);

    for (int n = 0; n < ITEMS; n++)
        CHECK_OK(family->try_put(call.queue, NULL));
    atomic_store(&call.returned, false);
    thread = start(put_one, &call);
    pause_ns(20 * MILLISECOND);
    CHECK_EQ(pthread_cancel(thread), 0);
    pause_ns(20 * MILLISECOND);
    CHECK(!atomic_load(&call.returned));
    CHECK_OK(family->try_get(call.queue, &item));
    expect_canceled(thread, &call);
    CHECK_OK(call.status);
    size_t count = 0;
    CHECK_OK(family->clear(call.queue, &count));
    CHECK_EQ(count, ITEMS);
    family->release(call.queue);
}

/* --- descriptors, queues_poll and events */

/* A thread whose cancellation is pending makes all calls that read, write or close a descriptor. */
static void *use_descriptors(void *arg) {
    call_t *call = arg;
    static queues_event_t *event;
    static queues_poll_t polls[2];
    static void *item;
    static int fd;
    static size_t ready;
    CHECK_EQ(pthread_cancel(pthread_self()), 0);
    void *queue = call->family->create(2, 0, NULL, NULL);
    CHECK_OK(call->family->readable_fd(queue, &fd));
    if (call->family->writable_fd)
        CHECK_OK(call->family->writable_fd(queue, &fd));
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(call->family->try_get(queue, &item), QUEUES_EMPTY); /* resets */
        CHECK_OK(call->family->try_put(queue, NULL));                    /* signals */
        CHECK_OK(call->family->try_put(queue, NULL));
        CHECK_STATUS(call->family->try_put(queue, NULL), QUEUES_FULL);
        CHECK_OK(call->family->try_get(queue, &item));
        CHECK_OK(call->family->try_get(queue, &item));
    }
    CHECK_OK(queues_event_create(&event));
    CHECK_OK(queues_event_readable_fd(event, &fd));
    polls[0] = (queues_poll_t){queue, QUEUES_READABLE, 0};
    polls[1] = (queues_poll_t){event, QUEUES_READABLE, 0};
    CHECK_STATUS(queues_poll(polls, 2, MILLISECOND, &ready), QUEUES_TIMEOUT);
    CHECK_STATUS(queues_event_wait(event, MILLISECOND), QUEUES_TIMEOUT);
    CHECK_OK(queues_event_set(event));
    CHECK_OK(queues_event_reset(event));
    queues_event_release(event); /* closes */
    call->family->release(queue);
    return end_of(call);
}

static void descriptors_are_no_cancellation_points(void) {
    for (int i = 0; i < ALL_FAMILIES; i++) {
        call_t call = {.family = &FAMILIES[i], .state = PTHREAD_CANCEL_ENABLE};
        expect_canceled(start(use_descriptors, &call), &call);
    }
}

static void *poll_one(void *arg) {
    call_t *call = arg;
    static queues_poll_t entry;
    static size_t ready;
    entry = (queues_poll_t){call->queue, QUEUES_READABLE, 0};
    call->status = queues_poll(&entry, 1, -1, &ready);
    return end_of(call);
}

static void *wait_for_event(void *arg) {
    call_t *call = arg;
    call->status = queues_event_wait(call->queue, -1);
    return end_of(call);
}

static void polls_last_until_they_are_woken(void) {
    void *const queue = mpmc_create(1, 0, NULL, NULL);
    queues_event_t *event;
    CHECK_OK(queues_event_create(&event));
    for (int i = 0; i < 2; i++) {
        call_t call = {.state = PTHREAD_CANCEL_ENABLE, .queue = i ? (void *)event : queue};
        pthread_t thread = start(i ? wait_for_event : poll_one, &call);
        pause_ns(20 * MILLISECOND);
        CHECK_EQ(pthread_cancel(thread), 0);
        pause_ns(20 * MILLISECOND);
        CHECK(!atomic_load(&call.returned));
        CHECK_OK(i ? queues_event_set(event) : mpmc_try_put(queue, NULL));
        expect_canceled(thread, &call);
        CHECK_OK(call.status);
    }
    mpmc_release(queue);
    queues_event_release(event);
}

int main(void) {
    RUN(callbacks_are_not_canceled);
    RUN_FAMILIES(waits_last_until_they_are_woken);
    RUN(descriptors_are_no_cancellation_points);
    RUN(polls_last_until_they_are_woken);
    return 0;
}
