// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// bytes_view: a pointer to bytes and their number. A blob, an item of bytes with its own length,
/// is pushed as one.
#ifndef QUEUES_BYTES_HPP
#define QUEUES_BYTES_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "fwd.hpp"

#include <cstddef>
#include <iterator>
#include <string_view>
#include <type_traits>

namespace queues {

/// A view of bytes that it does not own. Converts implicitly from types that convert to
/// std::string_view, and from contiguous containers of trivially copyable elements.
class bytes_view {
  public:
    /// Views the `size` bytes at `data`, which may be null if `size` is 0.
    bytes_view(const void *data, std::size_t size) noexcept : data_(data), size_(size) {}

    /// Views the characters or elements of `bytes`, which must outlive the view.
    template <class Bytes, class = std::enable_if_t<!std::is_same_v<Bytes, bytes_view>>>
    bytes_view(const Bytes &bytes) noexcept {
        if constexpr (std::is_convertible_v<const Bytes &, std::string_view>) {
            const std::string_view text = bytes;
            data_ = text.data();
            size_ = text.size();
        } else {
            static_assert(std::is_trivially_copyable_v<std::decay_t<decltype(*std::data(bytes))>>);
            data_ = std::data(bytes);
            size_ = std::size(bytes) * sizeof *std::data(bytes);
        }
    }

    /// Returns the address of the first byte.
    const void *data() const noexcept { return data_; }
    /// Returns the number of bytes.
    std::size_t size() const noexcept { return size_; }

  private:
    const void *data_;
    std::size_t size_;
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
