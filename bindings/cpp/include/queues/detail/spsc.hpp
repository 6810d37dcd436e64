// SPDX-License-Identifier: MIT OR Apache-2.0
// The C functions of the spsc family under the names that all families share, and its calls on
// cells: queues_spsc_reserve and _commit for a push, _front and _consume for a pop.
#ifndef QUEUES_DETAIL_SPSC_HPP
#define QUEUES_DETAIL_SPSC_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../options.hpp"
#include "cell.hpp"
#include "handle.hpp"
#include "in_cell.hpp"
#include "payload.hpp"
#include "status_of.hpp"

#include <queues.h>
#ifndef QUEUES_NO_INLINE
#include <queues_inline.h>
#endif

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace queues {

namespace detail {

template <class T> struct spsc_cells;

struct spsc_calls : default_calls {
    using handle = queues_spsc_t;
    using options = queues_spsc_options_t;
    template <class T> using cell_payload = in_cell<spsc_cells<T>, T>;
    static constexpr bool put_may_throw = true, get_may_throw = true; // misuse
    static constexpr bool has_many = true;
    static constexpr auto create = queues_spsc_create;
    static constexpr auto retain = queues_spsc_retain;
    static constexpr auto release = queues_spsc_release;
    static constexpr auto put = queues_spsc_put;
#ifndef queues_spsc_get
    static constexpr auto get = queues_spsc_get;
#else // queues_inline.h inlines calls on this machine
    // The library does not see the address of `item`, so the compiler may keep it in a register.
    static queues_status_t get(handle *queue, void **item, std::int64_t timeout) noexcept {
        std::uint64_t position = 0;
        if (queues_spsc_may_get_(queue, &position))
            return queues_spsc_get_at_(queue, position, item);
        void *gotten = nullptr;
        const auto status = queues_spsc_called_get_(queue, &gotten, timeout);
        *item = gotten;
        return status;
    }
#endif
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
    static constexpr auto is_empty = queues_spsc_is_empty;
    static constexpr auto capacity = queues_spsc_capacity;
    static constexpr auto item_size = queues_spsc_item_size;
    static constexpr auto stats = queues_spsc_stats;
    static constexpr auto readable_fd = queues_spsc_readable_fd;
    static constexpr auto writable_fd = queues_spsc_writable_fd;
#ifdef queues_spsc_get
    // The steps of inlined calls for items of `length` bytes; by_copy moves items between a cell
    // and an object of the program.
    static constexpr bool has_inlined_calls = true;
    static bool may_put(handle *queue, std::size_t length, std::uint64_t &position) noexcept {
        return queues_spsc_may_put_blob_(queue, length, &position) != 0;
    }
    static queues_status_t put_at(handle *queue, std::uint64_t position, const void *item,
                                  std::size_t length) noexcept {
        return queues_spsc_put_blob_at_(queue, position, item, length);
    }
    static bool may_get(handle *queue, std::size_t length, std::uint64_t &position) noexcept {
        return queues_spsc_has_blob_(queue, length, &position) != 0;
    }
    static void *front(handle *queue, std::size_t length, std::uint64_t position) noexcept {
        return queues_spsc_slot_(queue, position, queues_spsc_stride_(length), 0);
    }
    static queues_status_t remove_front(handle *queue, std::uint64_t position) noexcept {
        return queues_spsc_release_slot_(queue, position);
    }
    static constexpr auto call_put_bytes = queues_spsc_called_put_bytes_;
    static constexpr auto call_get_bytes = queues_spsc_called_get_bytes_;
#endif
    static queues_status_t open_shared(int fd, std::size_t longest, const shared_options &of,
                                       handle **queue) noexcept {
        if (of.spare != 0 || of.redeliver)
            return QUEUES_INVALID;
        options wanted{};
        wanted.struct_size = sizeof wanted;
        wanted.capacity = of.capacity;
        wanted.item_size = longest;
        wanted.attachments = of.attachments;
        return queues_spsc_open_shared(&wanted, fd, queue);
    }
};

template <class T> struct spsc_cells {
    using calls = spsc_calls;

    struct queue_handle : owned_queue<spsc_calls> {
        bool is_checked = false;
        mutable std::atomic<bool> is_pushing{false}, is_popping{false};

        void prepare(std::uint64_t flags, std::size_t) noexcept {
            is_checked = (flags & QUEUES_SPSC_CHECKED) != 0;
        }
        queues_status_t clear(std::size_t *count) noexcept {
            auto consumer = role::consumer(*this);
            if (!consumer.enter())
                return QUEUES_MISUSE;
            const auto status = queues_spsc_clear(this->queue, count);
            consumer.leave();
            return status;
        }
    };

    // The role of producer or consumer in a checked queue. A push or pop is several C calls, and
    // `enter` fails if another thread is between them.
    class role {
      public:
        static role producer(queue_handle &of) noexcept {
            return role(of.is_checked, of.is_pushing);
        }
        static role consumer(const queue_handle &of) noexcept {
            return role(of.is_checked, of.is_popping);
        }
        role(const role &) = delete;
        ~role() { leave(); }
        bool enter() noexcept {
            if (!is_checked_)
                return true;
            is_in_ = !taken_.exchange(true, std::memory_order_acquire);
            return is_in_;
        }
        void leave() noexcept {
            if (is_in_)
                taken_.store(false, std::memory_order_release);
            is_in_ = false;
        }

      private:
        role(bool is_checked, std::atomic<bool> &taken) noexcept
            : is_checked_(is_checked), taken_(taken) {}

        const bool is_checked_;
        bool is_in_ = false;
        std::atomic<bool> &taken_;
    };

    static void count_failure(queue_handle &, queues_status_t) noexcept {} // C counts exactly
    static queues_status_t reserve(queue_handle &to, void **data, std::int64_t timeout) noexcept {
        return queues_spsc_reserve(to.queue, data, timeout);
    }
    static queues_status_t commit(queue_handle &to, void *) noexcept {
        return queues_spsc_commit(to.queue, cell<T>::size);
    }
    static void cancel(queue_handle &, void *) noexcept {} // the next reserve replaces it
    // Not needed: only the producer fills the queue.
    static queues_status_t wait_for_room(queue_handle &, std::int64_t) noexcept {
        return QUEUES_FULL;
    }
    static queues_status_t lease(const queue_handle &from, void **data,
                                 std::int64_t timeout) noexcept {
        const void *item;
        std::size_t length = cell<T>::size;
        const auto status = queues_spsc_front(from.queue, &item, &length, timeout);
        if (status == QUEUES_OK) {
            *data = const_cast<void *>(item); // the consumer's until it is consumed
            fill_up(*data, length, cell<T>::size);
        }
        return status;
    }
    static void settle(const queue_handle &from, void *) noexcept {
        ignore(queues_spsc_consume(from.queue)); // `lease` found the item, and only the consumer
                                                 // could take it
    }
    template <class Visit>
    static queues_status_t peek(const queue_handle &from, const Visit &visit) {
        auto consumer = role::consumer(from);
        if (!consumer.enter())
            return QUEUES_MISUSE;
        // A peek into no room finds out whether there is an item. Unlike `lease`, it does not count
        // as a failed pop.
        std::size_t size;
        auto status = queues_spsc_peek_bytes(from.queue, nullptr, 0, &size);
        void *data;
        if (status == QUEUES_TOO_SMALL && (status = lease(from, &data, 0)) == QUEUES_OK)
            visit(std::as_const(cell<T>::item(data)));
        return status;
    }
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
