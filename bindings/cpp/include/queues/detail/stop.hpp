// SPDX-License-Identifier: MIT OR Apache-2.0
// Waits that a stop request ends: the thread sleeps on the queue and on an event at once, and a
// stop callback sets the event. No wait polls at intervals.
#ifndef QUEUES_DETAIL_STOP_HPP
#define QUEUES_DETAIL_STOP_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "status_of.hpp"
#include "wait.hpp"

#include <queues.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#if __has_include(<version>)
#include <version>
#endif
#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace queues {

namespace detail {

// Whether Token is std::stop_token or a type with its members. The test by members keeps this text
// the same in every standard.
template <class Token, class = void> struct is_stop_token : std::false_type {};
template <class Token>
struct is_stop_token<
    Token, std::void_t<decltype(static_cast<bool>(std::declval<const Token &>().stop_possible())),
                       decltype(static_cast<bool>(std::declval<const Token &>().stop_requested()))>>
    : std::true_type {};
template <class Token> using if_stop_token = std::enable_if_t<is_stop_token<Token>::value>;

template <class Token, class Callback, class = void> struct has_callback_type : std::false_type {};
template <class Token, class Callback>
struct has_callback_type<Token, Callback,
                         std::void_t<typename Token::template callback_type<Callback>>>
    : std::true_type {};

// The type whose object calls a Callback when a stop is requested of a Token.
template <class Token, class Callback> struct stop_callback_of {
    static_assert(has_callback_type<Token, Callback>::value,
                  "a stop token needs the member callback_type, as std::inplace_stop_token has it");
    using type = typename Token::template callback_type<Callback>;
};
#ifdef __cpp_lib_jthread
// std::stop_token has that member only from C++26 on.
template <class Callback> struct stop_callback_of<std::stop_token, Callback> {
    using type = std::stop_callback<Callback>;
};
#endif

// A stop token of which no stop is requested.
struct no_token {
    static constexpr bool stop_possible() noexcept { return false; }
    static constexpr bool stop_requested() noexcept { return false; }
};

// An event that is set when a stop is requested. Its creation takes 0.5 us, and a sleep 4 us and
// more (AMD EPYC, Zen 5). So every wait that sleeps creates an event, and no thread keeps any.
template <class Token> class stop_signal {
  public:
    explicit stop_signal(const Token &token) : on_stop_(token, set{handle_.event}) {}
    stop_signal(const stop_signal &) = delete;

    // QUEUES_NOMEM: there is no event.
    [[nodiscard]] queues_status_t status() const noexcept { return handle_.created; }
    [[nodiscard]] queues_event_t *event() const noexcept { return handle_.event; }

  private:
    struct handle {
        queues_event_t *event = nullptr;
        const queues_status_t created = queues_event_create(&event);

        handle() = default;
        handle(const handle &) = delete;
        ~handle() { queues_event_release(event); }
    };
    struct set {
        queues_event_t *event;
        void operator()() const noexcept { ignore(queues_event_set(event)); } // valid, or null
    };

    const handle handle_;
    // Destroyed first, which waits for a call of it in another thread.
    const typename stop_callback_of<Token, set>::type on_stop_;
};

// Sleeps until a queue is ready or a stop was requested.
class ready_or_stopped {
  public:
    ready_or_stopped(void *queue, std::uint32_t event, queues_event_t *stop) noexcept
        : polls_{{queue, event, 0}, {stop, QUEUES_READABLE, 0}}, stop_(stop) {}

    // Returns whether an attempt may succeed; false: stopped.
    bool operator()() noexcept {
        if (!is_ready(0)) {
            in_vain_ = 0;
            is_ready(-1);
        } else if (polls_[1].ready == 0 && ++in_vain_ > max_in_vain) {
            // The queue has room, but the pool of its items lacks a cell: see in_pool.hpp.
            ignore(queues_event_wait(stop_, to_timeout(pause_)));
            pause_ = (std::min<std::chrono::nanoseconds>)(2 * pause_, std::chrono::milliseconds(1));
        }
        return !queues_event_is_set(stop_);
    }

  private:
    // Attempts in a row that may fail beside a ready queue because other threads were faster.
    static constexpr int max_in_vain = 8;

    bool is_ready(std::int64_t timeout) noexcept {
        std::size_t ready;
        return queues_poll(polls_, 2, timeout, &ready) == QUEUES_OK;
    }

    queues_poll_t polls_[2];
    queues_event_t *const stop_;
    int in_vain_ = 0;
    std::chrono::nanoseconds pause_ = std::chrono::microseconds(20);
};

// A wait like those of wait.hpp. The first C call may spin, for a reply that comes soon. Where it
// finds the queue empty or full, the thread sleeps until another attempt may succeed or a stop is
// requested. Returns QUEUES_TIMEOUT after a stop request, without an attempt if the request came
// before the call.
template <class Token> class wait_unless_stopped {
  public:
    wait_unless_stopped(const Token &token, void *queue, std::uint32_t event) noexcept
        : token_(token), queue_(queue), event_(event) {}

    template <class Call> queues_status_t operator()(Call call) const {
        if (!token_.stop_possible())
            return call(wait_forever.timeout);
        if (token_.stop_requested())
            return QUEUES_TIMEOUT;
        const auto status = call(longest_spin);
        return must_wait(status) ? wait(call) : status;
    }

  private:
    // In ns: about as long as a C call spins before it sleeps. A stop request that comes meanwhile
    // waits for at most this long. With this spin a round trip between two threads takes as long as
    // without stop tokens; without the spin, 2.6 times as long (AMD EPYC, Zen 5).
    static constexpr std::int64_t longest_spin = 8000;

    static bool must_wait(queues_status_t status) noexcept {
        return status == QUEUES_EMPTY || status == QUEUES_FULL || status == QUEUES_TIMEOUT;
    }

    template <class Call> queues_status_t wait(Call &call) const {
        const stop_signal<Token> stop(token_);
        if (stop.status() != QUEUES_OK)
            return stop.status();
        ready_or_stopped is_ready(queue_, event_, stop.event());
        while (is_ready()) {
            const auto status = call(no_wait.timeout);
            if (!must_wait(status))
                return status;
        }
        return QUEUES_TIMEOUT;
    }

    const Token &token_;
    void *const queue_;
    const std::uint32_t event_;
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
