// Room on the stack.
#ifndef QUEUES_DETAIL_SMALL_BUFFER_HPP
#define QUEUES_DETAIL_SMALL_BUFFER_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include <cstddef>
#include <memory>

namespace queues {

namespace detail {

// Room for what a batch is made of, on the stack as long as it is not much.
template <class Element> class small_buffer {
  public:
    static constexpr std::size_t most = sizeof(Element) < 4096 ? 4096 / sizeof(Element) : 1;
    explicit small_buffer(std::size_t count)
        : large_(count > most ? new Element[count] : nullptr) {}
    Element *data() noexcept { return large_ ? large_.get() : small_; }

  private:
    Element small_[most];
    std::unique_ptr<Element[]> large_;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
