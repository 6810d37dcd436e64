/// \file
/// Many producers, many consumers.
#ifndef QUEUES_MPMC_HPP
#define QUEUES_MPMC_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "bytes.hpp"
#include "detail/mpmc.hpp"
#include "fifo.hpp"

#include <chrono>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

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

template <class T> using mpmc_of = mpmc_queue<payload_of<mpmc_calls, T>>;

} // namespace detail

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

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
