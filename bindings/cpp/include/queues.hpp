/// \file
/// Concurrent queues for C++17 and later: a thin header over the C library (queues.h, libqueues).
///
///     queues::mpmc<request> queue(1024); // any number of threads at both ends
///     queue.push(std::move(r));          // waits for room; false: the queue is closed
///     while (auto next = queue.pop())    // waits for an item; nullopt: closed and empty
///         serve(*next);
///
/// Names and results are those of the standard proposal P0260; what goes beyond it is marked as an
/// extension. A member is one C call and its translation (a few calls where its comment says so),
/// so queues.h is the last word on what the queues promise.
///
/// How a T travels is chosen when the queue's type is:
/// - trivially copyable and no larger than a pointer: as the pointer's bits;
/// - trivially copyable, up to `inline_limit` bytes: copied into the queue's slot;
/// - `std::unique_ptr<U>`: as its pointer;
/// - anything else: in a box from operator new, which a push makes and a pop frees.
/// Only the last allocates. Items left in a queue when it goes are destroyed.
///
/// Exceptions. What a correct program meets (empty, full, closed, timeout, retry) is an answer. The
/// rest throws: `misuse` for two producers, consumers or owners at once in a checked spsc or deque,
/// `std::invalid_argument` for what the C call refuses, `std::bad_alloc` for want of memory.
/// - A push that does not put its item in the queue, whether it answers so or throws, leaves its
///   argument as it was: nothing is moved from it for good before the queue has accepted it. One
///   exception: a boxed T that can be moved but not copied and whose move throws leaves the
///   argument as that move leaves it. A boxed T that can be copied and whose move may throw is
///   copied, never moved, into the queue (as std::vector does on growth).
/// - A pop whose T throws on being moved out loses that one item, as in P0260; the others stay in
///   the queue. Of a batch, those behind it are destroyed; those before it are the caller's if they
///   were popped into a vector of the caller's, else they are destroyed too. A `std::unique_ptr<T>`
///   item is moved out without such a risk.
#ifndef QUEUES_HPP
#define QUEUES_HPP

#include <queues.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>
#if __has_include(<version>)
#include <version>
#endif
#ifdef __cpp_lib_expected
#include <expected>
#endif
#ifdef __cpp_lib_jthread
#include <stop_token>
#include <thread>
#endif
#ifdef __cpp_lib_span
#include <span>
#endif

namespace queues {

// Members that return an expected are other functions with the standard's class than with ours:
// the inline namespace keeps them apart when C++17 and C++23 files are linked into one program.
#ifdef __cpp_lib_expected
inline namespace with_std_expected {

using std::bad_expected_access;
using std::expected;
using std::unexpected;

#else
inline namespace with_own_expected {

/// Stands in for std::unexpected before C++23.
template <class E> class unexpected {
  public:
    explicit unexpected(E error) : error_(std::move(error)) {}
    const E &error() const noexcept { return error_; }

  private:
    E error_;
};

/// Stands in for std::bad_expected_access before C++23.
template <class E> class bad_expected_access : public std::exception {
  public:
    explicit bad_expected_access(E error) : error_(std::move(error)) {}
    const char *what() const noexcept override { return "bad access to queues::expected"; }
    const E &error() const noexcept { return error_; }

  private:
    E error_;
};

/// Stands in for std::expected before C++23: the part of it that the results of a queue need.
template <class T, class E> class expected {
  public:
    using value_type = T;
    using error_type = E;

    expected(const T &value) : state_(std::in_place_index<0>, value) {}
    expected(T &&value) : state_(std::in_place_index<0>, std::move(value)) {}
    expected(unexpected<E> error) : state_(std::in_place_index<1>, error.error()) {}
    template <class... Args>
    explicit expected(std::in_place_t, Args &&...args)
        : state_(std::in_place_index<0>, std::forward<Args>(args)...) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T *operator->() noexcept { return std::get_if<0>(&state_); }
    const T *operator->() const noexcept { return std::get_if<0>(&state_); }
    T &operator*() &noexcept { return *operator->(); }
    const T &operator*() const &noexcept { return *operator->(); }
    T &&operator*() &&noexcept { return std::move(*operator->()); }

    T &value() & { return check(), **this; }
    const T &value() const & { return check(), **this; }
    T &&value() && { return check(), *std::move(*this); }
    template <class U> T value_or(U &&other) const & {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }
    template <class U> T value_or(U &&other) && {
        return has_value() ? *std::move(*this) : static_cast<T>(std::forward<U>(other));
    }
    const E &error() const noexcept { return *std::get_if<1>(&state_); }

  private:
    void check() const {
        if (!has_value())
            throw bad_expected_access<E>(error());
    }

    std::variant<T, E> state_;
};

#endif

/// What an operation came to. The values are those of queues.h.
enum class conqueue_status : queues_status_t {
    success = QUEUES_OK,
    empty = QUEUES_EMPTY,
    full = QUEUES_FULL,
    closed = QUEUES_CLOSED,
    timeout = QUEUES_TIMEOUT,     ///< extension: the time given passed while waiting
    retry = QUEUES_RETRY,         ///< extension: another thread took the item; there may be more
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

/// Trivially copyable items up to this many bytes travel inside the queue's slots, larger ones in a
/// box: a slot is paid for whether it is used or not.
inline constexpr std::size_t inline_limit = 1024;

/// A wait with a std::stop_token looks at the token this often: the C library has no call that
/// wakes one waiter. Each such look that finds nothing counts as failed in the statistics.
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

[[noreturn]] inline void raise(queues_status_t status, const char *call) {
    if (status == QUEUES_NOMEM)
        throw std::bad_alloc();
    const std::string text = std::string("queues: ") + call + ": " + queues_status_string(status);
    if (status == QUEUES_INVALID)
        throw std::invalid_argument(text);
    if (status == QUEUES_MISUSE)
        throw misuse(text);
    throw std::runtime_error(text);
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
    constexpr auto longest = std::numeric_limits<std::int64_t>::max();
    return count >= static_cast<long double>(longest) ? longest : static_cast<std::int64_t>(count);
}

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

#ifdef __cpp_lib_jthread
struct unless_stopped {
    const std::stop_token &token;
    template <class Call> queues_status_t operator()(Call call) const {
        if (!token.stop_possible())
            return call(for_ever.timeout);
        queues_status_t status = QUEUES_TIMEOUT;
        while (status == QUEUES_TIMEOUT && !token.stop_requested())
            status = call(nanoseconds(stop_interval));
        return status;
    }
};
#endif

struct mpmc_calls {
    using handle = queues_mpmc_t;
    using options = queues_mpmc_options_t;
    using putting = std::int64_t;
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
        if (std::isnan(priority)) // before a box is made for the item
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
    weight heaviness{};
};
struct what_is_due {};
struct batch_calls {
    using handle = queues_batch_t;
    using options = queues_batch_options_t;
    using putting = weighed_put;
    static constexpr auto create = queues_batch_create;
    static constexpr auto release = queues_batch_release;
    static queues_status_t put(handle *queue, void *item, weighed_put when) {
        return queues_batch_put_weighted(queue, item, when.heaviness.units, when.timeout);
    }
    static queues_status_t put_bytes(handle *queue, const void *data, std::size_t length,
                                     weighed_put when) {
        return queues_batch_put_weighted_bytes(queue, data, length, when.heaviness.units,
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
struct at_bottom {};
struct at_top {};
struct deque_calls {
    using handle = queues_deque_t;
    using options = queues_deque_options_t;
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

// How an item travels: a payload class puts arguments, and an object of it holds one item that a
// get took out of the queue until `value` hands it on. By pointer, what differs is how a T becomes
// a void * and back: `adopt` takes over a void * from the queue, `look` shows one that stays there.
//
// `when` is what the family's calls take behind the item: the timeout, and what else there is; with
// a deque, which has no timeouts, the end.
enum class travel { bits, owner, box, bytes };

template <class Calls, class T, class Derived> class by_pointer {
  public:
    using handle = typename Calls::handle;
    using argument = T;
    using value_type = T;
    static constexpr std::size_t slot_size = 0; // to the C queue: the item is a void *

    template <class When> queues_status_t get(handle *queue, When when) {
        void *item;
        const auto status = Calls::get(queue, &item, when);
        if (status == QUEUES_OK)
            self().adopt(item);
        return status;
    }
    template <class Visit, class... Rank>
    queues_status_t peek(handle *queue, Visit &&visit, Rank... rank) {
        void *item;
        const auto status = Calls::peek(queue, &item, rank...);
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

template <class Calls, class T> class by_bits : public by_pointer<Calls, T, by_bits<Calls, T>> {
  public:
    static constexpr travel kind = travel::bits;
    static constexpr queues_drop_t drop = nullptr;

    explicit by_bits(std::size_t) noexcept {}

    static void *encode(const T &value) noexcept {
        void *item = nullptr;
        std::memcpy(&item, std::addressof(value), sizeof value);
        return item;
    }
    template <class When>
    static queues_status_t put(typename Calls::handle *queue, const T &value, When when) {
        return Calls::put(queue, encode(value), when);
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
class by_owner : public by_pointer<Calls, Owner, by_owner<Calls, Owner>> {
  public:
    static constexpr travel kind = travel::owner;
    static void drop(void *, void *item) { by_owner(0).adopt(item); }

    explicit by_owner(std::size_t) noexcept {}

    static void *encode(const Owner &owner) noexcept {
        return const_cast<void *>(static_cast<const volatile void *>(owner.get()));
    }
    static void accepted(Owner &&owner) noexcept { static_cast<void>(owner.release()); }
    template <class When>
    static queues_status_t put(typename Calls::handle *queue, Owner &&owner, When when) {
        const auto status = Calls::put(queue, encode(owner), when);
        if (status == QUEUES_OK)
            accepted(std::move(owner));
        return status;
    }

    void adopt(void *item) noexcept { owner_.reset(static_cast<typename Owner::pointer>(item)); }
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

template <class Calls, class T> class by_box : public by_pointer<Calls, T, by_box<Calls, T>> {
  public:
    using handle = typename Calls::handle;
    static constexpr travel kind = travel::box;
    static void drop(void *, void *item) { delete static_cast<T *>(item); }

    explicit by_box(std::size_t) noexcept {}

    template <class When> static queues_status_t put(handle *queue, const T &value, When when) {
        return emplace(queue, when, value);
    }
    template <class When> static queues_status_t put(handle *queue, T &&value, When when) {
        constexpr bool sure_to_come_back =
            std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;
        if constexpr (std::is_copy_constructible_v<T> && !sure_to_come_back) {
            return emplace(queue, when, std::as_const(value));
        } else {
            static_assert(
                std::is_move_assignable_v<T>,
                "a T that can be neither copied nor assigned cannot come back from a push "
                "that fails: use emplace, or a queue of std::unique_ptr<T>");
            auto box = std::make_unique<T>(std::move(value));
            const auto status = send(queue, box, when);
            if (box)
                value = std::move(*box);
            return status;
        }
    }
    template <class When, class... Args>
    static queues_status_t emplace(handle *queue, When when, Args &&...args) {
        auto box = std::make_unique<T>(std::forward<Args>(args)...);
        return send(queue, box, when);
    }

    void adopt(void *item) noexcept { box_.reset(static_cast<T *>(item)); }
    template <class Visit> void look(void *item, Visit &visit) {
        visit(*static_cast<const T *>(item));
    }
    T &&value() noexcept { return std::move(*box_); }

  private:
    template <class When>
    static queues_status_t send(handle *queue, std::unique_ptr<T> &box, When when) {
        const auto status = Calls::put(queue, box.get(), when);
        if (status == QUEUES_OK)
            static_cast<void>(box.release());
        return status;
    }

    std::unique_ptr<T> box_;
};

// In the queue's own slots, all of them of one length.
template <class Calls, class T> class by_copy {
  public:
    using handle = typename Calls::handle;
    using argument = T;
    using value_type = T;
    static constexpr travel kind = travel::bytes;
    static constexpr std::size_t slot_size = sizeof(T);
    static constexpr queues_drop_t drop = nullptr;

    explicit by_copy(std::size_t) noexcept {}

    template <class When> static queues_status_t put(handle *queue, const T &value, When when) {
        return Calls::put_bytes(queue, std::addressof(value), sizeof value, when);
    }
    template <class When> queues_status_t get(handle *queue, When when) {
        std::size_t size;
        return Calls::get_bytes(queue, room_.address(), sizeof(T), &size, when);
    }
    template <class Visit, class... Rank>
    queues_status_t peek(handle *queue, Visit &&visit, Rank... rank) {
        std::size_t size;
        const auto status = Calls::peek_bytes(queue, room_.address(), sizeof(T), &size, rank...);
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
    using handle = typename Calls::handle;
    using argument = bytes_view;
    using value_type = std::vector<std::byte>;
    static constexpr std::size_t slot_size = 0; // told when the queue is made
    static constexpr travel kind = travel::bytes;
    static constexpr queues_drop_t drop = nullptr;

    explicit by_blob(std::size_t item_size) : bytes_(item_size) {}

    template <class When> static queues_status_t put(handle *queue, bytes_view bytes, When when) {
        return Calls::put_bytes(queue, bytes.data(), bytes.size(), when);
    }
    template <class When> queues_status_t get(handle *queue, When when) {
        std::size_t size = 0;
        const auto status = Calls::get_bytes(queue, bytes_.data(), bytes_.size(), &size, when);
        if (status == QUEUES_OK)
            bytes_.resize(size);
        return status;
    }
    template <class Visit, class... Rank>
    queues_status_t peek(handle *queue, Visit &&visit, Rank... rank) {
        std::size_t size = 0;
        const auto status = Calls::peek_bytes(queue, bytes_.data(), bytes_.size(), &size, rank...);
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

template <class T> struct is_plain_unique_ptr : std::false_type {};
template <class U>
struct is_plain_unique_ptr<std::unique_ptr<U, std::default_delete<U>>>
    : std::negation<std::is_array<U>> {};

template <class Calls, class T>
using payload_of = std::conditional_t<
    std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(void *), by_bits<Calls, T>,
    std::conditional_t<
        std::is_trivially_copyable_v<T> && sizeof(T) <= inline_limit, by_copy<Calls, T>,
        std::conditional_t<is_plain_unique_ptr<T>::value, by_owner<Calls, T>, by_box<Calls, T>>>>;

// A bulk push reads an item again once it is accepted, so it needs an iterator of several passes.
template <class Iterator, class = void> struct is_forward : std::false_type {};
template <class Iterator>
struct is_forward<Iterator, std::void_t<typename std::iterator_traits<Iterator>::iterator_category>>
    : std::is_base_of<std::forward_iterator_tag,
                      typename std::iterator_traits<Iterator>::iterator_category> {};

// Where items lie one after the other, as the C calls on many take them; nullptr elsewhere.
template <class Item> Item *address_of(Item *items) noexcept { return items; }
#ifdef __cpp_lib_concepts
template <std::contiguous_iterator Iterator>
std::add_pointer_t<std::iter_reference_t<Iterator>> address_of(Iterator items) noexcept {
    return std::to_address(items);
}
#endif
template <class Iterator, class = void> struct item_at { using type = void; };
template <class Iterator>
struct item_at<Iterator, std::void_t<decltype(address_of(std::declval<Iterator>()))>> {
    using type =
        std::remove_const_t<std::remove_pointer_t<decltype(address_of(std::declval<Iterator>()))>>;
};

/// What all queues tell, and how items go in and out, whoever owns the handle.
template <class Calls, class Payload> class queue_view {
  public:
    using value_type = typename Payload::value_type; ///< what a pop gives
    using argument = typename Payload::argument;     ///< what a push takes

    /// Extension. How many items there were at some moment of the call. Does not wait. Any thread.
    [[nodiscard]] std::size_t size() const noexcept { return Calls::size(handle_); }
    /// How many items the queue has room for. Does not wait. Any thread.
    [[nodiscard]] std::size_t capacity() const noexcept { return Calls::capacity(handle_); }

    /// Extension. The queue's counters. Does not wait. Any thread.
    [[nodiscard]] statistics stats() const {
        statistics counters{};
        counters.struct_size = sizeof counters;
        answer(Calls::stats(handle_, &counters), "stats");
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
    using handle = typename Calls::handle;
    static constexpr std::size_t slot_size = Payload::slot_size;
    static constexpr bool is_pointer = Payload::kind != travel::bytes;
    // Whether what an iterator leads to goes in and out as it lies: items that are a word.
    template <class Iterator>
    static constexpr bool lies_ready = Payload::kind == travel::bits &&
                                       sizeof(argument) == sizeof(void *) &&
                                       alignof(argument) == alignof(void *) &&
                                       std::is_same_v<typename item_at<Iterator>::type, argument>;
    static constexpr std::size_t chunk = 64; // items of a bulk call on their way, on the stack

    using popped = std::optional<value_type>;
    using outcome = expected<value_type, conqueue_status>;

    queue_view(handle *queue, std::size_t item_size) noexcept
        : handle_(queue), item_size_(item_size) {}
    ~queue_view() = default;

    handle *handle_;
    std::size_t item_size_;

    static bool is_in(conqueue_status status) { return status == conqueue_status::success; }

    // Bytes are copied whether T may be copied or not, so that it must be asked.
    template <class Source>
    static constexpr bool may_push =
        std::is_copy_constructible_v<argument> || !std::is_lvalue_reference_v<Source>;

    // A C call that puts, for as long as it is to wait.
    template <class Value, class Wait, class When>
    conqueue_status put_when(Value &&value, Wait wait, When when) {
        static_assert(may_push<Value>, "T is not copyable: push std::move(value)");
        return answer(wait([&](std::int64_t timeout) {
                          return Payload::put(handle_, std::forward<Value>(value), when(timeout));
                      }),
                      "push");
    }

    // The same of an item that is yet to be made.
    template <class When, class... Args> conqueue_status construct(When when, Args &&...args) {
        if constexpr (Payload::kind == travel::box)
            return answer(Payload::emplace(handle_, when, std::forward<Args>(args)...), "emplace");
        else
            return answer(Payload::put(handle_, argument(std::forward<Args>(args)...), when),
                          "emplace");
    }

    // One move from what was taken to the caller's result.
    template <class Result, class Wait, class When, class... Rank>
    Result take_when(Wait wait, When when, const Rank &...rank) const {
        Payload held(item_size_);
        const auto status = answer(
            wait([&](std::int64_t timeout) { return held.get(handle_, when(timeout)); }), "pop");
        if (status == conqueue_status::success)
            return Result(std::in_place, held.value(), rank...);
        if constexpr (std::is_same_v<Result, std::optional<typename Result::value_type>>)
            return std::nullopt;
        else
            return unexpected<conqueue_status>(status);
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
            if constexpr (lies_ready<Output>) {
                std::size_t done = 0;
                const auto items = reinterpret_cast<void **>(address_of(out));
                const auto wanted = std::min(count, std::size_t{PTRDIFF_MAX} / sizeof *items);
                status = answer(Calls::get_many(handle_, items, wanted, now, &done), "pop_many");
                out += static_cast<std::ptrdiff_t>(done);
                result.count += done;
                more = false; // the call took what there was
            } else if constexpr (is_pointer && assigns_surely && steps_surely) {
                void *items[chunk];
                std::size_t done = 0;
                const auto wanted = std::min(chunk, count - result.count);
                status = answer(Calls::get_many(handle_, items, wanted, now, &done), "pop_many");
                for (std::size_t i = 0; i < done; ++i, ++out) {
                    Payload held(item_size_);
                    held.adopt(items[i]);
                    *out = held.value();
                }
                result.count += done;
                more = done == wanted;
            } else {
                Payload held(item_size_);
                status = answer(held.get(handle_, now), "pop_many");
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
            answer(Calls::get_bytes(handle_, buffer, capacity, &size, when), "pop_into");
        if (status == conqueue_status::success)
            return size;
        return unexpected<conqueue_status>(status);
    }
};

/// A queue that is made and goes. "Producer" and "consumer" say which threads may make a call at
/// once: with spsc one of each, else any number. No call may overlap construction or destruction.
template <class Calls, class Payload> class basic_queue : public queue_view<Calls, Payload> {
    using base = queue_view<Calls, Payload>;

  public:
    basic_queue(const basic_queue &) = delete;
    basic_queue &operator=(const basic_queue &) = delete;

  protected:
    basic_queue(std::size_t capacity, std::size_t item_size, std::uint64_t flags)
        : basic_queue(item_size, options_of(capacity, flags)) {}
    // With options of which those that all families have are set here.
    basic_queue(std::size_t item_size, typename Calls::options options) : base(nullptr, item_size) {
        if (item_size == 0 && !base::is_pointer)
            raise(QUEUES_INVALID, "item size 0");
        options.struct_size = sizeof options;
        options.item_size = item_size;
        options.drop = Payload::drop;
        answer(Calls::create(&options, &this->handle_), "create");
    }
    ~basic_queue() { Calls::release(this->handle_); }

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
        answer(Calls::clear(handle_, &count), "clear");
        return count;
    }

    /// Closes the queue and wakes every waiter: from now on a push answers closed, a pop does so
    /// once the queue is empty. Does not wait. Any thread, as often as you like.
    void close() noexcept { Calls::close(handle_); }
    /// Whether the queue is closed. Does not wait. Any thread.
    [[nodiscard]] bool is_closed() const noexcept { return Calls::is_closed(handle_); }

  protected:
    using base::base;
    using base::handle_;

    template <class Visit, class... Rank> conqueue_status look(Visit &&visit, Rank... rank) const {
        return answer(Payload(this->item_size_).peek(handle_, visit, rank...), "peek");
    }
};

/// The pushes of a queue that can be closed. `with` is what goes in with an item: nothing, or its
/// priority or weight. A NaN for a priority throws std::invalid_argument.
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
    [[nodiscard]] conqueue_status try_push(const argument &value, With... with) {
        return put(value, at_once, with...);
    }
    /// The same, moving from `value` when the queue accepts it.
    [[nodiscard]] conqueue_status try_push(argument &&value, With... with) {
        return put(std::move(value), at_once, with...);
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
        return put(value, until{deadline}, with...);
    }
    /// The same, moving from `value` when the queue accepts it.
    template <class Clock, class Duration>
    [[nodiscard]] conqueue_status push_until(argument &&value, With... with,
                                             std::chrono::time_point<Clock, Duration> deadline) {
        return put(std::move(value), until{deadline}, with...);
    }

#ifdef __cpp_lib_jthread
    /// Extension. As push, but a stop request ends the wait, at most `stop_interval` later. False:
    /// closed, or a stop was requested (before the call: nothing is tried).
    bool push(const argument &value, With... with, const std::stop_token &token) {
        return is_in(put(value, unless_stopped{token}, with...));
    }
    /// The same, moving from `value` when the queue accepts it.
    bool push(argument &&value, With... with, const std::stop_token &token) {
        return is_in(put(std::move(value), unless_stopped{token}, with...));
    }
#endif

  protected:
    using Queue::is_in;
    using Queue::Queue;

    template <class Value, class Wait>
    conqueue_status put(Value &&value, Wait wait, const With &...with) {
        return this->put_when(std::forward<Value>(value), wait, [&](std::int64_t timeout) {
            return typename Queue::calls::putting{timeout, with...};
        });
    }
};

/// What the queues have that are first in, first out.
template <class Calls, class Payload>
class fifo_queue : public pushing<closable_queue<Calls, Payload>> {
    using base = pushing<closable_queue<Calls, Payload>>;

  public:
    using typename base::argument;
    using typename base::value_type;

    /// Constructs an item from `args` and puts it at the back. Waits for room. Producer. False: the
    /// queue is closed, the item is destroyed, and what was moved out of `args` is gone.
    template <class... Args> bool emplace(Args &&...args) {
        return is_in(this->construct(for_ever.timeout, std::forward<Args>(args)...));
    }
    /// The same without waiting: success, full or closed.
    template <class... Args> [[nodiscard]] conqueue_status try_emplace(Args &&...args) {
        return this->construct(at_once.timeout, std::forward<Args>(args)...);
    }

    /// Takes the front item. Waits for one. Consumer. nullopt: the queue is closed and empty.
    [[nodiscard]] std::optional<value_type> pop() { return take<popped>(for_ever); }

    /// Takes the front item if there is one. Does not wait. Consumer. Returns it, or the error
    /// empty, or closed (and empty).
    [[nodiscard]] expected<value_type, conqueue_status> try_pop() { return take<outcome>(at_once); }

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
        return take<outcome>(until{deadline});
    }

#ifdef __cpp_lib_jthread
    /// Extension. As pop, but a stop request ends the wait, at most `stop_interval` later. nullopt:
    /// closed and empty, or a stop was requested (before the call: nothing is tried).
    [[nodiscard]] std::optional<value_type> pop(const std::stop_token &token) {
        return take<popped>(unless_stopped{token});
    }
#endif

    /// Extension. Puts the items of [first, last) at the back, in order; other producers' items may
    /// come between. Waits for room. Producer. Returns how many were accepted and, if not all,
    /// closed. Items are copied; wrap the iterators in std::make_move_iterator to move the accepted
    /// ones, the others staying as they were. One C call puts many, unless items travel as bytes or
    /// in boxes or the iterators allow one pass only.
    template <class Iterator> bulk_result push_many(Iterator first, Iterator last) {
        return put_many(first, last, [] { return for_ever; });
    }
    /// Extension. The same without waiting: not all are accepted when the queue is full or closed.
    template <class Iterator>
    [[nodiscard]] bulk_result try_push_many(Iterator first, Iterator last) {
        return put_many(first, last, [] { return at_once; });
    }
    /// Extension. The same, waiting `duration` at most in all: full, closed or timeout.
    template <class Iterator, class Rep, class Period>
    [[nodiscard]] bulk_result push_many_for(Iterator first, Iterator last,
                                            std::chrono::duration<Rep, Period> duration) {
        return put_many(first, last, [end = until{after(duration)}] { return within{end.left()}; });
    }

    /// Extension. Takes up to `count` items from the front and assigns them to `*out++`, in order.
    /// Waits for the first, then takes what is there. Consumer. Returns how many; if none, closed.
    /// If assigning throws, that one item is lost. One C call takes many, unless items travel as
    /// bytes or assigning to `out` may throw.
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

#ifdef __cpp_lib_span
    /// Extension. push_many of what `items` spans, copied.
    bulk_result push_many(std::span<const argument> items) {
        return push_many(items.begin(), items.end());
    }
    /// Extension. pop_many into what `items` spans.
    bulk_result pop_many(std::span<value_type> items) {
        return pop_many(items.begin(), items.size());
    }
#endif

  protected:
    using base::base;
    using base::handle_;
    using base::item_size_;

    expected<value_type, conqueue_status> look_and_copy() const {
        std::optional<value_type> copy;
        const auto status = this->look([&](const value_type &front) { copy.emplace(front); });
        if (copy)
            return expected<value_type, conqueue_status>(std::in_place, *std::move(copy));
        return unexpected<conqueue_status>(status);
    }

  private:
    // The void * exists before the push, as bulk pushes need it.
    static constexpr bool is_ready_pointer =
        Payload::kind == travel::bits || Payload::kind == travel::owner;

    using typename base::outcome;
    using typename base::popped;

    using base::chunk;
    using base::is_in;

    static std::int64_t only(std::int64_t timeout) { return timeout; }

    template <class Result, class Wait> Result take(Wait wait) {
        return this->template take_when<Result>(wait, only);
    }

    template <class Iterator, class Left>
    bulk_result put_many(Iterator first, Iterator last, Left left) {
        static_assert(base::template may_push<decltype(*first)>,
                      "T is not copyable: use std::make_move_iterator");
        bulk_result result{0, conqueue_status::success};
        while (first != last && result.status == conqueue_status::success) {
            std::size_t done = 0;
            if constexpr (base::template lies_ready<Iterator>) {
                const auto items = reinterpret_cast<void *const *>(address_of(first));
                const auto count = static_cast<std::size_t>(last - first);
                result.status = answer(
                    Calls::put_many(handle_, items, count, left().timeout, &done), "push_many");
                first += static_cast<std::ptrdiff_t>(done);
            } else if constexpr (is_ready_pointer && is_forward<Iterator>::value) {
                void *items[chunk];
                std::size_t count = 0;
                for (auto next = first; next != last && count < chunk; ++next)
                    items[count++] = Payload::encode(*next);
                result.status = answer(
                    Calls::put_many(handle_, items, count, left().timeout, &done), "push_many");
                for (std::size_t i = 0; i < done; ++i, ++first) {
                    if constexpr (Payload::kind == travel::owner)
                        Payload::accepted(*first);
                }
            } else {
                result.status = this->put(*first, left());
                if (result.status == conqueue_status::success) {
                    ++first;
                    done = 1;
                }
            }
            result.count += done;
        }
        return result;
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
    /// empty). Only for items whose bytes are in the queue: another's box may be freed while one
    /// looks.
    [[nodiscard]] expected<typename base::value_type, conqueue_status> peek() const {
        static_assert(Payload::kind == travel::bits || Payload::kind == travel::bytes,
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
    [[nodiscard]] bool is_empty() const noexcept { return queues_spsc_is_empty(this->handle_); }
    /// Extension. Whether the queue was full at some moment of the call. Does not wait. Any thread.
    [[nodiscard]] bool is_full() const noexcept { return queues_spsc_is_full(this->handle_); }

  protected:
    spsc_queue(std::size_t capacity, std::size_t item_size, bool is_checked)
        : base(capacity, item_size, is_checked ? QUEUES_SPSC_CHECKED : 0) {}
};

/// What the byte queues of both families have beside that.
template <class Queue> class bytes_queue : public Queue {
  public:
    using Queue::Queue;

    /// Extension. The length of the longest item.
    [[nodiscard]] std::size_t item_size() const noexcept { return this->item_size_; }

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
    using value_type = prioritized<typename base::value_type>; ///< what a pop gives

    /// Takes the item with the lowest priority, among equals the one that was pushed first, and
    /// tells its priority. Waits for one. nullopt: the queue is closed and empty.
    [[nodiscard]] std::optional<value_type> pop() { return take<popped>(for_ever); }

    /// The same if there is an item. Does not wait. Or the error empty, or closed (and empty).
    [[nodiscard]] expected<value_type, conqueue_status> try_pop() { return take<outcome>(at_once); }

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
        return take<outcome>(until{deadline});
    }

#ifdef __cpp_lib_jthread
    /// As pop, but a stop request ends the wait, at most `stop_interval` later. nullopt: closed and
    /// empty, or a stop was requested (before the call: nothing is tried).
    [[nodiscard]] std::optional<value_type> pop(const std::stop_token &token) {
        return take<popped>(unless_stopped{token});
    }
#endif

    /// A copy of the item that was in front at some moment of the call, and its priority; another
    /// consumer may have taken it since. Does not wait. Or the error empty or closed (and empty).
    /// Only for items whose bytes are in the queue: another's box may be freed while one looks.
    [[nodiscard]] expected<value_type, conqueue_status> peek() const {
        static_assert(Payload::kind == travel::bits || Payload::kind == travel::bytes,
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
        return this->template take_when<Result>(
            wait,
            [&](std::int64_t timeout) {
                return ranked_get{&priority, timeout};
            },
            priority);
    }
};

// Room for what a batch is made of, on the stack as long as it is not much.
template <class Element> class passage {
  public:
    explicit passage(std::size_t count) : large_(count > most ? new Element[count] : nullptr) {}
    Element *data() noexcept { return large_ ? large_.get() : small_; }

  private:
    static constexpr std::size_t most = 4096 / sizeof(Element);
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
    using plain::push, plain::try_push, plain::push_for, plain::push_until;
    using weighing::push, weighing::try_push, weighing::push_for, weighing::push_until;

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
    /// room already and a batch of pointers (or of items that travel as bytes) needs no more than
    /// 4096 bytes. Returns success, or closed (and empty).
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

#ifdef __cpp_lib_jthread
    /// As pop_batch, but a stop request ends the wait, at most `stop_interval` later. It breaks no
    /// batch off, so it looks for one that is due again and again, at intervals that grow to
    /// `stop_interval`: so much later it may notice one. nullopt: closed and empty, or a stop was
    /// requested (before the call: nothing is tried).
    [[nodiscard]] std::optional<batch_type> pop_batch(const std::stop_token &token) {
        if (!token.stop_possible())
            return pop_batch();
        return made<std::optional<batch_type>>(looking{token}, due);
    }
#endif

    /// Makes everything that is in the queue due, in batches of the usual size; what is pushed
    /// later is not. Does not wait.
    void flush() { answer(queues_batch_flush(handle_), "flush"); }

    /// How many items there were at some moment of the call: size() by its other name.
    [[nodiscard]] std::size_t pending_count() const noexcept { return this->size(); }
    /// The most items of a batch.
    [[nodiscard]] std::size_t batch_size() const noexcept { return batch_size_; }

  protected:
    batch_queue(std::size_t item_size, const batch_limits &limits)
        : weighing(item_size, options_of(limits)),
          batch_size_(limits.size == 0 ? default_size : limits.size) {}

    using plain::handle_;

  private:
    using outcome = expected<batch_type, conqueue_status>;

    static constexpr std::size_t default_size = 32; // the library's
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

#ifdef __cpp_lib_jthread
    struct looking {
        const std::stop_token &token;
        template <class Call> queues_status_t operator()(Call call) const {
            queues_status_t status = QUEUES_EMPTY;
            std::chrono::nanoseconds pause = std::chrono::microseconds(10);
            while (!token.stop_requested() && (status = call(at_once.timeout)) == QUEUES_EMPTY) {
                std::this_thread::sleep_for(pause);
                pause = std::min<std::chrono::nanoseconds>(2 * pause, stop_interval);
            }
            return status;
        }
    };
#endif

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
            if constexpr (plain::is_pointer)
                return fill_with_pointers(batch, wait, when);
            else
                return fill_with_copies(batch, wait, when);
        }
    }

    template <class Wait, class When>
    conqueue_status fill_with_pointers(batch_type &batch, Wait wait, When when) {
        passage<void *> items(batch_size_);
        std::size_t count = 0;
        const auto status =
            answer(wait([&](std::int64_t timeout) {
                       return batch_calls::get_batch(handle_, items.data(), batch_size_, &count,
                                                     when(timeout));
                   }),
                   "pop_batch");
        // If a move throws, the others go, too.
        struct owner {
            void **next, **end;
            Payload take() {
                Payload held(0);
                held.adopt(*next++);
                return held;
            }
            ~owner() {
                while (next != end)
                    take();
            }
        } rest{items.data(), items.data() + count};
        while (rest.next != rest.end)
            batch.push_back(rest.take().value());
        return status;
    }

    template <class Wait, class When>
    conqueue_status fill_with_copies(batch_type &batch, Wait wait, When when) {
        passage<raw<value_type>> items(batch_size_);
        bytes_taken taken(batch_size_);
        const auto room = batch_size_ * sizeof(value_type);
        const auto status = take(items.data(), room, taken, wait, when);
        for (std::size_t i = 0; i < taken.count; ++i)
            batch.push_back(items.data()[i].value());
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
        passage<queues_batch_blob_t> blobs;
        std::size_t length = 0, count = 0;
    };
    template <class Wait, class When>
    conqueue_status take(void *buffer, std::size_t room, bytes_taken &taken, Wait wait, When when) {
        return answer(wait([&](std::int64_t timeout) {
                          return batch_calls::get_batch_bytes(handle_, buffer, room, &taken.length,
                                                              taken.blobs.data(), batch_size_,
                                                              &taken.count, when(timeout));
                      }),
                      "pop_batch");
    }
};

/// A thief's end of a deque. Any thread may use it, and copy it; each copy keeps the deque alive,
/// and the last to go, of the owner and the stealers, destroys the items that are left.
template <class Payload> class deque_stealer : public queue_view<deque_calls, Payload> {
    using base = queue_view<deque_calls, Payload>;

  public:
    using typename base::value_type;

    deque_stealer(const deque_stealer &other) noexcept
        : deque_stealer(other.handle_, other.item_size_) {}
    deque_stealer &operator=(const deque_stealer &other) noexcept {
        deque_stealer copy(other);
        std::swap(handle_, copy.handle_);
        std::swap(item_size_, copy.item_size_);
        return *this;
    }
    ~deque_stealer() { queues_deque_release(handle_); }

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
#ifdef __cpp_lib_span
    /// The same into what `items` spans.
    [[nodiscard]] bulk_result steal_many(std::span<value_type> items) const {
        return steal_many(items.begin(), items.size());
    }
#endif

    /// Whether the deque was empty at some moment of the call. Does not wait. Any thread.
    [[nodiscard]] bool is_empty() const noexcept { return queues_deque_is_empty(handle_); }

  protected:
    template <class, class> friend class deque_owner;
    deque_stealer(queues_deque_t *deque, std::size_t item_size) noexcept
        : base(queues_deque_retain(deque), item_size) {}

    using base::handle_;
    using base::item_size_;
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
    /// the item is destroyed, and what was moved out of `args` is gone.
    template <class... Args> bool emplace(Args &&...args) {
        return base::is_in(this->construct(at_bottom{}, std::forward<Args>(args)...));
    }
    /// The same as a status: success or full.
    template <class... Args> [[nodiscard]] conqueue_status try_emplace(Args &&...args) {
        return this->construct(at_bottom{}, std::forward<Args>(args)...);
    }

    /// Takes the item that was pushed last. Owner. nullopt: the deque is empty.
    [[nodiscard]] std::optional<value_type> pop() {
        return this->template take_when<typename base::popped>(at_once, bottom);
    }

    /// Another thief's end. Any thread.
    [[nodiscard]] Stealer get_stealer() const noexcept {
        return Stealer(this->handle_, this->item_size_);
    }

    /// Whether the deque was empty at some moment of the call. Any thread.
    [[nodiscard]] bool is_empty() const noexcept { return queues_deque_is_empty(this->handle_); }

  protected:
    template <class... Modes>
    deque_owner(std::size_t capacity, std::size_t item_size, Modes... modes)
        : base(capacity, item_size, (std::uint64_t{0} | ... | flag(modes))) {}

  private:
    static at_bottom bottom(std::int64_t) { return {}; }

    template <class Value> conqueue_status put(Value &&value) {
        return this->put_when(std::forward<Value>(value), at_once, bottom);
    }
};

/// A thief's end of a deque of byte strings.
class bytes_stealer : public deque_stealer<by_blob<deque_calls>> {
  public:
    /// The length of the longest item.
    [[nodiscard]] std::size_t item_size() const noexcept { return item_size_; }

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

template <class T> constexpr bool is_item() {
    static_assert(std::is_object_v<T> && std::is_same_v<T, std::remove_cv_t<T>>,
                  "T must be an object type without const or volatile");
    static_assert(std::is_move_constructible_v<T>, "a pop returns a T: it must be movable");
    static_assert(std::is_nothrow_destructible_v<T>, "~T must not throw: C code may call it");
    return true;
}

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
    static_assert(detail::is_item<T>());
    using base = detail::mpmc_of<T>;

  public:
    /// A queue of the library's default capacity. Throws std::bad_alloc.
    mpmc() : base(detail::default_capacity, base::slot_size) {}
    /// A queue with room for exactly `capacity` items. Throws std::bad_alloc, and
    /// std::invalid_argument for 0 or more than an address space holds.
    explicit mpmc(std::size_t capacity) : base(detail::exactly(capacity), base::slot_size) {}
};

/// A bounded FIFO queue of T from one producer thread to one consumer thread at a time.
template <class T> class spsc : public detail::spsc_of<T> {
    static_assert(detail::is_item<T>());
    using base = detail::spsc_of<T>;

  public:
    /// A queue of the library's default capacity. Throws std::bad_alloc.
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
    static_assert(detail::is_item<T>());
    using base = detail::priority_of<T>;

  public:
    /// A queue of the library's default capacity. Throws std::bad_alloc.
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
    static_assert(detail::is_item<T>());

  public:
    /// A queue whose batches keep to these limits. Throws std::bad_alloc, and std::invalid_argument
    /// when a batch does not fit into the queue, or the weights of a full queue into 63 bits.
    explicit batcher(const batch_limits &limits = {})
        : detail::batch_of<T>(detail::batch_of<T>::slot_size, limits) {}
};

/// Extension. A work-stealing deque of T: one thread at a time, its owner, pushes and pops at the
/// bottom, last in first out; any number of thieves steal at the top, first in first out, each by a
/// stealer. The calls of the owner are the members of this class but for those that any thread may
/// call. Never closed: who owns it knows when nothing more is to come.
template <class T> class deque : public detail::deque_of<T> {
    static_assert(detail::is_item<T>());
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
/// bytes throws std::invalid_argument.
class mpmc_bytes
    : public detail::bytes_queue<detail::mpmc_queue<detail::by_blob<detail::mpmc_calls>>> {
  public:
    /// A queue with room for exactly `capacity` items of up to `item_size` bytes. Throws
    /// std::bad_alloc, and std::invalid_argument when either is 0 or the product is beyond all
    /// memory.
    mpmc_bytes(std::size_t capacity, std::size_t item_size)
        : bytes_queue(detail::exactly(capacity), item_size) {}
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
    [[nodiscard]] std::size_t item_size() const noexcept { return item_size_; }
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
    [[nodiscard]] std::size_t item_size() const noexcept { return item_size_; }
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
    [[nodiscard]] std::size_t item_size() const noexcept { return item_size_; }

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
            return detail::answer(queues_spsc_commit(queue_->handle_, length), "commit");
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
            return detail::answer(queues_spsc_consume(queue_->handle_), "consume");
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
            detail::answer(queues_spsc_reserve(handle_, &data, wait.timeout), "reserve");
        if (status == conqueue_status::success)
            return reservation(*this, data);
        return unexpected<conqueue_status>(status);
    }
    expected<front_item, conqueue_status> front_within(detail::within wait) {
        const void *data;
        std::size_t size;
        const auto status =
            detail::answer(queues_spsc_front(handle_, &data, &size, wait.timeout), "front");
        if (status == conqueue_status::success)
            return front_item(*this, data, size);
        return unexpected<conqueue_status>(status);
    }
};

} // namespace with_std_expected / with_own_expected
} // namespace queues

#endif
