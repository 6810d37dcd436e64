// SPDX-License-Identifier: MIT OR Apache-2.0
// What an expected has inside: a value or an error.
#ifndef QUEUES_DETAIL_EXPECTED_STATE_HPP
#define QUEUES_DETAIL_EXPECTED_STATE_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "cell.hpp"

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace queues {

namespace detail {

// A std::variant, which tells by its index which of the two there is.
template <class T, class E> struct any_state : std::variant<T, E> {
    using std::variant<T, E>::variant;
    T *value() noexcept { return std::get_if<0>(this); }
    const T *value() const noexcept { return std::get_if<0>(this); }
    const E *error() const noexcept { return std::get_if<1>(this); }
};
// The same for a small T that needs no construction. Compilers keep it in registers. gcc 12 builds
// a variant in memory instead, and its load of the whole waits until the stores of the parts have
// left the processor.
template <class T, class E> class plain_state {
  public:
    template <class... Args>
    explicit plain_state(std::in_place_index_t<0>, Args &&...args)
        : value_(std::forward<Args>(args)...), error_(), has_value_(true) {}
    explicit plain_state(std::in_place_index_t<1>, E error) noexcept
        : value_(), error_(std::move(error)), has_value_(false) {}
    std::size_t index() const noexcept { return has_value_ ? 0 : 1; }
    T *value() noexcept { return has_value_ ? std::addressof(value_) : nullptr; }
    const T *value() const noexcept { return has_value_ ? std::addressof(value_) : nullptr; }
    const E *error() const noexcept { return has_value_ ? nullptr : std::addressof(error_); }
    friend bool operator==(const plain_state &a, const plain_state &b) {
        return a.has_value_ == b.has_value_ &&
               (a.has_value_ ? a.value_ == b.value_ : a.error_ == b.error_);
    }

  private:
    T value_;
    E error_;
    bool has_value_;
};
template <class T, class E>
using expected_state = std::conditional_t<
    std::is_trivially_copyable_v<T> && std::is_trivially_default_constructible_v<T> &&
        std::is_trivially_copyable_v<E> && std::is_trivially_default_constructible_v<E> &&
        sizeof(T) <= register_limit,
    plain_state<T, E>, any_state<T, E>>;

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
