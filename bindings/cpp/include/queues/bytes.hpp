/// \file
/// Bytes to push.
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

/// Bytes to push: a pointer and a length, made from anything that a std::string_view is made from
/// and from contiguous containers of trivially copyable elements. Does not own the bytes.
class bytes_view {
  public:
    bytes_view(const void *data, std::size_t size) noexcept : data_(data), size_(size) {}

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

    const void *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

  private:
    const void *data_;
    std::size_t size_;
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
