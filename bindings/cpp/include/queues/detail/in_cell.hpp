// Items in cells of their queue.
#ifndef QUEUES_DETAIL_IN_CELL_HPP
#define QUEUES_DETAIL_IN_CELL_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "by_pointer.hpp"
#include "wait.hpp"

#include <cstdint>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

// Each item in a cell of its C queue.
template <class Cells, class T> class in_cell {
  public:
    using argument = T;
    using value_type = T;
    using port = typename Cells::port;
    static constexpr travel kind = travel::cell;
    static constexpr std::size_t slot_size = cell<T>::size;
    static void drop(void *, void *data) { cell<T>::item(data).~T(); }
    template <class Source>
    static constexpr bool puts_surely =
        std::is_rvalue_reference_v<Source &&> &&moves_in<T>
            ? std::is_nothrow_move_constructible_v<T> &&comes_back_surely<T>
            : std::is_nothrow_copy_constructible_v<T>;
    static constexpr bool gets_surely = std::is_nothrow_move_constructible_v<T>;

    explicit in_cell(const port &from) noexcept : from_(from), side_(Cells::side::consumer(from)) {}
    in_cell(const in_cell &) = delete;
    ~in_cell() {
        if (data_ != nullptr) {
            cell<T>::item(data_).~T();
            Cells::settle(from_, data_);
        }
    }

    static queues_status_t put(port &to, const T &value, std::int64_t timeout) {
        return put_made(to, made_by_copy<T>{value}, timeout);
    }
    static queues_status_t put(port &to, T &&value, std::int64_t timeout) {
        if constexpr (moves_in<T>)
            return put_made(to, made_by_move<T>{value}, timeout);
        else
            return put_made(to, made_by_copy<T>{value}, timeout);
    }
    template <class... Args>
    static queues_status_t emplace(port &to, std::int64_t timeout, Args &&...args) {
        return with_maker<T>([&](const auto &maker) { return put_made(to, maker, timeout); },
                             std::forward<Args>(args)...);
    }

    queues_status_t get(const port &, std::int64_t timeout) {
        if (!side_.enter())
            return QUEUES_MISUSE;
        void *data;
        const auto status = Cells::lend(from_, &data, timeout);
        if (status == QUEUES_OK)
            data_ = data;
        else
            side_.leave();
        return status;
    }
    T &&value() noexcept { return std::move(cell<T>::item(data_)); }

    template <class Visit> queues_status_t peek(const port &from, Visit &&visit) {
        return Cells::look(from, visit);
    }

  private:
    // Cancelled when it goes, unless it was put.
    struct reservation {
        port &of;
        void *data;
        ~reservation() {
            if (data != nullptr)
                Cells::cancel(of, data);
        }
    };

    template <class Maker>
    static queues_status_t put_made(port &to, const Maker &maker, std::int64_t timeout) {
        const auto status = construct_and_put(to, maker, timeout);
        Cells::note(to, status);
        return status;
    }

    template <class Maker>
    static queues_status_t construct_and_put(port &to, const Maker &maker, std::int64_t timeout) {
        auto side = Cells::side::producer(to);
        if (!side.enter())
            return QUEUES_MISUSE;
        const time_left left(timeout);
        void *data;
        auto status = Cells::reserve(to, &data, timeout);
        if (status != QUEUES_OK)
            return status;
        reservation room{to, data};
        maker.construct(cell<T>::place(data));
        status = Cells::commit(to, data);
        if (status == QUEUES_FULL)
            status = insist<Maker::gives_back>(to, data, timeout, left);
        if (status == QUEUES_OK) {
            room.data = nullptr;
        } else {
            const destroyer<T> end{cell<T>::item(data)};
            maker.give_back(end.item);
        }
        return status;
    }

    // The queue became full between the reservation and the commit: keeps the item and waits for
    // room, or gives up.
    template <bool GivesBack>
    static queues_status_t insist(port &to, void *data, std::int64_t timeout,
                                  const time_left &left) noexcept {
        queues_status_t status = QUEUES_FULL;
        if (timeout == 0) {
            if (GivesBack)
                return status;
            return put_again<typename Cells::calls>(to.queue,
                                                    [&] { return Cells::commit(to, data); });
        }
        while (status == QUEUES_FULL) {
            status = Cells::wait_for_room(to, left());
            if (status == QUEUES_FULL)
                return QUEUES_TIMEOUT;
            if (status == QUEUES_OK)
                status = Cells::commit(to, data);
        }
        return status;
    }

    const port &from_;
    void *data_ = nullptr;
    typename Cells::side side_;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
