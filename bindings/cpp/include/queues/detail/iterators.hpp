// SPDX-License-Identifier: MIT OR Apache-2.0
// What bulk calls need to know of iterators and ranges. C++17 traits instead of C++20 concepts keep
// this text the same in every standard.
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

// Whether Iterator allows several passes: a bulk push reads an item again once it is accepted.
template <class Iterator, class = void> struct is_forward : std::false_type {};
template <class Iterator>
struct is_forward<Iterator, std::void_t<typename std::iterator_traits<Iterator>::iterator_category>>
    : std::is_base_of<std::forward_iterator_tag,
                      typename std::iterator_traits<Iterator>::iterator_category> {};

// Whether Iterator is known to point into an array of `Item`s: a pointer, or an iterator of a
// std::vector.
template <class Iterator, class Item> struct is_pointer_to : std::false_type {};
template <class Item> struct is_pointer_to<Item *, Item> : std::true_type {};
template <class Item> struct is_pointer_to<const Item *, Item> : std::true_type {};
template <class Iterator, class Item>
inline constexpr bool is_array_iterator =
    is_pointer_to<Iterator, Item>::value ||
    std::is_same_v<Iterator, typename std::vector<Item>::iterator> ||
    std::is_same_v<Iterator, typename std::vector<Item>::const_iterator>;

// Whether Range is a contiguous range of `Item`s: a std::vector, std::array, std::span or array.
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

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
