/* A server in one thread: epoll waits for clients and for the results of a pool of threads. The
 * loop never waits in a queue. */
#include "epoll.h"
#include "pool.h"

/* Until a get returns EMPTY, which made results_fd unreadable and has looked again, or CLOSED. */
static queues_status_t send_answers(void) {
    struct job job;
    size_t length;
    queues_status_t status;
    while ((status = queues_mpmc_try_get_bytes(results, &job, sizeof job, &length)) == QUEUES_OK)
        if (send_answer(&job))
            close(fd_of(job.client));
    return status;
}

/* No more requests. The workers finish the jobs that are left, then the results are closed. */
static void stop_reading(void) {
    must(queues_mpmc_close(jobs) == QUEUES_OK, "close");
    ignore(listener_fd);
    ignore(stop_fd);
    if (paused)
        ignore(room_fd);
}

int main(int argc, char **argv) {
    pool_start();
    must(queues_mpmc_readable_fd(results, &results_fd) == QUEUES_OK, "readable_fd");
    must(queues_mpmc_writable_fd(jobs, &room_fd) == QUEUES_OK, "writable_fd");
    must(queues_event_readable_fd(stop, &stop_fd) == QUEUES_OK, "readable_fd");
    listener_fd = listen_on(argv[argc - 1]);
    loop = epoll_create1(EPOLL_CLOEXEC);
    watch(listener_fd);
    watch(results_fd);
    watch(stop_fd);
    for (bool open = true; open;) {
        struct epoll_event events[64];
        int n = epoll_wait(loop, events, 64, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener_fd)
                accept_client();
            else if (fd == results_fd)
                open = send_answers() != QUEUES_CLOSED;
            else if (fd == room_fd)
                use_room();
            else if (fd == stop_fd)
                stop_reading();
            else
                read_client(&clients[fd]);
        }
    }
    pool_finish();
}
