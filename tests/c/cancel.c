/* pthread_cancel: no call of the library is a cancellation point, whatever its callbacks do and
 * however long it sleeps; the request is acted on at the thread's own next one. */
#include "check.h"
#include <unistd.h>

enum { ITEMS = 5 };

/* What the tests need of a family. */
typedef struct {
    void *(*create)(size_t item_size, queues_drop_t drop);
    queues_status_t (*put)(void *queue, bool bytes, int64_t timeout_ns);
    queues_status_t (*get)(void *queue); /* waits; a deque does not */
    queues_status_t (*clear)(void *queue, size_t *count);
    void (*release)(void *queue);
} face_t;

#define CREATE(family, room)                                                                       \
    static void *family##_create(size_t item_size, queues_drop_t drop) {                           \
        queues_##family##_options_t options = {                                                    \
            .struct_size = sizeof options, room, .item_size = item_size, .drop = drop};            \
        queues_##family##_t *queue = NULL;                                                         \
        CHECK_OK(queues_##family##_create(&options, &queue));                                      \
        return queue;                                                                              \
    }                                                                                              \
    static void family##_release(void *queue) { queues_##family##_release(queue); }
CREATE(mpmc, .capacity = ITEMS)
CREATE(spsc, .capacity = ITEMS)
CREATE(priority, .capacity = ITEMS)
CREATE(deque, .capacity = ITEMS)
#define ROOM .max_pending = ITEMS, .batch_size
CREATE(batch, ROOM = 1)

#define CLEAR(family)                                                                              \
    static queues_status_t family##_clear(void *queue, size_t *count) {                            \
        return queues_##family##_clear(queue, count);                                              \
    }
CLEAR(mpmc)
CLEAR(spsc)
CLEAR(priority)
CLEAR(batch)

#define PUT(family)                                                                                \
    static queues_status_t family##_put(void *queue, bool bytes, int64_t timeout_ns) {             \
        return bytes ? queues_##family##_put_bytes(queue, "blob", 4, timeout_ns)                   \
                     : queues_##family##_put(queue, NULL, timeout_ns);                             \
    }
PUT(mpmc)
PUT(spsc)
PUT(batch)
static queues_status_t priority_put(void *queue, bool bytes, int64_t timeout_ns) {
    return bytes ? queues_priority_put_bytes(queue, "blob", 4, 0, timeout_ns)
                 : queues_priority_put(queue, NULL, 0, timeout_ns);
}
static queues_status_t deque_put(void *queue, bool bytes, int64_t timeout_ns) {
    (void)timeout_ns;
    return bytes ? queues_deque_push_bytes(queue, "blob", 4) : queues_deque_push(queue, NULL);
}

static queues_status_t mpmc_get(void *queue) {
    void *item;
    return queues_mpmc_get(queue, &item, -1);
}
static queues_status_t spsc_get(void *queue) {
    void *item;
    return queues_spsc_get(queue, &item, -1);
}
static queues_status_t priority_get(void *queue) {
    void *item;
    double priority;
    return queues_priority_get(queue, &item, &priority, -1);
}
static queues_status_t batch_get(void *queue) {
    void *item;
    size_t n;
    return queues_batch_get_batch(queue, &item, 1, &n, -1);
}

static const face_t FACES[] = {
    {mpmc_create, mpmc_put, mpmc_get, mpmc_clear, mpmc_release},
    {spsc_create, spsc_put, spsc_get, spsc_clear, spsc_release},
    {priority_create, priority_put, priority_get, priority_clear, priority_release},
    {batch_create, batch_put, batch_get, batch_clear, batch_release},
    {deque_create, deque_put, NULL, NULL, deque_release},
};

/* One call of a thread that is cancelled. */
typedef struct {
    const face_t *face;
    void *queue;
    bool clears;
    int state; /* of the thread, before the call */
    queues_status_t status;
    size_t count;
    atomic_bool returned;
} call_t;

/* Returns what it was. */
static int set_state(int state) {
    int before = -1;
    CHECK_EQ(pthread_setcancelstate(state, &before), 0);
    return before;
}

/* The call came to its end with the thread's state as it was; from here on it may be cancelled. Who
 * is has no variable on its stack that the address sanitizer watches, since it would miss their
 * end. */
static void *end_of(call_t *call) {
    CHECK_EQ(set_state(PTHREAD_CANCEL_DISABLE), call->state);
    atomic_store(&call->returned, true);
    set_state(PTHREAD_CANCEL_ENABLE);
    pthread_testcancel();
    return NULL;
}

/* Whether the thread was cancelled, and only after its call. */
static void expect_cancelled(pthread_t thread, call_t *call) {
    void *result = NULL;
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(atomic_load(&call->returned));
    CHECK(result == PTHREAD_CANCELED);
}

/* --- callbacks */

static atomic_size_t dropped;

static void closes(void *ctx, void *item) {
    (void)ctx, (void)item;
    close(-1);
    CHECK_EQ(write(-1, "", 0), -1);
    pthread_testcancel();
    atomic_fetch_add(&dropped, 1);
}

/* What a callback sets holds for itself alone. */
static void closes_and_leaves_it_disabled(void *ctx, void *item) {
    closes(ctx, item);
    set_state(PTHREAD_CANCEL_DISABLE);
}

/* One call within another. */
static void releases_a_queue(void *ctx, void *item) {
    void *inner = mpmc_create(0, closes);
    CHECK_OK(mpmc_put(inner, false, 0));
    mpmc_release(inner);
    closes(ctx, item);
}

static void *drops(void *arg) {
    call_t *call = arg;
    set_state(call->state);
    CHECK_EQ(pthread_cancel(pthread_self()), 0); /* pending from here on */
    if (call->clears) {
        CHECK_OK(call->face->clear(call->queue, &call->count));
        CHECK_EQ(call->count, ITEMS);
    } else {
        call->face->release(call->queue);
    }
    return end_of(call);
}

static void callbacks_are_not_cancelled(void) {
    static const queues_drop_t callbacks[] = {closes, closes_and_leaves_it_disabled,
                                              releases_a_queue};
    static const int states[] = {PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DISABLE};
    for (size_t i = 0; i < LENGTH(FACES) * LENGTH(callbacks) * LENGTH(states) * 4; i++) {
        const face_t *face = &FACES[i / 4 % LENGTH(FACES)];
        size_t callback = i / 4 / LENGTH(FACES) % LENGTH(callbacks);
        bool bytes = i & 1, clears = i & 2;
        call_t call = {.face = face,
                       .clears = clears,
                       .state = states[i / 4 / LENGTH(FACES) / LENGTH(callbacks)]};
        if (clears && !face->clear)
            continue;
        call.queue = face->create(bytes ? 8 : 0, callbacks[callback]);
        for (int n = 0; n < ITEMS; n++)
            CHECK_OK(face->put(call.queue, bytes, 0));
        atomic_store(&dropped, 0);
        expect_cancelled(start(drops, &call), &call);
        CHECK_EQ(atomic_load(&dropped), callback == 2 ? 2 * ITEMS : ITEMS);
        if (clears)
            face->release(call.queue);
    }
}

/* --- waits */

static void *gets(void *arg) {
    call_t *call = arg;
    call->status = call->face->get(call->queue);
    return end_of(call);
}

static void *puts_one(void *arg) {
    call_t *call = arg;
    call->status = call->face->put(call->queue, false, -1);
    return end_of(call);
}

static void waits_go_on_until_woken(void) {
    for (size_t i = 0; i < LENGTH(FACES); i++) {
        const face_t *face = &FACES[i];
        if (!face->get)
            continue;
        call_t call = {.face = face, .state = PTHREAD_CANCEL_ENABLE};
        call.queue = face->create(0, NULL);
        pthread_t thread = start(gets, &call);
        pause_ns(20 * MILLISECOND); /* it sleeps */
        CHECK_EQ(pthread_cancel(thread), 0);
        pause_ns(20 * MILLISECOND);
        CHECK(!atomic_load(&call.returned));
        CHECK_OK(face->put(call.queue, false, 0));
        expect_cancelled(thread, &call);
        CHECK_OK(call.status);

        for (int n = 0; n < ITEMS; n++)
            CHECK_OK(face->put(call.queue, false, 0));
        atomic_store(&call.returned, false);
        thread = start(puts_one, &call);
        pause_ns(20 * MILLISECOND);
        CHECK_EQ(pthread_cancel(thread), 0);
        pause_ns(20 * MILLISECOND);
        CHECK(!atomic_load(&call.returned));
        CHECK_OK(face->get(call.queue));
        expect_cancelled(thread, &call);
        CHECK_OK(call.status);
        size_t count = 0;
        CHECK_OK(face->clear(call.queue, &count));
        CHECK_EQ(count, ITEMS);
        face->release(call.queue);
    }
}

int main(void) {
    RUN(callbacks_are_not_cancelled);
    RUN(waits_go_on_until_woken);
    return 0;
}
