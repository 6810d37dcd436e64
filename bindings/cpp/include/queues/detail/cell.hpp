// Where an item lies, and what it is made of.
#ifndef QUEUES_DETAIL_CELL_HPP
#define QUEUES_DETAIL_CELL_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include <queues.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

// Where an item lies in a cell, which is aligned to 8 bytes: over-aligned ones have room to move.
template <class T> struct cell {
    static constexpr std::size_t alignment = 8;
    static constexpr std::size_t size =
        sizeof(T) + (alignof(T) > alignment ? alignof(T) - alignment : 0);

    static void *place(void *data) noexcept {
        if constexpr (alignof(T) > alignment) {
            const auto address = reinterpret_cast<std::uintptr_t>(data);
            return static_cast<std::byte *>(data) +
                   (alignof(T) - address % alignof(T)) % alignof(T);
        } else {
            return data;
        }
    }
    static T &item(void *data) noexcept { return *std::launder(static_cast<T *>(place(data))); }
};

// Destroys an item at the end of a scope.
template <class T> struct destroyer {
    T &item;
    ~destroyer() { item.~T(); }
};

// Whether a T that was moved into a queue can be moved back into what it came from without
// throwing.
template <class T> inline constexpr bool comes_back_surely = std::is_nothrow_move_assignable_v<T>;
// Else it is copied into the queue, if it can be.
template <class T>
inline constexpr bool moves_in = comes_back_surely<T> || !std::is_copy_constructible_v<T>;

// What an item is made of. `gives_back`: an item that is not accepted becomes its argument again.

template <class T> struct made_by_copy {
    static constexpr bool gives_back = true;
    const T &from;
    void construct(void *at) const { ::new (at) T(from); }
    void give_back(T &) const noexcept {}
};

template <class T> struct made_by_move {
    static_assert(std::is_move_assignable_v<T>,
                  "a T that can be neither copied nor assigned cannot come back from a push "
                  "that fails: use emplace, or a queue of std::unique_ptr<T>");
    static constexpr bool gives_back = true;
    T &from;
    void construct(void *at) const { ::new (at) T(std::move(from)); }
    void give_back(T &item) const { from = std::move(item); }
};

template <class T, class Construct> struct made_by_args {
    static constexpr bool gives_back = false;
    const Construct &construct_at;
    void construct(void *at) const { construct_at(at); }
    void give_back(T &) const noexcept {}
};

// Calls `use` with a maker of a T from `args`, which are not touched before it constructs.
template <class T, class Use, class... Args> auto with_maker(const Use &use, Args &&...args) {
    const auto construct = [&](void *at) { ::new (at) T(std::forward<Args>(args)...); };
    return use(made_by_args<T, decltype(construct)>{construct});
}

// For an item that cannot become its arguments again, and whose room others took while it was
// constructed: puts it if there is room in one of the next `most_looks` looks, else returns RETRY.
inline constexpr int most_looks = 1000;

template <class Calls, class Put>
queues_status_t put_again(typename Calls::handle *queue, const Put &put) {
    queues_status_t status = QUEUES_FULL;
    for (int i = 0; status == QUEUES_FULL && i < most_looks; ++i) {
        if (Calls::size(queue) < Calls::capacity(queue))
            status = put();
    }
    return status == QUEUES_FULL ? QUEUES_RETRY : status;
}

// Room for a trivially copyable T whose bytes come from elsewhere.
template <class T> class raw {
  public:
    void *address() noexcept { return bytes_; }
    T &value() noexcept { return *std::launder(reinterpret_cast<T *>(bytes_)); }

  private:
    alignas(T) std::byte bytes_[sizeof(T)];
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
