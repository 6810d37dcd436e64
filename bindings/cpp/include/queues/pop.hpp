// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// The pops of mpmc, spsc and priority, in mixins: waiting, not waiting, with a time limit, until a
/// stop request, into an object of the caller's, in bulk, and of blobs into a buffer.
#ifndef QUEUES_POP_HPP
#define QUEUES_POP_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "closable.hpp"
#include "detail/deferred.hpp"
#include "expected.hpp"
#include "fwd.hpp"
#include "push.hpp"
#include "queue.hpp"

#include <queues.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

/// The type that a pop returns: of an item, or of an item and its priority.
template <class Item, class... With> struct popped {
    using type = Item; ///< the item alone
};
/// The type that a pop of priority returns.
template <class Item> struct popped<Item, double> {
    using type = prioritized<Item>; ///< the item and its priority
};

/// Adds the pops to Queue. `With` is what comes out beside an item: nothing, or its priority. The
/// item in front is the oldest one; in priority, the oldest of those with the lowest priority.
///
/// Unless documented otherwise, an overload is O(1), or O(log size()) in priority. Each may be
/// called by any number of consumers at once; in spsc by one at a time.
///
/// Each throws what moving the item out throws (that item is lost, the others stay), `misuse` in a
/// checked spsc, and std::bad_alloc where it returns a blob. try_pop of mpmc and priority is
/// noexcept if moving T is.
template <class Queue, class... With> class pop_mixin : public Queue {
  public:
    using item_type = typename Queue::value_type; ///< the type of an item
    /// What a pop returns: `item_type`, or in a priority prioritized<item_type>.
    using value_type = typename popped<item_type, With...>::type;

    /// Removes and returns the item in front. Waits for one. Any number of consumers; in spsc one
    /// at a time. Returns nullopt if the queue is closed and empty.
    [[nodiscard]] std::optional<value_type> pop() {
        return pop_as<std::optional<value_type>>(wait_forever, With()...);
    }

    /// Removes and returns the item in front if there is one. Never waits. Any number of consumers;
    /// in spsc one at a time. Returns the error empty, or closed if the queue is closed and empty.
    [[nodiscard]] expected<value_type, conqueue_status> try_pop() noexcept(Queue::get_is_noexcept) {
        return pop_as<expected<value_type, conqueue_status>>(no_wait, With()...);
    }

    /// Extension. Removes and returns the item in front. Waits for one, at most `duration`. Any
    /// number of consumers; in spsc one at a time. Returns the error timeout; empty if `duration`
    /// is not positive; or closed if the queue is closed and empty.
    template <class Rep, class Period>
    [[nodiscard]] expected<value_type, conqueue_status>
    pop_for(std::chrono::duration<Rep, Period> duration) {
        return pop_as<expected<value_type, conqueue_status>>(wait_for(duration), With()...);
    }

    /// Extension. Removes and returns the item in front. Waits for one until `deadline`, on any
    /// clock. Any number of consumers; in spsc one at a time. Returns the error timeout; empty if
    /// `deadline` has already passed; or closed if the queue is closed and empty.
    template <class Clock, class Duration>
    [[nodiscard]] expected<value_type, conqueue_status>
    pop_until(std::chrono::time_point<Clock, Duration> deadline) {
        return pop_as<expected<value_type, conqueue_status>>(wait_until<Clock, Duration>{deadline},
                                                             With()...);
    }

    /// Extension. Removes and returns the item in front. Waits for one until a stop is requested of
    /// `token`, a std::stop_token; a stop request ends the wait at once. Any number of consumers;
    /// in spsc one at a time. Returns nullopt if the queue is closed and empty, or a stop was
    /// requested. If a stop was requested before the call, the call makes no attempt.
    ///
    /// A call that must wait allocates an event (std::bad_alloc). Each time that it finds no item,
    /// the statistics count a failed pop. An item wakes all calls that wait with a stop token, and
    /// one call that waits without. `token` may be of any type with stop_possible(),
    /// stop_requested() and callback_type.
    template <class Token, class = if_stop_token<Token>>
    [[nodiscard]] std::optional<value_type> pop(const Token &token) {
        return pop_as<std::optional<value_type>>(this->wait_with(token, QUEUES_READABLE),
                                                 With()...);
    }

    /// Extension. Removes the item in front and assigns it to `item`; in priority, assigns its
    /// priority to `with`. Waits for one. Any number of consumers; in spsc one at a time. Returns
    /// true, or false if the queue is closed and empty: then `item` is unchanged.
    bool pop(item_type &item, With &...with) {
        return is_success(pop_into_item(item, wait_forever, with...));
    }
    /// Extension. Removes the item in front, if there is one, and assigns it to `item`; in
    /// priority, assigns its priority to `with`. Never waits. Any number of consumers; in spsc one
    /// at a time. Returns success; or empty, or closed if the queue is closed and empty: then
    /// `item` is unchanged.
    [[nodiscard]] conqueue_status try_pop(item_type &item,
                                          With &...with) noexcept(Queue::get_into_is_noexcept) {
        return pop_into_item(item, no_wait, with...);
    }
    /// Extension. Removes the item in front and assigns it to `item`; in priority, assigns its
    /// priority to `with`. Waits for one, at most `duration`. Any number of consumers; in spsc one
    /// at a time. Returns success; or timeout, empty if `duration` is not positive, or closed if
    /// the queue is closed and empty: then `item` is unchanged.
    template <class Rep, class Period>
    [[nodiscard]] conqueue_status pop_for(item_type &item, With &...with,
                                          std::chrono::duration<Rep, Period> duration) {
        return pop_into_item(item, wait_for(duration), with...);
    }
    /// Extension. Removes the item in front and assigns it to `item`; in priority, assigns its
    /// priority to `with`. Waits for one until `deadline`, on any clock. Any number of consumers;
    /// in spsc one at a time. Returns success; or timeout, empty if `deadline` has already passed,
    /// or closed if the queue is closed and empty: then `item` is unchanged.
    template <class Clock, class Duration>
    [[nodiscard]] conqueue_status pop_until(item_type &item, With &...with,
                                            std::chrono::time_point<Clock, Duration> deadline) {
        return pop_into_item(item, wait_until<Clock, Duration>{deadline}, with...);
    }

    /// Extension. For coroutines (C++20): `co_await queue.pop_async(executor)` removes and returns
    /// the item in front, as a std::optional; it suspends the coroutine until there is an item.
    /// Needs queues/async.hpp, which describes executors, stop tokens and lifetimes. Any number of
    /// consumers; in spsc one at a time. Results in nullopt if the queue is closed and empty, or a
    /// stop was requested of `token`. Throws what moving T throws, and std::bad_alloc.
    template <class Executor = on_reactor, class Token = no_token, class = if_executor<Executor>>
    [[nodiscard]] auto pop_async(Executor executor = Executor(), Token token = Token()) {
        using operation = pop_operation<pop_mixin>;
        return awaiter<operation, Executor, Token>(operation(*this), std::move(executor),
                                                   std::move(token));
    }
    /// Returns a sender (stdexec) that removes the item in front and completes with
    /// set_value(item); with set_error(conqueue_status::closed) if the queue is closed and empty;
    /// or with set_stopped(). Needs queues/sender.hpp, which has the details. Any number of
    /// consumers; in spsc one at a time.
    template <class Self = pop_mixin> [[nodiscard]] auto async_pop() noexcept {
        return pop_sender<Self>(*this);
    }

    /// \cond INTERNAL
  protected:
    using Queue::is_success;
    using Queue::Queue;
    using get_args = typename Queue::calls::get_args;

    // A copy of the item in front and of its `With`.
    expected<value_type, conqueue_status> copy_of_front() const { return copy_front(With()...); }
    // In families where another consumer may destroy the item during the copy.
    expected<value_type, conqueue_status> copy_of_shared_front() const {
        static_assert(std::is_trivially_copyable_v<typename Queue::argument>,
                      "peek: T must be trivially copyable to be looked at "
                      "while another consumer may take it");
        return copy_of_front();
    }
    /// \endcond

  private:
    // `with` are the locals that the C call writes to.
    template <class Result, class Wait> Result pop_as(Wait wait, With... with) {
        return this->template get_as<Result>(
            wait,
            [&](std::int64_t timeout) {
                return get_args{timeout, &with...};
            },
            with...);
    }
    template <class Wait> conqueue_status pop_into_item(item_type &item, Wait wait, With &...with) {
        return this->get_into(item, wait, [&](std::int64_t timeout) {
            return get_args{timeout, &with...};
        });
    }
    expected<value_type, conqueue_status> copy_front(With... with) const {
        std::optional<item_type> copy;
        const auto status =
            this->peek_by([&](const item_type &front) { copy.emplace(front); }, &with...);
        if (copy)
            return expected<value_type, conqueue_status>(std::in_place, *std::move(copy), with...);
        return unexpected<conqueue_status>(status);
    }
};

/// Adds to Queue the pops of many items at once: in mpmc and spsc.
template <class Queue> class pop_many_mixin : public Queue {
  public:
    using typename Queue::value_type;

    /// Extension. Removes up to `count` items from the front and assigns them to `*out++`, in
    /// order. Waits for the first item, then takes what is there. Any number of consumers; in spsc
    /// one at a time. Returns the number of items; if it is 0, with the status closed (or success
    /// if `count` is 0). O(number of items).
    ///
    /// One C call takes many items if they are stored as bits or as the pointer of a
    /// std::unique_ptr, and assigning to `*out` does not throw; otherwise each item is a C call. If
    /// assigning throws, that one item is lost, and the remaining ones stay in the queue.
    template <class Output> bulk_result pop_many(Output out, std::size_t count) {
        return get_some(out, count, wait_forever);
    }
    /// Extension. Removes items from the front and assigns them to the elements of `items`, a
    /// contiguous range (std::vector, std::array, std::span, array), in order. Waits for the first
    /// item, then takes what is there. Any number of consumers; in spsc one at a time. Returns the
    /// number of items, at most the size of `items`; if it is 0, with the status closed (or success
    /// if `items` has no elements). O(number of items).
    template <class Range, class = if_writable<Range, value_type>>
    bulk_result pop_many(Range &&items) {
        return pop_many((std::data)(items), (std::size)(items));
    }
    /// Extension. Removes up to `count` items from the front and assigns them to `*out++`, in
    /// order. Never waits. Any number of consumers; in spsc one at a time. Returns the number of
    /// items; if it is 0, with the status empty or closed (or success if `count` is 0). If
    /// assigning throws, that one item is lost. O(number of items).
    template <class Output> [[nodiscard]] bulk_result try_pop_many(Output out, std::size_t count) {
        return get_some(out, count, no_wait);
    }
    /// Extension. Removes up to `count` items from the front and assigns them to `*out++`, in
    /// order. Waits for the first item, at most `duration`, then takes what is there. Any number of
    /// consumers; in spsc one at a time. Returns the number of items; if it is 0, with the status
    /// timeout, empty (`duration` is not positive) or closed (or success if `count` is 0). If
    /// assigning throws, that one item is lost. O(number of items).
    template <class Output, class Rep, class Period>
    [[nodiscard]] bulk_result pop_many_for(Output out, std::size_t count,
                                           std::chrono::duration<Rep, Period> duration) {
        return get_some(out, count, wait_for(duration));
    }

    /// \cond INTERNAL
  protected:
    using Queue::Queue;
    /// \endcond

  private:
    template <class Output> bulk_result get_some(Output &out, std::size_t count, timed_wait wait) {
        return this->get_many(out, count, wait.timeout, no_wait.timeout);
    }
};

/// Adds to a queue of blobs the pops into a buffer of the caller's, which allocate nothing:
/// in mpmc_bytes and spsc_bytes.
template <class Queue> class pop_into_mixin : public Queue {
  public:
    /// Extension. Removes the blob in front and writes it to `buffer`. Waits for one. Any
    /// number of consumers; in spsc one at a time. Returns its length; the error too_small if it is
    /// longer than `capacity` (it stays); or closed if the queue is closed and empty. O(length).
    [[nodiscard]] expected<std::size_t, conqueue_status> pop_into(void *buffer,
                                                                  std::size_t capacity) {
        return this->get_bytes(buffer, capacity, wait_forever.timeout);
    }
    /// Extension. Removes the blob in front, if there is one, and writes it to `buffer`.
    /// Never waits. Any number of consumers; in spsc one at a time. Returns its length; the error
    /// too_small if it is longer than `capacity` (it stays); empty; or closed if the queue is
    /// closed and empty. O(length).
    [[nodiscard]] expected<std::size_t, conqueue_status> try_pop_into(void *buffer,
                                                                      std::size_t capacity) {
        return this->get_bytes(buffer, capacity, no_wait.timeout);
    }
    /// Extension. Removes the blob in front and writes it to `buffer`. Waits for one, at
    /// most `duration`. Any number of consumers; in spsc one at a time. Returns its length; the
    /// error too_small if it is longer than `capacity` (it stays); timeout; empty if `duration` is
    /// not positive; or closed if the queue is closed and empty. O(length).
    template <class Rep, class Period>
    [[nodiscard]] expected<std::size_t, conqueue_status>
    pop_into_for(void *buffer, std::size_t capacity, std::chrono::duration<Rep, Period> duration) {
        return this->get_bytes(buffer, capacity, wait_for(duration).timeout);
    }

    /// \cond INTERNAL
  protected:
    using Queue::Queue;
    /// \endcond
};

/// The queues that are first in, first out: mpmc and spsc.
template <class Calls, class Payload>
using fifo_queue = pop_many_mixin<pop_mixin<push_mixin<closable_queue<Calls, Payload>>>>;

/// The queues of blobs that are first in, first out, over a family's queue.
template <class Queue> using bytes_fifo = pop_into_mixin<with_item_size<Queue>>;

} // namespace detail

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
