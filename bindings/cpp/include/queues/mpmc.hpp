// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// queues::mpmc, a bounded FIFO queue for any number of producers and consumers, and
/// queues::mpmc_bytes, the same for blobs, whose items can be written and read in place.
///
///     queues::mpmc<request> queue(1024); // room for 1024 items
///     queue.push(std::move(r));          // waits for room; false: the queue is closed
///     while (auto next = queue.pop())    // waits for an item; nullopt: closed and empty
///         serve(*next);
#ifndef QUEUES_MPMC_HPP
#define QUEUES_MPMC_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/mpmc.hpp"
#include "expected.hpp"
#include "options.hpp"
#include "pop.hpp"
#include "push.hpp"
#include "queue.hpp"
#include "status.hpp"

#include <queues.h>

#include <chrono>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

/// What mpmc and mpmc_bytes have beside the members of every FIFO queue.
template <class Payload, class Calls = mpmc_calls>
class mpmc_queue : public fifo_queue<Calls, Payload> {
    using base = fifo_queue<Calls, Payload>;

  public:
    /// Extension. Returns a copy of the item that was in front at some moment of the call; another
    /// consumer may have removed it since. Never waits. Any thread. Returns the error empty, or
    /// closed if the queue is closed and empty. T must be trivially copyable, because another
    /// consumer may destroy the item during the copy.
    [[nodiscard]] expected<typename base::value_type, conqueue_status> peek() const {
        return this->copy_of_shared_front();
    }

    /// \cond INTERNAL
  protected:
    mpmc_queue(std::size_t capacity, std::size_t item_size) : base(capacity, item_size, 0) {}
    mpmc_queue(queues_mpmc_t *queue, reference from) : base(queue, from) {}
    mpmc_queue(int fd, std::size_t item_size, const shared_options &of) : base(fd, item_size, of) {}
    /// \endcond
};

/// The base of mpmc<T>.
template <class T> using mpmc_of = mpmc_queue<payload_of<mpmc_calls, T>>;

/// The base of shared_mpmc<T>.
template <class T>
using shared_mpmc_of = mpmc_queue<by_copy<shared_calls<mpmc_calls>, T>, shared_calls<mpmc_calls>>;

} // namespace detail

/// Extension. A bounded FIFO queue of a trivially copyable T that processes share: see
/// mpmc::open_shared. It has the members of mpmc<T>. Those that may throw `corrupt` are not
/// noexcept. Any thread of any process may make any call at any time.
template <class T>
class shared_mpmc : public detail::shared_mpmc_of<T>,
                    public detail::from_handle<shared_mpmc<T>, queues_mpmc_t> {
    static_assert(std::is_trivially_copyable_v<T>,
                  "T must be trivially copyable in a queue that processes share");
    static_assert(detail::is_item<T>());

  private:
    template <class> friend class mpmc;
    friend detail::from_handle<shared_mpmc, queues_mpmc_t>;
    shared_mpmc(int fd, const shared_options &of) : detail::shared_mpmc_of<T>(fd, sizeof(T), of) {}
    shared_mpmc(queues_mpmc_t *queue, detail::reference from)
        : detail::shared_mpmc_of<T>(queue, from) {}
};

/// A bounded FIFO queue of T for any number of producers and consumers. Any thread may make any
/// call at any time.
template <class T>
class mpmc : public detail::mpmc_of<T>, public detail::from_handle<mpmc<T>, queues_mpmc_t> {
    using base = detail::mpmc_of<T>;

  public:
    /// Extension. Creates a queue of the library's default capacity. Throws std::bad_alloc.
    mpmc() : base(detail::default_capacity, base::slot_size) {}
    /// Creates a queue with room for exactly `capacity` items. Throws std::bad_alloc, and
    /// std::invalid_argument if `capacity` is 0 or exceeds the address space.
    explicit mpmc(std::size_t capacity)
        : base(detail::nonzero_capacity(capacity), base::slot_size) {}

    /// Extension. Opens the queue of T in the file of `fd`, or creates it there if the file is
    /// empty. Every process that opens the file uses the same queue. T must be trivially copyable,
    /// have the same layout in all of them, and hold nothing that means something to one process
    /// only, such as a pointer. An item is a blob of sizeof(T) bytes, also for other languages.
    ///
    /// `fd` is that of a memfd, of shm_open() or of a regular file. It is open for reading and
    /// writing; the caller keeps it and may close it. Every process that may open the file may use
    /// the queue. A process that is suspended or killed makes no other process wait.
    /// queues_mpmc_open_shared() describes what happens to its items, and the rules for a forked
    /// child. `close`, sizes and statistics are for all processes. The destructor does not close
    /// the queue and leaves the items in the file.
    ///
    /// Allocates. Any thread. Throws std::bad_alloc if memory, the file system, descriptors or
    /// attachments are used up, and std::invalid_argument if the file is no such queue, or has
    /// other sizes or flags than `options`. Every call of the queue throws `corrupt` if another
    /// process has damaged the file.
    [[nodiscard]] static shared_mpmc<T> open_shared(int fd, const shared_options &options) {
        return shared_mpmc<T>(fd, options);
    }
    /// Extension. As above, with room for exactly `capacity` items; 0: the value in the file, or
    /// the default.
    [[nodiscard]] static shared_mpmc<T> open_shared(int fd, std::size_t capacity = 0) {
        shared_options options;
        options.capacity = capacity;
        return shared_mpmc<T>(fd, options);
    }

  private:
    friend detail::from_handle<mpmc, queues_mpmc_t>;
    mpmc(queues_mpmc_t *queue, detail::reference from) : base(queue, from) {}
};

/// A bounded FIFO queue of blobs for any number of producers and consumers. Any thread may
/// make any call at any time.
///
/// A push takes a bytes_view, copies its bytes into the queue, and throws std::invalid_argument if
/// they are more than item_size(). A pop returns a std::vector<std::byte>, for which it allocates
/// item_size() bytes; pop_into allocates nothing. `reserve` and `lease` write and read items in
/// place.
class mpmc_bytes
    : public detail::bytes_fifo<detail::mpmc_queue<detail::by_blob<detail::mpmc_calls>>>,
      public detail::from_handle<mpmc_bytes, queues_mpmc_t> {
    using base = detail::bytes_fifo<detail::mpmc_queue<detail::by_blob<detail::mpmc_calls>>>;

  public:
    /// Creates a queue with room for exactly `capacity` items of up to `item_size` bytes. Throws
    /// std::bad_alloc, and std::invalid_argument if either is 0 or the product exceeds the address
    /// space.
    mpmc_bytes(std::size_t capacity, std::size_t item_size)
        : base(detail::nonzero_capacity(capacity), item_size) {}

    /// Extension. Opens the queue of blobs in the file of `fd`, or creates it there if the file is
    /// empty: then `options` need an item_size. Every process that opens the file uses the same
    /// queue. Otherwise as mpmc::open_shared. Every call of this queue may throw `corrupt`.
    /// Reservations and leases belong to the object. Their bytes lie in the file: a process that
    /// breaks the rules can change them at any time.
    [[nodiscard]] static mpmc_bytes open_shared(int fd, const shared_options &options = {}) {
        return mpmc_bytes(fd, options);
    }

    /// Extension. A cell for one item, to be written in place. It has no position in the queue
    /// before `commit`. The destructor cancels a reservation that was not committed. A thread may
    /// hold several, for any time; the queue must outlive them. Movable; any thread may use it, one
    /// at a time.
    class reservation {
      public:
        /// Takes the cell of `other`, which has ended afterwards.
        reservation(reservation &&other) noexcept
            : queue_(other.queue_), data_(std::exchange(other.data_, nullptr)) {}
        /// Exchanges the cells.
        reservation &operator=(reservation &&other) noexcept {
            std::swap(queue_, other.queue_);
            std::swap(data_, other.data_);
            return *this;
        }
        /// Cancels the reservation, unless it was committed or canceled.
        ~reservation() { cancel(); }

        /// Returns the address to write to: `size()` bytes, aligned for std::uint64_t; nullptr once
        /// the reservation has ended.
        [[nodiscard]] std::byte *data() const noexcept { return static_cast<std::byte *>(data_); }
        /// Returns the queue's item size in bytes.
        [[nodiscard]] std::size_t size() const noexcept { return queue_->item_size(); }
        /// Inserts the first `length` bytes at the back of the queue, as an item. Never waits.
        /// Returns success, which ends the reservation; or full or closed, and the reservation is
        /// unchanged: commit again, or cancel. Throws std::invalid_argument if `length` exceeds
        /// `size()` or the reservation has ended.
        conqueue_status commit(std::size_t length) {
            const auto status = detail::status_of(
                queues_mpmc_commit(queue_->handle_.queue, data_, length), "commit");
            if (status == conqueue_status::success)
                data_ = nullptr;
            return status;
        }
        /// Ends the reservation and frees the cell. Has no effect on one that has ended. Never
        /// waits.
        void cancel() noexcept {
            if (data_ != nullptr) // the reservation is this object's alone: cancel does not fail
                detail::ignore(
                    queues_mpmc_cancel(queue_->handle_.queue, std::exchange(data_, nullptr)));
        }

      private:
        friend mpmc_bytes;
        reservation(mpmc_bytes &queue, void *data) noexcept : queue_(&queue), data_(data) {}

        mpmc_bytes *queue_;
        void *data_;
    };

    /// Extension. Reserves a cell for an item. Waits for room. Any thread. Returns the reservation,
    /// or the error closed.
    [[nodiscard]] expected<reservation, conqueue_status> reserve() {
        return reserve_within(detail::wait_forever);
    }
    /// Extension. Reserves a cell for an item if there is room. Never waits. Any thread. Returns
    /// the reservation, or the error full or closed.
    [[nodiscard]] expected<reservation, conqueue_status> try_reserve() {
        return reserve_within(detail::no_wait);
    }
    /// Extension. Reserves a cell for an item. Waits for room, at most `duration`. Any thread.
    /// Returns the reservation, or the error closed, timeout, or full if `duration` is not
    /// positive.
    template <class Rep, class Period>
    [[nodiscard]] expected<reservation, conqueue_status>
    reserve_for(std::chrono::duration<Rep, Period> duration) {
        return reserve_within(detail::wait_for(duration));
    }

    /// Extension. An item that was removed from the queue and is still in its cell, to be read or
    /// written in place. `consume` ends the lease. The destructor of one that has not ended puts
    /// the item back, or destroys it if the queue is full or closed. The queue must outlive the
    /// lease. Movable; any thread may use it, one at a time.
    class leased_item {
      public:
        /// Takes the lease of `other`, which has ended afterwards.
        leased_item(leased_item &&other) noexcept
            : queue_(other.queue_), data_(std::exchange(other.data_, nullptr)), size_(other.size_) {
        }
        /// Exchanges the leases.
        leased_item &operator=(leased_item &&other) noexcept {
            std::swap(queue_, other.queue_);
            std::swap(data_, other.data_);
            std::swap(size_, other.size_);
            return *this;
        }
        /// Puts the item at the back of the queue, unless the lease has ended. If the queue is
        /// full or closed, the item is lost.
        ~leased_item() {
            if (data_ != nullptr && queues_mpmc_return(queue_->handle_.queue, data_) != QUEUES_OK)
                detail::ignore(queues_mpmc_settle(queue_->handle_.queue, data_)); // as documented
        }

        /// Returns the address of the item's bytes, aligned for std::uint64_t; nullptr once the
        /// lease has ended.
        [[nodiscard]] std::byte *data() const noexcept { return static_cast<std::byte *>(data_); }
        /// Returns the number of the item's bytes.
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
        /// Ends the lease and frees the cell: the item has been used. Never waits. Throws
        /// std::invalid_argument if the lease has ended.
        void consume() {
            detail::status_of(queues_mpmc_settle(queue_->handle_.queue, data_), "consume");
            data_ = nullptr;
        }
        /// Inserts the item, with its current bytes, at the back of the queue. Never waits. Returns
        /// success, which ends the lease; or full or closed, and the lease is unchanged. Throws
        /// std::invalid_argument if the lease has ended.
        conqueue_status put_back() {
            const auto status =
                detail::status_of(queues_mpmc_return(queue_->handle_.queue, data_), "put_back");
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

    /// Extension. Removes the item in front and lends it in its cell; its position in the queue is
    /// free for another item. Waits for one. Any thread. Returns the lease, or the error closed if
    /// the queue is closed and empty.
    [[nodiscard]] expected<leased_item, conqueue_status> lease() {
        return lease_within(detail::wait_forever);
    }
    /// Extension. Removes the item in front, if there is one, and lends it in its cell; its
    /// position in the queue is free for another item. Never waits. Any thread. Returns the lease,
    /// or the error empty, or closed if the queue is closed and empty.
    [[nodiscard]] expected<leased_item, conqueue_status> try_lease() {
        return lease_within(detail::no_wait);
    }
    /// Extension. Removes the item in front and lends it in its cell; its position in the queue is
    /// free for another item. Waits for one, at most `duration`. Any thread. Returns the lease, or
    /// the error timeout; empty if `duration` is not positive; or closed if the queue is closed and
    /// empty.
    template <class Rep, class Period>
    [[nodiscard]] expected<leased_item, conqueue_status>
    lease_for(std::chrono::duration<Rep, Period> duration) {
        return lease_within(detail::wait_for(duration));
    }

  private:
    friend detail::from_handle<mpmc_bytes, queues_mpmc_t>;
    mpmc_bytes(int fd, const shared_options &of) : base(fd, of.item_size, of) {}
    mpmc_bytes(queues_mpmc_t *queue, detail::reference from) : base(queue, from) {}

    expected<reservation, conqueue_status> reserve_within(detail::timed_wait wait) {
        void *data;
        const auto status =
            detail::status_of(queues_mpmc_reserve(handle_.queue, &data, wait.timeout), "reserve");
        if (status == conqueue_status::success)
            return reservation(*this, data);
        return unexpected<conqueue_status>(status);
    }
    expected<leased_item, conqueue_status> lease_within(detail::timed_wait wait) {
        void *data;
        std::size_t size;
        const auto status = detail::status_of(
            queues_mpmc_lease(handle_.queue, &data, &size, wait.timeout), "lease");
        if (status == conqueue_status::success)
            return leased_item(*this, data, size);
        return unexpected<conqueue_status>(status);
    }
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
