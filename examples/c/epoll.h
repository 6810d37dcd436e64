/* The part of the servers with epoll that serves sockets. It never waits in a queue: while the pool
 * has no room, it does not read from the clients that want some. */
#ifndef EPOLL_H
#define EPOLL_H

#include "client.h"
#include <sys/epoll.h>

static int loop, listener_fd, results_fd, room_fd, stop_fd;

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    must(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}
static void ignore(int fd) { must(epoll_ctl(loop, EPOLL_CTL_DEL, fd, NULL) == 0, "epoll_ctl"); }
static void watch_client(struct client *client) { watch(fd_of(client)); }

static void accept_client(void) {
    int fd = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC);
    struct client *client = new_client(fd);
    if (client)
        watch_client(client);
    else
        close(fd);
}

static void read_client(struct client *client) {
    size_t room;
    char *next = next_bytes(client, &room);
    ssize_t n = recv(fd_of(client), next, room, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    bool complete = received(client, n);
    queues_status_t status = complete ? submit(client) : QUEUES_OK;
    if (client->gone || status != QUEUES_OK)
        ignore(fd_of(client));
    if (client->gone && client->pending == 0)
        close(fd_of(client));
    /* Only while a client waits for room: usually there is room, so the loop would spin. */
    if (status == QUEUES_FULL && pause_client(client))
        watch(room_fd);
}

/* Until a put returns FULL, which made room_fd unreadable and looked again, or no client waits. */
static void use_room(void) {
    if (!resume_clients(watch_client))
        ignore(room_fd);
}

/* No more requests: later only answers are sent. */
static void stop_reading(void) {
    ignore(listener_fd);
    ignore(stop_fd);
    if (paused)
        ignore(room_fd);
}

/* Call it before the first serve, with stop_fd open. */
static void begin_to_serve(const char *path) {
    must(queues_mpmc_readable_fd(results, &results_fd) == QUEUES_OK, "readable_fd");
    must(queues_mpmc_writable_fd(jobs, &room_fd) == QUEUES_OK, "writable_fd");
    listener_fd = listen_on(path);
    loop = epoll_create1(EPOLL_CLOEXEC);
    watch(listener_fd);
    watch(results_fd);
    watch(stop_fd);
}

/* Waits once, and serves what is ready. */
static void serve(void (*send_answers)(void), void (*stop)(void)) {
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
            stop();
        else
            read_client(&clients[fd]);
    }
}

#endif
