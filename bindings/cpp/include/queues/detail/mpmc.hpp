// SPDX-License-Identifier: MIT OR Apache-2.0
// The C functions of the mpmc family under the names that all families share, and its calls on
// cells: queues_mpmc_reserve, _commit and _cancel for a push, _lease and _settle for a pop.
#ifndef QUEUES_DETAIL_MPMC_HPP
#define QUEUES_DETAIL_MPMC_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../options.hpp"
#include "cell.hpp"
#include "handle.hpp"
#include "in_cell.hpp"
#include "payload.hpp"
#include "status_of.hpp"

#include <queues.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

template <class T> struct mpmc_cells;

struct mpmc_calls : default_calls {
    using handle = queues_mpmc_t;
    using options = queues_mpmc_options_t;
    template <class T> using cell_payload = in_cell<mpmc_cells<T>, T>;
    static constexpr bool has_many = true;
    static constexpr auto create = queues_mpmc_create;
    static constexpr auto retain = queues_mpmc_retain;
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
    static constexpr auto item_size = queues_mpmc_item_size;
    static constexpr auto stats = queues_mpmc_stats;
    static constexpr auto readable_fd = queues_mpmc_readable_fd;
    static constexpr auto writable_fd = queues_mpmc_writable_fd;
    static bool is_empty(const handle *queue) noexcept { return size(queue) == 0; }
    static queues_status_t open_shared(int fd, std::size_t longest, const shared_options &of,
                                       handle **queue) noexcept {
        options wanted{};
        wanted.struct_size = sizeof wanted;
        wanted.capacity = of.capacity;
        wanted.item_size = longest;
        wanted.spare = of.spare;
        wanted.attachments = of.attachments;
        wanted.flags = of.redeliver ? QUEUES_REDELIVER : 0;
        return queues_mpmc_open_shared(&wanted, fd, queue);
    }
};

template <class T> struct mpmc_cells {
    using calls = mpmc_calls;

    // The C library counts every commit that finds the queue full, also of a push that retries and
    // succeeds. So its count is replaced by one for each push that fails.
    struct queue_handle : owned_queue<mpmc_calls> {
        void add_to(statistics &counters) const noexcept {
            counters.failed_enqueue = this->failed_pushes.load(std::memory_order_relaxed);
        }
    };
    static void count_failure(queue_handle &to, queues_status_t status) noexcept {
        if (status == QUEUES_FULL || status == QUEUES_TIMEOUT || status == QUEUES_RETRY)
            to.count_failed_push();
    }

    // Any number of pushes and pops may overlap, so there is nothing to check.
    struct role {
        static role producer(queue_handle &) noexcept { return {}; }
        static role consumer(const queue_handle &) noexcept { return {}; }
        static bool enter() noexcept { return true; }
        static void leave() noexcept {}
    };

    static queues_status_t reserve(queue_handle &to, void **data, std::int64_t timeout) noexcept {
        return queues_mpmc_reserve(to.queue, data, timeout);
    }
    static queues_status_t commit(queue_handle &to, void *data) noexcept {
        return queues_mpmc_commit(to.queue, data, cell<T>::size);
    }
    static void cancel(queue_handle &to, void *data) noexcept {
        ignore(queues_mpmc_cancel(to.queue, data)); // the reservation is this caller's alone
    }
    // Waits for room while the caller keeps its cell: reserves another cell, and cancels it.
    static queues_status_t wait_for_room(queue_handle &to, std::int64_t timeout) noexcept {
        void *another;
        const auto status = queues_mpmc_reserve(to.queue, &another, timeout);
        if (status == QUEUES_OK)
            cancel(to, another);
        return status;
    }
    static queues_status_t lease(const queue_handle &from, void **data,
                                 std::int64_t timeout) noexcept {
        std::size_t length = cell<T>::size;
        const auto status = queues_mpmc_lease(from.queue, data, &length, timeout);
        if (status == QUEUES_OK)
            fill_up(*data, length, cell<T>::size);
        return status;
    }
    static void settle(const queue_handle &from, void *data) noexcept {
        ignore(queues_mpmc_settle(from.queue, data)); // the lease is this caller's alone
    }
    template <class Visit>
    static queues_status_t peek(const queue_handle &from, const Visit &visit) {
        static_assert(std::is_trivially_copyable_v<T> && cell<T>::size == sizeof(T));
        storage<T> copy;
        std::size_t length = sizeof(T);
        const auto status = queues_mpmc_peek_bytes(from.queue, copy.address(), sizeof(T), &length);
        fill_up(copy.address(), length, sizeof(T));
        if (status == QUEUES_OK)
            visit(std::as_const(copy.value()));
        return status;
    }
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
