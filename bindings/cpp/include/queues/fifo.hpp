/// \file
/// The queues that are first in, first out.
#ifndef QUEUES_FIFO_HPP
#define QUEUES_FIFO_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "push.hpp"

#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace queues {

namespace detail {

/// What the queues have that are first in, first out.
template <class Calls, class Payload>
class fifo_queue : public pushing<closable_queue<Calls, Payload>> {
    using base = pushing<closable_queue<Calls, Payload>>;

  public:
    using typename base::argument;
    using typename base::value_type;

    /// Takes the front item. Waits for one. Consumer. nullopt: the queue is closed and empty.
    [[nodiscard]] std::optional<value_type> pop() { return take<popped>(for_ever); }

    /// Takes the front item if there is one. Does not wait. Consumer. Returns it, or the error
    /// empty, or closed (and empty).
    [[nodiscard]] expected<value_type, conqueue_status> try_pop() noexcept(base::gets_surely) {
        return take<outcome>(at_once);
    }

    /// Extension. Takes the front item. Waits for one, `duration` at most. Consumer. Returns it, or
    /// the error closed, timeout, or empty when `duration` is not above 0.
    template <class Rep, class Period>
    [[nodiscard]] expected<value_type, conqueue_status>
    pop_for(std::chrono::duration<Rep, Period> duration) {
        return take<outcome>(within_duration(duration));
    }

    /// Extension. As pop_for, until `deadline` on any clock; empty when it has passed already.
    template <class Clock, class Duration>
    [[nodiscard]] expected<value_type, conqueue_status>
    pop_until(std::chrono::time_point<Clock, Duration> deadline) {
        return take<outcome>(until<Clock, Duration>{deadline});
    }

    /// Extension. As pop, but a stop request ends the wait, at most `stop_interval` later. `token`
    /// is a std::stop_token. nullopt: closed and empty, or a stop was requested (before the call:
    /// nothing is tried).
    template <class Token, class = if_stop_token<Token>>
    [[nodiscard]] std::optional<value_type> pop(const Token &token) {
        return take<popped>(unless_stopped<Token>{token});
    }

    /// Extension. As pop, but assigns the item to `item`, straight from where it lies in the queue.
    /// False: closed and empty, and `item` is as it was.
    bool pop(value_type &item) { return base::is_in(take_to(item, for_ever)); }
    /// Extension. As try_pop, to `item`. Returns success, empty or closed (and empty).
    [[nodiscard]] conqueue_status try_pop(value_type &item) noexcept(base::gets_into_surely) {
        return take_to(item, at_once);
    }
    /// Extension. As pop_for, to `item`. Returns success, closed, timeout or empty.
    template <class Rep, class Period>
    [[nodiscard]] conqueue_status pop_for(value_type &item,
                                          std::chrono::duration<Rep, Period> duration) {
        return take_to(item, within_duration(duration));
    }
    /// Extension. As pop_until, to `item`.
    template <class Clock, class Duration>
    [[nodiscard]] conqueue_status pop_until(value_type &item,
                                            std::chrono::time_point<Clock, Duration> deadline) {
        return take_to(item, until<Clock, Duration>{deadline});
    }

    /// Extension. Takes up to `count` items from the front and assigns them to `*out++`, in order.
    /// Waits for the first, then takes what is there. Consumer. Returns how many; if none, closed.
    /// If assigning throws, that one item is lost. One C call takes many that travel as bits or as
    /// the pointer of a std::unique_ptr, unless assigning to `out` may throw.
    template <class Output> bulk_result pop_many(Output out, std::size_t count) {
        return get_many(out, count, for_ever);
    }
    /// Extension. The same without waiting: if none, empty or closed.
    template <class Output> [[nodiscard]] bulk_result try_pop_many(Output out, std::size_t count) {
        return get_many(out, count, at_once);
    }
    /// Extension. The same, waiting `duration` at most: if none, empty, closed or timeout.
    template <class Output, class Rep, class Period>
    [[nodiscard]] bulk_result pop_many_for(Output out, std::size_t count,
                                           std::chrono::duration<Rep, Period> duration) {
        return get_many(out, count, within_duration(duration));
    }
    /// Extension. pop_many into what `items` holds in a row: as many as its size.
    template <class Range, class = if_writable<Range, value_type>>
    bulk_result pop_many(Range &&items) {
        return pop_many((std::data)(items), (std::size)(items));
    }

  protected:
    using base::base;
    using base::port_;

    expected<value_type, conqueue_status> look_and_copy() const {
        std::optional<value_type> copy;
        const auto status = this->look([&](const value_type &front) { copy.emplace(front); });
        if (copy)
            return expected<value_type, conqueue_status>(std::in_place, *std::move(copy));
        return unexpected<conqueue_status>(status);
    }

  private:
    using typename base::outcome;
    using typename base::popped;

    static std::int64_t only(std::int64_t timeout) { return timeout; }

    template <class Result, class Wait> Result take(Wait wait) {
        return this->template take_when<Result>(wait, only);
    }
    template <class Wait> conqueue_status take_to(value_type &item, Wait wait) {
        return this->take_into_item(item, wait, only);
    }
    template <class Output> bulk_result get_many(Output &out, std::size_t count, within wait) {
        return this->take_many(out, count, wait.timeout, at_once.timeout);
    }
};

/// What the byte queues of both families have beside that.
template <class Queue> class bytes_queue : public Queue {
  public:
    using Queue::Queue;

    /// Extension. The length of the longest item.
    [[nodiscard]] std::size_t item_size() const noexcept { return this->port_.item_size; }

    /// Extension. As pop, into the caller's buffer: allocates nothing. Returns the item's length,
    /// or the error closed (and empty), or too_small when the item is longer than `capacity` (it
    /// stays).
    [[nodiscard]] expected<std::size_t, conqueue_status> pop_into(void *buffer,
                                                                  std::size_t capacity) {
        return this->take_into(buffer, capacity, for_ever.timeout);
    }
    /// Extension. The same without waiting; also the error empty.
    [[nodiscard]] expected<std::size_t, conqueue_status> try_pop_into(void *buffer,
                                                                      std::size_t capacity) {
        return this->take_into(buffer, capacity, at_once.timeout);
    }
    /// Extension. The same, waiting `duration` at most; also the errors empty and timeout.
    template <class Rep, class Period>
    [[nodiscard]] expected<std::size_t, conqueue_status>
    pop_into_for(void *buffer, std::size_t capacity, std::chrono::duration<Rep, Period> duration) {
        return this->take_into(buffer, capacity, within_duration(duration).timeout);
    }
};

} // namespace detail

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
