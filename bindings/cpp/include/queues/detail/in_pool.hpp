// Items in a pool.
#ifndef QUEUES_DETAIL_IN_POOL_HPP
#define QUEUES_DETAIL_IN_POOL_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "by_pointer.hpp"
#include "status_of.hpp"
#include "wait.hpp"

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

// Items in cells of a pool, an mpmc queue of blobs into which nothing is ever put; the queue itself
// holds their addresses.
template <class Calls, class T> class in_pool {
  public:
    using argument = T;
    using value_type = T;
    static constexpr travel kind = travel::pool;
    static constexpr std::size_t slot_size = 0; // to the C queue: the item is a void *

    struct port : owned_queue<Calls> {
        queues_mpmc_t *pool = nullptr;

        ~port() {
            Calls::release(std::exchange(this->queue, nullptr)); // its leftovers lie in the pool
            queues_mpmc_release(pool);
        }
        // Cells for all items, and spare ones for calls under way: as many as the C library has
        // in its own queues of blobs.
        void prepare(std::uint64_t, std::size_t in_flight) {
            queues_mpmc_options_t options{};
            options.struct_size = sizeof options;
            options.capacity = Calls::capacity(this->queue);
            options.item_size = cell<T>::size;
            options.spare = 64 + in_flight;
            const auto status = queues_mpmc_create(&options, &pool);
            if (status != QUEUES_OK)
                raise(status, "create");
        }
        void close() noexcept {
            Calls::close(this->queue);
            queues_mpmc_close(pool); // which ends waits for a cell
        }
    };

    static void drop(void *context, void *item) { end(*static_cast<const port *>(context), item); }
    template <class Source>
    static constexpr bool puts_surely =
        std::is_rvalue_reference_v<Source &&> &&moves_in<T>
            ? std::is_nothrow_move_constructible_v<T> &&comes_back_surely<T>
            : std::is_nothrow_copy_constructible_v<T>;
    static constexpr bool gets_surely = std::is_nothrow_move_constructible_v<T>;

    explicit in_pool(const port &from) noexcept : from_(from) {}
    in_pool(const in_pool &) = delete;
    ~in_pool() {
        if (data_ != nullptr)
            end(from_, data_);
    }

    template <class When> static queues_status_t put(port &to, const T &value, When when) {
        return put_made(to, made_by_copy<T>{value}, when);
    }
    template <class When> static queues_status_t put(port &to, T &&value, When when) {
        if constexpr (moves_in<T>)
            return put_made(to, made_by_move<T>{value}, when);
        else
            return put_made(to, made_by_copy<T>{value}, when);
    }
    template <class When, class... Args>
    static queues_status_t emplace(port &to, When when, Args &&...args) {
        return with_maker<T>([&](const auto &maker) { return put_made(to, maker, when); },
                             std::forward<Args>(args)...);
    }

    template <class When> queues_status_t get(const port &from, When when) {
        void *item;
        const auto status = Calls::get(from.queue, &item, when);
        if (status == QUEUES_OK)
            adopt(item);
        return status;
    }
    void adopt(void *item) noexcept { data_ = item; }
    T &&value() noexcept { return std::move(cell<T>::item(data_)); }

  private:
    static void end(const port &of, void *data) noexcept {
        cell<T>::item(data).~T();
        queues_mpmc_cancel(of.pool, data);
    }

    struct reservation {
        port &of;
        void *data;
        ~reservation() {
            if (data != nullptr)
                queues_mpmc_cancel(of.pool, data);
        }
    };

    template <class Maker, class When>
    static queues_status_t put_made(port &to, const Maker &maker, When when) {
        const auto timeout = timeout_of(when);
        const time_left left(timeout);
        void *data;
        auto status = queues_mpmc_reserve(to.pool, &data, timeout);
        if (status != QUEUES_OK) {
            if (status == QUEUES_FULL || status == QUEUES_TIMEOUT)
                to.refuse();
            return status;
        }
        reservation room{to, data};
        maker.construct(cell<T>::place(data));
        status = Calls::put(to.queue, data, with_timeout(when, left()));
        if (status == QUEUES_FULL && timeout > 0)
            status = QUEUES_TIMEOUT; // the time was over before this wait
        if (!Maker::gives_back && status == QUEUES_FULL)
            status = put_again<Calls>(to.queue, [&] { return Calls::put(to.queue, data, when); });
        if (status == QUEUES_OK) {
            room.data = nullptr;
        } else {
            const destroyer<T> ends{cell<T>::item(data)};
            maker.give_back(ends.item);
        }
        return status;
    }

    const port &from_;
    void *data_ = nullptr;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
