/* The part of the servers with epoll that serves sockets. It never waits: while the pool has no
 * room, it does not read from the clients that want some. */
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

#endif
