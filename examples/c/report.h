/* The output of the demo: progress, a table, and JSON for the tool `report`, which draws a page.
   The JSON is described in examples/report/src/run.rs. */
#ifndef REPORT_H
#define REPORT_H

#include "serving.h"
#include "trace.h"
#include <queues.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#ifndef QUEUES_OF /* mutex_queues.h defines another one */
#define QUEUES_OF "libqueues"
#endif
enum { RECORD_FORMAT = 2 };

/* --- how deep the queues were */

enum { SAMPLES_MAX = 2048 };

typedef struct {
    int64_t at_ns;
    size_t depth[STAGES];
} sample_t;

typedef struct {
    sample_t samples[SAMPLES_MAX];
    size_t len;
    int64_t interval_ns;
} samples_t;

/* Returns room for the next sample. When all is used, every other sample is dropped and the
 * interval doubles. */
static sample_t *samples_next(samples_t *s) {
    if (s->len == SAMPLES_MAX) {
        s->len /= 2;
        s->interval_ns *= 2;
        for (size_t i = 0; i < s->len; i++)
            s->samples[i] = s->samples[2 * i];
    }
    return &s->samples[s->len++];
}

static void progress(bool tty, size_t served, size_t requests, const sample_t *s) {
    fprintf(stderr,
            "%s%zu of %zu served; waiting in intake %zu, priority %zu, batch %zu, deques %zu, "
            "results %zu%s",
            tty ? "\r" : "", served, requests, s->depth[INTAKE], s->depth[PRIORITY],
            s->depth[BATCH], s->depth[DEQUES], s->depth[RESULTS], tty ? "\033[K" : "\n");
}

/* --- the figures of a run */

typedef struct {
    size_t queues; /* of the stage; the rest is their sum, but capacity and peak are of one queue */
    uint64_t in, out, failed_enqueue, failed_dequeue, stolen, capacity, peak;
    int64_t room_ns, items_ns; /* how long puts waited for room, and gets for items */
} stats_t;

/* What a run costs the machine. */
typedef struct {
    int64_t cpu_ns;
    long switches; /* times that a thread gave up its processor to wait */
} cost_t;

static cost_t cost_now(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    const int64_t us = (int64_t)u.ru_utime.tv_usec + u.ru_stime.tv_usec;
    const int64_t s = (int64_t)u.ru_utime.tv_sec + u.ru_stime.tv_sec;
    return (cost_t){s * SECOND + us * 1000, u.ru_nvcsw};
}

static cost_t cost_since(cost_t before) {
    const cost_t now = cost_now();
    return (cost_t){now.cpu_ns - before.cpu_ns, now.switches - before.switches};
}

typedef struct {
    const options_t *options;
    const trace_t *trace;
    const samples_t *samples;
    int64_t start_ns, end_ns;
    size_t served, batches;
    cost_t cost;
    stats_t stats[STAGES];
} run_t;

static const struct {
    const char *name, *kind;
} stages[STAGES] = {[FRONTENDS] = {"frontends", "threads"}, [INTAKE] = {"intake", "mpmc"},
                    [PRIORITY] = {"priority", "priority"},  [BATCH] = {"batch", "batch"},
                    [DEQUES] = {"deques", "deque"},         [WORK] = {"work", "threads"},
                    [RESULTS] = {"results", "spsc"}};

typedef struct {
    size_t len;
    int64_t values[];
} sorted_t;

static sorted_t *sorted_new(size_t room) {
    sorted_t *s = calloc(1, sizeof *s + room * sizeof *s->values);
    if (!s)
        fail(EXIT_FAILURE, "calloc: %s", strerror(errno));
    return s;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static sorted_t *sort(sorted_t *s) {
    qsort(s->values, s->len, sizeof *s->values, ascending);
    return s;
}

static int64_t percentile(const sorted_t *s, size_t percent) {
    return s->len ? s->values[(s->len * percent + 99) / 100 - 1] : 0;
}

static int64_t mean(const sorted_t *s) {
    double sum = 0;
    for (size_t i = 0; i < s->len; i++)
        sum += (double)s->values[i];
    return s->len ? (int64_t)(sum / (double)s->len) : 0;
}

/* How long the requests took from one stage to another. */
static sorted_t *times(const run_t *run, int from, int to) {
    sorted_t *s = sorted_new(run->trace->len);
    for (size_t i = 0; i < run->trace->len; i++) {
        const int64_t *at_ns = run->trace->requests[i].at_ns;
        if (at_ns[to])
            s->values[s->len++] = at_ns[to] - at_ns[from];
    }
    return sort(s);
}

/* How many requests or tokens were in a batch. */
static sorted_t *batch_sums(const run_t *run, bool of_tokens) {
    sorted_t *s = sorted_new(run->batches);
    s->len = run->batches;
    for (size_t i = 0; i < run->trace->len; i++) {
        const request_t *r = &run->trace->requests[i];
        if (r->at_ns[DEQUES])
            s->values[r->batch] += of_tokens ? tokens(r) : 1;
    }
    return sort(s);
}

/* How many requests a worker served, or how many of those it stole. */
static size_t served_by(const run_t *run, long worker, bool stolen) {
    size_t n = 0;
    for (size_t i = 0; i < run->trace->len; i++) {
        const request_t *r = &run->trace->requests[i];
        n += r->at_ns[RESULTS] && r->worker == worker && (!stolen || r->owner != worker);
    }
    return n;
}

/* Every request passed every stage. */
static bool nothing_lost(const run_t *run) {
    for (int i = 0; i < STAGES; i++) {
        if (run->stats[i].in != run->trace->len || run->stats[i].out != run->trace->len)
            return false;
    }
    return run->served == run->trace->len;
}

/* --- the table */

static void print_times(sorted_t *s) {
    printf("%11.3f%11.3f%11.3f\n", percentile(s, 50) / 1e6, percentile(s, 99) / 1e6,
           percentile(s, 100) / 1e6);
    free(s);
}

static void print_batches(const char *unit, sorted_t *s) {
    printf("; %s p50 %" PRId64 ", p99 %" PRId64 ", max %" PRId64, unit, percentile(s, 50),
           percentile(s, 99), percentile(s, 100));
    free(s);
}

static void print_table(const run_t *run) {
    double seconds = (run->end_ns - run->start_ns) / 1e9;
    puts("stage      kind      queues capacity       in      out     peak    full s   empty s"
         "     p50 ms     p99 ms     max ms");
    for (int i = 0; i < STAGES; i++) {
        const stats_t *s = &run->stats[i];
        printf("%-10s %-9s", stages[i].name, stages[i].kind);
        if (s->queues)
            printf("%7zu%9" PRIu64 "%9" PRIu64 "%9" PRIu64 "%9" PRIu64 "%10.3f%10.3f", s->queues,
                   s->capacity, s->in, s->out, s->peak, s->room_ns / 1e9, s->items_ns / 1e9);
        else
            printf("%25" PRIu64 "%9" PRIu64 "%29s", s->in, s->out, "");
        print_times(times(run, i, i + 1));
    }
    printf("%-74s", "total");
    print_times(times(run, FRONTENDS, STAGES));
    printf("batches   %zu", run->batches);
    print_batches("requests", batch_sums(run, false));
    print_batches("tokens", batch_sums(run, true));
    printf("\nsteals    %" PRIu64 "\n", run->stats[DEQUES].stolen);
    printf("requests  %" PRIu64 " in, %zu out, in %.2f s: %.1f a second\n", run->stats[INTAKE].in,
           run->served, seconds, run->served / seconds);
    fflush(stdout); /* --json may be the same file */
}

/* --- the JSON */

static void json_string(FILE *f, const char *text) {
    putc('"', f);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(f, "\\%c", *c);
        else if (*c < ' ')
            fprintf(f, "\\u%04x", *c);
        else
            putc(*c, f);
    }
    putc('"', f);
}

/* Pairs of an upper bound and a count of the values up to it and above the bound before. The first
   bound is `first`; each is the fourth root of 2 times the one before. Empty ones are omitted. */
static void json_histogram(FILE *f, const sorted_t *s, double first) {
    const double growth = 1.189207115002721; /* the fourth root of 2 */
    double upper = first;
    putc('[', f);
    for (size_t i = 0, count; i < s->len; i += count) {
        while (s->values[i] > (int64_t)upper)
            upper *= growth;
        for (count = 1; i + count < s->len && s->values[i + count] <= (int64_t)upper;)
            count++;
        fprintf(f, "%s[%" PRId64 ",%zu]", i ? "," : "", (int64_t)upper, count);
    }
    putc(']', f);
}

static void json_times(FILE *f, sorted_t *s) {
    fprintf(f,
            "{\"mean_ns\":%" PRId64 ",\"p50_ns\":%" PRId64 ",\"p99_ns\":%" PRId64
            ",\"max_ns\":%" PRId64,
            mean(s), percentile(s, 50), percentile(s, 99), percentile(s, 100));
    fputs(",\"histogram\":", f);
    json_histogram(f, s, 1000);
    putc('}', f);
    free(s);
}

static void json_stages(FILE *f, const run_t *run) {
    fputs(",\n\"stages\":[", f);
    for (int i = 0; i < STAGES; i++) {
        const stats_t *s = &run->stats[i];
        fprintf(f, "%s\n{\"name\":\"%s\",\"kind\":\"%s\",\"in\":%" PRIu64 ",\"out\":%" PRIu64,
                i ? "," : "", stages[i].name, stages[i].kind, s->in, s->out);
        if (s->queues)
            fprintf(f,
                    ",\"queue\":{\"queues\":%zu,\"capacity\":%" PRIu64 ",\"peak\":%" PRIu64
                    ",\"failed_enqueue\":%" PRIu64 ",\"failed_dequeue\":%" PRIu64
                    ",\"stolen\":%" PRIu64 ",\"room_ns\":%" PRId64 ",\"items_ns\":%" PRId64 "}",
                    s->queues, s->capacity, s->peak, s->failed_enqueue, s->failed_dequeue,
                    s->stolen, s->room_ns, s->items_ns);
        fputs(",\"wait\":", f);
        json_times(f, times(run, i, i + 1));
        putc('}', f);
    }
    fputs("],\n\"total\":", f);
    json_times(f, times(run, FRONTENDS, STAGES));
}

static void json_depths(FILE *f, const run_t *run) {
    const samples_t *s = run->samples;
    fputs(",\n\"depth\":{\"t_ms\":[", f);
    for (size_t i = 0; i < s->len; i++)
        fprintf(f, "%s%.3f", i ? "," : "", (s->samples[i].at_ns - run->start_ns) / 1e6);
    fputs("],\"stages\":[", f);
    const char *comma = "";
    for (int stage = 0; stage < STAGES; stage++) {
        if (!run->stats[stage].queues)
            continue;
        fprintf(f, "%s\n{\"name\":\"%s\",\"items\":[", comma, stages[stage].name);
        for (size_t i = 0; i < s->len; i++)
            fprintf(f, "%s%zu", i ? "," : "", s->samples[i].depth[stage]);
        fputs("]}", f);
        comma = ",";
    }
    fputs("]}", f);
}

static void json_batches(FILE *f, const run_t *run) {
    sorted_t *sizes = batch_sums(run, false), *sums = batch_sums(run, true);
    fputs(",\n\"batches\":{\"sizes\":[", f);
    for (size_t i = 0, count; i < sizes->len; i += count) {
        for (count = 1; i + count < sizes->len && sizes->values[i + count] == sizes->values[i];)
            count++;
        fprintf(f, "%s[%" PRId64 ",%zu]", i ? "," : "", sizes->values[i], count);
    }
    fputs("],\"tokens\":", f);
    json_histogram(f, sums, 16);
    fputs("}", f);
    free(sizes);
    free(sums);
}

/* The first processor's name in /proc/cpuinfo, or the architecture. */
static void json_machine(FILE *f) {
    struct utsname system;
    char line[256], processor[sizeof line], kernel[sizeof system.sysname + sizeof system.release];
    uname(&system);
    snprintf(processor, sizeof processor, "%s", system.machine);
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info && fgets(line, sizeof line, info)) {
        if (sscanf(line, "model name : %255[^\n]", processor) == 1)
            break;
    }
    if (info)
        fclose(info);
    snprintf(kernel, sizeof kernel, "%s %s", system.sysname, system.release);
    fputs(",\n\"machine\":{\"processor\":", f);
    json_string(f, processor);
    fprintf(f, ",\"processors\":%ld,\"kernel\":", sysconf(_SC_NPROCESSORS_ONLN));
    json_string(f, kernel);
    putc('}', f);
}

static void json_date(FILE *f) {
    char date[sizeof "2026-01-01 00:00 UTC"];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &utc));
    fprintf(f, ",\n\"date\":\"%s\"", date);
}

static void json_print(FILE *f, const run_t *run) {
    const options_t *o = run->options;
    fprintf(f,
            "{\"format\":%d,\n\"program\":\"Serving demo, in C\",\n\"queues\":\"%s\","
            "\n\"library\":\"%s\"",
            RECORD_FORMAT, QUEUES_OF, queues_version());
    json_machine(f);
    json_date(f);
    fputs(",\n\"trace\":", f);
    json_string(f, o->path);
    fprintf(f,
            ",\n\"parameters\":{\"speed\":%.15g,\"frontends\":%ld,\"workers\":%ld,\"capacity\":%ld,"
            "\"batch_size\":%ld,\"batch_tokens\":%ld,\"linger_ms\":%ld}",
            o->speed, o->frontends, o->workers, o->capacity, o->batch_size, o->batch_tokens,
            o->linger_ms);
    fprintf(f, ",\n\"requests\":%zu,\"served\":%zu,\"seconds\":%.6f", run->trace->len, run->served,
            (run->end_ns - run->start_ns) / 1e9);
    fprintf(f, ",\n\"cost\":{\"cpu_ns\":%" PRId64 ",\"switches\":%ld}", run->cost.cpu_ns,
            run->cost.switches);
    json_stages(f, run);
    json_depths(f, run);
    json_batches(f, run);
    fputs(",\n\"workers\":[", f);
    for (long i = 0; i < o->workers; i++)
        fprintf(f, "%s{\"served\":%zu,\"stolen\":%zu}", i ? "," : "", served_by(run, i, false),
                served_by(run, i, true));
    fputs("]}\n", f);
}

/* Returns the JSON, which the caller frees. */
static char *json_write(const run_t *run, size_t *len) {
    char *text = NULL;
    FILE *f = open_memstream(&text, len);
    if (!f)
        fail(EXIT_FAILURE, "open_memstream: %s", strerror(errno));
    json_print(f, run);
    if (fclose(f) != 0)
        fail(EXIT_FAILURE, "open_memstream: %s", strerror(errno));
    return text;
}

/* --- the page */

/* Runs `report`, which prints its own messages about bad input. */
static void report_run(const char *const arguments[3], FILE *json) {
    extern char **environ;
    const char *tool = getenv("QUEUES_REPORT");
    if (!tool || !*tool)
        tool = "report";
    char *const argv[] = {(char *)tool, (char *)arguments[0], (char *)arguments[1],
                          (char *)arguments[2], NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status;
    posix_spawn_file_actions_init(&actions);
    if (json)
        posix_spawn_file_actions_adddup2(&actions, fileno(json), STDIN_FILENO);
    int error = posix_spawnp(&child, tool, &actions, NULL, argv, environ);
    if (error != 0)
        fail(BAD_INPUT,
             "no page: %s: %s; `make report` builds the tool, and QUEUES_REPORT says where it is",
             tool, strerror(error));
    posix_spawn_file_actions_destroy(&actions);
    if (waitpid(child, &status, 0) == child && status == 0)
        return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == BAD_INPUT)
        exit(BAD_INPUT);
    fail(BAD_INPUT, "no page: %s failed", tool);
}

/* Ends the program now if the page could not be written after the run. */
static void report_check(const char *page) {
    report_run((const char *[]){"--check", "--", page}, NULL);
}

/* `report` reads the JSON from a file without a name, which needs no removal. */
static void report_draw(const char *text, size_t len, const char *page) {
    FILE *json = tmpfile();
    if (!json || fwrite(text, 1, len, json) != len || fflush(json) != 0 ||
        fseek(json, 0, SEEK_SET) != 0)
        fail(BAD_INPUT, "no page: a temporary file: %s", strerror(errno));
    report_run((const char *[]){"--", "-", page}, json);
    fclose(json);
}

#endif
