// SPDX-License-Identifier: MIT OR Apache-2.0
// The handle of a C queue inside a C++ object, owned or not. Families whose calls need more state
// than the handle derive from owned_queue.
#ifndef QUEUES_DETAIL_HANDLE_HPP
#define QUEUES_DETAIL_HANDLE_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../options.hpp"
#include "../stats.hpp"
#include "status_of.hpp"

#include <queues.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace queues {

namespace detail {

// What every family's calls have unless they define it otherwise. A `Calls` class of a family
// (mpmc_calls and the like) gives its C functions the same names and shapes as those of the other
// families: `put(queue, item, args)`, `get(queue, &item, args)` and so on, where `put_args` and
// `get_args` are the timeout and what else the family passes beside an item.
struct default_calls {
    using put_args = std::int64_t;
    using get_args = std::int64_t;
    // Whether a put, or a get, of an item may return a failure, which is thrown.
    static constexpr bool put_may_throw = false, get_may_throw = false;
    // Whether the queues of the class are shared by processes.
    static constexpr bool is_shared = false;
    // Whether there are put_many and get_many.
    static constexpr bool has_many = false;
    // Whether an item can be moved out of its cell, and copied into one, without a call.
    static constexpr bool has_inlined_calls = false;
    // In bytes: a trivially copyable T up to this size is copied into a slot.
    static constexpr std::size_t max_copied_size = inline_limit;
    // The number of items that consumers may hold at once, beyond one for each call.
    template <class Options> static std::size_t in_flight(const Options &) noexcept { return 0; }
};

// The timeout in the arguments of a put, and the arguments with another timeout.
inline std::int64_t timeout_of(std::int64_t timeout) { return timeout; }
template <class Args> std::int64_t timeout_of(const Args &args) { return args.timeout; }
inline std::int64_t with_timeout(std::int64_t, std::int64_t timeout) { return timeout; }
template <class Args> Args with_timeout(Args args, std::int64_t timeout) {
    args.timeout = timeout;
    return args;
}

// The calls of a queue that processes share. Each of them may return a failure: another process may
// have damaged the queue. The items are blobs.
template <class Calls> struct shared_calls : Calls {
    static constexpr bool put_may_throw = true, get_may_throw = true;
    static constexpr bool is_shared = true;
};

// A handle that the object does not own.
template <class Calls> struct queue_ref {
    typename Calls::handle *queue = nullptr;
    std::size_t item_size = 0;

    // Adds what this object counted to the C library's counters.
    void add_to(statistics &) const noexcept {}
};

// A handle that the object owns. Does not move: the C queue's drop callback has its address.
template <class Calls> struct owned_queue : queue_ref<Calls> {
    // Pushes that failed before the C call that would have counted them.
    std::atomic<std::uint64_t> failed_pushes{0};

    owned_queue() = default;
    owned_queue(const owned_queue &) = delete;
    ~owned_queue() { Calls::release(this->queue); }

    // Called once, after the C queue was created with `flags`; `in_flight` as in default_calls.
    void prepare(std::uint64_t /*flags*/, std::size_t /*in_flight*/) noexcept {}
    // Closing a valid handle does not fail.
    void close() noexcept { ignore(Calls::close(this->queue)); }
    queues_status_t clear(std::size_t *count) noexcept { return Calls::clear(this->queue, count); }
    void count_failed_push() noexcept { failed_pushes.fetch_add(1, std::memory_order_relaxed); }
    void add_to(statistics &counters) const noexcept {
        counters.failed_enqueue += failed_pushes.load(std::memory_order_relaxed);
    }
};

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
