// SPDX-License-Identifier: MIT OR Apache-2.0
// Payloads whose bytes the C queue copies into its slots: a trivially copyable T, and blobs,
// of which each slot also holds the length.
#ifndef QUEUES_DETAIL_BY_COPY_HPP
#define QUEUES_DETAIL_BY_COPY_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../bytes.hpp"
#include "by_pointer.hpp"
#include "cell.hpp"
#include "handle.hpp"

#include <queues.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace queues {

namespace detail {

// A trivially copyable T: all items have the same length.
template <class Calls, class T> class by_copy {
  public:
    using argument = T;
    using value_type = T;
    using queue_handle = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    static constexpr stored_as kind = stored_as::bytes;
    static constexpr std::size_t slot_size = sizeof(T);
    static constexpr queues_drop_t drop = nullptr;
    template <class Source> static constexpr bool put_is_noexcept = true;
    static constexpr bool get_is_noexcept = std::is_nothrow_move_constructible_v<T>;

    explicit by_copy(const ref &) noexcept {}

    template <class Args> static queues_status_t put(const ref &to, const T &value, Args args) {
        if constexpr (may_move_items) {
            std::uint64_t position = 0;
            if (Calls::may_put(to.queue, sizeof(T), position))
                return Calls::put_at(to.queue, position, std::addressof(value), sizeof(T));
            storage<T> copied;
            std::memcpy(copied.address(), std::addressof(value), sizeof(T));
            return call_put(to, std::move(copied), args);
        } else {
            return Calls::put_bytes(to.queue, std::addressof(value), sizeof value, args);
        }
    }
    template <class PutArgs, class... Args>
    static queues_status_t emplace(queue_handle &to, PutArgs put_args, Args &&...args) {
        return emplace_copy<Calls, by_copy>(to, put_args, std::forward<Args>(args)...);
    }
    template <class Args> queues_status_t get(const ref &from, Args args) {
        if constexpr (may_move_items) {
            std::uint64_t position = 0;
            if (Calls::may_get(from.queue, sizeof(T), position)) {
                void *const data = Calls::front(from.queue, sizeof(T), position);
                ::new (item_.address()) T(std::move(cell<T>::item(data)));
                return Calls::remove_front(from.queue, position);
            }
            storage<T> gotten;
            const auto status = call_get(from, gotten, args);
            if (status != QUEUES_OK) // compilers warn if a value is undefined on one path
                std::memset(gotten.address(), 0, sizeof(T));
            std::memcpy(item_.address(), gotten.address(), sizeof(T));
            return status;
        } else {
            return get_at(from, item_.address(), args);
        }
    }
    // A get that writes the item at `address`.
    template <class Args> static queues_status_t get_at(const ref &from, void *address, Args args) {
        std::size_t length = sizeof(T);
        const auto status = Calls::get_bytes(from.queue, address, sizeof(T), &length, args);
        fill_up(address, length, sizeof(T));
        return status;
    }
    template <class Visit, class... Out>
    queues_status_t peek(const ref &from, Visit &&visit, Out... out) {
        std::size_t length = sizeof(T);
        const auto status =
            Calls::peek_bytes(from.queue, item_.address(), sizeof(T), &length, out...);
        fill_up(item_.address(), length, sizeof(T));
        if (status == QUEUES_OK)
            visit(std::as_const(item_.value()));
        return status;
    }
    T &&value() noexcept { return std::move(item_.value()); }

  private:
    // Whether items may go directly between a cell of the C queue and an object of the program.
    static constexpr bool may_move_items =
        Calls::has_inlined_calls && sizeof(T) <= register_limit && alignof(T) <= cell<T>::alignment;

    // Calls of the library, which sees only copies. If it saw the address of the caller's item, the
    // compiler could not keep that in registers.
    template <class Args>
    [[gnu::noinline]] static queues_status_t call_put(const ref &to, storage<T> item, Args args) {
        return Calls::call_put_bytes(to.queue, item.address(), sizeof(T), args);
    }
    template <class Args>
    [[gnu::noinline]] static queues_status_t call_get(const ref &from, storage<T> &item,
                                                      Args args) {
        std::size_t length = sizeof(T);
        const auto status =
            Calls::call_get_bytes(from.queue, item.address(), sizeof(T), &length, args);
        fill_up(item.address(), length, sizeof(T));
        return status;
    }

    std::conditional_t<may_move_items, storage_of<T>, storage<T>> item_;
};

// A blob: pushed as a bytes_view, popped as a std::vector<std::byte>.
template <class Calls> class by_blob {
  public:
    using argument = bytes_view;
    using value_type = std::vector<std::byte>;
    using queue_handle = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    static constexpr stored_as kind = stored_as::bytes;
    static constexpr std::size_t slot_size = 0; // the constructor of the queue takes it
    static constexpr queues_drop_t drop = nullptr;
    template <class Source> static constexpr bool put_is_noexcept = false; // it may be too long
    static constexpr bool get_is_noexcept = false;                         // it allocates

    explicit by_blob(const ref &from) : bytes_(from.item_size) {}

    template <class Args> static queues_status_t put(const ref &to, bytes_view bytes, Args args) {
        return Calls::put_bytes(to.queue, bytes.data(), bytes.size(), args);
    }
    template <class Args> queues_status_t get(const ref &from, Args args) {
        std::size_t size = 0;
        const auto status = Calls::get_bytes(from.queue, bytes_.data(), bytes_.size(), &size, args);
        if (status == QUEUES_OK)
            bytes_.resize(size);
        return status;
    }
    template <class Visit, class... Out>
    queues_status_t peek(const ref &from, Visit &&visit, Out... out) {
        std::size_t size = 0;
        const auto status =
            Calls::peek_bytes(from.queue, bytes_.data(), bytes_.size(), &size, out...);
        if (status == QUEUES_OK) {
            bytes_.resize(size);
            visit(std::as_const(bytes_));
        }
        return status;
    }
    std::vector<std::byte> &&value() noexcept { return std::move(bytes_); }

  private:
    std::vector<std::byte> bytes_;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
