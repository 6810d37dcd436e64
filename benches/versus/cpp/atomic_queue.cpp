// Maxim Egorushkin's atomic_queue. The optimist kinds have no try calls: push and pop take a place
// and spin there, without end if need be.
#if __has_include(<atomic_queue/atomic_queue.h>)

#include "workloads.hpp"

#include <atomic_queue/atomic_queue.h>

namespace {

using namespace versus;
namespace aq = atomic_queue;

// Those whose capacity is part of the type.
template <class Queue> struct fixed {
    using item = typename Queue::value_type;
    explicit fixed(std::size_t) {}
    bool try_put(const item &i) { return queue.try_push(i); }
    bool try_get(item &i) { return queue.try_pop(i); }
    Queue queue;
};

// Those that are told.
template <class T, class Queue> struct dynamic {
    using item = T;
    explicit dynamic(std::size_t capacity) : queue(static_cast<unsigned>(capacity)) {}
    bool try_put(const item &i) { return queue.try_push(i); }
    bool try_get(item &i) { return queue.try_pop(i); }
    Queue queue;
};

template <class Queue> struct optimist {
    using item = typename Queue::value_type;
    explicit optimist(std::size_t) {}
    bool try_put(const item &i) {
        queue.push(i);
        return true;
    }
    bool try_get(item &i) {
        i = queue.pop();
        return true;
    }
    Queue queue;
};

template <class T> using allocator = std::allocator<T>;

template <std::size_t Capacity, bool Spsc> struct sized {
    template <class T> using any = fixed<aq::AtomicQueue2<T, Capacity, true, true, false, Spsc>>;
    using atomic = fixed<aq::AtomicQueue<void *, Capacity, nullptr, true, true, false, Spsc>>;
    using hopeful = optimist<aq::AtomicQueue<void *, Capacity, nullptr, true, true, false, Spsc>>;
};

template <class T, bool Spsc>
using told = dynamic<T, aq::AtomicQueueB2<T, allocator<T>, true, false, Spsc>>;
template <class T> using told_spsc = told<T, true>;
template <bool Spsc>
using told_atomic =
    dynamic<void *, aq::AtomicQueueB<void *, allocator<void *>, nullptr, true, false, Spsc>>;

// Runs the kind of the right capacity.
template <bool Spsc> bool run_atomic(const case_spec *s, measurement *m) {
    return s->capacity == 1024 ? fifo<typename sized<1024, Spsc>::atomic>(s, m)
                               : fifo<typename sized<65536, Spsc>::atomic>(s, m);
}
template <bool Spsc> bool run_hopeful(const case_spec *s, measurement *m) {
    return s->capacity == 1024 ? fifo<typename sized<1024, Spsc>::hopeful>(s, m)
                               : fifo<typename sized<65536, Spsc>::hopeful>(s, m);
}
bool run_any_spsc(const case_spec *s, measurement *m) {
    return s->capacity == 1024 ? any_payload<sized<1024, true>::any>(s, m)
                               : any_payload<sized<65536, true>::any>(s, m);
}
bool run_any(const case_spec *s, measurement *m) {
    return s->capacity == 1024 ? fifo<sized<1024, false>::any<void *>>(s, m)
                               : fifo<sized<65536, false>::any<void *>>(s, m);
}

#define EACH_CAPACITY(before, after) before "1024" after, before "65536" after
#define FIXED_SPSC(payload)                                                                        \
    EACH_CAPACITY("spsc/1P1C/single/", "/" payload), "pingpong/1P1C/spin/1024",                    \
        EACH_CAPACITY("memory/-/-/", "")
#define FIXED_MPMC                                                                                 \
    EACH_CAPACITY("mpmc/*/single/", "/ptr"), "pingpong/1P1C/spin/1024",                            \
        "fairness/4P4C/single/1024", EACH_CAPACITY("memory/-/-/", "")

const char *const fixed_spsc_cases[] = {FIXED_SPSC("*"), nullptr};
const char *const fixed_spsc_words[] = {FIXED_SPSC("ptr"), nullptr};
const char *const fixed_cases[] = {FIXED_MPMC, nullptr};
const char *const spsc_cases[] = {SPSC_TRY("*"), nullptr};
const char *const spsc_words[] = {SPSC_TRY("ptr"), nullptr};
const char *const mpmc_cases[] = {MPMC_TRY, nullptr};
// Their tries cannot end a trial of fairness.
const char *const optimist_spsc_cases[] = {EACH_CAPACITY("spsc/1P1C/single/", "/ptr"),
                                           "pingpong/1P1C/spin/1024", nullptr};
const char *const optimist_cases[] = {EACH_CAPACITY("mpmc/*/single/", "/ptr"),
                                      "pingpong/1P1C/spin/1024", nullptr};

constexpr auto version = VERSION_ATOMIC_QUEUE;

} // namespace

extern const contestant atomic_queues[] = {
    {"atomic_queue::AtomicQueue, SPSC", version, nullptr, fixed_spsc_words, run_atomic<true>,
     false},
    {"atomic_queue::AtomicQueue2, SPSC", version, nullptr, fixed_spsc_cases, run_any_spsc, false},
    {"atomic_queue::AtomicQueueB, SPSC", version, nullptr, spsc_words, fifo<told_atomic<true>>,
     false},
    {"atomic_queue::AtomicQueueB2, SPSC", version, nullptr, spsc_cases, any_payload<told_spsc>,
     false},
    {"atomic_queue::OptimistAtomicQueue, SPSC", version, nullptr, optimist_spsc_cases,
     run_hopeful<true>, false},
    {"atomic_queue::AtomicQueue", version, nullptr, fixed_cases, run_atomic<false>, false},
    {"atomic_queue::AtomicQueue2", version, nullptr, fixed_cases, run_any, false},
    {"atomic_queue::AtomicQueueB", version, nullptr, mpmc_cases, fifo<told_atomic<false>>, false},
    {"atomic_queue::AtomicQueueB2", version, nullptr, mpmc_cases, fifo<told<void *, false>>, false},
    {"atomic_queue::OptimistAtomicQueue", version, nullptr, optimist_cases, run_hopeful<false>,
     false},
    {},
};

#else

#include "harness.h"
extern const contestant atomic_queues[] = {MISSING("atomic_queue", "libatomic-queue-dev"), {}};

#endif
