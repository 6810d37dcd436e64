// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// The pushes of the queues that can be closed, in one mixin: waiting, not waiting, with a time
/// limit, until a stop request, in place and in bulk. A priority or weight is one more parameter.
#ifndef QUEUES_PUSH_HPP
#define QUEUES_PUSH_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/deferred.hpp"
#include "queue.hpp"

#include <queues.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

/// Adds the pushes to Queue. `With` are the parameters beside the item, each before a time limit:
/// none, the priority of an item, or its weight. mpmc, spsc and batcher insert at the back,
/// priority by the priority.
///
/// Unless documented otherwise, an overload is O(1), or O(log size()) in priority. Each may be
/// called by any number of producers at once; in spsc by one at a time.
///
/// Each throws what the constructor of the item throws, `misuse` in a checked spsc,
/// std::invalid_argument for a priority that is NaN and for a blob longer than item_size().
/// A push that throws has no effect on the queue. try_push and try_emplace of mpmc and batcher are
/// noexcept if constructing, moving and assigning T is.
template <class Queue, class... With> class push_mixin : public Queue {
  public:
    using typename Queue::argument;

    /// Inserts a copy of `value`. Waits for room. Any number of producers; in spsc one at a time.
    /// Returns true, or false if the queue is closed.
    bool push(const argument &value, With... with) {
        return is_success(put(value, wait_forever, with...));
    }
    /// Inserts `value`, moved. Waits for room. Any number of producers; in spsc one at a time.
    /// Returns true, or false if the queue is closed: then `value` is unchanged.
    bool push(argument &&value, With... with) {
        return is_success(put(std::move(value), wait_forever, with...));
    }

    /// Inserts a copy of `value` if there is room. Never waits. Any number of producers; in spsc
    /// one at a time. Returns success, full or closed.
    [[nodiscard]] conqueue_status
    try_push(const argument &value,
             With... with) noexcept(Queue::template put_is_noexcept<const argument &>) {
        return put(value, no_wait, with...);
    }
    /// Inserts `value`, moved, if there is room. Never waits. Any number of producers; in spsc one
    /// at a time. Returns success, or full or closed: then `value` is unchanged.
    [[nodiscard]] conqueue_status
    try_push(argument &&value,
             With... with) noexcept(Queue::template put_is_noexcept<argument &&>) {
        return put(std::move(value), no_wait, with...);
    }

    /// Extension. Inserts a copy of `value`. Waits for room, at most `duration`. Any number of
    /// producers; in spsc one at a time. Returns success, closed, timeout, or full if `duration` is
    /// not positive.
    template <class Rep, class Period>
    [[nodiscard]] conqueue_status push_for(const argument &value, With... with,
                                           std::chrono::duration<Rep, Period> duration) {
        return put(value, wait_for(duration), with...);
    }
    /// Extension. Inserts `value`, moved. Waits for room, at most `duration`. Any number of
    /// producers; in spsc one at a time. Returns success; or closed, timeout, or full if `duration`
    /// is not positive: then `value` is unchanged.
    template <class Rep, class Period>
    [[nodiscard]] conqueue_status push_for(argument &&value, With... with,
                                           std::chrono::duration<Rep, Period> duration) {
        return put(std::move(value), wait_for(duration), with...);
    }

    /// Extension. Inserts a copy of `value`. Waits for room until `deadline`, on any clock. Any
    /// number of producers; in spsc one at a time. Returns success, closed, timeout, or full if
    /// `deadline` has already passed.
    template <class Clock, class Duration>
    [[nodiscard]] conqueue_status push_until(const argument &value, With... with,
                                             std::chrono::time_point<Clock, Duration> deadline) {
        return put(value, wait_until<Clock, Duration>{deadline}, with...);
    }
    /// Extension. Inserts `value`, moved. Waits for room until `deadline`, on any clock. Any number
    /// of producers; in spsc one at a time. Returns success; or closed, timeout, or full if
    /// `deadline` has already passed: then `value` is unchanged.
    template <class Clock, class Duration>
    [[nodiscard]] conqueue_status push_until(argument &&value, With... with,
                                             std::chrono::time_point<Clock, Duration> deadline) {
        return put(std::move(value), wait_until<Clock, Duration>{deadline}, with...);
    }

    /// Extension. Inserts a copy of `value`. Waits for room until a stop is requested of `token`, a
    /// std::stop_token; a stop request ends the wait at once. Any number of producers; in spsc one
    /// at a time. Returns true, or false if the queue is closed or a stop was requested. If a stop
    /// was requested before the call, the call makes no attempt.
    ///
    /// A call that must wait allocates an event (std::bad_alloc). Each time that it finds no room,
    /// the statistics count a failed push. Room wakes all calls that wait with a stop token, and
    /// one call that waits without. `token` may be of any type with stop_possible(),
    /// stop_requested() and callback_type.
    template <class Token, class = if_stop_token<Token>>
    bool push(const argument &value, With... with, const Token &token) {
        return is_success(put(value, this->wait_with(token, QUEUES_WRITABLE), with...));
    }
    /// Extension. Inserts `value`, moved. Waits for room until a stop is requested of `token`, a
    /// std::stop_token; a stop request ends the wait at once. Any number of producers; in spsc one
    /// at a time. Returns true, or false if the queue is closed or a stop was requested: then
    /// `value` is unchanged. If a stop was requested before the call, the call makes no attempt.
    /// Throws std::bad_alloc; costs as the other overload with a stop token.
    template <class Token, class = if_stop_token<Token>>
    bool push(argument &&value, With... with, const Token &token) {
        return is_success(put(std::move(value), this->wait_with(token, QUEUES_WRITABLE), with...));
    }

    /// Constructs an item from `args` and inserts it. Waits for room. Any number of producers; in
    /// spsc one at a time. Returns true, or false if the queue is closed.
    ///
    /// `args` are used only after the call has found room in an open queue; if it returns false
    /// before that, they are unchanged. If other producers fill the queue while the constructor
    /// runs, the item waits for room. If the queue is closed meanwhile, the item is destroyed, and
    /// what the constructor took from `args` is lost. Two kinds of `args` are unchanged whenever it
    /// returns false: a single T, and a pointer to construct a std::unique_ptr from.
    ///
    /// In priority and batcher, and where the construction of a trivially copyable T changes
    /// `args`, room wakes this call and a push that waits at the same time, and the push usually
    /// gets the room; where that matters, push a T.
    template <class... Args> bool emplace(With... with, Args &&...args) {
        return is_success(construct(wait_forever, with..., std::forward<Args>(args)...));
    }
    /// Constructs an item from `args` and inserts it, if there is room. Never waits. Any number of
    /// producers; in spsc one at a time. Returns success; full or closed: then `args` are
    /// unchanged, unless the queue was closed while the constructor ran; or retry.
    ///
    /// Returns retry if other producers filled the queue while the constructor ran, and 1000 checks
    /// found no room again. The item is destroyed, and what the constructor took from `args` is
    /// lost. Never returns retry if `args` are a single T, if T is a std::unique_ptr, or if T and
    /// `args` are trivially copyable.
    template <class... Args>
    [[nodiscard]] conqueue_status
    try_emplace(With... with,
                Args &&...args) noexcept(Queue::template emplace_is_noexcept<Args...>) {
        return construct(no_wait, with..., std::forward<Args>(args)...);
    }

    /// Extension. Inserts the items of [first, last) in order, each with `with`; those of other
    /// producers may come between them. Waits for room. Any number of producers; in spsc one at a
    /// time. Returns the number of items that were accepted and, if not all were, closed. O(number
    /// of items).
    ///
    /// Copies the items. To move those that are accepted and leave the others unchanged, pass
    /// std::make_move_iterator(first) and (last). In mpmc and spsc one C call inserts many items if
    /// they are stored as bits or as the pointer of a std::unique_ptr, and the iterators are
    /// forward iterators; otherwise each item is a C call. If an item throws, those before it are
    /// in the queue.
    template <class Iterator> bulk_result push_many(Iterator first, Iterator last, With... with) {
        return put_many(
            first, last, [] { return wait_forever; }, with...);
    }
    /// Extension. Inserts copies of the elements of `items`, a contiguous range (std::vector,
    /// std::array, std::span, array), in order, each with `with`; the items of other producers may
    /// come between them. Waits for room. Any number of producers; in spsc one at a time. Returns
    /// the number of items that were accepted and, if not all were, closed. O(number of items).
    template <class Range, class = if_readable<Range, argument>>
    bulk_result push_many(const Range &items, With... with) {
        const argument *const first = (std::data)(items);
        return push_many(first, first + (std::size)(items), with...);
    }
    /// Extension. Inserts the items of [first, last) in order, each with `with`, as long as there
    /// is room; those of other producers may come between them. Never waits. Any number of
    /// producers; in spsc one at a time. Returns the number of items that were accepted and, if not
    /// all were, full or closed. Copies, or moves from std::move_iterator; the items that were not
    /// accepted are unchanged. O(number of items).
    template <class Iterator>
    [[nodiscard]] bulk_result try_push_many(Iterator first, Iterator last, With... with) {
        return put_many(
            first, last, [] { return no_wait; }, with...);
    }
    /// Extension. Inserts the items of [first, last) in order, each with `with`; those of other
    /// producers may come between them. Waits for room, at most `duration` for all of them. Any
    /// number of producers; in spsc one at a time. Returns the number of items that were accepted
    /// and, if not all were, closed, timeout, or full if `duration` is not positive. Copies, or
    /// moves from std::move_iterator; the items that were not accepted are unchanged. O(number of
    /// items).
    template <class Iterator, class Rep, class Period>
    [[nodiscard]] bulk_result push_many_for(Iterator first, Iterator last, With... with,
                                            std::chrono::duration<Rep, Period> duration) {
        const auto end = wait_until{deadline_after(duration)};
        auto result = put_many(
            first, last, [&] { return timed_wait{end.left()}; }, with...);
        if (result.status == conqueue_status::full && duration > duration.zero())
            result.status = conqueue_status::timeout; // the time passed before the last C call
        return result;
    }

    /// Extension. For coroutines (C++20): `co_await queue.push_async(value, executor)` inserts a
    /// copy of `value`; it suspends the coroutine until there is room. Needs queues/async.hpp,
    /// which describes executors, stop tokens and lifetimes; `value` must outlive the wait. Any
    /// number of producers; in spsc one at a time. Results in true, or false if the queue is closed
    /// or a stop was requested of `token`. Throws what push throws, and std::bad_alloc.
    template <class Executor = on_reactor, class Token = no_token, class = if_executor<Executor>>
    [[nodiscard]] auto push_async(const argument &value, With... with,
                                  Executor executor = Executor(), Token token = Token()) {
        using operation = push_operation<push_mixin, const argument &, With...>;
        return awaiter<operation, Executor, Token>(operation(*this, value, with...),
                                                   std::move(executor), std::move(token));
    }
    /// Extension. For coroutines (C++20): as the other overload, but inserts `value`, moved. If the
    /// result is false, `value` is unchanged.
    template <class Executor = on_reactor, class Token = no_token, class = if_executor<Executor>>
    [[nodiscard]] auto push_async(argument &&value, With... with, Executor executor = Executor(),
                                  Token token = Token()) {
        using operation = push_operation<push_mixin, argument &&, With...>;
        return awaiter<operation, Executor, Token>(operation(*this, std::move(value), with...),
                                                   std::move(executor), std::move(token));
    }
    /// Returns a sender (stdexec) that inserts `value` and completes with set_value(); with
    /// set_error(conqueue_status::closed) if the queue is closed; or with set_stopped(). The sender
    /// holds `value` until the insertion. Needs queues/sender.hpp, which has the details. Any
    /// number of producers; in spsc one at a time. Throws what copying or moving `value` throws.
    template <class Value = argument> [[nodiscard]] auto async_push(Value &&value, With... with) {
        return push_sender<push_mixin, std::decay_t<Value>, With...>(
            *this, std::forward<Value>(value), with...);
    }

    /// \cond INTERNAL
  protected:
    using Queue::handle_;
    using Queue::is_success;
    using Queue::Queue;
    using calls = typename Queue::calls;
    using payload = typename Queue::payload;
    using put_args = typename calls::put_args;

    template <class Value, class Wait>
    conqueue_status put(Value &&value, Wait wait, const With &...with) {
        return this->put_by(std::forward<Value>(value), wait, [&](std::int64_t timeout) {
            return put_args{timeout, with...};
        });
    }
    /// \endcond

  private:
    template <class... Args>
    conqueue_status construct(timed_wait wait, const With &...with, Args &&...args) {
        if constexpr (is_one_item<argument, Args...>::value) {
            return put(std::forward<Args>(args)..., wait, with...);
        } else {
            const put_args beside{wait.timeout, with...};
            if constexpr (Queue::template emplace_needs_room_check<Args...>) {
                const auto status = await_room(wait.timeout);
                if (status != conqueue_status::success)
                    return status;
            }
            return this->construct_and_put(beside, std::forward<Args>(args)...);
        }
    }

    // Waits until there is room. The C calls that wait for room need an item, and an emplace has
    // none yet.
    conqueue_status await_room(std::int64_t timeout) {
        for (;;) {
            if (this->is_closed())
                return conqueue_status::closed;
            if (this->size() < this->capacity())
                return conqueue_status::success;
            if (timeout == 0)
                return this->count_as_full();
            queues_poll_t room{handle_.queue, QUEUES_WRITABLE, 0};
            std::size_t ready;
            status_of(queues_poll(&room, 1, timeout, &ready), "emplace");
        }
    }

    // `wait_left` returns the wait for the next C call.
    template <class Iterator, class WaitLeft>
    bulk_result put_many(Iterator first, Iterator last, WaitLeft wait_left, const With &...with) {
        static_assert(Queue::template may_push<decltype(*first)>,
                      "T is not copyable: use std::make_move_iterator");
        // Whether an item has its void * before the push, as bulk C calls need it.
        constexpr bool is_encodable =
            calls::has_many && Queue::is_pointer && is_forward<Iterator>::value;
        bulk_result result{0, conqueue_status::success};
        while (first != last && result.status == conqueue_status::success) {
            std::size_t done = 0;
            if constexpr (calls::has_many && Queue::template is_word_array<Iterator>) {
                const auto items = reinterpret_cast<void *const *>(std::addressof(*first));
                const auto count = static_cast<std::size_t>(last - first);
                result.status = status_of(
                    calls::put_many(handle_.queue, items, count, wait_left().timeout, &done),
                    "push_many");
                first += static_cast<std::ptrdiff_t>(done);
            } else if constexpr (is_encodable) {
                void *items[Queue::chunk_size];
                std::size_t count = 0;
                for (auto next = first; next != last && count < Queue::chunk_size; ++next)
                    items[count++] = payload::encode(*next);
                result.status = status_of(
                    calls::put_many(handle_.queue, items, count, wait_left().timeout, &done),
                    "push_many");
                for (std::size_t i = 0; i < done; ++i, ++first) {
                    if constexpr (payload::kind == stored_as::unique_ptr)
                        payload::accepted(*first);
                }
            } else {
                result.status = put(*first, wait_left(), with...);
                if (result.status == conqueue_status::success) {
                    ++first;
                    done = 1;
                }
            }
            result.count += done;
        }
        return result;
    }
};

} // namespace detail

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
