// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// Waiting for several queues, deques and events at once: wait_any for sources that are named, poll
/// for an array of any length. The thread sleeps until a source is ready. A poll takes nothing: the
/// call that follows should not wait, because another thread may take the item first.
///
///     switch (queues::wait_any(requests, results, stop)) { // an mpmc, an spsc, an event
///     case 0: if (auto next = requests.try_pop()) serve(*next); break;
///     case 1: if (auto next = results.try_pop()) reply(*next); break;
///     case 2: return;
///     }
#ifndef QUEUES_POLL_HPP
#define QUEUES_POLL_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/iterators.hpp"
#include "detail/poll.hpp"
#include "detail/status_of.hpp"
#include "detail/stop.hpp"
#include "detail/wait.hpp"
#include "event.hpp"
#include "fwd.hpp"

#include <queues.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

namespace queues {

/// Extension. An end of a queue, or an event, that a poll waits for. Converts implicitly from a
/// queue, deque, stealer or event, to wait until it is readable; `writable` waits for room. Refers
/// to the object, which must outlive the poll.
class poll_entry {
  public:
    /// Waits until a pop from `queue` would not return empty; in a batcher, until a batch is due;
    /// in a deque or of a stealer, until there may be an item to steal.
    template <class Calls, class Payload, class Handle>
    poll_entry(const detail::queue_view<Calls, Payload, Handle> &queue) noexcept
        : poll_entry(detail::handle_access::of(queue), QUEUES_READABLE) {}
    /// Waits until `latch` is set.
    poll_entry(const event &latch) noexcept
        : poll_entry(detail::handle_access::of(latch), QUEUES_READABLE) {}

    /// Returns whether the last poll found the object ready. A closed queue is ready.
    [[nodiscard]] bool is_ready() const noexcept { return entry_.ready != 0; }

  private:
    friend struct detail::poll_access;
    poll_entry(void *handle, std::uint32_t events) noexcept : entry_{handle, events, 0} {}

    queues_poll_t entry_;
};

/// Extension. Returns an entry that waits until a push into `queue` would not return full.
template <class Calls, class Payload>
poll_entry writable(const detail::closable_queue<Calls, Payload> &queue) noexcept {
    return detail::poll_access::writable<poll_entry>(detail::handle_access::of(queue));
}

/// Extension. Waits until at least one of `sources` is ready. Returns the index of a source that
/// is, counted from 0. A source is a queue, deque, stealer, event or poll_entry. If several are
/// ready, each has its turn. Any thread. O(number of sources). Never throws if the objects are
/// valid.
template <class... Sources, class = detail::if_sources<Sources...>>
[[nodiscard]] std::size_t wait_any(const Sources &...sources) {
    poll_entry entries[] = {sources...};
    return *detail::poll_access::wait_any(entries, detail::wait_forever);
}
/// Extension. Waits until at least one of `sources` is ready or a stop is requested of `token`, a
/// std::stop_token. Returns the index of one that is ready, or nullopt: a stop was requested.
/// Otherwise as wait_any without a stop token. Throws std::bad_alloc.
template <class Token, class... Sources, class = detail::if_stop_token<Token>,
          class = detail::if_sources<Sources...>>
[[nodiscard]] std::optional<std::size_t> wait_any(const Token &token, const Sources &...sources) {
    const detail::stop_signal<Token> stop(token);
    detail::status_of(stop.status(), "wait_any");
    poll_entry entries[] = {sources..., detail::poll_access::readable<poll_entry>(stop.event())};
    const auto index = detail::poll_access::wait_any(entries, detail::wait_forever);
    return token.stop_requested() ? std::nullopt : index;
}
/// Extension. Waits until at least one of `sources` is ready, at most `duration`. Returns the index
/// of one that is ready, or nullopt: the time has passed. Otherwise as wait_any.
template <class Rep, class Period, class... Sources, class = detail::if_sources<Sources...>>
[[nodiscard]] std::optional<std::size_t> wait_any_for(std::chrono::duration<Rep, Period> duration,
                                                      const Sources &...sources) {
    poll_entry entries[] = {sources...};
    return detail::poll_access::wait_any(entries, detail::wait_for(duration));
}
/// Extension. Waits until at least one of `sources` is ready or `deadline`, on any clock. Returns
/// the index of one that is ready, or nullopt: the deadline has passed. Otherwise as wait_any.
template <class Clock, class Duration, class... Sources, class = detail::if_sources<Sources...>>
[[nodiscard]] std::optional<std::size_t>
wait_any_until(std::chrono::time_point<Clock, Duration> deadline, const Sources &...sources) {
    poll_entry entries[] = {sources...};
    return detail::poll_access::wait_any(entries, detail::wait_until<Clock, Duration>{deadline});
}

/// Extension. Waits until at least one of `entries` is ready, and marks all that are. `entries` is
/// a contiguous range of poll_entry (std::vector, std::array, std::span, array). Returns the number
/// of entries that are ready. Any thread. O(number of entries). Allocates nothing. Throws
/// std::invalid_argument if there are none: it would wait forever.
template <class Range, class = detail::if_writable<Range, poll_entry>>
std::size_t poll(Range &&entries) {
    return detail::poll_access::poll((std::data)(entries), (std::size)(entries),
                                     detail::wait_forever);
}
/// Extension. Marks all of `entries` that are ready, and returns their number. Never waits.
/// Otherwise as poll.
template <class Range, class = detail::if_writable<Range, poll_entry>>
[[nodiscard]] std::size_t try_poll(Range &&entries) {
    return detail::poll_access::poll((std::data)(entries), (std::size)(entries), detail::no_wait);
}
/// Extension. Waits until at least one of `entries` is ready, at most `duration`, and marks all
/// that are. Returns their number; 0: the time has passed. Otherwise as poll, but there may be
/// none.
template <class Range, class Rep, class Period, class = detail::if_writable<Range, poll_entry>>
[[nodiscard]] std::size_t poll_for(Range &&entries, std::chrono::duration<Rep, Period> duration) {
    return detail::poll_access::poll((std::data)(entries), (std::size)(entries),
                                     detail::wait_for(duration));
}
/// Extension. Waits until at least one of `entries` is ready or `deadline`, on any clock, and marks
/// all that are. Returns their number; 0: the deadline has passed. Otherwise as poll_for.
template <class Range, class Clock, class Duration, class = detail::if_writable<Range, poll_entry>>
[[nodiscard]] std::size_t poll_until(Range &&entries,
                                     std::chrono::time_point<Clock, Duration> deadline) {
    return detail::poll_access::poll((std::data)(entries), (std::size)(entries),
                                     detail::wait_until<Clock, Duration>{deadline});
}

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
