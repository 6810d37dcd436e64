/* Worker processes behind two shared queues, in place of the threads of pool.h. A supervisor, which
 * has neither threads nor sockets, forks the workers and replaces those that die. A job that a dead
 * worker had not answered is redelivered. */
#ifndef PREFORK_H
#define PREFORK_H

#include "tickets.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t supervisor;

static queues_mpmc_t *open_queue(int fd, uint64_t flags) {
    queues_mpmc_options_t options = {.struct_size = sizeof options,
                                     .capacity = ROOM,
                                     .item_size = sizeof(struct ticket),
                                     .spare = SPARE,
                                     .flags = flags};
    queues_mpmc_t *queue = NULL;
    must(queues_mpmc_open_shared(&options, fd, &queue) == QUEUES_OK, "open_shared");
    return queue;
}
static void open_queues(const int fds[2]) {
    jobs = open_queue(fds[0], QUEUES_REDELIVER);
    results = open_queue(fds[1], 0);
}

/* Killed before the put: the job is redelivered. Killed between put and settle: it has two answers.
 */
static void work(const int fds[2]) {
    open_queues(fds);
    void *cell;
    size_t length;
    while (queues_mpmc_lease(jobs, &cell, &length, -1) == QUEUES_OK) {
        struct ticket ticket = *(struct ticket *)cell;
        ticket.job.answer.factor = smallest_factor(ticket.job.answer.number);
        must(queues_mpmc_put_bytes(results, &ticket, sizeof ticket, -1) == QUEUES_OK, "put");
        must(queues_mpmc_settle(jobs, cell) == QUEUES_OK, "settle");
    }
}

static pid_t start(void (*run)(const int fds[2]), const int fds[2]) {
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* no worker outlives the server */
        run(fds);
        _exit(EXIT_SUCCESS);
    }
    return child;
}

/* A worker that finds its queue closed succeeds. Another one takes the place of any other. */
static void supervise(const int fds[2]) {
    for (int i = 0; i < WORKERS; i++)
        start(work, fds);
    for (int status; wait(&status) > 0;)
        if (status != EXIT_SUCCESS)
            start(work, fds);
}

static void pool_start(void) {
    int fds[2] = {memfd_create("jobs", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                  memfd_create("results", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    supervisor = start(supervise, fds);
    open_queues(fds);
}

/* Call it when nothing is pending. */
static void pool_finish(void) {
    queues_stats_t stats = {.struct_size = sizeof stats};
    must(queues_mpmc_close(jobs) == QUEUES_OK, "close");
    must(waitpid(supervisor, NULL, 0) == supervisor, "waitpid");
    must(queues_mpmc_stats(jobs, &stats) == QUEUES_OK, "stats");
    printf("%ju requests; %ju times there was no room for one\n", (uintmax_t)requests,
           (uintmax_t)stats.failed_enqueue);
    printf("%ju cells of dead workers came back; %ju second answers were ignored\n",
           (uintmax_t)stats.recovered, (uintmax_t)second_answers);
    queues_mpmc_release(jobs);
    queues_mpmc_release(results);
}

#endif
