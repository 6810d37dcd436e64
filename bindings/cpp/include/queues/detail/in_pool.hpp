// SPDX-License-Identifier: MIT OR Apache-2.0
// The payload of priority and batcher for items that are not trivially copyable: each item is
// constructed in a cell of a pool, and the C queue holds its address. No call allocates.
//
// The pool is a C mpmc queue of blobs of which only the cells are used: a push reserves one, a pop
// cancels the reservation.
#ifndef QUEUES_DETAIL_IN_POOL_HPP
#define QUEUES_DETAIL_IN_POOL_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "cell.hpp"
#include "construct.hpp"
#include "handle.hpp"
#include "status_of.hpp"
#include "wait.hpp"

#include <queues.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

template <class Calls, class T> class in_pool {
  public:
    using argument = T;
    using value_type = T;
    static constexpr stored_as kind = stored_as::pool;
    static constexpr std::size_t slot_size = 0; // for the C queue the item is a void *

    struct queue_handle : owned_queue<Calls> {
        queues_mpmc_t *pool = nullptr;

        ~queue_handle() {
            // First the queue, whose leftover items are in the pool.
            Calls::release(std::exchange(this->queue, nullptr));
            queues_mpmc_release(pool);
        }
        // Creates cells for all items and spare ones for calls in flight, of which the C library
        // has the same number in its own queues of blobs.
        void prepare(std::uint64_t, std::size_t in_flight) {
            queues_mpmc_options_t options{};
            options.struct_size = sizeof options;
            options.capacity = Calls::capacity(this->queue);
            options.item_size = cell<T>::size;
            options.spare = 64 + in_flight;
            const auto status = queues_mpmc_create(&options, &pool);
            if (status != QUEUES_OK)
                raise(status, "create");
        }
        void close() noexcept {
            ignore(Calls::close(this->queue)); // closing a valid handle does not fail
            ignore(queues_mpmc_close(pool));   // wakes the pushes that wait for a cell
        }
    };

    static void drop(void *context, void *item) {
        destroy(*static_cast<const queue_handle *>(context), item);
    }
    template <class Source> static constexpr bool put_is_noexcept = constructs_nothrow<T, Source>;
    static constexpr bool get_is_noexcept = std::is_nothrow_move_constructible_v<T>;

    explicit in_pool(const queue_handle &from) noexcept : from_(from) {}
    in_pool(const in_pool &) = delete;
    ~in_pool() {
        if (data_ != nullptr)
            destroy(from_, data_);
    }

    template <class Args> static queues_status_t put(queue_handle &to, const T &value, Args args) {
        return put_from(to, copy_of<T>{value}, args);
    }
    template <class Args> static queues_status_t put(queue_handle &to, T &&value, Args args) {
        return put_from(to, pushed_rvalue<T>{value}, args);
    }
    template <class PutArgs, class... Args>
    static queues_status_t emplace(queue_handle &to, PutArgs put_args, Args &&...args) {
        return with_constructed<T>(
            [&](const auto &source) { return put_from(to, source, put_args); },
            std::forward<Args>(args)...);
    }

    template <class Args> queues_status_t get(const queue_handle &from, Args args) {
        void *item;
        const auto status = Calls::get(from.queue, &item, args);
        if (status == QUEUES_OK)
            adopt(item);
        return status;
    }
    void adopt(void *item) noexcept { data_ = item; }
    T &&value() noexcept { return std::move(cell<T>::item(data_)); }

  private:
    static void free_cell(const queue_handle &of, void *data) noexcept {
        ignore(queues_mpmc_cancel(of.pool, data)); // the reservation is this caller's alone
    }
    static void destroy(const queue_handle &of, void *data) noexcept {
        cell<T>::item(data).~T();
        free_cell(of, data);
    }

    // Frees the cell at the end of a scope, unless `data` was reset.
    struct reservation {
        queue_handle &of;
        void *data;
        ~reservation() {
            if (data != nullptr)
                free_cell(of, data);
        }
    };

    template <class Source, class Args>
    static queues_status_t put_from(queue_handle &to, const Source &source, Args args) {
        const auto timeout = timeout_of(args);
        const time_left left(timeout);
        void *data;
        auto status = queues_mpmc_reserve(to.pool, &data, timeout);
        if (status != QUEUES_OK) {
            if (status == QUEUES_FULL || status == QUEUES_TIMEOUT)
                to.count_failed_push();
            return status;
        }
        reservation reserved{to, data};
        source.construct(cell<T>::address(data));
        status = Calls::put(to.queue, data, with_timeout(args, left()));
        if (status == QUEUES_FULL && timeout > 0)
            status = QUEUES_TIMEOUT; // the time had passed before this C call
        if (!Source::restores && status == QUEUES_FULL)
            status = retry_put<Calls>(to.queue, [&] { return Calls::put(to.queue, data, args); });
        if (status == QUEUES_OK) {
            reserved.data = nullptr;
        } else {
            const destroyer<T> destroy{cell<T>::item(data)};
            source.restore(destroy.item);
        }
        return status;
    }

    const queue_handle &from_;
    void *data_ = nullptr;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
