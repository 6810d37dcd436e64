/* Frontends replay a trace of LLM requests into one MPMC queue; workers take them, burn time in
   proportion to the tokens, and hand them on to a collector over an SPSC queue each. */
#include "serving.h"
#include <queues.h>

enum { CONTEXT_TOKEN_NS = 20000, GENERATED_TOKEN_NS = 500000 }; /* a worker's time at speed 1 */

static options_t options;
static trace_t trace;
static size_t served;
static queues_mpmc_t *requests;
static queues_spsc_t *results[THREADS_MAX]; /* one a worker */

static void expect(queues_status_t wanted, queues_status_t status, const char *call) {
    if (status != wanted)
        errx(EXIT_FAILURE, "%s: %s", call, queues_status_string(status));
}

/* The requests are dealt to the frontends in turn: one puts the first and every n-th after it. */
static void *frontend(void *first) {
    for (size_t i = ((request_t *)first)->index; i < trace.len; i += options.frontends) {
        request_t *r = &trace.requests[i];
        sleep_until(r->arrival_ns);
        expect(QUEUES_OK, queues_mpmc_put_bytes(requests, r, sizeof *r, -1), "put a request");
    }
    return NULL;
}

static void *worker(void *result) {
    request_t r;
    size_t len;
    queues_status_t status;
    while ((status = queues_mpmc_get_bytes(requests, &r, sizeof r, &len, -1)) == QUEUES_OK) {
        int64_t taken = now_ns(), work = r.context_tokens * CONTEXT_TOKEN_NS +
                                         r.generated_tokens * GENERATED_TOKEN_NS;
        while (now_ns() - taken < work / options.speed)
            ;
        r.waited_ns = taken - r.arrival_ns;
        expect(QUEUES_OK, queues_spsc_put_bytes(result, &r, sizeof r, -1), "put a result");
    }
    expect(QUEUES_CLOSED, status, "get a request");
    expect(QUEUES_OK, queues_spsc_close(result), "close a result queue");
    return NULL;
}

static void collect(const request_t *r) {
    request_t *request = &trace.requests[r->index];
    if (request->waited_ns >= 0)
        errx(LOST, "request %zu was served twice", r->index);
    request->waited_ns = r->waited_ns;
    served++;
}

/* Polls the workers' queues until all are closed and empty, and shows how far things are. */
static void *collector(void *unused) {
    bool tty = isatty(STDERR_FILENO);
    int64_t interval = tty ? SECOND / 10 : SECOND, next = now_ns() + interval;
    for (long closed = 0; closed < options.workers; sleep_until(now_ns() + SECOND / 1000)) {
        closed = 0;
        for (long i = 0; i < options.workers; i++) {
            request_t r;
            size_t len;
            queues_status_t s;
            while ((s = queues_spsc_try_get_bytes(results[i], &r, sizeof r, &len)) == QUEUES_OK)
                collect(&r);
            closed += s == QUEUES_CLOSED;
        }
        if (now_ns() >= next) {
            next += interval;
            fprintf(stderr, "%s%zu of %zu served, %zu waiting%s", tty ? "\r" : "", served,
                    trace.len, queues_mpmc_size(requests), tty ? "\033[K" : "\n");
        }
    }
    fputs(tty ? "\r\033[K" : "", stderr);
    return unused;
}

static int by_wait(const void *a, const void *b) {
    int64_t x = ((const request_t *)a)->waited_ns, y = ((const request_t *)b)->waited_ns;
    return (x > y) - (x < y);
}

static double wait_ms(int percent) { /* of the sorted trace */
    return trace.requests[(trace.len * percent + 99) / 100 - 1].waited_ns / 1e6;
}

static void print_stats(const char *name, const queues_stats_t *s) {
    printf("%-10s%9" PRIu64 "%9" PRIu64 "%9" PRIu64 "%11" PRIu64 "%12" PRIu64 "%9" PRIu64 "\n",
           name, s->capacity, s->enqueued, s->dequeued, s->failed_enqueue, s->failed_dequeue,
           s->peak_size);
}

int main(int argc, char **argv) {
    options = options_read(argc, argv);
    trace = trace_read(options.path);
    if ((size_t)options.frontends > trace.len)
        options.frontends = (long)trace.len;

    pthread_t frontends[THREADS_MAX], workers[THREADS_MAX];
    queues_mpmc_options_t mpmc = {.struct_size = sizeof mpmc, .item_size = sizeof(request_t)};
    queues_spsc_options_t spsc = {.struct_size = sizeof spsc, .item_size = sizeof(request_t)};
    expect(QUEUES_OK, queues_mpmc_create(&mpmc, &requests), "create the request queue");
    for (long i = 0; i < options.workers; i++) {
        expect(QUEUES_OK, queues_spsc_create(&spsc, &results[i]), "create a result queue");
        workers[i] = spawn(worker, results[i]);
    }
    int64_t start = now_ns(), recorded = trace.requests[0].arrival_ns;
    for (size_t i = 0; i < trace.len; i++)
        trace.requests[i].arrival_ns =
            start + (trace.requests[i].arrival_ns - recorded) / options.speed;
    for (long i = 0; i < options.frontends; i++)
        frontends[i] = spawn(frontend, &trace.requests[i]);
    pthread_t collecting = spawn(collector, NULL);

    for (long i = 0; i < options.frontends; i++)
        pthread_join(frontends[i], NULL);
    expect(QUEUES_OK, queues_mpmc_close(requests), "close the request queue");
    for (long i = 0; i < options.workers; i++)
        pthread_join(workers[i], NULL);
    pthread_join(collecting, NULL);
    double seconds = (now_ns() - start) / 1e9;

    queues_stats_t stats = {.struct_size = sizeof stats};
    expect(QUEUES_OK, queues_mpmc_stats(requests, &stats), "stats");
    size_t in = stats.enqueued;
    puts("queue      capacity enqueued dequeued found full found empty     peak");
    print_stats("requests", &stats);
    for (long i = 0; i < options.workers; i++) {
        char name[32];
        snprintf(name, sizeof name, "result %ld", i);
        expect(QUEUES_OK, queues_spsc_stats(results[i], &stats), "stats");
        print_stats(name, &stats);
        queues_spsc_release(results[i]);
    }
    queues_mpmc_release(requests);
    printf("requests  %zu in, %zu out, in %.2f s: %.1f a second\n", in, served, seconds,
           served / seconds);
    if (in != trace.len || served != trace.len)
        errx(LOST, "%zu requests of the trace, %zu put, %zu served", trace.len, in, served);
    qsort(trace.requests, trace.len, sizeof *trace.requests, by_wait);
    printf("waiting   p50 %.3f ms, p99 %.3f ms, max %.3f ms\n", wait_ms(50), wait_ms(99),
           wait_ms(100));
    free(trace.requests);
    return 0;
}
