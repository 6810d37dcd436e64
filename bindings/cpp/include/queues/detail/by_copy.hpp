// Items that are copied.
#ifndef QUEUES_DETAIL_BY_COPY_HPP
#define QUEUES_DETAIL_BY_COPY_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../bytes.hpp"
#include "by_pointer.hpp"

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace queues {

namespace detail {

// Copied into the queue's own slots, all of them of one length.
template <class Calls, class T> class by_copy {
  public:
    using argument = T;
    using value_type = T;
    using port = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    static constexpr travel kind = travel::bytes;
    static constexpr std::size_t slot_size = sizeof(T);
    static constexpr queues_drop_t drop = nullptr;
    template <class Source> static constexpr bool puts_surely = true;
    static constexpr bool gets_surely = std::is_nothrow_move_constructible_v<T>;

    explicit by_copy(const ref &) noexcept {}

    template <class When> static queues_status_t put(const ref &to, const T &value, When when) {
        return Calls::put_bytes(to.queue, std::addressof(value), sizeof value, when);
    }
    template <class When, class... Args>
    static queues_status_t emplace(port &to, When when, Args &&...args) {
        return emplace_by_copy<Calls, by_copy>(to, when, std::forward<Args>(args)...);
    }
    template <class When> queues_status_t get(const ref &from, When when) {
        return get_at(from, room_.address(), when);
    }
    template <class When> static queues_status_t get_at(const ref &from, void *address, When when) {
        std::size_t size;
        return Calls::get_bytes(from.queue, address, sizeof(T), &size, when);
    }
    template <class Visit, class... Rank>
    queues_status_t peek(const ref &from, Visit &&visit, Rank... rank) {
        std::size_t size;
        const auto status =
            Calls::peek_bytes(from.queue, room_.address(), sizeof(T), &size, rank...);
        if (status == QUEUES_OK)
            visit(std::as_const(room_.value()));
        return status;
    }
    T &&value() noexcept { return std::move(room_.value()); }

  private:
    raw<T> room_;
};

// In the queue's own slots, each with its length.
template <class Calls> class by_blob {
  public:
    using argument = bytes_view;
    using value_type = std::vector<std::byte>;
    using port = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    static constexpr std::size_t slot_size = 0; // told when the queue is made
    static constexpr travel kind = travel::bytes;
    static constexpr queues_drop_t drop = nullptr;
    template <class Source> static constexpr bool puts_surely = false; // it may be too long
    static constexpr bool gets_surely = false;

    explicit by_blob(const ref &from) : bytes_(from.item_size) {}

    template <class When> static queues_status_t put(const ref &to, bytes_view bytes, When when) {
        return Calls::put_bytes(to.queue, bytes.data(), bytes.size(), when);
    }
    template <class When> queues_status_t get(const ref &from, When when) {
        std::size_t size = 0;
        const auto status = Calls::get_bytes(from.queue, bytes_.data(), bytes_.size(), &size, when);
        if (status == QUEUES_OK)
            bytes_.resize(size);
        return status;
    }
    template <class Visit, class... Rank>
    queues_status_t peek(const ref &from, Visit &&visit, Rank... rank) {
        std::size_t size = 0;
        const auto status =
            Calls::peek_bytes(from.queue, bytes_.data(), bytes_.size(), &size, rank...);
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
