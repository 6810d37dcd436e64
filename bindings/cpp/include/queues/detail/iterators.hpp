// What is known of iterators, ranges and arguments.
#ifndef QUEUES_DETAIL_ITERATORS_HPP
#define QUEUES_DETAIL_ITERATORS_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>

namespace queues {

namespace detail {

// A bulk push reads an item again once it is accepted, so it needs an iterator of several passes.
template <class Iterator, class = void> struct is_forward : std::false_type {};
template <class Iterator>
struct is_forward<Iterator, std::void_t<typename std::iterator_traits<Iterator>::iterator_category>>
    : std::is_base_of<std::forward_iterator_tag,
                      typename std::iterator_traits<Iterator>::iterator_category> {};

// Whether items that are `Item`s lie one after the other, as the C calls on many take them: told
// alike in every standard.
template <class Iterator, class Item> struct is_contiguous : std::false_type {};
template <class Item> struct is_contiguous<Item *, Item> : std::true_type {};
template <class Item> struct is_contiguous<const Item *, Item> : std::true_type {};
template <class Iterator, class Item>
inline constexpr bool is_in_a_row =
    is_contiguous<Iterator, Item>::value ||
    std::is_same_v<Iterator, typename std::vector<Item>::iterator> ||
    std::is_same_v<Iterator, typename std::vector<Item>::const_iterator>;

// Whether Range's elements lie in a row and are `Item`s, const or not.
template <class Range, class Item, class = void> struct is_range_of : std::false_type {};
template <class Range, class Item>
struct is_range_of<Range, Item,
                   std::void_t<decltype((std::data)(std::declval<Range &>())),
                               decltype((std::size)(std::declval<Range &>()))>>
    : std::is_same<std::remove_pointer_t<decltype((std::data)(std::declval<Range &>()))>, Item> {};
template <class Range, class Item>
using if_readable = std::enable_if_t<is_range_of<const Range, const Item>::value ||
                                     is_range_of<const Range, Item>::value>;
template <class Range, class Item>
using if_writable = std::enable_if_t<is_range_of<std::remove_reference_t<Range>, Item>::value>;

// Whether constructing a trivially copyable item from Args may use them up.
template <class... Args>
inline constexpr bool leaves_args = ((std::is_lvalue_reference_v<Args &&> ||
                                      std::is_trivially_copyable_v<std::decay_t<Args>>)&&...);
// Whether Args are one T, which a push takes and gives back.
template <class T, class... Args> struct is_itself : std::false_type {};
template <class T, class Arg>
struct is_itself<T, Arg>
    : std::bool_constant<std::is_same_v<T, std::decay_t<Arg>> &&
                         (std::is_same_v<Arg &&, T &&>
                              ? std::is_copy_constructible_v<T> || std::is_move_assignable_v<T>
                              : std::is_copy_constructible_v<T>)> {};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
