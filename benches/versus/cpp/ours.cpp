// Ours through queues.hpp and the shared library.
#include "workloads.hpp"

#include <queues.hpp>

namespace {

using namespace versus;
using queues::conqueue_status;

// The calls that spsc and mpmc share.
template <class Queue> struct fifo_adapter {
    using item = typename Queue::value_type;

    explicit fifo_adapter(std::size_t capacity) : queue(capacity) {}

    bool try_put(const item &i) { return queue.try_push(i) == conqueue_status::success; }
    bool try_get(item &i) {
        auto popped = queue.try_pop();
        if (popped)
            i = *popped;
        return bool(popped);
    }
    void put(const item &i) { queue.push(i); }
    void get(item &i) { i = *queue.pop(); }
    std::size_t put_bulk(const item *items, std::size_t count) {
        return queue.try_push_many(items, items + count).count;
    }
    std::size_t get_bulk(item *items, std::size_t count) {
        return queue.try_pop_many(items, count).count;
    }

    Queue queue;
};

template <class T> using spsc = fifo_adapter<queues::spsc<T>>;
template <class T> using mpmc = fifo_adapter<queues::mpmc<T>>;

struct priority_adapter {
    explicit priority_adapter(std::size_t capacity) : queue(capacity) {}

    void put(double priority, std::uint64_t word) {
        verify(queue.try_push(word, priority) == conqueue_status::success, "full");
    }
    bool get(std::uint64_t &word) {
        auto popped = queue.try_pop();
        if (popped)
            word = popped->value;
        return bool(popped);
    }

    queues::priority<std::uint64_t> queue;
};

struct deque_adapter {
    explicit deque_adapter(std::size_t capacity) : deque(capacity), thief(deque.get_stealer()) {}

    bool push(void *item) { return deque.push(item); }
    bool pop(void *&item) {
        const auto popped = deque.pop();
        if (popped)
            item = *popped;
        return bool(popped);
    }
    bool steal(void *&item) {
        const auto stolen = thief.steal();
        if (stolen)
            item = *stolen;
        return bool(stolen);
    }

    queues::deque<void *> deque;
    queues::deque<void *>::stealer thief;
};

// Blobs larger than a word are stored in the slots and have no bulk calls.
const char *const spsc_cases[] = {SPSC_TRY("*"), SPSC_BLOCKING("*"), SPSC_BULK("ptr"),
                                  SPSC_BULK("b8"), nullptr};
const char *const mpmc_cases[] = {MPMC_TRY, MPMC_BLOCKING, MPMC_BULK, nullptr};
const char *const priority_cases[] = {PRIORITY, nullptr};
const char *const deque_cases[] = {DEQUE, nullptr};

} // namespace

extern const contestant ours[] = {
    {"queues::spsc", QUEUES_VERSION, nullptr, spsc_cases, any_payload<spsc>, true},
    {"queues::mpmc", QUEUES_VERSION, nullptr, mpmc_cases, fifo<mpmc<void *>>, true},
    {"queues::priority", QUEUES_VERSION, nullptr, priority_cases, priority<priority_adapter>, true},
    {"queues::deque", QUEUES_VERSION, nullptr, deque_cases, deque<deque_adapter>, true},
    {},
};
