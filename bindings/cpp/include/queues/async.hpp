// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// Waiting in coroutines (C++20): `co_await queue.pop_async(executor)`, and push_async,
/// pop_batch_async and wait_async. An await makes an attempt at once; if it must wait, it suspends
/// the coroutine, and a queues::reactor makes the next attempts. Senders, which P0260R20 names
/// async_pop and async_push, are in queues/sender.hpp.
///
///     task serve(queues::mpmc<request> &queue, pool &executor) {
///         while (auto next = co_await queue.pop_async(executor)) // nullopt: closed and empty
///             co_await reply(*next);
///     }
///
/// \par Executors
/// The executor resumes the coroutine. An executor is a function of a std::coroutine_handle<>, or
/// has the member `execute` (asio's executors, thread pools) or `post` for a function without
/// arguments. The executor is copied or moved in; a pointer to an executor may be passed, too. The
/// reactor calls the executor on its thread; that call must not throw, nor wait for long. Without
/// an executor the coroutine goes on on the thread of the reactor, and must suspend or return soon.
/// A coroutine that did not have to wait is not suspended and stays on its thread.
///
/// \par Stop tokens
/// After the executor a call takes a std::stop_token. A stop request ends the wait: the result is
/// as if the queue was closed. If a stop was requested before, the call makes no attempt.
///
/// \par Lifetimes
/// The result of pop_async and the like is for one co_await, in the same expression. The queue must
/// outlive the wait. A suspended coroutine may be destroyed, which ends its wait, if at that moment
/// neither the queue becomes ready nor a stop is requested: otherwise the executor may have the
/// coroutine already. To end a coroutine in all cases, request a stop or close the queue, and let
/// the coroutine return.
///
/// \par Reactors
/// The waits are those of queues::reactor::instance(), the reactor of the process. With
/// `queues::via(reactor, executor)` in the place of the executor, `reactor` waits instead. A
/// reactor may be destroyed while waits are pending, which ends them as a stop request does.
/// Afterwards the coroutines do not use the reactor, whenever they are resumed.
#ifndef QUEUES_ASYNC_HPP
#define QUEUES_ASYNC_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/deferred.hpp"
#include "detail/operations.hpp"
#include "detail/stop.hpp"
#include "reactor.hpp"

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#if defined(__cpp_impl_coroutine) && __has_include(<coroutine>)
#include <coroutine>
#endif

#ifdef __cpp_lib_coroutine

namespace queues {

namespace detail {

/// What `via` returns, for the calls that take an executor.
template <class Executor> struct via_reactor {
    reactor *by;       ///< the reactor that waits
    Executor executor; ///< resumes the coroutine
};

/// What pop_async and the like return, for a co_await in the same expression.
template <class Operation, class Executor, class Token>
class [[nodiscard]] awaiter final : pending_wait {
  public:
    /// \cond INTERNAL
    awaiter(Operation &&operation, Executor &&executor, Token &&token)
        : pending_wait(operation.handle(), Operation::event), operation_(std::move(operation)),
          executor_(std::move(executor)), token_(std::move(token)) {}
    ~awaiter() {
        if (is_suspended_)
            reactor_->forget(*this);
    }
    /// \endcond

    /// Makes an attempt, unless a stop was requested. Returns whether there is nothing to wait for.
    bool await_ready() {
        if (token_.stop_requested())
            return true;
        return operation_.attempt();
    }
    /// Begins to wait. Returns false if a stop was requested meanwhile. Throws std::bad_alloc and
    /// std::system_error.
    bool await_suspend(std::coroutine_handle<> coroutine) {
        reactor_ = &reactor_of(executor_);
        coroutine_ = coroutine;
        if constexpr (!std::is_same_v<Token, no_token>)
            on_stop_.emplace(token_, canceler{this});
        // Once the wait is added, another thread may resume the coroutine and destroy this object.
        is_suspended_ = true;
        if (reactor_->add(*this))
            return true;
        release();
        return false;
    }
    /// Returns the result of the call, or throws its exception.
    auto await_resume() { return operation_.result(); }

  private:
    struct canceler {
        awaiter *wait;
        void operator()() const noexcept { wait->reactor_->cancel(*wait); }
    };
    struct no_callback {
        explicit no_callback(const Token &, canceler) noexcept {}
    };
    template <class Of, class = void> struct callback_of {
        using type = typename stop_callback_of<Of, canceler>::type;
    };
    template <class Unused> struct callback_of<no_token, Unused> { using type = no_callback; };

    bool attempt() noexcept override { return operation_.attempt_quietly(); }
    void complete() noexcept override {
        release();
        // The coroutine may end and destroy this object before the executor returns.
        auto executor = std::move(executor_);
        const auto coroutine = coroutine_;
        resume_by(executor, coroutine);
    }

    // The reactor may end before the coroutine is resumed or destroyed.
    void release() noexcept {
        on_stop_.reset(); // waits for a stop request that is calling it
        is_suspended_ = false;
    }

    template <class To> static reactor &reactor_of(To &) { return reactor::instance(); }
    template <class To> static reactor &reactor_of(via_reactor<To> &executor) {
        return *executor.by;
    }

    template <class To>
    static void resume_by(via_reactor<To> &executor, std::coroutine_handle<> coroutine) {
        resume_by(executor.executor, coroutine);
    }
    template <class To> static void resume_by(To &executor, std::coroutine_handle<> coroutine) {
        if constexpr (std::is_pointer_v<To>)
            resume_by(*executor, coroutine);
        else if constexpr (std::is_invocable_v<To &, std::coroutine_handle<>>)
            executor(coroutine);
        else
            execute(executor, coroutine, 0);
    }
    template <class To>
    static auto execute(To &executor, std::coroutine_handle<> coroutine, int)
        -> decltype(static_cast<void>(executor.execute(coroutine))) {
        executor.execute(coroutine);
    }
    template <class To>
    static auto execute(To &executor, std::coroutine_handle<> coroutine, long)
        -> decltype(static_cast<void>(executor.post(coroutine))) {
        executor.post(coroutine);
    }

    Operation operation_;
    Executor executor_;
    Token token_;
    reactor *reactor_ = nullptr;
    std::coroutine_handle<> coroutine_;
    bool is_suspended_ = false;
    std::optional<typename callback_of<Token>::type> on_stop_;
};

} // namespace detail

/// Extension. Returns the argument that takes the place of `executor` in pop_async and the like, to
/// wait by the reactor `by` instead of the reactor of the process. Without `executor` the coroutine
/// is resumed on the thread of `by`. The reactor must exist when a wait begins. If the reactor is
/// destroyed before the wait is over, it ends the wait as a stop request does. Any thread. Throws
/// what moving the executor throws.
template <class Executor = detail::on_reactor>
detail::via_reactor<Executor> via(reactor &by, Executor executor = Executor()) {
    return {&by, std::move(executor)};
}

} // namespace queues

#endif

#endif

#include "detail/end.hpp"

#endif
