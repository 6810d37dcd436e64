// The C calls of batcher.
#ifndef QUEUES_DETAIL_BATCHER_HPP
#define QUEUES_DETAIL_BATCHER_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../batch.hpp"
#include "handle.hpp"
#include "payload.hpp"

#include <queues.h>

#include <cstddef>
#include <cstdint>

namespace queues {

namespace detail {

// With a weight, which goes in with an item; items come out in batches.
struct weighed_put {
    std::int64_t timeout;
    weight item_weight{};
};
struct what_is_due {};
struct batch_calls {
    using handle = queues_batch_t;
    using options = queues_batch_options_t;
    using putting = weighed_put;
    static constexpr bool puts_throw = false, gets_throw = false;
    static constexpr bool has_many = false;
    static constexpr auto create = queues_batch_create;
    static constexpr auto release = queues_batch_release;
    static queues_status_t put(handle *queue, void *item, weighed_put when) {
        return queues_batch_put_weighted(queue, item, when.item_weight.units, when.timeout);
    }
    static queues_status_t put_bytes(handle *queue, const void *data, std::size_t length,
                                     weighed_put when) {
        return queues_batch_put_weighted_bytes(queue, data, length, when.item_weight.units,
                                               when.timeout);
    }
    static queues_status_t get_batch(handle *queue, void **items, std::size_t most,
                                     std::size_t *count, std::int64_t timeout) {
        return queues_batch_get_batch(queue, items, most, count, timeout);
    }
    static queues_status_t get_batch(handle *queue, void **items, std::size_t most,
                                     std::size_t *count, what_is_due) {
        return queues_batch_get_due(queue, items, most, count);
    }
    static queues_status_t get_batch_bytes(handle *queue, void *buffer, std::size_t room,
                                           std::size_t *length, queues_batch_blob_t *blobs,
                                           std::size_t most, std::size_t *count,
                                           std::int64_t timeout) {
        return queues_batch_get_batch_bytes(queue, buffer, room, length, blobs, most, count,
                                            timeout);
    }
    static queues_status_t get_batch_bytes(handle *queue, void *buffer, std::size_t room,
                                           std::size_t *length, queues_batch_blob_t *blobs,
                                           std::size_t most, std::size_t *count, what_is_due) {
        return queues_batch_get_due_bytes(queue, buffer, room, length, blobs, most, count);
    }
    static constexpr auto clear = queues_batch_clear;
    static constexpr auto close = queues_batch_close;
    static constexpr auto is_closed = queues_batch_is_closed;
    static constexpr auto size = queues_batch_pending_count;
    static constexpr auto capacity = queues_batch_capacity;
    static constexpr auto stats = queues_batch_stats;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
