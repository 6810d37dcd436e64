// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// The types around a batcher: the weight of an item, the limits of a batch, and a batch of byte
/// strings.
#ifndef QUEUES_BATCH_HPP
#define QUEUES_BATCH_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "bytes.hpp"
#include "fwd.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace queues {

/// The weight of an item, in the unit of batch_limits::weight: tokens, bytes or any other.
struct weight {
    /// A weight of 1, as that of an item that is pushed without one.
    constexpr weight() noexcept = default;
    /// A weight of `count` units.
    constexpr explicit weight(std::uint64_t count) noexcept : units(count) {}

    std::uint64_t units = 1; ///< the number of units
};

/// When a batch of a batcher is due, and how large it may be. A field of 0 stands for the default
/// of queues_batch_options_t: 32 items (QUEUES_BATCH_DEFAULT_SIZE), 10 ms, no limit of the weight,
/// room for 10000 items.
struct batch_limits {
    /// The number of items that makes a batch due, and the most items of a batch.
    std::size_t size = 0;
    /// A batch is due when its oldest item has waited this long. Negative: for ever.
    std::chrono::nanoseconds age{0};
    /// The weight of items that makes a batch due, and the most weight of a batch (an item that is
    /// heavier is a batch of its own).
    std::uint64_t weight = 0;
    /// The capacity of the queue in items; at least `size` or its default.
    std::size_t max_pending = 0;
};

namespace detail {
template <class Payload> class batch_queue;
}

/// Extension. A batch of blobs, contiguous in one buffer. Popping into the same batch again
/// reuses the buffer. Movable, not copyable; one thread at a time.
class bytes_batch {
  public:
    /// An empty batch. Allocates nothing.
    bytes_batch() = default;
    /// Takes the items of `other`, which is empty afterwards.
    bytes_batch(bytes_batch &&other) noexcept
        : buffer_(std::move(other.buffer_)), items_(std::move(other.items_)),
          length_(std::exchange(other.length_, 0)) {}
    /// Replaces the items by those of `other`, which is empty afterwards.
    bytes_batch &operator=(bytes_batch &&other) noexcept {
        buffer_ = std::move(other.buffer_);
        items_ = std::move(other.items_);
        length_ = std::exchange(other.length_, 0);
        return *this;
    }

    /// Returns the number of items.
    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
    /// Returns whether there are no items.
    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
    /// Returns item `i`, oldest first. Undefined unless `i` is below size(). The bytes are valid
    /// until the batch is popped into again or destroyed.
    [[nodiscard]] const bytes_view &operator[](std::size_t i) const noexcept { return items_[i]; }
    /// Returns an iterator at the oldest item.
    [[nodiscard]] const bytes_view *begin() const noexcept { return items_.data(); }
    /// Returns an iterator behind the newest item.
    [[nodiscard]] const bytes_view *end() const noexcept { return begin() + size(); }
    /// Returns the bytes of all items, one after the other. They are valid until the batch is
    /// popped into again or destroyed.
    [[nodiscard]] bytes_view bytes() const noexcept { return {buffer_.data(), length_}; }

  private:
    template <class Payload> friend class detail::batch_queue;

    std::vector<std::byte> buffer_; // never shrinks: its size is room, length_ the bytes in use
    std::vector<bytes_view> items_;
    std::size_t length_ = 0;
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
