// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// Constants that programs may need to know, and the tags that select the mode of a queue in its
/// constructor.
#ifndef QUEUES_OPTIONS_HPP
#define QUEUES_OPTIONS_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include <cstddef>

namespace queues {

/// In bytes. A trivially copyable T up to this size is copied into a slot of the queue and out of
/// it; a larger one is constructed and read in a cell of the queue, which saves a copy. (A priority
/// or deque copies a trivially copyable T of any size.)
inline constexpr std::size_t inline_limit = 1024;

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

/// The options of open_shared. A field that is 0 stands for the value in the file or, if the file
/// is empty, for the default.
struct shared_options {
    /// The largest number of items; default: 1000 in mpmc, 1024 in spsc.
    std::size_t capacity = 0;
    /// The largest length of a blob in bytes, which an empty file needs. In a queue of T it is
    /// sizeof(T).
    std::size_t item_size = 0;
    /// The largest number of handles that are attached at once, in all processes together;
    /// default: 64; at most 4096.
    std::size_t attachments = 0;
    /// For mpmc only: the number of cells beyond the capacity, for reservations, leases and
    /// suspended calls; default: 64.
    std::size_t spare = 0;
    /// For mpmc only: an item that a process held when it died is redelivered, at the back of the
    /// queue. Otherwise the item is lost.
    bool redeliver = false;
};

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
