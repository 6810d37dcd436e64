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

static void stop_serving(void) {
    stopping = true;
    stop_reading();
}

int main(int argc, char **argv) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* in the workers, too: they end when jobs closes */
    pool_start();
    stop_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    begin_to_serve(argv[argc - 1]);
    while (!stopping || pending > 0)
        serve(send_answers, stop_serving);
    pool_finish();
}
