// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// The outcomes of calls: conqueue_status, bulk_result for a call on many items, and the exceptions
/// `misuse` and `corrupt`. What a correct program meets is returned as a status; everything else
/// throws.
#ifndef QUEUES_STATUS_HPP
#define QUEUES_STATUS_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "fwd.hpp"

#include <queues.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace queues {

/// The outcome of a call. The values are those of queues.h.
enum class conqueue_status : std::int32_t {
    success = QUEUES_OK,          ///< done
    empty = QUEUES_EMPTY,         ///< there was no item at some moment of the call
    full = QUEUES_FULL,           ///< there was no room at some moment of the call
    closed = QUEUES_CLOSED,       ///< the queue is closed; of a pop: and empty
    timeout = QUEUES_TIMEOUT,     ///< extension: the given time passed while the call waited
    retry = QUEUES_RETRY,         ///< extension: `steal` or `try_emplace` lost a race; try again
    too_small = QUEUES_TOO_SMALL, ///< extension: the item is longer than the buffer, and stays
};

/// Returns a short English text for `status`, with static lifetime. Never waits. Any thread.
inline const char *to_string(conqueue_status status) noexcept {
    return queues_status_string(static_cast<queues_status_t>(status));
}

/// The exception for an error in the program that the library detects: two producers or two
/// consumers at once in a checked spsc, two owners at once in a checked deque, and the commit or
/// consume of an item that is no longer there. The call had no effect.
class misuse : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

/// The exception for a shared queue whose file has contents that no queue writes: another process
/// has damaged it. Items may be lost. The call has harmed nothing in this process.
class corrupt : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The outcome of a call on many items.
struct bulk_result {
    std::size_t count; ///< the number of items moved into or out of the queue
    /// Of a push: success, or why the remaining items were not accepted. Of a pop: success, or why
    /// `count` is 0.
    conqueue_status status;
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
