// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// queues::event: set until it is reset, however many threads find it set. For shutdown and
/// cancellation, alone or beside queues in a poll.
///
///     queues::event stop;
///     std::thread worker([stop] { // a copy refers to the same event
///         while (!stop.wait_for(std::chrono::seconds(1)))
///             report();
///     });
///     stop.set();
#ifndef QUEUES_EVENT_HPP
#define QUEUES_EVENT_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/deferred.hpp"
#include "detail/status_of.hpp"
#include "detail/stop.hpp"
#include "detail/wait.hpp"
#include "from_handle.hpp"
#include "fwd.hpp"

#include <queues.h>

#include <chrono>
#include <cstdint>
#include <utility>

namespace queues {

namespace detail {
struct handle_access;
}

/// Extension. An event: a latch that can be reset. A copy refers to the same event, which lives
/// until the last copy is destroyed. Any thread may make any call at any time, except assignment
/// and destruction, during which no other thread may use this object.
///
/// What a thread did before `set` happens before what follows a wait or an is_set that finds the
/// event set.
class event : public detail::from_handle<event, queues_event_t> {
  public:
    /// Creates an event that is not set. Throws std::bad_alloc.
    event() { detail::status_of(queues_event_create(&handle_), "create"); }
    /// Refers to the same event as `other`.
    event(const event &other) noexcept : handle_(queues_event_retain(other.handle_)) {}
    /// Refers to the event of `other` from now on, and no longer to the previous event.
    event &operator=(const event &other) noexcept {
        event copy(other);
        std::swap(handle_, copy.handle_);
        return *this;
    }
    /// Releases the event.
    ~event() { queues_event_release(handle_); }

    /// Sets the event and wakes all threads that wait for it. Has no effect if the event is set.
    /// A wait may return while this call is still under way: if what follows that wait destroys
    /// this object, call `set` on a copy. Never waits. O(number of threads that wait).
    void set() const noexcept { detail::ignore(queues_event_set(handle_)); } // the handle is valid
    /// Resets the event: later waits wait for the next set. Never waits.
    void reset() const noexcept { detail::ignore(queues_event_reset(handle_)); } // the same
    /// Returns whether the event is set. Never waits.
    [[nodiscard]] bool is_set() const noexcept { return queues_event_is_set(handle_); }

    /// Waits until the event is set.
    void wait() const { detail::ignore(queues_event_wait(handle_, -1)); } // the handle is valid
    /// Waits until the event is set, at most `duration`. Returns whether it is set.
    template <class Rep, class Period>
    [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> duration) const {
        return is_set_after(detail::wait_for(duration));
    }
    /// Waits until the event is set or `deadline`, on any clock. Returns whether it is set.
    template <class Clock, class Duration>
    [[nodiscard]] bool wait_until(std::chrono::time_point<Clock, Duration> deadline) const {
        return is_set_after(detail::wait_until<Clock, Duration>{deadline});
    }
    /// Waits until the event is set or a stop is requested of `token`, a std::stop_token. Returns
    /// whether the event is set; false: a stop was requested. Throws std::bad_alloc.
    template <class Token, class = detail::if_stop_token<Token>>
    [[nodiscard]] bool wait(const Token &token) const {
        return is_set_after(detail::wait_unless_stopped<Token>(token, handle_, QUEUES_READABLE));
    }

    /// For coroutines (C++20): `co_await event.wait_async(executor)` suspends the coroutine until
    /// the event is set. Needs queues/async.hpp, which describes executors, stop tokens and
    /// lifetimes. Results in true, or false if a stop was requested of `token`. Throws
    /// std::bad_alloc.
    template <class Executor = detail::on_reactor, class Token = detail::no_token,
              class Event = event>
    [[nodiscard]] auto wait_async(Executor executor = Executor(), Token token = Token()) const {
        using operation = detail::event_operation<Event>;
        return detail::awaiter<operation, Executor, Token>(operation(*this), std::move(executor),
                                                           std::move(token));
    }

    /// Returns a descriptor that is readable while the event is set, for poll(2), epoll and event
    /// loops. Where set and reset race, it may stay readable beside a reset event, until a reset or
    /// a wait_for of duration 0 that returns false: a loop makes that call. All calls return the
    /// same descriptor, which the event owns: do not read, write or close it. The first call
    /// creates it. Never waits. Throws std::bad_alloc if no descriptor is left.
    [[nodiscard]] int readable_fd() const {
        int fd = -1;
        detail::status_of(queues_event_readable_fd(handle_, &fd), "readable_fd");
        return fd;
    }

    /// A pointer to the event as the C library knows it.
    using native_handle_type = queues_event_t *;
    /// Returns the event as the C library knows it, for code in C and other languages. Adds no
    /// reference: code that keeps the handle for longer than this object lives adds one, by
    /// queues_event_retain. Never waits. Any thread.
    [[nodiscard]] native_handle_type native_handle() const noexcept { return handle_; }

  private:
    friend struct detail::handle_access;
    friend detail::from_handle<event, queues_event_t>;

    event(queues_event_t *handle, detail::reference from) {
        // A wait that does not wait checks the handle.
        detail::status_of(queues_event_wait(handle, 0),
                          from == detail::reference::taken ? "adopt" : "share");
        handle_ = from == detail::reference::taken ? handle : queues_event_retain(handle);
    }

    template <class Wait> bool is_set_after(Wait wait) const {
        return detail::status_of(
                   wait([&](std::int64_t timeout) { return queues_event_wait(handle_, timeout); }),
                   "wait") == conqueue_status::success;
    }

    queues_event_t *handle_ = nullptr;
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
