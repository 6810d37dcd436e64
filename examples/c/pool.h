/* The part of the servers without a loop: worker threads behind two queues, and an event that
 * SIGINT and SIGTERM set. */
#ifndef POOL_H
#define POOL_H

#include "job.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

static queues_event_t *stop; /* set by the first signal */
static pthread_t workers[WORKERS], waits_for_signal;
static atomic_int working = WORKERS;

static queues_status_t put_job(const struct job *job) {
    return queues_mpmc_try_put_bytes(jobs, job, sizeof *job);
}

/* A worker waits in both queues: it has no loop that this would stop. */
static void *work(void *unused) {
    struct job job;
    size_t length;
    while (queues_mpmc_get_bytes(jobs, &job, sizeof job, &length, -1) == QUEUES_OK) {
        job.answer.factor = smallest_factor(job.answer.number);
        must(queues_mpmc_put_bytes(results, &job, sizeof job, -1) == QUEUES_OK, "put");
    }
    if (atomic_fetch_sub(&working, 1) ==
        1) /* the last worker: the loop gets what is left, then ends */
        must(queues_mpmc_close(results) == QUEUES_OK, "close");
    return unused;
}

/* A signal handler must not call the library. A thread that waits for signals may. */
static void *wait_for_signal(void *signals) {
    int signal;
    must(sigwait(signals, &signal) == 0, "sigwait");
    must(queues_event_set(stop) == QUEUES_OK, "set");
    return NULL;
}

static void pool_start(void) {
    queues_mpmc_options_t options = {
        .struct_size = sizeof options, .capacity = ROOM, .item_size = sizeof(struct job)};
    must(queues_mpmc_create(&options, &jobs) == QUEUES_OK, "create");
    must(queues_mpmc_create(&options, &results) == QUEUES_OK, "create");
    must(queues_event_create(&stop) == QUEUES_OK, "create");
    static sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* in the threads created below, too */
    must(pthread_create(&waits_for_signal, NULL, wait_for_signal, &signals) == 0, "pthread_create");
    for (int i = 0; i < WORKERS; i++)
        must(pthread_create(&workers[i], NULL, work, NULL) == 0, "pthread_create");
}

/* Call it after a get of results has returned CLOSED. */
static void pool_finish(void) {
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    pthread_join(waits_for_signal, NULL);
    queues_stats_t stats = {.struct_size = sizeof stats};
    must(queues_mpmc_stats(jobs, &stats) == QUEUES_OK, "stats");
    printf("%ju requests; %ju times there was no room for one\n", (uintmax_t)stats.dequeued,
           (uintmax_t)stats.failed_enqueue);
    queues_mpmc_release(jobs);
    queues_mpmc_release(results);
    queues_event_release(stop);
}

#endif
