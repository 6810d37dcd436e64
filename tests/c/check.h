/* What the test programs share: checks that say what failed, threads, time. */
#ifndef CHECK_H
#define CHECK_H

#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <queues.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* Integers or pointers. */
#define CHECK_EQ(actual, expected)                                                                 \
    check_eq(__FILE__, __LINE__, #actual, (intmax_t)(actual), #expected, (intmax_t)(expected))

#define CHECK_STATUS(call, expected) check_status(__FILE__, __LINE__, #call, call, expected)
#define CHECK_OK(call) CHECK_STATUS(call, QUEUES_OK)

/* The library's name for something of the FAMILY at hand: queues_mpmc_put, queues_mpmc_t. */
#define Q(name) PASTE(queues_, FAMILY, name)
#define PASTE(prefix, family, name) PASTE_(prefix, family, name)
#define PASTE_(prefix, family, name) prefix##family##_##name

/* In the options of a FAMILY: how many items a queue holds, and how long those may be. */
#define SIZED(items, bytes) .capacity = items, .item_size = bytes

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* Says what runs first, so that it is known what hangs. */
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
    fprintf(stderr, "%s:%d: failed: %s answers %d (%s), expected %d (%s)\n", file, line, call,
            actual, queues_status_string(actual), expected, queues_status_string(expected));
    exit(1);
}

static inline pthread_t start(void *(*run)(void *), void *arg) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, run, arg), 0);
    return thread;
}

static inline void finish(pthread_t thread) { CHECK_EQ(pthread_join(thread, NULL), 0); }

static const int64_t MILLISECOND = 1000000;

static inline int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Lets another thread get into a call, most likely; no test depends on it. */
static inline void pause_ns(int64_t ns) {
    struct timespec t = {ns / 1000000000, ns % 1000000000};
    nanosleep(&t, NULL);
}

/* An allocation that cannot be is an answer, in a sanitized program too. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }
const char *__tsan_default_options(void) {
    return "allocator_may_return_null=1:suppress_equal_addresses=0";
}

#endif
