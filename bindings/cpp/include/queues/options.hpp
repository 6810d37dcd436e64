// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// Constants that programs may need to know, and the tags that select the mode of a queue in its
/// constructor.
#ifndef QUEUES_OPTIONS_HPP
#define QUEUES_OPTIONS_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include <chrono>
#include <cstddef>

namespace queues {

/// In bytes. A trivially copyable T up to this size is copied into a slot of the queue and out of
/// it; a larger one is constructed and read in a cell of the queue, which saves a copy. (A priority
/// or deque copies a trivially copyable T of any size.)
inline constexpr std::size_t inline_limit = 1024;

/// A call that waits with a std::stop_token checks the token at this interval, because the C
/// library has no call that wakes one waiter. A stop request ends the wait at most one interval
/// later. Each check that finds the call still waiting counts as failed in the statistics. Instead
/// of std::stop_token, any type with stop_possible() and stop_requested() may be used.
inline constexpr std::chrono::milliseconds stop_interval{5};

/// The type of `checked`.
struct checked_t {
    explicit checked_t() = default;
};
/// Tag for the constructors of spsc and deque: detect overlapping calls that the family forbids.
/// Such a call throws `misuse` and has no effect. Costs an atomic exchange in each call (a deque:
/// two atomic operations).
inline constexpr checked_t checked{};

/// The type of `growable`.
struct growable_t {
    explicit growable_t() = default;
};
/// Tag for the constructors of deque: a push into a full deque doubles the capacity.
inline constexpr growable_t growable{};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
