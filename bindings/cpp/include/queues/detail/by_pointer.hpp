// SPDX-License-Identifier: MIT OR Apache-2.0
// Payloads whose item is a void * to the C queue: a small T as the pointer's bits, and a
// std::unique_ptr as its pointer. None of them allocates.
//
// A payload class defines how items of one type get into a C queue and out of it. It has
// - static `put(handle, value, args)` and `emplace(handle, args, constructor arguments...)`;
// - `get(handle, args)`, which takes an item from the queue into the payload object, from where
//   `value()` moves it to the caller (the object destroys or frees what remains of it);
// - `peek(handle, visit, out...)`, if the family can peek at such items;
// - `drop`, the C queue's callback for items that are left, and the constants that queue_view
// reads. `args` are what the family's C calls take beside the item: see default_calls.
#ifndef QUEUES_DETAIL_BY_POINTER_HPP
#define QUEUES_DETAIL_BY_POINTER_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "cell.hpp"
#include "construct.hpp"
#include "handle.hpp"

#include <queues.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

// What these payloads share. Derived has `adopt(item)`, which takes over a void * from the queue,
// and `visit_in_place(item, visit)`, which shows one that stays there.
template <class Calls, class T, class Derived> class by_pointer {
  public:
    using argument = T;
    using value_type = T;
    using queue_handle = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    static constexpr std::size_t slot_size = 0; // for the C queue the item is a void *

    template <class Args> queues_status_t get(const ref &from, Args args) {
        void *item = nullptr;
        const auto status = Calls::get(from.queue, &item, args);
        if (status == QUEUES_OK)
            self().adopt(item);
        return status;
    }
    template <class Visit, class... Out>
    queues_status_t peek(const ref &from, Visit &&visit, Out... out) {
        void *item;
        const auto status = Calls::peek(from.queue, &item, out...);
        if (status == QUEUES_OK)
            self().visit_in_place(item, visit);
        return status;
    }

  private:
    Derived &self() noexcept { return static_cast<Derived &>(*this); }
};

// The emplace of trivially copyable items, which are constructed outside the queue.
template <class Calls, class Payload, class PutArgs, class... Args>
queues_status_t emplace_copy(typename Payload::queue_handle &to, PutArgs put_args, Args &&...args) {
    const typename Payload::argument value(std::forward<Args>(args)...);
    const auto put = [&] { return Payload::put(to, value, put_args); };
    const auto status = put();
    return status == QUEUES_FULL ? retry_put<Calls>(to.queue, put) : status;
}

// A trivially copyable T no larger than a pointer.
template <class Calls, class T> class by_bits : public by_pointer<Calls, T, by_bits<Calls, T>> {
  public:
    using queue_handle = owned_queue<Calls>;
    static constexpr stored_as kind = stored_as::bits;
    static constexpr queues_drop_t drop = nullptr;
    template <class Source> static constexpr bool put_is_noexcept = true;
    static constexpr bool get_is_noexcept = std::is_nothrow_move_constructible_v<T>;

    explicit by_bits(const queue_ref<Calls> &) noexcept {}

    static void *encode(const T &value) noexcept {
        void *item = nullptr;
        std::memcpy(&item, std::addressof(value), sizeof value);
        return item;
    }
    template <class Args>
    static queues_status_t put(const queue_ref<Calls> &to, const T &value, Args args) {
        return Calls::put(to.queue, encode(value), args);
    }
    template <class PutArgs, class... Args>
    static queues_status_t emplace(queue_handle &to, PutArgs put_args, Args &&...args) {
        return emplace_copy<Calls, by_bits>(to, put_args, std::forward<Args>(args)...);
    }

    void adopt(void *item) noexcept { std::memcpy(item_.address(), &item, sizeof(T)); }
    template <class Visit> void visit_in_place(void *item, Visit &visit) {
        adopt(item);
        visit(std::as_const(item_.value()));
    }
    T &&value() noexcept { return std::move(item_.value()); }

  private:
    storage<T> item_;
};

// A std::unique_ptr with the default deleter.
template <class Calls, class Owner>
class by_unique_ptr : public by_pointer<Calls, Owner, by_unique_ptr<Calls, Owner>> {
  public:
    using queue_handle = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    using pointer = typename Owner::pointer;
    static constexpr stored_as kind = stored_as::unique_ptr;
    static void drop(void *, void *item) { Owner(static_cast<pointer>(item)); }
    template <class Source> static constexpr bool put_is_noexcept = true;
    static constexpr bool get_is_noexcept = true;

    explicit by_unique_ptr(const ref &) noexcept {}

    static void *encode(pointer item) noexcept {
        return const_cast<void *>(static_cast<const volatile void *>(item));
    }
    static void *encode(const Owner &owner) noexcept { return encode(owner.get()); }
    // Ends the ownership of `owner`: the queue has accepted its pointer.
    static void accepted(Owner &&owner) noexcept { static_cast<void>(owner.release()); }
    template <class Args> static queues_status_t put(const ref &to, Owner &&owner, Args args) {
        const auto status = Calls::put(to.queue, encode(owner), args);
        if (status == QUEUES_OK)
            accepted(std::move(owner));
        return status;
    }

    // The forms of emplace are the constructors of a std::unique_ptr. Until the queue accepts the
    // pointer, what it points to stays the caller's, also when the argument is a plain pointer.
    template <class Args> static queues_status_t emplace(ref &to, Args args) {
        return Calls::put(to.queue, nullptr, args);
    }
    template <class Args, class U, class Delete>
    static queues_status_t emplace(ref &to, Args args, std::unique_ptr<U, Delete> &&owner) {
        static_assert(std::is_constructible_v<Owner, std::unique_ptr<U, Delete>>);
        const auto status = Calls::put(to.queue, encode(pointer(owner.get())), args);
        if (status == QUEUES_OK)
            static_cast<void>(owner.release());
        return status;
    }
    template <class Args, class Pointer, class... Delete>
    static queues_status_t emplace(ref &to, Args args, Pointer &&item, Delete &&...deleter) {
        Owner owner(std::forward<Pointer>(item), std::forward<Delete>(deleter)...);
        const auto status = Calls::put(to.queue, encode(owner), args);
        if constexpr (std::is_convertible_v<Pointer, pointer>)
            static_cast<void>(owner.release()); // now the queue's, or still the caller's
        else if (status == QUEUES_OK)
            static_cast<void>(owner.release());
        return status;
    }

    void adopt(void *item) noexcept { owner_.reset(static_cast<pointer>(item)); }
    template <class Visit> void visit_in_place(void *item, Visit &visit) {
        // Visits a std::unique_ptr that does not delete, also if `visit` throws.
        struct release_at_end {
            Owner &owner;
            ~release_at_end() { accepted(std::move(owner)); }
        } release{owner_};
        adopt(item);
        visit(std::as_const(owner_));
    }
    Owner &&value() noexcept { return std::move(owner_); }

  private:
    Owner owner_;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
