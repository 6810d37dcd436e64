// The workloads of first-in-first-out queues in C: a template that makes them once for each queue.
// The file that includes it adapts a queue by functions with a prefix and defines
//   QUEUE         the prefix; the template makes QUEUE_run
//   HANDLE        the type of a queue
//   HAS_TRY       1 if QUEUE_try_put(q, item, size) and QUEUE_try_get(q, item, size) exist: they do
//                 not block, and return false if the queue is full or empty
//   HAS_BLOCKING  1 if QUEUE_put and QUEUE_get exist: they block as the queue itself does
//   HAS_BULK      1 if QUEUE_put_bulk(q, items, n, size) and QUEUE_get_bulk exist: they do not
//                 block, and return how many items they moved
// QUEUE_create(capacity, size) and QUEUE_release(q) always exist. An item is a blob of `size`
// bytes, or a word if `size` is 0.
#include "items.h"

#include <pthread.h>
#include <stdatomic.h>

#ifndef WORKLOADS_H
#define WORKLOADS_H

enum { LARGEST_BULK = 256 };

INLINE size_t stride(size_t size) { return size == 0 ? sizeof(void *) : size; }

#endif

// The state of a trial.
struct Q(trial) {
    HANDLE *queue, *back;
    const struct case_spec *s;
    uint64_t items;
    uint64_t start;
    _Atomic uint64_t put, got;
    // For fairness only.
    struct measurement *m;
    _Alignas(128) _Atomic int64_t left;
    _Alignas(128) atomic_uint producing;
    _Alignas(128) pthread_mutex_t merging;
};

// --- put and get, with backoff or blocking

INLINE void Q(put_one)(HANDLE *q, const void *item, size_t size, bool blocking) {
#if HAS_BLOCKING
    if (blocking) {
        Q(put)(q, item, size);
        return;
    }
#endif
#if HAS_TRY
    struct backoff b = {0};
    while (!Q(try_put)(q, item, size))
        snooze(&b);
#endif
    (void)blocking;
}

INLINE void Q(get_one)(HANDLE *q, void *item, size_t size, bool blocking) {
#if HAS_BLOCKING
    if (blocking) {
        Q(get)(q, item, size);
        return;
    }
#endif
#if HAS_TRY
    struct backoff b = {0};
    while (!Q(try_get)(q, item, size))
        snooze(&b);
#endif
    (void)blocking;
}

#if HAS_BULK
// Puts the `count` numbers after `last`.
INLINE void Q(put_numbers)(HANDLE *q, char *items, uint64_t last, size_t count, size_t size) {
    for (size_t i = 0; i < count; i++)
        set_number(items + i * stride(size), last + 1 + i, size);
    struct backoff b = {0};
    for (size_t done = 0; done < count;) {
        const size_t more = Q(put_bulk)(q, items + done * stride(size), count - done, size);
        done += more;
        if (more > 0)
            b.step = 0;
        else
            snooze(&b);
    }
}

// Gets `count` items and returns the sum of their numbers.
INLINE uint64_t Q(get_numbers)(HANDLE *q, char *items, uint64_t count, size_t bulk, size_t size) {
    uint64_t sum = 0;
    struct backoff b = {0};
    while (count > 0) {
        const size_t done = Q(get_bulk)(q, items, count < bulk ? count : bulk, size);
        for (size_t i = 0; i < done; i++)
            sum += number_of(items + i * stride(size), size);
        count -= done;
        if (done > 0)
            b.step = 0;
        else
            snooze(&b);
    }
    return sum;
}
#endif

// --- streams: the numbers from 1 on, from producers to consumers, or by threads that put and get
// in turn

INLINE void Q(stream_one_by_one)(struct Q(trial) * t, unsigned thread, size_t size, bool blocking) {
    _Alignas(64) char item[LARGEST_ITEM];
    const bool puts = produces(t->s, thread), gets = consumes(t->s, thread);
    const struct shares shares = shares_of(t->s, t->items);
    uint64_t sum = 0;
    if (puts && gets) {
        for (uint64_t i = 1; i <= shares.put; i++) {
            set_number(item, i, size);
            Q(put_one)(t->queue, item, size, blocking);
            Q(get_one)(t->queue, item, size, blocking);
            sum += number_of(item, size);
        }
    } else if (puts) {
        for (uint64_t i = 1; i <= shares.put; i++) {
            set_number(item, i, size);
            Q(put_one)(t->queue, item, size, blocking);
        }
    } else {
        for (uint64_t i = 0; i < shares.got; i++) {
            Q(get_one)(t->queue, item, size, blocking);
            sum += number_of(item, size);
        }
    }
    t->got += sum;
}

#if HAS_BULK
INLINE void Q(stream_in_bulk)(struct Q(trial) * t, unsigned thread, size_t size) {
    _Alignas(64) static _Thread_local char items[LARGEST_BULK * LARGEST_ITEM];
    const size_t bulk = t->s->bulk;
    const struct shares shares = shares_of(t->s, t->items);
    uint64_t sum = 0;
    if (!produces(t->s, thread)) {
        sum = Q(get_numbers)(t->queue, items, shares.got, bulk, size);
    } else {
        for (uint64_t i = 0; i < shares.put; i += bulk) {
            const size_t count = shares.put - i < bulk ? shares.put - i : bulk;
            Q(put_numbers)(t->queue, items, i, count, size);
            if (consumes(t->s, thread))
                sum += Q(get_numbers)(t->queue, items, count, bulk, size);
        }
    }
    t->got += sum;
}
#endif

INLINE void Q(stream_sized)(struct Q(trial) * t, unsigned thread, size_t size) {
#if HAS_BULK
    if (t->s->bulk > 0)
        Q(stream_in_bulk)(t, thread, size);
    else
#endif
        if (is(t->s->mode, "blocking"))
        Q(stream_one_by_one)(t, thread, size, true);
    else
        Q(stream_one_by_one)(t, thread, size, false);
}

static void Q(stream)(void *context, unsigned thread) {
    struct Q(trial) *t = context;
    switch (t->s->item_size) {
    case 0:
        Q(stream_sized)(t, thread, 0);
        break;
    case 8:
        Q(stream_sized)(t, thread, 8);
        break;
    case 16:
        Q(stream_sized)(t, thread, 16);
        break;
    case 64:
        Q(stream_sized)(t, thread, 64);
        break;
    case 256:
        Q(stream_sized)(t, thread, 256);
        break;
    case 1024:
        Q(stream_sized)(t, thread, 1024);
        break;
    default:
        fail(2, "blobs have 8, 16, 64, 256 or 1024 bytes");
    }
}

// --- ping-pong: a token through one queue and back through another

INLINE void Q(ping_pong_by)(struct Q(trial) * t, unsigned thread, bool blocking) {
    HANDLE *out = thread == 0 ? t->queue : t->back, *in = thread == 0 ? t->back : t->queue;
    void *token;
    for (uint64_t i = 1; i <= t->items; i++) {
        if (thread == 0) {
            set_number(&token, i, 0);
            Q(put_one)(out, &token, 0, blocking);
        }
#if HAS_TRY
        // No backoff: a yield takes longer than the round trip that is measured. The queue of a put
        // is never full.
        while (!blocking && !Q(try_get)(in, &token, 0))
            relax();
#endif
        if (blocking)
            Q(get_one)(in, &token, 0, blocking);
        verify(number_of(&token, 0) == i, "a round trip returned another token");
        if (thread == 1)
            Q(put_one)(out, &token, 0, blocking);
    }
}

static void Q(ping_pong)(void *context, unsigned thread) {
    struct Q(trial) *t = context;
    is(t->s->mode, "blocking") ? Q(ping_pong_by)(t, thread, true)
                               : Q(ping_pong_by)(t, thread, false);
}

// --- latency: from the time at which an item was due until a consumer has it

static struct histogram Q(latencies);

static void Q(latency)(void *context, unsigned thread) {
    struct Q(trial) *t = context;
    void *item;
    uint64_t sum = 0;
    if (thread % 2 == 0) {
        for (uint64_t i = 0; i < t->items; i++) {
            const uint64_t due = t->start + (i * t->s->pairs + thread / 2) * PACE_NS;
            wait_until(due, t->s->threads);
            set_number(&item, due, 0);
            Q(put_one)(t->queue, &item, 0, true);
            sum += due;
        }
        t->put += sum;
        return;
    }
    static _Thread_local struct histogram mine;
    for (uint64_t i = 0; i < t->items; i++) {
        Q(get_one)(t->queue, &item, 0, true);
        const uint64_t time = now(), due = number_of(&item, 0);
        sum += due;
        // The first tenth is warm-up.
        if (i >= t->items / 10)
            record(&mine, time > due ? time - due : 0);
    }
    t->got += sum;
    pthread_mutex_lock(&t->merging);
    merge(&Q(latencies), &mine);
    pthread_mutex_unlock(&t->merging);
}

// --- fairness: how many items each thread moves, and the longest time between two of them

#if HAS_TRY
static void Q(fairness)(void *context, unsigned thread) {
    struct Q(trial) *t = context;
    void *item;
    uint64_t sum = 0, count = 0, longest = 0, last = now();
    bool finished = false;
    struct backoff b = {0};
    for (uint64_t i = SHARE;;) {
        bool moved;
        if (thread % 2 == 0) {
            if (i++ == SHARE) {
                if (atomic_fetch_sub_explicit(&t->left, SHARE, memory_order_relaxed) <= 0)
                    break;
                i = 1;
            }
            set_number(&item, i, 0);
            Q(put_one)(t->queue, &item, 0, false);
            moved = true;
        } else {
            // Loaded before the get: if all producers had finished by then, an empty queue stays
            // empty.
            finished = t->producing == 0;
            moved = Q(try_get)(t->queue, &item, 0);
            sum += moved ? number_of(&item, 0) : 0;
        }
        if (moved) {
            const uint64_t time = now();
            longest = time - last > longest ? time - last : longest;
            last = time;
            count++;
            b.step = 0;
        } else if (finished) {
            break;
        } else {
            snooze(&b);
        }
    }
    if (thread % 2 == 0)
        t->producing--;
    t->got += sum;
    t->m->shares[thread / 2 + (thread % 2 == 0 ? 0 : t->s->pairs)] = count;
    pthread_mutex_lock(&t->merging);
    if (longest > t->m->longest_starvation)
        t->m->longest_starvation = longest;
    pthread_mutex_unlock(&t->merging);
}
#endif

// --- one trial

// Warms up with a tenth of the items, then measures.
static double Q(warmed_up)(struct Q(trial) * t, void (*work)(void *, unsigned)) {
    const struct case_spec *s = t->s;
    const bool streams = is(s->family, "spsc") || is(s->family, "mpmc");
    double seconds = 0;
    for (int pass = 0; pass < 2; pass++) {
        const uint64_t items = pass == 0 ? s->items / 10 : s->items;
        const uint64_t each = shares_of(s, items).put;
        t->items = items;
        t->got = 0;
        t->left = (int64_t)(items / SHARE * SHARE);
        t->producing = s->pairs;
        t->m->longest_starvation = 0;
        seconds = timed(s->threads, work, t);
        t->m->items = streams ? each * s->producers : items;
        if (is(s->family, "fairness")) {
            t->m->items = items / SHARE * SHARE;
            verify_sum(t->got, items / SHARE * sum_up_to(SHARE));
        } else if (streams) {
            verify_sum(t->got, s->producers * sum_up_to(each));
        }
    }
    return seconds;
}

static bool Q(run)(const struct case_spec *s, struct measurement *m) {
    static struct Q(trial) t = {.merging = PTHREAD_MUTEX_INITIALIZER};
    t.s = s;
    t.m = m;
    if (is(s->family, "memory")) {
        // The first queue may allocate what all queues share, which is not part of one.
        Q(release)(Q(create)(1, 0));
        const size_t before = allocated();
        const uint64_t start = now();
        t.queue = Q(create)(s->capacity, 0);
        m->seconds = (double)(now() - start) / 1e9;
        m->bytes = allocated() - before;
        m->items = 1;
        Q(release)(t.queue);
        return true;
    }
    t.queue = Q(create)(s->capacity, s->item_size);
    if (is(s->family, "spsc") || is(s->family, "mpmc")) {
        m->seconds = Q(warmed_up)(&t, Q(stream));
    } else if (is(s->family, "pingpong")) {
        t.back = Q(create)(s->capacity, 0);
        m->seconds = Q(warmed_up)(&t, Q(ping_pong));
        Q(release)(t.back);
    } else if (is(s->family, "latency")) {
        t.items = s->items / s->pairs;
        t.start = now() + 1000000;
        m->seconds = timed(s->threads, Q(latency), &t);
        verify_sum(t.got, t.put);
        m->items = t.items * s->pairs;
        m->latency = &Q(latencies);
#if HAS_TRY
    } else if (is(s->family, "fairness")) {
        m->seconds = Q(warmed_up)(&t, Q(fairness));
        m->threads = s->threads;
#endif
    } else {
        return false;
    }
    Q(release)(t.queue);
    return true;
}

#undef QUEUE
#undef HANDLE
#undef HAS_TRY
#undef HAS_BLOCKING
#undef HAS_BULK
