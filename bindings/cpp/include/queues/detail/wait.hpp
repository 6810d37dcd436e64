// How long a call waits.
#ifndef QUEUES_DETAIL_WAIT_HPP
#define QUEUES_DETAIL_WAIT_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../options.hpp"

#include <queues.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace queues {

namespace detail {

using float_nanoseconds = std::chrono::duration<long double, std::nano>;

// Rounded up and saturated: in floating point no duration overflows on the way. A negative duration
// is over, whereas a negative timeout of the C calls means for ever.
inline std::int64_t nanoseconds(float_nanoseconds duration) {
    const long double count = std::ceil(duration.count());
    if (!(count > 0))
        return 0;
    constexpr auto longest = (std::numeric_limits<std::int64_t>::max)();
    return count >= static_cast<long double>(longest) ? longest : static_cast<std::int64_t>(count);
}

// What is left of a C call's timeout when it has to be given to a second call.
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

// How to wait: each repeats a C call, which takes a timeout, as often as it needs to.

struct within {
    std::int64_t timeout;
    template <class Call> queues_status_t operator()(Call call) const { return call(timeout); }
};
inline constexpr within for_ever{-1};
inline constexpr within at_once{0};

template <class Rep, class Period>
within within_duration(std::chrono::duration<Rep, Period> duration) {
    return within{nanoseconds(duration)};
}

template <class Clock, class Duration> struct until {
    std::chrono::time_point<Clock, Duration> deadline;

    std::int64_t left() const {
        return nanoseconds(float_nanoseconds(deadline.time_since_epoch()) -
                           float_nanoseconds(Clock::now().time_since_epoch()));
    }
    // The C call's clock is its own: it has timed out when the deadline's clock says so.
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
until(std::chrono::time_point<Clock, Duration>) -> until<Clock, Duration>;

// A moment that far from now, on a clock that holds any duration.
template <class Rep, class Period> auto after(std::chrono::duration<Rep, Period> duration) {
    return std::chrono::time_point<std::chrono::steady_clock, float_nanoseconds>(
               std::chrono::steady_clock::now()) +
           duration;
}

// Whether Token is a std::stop_token, or something like it: told by its members, so that this text
// is the same in every standard.
template <class Token, class = void> struct is_stop_token : std::false_type {};
template <class Token>
struct is_stop_token<
    Token, std::void_t<decltype(static_cast<bool>(std::declval<const Token &>().stop_possible())),
                       decltype(static_cast<bool>(std::declval<const Token &>().stop_requested()))>>
    : std::true_type {};
template <class Token> using if_stop_token = std::enable_if_t<is_stop_token<Token>::value>;

template <class Token> struct unless_stopped {
    const Token &token;
    template <class Call> queues_status_t operator()(Call call) const {
        if (!token.stop_possible())
            return call(for_ever.timeout);
        queues_status_t status = QUEUES_TIMEOUT;
        while (status == QUEUES_TIMEOUT && !token.stop_requested())
            status = call(nanoseconds(stop_interval));
        return status;
    }
};
template <class Token> unless_stopped(const Token &) -> unless_stopped<Token>;

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
