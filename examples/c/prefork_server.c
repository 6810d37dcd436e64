/* A server whose workers are processes: epoll waits for clients and for the answers of the workers,
 * which share two queues with this process. Any worker may be killed at any moment; every request
 * still gets exactly one answer. */
#include "epoll.h"
#include "prefork.h"
#include <sys/signalfd.h>

/* Until a get returns EMPTY, which made results_fd unreadable and has looked again. */
static void send_answers(void) {
    struct job job;
    while (get_answer(&job) == QUEUES_OK)
        if (send_answer(&job))
            close(fd_of(job.client));
}

static void stop_reading(void) {
    stopping = true;
    ignore(listener_fd);
    ignore(stop_fd);
    if (paused)
        ignore(room_fd);
}

int main(int argc, char **argv) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* in the workers, too: they end when jobs closes */
    pool_start();
    must(queues_mpmc_readable_fd(results, &results_fd) == QUEUES_OK, "readable_fd");
    must(queues_mpmc_writable_fd(jobs, &room_fd) == QUEUES_OK, "writable_fd");
    stop_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    listener_fd = listen_on(argv[argc - 1]);
    loop = epoll_create1(EPOLL_CLOEXEC);
    watch(listener_fd);
    watch(results_fd);
    watch(stop_fd);
    while (!stopping || pending > 0) {
        struct epoll_event events[64];
        int n = epoll_wait(loop, events, 64, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener_fd)
                accept_client();
            else if (fd == results_fd)
                send_answers();
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
