// SPDX-License-Identifier: MIT OR Apache-2.0
// The C functions of the batcher family under the names that all families share. A put passes a
// weight beside the item; items are taken in batches.
#ifndef QUEUES_DETAIL_BATCHER_HPP
#define QUEUES_DETAIL_BATCHER_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../batch.hpp"
#include "handle.hpp"
#include "in_pool.hpp"
#include "payload.hpp"

#include <queues.h>

#include <cstddef>
#include <cstdint>

namespace queues {

namespace detail {

struct batch_put_args {
    std::int64_t timeout;
    weight item_weight{};
};

// The argument of a get_batch that takes a batch only if one is due.
struct due_only {};

// The batch size that `size` in batch_limits stands for. The C library gets this number, so that
// its batches fit the buffers here.
inline std::size_t batch_size_of(std::size_t size) noexcept {
    return size == 0 ? QUEUES_BATCH_DEFAULT_SIZE : size;
}

struct batch_calls : default_calls {
    using handle = queues_batch_t;
    using options = queues_batch_options_t;
    using put_args = batch_put_args;
    template <class T> using cell_payload = in_pool<batch_calls, T>;
    // Two consumers may hold a batch each.
    static std::size_t in_flight(const options &of) noexcept { return 2 * of.batch_size; }
    static constexpr auto create = queues_batch_create;
    static constexpr auto retain = queues_batch_retain;
    static constexpr auto release = queues_batch_release;
    static queues_status_t put(handle *queue, void *item, put_args args) {
        return queues_batch_put_weighted(queue, item, args.item_weight.units, args.timeout);
    }
    static queues_status_t put_bytes(handle *queue, const void *data, std::size_t length,
                                     put_args args) {
        return queues_batch_put_weighted_bytes(queue, data, length, args.item_weight.units,
                                               args.timeout);
    }
    static queues_status_t get_batch(handle *queue, void **items, std::size_t max,
                                     std::size_t *count, std::int64_t timeout) {
        return queues_batch_get_batch(queue, items, max, count, timeout);
    }
    static queues_status_t get_batch(handle *queue, void **items, std::size_t max,
                                     std::size_t *count, due_only) {
        return queues_batch_get_due(queue, items, max, count);
    }
    static queues_status_t get_batch_bytes(handle *queue, void *buffer, std::size_t buffer_size,
                                           std::size_t *length, queues_batch_blob_t *blobs,
                                           std::size_t max, std::size_t *count,
                                           std::int64_t timeout) {
        return queues_batch_get_batch_bytes(queue, buffer, buffer_size, length, blobs, max, count,
                                            timeout);
    }
    static queues_status_t get_batch_bytes(handle *queue, void *buffer, std::size_t buffer_size,
                                           std::size_t *length, queues_batch_blob_t *blobs,
                                           std::size_t max, std::size_t *count, due_only) {
        return queues_batch_get_due_bytes(queue, buffer, buffer_size, length, blobs, max, count);
    }
    static constexpr auto clear = queues_batch_clear;
    static constexpr auto close = queues_batch_close;
    static constexpr auto is_closed = queues_batch_is_closed;
    static constexpr auto size = queues_batch_pending_count;
    static constexpr auto capacity = queues_batch_capacity;
    static constexpr auto item_size = queues_batch_item_size;
    static constexpr auto stats = queues_batch_stats;
    static constexpr auto readable_fd = queues_batch_readable_fd;
    static constexpr auto writable_fd = queues_batch_writable_fd;
    static bool is_empty(const handle *queue) noexcept { return size(queue) == 0; }
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
