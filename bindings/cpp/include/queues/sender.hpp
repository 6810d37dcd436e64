// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// The senders of P0260R20: `queue.async_pop()` and `queue.async_push(value)` of mpmc, spsc,
/// priority and batcher (there async_push only). They need NVIDIA's stdexec, in C++20 with g++ 12
/// or clang++ 16; without its headers this file declares nothing.
///
///     stdexec::sync_wait(queue.async_push(item) | stdexec::then([] { log("pushed"); }));
///     while (auto next = co_await queue.async_pop()) // in a coroutine of stdexec: an optional
///         serve(*next);
///
/// An operation makes an attempt when it is started. If it must wait, queues::reactor::instance()
/// makes the next attempts. Where the receiver has a scheduler, the operation then completes there;
/// otherwise, and if that scheduler fails, on the thread of the reactor, which must not be blocked.
/// An operation that does not have to wait completes within start(). A stop request of the
/// receiver's stop token ends the wait. An operation that has taken an item completes with the
/// item, also after a stop request; so of two pops in a when_any, both may have taken an item.
///
/// async_pop completes with set_value(item), set_error(conqueue_status::closed) if the queue is
/// closed and empty, or set_stopped(). async_push completes with set_value(),
/// set_error(conqueue_status::closed), or set_stopped(); the value that it holds is destroyed with
/// the operation. Both complete with set_error(std::exception_ptr) if moving the item throws. In a
/// coroutine async_pop results in an optional and async_push in a bool, as pop and push do.
///
/// The queue must outlive the operation. For coroutines without stdexec there is queues/async.hpp.
#ifndef QUEUES_SENDER_HPP
#define QUEUES_SENDER_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#if __cplusplus >= 202002L && __has_include(<stdexec/execution.hpp>)

#include "detail/deferred.hpp"
#include "detail/operations.hpp"
#include "detail/pending.hpp"
#include "detail/stop.hpp"
#include "reactor.hpp"
#include "status.hpp"

#include <stdexec/execution.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace queues {

namespace detail {

/// The state of an async_pop or async_push that was connected to a receiver.
template <class Operation, class Receiver> class sender_state final : pending_wait {
  public:
    using operation_state_concept = stdexec::operation_state_t; ///< marks an operation state

    /// \cond INTERNAL
    sender_state(Operation &&operation, Receiver &&receiver)
        : pending_wait(operation.handle(), Operation::event), operation_(std::move(operation)),
          receiver_(std::move(receiver)) {}
    /// \endcond

    /// Makes an attempt and completes, or begins to wait.
    void start() &noexcept {
        const auto token = stdexec::get_stop_token(stdexec::get_env(receiver_));
        if (token.stop_requested() || operation_.attempt_quietly())
            return deliver();
        bool is_pending = false;
        // Once the wait is added, it may be completed, and this object be destroyed, at any time.
        const auto error = exception_of([&] {
            by_ = &reactor::instance();
            on_stop_.emplace(token, canceler{this});
            is_pending = by_->add(*this);
        });
        if (is_pending)
            return;
        on_stop_.reset();
        if (error)
            stdexec::set_error(std::move(receiver_), error);
        else
            deliver();
    }

  private:
    struct canceler {
        sender_state *wait;
        void operator()() const noexcept { wait->by_->cancel(*wait); }
    };
    using token_type = stdexec::stop_token_of_t<stdexec::env_of_t<Receiver>>;
    using callback_type = typename stop_callback_of<token_type, canceler>::type;

    // Delivers the outcome on the receiver's scheduler, or on this thread if the scheduler fails.
    struct on_scheduler {
        using receiver_concept = stdexec::receiver_t;
        sender_state *to;
        void set_value() &&noexcept { to->deliver(); }
        template <class Error> void set_error(Error &&) &&noexcept { to->deliver(); }
        void set_stopped() &&noexcept { to->deliver(); }
        auto get_env() const noexcept { return stdexec::env<>(); }
    };
    template <class Env>
    static constexpr bool has_scheduler =
        std::is_invocable_v<stdexec::get_scheduler_t, const Env &>;
    struct no_hop {};
    template <class Env, bool = has_scheduler<Env>> struct hop_to { using type = no_hop; };
    template <class Env> struct hop_to<Env, true> {
        using scheduler = std::invoke_result_t<stdexec::get_scheduler_t, const Env &>;
        using type =
            stdexec::connect_result_t<decltype(stdexec::schedule(std::declval<scheduler>())),
                                      on_scheduler>;
    };
    using env_type = stdexec::env_of_t<Receiver>;
    using hop_type = typename hop_to<env_type>::type;
    // Constructs an operation state, which does not move, in an optional.
    template <class Connect> struct constructs {
        Connect connect;
        operator hop_type() && { return connect(); }
    };
    template <class Connect> constructs(Connect) -> constructs<Connect>;

    bool attempt() noexcept override { return operation_.attempt_quietly(); }
    void complete() noexcept override {
        on_stop_.reset(); // waits for a stop request that is calling it
        if constexpr (std::is_same_v<hop_type, no_hop>) {
            deliver();
        } else {
            const auto error = exception_of([&] {
                hop_.emplace(constructs{[&] {
                    return stdexec::connect(
                        stdexec::schedule(stdexec::get_scheduler(stdexec::get_env(receiver_))),
                        on_scheduler{this});
                }});
            });
            if (error)
                deliver();
            else
                stdexec::start(*hop_);
        }
    }
    void deliver() noexcept {
        if (operation_.error())
            stdexec::set_error(std::move(receiver_), operation_.error());
        else if (operation_.status() == conqueue_status::success)
            operation_.deliver_to([this](auto &&...values) noexcept {
                stdexec::set_value(std::move(receiver_), std::forward<decltype(values)>(values)...);
            });
        else if (operation_.status() == conqueue_status::timeout)
            stdexec::set_stopped(std::move(receiver_));
        else
            stdexec::set_error(std::move(receiver_), conqueue_status(operation_.status()));
    }

    Operation operation_;
    Receiver receiver_;
    reactor *by_ = nullptr;
    std::optional<callback_type> on_stop_;
    std::optional<hop_type> hop_;
};

/// What the senders share. Derived has `Operation`, and `Value` for set_value_t(Value...).
template <class Adaptor, class Operation, class... Value> class queue_sender {
  public:
    using sender_concept = stdexec::sender_t; ///< marks a sender
    /// How an operation may complete.
    using completion_signatures = stdexec::completion_signatures<
        stdexec::set_value_t(Value...), stdexec::set_error_t(conqueue_status),
        stdexec::set_error_t(std::exception_ptr), stdexec::set_stopped_t()>;

    /// The attributes: how a coroutine awaits the sender.
    struct attributes {
        /// Returns the adaptor for an await.
        Adaptor query(stdexec::get_await_completion_adaptor_t) const noexcept { return {}; }
    };
    /// Returns the attributes.
    [[nodiscard]] attributes get_env() const noexcept { return {}; }
    /// Returns the state for a receiver. Throws what moving the value throws.
    template <class Receiver>
    [[nodiscard]] sender_state<Operation, Receiver> connect(Receiver receiver) && {
        return {std::move(operation_), std::move(receiver)};
    }
    /// Returns the state for a receiver. Throws what copying the value throws.
    template <class Receiver>
    [[nodiscard]] sender_state<Operation, Receiver> connect(Receiver receiver) const & {
        return {Operation(operation_), std::move(receiver)};
    }

    /// \cond INTERNAL
  protected:
    template <class... Args>
    explicit queue_sender(std::in_place_t, Args &&...args)
        : operation_(std::forward<Args>(args)...) {}
    /// \endcond

  private:
    Operation operation_;
};

/// Makes an await of async_pop result in an optional.
template <class T> struct closed_as_nullopt {
    /// Returns the sender of an optional.
    template <class Sender> auto operator()(Sender &&sender) const {
        return stdexec::let_error(
            stdexec::then(std::forward<Sender>(sender),
                          [](T &&item) { return std::optional<T>(std::move(item)); }),
            [](auto error) noexcept {
                if constexpr (std::is_same_v<decltype(error), conqueue_status>)
                    return stdexec::just(std::optional<T>());
                else
                    return stdexec::just_error(std::move(error));
            });
    }
};
/// Makes an await of async_push result in a bool.
struct closed_as_false {
    /// Returns the sender of a bool.
    template <class Sender> auto operator()(Sender &&sender) const {
        return stdexec::let_error(
            stdexec::then(std::forward<Sender>(sender), []() noexcept { return true; }),
            [](auto error) noexcept {
                if constexpr (std::is_same_v<decltype(error), conqueue_status>)
                    return stdexec::just(false);
                else
                    return stdexec::just_error(std::move(error));
            });
    }
};

/// What async_pop returns.
template <class Queue>
class pop_sender : public queue_sender<closed_as_nullopt<typename Queue::value_type>,
                                       pop_operation<Queue>, typename Queue::value_type> {
  public:
    /// \cond INTERNAL
    explicit pop_sender(Queue &queue) noexcept : pop_sender::queue_sender(std::in_place, queue) {}
    /// \endcond
};

/// What async_push returns. It holds the value.
template <class Queue, class Value, class... With>
class push_sender : public queue_sender<closed_as_false, push_operation<Queue, Value, With...>> {
  public:
    /// \cond INTERNAL
    template <class Source>
    push_sender(Queue &queue, Source &&value, With... with)
        : push_sender::queue_sender(std::in_place, queue, std::forward<Source>(value), with...) {}
    /// \endcond
};

} // namespace detail

} // namespace queues

#endif

#endif

#include "detail/end.hpp"

#endif
