/// \file
/// Lowest priority first.
#ifndef QUEUES_PRIORITY_HPP
#define QUEUES_PRIORITY_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "bytes.hpp"
#include "detail/priority.hpp"
#include "push.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace queues {

/// An item with its priority, as it comes out of a priority queue.
template <class T> struct prioritized {
    template <class Value>
    prioritized(Value &&from, double rank) : value(std::forward<Value>(from)), priority(rank) {}

    T value;
    double priority;
};

namespace detail {

/// What the priority queues have beside that. Any thread may make any call at any time.
template <class Payload>
class priority_queue : public pushing<closable_queue<priority_calls, Payload>, double> {
    using base = pushing<closable_queue<priority_calls, Payload>, double>;

  public:
    using item_type = typename base::value_type;
    using value_type = prioritized<item_type>; ///< what a pop gives

    /// Takes the item with the lowest priority, among equals the one that was pushed first, and
    /// tells its priority. Waits for one. nullopt: the queue is closed and empty.
    [[nodiscard]] std::optional<value_type> pop() { return take<popped>(for_ever); }

    /// The same if there is an item. Does not wait. Or the error empty, or closed (and empty).
    [[nodiscard]] expected<value_type, conqueue_status> try_pop() noexcept(base::gets_surely) {
        return take<outcome>(at_once);
    }

    /// The same. Waits for an item, `duration` at most. Or the error closed, timeout, or empty when
    /// `duration` is not above 0.
    template <class Rep, class Period>
    [[nodiscard]] expected<value_type, conqueue_status>
    pop_for(std::chrono::duration<Rep, Period> duration) {
        return take<outcome>(within_duration(duration));
    }

    /// As pop_for, until `deadline` on any clock; empty when it has passed already.
    template <class Clock, class Duration>
    [[nodiscard]] expected<value_type, conqueue_status>
    pop_until(std::chrono::time_point<Clock, Duration> deadline) {
        return take<outcome>(until<Clock, Duration>{deadline});
    }

    /// As pop, but a stop request ends the wait, at most `stop_interval` later. `token` is a
    /// std::stop_token. nullopt: closed and empty, or a stop was requested (before the call:
    /// nothing is tried).
    template <class Token, class = if_stop_token<Token>>
    [[nodiscard]] std::optional<value_type> pop(const Token &token) {
        return take<popped>(unless_stopped<Token>{token});
    }

    /// As pop, but assigns the item to `item` and its priority to `priority`, straight from where
    /// they lie in the queue. False: closed and empty, and `item` is as it was.
    bool pop(item_type &item, double &priority) {
        return base::is_in(take_to(item, priority, for_ever));
    }
    /// As try_pop, to `item` and `priority`. Returns success, empty or closed (and empty).
    [[nodiscard]] conqueue_status try_pop(item_type &item,
                                          double &priority) noexcept(base::gets_into_surely) {
        return take_to(item, priority, at_once);
    }
    /// As pop_for, to `item` and `priority`. Returns success, closed, timeout or empty.
    template <class Rep, class Period>
    [[nodiscard]] conqueue_status pop_for(item_type &item, double &priority,
                                          std::chrono::duration<Rep, Period> duration) {
        return take_to(item, priority, within_duration(duration));
    }

    /// A copy of the item that was in front at some moment of the call, and its priority; another
    /// consumer may have taken it since. Does not wait. Or the error empty or closed (and empty).
    /// Only for a T that is trivially copyable: another consumer may be destroying the item while
    /// one looks.
    [[nodiscard]] expected<value_type, conqueue_status> peek() const {
        static_assert(std::is_trivially_copyable_v<typename base::argument>,
                      "peek: T must be trivially copyable to be looked at "
                      "while another consumer may take it");
        double priority = 0;
        std::optional<typename base::value_type> copy;
        const auto status = this->look(
            [&](const typename base::value_type &front) { copy.emplace(front); }, &priority);
        if (copy)
            return expected<value_type, conqueue_status>(std::in_place, *std::move(copy), priority);
        return unexpected<conqueue_status>(status);
    }

  protected:
    priority_queue(std::size_t capacity, std::size_t item_size) : base(capacity, item_size, 0) {}

  private:
    using popped = std::optional<value_type>;
    using outcome = expected<value_type, conqueue_status>;

    template <class Result, class Wait> Result take(Wait wait) {
        double priority = 0;
        return this->template take_when<Result>(wait, ranked{&priority}, priority);
    }
    template <class Wait> conqueue_status take_to(item_type &item, double &priority, Wait wait) {
        return this->take_into_item(item, wait, ranked{&priority});
    }
    struct ranked {
        double *priority;
        ranked_get operator()(std::int64_t timeout) const { return {priority, timeout}; }
    };
};

template <class T> using priority_of = priority_queue<payload_of<priority_calls, T>>;

} // namespace detail

/// Extension. A bounded priority queue of T for any number of producers and consumers: the lowest
/// priority first, first in first out among equals. A priority is any double but NaN; -0.0 equals
/// 0.0. Holds a short lock: not lock-free.
template <class T> class priority : public detail::priority_of<T> {
    using base = detail::priority_of<T>;

  public:
    /// Extension. A queue of the library's default capacity. Throws std::bad_alloc.
    priority() : base(detail::default_capacity, base::slot_size) {}
    /// A queue with room for exactly `capacity` items. Throws std::bad_alloc, and
    /// std::invalid_argument for 0 or more than an address space holds.
    explicit priority(std::size_t capacity) : base(detail::exactly(capacity), base::slot_size) {}
};

/// Extension. A bounded priority queue of byte strings, as mpmc_bytes and priority<T> are. Its pops
/// give a prioritized<std::vector<std::byte>>.
class priority_bytes : public detail::priority_queue<detail::by_blob<detail::priority_calls>> {
  public:
    /// A queue with room for exactly `capacity` items of up to `item_size` bytes. Throws
    /// std::bad_alloc, and std::invalid_argument when either is 0 or the product is beyond all
    /// memory.
    priority_bytes(std::size_t capacity, std::size_t item_size)
        : priority_queue(detail::exactly(capacity), item_size) {}

    /// The length of the longest item.
    [[nodiscard]] std::size_t item_size() const noexcept { return port_.item_size; }
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
