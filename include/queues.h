/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from src/ffi/. To change it, change the sources, then run `make header`. */
/**
 * @file queues.h
 * queues: bounded concurrent queues for C and C++. This header is the manual.
 *
 * | section        |                                                                               |
 * |----------------|-------------------------------------------------------------------------------|
 * | First steps    | a queue in seven lines                                                        |
 * | Rules          | what holds for every function                                                 |
 * | 1. Version     | QUEUES_VERSION, queues_version()                                              |
 * | 2. Statuses    | queues_status_t, queues_status_string()                                       |
 * | 3. Callbacks   | queues_drop_t: for items that no call gets                                    |
 * | 4. Statistics  | queues_stats_t, as JSON, for Prometheus                                       |
 * | 5. mpmc        | any number of producers and consumers: first in, first out                    |
 * | 6. spsc        | one producer, one consumer: first in, first out                               |
 * | 7. priority    | any number of producers and consumers: lowest priority first                  |
 * | 8. deque       | work stealing: one owner, any number of thieves                               |
 * | 9. batch       | any number of producers and consumers: items in batches, due by number or age |
 * | 10. event      | set until it is reset: for shutdown, cancellation and timers                  |
 * | 11. poll       | queues_poll(): waits for several queues and events                            |
 *
 * # First steps
 *
 *     queues_mpmc_options_t options = {.struct_size = sizeof options, .capacity = 100};
 *     queues_mpmc_t *queue;
 *     if (queues_mpmc_create(&options, &queue) != QUEUES_OK) ...
 *     if (queues_mpmc_put(queue, item, -1) != QUEUES_OK) ...            // -1: no timeout
 *     if (queues_mpmc_get(queue, &item, 1000000000) != QUEUES_OK) ...   // waits up to a second
 *     queues_mpmc_close(queue);                                         // no more puts
 *     queues_mpmc_release(queue);
 *
 * # Rules
 *
 * - Names: queues_FAMILY_VERB(). In the tables of the families a function is its verb.
 * - Statuses: 0 is success, above 0 an ordinary outcome, below 0 misuse or failure. Outputs are
 *   written only on QUEUES_OK. Exceptions are stated at the function.
 * - Invalid arguments: QUEUES_INVALID, and nothing has changed. A handle is invalid if it is NULL,
 *   of another family or of the other payload; an address if it is NULL or not aligned for its
 *   type; flags and struct_size if the library does not know them. Allowed are NULL for a buffer of
 *   capacity 0, data of length 0 and an array of 0 items, as a callback, and as the argument of
 *   release. Using a handle after its last release is undefined behavior.
 * - Ignored results: compilers warn where only the status shows who owns an item, a cell or a queue
 *   (QUEUES_WARN_UNUSED): create, put, get, push, pop, steal, reserve, commit, lease, return. The
 *   functions on many items write their number, whatever the status.
 * - Structures begin with struct_size: set it to the size of the structure. The library accepts
 *   sizes from the one that it knows up to 4096. In a structure that it reads, bytes that it does
 *   not know must be 0; in one that it writes, they become 0. So a program may be built with a
 *   newer header.
 * - Many items: with n or max 0 a call returns QUEUES_OK at once, whatever the other arguments and
 *   the state of the queue, if its handle and outputs are valid. Items of more than PTRDIFF_MAX
 *   bytes are QUEUES_INVALID.
 * - Payload, chosen at creation. item_size 0: items are pointers, of any value, NULL too; the
 *   library does not follow them. item_size n: items are blobs of 0 to n bytes, each with its
 *   length, which are copied into the queue; their functions end in _bytes.
 * - Time: timeout_ns is in nanoseconds of the monotonic clock. Below 0 there is no timeout. With 0
 *   a call does not wait: it returns and progresses as a try call. Signals neither shorten nor
 *   lengthen a wait.
 * - Ownership: on QUEUES_OK a put passes the item to the queue, and a get passes it to the caller.
 *   After any other status of a put the caller still owns the item. Items that no call gets are
 *   passed to the drop callback, each exactly once.
 * - References: create returns one, retain adds one, release drops one; the last release frees. A
 *   thread may use a queue while any thread is known to hold a reference: a thread that is joined
 *   before the release needs none of its own.
 * - Close (mpmc, spsc, priority, batch): later puts return QUEUES_CLOSED; gets drain what is left,
 *   then return QUEUES_CLOSED; all waiters wake. Closing frees nothing. No item is lost or got
 *   twice.
 * - Event loops: readable_fd, writable_fd and stealable_fd return descriptors for poll, epoll and
 *   event loops. They are level-triggered, and a program has nothing to arm. Once a queue has a
 *   descriptor, a get, peek or steal that returns QUEUES_EMPTY (a put that returns QUEUES_FULL)
 *   makes it unreadable and checks once more before it returns. So a loop calls until QUEUES_EMPTY
 *   and then waits for the descriptor. A queue without descriptors pays nothing for them. Several
 *   loops may wait for one descriptor; all of them wake. A loop removes the descriptor before the
 *   last release, which closes it.
 * - Order: what a thread did before a put happens before what follows the get of the item; what it
 *   did before a get, before what follows the put into the place that became free; what it did
 *   before close, before what follows QUEUES_CLOSED or a true is_closed. A peek orders as a get
 *   does. size, is_empty, is_full and statistics are snapshots and order nothing. Several queues:
 *   docs/ordering.md.
 * - Progress. Wait-free: the call finishes in a bounded number of its own steps. Lock-free: a
 *   thread that is suspended or killed anywhere in such a call does not keep the calls of other
 *   threads from finishing. A short lock: the call holds a lock for a bounded number of steps;
 *   other calls wait for it, in the kernel if it takes long. May sleep: the call waits in the
 *   kernel for an item or for room; a thread that sleeps blocks no other. If a thread was woken and
 *   is suspended before it takes the item or the room, the next call takes it; threads that are
 *   asleep already sleep on until then.
 * - Signal handlers must not call the library. What signals do: docs/abi.md.
 * - Cancellation: no function is a cancellation point, however long it waits and whatever a
 *   callback calls. A request stays pending: docs/abi.md.
 * - Memory is allocated by create, by the push that grows a growable deque, and by the first
 *   request for a descriptor; no other call allocates. Large arrays are untouched zero pages of the
 *   system, so it may run out of memory when they are first used. Capacity is exact.
 * - System calls, once a queue is created: waits, wake-ups and the clock only (on Linux futex,
 *   membarrier, sched_yield, clock_gettime; futex_waitv in queues_poll; for queues and events with
 *   descriptors also read, write, getpid and timerfd_settime). The first request for a descriptor
 *   also makes eventfd2, timerfd_create, epoll_create1, epoll_ctl, close, membarrier and those of
 *   malloc. The last release and the push that grows a deque also make those of free and malloc.
 *   The last release of a queue with descriptors also makes close. A call on a shared queue also
 *   makes fcntl, to learn whether a process is alive; its last release makes munmap and close. The
 *   first poll, descriptor or future of an end starts a thread.
 * - fork: a child may create and use queues of its own. Inherited queues are copies; docs/abi.md
 *   lists the calls that are allowed on them. Calls on an inherited shared queue return
 *   QUEUES_INVALID.
 * - Shared queues (queues_mpmc_open_shared, queues_spsc_open_shared): any call that returns a
 *   status may also return QUEUES_CORRUPT.
 * - Inlined calls: a program that defines QUEUES_INLINE before it includes this header lets the
 *   compiler inline the usual case of the calls on single items of spsc and of push and pop of
 *   deque (gcc and clang, x86-64 and aarch64; elsewhere it changes nothing). Names, meanings and
 *   the library stay the same: docs/abi.md.
 * - Race detectors: under ThreadSanitizer, helgrind and drd calls announce the order that they
 *   establish: docs/debugging.md.
 */
#ifndef QUEUES_H
#define QUEUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Makes the compiler warn where the result of a function is ignored. Define it as empty before the
/// header is included to turn that off.
#ifndef QUEUES_WARN_UNUSED
#if (defined(__cplusplus) && __cplusplus >= 201703L) ||                                            \
    (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L)
#define QUEUES_WARN_UNUSED [[nodiscard]]
#elif defined(__GNUC__)
#define QUEUES_WARN_UNUSED __attribute__((__warn_unused_result__))
#else
#define QUEUES_WARN_UNUSED
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* =================================================================================================
 * 1. Version
 * ============================================================================================== */
/// @defgroup version 1. Version
/// @{

/// Major version of the header. While it is 0, a new minor version may change the ABI.
#define QUEUES_VERSION_MAJOR 0

/// Minor version of the header.
#define QUEUES_VERSION_MINOR 1

/// Patch version of the header.
#define QUEUES_VERSION_PATCH 0

/// Version of the header as a number: 10203 is 1.2.3.
#define QUEUES_VERSION_NUMBER                                                                      \
    (QUEUES_VERSION_MAJOR * 10000 + QUEUES_VERSION_MINOR * 100 + QUEUES_VERSION_PATCH)

/// Version of the header as text.
#define QUEUES_VERSION "0.1.0"

/// Returns the version of the library that runs, such as "1.2.3".
///
/// Wait-free. Any thread. The text is static.
const char *queues_version(void);

/// Returns the version of the library that runs as a number, in the form of QUEUES_VERSION_NUMBER.
///
/// Wait-free. Any thread.
uint32_t queues_version_number(void);

/// @}
/* =================================================================================================
 * 2. Statuses
 * ============================================================================================== */
/// @defgroup status 2. Statuses
/// @{

/// The result of a call: 0 for success, above 0 an ordinary outcome, below 0 misuse or failure.
///
/// Values never change and are never reused. A later library may return others: treat an unknown
/// positive status as an ordinary outcome, and an unknown negative one as a failure.
enum queues_status
#if defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L)
    : int32_t
#endif
 {
    /// Success.
    QUEUES_OK = 0,
    /// There was no item, no due batch or nothing ready at some moment of the call.
    QUEUES_EMPTY = 1,
    /// There was no room at some moment of the call.
    QUEUES_FULL = 2,
    /// The queue is closed; from a get: closed and empty.
    QUEUES_CLOSED = 3,
    /// timeout_ns passed before the call could succeed.
    QUEUES_TIMEOUT = 4,
    /// Another thread took the item; try again.
    QUEUES_RETRY = 5,
    /// The buffer is too small. The needed length was written; the item is still in the queue.
    QUEUES_TOO_SMALL = 6,
    /// An argument is invalid. Nothing has changed.
    QUEUES_INVALID = -1,
    /// Out of memory or of file descriptors. Nothing has changed except statistics.
    QUEUES_NOMEM = -2,
    /// A rule about which threads may call at the same time, or about the order of calls, was
    /// broken.
    QUEUES_MISUSE = -3,
    /// A drop callback panicked. The call did the rest of its work.
    QUEUES_PANIC = -4,
    /// The file of a shared queue has contents that no queue writes: another process has damaged
    /// it. Any call on a shared queue may return this. Items may be lost.
    QUEUES_CORRUPT = -5,
};

/// The result of a call, one of enum queues_status.
typedef enum queues_status queues_status_t;

/// @cond
/* Does not compile if enums have fewer bytes than in the library: compile without -fshort-enums. */
typedef char queues_status_t_has_4_bytes[sizeof(queues_status_t) == 4 ? 1 : -1];
/// @endcond

/// Returns a short text for a status, such as "the queue is full"; "unknown status" for any other
/// number.
///
/// Wait-free. Any thread. The text is static.
const char *queues_status_string(int32_t status);

/// @}
/* =================================================================================================
 * 3. Callbacks
 * ============================================================================================== */
/// @defgroup callbacks 3. Callbacks
/// @{

/// Disposes of an item that no call gets: one that is still in the queue at the last release, or
/// that clear removed. It is called once for each, with drop_ctx of the options. item is the
/// pointer, or the address of the blob: aligned to 8, valid during the callback.
///
/// It runs on the thread that calls clear or release. It may call the library, except on a queue
/// that is being freed. It must not throw a C++ exception, longjmp out or end its thread; that
/// thread is not canceled during the callback. A Rust panic becomes QUEUES_PANIC if the library is
/// linked as a crate into a Rust program; otherwise it ends the process.
typedef void (*queues_drop_t)(void *ctx, void *item);

/// Disposes of a blob as queues_drop_t does: data is its address, len its length in bytes.
typedef void (*queues_drop_bytes_t)(void *ctx, void *data, size_t len);

/// @}
/* =================================================================================================
 * 4. Statistics
 * ============================================================================================== */
/// @defgroup stats 4. Statistics
/// @{

/// A snapshot of the statistics of a queue. Set struct_size before a call that writes it.
typedef struct queues_stats_t {
    /// sizeof(queues_stats_t).
    size_t struct_size;
    /// Items put since the queue was created.
    uint64_t enqueued;
    /// Items removed since the queue was created: by gets and by clear.
    uint64_t dequeued;
    /// Puts and pushes that failed for lack of room: QUEUES_FULL, QUEUES_TIMEOUT, and QUEUES_NOMEM
    /// of a growable deque. Not QUEUES_CLOSED.
    uint64_t failed_enqueue;
    /// Gets, pops and steals that failed for lack of an item: QUEUES_EMPTY, QUEUES_TIMEOUT. Not
    /// QUEUES_CLOSED, QUEUES_RETRY, peeks, and items that are not due.
    uint64_t failed_dequeue;
    /// Largest number of items in the queue, as its puts saw it: exact if calls do not overlap,
    /// never above the capacity.
    uint64_t peak_size;
    /// Items in the queue now.
    uint64_t current_size;
    /// Largest number of items that fit now.
    uint64_t capacity;
    /// Items that were stolen from a deque. They count as dequeued, too.
    uint64_t stolen;
    /// Handles in all processes that are attached to a shared queue now; 0 for other queues.
    uint64_t attached;
    /// Cells of a shared queue that were recovered from dead processes; 0 for other queues.
    uint64_t recovered;
} queues_stats_t;

/// Writes statistics into a buffer as a JSON object, with a NUL at the end.
///
/// The keys are the names of the fields, without struct_size. len becomes the length without the
/// NUL, on QUEUES_TOO_SMALL, too: a buffer needs that and 1. A buffer that is too small is not
/// written; (NULL, 0) asks for the length.
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_TOO_SMALL, QUEUES_INVALID (also for bytes of stats that the library
/// does not know and that are not 0)
queues_status_t queues_stats_json(const queues_stats_t *stats,
                                  char *buffer,
                                  size_t capacity,
                                  size_t *len);

/// Writes the statistics of n queues into a buffer in the text format of Prometheus (version
/// 0.0.4), with a NUL at the end.
///
/// stats is an array of n structures of one struct_size. names has their n values of the label
/// `queue`, in UTF-8; the function escapes them. Counters: queues_enqueued_total,
/// queues_dequeued_total, queues_failed_enqueue_total, queues_failed_dequeue_total,
/// queues_stolen_total. Gauges: queues_peak_size, queues_current_size, queues_capacity. Write all
/// queues of a page with one call, because the format allows only one description of a metric on a
/// page. buffer, capacity and len are as for queues_stats_json().
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_TOO_SMALL, QUEUES_INVALID (also for a name that is NULL or not UTF-8,
/// for structures of different sizes, and for bytes of them that the library does not know and that
/// are not 0)
queues_status_t queues_stats_prometheus(const queues_stats_t *stats,
                                        const char *const *names,
                                        size_t n,
                                        char *buffer,
                                        size_t capacity,
                                        size_t *len);

/// @}
/* =================================================================================================
 * 5. mpmc
 * ============================================================================================== */
/// @defgroup mpmc 5. mpmc: any number of producers and consumers
/// @{

/// A bounded queue for any number of producers and consumers: first in, first out; linearizable.
///
/// | functions                                                | threads    | progress  |
/// |----------------------------------------------------------|------------|-----------|
/// | create, open_shared                                      | any thread | allocates |
/// | try_put, try_get, peek                                   | any thread | lock-free |
/// | try_put_bytes, try_get_bytes, peek_bytes                 | any thread | lock-free |
/// | put, put_bytes, put_many, reserve                        | any thread | may sleep; lock-free if timeout_ns is 0 |
/// | get, get_bytes, get_many, lease                          | any thread | may sleep; lock-free if timeout_ns is 0 |
/// | commit, cancel, settle, return                           | any thread | lock-free |
/// | close, is_closed, size, stats                            | any thread | lock-free |
/// | clear                                                    | any thread | lock-free except for callbacks |
/// | readable_fd, writable_fd                                 | any thread | the first call allocates |
/// | capacity, item_size                                      | any thread | wait-free |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// A call returns QUEUES_FULL or QUEUES_EMPTY only if that was true at some moment of the call. A
/// queue of blobs has capacity + spare cells. QUEUES_FULL is exact in it while reservations, leases
/// and suspended calls hold at most spare cells together; beyond that, it may also mean that no
/// cell is free. In an empty queue capacity + spare cells can be reserved.
///
/// Each call is O(1), except put_many and get_many, which are O(n), and clear, which is O(items).
///
/// Blobs in place: reserve, write, then commit or cancel; lease, read or write, then settle or
/// return. commit, cancel, settle and return take the address that reserve or lease wrote. With any
/// other address they return QUEUES_MISUSE and change nothing: one that was committed, canceled,
/// settled or returned before, one inside a blob, one of another queue. If the cell was given out
/// again since, the address is that of the new holder. If several of these calls with one address
/// run at the same time, one succeeds and the others return QUEUES_MISUSE. An address is valid
/// while the caller holds a reference. The last release forgets reservations, passes leased blobs
/// to the drop callback, and frees all cells.
///
/// The ring is new; its ancestors are Shann, Huang and Chen 2000 (as corrected by Colvin and Groves
/// 2005) and Tsigas and Zhang 2001.
typedef struct queues_mpmc_t queues_mpmc_t;

/// Flag of a shared queue: an item that a process held when it died is redelivered, at the back of
/// the queue. Without the flag the item is lost.
#define QUEUES_REDELIVER 2

/// Options of queues_mpmc_create() and queues_mpmc_open_shared(). Set struct_size; leave unused
/// fields 0.
typedef struct queues_mpmc_options_t {
    /// sizeof(queues_mpmc_options_t).
    size_t struct_size;
    /// Largest number of items, exact; 0: 1000.
    size_t capacity;
    /// Largest length of a blob in bytes; 0: items are pointers.
    size_t item_size;
    /// 0, or QUEUES_REDELIVER for queues_mpmc_open_shared().
    uint64_t flags;
    /// Called for each item that no call gets; NULL: nothing is called.
    queues_drop_t drop;
    /// First argument of drop and drop_bytes.
    void *drop_ctx;
    /// As drop, with the length of the blob; needs an item_size. Setting drop, too, is
    /// QUEUES_INVALID.
    queues_drop_bytes_t drop_bytes;
    /// Number of cells for blobs beyond the capacity, of item_size bytes each, for reservations,
    /// leases and suspended calls; 0: 64. Needs an item_size.
    size_t spare;
    /// Largest number of handles that are attached to a shared queue at once, in all processes
    /// together; 0: 64; 4096 at most. For queues_mpmc_open_shared() only.
    size_t attachments;
} queues_mpmc_options_t;

/// Creates a queue with one reference, which the caller owns. Takes all memory that the queue will
/// ever use.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID (also for an unknown struct_size, unknown flags,
/// options that exclude each other, and sizes whose product overflows)
QUEUES_WARN_UNUSED
queues_status_t queues_mpmc_create(const queues_mpmc_options_t *options,
                                   queues_mpmc_t **queue);

/// Opens the queue of blobs in the file of fd, or creates it there if the file is empty. Every
/// process that opens the file uses the same queue, by the same functions as any other queue.
///
/// fd is that of a memfd, of shm_open(), or of a regular file. It is open for reading and writing.
/// The caller keeps fd and may close it, because the queue opens the file again. Every process that
/// may open the file may use the queue. A field of the options that is 0 stands for the value in
/// the file, or for the default if the file is empty. There are no callbacks. Items that no call
/// gets stay in the file.
///
/// A process that is suspended or killed at any instruction makes no other process wait:
/// - A put that was killed has put its item whole, or not at all.
/// - A get or a lease that was killed has taken its item, which is lost. With QUEUES_REDELIVER the
///   item is redelivered at the back of the queue, unless the queue is closed or the get had
///   already copied it. To lose no item, lease it, and settle the lease when the work is done.
/// - Cells that a dead process held are recovered when a process finds no free cell, opens the
///   queue, or has waited for 200 ms. Until then they are spare cells in use.
/// - A thread that was woken and killed has used up the wake-up. Another one wakes within 200 ms.
///
/// Close, size, stats and capacity are for all processes. The first queues_poll(), readable_fd or
/// writable_fd starts a thread in this process, which sleeps until the queue changes. An item of
/// another process then takes one more context switch. Leases and reservations belong to the
/// handle. 16 to 32 threads of a handle can be inside calls at once; a further thread yields until
/// one leaves.
///
/// A forked child may not use the handle: its calls return QUEUES_INVALID. It opens the file
/// itself. Other processes are not trusted. What they write into the file may lose, change or delay
/// items and make any call return QUEUES_CORRUPT. It makes no call access other memory, and none
/// hang that does not wait. A call raises SIGBUS if a process has shrunk the file; the library
/// seals a memfd against that. A process that closes descriptors that it did not open, as
/// close_range() does, counts as dead.
///
/// The call waits while another process creates the queue in the file. capacity and spare together
/// are at most 2,147,483,648.
///
/// Allocates. Any thread. The caller owns the reference. O(bytes of the file) for the process that
/// creates the queue, else O(cells + attachments).
/// @return QUEUES_OK, QUEUES_NOMEM (memory, file system, descriptors or attachments are used up,
/// or forks of other threads overlap for a second),
/// QUEUES_CORRUPT (another process keeps changing the file),
/// QUEUES_INVALID (also for a file that is no such queue, that has other sizes or flags than the
/// options, that is shorter than its header states, or that cannot be read and written; for
/// callbacks; for an empty file without an item_size; and on systems other than Linux)
QUEUES_WARN_UNUSED
queues_status_t queues_mpmc_open_shared(const queues_mpmc_options_t *options,
                                        int fd,
                                        queues_mpmc_t **queue);

/// Adds a reference, for another owner of the queue.
///
/// Wait-free. Any thread that holds a reference.
/// @return queue, or NULL if the handle is invalid
queues_mpmc_t *queues_mpmc_retain(queues_mpmc_t *queue);

/// Drops a reference. The last release passes the items that are left to the drop callback and
/// frees the queue. NULL and handles of other families are ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// queue afterwards, unless it holds another reference.
void queues_mpmc_release(queues_mpmc_t *queue);

/// Puts item at the back of the queue if there is room.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns item, otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID
QUEUES_WARN_UNUSED queues_status_t queues_mpmc_try_put(queues_mpmc_t *queue, void *item);

/// Puts item at the back of the queue; waits up to timeout_ns for room.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the queue owns item, otherwise
/// the caller keeps it.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_mpmc_put(queues_mpmc_t *queue,
                                void *item,
                                int64_t timeout_ns);

/// Gets the item in front if there is one.
///
/// Lock-free. Any thread. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID
QUEUES_WARN_UNUSED queues_status_t queues_mpmc_try_get(queues_mpmc_t *queue, void **item);

/// Gets the item in front; waits up to timeout_ns for one.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_mpmc_get(queues_mpmc_t *queue,
                                void **item,
                                int64_t timeout_ns);

/// Copies the pointer in front to item and leaves it in the queue.
///
/// Another consumer may get the item at any moment and free what it points to. Follow the pointer
/// only if the program rules that out.
///
/// Lock-free. Any thread. The queue keeps the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID
queues_status_t queues_mpmc_peek(queues_mpmc_t *queue, void **item);

/// Puts a copy of len bytes at the back of the queue if there is room. (NULL, 0) is an empty blob.
///
/// Lock-free. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID (also for len above item_size)
QUEUES_WARN_UNUSED
queues_status_t queues_mpmc_try_put_bytes(queues_mpmc_t *queue,
                                          const void *data,
                                          size_t len);

/// Puts a copy of len bytes at the back of the queue; waits up to timeout_ns for room. (NULL, 0) is
/// an empty blob.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for len above item_size)
QUEUES_WARN_UNUSED
queues_status_t queues_mpmc_put_bytes(queues_mpmc_t *queue,
                                      const void *data,
                                      size_t len,
                                      int64_t timeout_ns);

/// Gets the blob in front into buffer if there is one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_mpmc_try_get_bytes(queues_mpmc_t *queue,
                                          void *buffer,
                                          size_t capacity,
                                          size_t *len);

/// Gets the blob in front into buffer; waits up to timeout_ns for one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_TOO_SMALL, QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_mpmc_get_bytes(queues_mpmc_t *queue,
                                      void *buffer,
                                      size_t capacity,
                                      size_t *len,
                                      int64_t timeout_ns);

/// Copies the blob in front into buffer and leaves it in the queue; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity. Whatever the status, buffer may hold parts
/// of blobs that other threads took during the call.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID
queues_status_t queues_mpmc_peek_bytes(queues_mpmc_t *queue,
                                       void *buffer,
                                       size_t capacity,
                                       size_t *len);

/// Puts n pointers at the back of the queue, in order; waits up to timeout_ns for room for all of
/// them.
///
/// done becomes the number put, whatever the status, except on QUEUES_INVALID. Items of other
/// producers may come between them.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. The queue owns the items that were put,
/// which are the first; the caller keeps the others.
/// @return QUEUES_OK (all n), QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED,
/// QUEUES_INVALID
queues_status_t queues_mpmc_put_many(queues_mpmc_t *queue,
                                     void *const *items,
                                     size_t n,
                                     int64_t timeout_ns,
                                     size_t *done);

/// Gets up to n pointers in order: waits up to timeout_ns for the first, then takes what is there.
///
/// done becomes the number got, whatever the status, except on QUEUES_INVALID.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. The caller owns the items that it got.
/// @return QUEUES_OK (at least one, or n is 0), QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0),
/// QUEUES_CLOSED (and empty), QUEUES_INVALID
queues_status_t queues_mpmc_get_many(queues_mpmc_t *queue,
                                     void **items,
                                     size_t n,
                                     int64_t timeout_ns,
                                     size_t *done);

/// Reserves a cell for a blob of up to item_size bytes; waits up to timeout_ns for room. data
/// becomes the address of the cell, aligned to 8.
///
/// The cell may be written until commit or cancel, by any thread whose writes happen before that
/// call. A caller may hold several reservations. There must be room at one moment of the call, but
/// a reservation takes no place in the queue; commit does. Queues of blobs only.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the caller owns the cell.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0; no room or no free cell),
/// QUEUES_CLOSED, QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_mpmc_reserve(queues_mpmc_t *queue,
                                    void **data,
                                    int64_t timeout_ns);

/// Puts the first len bytes of a reserved cell at the back of the queue.
///
/// The other bytes are lost. On QUEUES_FULL, QUEUES_CLOSED and QUEUES_INVALID the cell stays
/// reserved with its bytes: commit again, or cancel. commit does not wait for room; to wait, call
/// queues_mpmc_put_bytes() with the reserved cell as its data, then cancel.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns the cell.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_MISUSE (data is not reserved),
/// QUEUES_INVALID (also for data NULL and for len above item_size)
QUEUES_WARN_UNUSED queues_status_t queues_mpmc_commit(queues_mpmc_t *queue, void *data, size_t len);

/// Ends a reservation without a put. Works on a closed queue, too.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns the cell.
/// @return QUEUES_OK, QUEUES_MISUSE (data is not reserved), QUEUES_INVALID (also for data NULL)
queues_status_t queues_mpmc_cancel(queues_mpmc_t *queue, void *data);

/// Removes the blob in front and leaves it in its cell; waits up to timeout_ns for one. data
/// becomes the address of the cell, aligned to 8, and len the length of the blob.
///
/// The caller may read and write the item_size bytes of the cell until settle or return. The blob
/// is out of the queue: it does not count in size, its place is free, no other consumer gets it and
/// clear does not find it. A caller may hold several leases. Queues of blobs only.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the caller holds a lease on
/// the blob. If it neither settles nor returns it, the last release passes it to the drop callback.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_mpmc_lease(queues_mpmc_t *queue,
                                  void **data,
                                  size_t *len,
                                  int64_t timeout_ns);

/// Ends a lease and frees the cell. The drop callback is not called. Works on a closed queue, too.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns the cell.
/// @return QUEUES_OK, QUEUES_MISUSE (data is not leased), QUEUES_INVALID (also for data NULL)
queues_status_t queues_mpmc_settle(queues_mpmc_t *queue, void *data);

/// Puts a leased blob at the back of the queue, with its length and the bytes that the cell has
/// now.
///
/// It is a put like any other and counts as enqueued again. On QUEUES_FULL and QUEUES_CLOSED the
/// blob stays leased: return it again, or settle it. A closed queue takes no blob back.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns the blob.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_MISUSE (data is not leased),
/// QUEUES_INVALID (also for data NULL)
QUEUES_WARN_UNUSED queues_status_t queues_mpmc_return(queues_mpmc_t *queue, void *data);

/// Removes the items that are in the queue when the call begins and passes each to the drop
/// callback. count becomes their number.
///
/// An item is out of the queue and its place is free before its callback runs.
///
/// Lock-free except for callbacks. Any thread.
/// @return QUEUES_OK, QUEUES_PANIC (count is not written), QUEUES_INVALID
queues_status_t queues_mpmc_clear(queues_mpmc_t *queue, size_t *count);

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_EMPTY. That call
/// makes the descriptor unreadable until there is an item. While the consumer gets items, neither
/// side makes a system call for the descriptor, except a put beside another put that is suspended
/// while it makes the descriptor readable. All calls return the same descriptor. The queue owns it:
/// do not read, write or close it; the last release closes it.
///
/// From the first call on the library makes system calls in a call that returns QUEUES_EMPTY and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
queues_status_t queues_mpmc_readable_fd(queues_mpmc_t *queue, int *fd);

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be room for an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_FULL. That call makes
/// the descriptor unreadable until there is room. The queue owns the descriptor. Otherwise as
/// queues_mpmc_readable_fd().
///
/// From the first call on the library makes system calls in a call that returns QUEUES_FULL and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
queues_status_t queues_mpmc_writable_fd(queues_mpmc_t *queue, int *fd);

/// Closes the queue: later puts return QUEUES_CLOSED; gets drain what is left, then return it, too.
///
/// Wakes all waiters. Closing again has no effect.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_mpmc_close(queues_mpmc_t *queue);

/// Returns whether the queue is closed. It may still have items.
///
/// Lock-free. Any thread.
/// @return whether it is closed; true if the handle is invalid, because nothing can be put there
bool queues_mpmc_is_closed(const queues_mpmc_t *queue);

/// Returns the number of items: a snapshot, never above the capacity.
///
/// Lock-free. Any thread.
/// @return the number of items; 0 if the handle is invalid
size_t queues_mpmc_size(const queues_mpmc_t *queue);

/// Returns the largest number of items.
///
/// Wait-free. Any thread.
/// @return the capacity; 0 if the handle is invalid
size_t queues_mpmc_capacity(const queues_mpmc_t *queue);

/// Returns the largest length of a blob in bytes, as in the options.
///
/// Wait-free. Any thread.
/// @return the item size; 0 if items are pointers or the handle is invalid
size_t queues_mpmc_item_size(const queues_mpmc_t *queue);

/// Writes a snapshot of the statistics to stats, whose struct_size must be set.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_mpmc_stats(const queues_mpmc_t *queue, queues_stats_t *stats);

/// @}
/* =================================================================================================
 * 6. spsc
 * ============================================================================================== */
/// @defgroup spsc 6. spsc: one producer, one consumer
/// @{

/// A bounded queue from one thread to another: first in, first out; linearizable.
///
/// At any moment at most one thread is the producer and at most one is the consumer. Another thread
/// may take over a side if the handover orders memory, as a mutex or a join does.
///
/// | functions                                                | threads      | progress  |
/// |----------------------------------------------------------|--------------|-----------|
/// | create, open_shared                                      | any thread   | allocates |
/// | try_put, try_put_bytes, commit                           | the producer | wait-free |
/// | put, put_bytes, put_many, reserve                        | the producer | may sleep; wait-free if timeout_ns is 0 |
/// | try_get, try_get_bytes, peek, peek_bytes, consume        | the consumer | wait-free |
/// | get, get_bytes, get_many, front                          | the consumer | may sleep; wait-free if timeout_ns is 0 |
/// | clear                                                    | the consumer | wait-free except for callbacks |
/// | close, is_closed, size, is_empty, is_full, stats         | any thread   | wait-free |
/// | readable_fd, writable_fd                                 | any thread   | the first call allocates |
/// | capacity, item_size                                      | any thread   | wait-free |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// A call returns QUEUES_FULL or QUEUES_EMPTY only if that was true at some moment of the call.
///
/// Each call is O(1), except put_many and get_many, which are O(n), and clear, which is O(items).
///
/// A ring with a head and a tail (Lamport 1983). Each side caches the other's index and rereads it
/// only when the cached value says full or empty (MCRingBuffer: Lee, Bu and Chandranmenon, IPDPS
/// 2010).
typedef struct queues_spsc_t queues_spsc_t;

/// Flag of queues_spsc_options_t: a put that overlaps another put, or a get that overlaps another
/// get, returns QUEUES_MISUSE and changes nothing. A drop callback of clear runs inside a get: it
/// may put, but its gets overlap. Costs two atomic operations on every call.
#define QUEUES_SPSC_CHECKED 1

/// Options of queues_spsc_create(). Set struct_size; leave unused fields 0.
typedef struct queues_spsc_options_t {
    /// sizeof(queues_spsc_options_t).
    size_t struct_size;
    /// Largest number of items, exact; 0: 1024.
    size_t capacity;
    /// Largest length of a blob in bytes; 0: items are pointers.
    size_t item_size;
    /// QUEUES_SPSC_CHECKED or 0.
    uint64_t flags;
    /// Called for each item that no call gets; NULL: nothing is called.
    queues_drop_t drop;
    /// First argument of drop and drop_bytes.
    void *drop_ctx;
    /// As drop, with the length of the blob; needs an item_size. Setting drop, too, is
    /// QUEUES_INVALID.
    queues_drop_bytes_t drop_bytes;
    /// Largest number of handles that are attached to a shared queue at once, in all processes
    /// together; 0: 64; 4096 at most. For queues_spsc_open_shared() only.
    size_t attachments;
} queues_spsc_options_t;

/// Creates a queue with one reference, which the caller owns. Takes all memory that the queue will
/// ever use.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID (also for an unknown struct_size, unknown flags,
/// options that exclude each other, and sizes whose product overflows)
QUEUES_WARN_UNUSED
queues_status_t queues_spsc_create(const queues_spsc_options_t *options,
                                   queues_spsc_t **queue);

/// Opens the queue of blobs in the file of fd, or creates it there if the file is empty. One
/// process puts and one gets, by the same functions as with any other queue.
///
/// fd is that of a memfd, of shm_open(), or of a regular file. It is open for reading and writing.
/// The caller keeps fd and may close it, because the queue opens the file again. Every process that
/// may open the file may use the queue. A field of the options that is 0 stands for the value in
/// the file, or for the default if the file is empty. There are no callbacks. Items that no call
/// gets stay in the file. QUEUES_SPSC_CHECKED applies to the threads of this handle.
///
/// The first call of a handle that puts, reserves or commits takes the role of the producer. The
/// first that gets, peeks or clears takes the role of the consumer. Meanwhile such calls of other
/// handles return QUEUES_MISUSE. The last release of the handle, or the death of its process, frees
/// the role for the next handle that calls. A suspended process keeps its role.
///
/// A process that is suspended or killed at any instruction makes no other process wait:
/// - A put or a commit that was killed has put its item whole, or not at all. Its reservation ends.
/// - A get, a consume or a clear that was killed has removed its item, or has left it in front.
///   Then the next consumer gets the item, which the dead one may have read already. The same holds
///   for an item that front returned.
/// - Nothing leaks, and QUEUES_FULL and QUEUES_EMPTY stay exact. The largest size in the statistics
///   may count an item whose put was killed.
/// - A thread that was woken and killed has used up the wake-up. Another one wakes within 200 ms.
///
/// Close, size, stats and capacity are for all processes. The first queues_poll(), readable_fd or
/// writable_fd starts a thread in this process, which sleeps until the queue changes. An item of
/// another process then takes one more context switch. The first call of a role, and a call that
/// returns QUEUES_MISUSE, makes a system call for each handle that is attached.
///
/// A forked child may not use the handle: its calls return QUEUES_INVALID. It opens the file
/// itself. Other processes are not trusted. What they write into the file may lose, change or delay
/// items and make any call return QUEUES_CORRUPT. It makes no call access other memory, and none
/// hang that does not wait. The bytes that front returned may change while they are read. A call
/// raises SIGBUS if a process has shrunk the file; the library seals a memfd against that. A
/// process that closes descriptors that it did not open, as close_range() does, counts as dead.
///
/// The call waits while another process creates the queue in the file.
///
/// Allocates. Any thread. The caller owns the reference. O(bytes of the file) for the process that
/// creates the queue, else O(attachments).
/// @return QUEUES_OK, QUEUES_NOMEM (memory, file system, descriptors or attachments are used up,
/// or forks of other threads overlap for a second),
/// QUEUES_CORRUPT (another process keeps changing the file), QUEUES_INVALID (also for a file that
/// is no such queue, that has other sizes than the options, that is shorter than its header states,
/// or that cannot be read and written; for callbacks; for an empty file without an item_size; and
/// on systems other than Linux)
QUEUES_WARN_UNUSED
queues_status_t queues_spsc_open_shared(const queues_spsc_options_t *options,
                                        int fd,
                                        queues_spsc_t **queue);

/// Adds a reference, for another owner of the queue.
///
/// Wait-free. Any thread that holds a reference.
/// @return queue, or NULL if the handle is invalid
queues_spsc_t *queues_spsc_retain(queues_spsc_t *queue);

/// Drops a reference. The last release passes the items that are left to the drop callback and
/// frees the queue. NULL and handles of other families are ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// queue afterwards, unless it holds another reference.
void queues_spsc_release(queues_spsc_t *queue);

/// Puts item at the back of the queue if there is room.
///
/// Wait-free. The producer. On QUEUES_OK the queue owns item, otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID, QUEUES_MISUSE (checked queues)
QUEUES_WARN_UNUSED queues_status_t queues_spsc_try_put(queues_spsc_t *queue, void *item);

/// Puts item at the back of the queue; waits up to timeout_ns for room.
///
/// May sleep; wait-free if timeout_ns is 0. The producer. On QUEUES_OK the queue owns item,
/// otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID,
/// QUEUES_MISUSE (checked queues)
QUEUES_WARN_UNUSED
queues_status_t queues_spsc_put(queues_spsc_t *queue,
                                void *item,
                                int64_t timeout_ns);

/// Gets the item in front if there is one.
///
/// Wait-free. The consumer. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID, QUEUES_MISUSE
/// (checked queues)
QUEUES_WARN_UNUSED queues_status_t queues_spsc_try_get(queues_spsc_t *queue, void **item);

/// Gets the item in front; waits up to timeout_ns for one.
///
/// May sleep; wait-free if timeout_ns is 0. The consumer. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_INVALID, QUEUES_MISUSE (checked queues)
QUEUES_WARN_UNUSED
queues_status_t queues_spsc_get(queues_spsc_t *queue,
                                void **item,
                                int64_t timeout_ns);

/// Copies the pointer in front to item and leaves it in the queue.
///
/// The item stays until the consumer gets it, so the pointer may be followed.
///
/// Wait-free. The consumer. The queue keeps the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID, QUEUES_MISUSE
/// (checked queues)
queues_status_t queues_spsc_peek(queues_spsc_t *queue, void **item);

/// Puts a copy of len bytes at the back of the queue if there is room. (NULL, 0) is an empty blob.
///
/// Wait-free. The producer. The caller keeps data.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID (also for len above item_size),
/// QUEUES_MISUSE (checked and shared queues)
QUEUES_WARN_UNUSED
queues_status_t queues_spsc_try_put_bytes(queues_spsc_t *queue,
                                          const void *data,
                                          size_t len);

/// Puts a copy of len bytes at the back of the queue; waits up to timeout_ns for room. (NULL, 0) is
/// an empty blob.
///
/// May sleep; wait-free if timeout_ns is 0. The producer. The caller keeps data.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for len above item_size), QUEUES_MISUSE (checked and shared queues)
QUEUES_WARN_UNUSED
queues_status_t queues_spsc_put_bytes(queues_spsc_t *queue,
                                      const void *data,
                                      size_t len,
                                      int64_t timeout_ns);

/// Gets the blob in front into buffer if there is one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// Wait-free. The consumer.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID,
/// QUEUES_MISUSE (checked and shared queues)
QUEUES_WARN_UNUSED
queues_status_t queues_spsc_try_get_bytes(queues_spsc_t *queue,
                                          void *buffer,
                                          size_t capacity,
                                          size_t *len);

/// Gets the blob in front into buffer; waits up to timeout_ns for one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// May sleep; wait-free if timeout_ns is 0. The consumer.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_TOO_SMALL, QUEUES_INVALID, QUEUES_MISUSE (checked and shared queues)
QUEUES_WARN_UNUSED
queues_status_t queues_spsc_get_bytes(queues_spsc_t *queue,
                                      void *buffer,
                                      size_t capacity,
                                      size_t *len,
                                      int64_t timeout_ns);

/// Copies the blob in front into buffer and leaves it in the queue; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity.
///
/// Wait-free. The consumer.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID,
/// QUEUES_MISUSE (checked and shared queues)
queues_status_t queues_spsc_peek_bytes(queues_spsc_t *queue,
                                       void *buffer,
                                       size_t capacity,
                                       size_t *len);

/// Puts n pointers at the back of the queue, in order; waits up to timeout_ns for room for all of
/// them.
///
/// done becomes the number put, whatever the status, except on QUEUES_INVALID and QUEUES_MISUSE.
///
/// May sleep; wait-free if timeout_ns is 0. The producer. The queue owns the items that were put,
/// which are the first; the caller keeps the others.
/// @return QUEUES_OK (all n), QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED,
/// QUEUES_INVALID, QUEUES_MISUSE (checked queues)
queues_status_t queues_spsc_put_many(queues_spsc_t *queue,
                                     void *const *items,
                                     size_t n,
                                     int64_t timeout_ns,
                                     size_t *done);

/// Gets up to n pointers in order: waits up to timeout_ns for the first, then takes what is there.
///
/// done becomes the number got, whatever the status, except on QUEUES_INVALID and QUEUES_MISUSE.
///
/// May sleep; wait-free if timeout_ns is 0. The consumer. The caller owns the items that it got.
/// @return QUEUES_OK (at least one, or n is 0), QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0),
/// QUEUES_CLOSED (and empty), QUEUES_INVALID, QUEUES_MISUSE (checked queues)
queues_status_t queues_spsc_get_many(queues_spsc_t *queue,
                                     void **items,
                                     size_t n,
                                     int64_t timeout_ns,
                                     size_t *done);

/// Reserves room in the queue for a blob of up to item_size bytes; waits up to timeout_ns for room.
/// data becomes its address, aligned to 8.
///
/// The room may be written until commit. The producer's next put or reserve forgets the
/// reservation. Queues of blobs only.
///
/// May sleep; wait-free if timeout_ns is 0. The producer.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID,
/// QUEUES_MISUSE (checked and shared queues)
QUEUES_WARN_UNUSED
queues_status_t queues_spsc_reserve(queues_spsc_t *queue,
                                    void **data,
                                    int64_t timeout_ns);

/// Puts the first len bytes of the reserved room at the back of the queue.
///
/// On QUEUES_CLOSED the reservation is gone.
///
/// Wait-free. The producer.
/// @return QUEUES_OK, QUEUES_CLOSED, QUEUES_MISUSE (nothing is reserved; checked and shared
/// queues), QUEUES_INVALID (also for len above item_size)
QUEUES_WARN_UNUSED queues_status_t queues_spsc_commit(queues_spsc_t *queue, size_t len);

/// Finds the blob in front and leaves it in the queue; waits up to timeout_ns for one. data becomes
/// its address, aligned to 8, and len its length.
///
/// The blob may be read until consume, or until the consumer's next get or clear. Queues of blobs
/// only.
///
/// May sleep; wait-free if timeout_ns is 0. The consumer. The queue keeps the blob.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_INVALID, QUEUES_MISUSE (checked and shared queues)
queues_status_t queues_spsc_front(queues_spsc_t *queue,
                                  const void **data,
                                  size_t *len,
                                  int64_t timeout_ns);

/// Removes the blob in front without copying it. Its bytes must not be used any more.
///
/// The drop callback is not called. Queues of blobs only.
///
/// Wait-free. The consumer.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID, QUEUES_MISUSE
/// (checked and shared queues)
queues_status_t queues_spsc_consume(queues_spsc_t *queue);

/// Removes the items that are in the queue when the call begins and passes each to the drop
/// callback. count becomes their number.
///
/// The place of an item becomes free when its callback returns. Until then the item counts in size,
/// is_full and the statistics, but cannot be got.
///
/// Wait-free except for callbacks. The consumer.
/// @return QUEUES_OK, QUEUES_PANIC (count is not written), QUEUES_INVALID, QUEUES_MISUSE (checked
/// and shared queues)
queues_status_t queues_spsc_clear(queues_spsc_t *queue, size_t *count);

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_EMPTY. That call
/// makes the descriptor unreadable until there is an item. While the consumer gets items, neither
/// side makes a system call for the descriptor, except a put beside another put that is suspended
/// while it makes the descriptor readable. All calls return the same descriptor. The queue owns it:
/// do not read, write or close it; the last release closes it.
///
/// From the first call on the library makes system calls in a call that returns QUEUES_EMPTY and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
queues_status_t queues_spsc_readable_fd(queues_spsc_t *queue, int *fd);

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be room for an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_FULL. That call makes
/// the descriptor unreadable until there is room. The queue owns the descriptor. Otherwise as
/// queues_spsc_readable_fd().
///
/// From the first call on the library makes system calls in a call that returns QUEUES_FULL and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
queues_status_t queues_spsc_writable_fd(queues_spsc_t *queue, int *fd);

/// Closes the queue: later puts return QUEUES_CLOSED; gets drain what is left, then return it, too.
///
/// Wakes all waiters. Closing again has no effect.
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_spsc_close(queues_spsc_t *queue);

/// Returns whether the queue is closed.
///
/// It may still have items, and a put in flight may still succeed. Only QUEUES_CLOSED from a get
/// means that nothing more comes.
///
/// Wait-free. Any thread.
/// @return whether it is closed; true if the handle is invalid, because nothing can be put there
bool queues_spsc_is_closed(const queues_spsc_t *queue);

/// Returns the number of items: a snapshot, never above the capacity.
///
/// Wait-free. Any thread.
/// @return the number of items; 0 if the handle is invalid
size_t queues_spsc_size(const queues_spsc_t *queue);

/// Returns whether there is no item to get: a snapshot. The consumer may rely on false.
///
/// Wait-free. Any thread.
/// @return whether it is empty; true if the handle is invalid
bool queues_spsc_is_empty(const queues_spsc_t *queue);

/// Returns whether there is no room to put: a snapshot. The producer may rely on false.
///
/// Wait-free. Any thread.
/// @return whether it is full; false if the handle is invalid
bool queues_spsc_is_full(const queues_spsc_t *queue);

/// Returns the largest number of items.
///
/// Wait-free. Any thread.
/// @return the capacity; 0 if the handle is invalid
size_t queues_spsc_capacity(const queues_spsc_t *queue);

/// Returns the largest length of a blob in bytes, as in the options.
///
/// Wait-free. Any thread.
/// @return the item size; 0 if items are pointers or the handle is invalid
size_t queues_spsc_item_size(const queues_spsc_t *queue);

/// Writes a snapshot of the statistics to stats, whose struct_size must be set.
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_spsc_stats(const queues_spsc_t *queue, queues_stats_t *stats);

/// @}
/* =================================================================================================
 * 7. priority
 * ============================================================================================== */
/// @defgroup priority 7. priority: lowest priority first
/// @{

/// A bounded priority queue for any number of threads: the lowest priority first; first in, first
/// out among equal priorities; linearizable.
///
/// A priority is any double except NaN; infinities, too. -0.0 equals 0.0.
///
/// | functions                                                | threads    | progress     |
/// |----------------------------------------------------------|------------|--------------|
/// | create                                                   | any thread | allocates    |
/// | try_put, try_get, peek                                   | any thread | a short lock |
/// | try_put_bytes, try_get_bytes, peek_bytes                 | any thread | a short lock |
/// | put, put_bytes, get, get_bytes                           | any thread | may sleep; a short lock if timeout_ns is 0 |
/// | close, is_closed, size, stats                            | any thread | a short lock |
/// | clear                                                    | any thread | a short lock for each item |
/// | readable_fd, writable_fd                                 | any thread | the first call allocates |
/// | capacity, item_size                                      | any thread | wait-free    |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// Not lock-free: a thread that is suspended while it holds the lock delays the others. The lock is
/// held for O(log n) steps (clear: O(n log n)), and never during a callback, a wake-up or the copy
/// of a blob of more than 64 bytes. A call returns QUEUES_FULL or QUEUES_EMPTY only if that was
/// true at some moment of the call. QUEUES_FULL is exact until 64 calls with blobs of more than 64
/// bytes are suspended at the same time.
///
/// Each call is O(log n), except clear, which is O(n log n).
///
/// A heap with four children per node: Johnson 1975, Wegener 1993.
typedef struct queues_priority_t queues_priority_t;

/// Options of queues_priority_create(). Set struct_size; leave unused fields 0.
typedef struct queues_priority_options_t {
    /// sizeof(queues_priority_options_t).
    size_t struct_size;
    /// Largest number of items, exact; 0: 10000.
    size_t capacity;
    /// Largest length of a blob in bytes; 0: items are pointers.
    size_t item_size;
    /// 0: there are no flags.
    uint64_t flags;
    /// Called for each item that no call gets; NULL: nothing is called.
    queues_drop_t drop;
    /// First argument of drop and drop_bytes.
    void *drop_ctx;
    /// As drop, with the length of the blob; needs an item_size. Setting drop, too, is
    /// QUEUES_INVALID.
    queues_drop_bytes_t drop_bytes;
} queues_priority_options_t;

/// Creates a queue with one reference, which the caller owns. Takes all memory that the queue will
/// ever use.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID (also for an unknown struct_size, unknown flags,
/// options that exclude each other, and sizes whose product overflows)
QUEUES_WARN_UNUSED
queues_status_t queues_priority_create(const queues_priority_options_t *options,
                                       queues_priority_t **queue);

/// Adds a reference, for another owner of the queue.
///
/// Wait-free. Any thread that holds a reference.
/// @return queue, or NULL if the handle is invalid
queues_priority_t *queues_priority_retain(queues_priority_t *queue);

/// Drops a reference. The last release passes the items that are left to the drop callback and
/// frees the queue. NULL and handles of other families are ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// queue afterwards, unless it holds another reference.
void queues_priority_release(queues_priority_t *queue);

/// Puts item with its priority if there is room.
///
/// A short lock. Any thread. On QUEUES_OK the queue owns item, otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID (also for priority NaN)
QUEUES_WARN_UNUSED
queues_status_t queues_priority_try_put(queues_priority_t *queue,
                                        void *item,
                                        double priority);

/// Puts item with its priority; waits up to timeout_ns for room.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread. On QUEUES_OK the queue owns item,
/// otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for priority NaN)
QUEUES_WARN_UNUSED
queues_status_t queues_priority_put(queues_priority_t *queue,
                                    void *item,
                                    double priority,
                                    int64_t timeout_ns);

/// Gets the item in front and its priority if there is one.
///
/// A short lock. Any thread. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_priority_try_get(queues_priority_t *queue,
                                        void **item,
                                        double *priority);

/// Gets the item in front and its priority; waits up to timeout_ns for one.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_priority_get(queues_priority_t *queue,
                                    void **item,
                                    double *priority,
                                    int64_t timeout_ns);

/// Copies the pointer in front to item and its priority to priority; leaves it in the queue.
///
/// Another consumer may get the item at any moment and free what it points to. Follow the pointer
/// only if the program rules that out.
///
/// A short lock. Any thread. The queue keeps the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID
queues_status_t queues_priority_peek(queues_priority_t *queue, void **item, double *priority);

/// Puts a copy of len bytes with a priority if there is room. (NULL, 0) is an empty blob.
///
/// A short lock. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID (also for len above item_size and
/// for priority NaN)
QUEUES_WARN_UNUSED
queues_status_t queues_priority_try_put_bytes(queues_priority_t *queue,
                                              const void *data,
                                              size_t len,
                                              double priority);

/// Puts a copy of len bytes with a priority; waits up to timeout_ns for room. (NULL, 0) is an empty
/// blob.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for len above item_size and for priority NaN)
QUEUES_WARN_UNUSED
queues_status_t queues_priority_put_bytes(queues_priority_t *queue,
                                          const void *data,
                                          size_t len,
                                          double priority,
                                          int64_t timeout_ns);

/// Gets the blob in front into buffer if there is one; len becomes its length, priority its
/// priority.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_priority_try_get_bytes(queues_priority_t *queue,
                                              void *buffer,
                                              size_t capacity,
                                              size_t *len,
                                              double *priority);

/// Gets the blob in front into buffer; waits up to timeout_ns for one; len becomes its length,
/// priority its priority.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_TOO_SMALL, QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_priority_get_bytes(queues_priority_t *queue,
                                          void *buffer,
                                          size_t capacity,
                                          size_t *len,
                                          double *priority,
                                          int64_t timeout_ns);

/// Copies the blob in front into buffer and leaves it in the queue; len becomes its length,
/// priority its priority.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity. Whatever the status, buffer may hold parts
/// of blobs that other threads took during the call.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID
queues_status_t queues_priority_peek_bytes(queues_priority_t *queue,
                                           void *buffer,
                                           size_t capacity,
                                           size_t *len,
                                           double *priority);

/// Removes the items that are in the queue when the call begins and passes each to the drop
/// callback. count becomes their number.
///
/// The place of an item becomes free when its callback returns. Until then the item counts in size
/// and the statistics, but cannot be got.
///
/// A short lock for each item. Any thread.
/// @return QUEUES_OK, QUEUES_PANIC (count is not written), QUEUES_INVALID
queues_status_t queues_priority_clear(queues_priority_t *queue, size_t *count);

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_EMPTY. That call
/// makes the descriptor unreadable until there is an item. While the consumer gets items, neither
/// side makes a system call for the descriptor, except a put beside another put that is suspended
/// while it makes the descriptor readable. All calls return the same descriptor. The queue owns it:
/// do not read, write or close it; the last release closes it.
///
/// From the first call on the library makes system calls in a call that returns QUEUES_EMPTY and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
queues_status_t queues_priority_readable_fd(queues_priority_t *queue, int *fd);

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be room for an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_FULL. That call makes
/// the descriptor unreadable until there is room. The queue owns the descriptor. Otherwise as
/// queues_priority_readable_fd().
///
/// From the first call on the library makes system calls in a call that returns QUEUES_FULL and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
queues_status_t queues_priority_writable_fd(queues_priority_t *queue, int *fd);

/// Closes the queue: later puts return QUEUES_CLOSED; gets drain what is left, then return it, too.
///
/// Wakes all waiters. Closing again has no effect.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_priority_close(queues_priority_t *queue);

/// Returns whether the queue is closed. It may still have items.
///
/// A short lock. Any thread.
/// @return whether it is closed; true if the handle is invalid, because nothing can be put there
bool queues_priority_is_closed(const queues_priority_t *queue);

/// Returns the number of items: a snapshot, never above the capacity.
///
/// A short lock. Any thread.
/// @return the number of items; 0 if the handle is invalid
size_t queues_priority_size(const queues_priority_t *queue);

/// Returns the largest number of items.
///
/// Wait-free. Any thread.
/// @return the capacity; 0 if the handle is invalid
size_t queues_priority_capacity(const queues_priority_t *queue);

/// Returns the largest length of a blob in bytes, as in the options.
///
/// Wait-free. Any thread.
/// @return the item size; 0 if items are pointers or the handle is invalid
size_t queues_priority_item_size(const queues_priority_t *queue);

/// Writes a snapshot of the statistics to stats, whose struct_size must be set.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_priority_stats(const queues_priority_t *queue, queues_stats_t *stats);

/// @}
/* =================================================================================================
 * 8. deque
 * ============================================================================================== */
/// @defgroup deque 8. deque: work stealing
/// @{

/// A work-stealing deque: one thread, its owner, pushes and pops at one end, last in, first out;
/// any number of thieves steal at the other end, first in, first out; linearizable.
///
/// | functions                                                | threads    | progress  |
/// |----------------------------------------------------------|------------|-----------|
/// | create                                                   | any thread | allocates |
/// | push, push_bytes                                         | the owner  | wait-free unless it grows |
/// | pop, pop_bytes                                           | the owner  | wait-free |
/// | steal, steal_bytes, steal_many                           | any thread | never retries |
/// | size, is_empty, capacity, item_size                      | any thread | wait-free |
/// | stats                                                    | any thread | lock-free |
/// | stealable_fd                                             | any thread | the first call allocates |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// One thread at a time is the owner. Another thread may become it if the handover orders memory,
/// as a mutex, a queue or a join does. A deque has no close: its owner knows when no more items
/// come.
///
/// A call returns QUEUES_FULL or QUEUES_EMPTY only if that was true at some moment of the call. A
/// steal never retries: if another thread takes the item first, it returns QUEUES_RETRY. There may
/// be other items, so the caller may repeat the call at once.
///
/// Each call is O(1), except steal_many, which is O(items stolen), and a push that grows.
///
/// Chase and Lev 2005; Lê, Pop, Cohen and Zappa Nardelli 2013.
typedef struct queues_deque_t queues_deque_t;

/// Flag of queues_deque_options_t: a full deque grows to twice its capacity instead of returning
/// QUEUES_FULL. The outgrown arrays are freed with the deque; together they are smaller than the
/// last one.
#define QUEUES_DEQUE_GROWABLE 1

/// Flag of queues_deque_options_t: a push or pop that overlaps another push or pop returns
/// QUEUES_MISUSE and changes nothing. Costs two atomic operations on every push and pop.
#define QUEUES_DEQUE_CHECKED 2

/// Options of queues_deque_create(). Set struct_size; leave unused fields 0.
typedef struct queues_deque_options_t {
    /// sizeof(queues_deque_options_t).
    size_t struct_size;
    /// Largest number of items, exact, at first if the deque is growable; 0: 1024.
    size_t capacity;
    /// Largest length of a blob in bytes; 0: items are pointers.
    size_t item_size;
    /// QUEUES_DEQUE_GROWABLE, QUEUES_DEQUE_CHECKED, both or 0.
    uint64_t flags;
    /// Called for each item that no call gets; NULL: nothing is called.
    queues_drop_t drop;
    /// First argument of drop and drop_bytes.
    void *drop_ctx;
    /// As drop, with the length of the blob; needs an item_size. Setting drop, too, is
    /// QUEUES_INVALID.
    queues_drop_bytes_t drop_bytes;
} queues_deque_options_t;

/// Creates a deque with one reference, which the caller owns. Takes all memory that the deque will
/// ever use, unless it is growable.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID (also for an unknown struct_size, unknown flags,
/// options that exclude each other, and sizes whose product overflows)
QUEUES_WARN_UNUSED
queues_status_t queues_deque_create(const queues_deque_options_t *options,
                                    queues_deque_t **deque);

/// Adds a reference, for another user of the deque.
///
/// Wait-free. Any thread that holds a reference.
/// @return deque, or NULL if the handle is invalid
queues_deque_t *queues_deque_retain(queues_deque_t *deque);

/// Drops a reference. The last release passes the items that are left to the drop callback and
/// frees the deque. NULL and handles of other families are ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// deque afterwards, unless it holds another reference.
void queues_deque_release(queues_deque_t *deque);

/// Pushes item if there is room or the deque can grow.
///
/// Wait-free unless it grows. The owner. On QUEUES_OK the deque owns item, otherwise the caller
/// keeps it.
/// @return QUEUES_OK, QUEUES_FULL (not growable), QUEUES_NOMEM (growable), QUEUES_INVALID,
/// QUEUES_MISUSE (checked deques)
QUEUES_WARN_UNUSED queues_status_t queues_deque_push(queues_deque_t *deque, void *item);

/// Pops the item that was pushed last if there is one.
///
/// Wait-free. The owner. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_INVALID, QUEUES_MISUSE (checked deques)
QUEUES_WARN_UNUSED queues_status_t queues_deque_pop(queues_deque_t *deque, void **item);

/// Steals the item that was pushed first if there is one.
///
/// Never retries. Any thread. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_RETRY (another thread took the item), QUEUES_INVALID
QUEUES_WARN_UNUSED queues_status_t queues_deque_steal(queues_deque_t *deque, void **item);

/// Steals up to max pointers, one after the other in the order in which they were pushed, until
/// there is none or a race is lost.
///
/// done becomes the number stolen, whatever the status, except on QUEUES_INVALID. Other thieves may
/// take items between two of them.
///
/// Never retries. Any thread. The caller owns the items that it stole.
/// @return QUEUES_OK (at least one, or max is 0), QUEUES_EMPTY, QUEUES_RETRY (another thread took
/// the first), QUEUES_INVALID
queues_status_t queues_deque_steal_many(queues_deque_t *deque,
                                        void **items,
                                        size_t max,
                                        size_t *done);

/// Pushes a copy of len bytes if there is room or the deque can grow. (NULL, 0) is an empty blob.
///
/// Wait-free unless it grows. The owner. The caller keeps data.
/// @return QUEUES_OK, QUEUES_FULL (not growable), QUEUES_NOMEM (growable), QUEUES_INVALID (also for
/// len above item_size), QUEUES_MISUSE (checked deques)
QUEUES_WARN_UNUSED
queues_status_t queues_deque_push_bytes(queues_deque_t *deque,
                                        const void *data,
                                        size_t len);

/// Pops the blob that was pushed last into buffer if there is one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in the deque.
///
/// Wait-free. The owner.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_TOO_SMALL, QUEUES_INVALID, QUEUES_MISUSE (checked
/// deques)
QUEUES_WARN_UNUSED
queues_status_t queues_deque_pop_bytes(queues_deque_t *deque,
                                       void *buffer,
                                       size_t capacity,
                                       size_t *len);

/// Steals the blob that was pushed first into buffer if there is one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in the deque. Whatever
/// the status, buffer may hold parts of blobs that other threads took during the call.
///
/// Never retries. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_RETRY (another thread took the blob), QUEUES_TOO_SMALL,
/// QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_deque_steal_bytes(queues_deque_t *deque,
                                         void *buffer,
                                         size_t capacity,
                                         size_t *len);

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be an item to steal.
///
/// Level-triggered: the descriptor stays readable until a steal returns QUEUES_EMPTY. That call
/// makes the descriptor unreadable until the next push. All calls return the same descriptor. The
/// deque owns it: do not read, write or close it; the last release closes it.
///
/// A pop that returns QUEUES_EMPTY leaves the descriptor as it is. From the first call on the
/// library makes system calls in a steal that returns QUEUES_EMPTY and in the push that ends that
/// state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
queues_status_t queues_deque_stealable_fd(queues_deque_t *deque, int *fd);

/// Returns the number of items: a snapshot, never above the capacity.
///
/// Wait-free. Any thread.
/// @return the number of items; 0 if the handle is invalid
size_t queues_deque_size(const queues_deque_t *deque);

/// Returns whether there is no item: a snapshot.
///
/// Wait-free. Any thread.
/// @return whether it is empty; true if the handle is invalid
bool queues_deque_is_empty(const queues_deque_t *deque);

/// Returns the largest number of items that fit now; it doubles when a growable deque grows.
///
/// Wait-free. Any thread.
/// @return the capacity; 0 if the handle is invalid
size_t queues_deque_capacity(const queues_deque_t *deque);

/// Returns the largest length of a blob in bytes, as in the options.
///
/// Wait-free. Any thread.
/// @return the item size; 0 if items are pointers or the handle is invalid
size_t queues_deque_item_size(const queues_deque_t *deque);

/// Writes a snapshot of the statistics to stats, whose struct_size must be set.
///
/// A push that returns QUEUES_FULL or QUEUES_NOMEM counts as failed_enqueue, a pop or a steal that
/// returns QUEUES_EMPTY as failed_dequeue. stolen may lack a steal that has only just returned.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_deque_stats(const queues_deque_t *deque, queues_stats_t *stats);

/// @}
/* =================================================================================================
 * 9. batch
 * ============================================================================================== */
/// @defgroup batch 9. batch: items in batches
/// @{

/// A bounded queue for any number of producers and consumers, whose items are taken in batches:
/// when there are enough of them, or when the oldest has waited long enough. First in, first out.
/// Each item is in one batch; batches of several consumers do not interleave.
///
/// A batch is due when
/// - batch_size items are pending, or items that weigh batch_weight together;
/// - the oldest pending item has been in the queue for batch_timeout_ns;
/// - queues_batch_flush() was called after the oldest pending item was put;
/// - the queue is closed.
///
/// A batch that is due has the oldest items: at most batch_size, and at most batch_weight; a single
/// heavier item is a batch of its own. Whether the rest is due depends on the age of the oldest
/// item that is left. A full queue always has a batch that is due.
///
/// | functions                                                | threads    | progress     |
/// |----------------------------------------------------------|------------|--------------|
/// | create                                                   | any thread | allocates    |
/// | try_put, try_put_bytes                                   | any thread | lock-free    |
/// | put, put_weighted                                        | any thread | may sleep; lock-free if timeout_ns is 0 |
/// | put_bytes, put_weighted_bytes                            | any thread | may sleep; lock-free if timeout_ns is 0 |
/// | get_batch, get_batch_bytes                               | any thread | may sleep; a short lock if timeout_ns is 0 |
/// | get_due, get_due_bytes, flush                            | any thread | a short lock |
/// | clear                                                    | any thread | a short lock for each item |
/// | close, is_closed, pending_count, stats                   | any thread | lock-free    |
/// | readable_fd, writable_fd                                 | any thread | the first call allocates |
/// | next_due_ns                                              | any thread | a short lock |
/// | capacity, item_size, batch_size                          | any thread | wait-free    |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// A put that wakes a waiter makes a system call. The lock is among consumers: it is held for
/// O(batch_size) steps, never during a callback or the copy of a blob, and no put takes it. Of
/// several consumers that sleep, one is responsible for the oldest item. If that thread is delayed
/// (stopped or starved), the next put that comes 1 ms after the item became due wakes another. If
/// it is delayed while it holds the lock, all calls that get, flush or clear wait for it.
///
/// QUEUES_FULL is exact until 64 puts and the gets of two batches are suspended at the same time. A
/// suspended get of blobs keeps its batch.
///
/// Each call is O(1), except gets and clear, which are O(items removed), and a put while other calls
/// are suspended, which passes the cells that they hold.
typedef struct queues_batch_t queues_batch_t;

/// The batch_size of queues_batch_options_t that 0 stands for.
#define QUEUES_BATCH_DEFAULT_SIZE 32

/// Options of queues_batch_create(). Set struct_size; leave unused fields 0.
typedef struct queues_batch_options_t {
    /// sizeof(queues_batch_options_t).
    size_t struct_size;
    /// Largest number of items, exact, at least batch_size or its default; 0: 10000.
    size_t max_pending;
    /// Largest length of a blob in bytes; 0: items are pointers.
    size_t item_size;
    /// 0: there are no flags.
    uint64_t flags;
    /// Called for each item that no call gets; NULL: nothing is called.
    queues_drop_t drop;
    /// First argument of drop and drop_bytes.
    void *drop_ctx;
    /// Number of items that makes a batch due, and the largest number of items of a batch; 0:
    /// QUEUES_BATCH_DEFAULT_SIZE.
    size_t batch_size;
    /// Nanoseconds that an item waits for others before a batch is due; 0: 10 ms; below 0: no
    /// limit.
    int64_t batch_timeout_ns;
    /// Weight that makes a batch due, and the largest weight of a batch of several items, in any
    /// unit; 0: weights do not count.
    uint64_t batch_weight;
    /// As drop, with the length of the blob; needs an item_size. Setting drop, too, is
    /// QUEUES_INVALID.
    queues_drop_bytes_t drop_bytes;
} queues_batch_options_t;

/// The place of a blob of a batch in the caller's buffer.
typedef struct queues_batch_blob_t {
    /// Bytes from the start of the buffer to the blob.
    size_t offset;
    /// Length of the blob in bytes.
    size_t length;
} queues_batch_blob_t;

/// Creates a queue with one reference, which the caller owns. Takes all memory that the queue will
/// ever use.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID (also for an unknown struct_size, unknown flags,
/// options that exclude each other, max_pending below batch_size, sizes whose product overflows,
/// and a batch_weight for which (batch_weight + 1) * (max_pending + 64 + 2 * batch_size) is 2^62 or
/// more)
QUEUES_WARN_UNUSED
queues_status_t queues_batch_create(const queues_batch_options_t *options,
                                    queues_batch_t **queue);

/// Adds a reference, for another owner of the queue.
///
/// Wait-free. Any thread that holds a reference.
/// @return queue, or NULL if the handle is invalid
queues_batch_t *queues_batch_retain(queues_batch_t *queue);

/// Drops a reference. The last release passes the items that are left to the drop callback and
/// frees the queue. NULL and handles of other families are ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// queue afterwards, unless it holds another reference.
void queues_batch_release(queues_batch_t *queue);

/// Puts item, with weight 1, if there is room.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns item, otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID
QUEUES_WARN_UNUSED queues_status_t queues_batch_try_put(queues_batch_t *queue, void *item);

/// Puts item, with weight 1; waits up to timeout_ns for room.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the queue owns item, otherwise
/// the caller keeps it.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_batch_put(queues_batch_t *queue,
                                 void *item,
                                 int64_t timeout_ns);

/// Puts item with its weight; waits up to timeout_ns for room.
///
/// A weight of 0 is allowed. Weights count only in a queue with a batch_weight.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the queue owns item, otherwise
/// the caller keeps it.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_batch_put_weighted(queues_batch_t *queue,
                                          void *item,
                                          uint64_t weight,
                                          int64_t timeout_ns);

/// Gets the next batch that is due; waits up to timeout_ns for one, then takes what is pending.
///
/// Writes at most max pointers to items, in the order in which they were put; n becomes their
/// number, at least 1 unless max is 0. max should be at least batch_size.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread. On QUEUES_OK the caller owns the items.
/// @return QUEUES_OK, QUEUES_TIMEOUT (nothing was pending), QUEUES_EMPTY (the same, timeout_ns is
/// 0), QUEUES_CLOSED (and empty), QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_batch_get_batch(queues_batch_t *queue,
                                       void **items,
                                       size_t max,
                                       size_t *n,
                                       int64_t timeout_ns);

/// Gets a batch if one is due, as queues_batch_get_batch() does. For an event loop, which must
/// neither wait nor take items that are not due.
///
/// A short lock. Any thread. On QUEUES_OK the caller owns the items.
/// @return QUEUES_OK, QUEUES_EMPTY (no batch is due), QUEUES_CLOSED (and empty), QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_batch_get_due(queues_batch_t *queue,
                                     void **items,
                                     size_t max,
                                     size_t *n);

/// Puts a copy of len bytes, with weight 1, if there is room. (NULL, 0) is an empty blob.
///
/// Lock-free. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID (also for len above item_size)
QUEUES_WARN_UNUSED
queues_status_t queues_batch_try_put_bytes(queues_batch_t *queue,
                                           const void *data,
                                           size_t len);

/// Puts a copy of len bytes, with weight 1; waits up to timeout_ns for room. (NULL, 0) is an empty
/// blob.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for len above item_size)
QUEUES_WARN_UNUSED
queues_status_t queues_batch_put_bytes(queues_batch_t *queue,
                                       const void *data,
                                       size_t len,
                                       int64_t timeout_ns);

/// Puts a copy of len bytes with its weight; waits up to timeout_ns for room. (NULL, 0) is an empty
/// blob.
///
/// A weight of 0 is allowed. Weights count only in a queue with a batch_weight.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for len above item_size)
QUEUES_WARN_UNUSED
queues_status_t queues_batch_put_weighted_bytes(queues_batch_t *queue,
                                                const void *data,
                                                size_t len,
                                                uint64_t weight,
                                                int64_t timeout_ns);

/// Gets the next batch of blobs that is due; waits up to timeout_ns for one, then takes what is
/// pending.
///
/// Writes at most max blobs into buffer, one directly behind the other, in the order in which they
/// were put, and their places to blobs. n becomes their number, at least 1 unless max is 0; len
/// becomes the bytes of all of them. On QUEUES_TOO_SMALL len becomes the needed capacity, and the
/// batch stays in the queue; batch_size times item_size is always enough.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread.
/// @return QUEUES_OK, QUEUES_TIMEOUT (nothing was pending), QUEUES_EMPTY (the same, timeout_ns is
/// 0), QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_batch_get_batch_bytes(queues_batch_t *queue,
                                             void *buffer,
                                             size_t capacity,
                                             size_t *len,
                                             queues_batch_blob_t *blobs,
                                             size_t max,
                                             size_t *n,
                                             int64_t timeout_ns);

/// Gets a batch of blobs if one is due, as queues_batch_get_batch_bytes() does.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY (no batch is due), QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL,
/// QUEUES_INVALID
QUEUES_WARN_UNUSED
queues_status_t queues_batch_get_due_bytes(queues_batch_t *queue,
                                           void *buffer,
                                           size_t capacity,
                                           size_t *len,
                                           queues_batch_blob_t *blobs,
                                           size_t max,
                                           size_t *n);

/// Makes all pending items due, in batches of the usual size. Items that are put later are not.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_batch_flush(queues_batch_t *queue);

/// Removes the items that are pending when the call begins and passes each to the drop callback.
/// count becomes their number.
///
/// An item is out of the queue and its place is free before its callback runs.
///
/// A short lock for each item. Any thread.
/// @return QUEUES_OK, QUEUES_PANIC (count is not written), QUEUES_INVALID
queues_status_t queues_batch_clear(queues_batch_t *queue, size_t *count);

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while a
/// batch is due, by its size, weight, age or a flush, or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a get or get_due returns QUEUES_EMPTY. That
/// call makes the descriptor unreadable until a batch is due. If other calls take batches or clear
/// the queue meanwhile, the descriptor may become readable once without a batch. All calls return
/// the same descriptor. The queue owns it: do not read, write or close it; the last release closes
/// it.
///
/// From the first call on the library makes system calls in a call that returns QUEUES_EMPTY, in
/// the first put of a batch, in the call that makes a batch due and in a call that takes a batch
/// and leaves items. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID (also for
/// any queue on a system other than Linux)
queues_status_t queues_batch_readable_fd(queues_batch_t *queue, int *fd);

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be room for an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_FULL. That call makes
/// the descriptor unreadable until there is room. The queue owns the descriptor. Otherwise as
/// queues_batch_readable_fd().
///
/// From the first call on the library makes system calls in a call that returns QUEUES_FULL and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
queues_status_t queues_batch_writable_fd(queues_batch_t *queue, int *fd);

/// Returns the time until a batch is due by its age, for the timeout of an event loop.
///
/// A put may make a batch due earlier, by its size or weight, and so may a flush.
///
/// A short lock. Any thread.
/// @return nanoseconds; 0 if a batch is due, the queue is closed or the handle is invalid; -1 if
/// nothing is pending or batches have no age
int64_t queues_batch_next_due_ns(const queues_batch_t *queue);

/// Closes the queue: later puts return QUEUES_CLOSED; gets drain what is left, then return it, too.
///
/// All pending items become due. Wakes all waiters. Closing again has no effect.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_batch_close(queues_batch_t *queue);

/// Returns whether the queue is closed. It may still have items.
///
/// Lock-free. Any thread.
/// @return whether it is closed; true if the handle is invalid, because nothing can be put there
bool queues_batch_is_closed(const queues_batch_t *queue);

/// Returns the number of pending items: a snapshot, never above max_pending.
///
/// Lock-free. Any thread.
/// @return the number of pending items; 0 if the handle is invalid
size_t queues_batch_pending_count(const queues_batch_t *queue);

/// Returns the largest number of items: max_pending.
///
/// Wait-free. Any thread.
/// @return the capacity; 0 if the handle is invalid
size_t queues_batch_capacity(const queues_batch_t *queue);

/// Returns the largest length of a blob in bytes, as in the options.
///
/// Wait-free. Any thread.
/// @return the item size; 0 if items are pointers or the handle is invalid
size_t queues_batch_item_size(const queues_batch_t *queue);

/// Returns the number of items that makes a batch due and the most items of a batch, as in the
/// options.
///
/// Wait-free. Any thread.
/// @return the batch size; 0 if the handle is invalid
size_t queues_batch_batch_size(const queues_batch_t *queue);

/// Writes a snapshot of the statistics to stats, whose struct_size must be set.
///
/// They count items, not batches; failures count calls. A get_due that finds items of which none is
/// due is not a failure.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_batch_stats(const queues_batch_t *queue, queues_stats_t *stats);

/// @}
/* =================================================================================================
 * 10. event
 * ============================================================================================== */
/// @defgroup event 10. event: set until it is reset
/// @{

/// An event: set until it is reset, however many threads find it set. For shutdown, cancellation
/// and timers, alone or beside queues in queues_poll().
///
/// | functions                                                | threads    | progress  |
/// |----------------------------------------------------------|------------|-----------|
/// | create                                                   | any thread | allocates |
/// | set, reset                                               | any thread | wait-free |
/// | is_set                                                   | any thread | wait-free |
/// | wait                                                     | any thread | may sleep; wait-free if timeout_ns is 0 |
/// | readable_fd                                              | any thread | the first call allocates |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// What a thread did before set happens before what follows a wait or an is_set that finds the
/// event set. Each call is O(1), except set, which is O(threads that wait).
typedef struct queues_event_t queues_event_t;

/// Creates an event that is not set, with one reference, which the caller owns.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID
QUEUES_WARN_UNUSED queues_status_t queues_event_create(queues_event_t **event);

/// Adds a reference, for another owner of the event.
///
/// Wait-free. Any thread that holds a reference.
/// @return event, or NULL if the handle is invalid
queues_event_t *queues_event_retain(queues_event_t *event);

/// Drops a reference. The last release frees the event. NULL and handles of other families are
/// ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// event afterwards, unless it holds another reference.
void queues_event_release(queues_event_t *event);

/// Sets the event and wakes all waiters. Setting it again changes nothing.
///
/// A waiter may return while this call is still under way. If that waiter may drop the last
/// reference, this thread needs a reference of its own.
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_event_set(queues_event_t *event);

/// Resets the event: later waits wait for the next set.
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
queues_status_t queues_event_reset(queues_event_t *event);

/// Returns whether the event is set: a snapshot.
///
/// Wait-free. Any thread.
/// @return whether it is set; false if the handle is invalid
bool queues_event_is_set(const queues_event_t *event);

/// Waits up to timeout_ns until the event is set. Leaves it set.
///
/// May sleep; wait-free if timeout_ns is 0. Any thread.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_INVALID
queues_status_t queues_event_wait(queues_event_t *event, int64_t timeout_ns);

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while the
/// event is set.
///
/// If set and reset race, the descriptor may stay readable although the event is reset, until a
/// reset or a wait that returns QUEUES_EMPTY. So an event loop calls queues_event_wait() with
/// timeout_ns 0. All calls return the same descriptor. The event owns it: do not read, write or
/// close it; the last release closes it.
///
/// From the first call on the library makes system calls in set, in reset and in a wait that
/// returns QUEUES_EMPTY. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
queues_status_t queues_event_readable_fd(queues_event_t *event, int *fd);

/// @}
/* =================================================================================================
 * 11. poll
 * ============================================================================================== */
/// @defgroup poll 11. poll: several queues and events at once
/// @{

/// Event of queues_poll_t: a get would not return QUEUES_EMPTY, a batch is due, there may be an
/// item to steal, or the event is set.
#define QUEUES_READABLE 1

/// Event of queues_poll_t: a put would not return QUEUES_FULL.
#define QUEUES_WRITABLE 2

/// A queue or an event that queues_poll() waits for.
typedef struct queues_poll_t {
    /// The handle, of any family.
    void *queue;
    /// What to wait for: QUEUES_READABLE, QUEUES_WRITABLE or both. Deques and events have
    /// QUEUES_READABLE only. With 0 the entry never becomes ready.
    uint32_t events;
    /// Written by the call: the events that are ready.
    uint32_t ready;
} queues_poll_t;

/// Waits up to timeout_ns until at least one of n queues and events is ready: as poll(2), for
/// handles of any family. n is 1,048,576 at most.
///
/// ready becomes the number of entries that are ready. In each entry the field ready becomes the
/// events that are ready. The call checks all entries, and each call of the process begins at
/// another entry. A closed queue is ready. On QUEUES_TIMEOUT and QUEUES_EMPTY all of these outputs
/// are 0.
///
/// A poll takes nothing: another thread may take the item first. So the call that follows should
/// not wait. A poll orders no memory; the call that follows does. A put wakes all threads that poll
/// its queue, and one thread that waits in a get. A handle may be in several entries. With n 0 the
/// call sleeps for timeout_ns, which must not be below 0 then.
///
/// May sleep. With timeout_ns 0 the call takes a short lock for priority and batch, and is
/// lock-free for the other families. Any thread. O(n). Does not allocate.
///
/// The call waits for up to 128 events by futex_waitv (Linux 5.16). With more events, and
/// elsewhere, a thread that polls also wakes for puts into queues that only other threads poll, and
/// goes back to sleep.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_INVALID (also for an
/// event that the family does not have)
queues_status_t queues_poll(queues_poll_t *polls, size_t n, int64_t timeout_ns, size_t *ready);

/// @}

#ifdef __cplusplus
}
#endif

#ifdef QUEUES_INLINE
#include "queues_inline.h"
#endif

#endif
