// SPDX-License-Identifier: MIT OR Apache-2.0
// A buffer of elements that is on the stack up to 4096 bytes, and allocated beyond that. A batcher
// converts its batches in one.
#ifndef QUEUES_DETAIL_SMALL_BUFFER_HPP
#define QUEUES_DETAIL_SMALL_BUFFER_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include <cstddef>
#include <memory>

namespace queues {

namespace detail {

template <class Element> class small_buffer {
  public:
    // The number of elements that fit on the stack.
    static constexpr std::size_t inline_count = sizeof(Element) < 4096 ? 4096 / sizeof(Element) : 1;

    explicit small_buffer(std::size_t count)
        : large_(count > inline_count ? new Element[count] : nullptr) {}
    Element *data() noexcept { return large_ ? large_.get() : small_; }

  private:
    Element small_[inline_count];
    std::unique_ptr<Element[]> large_;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
