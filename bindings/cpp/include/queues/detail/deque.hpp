// SPDX-License-Identifier: MIT OR Apache-2.0
// The C functions of the deque family under the names that all families share. In the place of a
// timeout, a call takes the end of the deque that it works at.
#ifndef QUEUES_DETAIL_DEQUE_HPP
#define QUEUES_DETAIL_DEQUE_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../options.hpp"
#include "by_box.hpp"
#include "handle.hpp"
#include "payload.hpp"

#include <queues.h>
#ifndef QUEUES_NO_INLINE
#include <queues_inline.h>
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace queues {

namespace detail {

struct at_bottom {};
struct at_top {};

struct deque_calls : default_calls {
    using handle = queues_deque_t;
    using options = queues_deque_options_t;
    template <class T> using cell_payload = by_box<deque_calls, T>;
    // Misuse; a growing push may also run out of memory.
    static constexpr bool put_may_throw = true, get_may_throw = true;
    // A thief reads a slot that it may not win, so there is no cell to construct an item in.
    static constexpr std::size_t max_copied_size = SIZE_MAX;
    static constexpr auto create = queues_deque_create;
    static constexpr auto retain = queues_deque_retain;
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
    static queues_status_t get_bytes(handle *deque, void *buffer, std::size_t buffer_size,
                                     std::size_t *length, at_bottom) {
        return queues_deque_pop_bytes(deque, buffer, buffer_size, length);
    }
    static queues_status_t get_bytes(handle *deque, void *buffer, std::size_t buffer_size,
                                     std::size_t *length, at_top) {
        return queues_deque_steal_bytes(deque, buffer, buffer_size, length);
    }
    static queues_status_t get_many(handle *deque, void **items, std::size_t count, at_top,
                                    std::size_t *done) {
        return queues_deque_steal_many(deque, items, count, done);
    }
    static constexpr auto size = queues_deque_size;
    static constexpr auto is_empty = queues_deque_is_empty;
    static constexpr auto capacity = queues_deque_capacity;
    static constexpr auto item_size = queues_deque_item_size;
    static constexpr auto stats = queues_deque_stats;
};

// The flag of the C library for `growable` or `checked`.
template <class Mode> constexpr std::uint64_t flag(Mode) {
    constexpr bool is_growable = std::is_same_v<Mode, growable_t>;
    static_assert(is_growable || std::is_same_v<Mode, checked_t>,
                  "the modes of a deque are queues::growable and queues::checked");
    return is_growable ? QUEUES_DEQUE_GROWABLE : QUEUES_DEQUE_CHECKED;
}

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
