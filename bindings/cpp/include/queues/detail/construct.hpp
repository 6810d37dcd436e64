// SPDX-License-Identifier: MIT OR Apache-2.0
// How an item is constructed from the arguments of a push or emplace, and how the argument is
// restored if the queue does not accept the item. A push restores its argument; an emplace cannot,
// so it constructs its item as late as possible.
#ifndef QUEUES_DETAIL_CONSTRUCT_HPP
#define QUEUES_DETAIL_CONSTRUCT_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "handle.hpp"

#include <queues.h>

#include <new>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

// Whether push(T &&) moves its argument into the queue. It does if the item can be moved back
// without an exception, or if there is no other way because T cannot be copied; else it copies.
template <class T>
inline constexpr bool is_pushed_by_move =
    std::is_nothrow_move_assignable_v<T> || !std::is_copy_constructible_v<T>;

// Whether a push of Source constructs its item, and restores its argument, without an exception.
template <class T, class Source>
inline constexpr bool constructs_nothrow =
    std::is_rvalue_reference_v<Source &&> &&is_pushed_by_move<T>
        ? std::is_nothrow_move_constructible_v<T> &&std::is_nothrow_move_assignable_v<T>
        : std::is_nothrow_copy_constructible_v<T>;

// The sources of an item: `construct` constructs it, `restore` gives it back to its argument.

template <class T> struct copy_of {
    static constexpr bool restores = true;
    const T &from;
    void construct(void *at) const { ::new (at) T(from); }
    void restore(T &) const noexcept {}
};

template <class T> struct moved_from {
    static_assert(std::is_move_assignable_v<T>,
                  "a T that can be neither copied nor assigned cannot come back from a push "
                  "that fails: use emplace, or a queue of std::unique_ptr<T>");
    static constexpr bool restores = true;
    T &from;
    void construct(void *at) const { ::new (at) T(std::move(from)); }
    void restore(T &item) const { from = std::move(item); }
};

template <class T, class Construct> struct constructed_by {
    static constexpr bool restores = false;
    const Construct &construct_at;
    void construct(void *at) const { construct_at(at); }
    void restore(T &) const noexcept {}
};

// The source of an item for push(T &&).
template <class T>
using pushed_rvalue = std::conditional_t<is_pushed_by_move<T>, moved_from<T>, copy_of<T>>;

// Calls `use` with the source of an item for emplace(args...). `args` are not used before the item
// is constructed.
template <class T, class Use, class... Args> auto with_constructed(const Use &use, Args &&...args) {
    const auto construct = [&](void *at) { ::new (at) T(std::forward<Args>(args)...); };
    return use(constructed_by<T, decltype(construct)>{construct});
}

// Whether Args are one T, which emplace pushes, so that it can be restored.
template <class T, class... Args> struct is_one_item : std::false_type {};
template <class T, class Arg>
struct is_one_item<T, Arg>
    : std::bool_constant<std::is_same_v<T, std::decay_t<Arg>> &&
                         (std::is_same_v<Arg &&, T &&>
                              ? std::is_copy_constructible_v<T> || std::is_move_assignable_v<T>
                              : std::is_copy_constructible_v<T>)> {};

// Whether the construction of a trivially copyable item leaves Args as they are.
template <class... Args>
inline constexpr bool leaves_arguments = ((std::is_lvalue_reference_v<Args &&> ||
                                           std::is_trivially_copyable_v<std::decay_t<Args>>)&&...);

// The number of attempts that retry_put makes.
inline constexpr int max_retries = 1000;

// For a try_emplace whose item exists when others have filled the queue, and whose arguments cannot
// be restored. Repeats `put` when there is room, at most `max_retries` times, then returns RETRY.
template <class Calls, class Put>
queues_status_t retry_put(typename Calls::handle *queue, const Put &put) {
    queues_status_t status = QUEUES_FULL;
    for (int i = 0; status == QUEUES_FULL && i < max_retries; ++i) {
        if (Calls::size(queue) < Calls::capacity(queue))
            status = put();
    }
    return status == QUEUES_FULL ? QUEUES_RETRY : status;
}

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
