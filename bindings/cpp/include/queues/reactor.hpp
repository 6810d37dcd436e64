// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// queues::reactor: one thread that waits for many queues on behalf of coroutines and senders. It
/// sleeps in one poll over all pending waits, makes an attempt for each wait whose queue is ready,
/// and completes those that succeed.
///
/// Waits for the same end of a queue are served in the order in which they began, and the reactor
/// takes an item only for a wait that gets it. So there is no wake-up to lose, and no crowd of
/// coroutines that wakes for one item.
#ifndef QUEUES_REACTOR_HPP
#define QUEUES_REACTOR_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/pending.hpp"
#include "detail/poll.hpp"
#include "detail/status_of.hpp"
#include "event.hpp"
#include "fwd.hpp"

#include <queues.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace queues {

/// Extension. A thread that completes the waits of coroutines and senders. Most programs use the
/// reactor of the process, `reactor::instance()`, which is the default of these waits.
///
/// A queue and its items must outlive the waits for it, as with a thread that waits in a call. A
/// wake is O(number of queue ends that are waited for). A child of fork has no reactor thread.
class reactor {
  public:
    /// Starts the thread. Throws std::bad_alloc and std::system_error.
    reactor() : polls_(2), thread_([this] { run(); }) {}
    reactor(const reactor &) = delete;
    reactor &operator=(const reactor &) = delete;
    /// Completes the pending waits as if a stop had been requested of each, then ends the thread.
    /// Waits that begin on that thread meanwhile are over at once. Once this call has begun, other
    /// threads may neither begin a wait by this reactor nor destroy a suspended coroutine of it;
    /// stop requests may come at any time. Must not run on the reactor's thread.
    ~reactor() { end(ending::complete); }

    /// Returns the reactor of the process. The first call starts its thread, which ends when the
    /// program exits; waits that are pending then are not completed. std::exit waits for a
    /// coroutine that runs on that thread; a coroutine may also call std::exit there. Any thread.
    /// Throws std::bad_alloc and std::system_error.
    static reactor &instance() {
        // Not destroyed: static objects that are destroyed later may still cancel waits.
        static reactor *const process_wide = new reactor;
        static const struct guard {
            ~guard() { process_wide->end(ending::abandon); }
        } at_exit{};
        return *process_wide;
    }

    /// Returns the number of pending waits at some moment of the call. Any thread.
    [[nodiscard]] std::size_t pending() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return pending_;
    }

    /// \cond INTERNAL
    // For awaiters and senders.

    // Begins a wait. Returns false if `wait` was canceled before or the reactor ends: then the
    // reactor does not have `wait`. Otherwise `wait` may be complete when the call returns.
    bool add(detail::pending_wait &wait) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (wait.is_canceled || ending_ == ending::complete)
            return false;
        const auto key = key_of(wait.queue, wait.event);
        const auto size = ends_.size() + 2; // with a new end and the control event
        if (polls_.capacity() < size && spare_.capacity() < size)
            spare_.reserve(2 * size);
        const auto [end, is_new] = ends_.try_emplace(key);
        end->second.push_back(wait);
        wait.state = detail::wait_state::waiting;
        ++pending_;
        if (is_new)
            wake();
        return true;
    }
    // Completes `wait` as stopped, unless it has been completed otherwise.
    void cancel(detail::pending_wait &wait) noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        wait.is_canceled = true;
        if (wait.state == detail::wait_state::waiting) {
            finish(wait, true);
            wake();
        }
    }
    // Ends `wait` without completing it. Afterwards the reactor uses neither it nor its queue.
    void forget(detail::pending_wait &wait) noexcept {
        using detail::wait_state;
        std::unique_lock<std::mutex> lock(mutex_);
        const bool is_reactor = std::this_thread::get_id() == thread_id_;
        const auto until = [&](auto condition) {
            ++forgetting_;
            wake();
            changed_.wait(lock, condition);
            --forgetting_;
        };
        if (wait.state == wait_state::attempting)
            until([&] { return wait.state != wait_state::attempting; });
        if (wait.state == wait_state::waiting) {
            remove(wait);
            if (is_polling_ && !is_reactor)
                until([this, round = round_] { return !is_polling_ || round_ != round; });
        } else if (wait.state == wait_state::finished) {
            finished_.remove(wait);
        } else {
            return;
        }
        wait.state = wait_state::idle;
        --pending_;
    }
    /// \endcond

  private:
    enum class ending { none, complete, abandon };
    using lock_type = std::unique_lock<std::mutex>;

    // Attempts in vain beside queues that are ready, before the thread pauses: see stop.hpp.
    static constexpr int max_in_vain = 8;

    static std::uintptr_t key_of(void *queue, std::uint32_t event) noexcept {
        static_assert(QUEUES_READABLE == 1 && QUEUES_WRITABLE == 2); // handles are even
        return reinterpret_cast<std::uintptr_t>(queue) | (event >> 1);
    }

    void wake() noexcept {
        if (is_polling_)
            control_.set();
    }
    void remove(detail::pending_wait &wait) noexcept {
        const auto end = ends_.find(key_of(wait.queue, wait.event));
        end->second.remove(wait);
        if (end->second.is_empty())
            ends_.erase(end);
    }
    void finish(detail::pending_wait &wait, bool is_stopped) noexcept {
        remove(wait);
        wait.is_stopped = is_stopped;
        wait.state = detail::wait_state::finished;
        finished_.push_back(wait);
    }

    void end(ending how) {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            ending_ = how;
            wake();
        }
        if (std::this_thread::get_id() == thread_.get_id())
            thread_.detach(); // std::exit on this thread, which never returns to `run`
        else
            thread_.join();
    }

    void run() noexcept {
        lock_type lock(mutex_);
        thread_id_ = std::this_thread::get_id();
        while (ending_ != ending::abandon) {
            if (ending_ == ending::complete)
                finish_all();
            complete_finished(lock);
            if (ending_ == ending::complete && pending_ == 0)
                return;
            if (ending_ == ending::none && finished_.is_empty()) {
                poll(lock);
                make_attempts(lock);
            }
        }
    }

    void finish_all() noexcept {
        while (!ends_.empty())
            finish(*ends_.begin()->second.front(), true);
    }

    // Without the lock: a coroutine that is resumed here may call the reactor.
    void complete_finished(lock_type &lock) noexcept {
        while (detail::pending_wait *const wait = finished_.front()) {
            finished_.remove(*wait);
            wait->state = detail::wait_state::idle;
            --pending_;
            lock.unlock();
            wait->complete();
            lock.lock();
        }
    }

    void poll(lock_type &lock) noexcept {
        const auto size = ends_.size() + 1;
        if (polls_.capacity() < size)
            polls_.swap(spare_); // `add` has reserved it
        polls_.clear();
        polls_.push_back({detail::handle_access::of(control_), QUEUES_READABLE, 0});
        for (const auto &[key, waits] : ends_)
            polls_.push_back({waits.front()->queue, waits.front()->event, 0});
        control_.reset();
        is_polling_ = true;
        lock.unlock();
        if (in_vain_ > max_in_vain)
            static_cast<void>(control_.wait_for(std::chrono::milliseconds(1)));
        std::size_t ready = 0;
        // Ends the program if a queue was destroyed that a coroutine waits for.
        detail::status_of(queues_poll(polls_.data(), polls_.size(), -1, &ready),
                          "reactor: poll of a queue that was destroyed");
        lock.lock();
        is_polling_ = false;
        ++round_;
        if (forgetting_ > 0)
            changed_.notify_all();
    }

    void make_attempts(lock_type &lock) noexcept {
        bool was_ready = false, has_served = false;
        for (std::size_t i = 1; i < polls_.size(); ++i) {
            if (polls_[i].ready != 0) {
                was_ready = true;
                has_served |= serve(key_of(polls_[i].queue, polls_[i].events), lock);
                complete_finished(lock); // it may cancel waits for the ends that follow
            }
        }
        in_vain_ = was_ready && !has_served ? in_vain_ + 1 : 0;
    }

    // Makes attempts for the waits of one end until one fails. Returns whether one did not.
    bool serve(std::uintptr_t key, lock_type &lock) noexcept {
        bool has_served = false;
        auto end = ends_.find(key);
        // Waits that begin meanwhile have their turn after the other ends.
        for (auto left = pending_; end != ends_.end() && left > 0; --left, end = ends_.find(key)) {
            detail::pending_wait &wait = *end->second.front();
            wait.state = detail::wait_state::attempting;
            lock.unlock();
            const bool is_over = wait.attempt();
            lock.lock();
            wait.state = detail::wait_state::waiting;
            if (forgetting_ > 0)
                changed_.notify_all();
            if (!is_over && !wait.is_canceled)
                break;
            finish(wait, !is_over);
            has_served = true;
        }
        return has_served;
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_; // for `forget`
    event control_;                   // ends a poll
    // The ends of queues that are waited for, by key_of, and the waits for each, oldest first.
    std::unordered_map<std::uintptr_t, detail::wait_list> ends_;
    detail::wait_list finished_; // waits that are over but not completed
    std::size_t pending_ = 0;    // waits in `ends_` and `finished_`
    ending ending_ = ending::none;
    bool is_polling_ = false;
    unsigned round_ = 0; // polls that have ended
    int forgetting_ = 0; // threads in `forget`
    int in_vain_ = 0;    // rounds in a row in which all attempts failed
    std::thread::id thread_id_;
    // Of the reactor's thread. The constructor makes room for a poll of one end, and `add` for more
    // in `spare_`, so a poll allocates nothing.
    std::vector<queues_poll_t> polls_, spare_;
    std::thread thread_; // last: the thread uses all members
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
