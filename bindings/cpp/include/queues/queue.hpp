/// \file
/// What all queues have.
#ifndef QUEUES_QUEUE_HPP
#define QUEUES_QUEUE_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/by_pointer.hpp"
#include "detail/iterators.hpp"
#include "detail/status_of.hpp"
#include "detail/wait.hpp"
#include "expected.hpp"
#include "stats.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

// A capacity of 0 stands for the default in C; here that is what no capacity stands for.
inline constexpr std::size_t default_capacity = 0;
inline std::size_t exactly(std::size_t capacity) {
    if (capacity == 0)
        raise(QUEUES_INVALID, "capacity 0");
    return capacity;
}

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

} // namespace detail

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
