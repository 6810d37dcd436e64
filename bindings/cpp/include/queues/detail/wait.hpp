// SPDX-License-Identifier: MIT OR Apache-2.0
// How long a call waits: forever, not at all, for a duration or until a deadline (stop.hpp: until
// a stop request). Each kind of wait is a function object that makes a C call, which takes a
// timeout in nanoseconds, once or repeatedly, and returns the last status.
#ifndef QUEUES_DETAIL_WAIT_HPP
#define QUEUES_DETAIL_WAIT_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include <queues.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

namespace queues {

namespace detail {

using float_nanoseconds = std::chrono::duration<long double, std::nano>;

// The timeout of a C call for `duration`, rounded up and saturated; the conversion to floating
// point keeps long durations from overflowing. A negative duration becomes 0, because a negative
// timeout of a C call means "for ever".
inline std::int64_t to_timeout(float_nanoseconds duration) {
    const long double count = std::ceil(duration.count());
    if (!(count > 0))
        return 0;
    constexpr auto longest = (std::numeric_limits<std::int64_t>::max)();
    return count >= static_cast<long double>(longest) ? longest : static_cast<std::int64_t>(count);
}

// The rest of a timeout, for a call that makes two C calls which wait.
class time_left {
  public:
    explicit time_left(std::int64_t timeout)
        : timeout_(timeout), begin_(timeout > 0 ? clock::now() : clock::time_point()) {}
    std::int64_t operator()() const {
        if (timeout_ <= 0)
            return timeout_;
        const std::chrono::nanoseconds spent = clock::now() - begin_;
        return spent.count() >= timeout_ ? 0 : timeout_ - spent.count();
    }

  private:
    using clock = std::chrono::steady_clock;
    std::int64_t timeout_;
    clock::time_point begin_;
};

// One C call with a timeout.
struct timed_wait {
    std::int64_t timeout;
    template <class Call> queues_status_t operator()(Call call) const { return call(timeout); }
};
inline constexpr timed_wait wait_forever{-1};
inline constexpr timed_wait no_wait{0};

template <class Rep, class Period>
timed_wait wait_for(std::chrono::duration<Rep, Period> duration) {
    return timed_wait{to_timeout(duration)};
}

// C calls until one does not time out or the deadline has passed on its own clock, which may run
// slower than the monotonic clock of the C calls.
template <class Clock, class Duration> struct wait_until {
    std::chrono::time_point<Clock, Duration> deadline;

    std::int64_t left() const {
        return to_timeout(float_nanoseconds(deadline.time_since_epoch()) -
                          float_nanoseconds(Clock::now().time_since_epoch()));
    }
    template <class Call> queues_status_t operator()(Call call) const {
        auto timeout = left();
        for (;;) {
            const auto status = call(timeout);
            if (status != QUEUES_TIMEOUT || (timeout = left()) == 0)
                return status;
        }
    }
};
template <class Clock, class Duration>
wait_until(std::chrono::time_point<Clock, Duration>) -> wait_until<Clock, Duration>;

// The deadline `duration` from now, in floating point: no duration is too long for it.
template <class Rep, class Period>
auto deadline_after(std::chrono::duration<Rep, Period> duration) {
    return std::chrono::time_point<std::chrono::steady_clock, float_nanoseconds>(
               std::chrono::steady_clock::now()) +
           duration;
}

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
