/// \file
/// A value or an error.
#ifndef QUEUES_EXPECTED_HPP
#define QUEUES_EXPECTED_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/throw.hpp"
#include "fwd.hpp"

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace queues {

namespace detail {

// Whether Other is an expected of T and E from elsewhere: std::expected, told by its members, so
// that this text is the same with and without it.
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

/// The error of an expected, as std::unexpected.
template <class E> class unexpected {
  public:
    constexpr explicit unexpected(E error) : error_(std::move(error)) {}
    constexpr const E &error() const noexcept { return error_; }

  private:
    E error_;
};

/// Thrown by expected::value() if there is none, as std::bad_expected_access.
template <class E> class bad_expected_access : public std::exception {
  public:
    explicit bad_expected_access(E error) : error_(std::move(error)) {}
    const char *what() const noexcept override { return "queues: bad access to an expected"; }
    const E &error() const noexcept { return error_; }

  private:
    E error_;
};

/// A value or an error: what P0260 returns as std::expected. The same class in every standard, so
/// that files of different standards can be linked into one program; converts to std::expected of
/// the same T and E, and from it, where there is one.
template <class T, class E> class expected {
  public:
    using value_type = T;
    using error_type = E;
    using unexpected_type = unexpected<E>;

    expected(const T &value) : state_(std::in_place_index<0>, value) {}
    expected(T &&value) noexcept(std::is_nothrow_move_constructible_v<T>)
        : state_(std::in_place_index<0>, std::move(value)) {}
    expected(unexpected<E> error) noexcept : state_(std::in_place_index<1>, error.error()) {}
    template <class... Args>
    explicit expected(std::in_place_t,
                      Args &&...args) noexcept(std::is_nothrow_constructible_v<T, Args...>)
        : state_(std::in_place_index<0>, std::forward<Args>(args)...) {}
    template <class Other,
              class = std::enable_if_t<detail::is_other_expected<std::decay_t<Other>, T, E>::value>>
    expected(Other &&other)
        : state_(other.has_value()
                     ? state(std::in_place_index<0>, *std::forward<Other>(other))
                     : state(std::in_place_index<1>, std::forward<Other>(other).error())) {}

    template <class Other, class = std::enable_if_t<detail::is_other_expected<Other, T, E>::value>>
    operator Other() const & {
        return has_value() ? Other(std::in_place, **this)
                           : Other(typename Other::unexpected_type(error()));
    }
    template <class Other, class = std::enable_if_t<detail::is_other_expected<Other, T, E>::value>>
    operator Other() && {
        return has_value() ? Other(std::in_place, *std::move(*this))
                           : Other(typename Other::unexpected_type(error()));
    }

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T *operator->() noexcept { return std::get_if<0>(&state_); }
    const T *operator->() const noexcept { return std::get_if<0>(&state_); }
    T &operator*() &noexcept { return *operator->(); }
    const T &operator*() const &noexcept { return *operator->(); }
    T &&operator*() &&noexcept { return std::move(*operator->()); }

    T &value() & { return need_value(), **this; }
    const T &value() const & { return need_value(), **this; }
    T &&value() && { return need_value(), *std::move(*this); }
    template <class U> T value_or(U &&other) const & {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }
    template <class U> T value_or(U &&other) && {
        return has_value() ? *std::move(*this) : static_cast<T>(std::forward<U>(other));
    }
    const E &error() const noexcept { return *std::get_if<1>(&state_); }
    template <class G> E error_or(G &&other) const {
        return has_value() ? static_cast<E>(std::forward<G>(other)) : error();
    }

    /// `next(value)`, which returns an expected with the same error, or the error.
    template <class Next> auto and_then(Next &&next) const & { return then(*this, next); }
    template <class Next> auto and_then(Next &&next) && { return then(std::move(*this), next); }
    /// An expected of `change(value)`, or of the error.
    template <class Change> auto transform(Change &&change) const & {
        return transformed(*this, change);
    }
    template <class Change> auto transform(Change &&change) && {
        return transformed(std::move(*this), change);
    }
    /// The value, or `instead(error)`, which returns an expected of the same value.
    template <class Instead> auto or_else(Instead &&instead) const & {
        using result = std::decay_t<std::invoke_result_t<Instead &, const E &>>;
        return has_value() ? result(std::in_place, **this) : std::invoke(instead, error());
    }
    template <class Instead> auto or_else(Instead &&instead) && {
        using result = std::decay_t<std::invoke_result_t<Instead &, const E &>>;
        return has_value() ? result(std::in_place, *std::move(*this))
                           : std::invoke(instead, error());
    }

    friend bool operator==(const expected &a, const expected &b) { return a.state_ == b.state_; }
    friend bool operator!=(const expected &a, const expected &b) { return !(a == b); }

  private:
    using state = std::variant<T, E>;

    void need_value() const {
        if (!has_value())
            QUEUES_THROW(bad_expected_access<E>(error()));
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
