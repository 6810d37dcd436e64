// Adapters for what the kernel offers between processes: a pipe, a pair of datagram sockets and a
// POSIX message queue. Each moves an item with one system call a side.
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

// Two descriptors that the processes inherit: for putting and for getting.
struct descriptors {
    int in, out;
};

#define INHERITED(name)                                                                            \
    static struct descriptors *name##_attach(struct descriptors *d, size_t capacity,               \
                                             size_t size) {                                        \
        (void)capacity;                                                                            \
        (void)size;                                                                                \
        return d;                                                                                  \
    }                                                                                              \
    static void name##_detach(struct descriptors *d) { (void)d; }                                  \
    static void name##_release(struct descriptors *d) {                                            \
        close(d->in);                                                                              \
        close(d->out);                                                                             \
        free(d);                                                                                   \
    }

static struct descriptors *new_descriptors(int in, int out) {
    struct descriptors *d = malloc(sizeof *d);
    *d = (struct descriptors){in, out};
    return d;
}

// Ends the program unless a call moved a whole item.
static inline void expect_whole(ssize_t moved, size_t size) {
    if (moved != (ssize_t)size)
        fail(1, moved < 0 ? "a system call failed" : "a system call moved a part of an item");
}

// --- pipe: writes of up to 4096 bytes are atomic, and reads take whole items, since they are of
// the same size

static struct descriptors *pipe_create(size_t capacity, size_t size) {
    int ends[2];
    if (pipe(ends) != 0 || fcntl(ends[0], F_SETPIPE_SZ, capacity * size) < 0)
        fail(1, "no pipe of that capacity");
    return new_descriptors(ends[1], ends[0]);
}
INHERITED(pipe)
static inline void pipe_put(struct descriptors *d, const void *item, size_t size) {
    expect_whole(write(d->in, item, size), size);
}
static inline void pipe_get(struct descriptors *d, void *item, size_t size) {
    expect_whole(read(d->out, item, size), size);
}
#define QUEUE pipe
#define SHARED struct descriptors
#define HANDLE struct descriptors
#define HAS_BLOCKING 1
#define THREADS 0
#include "processes.h"

// --- a pair of datagram sockets, whose capacity is in bytes

static struct descriptors *datagram_create(size_t capacity, size_t size) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0)
        fail(1, "no socket pair");
    // A datagram counts with the memory that the kernel allocates: a power of two for the item and
    // 320 bytes, and 256 bytes. The kernel doubles the value. Without privileges
    // net.core.wmem_max limits it.
    size_t memory = 512;
    while (memory < size + 320)
        memory *= 2;
    const int bytes = (int)(capacity * (memory + 256) / 2);
    if (setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return new_descriptors(ends[0], ends[1]);
}
INHERITED(datagram)
static inline void datagram_put(struct descriptors *d, const void *item, size_t size) {
    expect_whole(send(d->in, item, size, 0), size);
}
static inline void datagram_get(struct descriptors *d, void *item, size_t size) {
    expect_whole(recv(d->out, item, size, 0), size);
}
#define QUEUE datagram
#define SHARED struct descriptors
#define HANDLE struct descriptors
#define HAS_BLOCKING 1
#define THREADS 0
#include "processes.h"

// --- POSIX message queue

static long number_in_file(const char *path) {
    FILE *file = fopen(path, "r");
    long number = 0;
    if (file != NULL && fscanf(file, "%ld", &number) != 1)
        number = 0;
    if (file != NULL)
        fclose(file);
    return number;
}

static struct descriptors *mqueue_create(size_t capacity, size_t size) {
    // The limit of a user's bytes in all such queues. Only root may raise it, and exceed msg_max.
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MSGQUEUE, &unlimited);
    char name[32];
    snprintf(name, sizeof name, "/versus-%d", (int)getpid());
    struct mq_attr attributes = {.mq_maxmsg = (long)capacity, .mq_msgsize = (long)size};
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    if (queue == (mqd_t)-1 && (errno == EINVAL || errno == EMFILE)) {
        attributes.mq_maxmsg = number_in_file("/proc/sys/fs/mqueue/msg_max");
        queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    }
    if (queue == (mqd_t)-1)
        fail(1, "mq_open failed");
    mq_unlink(name);
    return new_descriptors(queue, dup(queue));
}
INHERITED(mqueue)
static inline void mqueue_put(struct descriptors *d, const void *item, size_t size) {
    if (mq_send(d->in, item, size, 0) != 0)
        fail(1, "mq_send failed");
}
static inline void mqueue_get(struct descriptors *d, void *item, size_t size) {
    expect_whole(mq_receive(d->out, item, size, NULL), size);
}
#define QUEUE mqueue
#define SHARED struct descriptors
#define HANDLE struct descriptors
#define HAS_BLOCKING 1
#define THREADS 0
#include "processes.h"

static const char *const cases[] = {PROCESS, PROCESS_KILL, NULL};

const struct contestant kernel_queues[] = {
    {"pipe", "Linux", NULL, cases, pipe_process, false},
    {"Unix datagram pair", "Linux", NULL, cases, datagram_process, false},
    {"POSIX message queue", "Linux", NULL, cases, mqueue_process, false},
    {.name = NULL},
};
