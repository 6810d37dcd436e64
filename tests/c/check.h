/* What the tests in C share: checks that name what failed, creation of a queue of any family,
 * threads, time and random bits. A check that fails prints one line and ends the program with exit
 * code 1. */
#ifndef CHECK_H
#define CHECK_H

#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <queues.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* --- checks */

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* For integers and pointers. */
#define CHECK_EQ(actual, expected)                                                                 \
    check_eq(__FILE__, __LINE__, #actual, (intmax_t)(actual), #expected, (intmax_t)(expected))

#define CHECK_STATUS(call, expected) check_status(__FILE__, __LINE__, #call, call, expected)
#define CHECK_OK(call) CHECK_STATUS(call, QUEUES_OK)

/* Prints the name of a test before the test runs: the last line names the test that hangs. */
#define RUN(test) RUN_(test)
#define RUN_(test) (fprintf(stderr, "%s\n", #test), test())

static inline void check_eq(const char *file, int line, const char *what, intmax_t actual,
                            const char *wanted, intmax_t expected) {
    if (actual == expected)
        return;
    fprintf(stderr, "%s:%d: failed: %s is %" PRIdMAX ", expected %s, %" PRIdMAX "\n", file, line,
            what, actual, wanted, expected);
    exit(1);
}

static inline void check_status(const char *file, int line, const char *call,
                                queues_status_t actual, queues_status_t expected) {
    if (actual == expected)
        return;
    fprintf(stderr, "%s:%d: failed: %s returned %d (%s), expected %d (%s)\n", file, line, call,
            (int)actual, queues_status_string(actual), (int)expected,
            queues_status_string(expected));
    exit(1);
}

/* --- queues of any family */

/* Creates a queue, which must succeed: CREATE(mpmc, &queue, ROOM(mpmc, 2), .drop = ignore_item). */
#define CREATE(family, queue, ...) CREATE_(family, queue, __VA_ARGS__)
#define CREATE_(family, queue, ...)                                                                \
    CHECK_OK(queues_##family##_create(                                                             \
        &(queues_##family##_options_t){.struct_size = sizeof(queues_##family##_options_t),         \
                                       __VA_ARGS__},                                               \
        queue))

/* The options for room for n items. Each item of a batching queue is a batch of its own. */
#define ROOM(family, n) ROOM_(family, n)
#define ROOM_(family, n) ROOM_##family(n)
#define ROOM_mpmc(n) .capacity = n
#define ROOM_spsc(n) .capacity = n
#define ROOM_priority(n) .capacity = n
#define ROOM_ties(n) .capacity = n
#define ROOM_deque(n) .capacity = n
#define ROOM_batch(n) .max_pending = n, .batch_size = 1

/* For tests that are written once and compiled for several families. The program that includes them
 * defines FAMILY: if it is mpmc, Q(put) is queues_mpmc_put, and T(run) is mpmc_run. */
#define Q(name) PASTE(queues_, FAMILY, name)
#define T(name) PASTE(, FAMILY, name)
#define PASTE(prefix, family, name) PASTE_(prefix, family, name)
#define PASTE_(prefix, family, name) prefix##family##_##name
#define QUEUE Q(t)
#define OPTIONS Q(options_t)

/* The options of FAMILY for room for n items of up to `bytes` bytes; 0 bytes: pointers. */
#define SIZED(n, bytes) ROOM(FAMILY, n), .item_size = bytes

/* Drop callbacks. */
static inline void ignore_item(void *ctx, void *item) { (void)ctx, (void)item; }
static inline void count_item(void *count, void *item) {
    (void)item;
    ++*(size_t *)count;
}

/* A timeout of each kind: no limit, no wait, a short wait, a wait that would outlast the test. */
static const int64_t timeouts[] = {INT64_MIN, -1, 0, 1, INT64_MAX};

/* Values of struct_size that every function refuses: nothing, less than the structure, too much. */
#define BAD_SIZES(type)                                                                            \
    { 0, 1, sizeof(type) - 1, SIZE_MAX }

/* Passes on addresses at which there is no queue: NULL, zeros and noise. */
static inline void for_each_non_queue(void (*is_refused)(void *address)) {
    static _Alignas(16) char zeros[4096], noise[4096];
    memset(noise, 0x55, sizeof noise);
    is_refused(NULL);
    is_refused(zeros);
    is_refused(noise);
    is_refused(noise + 16); /* aligned as by malloc, perhaps not as a queue */
}

/* --- threads */

static inline pthread_t start(void *(*run)(void *), void *arg) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, run, arg), 0);
    return thread;
}

static inline void finish(pthread_t thread) { CHECK_EQ(pthread_join(thread, NULL), 0); }

/* Runs a function on the smallest stack, 64 KiB or more, and passes it `size` bytes of memory: a
 * call that copied a large blob to its stack would overflow it. */
static inline void run_on_small_stack(void *(*run)(void *), size_t size) {
    pthread_attr_t attributes;
    pthread_t thread;
    void *memory = malloc(size);
    CHECK(memory);
    size_t smallest = PTHREAD_STACK_MIN, stack = smallest > 64 << 10 ? smallest : 64 << 10;
    CHECK_EQ(pthread_attr_init(&attributes), 0);
    CHECK_EQ(pthread_attr_setstacksize(&attributes, stack), 0);
    CHECK_EQ(pthread_create(&thread, &attributes, run, memory), 0);
    finish(thread);
    CHECK_EQ(pthread_attr_destroy(&attributes), 0);
    free(memory);
}

/* --- time */

#define MILLISECOND INT64_C(1000000)

static inline int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Usually long enough for another thread to enter a call. No test depends on that. */
static inline void pause_ns(int64_t ns) {
    struct timespec t = {ns / 1000000000, ns % 1000000000};
    nanosleep(&t, NULL);
}

/* --- random bits */

/* A linear congruential generator, of which only the high bits are random enough. */
static inline uint32_t random_bits(uint32_t *state, int bits) {
    *state = *state * 1664525 + 1013904223;
    return *state >> (32 - bits);
}

/* --- sanitizers */

/* create reports a failed allocation, so sanitizers must let malloc return NULL. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }
const char *__tsan_default_options(void) {
    return "allocator_may_return_null=1:suppress_equal_addresses=0";
}

#endif
