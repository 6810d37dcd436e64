// Wake-ups: ways to wake a thread that sleeps until an item comes, compared with a bare eventfd. An
// item is a word. The thread that waits takes all items that are there before it sleeps again.
#include "harness.h"

#include <errno.h>
// Results that would only report a lost item are ignored: the words show a lost item, too.
#define QUEUES_WARN_UNUSED
#include <queues.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { CAPACITY = 1024 };

// Passes words from one thread to another.
struct channel {
    queues_mpmc_t *queue;
    queues_mpmc_t *idle; // polled, too, and always empty
    int fd, epoll;
    // For the eventfd alone. Its write and read order the accesses to `words`.
    uint64_t words[CAPACITY], put, got, there;
};

// How an item is put, and how it is waited for.
struct way {
    void (*open)(struct channel *);
    void (*put)(struct channel *, uint64_t word);
    uint64_t (*get)(struct channel *);
};

static void expect(bool holds, const char *what) {
    if (!holds)
        fail(1, what);
}

static void watch(struct channel *c) {
    struct epoll_event event = {.events = EPOLLIN};
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    expect(c->epoll >= 0 && epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0, "epoll");
}
static void wait_for(struct channel *c) {
    struct epoll_event event;
    while (epoll_wait(c->epoll, &event, 1, -1) < 0)
        expect(errno == EINTR, "epoll_wait");
}

// --- an eventfd, which counts the words in an array

static void eventfd_open(struct channel *c) {
    c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    expect(c->fd >= 0, "eventfd");
    watch(c);
}
static void eventfd_put(struct channel *c, uint64_t word) {
    const uint64_t one = 1;
    c->words[c->put++ % CAPACITY] = word;
    expect(write(c->fd, &one, sizeof one) == sizeof one, "write");
}
static uint64_t eventfd_get(struct channel *c) {
    if (c->there == 0) {
        wait_for(c);
        expect(read(c->fd, &c->there, sizeof c->there) == sizeof c->there, "read");
    }
    c->there--;
    return c->words[c->got++ % CAPACITY];
}

// --- a queue

static void queue_open(struct channel *c) {
    const queues_mpmc_options_t options = {.struct_size = sizeof options, .capacity = CAPACITY};
    expect(queues_mpmc_create(&options, &c->queue) == QUEUES_OK, "create");
    expect(queues_mpmc_create(&options, &c->idle) == QUEUES_OK, "create");
}
static void queue_put(struct channel *c, uint64_t word) {
    queues_mpmc_try_put(c->queue, (void *)word);
}
static bool queue_try_get(struct channel *c, void **item) {
    return queues_mpmc_try_get(c->queue, item) == QUEUES_OK;
}

static uint64_t blocking_get(struct channel *c) {
    void *item = NULL;
    queues_mpmc_get(c->queue, &item, -1);
    return (uint64_t)item;
}

static void descriptor_open(struct channel *c) {
    queue_open(c);
    expect(queues_mpmc_readable_fd(c->queue, &c->fd) == QUEUES_OK, "readable_fd");
    watch(c);
}
static uint64_t descriptor_get(struct channel *c) {
    void *item;
    while (!queue_try_get(c, &item))
        wait_for(c);
    return (uint64_t)item;
}

static uint64_t poll_get(struct channel *c) {
    queues_poll_t both[] = {{.queue = c->queue, .events = QUEUES_READABLE},
                            {.queue = c->idle, .events = QUEUES_READABLE}};
    void *item;
    size_t ready;
    while (!queue_try_get(c, &item))
        expect(queues_poll(both, 2, -1, &ready) == QUEUES_OK, "queues_poll");
    return (uint64_t)item;
}

static void close_channel(struct channel *c) {
    if (c->epoll > 0)
        close(c->epoll);
    if (c->fd > 0 && c->queue == NULL)
        close(c->fd);
    queues_mpmc_release(c->queue);
    queues_mpmc_release(c->idle);
}

// --- the cases

// Between two items in one direction: long enough that every consumer sleeps.
enum { GAP_NS = 200000 };

struct wakes {
    const struct way *way;
    struct channel there, back;
    uint64_t items;
};
static struct histogram wake_latencies;

static void wake_ping_pong(void *context, unsigned thread) {
    struct wakes *w = context;
    for (uint64_t i = 1; i <= w->items; i++) {
        if (thread == 0) {
            w->way->put(&w->there, i);
            verify(w->way->get(&w->back) == i, "a round trip returned another word");
        } else {
            const uint64_t word = w->way->get(&w->there);
            verify(word == i, "a get returned another word than was put");
            w->way->put(&w->back, word);
        }
    }
}

// Measures the time from before the put until the consumer has the item.
static void wake_one_way(void *context, unsigned thread) {
    struct wakes *w = context;
    uint64_t last = 0, due = now();
    for (uint64_t i = 0; i < w->items; i++) {
        if (thread == 0) {
            due += GAP_NS;
            wait_until(due, 2);
            w->way->put(&w->there, now());
        } else {
            const uint64_t put = w->way->get(&w->there), time = now();
            verify(put > last, "an item came twice, or too early");
            last = put;
            // The first tenth is warm-up.
            if (i >= w->items / 10)
                record(&wake_latencies, time - put);
        }
    }
}

static bool wake_run(const struct way *way, const struct case_spec *s, struct measurement *m) {
    const bool both = is(s->mode, "pingpong");
    struct wakes w = {.way = way};
    way->open(&w.there);
    way->open(&w.back);
    w.items = s->items / 10;
    if (both)
        timed(2, wake_ping_pong, &w);
    w.items = s->items;
    m->seconds = timed(2, both ? wake_ping_pong : wake_one_way, &w);
    m->items = s->items;
    m->latency = both ? NULL : &wake_latencies;
    close_channel(&w.there);
    close_channel(&w.back);
    return true;
}

#define WAY(name, open, put, get)                                                                  \
    static bool name##_run(const struct case_spec *s, struct measurement *m) {                     \
        static const struct way way = {open, put, get};                                            \
        return wake_run(&way, s, m);                                                               \
    }
WAY(eventfd, eventfd_open, eventfd_put, eventfd_get)
WAY(blocking, queue_open, queue_put, blocking_get)
WAY(descriptor, descriptor_open, queue_put, descriptor_get)
WAY(poll, queue_open, queue_put, poll_get)

static const char *const wake_cases[] = {"wake", NULL};

const struct contestant wakes[] = {
    {"eventfd alone, epoll", "Linux", NULL, wake_cases, eventfd_run, false},
    {"queues_mpmc readable_fd, epoll", QUEUES_VERSION, NULL, wake_cases, descriptor_run, true},
    {"queues_mpmc get", QUEUES_VERSION, NULL, wake_cases, blocking_run, true},
    {"queues_poll of 2 queues", QUEUES_VERSION, NULL, wake_cases, poll_run, true},
    {.name = NULL},
};
