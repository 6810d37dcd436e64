/* Serves a trace of LLM requests in a pipeline that uses every family of queues:

     frontends -> intake -> scheduler -> priority -> dispatcher -> batch -> workers -> collector

   Frontends put the requests when they are due. The scheduler orders them by their number of
   tokens, fewest first, and the dispatcher puts them into batches. A worker moves each batch onto a
   deque of its own, from which idle workers steal, and passes served requests to the collector by
   an SPSC queue. When a stage falls behind, its queue fills and its producers block, back to the
   frontends: no request is lost. */
#include "serving.h"
#include "report.h"
#include "trace.h"
#include <queues.h>
#include <stdatomic.h>

enum {
    CONTEXT_TOKEN_NS = 20000,
    GENERATED_TOKEN_NS = 500000
}; /* a worker's time for a token, at speed 1 */

typedef struct {
    long index;
    queues_deque_t *deque;  /* the requests of its batches; other workers steal here */
    queues_spsc_t *results; /* to the collector */
    pthread_t thread;
} worker_t;

static options_t options;
static trace_t trace;
static queues_mpmc_t *intake;
static queues_priority_t *priority;
static queues_batch_t *batch;
static worker_t workers[THREADS_MAX];
static atomic_size_t batches, served;
static atomic_bool finished;
/* How long puts into each stage waited for room, and gets for items, summed over all threads. */
static _Atomic int64_t room_ns[STAGES], items_ns[STAGES];

static void expect(queues_status_t wanted, queues_status_t status, const char *call) {
    if (status != wanted)
        fail(EXIT_FAILURE, "%s: %s", call, queues_status_string(status));
}

/* Notes the time before a put: afterwards the request belongs to the next stage. */
static void stamp(request_t *r, enum stage stage) { r->at_ns[stage] = now_ns(); }

/* Adds the time of a call that waited. The threads try without waiting first, so that nothing else
   is counted. */
static void add_wait(_Atomic int64_t *sum_ns, int64_t since_ns) {
    atomic_fetch_add_explicit(sum_ns, now_ns() - since_ns, memory_order_relaxed);
}

static queues_status_t intake_get(void **item) {
    queues_status_t status = queues_mpmc_get(intake, item, 0);
    if (status == QUEUES_EMPTY) {
        int64_t since = now_ns();
        status = queues_mpmc_get(intake, item, -1);
        add_wait(&items_ns[INTAKE], since);
    }
    return status;
}

static queues_status_t priority_get(void **item) {
    double least;
    queues_status_t status = queues_priority_get(priority, item, &least, 0);
    if (status == QUEUES_EMPTY) {
        int64_t since = now_ns();
        status = queues_priority_get(priority, item, &least, -1);
        add_wait(&items_ns[PRIORITY], since);
    }
    return status;
}

/* Of n frontends, each puts one of the first n requests and every n-th after it. */
static void *frontend(void *first) {
    for (size_t i = (size_t)((request_t *)first - trace.requests); i < trace.len;
         i += (size_t)options.frontends) {
        request_t *r = &trace.requests[i];
        sleep_until(r->at_ns[FRONTENDS]);
        stamp(r, INTAKE);
        queues_status_t status = queues_mpmc_put(intake, r, 0);
        if (status == QUEUES_FULL) {
            int64_t since = now_ns();
            status = queues_mpmc_put(intake, r, -1);
            add_wait(&room_ns[INTAKE], since);
        }
        expect(QUEUES_OK, status, "put into intake");
    }
    return NULL;
}

/* Orders the requests, so that short ones do not wait for long ones. */
static void *scheduler(void *unused) {
    void *item;
    queues_status_t status;
    while ((status = intake_get(&item)) == QUEUES_OK) {
        const double order = (double)tokens(item);
        stamp(item, PRIORITY);
        status = queues_priority_put(priority, item, order, 0);
        if (status == QUEUES_FULL) {
            int64_t since = now_ns();
            status = queues_priority_put(priority, item, order, -1);
            add_wait(&room_ns[PRIORITY], since);
        }
        expect(QUEUES_OK, status, "put into priority");
    }
    expect(QUEUES_CLOSED, status, "get from intake");
    expect(QUEUES_OK, queues_priority_close(priority), "close priority");
    return unused;
}

/* The batching queue has room for one batch, so that requests wait in the priority queue. */
static void *dispatcher(void *unused) {
    void *item;
    queues_status_t status;
    while ((status = priority_get(&item)) == QUEUES_OK) {
        const uint64_t weight = (uint64_t)tokens(item);
        stamp(item, BATCH);
        status = queues_batch_put_weighted(batch, item, weight, 0);
        if (status == QUEUES_FULL) {
            int64_t since = now_ns();
            status = queues_batch_put_weighted(batch, item, weight, -1);
            add_wait(&room_ns[BATCH], since);
        }
        expect(QUEUES_OK, status, "put into batch");
    }
    expect(QUEUES_CLOSED, status, "get from priority");
    expect(QUEUES_OK, queues_batch_close(batch), "close batch");
    return unused;
}

/* Moves a batch onto the worker's deque, longest request first: the owner pops the shortest, and a
   thief steals the longest, which is worth a steal. */
static queues_status_t take_batch(worker_t *self, int64_t timeout_ns) {
    void *items[BATCH_MAX];
    size_t n, max = (size_t)options.batch_size;
    queues_status_t status;
    if (timeout_ns > 0) {
        int64_t since = now_ns();
        status = queues_batch_get_batch(batch, items, max, &n, timeout_ns);
        add_wait(&items_ns[BATCH], since);
    } else {
        status = queues_batch_get_due(batch, items, max, &n);
    }
    if (status != QUEUES_OK)
        return status;
    size_t number = atomic_fetch_add(&batches, 1);
    while (n > 0) {
        request_t *r = items[--n];
        r->batch = number;
        r->owner = self->index;
        stamp(r, DEQUES);
        expect(QUEUES_OK, queues_deque_push(self->deque, r), "push");
    }
    return QUEUES_OK;
}

static bool steal(const worker_t *self, void **item) {
    for (long i = 1; i < options.workers; i++) {
        worker_t *victim = &workers[(self->index + i) % options.workers];
        queues_status_t status;
        do /* another thief was faster; there may be more */
            status = queues_deque_steal(victim->deque, item);
        while (status == QUEUES_RETRY);
        if (status == QUEUES_OK)
            return true;
        expect(QUEUES_EMPTY, status, "steal");
    }
    return false;
}

/* A worker's next request: from its own deque, a batch that is due, or another worker's deque.
   false when the batching queue is closed and empty and there is nothing to steal: what is left is
   in the deque of a worker that is still working. */
static bool next(worker_t *self, void **item) {
    for (;;) {
        queues_status_t status = queues_deque_pop(self->deque, item);
        if (status == QUEUES_OK)
            return true;
        expect(QUEUES_EMPTY, status, "pop");
        status = take_batch(self, 0);
        if (status == QUEUES_OK)
            continue;
        if (steal(self, item))
            return true;
        if (status == QUEUES_CLOSED)
            return false;
        expect(QUEUES_EMPTY, status, "get what is due");
        /* Waits for a batch, but looks for requests to steal again after linger_ms. */
        status = take_batch(self, options.linger_ms * MILLISECOND);
        if (status != QUEUES_OK && status != QUEUES_CLOSED)
            expect(QUEUES_TIMEOUT, status, "get a batch");
    }
}

static void *worker(void *arg) {
    worker_t *self = arg;
    void *item;
    while (next(self, &item)) {
        request_t *r = item;
        int64_t work =
            r->context_tokens * CONTEXT_TOKEN_NS + r->generated_tokens * GENERATED_TOKEN_NS;
        stamp(r, WORK);
        int64_t until = r->at_ns[WORK] + at_speed(work, options.speed);
        while (now_ns() < until)
            ;
        r->worker = self->index;
        stamp(r, RESULTS);
        queues_status_t status = queues_spsc_put(self->results, r, 0);
        if (status == QUEUES_FULL) {
            int64_t since = now_ns();
            status = queues_spsc_put(self->results, r, -1);
            add_wait(&room_ns[RESULTS], since);
        }
        expect(QUEUES_OK, status, "put a result");
    }
    expect(QUEUES_OK, queues_spsc_close(self->results), "close results");
    return NULL;
}

static void collect(request_t *r) {
    if (r->at_ns[STAGES])
        fail(LOST, "request %td was served twice", r - trace.requests);
    stamp(r, STAGES);
    served++;
}

/* Polls the queues of the workers until all are closed and empty. */
static void *collector(void *unused) {
    for (long closed = 0; closed < options.workers; sleep_until(now_ns() + MILLISECOND)) {
        closed = 0;
        for (long i = 0; i < options.workers; i++) {
            void *item;
            queues_status_t status;
            while ((status = queues_spsc_try_get(workers[i].results, &item)) == QUEUES_OK)
                collect(item);
            closed += status == QUEUES_CLOSED;
        }
    }
    return unused;
}

static void measure(sample_t *sample) {
    *sample = (sample_t){.at_ns = now_ns()};
    sample->depth[INTAKE] = queues_mpmc_size(intake);
    sample->depth[PRIORITY] = queues_priority_size(priority);
    sample->depth[BATCH] = queues_batch_pending_count(batch);
    for (long i = 0; i < options.workers; i++) {
        sample->depth[DEQUES] += queues_deque_size(workers[i].deque);
        sample->depth[RESULTS] += queues_spsc_size(workers[i].results);
    }
}

/* Records the sizes of the queues, and prints them now and then. */
static void *watch(void *samples) {
    bool tty = isatty(STDERR_FILENO);
    int64_t interval = tty ? SECOND / 10 : SECOND, next = now_ns() + interval;
    while (!finished) {
        sample_t *sample = samples_next(samples);
        measure(sample);
        if (sample->at_ns >= next) {
            next += interval;
            progress(tty, served, trace.len, sample);
        }
        sleep_until(sample->at_ns + ((samples_t *)samples)->interval_ns);
    }
    fputs(tty ? "\r\033[K" : "", stderr);
    return NULL;
}

static void create(void) {
    size_t capacity = (size_t)options.capacity, batch_size = (size_t)options.batch_size;
    queues_mpmc_options_t mpmc = {.struct_size = sizeof mpmc, .capacity = capacity};
    queues_priority_options_t ordered = {.struct_size = sizeof ordered, .capacity = capacity};
    queues_batch_options_t batched = {.struct_size = sizeof batched,
                                      .max_pending = batch_size,
                                      .batch_size = batch_size,
                                      .batch_weight = (uint64_t)options.batch_tokens,
                                      .batch_timeout_ns = options.linger_ms * MILLISECOND};
    queues_deque_options_t deque = {.struct_size = sizeof deque, .capacity = batch_size};
    queues_spsc_options_t spsc = {.struct_size = sizeof spsc, .capacity = capacity};
    expect(QUEUES_OK, queues_mpmc_create(&mpmc, &intake), "create intake");
    expect(QUEUES_OK, queues_priority_create(&ordered, &priority), "create priority");
    expect(QUEUES_OK, queues_batch_create(&batched, &batch), "create batch");
    for (long i = 0; i < options.workers; i++) {
        workers[i].index = i;
        expect(QUEUES_OK, queues_deque_create(&deque, &workers[i].deque), "create a deque");
        expect(QUEUES_OK, queues_spsc_create(&spsc, &workers[i].results), "create results");
    }
}

static void release(void) {
    queues_mpmc_release(intake);
    queues_priority_release(priority);
    queues_batch_release(batch);
    for (long i = 0; i < options.workers; i++) {
        queues_deque_release(workers[i].deque);
        queues_spsc_release(workers[i].results);
    }
}

/* Starts all threads and waits until every request is served. */
static void run(int64_t start_ns, samples_t *samples) {
    for (size_t i = 0; i < trace.len; i++) {
        request_t *r = &trace.requests[i];
        r->at_ns[FRONTENDS] =
            start_ns + at_speed(r->recorded_ns - trace.requests[0].recorded_ns, options.speed);
    }
    pthread_t watching = spawn(watch, samples), collecting = spawn(collector, NULL);
    for (long i = 0; i < options.workers; i++)
        workers[i].thread = spawn(worker, &workers[i]);
    pthread_t dispatching = spawn(dispatcher, NULL), scheduling = spawn(scheduler, NULL);
    pthread_t frontends[THREADS_MAX];
    for (long i = 0; i < options.frontends; i++)
        frontends[i] = spawn(frontend, &trace.requests[i]);

    for (long i = 0; i < options.frontends; i++)
        pthread_join(frontends[i], NULL);
    expect(QUEUES_OK, queues_mpmc_close(intake),
           "close intake"); /* each stage closes the next one */
    pthread_join(scheduling, NULL);
    pthread_join(dispatching, NULL);
    for (long i = 0; i < options.workers; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_join(collecting, NULL);
    finished = true;
    pthread_join(watching, NULL);
}

/* Adds the statistics of one queue of a stage. The queues of a stage have the same capacity. */
static void add(stats_t *sum, queues_status_t status, const queues_stats_t *one) {
    expect(QUEUES_OK, status, "stats");
    sum->queues++;
    sum->capacity = one->capacity;
    sum->in += one->enqueued;
    sum->out += one->dequeued;
    sum->failed_enqueue += one->failed_enqueue;
    sum->failed_dequeue += one->failed_dequeue;
    sum->stolen += one->stolen;
    if (sum->peak < one->peak_size)
        sum->peak = one->peak_size;
}

static void read_stats(stats_t stats[STAGES]) {
    queues_stats_t s = {.struct_size = sizeof s};
    add(&stats[INTAKE], queues_mpmc_stats(intake, &s), &s);
    add(&stats[PRIORITY], queues_priority_stats(priority, &s), &s);
    add(&stats[BATCH], queues_batch_stats(batch, &s), &s);
    for (long i = 0; i < options.workers; i++) {
        add(&stats[DEQUES], queues_deque_stats(workers[i].deque, &s), &s);
        add(&stats[RESULTS], queues_spsc_stats(workers[i].results, &s), &s);
    }
    for (int i = 0; i < STAGES; i++) {
        stats[i].room_ns = room_ns[i];
        stats[i].items_ns = items_ns[i];
    }
    for (size_t i = 0; i < trace.len; i++) {
        const int64_t *at_ns = trace.requests[i].at_ns;
        stats[FRONTENDS].in += at_ns[FRONTENDS] != 0;
        stats[FRONTENDS].out += at_ns[FRONTENDS + 1] != 0;
        stats[WORK].in += at_ns[WORK] != 0;
        stats[WORK].out += at_ns[WORK + 1] != 0;
    }
}

int main(int argc, char **argv) {
    static samples_t samples = {.interval_ns = MILLISECOND};
    options = options_read(argc, argv);
    trace = trace_read(options.path);
    /* Before the run, because it may take long. */
    if (options.json)
        must_be_writable(options.json);
    if (options.report)
        report_check(options.report);
    if ((size_t)options.frontends > trace.len)
        options.frontends = (long)trace.len;

    create();
    run_t result = {.options = &options, .trace = &trace, .samples = &samples};
    cost_t before = cost_now();
    result.start_ns = now_ns();
    run(result.start_ns, &samples);
    result.end_ns = now_ns();
    result.cost = cost_since(before);
    result.served = served;
    result.batches = batches;
    read_stats(result.stats);
    release();

    print_table(&result);
    if (options.json || options.report) {
        size_t len;
        char *text = json_write(&result, &len);
        if (options.json)
            file_write(options.json, text, len);
        if (options.report)
            report_draw(text, len, options.report);
        free(text);
    }
    if (!nothing_lost(&result))
        fail(LOST, "%zu requests in the trace, %zu served: the table shows where they are",
             trace.len, result.served);
    must_be_printed();
    free(trace.requests);
    return 0;
}
