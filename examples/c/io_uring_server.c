/* A server in one thread: io_uring reads from clients and waits for the results of a pool. The loop
 * never waits in a queue: while the pool has no room, clients that want some are not read from. */
#include "client.h"
#include "pool.h"
#include <liburing.h>
#include <poll.h>

static struct io_uring ring; /* has entries for a read of each client and 4 other operations */
static int listener_fd, results_fd, room_fd, stop_fd;
static bool is_open = true; /* more results may come */

/* The poll completes once, at once if fd is readable. The loop looks, and then watches fd again. */
static void watch(int *fd) {
    struct io_uring_sqe *poll = io_uring_get_sqe(&ring);
    io_uring_prep_poll_add(poll, *fd, POLLIN);
    io_uring_sqe_set_data(poll, fd);
}

static void watch_client(struct client *client) {
    struct io_uring_sqe *read = io_uring_get_sqe(&ring);
    size_t room;
    char *next = next_bytes(client, &room);
    io_uring_prep_recv(read, fd_of(client), next, room, 0);
    io_uring_sqe_set_data(read, client);
}

static void accept_client(int fd) {
    struct io_uring_sqe *accept = io_uring_get_sqe(&ring);
    io_uring_prep_accept(accept, listener_fd, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data(accept, &listener_fd);
    if (new_client(fd))
        watch_client(&clients[fd]);
    else
        close(fd);
}

static void read_client(struct client *client, int n) {
    bool complete = received(client, n);
    queues_status_t status = complete ? submit(client) : QUEUES_OK;
    if (!client->gone && status == QUEUES_OK)
        watch_client(client);
    if (client->gone && client->pending == 0)
        close(fd_of(client));
    /* Only while a client waits for room: usually there is room, so the loop would spin. */
    if (status == QUEUES_FULL && pause_client(client))
        watch(&room_fd);
}

/* Until a put returns FULL, which made room_fd unreadable and looked again, or no client waits. */
static void use_room(void) {
    if (resume_clients(watch_client) && !queues_mpmc_is_closed(jobs))
        watch(&room_fd);
}

/* Until a get returns EMPTY, which made results_fd unreadable and has looked again, or CLOSED. */
static void send_answers(void) {
    struct job job;
    size_t length;
    queues_status_t status;
    while ((status = queues_mpmc_try_get_bytes(results, &job, sizeof job, &length)) == QUEUES_OK)
        if (send_answer(&job))
            close(fd_of(job.client));
    is_open = status == QUEUES_EMPTY;
    if (is_open)
        watch(&results_fd);
}

static void complete(void *what, int result) {
    if (what == &listener_fd)
        accept_client(result);
    else if (what == &results_fd)
        send_answers();
    else if (what == &room_fd)
        use_room();
    else if (what == &stop_fd) /* the workers finish the jobs that are left, then close results */
        queues_mpmc_close(jobs);
    else
        read_client(what, result);
}

int main(int argc, char **argv) {
    errno = -io_uring_queue_init(MAX_CLIENTS + 4, &ring, 0);
    must(errno == 0, "io_uring_queue_init");
    pool_start();
    must(queues_mpmc_readable_fd(results, &results_fd) == QUEUES_OK, "readable_fd");
    must(queues_mpmc_writable_fd(jobs, &room_fd) == QUEUES_OK, "writable_fd");
    must(queues_event_readable_fd(stop, &stop_fd) == QUEUES_OK, "readable_fd");
    listener_fd = listen_on(argv[argc - 1]);
    accept_client(-1);
    watch(&results_fd);
    watch(&stop_fd);
    while (is_open) {
        struct io_uring_cqe *done;
        io_uring_submit_and_wait(&ring, 1);
        for (; io_uring_peek_cqe(&ring, &done) == 0; io_uring_cqe_seen(&ring, done))
            complete(io_uring_cqe_get_data(done), done->res);
    }
    io_uring_queue_exit(&ring);
    pool_finish();
}
