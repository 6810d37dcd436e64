/* The parts of the demo that have nothing to do with queues: its options, output files, threads and
   the clock. */
#ifndef SERVING_H
#define SERVING_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOST = 1, BAD_INPUT = 2 }; /* exit codes */
enum { MILLISECOND = 1000000, SECOND = 1000 * MILLISECOND, THREADS_MAX = 1000, BATCH_MAX = 1000 };

/* Ends the program with one line that states the reason. */
__attribute__((noreturn, format(printf, 2, 3))) static void fail(int code, const char *why, ...) {
    va_list arguments;
    va_start(arguments, why);
    flockfile(stderr);
    fputs("serving: ", stderr);
    vfprintf(stderr, why, arguments);
    fputs("\n", stderr);
    exit(code);
}

/* Ends the program if something that was printed is lost, as on a full disk. */
static void must_be_printed(void) {
    if (fflush(stdout) != 0 || ferror(stdout))
        fail(BAD_INPUT, "standard output cannot be written");
}

enum { SHOWN_MAX = 60 };
typedef struct {
    char text[sizeof "found: ..." + 4 * SHOWN_MAX];
} found_t;

/* The part of a message that quotes what was found. Control characters, as in a binary file, are
 * escaped because they would change the terminal, and a long text is cut off. */
static found_t found(const char *text, size_t len) {
    found_t found = {"found nothing"};
    char *end = found.text + (len ? sprintf(found.text, "found: ") : 0);
    for (size_t i = 0; i < len && i < SHOWN_MAX; i++) {
        unsigned char c = (unsigned char)text[i];
        end += sprintf(end, c < ' ' || c > '~' ? "\\x%02x" : "%c", c);
    }
    if (len > SHOWN_MAX)
        strcpy(end, "...");
    return found;
}

typedef struct {
    double speed;
    long frontends, workers, capacity, batch_size, batch_tokens, linger_ms;
    const char *json, *report, *path;
} options_t;

/* Any number above 0, as in 4, 0.5 or 1e3. */
static bool speed_read(const char *text, double *speed) {
    char *end;
    *speed = strtod(text, &end);
    /* strtod also accepts hexadecimal numbers, leading spaces and infinity. */
    return *text && !text[strspn(text, "0123456789.eE+-")] && !*end && *speed > 0 &&
           isfinite(*speed);
}

static bool number_read(const char *text, long largest, long *number) {
    char *end;
    *number = strtol(text, &end, 10);
    return *text && !text[strspn(text, "0123456789")] && !*end && *number >= 1 &&
           *number <= largest;
}

static bool is_called(const char *argument, size_t len, const char *name) {
    return strlen(name) == len && strncmp(argument, name, len) == 0;
}

/* Ends the program with a message if an argument is bad. */
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
        {"--frontends", "threads that bring requests", &options.frontends, THREADS_MAX},
        {"--workers", "threads that serve them", &options.workers, THREADS_MAX},
        {"--capacity", "requests that fit into intake, priority, and each result queue",
         &options.capacity, 1000000},
        {"--batch-size", "requests that make a batch due", &options.batch_size, BATCH_MAX},
        {"--batch-tokens", "tokens that make a batch due", &options.batch_tokens, SECOND},
        {"--linger-ms", "milliseconds after which a request makes its batch due",
         &options.linger_ms, 60000},
    };
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    int paths = 0;
    bool only_paths = false;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (only_paths || argument[0] != '-' || !argument[1]) {
            options.path = argument;
            paths++;
            continue;
        }
        if (strcmp(argument, "--") == 0) {
            only_paths = true;
            continue;
        }
        if (strcmp(argument, "--help") == 0) {
            puts("usage: serving [OPTION...] TRACE.csv\n"
                 "Replays a trace of LLM requests through a pipeline of queues.\n\n"
                 "  --speed         times faster than recorded: any number above 0, default 4");
            for (int n = 0; n < NUMBERS; n++)
                printf("  %-15s %s: 1 to %ld, default %ld\n", numbers[n].name, numbers[n].meaning,
                       numbers[n].largest, *numbers[n].value);
            puts("  --json          a file for the figures of the run\n"
                 "  --report        a file for a page with plots of it; needs `make report`");
            must_be_printed();
            exit(0);
        }
        /* --name=value or --name value */
        size_t len = strcspn(argument, "=");
        const char *value = argument[len] ? argument + len + 1 : i + 1 < argc ? argv[i + 1] : "";
        found_t what = found(value, strlen(value));
        int n = 0;
        while (n < NUMBERS && !is_called(argument, len, numbers[n].name))
            n++;
        if (n < NUMBERS) {
            if (!number_read(value, numbers[n].largest, numbers[n].value))
                fail(BAD_INPUT, "%s: expected a number from 1 to %ld, %s", numbers[n].name,
                     numbers[n].largest, what.text);
        } else if (is_called(argument, len, "--speed")) {
            if (!speed_read(value, &options.speed))
                fail(BAD_INPUT, "--speed: expected a number above 0, %s", what.text);
        } else if (is_called(argument, len, "--json")) {
            options.json = value;
        } else if (is_called(argument, len, "--report")) {
            options.report = value;
        } else {
            fail(BAD_INPUT, "unknown option, %s; try --help", found(argument, len).text);
        }
        if (!*value)
            fail(BAD_INPUT, "%.*s: expected a file, found nothing", (int)len, argument);
        i += !argument[len];
    }
    if (paths != 1)
        fail(BAD_INPUT, "expected one trace file, found %d; try --help", paths);
    return options;
}

/* --- files that are written at the end */

/* Whether the path is a regular file or a new one: that is written under another name and renamed
 * when it is complete. A device or a pipe is written directly. */
static bool is_replaced(const char *path) {
    struct stat s;
    return lstat(path, &s) != 0 || S_ISREG(s.st_mode);
}

/* Ends the program now if the file could not be written after the run. Changes nothing. */
static void must_be_writable(const char *path) {
    struct stat s;
    if (stat(path, &s) == 0) {
        if (S_ISDIR(s.st_mode))
            fail(BAD_INPUT, "%s: %s", path, strerror(EISDIR));
        if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
            fail(BAD_INPUT, "%s: %s", path, strerror(errno));
    } else if (errno != ENOENT || path[strlen(path) - 1] == '/') {
        fail(BAD_INPUT, "%s: %s", path, strerror(errno));
    }
    if (is_replaced(path)) {
        const char *slash = strrchr(path, '/');
        char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        const bool writable = folder && faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
        const int error = errno;
        free(folder);
        if (!writable)
            fail(BAD_INPUT, "%s: %s", path, strerror(error));
    }
}

static void file_write(const char *path, const char *text, size_t len) {
    bool replaced = is_replaced(path);
    char *name;
    if (asprintf(&name, "%s%s", path, replaced ? ".new" : "") < 0)
        fail(EXIT_FAILURE, "%s: %s", path, strerror(errno));
    FILE *file = fopen(name, "w");
    bool written = file && fwrite(text, 1, len, file) == len;
    int error = errno;
    if (file && fclose(file) != 0 && written)
        written = false, error = errno;
    if (written && replaced && rename(name, path) != 0)
        written = false, error = errno;
    if (!written && replaced)
        unlink(name);
    if (!written)
        fail(BAD_INPUT, "%s: %s", path, strerror(error));
    free(name);
}

/* --- time and threads */

/* How long a recorded time takes at this speed, at most 30 years. */
static int64_t at_speed(int64_t recorded_ns, double speed) {
    double ns = (double)recorded_ns / speed;
    return ns < 1e18 ? (int64_t)ns : (int64_t)1e18;
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static void sleep_until(int64_t ns) {
    if (ns <= now_ns()) /* a system call would let other threads run first */
        return;
    struct timespec t = {ns / SECOND, ns % SECOND};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

static pthread_t spawn(void *(*run)(void *), void *arg) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, arg);
    if (error != 0)
        fail(EXIT_FAILURE, "pthread_create: %s", strerror(error));
    return thread;
}

#endif
