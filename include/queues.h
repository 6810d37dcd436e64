// queues: concurrent queues, lock-free where they say so.
//
// FIRST STEPS
//   queues_mpmc_options_t options = {.struct_size = sizeof options, .capacity = 100};
//   queues_mpmc_t *queue;
//   if (queues_mpmc_create(&options, &queue) != QUEUES_OK) ...
//   queues_mpmc_put(queue, item, -1);           // any thread; -1: waits for room for ever
//   queues_mpmc_get(queue, &item, 1000000000);  // any thread; waits up to a second
//   queues_mpmc_close(queue);                   // no more puts; gets drain the rest
//   queues_mpmc_release(queue);
//
// RULES that hold for every function
//   Status     0 is done, above 0 an ordinary outcome, below 0 misuse or failure. Outputs are
//              written only on QUEUES_OK, but for what a function says of TOO_SMALL and of many.
//   Bad input  NULL for an object or an output, a handle of another family, the wrong kind of payload,
//              unknown flags, a wrong struct_size: QUEUES_INVALID, nothing has changed. NULL may be
//              what has no bytes or items (a buffer of capacity 0, data of length 0, items of number
//              0), a callback, and what is released.
//   Structures begin with struct_size, which is right from the size that the library knows up to
//              4096. Of options and of statistics that are read (as JSON), what lies beyond must be
//              0; where statistics are written, it becomes 0.
//   Many       n or max of 0 is OK at once, whatever the state of the queue, the timeout and the items;
//              more than can lie in memory (PTRDIFF_MAX bytes) is QUEUES_INVALID.
//   Payload    chosen at creation. item_size 0: void pointers, any value, NULL too, never followed.
//              item_size n: blobs of 0 to n bytes, each with its length, copied into the queue.
//   Time       int64_t timeout_ns: below 0 waits for ever, 0 does not wait (the call then returns and
//              makes progress as a try call does), else nanoseconds on the monotonic clock. Signals
//              neither shorten nor lengthen it.
//   Ownership  an item that was put belongs to the queue, one that was got to the caller. A put
//              that does not return QUEUES_OK leaves the item the caller's. Items that nobody got
//              go to the creator's drop callback, each exactly once.
//   Life       create gives one reference, retain adds one, release drops one; the last one
//              frees. A queue may be used while anybody holds a reference: a thread needs none of its
//              own if another's is certainly kept until it is done, as by who joins it.
//   Close      (of all but the deque) frees nothing: later puts return CLOSED, gets take
//              what is there and then return CLOSED; all waiters wake. No accepted item is lost or
//              got twice.
//   Order      what a thread did before a put happens before what follows the get of that item; what
//              it did before a get, before what follows a put into the place that became free; and
//              before close, before what follows CLOSED or a true is_closed. A peek is as a get. Sizes,
//              is_empty, is_full and statistics are snapshots and order nothing. Several queues:
//              docs/ordering.md.
//   Progress   lock-free: a thread that is suspended or killed anywhere in such a call does not
//              keep the calls of others from finishing. wait-free: each call finishes in a bounded
//              number of its own steps.
//              Calls that wait sleep in the kernel; a sleeping waiter blocks nobody. One that was
//              woken, and is stopped before it takes what it was woken for, leaves that to the next
//              call: others that sleep already sleep on until then.
//   Signals    no call is for signal handlers. What signals do: docs/abi.md.
//   Cancelling no function is a cancellation point (pthread_cancel), whatever its callbacks do and
//              however long it waits: a request stays pending. See docs/abi.md.
//   Memory     is taken at creation; no other call allocates, but for the push with which a growable
//              deque grows. Large memory is the system's zeroed pages, which it may find only when
//              they are first used. Capacity is exact.
//   System     once a queue is created its calls ask the system for nothing but their waits, wakes
//              and the clock (on Linux: futex, membarrier, sched_yield, clock_gettime). The last
//              release and the push that grows a deque also do what free and malloc do.
//   Fork       a child may create and use queues of its own. Those that it has from its parent are
//              copies, for which docs/abi.md says what is allowed: if other threads were inside of
//              calls, hardly more than what is lock-free.
//   Detectors  under a thread sanitizer, helgrind or drd, calls announce what they order:
//              docs/debugging.md.


#ifndef QUEUES_H
#define QUEUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUES_VERSION_MAJOR 0
#define QUEUES_VERSION_MINOR 1
#define QUEUES_VERSION_PATCH 0
#define QUEUES_VERSION "0.1.0"

// Done.
#define QUEUES_OK 0

// Nothing to get at some moment of the call.
#define QUEUES_EMPTY 1

// No room at some moment of the call.
#define QUEUES_FULL 2

// The queue is closed; for a get: and drained.
#define QUEUES_CLOSED 3

// The time was over first.
#define QUEUES_TIMEOUT 4

// A race was lost; try again.
#define QUEUES_RETRY 5

// The buffer is too small; the length that is needed was written, the item stayed.
#define QUEUES_TOO_SMALL 6

// An argument is invalid; nothing has changed.
#define QUEUES_INVALID -1

// Out of memory; nothing has changed but statistics.
#define QUEUES_NOMEM -2

// The rules about which threads may call at once, or in which order, were broken.
#define QUEUES_MISUSE -3

// A callback panicked; the call did all the rest of its work.
#define QUEUES_PANIC -4

// Flag of queues_spsc_options_t: a put that overlaps another put, or a get another get, returns
// QUEUES_MISUSE and does nothing. A callback of clear is within a get: it may put, but what it gets
// overlaps. Costs an atomic swap on every call.
#define QUEUES_SPSC_CHECKED 1

// Grow when it is full, to twice the capacity, instead of returning FULL. What was outgrown is
// freed with the deque: all of it together is less than twice the largest.
#define QUEUES_DEQUE_GROWABLE 1

// Answer MISUSE to a push or pop that overlaps another one, at the price of two atomic operations a
// call.
#define QUEUES_DEQUE_CHECKED 2

// A bounded queue for any number of threads, whose items are taken in batches: when there are
// enough of them, or when the oldest has waited long enough. First in, first out; each item is in
// one batch; batches of several consumers do not interleave.
//
// A batch is due when
//   - batch_size items are pending, or items that weigh batch_weight together;
//   - the oldest pending item has been in the queue for batch_timeout_ns;
//   - queues_batch_flush was called after the oldest pending item was put;
//   - the queue is closed.
//
// It is then made of the oldest items: batch_size at most, and batch_weight at most, but for a
// single item that is heavier and travels alone. What it leaves behind is judged anew, by the age of
// the oldest item that is left. A queue that is full has a batch that is due.
//
// | calls                                          | who may call at once | progress           |
// |------------------------------------------------|----------------------|--------------------|
// | try_put, try_put_bytes                         | any threads          | lock-free          |
// | put, put_weighted and their _bytes             | any threads          | may sleep; with timeout_ns 0 lock-free |
// | get_due, get_due_bytes, flush, clear           | any threads          | a short lock       |
// | get_batch, get_batch_bytes                     | any threads          | may sleep; with timeout_ns 0 a short lock |
// | close, is_closed, pending_count, stats         | any threads          | lock-free          |
// | capacity, retain, release                      | any threads          | wait-free; the last release frees |
//
// A put that wakes a sleeper makes a system call. The lock is among consumers: it is held for
// O(batch_size) steps, never across a callback or the copy of a blob, and no put takes it.
// Of several consumers that sleep one sees to the oldest item. If that one is held up (stopped,
// starved), another takes over with the next put a millisecond after the item's time; but if it is
// held up while it holds the lock, all who take, flush or clear wait for it.
// QUEUES_FULL is exact until 64 puts and the gets of two batches are suspended at once; a suspended
// get of blobs keeps its batch.
// Each call is O(1) but for those that take (O(items taken)).
typedef struct queues_batch_t queues_batch_t;

// A work-stealing deque: one thread, its owner, pushes and pops at one end, last in first out; any
// number of thieves steal at the other, first in first out.
//
// | calls                                     | who may call at once          | progress           |
// |-------------------------------------------|-------------------------------|--------------------|
// | push, pop and their _bytes                | one thread at a time, the owner | wait-free; the push that grows allocates |
// | steal, steal_many, steal_bytes            | any threads, beside the owner | never loops; RETRY says that another thread took the item |
// | size, is_empty, capacity, retain          | any threads                   | wait-free          |
// | stats                                     | any threads                   | lock-free          |
// | release                                   | any threads                   | wait-free; the last one frees |
//
// Ownership may move to another thread if it is handed over with what orders memory (a mutex, a
// queue, a join). A deque is never closed: who owns it knows when there is nothing more to come.
// QUEUES_FULL and QUEUES_EMPTY are true at some moment of the call. A steal that returns RETRY may
// be repeated at once; there may be more to steal.
// Each call is O(1) but for steal_many, which is O(items taken), and a push that grows.
//
// Chase and Lev 2005; Lê, Pop, Cohen and Zappa Nardelli 2013.
typedef struct queues_deque_t queues_deque_t;

// A bounded queue for any number of producers and consumers: first in, first out, linearizable.
//
// | calls                                              | who may call at once | progress           |
// |----------------------------------------------------|----------------------|--------------------|
// | try_put, try_get, peek and their _bytes; clear     | any threads          | lock-free          |
// | put, get and their _bytes; put_many, get_many      | any threads          | may sleep; with timeout_ns 0 lock-free |
// | reserve, lease                                     | any threads          | may sleep; with timeout_ns 0 lock-free |
// | commit, cancel, settle, return                     | any threads          | lock-free          |
// | close, is_closed, size, stats                      | any threads          | lock-free          |
// | capacity, retain, release                          | any threads          | wait-free; the last release frees |
//
// QUEUES_FULL and QUEUES_EMPTY are reported only when true at some moment of the call. A queue of blobs
// has capacity + spare cells, and FULL is exact in it while at most spare cells are held by
// reservations, leases and calls that are suspended inside, together; beyond that FULL may also mean
// that no cell is free. An empty queue can have capacity + spare cells reserved.
// Each call is O(1) but for `many` (O(n)) and `clear`.
//
// Blobs can be written and read in place: reserve, write, commit; lease, read, settle (or return). The
// four calls that end this take the address that reserve or lease gave. Any other address, such as one
// that was committed, cancelled, settled or returned, one within a blob or one of another queue, is
// QUEUES_MISUSE and changes nothing; an address that was given out anew since is the new holder's.
// Of several such calls with one address at once one does its work, and the others return MISUSE.
// Addresses are valid while the caller holds a reference to the queue. The last release forgets
// reservations, hands blobs that are leased to the drop callback, and frees all cells.
//
// The ring is our own; its ancestors are Shann, Huang and Chen 2000 (as corrected by Colvin and
// Groves 2005) and Tsigas and Zhang 2001.
typedef struct queues_mpmc_t queues_mpmc_t;

// A bounded priority queue for any number of threads: the lowest priority first, first in first out
// among equals; linearizable.
//
// A priority is any double but NaN, infinities too; -0.0 equals 0.0.
//
// | calls                                              | who may call at once | progress           |
// |----------------------------------------------------|----------------------|--------------------|
// | try_put, try_get, peek and their _bytes; clear     | any threads          | a short lock       |
// | put, get and their _bytes                          | any threads          | may sleep; with timeout_ns 0 a short lock |
// | close, is_closed, size, stats                      | any threads          | a short lock       |
// | capacity, retain, release                          | any threads          | wait-free; the last release frees |
//
// Not lock-free: a thread that is suspended while it holds the lock holds up the others. It is held
// for O(log n) steps (`clear`: O(n log n)), and never across a callback, a wake or the copy of a blob
// of more than 64 bytes. QUEUES_FULL and QUEUES_EMPTY are true at some moment of the call; FULL is exact until 64
// calls with such blobs are suspended at once.
// Each call is O(log n) but for `clear` (O(n log n)).
//
// A heap with four children a node: Johnson 1975, Wegener 1993.
typedef struct queues_priority_t queues_priority_t;

// A bounded queue from one thread to another: first in, first out, linearizable.
//
// At every moment at most one thread is the producer and at most one the consumer (they may
// change, if one hands over to the next in an orderly way, as by a mutex or a join).
//
// | calls                                                        | who may call at once | progress  |
// |--------------------------------------------------------------|----------------------|-----------|
// | try_put, try_put_bytes, commit                               | the producer         | wait-free |
// | put, put_bytes, put_many, reserve                            | the producer         | may sleep; with timeout_ns 0 wait-free |
// | try_get, try_get_bytes, peek, peek_bytes, consume, clear     | the consumer         | wait-free |
// | get, get_bytes, get_many, front                              | the consumer         | may sleep; with timeout_ns 0 wait-free |
// | close, is_closed, size, is_empty, is_full, capacity, stats   | any threads          | wait-free |
// | retain, release                                              | any threads          | wait-free; the last release frees |
//
// QUEUES_FULL and QUEUES_EMPTY are reported only when true at some moment of the call.
// Each call is O(1) but for `many` (O(n)) and `clear`.
//
// A ring with a position for each side (Lamport 1983), each side keeping what it last saw of the
// other's (MCRingBuffer: Lee, Bu and Chandranmenon, IPDPS 2010).
typedef struct queues_spsc_t queues_spsc_t;

// What a call returns: one of the constants QUEUES_OK to QUEUES_PANIC. Their values never change.
typedef int32_t queues_status_t;

// A snapshot of a queue's statistics. Set struct_size to sizeof(queues_stats_t) before the call.
typedef struct queues_stats_t {
    // The size of this structure as the caller knows it.
    size_t struct_size;
    // Items put since the queue was created.
    uint64_t enqueued;
    // Items taken (got or cleared) since the queue was created.
    uint64_t dequeued;
    // Calls that put and found no room: tries, timed calls that ran out, and pushes for which a
    // growable deque got no memory. Not those that found the queue closed.
    uint64_t failed_enqueue;
    // Calls that get and found nothing: tries, and timed calls that ran out. Not those that found
    // the queue closed, nor peeks, lost races and items that are not due.
    uint64_t failed_dequeue;
    // The most items in the queue at once, as its puts saw it: exact while calls do not overlap,
    // and never more than the capacity.
    uint64_t peak_size;
    // Items in the queue.
    uint64_t current_size;
    // The most items that fit.
    uint64_t capacity;
    // Items that thieves took from a deque; they count as dequeued too.
    uint64_t stolen;
} queues_stats_t;

// What becomes of an item that nobody gets: called once for each that `clear` takes or that is
// left at the last release, with the context of the options. Pointer queues pass the pointer,
// byte queues the address of the bytes (valid during the call, aligned to 8).
//
// It runs on the thread that called `clear` or `release`, may call the library (but not use a
// queue that is being freed), and must not throw a C++ exception, jump out or end its thread, which
// is not cancelled meanwhile. A Rust panic becomes QUEUES_PANIC if the library is part of that Rust
// program; one of a program that links the library as C does ends the process.
typedef void (*queues_drop_t)(void *ctx, void *item);

// As queues_drop_t, for queues of blobs only: data points at the len bytes of the blob.
typedef void (*queues_drop_bytes_t)(void *ctx, void *data, size_t len);

// Options of queues_mpmc_create. Set struct_size to the size of this structure, and to 0 or NULL what
// is not needed: that is the default.
// A struct_size from the size that the library knows up to 4096 is accepted, if all bytes beyond those
// that it knows are 0: so a program may be built with a newer header than the library. Any other is
// QUEUES_INVALID.
typedef struct queues_mpmc_options_t {
    // sizeof(queues_mpmc_options_t).
    size_t struct_size;
    // The most items that fit, exactly; 0: 1000.
    size_t capacity;
    // 0: items are void pointers; else the most bytes of a blob.
    size_t item_size;
    // 0; no flags are known.
    uint64_t flags;
    // Called for each item that nobody gets, see queues_drop_t; may be NULL.
    queues_drop_t drop;
    // The first argument of drop or drop_bytes.
    void *drop_ctx;
    // As drop, and is passed the length of the blob; may be NULL. Setting both is QUEUES_INVALID,
    // because each item ends in one callback; so is setting this without an item_size.
    queues_drop_bytes_t drop_bytes;
    // Cells for blobs beyond the capacity, each of item_size bytes, for reservations, leases and calls
    // that are suspended; 0: 64. Setting it without an item_size is QUEUES_INVALID.
    size_t spare;
} queues_mpmc_options_t;

// Options of queues_spsc_create. Set struct_size to the size of this structure, and to 0 or NULL what
// is not needed: that is the default.
// A struct_size from the size that the library knows up to 4096 is accepted, if all bytes beyond those
// that it knows are 0: so a program may be built with a newer header than the library. Any other is
// QUEUES_INVALID.
typedef struct queues_spsc_options_t {
    // sizeof(queues_spsc_options_t).
    size_t struct_size;
    // The most items that fit, exactly; 0: 1024.
    size_t capacity;
    // 0: items are void pointers; else the most bytes of a blob.
    size_t item_size;
    // QUEUES_SPSC_CHECKED or 0.
    uint64_t flags;
    // Called for each item that nobody gets, see queues_drop_t; may be NULL.
    queues_drop_t drop;
    // The first argument of drop or drop_bytes.
    void *drop_ctx;
    // As drop, and is passed the length of the blob; may be NULL. Setting both is QUEUES_INVALID,
    // because each item ends in one callback; so is setting this without an item_size.
    queues_drop_bytes_t drop_bytes;
} queues_spsc_options_t;

// Options of queues_priority_create. Set struct_size to the size of this structure, and to 0 or NULL what
// is not needed: that is the default.
// A struct_size from the size that the library knows up to 4096 is accepted, if all bytes beyond those
// that it knows are 0: so a program may be built with a newer header than the library. Any other is
// QUEUES_INVALID.
typedef struct queues_priority_options_t {
    // sizeof(queues_priority_options_t).
    size_t struct_size;
    // The most items that fit, exactly; 0: 10000.
    size_t capacity;
    // 0: items are void pointers; else the most bytes of a blob.
    size_t item_size;
    // 0; no flags are known.
    uint64_t flags;
    // Called for each item that nobody gets, see queues_drop_t; may be NULL.
    queues_drop_t drop;
    // The first argument of drop or drop_bytes.
    void *drop_ctx;
    // As drop, and is passed the length of the blob; may be NULL. Setting both is QUEUES_INVALID,
    // because each item ends in one callback; so is setting this without an item_size.
    queues_drop_bytes_t drop_bytes;
} queues_priority_options_t;

// Options of queues_deque_create. Set struct_size to the size of this structure, and to 0 or NULL what
// is not needed: that is the default.
// A struct_size from the size that the library knows up to 4096 is accepted, if all bytes beyond those
// that it knows are 0: so a program may be built with a newer header than the library. Any other is
// QUEUES_INVALID.
typedef struct queues_deque_options_t {
    // sizeof(queues_deque_options_t).
    size_t struct_size;
    // The most items that fit, exactly; 0: 1024. If it is growable: to begin with.
    size_t capacity;
    // 0: items are void pointers; else the most bytes of a blob.
    size_t item_size;
    // QUEUES_DEQUE_GROWABLE, QUEUES_DEQUE_CHECKED, both or 0.
    uint64_t flags;
    // Called for each item that nobody takes, see queues_drop_t; may be NULL.
    queues_drop_t drop;
    // The first argument of drop or drop_bytes.
    void *drop_ctx;
    // As drop, and is passed the length of the blob; may be NULL. Setting both is QUEUES_INVALID,
    // because each item ends in one callback; so is setting this without an item_size.
    queues_drop_bytes_t drop_bytes;
} queues_deque_options_t;

// Options of queues_batch_create. Set struct_size to the size of this structure, and to 0 or NULL what
// is not needed: that is the default.
// A struct_size from the size that the library knows up to 4096 is accepted, if all bytes beyond those
// that it knows are 0: so a program may be built with a newer header than the library. Any other is
// QUEUES_INVALID.
typedef struct queues_batch_options_t {
    // sizeof(queues_batch_options_t).
    size_t struct_size;
    // The most items that fit, exactly; 0: 10000. Not less than batch_size.
    size_t max_pending;
    // 0: items are void pointers; else the most bytes of a blob.
    size_t item_size;
    // 0; no flags are known.
    uint64_t flags;
    // Called for each item that nobody gets, see queues_drop_t; may be NULL.
    queues_drop_t drop;
    // The first argument of drop or drop_bytes.
    void *drop_ctx;
    // The most items of a batch, and how many make one due; 0: 32.
    size_t batch_size;
    // How many nanoseconds an item waits for others; 0: 10 ms; below 0: for ever.
    int64_t batch_timeout_ns;
    // The most that a batch weighs, and how much makes one due, in whatever unit; 0: no limit.
    uint64_t batch_weight;
    // As drop, and is passed the length of the blob; may be NULL. Setting both is QUEUES_INVALID,
    // because each item ends in one callback; so is setting this without an item_size.
    queues_drop_bytes_t drop_bytes;
} queues_batch_options_t;

// Where a blob of a batch lies in the caller's buffer.
typedef struct queues_batch_blob_t {
    // Where it begins, in bytes from the beginning of the buffer.
    size_t offset;
    // How many bytes it has.
    size_t length;
} queues_batch_blob_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library that runs, as in "1.2.3"; QUEUES_VERSION is that of the header.
// Does not wait. Any thread. Never NULL, static.
// Since 0.1.
const char *queues_version(void);

// A short text for a status, as in "the queue is full"; for any other number "unknown status".
// Does not wait. Any thread. Never NULL, static.
// Since 0.1.
const char *queues_status_string(int32_t status);

// Writes statistics as a JSON object into a buffer, with a NUL at its end.
//
// The keys are the names of the structure's fields but struct_size. *len becomes the length without the NUL, on
// QUEUES_TOO_SMALL too; a buffer of *len + 1 bytes is large enough. Nothing is written into a
// buffer that is too small; (NULL, 0) asks for the length.
// Does not wait. Any thread.
// Returns OK, TOO_SMALL, INVALID (also fields beyond those that the library knows that are not 0).
// Since 0.1.
queues_status_t queues_stats_json(const struct queues_stats_t *stats,
                                  char *buffer,
                                  size_t capacity,
                                  size_t *len);

// Writes the statistics of n queues in Prometheus' text exposition format (version 0.0.4) into a
// buffer, with a NUL at its end.
//
// stats is an array, names says what the label `queue` of each is to be (UTF-8, escaped as the
// format wants it). Counters: queues_enqueued_total, queues_dequeued_total,
// queues_failed_enqueue_total, queues_failed_dequeue_total, queues_stolen_total; gauges:
// queues_peak_size, queues_current_size, queues_capacity. All queues of a page belong into one
// call: a metric may be described only once on it. *len and the buffer are as for
// queues_stats_json.
// Does not wait. Any thread.
// Returns OK, TOO_SMALL, INVALID (also a name that is NULL or no UTF-8, structures of different
// sizes, or fields beyond those that the library knows that are not 0). Since 0.1.
queues_status_t queues_stats_prometheus(const struct queues_stats_t *stats,
                                        const char *const *names,
                                        size_t n,
                                        char *buffer,
                                        size_t capacity,
                                        size_t *len);

// Creates a queue with one reference, which the caller owns.
// Takes all the memory that the queue will ever use. Does not wait. Any thread.
// Returns OK, INVALID (options or queue NULL, wrong struct_size, unknown flags, options that exclude
// each other, sizes whose product overflows), NOMEM. Since 0.1.
queues_status_t queues_mpmc_create(const struct queues_mpmc_options_t *options,
                                   struct queues_mpmc_t **queue);

// Adds a reference, for another owner of the queue.
// Does not wait. Any thread that holds a reference.
// Returns queue; NULL if it is no such queue.
// Since 0.1.
struct queues_mpmc_t *queues_mpmc_retain(struct queues_mpmc_t *queue);

// Gives a reference up. The last one frees the queue, after handing what is left in it to the drop
// callback. NULL and foreign handles are ignored. Does not wait. Any thread that holds a
// reference, which must not use the queue afterwards unless it holds another.
// Since 0.1.
void queues_mpmc_release(struct queues_mpmc_t *queue);

// Puts a pointer, if there is room.
// Does not wait; lock-free. Any thread. On OK the item is the queue's, else it stays the caller's.
// Returns OK, FULL, CLOSED, INVALID.
// Since 0.1.
queues_status_t queues_mpmc_try_put(struct queues_mpmc_t *queue, void *item);

// Puts a pointer, waiting up to timeout_ns for room.
// May wait. Any thread. On OK the item is the queue's, else it stays the caller's.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID.
// Since 0.1.
queues_status_t queues_mpmc_put(struct queues_mpmc_t *queue, void *item, int64_t timeout_ns);

// Gets the pointer in front, if there is one.
// Does not wait; lock-free. Any thread. On OK the item is the caller's.
// Returns OK, EMPTY, CLOSED (and drained), INVALID.
// Since 0.1.
queues_status_t queues_mpmc_try_get(struct queues_mpmc_t *queue, void **item);

// Gets the pointer in front, waiting up to timeout_ns for one.
// May wait. Any thread. On OK the item is the caller's.
// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), INVALID.
// Since 0.1.
queues_status_t queues_mpmc_get(struct queues_mpmc_t *queue, void **item, int64_t timeout_ns);

// Tells which pointer is in front, and leaves it there.
// Another consumer may take the item at once, and free what it points to: follow the pointer only
// if you know better. Does not wait; lock-free. Any thread. The item stays the queue's.
// Returns OK, EMPTY, CLOSED (and drained), INVALID.
// Since 0.1.
queues_status_t queues_mpmc_peek(struct queues_mpmc_t *queue, void **item);

// Puts a copy of len bytes, if there is room; (NULL, 0) is an empty blob.
// Does not wait; lock-free. Any thread. The bytes stay the caller's.
// Returns OK, FULL, CLOSED, INVALID (also len above item_size).
// Since 0.1.
queues_status_t queues_mpmc_try_put_bytes(struct queues_mpmc_t *queue,
                                          const void *data,
                                          size_t len);

// Puts a copy of len bytes, waiting up to timeout_ns for room; (NULL, 0) is an empty blob.
// May wait. Any thread. The bytes stay the caller's.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also len above item_size).
// Since 0.1.
queues_status_t queues_mpmc_put_bytes(struct queues_mpmc_t *queue,
                                      const void *data,
                                      size_t len,
                                      int64_t timeout_ns);

// Gets the blob in front into a buffer, if there is one.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
// Does not wait; lock-free. Any thread.
// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID.
// Since 0.1.
queues_status_t queues_mpmc_try_get_bytes(struct queues_mpmc_t *queue,
                                          void *buffer,
                                          size_t capacity,
                                          size_t *len);

// Gets the blob in front into a buffer, waiting up to timeout_ns for one.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
// May wait. Any thread.
// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), TOO_SMALL, INVALID.
// Since 0.1.
queues_status_t queues_mpmc_get_bytes(struct queues_mpmc_t *queue,
                                      void *buffer,
                                      size_t capacity,
                                      size_t *len,
                                      int64_t timeout_ns);

// Copies the blob in front into a buffer, and leaves it there.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
// Whatever is returned, the buffer may hold parts of blobs that others took meanwhile.
// Does not wait; lock-free. Any thread.
// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID.
// Since 0.1.
queues_status_t queues_mpmc_peek_bytes(struct queues_mpmc_t *queue,
                                       void *buffer,
                                       size_t capacity,
                                       size_t *len);

// Puts n pointers in order, waiting up to timeout_ns for room for all of them.
// *done becomes how many were put, whatever is returned but INVALID: items[0] to items[*done - 1]
// are the queue's, the others stay the caller's. Items of other producers may come between them.
// May wait. Any thread.
// Returns OK (all of them), TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID.
// Since 0.1.
queues_status_t queues_mpmc_put_many(struct queues_mpmc_t *queue,
                                     void *const *items,
                                     size_t n,
                                     int64_t timeout_ns,
                                     size_t *done);

// Gets up to n pointers in order: waits up to timeout_ns for the first, then takes what is there.
// *done becomes how many were got, whatever is returned but INVALID; they are the caller's.
// May wait. Any thread.
// Returns OK (at least one, or n is 0), TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained),
// INVALID. Since 0.1.
queues_status_t queues_mpmc_get_many(struct queues_mpmc_t *queue,
                                     void **items,
                                     size_t n,
                                     int64_t timeout_ns,
                                     size_t *done);

// Reserves a cell for a blob of up to item_size bytes, waiting up to timeout_ns for room.
// *data (aligned to 8) may be written until commit or cancel, by any thread that orders its writes
// before that call. A caller may hold several. Needs room at one moment of the call, but holds no
// place in the queue: commit takes that.
// May wait; with timeout_ns 0 lock-free. Any thread. The cell is the caller's. Queues of blobs only.
// Returns OK, TIMEOUT, FULL (timeout_ns 0; no room, or no cell), CLOSED, INVALID.
// Since 0.1.
queues_status_t queues_mpmc_reserve(struct queues_mpmc_t *queue,
                                    void **data,
                                    int64_t timeout_ns);

// Puts the first len bytes of a reserved cell at the end of the queue.
// The other bytes are lost. On FULL, CLOSED and INVALID the cell stays reserved with its bytes:
// commit again, or cancel. To wait for room, put_bytes(queue, data, len, timeout_ns) copies them out
// of the reserved cell.
// Does not wait; lock-free. Any thread. On OK the cell is the queue's.
// Returns OK, FULL, CLOSED, INVALID (also data NULL or len above item_size), MISUSE (data is not
// reserved).
// Since 0.1.
queues_status_t queues_mpmc_commit(struct queues_mpmc_t *queue,
                                   void *data,
                                   size_t len);

// Gives a reserved cell back without a put.
// Does not wait; lock-free. Any thread. On OK the cell is the queue's. Works after close, too.
// Returns OK, INVALID (also data NULL), MISUSE (data is not reserved).
// Since 0.1.
queues_status_t queues_mpmc_cancel(struct queues_mpmc_t *queue, void *data);

// Takes the blob in front out of the queue and leaves it in its cell, waiting up to timeout_ns for
// one.
// *data (aligned to 8) and *len become where it is and its length. The item_size bytes there may be
// read and written until settle or return. The blob is out of the queue: it does not count in size,
// its place is free, no other consumer gets it and clear does not find it. A caller may hold several.
// May wait; with timeout_ns 0 lock-free. Any thread. The blob is lent to the caller; if it is neither
// settled nor returned, the last release hands it to the drop callback. Queues of blobs only.
// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), INVALID.
// Since 0.1.
queues_status_t queues_mpmc_lease(struct queues_mpmc_t *queue,
                                  void **data,
                                  size_t *len,
                                  int64_t timeout_ns);

// Ends a lease: the blob is done with, and its cell free. The drop callback is not called for it.
// Does not wait; lock-free. Any thread. On OK the cell is the queue's. Works after close, too.
// Returns OK, INVALID (also data NULL), MISUSE (data is not leased).
// Since 0.1.
queues_status_t queues_mpmc_settle(struct queues_mpmc_t *queue, void *data);

// Puts a leased blob at the end of the queue, with its length and the bytes that it has now.
// That is a put in every respect; it counts as enqueued again. On FULL and CLOSED the blob stays
// leased: return it again, or settle it. A closed queue takes nothing, not even what was in it
// before.
// Does not wait; lock-free. Any thread. On OK the blob is the queue's.
// Returns OK, FULL, CLOSED, INVALID (also data NULL), MISUSE (data is not leased).
// Since 0.1.
queues_status_t queues_mpmc_return(struct queues_mpmc_t *queue, void *data);

// Takes everything that was there when the call began and hands it to the drop callback.
// *count becomes how many items that were. An item is out of the queue, and its place free, when its
// callback is called.
// Does not wait; lock-free but for the callback. Any thread.
// Returns OK, INVALID, PANIC (a callback panicked; *count is not written).
// Since 0.1.
queues_status_t queues_mpmc_clear(struct queues_mpmc_t *queue,
                                  size_t *count);

// Closes the queue: later puts return CLOSED, gets drain it and then return CLOSED. Wakes all
// waiters. Closing again does nothing. Does not wait; lock-free. Any thread.
// Returns OK, INVALID.
// Since 0.1.
queues_status_t queues_mpmc_close(struct queues_mpmc_t *queue);

// Whether the queue was closed; true if it is no such queue, since nothing can be put there.
// Does not wait; lock-free. Any thread.
// Since 0.1.
bool queues_mpmc_is_closed(const struct queues_mpmc_t *queue);

// How many items are in the queue: a snapshot, never above the capacity; 0 if it is no such queue.
// Does not wait; lock-free. Any thread.
// Since 0.1.
size_t queues_mpmc_size(const struct queues_mpmc_t *queue);

// The most items that fit; 0 if it is no such queue.
// Does not wait; wait-free. Any thread.
// Since 0.1.
size_t queues_mpmc_capacity(const struct queues_mpmc_t *queue);

// Writes a snapshot of the statistics; stats->struct_size must be set. Fields that this library
// does not know become 0.
// Does not wait; lock-free. Any thread.
// Returns OK, INVALID.
// Since 0.1.
queues_status_t queues_mpmc_stats(const struct queues_mpmc_t *queue, struct queues_stats_t *stats);

// Creates a queue with one reference, which the caller owns.
// Takes all the memory that the queue will ever use. Does not wait. Any thread.
// Returns OK, INVALID (options or queue NULL, wrong struct_size, unknown flags, options that exclude
// each other, sizes whose product overflows), NOMEM. Since 0.1.
queues_status_t queues_spsc_create(const struct queues_spsc_options_t *options,
                                   struct queues_spsc_t **queue);

// Adds a reference, for another owner of the queue.
// Does not wait. Any thread that holds a reference.
// Returns queue; NULL if it is no such queue.
// Since 0.1.
struct queues_spsc_t *queues_spsc_retain(struct queues_spsc_t *queue);

// Gives a reference up. The last one frees the queue, after handing what is left in it to the drop
// callback. NULL and foreign handles are ignored. Does not wait. Any thread that holds a
// reference, which must not use the queue afterwards unless it holds another.
// Since 0.1.
void queues_spsc_release(struct queues_spsc_t *queue);

// Puts a pointer, if there is room.
// Does not wait; wait-free. The producer thread. On OK the item is the queue's, else it stays the
// caller's. Returns OK, FULL, CLOSED, INVALID, MISUSE (checked queues).
// Since 0.1.
queues_status_t queues_spsc_try_put(struct queues_spsc_t *queue, void *item);

// Puts a pointer, waiting up to timeout_ns for room.
// May wait. The producer thread. On OK the item is the queue's, else it stays the caller's.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID, MISUSE (checked queues).
// Since 0.1.
queues_status_t queues_spsc_put(struct queues_spsc_t *queue, void *item, int64_t timeout_ns);

// Gets the pointer in front, if there is one.
// Does not wait; wait-free. The consumer thread. On OK the item is the caller's.
// Returns OK, EMPTY, CLOSED (and drained), INVALID, MISUSE (checked queues).
// Since 0.1.
queues_status_t queues_spsc_try_get(struct queues_spsc_t *queue, void **item);

// Gets the pointer in front, waiting up to timeout_ns for one.
// May wait. The consumer thread. On OK the item is the caller's.
// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), INVALID, MISUSE (checked
// queues). Since 0.1.
queues_status_t queues_spsc_get(struct queues_spsc_t *queue, void **item, int64_t timeout_ns);

// Tells which pointer is in front, and leaves it there.
// The item stays until this thread gets it, so it may be followed.
// Does not wait; wait-free. The consumer thread. The item stays the queue's.
// Returns OK, EMPTY, CLOSED (and drained), INVALID, MISUSE (checked queues).
// Since 0.1.
queues_status_t queues_spsc_peek(struct queues_spsc_t *queue, void **item);

// Puts a copy of len bytes, if there is room; (NULL, 0) is an empty blob.
// Does not wait; wait-free. The producer thread. The bytes stay the caller's.
// Returns OK, FULL, CLOSED, INVALID (also len above item_size), MISUSE (checked queues).
// Since 0.1.
queues_status_t queues_spsc_try_put_bytes(struct queues_spsc_t *queue,
                                          const void *data,
                                          size_t len);

// Puts a copy of len bytes, waiting up to timeout_ns for room; (NULL, 0) is an empty blob.
// May wait. The producer thread. The bytes stay the caller's.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also len above item_size), MISUSE
// (checked queues). Since 0.1.
queues_status_t queues_spsc_put_bytes(struct queues_spsc_t *queue,
                                      const void *data,
                                      size_t len,
                                      int64_t timeout_ns);

// Gets the blob in front into a buffer, if there is one.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
// Does not wait; wait-free. The consumer thread.
// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID, MISUSE (checked queues).
// Since 0.1.
queues_status_t queues_spsc_try_get_bytes(struct queues_spsc_t *queue,
                                          void *buffer,
                                          size_t capacity,
                                          size_t *len);

// Gets the blob in front into a buffer, waiting up to timeout_ns for one.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
// May wait. The consumer thread.
// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), TOO_SMALL, INVALID, MISUSE
// (checked queues). Since 0.1.
queues_status_t queues_spsc_get_bytes(struct queues_spsc_t *queue,
                                      void *buffer,
                                      size_t capacity,
                                      size_t *len,
                                      int64_t timeout_ns);

// Copies the blob in front into a buffer, and leaves it there.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
// Does not wait; wait-free. The consumer thread.
// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID, MISUSE (checked queues).
// Since 0.1.
queues_status_t queues_spsc_peek_bytes(struct queues_spsc_t *queue,
                                       void *buffer,
                                       size_t capacity,
                                       size_t *len);

// Puts n pointers in order, waiting up to timeout_ns for room for all of them.
// *done becomes how many were put, whatever is returned but INVALID and MISUSE: items[0] to
// items[*done - 1] are the queue's, the others stay the caller's.
// May wait. The producer thread.
// Returns OK (all of them), TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID, MISUSE (checked
// queues). Since 0.1.
queues_status_t queues_spsc_put_many(struct queues_spsc_t *queue,
                                     void *const *items,
                                     size_t n,
                                     int64_t timeout_ns,
                                     size_t *done);

// Gets up to n pointers in order: waits up to timeout_ns for the first, then takes what is there.
// *done becomes how many were got, whatever is returned but INVALID and MISUSE; they are the
// caller's. May wait. The consumer thread.
// Returns OK (at least one, or n is 0), TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained),
// INVALID, MISUSE (checked queues). Since 0.1.
queues_status_t queues_spsc_get_many(struct queues_spsc_t *queue,
                                     void **items,
                                     size_t n,
                                     int64_t timeout_ns,
                                     size_t *done);

// Gives room for a blob of item_size bytes in the queue itself, waiting up to timeout_ns for it.
// *data (aligned to 8) may be written until commit, or until the producer's next put or reserve,
// which forgets the reservation. May wait. The producer thread. Queues of bytes only.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID, MISUSE (checked queues).
// Since 0.1.
queues_status_t queues_spsc_reserve(struct queues_spsc_t *queue, void **data, int64_t timeout_ns);

// Puts the first len bytes of what was reserved.
// Does not wait; wait-free. The producer thread. On CLOSED the reservation is gone.
// Returns OK, CLOSED, INVALID (also len above item_size), MISUSE (nothing is reserved).
// Since 0.1.
queues_status_t queues_spsc_commit(struct queues_spsc_t *queue, size_t len);

// Gives the blob in front where it lies in the queue, waiting up to timeout_ns for one.
// *data (aligned to 8) may be read until consume, or until the consumer's next get or clear.
// May wait. The consumer thread. Queues of bytes only. The blob stays the queue's.
// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), INVALID, MISUSE (checked
// queues). Since 0.1.
queues_status_t queues_spsc_front(struct queues_spsc_t *queue,
                                  const void **data,
                                  size_t *len,
                                  int64_t timeout_ns);

// Takes the blob in front without copying it; its bytes must not be used any more.
// The drop callback is not called for it.
// Does not wait; wait-free. The consumer thread. Queues of bytes only.
// Returns OK, EMPTY, CLOSED (and drained), INVALID, MISUSE (checked queues).
// Since 0.1.
queues_status_t queues_spsc_consume(struct queues_spsc_t *queue);

// Takes everything that was there when the call began and hands it to the drop callback.
// *count becomes how many items that were. The place of an item is free when its callback returns;
// until then it counts in size, is_full and the statistics, but cannot be got.
// Does not wait; wait-free but for the callback. The consumer thread.
// Returns OK, INVALID, PANIC (a callback panicked; *count is not written), MISUSE (checked
// queues). Since 0.1.
queues_status_t queues_spsc_clear(struct queues_spsc_t *queue, size_t *count);

// Closes the queue: later puts return CLOSED, gets drain it and then return CLOSED. Wakes all
// waiters. Closing again does nothing. Does not wait; wait-free. Any thread.
// Returns OK, INVALID.
// Since 0.1.
queues_status_t queues_spsc_close(struct queues_spsc_t *queue);

// Whether the queue was closed; true if it is no such queue, since nothing can be put there.
// It may not be drained, and a put under way may still arrive: only CLOSED from a get says that
// nothing more comes.
// Does not wait; wait-free. Any thread.
// Since 0.1.
bool queues_spsc_is_closed(const struct queues_spsc_t *queue);

// How many items are in the queue: a snapshot, never above the capacity; 0 if it is no such queue.
// Does not wait; wait-free. Any thread.
// Since 0.1.
size_t queues_spsc_size(const struct queues_spsc_t *queue);

// Whether there is nothing to get: a snapshot; true if it is no such queue.
// The consumer may rely on false. Does not wait; wait-free. Any thread.
// Since 0.1.
bool queues_spsc_is_empty(const struct queues_spsc_t *queue);

// Whether there is no room: a snapshot; false if it is no such queue.
// The producer may rely on false. Does not wait; wait-free. Any thread.
// Since 0.1.
bool queues_spsc_is_full(const struct queues_spsc_t *queue);

// The most items that fit; 0 if it is no such queue.
// Does not wait; wait-free. Any thread.
// Since 0.1.
size_t queues_spsc_capacity(const struct queues_spsc_t *queue);

// Writes a snapshot of the statistics; stats->struct_size must be set. Fields that this library
// does not know become 0.
// Does not wait; wait-free. Any thread.
// Returns OK, INVALID.
// Since 0.1.
queues_status_t queues_spsc_stats(const struct queues_spsc_t *queue, struct queues_stats_t *stats);

// Creates a queue with one reference, which the caller owns.
// Takes all the memory that the queue will ever use. Does not wait. Any thread.
// Returns OK, INVALID (options or queue NULL, wrong struct_size, unknown flags, options that exclude
// each other, sizes whose product overflows), NOMEM. Since 0.1.
queues_status_t queues_priority_create(const struct queues_priority_options_t *options,
                                       struct queues_priority_t **queue);

// Adds a reference, for another owner of the queue.
// Does not wait. Any thread that holds a reference.
// Returns queue; NULL if it is no such queue.
// Since 0.1.
struct queues_priority_t *queues_priority_retain(struct queues_priority_t *queue);

// Gives a reference up. The last one frees the queue, after handing what is left in it to the drop
// callback. NULL and foreign handles are ignored. Does not wait. Any thread that holds a
// reference, which must not use the queue afterwards unless it holds another.
// Since 0.1.
void queues_priority_release(struct queues_priority_t *queue);

// Puts a pointer with its priority, if there is room.
// Does not wait; a short lock. Any thread. On OK the item is the queue's, else it stays the
// caller's. Returns OK, FULL, CLOSED, INVALID (also priority NaN).
// Since 0.1.
queues_status_t queues_priority_try_put(struct queues_priority_t *queue,
                                        void *item,
                                        double priority);

// Puts a pointer with its priority, waiting up to timeout_ns for room.
// May wait. Any thread. On OK the item is the queue's, else it stays the caller's.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also priority NaN).
// Since 0.1.
queues_status_t queues_priority_put(struct queues_priority_t *queue,
                                    void *item,
                                    double priority,
                                    int64_t timeout_ns);

// Gets the pointer in front and its priority, if there is one.
// Does not wait; a short lock. Any thread. On OK the item is the caller's.
// Returns OK, EMPTY, CLOSED (and drained), INVALID.
// Since 0.1.
queues_status_t queues_priority_try_get(struct queues_priority_t *queue,
                                        void **item,
                                        double *priority);

// Gets the pointer in front and its priority, waiting up to timeout_ns for one.
// May wait. Any thread. On OK the item is the caller's.
// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), INVALID.
// Since 0.1.
queues_status_t queues_priority_get(struct queues_priority_t *queue,
                                    void **item,
                                    double *priority,
                                    int64_t timeout_ns);

// Tells which pointer is in front and its priority, and leaves it there.
// Another consumer may take the item at once, and free what it points to: follow the pointer only
// if you know better. Does not wait; a short lock. Any thread. The item stays the queue's.
// Returns OK, EMPTY, CLOSED (and drained), INVALID.
// Since 0.1.
queues_status_t queues_priority_peek(struct queues_priority_t *queue,
                                     void **item,
                                     double *priority);

// Puts a copy of len bytes with a priority, if there is room; (NULL, 0) is an empty blob.
// Does not wait; a short lock. Any thread. The bytes stay the caller's.
// Returns OK, FULL, CLOSED, INVALID (also len above item_size, priority NaN).
// Since 0.1.
queues_status_t queues_priority_try_put_bytes(struct queues_priority_t *queue,
                                              const void *data,
                                              size_t len,
                                              double priority);

// Puts a copy of len bytes with a priority, waiting up to timeout_ns for room; (NULL, 0) is an
// empty blob. May wait. Any thread. The bytes stay the caller's.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also len above item_size, priority
// NaN). Since 0.1.
queues_status_t queues_priority_put_bytes(struct queues_priority_t *queue,
                                          const void *data,
                                          size_t len,
                                          double priority,
                                          int64_t timeout_ns);

// Gets the blob in front into a buffer, and its priority, if there is one.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
// Does not wait; a short lock. Any thread.
// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID.
// Since 0.1.
queues_status_t queues_priority_try_get_bytes(struct queues_priority_t *queue,
                                              void *buffer,
                                              size_t capacity,
                                              size_t *len,
                                              double *priority);

// Gets the blob in front into a buffer, and its priority, waiting up to timeout_ns for one.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
// May wait. Any thread.
// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), TOO_SMALL, INVALID.
// Since 0.1.
queues_status_t queues_priority_get_bytes(struct queues_priority_t *queue,
                                          void *buffer,
                                          size_t capacity,
                                          size_t *len,
                                          double *priority,
                                          int64_t timeout_ns);

// Copies the blob in front into a buffer, and its priority, and leaves it there.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
// Whatever is returned, the buffer may hold parts of blobs that others took meanwhile.
// Does not wait; a short lock. Any thread.
// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID.
// Since 0.1.
queues_status_t queues_priority_peek_bytes(struct queues_priority_t *queue,
                                           void *buffer,
                                           size_t capacity,
                                           size_t *len,
                                           double *priority);

// Takes everything that was there when the call began and hands it to the drop callback.
// *count becomes how many items that were. The place of an item is free when its callback returns;
// until then it counts in size and the statistics, but cannot be got.
// Does not wait; a short lock for each item. Any thread.
// Returns OK, INVALID, PANIC (a callback panicked; *count is not written).
// Since 0.1.
queues_status_t queues_priority_clear(struct queues_priority_t *queue, size_t *count);

// Closes the queue: later puts return CLOSED, gets drain it and then return CLOSED. Wakes all
// waiters. Closing again does nothing. Does not wait; a short lock. Any thread.
// Returns OK, INVALID.
// Since 0.1.
queues_status_t queues_priority_close(struct queues_priority_t *queue);

// Whether the queue was closed; true if it is no such queue, since nothing can be put there.
// Does not wait; a short lock. Any thread.
// Since 0.1.
bool queues_priority_is_closed(const struct queues_priority_t *queue);

// How many items are in the queue: a snapshot, never above the capacity; 0 if it is no such queue.
// Does not wait; a short lock. Any thread.
// Since 0.1.
size_t queues_priority_size(const struct queues_priority_t *queue);

// The most items that fit; 0 if it is no such queue.
// Does not wait; wait-free. Any thread.
// Since 0.1.
size_t queues_priority_capacity(const struct queues_priority_t *queue);

// Writes a snapshot of the statistics; stats->struct_size must be set. Fields that this library
// does not know become 0.
// Does not wait; a short lock. Any thread.
// Returns OK, INVALID.
// Since 0.1.
queues_status_t queues_priority_stats(const struct queues_priority_t *queue,
                                      struct queues_stats_t *stats);

// Creates a deque with one reference, which the caller owns.
// Takes all the memory that the deque will ever use, unless it is growable. Does not wait. Any
// thread.
// Returns OK, INVALID (options or deque NULL, wrong struct_size, unknown flags, options that exclude
// each other, sizes whose product overflows), NOMEM. Since 0.1.
queues_status_t queues_deque_create(const struct queues_deque_options_t *options,
                                    struct queues_deque_t **deque);

// Adds a reference, for another user of the deque.
// Does not wait. Any thread that holds a reference.
// Returns deque; NULL if it is no such deque.
// Since 0.1.
struct queues_deque_t *queues_deque_retain(struct queues_deque_t *deque);

// Gives a reference up. The last one frees the deque, after handing what is left in it to the drop
// callback. NULL and foreign handles are ignored. Does not wait. Any thread that holds a
// reference, which must not use the deque afterwards unless it holds another.
// Since 0.1.
void queues_deque_release(struct queues_deque_t *deque);

// Pushes a pointer, if there is room or the deque can grow.
// Does not wait; wait-free unless it grows. The owner. On OK the item is the deque's, else it
// stays the caller's.
// Returns OK, FULL (not growable), NOMEM (growable), INVALID, MISUSE (checked deques).
// Since 0.1.
queues_status_t queues_deque_push(struct queues_deque_t *deque, void *item);

// Pops the pointer that was pushed last, if there is one.
// Does not wait; wait-free. The owner. On OK the item is the caller's.
// Returns OK, EMPTY, INVALID, MISUSE (checked deques).
// Since 0.1.
queues_status_t queues_deque_pop(struct queues_deque_t *deque, void **item);

// Steals the pointer that was pushed first, if there is one.
// Does not wait; never loops. Any thread. On OK the item is the caller's.
// Returns OK, EMPTY, RETRY (another thread took the item), INVALID.
// Since 0.1.
queues_status_t queues_deque_steal(struct queues_deque_t *deque, void **item);

// Steals up to max pointers, one after the other, until it finds none or loses a race.
// *done becomes how many, also when it is none. In the order in which they were pushed; between
// two of them other thieves may take some.
// Does not wait. Any thread. The items counted are the caller's.
// Returns OK (at least one, or max 0), EMPTY, RETRY (another thread took the first), INVALID
// (*done is not written).
// Since 0.1.
queues_status_t queues_deque_steal_many(struct queues_deque_t *deque,
                                        void **items,
                                        size_t max,
                                        size_t *done);

// Pushes a copy of len bytes, if there is room or the deque can grow; (NULL, 0) is an empty blob.
// Does not wait; wait-free unless it grows. The owner. The bytes stay the caller's.
// Returns OK, FULL (not growable), NOMEM (growable), INVALID (also len above item_size), MISUSE
// (checked deques). Since 0.1.
queues_status_t queues_deque_push_bytes(struct queues_deque_t *deque, const void *data, size_t len);

// Pops the blob that was pushed last into a buffer, if there is one.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays.
// Does not wait; wait-free. The owner.
// Returns OK, EMPTY, TOO_SMALL, INVALID, MISUSE (checked deques).
// Since 0.1.
queues_status_t queues_deque_pop_bytes(struct queues_deque_t *deque,
                                       void *buffer,
                                       size_t capacity,
                                       size_t *len);

// Steals the blob that was pushed first into a buffer, if there is one.
// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays. Whatever is
// returned, the buffer may hold parts of blobs that others took meanwhile.
// Does not wait; never loops. Any thread.
// Returns OK, EMPTY, RETRY (another thread took the blob), TOO_SMALL, INVALID.
// Since 0.1.
queues_status_t queues_deque_steal_bytes(struct queues_deque_t *deque,
                                         void *buffer,
                                         size_t capacity,
                                         size_t *len);

// How many items are in the deque: a snapshot, never above the capacity; 0 if it is no such deque.
// Does not wait; wait-free. Any thread.
// Since 0.1.
size_t queues_deque_size(const struct queues_deque_t *deque);

// Whether there is no item: a snapshot; true if it is no such deque.
// Does not wait; wait-free. Any thread.
// Since 0.1.
bool queues_deque_is_empty(const struct queues_deque_t *deque);

// The most items that fit, if it is growable: before it grows; 0 if it is no such deque.
// Does not wait; wait-free. Any thread.
// Since 0.1.
size_t queues_deque_capacity(const struct queues_deque_t *deque);

// Writes a snapshot of the statistics; stats->struct_size must be set. Fields that this library
// does not know become 0. A push that returns FULL or NOMEM counts as failed_enqueue, a pop or steal
// that returns EMPTY as failed_dequeue; a lost race counts as neither. stolen may lack a theft that is only just done.
// Does not wait; lock-free. Any thread.
// Returns OK, INVALID.
// Since 0.1.
queues_status_t queues_deque_stats(const struct queues_deque_t *deque,
                                   struct queues_stats_t *stats);

// Creates a queue with one reference, which the caller owns.
// Takes all the memory that the queue will ever use. Does not wait. Any thread.
// Returns OK, INVALID (options or queue NULL, wrong struct_size, unknown flags, options that exclude
// each other, max_pending below batch_size, sizes whose product overflows, or a batch_weight for
// which (batch_weight + 1) * (max_pending + 64 + 2 * batch_size) is 2^62 or more), NOMEM.
// Since 0.1.
queues_status_t queues_batch_create(const struct queues_batch_options_t *options,
                                    struct queues_batch_t **queue);

// Adds a reference, for another owner of the queue.
// Does not wait. Any thread that holds a reference.
// Returns queue; NULL if it is no such queue.
// Since 0.1.
struct queues_batch_t *queues_batch_retain(struct queues_batch_t *queue);

// Gives a reference up. The last one frees the queue, after handing what is left in it to the drop
// callback. NULL and foreign handles are ignored. Does not wait. Any thread that holds a
// reference, which must not use the queue afterwards unless it holds another.
// Since 0.1.
void queues_batch_release(struct queues_batch_t *queue);

// Puts a pointer of weight 1, if there is room.
// Does not wait; lock-free. Any thread. On OK the item is the queue's, else it stays the caller's.
// Returns OK, FULL, CLOSED, INVALID.
// Since 0.1.
queues_status_t queues_batch_try_put(struct queues_batch_t *queue, void *item);

// Puts a pointer of weight 1, waiting up to timeout_ns for room.
// May wait. Any thread. On OK the item is the queue's, else it stays the caller's.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID.
// Since 0.1.
queues_status_t queues_batch_put(struct queues_batch_t *queue, void *item, int64_t timeout_ns);

// Puts a pointer with its weight (0 too), waiting up to timeout_ns for room. Weights count if the
// queue has a batch_weight.
// May wait. Any thread. On OK the item is the queue's, else it stays the caller's.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID.
// Since 0.1.
queues_status_t queues_batch_put_weighted(struct queues_batch_t *queue,
                                          void *item,
                                          uint64_t weight,
                                          int64_t timeout_ns);

// Takes the next batch that is due, waiting up to timeout_ns for one; when that is over, whatever
// is pending. Into items, in the order in which they were put: max at most, so max is best not less
// than batch_size; *n becomes how many, at least one unless max is 0.
// May wait. Any thread. On OK the items are the caller's.
// Returns OK, TIMEOUT (nothing was pending), EMPTY (the same with timeout_ns 0), CLOSED (and
// drained), INVALID.
// Since 0.1.
queues_status_t queues_batch_get_batch(struct queues_batch_t *queue,
                                       void **items,
                                       size_t max,
                                       size_t *n,
                                       int64_t timeout_ns);

// Takes a batch if one is due, as queues_batch_get_batch does; for an event loop, which must not
// wait and must not break off a batch that is not due.
// Does not wait; a short lock. Any thread. On OK the items are the caller's.
// Returns OK, EMPTY (no batch is due), CLOSED (and drained), INVALID.
// Since 0.1.
queues_status_t queues_batch_get_due(struct queues_batch_t *queue,
                                     void **items,
                                     size_t max,
                                     size_t *n);

// Puts a copy of len bytes, of weight 1, if there is room; (NULL, 0) is an empty blob.
// Does not wait; lock-free. Any thread. The bytes stay the caller's.
// Returns OK, FULL, CLOSED, INVALID (also len above item_size).
// Since 0.1.
queues_status_t queues_batch_try_put_bytes(struct queues_batch_t *queue,
                                           const void *data,
                                           size_t len);

// Puts a copy of len bytes, of weight 1, waiting up to timeout_ns for room; (NULL, 0) is an empty
// blob. May wait. Any thread. The bytes stay the caller's.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also len above item_size).
// Since 0.1.
queues_status_t queues_batch_put_bytes(struct queues_batch_t *queue,
                                       const void *data,
                                       size_t len,
                                       int64_t timeout_ns);

// Puts a copy of len bytes with their weight (0 too), waiting up to timeout_ns for room; (NULL, 0)
// is an empty blob. Weights count if the queue has a batch_weight.
// May wait. Any thread. The bytes stay the caller's.
// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also len above item_size).
// Since 0.1.
queues_status_t queues_batch_put_weighted_bytes(struct queues_batch_t *queue,
                                                const void *data,
                                                size_t len,
                                                uint64_t weight,
                                                int64_t timeout_ns);

// Takes the next batch of blobs that is due, waiting up to timeout_ns for one; when that is over,
// whatever is pending. The blobs go into the buffer, one right behind the other in the order in
// which they were put, and where each lies into blobs: max at most; *n becomes how many, at least
// one unless max is 0, and *len the bytes of all. On TOO_SMALL *len becomes the bytes that are needed
// (batch_size times item_size always suffice), and the batch stays.
// May wait. Any thread.
// Returns OK, TIMEOUT (nothing was pending), EMPTY (the same with timeout_ns 0), CLOSED (and
// drained), TOO_SMALL, INVALID.
// Since 0.1.
queues_status_t queues_batch_get_batch_bytes(struct queues_batch_t *queue,
                                             void *buffer,
                                             size_t capacity,
                                             size_t *len,
                                             struct queues_batch_blob_t *blobs,
                                             size_t max,
                                             size_t *n,
                                             int64_t timeout_ns);

// Takes a batch of blobs if one is due, as queues_batch_get_batch_bytes does.
// Does not wait; a short lock. Any thread.
// Returns OK, EMPTY (no batch is due), CLOSED (and drained), TOO_SMALL, INVALID.
// Since 0.1.
queues_status_t queues_batch_get_due_bytes(struct queues_batch_t *queue,
                                           void *buffer,
                                           size_t capacity,
                                           size_t *len,
                                           struct queues_batch_blob_t *blobs,
                                           size_t max,
                                           size_t *n);

// Makes everything that is pending due, in batches of the usual size; what is put later is not.
// Does not wait; a short lock. Any thread.
// Returns OK, INVALID.
// Since 0.1.
queues_status_t queues_batch_flush(struct queues_batch_t *queue);

// Takes everything that is pending when the call begins, handing each item to the drop callback.
// *count becomes how many. An item is out of the queue, and its place free, when its callback is
// called.
// Does not wait; a short lock for each item. Any thread.
// Returns OK, INVALID, PANIC (a callback panicked; all the others were called).
// Since 0.1.
queues_status_t queues_batch_clear(struct queues_batch_t *queue, size_t *count);

// Closes: later puts return CLOSED, everything that is pending is due, and once it is taken gets
// return CLOSED; all waiters wake. Closing twice is closing once.
// Does not wait; lock-free. Any thread.
// Returns OK, INVALID.
// Since 0.1.
queues_status_t queues_batch_close(struct queues_batch_t *queue);

// Whether the queue was closed; true if it is no such queue, since nothing can be put there.
// Does not wait; lock-free. Any thread.
// Since 0.1.
bool queues_batch_is_closed(const struct queues_batch_t *queue);

// How many items are pending: a snapshot, never above max_pending; 0 if it is no such queue.
// Does not wait; lock-free. Any thread.
// Since 0.1.
size_t queues_batch_pending_count(const struct queues_batch_t *queue);

// The most items that fit, max_pending; 0 if it is no such queue.
// Does not wait; wait-free. Any thread.
// Since 0.1.
size_t queues_batch_capacity(const struct queues_batch_t *queue);

// Writes a snapshot of the statistics; stats->struct_size must be set. Fields that this library
// does not know become 0. They count items, not batches; failures count calls. A get_due that finds
// items, but none due, is no failure.
// Does not wait; lock-free. Any thread.
// Returns OK, INVALID.
// Since 0.1.
queues_status_t queues_batch_stats(const struct queues_batch_t *queue,
                                   struct queues_stats_t *stats);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* QUEUES_H */
