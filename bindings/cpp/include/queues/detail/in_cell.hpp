// SPDX-License-Identifier: MIT OR Apache-2.0
// The payload of mpmc and spsc for large items and those that are not trivially copyable: the item
// is constructed in a reserved cell of the C queue, and moved out of it by the consumer. No call
// allocates.
//
// `Cells` has the family's calls on cells: a push is reserve, construct, commit (or cancel); a pop
// is lease, move out, settle.
#ifndef QUEUES_DETAIL_IN_CELL_HPP
#define QUEUES_DETAIL_IN_CELL_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "cell.hpp"
#include "construct.hpp"
#include "wait.hpp"

#include <queues.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

template <class Cells, class T> class in_cell {
  public:
    using argument = T;
    using value_type = T;
    using queue_handle = typename Cells::queue_handle;
    static constexpr stored_as kind = stored_as::cell;
    static constexpr std::size_t slot_size = cell<T>::size;
    static void drop(void *, void *data) { cell<T>::item(data).~T(); }
    template <class Source> static constexpr bool put_is_noexcept = constructs_nothrow<T, Source>;
    static constexpr bool get_is_noexcept = std::is_nothrow_move_constructible_v<T>;

    explicit in_cell(const queue_handle &from) noexcept
        : from_(from), role_(Cells::role::consumer(from)) {}
    in_cell(const in_cell &) = delete;
    ~in_cell() {
        if (data_ != nullptr) {
            cell<T>::item(data_).~T();
            Cells::settle(from_, data_);
        }
    }

    static queues_status_t put(queue_handle &to, const T &value, std::int64_t timeout) {
        return put_from(to, copy_of<T>{value}, timeout);
    }
    static queues_status_t put(queue_handle &to, T &&value, std::int64_t timeout) {
        return put_from(to, pushed_rvalue<T>{value}, timeout);
    }
    template <class... Args>
    static queues_status_t emplace(queue_handle &to, std::int64_t timeout, Args &&...args) {
        return with_constructed<T>(
            [&](const auto &source) { return put_from(to, source, timeout); },
            std::forward<Args>(args)...);
    }

    queues_status_t get(const queue_handle &, std::int64_t timeout) {
        if (!role_.enter())
            return QUEUES_MISUSE;
        void *data;
        const auto status = Cells::lease(from_, &data, timeout);
        if (status == QUEUES_OK)
            data_ = data;
        else
            role_.leave();
        return status;
    }
    T &&value() noexcept { return std::move(cell<T>::item(data_)); }

    template <class Visit> queues_status_t peek(const queue_handle &from, Visit &&visit) {
        return Cells::peek(from, visit);
    }

  private:
    // Cancels the reservation of a cell at the end of a scope, unless `data` was reset.
    struct reservation {
        queue_handle &of;
        void *data;
        ~reservation() {
            if (data != nullptr)
                Cells::cancel(of, data);
        }
    };

    template <class Source>
    static queues_status_t put_from(queue_handle &to, const Source &source, std::int64_t timeout) {
        const auto status = construct_and_commit(to, source, timeout);
        Cells::count_failure(to, status);
        return status;
    }

    template <class Source>
    static queues_status_t construct_and_commit(queue_handle &to, const Source &source,
                                                std::int64_t timeout) {
        auto role = Cells::role::producer(to);
        if (!role.enter())
            return QUEUES_MISUSE;
        const time_left left(timeout);
        void *data;
        auto status = Cells::reserve(to, &data, timeout);
        if (status != QUEUES_OK)
            return status;
        reservation reserved{to, data};
        source.construct(cell<T>::address(data));
        status = Cells::commit(to, data);
        if (status == QUEUES_FULL)
            status = commit_again<Source::restores>(to, data, timeout, left);
        if (status == QUEUES_OK) {
            reserved.data = nullptr;
        } else {
            const destroyer<T> destroy{cell<T>::item(data)};
            source.restore(destroy.item);
        }
        return status;
    }

    // Other producers filled the queue between the reservation and the commit. Keeps the item and
    // waits for room. Without a timeout, a push gives up at once and an emplace retries.
    template <bool Restores>
    static queues_status_t commit_again(queue_handle &to, void *data, std::int64_t timeout,
                                        const time_left &left) noexcept {
        queues_status_t status = QUEUES_FULL;
        if (timeout == 0) {
            if (Restores)
                return status;
            return retry_put<typename Cells::calls>(to.queue,
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

    const queue_handle &from_;
    void *data_ = nullptr;
    typename Cells::role role_;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
