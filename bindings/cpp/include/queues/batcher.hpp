// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// queues::batcher, a bounded FIFO queue whose items are taken in batches: when there are enough,
/// or when the oldest has waited long enough. queues::batcher_bytes is the same for blobs.
///
///     queues::batcher<request> queue({.size = 8, .age = std::chrono::milliseconds(2)}); // C++20
///     queue.push(std::move(r));
///     while (auto batch = queue.pop_batch()) // a std::vector<request>
///         serve(*batch);
#ifndef QUEUES_BATCHER_HPP
#define QUEUES_BATCHER_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "batch.hpp"
#include "closable.hpp"
#include "detail/batcher.hpp"
#include "detail/small_buffer.hpp"
#include "expected.hpp"
#include "push.hpp"
#include "queue.hpp"
#include "status.hpp"

#include <queues.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace queues {

namespace detail {

/// The pushes of a batcher without a weight: the item weighs 1.
template <class Payload> using unweighted_queue = push_mixin<closable_queue<batch_calls, Payload>>;

/// What batcher and batcher_bytes have beside pushes: the pops of batches.
///
/// A batch is due when the number or weight of the items reaches its limit, when the oldest item
/// has waited for batch_limits::age, after flush and after close. queues.h has the details.
///
/// A pop allocates before it takes a batch, so running out of memory loses nothing. If moving a T
/// out throws, that item and the later ones of the batch are destroyed. The earlier ones are in the
/// batch that was passed to pop_batch_into; the other pops destroy them, too.
template <class Payload> class batch_queue : public push_mixin<unweighted_queue<Payload>, weight> {
    using unweighted = unweighted_queue<Payload>;
    using weighted = push_mixin<unweighted, weight>;

    static constexpr bool holds_blobs = std::is_same_v<Payload, by_blob<batch_calls>>;

  public:
    using typename unweighted::value_type;
    /// What a pop returns, oldest item first: std::vector<T>, or bytes_batch for blobs.
    using batch_type = std::conditional_t<holds_blobs, bytes_batch, std::vector<value_type>>;

    // Each push exists with a weight (`push(item, queues::weight(512))`) and without: a weight
    // of 1.
    using unweighted::emplace, unweighted::try_emplace;
    using unweighted::push, unweighted::try_push, unweighted::push_for, unweighted::push_until;
    using unweighted::push_async, unweighted::async_push;
    using unweighted::push_many, unweighted::try_push_many, unweighted::push_many_for;
    using weighted::emplace, weighted::try_emplace;
    using weighted::push, weighted::try_push, weighted::push_for, weighted::push_until;
    using weighted::push_async, weighted::async_push;
    using weighted::push_many, weighted::try_push_many, weighted::push_many_for;

    /// Removes and returns the next batch. Waits until one is due. Any thread. Returns nullopt if
    /// the queue is closed and empty. O(batch_size()). Throws std::bad_alloc, and what moving T
    /// throws.
    [[nodiscard]] std::optional<batch_type> pop_batch() {
        return pop_as<std::optional<batch_type>>(wait_forever, timeout_args{});
    }

    /// Removes and returns the next batch if one is due. Never waits. Any thread. Returns the error
    /// empty if none is due, or closed if the queue is closed and empty. O(batch_size()). Throws
    /// std::bad_alloc, and what moving T throws.
    [[nodiscard]] expected<batch_type, conqueue_status> try_pop_batch() {
        return pop_as<expected<batch_type, conqueue_status>>(no_wait, due_args{});
    }

    /// Removes and returns the next batch. Waits until one is due, at most `duration`, then takes
    /// the items that are there. Any thread. Returns the error timeout if there were none; empty if
    /// there were none and `duration` is not positive, or other consumers took them at the end; or
    /// closed if the queue is closed and empty. O(batch_size()). Throws std::bad_alloc, and what
    /// moving T throws.
    template <class Rep, class Period>
    [[nodiscard]] expected<batch_type, conqueue_status>
    pop_batch_for(std::chrono::duration<Rep, Period> duration) {
        return pop_as<expected<batch_type, conqueue_status>>(wait_until{deadline_after(duration)},
                                                             timeout_args{});
    }

    /// Removes and returns the next batch. Waits until one is due or `deadline`, on any clock, then
    /// takes the items that are there. Any thread. Returns the error timeout if there were none;
    /// empty if there were none and `deadline` had already passed, or other consumers took them at
    /// the end; or closed if the queue is closed and empty. O(batch_size()). Throws std::bad_alloc,
    /// and what moving T throws.
    template <class Clock, class Duration>
    [[nodiscard]] expected<batch_type, conqueue_status>
    pop_batch_until(std::chrono::time_point<Clock, Duration> deadline) {
        return pop_as<expected<batch_type, conqueue_status>>(wait_until{deadline}, timeout_args{});
    }

    /// Removes and returns the next batch. Waits until one is due or a stop is requested of
    /// `token`, a std::stop_token. Any thread. Returns nullopt if the queue is closed and empty, or
    /// a stop was requested. If it was requested before the call, the call does not try.
    /// O(batch_size()). Throws std::bad_alloc, and what moving T throws.
    ///
    /// A stop request ends the wait at once and does not make a batch due. A batch that is due
    /// wakes all calls that wait with a stop token, and one call that waits without. `token` may be
    /// of any type with stop_possible(), stop_requested() and callback_type.
    template <class Token, class = if_stop_token<Token>>
    [[nodiscard]] std::optional<batch_type> pop_batch(const Token &token) {
        if (!token.stop_possible())
            return pop_batch();
        return pop_as<std::optional<batch_type>>(this->wait_with(token, QUEUES_READABLE),
                                                 due_args{});
    }

    /// Removes the next batch and assigns it to `batch`. Waits until one is due. Any thread.
    /// Returns success, or closed if the queue is closed and empty: then `batch` is empty.
    /// O(batch_size()).
    ///
    /// Allocates nothing if `batch` has room for batch_size() items, and these are at most 512 (256
    /// for items that are copied). Throws std::bad_alloc, and what moving T throws: then `batch`
    /// has the items before the one that threw.
    conqueue_status pop_batch_into(batch_type &batch) {
        return fill(batch, wait_forever, timeout_args{});
    }
    /// Removes the next batch if one is due, and assigns it to `batch`. Never waits. Any thread.
    /// Returns success; empty if none is due, or closed if the queue is closed and empty: then
    /// `batch` is empty. O(batch_size()).
    ///
    /// Allocates nothing if `batch` has room for batch_size() items, and these are at most 512 (256
    /// for items that are copied). Throws std::bad_alloc, and what moving T throws: then `batch`
    /// has the items before the one that threw.
    [[nodiscard]] conqueue_status try_pop_batch_into(batch_type &batch) {
        return fill(batch, no_wait, due_args{});
    }
    /// Removes the next batch and assigns it to `batch`. Waits until one is due, at most
    /// `duration`, then takes the items that are there. Any thread. Returns success; timeout if
    /// there were no items; empty if there were none and `duration` is not positive, or other
    /// consumers took them at the end; or closed if the queue is closed and empty. Unless success,
    /// `batch` is empty. O(batch_size()).
    ///
    /// Allocates nothing if `batch` has room for batch_size() items, and these are at most 512 (256
    /// for items that are copied). Throws std::bad_alloc, and what moving T throws: then `batch`
    /// has the items before the one that threw.
    template <class Rep, class Period>
    [[nodiscard]] conqueue_status pop_batch_into_for(batch_type &batch,
                                                     std::chrono::duration<Rep, Period> duration) {
        return fill(batch, wait_until{deadline_after(duration)}, timeout_args{});
    }

    /// For coroutines (C++20): `co_await queue.pop_batch_async(executor)` removes and returns the
    /// next batch, as a std::optional; it suspends the coroutine until a batch is due. Needs
    /// queues/async.hpp, which describes executors, stop tokens and lifetimes. Any thread. Results
    /// in nullopt if the queue is closed and empty, or a stop was requested of `token`. Throws
    /// std::bad_alloc, and what moving T throws.
    template <class Executor = on_reactor, class Token = no_token, class = if_executor<Executor>>
    [[nodiscard]] auto pop_batch_async(Executor executor = Executor(), Token token = Token()) {
        using operation = pop_batch_operation<batch_queue>;
        return awaiter<operation, Executor, Token>(operation(*this), std::move(executor),
                                                   std::move(token));
    }

    /// Makes all items that are in the queue due, in batches of the usual size; items that are
    /// pushed later are not. Never waits. Any thread.
    void flush() { status_of(queues_batch_flush(handle_.queue), "flush"); }

    /// Returns the number of items at some moment of the call, as size() does. Never waits. Any
    /// thread.
    [[nodiscard]] std::size_t pending_count() const noexcept { return this->size(); }
    /// Returns the time until a batch is due by its age, for the timeout of an event loop: 0 if a
    /// batch is due or the queue is closed; nullopt if the queue is empty or batches have no age. A
    /// push may make a batch due earlier. Never waits; holds a short lock. Any thread.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> next_due() const noexcept {
        const auto left = queues_batch_next_due_ns(handle_.queue);
        if (left < 0)
            return std::nullopt;
        return std::chrono::nanoseconds(left);
    }
    /// Returns the most items of a batch. Never waits. Any thread.
    [[nodiscard]] std::size_t batch_size() const noexcept { return batch_size_; }

    /// \cond INTERNAL
  protected:
    batch_queue(std::size_t item_size, const batch_limits &limits)
        : weighted(item_size, options_of(limits)), batch_size_(batch_size_of(limits.size)) {}
    batch_queue(queues_batch_t *queue, reference from)
        : weighted(queue, from), batch_size_(queues_batch_batch_size(queue)) {}

    using unweighted::handle_;
    /// \endcond

  private:
    const std::size_t batch_size_;

    static queues_batch_options_t options_of(const batch_limits &limits) {
        queues_batch_options_t options{};
        options.max_pending = limits.max_pending;
        options.batch_size = batch_size_of(limits.size);
        options.batch_timeout_ns = limits.age.count();
        options.batch_weight = limits.weight;
        return options;
    }

    // What a get_batch takes: the timeout, or `due_only`.
    struct timeout_args {
        std::int64_t operator()(std::int64_t timeout) const { return timeout; }
    };
    struct due_args {
        due_only operator()(std::int64_t) const { return {}; }
    };

    template <class Result, class Wait, class ArgsOf> Result pop_as(Wait wait, ArgsOf args_of) {
        batch_type batch;
        const auto status = fill(batch, wait, args_of);
        if (status == conqueue_status::success)
            return Result(std::in_place, std::move(batch));
        if constexpr (std::is_same_v<Result, std::optional<batch_type>>)
            return std::nullopt;
        else
            return unexpected<conqueue_status>(status);
    }

    // Everything is allocated before the C call takes a batch.
    template <class Wait, class ArgsOf>
    conqueue_status fill(batch_type &batch, Wait wait, ArgsOf args_of) {
        if constexpr (holds_blobs) {
            return fill_with_blobs(batch, wait, args_of);
        } else {
            batch.clear();
            batch.reserve(batch_size_);
            if constexpr (Payload::kind == stored_as::bytes)
                return fill_with_copies(batch, wait, args_of);
            else
                return fill_with_pointers(batch, wait, args_of);
        }
    }

    template <class Wait, class ArgsOf>
    conqueue_status fill_with_pointers(batch_type &batch, Wait wait, ArgsOf args_of) {
        small_buffer<void *> items(batch_size_);
        std::size_t count = 0;
        const auto status =
            status_of(wait([&](std::int64_t timeout) {
                          return batch_calls::get_batch(handle_.queue, items.data(), batch_size_,
                                                        &count, args_of(timeout));
                      }),
                      "pop_batch");
        // If a move throws, destroys the later items.
        struct remaining_items {
            typename Payload::queue_handle &handle;
            void **next, **end;
            ~remaining_items() {
                while (next != end)
                    Payload(handle).adopt(*next++);
            }
        } remaining{handle_, items.data(), items.data() + count};
        while (remaining.next != remaining.end) {
            Payload item(handle_);
            item.adopt(*remaining.next++);
            batch.push_back(item.value());
        }
        return status;
    }

    template <class Wait, class ArgsOf>
    conqueue_status fill_with_copies(batch_type &batch, Wait wait, ArgsOf args_of) {
        taken_bytes taken(batch_size_);
        const auto capacity = batch_size_ * sizeof(value_type);
        if constexpr (std::is_trivially_move_assignable_v<value_type>) {
            if (batch_size_ > small_buffer<storage<value_type>>::inline_count) {
                // Too large for the stack: the C call writes into the vector, which must have items
                // to be written over.
                storage<value_type> blank;
                std::memset(blank.address(), 0, sizeof blank);
                for (std::size_t i = 0; i < batch_size_; ++i)
                    batch.push_back(std::move(blank.value()));
                const auto status = take(batch.data(), capacity, taken, wait, args_of);
                spread(batch.data(), taken);
                while (batch.size() > taken.count)
                    batch.pop_back();
                return status;
            }
        }
        small_buffer<storage<value_type>> items(batch_size_);
        const auto status = take(items.data(), capacity, taken, wait, args_of);
        spread(items.data(), taken);
        for (std::size_t i = 0; i < taken.count; ++i)
            batch.push_back(std::move(items.data()[i].value()));
        return status;
    }

    template <class Wait, class ArgsOf>
    conqueue_status fill_with_blobs(batch_type &batch, Wait wait, ArgsOf args_of) {
        batch.items_.clear();
        batch.length_ = 0;
        batch.items_.reserve(batch_size_);
        if (batch.buffer_.empty())
            batch.buffer_.resize(4096); // bytes to begin with; the C call reports what it needs
        taken_bytes taken(batch_size_);
        conqueue_status status;
        for (;;) {
            status = take(batch.buffer_.data(), batch.buffer_.size(), taken, wait, args_of);
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

    // The outputs of a C call that copies a batch into a buffer.
    struct taken_bytes {
        explicit taken_bytes(std::size_t max) : blobs(max) {}
        small_buffer<queues_batch_blob_t> blobs;
        std::size_t length = 0, count = 0;
    };
    // Moves each item to its place in an array, the last one first, if other languages have put
    // blobs that are shorter than an item.
    static void spread(void *items, taken_bytes &taken) noexcept {
        constexpr auto size = sizeof(value_type);
        if (taken.length == taken.count * size)
            return;
        for (auto i = taken.count; i-- > 0;) {
            const auto [offset, length] = taken.blobs.data()[i];
            const auto item = static_cast<std::byte *>(items) + i * size;
            std::memmove(item, static_cast<std::byte *>(items) + offset, length);
            fill_up(item, length, size);
        }
    }
    template <class Wait, class ArgsOf>
    conqueue_status take(void *buffer, std::size_t capacity, taken_bytes &taken, Wait wait,
                         ArgsOf args_of) {
        return status_of(wait([&](std::int64_t timeout) {
                             return batch_calls::get_batch_bytes(
                                 handle_.queue, buffer, capacity, &taken.length, taken.blobs.data(),
                                 batch_size_, &taken.count, args_of(timeout));
                         }),
                         "pop_batch");
    }
};

/// The base of batcher<T>.
template <class T> using batch_of = batch_queue<payload_of<batch_calls, T>>;

} // namespace detail

/// Extension. A bounded FIFO queue of T for any number of producers and consumers whose items are
/// taken in batches. Each item is in one batch. Any thread may make any call at any time.
template <class T>
class batcher : public detail::batch_of<T>, public detail::from_handle<batcher<T>, queues_batch_t> {
  public:
    /// Creates a queue of the library's default limits. Throws std::bad_alloc.
    batcher() : batcher(batch_limits()) {}
    /// Creates a queue with these limits. Throws std::bad_alloc, and std::invalid_argument if
    /// `limits.size` exceeds the capacity, or the weight of a full queue may exceed 63 bits.
    explicit batcher(const batch_limits &limits)
        : detail::batch_of<T>(detail::batch_of<T>::slot_size, limits) {}
    batcher(batcher &) = delete; // not const, or `batcher<T> queue({})` would be ambiguous

  private:
    friend detail::from_handle<batcher, queues_batch_t>;
    batcher(queues_batch_t *queue, detail::reference from) : detail::batch_of<T>(queue, from) {}
};

/// Extension. A bounded FIFO queue of blobs for any number of producers and consumers whose
/// items are taken in batches: a pop returns a bytes_batch, which has all bytes in one buffer. Any
/// thread may make any call at any time. A push takes a bytes_view, copies its bytes into the
/// queue, and throws std::invalid_argument if they are more than item_size().
class batcher_bytes
    : public detail::with_item_size<detail::batch_queue<detail::by_blob<detail::batch_calls>>>,
      public detail::from_handle<batcher_bytes, queues_batch_t> {
    using base = detail::with_item_size<detail::batch_queue<detail::by_blob<detail::batch_calls>>>;

  public:
    /// Creates a queue of blobs of up to `item_size` bytes with these limits. Throws
    /// std::bad_alloc, and std::invalid_argument if `item_size` is 0, the bytes of a full queue
    /// exceed the address space, `limits.size` exceeds the capacity, or the weight of a full queue
    /// may exceed 63 bits.
    explicit batcher_bytes(std::size_t item_size, const batch_limits &limits = {})
        : base(item_size, limits) {}

  private:
    friend detail::from_handle<batcher_bytes, queues_batch_t>;
    batcher_bytes(queues_batch_t *queue, detail::reference from) : base(queue, from) {}
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
