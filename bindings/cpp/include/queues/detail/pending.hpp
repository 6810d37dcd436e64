// SPDX-License-Identifier: MIT OR Apache-2.0
// A wait that a reactor ends, and a list of such waits. The list is linked through the waits
// themselves, so that beginning a wait allocates nothing.
#ifndef QUEUES_DETAIL_PENDING_HPP
#define QUEUES_DETAIL_PENDING_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "throw.hpp"

#include <cstdint>
#include <exception>

namespace queues {

namespace detail {

// `idle`: the reactor does not have the wait, or no longer has it.
enum class wait_state { idle, waiting, attempting, finished };

class pending_wait {
  public:
    pending_wait(void *queue_, std::uint32_t event_) noexcept : queue(queue_), event(event_) {}
    pending_wait(const pending_wait &) = delete;

    // Makes one attempt, which does not wait. Returns whether the wait is over: by success, by a
    // close or by an exception. On the thread of the reactor.
    virtual bool attempt() noexcept = 0;
    // Passes the outcome on. On the thread of the reactor, which does not use the object
    // afterwards.
    virtual void complete() noexcept = 0;

    void *const queue;         // the C handle
    const std::uint32_t event; // QUEUES_READABLE or QUEUES_WRITABLE

    // Under the lock of the reactor.
    wait_state state = wait_state::idle;
    bool is_canceled = false;
    bool is_stopped = false;
    pending_wait *next = nullptr, *previous = nullptr;

  protected:
    ~pending_wait() = default;
};

class wait_list {
  public:
    wait_list() = default;
    wait_list(const wait_list &) = delete;

    [[nodiscard]] bool is_empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] pending_wait *front() const noexcept { return first_; }
    void push_back(pending_wait &wait) noexcept {
        wait.next = nullptr;
        wait.previous = last_;
        (last_ == nullptr ? first_ : last_->next) = &wait;
        last_ = &wait;
    }
    void remove(pending_wait &wait) noexcept {
        (wait.previous == nullptr ? first_ : wait.previous->next) = wait.next;
        (wait.next == nullptr ? last_ : wait.next->previous) = wait.previous;
    }

  private:
    pending_wait *first_ = nullptr, *last_ = nullptr;
};

// Calls `action`, and returns the exception that it throws, or nullptr.
template <class Action> std::exception_ptr exception_of(Action action) noexcept {
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
    try {
        action();
    } catch (...) {
        return std::current_exception();
    }
#else
    action();
#endif
    return nullptr;
}

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
