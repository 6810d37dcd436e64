// Items that travel as a pointer.
#ifndef QUEUES_DETAIL_BY_POINTER_HPP
#define QUEUES_DETAIL_BY_POINTER_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "cell.hpp"
#include "handle.hpp"

#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

// How an item travels: a payload class puts arguments, and an object of it holds one item that a
// get took out of the queue until `value` hands it on. By pointer, what differs is how a T becomes
// a void * and back: `adopt` takes over a void * from the queue, `look` shows one that stays there.
//
// `when` is what the family's calls take behind the item: the timeout, and what else there is; with
// a deque, which has no timeouts, the end.
enum class travel { bits, owner, box, bytes, cell, pool };

template <class Calls, class T, class Derived> class by_pointer {
  public:
    using argument = T;
    using value_type = T;
    using port = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    static constexpr std::size_t slot_size = 0; // to the C queue: the item is a void *

    template <class When> queues_status_t get(const ref &from, When when) {
        void *item;
        const auto status = Calls::get(from.queue, &item, when);
        if (status == QUEUES_OK)
            self().adopt(item);
        return status;
    }
    template <class Visit, class... Rank>
    queues_status_t peek(const ref &from, Visit &&visit, Rank... rank) {
        void *item;
        const auto status = Calls::peek(from.queue, &item, rank...);
        if (status == QUEUES_OK)
            self().look(item, visit);
        return status;
    }

  private:
    Derived &self() noexcept { return static_cast<Derived &>(*this); }
};

// The emplace of items that are trivially copyable, after room was seen.
template <class Calls, class Payload, class When, class... Args>
queues_status_t emplace_by_copy(typename Payload::port &to, When when, Args &&...args) {
    const typename Payload::argument value(std::forward<Args>(args)...);
    const auto put = [&] { return Payload::put(to, value, when); };
    const auto status = put();
    return status == QUEUES_FULL ? put_again<Calls>(to.queue, put) : status;
}

template <class Calls, class T> class by_bits : public by_pointer<Calls, T, by_bits<Calls, T>> {
  public:
    using port = owned_queue<Calls>;
    static constexpr travel kind = travel::bits;
    static constexpr queues_drop_t drop = nullptr;
    template <class Source> static constexpr bool puts_surely = true;
    static constexpr bool gets_surely = std::is_nothrow_move_constructible_v<T>;

    explicit by_bits(const queue_ref<Calls> &) noexcept {}

    static void *encode(const T &value) noexcept {
        void *item = nullptr;
        std::memcpy(&item, std::addressof(value), sizeof value);
        return item;
    }
    template <class When>
    static queues_status_t put(const queue_ref<Calls> &to, const T &value, When when) {
        return Calls::put(to.queue, encode(value), when);
    }
    template <class When, class... Args>
    static queues_status_t emplace(port &to, When when, Args &&...args) {
        return emplace_by_copy<Calls, by_bits>(to, when, std::forward<Args>(args)...);
    }

    void adopt(void *item) noexcept { std::memcpy(room_.address(), &item, sizeof(T)); }
    template <class Visit> void look(void *item, Visit &visit) {
        adopt(item);
        visit(std::as_const(room_.value()));
    }
    T &&value() noexcept { return std::move(room_.value()); }

  private:
    raw<T> room_;
};

template <class Calls, class Owner>
class by_unique_ptr : public by_pointer<Calls, Owner, by_unique_ptr<Calls, Owner>> {
  public:
    using port = owned_queue<Calls>;
    using ref = queue_ref<Calls>;
    using pointer = typename Owner::pointer;
    static constexpr travel kind = travel::owner;
    static void drop(void *, void *item) { Owner(static_cast<pointer>(item)); }
    template <class Source> static constexpr bool puts_surely = true;
    static constexpr bool gets_surely = true;

    explicit by_unique_ptr(const ref &) noexcept {}

    static void *encode(pointer item) noexcept {
        return const_cast<void *>(static_cast<const volatile void *>(item));
    }
    static void *encode(const Owner &owner) noexcept { return encode(owner.get()); }
    static void accepted(Owner &&owner) noexcept { static_cast<void>(owner.release()); }
    template <class When> static queues_status_t put(const ref &to, Owner &&owner, When when) {
        const auto status = Calls::put(to.queue, encode(owner), when);
        if (status == QUEUES_OK)
            accepted(std::move(owner));
        return status;
    }
    // What is pointed to is the caller's until it is accepted, whatever points to it.
    template <class When> static queues_status_t emplace(ref &to, When when) {
        return Calls::put(to.queue, nullptr, when);
    }
    template <class When, class U, class Delete>
    static queues_status_t emplace(ref &to, When when, std::unique_ptr<U, Delete> &&owner) {
        static_assert(std::is_constructible_v<Owner, std::unique_ptr<U, Delete>>);
        const auto status = Calls::put(to.queue, encode(pointer(owner.get())), when);
        if (status == QUEUES_OK)
            static_cast<void>(owner.release());
        return status;
    }
    template <class When, class Pointer, class... Delete>
    static queues_status_t emplace(ref &to, When when, Pointer &&item, Delete &&...deleter) {
        Owner owner(std::forward<Pointer>(item), std::forward<Delete>(deleter)...);
        const auto status = Calls::put(to.queue, encode(owner), when);
        if constexpr (std::is_convertible_v<Pointer, pointer>)
            static_cast<void>(owner.release()); // the queue's, or the caller's still
        else if (status == QUEUES_OK)
            static_cast<void>(owner.release());
        return status;
    }

    void adopt(void *item) noexcept { owner_.reset(static_cast<pointer>(item)); }
    template <class Visit> void look(void *item, Visit &visit) {
        struct lender {
            ~lender() { accepted(std::move(owner)); }
            Owner &owner;
        } lent{owner_};
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
