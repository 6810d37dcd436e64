/* What the demo needs and is not about queues: its options, the trace, threads and the clock. */
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

#define USAGE "usage: serving [--speed N] [--frontends N] [--workers N] TRACE.csv\n"
#define TRACE_HEADER "TIMESTAMP,ContextTokens,GeneratedTokens"
enum { LOST = 1, BAD_INPUT = 2 }; /* exit codes */
enum { SECOND = 1000000000, THREADS_MAX = 1000 };

typedef struct {
    long speed, frontends, workers;
    const char *path;
} options_t;

typedef struct {
    size_t index;
    int64_t arrival_ns; /* since 1970 */
    int64_t context_tokens, generated_tokens;
    int64_t waited_ns; /* below 0 until it was served */
} request_t;

typedef struct {
    request_t *requests;
    size_t len;
} trace_t;

/* Like the reading of the trace: ends the program with a message when there is something wrong. */
static options_t options_read(int argc, char **argv) {
    options_t options = {.speed = 20, .frontends = 2, .workers = 4};
    struct {
        long *value, largest;
    } numbers[] = {{&options.speed, SECOND},
                   {&options.frontends, THREADS_MAX},
                   {&options.workers, THREADS_MAX}};
    enum { HELP = sizeof numbers / sizeof *numbers, UNKNOWN = '?' };
    static const struct option names[] = {{"speed", required_argument, NULL, 0},
                                          {"frontends", required_argument, NULL, 1},
                                          {"workers", required_argument, NULL, 2},
                                          {"help", no_argument, NULL, HELP},
                                          {0}};
    for (int i; (i = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (i == HELP) {
            fputs(USAGE "Replays a trace of LLM requests N times faster than it was recorded: "
                        "frontends put\n"
                        "them into a queue when they are due, workers take them and burn time.\n",
                  stdout);
            exit(0);
        }
        if (i == UNKNOWN) /* getopt_long has said what */
            errx(BAD_INPUT, "try --help");
        char *end;
        long value = strtol(optarg, &end, 10);
        if (end == optarg || *end || value < 1 || value > numbers[i].largest)
            errx(BAD_INPUT, "--%s: expected a number from 1 to %ld, found: %s", names[i].name,
                 numbers[i].largest, optarg);
        *numbers[i].value = value;
    }
    if (argc - optind != 1)
        errx(BAD_INPUT, "expected one trace file, found %d; try --help", argc - optind);
    options.path = argv[optind];
    return options;
}

/* A line looks like this: 2023-11-16 18:15:46.6805900,374,44 */
static bool request_read(const char *line, request_t *request) {
    struct tm date = {0};
    int context, generated, end = 0;
    char *rest = strptime(line, "%Y-%m-%d %H:%M:%S", &date);
    double fraction = rest ? strtod(rest, &rest) : -1;
    if (!(fraction >= 0 && fraction < 1) || date.tm_year < 70 || date.tm_year > 200 ||
        sscanf(rest, ",%9d,%9d%n", &context, &generated, &end) != 2 || rest[end] || context < 0 ||
        generated < 0)
        return false;
    int day = date.tm_mday;
    request->arrival_ns = (int64_t)timegm(&date) * SECOND + (int64_t)(fraction * SECOND);
    request->context_tokens = context;
    request->generated_tokens = generated;
    request->waited_ns = -1;
    return date.tm_mday == day; /* timegm makes 1 March of 30 February */
}

static trace_t trace_read(const char *path) {
    trace_t trace = {0};
    FILE *file = fopen(path, "r");
    if (!file)
        err(BAD_INPUT, "%s", path);
    char *line = NULL;
    size_t size = 0, number = 0;
    for (ssize_t len; (len = getline(&line, &size, file)) > 0;) {
        bool whole = !memchr(line, '\0', len);
        line[strcspn(line, "\r\n")] = '\0';
        if (++number == 1) {
            if (strcmp(line, TRACE_HEADER) != 0)
                errx(BAD_INPUT, "%s:1: expected %s, found: %s", path, TRACE_HEADER, line);
            continue;
        }
        trace.requests = reallocarray(trace.requests, number, sizeof *trace.requests);
        if (!trace.requests)
            err(BAD_INPUT, "%s:%zu", path, number);
        request_t *request = &trace.requests[trace.len];
        request->index = trace.len++;
        if (!whole || !request_read(line, request))
            errx(BAD_INPUT,
                 "%s:%zu: expected YYYY-MM-DD hh:mm:ss.fraction,tokens,tokens, found: %s", path,
                 number, line);
        if (request->index > 0 && request->arrival_ns < request[-1].arrival_ns)
            errx(BAD_INPUT, "%s:%zu: earlier than the line before: %s", path, number, line);
    }
    if (ferror(file))
        err(BAD_INPUT, "%s:%zu", path, number + 1);
    if (trace.len == 0)
        errx(BAD_INPUT, "%s:%zu: expected %s", path, number + 1,
             number ? "a request" : TRACE_HEADER);
    free(line);
    fclose(file);
    return trace;
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static void sleep_until(int64_t ns) {
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
