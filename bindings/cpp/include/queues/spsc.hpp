// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// queues::spsc, a bounded FIFO queue from one producer thread to one consumer thread, and
/// queues::spsc_bytes, the same for blobs, whose items can be written and read in place.
///
///     queues::spsc<sample> queue(1024); // room for 1024 items
///     queue.push(s);                    // waits for room; false: the queue is closed
///     while (auto next = queue.pop())   // waits for an item; nullopt: closed and empty
///         record(*next);
#ifndef QUEUES_SPSC_HPP
#define QUEUES_SPSC_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/spsc.hpp"
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

namespace queues {

namespace detail {

/// What spsc and spsc_bytes have beside the members of every FIFO queue.
template <class Payload, class Calls = spsc_calls>
class spsc_queue : public fifo_queue<Calls, Payload> {
    using base = fifo_queue<Calls, Payload>;

  public:
    /// Extension. Returns a copy of the item in front, which stays in the queue. Never waits. The
    /// consumer. Returns the error empty, or closed if the queue is closed and empty. Throws what
    /// copying T throws, and `misuse` in a checked queue.
    [[nodiscard]] expected<typename base::value_type, conqueue_status> peek() const {
        return this->copy_of_front();
    }
    /// Extension. Calls `visit` with a const reference to the item in front, which stays in the
    /// queue. The reference is valid during the call of `visit`, which must not pop or clear. Never
    /// waits. The consumer. Returns success, empty, or closed if the queue is closed and empty.
    /// Throws what `visit` throws, and `misuse` in a checked queue.
    template <class Visit> conqueue_status peek(Visit &&visit) const {
        return this->peek_by(visit);
    }

    /// Extension. Returns whether the queue was full at some moment of the call. Never waits. Any
    /// thread.
    [[nodiscard]] bool is_full() const noexcept { return queues_spsc_is_full(this->handle_.queue); }

    /// \cond INTERNAL
  protected:
    spsc_queue(std::size_t capacity, std::size_t item_size, bool is_checked)
        : base(capacity, item_size, is_checked ? QUEUES_SPSC_CHECKED : 0) {}
    spsc_queue(queues_spsc_t *queue, reference from) : base(queue, from) {}
    spsc_queue(int fd, std::size_t item_size, const shared_options &of) : base(fd, item_size, of) {}
    /// \endcond
};

/// The base of spsc<T>.
template <class T> using spsc_of = spsc_queue<payload_of<spsc_calls, T>>;

/// The base of shared_spsc<T>.
template <class T>
using shared_spsc_of = spsc_queue<by_copy<shared_calls<spsc_calls>, T>, shared_calls<spsc_calls>>;

} // namespace detail

/// Extension. A bounded FIFO queue of a trivially copyable T from one process to another: see
/// spsc::open_shared. It has the members of spsc<T>, and every call may throw `corrupt`.
template <class T>
class shared_spsc : public detail::shared_spsc_of<T>,
                    public detail::from_handle<shared_spsc<T>, queues_spsc_t> {
    static_assert(std::is_trivially_copyable_v<T>,
                  "T must be trivially copyable in a queue that processes share");
    static_assert(detail::is_item<T>());

  private:
    template <class> friend class spsc;
    friend detail::from_handle<shared_spsc, queues_spsc_t>;
    shared_spsc(int fd, const shared_options &of) : detail::shared_spsc_of<T>(fd, sizeof(T), of) {}
    shared_spsc(queues_spsc_t *queue, detail::reference from)
        : detail::shared_spsc_of<T>(queue, from) {}
};

/// A bounded FIFO queue of T from one producer thread to one consumer thread.
///
/// At every moment at most one thread pushes and at most one pops. A role may pass to another
/// thread in an orderly way, for example by a mutex or a join. Calls documented with "any thread"
/// may be made at any time.
template <class T>
class spsc : public detail::spsc_of<T>, public detail::from_handle<spsc<T>, queues_spsc_t> {
    using base = detail::spsc_of<T>;

  public:
    /// Extension. Creates a queue of the library's default capacity. Throws std::bad_alloc.
    spsc() : base(detail::default_capacity, base::slot_size, false) {}
    /// Creates a queue with room for exactly `capacity` items. Throws std::bad_alloc, and
    /// std::invalid_argument if `capacity` is 0 or exceeds the address space.
    explicit spsc(std::size_t capacity)
        : base(detail::nonzero_capacity(capacity), base::slot_size, false) {}
    /// Creates a queue with room for exactly `capacity` items that detects errors in the program: a
    /// call that overlaps another one of its role throws `misuse` and has no effect. Throws
    /// std::bad_alloc, and std::invalid_argument if `capacity` is 0 or exceeds the address space.
    spsc(std::size_t capacity, checked_t)
        : base(detail::nonzero_capacity(capacity), base::slot_size, true) {}

    /// Extension. Opens the queue of T in the file of `fd`, or creates it there if the file is
    /// empty. T must be trivially copyable: see mpmc::open_shared, also for the exceptions.
    ///
    /// The first call that pushes takes the role of the producer for the object. The first that
    /// pops, peeks or clears takes the role of the consumer. Meanwhile such calls of other objects
    /// and processes throw `misuse`. The destructor, or the death of the process, frees the role
    /// for the next object that calls. queues_spsc_open_shared() describes what happens to the
    /// items. `spare` and `redeliver` of the options are for mpmc only: std::invalid_argument.
    [[nodiscard]] static shared_spsc<T> open_shared(int fd, const shared_options &options) {
        return shared_spsc<T>(fd, options);
    }
    /// Extension. As above, with room for exactly `capacity` items; 0: the value in the file, or
    /// the default.
    [[nodiscard]] static shared_spsc<T> open_shared(int fd, std::size_t capacity = 0) {
        shared_options options;
        options.capacity = capacity;
        return shared_spsc<T>(fd, options);
    }

  private:
    friend detail::from_handle<spsc, queues_spsc_t>;
    spsc(queues_spsc_t *queue, detail::reference from) : base(queue, from) {}
};

/// A bounded FIFO queue of blobs from one producer thread to one consumer thread.
///
/// At every moment at most one thread pushes and at most one pops. A role may pass to another
/// thread in an orderly way, for example by a mutex or a join. Calls documented with "any thread"
/// may be made at any time.
///
/// A push takes a bytes_view, copies its bytes into the queue, and throws std::invalid_argument if
/// they are more than item_size(). A pop returns a std::vector<std::byte>, for which it allocates
/// item_size() bytes; pop_into allocates nothing. `reserve` and `front` write and read items in
/// place.
class spsc_bytes
    : public detail::bytes_fifo<detail::spsc_queue<detail::by_blob<detail::spsc_calls>>>,
      public detail::from_handle<spsc_bytes, queues_spsc_t> {
    using base = detail::bytes_fifo<detail::spsc_queue<detail::by_blob<detail::spsc_calls>>>;

  public:
    /// Creates a queue with room for exactly `capacity` items of up to `item_size` bytes. Throws
    /// std::bad_alloc, and std::invalid_argument if either is 0 or the product exceeds the address
    /// space.
    spsc_bytes(std::size_t capacity, std::size_t item_size)
        : base(detail::nonzero_capacity(capacity), item_size, false) {}
    /// Creates a queue with room for exactly `capacity` items of up to `item_size` bytes that
    /// detects errors in the program: a call that overlaps another one of its role throws `misuse`
    /// and has no effect. Throws std::bad_alloc, and std::invalid_argument if either number is 0 or
    /// the product exceeds the address space.
    spsc_bytes(std::size_t capacity, std::size_t item_size, checked_t)
        : base(detail::nonzero_capacity(capacity), item_size, true) {}

    /// Extension. Opens the queue of blobs in the file of `fd`, or creates it there if the file is
    /// empty: then `options` need an item_size. Otherwise as spsc::open_shared. Every call of this
    /// queue may throw `corrupt`. The bytes of a reservation and of `front` lie in the file: a
    /// process that breaks the rules can change them at any time.
    [[nodiscard]] static spsc_bytes open_shared(int fd, const shared_options &options = {}) {
        return spsc_bytes(fd, options);
    }

    /// Extension. Room for one item at the back of the queue, to be written in place. The consumer
    /// sees nothing of it before `commit`. A reservation ends with its commit and with the
    /// producer's next push or reserve; its destructor does nothing, and the queue is as it was.
    /// Only the producer may use it.
    class reservation {
      public:
        /// Refers to the same room as the other object.
        reservation(reservation &&) noexcept = default;
        /// Refers to the same room as the other object.
        reservation &operator=(reservation &&) noexcept = default;

        /// Returns the address to write to: `size()` bytes, aligned for std::uint64_t.
        [[nodiscard]] std::byte *data() const noexcept { return data_; }
        /// Returns the queue's item size in bytes.
        [[nodiscard]] std::size_t size() const noexcept { return queue_->item_size(); }
        /// Inserts the first `length` bytes as an item. Never waits. The producer. Returns success,
        /// or closed if the queue was closed after the reservation. Throws std::invalid_argument if
        /// `length` exceeds `size()`, and `misuse` if the reservation has ended.
        conqueue_status commit(std::size_t length) {
            return detail::status_of(queues_spsc_commit(queue_->handle_.queue, length), "commit");
        }

      private:
        friend spsc_bytes;
        reservation(spsc_bytes &queue, void *data) noexcept
            : queue_(&queue), data_(static_cast<std::byte *>(data)) {}

        spsc_bytes *queue_;
        std::byte *data_;
    };

    /// Extension. Reserves room for an item. Waits for room. The producer. Returns the reservation,
    /// or the error closed. Throws `misuse` in a checked queue.
    [[nodiscard]] expected<reservation, conqueue_status> reserve() {
        return reserve_within(detail::wait_forever);
    }
    /// Extension. Reserves room for an item if there is any. Never waits. The producer. Returns the
    /// reservation, or the error full or closed. Throws `misuse` in a checked queue.
    [[nodiscard]] expected<reservation, conqueue_status> try_reserve() {
        return reserve_within(detail::no_wait);
    }
    /// Extension. Reserves room for an item. Waits for room, at most `duration`. The producer.
    /// Returns the reservation, or the error closed, timeout, or full if `duration` is not
    /// positive. Throws `misuse` in a checked queue.
    template <class Rep, class Period>
    [[nodiscard]] expected<reservation, conqueue_status>
    reserve_for(std::chrono::duration<Rep, Period> duration) {
        return reserve_within(detail::wait_for(duration));
    }

    /// Extension. The item in front, to be read in place. `consume` removes it from the queue; the
    /// destructor does nothing, and the item stays in front. It is valid until the consumer's next
    /// consume, pop or clear. Only the consumer may use it.
    class front_item {
      public:
        /// Refers to the same item as the other object.
        front_item(front_item &&) noexcept = default;
        /// Refers to the same item as the other object.
        front_item &operator=(front_item &&) noexcept = default;

        /// Returns the address of the item's bytes, aligned for std::uint64_t.
        [[nodiscard]] const std::byte *data() const noexcept { return data_; }
        /// Returns the number of the item's bytes.
        [[nodiscard]] std::size_t size() const noexcept { return size_; }
        /// Removes the item from the queue. Never waits. The consumer. Returns success; or empty,
        /// or closed if the queue is closed, if the item is no longer there. Throws `misuse` in a
        /// checked queue.
        conqueue_status consume() {
            return detail::status_of(queues_spsc_consume(queue_->handle_.queue), "consume");
        }

      private:
        friend spsc_bytes;
        front_item(spsc_bytes &queue, const void *data, std::size_t size) noexcept
            : queue_(&queue), data_(static_cast<const std::byte *>(data)), size_(size) {}

        spsc_bytes *queue_;
        const std::byte *data_;
        std::size_t size_;
    };

    /// Extension. Returns the item in front, in place. Waits for one. The consumer. Returns the
    /// error closed if the queue is closed and empty. Throws `misuse` in a checked queue.
    [[nodiscard]] expected<front_item, conqueue_status> front() {
        return front_within(detail::wait_forever);
    }
    /// Extension. Returns the item in front, in place, if there is one. Never waits. The consumer.
    /// Returns the error empty, or closed if the queue is closed and empty. Throws `misuse` in a
    /// checked queue.
    [[nodiscard]] expected<front_item, conqueue_status> try_front() {
        return front_within(detail::no_wait);
    }
    /// Extension. Returns the item in front, in place. Waits for one, at most `duration`. The
    /// consumer. Returns the error timeout; empty if `duration` is not positive; or closed if the
    /// queue is closed and empty. Throws `misuse` in a checked queue.
    template <class Rep, class Period>
    [[nodiscard]] expected<front_item, conqueue_status>
    front_for(std::chrono::duration<Rep, Period> duration) {
        return front_within(detail::wait_for(duration));
    }

  private:
    friend detail::from_handle<spsc_bytes, queues_spsc_t>;
    spsc_bytes(int fd, const shared_options &of) : base(fd, of.item_size, of) {}
    spsc_bytes(queues_spsc_t *queue, detail::reference from) : base(queue, from) {}

    expected<reservation, conqueue_status> reserve_within(detail::timed_wait wait) {
        void *data;
        const auto status =
            detail::status_of(queues_spsc_reserve(handle_.queue, &data, wait.timeout), "reserve");
        if (status == conqueue_status::success)
            return reservation(*this, data);
        return unexpected<conqueue_status>(status);
    }
    expected<front_item, conqueue_status> front_within(detail::timed_wait wait) {
        const void *data;
        std::size_t size;
        const auto status = detail::status_of(
            queues_spsc_front(handle_.queue, &data, &size, wait.timeout), "front");
        if (status == conqueue_status::success)
            return front_item(*this, data, size);
        return unexpected<conqueue_status>(status);
    }
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
