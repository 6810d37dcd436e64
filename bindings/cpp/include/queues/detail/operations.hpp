// SPDX-License-Identifier: MIT OR Apache-2.0
// The calls that awaiters and senders repeat until they succeed. Each makes an attempt, which never
// waits, and keeps its outcome: a result, a closed queue or an exception.
#ifndef QUEUES_DETAIL_OPERATIONS_HPP
#define QUEUES_DETAIL_OPERATIONS_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../status.hpp"
#include "deferred.hpp"
#include "pending.hpp"
#include "poll.hpp"

#include <queues.h>

#include <cstdint>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>

namespace queues {

namespace detail {

// The base of these calls. Derived has `call()`, which makes an attempt and returns its status;
// `attempt` returns whether that attempt was the last.
template <class Derived> class operation {
  public:
    bool attempt() {
        const auto status = static_cast<Derived *>(this)->call();
        if (status == conqueue_status::empty || status == conqueue_status::full)
            return false;
        status_ = status;
        return true;
    }
    // Keeps the exception.
    bool attempt_quietly() noexcept {
        bool is_over = true;
        error_ = exception_of([&] { is_over = attempt(); });
        return is_over;
    }
    // timeout: there was no attempt, or no attempt was the last.
    [[nodiscard]] conqueue_status status() const noexcept { return status_; }
    [[nodiscard]] const std::exception_ptr &error() const noexcept { return error_; }

  protected:
    void rethrow() const {
        if (error_)
            std::rethrow_exception(error_);
    }

  private:
    conqueue_status status_ = conqueue_status::timeout;
    std::exception_ptr error_;
};

template <class Queue> class pop_operation : public operation<pop_operation<Queue>> {
  public:
    using value_type = typename Queue::value_type;
    static constexpr std::uint32_t event = QUEUES_READABLE;

    explicit pop_operation(Queue &queue) noexcept : queue_(&queue) {}
    [[nodiscard]] void *handle() const noexcept { return handle_access::of(*queue_); }
    conqueue_status call() {
        auto next = queue_->try_pop();
        if (!next)
            return next.error();
        value_.emplace(*std::move(next));
        return conqueue_status::success;
    }
    std::optional<value_type> result() {
        this->rethrow();
        return std::move(value_);
    }
    template <class Receive> void deliver_to(Receive receive) { receive(*std::move(value_)); }

  private:
    Queue *queue_;
    std::optional<value_type> value_;
};

template <class Queue> class pop_batch_operation : public operation<pop_batch_operation<Queue>> {
  public:
    using batch_type = typename Queue::batch_type;
    static constexpr std::uint32_t event = QUEUES_READABLE;

    explicit pop_batch_operation(Queue &queue) noexcept : queue_(&queue) {}
    [[nodiscard]] void *handle() const noexcept { return handle_access::of(*queue_); }
    conqueue_status call() { return queue_->try_pop_batch_into(batch_); }
    std::optional<batch_type> result() {
        this->rethrow();
        if (this->status() != conqueue_status::success)
            return std::nullopt;
        return std::move(batch_);
    }

  private:
    Queue *queue_;
    batch_type batch_;
};

// Value is a reference to the argument, or in a sender its type.
template <class Queue, class Value, class... With>
class push_operation : public operation<push_operation<Queue, Value, With...>> {
  public:
    static constexpr std::uint32_t event = QUEUES_WRITABLE;

    template <class Source>
    push_operation(Queue &queue, Source &&value, With... with)
        : queue_(&queue), value_(std::forward<Source>(value)), with_(with...) {}
    [[nodiscard]] void *handle() const noexcept { return handle_access::of(*queue_); }
    conqueue_status call() {
        return std::apply(
            [&](const With &...with) {
                return queue_->try_push(static_cast<Value &&>(value_), with...);
            },
            with_);
    }
    bool result() const {
        this->rethrow();
        return this->status() == conqueue_status::success;
    }
    template <class Receive> void deliver_to(Receive receive) { receive(); }

  private:
    Queue *queue_;
    Value value_;
    std::tuple<With...> with_;
};

template <class Event> class event_operation : public operation<event_operation<Event>> {
  public:
    static constexpr std::uint32_t event = QUEUES_READABLE;

    explicit event_operation(const Event &latch) noexcept : latch_(latch) {}
    [[nodiscard]] void *handle() const noexcept { return handle_access::of(latch_); }
    conqueue_status call() noexcept {
        return latch_.is_set() ? conqueue_status::success : conqueue_status::empty;
    }
    bool result() const noexcept { return this->status() == conqueue_status::success; }

  private:
    Event latch_; // refers to the same event
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
