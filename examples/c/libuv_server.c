/* A server in one thread: libuv waits for clients and for the results of a pool. No callback waits
 * in a queue. While the pool has no room, the loop does not read from clients that want some. */
#include "client.h"
#include "pool.h"
#include <uv.h>

static uv_poll_t results_poll, room_poll, stop_poll;
static uv_pipe_t listener, *pipes[MAX_CLIENTS]; /* of each client */

static void free_pipe(uv_handle_t *pipe) { free(pipe); }
static void close_client(struct client *client) {
    uv_close((uv_handle_t *)pipes[fd_of(client)], free_pipe);
}

static void use_room(uv_poll_t *poll, int status, int events);

static void give_memory(uv_handle_t *pipe, size_t suggested, uv_buf_t *buffer) {
    (void)suggested; /* at most one request */
    buffer->base = next_bytes(pipe->data, &buffer->len);
}

static void read_client(uv_stream_t *pipe, ssize_t n, const uv_buf_t *buffer) {
    (void)buffer;
    struct client *client = pipe->data;
    bool complete = n != 0 && received(client, n); /* 0: nothing yet */
    queues_status_t status = complete ? submit(client) : QUEUES_OK;
    if (client->gone || status != QUEUES_OK)
        uv_read_stop(pipe);
    if (client->gone && client->pending == 0)
        close_client(client);
    /* Only while a client waits for room: usually there is room, so the loop would spin. */
    if (status == QUEUES_FULL && pause_client(client))
        must(uv_poll_start(&room_poll, UV_READABLE, use_room) == 0, "uv_poll_start");
}

static void watch_client(struct client *client) {
    uv_stream_t *pipe = (uv_stream_t *)pipes[fd_of(client)];
    must(uv_read_start(pipe, give_memory, read_client) == 0, "uv_read_start");
}

/* Until a put returns FULL, which made room_fd unreadable and looked again, or no client waits. */
static void use_room(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    if (!resume_clients(watch_client))
        uv_poll_stop(poll);
}

static void accept_client(uv_stream_t *server, int status) {
    uv_pipe_t *pipe = malloc(sizeof *pipe);
    int fd = -1;
    must(pipe && status == 0 && uv_pipe_init(server->loop, pipe, 0) == 0, "pipe");
    if (uv_accept(server, (uv_stream_t *)pipe) == 0)
        uv_fileno((uv_handle_t *)pipe, &fd);
    if ((pipe->data = new_client(fd))) {
        pipes[fd] = pipe;
        watch_client(pipe->data);
    } else
        uv_close((uv_handle_t *)pipe, free_pipe);
}

/* Until a get returns EMPTY, which made the descriptor unreadable and looked again, or CLOSED. */
static void send_answers(uv_poll_t *poll, int unused, int events) {
    (void)poll, (void)unused, (void)events;
    queues_status_t status;
    struct job job;
    size_t length;
    while ((status = queues_mpmc_try_get_bytes(results, &job, sizeof job, &length)) == QUEUES_OK)
        if (send_answer(&job))
            close_client(job.client);
    if (status == QUEUES_CLOSED)
        uv_stop(uv_default_loop());
}

/* No more requests. The workers finish the jobs that are left, then the results are closed. */
static void stop_reading(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    must(queues_mpmc_close(jobs) == QUEUES_OK, "close");
    uv_close((uv_handle_t *)&listener, NULL);
    uv_poll_stop(&room_poll);
    uv_poll_stop(poll);
}

int main(int argc, char **argv) {
    int results_fd, room_fd, stop_fd;
    pool_start();
    must(queues_mpmc_readable_fd(results, &results_fd) == QUEUES_OK, "readable_fd");
    must(queues_mpmc_writable_fd(jobs, &room_fd) == QUEUES_OK, "writable_fd");
    must(queues_event_readable_fd(stop, &stop_fd) == QUEUES_OK, "readable_fd");
    uv_loop_t *loop = uv_default_loop();
    uv_poll_init(loop, &results_poll, results_fd);
    uv_poll_init(loop, &room_poll, room_fd);
    uv_poll_init(loop, &stop_poll, stop_fd);
    uv_poll_start(&results_poll, UV_READABLE, send_answers);
    uv_poll_start(&stop_poll, UV_READABLE, stop_reading);
    uv_pipe_init(loop, &listener, 0);
    must(uv_pipe_open(&listener, listen_on(argv[argc - 1])) == 0, "uv_pipe_open");
    must(uv_listen((uv_stream_t *)&listener, SOMAXCONN, accept_client) == 0, "uv_listen");
    uv_run(loop, UV_RUN_DEFAULT);
    pool_finish();
}
