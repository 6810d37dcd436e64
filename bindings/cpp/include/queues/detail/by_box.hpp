// SPDX-License-Identifier: MIT OR Apache-2.0
// The payload of a deque for a T that is not trivially copyable: a pointer to a box from operator
// new, which a push allocates and a pop or steal frees.
#ifndef QUEUES_DETAIL_BY_BOX_HPP
#define QUEUES_DETAIL_BY_BOX_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "by_pointer.hpp"

#include <queues.h>

#include <memory>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

template <class Calls, class T> class by_box : public by_pointer<Calls, T, by_box<Calls, T>> {
  public:
    using ref = queue_ref<Calls>;
    static constexpr stored_as kind = stored_as::box;
    static void drop(void *, void *item) { delete static_cast<T *>(item); }
    template <class Source> static constexpr bool put_is_noexcept = false;
    static constexpr bool get_is_noexcept = std::is_nothrow_move_constructible_v<T>;

    explicit by_box(const ref &) noexcept {}

    template <class Args> static queues_status_t put(ref &to, const T &value, Args args) {
        return emplace(to, args, value);
    }
    template <class Args> static queues_status_t put(ref &to, T &&value, Args args) {
        if constexpr (is_pushed_by_move<T>) {
            const moved_from<T> source{value};
            auto box = std::make_unique<T>(std::move(value));
            const auto status = put_box(to, box, args);
            if (box)
                source.restore(*box);
            return status;
        } else {
            return emplace(to, args, std::as_const(value));
        }
    }
    template <class PutArgs, class... Args>
    static queues_status_t emplace(ref &to, PutArgs put_args, Args &&...args) {
        auto box = std::make_unique<T>(std::forward<Args>(args)...);
        return put_box(to, box, put_args);
    }

    void adopt(void *item) noexcept { box_.reset(static_cast<T *>(item)); }
    T &&value() noexcept { return std::move(*box_); }

  private:
    template <class Args>
    static queues_status_t put_box(ref &to, std::unique_ptr<T> &box, Args args) {
        const auto status = Calls::put(to.queue, box.get(), args);
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
