/// \file
/// What goes into a batcher and comes out of it.
#ifndef QUEUES_BATCH_HPP
#define QUEUES_BATCH_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "bytes.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace queues {

/// What an item counts for in the batches of a batcher, in whatever unit: tokens, bytes.
struct weight {
    constexpr weight() noexcept = default;
    constexpr explicit weight(std::uint64_t count) noexcept : units(count) {}

    std::uint64_t units = 1;
};

/// When a batch of a batcher is due, and what it holds at most. 0 stands for the library's default:
/// 32 items, 10 ms, no limit to the weight, room for 10000.
struct batch_limits {
    std::size_t size = 0;            ///< items of a batch, and how many make one due
    std::chrono::nanoseconds age{0}; ///< how long an item waits for others; below 0: for ever
    std::uint64_t weight = 0;        ///< what a batch weighs, and how much makes one due
    std::size_t max_pending = 0;     ///< items in the queue, `size` at least
};

namespace detail {
template <class Payload> class batch_queue;
}

/// Extension. A batch of byte strings, one right behind the other in one buffer, which a pop into
/// the same batch uses again.
class bytes_batch {
  public:
    bytes_batch() = default;
    bytes_batch(bytes_batch &&other) noexcept
        : buffer_(std::move(other.buffer_)), items_(std::move(other.items_)),
          length_(std::exchange(other.length_, 0)) {}
    bytes_batch &operator=(bytes_batch &&other) noexcept {
        buffer_ = std::move(other.buffer_);
        items_ = std::move(other.items_);
        length_ = std::exchange(other.length_, 0);
        return *this;
    }

    /// How many there are.
    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
    /// Each of them; valid until the batch is popped into again or goes.
    [[nodiscard]] const bytes_view &operator[](std::size_t i) const noexcept { return items_[i]; }
    [[nodiscard]] const bytes_view *begin() const noexcept { return items_.data(); }
    [[nodiscard]] const bytes_view *end() const noexcept { return begin() + size(); }
    /// All of them together.
    [[nodiscard]] bytes_view bytes() const noexcept { return {buffer_.data(), length_}; }

  private:
    template <class Payload> friend class detail::batch_queue;

    std::vector<std::byte> buffer_; // as long as it ever had to be
    std::vector<bytes_view> items_;
    std::size_t length_ = 0;
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
