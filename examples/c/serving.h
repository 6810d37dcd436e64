/* What the demo needs and is not about queues: its options, threads and the clock. */
#ifndef SERVING_H
#define SERVING_H

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOST = 1, BAD_INPUT = 2 }; /* exit codes */
enum { MILLISECOND = 1000000, SECOND = 1000 * MILLISECOND, THREADS_MAX = 1000, BATCH_MAX = 1000 };

typedef struct {
    long speed, frontends, workers, capacity, batch_size, batch_tokens, linger_ms;
    const char *json, *report, *path;
} options_t;

/* Ends the program with a message when there is something wrong. */
static options_t options_read(int argc, char **argv) {
    options_t options = {.speed = 4,
                         .frontends = 2,
                         .workers = 2,
                         .capacity = 256,
                         .batch_size = 8,
                         .batch_tokens = 8192,
                         .linger_ms = 20};
    const struct {
        const char *name, *meaning;
        long *value, largest;
    } numbers[] = {
        {"speed", "times faster than recorded", &options.speed, SECOND},
        {"frontends", "threads that bring requests", &options.frontends, THREADS_MAX},
        {"workers", "threads that serve them", &options.workers, THREADS_MAX},
        {"capacity", "requests that fit into intake, priority, and each result queue",
         &options.capacity, 1000000},
        {"batch-size", "requests that make a batch due", &options.batch_size, BATCH_MAX},
        {"batch-tokens", "tokens that make a batch due", &options.batch_tokens, SECOND},
        {"linger-ms", "milliseconds after which a request makes its batch due", &options.linger_ms,
         60000},
    };
    enum { NUMBERS = sizeof numbers / sizeof *numbers, JSON = NUMBERS, REPORT, HELP };
    struct option names[NUMBERS + 4] = {[JSON] = {"json", required_argument, NULL, JSON},
                                        [REPORT] = {"report", required_argument, NULL, REPORT},
                                        [HELP] = {"help", no_argument, NULL, HELP}};
    for (int i = 0; i < NUMBERS; i++)
        names[i] = (struct option){numbers[i].name, required_argument, NULL, i};

    for (int i; (i = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (i) {
        case '?': /* getopt_long has said what */
            errx(BAD_INPUT, "try --help");
        case JSON:
            options.json = optarg;
            break;
        case REPORT:
            options.report = optarg;
            break;
        case HELP:
            puts("usage: serving [OPTION...] TRACE.csv\n"
                 "Replays a trace of LLM requests through a pipeline of queues.\n");
            for (int n = 0; n < NUMBERS; n++)
                printf("  --%-13s %s: 1 to %ld, default %ld\n", numbers[n].name, numbers[n].meaning,
                       numbers[n].largest, *numbers[n].value);
            puts("  --json          a file for the figures of the run\n"
                 "  --report        a file for a page with plots of it; needs `make report`");
            exit(0);
        default: {
            char *end;
            long value = strtol(optarg, &end, 10);
            if (end == optarg || *end || value < 1 || value > numbers[i].largest)
                errx(BAD_INPUT, "--%s: expected a number from 1 to %ld, found: %s", numbers[i].name,
                     numbers[i].largest, optarg);
            *numbers[i].value = value;
        }
        }
    }
    if (argc - optind != 1)
        errx(BAD_INPUT, "expected one trace file, found %d; try --help", argc - optind);
    options.path = argv[optind];
    return options;
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static void sleep_until(int64_t ns) {
    if (ns <= now_ns()) /* the kernel would reschedule all the same */
        return;
    struct timespec t = {ns / SECOND, ns % SECOND};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

static pthread_t spawn(void *(*run)(void *), void *arg) {
    pthread_t thread;
    if ((errno = pthread_create(&thread, NULL, run, arg)) != 0)
        err(EXIT_FAILURE, "pthread_create");
    return thread;
}

#endif
