/* After creation no function makes a system call, except to wait, to wake and to read the clock,
 * and none allocates or frees, except the push that grows a deque and the release that may be the
 * last. Every function of the header runs in a process that a seccomp filter kills at any other
 * system call, and whose malloc and free end it. A second process does the same with queues whose
 * descriptors were requested: it may also signal them, reset them and set their timers.
 *
 * These processes are children. They cannot print, so they leave notes in memory that the parent
 * reads. The argument is the list of exported symbols. A new function must be added to the calls of
 * its family below: until then this test fails and names it. */
#include "check.h"
#include "heap.h"
#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    THREADS = 8, /* the main thread is the first */
    ROUNDS = 4,  /* each with new queues */
    TURNS = 40,  /* how often a thread makes all calls in a round */
    CAPACITY = 4,
    ITEM = 100, /* bytes: more than the priority queue copies while it holds its lock */
    FUNCTIONS = 400,
    NAME = 64,
};

enum { SYS_FUTEX_WAITV = 449 }; /* on all 64-bit processors but MIPS; older headers lack it */
/* F_OFD_GETLK and F_OFD_SETLK, which <fcntl.h> has only for _GNU_SOURCE: whether another process
 * lives, and at the last release. */
enum { OFD_GETLK = 36, OFD_SETLK = 37 };

/* --- the notes of the child */

/* When a function was called: before the sandbox, in it by one thread, in it by several. */
enum { ALONE = 1, TOGETHER = 2, BEFORE = 4 };

static struct notes {
    char functions[FUNCTIONS][NAME];
    size_t count;
    _Atomic unsigned char called[FUNCTIONS];
    _Atomic(const char *) inside[THREADS];  /* literals: at the same addresses in the parent */
    _Atomic size_t slept_in_lock[2];        /* priority, batch */
    _Atomic size_t signals, resets, timers; /* of descriptors */
    char failure[400];
    atomic_bool failed, done;
} * notes;

static _Thread_local unsigned self;
static _Thread_local const char *inside = "no call";
static _Thread_local bool may_allocate, may_free;
static _Thread_local bool calls_shared; /* a queue that processes share */
static atomic_bool sandboxed;
static _Atomic int phase = BEFORE;
static bool with_descriptors; /* whether this is the second process */

/* Ends the process; the parent prints the message. */
_Noreturn static void fail(const char *what, const char *more) {
    if (!atomic_exchange(&notes->failed, true)) {
        strncat(notes->failure, what, sizeof notes->failure / 2);
        strncat(notes->failure, more, sizeof notes->failure / 2 - 1);
    }
    for (;;)
        _exit(1);
}

static void *allocate(size_t alignment, size_t size) {
    if (sandboxed && !may_allocate)
        fail("an allocation in ", inside);
    return take(alignment, size);
}

static void deallocate(void *memory) {
    (void)memory;
    if (sandboxed && !may_free)
        fail("memory freed in ", inside);
}

/* The library may look symbols up at creation, where it finds none, and not later. */
void *dlsym(void *library, const char *name) {
    (void)library;
    if (sandboxed)
        fail("a symbol looked up after creation: ", name);
    return NULL;
}

#ifdef __x86_64__
/* Called for thread-local variables of a library. In a library that was loaded by dlopen a thread's
 * first use of one allocates, so no call may use any. */
void *__tls_get_addr(void *index);
void *__tls_get_addr(void *index) {
    if (sandboxed)
        fail("a thread-local variable used in ", inside);
    void *(*real)(void *);
    *(void **)&real = dlvsym(RTLD_NEXT, "__tls_get_addr", "GLIBC_2.3");
    CHECK(real);
    return real(index);
}
#endif

/* Records whether calls that never wait have slept, which they do only to take a lock. The test
 * goes on until that has happened for both locks. The library makes its system calls by this
 * function. */
static long (*real_syscall)(long, ...);
long syscall(long number, ...) {
    long a[6];
    va_list list;
    va_start(list, number);
    for (size_t i = 0; i < LENGTH(a); i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (sandboxed && number == SYS_FUTEX_WAITV && strcmp(inside, "queues_poll") != 0)
        fail("futex_waitv in ", inside);
    /* Only queues with descriptors, and a timer only for a batch. */
    notes->signals += number == SYS_write;
    notes->resets += number == SYS_read;
    notes->timers += number == SYS_timerfd_settime;
    if (sandboxed && number == SYS_timerfd_settime && strncmp(inside, "queues_batch_", 13) != 0 &&
        strcmp(inside, "queues_poll") != 0)
        fail("a timer set in ", inside);
    if (sandboxed && number == SYS_futex && !(a[1] & FUTEX_PRIVATE_FLAG) && !calls_shared)
        fail("a futex that is not private in ", inside);
    if (sandboxed && number == SYS_futex && (a[1] & FUTEX_CMD_MASK) != FUTEX_WAKE) {
        notes->slept_in_lock[0] += strncmp(inside, "queues_priority_try_", 20) == 0;
        notes->slept_in_lock[1] += strncmp(inside, "queues_batch_get_due", 20) == 0;
    }
    return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int close(int fd) {
    if (sandboxed && !may_free)
        fail("a descriptor closed in ", inside);
    return (int)real_syscall(SYS_close, fd);
}

int munmap(void *memory, size_t size) {
    if (sandboxed && !may_free)
        fail("memory unmapped in ", inside);
    return (int)real_syscall(SYS_munmap, memory, size);
}

static void enter(const char *name) {
    notes->inside[self] = inside = name;
    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->functions[i], name) == 0) {
            notes->called[i] |= (unsigned char)phase;
            return;
        }
    fail("not in the list of symbols: ", name);
}

static queues_status_t expected(queues_status_t status) {
    if (status < QUEUES_OK)
        fail(queues_status_string(status), inside);
    return status;
}

static void granted(queues_status_t status) {
    if (status != QUEUES_OK)
        fail(queues_status_string(status), inside);
}

/* A call whose status must be no failure, one that must return OK, one that returns no status. */
#define TRY(function, ...) expected((enter(#function), function(__VA_ARGS__)))
#define OK(function, ...) granted((enter(#function), function(__VA_ARGS__)))
#define ASK(function, ...) (enter(#function), function(__VA_ARGS__))

#define RETAIN(function, queue)                                                                    \
    do {                                                                                           \
        if (ASK(function, queue) != (queue))                                                       \
            fail("no reference from ", inside);                                                    \
    } while (0)

/* The last release of a queue frees memory. */
#define RELEASE(function, queue)                                                                   \
    do {                                                                                           \
        may_free = true;                                                                           \
        ASK(function, queue);                                                                      \
        may_free = false;                                                                          \
    } while (0)

/* --- the queues of a round */

typedef struct {
    queues_mpmc_t *mpmc, *mpmc_bytes, *mpmc_shared;
    queues_priority_t *priority, *priority_bytes;
    queues_batch_t *batch, *batch_bytes;
    queues_spsc_t *spsc[4]; /* pointers, bytes; the same checked */
    queues_spsc_t *spsc_shared;
    queues_deque_t *deque[6]; /* pointers, bytes; the same growing, and checked */
    queues_event_t *event;
} set_t;

/* The descriptors of all queues of a set: the first call makes them. */
#define DESCRIPTOR(function, queue) OK(function, queue, &(int){-1})

static void descriptors(const set_t *s) {
    for (size_t bytes = 0; bytes <= 1; bytes++) {
        DESCRIPTOR(queues_mpmc_readable_fd, bytes ? s->mpmc_bytes : s->mpmc);
        DESCRIPTOR(queues_mpmc_writable_fd, bytes ? s->mpmc_bytes : s->mpmc);
        DESCRIPTOR(queues_priority_readable_fd, bytes ? s->priority_bytes : s->priority);
        DESCRIPTOR(queues_priority_writable_fd, bytes ? s->priority_bytes : s->priority);
        DESCRIPTOR(queues_batch_readable_fd, bytes ? s->batch_bytes : s->batch);
        DESCRIPTOR(queues_batch_writable_fd, bytes ? s->batch_bytes : s->batch);
    }
    for (size_t i = 0; i < LENGTH(s->spsc); i++) {
        DESCRIPTOR(queues_spsc_readable_fd, s->spsc[i]);
        DESCRIPTOR(queues_spsc_writable_fd, s->spsc[i]);
    }
    for (size_t i = 0; i < LENGTH(s->deque); i++)
        DESCRIPTOR(queues_deque_stealable_fd, s->deque[i]);
    DESCRIPTOR(queues_event_readable_fd, s->event);
}

static _Atomic size_t dropped;
static void drop(void *ctx, void *item) {
    (void)item;
    const char *caller = inside; /* a callback may call the library */
    ASK(queues_mpmc_size, *(queues_mpmc_t **)ctx);
    inside = caller;
    dropped++;
}

#define CREATE_WITH_DROP(family, queue, ...)                                                       \
    OK(queues_##family##_create,                                                                   \
       &(queues_##family##_options_t){.struct_size = sizeof(queues_##family##_options_t),          \
                                      .drop = drop,                                                \
                                      .drop_ctx = &outlives,                                       \
                                      __VA_ARGS__},                                                \
       queue)

static queues_mpmc_t *outlives; /* outlives the other queues, whose drop callback calls it */

/* Opens a queue in a new file of memory, which has no other name. */
#define OPEN_SHARED(family, queue, ...)                                                            \
    do {                                                                                           \
        int file = (int)real_syscall(SYS_memfd_create, "queue", 0);                                \
        CHECK(file >= 0);                                                                          \
        OK(queues_##family##_open_shared,                                                          \
           &(queues_##family##_options_t){.struct_size = sizeof(queues_##family##_options_t),      \
                                          __VA_ARGS__},                                            \
           file, queue);                                                                           \
        close(file);                                                                               \
    } while (0)

static void create(set_t *s) {
    for (size_t bytes = 0; bytes <= 1; bytes++) {
        const size_t size = bytes ? ITEM : 0;
        CREATE_WITH_DROP(mpmc, bytes ? &s->mpmc_bytes : &s->mpmc, .capacity = CAPACITY,
                         .item_size = size);
        CREATE_WITH_DROP(priority, bytes ? &s->priority_bytes : &s->priority, .capacity = CAPACITY,
                         .item_size = size);
        CREATE_WITH_DROP(batch, bytes ? &s->batch_bytes : &s->batch, .max_pending = CAPACITY,
                         .batch_size = 2, .batch_timeout_ns = 100000, .batch_weight = 10,
                         .item_size = size);
        for (size_t checked = 0; checked <= 1; checked++)
            CREATE_WITH_DROP(spsc, &s->spsc[2 * checked + bytes], .capacity = CAPACITY,
                             .item_size = size, .flags = checked ? QUEUES_SPSC_CHECKED : 0);
        static const uint64_t flags[] = {0, QUEUES_DEQUE_GROWABLE, QUEUES_DEQUE_CHECKED};
        for (size_t i = 0; i < LENGTH(flags); i++)
            CREATE_WITH_DROP(deque, &s->deque[2 * i + bytes], .capacity = CAPACITY,
                             .item_size = size, .flags = flags[i]);
    }
    OPEN_SHARED(mpmc, &s->mpmc_shared, .capacity = CAPACITY, .item_size = ITEM);
    OPEN_SHARED(spsc, &s->spsc_shared, .capacity = CAPACITY, .item_size = ITEM);
    OK(queues_event_create, &s->event);
    if (with_descriptors)
        descriptors(s);
}

/* --- the calls of each family, with the timeout `t`. Their results depend on the other threads. */

static char blob[ITEM];

static void mpmc_calls(queues_mpmc_t *q, int64_t t) {
    void *items[CAPACITY + 1] = {NULL};
    size_t n;
    TRY(queues_mpmc_try_put, q, items);
    TRY(queues_mpmc_put, q, NULL, t);
    TRY(queues_mpmc_peek, q, items);
    TRY(queues_mpmc_try_get, q, items);
    TRY(queues_mpmc_get, q, items, t);
    TRY(queues_mpmc_get, q, items, t);
    TRY(queues_mpmc_put_many, q, items, LENGTH(items), t, &n);
    TRY(queues_mpmc_get_many, q, items, 2, t, &n);
    TRY(queues_mpmc_put, q, NULL, t);
    TRY(queues_mpmc_clear, q, &n);
}

static void mpmc_bytes_calls(queues_mpmc_t *q, int64_t t) {
    char buffer[ITEM];
    size_t n;
    TRY(queues_mpmc_try_put_bytes, q, blob, ITEM);
    TRY(queues_mpmc_put_bytes, q, blob, 1, t);
    TRY(queues_mpmc_peek_bytes, q, buffer, ITEM, &n);
    TRY(queues_mpmc_try_get_bytes, q, buffer, 1, &n); /* TOO_SMALL, if an item is there */
    TRY(queues_mpmc_get_bytes, q, buffer, ITEM, &n, t);
    TRY(queues_mpmc_get_bytes, q, buffer, ITEM, &n, t);
    TRY(queues_mpmc_put_bytes, q, blob, ITEM, t);
    TRY(queues_mpmc_clear, q, &n);

    void *data;
    if (TRY(queues_mpmc_reserve, q, &data, t) == QUEUES_OK)
        OK(queues_mpmc_cancel, q, data);
    for (int i = 0; i < 2; i++)
        if (TRY(queues_mpmc_reserve, q, &data, t) == QUEUES_OK &&
            TRY(queues_mpmc_commit, q, data, ITEM) != QUEUES_OK)
            OK(queues_mpmc_cancel, q, data);
    if (TRY(queues_mpmc_lease, q, &data, &n, t) == QUEUES_OK &&
        TRY(queues_mpmc_return, q, data) != QUEUES_OK)
        OK(queues_mpmc_settle, q, data);
    if (TRY(queues_mpmc_lease, q, &data, &n, t) == QUEUES_OK)
        OK(queues_mpmc_settle, q, data);
}

static void priority_calls(queues_priority_t *q, int64_t t) {
    void *item = NULL;
    double rank;
    size_t n;
    TRY(queues_priority_try_put, q, item, 2);
    TRY(queues_priority_put, q, item, 1, t);
    TRY(queues_priority_peek, q, &item, &rank);
    TRY(queues_priority_try_get, q, &item, &rank);
    TRY(queues_priority_get, q, &item, &rank, t);
    TRY(queues_priority_get, q, &item, &rank, t);
    TRY(queues_priority_put, q, item, 1, t);
    TRY(queues_priority_clear, q, &n);
}

static void priority_bytes_calls(queues_priority_t *q, int64_t t) {
    char buffer[ITEM];
    double rank;
    size_t n;
    TRY(queues_priority_try_put_bytes, q, blob, ITEM, 2);
    TRY(queues_priority_put_bytes, q, blob, 1, 1, t);
    TRY(queues_priority_peek_bytes, q, buffer, ITEM, &n, &rank);
    TRY(queues_priority_try_get_bytes, q, buffer, 1, &n, &rank);
    TRY(queues_priority_get_bytes, q, buffer, ITEM, &n, &rank, t);
    TRY(queues_priority_get_bytes, q, buffer, ITEM, &n, &rank, t);
    TRY(queues_priority_put_bytes, q, blob, ITEM, 1, t);
    TRY(queues_priority_clear, q, &n);
}

static void batch_calls(queues_batch_t *q, int64_t t) {
    void *items[CAPACITY];
    size_t n;
    TRY(queues_batch_try_put, q, NULL);
    TRY(queues_batch_put, q, NULL, t);
    TRY(queues_batch_put_weighted, q, NULL, 20, t);
    TRY(queues_batch_get_due, q, items, CAPACITY, &n);
    TRY(queues_batch_flush, q);
    TRY(queues_batch_get_batch, q, items, 1, &n, t);
    TRY(queues_batch_get_batch, q, items, CAPACITY, &n, t);
    TRY(queues_batch_get_batch, q, items, CAPACITY, &n, t);
    TRY(queues_batch_put, q, NULL, t);
    TRY(queues_batch_clear, q, &n);
}

static void batch_bytes_calls(queues_batch_t *q, int64_t t) {
    char buffer[CAPACITY * ITEM];
    queues_batch_blob_t blobs[CAPACITY];
    size_t n, len;
    TRY(queues_batch_try_put_bytes, q, blob, ITEM);
    TRY(queues_batch_put_bytes, q, blob, 1, t);
    TRY(queues_batch_put_weighted_bytes, q, blob, 1, 20, t);
    TRY(queues_batch_get_due_bytes, q, buffer, sizeof buffer, &len, blobs, CAPACITY, &n);
    TRY(queues_batch_get_batch_bytes, q, buffer, 0, &len, blobs, CAPACITY, &n, t);
    TRY(queues_batch_get_batch_bytes, q, buffer, sizeof buffer, &len, blobs, CAPACITY, &n, t);
    TRY(queues_batch_put_bytes, q, blob, ITEM, t);
    TRY(queues_batch_clear, q, &n);
}

static void spsc_producer_calls(queues_spsc_t *q, int64_t t) {
    void *items[CAPACITY + 1] = {NULL};
    size_t n;
    TRY(queues_spsc_try_put, q, NULL);
    TRY(queues_spsc_put, q, NULL, t);
    TRY(queues_spsc_put_many, q, items, LENGTH(items), t, &n);
}

static void spsc_consumer_calls(queues_spsc_t *q, int64_t t) {
    void *items[CAPACITY];
    size_t n;
    TRY(queues_spsc_peek, q, items);
    TRY(queues_spsc_try_get, q, items);
    TRY(queues_spsc_get, q, items, t);
    TRY(queues_spsc_get_many, q, items, 2, t, &n);
    TRY(queues_spsc_clear, q, &n);
    TRY(queues_spsc_get, q, items, t);
}

static void spsc_bytes_producer_calls(queues_spsc_t *q, int64_t t) {
    void *place;
    TRY(queues_spsc_try_put_bytes, q, blob, ITEM);
    TRY(queues_spsc_put_bytes, q, blob, 1, t);
    if (TRY(queues_spsc_reserve, q, &place, t) == QUEUES_OK)
        TRY(queues_spsc_commit, q, 1);
    TRY(queues_spsc_put_bytes, q, blob, ITEM, t);
}

static void spsc_bytes_consumer_calls(queues_spsc_t *q, int64_t t) {
    char buffer[ITEM];
    const void *front;
    size_t n;
    TRY(queues_spsc_peek_bytes, q, buffer, ITEM, &n);
    TRY(queues_spsc_try_get_bytes, q, buffer, 1, &n);
    TRY(queues_spsc_get_bytes, q, buffer, ITEM, &n, t);
    if (TRY(queues_spsc_front, q, &front, &n, t) == QUEUES_OK)
        TRY(queues_spsc_consume, q);
    TRY(queues_spsc_clear, q, &n);
    TRY(queues_spsc_get_bytes, q, buffer, ITEM, &n, t);
}

/* Makes a growable deque grow; the others are full before. */
static void deque_owner_calls(queues_deque_t *d, bool grows) {
    void *item = NULL;
    may_allocate = grows;
    for (int i = 0; i <= CAPACITY; i++)
        TRY(queues_deque_push, d, item);
    may_allocate = false;
    for (int i = 0; i < 2; i++)
        TRY(queues_deque_pop, d, &item);
}

static void deque_thief_calls(queues_deque_t *d) {
    void *items[CAPACITY];
    size_t n;
    TRY(queues_deque_steal, d, items);
    TRY(queues_deque_steal_many, d, items, CAPACITY, &n);
}

static void deque_bytes_owner_calls(queues_deque_t *d, bool grows) {
    char buffer[ITEM];
    size_t n;
    may_allocate = grows;
    for (int i = 0; i <= CAPACITY; i++)
        TRY(queues_deque_push_bytes, d, blob, ITEM);
    may_allocate = false;
    for (int i = 0; i < 2; i++)
        TRY(queues_deque_pop_bytes, d, buffer, ITEM, &n);
}

static void deque_bytes_thief_calls(queues_deque_t *d) {
    char buffer[ITEM];
    size_t n;
    for (int i = 0; i < 3; i++)
        TRY(queues_deque_steal_bytes, d, buffer, ITEM, &n);
}

static void event_calls(queues_event_t *event, int64_t t) {
    OK(queues_event_set, event);
    ASK(queues_event_is_set, event);
    TRY(queues_event_wait, event, t);
    OK(queues_event_reset, event);
    TRY(queues_event_wait, event, t);
    ASK(queues_event_release, ASK(queues_event_retain, event));
}

/* Polls all that can become readable, and some that are soon writable. */
static void poll_calls(const set_t *s, int64_t t) {
    queues_poll_t polls[] = {
        {s->mpmc, QUEUES_READABLE, 0},     {s->mpmc_bytes, QUEUES_READABLE, 0},
        {s->priority, QUEUES_READABLE, 0}, {s->priority_bytes, QUEUES_READABLE, 0},
        {s->batch, QUEUES_READABLE, 0},    {s->batch_bytes, QUEUES_READABLE, 0},
        {s->spsc[0], QUEUES_READABLE, 0},  {s->deque[0], QUEUES_READABLE, 0},
        {s->event, QUEUES_READABLE, 0},    {s->mpmc, QUEUES_READABLE | QUEUES_WRITABLE, 0},
    };
    size_t ready;
    TRY(queues_poll, polls, LENGTH(polls) - 1, t, &ready);
    TRY(queues_poll, polls, LENGTH(polls), t, &ready);
    TRY(queues_poll, polls, 1, 0, &ready);
}

/* The calls that any thread may make. A retain and a release together free nothing. */
#define STATISTICS(family, q)                                                                      \
    OK(queues_##family##_stats, q, &statistics[0]);                                                \
    ASK(queues_##family##_release, ASK(queues_##family##_retain, q))

static void observer_calls(const set_t *s) {
    queues_stats_t statistics[2] = {{.struct_size = sizeof *statistics},
                                    {.struct_size = sizeof *statistics}};
    const char *names[] = {"sandbox", "\"with\\all\nkinds of letters"};
    char text[4096];
    size_t n;
    for (size_t bytes = 0; bytes <= 1; bytes++) {
        queues_mpmc_t *mpmc = bytes ? s->mpmc_bytes : s->mpmc;
        ASK(queues_mpmc_size, mpmc);
        ASK(queues_mpmc_capacity, mpmc);
        ASK(queues_mpmc_item_size, mpmc);
        ASK(queues_mpmc_is_closed, mpmc);
        STATISTICS(mpmc, mpmc);
        queues_priority_t *priority = bytes ? s->priority_bytes : s->priority;
        ASK(queues_priority_size, priority);
        ASK(queues_priority_capacity, priority);
        ASK(queues_priority_item_size, priority);
        ASK(queues_priority_is_closed, priority);
        STATISTICS(priority, priority);
        queues_batch_t *batch = bytes ? s->batch_bytes : s->batch;
        ASK(queues_batch_pending_count, batch);
        ASK(queues_batch_capacity, batch);
        ASK(queues_batch_item_size, batch);
        ASK(queues_batch_batch_size, batch);
        ASK(queues_batch_is_closed, batch);
        ASK(queues_batch_next_due_ns, batch);
        STATISTICS(batch, batch);
    }
    for (size_t i = 0; i < LENGTH(s->spsc); i++) {
        ASK(queues_spsc_size, s->spsc[i]);
        ASK(queues_spsc_capacity, s->spsc[i]);
        ASK(queues_spsc_item_size, s->spsc[i]);
        ASK(queues_spsc_is_closed, s->spsc[i]);
        ASK(queues_spsc_is_empty, s->spsc[i]);
        ASK(queues_spsc_is_full, s->spsc[i]);
        STATISTICS(spsc, s->spsc[i]);
    }
    for (size_t i = 0; i < LENGTH(s->deque); i++) {
        ASK(queues_deque_size, s->deque[i]);
        ASK(queues_deque_capacity, s->deque[i]);
        ASK(queues_deque_item_size, s->deque[i]);
        ASK(queues_deque_is_empty, s->deque[i]);
        STATISTICS(deque, s->deque[i]);
    }
    ASK(queues_mpmc_size, s->mpmc_shared);
    ASK(queues_mpmc_capacity, s->mpmc_shared);
    ASK(queues_mpmc_is_closed, s->mpmc_shared);
    STATISTICS(mpmc, s->mpmc_shared);
    ASK(queues_spsc_size, s->spsc_shared);
    ASK(queues_spsc_capacity, s->spsc_shared);
    ASK(queues_spsc_is_closed, s->spsc_shared);
    ASK(queues_spsc_is_empty, s->spsc_shared);
    ASK(queues_spsc_is_full, s->spsc_shared);
    STATISTICS(spsc, s->spsc_shared);
    OK(queues_stats_json, statistics, text, sizeof text, &n);
    OK(queues_stats_prometheus, statistics, names, 2, text, sizeof text, &n);
    TRY(queues_stats_prometheus, statistics, names, 2, text, 10, &n);
    enter("queues_version");
    CHECK(queues_version());
    enter("queues_version_number");
    CHECK_EQ(queues_version_number(), QUEUES_VERSION_NUMBER);
    ASK(queues_status_string, QUEUES_FULL);
}

/* All calls. `first`: this thread is the producer and the owner; `second`: it is the consumer. */
static void all_calls(const set_t *s, bool first, bool second, int64_t t) {
    mpmc_calls(s->mpmc, t);
    mpmc_bytes_calls(s->mpmc_bytes, t);
    calls_shared = true;
    mpmc_bytes_calls(s->mpmc_shared, t);
    if (first)
        spsc_bytes_producer_calls(s->spsc_shared, t);
    if (second)
        spsc_bytes_consumer_calls(s->spsc_shared, t);
    calls_shared = false;
    priority_calls(s->priority, t);
    priority_bytes_calls(s->priority_bytes, t);
    batch_calls(s->batch, t);
    batch_bytes_calls(s->batch_bytes, t);
    event_calls(s->event, t);
    poll_calls(s, t);
    if (with_descriptors)
        descriptors(s);
    for (size_t i = 0; i < LENGTH(s->spsc); i += 2) {
        if (first) {
            spsc_producer_calls(s->spsc[i], t);
            spsc_bytes_producer_calls(s->spsc[i + 1], t);
        }
        if (second) {
            spsc_consumer_calls(s->spsc[i], t);
            spsc_bytes_consumer_calls(s->spsc[i + 1], t);
        }
    }
    for (size_t i = 0; i < LENGTH(s->deque); i += 2) {
        if (first) {
            deque_owner_calls(s->deque[i], i == 2);
            deque_bytes_owner_calls(s->deque[i + 1], i == 2);
        }
        deque_thief_calls(s->deque[i]);
        deque_bytes_thief_calls(s->deque[i + 1]);
    }
    observer_calls(s);
}

/* Each thread waits in other queues until they are closed. */
static void sleep_until_closed(const set_t *s) {
    void *item = NULL;
    char buffer[CAPACITY * ITEM];
    queues_batch_blob_t blobs[CAPACITY];
    double rank;
    size_t n, len;
/* Each call waits for the next item or place, until the queue is closed. */
#define UNTIL_CLOSED(...)                                                                          \
    while (TRY(__VA_ARGS__, -1) != QUEUES_CLOSED)                                                  \
    continue
    switch (self) {
    case 1:
        UNTIL_CLOSED(queues_spsc_get, s->spsc[0], &item);
        UNTIL_CLOSED(queues_mpmc_get, s->mpmc, &item);
        UNTIL_CLOSED(queues_spsc_get_bytes, s->spsc[3], buffer, ITEM, &n);
        break;
    case 2:
        UNTIL_CLOSED(queues_mpmc_get_bytes, s->mpmc_bytes, buffer, ITEM, &n);
        calls_shared = true;
        UNTIL_CLOSED(queues_mpmc_get_bytes, s->mpmc_shared, buffer, ITEM, &n);
        calls_shared = false;
        break;
    case 3:
        UNTIL_CLOSED(queues_priority_get, s->priority, &item, &rank);
        break;
    case 4:
        UNTIL_CLOSED(queues_priority_put_bytes, s->priority_bytes, blob, ITEM, 1);
        break;
    case 5:
        UNTIL_CLOSED(queues_batch_get_batch, s->batch, &item, 1, &n);
        break;
    case 6:
        UNTIL_CLOSED(queues_batch_put_bytes, s->batch_bytes, blob, ITEM);
        break;
    default:
        UNTIL_CLOSED(queues_batch_get_batch_bytes, s->batch_bytes, buffer, sizeof buffer, &len,
                     blobs, CAPACITY, &n);
    }
}

static void close_all(const set_t *s) {
    OK(queues_mpmc_close, s->mpmc);
    OK(queues_mpmc_close, s->mpmc_bytes);
    calls_shared = true;
    OK(queues_mpmc_close, s->mpmc_shared);
    OK(queues_spsc_close, s->spsc_shared);
    calls_shared = false;
    OK(queues_priority_close, s->priority);
    OK(queues_priority_close, s->priority_bytes);
    OK(queues_batch_close, s->batch);
    OK(queues_batch_close, s->batch_bytes);
    for (size_t i = 0; i < LENGTH(s->spsc); i++)
        OK(queues_spsc_close, s->spsc[i]);
}

static void retain_all(const set_t *s) {
    RETAIN(queues_mpmc_retain, s->mpmc);
    RETAIN(queues_mpmc_retain, s->mpmc_bytes);
    RETAIN(queues_mpmc_retain, s->mpmc_shared);
    RETAIN(queues_spsc_retain, s->spsc_shared);
    RETAIN(queues_priority_retain, s->priority);
    RETAIN(queues_priority_retain, s->priority_bytes);
    RETAIN(queues_batch_retain, s->batch);
    RETAIN(queues_batch_retain, s->batch_bytes);
    for (size_t i = 0; i < LENGTH(s->spsc); i++)
        RETAIN(queues_spsc_retain, s->spsc[i]);
    for (size_t i = 0; i < LENGTH(s->deque); i++)
        RETAIN(queues_deque_retain, s->deque[i]);
    RETAIN(queues_event_retain, s->event);
}

static void release_all(const set_t *s) {
    RELEASE(queues_mpmc_release, s->mpmc);
    RELEASE(queues_mpmc_release, s->mpmc_bytes);
    RELEASE(queues_mpmc_release, s->mpmc_shared);
    RELEASE(queues_spsc_release, s->spsc_shared);
    RELEASE(queues_priority_release, s->priority);
    RELEASE(queues_priority_release, s->priority_bytes);
    RELEASE(queues_batch_release, s->batch);
    RELEASE(queues_batch_release, s->batch_bytes);
    for (size_t i = 0; i < LENGTH(s->spsc); i++)
        RELEASE(queues_spsc_release, s->spsc[i]);
    for (size_t i = 0; i < LENGTH(s->deque); i++)
        RELEASE(queues_deque_release, s->deque[i]);
    RELEASE(queues_event_release, s->event);
}

/* --- the threads */

static set_t alone, shared[ROUNDS];

static void meet(void) {
    static _Atomic unsigned arrived;
    unsigned all = (arrived++ / THREADS + 1) * THREADS;
    while (arrived < all)
        sched_yield();
}

static void use_together(void) {
    for (int round = 0; round < ROUNDS; round++) {
        const set_t *s = &shared[round];
        retain_all(s);
        meet();
        /* Waits that time out, and waits that end by a wake-up. */
        for (int turn = 0; turn < TURNS; turn++)
            all_calls(s, self == 0, self == 1, turn % 2 ? 20000 : 300000);
        meet();
        /* Until some thread has slept to take each of the locks. */
        while (!notes->slept_in_lock[0] || !notes->slept_in_lock[1]) {
            void *items[CAPACITY];
            double rank;
            size_t n;
            TRY(queues_priority_try_put, s->priority, NULL, 1);
            TRY(queues_priority_try_get, s->priority, items, &rank);
            TRY(queues_batch_try_put, s->batch, NULL);
            TRY(queues_batch_get_due, s->batch, items, CAPACITY, &n);
        }
        meet();
        if (self == 0) {
            for (int64_t end = now_ns() + 2 * MILLISECOND; now_ns() < end;)
                sched_yield();
            close_all(s);
        } else {
            sleep_until_closed(s);
        }
        close_all(s);
        meet();
        all_calls(s, self == 0, self == 1, 20000); /* on closed queues */
        meet();
        release_all(s);
        if (self == 0)
            release_all(s); /* the references of create */
    }
}

_Noreturn static void *participate(void *number) {
    self = (unsigned)(uintptr_t)number;
    meet(); /* all threads run: the main thread installs the filter */
    meet(); /* the main thread has made all calls alone */
    use_together();
    meet();
    for (;;) /* to end a thread, the C library makes other system calls */
        sched_yield();
}

/* A signal handler that interrupts the main thread anywhere, also where it holds a lock, and lets
 * the other threads run. */
static void interrupt(int number) {
    (void)number;
    int error = errno;
    for (int64_t end = now_ns() + 300000; now_ns() < end;)
        sched_yield();
    errno = error;
}

/* Allows waits and wakes by futexes, membarrier, sched_yield and the clock; the end of the process;
 * and the system calls by which the kernel returns from a signal. Shared queues also ask whether a
 * lock is held, and unmap and close their file at the end. With descriptors also the system calls
 * that signal and reset them, set a timer, or close them. */
static void install_filter(void) {
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(value, then) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), then
#define UNLESS(value, then) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0), then
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
    struct sock_filter code[] = {
        LOAD(nr),
        IF(SYS_sched_yield, ALLOW),
        IF(SYS_clock_gettime, ALLOW),
        IF(SYS_exit_group, ALLOW),
        IF(SYS_rt_sigreturn, ALLOW),
        IF(SYS_restart_syscall, ALLOW),
        IF(SYS_FUTEX_WAITV, ALLOW),
        IF(with_descriptors ? SYS_read : SYS_exit_group, ALLOW),
        IF(with_descriptors ? SYS_write : SYS_exit_group, ALLOW),
        IF(with_descriptors ? SYS_getpid : SYS_exit_group, ALLOW),
        IF(with_descriptors ? SYS_timerfd_settime : SYS_exit_group, ALLOW),
        IF(SYS_close, ALLOW),
        IF(SYS_munmap, ALLOW),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 6),
        LOAD(args[1]), /* the lower half, on a little-endian processor */
        IF(OFD_GETLK, ALLOW),
        IF(OFD_SETLK, ALLOW),
        KILL,
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 10),
        LOAD(args[1]),
        IF(FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, ALLOW),
        IF(FUTEX_WAKE | FUTEX_PRIVATE_FLAG, ALLOW),
        IF(FUTEX_WAIT_BITSET, ALLOW),
        IF(FUTEX_WAKE, ALLOW),
        KILL,
        UNLESS(SYS_membarrier, KILL),
        LOAD(args[0]),
        IF(MEMBARRIER_CMD_PRIVATE_EXPEDITED, ALLOW),
        IF(MEMBARRIER_CMD_GLOBAL_EXPEDITED, ALLOW),
        KILL,
    };
    struct sock_fprog program = {.len = LENGTH(code), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail("the kernel refuses no_new_privs", "");
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        fail("the kernel refuses the seccomp filter", "");
}

static void live_in_the_sandbox(void) {
    /* dlvsym, because dlsym is replaced above. Each version is the first of the C library on some
     * processor. */
    static const char *const versions[] = {"GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.27", "GLIBC_2.36"};
    for (size_t i = 0; i < LENGTH(versions) && !real_syscall; i++)
        *(void **)&real_syscall = dlvsym(RTLD_NEXT, "syscall", versions[i]);
    CHECK(real_syscall);
    CREATE_WITH_DROP(mpmc, &outlives, .capacity = 1);
    create(&alone);
    for (int round = 0; round < ROUNDS; round++)
        create(&shared[round]);
    for (size_t i = 1; i < THREADS; i++)
        start(participate, (void *)i);
    struct sigaction action = {.sa_handler = interrupt};
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0); /* without SA_RESTART: waits are interrupted */
    const struct itimerval often = {{0, 2000}, {0, 2000}};
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    meet();
    install_filter();
    sandboxed = true;

    phase = ALONE;
    for (int i = 0; i < 3; i++)
        all_calls(&alone, true, true, 20000);
    close_all(&alone);
    all_calls(&alone, true, true, 20000);
    release_all(&alone);

    phase = TOGETHER;
    meet();
    use_together();
    meet();
    notes->done = true;
    _exit(0);
}

/* --- the parent */

static void read_functions(const char *path) {
    FILE *list = fopen(path, "r");
    CHECK(list);
    while (notes->count < FUNCTIONS && fscanf(list, "%63s", notes->functions[notes->count]) == 1)
        notes->count++;
    CHECK(feof(list) && notes->count > 50);
    fclose(list);
}

static bool is_create(const char *name) {
    size_t n = strlen(name);
    return (n > 7 && strcmp(name + n - 7, "_create") == 0) ||
           (n > 12 && strcmp(name + n - 12, "_open_shared") == 0);
}

/* Runs a process in the sandbox; false if it failed, which is printed. */
static bool survives(bool descriptors) {
    with_descriptors = descriptors;
    notes->done = false;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        live_in_the_sandbox();
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (status == 0 && !notes->failed && notes->done)
        return true;
    fprintf(stderr, "%s descriptors: %s\n", descriptors ? "with" : "without",
            notes->failed ? notes->failure
                          : "killed by the filter: a system call that is not allowed");
    if (WIFSIGNALED(status))
        fprintf(stderr, "signal %d\n", WTERMSIG(status));
    for (size_t i = 0; i < THREADS; i++)
        fprintf(stderr, "thread %zu: %s\n", i, notes->inside[i] ? notes->inside[i] : "no call");
    return false;
}

int main(int n, char **arguments) {
    CHECK_EQ(n, 2);
    notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(notes != MAP_FAILED);
    read_functions(arguments[1]);
    if (!survives(false))
        return 1;
    CHECK(!notes->signals && !notes->resets && !notes->timers);
    if (!survives(true))
        return 1;
    CHECK(notes->signals && notes->resets && notes->timers);
    int missing = 0;
    for (size_t i = 0; i < notes->count; i++) {
        unsigned wanted = is_create(notes->functions[i]) ? BEFORE : ALONE | TOGETHER;
        if ((notes->called[i] & wanted) != wanted) {
            fprintf(stderr, "%s is not called %s: add it to the calls of its family\n",
                    notes->functions[i],
                    notes->called[i] & ALONE ? "by several threads" : "at all");
            missing++;
        }
    }
    printf(
        "%zu functions called; the locks of priority and batch were slept for %zu and %zu times\n",
        notes->count, notes->slept_in_lock[0], notes->slept_in_lock[1]);
    return missing != 0;
}
