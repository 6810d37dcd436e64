// The C calls of spsc.
#ifndef QUEUES_DETAIL_SPSC_HPP
#define QUEUES_DETAIL_SPSC_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "handle.hpp"
#include "in_cell.hpp"
#include "payload.hpp"

#include <queues.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace queues {

namespace detail {

struct spsc_calls {
    using handle = queues_spsc_t;
    using options = queues_spsc_options_t;
    using putting = std::int64_t;
    static constexpr bool puts_throw = true, gets_throw = true; // misuse
    static constexpr bool has_many = true;
    static constexpr auto create = queues_spsc_create;
    static constexpr auto release = queues_spsc_release;
    static constexpr auto put = queues_spsc_put;
    static constexpr auto get = queues_spsc_get;
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
    static constexpr auto capacity = queues_spsc_capacity;
    static constexpr auto stats = queues_spsc_stats;
};

template <class T> struct spsc_cells {
    using calls = spsc_calls;
    struct port : owned_queue<spsc_calls> {
        bool is_checked = false;
        mutable std::atomic<bool> is_pushing{false}, is_popping{false};

        void prepare(std::uint64_t flags, std::size_t) noexcept {
            is_checked = (flags & QUEUES_SPSC_CHECKED) != 0;
        }
        queues_status_t clear(std::size_t *count) noexcept {
            auto here = side::consumer(*this);
            if (!here.enter())
                return QUEUES_MISUSE;
            const auto status = queues_spsc_clear(this->queue, count);
            here.leave();
            return status;
        }
    };

    // A push or pop is several C calls: in a checked queue another must not come between them.
    class side {
      public:
        static side producer(port &of) noexcept { return side(of.is_checked, of.is_pushing); }
        static side consumer(const port &of) noexcept { return side(of.is_checked, of.is_popping); }
        side(const side &) = delete;
        ~side() { leave(); }
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
        side(bool is_checked, std::atomic<bool> &taken) noexcept
            : is_checked_(is_checked), taken_(taken) {}

        const bool is_checked_;
        bool is_in_ = false;
        std::atomic<bool> &taken_;
    };

    static void note(port &, queues_status_t) noexcept {} // the C library counts exactly
    static queues_status_t reserve(port &to, void **data, std::int64_t timeout) noexcept {
        return queues_spsc_reserve(to.queue, data, timeout);
    }
    static queues_status_t commit(port &to, void *) noexcept {
        return queues_spsc_commit(to.queue, cell<T>::size);
    }
    static void cancel(port &, void *) noexcept {} // the next push forgets it
    static queues_status_t wait_for_room(port &, std::int64_t) noexcept { return QUEUES_FULL; }
    static queues_status_t lend(const port &from, void **data, std::int64_t timeout) noexcept {
        const void *item;
        std::size_t size;
        const auto status = queues_spsc_front(from.queue, &item, &size, timeout);
        *data = const_cast<void *>(item); // the consumer's until it is consumed
        return status;
    }
    static void settle(const port &from, void *) noexcept { queues_spsc_consume(from.queue); }
    template <class Visit> static queues_status_t look(const port &from, const Visit &visit) {
        auto here = side::consumer(from);
        if (!here.enter())
            return QUEUES_MISUSE;
        std::size_t size;
        // Unlike `front` it counts no failure; where there is an item it is longer than nothing.
        auto status = queues_spsc_peek_bytes(from.queue, nullptr, 0, &size);
        void *data;
        if (status == QUEUES_TOO_SMALL && (status = lend(from, &data, 0)) == QUEUES_OK)
            visit(std::as_const(cell<T>::item(data)));
        return status;
    }
};

template <class T> struct cells_of<spsc_calls, T> { using type = in_cell<spsc_cells<T>, T>; };

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
