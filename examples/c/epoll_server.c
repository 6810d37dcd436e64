/* A server in one thread: epoll waits for clients and for the results of a pool of threads. The
 * loop never waits in a queue. */
#include "epoll.h"
#include "pool.h"

static bool is_open = true;

/* Until a get returns EMPTY, which made results_fd unreadable and has looked again, or CLOSED. */
static void send_answers(void) {
    struct job job;
    size_t length;
    queues_status_t status;
    while ((status = queues_mpmc_try_get_bytes(results, &job, sizeof job, &length)) == QUEUES_OK)
        if (send_answer(&job))
            close(fd_of(job.client));
    is_open = status != QUEUES_CLOSED;
}

/* The workers finish the jobs that are left, then the results are closed. */
static void stop_serving(void) {
    must(queues_mpmc_close(jobs) == QUEUES_OK, "close");
    stop_reading();
}

int main(int argc, char **argv) {
    pool_start();
    must(queues_event_readable_fd(stop, &stop_fd) == QUEUES_OK, "readable_fd");
    begin_to_serve(argv[argc - 1]);
    while (is_open)
        serve(send_answers, stop_serving);
    pool_finish();
}
