/// \file
/// Concurrent queues for C++17 and later: a thin header over the C library (queues.h, libqueues).
///
///     queues::mpmc<request> queue(1024); // any number of threads at both ends
///     queue.push(std::move(r));          // waits for room; false: the queue is closed
///     while (auto next = queue.pop())    // waits for an item; nullopt: closed and empty
///         serve(*next);
///
/// Names and results are those of revision 20 of the standard proposal P0260 (P0260R20); what goes
/// beyond it is marked as an extension. A member is one C call and its translation (a few calls
/// where its comment says so), so queues.h is the last word on what the queues promise.
///
/// The type of an item decides how it travels, at compile time:
/// - trivially copyable and no larger than a pointer: as the pointer's bits;
/// - trivially copyable up to `inline_limit` bytes: copied into a slot of the queue and out of it;
/// - `std::unique_ptr<U>`: as its pointer;
/// - anything else, and what is larger: constructed in a cell of the queue, moved out of it and
///   destroyed there. A T whose move may throw or that is over-aligned travels so, too (a trivially
///   copyable one that is over-aligned is always copied).
/// No call on a constructed queue allocates for such items; only pop_batch makes a vector, and
/// pop_batch_into does not. The constructor allocates `capacity` cells of the size of a T and, for
/// items that calls are moving in or out, spare ones: 64 in mpmc and priority, 64 and two batches
/// in batcher, none in spsc. The system provides their pages when they are first used. A push that
/// finds all cells in use waits, or returns full, although the queue may have room: that takes as
/// many calls under way as there are spare cells, or in batcher three consumers and more that are
/// moving large batches.
///
/// The one exception is deque: a T that is not trivially copyable travels in a box from operator
/// new, which a push makes and a pop or steal frees. A thief reads a slot before it knows whether
/// it has won the item, so nothing but plain bytes and pointers can lie in the slot.
///
/// Exceptions. What a correct program meets (empty, full, closed, timeout, retry) is returned. The
/// rest throws: `misuse` for two producers, consumers or owners at once in a checked spsc or deque,
/// `std::invalid_argument` for what the C call refuses, `std::bad_alloc` for want of memory. With
/// -fno-exceptions the program ends with that message on stderr instead (std::abort); all files of
/// a program that use queues must agree on that flag.
/// - A push that does not put its item in the queue, whether it returns or throws, leaves its
///   argument as it was. push(T &&) moves if the item can be moved back surely, that is if T's move
///   assignment does not throw; else it copies, if T can be copied (as std::vector does on growth).
///   Two exceptions: if the move constructor throws, the argument is as that leaves it; a T that
///   can only be moved, by an assignment that may throw, is as a move that throws leaves it.
/// - An emplace constructs its item only after it has found room in an open queue. A constructed
///   item is destroyed only if the queue was closed, or filled by others, while the constructor
///   ran: see `emplace` and `try_emplace`. If the constructor throws, nothing is put.
/// - A pop whose T throws on being moved out loses that one item, as in P0260; the others stay in
///   the queue. Of a batch, those behind it are destroyed; those before it are the caller's if they
///   were popped into a vector of the caller's, else they are destroyed too. A `std::unique_ptr<T>`
///   item is moved out without such a risk.
/// - Constructors, moves and destructors of T run within calls. They may use other queues, but must
///   not wait for the caller, nor use the same spsc queue.
///
/// Files compiled as C++17, 20 and 23 can be linked into one program and pass queues to each other:
/// the text of every class and function is the same in all of them. The header may be included
/// after headers that define macros such as min, check, emit or timeout.
#ifndef QUEUES_HPP
#define QUEUES_HPP

#if __cplusplus < 201703L && (!defined(_MSVC_LANG) || _MSVC_LANG < 201703L)
#error "queues.hpp needs C++17 or later: compile with -std=c++17"
#else

// Macros of these names, which other headers are known to define, are set aside.
#pragma push_macro("all")
#undef all
#pragma push_macro("answer")
#undef answer
#pragma push_macro("assign")
#undef assign
#pragma push_macro("begin")
#undef begin
#pragma push_macro("box")
#undef box
#pragma push_macro("byte")
#undef byte
#pragma push_macro("call")
#undef call
#pragma push_macro("cell")
#undef cell
#pragma push_macro("check")
#undef check
#pragma push_macro("clear")
#undef clear
#pragma push_macro("close")
#undef close
#pragma push_macro("copy")
#undef copy
#pragma push_macro("count")
#undef count
#pragma push_macro("data")
#undef data
#pragma push_macro("debug")
#undef debug
#pragma push_macro("empty")
#undef empty
#pragma push_macro("end")
#undef end
#pragma push_macro("erase")
#undef erase
#pragma push_macro("error")
#undef error
#pragma push_macro("expected")
#undef expected
#pragma push_macro("far")
#undef far
#pragma push_macro("flag")
#undef flag
#pragma push_macro("full")
#undef full
#pragma push_macro("get")
#undef get
#pragma push_macro("item")
#undef item
#pragma push_macro("left")
#undef left
#pragma push_macro("length")
#undef length
#pragma push_macro("likely")
#undef likely
#pragma push_macro("look")
#undef look
#pragma push_macro("max")
#undef max
#pragma push_macro("min")
#undef min
#pragma push_macro("move")
#undef move
#pragma push_macro("near")
#undef near
#pragma push_macro("none")
#undef none
#pragma push_macro("place")
#undef place
#pragma push_macro("pop")
#undef pop
#pragma push_macro("port")
#undef port
#pragma push_macro("push")
#undef push
#pragma push_macro("put")
#undef put
#pragma push_macro("raise")
#undef raise
#pragma push_macro("raw")
#undef raw
#pragma push_macro("refresh")
#undef refresh
#pragma push_macro("require")
#undef require
#pragma push_macro("result")
#undef result
#pragma push_macro("retry")
#undef retry
#pragma push_macro("send")
#undef send
#pragma push_macro("size")
#undef size
#pragma push_macro("small")
#undef small
#pragma push_macro("status")
#undef status
#pragma push_macro("stop")
#undef stop
#pragma push_macro("success")
#undef success
#pragma push_macro("take")
#undef take
#pragma push_macro("test")
#undef test
#pragma push_macro("text")
#undef text
#pragma push_macro("timeout")
#undef timeout
#pragma push_macro("token")
#undef token
#pragma push_macro("unexpected")
#undef unexpected
#pragma push_macro("unlikely")
#undef unlikely
#pragma push_macro("until")
#undef until
#pragma push_macro("verify")
#undef verify
#pragma push_macro("view")
#undef view
#pragma push_macro("visit")
#undef visit
#pragma push_macro("weight")
#undef weight
#pragma push_macro("within")
#undef within
#pragma push_macro("word")
#undef word
#include "queues_fwd.hpp"
#include <queues.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define QUEUES_THROW(...) throw __VA_ARGS__
#else
#define QUEUES_THROW(...) ::queues::detail::end_program((__VA_ARGS__).what())
#endif

namespace queues {

namespace detail {

// What stands in the place of a throw where there are no exceptions.
[[noreturn]] inline void end_program(const char *message) noexcept {
    std::fprintf(stderr, "%s\n", message);
    std::abort();
}

// Whether Other is an expected of T and E from elsewhere: std::expected, told by its members, so
// that this text is the same with and without it.
template <class Other, class T, class E, class = void>
struct is_other_expected : std::false_type {};
template <class Other, class T, class E>
struct is_other_expected<Other, T, E,
                         std::void_t<typename Other::unexpected_type, typename Other::value_type,
                                     typename Other::error_type>>
    : std::bool_constant<std::is_same_v<typename Other::value_type, T> &&
                         std::is_same_v<typename Other::error_type, E> &&
                         !std::is_same_v<Other, expected<T, E>>> {};

} // namespace detail

/// The error of an expected, as std::unexpected.
template <class E> class unexpected {
  public:
    constexpr explicit unexpected(E error) : error_(std::move(error)) {}
    constexpr const E &error() const noexcept { return error_; }

  private:
    E error_;
};

/// Thrown by expected::value() if there is none, as std::bad_expected_access.
template <class E> class bad_expected_access : public std::exception {
  public:
    explicit bad_expected_access(E error) : error_(std::move(error)) {}
    const char *what() const noexcept override { return "queues: bad access to an expected"; }
    const E &error() const noexcept { return error_; }

  private:
    E error_;
};

/// A value or an error: what P0260 returns as std::expected. The same class in every standard, so
/// that files of different standards can be linked into one program; converts to std::expected of
/// the same T and E, and from it, where there is one.
template <class T, class E> class expected {
  public:
    using value_type = T;
    using error_type = E;
    using unexpected_type = unexpected<E>;

    expected(const T &value) : state_(std::in_place_index<0>, value) {}
    expected(T &&value) noexcept(std::is_nothrow_move_constructible_v<T>)
        : state_(std::in_place_index<0>, std::move(value)) {}
    expected(unexpected<E> error) noexcept : state_(std::in_place_index<1>, error.error()) {}
    template <class... Args>
    explicit expected(std::in_place_t,
                      Args &&...args) noexcept(std::is_nothrow_constructible_v<T, Args...>)
        : state_(std::in_place_index<0>, std::forward<Args>(args)...) {}
    template <class Other,
              class = std::enable_if_t<detail::is_other_expected<std::decay_t<Other>, T, E>::value>>
    expected(Other &&other)
        : state_(other.has_value()
                     ? state(std::in_place_index<0>, *std::forward<Other>(other))
                     : state(std::in_place_index<1>, std::forward<Other>(other).error())) {}

    template <class Other, class = std::enable_if_t<detail::is_other_expected<Other, T, E>::value>>
    operator Other() const & {
        return has_value() ? Other(std::in_place, **this)
                           : Other(typename Other::unexpected_type(error()));
    }
    template <class Other, class = std::enable_if_t<detail::is_other_expected<Other, T, E>::value>>
    operator Other() && {
        return has_value() ? Other(std::in_place, *std::move(*this))
                           : Other(typename Other::unexpected_type(error()));
    }

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T *operator->() noexcept { return std::get_if<0>(&state_); }
    const T *operator->() const noexcept { return std::get_if<0>(&state_); }
    T &operator*() &noexcept { return *operator->(); }
    const T &operator*() const &noexcept { return *operator->(); }
    T &&operator*() &&noexcept { return std::move(*operator->()); }

    T &value() & { return need_value(), **this; }
    const T &value() const & { return need_value(), **this; }
    T &&value() && { return need_value(), *std::move(*this); }
    template <class U> T value_or(U &&other) const & {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }
    template <class U> T value_or(U &&other) && {
        return has_value() ? *std::move(*this) : static_cast<T>(std::forward<U>(other));
    }
    const E &error() const noexcept { return *std::get_if<1>(&state_); }
    template <class G> E error_or(G &&other) const {
        return has_value() ? static_cast<E>(std::forward<G>(other)) : error();
    }

    /// `next(value)`, which returns an expected with the same error, or the error.
    template <class Next> auto and_then(Next &&next) const & { return then(*this, next); }
    template <class Next> auto and_then(Next &&next) && { return then(std::move(*this), next); }
    /// An expected of `change(value)`, or of the error.
    template <class Change> auto transform(Change &&change) const & {
        return transformed(*this, change);
    }
    template <class Change> auto transform(Change &&change) && {
        return transformed(std::move(*this), change);
    }
    /// The value, or `instead(error)`, which returns an expected of the same value.
    template <class Instead> auto or_else(Instead &&instead) const & {
        using result = std::decay_t<std::invoke_result_t<Instead &, const E &>>;
        return has_value() ? result(std::in_place, **this) : std::invoke(instead, error());
    }
    template <class Instead> auto or_else(Instead &&instead) && {
        using result = std::decay_t<std::invoke_result_t<Instead &, const E &>>;
        return has_value() ? result(std::in_place, *std::move(*this))
                           : std::invoke(instead, error());
    }

    friend bool operator==(const expected &a, const expected &b) { return a.state_ == b.state_; }
    friend bool operator!=(const expected &a, const expected &b) { return !(a == b); }

  private:
    using state = std::variant<T, E>;

    void need_value() const {
        if (!has_value())
            QUEUES_THROW(bad_expected_access<E>(error()));
    }
    template <class Self, class Next> static auto then(Self &&self, Next &next) {
        using result =
            std::decay_t<std::invoke_result_t<Next &, decltype(*std::forward<Self>(self))>>;
        return self.has_value() ? std::invoke(next, *std::forward<Self>(self))
                                : result(typename result::unexpected_type(self.error()));
    }
    template <class Self, class Change> static auto transformed(Self &&self, Change &change) {
        using value =
            std::decay_t<std::invoke_result_t<Change &, decltype(*std::forward<Self>(self))>>;
        return self.has_value() ? expected<value, E>(std::in_place,
                                                     std::invoke(change, *std::forward<Self>(self)))
                                : expected<value, E>(unexpected<E>(self.error()));
    }

    state state_;
};

/// What an operation came to. The values are those of queues.h.
enum class conqueue_status : std::int32_t {
    success = QUEUES_OK,
    empty = QUEUES_EMPTY,
    full = QUEUES_FULL,
    closed = QUEUES_CLOSED,
    timeout = QUEUES_TIMEOUT, ///< extension: the time given passed while waiting
    retry = QUEUES_RETRY,     ///< extension: a race was lost (`steal`, `try_emplace`): try again
    too_small = QUEUES_TOO_SMALL, ///< extension: the item is longer than the buffer, and stays
};
/// A short English text for `status`. Waits for nothing; any thread.
inline const char *to_string(conqueue_status status) noexcept {
    return queues_status_string(static_cast<queues_status_t>(status));
}

/// Thrown by a checked spsc that is used by two producers or two consumers at once, by a checked
/// deque with two owners, and by the commit or consume of something that is no longer there.
class misuse : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

/// The counters of a queue; see queues.h.
using statistics = queues_stats_t;

/// How far a call on many items came.
struct bulk_result {
    std::size_t count;      ///< items moved into or out of the queue
    conqueue_status status; ///< success, or what stopped it (of those that take: if `count` is 0)
};

/// An item with its priority, as it comes out of a priority queue.
template <class T> struct prioritized {
    template <class Value>
    prioritized(Value &&from, double rank) : value(std::forward<Value>(from)), priority(rank) {}

    T value;
    double priority;
};

/// What an item counts for in the batches of a batcher, in whatever unit: tokens, bytes.
struct weight {
    constexpr weight() noexcept = default;
    constexpr explicit weight(std::uint64_t count) noexcept : units(count) {}

    std::uint64_t units = 1;
};

/// When a batch of a batcher is due, and what it holds at most. 0 stands for the library's default:
/// 32 items, 10 ms, no limit to the weight, room for 10000.
struct batch_limits {
    std::size_t size = 0;            ///< items of a batch, and how many make one due
    std::chrono::nanoseconds age{0}; ///< how long an item waits for others; below 0: for ever
    std::uint64_t weight = 0;        ///< what a batch weighs, and how much makes one due
    std::size_t max_pending = 0;     ///< items in the queue, `size` at least
};

/// Trivially copyable items up to this many bytes are copied into a queue's slot and out of it.
/// Larger ones are constructed and read in place, which saves a copy.
inline constexpr std::size_t inline_limit = 1024;

/// A wait with a std::stop_token looks at the token this often: the C library has no call that
/// wakes one waiter. Each such look that finds nothing counts as failed in the statistics. A token
/// is anything that has stop_possible() and stop_requested(), as std::stop_token does.
inline constexpr std::chrono::milliseconds stop_interval{5};

/// Asks a constructor of spsc or deque for the checked mode.
struct checked_t {
    explicit checked_t() = default;
};
inline constexpr checked_t checked{};

/// Asks a constructor of deque for one that doubles its capacity when it is full.
struct growable_t {
    explicit growable_t() = default;
};
inline constexpr growable_t growable{};

/// Bytes to push: a pointer and a length, made from anything that a std::string_view is made from
/// and from contiguous containers of trivially copyable elements. Does not own the bytes.
class bytes_view {
  public:
    bytes_view(const void *data, std::size_t size) noexcept : data_(data), size_(size) {}

    template <class Bytes, class = std::enable_if_t<!std::is_same_v<Bytes, bytes_view>>>
    bytes_view(const Bytes &bytes) noexcept {
        if constexpr (std::is_convertible_v<const Bytes &, std::string_view>) {
            const std::string_view text = bytes;
            data_ = text.data();
            size_ = text.size();
        } else {
            static_assert(std::is_trivially_copyable_v<std::decay_t<decltype(*std::data(bytes))>>);
            data_ = std::data(bytes);
            size_ = std::size(bytes) * sizeof *std::data(bytes);
        }
    }

    const void *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

  private:
    const void *data_;
    std::size_t size_;
};

namespace detail {
template <class Payload> class batch_queue;
}

/// Extension. A batch of byte strings, one right behind the other in one buffer, which a pop into
/// the same batch uses again.
class bytes_batch {
  public:
    bytes_batch() = default;
    bytes_batch(bytes_batch &&other) noexcept
        : buffer_(std::move(other.buffer_)), items_(std::move(other.items_)),
          length_(std::exchange(other.length_, 0)) {}
    bytes_batch &operator=(bytes_batch &&other) noexcept {
        buffer_ = std::move(other.buffer_);
        items_ = std::move(other.items_);
        length_ = std::exchange(other.length_, 0);
        return *this;
    }

    /// How many there are.
    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
    /// Each of them; valid until the batch is popped into again or goes.
    [[nodiscard]] const bytes_view &operator[](std::size_t i) const noexcept { return items_[i]; }
    [[nodiscard]] const bytes_view *begin() const noexcept { return items_.data(); }
    [[nodiscard]] const bytes_view *end() const noexcept { return begin() + size(); }
    /// All of them together.
    [[nodiscard]] bytes_view bytes() const noexcept { return {buffer_.data(), length_}; }

  private:
    template <class Payload> friend class detail::batch_queue;

    std::vector<std::byte> buffer_; // as long as it ever had to be
    std::vector<bytes_view> items_;
    std::size_t length_ = 0;
};

namespace detail {

// The exception that stands for a status.
[[noreturn]] inline void raise(queues_status_t status, const char *call) {
    const std::string text = std::string("queues: ") + call + ": " + queues_status_string(status);
    if (status == QUEUES_NOMEM)
        QUEUES_THROW(std::bad_alloc());
    if (status == QUEUES_INVALID)
        QUEUES_THROW(std::invalid_argument(text));
    if (status == QUEUES_MISUSE)
        QUEUES_THROW(misuse(text));
    QUEUES_THROW(std::runtime_error(text));
}

// The one way from a C status to an answer or an exception.
inline conqueue_status answer(queues_status_t status, const char *call) {
    if (status < 0)
        raise(status, call);
    return static_cast<conqueue_status>(status);
}

// The text that `write(buffer, capacity, &length)` writes.
template <class Write> std::string text(const char *call, const Write &write) {
    std::string result;
    std::size_t length = 0;
    queues_status_t status;
    do {
        result.resize(length + 1);
        status = write(result.data(), result.size(), &length);
    } while (status == QUEUES_TOO_SMALL);
    answer(status, call);
    result.resize(length);
    return result;
}

// A capacity of 0 stands for the default in C; here that is what no capacity stands for.
inline constexpr std::size_t default_capacity = 0;
inline std::size_t exactly(std::size_t capacity) {
    if (capacity == 0)
        raise(QUEUES_INVALID, "capacity 0");
    return capacity;
}

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

struct mpmc_calls {
    using handle = queues_mpmc_t;
    using options = queues_mpmc_options_t;
    using putting = std::int64_t;
    // Whether a put, or a get, of an item may return an error that is thrown.
    static constexpr bool puts_throw = false, gets_throw = false;
    static constexpr bool has_many = true;
    static constexpr auto create = queues_mpmc_create;
    static constexpr auto release = queues_mpmc_release;
    static constexpr auto put = queues_mpmc_put;
    static constexpr auto get = queues_mpmc_get;
    static constexpr auto peek = queues_mpmc_peek;
    static constexpr auto put_bytes = queues_mpmc_put_bytes;
    static constexpr auto get_bytes = queues_mpmc_get_bytes;
    static constexpr auto peek_bytes = queues_mpmc_peek_bytes;
    static constexpr auto put_many = queues_mpmc_put_many;
    static constexpr auto get_many = queues_mpmc_get_many;
    static constexpr auto clear = queues_mpmc_clear;
    static constexpr auto close = queues_mpmc_close;
    static constexpr auto is_closed = queues_mpmc_is_closed;
    static constexpr auto size = queues_mpmc_size;
    static constexpr auto capacity = queues_mpmc_capacity;
    static constexpr auto stats = queues_mpmc_stats;
};

struct spsc_calls {
    using handle = queues_spsc_t;
    using options = queues_spsc_options_t;
    using putting = std::int64_t;
    static constexpr bool puts_throw = true, gets_throw = true; // misuse
    static constexpr bool has_many = true;
    static constexpr auto create = queues_spsc_create;
    static constexpr auto release = queues_spsc_release;
    static constexpr auto put = queues_spsc_put;
    static constexpr auto get = queues_spsc_get;
    static constexpr auto peek = queues_spsc_peek;
    static constexpr auto put_bytes = queues_spsc_put_bytes;
    static constexpr auto get_bytes = queues_spsc_get_bytes;
    static constexpr auto peek_bytes = queues_spsc_peek_bytes;
    static constexpr auto put_many = queues_spsc_put_many;
    static constexpr auto get_many = queues_spsc_get_many;
    static constexpr auto clear = queues_spsc_clear;
    static constexpr auto close = queues_spsc_close;
    static constexpr auto is_closed = queues_spsc_is_closed;
    static constexpr auto size = queues_spsc_size;
    static constexpr auto capacity = queues_spsc_capacity;
    static constexpr auto stats = queues_spsc_stats;
};

// With a priority, which goes in with an item and comes out with it.
struct ranked_put {
    ranked_put(std::int64_t time, double rank) : timeout(time), priority(rank) {
        if ((std::isnan)(priority)) // before the item is moved
            raise(QUEUES_INVALID, "priority NaN");
    }
    std::int64_t timeout;
    double priority;
};
struct ranked_get {
    double *priority;
    std::int64_t timeout;
};
struct priority_calls {
    using handle = queues_priority_t;
    using options = queues_priority_options_t;
    using putting = ranked_put;
    static constexpr bool puts_throw = true, gets_throw = false; // a priority that is NaN
    static constexpr bool has_many = false;
    static constexpr auto create = queues_priority_create;
    static constexpr auto release = queues_priority_release;
    static queues_status_t put(handle *queue, void *item, ranked_put when) {
        return queues_priority_put(queue, item, when.priority, when.timeout);
    }
    static queues_status_t get(handle *queue, void **item, ranked_get when) {
        return queues_priority_get(queue, item, when.priority, when.timeout);
    }
    static constexpr auto peek = queues_priority_peek;
    static queues_status_t put_bytes(handle *queue, const void *data, std::size_t length,
                                     ranked_put when) {
        return queues_priority_put_bytes(queue, data, length, when.priority, when.timeout);
    }
    static queues_status_t get_bytes(handle *queue, void *buffer, std::size_t room,
                                     std::size_t *length, ranked_get when) {
        return queues_priority_get_bytes(queue, buffer, room, length, when.priority, when.timeout);
    }
    static constexpr auto peek_bytes = queues_priority_peek_bytes;
    static constexpr auto clear = queues_priority_clear;
    static constexpr auto close = queues_priority_close;
    static constexpr auto is_closed = queues_priority_is_closed;
    static constexpr auto size = queues_priority_size;
    static constexpr auto capacity = queues_priority_capacity;
    static constexpr auto stats = queues_priority_stats;
};

// With a weight, which goes in with an item; items come out in batches.
struct weighed_put {
    std::int64_t timeout;
    weight item_weight{};
};
struct what_is_due {};
struct batch_calls {
    using handle = queues_batch_t;
    using options = queues_batch_options_t;
    using putting = weighed_put;
    static constexpr bool puts_throw = false, gets_throw = false;
    static constexpr bool has_many = false;
    static constexpr auto create = queues_batch_create;
    static constexpr auto release = queues_batch_release;
    static queues_status_t put(handle *queue, void *item, weighed_put when) {
        return queues_batch_put_weighted(queue, item, when.item_weight.units, when.timeout);
    }
    static queues_status_t put_bytes(handle *queue, const void *data, std::size_t length,
                                     weighed_put when) {
        return queues_batch_put_weighted_bytes(queue, data, length, when.item_weight.units,
                                               when.timeout);
    }
    static queues_status_t get_batch(handle *queue, void **items, std::size_t most,
                                     std::size_t *count, std::int64_t timeout) {
        return queues_batch_get_batch(queue, items, most, count, timeout);
    }
    static queues_status_t get_batch(handle *queue, void **items, std::size_t most,
                                     std::size_t *count, what_is_due) {
        return queues_batch_get_due(queue, items, most, count);
    }
    static queues_status_t get_batch_bytes(handle *queue, void *buffer, std::size_t room,
                                           std::size_t *length, queues_batch_blob_t *blobs,
                                           std::size_t most, std::size_t *count,
                                           std::int64_t timeout) {
        return queues_batch_get_batch_bytes(queue, buffer, room, length, blobs, most, count,
                                            timeout);
    }
    static queues_status_t get_batch_bytes(handle *queue, void *buffer, std::size_t room,
                                           std::size_t *length, queues_batch_blob_t *blobs,
                                           std::size_t most, std::size_t *count, what_is_due) {
        return queues_batch_get_due_bytes(queue, buffer, room, length, blobs, most, count);
    }
    static constexpr auto clear = queues_batch_clear;
    static constexpr auto close = queues_batch_close;
    static constexpr auto is_closed = queues_batch_is_closed;
    static constexpr auto size = queues_batch_pending_count;
    static constexpr auto capacity = queues_batch_capacity;
    static constexpr auto stats = queues_batch_stats;
};

// With the end of the deque that is meant.
struct at_bottom {
    static constexpr std::int64_t timeout = 0; // nothing waits
};
struct at_top {};
struct deque_calls {
    using handle = queues_deque_t;
    using options = queues_deque_options_t;
    static constexpr bool puts_throw = true, gets_throw = true; // misuse, and memory for growing
    static constexpr bool has_many = false;
    static constexpr auto create = queues_deque_create;
    static constexpr auto release = queues_deque_release;
    static queues_status_t put(handle *deque, void *item, at_bottom) {
        return queues_deque_push(deque, item);
    }
    static queues_status_t get(handle *deque, void **item, at_bottom) {
        return queues_deque_pop(deque, item);
    }
    static queues_status_t get(handle *deque, void **item, at_top) {
        return queues_deque_steal(deque, item);
    }
    static queues_status_t put_bytes(handle *deque, const void *data, std::size_t length,
                                     at_bottom) {
        return queues_deque_push_bytes(deque, data, length);
    }
    static queues_status_t get_bytes(handle *deque, void *buffer, std::size_t room,
                                     std::size_t *length, at_bottom) {
        return queues_deque_pop_bytes(deque, buffer, room, length);
    }
    static queues_status_t get_bytes(handle *deque, void *buffer, std::size_t room,
                                     std::size_t *length, at_top) {
        return queues_deque_steal_bytes(deque, buffer, room, length);
    }
    static queues_status_t get_many(handle *deque, void **items, std::size_t count, at_top,
                                    std::size_t *done) {
        return queues_deque_steal_many(deque, items, count, done);
    }
    static constexpr auto size = queues_deque_size;
    static constexpr auto capacity = queues_deque_capacity;
    static constexpr auto stats = queues_deque_stats;
};

constexpr std::uint64_t flag(growable_t) { return QUEUES_DEQUE_GROWABLE; }
constexpr std::uint64_t flag(checked_t) { return QUEUES_DEQUE_CHECKED; }

// The timeout among what a call takes behind the item, and the same with another timeout.
inline std::int64_t timeout_of(std::int64_t timeout) { return timeout; }
template <class When> std::int64_t timeout_of(const When &when) { return when.timeout; }
inline std::int64_t with_timeout(std::int64_t, std::int64_t timeout) { return timeout; }
template <class When> When with_timeout(When when, std::int64_t timeout) {
    when.timeout = timeout;
    return when;
}

// The handle of a queue, not owned.
template <class Calls> struct queue_ref {
    typename Calls::handle *queue = nullptr;
    std::size_t item_size = 0;

    // Completes what the C library counted.
    void amend(statistics &) const noexcept {}
};

// The handle of a queue, owned, and what else its calls need. Does not move.
template <class Calls> struct owned_queue : queue_ref<Calls> {
    std::atomic<std::uint64_t> refused{
        0}; // pushes that failed and that the C library did not count

    owned_queue() = default;
    owned_queue(const owned_queue &) = delete;
    ~owned_queue() { Calls::release(this->queue); }
    // Called once the queue is made. `in_flight`: how many items its consumers may hold at once,
    // beyond one each.
    void prepare(std::uint64_t, std::size_t) noexcept {}
    void close() noexcept { Calls::close(this->queue); }
    queues_status_t clear(std::size_t *count) noexcept { return Calls::clear(this->queue, count); }
    void refuse() noexcept { refused.fetch_add(1, std::memory_order_relaxed); }
    void amend(statistics &counters) const noexcept {
        counters.failed_enqueue += refused.load(std::memory_order_relaxed);
    }
};

// Where an item lies in a cell, which is aligned to 8 bytes: over-aligned ones have room to move.
template <class T> struct cell {
    static constexpr std::size_t alignment = 8;
    static constexpr std::size_t size =
        sizeof(T) + (alignof(T) > alignment ? alignof(T) - alignment : 0);

    static void *place(void *data) noexcept {
        if constexpr (alignof(T) > alignment) {
            const auto address = reinterpret_cast<std::uintptr_t>(data);
            return static_cast<std::byte *>(data) +
                   (alignof(T) - address % alignof(T)) % alignof(T);
        } else {
            return data;
        }
    }
    static T &item(void *data) noexcept { return *std::launder(static_cast<T *>(place(data))); }
};

// Destroys an item at the end of a scope.
template <class T> struct destroyer {
    T &item;
    ~destroyer() { item.~T(); }
};

// Whether a T that was moved into a queue can be moved back into what it came from without
// throwing.
template <class T> inline constexpr bool comes_back_surely = std::is_nothrow_move_assignable_v<T>;
// Else it is copied into the queue, if it can be.
template <class T>
inline constexpr bool moves_in = comes_back_surely<T> || !std::is_copy_constructible_v<T>;

// What an item is made of. `gives_back`: an item that is not accepted becomes its argument again.

template <class T> struct made_by_copy {
    static constexpr bool gives_back = true;
    const T &from;
    void construct(void *at) const { ::new (at) T(from); }
    void give_back(T &) const noexcept {}
};

template <class T> struct made_by_move {
    static_assert(std::is_move_assignable_v<T>,
                  "a T that can be neither copied nor assigned cannot come back from a push "
                  "that fails: use emplace, or a queue of std::unique_ptr<T>");
    static constexpr bool gives_back = true;
    T &from;
    void construct(void *at) const { ::new (at) T(std::move(from)); }
    void give_back(T &item) const { from = std::move(item); }
};

template <class T, class Construct> struct made_by_args {
    static constexpr bool gives_back = false;
    const Construct &construct_at;
    void construct(void *at) const { construct_at(at); }
    void give_back(T &) const noexcept {}
};

// Calls `use` with a maker of a T from `args`, which are not touched before it constructs.
template <class T, class Use, class... Args> auto with_maker(const Use &use, Args &&...args) {
    const auto construct = [&](void *at) { ::new (at) T(std::forward<Args>(args)...); };
    return use(made_by_args<T, decltype(construct)>{construct});
}

// For an item that cannot become its arguments again, and whose room others took while it was
// constructed: puts it if there is room in one of the next `most_looks` looks, else returns RETRY.
inline constexpr int most_looks = 1000;

template <class Calls, class Put>
queues_status_t put_again(typename Calls::handle *queue, const Put &put) {
    queues_status_t status = QUEUES_FULL;
    for (int i = 0; status == QUEUES_FULL && i < most_looks; ++i) {
        if (Calls::size(queue) < Calls::capacity(queue))
            status = put();
    }
    return status == QUEUES_FULL ? QUEUES_RETRY : status;
}

// How an item travels: a payload class puts arguments, and an object of it holds one item that a
// get took out of the queue until `value` hands it on. By pointer, what differs is how a T becomes
// a void * and back: `adopt` takes over a void * from the queue, `look` shows one that stays there.
//
// `when` is what the family's calls take behind the item: the timeout, and what else there is; with
// a deque, which has no timeouts, the end.
enum class travel { bits, owner, box, bytes, cell, pool };

template <class Calls, class T, class Derived> class by_pointer {
  public:
    using argument = T;
    using value_type = T;
    using port = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    static constexpr std::size_t slot_size = 0; // to the C queue: the item is a void *

    template <class When> queues_status_t get(const ref &from, When when) {
        void *item;
        const auto status = Calls::get(from.queue, &item, when);
        if (status == QUEUES_OK)
            self().adopt(item);
        return status;
    }
    template <class Visit, class... Rank>
    queues_status_t peek(const ref &from, Visit &&visit, Rank... rank) {
        void *item;
        const auto status = Calls::peek(from.queue, &item, rank...);
        if (status == QUEUES_OK)
            self().look(item, visit);
        return status;
    }

  private:
    Derived &self() noexcept { return static_cast<Derived &>(*this); }
};

// Room for a trivially copyable T whose bytes come from elsewhere.
template <class T> class raw {
  public:
    void *address() noexcept { return bytes_; }
    T &value() noexcept { return *std::launder(reinterpret_cast<T *>(bytes_)); }

  private:
    alignas(T) std::byte bytes_[sizeof(T)];
};

// The emplace of items that are trivially copyable, after room was seen.
template <class Calls, class Payload, class When, class... Args>
queues_status_t emplace_by_copy(typename Payload::port &to, When when, Args &&...args) {
    const typename Payload::argument value(std::forward<Args>(args)...);
    const auto put = [&] { return Payload::put(to, value, when); };
    const auto status = put();
    return status == QUEUES_FULL ? put_again<Calls>(to.queue, put) : status;
}

template <class Calls, class T> class by_bits : public by_pointer<Calls, T, by_bits<Calls, T>> {
  public:
    using port = owned_queue<Calls>;
    static constexpr travel kind = travel::bits;
    static constexpr queues_drop_t drop = nullptr;
    template <class Source> static constexpr bool puts_surely = true;
    static constexpr bool gets_surely = std::is_nothrow_move_constructible_v<T>;

    explicit by_bits(const queue_ref<Calls> &) noexcept {}

    static void *encode(const T &value) noexcept {
        void *item = nullptr;
        std::memcpy(&item, std::addressof(value), sizeof value);
        return item;
    }
    template <class When>
    static queues_status_t put(const queue_ref<Calls> &to, const T &value, When when) {
        return Calls::put(to.queue, encode(value), when);
    }
    template <class When, class... Args>
    static queues_status_t emplace(port &to, When when, Args &&...args) {
        return emplace_by_copy<Calls, by_bits>(to, when, std::forward<Args>(args)...);
    }

    void adopt(void *item) noexcept { std::memcpy(room_.address(), &item, sizeof(T)); }
    template <class Visit> void look(void *item, Visit &visit) {
        adopt(item);
        visit(std::as_const(room_.value()));
    }
    T &&value() noexcept { return std::move(room_.value()); }

  private:
    raw<T> room_;
};

template <class Calls, class Owner>
class by_unique_ptr : public by_pointer<Calls, Owner, by_unique_ptr<Calls, Owner>> {
  public:
    using port = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    using pointer = typename Owner::pointer;
    static constexpr travel kind = travel::owner;
    static void drop(void *, void *item) { Owner(static_cast<pointer>(item)); }
    template <class Source> static constexpr bool puts_surely = true;
    static constexpr bool gets_surely = true;

    explicit by_unique_ptr(const ref &) noexcept {}

    static void *encode(pointer item) noexcept {
        return const_cast<void *>(static_cast<const volatile void *>(item));
    }
    static void *encode(const Owner &owner) noexcept { return encode(owner.get()); }
    static void accepted(Owner &&owner) noexcept { static_cast<void>(owner.release()); }
    template <class When> static queues_status_t put(const ref &to, Owner &&owner, When when) {
        const auto status = Calls::put(to.queue, encode(owner), when);
        if (status == QUEUES_OK)
            accepted(std::move(owner));
        return status;
    }
    // What is pointed to is the caller's until it is accepted, whatever points to it.
    template <class When> static queues_status_t emplace(ref &to, When when) {
        return Calls::put(to.queue, nullptr, when);
    }
    template <class When, class U, class Delete>
    static queues_status_t emplace(ref &to, When when, std::unique_ptr<U, Delete> &&owner) {
        static_assert(std::is_constructible_v<Owner, std::unique_ptr<U, Delete>>);
        const auto status = Calls::put(to.queue, encode(pointer(owner.get())), when);
        if (status == QUEUES_OK)
            static_cast<void>(owner.release());
        return status;
    }
    template <class When, class Pointer, class... Delete>
    static queues_status_t emplace(ref &to, When when, Pointer &&item, Delete &&...deleter) {
        Owner owner(std::forward<Pointer>(item), std::forward<Delete>(deleter)...);
        const auto status = Calls::put(to.queue, encode(owner), when);
        if constexpr (std::is_convertible_v<Pointer, pointer>)
            static_cast<void>(owner.release()); // the queue's, or the caller's still
        else if (status == QUEUES_OK)
            static_cast<void>(owner.release());
        return status;
    }

    void adopt(void *item) noexcept { owner_.reset(static_cast<pointer>(item)); }
    template <class Visit> void look(void *item, Visit &visit) {
        struct lender {
            ~lender() { accepted(std::move(owner)); }
            Owner &owner;
        } lent{owner_};
        adopt(item);
        visit(std::as_const(owner_));
    }
    Owner &&value() noexcept { return std::move(owner_); }

  private:
    Owner owner_;
};

// In a box from operator new: only in deques.
template <class Calls, class T> class by_box : public by_pointer<Calls, T, by_box<Calls, T>> {
  public:
    using ref = queue_ref<Calls>;
    static constexpr travel kind = travel::box;
    static void drop(void *, void *item) { delete static_cast<T *>(item); }
    template <class Source> static constexpr bool puts_surely = false;
    static constexpr bool gets_surely = std::is_nothrow_move_constructible_v<T>;

    explicit by_box(const ref &) noexcept {}

    template <class When> static queues_status_t put(ref &to, const T &value, When when) {
        return emplace(to, when, value);
    }
    template <class When> static queues_status_t put(ref &to, T &&value, When when) {
        if constexpr (moves_in<T>) {
            const made_by_move<T> maker{value};
            auto box = std::make_unique<T>(std::move(value));
            const auto status = send(to, box, when);
            if (box)
                maker.give_back(*box);
            return status;
        } else {
            return emplace(to, when, std::as_const(value));
        }
    }
    template <class When, class... Args>
    static queues_status_t emplace(ref &to, When when, Args &&...args) {
        auto box = std::make_unique<T>(std::forward<Args>(args)...);
        return send(to, box, when);
    }

    void adopt(void *item) noexcept { box_.reset(static_cast<T *>(item)); }
    T &&value() noexcept { return std::move(*box_); }

  private:
    template <class When> static queues_status_t send(ref &to, std::unique_ptr<T> &box, When when) {
        const auto status = Calls::put(to.queue, box.get(), when);
        if (status == QUEUES_OK)
            static_cast<void>(box.release());
        return status;
    }

    std::unique_ptr<T> box_;
};

// Copied into the queue's own slots, all of them of one length.
template <class Calls, class T> class by_copy {
  public:
    using argument = T;
    using value_type = T;
    using port = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    static constexpr travel kind = travel::bytes;
    static constexpr std::size_t slot_size = sizeof(T);
    static constexpr queues_drop_t drop = nullptr;
    template <class Source> static constexpr bool puts_surely = true;
    static constexpr bool gets_surely = std::is_nothrow_move_constructible_v<T>;

    explicit by_copy(const ref &) noexcept {}

    template <class When> static queues_status_t put(const ref &to, const T &value, When when) {
        return Calls::put_bytes(to.queue, std::addressof(value), sizeof value, when);
    }
    template <class When, class... Args>
    static queues_status_t emplace(port &to, When when, Args &&...args) {
        return emplace_by_copy<Calls, by_copy>(to, when, std::forward<Args>(args)...);
    }
    template <class When> queues_status_t get(const ref &from, When when) {
        return get_at(from, room_.address(), when);
    }
    template <class When> static queues_status_t get_at(const ref &from, void *address, When when) {
        std::size_t size;
        return Calls::get_bytes(from.queue, address, sizeof(T), &size, when);
    }
    template <class Visit, class... Rank>
    queues_status_t peek(const ref &from, Visit &&visit, Rank... rank) {
        std::size_t size;
        const auto status =
            Calls::peek_bytes(from.queue, room_.address(), sizeof(T), &size, rank...);
        if (status == QUEUES_OK)
            visit(std::as_const(room_.value()));
        return status;
    }
    T &&value() noexcept { return std::move(room_.value()); }

  private:
    raw<T> room_;
};

// In the queue's own slots, each with its length.
template <class Calls> class by_blob {
  public:
    using argument = bytes_view;
    using value_type = std::vector<std::byte>;
    using port = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    static constexpr std::size_t slot_size = 0; // told when the queue is made
    static constexpr travel kind = travel::bytes;
    static constexpr queues_drop_t drop = nullptr;
    template <class Source> static constexpr bool puts_surely = false; // it may be too long
    static constexpr bool gets_surely = false;

    explicit by_blob(const ref &from) : bytes_(from.item_size) {}

    template <class When> static queues_status_t put(const ref &to, bytes_view bytes, When when) {
        return Calls::put_bytes(to.queue, bytes.data(), bytes.size(), when);
    }
    template <class When> queues_status_t get(const ref &from, When when) {
        std::size_t size = 0;
        const auto status = Calls::get_bytes(from.queue, bytes_.data(), bytes_.size(), &size, when);
        if (status == QUEUES_OK)
            bytes_.resize(size);
        return status;
    }
    template <class Visit, class... Rank>
    queues_status_t peek(const ref &from, Visit &&visit, Rank... rank) {
        std::size_t size = 0;
        const auto status =
            Calls::peek_bytes(from.queue, bytes_.data(), bytes_.size(), &size, rank...);
        if (status == QUEUES_OK) {
            bytes_.resize(size);
            visit(std::as_const(bytes_));
        }
        return status;
    }
    std::vector<std::byte> &&value() noexcept { return std::move(bytes_); }

  private:
    std::vector<std::byte> bytes_;
};

// How a family reserves the cell of an item and lends it.

template <class T> struct mpmc_cells {
    using calls = mpmc_calls;
    struct port : owned_queue<mpmc_calls> {
        // The C library counts every commit that finds the queue full, also of a push that goes on
        // and succeeds. So each push that fails is counted here, once.
        void amend(statistics &counters) const noexcept {
            counters.failed_enqueue = this->refused.load(std::memory_order_relaxed);
        }
    };
    static void note(port &to, queues_status_t status) noexcept {
        if (status == QUEUES_FULL || status == QUEUES_TIMEOUT || status == QUEUES_RETRY)
            to.refuse();
    }

    // Pushes and pops may overlap: there is nothing to check.
    struct side {
        static side producer(port &) noexcept { return {}; }
        static side consumer(const port &) noexcept { return {}; }
        static bool enter() noexcept { return true; }
        static void leave() noexcept {}
    };

    static queues_status_t reserve(port &to, void **data, std::int64_t timeout) noexcept {
        return queues_mpmc_reserve(to.queue, data, timeout);
    }
    static queues_status_t commit(port &to, void *data) noexcept {
        return queues_mpmc_commit(to.queue, data, cell<T>::size);
    }
    static void cancel(port &to, void *data) noexcept { queues_mpmc_cancel(to.queue, data); }
    // Waits for room while this push keeps its cell: by reserving another cell, and cancelling it.
    static queues_status_t wait_for_room(port &to, std::int64_t timeout) noexcept {
        void *another;
        const auto status = queues_mpmc_reserve(to.queue, &another, timeout);
        if (status == QUEUES_OK)
            cancel(to, another);
        return status;
    }
    static queues_status_t lend(const port &from, void **data, std::int64_t timeout) noexcept {
        std::size_t size;
        return queues_mpmc_lease(from.queue, data, &size, timeout);
    }
    static void settle(const port &from, void *data) noexcept {
        queues_mpmc_settle(from.queue, data);
    }
    template <class Visit> static queues_status_t look(const port &from, const Visit &visit) {
        static_assert(std::is_trivially_copyable_v<T> && cell<T>::size == sizeof(T));
        raw<T> room;
        std::size_t size;
        const auto status = queues_mpmc_peek_bytes(from.queue, room.address(), sizeof(T), &size);
        if (status == QUEUES_OK)
            visit(std::as_const(room.value()));
        return status;
    }
};

template <class T> struct spsc_cells {
    using calls = spsc_calls;
    struct port : owned_queue<spsc_calls> {
        bool is_checked = false;
        mutable std::atomic<bool> is_pushing{false}, is_popping{false};

        void prepare(std::uint64_t flags, std::size_t) noexcept {
            is_checked = (flags & QUEUES_SPSC_CHECKED) != 0;
        }
        queues_status_t clear(std::size_t *count) noexcept {
            auto here = side::consumer(*this);
            if (!here.enter())
                return QUEUES_MISUSE;
            const auto status = queues_spsc_clear(this->queue, count);
            here.leave();
            return status;
        }
    };

    // A push or pop is several C calls: in a checked queue another must not come between them.
    class side {
      public:
        static side producer(port &of) noexcept { return side(of.is_checked, of.is_pushing); }
        static side consumer(const port &of) noexcept { return side(of.is_checked, of.is_popping); }
        side(const side &) = delete;
        ~side() { leave(); }
        bool enter() noexcept {
            if (!is_checked_)
                return true;
            is_in_ = !taken_.exchange(true, std::memory_order_acquire);
            return is_in_;
        }
        void leave() noexcept {
            if (is_in_)
                taken_.store(false, std::memory_order_release);
            is_in_ = false;
        }

      private:
        side(bool is_checked, std::atomic<bool> &taken) noexcept
            : is_checked_(is_checked), taken_(taken) {}

        const bool is_checked_;
        bool is_in_ = false;
        std::atomic<bool> &taken_;
    };

    static void note(port &, queues_status_t) noexcept {} // the C library counts exactly
    static queues_status_t reserve(port &to, void **data, std::int64_t timeout) noexcept {
        return queues_spsc_reserve(to.queue, data, timeout);
    }
    static queues_status_t commit(port &to, void *) noexcept {
        return queues_spsc_commit(to.queue, cell<T>::size);
    }
    static void cancel(port &, void *) noexcept {} // the next push forgets it
    static queues_status_t wait_for_room(port &, std::int64_t) noexcept { return QUEUES_FULL; }
    static queues_status_t lend(const port &from, void **data, std::int64_t timeout) noexcept {
        const void *item;
        std::size_t size;
        const auto status = queues_spsc_front(from.queue, &item, &size, timeout);
        *data = const_cast<void *>(item); // the consumer's until it is consumed
        return status;
    }
    static void settle(const port &from, void *) noexcept { queues_spsc_consume(from.queue); }
    template <class Visit> static queues_status_t look(const port &from, const Visit &visit) {
        auto here = side::consumer(from);
        if (!here.enter())
            return QUEUES_MISUSE;
        std::size_t size;
        // Unlike `front` it counts no failure; where there is an item it is longer than nothing.
        auto status = queues_spsc_peek_bytes(from.queue, nullptr, 0, &size);
        void *data;
        if (status == QUEUES_TOO_SMALL && (status = lend(from, &data, 0)) == QUEUES_OK)
            visit(std::as_const(cell<T>::item(data)));
        return status;
    }
};

// Each item in a cell of its C queue.
template <class Cells, class T> class in_cell {
  public:
    using argument = T;
    using value_type = T;
    using port = typename Cells::port;
    static constexpr travel kind = travel::cell;
    static constexpr std::size_t slot_size = cell<T>::size;
    static void drop(void *, void *data) { cell<T>::item(data).~T(); }
    template <class Source>
    static constexpr bool puts_surely =
        std::is_rvalue_reference_v<Source &&> &&moves_in<T>
            ? std::is_nothrow_move_constructible_v<T> &&comes_back_surely<T>
            : std::is_nothrow_copy_constructible_v<T>;
    static constexpr bool gets_surely = std::is_nothrow_move_constructible_v<T>;

    explicit in_cell(const port &from) noexcept : from_(from), side_(Cells::side::consumer(from)) {}
    in_cell(const in_cell &) = delete;
    ~in_cell() {
        if (data_ != nullptr) {
            cell<T>::item(data_).~T();
            Cells::settle(from_, data_);
        }
    }

    static queues_status_t put(port &to, const T &value, std::int64_t timeout) {
        return put_made(to, made_by_copy<T>{value}, timeout);
    }
    static queues_status_t put(port &to, T &&value, std::int64_t timeout) {
        if constexpr (moves_in<T>)
            return put_made(to, made_by_move<T>{value}, timeout);
        else
            return put_made(to, made_by_copy<T>{value}, timeout);
    }
    template <class... Args>
    static queues_status_t emplace(port &to, std::int64_t timeout, Args &&...args) {
        return with_maker<T>([&](const auto &maker) { return put_made(to, maker, timeout); },
                             std::forward<Args>(args)...);
    }

    queues_status_t get(const port &, std::int64_t timeout) {
        if (!side_.enter())
            return QUEUES_MISUSE;
        void *data;
        const auto status = Cells::lend(from_, &data, timeout);
        if (status == QUEUES_OK)
            data_ = data;
        else
            side_.leave();
        return status;
    }
    T &&value() noexcept { return std::move(cell<T>::item(data_)); }

    template <class Visit> queues_status_t peek(const port &from, Visit &&visit) {
        return Cells::look(from, visit);
    }

  private:
    // Cancelled when it goes, unless it was put.
    struct reservation {
        port &of;
        void *data;
        ~reservation() {
            if (data != nullptr)
                Cells::cancel(of, data);
        }
    };

    template <class Maker>
    static queues_status_t put_made(port &to, const Maker &maker, std::int64_t timeout) {
        const auto status = construct_and_put(to, maker, timeout);
        Cells::note(to, status);
        return status;
    }

    template <class Maker>
    static queues_status_t construct_and_put(port &to, const Maker &maker, std::int64_t timeout) {
        auto side = Cells::side::producer(to);
        if (!side.enter())
            return QUEUES_MISUSE;
        const time_left left(timeout);
        void *data;
        auto status = Cells::reserve(to, &data, timeout);
        if (status != QUEUES_OK)
            return status;
        reservation room{to, data};
        maker.construct(cell<T>::place(data));
        status = Cells::commit(to, data);
        if (status == QUEUES_FULL)
            status = insist<Maker::gives_back>(to, data, timeout, left);
        if (status == QUEUES_OK) {
            room.data = nullptr;
        } else {
            const destroyer<T> end{cell<T>::item(data)};
            maker.give_back(end.item);
        }
        return status;
    }

    // The queue became full between the reservation and the commit: keeps the item and waits for
    // room, or gives up.
    template <bool GivesBack>
    static queues_status_t insist(port &to, void *data, std::int64_t timeout,
                                  const time_left &left) noexcept {
        queues_status_t status = QUEUES_FULL;
        if (timeout == 0) {
            if (GivesBack)
                return status;
            return put_again<typename Cells::calls>(to.queue,
                                                    [&] { return Cells::commit(to, data); });
        }
        while (status == QUEUES_FULL) {
            status = Cells::wait_for_room(to, left());
            if (status == QUEUES_FULL)
                return QUEUES_TIMEOUT;
            if (status == QUEUES_OK)
                status = Cells::commit(to, data);
        }
        return status;
    }

    const port &from_;
    void *data_ = nullptr;
    typename Cells::side side_;
};

// Items in cells of a pool, an mpmc queue of blobs into which nothing is ever put; the queue itself
// holds their addresses.
template <class Calls, class T> class in_pool {
  public:
    using argument = T;
    using value_type = T;
    static constexpr travel kind = travel::pool;
    static constexpr std::size_t slot_size = 0; // to the C queue: the item is a void *

    struct port : owned_queue<Calls> {
        queues_mpmc_t *pool = nullptr;

        ~port() {
            Calls::release(std::exchange(this->queue, nullptr)); // its leftovers lie in the pool
            queues_mpmc_release(pool);
        }
        // Cells for all items, and spare ones for calls under way: as many as the C library has
        // in its own queues of blobs.
        void prepare(std::uint64_t, std::size_t in_flight) {
            queues_mpmc_options_t options{};
            options.struct_size = sizeof options;
            options.capacity = Calls::capacity(this->queue);
            options.item_size = cell<T>::size;
            options.spare = 64 + in_flight;
            const auto status = queues_mpmc_create(&options, &pool);
            if (status != QUEUES_OK)
                raise(status, "create");
        }
        void close() noexcept {
            Calls::close(this->queue);
            queues_mpmc_close(pool); // which ends waits for a cell
        }
    };

    static void drop(void *context, void *item) { end(*static_cast<const port *>(context), item); }
    template <class Source>
    static constexpr bool puts_surely =
        std::is_rvalue_reference_v<Source &&> &&moves_in<T>
            ? std::is_nothrow_move_constructible_v<T> &&comes_back_surely<T>
            : std::is_nothrow_copy_constructible_v<T>;
    static constexpr bool gets_surely = std::is_nothrow_move_constructible_v<T>;

    explicit in_pool(const port &from) noexcept : from_(from) {}
    in_pool(const in_pool &) = delete;
    ~in_pool() {
        if (data_ != nullptr)
            end(from_, data_);
    }

    template <class When> static queues_status_t put(port &to, const T &value, When when) {
        return put_made(to, made_by_copy<T>{value}, when);
    }
    template <class When> static queues_status_t put(port &to, T &&value, When when) {
        if constexpr (moves_in<T>)
            return put_made(to, made_by_move<T>{value}, when);
        else
            return put_made(to, made_by_copy<T>{value}, when);
    }
    template <class When, class... Args>
    static queues_status_t emplace(port &to, When when, Args &&...args) {
        return with_maker<T>([&](const auto &maker) { return put_made(to, maker, when); },
                             std::forward<Args>(args)...);
    }

    template <class When> queues_status_t get(const port &from, When when) {
        void *item;
        const auto status = Calls::get(from.queue, &item, when);
        if (status == QUEUES_OK)
            adopt(item);
        return status;
    }
    void adopt(void *item) noexcept { data_ = item; }
    T &&value() noexcept { return std::move(cell<T>::item(data_)); }

  private:
    static void end(const port &of, void *data) noexcept {
        cell<T>::item(data).~T();
        queues_mpmc_cancel(of.pool, data);
    }

    struct reservation {
        port &of;
        void *data;
        ~reservation() {
            if (data != nullptr)
                queues_mpmc_cancel(of.pool, data);
        }
    };

    template <class Maker, class When>
    static queues_status_t put_made(port &to, const Maker &maker, When when) {
        const auto timeout = timeout_of(when);
        const time_left left(timeout);
        void *data;
        auto status = queues_mpmc_reserve(to.pool, &data, timeout);
        if (status != QUEUES_OK) {
            if (status == QUEUES_FULL || status == QUEUES_TIMEOUT)
                to.refuse();
            return status;
        }
        reservation room{to, data};
        maker.construct(cell<T>::place(data));
        status = Calls::put(to.queue, data, with_timeout(when, left()));
        if (status == QUEUES_FULL && timeout > 0)
            status = QUEUES_TIMEOUT; // the time was over before this wait
        if (!Maker::gives_back && status == QUEUES_FULL)
            status = put_again<Calls>(to.queue, [&] { return Calls::put(to.queue, data, when); });
        if (status == QUEUES_OK) {
            room.data = nullptr;
        } else {
            const destroyer<T> ends{cell<T>::item(data)};
            maker.give_back(ends.item);
        }
        return status;
    }

    const port &from_;
    void *data_ = nullptr;
};

template <class T> struct is_plain_unique_ptr : std::false_type {};
template <class U>
struct is_plain_unique_ptr<std::unique_ptr<U, std::default_delete<U>>>
    : std::negation<std::is_array<U>> {};

// Refuses what cannot be an item, with a sentence. Each but the last would not be understood by the
// code below, so that it is not tried then.
template <class T> constexpr bool is_item() {
    static_assert(!std::is_reference_v<T>,
                  "T must not be a reference: use T * or std::reference_wrapper<T>");
    static_assert(!std::is_void_v<T>, "T must not be void: a queue of nothing counts nothing");
    static_assert(!std::is_function_v<T>, "T must not be a function: use a pointer to it");
    static_assert(!std::is_array_v<T>, "T must not be an array: use std::array");
    static_assert(std::is_same_v<T, std::remove_cv_t<T>> || std::is_reference_v<T>,
                  "T must not be const or volatile: an item is moved out of its queue");
    if constexpr (std::is_object_v<T> && !std::is_array_v<T> &&
                  std::is_same_v<T, std::remove_cv_t<T>>) {
        static_assert(!std::is_abstract_v<T>,
                      "T must not be abstract: use a queue of std::unique_ptr<T>");
        static_assert(std::is_destructible_v<T>,
                      "T must be destructible: a queue destroys what is left in it");
        static_assert(std::is_nothrow_destructible_v<T> || !std::is_destructible_v<T>,
                      "~T must not throw: C code may call it");
        static_assert(std::is_move_constructible_v<T> || !std::is_destructible_v<T> ||
                          std::is_abstract_v<T>,
                      "a pop returns a T: it must be movable");
        return std::is_nothrow_destructible_v<T> && std::is_move_constructible_v<T>;
    }
    return false;
}

// Which payload an item has in a family. In the place of what cannot be an item stands an int.
template <class Calls, class T> struct cells_of { using type = in_pool<Calls, T>; };
template <class T> struct cells_of<mpmc_calls, T> { using type = in_cell<mpmc_cells<T>, T>; };
template <class T> struct cells_of<spsc_calls, T> { using type = in_cell<spsc_cells<T>, T>; };
template <class T> struct cells_of<deque_calls, T> { using type = by_box<deque_calls, T>; };

// Priority queues and deques read slots that they may not get: plain bytes, of whatever length.
template <class Calls>
inline constexpr std::size_t longest_copy =
    std::is_same_v<Calls, priority_calls> || std::is_same_v<Calls, deque_calls> ? SIZE_MAX
                                                                                : inline_limit;

template <class Calls, class T, bool = is_item<T>()> struct choose_payload {
    using type = std::conditional_t<
        std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(void *), by_bits<Calls, T>,
        std::conditional_t<
            std::is_trivially_copyable_v<T> &&
                (sizeof(T) <= longest_copy<Calls> || (alignof(T) > cell<T>::alignment)),
            by_copy<Calls, T>,
            std::conditional_t<is_plain_unique_ptr<T>::value, by_unique_ptr<Calls, T>,
                               typename cells_of<Calls, T>::type>>>;
};
template <class Calls, class T> struct choose_payload<Calls, T, false> {
    using type = by_bits<Calls, int>;
};
template <class Calls, class T> using payload_of = typename choose_payload<Calls, T>::type;

// A bulk push reads an item again once it is accepted, so it needs an iterator of several passes.
template <class Iterator, class = void> struct is_forward : std::false_type {};
template <class Iterator>
struct is_forward<Iterator, std::void_t<typename std::iterator_traits<Iterator>::iterator_category>>
    : std::is_base_of<std::forward_iterator_tag,
                      typename std::iterator_traits<Iterator>::iterator_category> {};

// Whether items that are `Item`s lie one after the other, as the C calls on many take them: told
// alike in every standard.
template <class Iterator, class Item> struct is_contiguous : std::false_type {};
template <class Item> struct is_contiguous<Item *, Item> : std::true_type {};
template <class Item> struct is_contiguous<const Item *, Item> : std::true_type {};
template <class Iterator, class Item>
inline constexpr bool is_in_a_row =
    is_contiguous<Iterator, Item>::value ||
    std::is_same_v<Iterator, typename std::vector<Item>::iterator> ||
    std::is_same_v<Iterator, typename std::vector<Item>::const_iterator>;

// Whether Range's elements lie in a row and are `Item`s, const or not.
template <class Range, class Item, class = void> struct is_range_of : std::false_type {};
template <class Range, class Item>
struct is_range_of<Range, Item,
                   std::void_t<decltype((std::data)(std::declval<Range &>())),
                               decltype((std::size)(std::declval<Range &>()))>>
    : std::is_same<std::remove_pointer_t<decltype((std::data)(std::declval<Range &>()))>, Item> {};
template <class Range, class Item>
using if_readable = std::enable_if_t<is_range_of<const Range, const Item>::value ||
                                     is_range_of<const Range, Item>::value>;
template <class Range, class Item>
using if_writable = std::enable_if_t<is_range_of<std::remove_reference_t<Range>, Item>::value>;

// Whether constructing a trivially copyable item from Args may use them up.
template <class... Args>
inline constexpr bool leaves_args = ((std::is_lvalue_reference_v<Args &&> ||
                                      std::is_trivially_copyable_v<std::decay_t<Args>>)&&...);
// Whether Args are one T, which a push takes and gives back.
template <class T, class... Args> struct is_itself : std::false_type {};
template <class T, class Arg>
struct is_itself<T, Arg>
    : std::bool_constant<std::is_same_v<T, std::decay_t<Arg>> &&
                         (std::is_same_v<Arg &&, T &&>
                              ? std::is_copy_constructible_v<T> || std::is_move_assignable_v<T>
                              : std::is_copy_constructible_v<T>)> {};

/// What all queues tell, and how items go in and out, whoever owns the handle.
template <class Calls, class Payload, class Port> class queue_view {
  public:
    using value_type = typename Payload::value_type; ///< what a pop gives
    using argument = typename Payload::argument;     ///< what a push takes

    /// Extension. How many items there were at some moment of the call. Does not wait. Any thread.
    [[nodiscard]] std::size_t size() const noexcept { return Calls::size(port_.queue); }
    /// Extension. How many items the queue has room for. Does not wait. Any thread.
    [[nodiscard]] std::size_t capacity() const noexcept { return Calls::capacity(port_.queue); }
    /// Extension. Whether the queue was empty at some moment of the call. Does not wait. Any
    /// thread.
    [[nodiscard]] bool is_empty() const noexcept { return size() == 0; }

    /// Extension. The queue's counters. Does not wait. Any thread.
    [[nodiscard]] statistics stats() const {
        statistics counters{};
        counters.struct_size = sizeof counters;
        answer(Calls::stats(port_.queue, &counters), "stats");
        port_.amend(counters);
        return counters;
    }
    /// Extension. The queue's counters as a JSON object. Does not wait. Any thread.
    [[nodiscard]] std::string stats_json() const {
        const statistics counters = stats();
        return detail::text("stats_json", [&](char *to, std::size_t room, std::size_t *length) {
            return queues_stats_json(&counters, to, room, length);
        });
    }

  protected:
    using calls = Calls;
    using payload = Payload;
    static constexpr std::size_t slot_size = Payload::slot_size;
    static constexpr bool is_pointer = Payload::kind == travel::bits ||
                                       Payload::kind == travel::owner ||
                                       Payload::kind == travel::box;
    static constexpr bool is_blob = std::is_same_v<argument, bytes_view>; // it may be too long
    // Whether what an iterator leads to goes in and out as it lies: items that are a word.
    template <class Iterator>
    static constexpr bool
        is_word_array = Payload::kind == travel::bits && sizeof(argument) == sizeof(void *) &&
                        alignof(argument) == alignof(void *) && is_in_a_row<Iterator, argument>;
    static constexpr std::size_t chunk = 64; // items of a bulk call on their way, on the stack

    using popped = std::optional<value_type>;
    using outcome = expected<value_type, conqueue_status>;

    queue_view() = default;
    ~queue_view() = default;

    Port port_{};

    static bool is_in(conqueue_status status) { return status == conqueue_status::success; }

    // Bytes are copied whether T may be copied or not, so that it must be asked.
    template <class Source>
    static constexpr bool may_push =
        std::is_copy_constructible_v<argument> || !std::is_lvalue_reference_v<Source>;

    // Whether calls that do not wait are noexcept.
    template <class Source>
    static constexpr bool puts_surely = !Calls::puts_throw && Payload::template puts_surely<Source>;
    static constexpr bool gets_surely = !Calls::gets_throw && Payload::gets_surely;
    static constexpr bool gets_into_surely =
        gets_surely && std::is_nothrow_move_assignable_v<value_type>;
    template <class... Args>
    static constexpr bool emplaces_surely =
        !Calls::puts_throw && Payload::kind != travel::box &&
        std::is_nothrow_constructible_v<argument, Args...> && !is_blob &&
        (!is_itself<argument, Args...>::value || (Payload::template puts_surely<Args &&> && ...));

    // A C call that puts, for as long as it is to wait.
    template <class Value, class Wait, class When>
    conqueue_status put_when(Value &&value, Wait wait, When when) {
        static_assert(may_push<Value>, "T is not copyable: push std::move(value)");
        return answer(wait([&](std::int64_t timeout) {
                          return Payload::put(port_, std::forward<Value>(value), when(timeout));
                      }),
                      "push");
    }

    // One move from what was taken to the caller's result.
    template <class Result, class Wait, class When, class... Rank>
    Result take_when(Wait wait, When when, const Rank &...rank) const {
        Payload held(port_);
        const auto status = answer(
            wait([&](std::int64_t timeout) { return held.get(port_, when(timeout)); }), "pop");
        if (status == conqueue_status::success)
            return Result(std::in_place, held.value(), rank...);
        if constexpr (std::is_same_v<Result, std::optional<typename Result::value_type>>)
            return std::nullopt;
        else
            return unexpected<conqueue_status>(status);
    }

    // The same into an item of the caller's.
    template <class Wait, class When>
    conqueue_status take_into_item(value_type &item, Wait wait, When when) const {
        // Bytes may be written over an item if nothing else can lie in its padding.
        if constexpr (Payload::kind == travel::bytes && std::is_trivially_copyable_v<value_type> &&
                      std::is_trivially_default_constructible_v<value_type> &&
                      std::is_standard_layout_v<value_type> &&
                      std::is_trivially_move_assignable_v<value_type>) {
            return answer(wait([&](std::int64_t timeout) {
                              return Payload::get_at(port_, std::addressof(item), when(timeout));
                          }),
                          "pop");
        } else {
            Payload held(port_);
            const auto status = answer(
                wait([&](std::int64_t timeout) { return held.get(port_, when(timeout)); }), "pop");
            if (status == conqueue_status::success)
                item = held.value();
            return status;
        }
    }

    // Up to `count` items: the first one `when` it says so, the others at once.
    template <class Output, class When>
    bulk_result take_many(Output &out, std::size_t count, When when, When afterwards) const {
        constexpr bool assigns_surely = noexcept(*out = std::declval<value_type>());
        constexpr bool steps_surely = noexcept(++out);
        bulk_result result{0, conqueue_status::success};
        bool more = true;
        while (more && result.count < count) {
            const auto now = result.count == 0 ? when : afterwards;
            conqueue_status status;
            if constexpr (is_word_array<Output>) {
                std::size_t done = 0;
                const auto items = reinterpret_cast<void **>(std::addressof(*out));
                const auto wanted = (std::min)(count, std::size_t{PTRDIFF_MAX} / sizeof *items);
                status =
                    answer(Calls::get_many(port_.queue, items, wanted, now, &done), "pop_many");
                out += static_cast<std::ptrdiff_t>(done);
                result.count += done;
                more = false; // the call took what there was
            } else if constexpr (is_pointer && assigns_surely && steps_surely) {
                void *items[chunk];
                std::size_t done = 0;
                const auto wanted = (std::min)(chunk, count - result.count);
                status =
                    answer(Calls::get_many(port_.queue, items, wanted, now, &done), "pop_many");
                for (std::size_t i = 0; i < done; ++i, ++out) {
                    Payload held(port_);
                    held.adopt(items[i]);
                    *out = held.value();
                }
                result.count += done;
                more = done == wanted;
            } else {
                Payload held(port_);
                status = answer(held.get(port_, now), "pop_many");
                more = status == conqueue_status::success;
                if (more) {
                    *out = held.value();
                    ++out;
                    ++result.count;
                }
            }
            if (result.count == 0)
                result.status = status;
        }
        return result;
    }

    // A blob into the caller's buffer: its length.
    template <class When>
    expected<std::size_t, conqueue_status> take_into(void *buffer, std::size_t capacity,
                                                     When when) const {
        std::size_t size = 0;
        const auto status =
            answer(Calls::get_bytes(port_.queue, buffer, capacity, &size, when), "pop_into");
        if (status == conqueue_status::success)
            return size;
        return unexpected<conqueue_status>(status);
    }
};

// How many items the consumers of a queue may be holding, beyond those of a few calls.
template <class Options> std::size_t in_flight(const Options &) noexcept { return 0; }
inline constexpr std::size_t default_batch_size = 32; // the library's
inline std::size_t in_flight(const queues_batch_options_t &options) noexcept {
    return 2 * (options.batch_size == 0 ? default_batch_size : options.batch_size);
}

/// A queue that is made and goes. "Producer" and "consumer" say which threads may make a call at
/// once: with spsc one of each, else any number. No call may overlap construction or destruction.
template <class Calls, class Payload>
class basic_queue : public queue_view<Calls, Payload, typename Payload::port> {
    using base = queue_view<Calls, Payload, typename Payload::port>;

  public:
    using typename base::argument;

    basic_queue(const basic_queue &) = delete;
    basic_queue &operator=(const basic_queue &) = delete;

  protected:
    using base::port_;

    basic_queue(std::size_t capacity, std::size_t item_size, std::uint64_t flags)
        : basic_queue(item_size, options_of(capacity, flags)) {}
    // With options of which those that all families have are set here.
    basic_queue(std::size_t item_size, typename Calls::options options) {
        if (item_size == 0 && Payload::kind == travel::bytes)
            raise(QUEUES_INVALID, "item size 0");
        options.struct_size = sizeof options;
        options.item_size = item_size;
        options.drop = Payload::drop;
        options.drop_ctx = &port_;
        answer(Calls::create(&options, &port_.queue), "create");
        port_.item_size = item_size;
        port_.prepare(options.flags, in_flight(options));
    }
    ~basic_queue() = default;

    // Whether a try_emplace may construct its item before it knows of room, because that uses up no
    // argument. A bytes_view only looks at its argument.
    template <class... Args>
    static constexpr bool emplaces_by_push = (Payload::kind == travel::bits ||
                                              Payload::kind == travel::bytes) &&
                                             (leaves_args<Args...> || base::is_blob);
    // Whether an emplace needs no look for room before it: it does not use up its arguments, or
    // constructs the item in a cell that it has reserved.
    template <class... Args>
    static constexpr bool emplaces_alone =
        Payload::kind == travel::cell || Payload::kind == travel::owner ||
        emplaces_by_push<Args...>;

    // Constructs and puts an item; room has been seen, or need not be.
    template <class When, class... Args> conqueue_status emplace_now(When when, Args &&...args) {
        if constexpr (emplaces_by_push<Args...>)
            return answer(Payload::put(port_, argument(std::forward<Args>(args)...), when),
                          "emplace");
        else
            return answer(Payload::emplace(port_, when, std::forward<Args>(args)...), "emplace");
    }

    // Full, for a push that does not wait; counted as the C calls count it.
    conqueue_status refuse() noexcept {
        port_.refuse();
        return conqueue_status::full;
    }

  private:
    static typename Calls::options options_of(std::size_t capacity, std::uint64_t flags) {
        typename Calls::options options{};
        options.capacity = capacity;
        options.flags = flags;
        return options;
    }
};

/// What all queues have that can be closed.
template <class Calls, class Payload> class closable_queue : public basic_queue<Calls, Payload> {
    using base = basic_queue<Calls, Payload>;

  public:
    /// Extension. Destroys the items that are in the queue. Does not wait. Consumer. Returns how
    /// many there were.
    std::size_t clear() {
        std::size_t count = 0;
        answer(port_.clear(&count), "clear");
        return count;
    }

    /// Closes the queue and wakes every waiter: from now on a push returns closed, a pop does so
    /// once the queue is empty. Does not wait. Any thread, as often as you like.
    void close() noexcept { port_.close(); }
    /// Whether the queue is closed. Does not wait. Any thread.
    [[nodiscard]] bool is_closed() const noexcept { return Calls::is_closed(port_.queue); }

  protected:
    using base::base;
    using base::port_;

    template <class Visit, class... Rank> conqueue_status look(Visit &&visit, Rank... rank) const {
        return answer(Payload(port_).peek(port_, visit, rank...), "peek");
    }
};

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
/// What the queues for many producers and many consumers have beside that.
template <class Payload> class mpmc_queue : public fifo_queue<mpmc_calls, Payload> {
    using base = fifo_queue<mpmc_calls, Payload>;

  public:
    /// Extension. A copy of the item that was in front at some moment of the call; another consumer
    /// may have taken it since. Does not wait. Any thread. Or the error empty or closed (and
    /// empty). Only for a T that is trivially copyable: another consumer may be destroying the item
    /// while one looks.
    [[nodiscard]] expected<typename base::value_type, conqueue_status> peek() const {
        static_assert(std::is_trivially_copyable_v<typename base::argument>,
                      "peek: T must be trivially copyable to be looked at "
                      "while another consumer may take it");
        return this->look_and_copy();
    }

  protected:
    mpmc_queue(std::size_t capacity, std::size_t item_size) : base(capacity, item_size, 0) {}
};

/// What the queues for one producer and one consumer have beside that.
template <class Payload> class spsc_queue : public fifo_queue<spsc_calls, Payload> {
    using base = fifo_queue<spsc_calls, Payload>;

  public:
    /// Extension. A copy of the item in front, which stays there. Does not wait. Consumer. Or the
    /// error empty or closed (and empty).
    [[nodiscard]] expected<typename base::value_type, conqueue_status> peek() const {
        return this->look_and_copy();
    }
    /// Extension. Calls `visit` with a const reference to the item in front, which stays there; the
    /// reference ends with the visit, which must not pop or clear. Does not wait. Consumer. Returns
    /// success, empty or closed (and empty).
    template <class Visit> conqueue_status peek(Visit &&visit) const { return this->look(visit); }

    /// Extension. Whether the queue was empty at some moment of the call. Does not wait. Any
    /// thread.
    [[nodiscard]] bool is_empty() const noexcept { return queues_spsc_is_empty(this->port_.queue); }
    /// Extension. Whether the queue was full at some moment of the call. Does not wait. Any thread.
    [[nodiscard]] bool is_full() const noexcept { return queues_spsc_is_full(this->port_.queue); }

  protected:
    spsc_queue(std::size_t capacity, std::size_t item_size, bool is_checked)
        : base(capacity, item_size, is_checked ? QUEUES_SPSC_CHECKED : 0) {}
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

// Room for what a batch is made of, on the stack as long as it is not much.
template <class Element> class small_buffer {
  public:
    static constexpr std::size_t most = sizeof(Element) < 4096 ? 4096 / sizeof(Element) : 1;
    explicit small_buffer(std::size_t count)
        : large_(count > most ? new Element[count] : nullptr) {}
    Element *data() noexcept { return large_ ? large_.get() : small_; }

  private:
    Element small_[most];
    std::unique_ptr<Element[]> large_;
};

/// What the batchers have beside that. Any thread may make any call at any time. A batch is due
/// when there are enough items, in number or weight, when the oldest has waited long enough, after
/// flush and after close; queues.h has the details.
///
/// A pop makes room for a batch before it takes one: running out of memory loses nothing. If a T
/// throws on being moved out, that item and those behind it in the batch are destroyed; those
/// before it are in the batch that pop_batch_into was given, else they are destroyed, too.
template <class Payload>
class batch_queue : public pushing<pushing<closable_queue<batch_calls, Payload>>, weight> {
    using weighing = pushing<pushing<closable_queue<batch_calls, Payload>>, weight>;
    using plain = pushing<closable_queue<batch_calls, Payload>>;

    static constexpr bool holds_blobs = std::is_same_v<Payload, by_blob<batch_calls>>;

  public:
    using typename plain::value_type;
    /// What a pop gives: the items, oldest first.
    using batch_type = std::conditional_t<holds_blobs, bytes_batch, std::vector<value_type>>;

    /// An item weighs 1 unless its push says otherwise: `push(item, queues::weight(512))`.
    using plain::emplace, plain::try_emplace;
    using plain::push, plain::try_push, plain::push_for, plain::push_until;
    using plain::push_many, plain::try_push_many, plain::push_many_for;
    using weighing::emplace, weighing::try_emplace;
    using weighing::push, weighing::try_push, weighing::push_for, weighing::push_until;
    using weighing::push_many, weighing::try_push_many, weighing::push_many_for;

    /// Takes the next batch that is due. Waits for one. nullopt: the queue is closed and empty.
    [[nodiscard]] std::optional<batch_type> pop_batch() {
        return made<std::optional<batch_type>>(for_ever, timed);
    }

    /// Takes a batch if one is due, else leaves the items to wait for others. Does not wait.
    /// Or the error empty (none is due), or closed (and empty).
    [[nodiscard]] expected<batch_type, conqueue_status> try_pop_batch() {
        return made<outcome>(at_once, due);
    }

    /// Takes the next batch that is due. Waits for one, `duration` at most; when that is over,
    /// takes what there is. Or the error closed, timeout (there was nothing), or empty: the same
    /// when `duration` is not above 0, or others took what there was at the end.
    template <class Rep, class Period>
    [[nodiscard]] expected<batch_type, conqueue_status>
    pop_batch_for(std::chrono::duration<Rep, Period> duration) {
        return made<outcome>(until{after(duration)}, timed);
    }

    /// As pop_batch_for, until `deadline` on any clock.
    template <class Clock, class Duration>
    [[nodiscard]] expected<batch_type, conqueue_status>
    pop_batch_until(std::chrono::time_point<Clock, Duration> deadline) {
        return made<outcome>(until{deadline}, timed);
    }

    /// As pop_batch, into `batch`, in the place of what is there: allocates nothing if that has
    /// room already for batch_size() items, and this is no more than 512 (256 of those that are
    /// copied). Returns success, or closed (and empty).
    conqueue_status pop_batch_into(batch_type &batch) { return fill(batch, for_ever, timed); }
    /// As try_pop_batch, into `batch`.
    [[nodiscard]] conqueue_status try_pop_batch_into(batch_type &batch) {
        return fill(batch, at_once, due);
    }
    /// As pop_batch_for, into `batch`.
    template <class Rep, class Period>
    [[nodiscard]] conqueue_status pop_batch_into_for(batch_type &batch,
                                                     std::chrono::duration<Rep, Period> duration) {
        return fill(batch, until{after(duration)}, timed);
    }

    /// As pop_batch, but a stop request ends the wait, at most `stop_interval` later. It breaks no
    /// batch off, so it looks for one that is due again and again, at intervals that grow to
    /// `stop_interval`: so much later it may notice one. nullopt: closed and empty, or a stop was
    /// requested (before the call: nothing is tried). `token` is a std::stop_token.
    template <class Token, class = if_stop_token<Token>>
    [[nodiscard]] std::optional<batch_type> pop_batch(const Token &token) {
        if (!token.stop_possible())
            return pop_batch();
        return made<std::optional<batch_type>>(looking<Token>{token}, due);
    }

    /// Makes everything that is in the queue due, in batches of the usual size; what is pushed
    /// later is not. Does not wait.
    void flush() { answer(queues_batch_flush(port_.queue), "flush"); }

    /// How many items there were at some moment of the call: size() by its other name.
    [[nodiscard]] std::size_t pending_count() const noexcept { return this->size(); }
    /// The most items of a batch.
    [[nodiscard]] std::size_t batch_size() const noexcept { return batch_size_; }

  protected:
    batch_queue(std::size_t item_size, const batch_limits &limits)
        : weighing(item_size, options_of(limits)),
          batch_size_(limits.size == 0 ? default_batch_size : limits.size) {}

    using plain::port_;

  private:
    using outcome = expected<batch_type, conqueue_status>;

    std::size_t batch_size_;

    static queues_batch_options_t options_of(const batch_limits &limits) {
        queues_batch_options_t options{};
        options.max_pending = limits.max_pending;
        options.batch_size = limits.size;
        options.batch_timeout_ns = limits.age.count();
        options.batch_weight = limits.weight;
        return options;
    }

    static std::int64_t timed(std::int64_t timeout) { return timeout; }
    static what_is_due due(std::int64_t) { return {}; }

    template <class Token> struct looking {
        const Token &token;
        template <class Call> queues_status_t operator()(Call call) const {
            queues_status_t status = QUEUES_EMPTY;
            std::chrono::nanoseconds pause = std::chrono::microseconds(10);
            while (!token.stop_requested() && (status = call(at_once.timeout)) == QUEUES_EMPTY) {
                std::this_thread::sleep_for(pause);
                pause = (std::min<std::chrono::nanoseconds>)(2 * pause, stop_interval);
            }
            return status;
        }
    };

    template <class Result, class Wait, class When> Result made(Wait wait, When when) {
        batch_type taken;
        const auto status = fill(taken, wait, when);
        if (status == conqueue_status::success)
            return Result(std::in_place, std::move(taken));
        if constexpr (std::is_same_v<Result, std::optional<batch_type>>)
            return std::nullopt;
        else
            return unexpected<conqueue_status>(status);
    }

    // What is allocated is so before anything is taken.
    template <class Wait, class When>
    conqueue_status fill(batch_type &batch, Wait wait, When when) {
        if constexpr (holds_blobs) {
            return fill_with_blobs(batch, wait, when);
        } else {
            batch.clear();
            batch.reserve(batch_size_);
            if constexpr (Payload::kind == travel::bytes)
                return fill_with_copies(batch, wait, when);
            else
                return fill_with_pointers(batch, wait, when);
        }
    }

    template <class Wait, class When>
    conqueue_status fill_with_pointers(batch_type &batch, Wait wait, When when) {
        small_buffer<void *> items(batch_size_);
        std::size_t count = 0;
        const auto status =
            answer(wait([&](std::int64_t timeout) {
                       return batch_calls::get_batch(port_.queue, items.data(), batch_size_, &count,
                                                     when(timeout));
                   }),
                   "pop_batch");
        // If a move throws, the others go, too.
        struct leftovers {
            typename Payload::port &port;
            void **next, **end;
            ~leftovers() {
                while (next != end)
                    Payload(port).adopt(*next++);
            }
        } rest{port_, items.data(), items.data() + count};
        while (rest.next != rest.end) {
            Payload held(port_);
            held.adopt(*rest.next++);
            batch.push_back(held.value());
        }
        return status;
    }

    template <class Wait, class When>
    conqueue_status fill_with_copies(batch_type &batch, Wait wait, When when) {
        bytes_taken taken(batch_size_);
        const auto room = batch_size_ * sizeof(value_type);
        if constexpr (std::is_trivially_move_assignable_v<value_type>) {
            if (batch_size_ > small_buffer<raw<value_type>>::most) {
                // Into the vector itself, which has to hold items for that.
                raw<value_type> blank;
                std::memset(blank.address(), 0, sizeof blank);
                for (std::size_t i = 0; i < batch_size_; ++i)
                    batch.push_back(std::move(blank.value()));
                const auto status = take(batch.data(), room, taken, wait, when);
                while (batch.size() > taken.count)
                    batch.pop_back();
                return status;
            }
        }
        small_buffer<raw<value_type>> items(batch_size_);
        const auto status = take(items.data(), room, taken, wait, when);
        for (std::size_t i = 0; i < taken.count; ++i)
            batch.push_back(std::move(items.data()[i].value()));
        return status;
    }

    template <class Wait, class When>
    conqueue_status fill_with_blobs(batch_type &batch, Wait wait, When when) {
        batch.items_.clear();
        batch.length_ = 0;
        batch.items_.reserve(batch_size_);
        if (batch.buffer_.empty())
            batch.buffer_.resize(4096); // to begin with
        bytes_taken taken(batch_size_);
        conqueue_status status;
        for (;;) {
            status = take(batch.buffer_.data(), batch.buffer_.size(), taken, wait, when);
            if (status != conqueue_status::too_small)
                break;
            batch.buffer_.resize(taken.length);
            taken.length = 0;
        }
        for (std::size_t i = 0; i < taken.count; ++i) {
            const auto &[offset, length] = taken.blobs.data()[i];
            batch.items_.emplace_back(batch.buffer_.data() + offset, length);
        }
        batch.length_ = taken.length;
        return status;
    }

    struct bytes_taken {
        explicit bytes_taken(std::size_t most) : blobs(most) {}
        small_buffer<queues_batch_blob_t> blobs;
        std::size_t length = 0, count = 0;
    };
    template <class Wait, class When>
    conqueue_status take(void *buffer, std::size_t room, bytes_taken &taken, Wait wait, When when) {
        return answer(wait([&](std::int64_t timeout) {
                          return batch_calls::get_batch_bytes(
                              port_.queue, buffer, room, &taken.length, taken.blobs.data(),
                              batch_size_, &taken.count, when(timeout));
                      }),
                      "pop_batch");
    }
};

/// A thief's end of a deque. Any thread may use it, and copy it; each copy keeps the deque alive,
/// and the last to go, of the owner and the stealers, destroys the items that are left.
template <class Payload>
class deque_stealer : public queue_view<deque_calls, Payload, queue_ref<deque_calls>> {
    using base = queue_view<deque_calls, Payload, queue_ref<deque_calls>>;

  public:
    using typename base::value_type;

    deque_stealer(const deque_stealer &other) noexcept
        : deque_stealer(other.port_.queue, other.port_.item_size) {}
    deque_stealer &operator=(const deque_stealer &other) noexcept {
        deque_stealer copy(other);
        std::swap(port_, copy.port_);
        return *this;
    }
    ~deque_stealer() { queues_deque_release(port_.queue); }

    /// Takes the item that was pushed first. Does not wait. Or the error empty, or retry: another
    /// thread took that item meanwhile, and there may be more.
    [[nodiscard]] expected<value_type, conqueue_status> steal() const {
        const auto top = [](std::int64_t) { return at_top{}; };
        return this->template take_when<typename base::outcome>(at_once, top);
    }

    /// Takes up to `count` items, one after the other, and assigns them to `*out++`, in the order
    /// in which they were pushed; other thieves may take some between them. Does not wait. Returns
    /// how many; if none, empty or retry. If assigning throws, that one item is lost.
    template <class Output>
    [[nodiscard]] bulk_result steal_many(Output out, std::size_t count) const {
        return this->take_many(out, count, at_top{}, at_top{});
    }
    /// The same into what `items` holds in a row: as many as its size.
    template <class Range, class = if_writable<Range, value_type>>
    [[nodiscard]] bulk_result steal_many(Range &&items) const {
        return steal_many((std::data)(items), (std::size)(items));
    }

    /// Whether the deque was empty at some moment of the call. Does not wait. Any thread.
    [[nodiscard]] bool is_empty() const noexcept { return queues_deque_is_empty(port_.queue); }

  protected:
    template <class, class> friend class deque_owner;
    deque_stealer(queues_deque_t *deque, std::size_t item_size) noexcept {
        port_ = {queues_deque_retain(deque), item_size};
    }

    using base::port_;
};

/// The owner's end of a deque, and its life. Nothing waits.
template <class Payload, class Stealer>
class deque_owner : public basic_queue<deque_calls, Payload> {
    using base = basic_queue<deque_calls, Payload>;

  public:
    using typename base::argument;
    using typename base::value_type;
    using stealer = Stealer; ///< what thieves have

    /// Puts `value` at the bottom. Owner. False: the deque is full (never if it grows), and `value`
    /// is as it was.
    bool push(const argument &value) { return base::is_in(put(value)); }
    /// The same, moving from `value` when the deque accepts it.
    bool push(argument &&value) { return base::is_in(put(std::move(value))); }

    /// The same as a status: success or full.
    [[nodiscard]] conqueue_status try_push(const argument &value) { return put(value); }
    /// The same, moving from `value` when the deque accepts it.
    [[nodiscard]] conqueue_status try_push(argument &&value) { return put(std::move(value)); }

    /// Constructs an item from `args` and puts it at the bottom. Owner. False: the deque is full,
    /// and `args` are as they were: only the owner can fill it. (Of a deque that finds no memory to
    /// grow, which throws std::bad_alloc, the item is destroyed.) The statistics of stealers do not
    /// count the emplaces that found it full.
    template <class... Args> bool emplace(Args &&...args) {
        return base::is_in(construct(std::forward<Args>(args)...));
    }
    /// The same as a status: success or full.
    template <class... Args> [[nodiscard]] conqueue_status try_emplace(Args &&...args) {
        return construct(std::forward<Args>(args)...);
    }

    /// Takes the item that was pushed last. Owner. nullopt: the deque is empty.
    [[nodiscard]] std::optional<value_type> pop() {
        return this->template take_when<typename base::popped>(at_once, bottom);
    }

    /// Another thief's end. Any thread.
    [[nodiscard]] Stealer get_stealer() const noexcept {
        return Stealer(this->port_.queue, this->port_.item_size);
    }

    /// Whether the deque was empty at some moment of the call. Any thread.
    [[nodiscard]] bool is_empty() const noexcept {
        return queues_deque_is_empty(this->port_.queue);
    }

  protected:
    template <class... Modes>
    deque_owner(std::size_t capacity, std::size_t item_size, Modes... modes)
        : base(capacity, item_size, (std::uint64_t{0} | ... | flag(modes))),
          grows_((... || std::is_same_v<Modes, growable_t>)) {}

  private:
    const bool grows_;

    static at_bottom bottom(std::int64_t) { return {}; }

    template <class Value> conqueue_status put(Value &&value) {
        return this->put_when(std::forward<Value>(value), at_once, bottom);
    }
    template <class... Args> conqueue_status construct(Args &&...args) {
        if constexpr (is_itself<argument, Args...>::value) {
            return put(std::forward<Args>(args)...);
        } else {
            if constexpr (!base::template emplaces_alone<Args...>) {
                if (!grows_ && this->size() >= this->capacity())
                    return this->refuse();
            }
            return this->emplace_now(at_bottom{}, std::forward<Args>(args)...);
        }
    }
};

/// A thief's end of a deque of byte strings.
class bytes_stealer : public deque_stealer<by_blob<deque_calls>> {
  public:
    /// The length of the longest item.
    [[nodiscard]] std::size_t item_size() const noexcept { return port_.item_size; }

    /// As steal, into the caller's buffer: allocates nothing. Returns the item's length, or the
    /// error empty, retry, or too_small when the item is longer than `capacity` (it stays).
    [[nodiscard]] expected<std::size_t, conqueue_status> steal_into(void *buffer,
                                                                    std::size_t capacity) const {
        return take_into(buffer, capacity, at_top{});
    }

  private:
    template <class, class> friend class deque_owner;
    using deque_stealer::deque_stealer;
};

template <class T> using mpmc_of = mpmc_queue<payload_of<mpmc_calls, T>>;
template <class T> using spsc_of = spsc_queue<payload_of<spsc_calls, T>>;
template <class T> using priority_of = priority_queue<payload_of<priority_calls, T>>;
template <class T> using batch_of = batch_queue<payload_of<batch_calls, T>>;
template <class T> using stealer_of = deque_stealer<payload_of<deque_calls, T>>;
template <class T> using deque_of = deque_owner<payload_of<deque_calls, T>, stealer_of<T>>;

} // namespace detail

/// The statistics of several queues in Prometheus' text exposition format, each with its name
/// (UTF-8) as the label `queue`. All queues of a page belong into one call: a metric may be
/// described only once on it. Throws std::invalid_argument for a name that is no UTF-8.
inline std::string
to_prometheus(const std::vector<std::pair<std::string, statistics>> &named_queues) {
    std::vector<statistics> counters;
    std::vector<const char *> names;
    for (const auto &[name, queue] : named_queues) {
        names.push_back(name.c_str());
        counters.push_back(queue);
    }
    return detail::text("to_prometheus", [&](char *to, std::size_t room, std::size_t *length) {
        return queues_stats_prometheus(counters.data(), names.data(), names.size(), to, room,
                                       length);
    });
}

/// A bounded FIFO queue of T for any number of producers and consumers.
template <class T> class mpmc : public detail::mpmc_of<T> {
    using base = detail::mpmc_of<T>;

  public:
    /// Extension. A queue of the library's default capacity. Throws std::bad_alloc.
    mpmc() : base(detail::default_capacity, base::slot_size) {}
    /// A queue with room for exactly `capacity` items. Throws std::bad_alloc, and
    /// std::invalid_argument for 0 or more than an address space holds.
    explicit mpmc(std::size_t capacity) : base(detail::exactly(capacity), base::slot_size) {}
};

/// A bounded FIFO queue of T from one producer thread to one consumer thread at a time.
template <class T> class spsc : public detail::spsc_of<T> {
    using base = detail::spsc_of<T>;

  public:
    /// Extension. A queue of the library's default capacity. Throws std::bad_alloc.
    spsc() : base(detail::default_capacity, base::slot_size, false) {}
    /// A queue with room for exactly `capacity` items. Throws std::bad_alloc, and
    /// std::invalid_argument for 0 or more than an address space holds.
    explicit spsc(std::size_t capacity) : base(detail::exactly(capacity), base::slot_size, false) {}
    /// The same; a call that overlaps another of its side, which is an error in the program, throws
    /// `misuse` and changes nothing.
    spsc(std::size_t capacity, checked_t)
        : base(detail::exactly(capacity), base::slot_size, true) {}
};

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

/// Extension. A bounded queue of T for any number of producers and consumers whose items are taken
/// in batches: when there are enough of them, or when the oldest has waited long enough. First in,
/// first out; each item is in one batch.
///
///     queues::batcher<request> queue({.size = 8, .age = std::chrono::milliseconds(2)}); // C++20
///     queue.push(std::move(r));
///     while (auto batch = queue.pop_batch()) // a std::vector<request>
///         serve(*batch);
template <class T> class batcher : public detail::batch_of<T> {

  public:
    /// A queue of the library's default limits. Throws std::bad_alloc.
    batcher() : batcher(batch_limits()) {}
    /// A queue whose batches keep to these limits. Throws std::bad_alloc, and std::invalid_argument
    /// when a batch does not fit into the queue, or the weights of a full queue into 63 bits.
    explicit batcher(const batch_limits &limits)
        : detail::batch_of<T>(detail::batch_of<T>::slot_size, limits) {}
    batcher(batcher &) = delete; // not const, or `batcher<T> queue({})` could mean it
};

/// Extension. A work-stealing deque of T: one thread at a time, its owner, pushes and pops at the
/// bottom, last in first out; any number of thieves steal at the top, first in first out, each by a
/// stealer. The calls of the owner are the members of this class but for those that any thread may
/// call. Never closed: who owns it knows when nothing more is to come.
template <class T> class deque : public detail::deque_of<T> {
    using base = detail::deque_of<T>;

  public:
    /// A deque of the library's default capacity. Throws std::bad_alloc.
    deque() : base(detail::default_capacity, base::slot_size) {}
    /// A deque with room for exactly `capacity` items. Throws std::bad_alloc, and
    /// std::invalid_argument for 0 or more than an address space holds. With `growable` it doubles
    /// its capacity when it is full, and a push that finds no memory throws std::bad_alloc; with
    /// `checked` a push or pop that overlaps another one, which is an error in the program, throws
    /// `misuse` and changes nothing.
    template <class... Modes>
    explicit deque(std::size_t capacity, Modes... modes)
        : base(detail::exactly(capacity), base::slot_size, modes...) {}
};

/// A bounded FIFO queue of byte strings for any number of producers and consumers. A push takes a
/// bytes_view and copies its bytes into the queue, a pop gives a std::vector<std::byte>, for which
/// it allocates `item_size()` bytes (pop_into allocates nothing). A push of more than `item_size()`
/// bytes throws std::invalid_argument. Items can be written and read in place, too: `reserve` and
/// `lease`.
class mpmc_bytes
    : public detail::bytes_queue<detail::mpmc_queue<detail::by_blob<detail::mpmc_calls>>> {
  public:
    /// A queue with room for exactly `capacity` items of up to `item_size` bytes. Throws
    /// std::bad_alloc, and std::invalid_argument when either is 0 or the product is beyond all
    /// memory.
    mpmc_bytes(std::size_t capacity, std::size_t item_size)
        : bytes_queue(detail::exactly(capacity), item_size) {}

    /// Extension. A cell of the queue for one item, to be written in place. It is no place in the
    /// queue: `commit` takes that. Destroyed without a commit (by an exception, say), it cancels
    /// itself, and the queue is as it was. A thread may hold several, for any time. The queue must
    /// outlive it. Any thread may use it, one at a time.
    class reservation {
      public:
        reservation(reservation &&other) noexcept
            : queue_(other.queue_), data_(std::exchange(other.data_, nullptr)) {}
        reservation &operator=(reservation &&other) noexcept {
            std::swap(queue_, other.queue_);
            std::swap(data_, other.data_);
            return *this;
        }
        ~reservation() { cancel(); }

        /// Where to write: `size()` bytes, aligned for std::uint64_t; nullptr once it has ended.
        [[nodiscard]] std::byte *data() const noexcept { return static_cast<std::byte *>(data_); }
        /// The queue's item size.
        [[nodiscard]] std::size_t size() const noexcept { return queue_->item_size(); }
        /// Puts the first `length` bytes into the queue as an item. Does not wait. Returns success;
        /// or full or closed, and the reservation stays as it is: commit again, or let it go.
        /// Throws std::invalid_argument when `length` is above `size()` or the reservation has
        /// ended.
        conqueue_status commit(std::size_t length) {
            const auto status =
                detail::answer(queues_mpmc_commit(queue_->port_.queue, data_, length), "commit");
            if (status == conqueue_status::success)
                data_ = nullptr;
            return status;
        }
        /// Gives the cell back. Does not wait. Does nothing when the reservation has ended.
        void cancel() noexcept {
            if (data_ != nullptr)
                queues_mpmc_cancel(queue_->port_.queue, std::exchange(data_, nullptr));
        }

      private:
        friend mpmc_bytes;
        reservation(mpmc_bytes &queue, void *data) noexcept : queue_(&queue), data_(data) {}

        mpmc_bytes *queue_;
        void *data_;
    };

    /// Extension. Reserves a cell for an item. Waits for room. Any thread. Or the error closed.
    [[nodiscard]] expected<reservation, conqueue_status> reserve() {
        return reserve_within(detail::for_ever);
    }
    /// Extension. The same without waiting; also the error full.
    [[nodiscard]] expected<reservation, conqueue_status> try_reserve() noexcept {
        return reserve_within(detail::at_once);
    }
    /// Extension. The same, waiting `duration` at most; also the errors full and timeout.
    template <class Rep, class Period>
    [[nodiscard]] expected<reservation, conqueue_status>
    reserve_for(std::chrono::duration<Rep, Period> duration) {
        return reserve_within(detail::within_duration(duration));
    }

    /// Extension. An item that was taken out of the queue and still lies in its cell, to be read
    /// (and written) in place. `consume` ends the lease. Destroyed without it (by an exception,
    /// say), the lease puts the item back, at the end of the queue; if the queue is full or closed
    /// then, the item is lost. The queue must outlive the lease. Any thread may use it, one at a
    /// time.
    class leased_item {
      public:
        leased_item(leased_item &&other) noexcept
            : queue_(other.queue_), data_(std::exchange(other.data_, nullptr)), size_(other.size_) {
        }
        leased_item &operator=(leased_item &&other) noexcept {
            std::swap(queue_, other.queue_);
            std::swap(data_, other.data_);
            std::swap(size_, other.size_);
            return *this;
        }
        ~leased_item() {
            if (data_ != nullptr && queues_mpmc_return(queue_->port_.queue, data_) != QUEUES_OK)
                queues_mpmc_settle(queue_->port_.queue, data_);
        }

        /// The item's bytes, aligned for std::uint64_t; nullptr once the lease has ended.
        [[nodiscard]] std::byte *data() const noexcept { return static_cast<std::byte *>(data_); }
        /// How many there are.
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
        /// Ends the lease: the item is done with. Does not wait. Throws std::invalid_argument when
        /// the lease has ended.
        void consume() {
            detail::answer(queues_mpmc_settle(queue_->port_.queue, data_), "consume");
            data_ = nullptr;
        }
        /// Puts the item at the end of the queue, with the bytes that it has now. Does not wait.
        /// Returns success; or full or closed, and the lease goes on. Throws std::invalid_argument
        /// when the lease has ended.
        conqueue_status put_back() {
            const auto status =
                detail::answer(queues_mpmc_return(queue_->port_.queue, data_), "put_back");
            if (status == conqueue_status::success)
                data_ = nullptr;
            return status;
        }

      private:
        friend mpmc_bytes;
        leased_item(mpmc_bytes &queue, void *data, std::size_t size) noexcept
            : queue_(&queue), data_(data), size_(size) {}

        mpmc_bytes *queue_;
        void *data_;
        std::size_t size_;
    };

    /// Extension. Takes the front item out of the queue and lends it where it lies: its place is
    /// free. Waits for one. Any thread. Or the error closed (and empty).
    [[nodiscard]] expected<leased_item, conqueue_status> lease() {
        return lease_within(detail::for_ever);
    }
    /// Extension. The same without waiting; also the error empty.
    [[nodiscard]] expected<leased_item, conqueue_status> try_lease() noexcept {
        return lease_within(detail::at_once);
    }
    /// Extension. The same, waiting `duration` at most; also the errors empty and timeout.
    template <class Rep, class Period>
    [[nodiscard]] expected<leased_item, conqueue_status>
    lease_for(std::chrono::duration<Rep, Period> duration) {
        return lease_within(detail::within_duration(duration));
    }

  private:
    expected<reservation, conqueue_status> reserve_within(detail::within wait) {
        void *data;
        const auto status =
            detail::answer(queues_mpmc_reserve(port_.queue, &data, wait.timeout), "reserve");
        if (status == conqueue_status::success)
            return reservation(*this, data);
        return unexpected<conqueue_status>(status);
    }
    expected<leased_item, conqueue_status> lease_within(detail::within wait) {
        void *data;
        std::size_t size;
        const auto status =
            detail::answer(queues_mpmc_lease(port_.queue, &data, &size, wait.timeout), "lease");
        if (status == conqueue_status::success)
            return leased_item(*this, data, size);
        return unexpected<conqueue_status>(status);
    }
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

/// Extension. A batching queue of byte strings, as mpmc_bytes and batcher<T> are. Its pops give a
/// bytes_batch, all of whose bytes lie in one buffer.
class batcher_bytes : public detail::batch_queue<detail::by_blob<detail::batch_calls>> {
  public:
    /// A queue of byte strings of up to `item_size` bytes, whose batches keep to these limits.
    /// Throws as batcher<T> does, and std::invalid_argument when `item_size` is 0 or all items
    /// together are beyond all memory.
    explicit batcher_bytes(std::size_t item_size, const batch_limits &limits = {})
        : batch_queue(item_size, limits) {}

    /// The length of the longest item.
    [[nodiscard]] std::size_t item_size() const noexcept { return port_.item_size; }
};

/// Extension. A work-stealing deque of byte strings, as mpmc_bytes and deque<T> are.
class deque_bytes
    : public detail::deque_owner<detail::by_blob<detail::deque_calls>, detail::bytes_stealer> {
  public:
    /// A deque with room for exactly `capacity` items of up to `item_size` bytes; `growable` and
    /// `checked` as in deque<T>. Throws std::bad_alloc, and std::invalid_argument when either is 0
    /// or the product is beyond all memory.
    template <class... Modes>
    deque_bytes(std::size_t capacity, std::size_t item_size, Modes... modes)
        : deque_owner(detail::exactly(capacity), item_size, modes...) {}

    /// The length of the longest item.
    [[nodiscard]] std::size_t item_size() const noexcept { return port_.item_size; }

    /// As pop, into the caller's buffer: allocates nothing. Returns the item's length, or the error
    /// empty, or too_small when the item is longer than `capacity` (it stays).
    [[nodiscard]] expected<std::size_t, conqueue_status> pop_into(void *buffer,
                                                                  std::size_t capacity) {
        return take_into(buffer, capacity, detail::at_bottom{});
    }
};

/// A bounded FIFO queue of byte strings from one producer thread to one consumer thread at a time.
/// Beside what mpmc_bytes has, items can be written and read in place.
class spsc_bytes
    : public detail::bytes_queue<detail::spsc_queue<detail::by_blob<detail::spsc_calls>>> {
  public:
    /// A queue with room for exactly `capacity` items of up to `item_size` bytes. Throws
    /// std::bad_alloc, and std::invalid_argument when either is 0 or the product is beyond all
    /// memory.
    spsc_bytes(std::size_t capacity, std::size_t item_size)
        : bytes_queue(detail::exactly(capacity), item_size, false) {}
    /// The same; a call that overlaps another of its side throws `misuse` and changes nothing.
    spsc_bytes(std::size_t capacity, std::size_t item_size, checked_t)
        : bytes_queue(detail::exactly(capacity), item_size, true) {}

    /// Extension. Room for one item at the back of the queue, to be written in place. The consumer
    /// sees nothing of it before `commit`; dropped without one, by an exception say, it leaves the
    /// queue as it was. It ends with the producer's next push or reserve.
    class reservation {
      public:
        reservation(reservation &&) noexcept = default;
        reservation &operator=(reservation &&) noexcept = default;

        /// Where to write: `size()` bytes, aligned for std::uint64_t.
        [[nodiscard]] std::byte *data() const noexcept { return data_; }
        /// The queue's item size.
        [[nodiscard]] std::size_t size() const noexcept { return queue_->item_size(); }
        /// Puts the first `length` bytes into the queue as an item. Does not wait. Producer.
        /// Returns success, or closed if the queue has been closed meanwhile. Throws
        /// std::invalid_argument when `length` is above `size()`, `misuse` when the reservation has
        /// ended.
        conqueue_status commit(std::size_t length) {
            return detail::answer(queues_spsc_commit(queue_->port_.queue, length), "commit");
        }

      private:
        friend spsc_bytes;
        reservation(spsc_bytes &queue, void *data) noexcept
            : queue_(&queue), data_(static_cast<std::byte *>(data)) {}

        spsc_bytes *queue_;
        std::byte *data_;
    };

    /// Extension. Reserves room for an item. Waits for room. Producer. Or the error closed.
    [[nodiscard]] expected<reservation, conqueue_status> reserve() {
        return reserve_within(detail::for_ever);
    }
    /// Extension. The same without waiting; also the error full.
    [[nodiscard]] expected<reservation, conqueue_status> try_reserve() {
        return reserve_within(detail::at_once);
    }
    /// Extension. The same, waiting `duration` at most; also the errors full and timeout.
    template <class Rep, class Period>
    [[nodiscard]] expected<reservation, conqueue_status>
    reserve_for(std::chrono::duration<Rep, Period> duration) {
        return reserve_within(detail::within_duration(duration));
    }

    /// Extension. The item in front, to be read in place. It leaves the queue by `consume`; dropped
    /// without one it stays in front. It ends with the consumer's next pop or clear.
    class front_item {
      public:
        front_item(front_item &&) noexcept = default;
        front_item &operator=(front_item &&) noexcept = default;

        /// The item's bytes, aligned for std::uint64_t.
        [[nodiscard]] const std::byte *data() const noexcept { return data_; }
        /// How many there are.
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
        /// Takes the item out of the queue. Does not wait. Consumer. Returns success; empty or
        /// closed when it is no longer there.
        conqueue_status consume() {
            return detail::answer(queues_spsc_consume(queue_->port_.queue), "consume");
        }

      private:
        friend spsc_bytes;
        front_item(spsc_bytes &queue, const void *data, std::size_t size) noexcept
            : queue_(&queue), data_(static_cast<const std::byte *>(data)), size_(size) {}

        spsc_bytes *queue_;
        const std::byte *data_;
        std::size_t size_;
    };

    /// Extension. The item in front. Waits for one. Consumer. Or the error closed (and empty).
    [[nodiscard]] expected<front_item, conqueue_status> front() {
        return front_within(detail::for_ever);
    }
    /// Extension. The same without waiting; also the error empty.
    [[nodiscard]] expected<front_item, conqueue_status> try_front() {
        return front_within(detail::at_once);
    }
    /// Extension. The same, waiting `duration` at most; also the errors empty and timeout.
    template <class Rep, class Period>
    [[nodiscard]] expected<front_item, conqueue_status>
    front_for(std::chrono::duration<Rep, Period> duration) {
        return front_within(detail::within_duration(duration));
    }

  private:
    expected<reservation, conqueue_status> reserve_within(detail::within wait) {
        void *data;
        const auto status =
            detail::answer(queues_spsc_reserve(port_.queue, &data, wait.timeout), "reserve");
        if (status == conqueue_status::success)
            return reservation(*this, data);
        return unexpected<conqueue_status>(status);
    }
    expected<front_item, conqueue_status> front_within(detail::within wait) {
        const void *data;
        std::size_t size;
        const auto status =
            detail::answer(queues_spsc_front(port_.queue, &data, &size, wait.timeout), "front");
        if (status == conqueue_status::success)
            return front_item(*this, data, size);
        return unexpected<conqueue_status>(status);
    }
};

} // namespace queues

#undef QUEUES_THROW
#pragma pop_macro("all")
#pragma pop_macro("answer")
#pragma pop_macro("assign")
#pragma pop_macro("begin")
#pragma pop_macro("box")
#pragma pop_macro("byte")
#pragma pop_macro("call")
#pragma pop_macro("cell")
#pragma pop_macro("check")
#pragma pop_macro("clear")
#pragma pop_macro("close")
#pragma pop_macro("copy")
#pragma pop_macro("count")
#pragma pop_macro("data")
#pragma pop_macro("debug")
#pragma pop_macro("empty")
#pragma pop_macro("end")
#pragma pop_macro("erase")
#pragma pop_macro("error")
#pragma pop_macro("expected")
#pragma pop_macro("far")
#pragma pop_macro("flag")
#pragma pop_macro("full")
#pragma pop_macro("get")
#pragma pop_macro("item")
#pragma pop_macro("left")
#pragma pop_macro("length")
#pragma pop_macro("likely")
#pragma pop_macro("look")
#pragma pop_macro("max")
#pragma pop_macro("min")
#pragma pop_macro("move")
#pragma pop_macro("near")
#pragma pop_macro("none")
#pragma pop_macro("place")
#pragma pop_macro("pop")
#pragma pop_macro("port")
#pragma pop_macro("push")
#pragma pop_macro("put")
#pragma pop_macro("raise")
#pragma pop_macro("raw")
#pragma pop_macro("refresh")
#pragma pop_macro("require")
#pragma pop_macro("result")
#pragma pop_macro("retry")
#pragma pop_macro("send")
#pragma pop_macro("size")
#pragma pop_macro("small")
#pragma pop_macro("status")
#pragma pop_macro("stop")
#pragma pop_macro("success")
#pragma pop_macro("take")
#pragma pop_macro("test")
#pragma pop_macro("text")
#pragma pop_macro("timeout")
#pragma pop_macro("token")
#pragma pop_macro("unexpected")
#pragma pop_macro("unlikely")
#pragma pop_macro("until")
#pragma pop_macro("verify")
#pragma pop_macro("view")
#pragma pop_macro("visit")
#pragma pop_macro("weight")
#pragma pop_macro("within")
#pragma pop_macro("word")
#endif // C++17
#endif
