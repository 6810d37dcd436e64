// Items in boxes.
#ifndef QUEUES_DETAIL_BY_BOX_HPP
#define QUEUES_DETAIL_BY_BOX_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "by_pointer.hpp"

#include <memory>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

// In a box from operator new: only in deques.
template <class Calls, class T> class by_box : public by_pointer<Calls, T, by_box<Calls, T>> {
  public:
    using ref = queue_ref<Calls>;
    static constexpr travel kind = travel::box;
    static void drop(void *, void *item) { delete static_cast<T *>(item); }
    template <class Source> static constexpr bool puts_surely = false;
    static constexpr bool gets_surely = std::is_nothrow_move_constructible_v<T>;

    explicit by_box(const ref &) noexcept {}

    template <class When> static queues_status_t put(ref &to, const T &value, When when) {
        return emplace(to, when, value);
    }
    template <class When> static queues_status_t put(ref &to, T &&value, When when) {
        if constexpr (moves_in<T>) {
            const made_by_move<T> maker{value};
            auto box = std::make_unique<T>(std::move(value));
            const auto status = send(to, box, when);
            if (box)
                maker.give_back(*box);
            return status;
        } else {
            return emplace(to, when, std::as_const(value));
        }
    }
    template <class When, class... Args>
    static queues_status_t emplace(ref &to, When when, Args &&...args) {
        auto box = std::make_unique<T>(std::forward<Args>(args)...);
        return send(to, box, when);
    }

    void adopt(void *item) noexcept { box_.reset(static_cast<T *>(item)); }
    T &&value() noexcept { return std::move(*box_); }

  private:
    template <class When> static queues_status_t send(ref &to, std::unique_ptr<T> &box, When when) {
        const auto status = Calls::put(to.queue, box.get(), when);
        if (status == QUEUES_OK)
            static_cast<void>(box.release());
        return status;
    }

    std::unique_ptr<T> box_;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
