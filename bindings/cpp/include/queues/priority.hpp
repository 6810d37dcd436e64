// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// queues::priority, a bounded priority queue for any number of producers and consumers, and
/// queues::priority_bytes, the same for blobs. The item with the lowest priority is in
/// front, among equals the oldest one.
///
///     queues::priority<job> queue(1024); // room for 1024 items
///     queue.push(std::move(j), 1.5);     // waits for room; false: the queue is closed
///     while (auto next = queue.pop())    // waits for an item; nullopt: closed and empty
///         run(next->value);              // next->priority is 1.5
#ifndef QUEUES_PRIORITY_HPP
#define QUEUES_PRIORITY_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "closable.hpp"
#include "detail/priority.hpp"
#include "expected.hpp"
#include "pop.hpp"
#include "push.hpp"
#include "queue.hpp"

#include <queues.h>

#include <cstddef>
#include <utility>

namespace queues {

/// An item and its priority: what the pops of priority return.
template <class T> struct prioritized {
    /// Constructs the value from `from`.
    template <class Value>
    prioritized(Value &&from, double priority_)
        : value(std::forward<Value>(from)), priority(priority_) {}

    T value;         ///< the item
    double priority; ///< its priority; -0.0 comes out as 0.0
};

namespace detail {

/// What priority and priority_bytes have beside pushes and pops.
template <class Payload>
class priority_queue
    : public pop_mixin<push_mixin<closable_queue<priority_calls, Payload>, double>, double> {
    using base = pop_mixin<push_mixin<closable_queue<priority_calls, Payload>, double>, double>;

  public:
    /// Returns a copy of the item that was in front at some moment of the call, and its priority;
    /// another consumer may have removed it since. Never waits. Any thread. Returns the error
    /// empty, or closed if the queue is closed and empty. T must be trivially copyable, because
    /// another consumer may destroy the item during the copy.
    [[nodiscard]] expected<typename base::value_type, conqueue_status> peek() const {
        return this->copy_of_shared_front();
    }

    /// \cond INTERNAL
  protected:
    priority_queue(std::size_t capacity, std::size_t item_size) : base(capacity, item_size, 0) {}
    priority_queue(queues_priority_t *queue, reference from) : base(queue, from) {}
    /// \endcond
};

/// The base of priority<T>.
template <class T> using priority_of = priority_queue<payload_of<priority_calls, T>>;

} // namespace detail

/// Extension. A bounded priority queue of T for any number of producers and consumers: the lowest
/// priority first, first in, first out among equals. A priority is any double except NaN; -0.0
/// equals 0.0. Any thread may make any call at any time.
///
/// A push or pop is O(log size()) and holds a short lock: not lock-free.
template <class T>
class priority : public detail::priority_of<T>,
                 public detail::from_handle<priority<T>, queues_priority_t> {
    using base = detail::priority_of<T>;

  public:
    /// Extension. Creates a queue of the library's default capacity. Throws std::bad_alloc.
    priority() : base(detail::default_capacity, base::slot_size) {}
    /// Creates a queue with room for exactly `capacity` items. Throws std::bad_alloc, and
    /// std::invalid_argument if `capacity` is 0 or exceeds the address space.
    explicit priority(std::size_t capacity)
        : base(detail::nonzero_capacity(capacity), base::slot_size) {}

  private:
    friend detail::from_handle<priority, queues_priority_t>;
    priority(queues_priority_t *queue, detail::reference from) : base(queue, from) {}
};

/// Extension. A bounded priority queue of blobs for any number of producers and consumers:
/// the lowest priority first, first in, first out among equals. Any thread may make any call at any
/// time. A push or pop is O(log size()) and holds a short lock.
///
/// A push takes a bytes_view, copies its bytes into the queue, and throws std::invalid_argument if
/// they are more than item_size(). A pop returns a prioritized<std::vector<std::byte>>, for which
/// it allocates item_size() bytes.
class priority_bytes : public detail::with_item_size<
                           detail::priority_queue<detail::by_blob<detail::priority_calls>>>,
                       public detail::from_handle<priority_bytes, queues_priority_t> {
    using base =
        detail::with_item_size<detail::priority_queue<detail::by_blob<detail::priority_calls>>>;

  public:
    /// Creates a queue with room for exactly `capacity` items of up to `item_size` bytes. Throws
    /// std::bad_alloc, and std::invalid_argument if either is 0 or the product exceeds the address
    /// space.
    priority_bytes(std::size_t capacity, std::size_t item_size)
        : base(detail::nonzero_capacity(capacity), item_size) {}

  private:
    friend detail::from_handle<priority_bytes, queues_priority_t>;
    priority_bytes(queues_priority_t *queue, detail::reference from) : base(queue, from) {}
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
