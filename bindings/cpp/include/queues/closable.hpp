// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// What the queues of all families except deque have: clear, close, and descriptors for event
/// loops.
#ifndef QUEUES_CLOSABLE_HPP
#define QUEUES_CLOSABLE_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/status_of.hpp"
#include "queue.hpp"
#include "status.hpp"

#include <cstddef>

namespace queues {

namespace detail {

/// A queue that can be cleared and closed: every family except deque.
template <class Calls, class Payload> class closable_queue : public basic_queue<Calls, Payload> {
    using base = basic_queue<Calls, Payload>;

  public:
    /// Extension. Removes and destroys the items in the queue, and returns their number. Never
    /// waits. Any thread; in spsc the consumer. O(n) in the number of items, in priority O(n log
    /// n). Throws `misuse` in a checked spsc.
    std::size_t clear() {
        std::size_t count = 0;
        status_of(handle_.clear(&count), "clear");
        return count;
    }

    /// Closes the queue and wakes all waiting calls. From then on a push returns closed, and a pop
    /// does so once the queue is empty. Has no effect on a closed queue. Never waits. Any thread.
    void close() noexcept { handle_.close(); }
    /// Returns whether the queue is closed. Never waits. Any thread.
    [[nodiscard]] bool is_closed() const noexcept { return Calls::is_closed(handle_.queue); }

    /// Extension. Returns a descriptor for poll(2), epoll and event loops. It is readable while
    /// there may be an item (in a batcher, while a batch is due) or the queue is closed. A pop that
    /// never waits and returns empty makes it unreadable until there is an item: so pop until then,
    /// and wait for the descriptor again. Never waits. Any thread.
    ///
    /// All calls return the same descriptor. The queue owns it and closes it in its destructor: do
    /// not read, write or close it. The first call creates it; from then on, a pop that finds the
    /// queue empty and the push that ends that make system calls. Throws std::bad_alloc if no
    /// descriptor is left, and std::invalid_argument in a batcher on a system other than Linux.
    [[nodiscard]] int readable_fd() const {
        return this->descriptor(Calls::readable_fd, "readable_fd");
    }
    /// Extension. Returns a descriptor that is readable while there may be room for an item or the
    /// queue is closed. A push that never waits and returns full makes it unreadable until there is
    /// room (but not a try_emplace of priority or batcher: push a T there). Never waits. Any
    /// thread. Otherwise as readable_fd. Throws std::bad_alloc if no descriptor is left.
    [[nodiscard]] int writable_fd() const {
        return this->descriptor(Calls::writable_fd, "writable_fd");
    }

    /// \cond INTERNAL
  protected:
    using base::base;
    using base::handle_;

    // Calls `visit` with the item in front, and writes to `out...` what the family returns beside
    // it.
    template <class Visit, class... Out> conqueue_status peek_by(Visit &&visit, Out *...out) const {
        return status_of(Payload(handle_).peek(handle_, visit, out...), "peek");
    }
    /// \endcond
};

} // namespace detail

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
