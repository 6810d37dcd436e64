/// \file
/// One producer, one consumer.
#ifndef QUEUES_SPSC_HPP
#define QUEUES_SPSC_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "bytes.hpp"
#include "detail/spsc.hpp"
#include "fifo.hpp"
#include "options.hpp"

#include <chrono>
#include <cstddef>

namespace queues {

namespace detail {

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

template <class T> using spsc_of = spsc_queue<payload_of<spsc_calls, T>>;

} // namespace detail

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

#endif

#include "detail/end.hpp"

#endif
