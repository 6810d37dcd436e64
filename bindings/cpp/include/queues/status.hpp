/// \file
/// What a call came to.
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

/// What an operation came to. The values are those of queues.h.
enum class conqueue_status : std::int32_t {
    success = QUEUES_OK,
    empty = QUEUES_EMPTY,
    full = QUEUES_FULL,
    closed = QUEUES_CLOSED,
    timeout = QUEUES_TIMEOUT, ///< extension: the time given passed while waiting
    retry = QUEUES_RETRY,     ///< extension: a race was lost (`steal`, `try_emplace`): try again
    too_small = QUEUES_TOO_SMALL, ///< extension: the item is longer than the buffer, and stays
};
/// A short English text for `status`. Waits for nothing; any thread.
inline const char *to_string(conqueue_status status) noexcept {
    return queues_status_string(static_cast<queues_status_t>(status));
}

/// Thrown by a checked spsc that is used by two producers or two consumers at once, by a checked
/// deque with two owners, and by the commit or consume of something that is no longer there.
class misuse : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

/// How far a call on many items came.
struct bulk_result {
    std::size_t count;      ///< items moved into or out of the queue
    conqueue_status status; ///< success, or what stopped it (of those that take: if `count` is 0)
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
