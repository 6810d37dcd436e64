// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// queues::expected: a value or an error, as std::expected. It is the same class in every standard,
/// so that files of C++17, 20 and 23 can be linked into one program; it converts to std::expected
/// of the same types and from it.
#ifndef QUEUES_EXPECTED_HPP
#define QUEUES_EXPECTED_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/expected_state.hpp"
#include "detail/throw.hpp"
#include "fwd.hpp"

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

// Whether Other is std::expected of T and E, or a class with its members. The test by members keeps
// this text the same in every standard.
template <class Other, class T, class E, class = void>
struct is_other_expected : std::false_type {};
template <class Other, class T, class E>
struct is_other_expected<Other, T, E,
                         std::void_t<typename Other::unexpected_type, typename Other::value_type,
                                     typename Other::error_type>>
    : std::bool_constant<std::is_same_v<typename Other::value_type, T> &&
                         std::is_same_v<typename Other::error_type, E> &&
                         !std::is_same_v<Other, expected<T, E>>> {};

} // namespace detail

/// An error to construct an expected from, as std::unexpected.
template <class E> class unexpected {
  public:
    /// Holds `error`.
    constexpr explicit unexpected(E error) : error_(std::move(error)) {}
    /// Returns the error.
    constexpr const E &error() const noexcept { return error_; }

  private:
    E error_;
};

/// The exception of expected::value() for an expected that holds an error, as
/// std::bad_expected_access.
template <class E> class bad_expected_access : public std::exception {
  public:
    /// Holds a copy of the error of the expected.
    explicit bad_expected_access(E error) : error_(std::move(error)) {}
    /// Returns a fixed English message.
    const char *what() const noexcept override { return "queues: bad access to an expected"; }
    /// Returns the error of the expected.
    const E &error() const noexcept { return error_; }

  private:
    E error_;
};

/// A value of type T or an error of type E, with the members of std::expected that a result needs.
/// Like any object, one of it may be used by one thread at a time.
template <class T, class E> class expected {
  public:
    using value_type = T;                  ///< the type of the value
    using error_type = E;                  ///< the type of the error
    using unexpected_type = unexpected<E>; ///< what constructs an expected with an error

    /// Holds a copy of `value`.
    expected(const T &value) : state_(std::in_place_index<0>, value) {}
    /// Holds a value that is moved from `value`.
    expected(T &&value) noexcept(std::is_nothrow_move_constructible_v<T>)
        : state_(std::in_place_index<0>, std::move(value)) {}
    /// Holds the error of `error`.
    expected(unexpected<E> error) noexcept : state_(std::in_place_index<1>, error.error()) {}
    /// Holds a value that is constructed from `args`.
    template <class... Args>
    explicit expected(std::in_place_t,
                      Args &&...args) noexcept(std::is_nothrow_constructible_v<T, Args...>)
        : state_(std::in_place_index<0>, std::forward<Args>(args)...) {}
    /// Holds the value or error of `other`, a std::expected of T and E, moved if `other` is an
    /// rvalue.
    template <class Other,
              class = std::enable_if_t<detail::is_other_expected<std::decay_t<Other>, T, E>::value>>
    expected(Other &&other)
        : state_(other.has_value()
                     ? state(std::in_place_index<0>, *std::forward<Other>(other))
                     : state(std::in_place_index<1>, std::forward<Other>(other).error())) {}

    /// Returns a std::expected with a copy of the value or error.
    template <class Other, class = std::enable_if_t<detail::is_other_expected<Other, T, E>::value>>
    operator Other() const & {
        return has_value() ? Other(std::in_place, **this)
                           : Other(typename Other::unexpected_type(error()));
    }
    /// Returns a std::expected with the value, moved, or the error.
    template <class Other, class = std::enable_if_t<detail::is_other_expected<Other, T, E>::value>>
    operator Other() && {
        return has_value() ? Other(std::in_place, *std::move(*this))
                           : Other(typename Other::unexpected_type(error()));
    }

    /// Returns whether there is a value.
    bool has_value() const noexcept { return state_.index() == 0; }
    /// Returns whether there is a value.
    explicit operator bool() const noexcept { return has_value(); }

    /// Returns the address of the value. Undefined if there is none.
    T *operator->() noexcept { return state_.value(); }
    /// Returns the address of the constant value. Undefined if there is none.
    const T *operator->() const noexcept { return state_.value(); }
    /// Returns a reference to the value. Undefined if there is none.
    T &operator*() &noexcept { return *operator->(); }
    /// Returns a reference to the constant value. Undefined if there is none.
    const T &operator*() const &noexcept { return *operator->(); }
    /// Returns an rvalue reference to the value, to move from. Undefined if there is none.
    T &&operator*() &&noexcept { return std::move(*operator->()); }

    /// Returns a reference to the value. Throws bad_expected_access with the error if there is
    /// none.
    T &value() & { return need_value(), **this; }
    /// Returns a reference to the constant value. Throws bad_expected_access with the error if
    /// there is none.
    const T &value() const & { return need_value(), **this; }
    /// Returns an rvalue reference to the value, to move from. Throws bad_expected_access with the
    /// error if there is none.
    T &&value() && { return need_value(), *std::move(*this); }
    /// Returns a copy of the value, or `other` converted to T if there is none.
    template <class U> T value_or(U &&other) const & {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }
    /// Returns the value, moved, or `other` converted to T if there is none.
    template <class U> T value_or(U &&other) && {
        return has_value() ? *std::move(*this) : static_cast<T>(std::forward<U>(other));
    }
    /// Returns the error. Undefined if there is a value.
    const E &error() const noexcept { return *state_.error(); }
    /// Returns the error, or `other` converted to E if there is a value.
    template <class G> E error_or(G &&other) const {
        return has_value() ? static_cast<E>(std::forward<G>(other)) : error();
    }

    /// Returns `next(value)`, an expected with error type E, or such an expected with the error if
    /// there is no value.
    template <class Next> auto and_then(Next &&next) const & { return then(*this, next); }
    /// Returns `next(value)` for an rvalue of the value, or an expected with the error if there is
    /// no value.
    template <class Next> auto and_then(Next &&next) && { return then(std::move(*this), next); }
    /// Returns an expected with `change(value)`, or with the error if there is no value.
    template <class Change> auto transform(Change &&change) const & {
        return transformed(*this, change);
    }
    /// Returns an expected with `change(value)` for an rvalue of the value, or with the error if
    /// there is no value.
    template <class Change> auto transform(Change &&change) && {
        return transformed(std::move(*this), change);
    }
    /// Returns an expected with a copy of the value, or `instead(error)`, an expected of T, if
    /// there is none.
    template <class Instead> auto or_else(Instead &&instead) const & {
        using result = std::decay_t<std::invoke_result_t<Instead &, const E &>>;
        return has_value() ? result(std::in_place, **this) : std::invoke(instead, error());
    }
    /// Returns an expected with the value, moved, or `instead(error)`, an expected of T, if there
    /// is none.
    template <class Instead> auto or_else(Instead &&instead) && {
        using result = std::decay_t<std::invoke_result_t<Instead &, const E &>>;
        return has_value() ? result(std::in_place, *std::move(*this))
                           : std::invoke(instead, error());
    }

    /// Returns whether both hold equal values or equal errors.
    friend bool operator==(const expected &a, const expected &b) { return a.state_ == b.state_; }
    /// Returns whether the values or errors differ, or only one of them holds a value.
    friend bool operator!=(const expected &a, const expected &b) { return !(a == b); }

  private:
    using state = detail::expected_state<T, E>;

    void need_value() const {
        if (!has_value())
            detail::throw_or_abort(bad_expected_access<E>(error()));
    }
    template <class Self, class Next> static auto then(Self &&self, Next &next) {
        using result =
            std::decay_t<std::invoke_result_t<Next &, decltype(*std::forward<Self>(self))>>;
        return self.has_value() ? std::invoke(next, *std::forward<Self>(self))
                                : result(typename result::unexpected_type(self.error()));
    }
    template <class Self, class Change> static auto transformed(Self &&self, Change &change) {
        using value =
            std::decay_t<std::invoke_result_t<Change &, decltype(*std::forward<Self>(self))>>;
        return self.has_value() ? expected<value, E>(std::in_place,
                                                     std::invoke(change, *std::forward<Self>(self)))
                                : expected<value, E>(unexpected<E>(self.error()));
    }

    state state_;
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
