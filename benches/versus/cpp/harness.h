// What the programs of C and C++ share, by the protocol of ../README.md: the command line, pinned
// threads, a clock, back-off, a histogram. A program is `contestants`, and the scenarios that these
// run.
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

// A case, taken apart: family/shape/mode/capacity/payload.
struct case_spec {
    char text[64];
    char *family;
    char *shape;
    char *mode;
    size_t capacity;  // 0 for "-"
    size_t item_size; // 0 for "ptr"
    unsigned pairs;   // of producers and consumers
    unsigned threads;
    bool alternates; // "pair": each thread puts and gets in turn
    size_t bulk;     // of "bulk32" or "batch32", else 0
    uint64_t items;
};

bool is(const char *component, const char *wanted);

// What a trial came to; the scenario fills in what applies.
struct measurement {
    uint64_t items;
    double seconds;
    struct histogram *latency;
    unsigned threads; // that have shares
    uint64_t shares[MAX_THREADS];
    uint64_t longest_starvation;
    size_t bytes;
};

struct contestant {
    const char *name; // NULL ends a list
    const char *version;
    const char *missing;                                         // why it is not there, or NULL
    const char *const *patterns;                                 // of cases, ends with NULL
    bool (*run)(const struct case_spec *, struct measurement *); // false: no such case
    bool ours;
};

// The program's own.
extern const char *const language;
extern const struct contestant *const contestants[]; // ends with NULL

#define MISSING(name_, package)                                                                    \
    { (name_), NULL, package " is not installed", NULL, NULL, false }

// The cases of a queue by what it can do: `try` calls, waiting, many at once.
#define SPSC_TRY(payload) "spsc/1P1C/single/*/" payload, "pingpong/1P1C/spin", "memory"
#define SPSC_BLOCKING(payload)                                                                     \
    "spsc/1P1C/blocking/*/" payload, "pingpong/1P1C/blocking", "latency/1P1C"
#define SPSC_BULK(payload)                                                                         \
    "spsc/1P1C/bulk8/*/" payload, "spsc/1P1C/bulk32/*/" payload, "spsc/1P1C/bulk256/*/" payload
#define MPMC_TRY "mpmc/*/single/*/ptr", "pingpong/1P1C/spin", "fairness", "memory"
#define MPMC_BLOCKING "mpmc/*/blocking/*/ptr", "pingpong/1P1C/blocking", "latency"
#define MPMC_BULK "mpmc/*/bulk32/*/ptr"
#define PRIORITY "priority"
#define DEQUE "deque"
#define BATCH "batch"

// Ends the program with that code, after a message.
void fail(int code, const char *why) __attribute__((noreturn, cold));
static inline void verify(bool holds, const char *why) {
    if (!holds)
        fail(3, why);
}

// Runs `work` on so many threads at once, pinned if there are as many processors: seconds from the
// first start to the last end.
double timed(unsigned threads, void (*work)(void *context, unsigned thread), void *context);
// How many processors there are for this program.
unsigned processors(void);
// Nanoseconds on the monotonic clock.
uint64_t now(void);
// Bytes on the heap.
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

// Waits as crossbeam_utils::Backoff::snooze does: 1 to 64 pauses, then yields.
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

// The latency cases: producers send an item in so many nanoseconds, all together.
enum { PACE_NS = 10000 };
// Waits for that time; lets others run meanwhile if the threads are more than the processors.
void wait_until(uint64_t time, unsigned threads);
// The fairness cases: a producer takes so many items at once upon itself.
enum { SHARE = 64 };
// The batch cases: how many make a batch, and for how long it blocking for them.
enum { BATCH_SIZE = 32, BATCH_TIMEOUT_NS = 10000000, LATENESS_TIMEOUT_NS = 1000000 };

// SplitMix64 (Steele, Lea and Flood 2014).
static inline uint64_t random_next(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}
// A priority of which there are a million.
static inline double random_priority(uint64_t *state) {
    return (double)(random_next(state) % 1000000);
}

// Counts by value in linear steps, as many for each power of two: within 1/128 of the truth, exact
// below 256.
enum { STEPS = 128, BUCKETS = 58 * STEPS };
struct histogram {
    uint64_t counts[BUCKETS];
    uint64_t total;
    uint64_t max;
};
static inline unsigned bucket_of(uint64_t value) {
    const unsigned shift = value < STEPS ? 0 : 56 - (unsigned)__builtin_clzll(value);
    return shift * STEPS + (unsigned)(value >> shift);
}
static inline void record(struct histogram *h, uint64_t value) {
    h->counts[bucket_of(value)]++;
    h->total++;
    if (value > h->max)
        h->max = value;
}
void merge(struct histogram *into, const struct histogram *from);
// The upper bound of the bucket that so large a fraction of the values does not exceed.
uint64_t quantile(const struct histogram *h, double fraction);

#ifdef __cplusplus
}
#endif

#endif
