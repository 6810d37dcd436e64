/* Calls that the compiler inlines: they need the library now and then only, they do what the
 * library does, and they leave every handle of another layout or mode to the library.
 *
 * The argument says what is expected: "inlined" where calls can be inlined, "called" where no call
 * may be, because the header has another layout or a race detector watches, "any" where the system
 * decides. The linker option --wrap sends the calls of the library through the counters below. */
#define QUEUES_INLINE
#include "check.h"

static unsigned calls;

#define COUNTED(result, name, parameters, arguments)                                               \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters {                                                              \
        calls++;                                                                                   \
        return __real_##name arguments;                                                            \
    }
#define STATUS queues_status_t
#define SPSC queues_spsc_t *queue
/* The names of the library, not of the inlined calls. */
#undef queues_spsc_try_put
#undef queues_spsc_try_get
#undef queues_spsc_try_put_bytes
#undef queues_spsc_try_get_bytes
#undef queues_spsc_reserve
#undef queues_spsc_commit
#undef queues_spsc_front
#undef queues_spsc_consume
#undef queues_deque_push
#undef queues_deque_pop
COUNTED(STATUS, queues_spsc_try_put, (SPSC, void *item), (queue, item))
COUNTED(STATUS, queues_spsc_try_get, (SPSC, void **item), (queue, item))
COUNTED(STATUS, queues_spsc_try_put_bytes, (SPSC, const void *d, size_t n), (queue, d, n))
COUNTED(STATUS, queues_spsc_try_get_bytes, (SPSC, void *b, size_t n, size_t *len),
        (queue, b, n, len))
COUNTED(STATUS, queues_spsc_reserve, (SPSC, void **data, int64_t t), (queue, data, t))
COUNTED(STATUS, queues_spsc_commit, (SPSC, size_t len), (queue, len))
COUNTED(STATUS, queues_spsc_front, (SPSC, const void **data, size_t *len, int64_t t),
        (queue, data, len, t))
COUNTED(STATUS, queues_spsc_consume, (SPSC), (queue))
COUNTED(STATUS, queues_deque_push, (queues_deque_t * deque, void *item), (deque, item))
COUNTED(STATUS, queues_deque_pop, (queues_deque_t * deque, void **item), (deque, item))

enum { ROUNDS = 100, BURST = 48, CAPACITY = 50 };
struct sample {
    uint64_t number;
    uint32_t more[4]; /* no padding, which memcmp would read */
};

static const char *expected;

/* Checks how many of `made` calls on a handle reached the library, and forgets them. */
static void check_calls(unsigned made, bool is_plain) {
    if (!is_plain || strcmp(expected, "called") == 0)
        CHECK_EQ(calls, made);
    else if (strcmp(expected, "inlined") == 0)
        CHECK(calls > 0 && calls < made / 3);
    calls = 0;
}

static queues_spsc_t *spsc_of(size_t item_size, uint64_t flags) {
    const queues_spsc_options_t options = {.struct_size = sizeof options,
                                           .capacity = CAPACITY,
                                           .item_size = item_size,
                                           .flags = flags};
    queues_spsc_t *queue;
    CHECK_OK(queues_spsc_create(&options, &queue));
    return queue;
}

/* Puts bursts, so that every slot of the ring is used, and gets them again. */
static void pointers_pass(uint64_t flags) {
    queues_spsc_t *queue = spsc_of(0, flags);
    uintptr_t put = 0, got = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BURST; i++)
            CHECK_OK(queues_spsc_inlined_try_put(queue, (void *)++put));
        for (int i = 0; i < BURST; i++) {
            void *item = NULL;
            CHECK_OK(queues_spsc_inlined_try_get(queue, &item));
            CHECK_EQ((uintptr_t)item, ++got);
        }
    }
    check_calls(2 * ROUNDS * BURST, flags == 0);
    queues_stats_t stats = {.struct_size = sizeof stats};
    CHECK_OK(queues_spsc_stats(queue, &stats));
    CHECK_EQ(stats.enqueued, put);
    CHECK_EQ(stats.dequeued, got);
    CHECK_EQ(stats.peak_size, BURST);
    queues_spsc_release(queue);
}

static void full_and_empty_are_exact(void) {
    queues_spsc_t *queue = spsc_of(0, 0);
    void *item = NULL;
    for (int lap = 0; lap < 3; lap++) {
        CHECK_STATUS(queues_spsc_inlined_try_get(queue, &item), QUEUES_EMPTY);
        for (uintptr_t i = 0; i < CAPACITY; i++)
            CHECK_OK(queues_spsc_inlined_try_put(queue, (void *)i));
        CHECK_STATUS(queues_spsc_inlined_try_put(queue, NULL), QUEUES_FULL);
        for (uintptr_t i = 0; i < CAPACITY; i++) {
            CHECK_OK(queues_spsc_inlined_try_get(queue, &item));
            CHECK_EQ((uintptr_t)item, i);
        }
    }
    for (uintptr_t i = 1; i <= 3; i++)
        CHECK_OK(queues_spsc_inlined_try_put(queue, (void *)i));
    CHECK_OK(queues_spsc_close(queue));
    CHECK_STATUS(queues_spsc_inlined_try_put(queue, NULL), QUEUES_CLOSED);
    for (uintptr_t i = 1; i <= 3; i++)
        CHECK_OK(queues_spsc_inlined_try_get(queue, &item));
    CHECK_STATUS(queues_spsc_inlined_try_get(queue, &item), QUEUES_CLOSED);
    queues_spsc_release(queue);
    calls = 0;
}

static void blobs_pass(uint64_t flags) {
    queues_spsc_t *queue = spsc_of(sizeof(struct sample), flags);
    uint64_t put = 0, got = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BURST; i++) {
            put++;
            const struct sample sample = {put, {(uint32_t)put, 2, 3}};
            void *data = NULL;
            if (i % 2 == 0) {
                CHECK_OK(queues_spsc_inlined_try_put_bytes(queue, &sample, sizeof sample));
                continue;
            }
            CHECK_OK(queues_spsc_inlined_reserve(queue, &data, 0));
            memcpy(data, &sample, sizeof sample);
            CHECK_OK(queues_spsc_inlined_commit(queue, sizeof sample));
        }
        for (int i = 0; i < BURST; i++) {
            struct sample sample = {0, {0, 0, 0}};
            const void *data = NULL;
            size_t length = 0;
            if (i % 3 == 0) {
                CHECK_OK(queues_spsc_inlined_front(queue, &data, &length, 0));
                memcpy(&sample, data, sizeof sample);
                CHECK_OK(queues_spsc_inlined_consume(queue));
            } else {
                CHECK_OK(queues_spsc_inlined_try_get_bytes(queue, &sample, sizeof sample, &length));
            }
            CHECK_EQ(length, sizeof sample);
            CHECK_EQ(sample.number, ++got);
            CHECK_EQ(sample.more[0], (uint32_t)got);
            CHECK_EQ(sample.more[2], 3);
        }
    }
    check_calls(ROUNDS * (BURST / 2 * 3 + BURST / 3 * 4), flags == 0);
    CHECK_STATUS(queues_spsc_inlined_commit(queue, sizeof(struct sample)), QUEUES_MISUSE);
    CHECK_STATUS(queues_spsc_inlined_commit(queue, sizeof(struct sample) + 1), QUEUES_INVALID);
    queues_spsc_release(queue);
    calls = 0;
}

/* From the first short blob on, each has its length. */
static void lengths_are_kept(void) {
    queues_spsc_t *queue = spsc_of(sizeof(struct sample), 0);
    const struct sample sample = {7, {1, 2, 3}};
    struct sample buffer;
    size_t length = 0;
    for (size_t round = 0; round < 3 * (size_t)CAPACITY; round++) {
        const size_t longer = round < CAPACITY ? sizeof sample : round % (sizeof sample + 1);
        CHECK_OK(queues_spsc_inlined_try_put_bytes(queue, &sample, longer));
        CHECK_OK(queues_spsc_inlined_try_put_bytes(queue, &sample, sizeof sample));
        CHECK_OK(queues_spsc_inlined_try_get_bytes(queue, &buffer, sizeof buffer, &length));
        CHECK_EQ(length, longer);
        const void *data = NULL;
        CHECK_OK(queues_spsc_inlined_front(queue, &data, &length, 0));
        CHECK_EQ(length, sizeof sample);
        CHECK_EQ(memcmp(data, &sample, sizeof sample), 0);
        CHECK_OK(queues_spsc_inlined_consume(queue));
    }
    queues_spsc_release(queue);
    calls = 0;
}

static queues_deque_t *deque_of(uint64_t flags) {
    const queues_deque_options_t options = {
        .struct_size = sizeof options, .capacity = CAPACITY, .flags = flags};
    queues_deque_t *deque;
    CHECK_OK(queues_deque_create(&options, &deque));
    return deque;
}

static void an_owner_works(uint64_t flags) {
    queues_deque_t *deque = deque_of(flags);
    for (int round = 0; round < ROUNDS; round++) {
        for (uintptr_t i = 0; i < BURST; i++)
            CHECK_OK(queues_deque_inlined_push(deque, (void *)i));
        for (uintptr_t i = BURST; i > 0; i--) {
            void *item = NULL;
            CHECK_OK(queues_deque_inlined_pop(deque, &item));
            CHECK_EQ((uintptr_t)item, i - 1);
        }
        void *item = NULL;
        CHECK_STATUS(queues_deque_inlined_pop(deque, &item), QUEUES_EMPTY);
    }
    check_calls(ROUNDS * (2 * BURST + 1), flags == 0);
    queues_deque_release(deque);
}

/* Invalid arguments get the library's answer. */
static void invalid_arguments_are_refused(void) {
    queues_spsc_t *pointers = spsc_of(0, 0), *blobs = spsc_of(8, 0);
    queues_deque_t *deque = deque_of(0);
    _Alignas(8) char bytes[16] = {0};
    void **misaligned = (void **)(void *)(bytes + 1);
    size_t length = 0;
    void *item = NULL;
    for (int round = 0; round < 2; round++) {
        CHECK_STATUS(queues_spsc_inlined_try_put(NULL, NULL), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_try_put(blobs, NULL), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_try_put((void *)deque, NULL), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_try_get(pointers, NULL), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_try_get(pointers, misaligned), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_try_put_bytes(pointers, bytes, 8), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_try_put_bytes(blobs, NULL, 8), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_try_put_bytes(blobs, bytes, 9), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_try_get_bytes(blobs, NULL, 8, &length), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_try_get_bytes(blobs, bytes, 8, NULL), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_reserve(blobs, NULL, 0), QUEUES_INVALID);
        CHECK_STATUS(queues_spsc_inlined_front(blobs, NULL, &length, 0), QUEUES_INVALID);
        CHECK_STATUS(queues_deque_inlined_push((void *)pointers, NULL), QUEUES_INVALID);
        CHECK_STATUS(queues_deque_inlined_pop(deque, NULL), QUEUES_INVALID);
        CHECK_STATUS(queues_deque_inlined_pop(NULL, &item), QUEUES_INVALID);
        /* In the second round there are items, and room that the inlined calls know of. */
        for (int i = 0; i < 3; i++) {
            CHECK_OK(queues_spsc_inlined_try_put(pointers, NULL));
            CHECK_OK(queues_spsc_inlined_try_put_bytes(blobs, bytes, 8));
            CHECK_OK(queues_deque_inlined_push(deque, NULL));
        }
    }
    queues_spsc_release(pointers);
    queues_spsc_release(blobs);
    queues_deque_release(deque);
    calls = 0;
}

/* --- beside another thread */

enum { ITEMS = 20000 };

static void *get_all(void *queue) {
    uintptr_t got = 0;
    void *item = NULL;
    while (queues_spsc_inlined_get(queue, &item, -1) == QUEUES_OK)
        CHECK_EQ((uintptr_t)item, ++got);
    return (void *)got;
}

/* The consumer sleeps now and then; another thread closes while the producer puts. What was
 * accepted is got, in order. */
static void *close_later(void *queue) {
    struct timespec time = {0, 200000};
    nanosleep(&time, NULL);
    CHECK_OK(queues_spsc_close(queue));
    return NULL;
}

static void a_close_is_one_moment(void) {
    for (int round = 0; round < 30; round++) {
        queues_spsc_t *queue = spsc_of(0, 0);
        pthread_t consumer, closer;
        void *got = NULL;
        uintptr_t put = 0;
        CHECK_EQ(pthread_create(&consumer, NULL, get_all, queue), 0);
        CHECK_EQ(pthread_create(&closer, NULL, close_later, queue), 0);
        while (queues_spsc_inlined_put(queue, (void *)(put + 1), -1) == QUEUES_OK)
            put++;
        CHECK_EQ(pthread_join(consumer, &got), 0);
        CHECK_EQ(pthread_join(closer, NULL), 0);
        CHECK_EQ((uintptr_t)got, put);
        queues_spsc_release(queue);
    }
}

/* A sleeper on either side is woken by the inlined calls of the other. */
static void sleepers_are_woken(void) {
    queues_spsc_t *queue = spsc_of(0, 0);
    pthread_t consumer;
    void *got = NULL;
    CHECK_EQ(pthread_create(&consumer, NULL, get_all, queue), 0);
    for (uintptr_t i = 1; i <= 20; i++) {
        struct timespec time = {0, 2000000}; /* longer than a get spins */
        nanosleep(&time, NULL);
        CHECK_OK(queues_spsc_inlined_try_put(queue, (void *)i));
    }
    CHECK_OK(queues_spsc_close(queue));
    CHECK_EQ(pthread_join(consumer, &got), 0);
    CHECK_EQ((uintptr_t)got, 20);
    queues_spsc_release(queue);
}

static atomic_bool is_over;

static void *steal_all(void *deque) {
    uintptr_t sum = 0;
    for (bool last = false; !last;) {
        void *item = NULL;
        last = is_over;
        queues_status_t status;
        while ((status = queues_deque_steal(deque, &item)) == QUEUES_OK || status == QUEUES_RETRY)
            if (status == QUEUES_OK)
                sum += (uintptr_t)item, last = false;
    }
    return (void *)sum;
}

/* Owner and thieves take each item once, also the last one, for which they compete. */
static void thieves_and_an_owner(void) {
    queues_deque_t *deque = deque_of(0);
    pthread_t thieves[2];
    uintptr_t pushed = 0, taken = 0, next = 1;
    for (size_t i = 0; i < LENGTH(thieves); i++)
        CHECK_EQ(pthread_create(&thieves[i], NULL, steal_all, deque), 0);
    while (next <= ITEMS) {
        for (int i = 0; i < 1 + (int)(next % 5); i++)
            if (queues_deque_inlined_push(deque, (void *)next) == QUEUES_OK)
                pushed += next++;
        for (int i = 0; i < 3; i++) {
            void *item = NULL;
            if (queues_deque_inlined_pop(deque, &item) == QUEUES_OK)
                taken += (uintptr_t)item;
        }
    }
    is_over = true;
    for (size_t i = 0; i < LENGTH(thieves); i++) {
        void *sum = NULL;
        CHECK_EQ(pthread_join(thieves[i], &sum), 0);
        taken += (uintptr_t)sum;
    }
    void *item = NULL;
    while (queues_deque_inlined_pop(deque, &item) == QUEUES_OK)
        taken += (uintptr_t)item;
    CHECK_EQ(taken, pushed);
    queues_deque_release(deque);
}

int main(int argc, char **argv) {
    CHECK_EQ(argc, 2);
    expected = argv[1];
    pointers_pass(0);
    pointers_pass(QUEUES_SPSC_CHECKED);
    full_and_empty_are_exact();
    blobs_pass(0);
    blobs_pass(QUEUES_SPSC_CHECKED);
    lengths_are_kept();
    an_owner_works(0);
    an_owner_works(QUEUES_DEQUE_CHECKED);
    invalid_arguments_are_refused();
    a_close_is_one_moment();
    sleepers_are_woken();
    thieves_and_an_owner();
    return 0;
}
