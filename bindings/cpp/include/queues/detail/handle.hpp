// The handle of a queue.
#ifndef QUEUES_DETAIL_HANDLE_HPP
#define QUEUES_DETAIL_HANDLE_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../stats.hpp"

#include <queues.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace queues {

namespace detail {

// The timeout among what a call takes behind the item, and the same with another timeout.
inline std::int64_t timeout_of(std::int64_t timeout) { return timeout; }
template <class When> std::int64_t timeout_of(const When &when) { return when.timeout; }
inline std::int64_t with_timeout(std::int64_t, std::int64_t timeout) { return timeout; }
template <class When> When with_timeout(When when, std::int64_t timeout) {
    when.timeout = timeout;
    return when;
}

// The handle of a queue, not owned.
template <class Calls> struct queue_ref {
    typename Calls::handle *queue = nullptr;
    std::size_t item_size = 0;

    // Completes what the C library counted.
    void amend(statistics &) const noexcept {}
};

// The handle of a queue, owned, and what else its calls need. Does not move.
template <class Calls> struct owned_queue : queue_ref<Calls> {
    std::atomic<std::uint64_t> refused{
        0}; // pushes that failed and that the C library did not count

    owned_queue() = default;
    owned_queue(const owned_queue &) = delete;
    ~owned_queue() { Calls::release(this->queue); }
    // Called once the queue is made. `in_flight`: how many items its consumers may hold at once,
    // beyond one each.
    void prepare(std::uint64_t, std::size_t) noexcept {}
    void close() noexcept { Calls::close(this->queue); }
    queues_status_t clear(std::size_t *count) noexcept { return Calls::clear(this->queue, count); }
    void refuse() noexcept { refused.fetch_add(1, std::memory_order_relaxed); }
    void amend(statistics &counters) const noexcept {
        counters.failed_enqueue += refused.load(std::memory_order_relaxed);
    }
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
