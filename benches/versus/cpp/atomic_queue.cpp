// Adapters for atomic_queue by Maxim Egorushkin. The optimist queues have no try calls: a push or
// pop claims a slot and spins until the slot is free or filled, without limit.
#if __has_include(<atomic_queue/atomic_queue.h>)

#include "workloads.hpp"

#include <atomic_queue/atomic_queue.h>

namespace {

using namespace versus;
namespace aq = atomic_queue;

// Queues whose capacity is a template argument.
template <class Queue> struct static_capacity {
    using item = typename Queue::value_type;
    explicit static_capacity(std::size_t) {}
    bool try_put(const item &i) { return queue.try_push(i); }
    bool try_get(item &i) { return queue.try_pop(i); }
    Queue queue;
};

// Queues whose capacity is an argument of the constructor.
template <class T, class Queue> struct dynamic_capacity {
    using item = T;
    explicit dynamic_capacity(std::size_t capacity) : queue(static_cast<unsigned>(capacity)) {}
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

template <std::size_t Capacity, bool Spsc> struct of_capacity {
    template <class T>
    using atomic2 = static_capacity<aq::AtomicQueue2<T, Capacity, true, true, false, Spsc>>;
    using atomic =
        static_capacity<aq::AtomicQueue<void *, Capacity, nullptr, true, true, false, Spsc>>;
    using optimistic =
        optimist<aq::AtomicQueue<void *, Capacity, nullptr, true, true, false, Spsc>>;
};

template <class T, bool Spsc>
using b2_queue = dynamic_capacity<T, aq::AtomicQueueB2<T, allocator<T>, true, false, Spsc>>;
template <class T> using b2_spsc = b2_queue<T, true>;
template <bool Spsc>
using b_queue =
    dynamic_capacity<void *,
                     aq::AtomicQueueB<void *, allocator<void *>, nullptr, true, false, Spsc>>;

// Each runs the queue type with the capacity of the case.
template <bool Spsc> bool run_atomic(const case_spec *s, measurement *m) {
    return s->capacity == 1024 ? fifo<typename of_capacity<1024, Spsc>::atomic>(s, m)
                               : fifo<typename of_capacity<65536, Spsc>::atomic>(s, m);
}
template <bool Spsc> bool run_optimistic(const case_spec *s, measurement *m) {
    return s->capacity == 1024 ? fifo<typename of_capacity<1024, Spsc>::optimistic>(s, m)
                               : fifo<typename of_capacity<65536, Spsc>::optimistic>(s, m);
}
bool run_atomic2_spsc(const case_spec *s, measurement *m) {
    return s->capacity == 1024 ? any_payload<of_capacity<1024, true>::atomic2>(s, m)
                               : any_payload<of_capacity<65536, true>::atomic2>(s, m);
}
bool run_atomic2(const case_spec *s, measurement *m) {
    return s->capacity == 1024 ? fifo<of_capacity<1024, false>::atomic2<void *>>(s, m)
                               : fifo<of_capacity<65536, false>::atomic2<void *>>(s, m);
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
// Without fairness: its consumers end with a try that finds the queue empty.
const char *const optimist_spsc_cases[] = {EACH_CAPACITY("spsc/1P1C/single/", "/ptr"),
                                           "pingpong/1P1C/spin/1024", nullptr};
const char *const optimist_cases[] = {EACH_CAPACITY("mpmc/*/single/", "/ptr"),
                                      "pingpong/1P1C/spin/1024", nullptr};

constexpr auto version = VERSION_ATOMIC_QUEUE;

} // namespace

extern const contestant atomic_queues[] = {
    {"atomic_queue::AtomicQueue, SPSC", version, nullptr, fixed_spsc_words, run_atomic<true>,
     false},
    {"atomic_queue::AtomicQueue2, SPSC", version, nullptr, fixed_spsc_cases, run_atomic2_spsc,
     false},
    {"atomic_queue::AtomicQueueB, SPSC", version, nullptr, spsc_words, fifo<b_queue<true>>, false},
    {"atomic_queue::AtomicQueueB2, SPSC", version, nullptr, spsc_cases, any_payload<b2_spsc>,
     false},
    {"atomic_queue::OptimistAtomicQueue, SPSC", version, nullptr, optimist_spsc_cases,
     run_optimistic<true>, false},
    {"atomic_queue::AtomicQueue", version, nullptr, fixed_cases, run_atomic<false>, false},
    {"atomic_queue::AtomicQueue2", version, nullptr, fixed_cases, run_atomic2, false},
    {"atomic_queue::AtomicQueueB", version, nullptr, mpmc_cases, fifo<b_queue<false>>, false},
    {"atomic_queue::AtomicQueueB2", version, nullptr, mpmc_cases, fifo<b2_queue<void *, false>>,
     false},
    {"atomic_queue::OptimistAtomicQueue", version, nullptr, optimist_cases, run_optimistic<false>,
     false},
    {},
};

#else

#include "harness.h"
extern const contestant atomic_queues[] = {MISSING("atomic_queue", "libatomic-queue-dev"), {}};

#endif
