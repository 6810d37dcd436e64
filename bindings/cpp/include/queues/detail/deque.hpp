// The C calls of deque.
#ifndef QUEUES_DETAIL_DEQUE_HPP
#define QUEUES_DETAIL_DEQUE_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../options.hpp"
#include "by_box.hpp"
#include "handle.hpp"
#include "payload.hpp"

#include <queues.h>

#include <cstddef>
#include <cstdint>

namespace queues {

namespace detail {

// With the end of the deque that is meant.
struct at_bottom {
    static constexpr std::int64_t timeout = 0; // nothing waits
};
struct at_top {};
struct deque_calls {
    using handle = queues_deque_t;
    using options = queues_deque_options_t;
    static constexpr bool puts_throw = true, gets_throw = true; // misuse, and memory for growing
    static constexpr bool has_many = false;
    static constexpr auto create = queues_deque_create;
    static constexpr auto release = queues_deque_release;
    static queues_status_t put(handle *deque, void *item, at_bottom) {
        return queues_deque_push(deque, item);
    }
    static queues_status_t get(handle *deque, void **item, at_bottom) {
        return queues_deque_pop(deque, item);
    }
    static queues_status_t get(handle *deque, void **item, at_top) {
        return queues_deque_steal(deque, item);
    }
    static queues_status_t put_bytes(handle *deque, const void *data, std::size_t length,
                                     at_bottom) {
        return queues_deque_push_bytes(deque, data, length);
    }
    static queues_status_t get_bytes(handle *deque, void *buffer, std::size_t room,
                                     std::size_t *length, at_bottom) {
        return queues_deque_pop_bytes(deque, buffer, room, length);
    }
    static queues_status_t get_bytes(handle *deque, void *buffer, std::size_t room,
                                     std::size_t *length, at_top) {
        return queues_deque_steal_bytes(deque, buffer, room, length);
    }
    static queues_status_t get_many(handle *deque, void **items, std::size_t count, at_top,
                                    std::size_t *done) {
        return queues_deque_steal_many(deque, items, count, done);
    }
    static constexpr auto size = queues_deque_size;
    static constexpr auto capacity = queues_deque_capacity;
    static constexpr auto stats = queues_deque_stats;
};

constexpr std::uint64_t flag(growable_t) { return QUEUES_DEQUE_GROWABLE; }
constexpr std::uint64_t flag(checked_t) { return QUEUES_DEQUE_CHECKED; }

template <class T> struct cells_of<deque_calls, T> { using type = by_box<deque_calls, T>; };

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
