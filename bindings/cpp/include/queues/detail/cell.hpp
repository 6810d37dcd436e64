// SPDX-License-Identifier: MIT OR Apache-2.0
// Where an item is stored: the kinds of storage, the layout of a cell, and storage on the stack.
// A cell is the room for one item in the C queue's memory, which is aligned to 8 bytes.
#ifndef QUEUES_DETAIL_CELL_HPP
#define QUEUES_DETAIL_CELL_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

namespace queues {

namespace detail {

// How a queue stores its items: as the bits of a pointer, as the pointer of a std::unique_ptr, in a
// box from operator new, as bytes in a slot, in a cell of the queue, or in a cell of a pool.
enum class stored_as { bits, unique_ptr, box, bytes, cell, pool };

// The layout of a T in a cell. An over-aligned T gets room to be moved to an aligned address.
template <class T> struct cell {
    static constexpr std::size_t alignment = 8;
    static constexpr std::size_t size =
        sizeof(T) + (alignof(T) > alignment ? alignof(T) - alignment : 0);

    // The address of the item in the cell at `data`.
    static void *address(void *data) noexcept {
        if constexpr (alignof(T) > alignment) {
            const auto address = reinterpret_cast<std::uintptr_t>(data);
            return static_cast<std::byte *>(data) +
                   (alignof(T) - address % alignof(T)) % alignof(T);
        } else {
            return data;
        }
    }
    static T &item(void *data) noexcept { return *std::launder(static_cast<T *>(address(data))); }
};

// Fills up with zeros an item of `size` bytes of which a C call has written `length`: other
// languages may put shorter blobs.
inline void fill_up(void *item, std::size_t length, std::size_t size) noexcept {
    if (length < size)
        std::memset(static_cast<std::byte *>(item) + length, 0, size - length);
}

// Destroys an item at the end of a scope.
template <class T> struct destroyer {
    T &item;
    ~destroyer() { item.~T(); }
};

// Storage for a trivially copyable T whose bytes a C call writes.
template <class T> class storage {
  public:
    void *address() noexcept { return bytes_; }
    T &value() noexcept { return *std::launder(reinterpret_cast<T *>(bytes_)); }

  private:
    alignas(T) std::byte bytes_[sizeof(T)];
};

// In bytes. Compilers keep an object of up to this size in registers, unless it is built in memory.
inline constexpr std::size_t register_limit = 64;

// The same for a T that needs no construction. Compilers keep a T in registers, but not its bytes.
template <class T> class plain_storage {
  public:
    void *address() noexcept { return std::addressof(value_); }
    T &value() noexcept { return value_; }

  private:
    T value_;
};
template <class T>
using storage_of =
    std::conditional_t<std::is_trivially_default_constructible_v<T>, plain_storage<T>, storage<T>>;

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
