// Adapters for oneTBB: the bounded queue and the priority queue.
#if __has_include(<tbb/concurrent_queue.h>)

#include "priority_entry.hpp"
#include "workloads.hpp"

#include <tbb/concurrent_priority_queue.h>
#include <tbb/concurrent_queue.h>

namespace {

using namespace versus;

struct bounded {
    using item = void *;
    explicit bounded(std::size_t capacity) {
        queue.set_capacity(static_cast<std::ptrdiff_t>(capacity));
    }
    bool try_put(item i) { return queue.try_push(i); }
    bool try_get(item &i) { return queue.try_pop(i); }
    void put(item i) { queue.push(i); }
    void get(item &i) { queue.pop(i); }
    tbb::concurrent_bounded_queue<item> queue;
};

// The ticket is a counter of its own, since the interface gives no access to the lock of the queue.
struct priority_adapter {
    explicit priority_adapter(std::size_t capacity) : queue(capacity) {}
    void put(double priority, std::uint64_t word) {
        queue.push({priority, ticket.fetch_add(1, std::memory_order_relaxed), word});
    }
    bool get(std::uint64_t &word) {
        priority_entry entry;
        const bool found = queue.try_pop(entry);
        word = found ? entry.word : 0;
        return found;
    }
    tbb::concurrent_priority_queue<priority_entry, is_later> queue;
    alignas(128) std::atomic<std::uint64_t> ticket{0};
};

const char *const bounded_cases[] = {MPMC_TRY, MPMC_BLOCKING, nullptr};
const char *const priority_cases[] = {PRIORITY, nullptr};

} // namespace

extern const contestant tbb_queues[] = {
    {"tbb::concurrent_bounded_queue", VERSION_TBB, nullptr, bounded_cases, fifo<bounded>, false},
    {"tbb::concurrent_priority_queue", VERSION_TBB, nullptr, priority_cases,
     priority<priority_adapter>, false},
    {},
};

#else

#include "harness.h"
extern const contestant tbb_queues[] = {MISSING("oneTBB", "libtbb-dev"), {}};

#endif
