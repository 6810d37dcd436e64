// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// What the queues of all families have: size, capacity and statistics. The families add
/// closable.hpp (except deque), push.hpp and pop.hpp, which build on the protected members here.
#ifndef QUEUES_QUEUE_HPP
#define QUEUES_QUEUE_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "bytes.hpp"
#include "detail/cell.hpp"
#include "detail/construct.hpp"
#include "detail/handle.hpp"
#include "detail/iterators.hpp"
#include "detail/status_of.hpp"
#include "detail/stop.hpp"
#include "detail/wait.hpp"
#include "expected.hpp"
#include "from_handle.hpp"
#include "options.hpp"
#include "stats.hpp"
#include "status.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

struct handle_access;

/// The members of everything that has a handle of a queue: the queues, which own it, and the
/// stealers of a deque, which share it.
template <class Calls, class Payload, class Handle> class queue_view {
  public:
    using value_type = typename Payload::value_type; ///< the type of a popped item
    using argument = typename Payload::argument;     ///< the type of a pushed item

    /// Extension. Returns the number of items at some moment of the call. Never waits. Any thread.
    [[nodiscard]] std::size_t size() const noexcept { return Calls::size(handle_.queue); }
    /// Extension. Returns the most items that the queue holds. Never waits. Any thread.
    [[nodiscard]] std::size_t capacity() const noexcept { return Calls::capacity(handle_.queue); }
    /// Extension. Returns whether the queue was empty at some moment of the call. Never waits. Any
    /// thread.
    [[nodiscard]] bool is_empty() const noexcept { return Calls::is_empty(handle_.queue); }

    /// Extension. A pointer to the queue as the C library knows it.
    using native_handle_type = typename Calls::handle *;
    /// Extension. Returns the queue as the C library knows it, for code in C and other languages.
    /// For queues of blobs and of a trivially copyable T. Adds no reference: code that keeps the
    /// handle for longer than this object lives adds one, by queues_mpmc_retain or the like. Never
    /// waits. Any thread.
    [[nodiscard]] native_handle_type native_handle() const noexcept {
        require_plain_items();
        return handle_.queue;
    }

    /// Extension. Returns the queue's counters. Never waits. Any thread.
    [[nodiscard]] statistics stats() const {
        statistics counters{};
        counters.struct_size = sizeof counters;
        status_of(Calls::stats(handle_.queue, &counters), "stats");
        handle_.add_to(counters);
        return counters;
    }
    /// Extension. Returns the queue's counters as a JSON object. Never waits. Any thread. Throws
    /// std::bad_alloc.
    [[nodiscard]] std::string stats_json() const {
        const statistics counters = stats();
        return written_text("stats_json",
                            [&](char *buffer, std::size_t capacity, std::size_t *length) {
                                return queues_stats_json(&counters, buffer, capacity, length);
                            });
    }

    /// \cond INTERNAL
  protected:
    friend struct handle_access;
    using calls = Calls;
    using payload = Payload;
    static constexpr std::size_t slot_size = Payload::slot_size;
    static constexpr bool is_pointer = Payload::kind == stored_as::bits ||
                                       Payload::kind == stored_as::unique_ptr ||
                                       Payload::kind == stored_as::box;
    static constexpr bool is_blob = std::is_same_v<argument, bytes_view>;
    // Compiles only if an item in the C queue is the bytes of an argument.
    template <class Argument = argument> static constexpr void require_plain_items() {
        static_assert(
            Payload::kind == stored_as::bits || Payload::kind == stored_as::bytes ||
                (Payload::kind == stored_as::cell && std::is_trivially_copyable_v<Argument>),
            "T must be trivially copyable in a queue that other languages use (and in a "
            "batcher of up to inline_limit bytes)");
    }
    // Whether an array at Iterator is an array of pointers to the C library: bulk calls need no
    // conversion.
    template <class Iterator>
    static constexpr bool is_word_array =
        Payload::kind == stored_as::bits && sizeof(argument) == sizeof(void *) &&
        alignof(argument) == alignof(void *) && is_array_iterator<Iterator, argument>;
    // The number of items that a bulk call converts on the stack at once.
    static constexpr std::size_t chunk_size = 64;

    queue_view() = default;
    ~queue_view() = default;

    Handle handle_{};

    static bool is_success(conqueue_status status) { return status == conqueue_status::success; }

    // A wait for `event`, QUEUES_READABLE or QUEUES_WRITABLE, that a stop request ends.
    template <class Token>
    wait_unless_stopped<Token> wait_with(const Token &token, std::uint32_t event) const noexcept {
        return {token, handle_.queue, event};
    }
    // Returns the descriptor that `create` makes, or made before.
    template <class Create> int descriptor(Create create, const char *call) const {
        int fd = -1;
        status_of(create(handle_.queue, &fd), call);
        return fd;
    }

    // Whether Source may be pushed: an lvalue only if T is copyable, although a trivially copyable
    // T would be copied as bytes in any case.
    template <class Source>
    static constexpr bool may_push =
        std::is_copy_constructible_v<argument> || !std::is_lvalue_reference_v<Source>;

    // Whether the calls that do not wait are noexcept.
    template <class Source>
    static constexpr bool put_is_noexcept =
        !Calls::put_may_throw && Payload::template put_is_noexcept<Source>;
    static constexpr bool get_is_noexcept = !Calls::get_may_throw && Payload::get_is_noexcept;
    static constexpr bool get_into_is_noexcept =
        get_is_noexcept && std::is_nothrow_move_assignable_v<value_type>;
    template <class... Args>
    static constexpr bool emplace_is_noexcept =
        !Calls::put_may_throw && Payload::kind != stored_as::box &&
        std::is_nothrow_constructible_v<argument, Args...> && !is_blob &&
        (!is_one_item<argument, Args...>::value ||
         (Payload::template put_is_noexcept<Args &&> && ...));

    // Puts `value`. `wait` is one of wait.hpp; `args_of(timeout)` returns what the C call takes
    // beside the item.
    template <class Value, class Wait, class ArgsOf>
    conqueue_status put_by(Value &&value, Wait wait, ArgsOf args_of) {
        static_assert(may_push<Value>, "T is not copyable: push std::move(value)");
        return status_of(wait([&](std::int64_t timeout) {
                             return Payload::put(handle_, std::forward<Value>(value),
                                                 args_of(timeout));
                         }),
                         "push");
    }

    // Gets an item, as a std::optional or expected of it and of `out`. One move takes the item from
    // where it is stored to the result.
    template <class Result, class Wait, class ArgsOf, class... Out>
    Result get_as(Wait wait, ArgsOf args_of, const Out &...out) const {
        Payload item(handle_);
        const auto status = status_of(
            wait([&](std::int64_t timeout) { return item.get(handle_, args_of(timeout)); }), "pop");
        if (status == conqueue_status::success)
            return Result(std::in_place, item.value(), out...);
        if constexpr (std::is_same_v<Result, std::optional<typename Result::value_type>>)
            return std::nullopt;
        else
            return unexpected<conqueue_status>(status);
    }

    // Gets an item and assigns it to `to`.
    template <class Wait, class ArgsOf>
    conqueue_status get_into(value_type &to, Wait wait, ArgsOf args_of) const {
        // The C call may write over `to` if no other object can be in the padding of a value_type.
        if constexpr (Payload::kind == stored_as::bytes &&
                      std::is_trivially_copyable_v<value_type> &&
                      std::is_trivially_default_constructible_v<value_type> &&
                      std::is_standard_layout_v<value_type> &&
                      std::is_trivially_move_assignable_v<value_type>) {
            return status_of(wait([&](std::int64_t timeout) {
                                 return Payload::get_at(handle_, std::addressof(to),
                                                        args_of(timeout));
                             }),
                             "pop");
        } else {
            Payload item(handle_);
            const auto status = status_of(
                wait([&](std::int64_t timeout) { return item.get(handle_, args_of(timeout)); }),
                "pop");
            if (status == conqueue_status::success)
                to = item.value();
            return status;
        }
    }

    // Gets up to `count` items: the first with `first_args`, which may wait, the others with
    // `args`.
    template <class Output, class Args>
    bulk_result get_many(Output &out, std::size_t count, Args first_args, Args args) const {
        constexpr bool assigns_nothrow = noexcept(*out = std::declval<value_type>());
        constexpr bool steps_nothrow = noexcept(++out);
        bulk_result result{0, conqueue_status::success};
        bool more = true;
        while (more && result.count < count) {
            const auto now = result.count == 0 ? first_args : args;
            conqueue_status status;
            if constexpr (is_word_array<Output>) {
                std::size_t done = 0;
                const auto items = reinterpret_cast<void **>(std::addressof(*out));
                const auto wanted = (std::min)(count, std::size_t{PTRDIFF_MAX} / sizeof *items);
                status = status_of(Calls::get_many(handle_.queue, items, wanted, now, &done),
                                   "pop_many");
                out += static_cast<std::ptrdiff_t>(done);
                result.count += done;
                more = false; // the call took all there were
            } else if constexpr (is_pointer && assigns_nothrow && steps_nothrow) {
                void *items[chunk_size];
                std::size_t done = 0;
                const auto wanted = (std::min)(chunk_size, count - result.count);
                status = status_of(Calls::get_many(handle_.queue, items, wanted, now, &done),
                                   "pop_many");
                for (std::size_t i = 0; i < done; ++i, ++out) {
                    Payload item(handle_);
                    item.adopt(items[i]);
                    *out = item.value();
                }
                result.count += done;
                more = done == wanted;
            } else { // one at a time: an exception loses only the item that throws
                Payload item(handle_);
                status = status_of(item.get(handle_, now), "pop_many");
                more = status == conqueue_status::success;
                if (more) {
                    *out = item.value();
                    ++out;
                    ++result.count;
                }
            }
            if (result.count == 0)
                result.status = status;
        }
        return result;
    }

    // Gets a blob into `buffer`, and returns its length.
    template <class Args>
    expected<std::size_t, conqueue_status> get_bytes(void *buffer, std::size_t capacity,
                                                     Args args) const {
        std::size_t size = 0;
        const auto status =
            status_of(Calls::get_bytes(handle_.queue, buffer, capacity, &size, args), "pop_into");
        if (status == conqueue_status::success)
            return size;
        return unexpected<conqueue_status>(status);
    }
    /// \endcond
};

/// The capacity that means the default to the C library. In C++ the default has a constructor of
/// its own.
inline constexpr std::size_t default_capacity = 0;
/// Returns `capacity`. Throws std::invalid_argument if it is 0.
inline std::size_t nonzero_capacity(std::size_t capacity) {
    if (capacity == 0)
        raise(QUEUES_INVALID, "capacity 0");
    return capacity;
}

/// A queue that owns its handle. Neither copyable nor movable. No call may overlap its construction
/// or destruction. The destructor destroys the items that are left.
template <class Calls, class Payload>
class basic_queue : public queue_view<Calls, Payload, typename Payload::queue_handle> {
    using base = queue_view<Calls, Payload, typename Payload::queue_handle>;

  public:
    using typename base::argument;

    basic_queue(const basic_queue &) = delete;
    basic_queue &operator=(const basic_queue &) = delete;

    /// \cond INTERNAL
  protected:
    using base::handle_;

    basic_queue(std::size_t capacity, std::size_t item_size, std::uint64_t flags)
        : basic_queue(item_size, options_of(capacity, flags)) {}
    // `options` with the fields of one family; those that all families have are set here.
    basic_queue(std::size_t item_size, typename Calls::options options) {
        if (item_size == 0 && Payload::kind == stored_as::bytes)
            raise(QUEUES_INVALID, "item size 0");
        options.struct_size = sizeof options;
        options.item_size = item_size;
        options.drop = Payload::drop;
        options.drop_ctx = &handle_;
        status_of(Calls::create(&options, &handle_.queue), "create");
        handle_.item_size = item_size;
        handle_.prepare(options.flags, Calls::in_flight(options));
    }
    // The queue in the file of `fd`, which processes share.
    basic_queue(int fd, std::size_t item_size, const shared_options &of) {
        if (of.item_size != 0 && of.item_size != item_size)
            raise(QUEUES_INVALID, "open_shared");
        status_of(Calls::open_shared(fd, item_size, of, &handle_.queue), "open_shared");
        handle_.item_size = Calls::item_size(handle_.queue);
    }
    // A queue that exists. `call` names the member function in the message of the exception.
    basic_queue(typename base::native_handle_type queue, reference from) {
        base::require_plain_items();
        handle_.item_size = Calls::item_size(queue);
        const bool has_these_items =
            base::is_blob ? handle_.item_size != 0 : handle_.item_size == Payload::slot_size;
        if (Calls::capacity(queue) == 0 || !has_these_items ||
            (!Calls::is_shared && !base::is_blob && is_shared(queue)))
            raise(QUEUES_INVALID, from == reference::taken ? "adopt" : "share");
        handle_.queue = from == reference::taken ? queue : Calls::retain(queue);
    }
    ~basic_queue() = default;

    // Whether an emplace may construct its item before it knows that there is room, because the
    // construction leaves the arguments as they are. A bytes_view always does.
    template <class... Args>
    static constexpr bool emplaces_by_push = (Payload::kind == stored_as::bits ||
                                              Payload::kind == stored_as::bytes) &&
                                             (leaves_arguments<Args...> || base::is_blob);
    // Whether an emplace must check for room first. Not if the arguments stay as they are until the
    // queue accepts the item, nor if the item is constructed in a cell of the queue.
    template <class... Args>
    static constexpr bool emplace_needs_room_check =
        Payload::kind != stored_as::cell &&Payload::kind != stored_as::unique_ptr &&
        !emplaces_by_push<Args...>;

    // Constructs an item and puts it. There is room, or no check is needed.
    template <class PutArgs, class... Args>
    conqueue_status construct_and_put(PutArgs put_args, Args &&...args) {
        if constexpr (emplaces_by_push<Args...>)
            return status_of(Payload::put(handle_, argument(std::forward<Args>(args)...), put_args),
                             "emplace");
        else
            return status_of(Payload::emplace(handle_, put_args, std::forward<Args>(args)...),
                             "emplace");
    }

    // The result of an emplace that found no room before any C call that counts.
    conqueue_status count_as_full() noexcept {
        handle_.count_failed_push();
        return conqueue_status::full;
    }
    /// \endcond

  private:
    static bool is_shared(typename base::native_handle_type queue) noexcept {
        statistics counters{};
        counters.struct_size = sizeof counters;
        return Calls::stats(queue, &counters) == QUEUES_OK && counters.attached != 0;
    }
    static typename Calls::options options_of(std::size_t capacity, std::uint64_t flags) {
        typename Calls::options options{};
        options.capacity = capacity;
        options.flags = flags;
        return options;
    }
};

/// A queue of blobs, of any family.
template <class Queue> class with_item_size : public Queue {
  public:
    /// Extension. Returns the longest length of an item in bytes. Never waits. Any thread.
    [[nodiscard]] std::size_t item_size() const noexcept { return this->handle_.item_size; }

    /// \cond INTERNAL
  protected:
    using Queue::Queue;
    /// \endcond
};

} // namespace detail

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
