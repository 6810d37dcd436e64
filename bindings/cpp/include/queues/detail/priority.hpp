// SPDX-License-Identifier: MIT OR Apache-2.0
// The C functions of the priority family under the names that all families share. A put and a get
// pass a priority beside the item.
#ifndef QUEUES_DETAIL_PRIORITY_HPP
#define QUEUES_DETAIL_PRIORITY_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "handle.hpp"
#include "in_pool.hpp"
#include "payload.hpp"
#include "status_of.hpp"

#include <queues.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace queues {

namespace detail {

struct priority_put_args {
    // Refuses NaN here, before the item is moved.
    priority_put_args(std::int64_t timeout_, double priority_)
        : timeout(timeout_), priority(priority_) {
        if ((std::isnan)(priority))
            raise(QUEUES_INVALID, "priority NaN");
    }
    std::int64_t timeout;
    double priority;
};

struct priority_get_args {
    std::int64_t timeout;
    double *priority;
};

struct priority_calls : default_calls {
    using handle = queues_priority_t;
    using options = queues_priority_options_t;
    using put_args = priority_put_args;
    using get_args = priority_get_args;
    template <class T> using cell_payload = in_pool<priority_calls, T>;
    static constexpr bool put_may_throw = true;              // a priority that is NaN
    static constexpr std::size_t max_copied_size = SIZE_MAX; // no cells to construct in
    static constexpr auto create = queues_priority_create;
    static constexpr auto retain = queues_priority_retain;
    static constexpr auto release = queues_priority_release;
    static queues_status_t put(handle *queue, void *item, put_args args) {
        return queues_priority_put(queue, item, args.priority, args.timeout);
    }
    static queues_status_t get(handle *queue, void **item, get_args args) {
        return queues_priority_get(queue, item, args.priority, args.timeout);
    }
    static constexpr auto peek = queues_priority_peek;
    static queues_status_t put_bytes(handle *queue, const void *data, std::size_t length,
                                     put_args args) {
        return queues_priority_put_bytes(queue, data, length, args.priority, args.timeout);
    }
    static queues_status_t get_bytes(handle *queue, void *buffer, std::size_t buffer_size,
                                     std::size_t *length, get_args args) {
        return queues_priority_get_bytes(queue, buffer, buffer_size, length, args.priority,
                                         args.timeout);
    }
    static constexpr auto peek_bytes = queues_priority_peek_bytes;
    static constexpr auto clear = queues_priority_clear;
    static constexpr auto close = queues_priority_close;
    static constexpr auto is_closed = queues_priority_is_closed;
    static constexpr auto size = queues_priority_size;
    static constexpr auto capacity = queues_priority_capacity;
    static constexpr auto item_size = queues_priority_item_size;
    static constexpr auto stats = queues_priority_stats;
    static constexpr auto readable_fd = queues_priority_readable_fd;
    static constexpr auto writable_fd = queues_priority_writable_fd;
    static bool is_empty(const handle *queue) noexcept { return size(queue) == 0; }
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
