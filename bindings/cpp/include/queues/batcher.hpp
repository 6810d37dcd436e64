/// \file
/// Items in batches.
#ifndef QUEUES_BATCHER_HPP
#define QUEUES_BATCHER_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "batch.hpp"
#include "detail/batcher.hpp"
#include "detail/small_buffer.hpp"
#include "push.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace queues {

namespace detail {

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

template <class T> using batch_of = batch_queue<payload_of<batch_calls, T>>;

} // namespace detail

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

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
