// The functions of harness.h, and main: `list` prints the contestants, `run` runs one trial.
#define _GNU_SOURCE
#include "harness.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

bool is(const char *component, const char *wanted) { return strcmp(component, wanted) == 0; }

void fail(int code, const char *why) {
    fprintf(stderr, "%s\n", why);
    _Exit(code);
}

uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void wait_until(uint64_t time, unsigned threads) {
    const bool crowded = threads > processors();
    while (now() < time)
        crowded ? (void)sched_yield() : relax();
}

void sleep_for(uint64_t nanoseconds) {
    const struct timespec t = {.tv_nsec = (long)nanoseconds};
    nanosleep(&t, NULL);
}

size_t allocated(void) {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// --- threads

struct worker {
    pthread_t thread;
    pthread_barrier_t *ready;
    void (*work)(void *context, unsigned thread);
    void *context;
    unsigned number;
    bool pinned;
    uint64_t start, end;
};

static cpu_set_t allowed;
static void find_processors(void) { sched_getaffinity(0, sizeof allowed, &allowed); }
unsigned processors(void) { return (unsigned)CPU_COUNT(&allowed); }

// Pins the calling thread to the processor with this index among those that the process may use.
static void pin(unsigned number) {
    unsigned processor = 0;
    while (!CPU_ISSET(processor, &allowed) || number-- > 0)
        processor++;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *run_worker(void *argument) {
    struct worker *w = argument;
    if (w->pinned)
        pin(w->number);
    pthread_barrier_wait(w->ready);
    w->start = now();
    w->work(w->context, w->number);
    w->end = now();
    return NULL;
}

double timed(unsigned threads, void (*work)(void *context, unsigned thread), void *context) {
    struct worker workers[MAX_THREADS];
    pthread_barrier_t ready;
    pthread_barrier_init(&ready, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){.ready = &ready,
                                     .work = work,
                                     .context = context,
                                     .number = i,
                                     .pinned = threads <= processors()};
        if (pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]) != 0)
            fail(1, "no more threads");
    }
    uint64_t start = UINT64_MAX, end = 0;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        start = workers[i].start < start ? workers[i].start : start;
        end = workers[i].end > end ? workers[i].end : end;
    }
    pthread_barrier_destroy(&ready);
    return (double)(end - start) / 1e9;
}

// --- workers that share queues

struct board {
    pthread_barrier_t ready;
    struct {
        _Alignas(128) uint64_t start;
        uint64_t end, sum;
        volatile uint64_t moved;
    } lines[MAX_THREADS];
};

struct hand {
    const struct crew *crew;
    const struct case_spec *s;
    void *const *queues;
    struct board *board;
    unsigned number;
};

// The items of each producer: in the warm-up, then in the pass that is measured. The warm-up has a
// tenth of the items, but enough for all memory of the queue: each process maps it page by page.
static uint64_t items_of(const struct case_spec *s, int pass) {
    const uint64_t tenth = s->items / 10, lap = s->capacity + s->capacity / 4;
    const uint64_t warm_up = tenth > lap ? tenth : lap < s->items ? lap : s->items;
    return (pass == 0 ? warm_up : s->items) / s->pairs;
}

static void *run_hand(void *argument) {
    const struct hand *h = argument;
    if (h->s->threads <= processors())
        pin(h->number);
    void *ends = h->crew->attach(h->s, h->queues);
    uint64_t sum = 0;
    for (int pass = 0; pass < 2; pass++) {
        pthread_barrier_wait(&h->board->ready);
        h->board->lines[h->number].start = now();
        sum += h->crew->work(ends, h->s, h->number, items_of(h->s, pass));
        h->board->lines[h->number].end = now();
    }
    h->board->lines[h->number].sum = sum;
    // A queue may not lose its last end while another worker uses it.
    pthread_barrier_wait(&h->board->ready);
    h->crew->detach(ends);
    return NULL;
}

static void run_threads(struct hand *hands, unsigned count) {
    pthread_t threads[MAX_THREADS];
    for (unsigned i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, run_hand, &hands[i]) != 0)
            fail(1, "no more threads");
    }
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static pid_t start_process(struct hand *hand, void *(*run)(void *)) {
    const pid_t parent = getpid(), process = fork();
    if (process < 0)
        fail(1, "no more processes");
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            run(hand);
        _Exit(0);
    }
    return process;
}

static void kill_all(const pid_t *processes, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (processes[i] > 0)
            kill(processes[i], SIGKILL);
    }
}

// Waits for a worker's end, and forgets its number, which another process may get. Ends the program
// if the worker failed, since the others would wait for it.
static void reap(pid_t *processes, unsigned count, int options) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, options);
    for (unsigned i = 0; i < count; i++) {
        if (processes[i] == ended)
            processes[i] = 0;
    }
    if (status == 0)
        return;
    kill_all(processes, count);
    if (WIFEXITED(status))
        _Exit(WEXITSTATUS(status)); // it printed the reason
    fail(1, "a process was killed by a signal");
}

static void run_processes(struct hand *hands, unsigned count) {
    pid_t processes[MAX_THREADS];
    for (unsigned i = 0; i < count; i++)
        processes[i] = start_process(&hands[i], run_hand);
    for (unsigned i = 0; i < count; i++)
        reap(processes, count, 0);
}

void measure(const struct crew *crew, void *const *queues, const struct case_spec *s,
             struct measurement *m) {
    struct board *board = shared_memory(sizeof *board);
    pthread_barrierattr_t attributes;
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&board->ready, &attributes, s->threads);
    struct hand hands[MAX_THREADS];
    for (unsigned i = 0; i < s->threads; i++)
        hands[i] = (struct hand){crew, s, queues, board, i};
    (crew->threads ? run_threads : run_processes)(hands, s->threads);

    uint64_t start = UINT64_MAX, end = 0, got = 0, put = 0;
    for (unsigned i = 0; i < s->threads; i++) {
        start = board->lines[i].start < start ? board->lines[i].start : start;
        end = board->lines[i].end > end ? board->lines[i].end : end;
        got += board->lines[i].sum;
    }
    for (int pass = 0; pass < 2 && is(s->family, "process"); pass++)
        put += s->pairs * sum_up_to(items_of(s, pass));
    verify(got == put, "items were lost, duplicated or torn");
    m->items = items_of(s, 1) * s->pairs;
    m->seconds = (double)(end - start) / 1e9;
}

// --- workers that are killed

static void *run_on(void *argument) {
    const struct hand *h = argument;
    void *ends = h->crew->attach(h->s, h->queues);
    h->crew->work_on(ends, h->number, &h->board->lines[h->number].moved);
    return NULL;
}

// The longest time without progress of the other workers, in nanoseconds: far longer than the
// scheduler leaves a process waiting.
static const uint64_t LONGEST_STALL = 3000000000;

// Waits until all workers but `except` have moved more items than `before`, for LONGEST_STALL at
// most since `start`.
static void await_progress(const struct hand *hands, unsigned except, const uint64_t *before,
                           uint64_t start, pid_t *processes, uint64_t kills) {
    const unsigned count = hands->s->threads;
    for (;;) {
        unsigned still = 0;
        for (unsigned i = 0; i < count; i++)
            still += i != except && hands->board->lines[i].moved == before[i];
        if (still == 0)
            return;
        reap(processes, count, WNOHANG);
        if (now() - start > LONGEST_STALL) {
            char why[64];
            snprintf(why, sizeof why, "after %d kills %u processes stand still", (int)kills, still);
            kill_all(processes, count);
            fail(1, why);
        }
        sleep_for(50000);
    }
}

void measure_kills(const struct crew *crew, void *const *queues, const struct case_spec *s,
                   struct measurement *m) {
    static struct histogram stalls;
    struct board *board = shared_memory(sizeof *board);
    struct hand hands[MAX_THREADS];
    pid_t processes[MAX_THREADS];
    const uint64_t start = now();
    for (unsigned i = 0; i < s->threads; i++) {
        hands[i] = (struct hand){crew, s, queues, board, i};
        processes[i] = start_process(&hands[i], run_on);
    }
    uint64_t before[MAX_THREADS] = {0};
    await_progress(hands, MAX_THREADS, before, now(), processes, 0);

    uint64_t random = start;
    for (uint64_t kills = 1; kills <= s->items; kills++) {
        sleep_for(random_next(&random) % 2000000);
        const unsigned victim = random_next(&random) % s->threads;
        kill(processes[victim], SIGKILL);
        waitpid(processes[victim], NULL, 0);
        for (unsigned i = 0; i < s->threads; i++)
            before[i] = board->lines[i].moved;
        const uint64_t killed = now();
        processes[victim] = start_process(&hands[victim], run_on);
        await_progress(hands, victim, before, killed, processes, kills);
        record(&stalls, now() - killed);
        // Then the new one, too.
        await_progress(hands, MAX_THREADS, before, now(), processes, kills);
    }
    kill_all(processes, s->threads);
    m->items = s->items;
    m->seconds = (double)(now() - start) / 1e9;
    m->latency = &stalls;
}

void *shared_memory(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        fail(1, "no more memory");
    return memory;
}

// --- the histogram

void merge(struct histogram *into, const struct histogram *from) {
    for (unsigned i = 0; i < BUCKETS; i++)
        into->counts[i] += from->counts[i];
    into->total += from->total;
    into->max = from->max > into->max ? from->max : into->max;
}

uint64_t quantile(const struct histogram *h, double fraction) {
    uint64_t seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += h->counts[i];
        if (seen > 0 && (double)seen >= fraction * (double)h->total) {
            const unsigned shift = i < 2 * BUCKETS_PER_OCTAVE ? 0 : i / BUCKETS_PER_OCTAVE - 1;
            const uint64_t upper = (((uint64_t)(i - shift * BUCKETS_PER_OCTAVE) + 1) << shift) - 1;
            return upper < h->max ? upper : h->max;
        }
    }
    return h->max;
}

// --- cases

// Whether a pattern covers a case: each segment is a word or `*`, and segments left out match
// everything.
static bool matches(const char *text, const char *pattern) {
    while (*pattern != '\0') {
        if (*pattern == '*') {
            text += strcspn(text, "/");
            pattern++;
        } else if (*pattern++ != *text++) {
            return false;
        }
    }
    return *text == '\0' || *text == '/';
}

static unsigned number_in(const char *segment) {
    return (unsigned)strtoul(segment + strcspn(segment, "0123456789"), NULL, 10);
}

bool produces(const struct case_spec *s, unsigned thread) {
    return s->alternates || (thread < 2 * s->pairs ? thread % 2 == 0 : s->producers > s->consumers);
}

bool consumes(const struct case_spec *s, unsigned thread) {
    return s->alternates || !produces(s, thread);
}

struct shares shares_of(const struct case_spec *s, uint64_t items) {
    const unsigned more = s->producers > s->consumers ? s->producers : s->consumers;
    items -= items % more;
    return (struct shares){.put = items / s->producers, .got = items / s->consumers};
}

static bool parse(const char *text, struct case_spec *s) {
    if (strlen(text) >= sizeof s->text)
        return false;
    strcpy(s->text, text);
    char *rest = s->text, *segments[5];
    for (int i = 0; i < 5; i++) {
        if ((segments[i] = strsep(&rest, "/")) == NULL)
            return false;
    }
    s->family = segments[0];
    s->shape = segments[1];
    s->mode = segments[2];
    s->capacity = number_in(segments[3]);
    s->item_size = number_in(segments[4]);
    s->bulk = number_in(s->mode);
    s->alternates = is(s->shape, "pair");
    s->pairs = s->alternates ? 1 : number_in(s->shape);
    s->producers = s->consumers = s->alternates ? 2 : s->pairs;
    if (is(s->family, "priority"))
        s->threads = s->pairs;
    else if (is(s->family, "deque"))
        s->threads = 1 + number_in(s->shape); // the thieves
    else
        s->threads = 2 * s->pairs;
    if ((is(s->family, "mpmc") && !s->alternates) || is(s->family, "batch")) {
        s->consumers = number_in(s->shape + strcspn(s->shape, "P"));
        s->pairs = s->producers < s->consumers ? s->producers : s->consumers;
        s->threads = s->producers + s->consumers;
    }
    return rest == NULL && s->threads <= MAX_THREADS;
}

// --- the command line

static void print_patterns(FILE *to, const struct contestant *c, const char *quote,
                           const char *separator) {
    for (const char *const *p = c->patterns; *p != NULL; p++)
        fprintf(to, "%s%s%s%s", p == c->patterns ? "" : separator, quote, *p, quote);
}

static int list(void) {
    for (const struct contestant *const *l = contestants; *l != NULL; l++) {
        for (const struct contestant *c = *l; c->name != NULL; c++) {
            if (c->missing != NULL) {
                printf("{\"name\":\"%s\",\"missing\":\"%s\"}\n", c->name, c->missing);
                continue;
            }
            printf(
                "{\"name\":\"%s\",\"language\":\"%s\",\"version\":\"%s\",\"ours\":%s,\"cases\":[",
                c->name, language, c->version, c->ours ? "true" : "false");
            print_patterns(stdout, c, "\"", ",");
            printf("]}\n");
        }
    }
    return 0;
}

static const struct contestant *find(const char *name) {
    for (const struct contestant *const *l = contestants; *l != NULL; l++) {
        for (const struct contestant *c = *l; c->name != NULL; c++) {
            if (c->missing == NULL && is(c->name, name))
                return c;
        }
    }
    return NULL;
}

static bool runs(const struct contestant *c, const char *text) {
    for (const char *const *p = c->patterns; *p != NULL; p++) {
        if (matches(text, *p))
            return true;
    }
    return false;
}

static void print_measurement(const struct measurement *m) {
    printf("{\"items\":%llu,\"seconds\":%.9f", (unsigned long long)m->items, m->seconds);
    if (m->latency != NULL) {
        printf(",\"latency_ns\":{\"p50\":%llu,\"p99\":%llu,\"p99.9\":%llu,\"max\":%llu}",
               (unsigned long long)quantile(m->latency, 0.5),
               (unsigned long long)quantile(m->latency, 0.99),
               (unsigned long long)quantile(m->latency, 0.999),
               (unsigned long long)m->latency->max);
    }
    if (m->threads > 0) {
        for (unsigned i = 0; i < m->threads; i++)
            printf("%s%llu", i == 0 ? ",\"shares\":[" : ",", (unsigned long long)m->shares[i]);
        printf("],\"longest_starvation_ns\":%llu", (unsigned long long)m->longest_starvation);
    }
    if (m->bytes > 0)
        printf(",\"bytes\":%zu", m->bytes);
    printf("}\n");
}

// Prints an error with a text from the command line, whose control characters are escaped. Returns
// the exit code.
static int refuse(const char *what, const char *text, const char *then) {
    enum { MOST = 100 };
    fprintf(stderr, "%s\"", what);
    for (int i = 0; i < MOST && text[i] != '\0'; i++)
        fprintf(stderr, text[i] < ' ' || text[i] > '~' ? "\\x%02x" : "%c", (unsigned char)text[i]);
    fprintf(stderr, "\"%s\n", then);
    return 2;
}

static int usage(void) {
    fputs("usage: list, or run --contestant NAME --case CASE --items N\n", stderr);
    return 2;
}

int main(int count, char **arguments) {
    find_processors();
    if (count == 2 && is(arguments[1], "list"))
        return list();
    if (count < 2 || !is(arguments[1], "run") || count % 2 != 0)
        return usage();

    const char *name = NULL, *text = NULL;
    struct case_spec s = {.items = 0};
    for (int i = 2; i < count; i += 2) {
        const char *value = arguments[i + 1];
        if (is(arguments[i], "--contestant")) {
            name = value;
        } else if (is(arguments[i], "--case")) {
            text = value;
        } else if (is(arguments[i], "--items")) {
            const size_t digits = strspn(value, "0123456789");
            if (digits < 1 || digits > 12 || value[digits] != '\0' ||
                (s.items = strtoull(value, NULL, 10)) < 1)
                return refuse("--items: expected a number from 1 to 999999999999, found ", value,
                              "");
        } else if (!is(arguments[i], "--seconds")) { // the driver limits the time
            return refuse("unknown option ", arguments[i], "");
        }
    }
    if (name == NULL || text == NULL || s.items == 0)
        return usage();

    const struct contestant *c = find(name);
    if (c == NULL)
        return refuse("no contestant ", name, "; `list` shows them");
    static struct measurement m;
    if (!runs(c, text) || !parse(text, &s) || !c->run(&s, &m))
        return refuse("this contestant does not run ", text, "; `list` shows its cases");
    print_measurement(&m);
    return 0;
}
