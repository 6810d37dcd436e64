/// \file
/// Limits, and modes of constructors.
#ifndef QUEUES_OPTIONS_HPP
#define QUEUES_OPTIONS_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "fwd.hpp"

#include <chrono>
#include <cstddef>

namespace queues {

/// Trivially copyable items up to this many bytes are copied into a queue's slot and out of it.
/// Larger ones are constructed and read in place, which saves a copy.
inline constexpr std::size_t inline_limit = 1024;

/// A wait with a std::stop_token looks at the token this often: the C library has no call that
/// wakes one waiter. Each such look that finds nothing counts as failed in the statistics. A token
/// is anything that has stop_possible() and stop_requested(), as std::stop_token does.
inline constexpr std::chrono::milliseconds stop_interval{5};

/// Asks a constructor of spsc or deque for the checked mode.
struct checked_t {
    explicit checked_t() = default;
};
inline constexpr checked_t checked{};

/// Asks a constructor of deque for one that doubles its capacity when it is full.
struct growable_t {
    explicit growable_t() = default;
};
inline constexpr growable_t growable{};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
