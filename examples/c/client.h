/* The part of the servers that knows a client: how many bytes of a request came, how many answers
 * are due, and which clients wait for room in the pool. Only the thread of the loop calls it. */
#ifndef CLIENT_H
#define CLIENT_H

#define _GNU_SOURCE
#include "job.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_CLIENTS = 1000 };

/* The index is the client's descriptor, which stays open until all answers are sent. */
static struct client {
    uint32_t request;
    size_t have;         /* bytes of the request that came */
    size_t pending;      /* requests in the pool */
    bool gone;           /* nothing more comes from the client */
    struct client *next; /* the next client that waits for room */
} clients[MAX_CLIENTS];
static struct client *paused, **last_paused = &paused;

static int fd_of(const struct client *client) { return (int)(client - clients); }

/* Returns where the next bytes of the client go. room: how many, at most one request. */
static char *next_bytes(struct client *client, size_t *room) {
    *room = sizeof client->request - client->have;
    return (char *)&client->request + client->have;
}

/* Call it when n bytes came; 0 or less: the client left. Returns whether a request is complete. */
static bool received(struct client *client, ssize_t n) {
    client->gone = n <= 0;
    client->have += n > 0 ? (size_t)n : 0;
    return client->have == sizeof client->request;
}

/* Passes a complete request to the pool, without waiting for room. */
static queues_status_t submit(struct client *client) {
    struct job job = {.answer.number = client->request, .client = client};
    queues_status_t status = put_job(&job);
    if (status == QUEUES_OK) {
        client->pending++;
        client->have = 0;
    }
    return status;
}

/* Adds a client to those that wait for room. Returns whether it is the first. */
static bool pause_client(struct client *client) {
    *last_paused = client;
    last_paused = &client->next;
    client->next = NULL;
    return paused == client;
}

/* Submits the requests of clients that wait, in turn, and calls resumed after each that succeeds.
 * Returns whether clients still wait: then the last put returned FULL. */
static bool resume_clients(void (*resumed)(struct client *)) {
    for (; paused && submit(paused) == QUEUES_OK; paused = paused->next)
        resumed(paused);
    if (!paused)
        last_paused = &paused;
    return paused;
}

/* Returns whether the client has gone and this was its last answer. */
static bool answered(struct client *client) { return --client->pending == 0 && client->gone; }

/* A client that does not read its answers fills its socket, and is disconnected. */
static bool send_answer(const struct job *job) {
    int fd = fd_of(job->client), flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (send(fd, &job->answer, sizeof job->answer, flags) != sizeof job->answer)
        shutdown(fd, SHUT_RDWR);
    return answered(job->client);
}

static int listen_on(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(bind(fd, (struct sockaddr *)&address, sizeof address) == 0, path);
    must(listen(fd, SOMAXCONN) == 0, path);
    return fd;
}

/* Returns the state of an accepted client; NULL if accept failed or there are too many clients. */
static struct client *new_client(int fd) {
    if (fd < 0 || fd >= MAX_CLIENTS)
        return NULL;
    clients[fd] = (struct client){0};
    return &clients[fd];
}

#endif
