// What the programs in C and C++ share: the command line of the protocol (../README.md), pinned
// threads, a clock, backoff and a histogram. A program adds its contestants and their workloads.
//
// Words: a contestant is a queue; a case is what is measured; a trial is one run of this process,
// for one contestant and one case; a workload is what the trial does to the queue; a measurement is
// what the trial prints. (`case` is a keyword, so a parsed case is a `case_spec`.)
#ifndef HARNESS_H
#define HARNESS_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MAX_THREADS = 16 };

// A case by its segments, family/shape/mode/capacity/payload, and the items of the trial.
struct case_spec {
    char text[64];
    char *family;
    char *shape;
    char *mode;
    size_t capacity;               // 0 for "-"
    size_t item_size;              // 0 for "ptr"
    unsigned pairs;                // of producers and consumers
    unsigned producers, consumers; // of streams; in shape "pair" the threads are both
    unsigned threads;
    bool alternates; // shape "pair": each thread puts and gets in turn
    size_t bulk;     // 32 in "bulk32" or "batch32", else 0
    uint64_t items;
};

bool is(const char *component, const char *wanted);
// Even threads produce and odd ones consume, as far as there are pairs; the others are all of one
// side. In shape "pair" each thread does both.
bool produces(const struct case_spec *, unsigned thread);
bool consumes(const struct case_spec *, unsigned thread);
// The items that each producer puts and each consumer gets, if all threads share `items` equally.
struct shares {
    uint64_t put, got;
};
struct shares shares_of(const struct case_spec *, uint64_t items);

// The workload sets items, seconds, and the fields that its family has.
struct measurement {
    uint64_t items;
    double seconds;
    struct histogram *latency;
    unsigned threads; // how many have a share
    uint64_t shares[MAX_THREADS];
    uint64_t longest_starvation;
    size_t bytes;
};

struct contestant {
    const char *name; // NULL at the end of a list
    const char *version;
    const char *missing;                                         // why it is left out, or NULL
    const char *const *patterns;                                 // of cases, NULL at the end
    bool (*run)(const struct case_spec *, struct measurement *); // false: no such case
    bool ours;
};

// Defined by each program.
extern const char *const language;
extern const struct contestant *const contestants[]; // NULL at the end

#define MISSING(name_, package)                                                                    \
    { (name_), NULL, package " is not installed", NULL, NULL, false }

// The cases that a queue supports with non-blocking calls (TRY), blocking calls, and bulk calls.
#define SPSC_TRY(payload) "spsc/1P1C/single/*/" payload, "pingpong/1P1C/spin", "memory"
#define SPSC_BLOCKING(payload)                                                                     \
    "spsc/1P1C/blocking/*/" payload, "pingpong/1P1C/blocking", "latency/1P1C"
#define SPSC_BULK(payload)                                                                         \
    "spsc/1P1C/bulk8/*/" payload, "spsc/1P1C/bulk32/*/" payload, "spsc/1P1C/bulk256/*/" payload
#define MPMC_TRY "mpmc/*/single/*/ptr", "pingpong/1P1C/spin", "fairness", "memory"
#define MPMC_BLOCKING "mpmc/*/blocking/*/ptr", "pingpong/1P1C/blocking", "latency"
#define MPMC_BULK "mpmc/*/bulk32/*/ptr"
// Of a queue with one consumer, and of one with one producer.
#define MPSC_TRY "mpmc/1P1C/single/*/ptr", "mpmc/4P1C/single/*/ptr"
#define MPSC_BLOCKING "mpmc/1P1C/blocking/*/ptr", "mpmc/4P1C/blocking/*/ptr"
#define SPMC_TRY "mpmc/1P1C/single/*/ptr", "mpmc/1P4C/single/*/ptr"
#define SPMC_BLOCKING "mpmc/1P1C/blocking/*/ptr", "mpmc/1P4C/blocking/*/ptr"
#define PRIORITY "priority"
#define DEQUE "deque"
#define BATCH "batch"
#define PROCESS "process", "process-ping-pong"
#define PROCESS_KILL "process-kill"
#define PROCESS_1P1C "process/1P1C", "process-ping-pong"

// Prints `why` and ends the program with exit code `code`.
void fail(int code, const char *why) __attribute__((noreturn, cold));
static inline void verify(bool holds, const char *why) {
    if (!holds)
        fail(3, why);
}

// Runs `work` on `threads` threads. Returns the seconds from the first start to the last end.
// Threads are pinned if there are at least as many processors.
double timed(unsigned threads, void (*work)(void *context, unsigned thread), void *context);

// The workers of a trial that share queues: processes, or threads for comparison. `queues` is what
// they inherit; a worker makes its own ends of it.
struct crew {
    void *(*attach)(const struct case_spec *, void *const *queues);
    // Moves `items` items, and returns the sum of the numbers that the worker got.
    uint64_t (*work)(void *ends, const struct case_spec *, unsigned worker, uint64_t items);
    // Moves items until the process is killed, and counts them.
    void (*work_on)(void *ends, unsigned worker, volatile uint64_t *moved);
    void (*detach)(void *ends);
    bool threads;
};
// Starts a worker for each thread of the case. They warm up, then are measured. A worker that fails
// ends the trial. Ends the program if the sum of all numbers is not that of streams from 1 on, or
// for a ping-pong 0.
void measure(const struct crew *, void *const *queues, const struct case_spec *,
             struct measurement *);
// Kills a random worker and starts a new one, as often as the case has items. The latency is the
// time from a kill until each of the others has moved an item. Ends the program if that takes too
// long.
void measure_kills(const struct crew *, void *const *queues, const struct case_spec *,
                   struct measurement *);
// Memory that child processes share.
void *shared_memory(size_t bytes);
// How many processors this process may use.
unsigned processors(void);
// Nanoseconds on the monotonic clock.
uint64_t now(void);
// Bytes allocated on the heap.
size_t allocated(void);
void sleep_for(uint64_t nanoseconds);

static inline uint64_t sum_up_to(uint64_t n) { return n * (n + 1) / 2; }

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

// Waits as crossbeam_utils::Backoff::snooze does: 1, 2, 4, ... 64 pauses, then yields.
struct backoff {
    unsigned step;
};
static inline void snooze(struct backoff *b) {
    if (b->step > 6) {
        sched_yield();
        return;
    }
    for (unsigned i = 0; i < 1u << b->step; i++)
        relax();
    b->step++;
}

// Latency: nanoseconds between two items of all producers together. A pace with which every queue
// keeps up, so that the latency is not that of a full queue.
enum { PACE_NS = 10000 };
// Spins until `time`; yields between checks if there are more threads than processors.
void wait_until(uint64_t time, unsigned threads);
// Fairness: items that a producer claims at a time, so that the claim costs little.
enum { SHARE = 64 };
// Batches: items of a full batch, and nanoseconds after which an item makes its batch due.
enum { BATCH_SIZE = 32, BATCH_TIMEOUT_NS = 10000000, LATENESS_TIMEOUT_NS = 1000000 };

// SplitMix64 (Steele, Lea and Flood 2014).
static inline uint64_t random_next(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}
// One of a million priorities.
static inline double random_priority(uint64_t *state) {
    return (double)(random_next(state) % 1000000);
}

// Counts by value. Each power of two has 128 buckets of equal width, so a value is known to within
// 1/128; values below 256 are exact.
enum { BUCKETS_PER_OCTAVE = 128, BUCKETS = 58 * BUCKETS_PER_OCTAVE };
struct histogram {
    uint64_t counts[BUCKETS];
    uint64_t total;
    uint64_t max;
};
static inline unsigned bucket_of(uint64_t value) {
    const unsigned shift = value < BUCKETS_PER_OCTAVE ? 0 : 56 - (unsigned)__builtin_clzll(value);
    return shift * BUCKETS_PER_OCTAVE + (unsigned)(value >> shift);
}
static inline void record(struct histogram *h, uint64_t value) {
    h->counts[bucket_of(value)]++;
    h->total++;
    if (value > h->max)
        h->max = value;
}
void merge(struct histogram *into, const struct histogram *from);
// The upper bound of the first bucket up to which `fraction` of the values lie.
uint64_t quantile(const struct histogram *h, double fraction);

#ifdef __cplusplus
}
#endif

#endif
