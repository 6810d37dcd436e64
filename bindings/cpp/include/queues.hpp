/// \file
/// Concurrent queues for C++17 and later: a thin header over the C library (queues.h, libqueues).
///
///     queues::mpmc<request> queue(1024); // any number of threads at both ends
///     queue.push(std::move(r));          // waits for room; false: the queue is closed
///     while (auto next = queue.pop())    // waits for an item; nullopt: closed and empty
///         serve(*next);
///
/// Names and results are those of revision 20 of the standard proposal P0260 (P0260R20); what goes
/// beyond it is marked as an extension. A member is one C call and its translation (a few calls
/// where its comment says so), so queues.h is the last word on what the queues promise.
///
/// The type of an item decides how it travels, at compile time:
/// - trivially copyable and no larger than a pointer: as the pointer's bits;
/// - trivially copyable up to `inline_limit` bytes: copied into a slot of the queue and out of it;
/// - `std::unique_ptr<U>`: as its pointer;
/// - anything else, and what is larger: constructed in a cell of the queue, moved out of it and
///   destroyed there. A T whose move may throw or that is over-aligned travels so, too (a trivially
///   copyable one that is over-aligned is always copied).
/// No call on a constructed queue allocates for such items; only pop_batch makes a vector, and
/// pop_batch_into does not. The constructor allocates `capacity` cells of the size of a T and, for
/// items that calls are moving in or out, spare ones: 64 in mpmc and priority, 64 and two batches
/// in batcher, none in spsc. The system provides their pages when they are first used. A push that
/// finds all cells in use waits, or returns full, although the queue may have room: that takes as
/// many calls under way as there are spare cells, or in batcher three consumers and more that are
/// moving large batches.
///
/// The one exception is deque: a T that is not trivially copyable travels in a box from operator
/// new, which a push makes and a pop or steal frees. A thief reads a slot before it knows whether
/// it has won the item, so nothing but plain bytes and pointers can lie in the slot.
///
/// Exceptions. What a correct program meets (empty, full, closed, timeout, retry) is returned. The
/// rest throws: `misuse` for two producers, consumers or owners at once in a checked spsc or deque,
/// `std::invalid_argument` for what the C call refuses, `std::bad_alloc` for want of memory. With
/// -fno-exceptions the program ends with that message on stderr instead (std::abort); all files of
/// a program that use queues must agree on that flag.
/// - A push that does not put its item in the queue, whether it returns or throws, leaves its
///   argument as it was. push(T &&) moves if the item can be moved back surely, that is if T's move
///   assignment does not throw; else it copies, if T can be copied (as std::vector does on growth).
///   Two exceptions: if the move constructor throws, the argument is as that leaves it; a T that
///   can only be moved, by an assignment that may throw, is as a move that throws leaves it.
/// - An emplace constructs its item only after it has found room in an open queue. A constructed
///   item is destroyed only if the queue was closed, or filled by others, while the constructor
///   ran: see `emplace` and `try_emplace`. If the constructor throws, nothing is put.
/// - A pop whose T throws on being moved out loses that one item, as in P0260; the others stay in
///   the queue. Of a batch, those behind it are destroyed; those before it are the caller's if they
///   were popped into a vector of the caller's, else they are destroyed too. A `std::unique_ptr<T>`
///   item is moved out without such a risk.
/// - Constructors, moves and destructors of T run within calls. They may use other queues, but must
///   not wait for the caller, nor use the same spsc queue.
///
/// Files compiled as C++17, 20 and 23 can be linked into one program and pass queues to each other:
/// the text of every class and function is the same in all of them. The header may be included
/// after headers that define macros such as min, check, emit or timeout.
#ifndef QUEUES_HPP
#define QUEUES_HPP

#include "queues/detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "queues/batcher.hpp"
#include "queues/deque.hpp"
#include "queues/mpmc.hpp"
#include "queues/priority.hpp"
#include "queues/spsc.hpp"
#include "queues/stats.hpp"

#endif

#include "queues/detail/end.hpp"

#endif
