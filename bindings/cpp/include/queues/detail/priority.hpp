// The C calls of priority.
#ifndef QUEUES_DETAIL_PRIORITY_HPP
#define QUEUES_DETAIL_PRIORITY_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "handle.hpp"
#include "payload.hpp"
#include "status_of.hpp"

#include <queues.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace queues {

namespace detail {

// With a priority, which goes in with an item and comes out with it.
struct ranked_put {
    ranked_put(std::int64_t time, double rank) : timeout(time), priority(rank) {
        if ((std::isnan)(priority)) // before the item is moved
            raise(QUEUES_INVALID, "priority NaN");
    }
    std::int64_t timeout;
    double priority;
};
struct ranked_get {
    double *priority;
    std::int64_t timeout;
};
struct priority_calls {
    using handle = queues_priority_t;
    using options = queues_priority_options_t;
    using putting = ranked_put;
    static constexpr bool puts_throw = true, gets_throw = false; // a priority that is NaN
    static constexpr bool has_many = false;
    static constexpr auto create = queues_priority_create;
    static constexpr auto release = queues_priority_release;
    static queues_status_t put(handle *queue, void *item, ranked_put when) {
        return queues_priority_put(queue, item, when.priority, when.timeout);
    }
    static queues_status_t get(handle *queue, void **item, ranked_get when) {
        return queues_priority_get(queue, item, when.priority, when.timeout);
    }
    static constexpr auto peek = queues_priority_peek;
    static queues_status_t put_bytes(handle *queue, const void *data, std::size_t length,
                                     ranked_put when) {
        return queues_priority_put_bytes(queue, data, length, when.priority, when.timeout);
    }
    static queues_status_t get_bytes(handle *queue, void *buffer, std::size_t room,
                                     std::size_t *length, ranked_get when) {
        return queues_priority_get_bytes(queue, buffer, room, length, when.priority, when.timeout);
    }
    static constexpr auto peek_bytes = queues_priority_peek_bytes;
    static constexpr auto clear = queues_priority_clear;
    static constexpr auto close = queues_priority_close;
    static constexpr auto is_closed = queues_priority_is_closed;
    static constexpr auto size = queues_priority_size;
    static constexpr auto capacity = queues_priority_capacity;
    static constexpr auto stats = queues_priority_stats;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
