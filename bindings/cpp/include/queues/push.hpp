/// \file
/// The pushes.
#ifndef QUEUES_PUSH_HPP
#define QUEUES_PUSH_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "queue.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

namespace queues {

namespace detail {

/// The pushes of a queue that can be closed. `with` is what goes in with an item: nothing, or its
/// priority or weight. A NaN for a priority throws std::invalid_argument. try_push and try_emplace
/// of mpmc and batcher are noexcept if constructing, moving and assigning T is; those of spsc and
/// priority are not, because they throw for misuse or a NaN.
template <class Queue, class... With> class pushing : public Queue {
  public:
    using typename Queue::argument;

    /// Puts `value` into the queue, at the back if it is first in, first out. Waits for room.
    /// Producer. False: the queue is closed, and `value` is as it was.
    bool push(const argument &value, With... with) { return is_in(put(value, for_ever, with...)); }
    /// The same, moving from `value` when the queue accepts it.
    bool push(argument &&value, With... with) {
        return is_in(put(std::move(value), for_ever, with...));
    }

    /// The same if there is room. Does not wait. Producer. Returns success, full or closed; unless
    /// success, `value` is as it was.
    [[nodiscard]] conqueue_status
    try_push(const argument &value,
             With... with) noexcept(Queue::template puts_surely<const argument &>) {
        return put(value, at_once, with...);
    }
    /// The same, moving from `value` when the queue accepts it.
    [[nodiscard]] conqueue_status
    try_push(argument &&value, With... with) noexcept(Queue::template puts_surely<argument &&>) {
        return put(std::move(value), at_once, with...);
    }

    /// Constructs an item from `args` and puts it into the queue. Waits for room. Producer. False:
    /// the queue is closed, and `args` are as they were.
    ///
    /// `args` are used only after room was seen in an open queue. If others fill the queue while
    /// the constructor runs, the item waits for room. If the queue is closed meanwhile, the item is
    /// destroyed, false is returned, and what the constructor took from `args` is gone (a single T
    /// is moved back, as by push; what a pointer for a std::unique_ptr points to stays the
    /// caller's).
    ///
    /// In priority and batcher, and where a trivially copyable T is made of something that is moved
    /// from, emplace does not sleep until there is room: it looks for room after pauses that grow
    /// to a millisecond. Pushes that wait at the same time are usually served first. Where that
    /// matters, push a T.
    template <class... Args> bool emplace(With... with, Args &&...args) {
        return is_in(construct(for_ever, with..., std::forward<Args>(args)...));
    }
    /// The same if there is room. Does not wait. Returns success; full or closed, and `args` are as
    /// they were, unless the queue was closed while the constructor ran. Returns retry if other
    /// producers filled the queue while the constructor ran, and it stayed full for a thousand
    /// looks: the item is destroyed, and what the constructor took from `args` is gone. Never
    /// returns retry if `args` are a single T, if T is a std::unique_ptr, or if T and `args` are
    /// trivially copyable.
    template <class... Args>
    [[nodiscard]] conqueue_status
    try_emplace(With... with, Args &&...args) noexcept(Queue::template emplaces_surely<Args...>) {
        return construct(at_once, with..., std::forward<Args>(args)...);
    }

    /// Extension. As push, but waits for room, `duration` at most. Producer. Returns success,
    /// closed, timeout, or full when `duration` is not above 0; unless success, `value` is as it
    /// was.
    template <class Rep, class Period>
    [[nodiscard]] conqueue_status push_for(const argument &value, With... with,
                                           std::chrono::duration<Rep, Period> duration) {
        return put(value, within_duration(duration), with...);
    }
    /// The same, moving from `value` when the queue accepts it.
    template <class Rep, class Period>
    [[nodiscard]] conqueue_status push_for(argument &&value, With... with,
                                           std::chrono::duration<Rep, Period> duration) {
        return put(std::move(value), within_duration(duration), with...);
    }

    /// Extension. As push_for, until `deadline` on any clock; full when it has passed already.
    template <class Clock, class Duration>
    [[nodiscard]] conqueue_status push_until(const argument &value, With... with,
                                             std::chrono::time_point<Clock, Duration> deadline) {
        return put(value, until<Clock, Duration>{deadline}, with...);
    }
    /// The same, moving from `value` when the queue accepts it.
    template <class Clock, class Duration>
    [[nodiscard]] conqueue_status push_until(argument &&value, With... with,
                                             std::chrono::time_point<Clock, Duration> deadline) {
        return put(std::move(value), until<Clock, Duration>{deadline}, with...);
    }

    /// Extension. As push, but a stop request ends the wait, at most `stop_interval` later. `token`
    /// is a std::stop_token. False: closed, or a stop was requested (before the call: nothing is
    /// tried).
    template <class Token, class = if_stop_token<Token>>
    bool push(const argument &value, With... with, const Token &token) {
        return is_in(put(value, unless_stopped<Token>{token}, with...));
    }
    /// The same, moving from `value` when the queue accepts it.
    template <class Token, class = if_stop_token<Token>>
    bool push(argument &&value, With... with, const Token &token) {
        return is_in(put(std::move(value), unless_stopped<Token>{token}, with...));
    }

    /// Extension. Puts the items of [first, last) into the queue, in order; other producers' items
    /// may come between. `with` goes for each of them. Waits for room. Producer. Returns how many
    /// were accepted and, if not all, closed. Items are copied; wrap the iterators in
    /// std::make_move_iterator to move the accepted ones, the others staying as they were. In mpmc
    /// and spsc one C call puts many that travel as bits or as the pointer of a std::unique_ptr, if
    /// the iterators allow several passes; else there is a call for each.
    template <class Iterator> bulk_result push_many(Iterator first, Iterator last, With... with) {
        return put_many(
            first, last, [] { return for_ever; }, with...);
    }
    /// Extension. The same without waiting: not all are accepted when the queue is full or closed.
    template <class Iterator>
    [[nodiscard]] bulk_result try_push_many(Iterator first, Iterator last, With... with) {
        return put_many(
            first, last, [] { return at_once; }, with...);
    }
    /// Extension. The same, waiting `duration` at most in all: closed, timeout, or full when
    /// `duration` is not above 0.
    template <class Iterator, class Rep, class Period>
    [[nodiscard]] bulk_result push_many_for(Iterator first, Iterator last, With... with,
                                            std::chrono::duration<Rep, Period> duration) {
        const auto end = until{after(duration)};
        auto result = put_many(
            first, last, [&] { return within{end.left()}; }, with...);
        if (result.status == conqueue_status::full && duration > duration.zero())
            result.status = conqueue_status::timeout; // the time was over before the last wait
        return result;
    }
    /// Extension. push_many of what `items` holds in a row (a std::vector, array or span), copied.
    template <class Range, class = if_readable<Range, argument>>
    bulk_result push_many(const Range &items, With... with) {
        const argument *const first = (std::data)(items);
        return push_many(first, first + (std::size)(items), with...);
    }

  protected:
    using Queue::is_in;
    using Queue::port_;
    using Queue::Queue;
    using calls = typename Queue::calls;
    using putting = typename calls::putting;

    template <class Value, class Wait>
    conqueue_status put(Value &&value, Wait wait, const With &...with) {
        return this->put_when(std::forward<Value>(value), wait, [&](std::int64_t timeout) {
            return putting{timeout, with...};
        });
    }

  private:
    template <class... Args>
    conqueue_status construct(within wait, const With &...with, Args &&...args) {
        if constexpr (is_itself<argument, Args...>::value) {
            return put(std::forward<Args>(args)..., wait, with...);
        } else {
            const putting when{wait.timeout, with...};
            if constexpr (!Queue::template emplaces_alone<Args...>) {
                const auto status = see_room(wait.timeout);
                if (status != conqueue_status::success)
                    return status;
            }
            return this->emplace_now(when, std::forward<Args>(args)...);
        }
    }

    // Before arguments are used up. The C call that waits for room does so with an item.
    conqueue_status see_room(std::int64_t timeout) {
        std::chrono::nanoseconds pause = std::chrono::microseconds(10);
        for (;;) {
            if (this->is_closed())
                return conqueue_status::closed;
            if (this->size() < this->capacity())
                return conqueue_status::success;
            if (timeout == 0)
                return this->refuse();
            std::this_thread::sleep_for(pause);
            pause = (std::min<std::chrono::nanoseconds>)(2 * pause, std::chrono::milliseconds(1));
        }
    }

    template <class Iterator, class Left>
    bulk_result put_many(Iterator first, Iterator last, Left left, const With &...with) {
        static_assert(Queue::template may_push<decltype(*first)>,
                      "T is not copyable: use std::make_move_iterator");
        // The void * exists before the push, as bulk pushes need it.
        constexpr bool is_ready_pointer =
            calls::has_many && Queue::is_pointer && is_forward<Iterator>::value;
        bulk_result result{0, conqueue_status::success};
        while (first != last && result.status == conqueue_status::success) {
            std::size_t done = 0;
            if constexpr (calls::has_many && Queue::template is_word_array<Iterator>) {
                const auto items = reinterpret_cast<void *const *>(std::addressof(*first));
                const auto count = static_cast<std::size_t>(last - first);
                result.status = answer(
                    calls::put_many(port_.queue, items, count, left().timeout, &done), "push_many");
                first += static_cast<std::ptrdiff_t>(done);
            } else if constexpr (is_ready_pointer) {
                using way = typename Queue::payload;
                void *items[Queue::chunk];
                std::size_t count = 0;
                for (auto next = first; next != last && count < Queue::chunk; ++next)
                    items[count++] = way::encode(*next);
                result.status = answer(
                    calls::put_many(port_.queue, items, count, left().timeout, &done), "push_many");
                for (std::size_t i = 0; i < done; ++i, ++first) {
                    if constexpr (way::kind == travel::owner)
                        way::accepted(*first);
                }
            } else {
                result.status = put(*first, left(), with...);
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
