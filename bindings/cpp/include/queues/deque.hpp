// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// queues::deque, a work-stealing deque: its owner pushes and pops at the bottom, any number of
/// thieves steal at the top. queues::deque_bytes is the same for blobs.
///
///     queues::deque<task> deque(1024, queues::growable);
///     std::thread thief([stealer = deque.get_stealer()] {
///         if (auto stolen = stealer.steal()) // else stolen.error() is empty or retry
///             run(*stolen);
///     });
///     deque.push(std::move(t));
///     while (auto next = deque.pop()) // nullopt: empty
///         run(*next);
#ifndef QUEUES_DEQUE_HPP
#define QUEUES_DEQUE_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/deque.hpp"
#include "expected.hpp"
#include "options.hpp"
#include "queue.hpp"
#include "status.hpp"

#include <queues.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

/// A thief's end of a deque. Any thread may use it and copy it. Each copy keeps the deque alive;
/// the last of the owner and the stealers to be destroyed destroys the items that are left.
template <class Payload>
class deque_stealer : public queue_view<deque_calls, Payload, queue_ref<deque_calls>> {
    using base = queue_view<deque_calls, Payload, queue_ref<deque_calls>>;

  public:
    using typename base::value_type;

    /// Refers to the same deque as `other`. Any thread.
    deque_stealer(const deque_stealer &other) noexcept
        : deque_stealer(other.handle_.queue, other.handle_.item_size) {}
    /// Refers to the deque of `other` from now on, and to its own no longer. No other thread may
    /// use this object meanwhile.
    deque_stealer &operator=(const deque_stealer &other) noexcept {
        deque_stealer copy(other);
        std::swap(handle_, copy.handle_);
        return *this;
    }
    /// Releases the deque. Destroys the items that are left if nothing else refers to it.
    ~deque_stealer() { queues_deque_release(handle_.queue); }

    /// Removes and returns the oldest item. Never waits. Any thread. Returns the error empty, or
    /// retry if another thread took that item during the call: there may be more. Throws what
    /// moving T throws (that item is lost), and std::bad_alloc for a blob.
    [[nodiscard]] expected<value_type, conqueue_status> steal() const {
        return this->template get_as<expected<value_type, conqueue_status>>(
            no_wait, [](std::int64_t) { return at_top{}; });
    }

    /// Removes up to `count` items, one after the other, and assigns them to `*out++`, oldest
    /// first; other thieves may take items between them. Never waits. Any thread. Returns the
    /// number of items; if it is 0, with the status empty or retry (or success if `count` is 0). If
    /// assigning throws, that one item is lost. O(number of items).
    template <class Output>
    [[nodiscard]] bulk_result steal_many(Output out, std::size_t count) const {
        return this->get_many(out, count, at_top{}, at_top{});
    }
    /// Removes items, one after the other, and assigns them to the elements of `items`, a
    /// contiguous range (std::vector, std::array, std::span, array), oldest first; other thieves
    /// may take items between them. Never waits. Any thread. Returns the number of items, at most
    /// the size of `items`; if it is 0, with the status empty or retry (or success if `items` has
    /// no elements). If assigning throws, that one item is lost. O(number of items).
    template <class Range, class = if_writable<Range, value_type>>
    [[nodiscard]] bulk_result steal_many(Range &&items) const {
        return steal_many((std::data)(items), (std::size)(items));
    }

    /// Returns a descriptor for poll(2), epoll and event loops. It is readable while there may be
    /// an item to steal; a steal that returns empty makes it unreadable until the next push. Never
    /// waits. Any thread. Throws std::bad_alloc if no descriptor is left.
    ///
    /// All calls, also of the owner and of other stealers, return the same descriptor. The deque
    /// owns it: do not read, write or close it. The first call creates it; from then on, a steal
    /// that finds the deque empty and the push that ends that make system calls.
    [[nodiscard]] int stealable_fd() const {
        return this->descriptor(queues_deque_stealable_fd, "stealable_fd");
    }

    /// \cond INTERNAL
  protected:
    template <class, class> friend class deque_owner;
    deque_stealer(queues_deque_t *deque, std::size_t item_size) noexcept {
        handle_ = {queues_deque_retain(deque), item_size};
    }

    using base::handle_;
    /// \endcond
};

/// The owner's end of a deque. No call waits. Calls documented with "the owner" may be made by one
/// thread at a time; a deque that is `checked` throws `misuse` if they overlap.
template <class Payload, class Stealer>
class deque_owner : public basic_queue<deque_calls, Payload> {
    using base = basic_queue<deque_calls, Payload>;

  public:
    using typename base::argument;
    using typename base::value_type;
    using stealer = Stealer; ///< a thief's end of this deque

    /// Inserts a copy of `value` at the bottom. The owner. Returns true, or false if the deque is
    /// full and does not grow. O(1), O(size()) when it grows. Throws what copying T throws,
    /// std::bad_alloc, std::invalid_argument for a blob longer than item_size(), and
    /// `misuse`.
    bool push(const argument &value) { return base::is_success(put(value)); }
    /// Inserts `value`, moved, at the bottom. The owner. Returns true, or false if the deque is
    /// full and does not grow: then `value` is unchanged. O(1), O(size()) when it grows. Throws
    /// what moving T throws, std::bad_alloc, std::invalid_argument for a blob longer than
    /// item_size(), and `misuse`.
    bool push(argument &&value) { return base::is_success(put(std::move(value))); }

    /// Inserts a copy of `value` at the bottom. The owner. Returns success, or full if the deque is
    /// full and does not grow. O(1), O(size()) when it grows. Throws what copying T throws,
    /// std::bad_alloc, std::invalid_argument for a blob longer than item_size(), and
    /// `misuse`.
    [[nodiscard]] conqueue_status try_push(const argument &value) { return put(value); }
    /// Inserts `value`, moved, at the bottom. The owner. Returns success, or full if the deque is
    /// full and does not grow: then `value` is unchanged. O(1), O(size()) when it grows. Throws
    /// what moving T throws, std::bad_alloc, std::invalid_argument for a blob longer than
    /// item_size(), and `misuse`.
    [[nodiscard]] conqueue_status try_push(argument &&value) { return put(std::move(value)); }

    /// Constructs an item from `args` and inserts it at the bottom. The owner. Returns true, or
    /// false if the deque is full and does not grow: then `args` are unchanged. O(1), O(size())
    /// when it grows.
    ///
    /// Throws what the constructor throws, `misuse`, std::invalid_argument for a blob longer
    /// than item_size(), and std::bad_alloc: if the deque cannot grow, the item is destroyed. The
    /// statistics of stealers do not count emplaces that found the deque full.
    template <class... Args> bool emplace(Args &&...args) {
        return base::is_success(construct(std::forward<Args>(args)...));
    }
    /// Constructs an item from `args` and inserts it at the bottom. The owner. Returns success, or
    /// full if the deque is full and does not grow: then `args` are unchanged. O(1), O(size()) when
    /// it grows.
    ///
    /// Throws what the constructor throws, `misuse`, std::invalid_argument for a blob longer
    /// than item_size(), and std::bad_alloc: if the deque cannot grow, the item is destroyed. The
    /// statistics of stealers do not count emplaces that found the deque full.
    template <class... Args> [[nodiscard]] conqueue_status try_emplace(Args &&...args) {
        return construct(std::forward<Args>(args)...);
    }

    /// Removes and returns the newest item. The owner. Returns nullopt if the deque is empty.
    /// Throws what moving T throws (that item is lost), std::bad_alloc for a blob, and
    /// `misuse`.
    [[nodiscard]] std::optional<value_type> pop() {
        return this->template get_as<std::optional<value_type>>(no_wait, bottom_args);
    }

    /// Returns a descriptor that is readable while there may be an item to steal: that of the
    /// stealers. Never waits. Any thread. Throws std::bad_alloc if no descriptor is left.
    [[nodiscard]] int stealable_fd() const {
        return this->descriptor(queues_deque_stealable_fd, "stealable_fd");
    }
    /// Returns another stealer of this deque. Any thread.
    [[nodiscard]] Stealer get_stealer() const noexcept {
        return Stealer(this->handle_.queue, this->handle_.item_size);
    }

    /// \cond INTERNAL
  protected:
    template <class... Modes>
    deque_owner(std::size_t capacity, std::size_t item_size, Modes... modes)
        : base(capacity, item_size, (std::uint64_t{0} | ... | flag(modes))),
          grows_((... || std::is_same_v<Modes, growable_t>)) {}
    // May grow: so an emplace must not take the deque to be full because of its size.
    deque_owner(queues_deque_t *deque, reference from) : base(deque, from), grows_(true) {}
    /// \endcond

  private:
    const bool grows_;

    static at_bottom bottom_args(std::int64_t) { return {}; }

    template <class Value> conqueue_status put(Value &&value) {
        return this->put_by(std::forward<Value>(value), no_wait, bottom_args);
    }
    template <class... Args> conqueue_status construct(Args &&...args) {
        if constexpr (is_one_item<argument, Args...>::value) {
            return put(std::forward<Args>(args)...);
        } else {
            if constexpr (base::template emplace_needs_room_check<Args...>) {
                if (!grows_ && this->size() >= this->capacity()) // only the owner can fill it
                    return this->count_as_full();
            }
            return this->construct_and_put(at_bottom{}, std::forward<Args>(args)...);
        }
    }
};

/// A thief's end of a deque of blobs. Any thread may use it and copy it.
class bytes_stealer : public with_item_size<deque_stealer<by_blob<deque_calls>>> {
  public:
    /// Removes the oldest blob and writes it to `buffer`. Allocates nothing. Never waits.
    /// Any thread. Returns its length; or the error too_small if it is longer than `capacity` (it
    /// stays); empty; or retry if another thread took it during the call. O(length).
    [[nodiscard]] expected<std::size_t, conqueue_status> steal_into(void *buffer,
                                                                    std::size_t capacity) const {
        return get_bytes(buffer, capacity, at_top{});
    }

  private:
    template <class, class> friend class deque_owner;
    using with_item_size::with_item_size;
};

/// The stealers of deque<T>.
template <class T> using stealer_of = deque_stealer<payload_of<deque_calls, T>>;
/// The base of deque<T>.
template <class T> using deque_of = deque_owner<payload_of<deque_calls, T>, stealer_of<T>>;

} // namespace detail

/// Extension. A work-stealing deque of T. One thread at a time, its owner, pushes and pops at the
/// bottom, last in, first out; any number of thieves steal at the top, first in, first out, each
/// with a `stealer`. The members of this class are the owner's, except those that any thread may
/// call.
///
/// A deque is never closed: the owner knows when there is nothing more to come. A T that is not
/// trivially copyable is in a box, which a push allocates and a pop or steal frees; a
/// std::unique_ptr needs none.
///
/// An object from adopt or share is the owner's, too: one thread at a time pushes and pops,
/// whatever language it uses. Others take a stealer from their object. An emplace into such a deque
/// does not restore its arguments when the deque is full.
template <class T>
class deque : public detail::deque_of<T>, public detail::from_handle<deque<T>, queues_deque_t> {
    using base = detail::deque_of<T>;

  public:
    /// Creates a deque of the library's default capacity. Throws std::bad_alloc.
    deque() : base(detail::default_capacity, base::slot_size) {}
    /// Creates a deque with room for exactly `capacity` items. `modes` are `growable`, `checked`,
    /// both or none. Throws std::bad_alloc, and std::invalid_argument if `capacity` is 0 or exceeds
    /// the address space.
    ///
    /// With `growable`, a push into a full deque doubles the capacity, or throws std::bad_alloc.
    /// With `checked`, a push or pop that overlaps another one, which is an error in the program,
    /// throws `misuse` and has no effect.
    template <class... Modes>
    explicit deque(std::size_t capacity, Modes... modes)
        : base(detail::nonzero_capacity(capacity), base::slot_size, modes...) {}

  private:
    friend detail::from_handle<deque, queues_deque_t>;
    deque(queues_deque_t *handle, detail::reference from) : base(handle, from) {}
};

/// Extension. A work-stealing deque of blobs: its owner pushes and pops at the bottom, any
/// number of thieves steal at the top, each with a `stealer`. The members of this class are the
/// owner's, except those that any thread may call.
///
/// A push takes a bytes_view, copies its bytes into the deque, and throws std::invalid_argument if
/// they are more than item_size(). A pop or steal returns a std::vector<std::byte>, for which it
/// allocates item_size() bytes; pop_into and steal_into allocate nothing.
class deque_bytes
    : public detail::with_item_size<
          detail::deque_owner<detail::by_blob<detail::deque_calls>, detail::bytes_stealer>>,
      public detail::from_handle<deque_bytes, queues_deque_t> {
    using base = detail::with_item_size<
        detail::deque_owner<detail::by_blob<detail::deque_calls>, detail::bytes_stealer>>;

  public:
    /// Creates a deque with room for exactly `capacity` items of up to `item_size` bytes. `modes`
    /// are `growable`, `checked`, both or none. Throws std::bad_alloc, and std::invalid_argument if
    /// either number is 0 or the product exceeds the address space.
    ///
    /// With `growable`, a push into a full deque doubles the capacity, or throws std::bad_alloc.
    /// With `checked`, a push or pop that overlaps another one, which is an error in the program,
    /// throws `misuse` and has no effect.
    template <class... Modes>
    deque_bytes(std::size_t capacity, std::size_t item_size, Modes... modes)
        : base(detail::nonzero_capacity(capacity), item_size, modes...) {}

    /// Removes the newest blob and writes it to `buffer`. Allocates nothing. The owner.
    /// Returns its length; or the error too_small if it is longer than `capacity` (it stays), or
    /// empty. O(length). Throws `misuse` in a checked deque.
    [[nodiscard]] expected<std::size_t, conqueue_status> pop_into(void *buffer,
                                                                  std::size_t capacity) {
        return get_bytes(buffer, capacity, detail::at_bottom{});
    }

  private:
    friend detail::from_handle<deque_bytes, queues_deque_t>;
    deque_bytes(queues_deque_t *deque, detail::reference from) : base(deque, from) {}
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
