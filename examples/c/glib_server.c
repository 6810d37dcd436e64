/* A server in one thread: GLib's main loop waits for clients and for the results of a pool. No call
 * in the loop waits in a queue. While the pool has no room, the loop does not read from the clients
 * that want some. */
#include "client.h"
#include "pool.h"
#include <glib-unix.h>

static GMainLoop *loop;
static guint room_source; /* 0: no client waits for room */

static gboolean read_client(gint fd, GIOCondition condition, gpointer client);

static void watch_client(struct client *client) {
    g_unix_fd_add(fd_of(client), G_IO_IN | G_IO_HUP | G_IO_ERR, read_client, client);
}

static gboolean accept_client(gint listener, GIOCondition condition, gpointer unused) {
    (void)condition, (void)unused;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct client *client = new_client(fd);
    if (client)
        watch_client(client);
    else
        close(fd);
    return G_SOURCE_CONTINUE;
}

/* Until a put returns FULL, which made fd unreadable and looked again, or no client waits. */
static gboolean use_room(gint fd, GIOCondition condition, gpointer unused) {
    (void)fd, (void)condition, (void)unused;
    if (resume_clients(watch_client))
        return G_SOURCE_CONTINUE;
    room_source = 0;
    return G_SOURCE_REMOVE;
}

static void watch_room(void) {
    int fd;
    must(queues_mpmc_writable_fd(jobs, &fd) == QUEUES_OK, "writable_fd");
    room_source = g_unix_fd_add(fd, G_IO_IN, use_room, NULL);
}

static gboolean read_client(gint fd, GIOCondition condition, gpointer data) {
    (void)condition;
    struct client *client = data;
    size_t room;
    char *next = next_bytes(client, &room);
    ssize_t n = recv(fd, next, room, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return G_SOURCE_CONTINUE;
    bool complete = received(client, n);
    queues_status_t status = complete ? submit(client) : QUEUES_OK;
    if (client->gone && client->pending == 0)
        close(fd);
    /* Only while a client waits for room: usually there is room, so the loop would spin. */
    if (status == QUEUES_FULL && pause_client(client))
        watch_room();
    return client->gone || status != QUEUES_OK ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

/* Until a get returns EMPTY, which made fd unreadable and has looked again, or CLOSED. */
static gboolean send_answers(gint fd, GIOCondition condition, gpointer unused) {
    (void)fd, (void)condition, (void)unused;
    struct job job;
    size_t length;
    queues_status_t status;
    while ((status = queues_mpmc_try_get_bytes(results, &job, sizeof job, &length)) == QUEUES_OK)
        if (send_answer(&job))
            close(fd_of(job.client));
    if (status == QUEUES_EMPTY)
        return G_SOURCE_CONTINUE;
    g_main_loop_quit(loop); /* closed */
    return G_SOURCE_REMOVE;
}

/* No more requests. The workers finish the jobs that are left, then the results are closed. */
static gboolean stop_reading(gint fd, GIOCondition condition, gpointer listener) {
    (void)fd, (void)condition;
    must(queues_mpmc_close(jobs) == QUEUES_OK, "close");
    g_source_remove(GPOINTER_TO_UINT(listener));
    if (room_source)
        g_source_remove(room_source);
    return G_SOURCE_REMOVE;
}

int main(int argc, char **argv) {
    int results_fd, stop_fd, listener_fd = listen_on(argv[argc - 1]);
    pool_start();
    must(queues_mpmc_readable_fd(results, &results_fd) == QUEUES_OK, "readable_fd");
    must(queues_event_readable_fd(stop, &stop_fd) == QUEUES_OK, "readable_fd");
    loop = g_main_loop_new(NULL, FALSE);
    guint listener = g_unix_fd_add(listener_fd, G_IO_IN, accept_client, NULL);
    g_unix_fd_add(results_fd, G_IO_IN, send_answers, NULL);
    g_unix_fd_add(stop_fd, G_IO_IN, stop_reading, GUINT_TO_POINTER(listener));
    g_main_loop_run(loop);
    g_main_loop_unref(loop);
    pool_finish();
}
