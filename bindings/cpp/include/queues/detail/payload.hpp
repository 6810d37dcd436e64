// SPDX-License-Identifier: MIT OR Apache-2.0
// Chooses the payload class of a T in a family, at compile time, and refuses with a sentence what
// cannot be an item. The table is in queues.hpp, section "How a T is stored".
#ifndef QUEUES_DETAIL_PAYLOAD_HPP
#define QUEUES_DETAIL_PAYLOAD_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "by_copy.hpp"
#include "by_pointer.hpp"
#include "cell.hpp"

#include <memory>
#include <type_traits>

namespace queues {

namespace detail {

template <class T> struct is_plain_unique_ptr : std::false_type {};
template <class U>
struct is_plain_unique_ptr<std::unique_ptr<U, std::default_delete<U>>>
    : std::negation<std::is_array<U>> {};

// Whether T can be an item. For a T that cannot, the failed assertion is the only error: false
// keeps the rest of the library from using T.
template <class T> constexpr bool is_item() {
    static_assert(!std::is_reference_v<T>,
                  "T must not be a reference: use T * or std::reference_wrapper<T>");
    static_assert(!std::is_void_v<T>, "T must not be void: a queue of nothing counts nothing");
    static_assert(!std::is_function_v<T>, "T must not be a function: use a pointer to it");
    static_assert(!std::is_array_v<T>, "T must not be an array: use std::array");
    static_assert(std::is_same_v<T, std::remove_cv_t<T>> || std::is_reference_v<T>,
                  "T must not be const or volatile: an item is moved out of its queue");
    if constexpr (std::is_object_v<T> && !std::is_array_v<T> &&
                  std::is_same_v<T, std::remove_cv_t<T>>) {
        static_assert(!std::is_abstract_v<T>,
                      "T must not be abstract: use a queue of std::unique_ptr<T>");
        static_assert(std::is_destructible_v<T>,
                      "T must be destructible: a queue destroys what is left in it");
        static_assert(std::is_nothrow_destructible_v<T> || !std::is_destructible_v<T>,
                      "~T must not throw: C code may call it");
        static_assert(std::is_move_constructible_v<T> || !std::is_destructible_v<T> ||
                          std::is_abstract_v<T>,
                      "a pop returns a T: it must be movable");
        return std::is_nothrow_destructible_v<T> && std::is_move_constructible_v<T>;
    }
    return false;
}

// Calls::cell_payload<T> is the family's payload for what is neither bits, bytes nor a pointer.
template <class Calls, class T, bool = is_item<T>()> struct choose_payload {
    using type = std::conditional_t<
        std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(void *), by_bits<Calls, T>,
        std::conditional_t<
            std::is_trivially_copyable_v<T> &&
                (sizeof(T) <= Calls::max_copied_size || (alignof(T) > cell<T>::alignment)),
            by_copy<Calls, T>,
            std::conditional_t<is_plain_unique_ptr<T>::value, by_unique_ptr<Calls, T>,
                               typename Calls::template cell_payload<T>>>>;
};
// The place of a T that cannot be an item is taken by an int.
template <class Calls, class T> struct choose_payload<Calls, T, false> {
    using type = by_bits<Calls, int>;
};
template <class Calls, class T> using payload_of = typename choose_payload<Calls, T>::type;

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
