// The C calls of mpmc.
#ifndef QUEUES_DETAIL_MPMC_HPP
#define QUEUES_DETAIL_MPMC_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "handle.hpp"
#include "in_cell.hpp"
#include "payload.hpp"

#include <queues.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace queues {

namespace detail {

struct mpmc_calls {
    using handle = queues_mpmc_t;
    using options = queues_mpmc_options_t;
    using putting = std::int64_t;
    // Whether a put, or a get, of an item may return an error that is thrown.
    static constexpr bool puts_throw = false, gets_throw = false;
    static constexpr bool has_many = true;
    static constexpr auto create = queues_mpmc_create;
    static constexpr auto release = queues_mpmc_release;
    static constexpr auto put = queues_mpmc_put;
    static constexpr auto get = queues_mpmc_get;
    static constexpr auto peek = queues_mpmc_peek;
    static constexpr auto put_bytes = queues_mpmc_put_bytes;
    static constexpr auto get_bytes = queues_mpmc_get_bytes;
    static constexpr auto peek_bytes = queues_mpmc_peek_bytes;
    static constexpr auto put_many = queues_mpmc_put_many;
    static constexpr auto get_many = queues_mpmc_get_many;
    static constexpr auto clear = queues_mpmc_clear;
    static constexpr auto close = queues_mpmc_close;
    static constexpr auto is_closed = queues_mpmc_is_closed;
    static constexpr auto size = queues_mpmc_size;
    static constexpr auto capacity = queues_mpmc_capacity;
    static constexpr auto stats = queues_mpmc_stats;
};

// How a family reserves the cell of an item and lends it.

template <class T> struct mpmc_cells {
    using calls = mpmc_calls;
    struct port : owned_queue<mpmc_calls> {
        // The C library counts every commit that finds the queue full, also of a push that goes on
        // and succeeds. So each push that fails is counted here, once.
        void amend(statistics &counters) const noexcept {
            counters.failed_enqueue = this->refused.load(std::memory_order_relaxed);
        }
    };
    static void note(port &to, queues_status_t status) noexcept {
        if (status == QUEUES_FULL || status == QUEUES_TIMEOUT || status == QUEUES_RETRY)
            to.refuse();
    }

    // Pushes and pops may overlap: there is nothing to check.
    struct side {
        static side producer(port &) noexcept { return {}; }
        static side consumer(const port &) noexcept { return {}; }
        static bool enter() noexcept { return true; }
        static void leave() noexcept {}
    };

    static queues_status_t reserve(port &to, void **data, std::int64_t timeout) noexcept {
        return queues_mpmc_reserve(to.queue, data, timeout);
    }
    static queues_status_t commit(port &to, void *data) noexcept {
        return queues_mpmc_commit(to.queue, data, cell<T>::size);
    }
    static void cancel(port &to, void *data) noexcept { queues_mpmc_cancel(to.queue, data); }
    // Waits for room while this push keeps its cell: by reserving another cell, and cancelling it.
    static queues_status_t wait_for_room(port &to, std::int64_t timeout) noexcept {
        void *another;
        const auto status = queues_mpmc_reserve(to.queue, &another, timeout);
        if (status == QUEUES_OK)
            cancel(to, another);
        return status;
    }
    static queues_status_t lend(const port &from, void **data, std::int64_t timeout) noexcept {
        std::size_t size;
        return queues_mpmc_lease(from.queue, data, &size, timeout);
    }
    static void settle(const port &from, void *data) noexcept {
        queues_mpmc_settle(from.queue, data);
    }
    template <class Visit> static queues_status_t look(const port &from, const Visit &visit) {
        static_assert(std::is_trivially_copyable_v<T> && cell<T>::size == sizeof(T));
        raw<T> room;
        std::size_t size;
        const auto status = queues_mpmc_peek_bytes(from.queue, room.address(), sizeof(T), &size);
        if (status == QUEUES_OK)
            visit(std::as_const(room.value()));
        return status;
    }
};

template <class T> struct cells_of<mpmc_calls, T> { using type = in_cell<mpmc_cells<T>, T>; };

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
