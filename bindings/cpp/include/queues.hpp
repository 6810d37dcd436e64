// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// Concurrent queues for C++17 and later: headers over the C library (queues.h, libqueues). This
/// header includes all of them; a program may also include those it uses.
///
/// - queues/mpmc.hpp: queues::mpmc and mpmc_bytes, FIFO, any number of producers and consumers
/// - queues/spsc.hpp: queues::spsc and spsc_bytes, FIFO, one producer and one consumer
/// - queues/priority.hpp: queues::priority and priority_bytes, lowest priority first
/// - queues/deque.hpp: queues::deque and deque_bytes, work stealing
/// - queues/batcher.hpp: queues::batcher and batcher_bytes, FIFO, taken in batches
/// - queues/event.hpp: queues::event, set until it is reset
/// - queues/poll.hpp: queues::wait_any and poll, which wait for several of these
/// - queues/stats.hpp: queues::to_prometheus
/// - queues/fwd.hpp: declarations of all names
/// - not included here: queues/async.hpp (coroutines), queues/sender.hpp (senders) and the
///   queues/reactor.hpp behind both
/// - queues/queue.hpp, closable.hpp, push.hpp, pop.hpp, from_handle.hpp: the members that several
///   families share
///
/// Names and results are those of revision 20 of the standard proposal P0260 (P0260R20); what goes
/// beyond it is marked as an extension. A member makes one C call and translates its result (or a
/// few calls, if its comment documents that), so queues.h defines what the queues guarantee.
///
/// \par How a T is stored
/// This is decided by its type, at compile time:
/// - trivially copyable and no larger than a pointer: as the bits of a pointer;
/// - trivially copyable, up to `inline_limit` bytes: copied into a slot of the queue and out of it;
/// - `std::unique_ptr<U>`: as its pointer;
/// - any other T: constructed in a cell of the queue, moved out of it and destroyed there. That
///   includes a T that is over-aligned or whose move may throw (but a trivially copyable T that is
///   over-aligned is copied);
/// - in a deque, a T that is not trivially copyable: in a box from operator new, which a push
///   allocates and a pop or steal frees. A thief reads a slot before it knows whether it has won
///   the item, so a slot can hold nothing but plain bytes and pointers.
///
/// \par Memory
/// Except for these boxes, no call on a constructed queue allocates for an item; a pop of a byte
/// string, pop_batch and the push that grows a deque allocate. The constructor allocates `capacity`
/// cells of the size of a T and, for items that are being moved in or out, spare ones: 64 in mpmc
/// and priority, 64 and two batches in batcher, none in spsc. The system provides their pages when
/// they are first used. While all cells are in use, a push waits or returns full although the queue
/// may have room: that takes as many calls in flight as there are spare cells, or in batcher three
/// or more consumers that are moving large batches.
///
/// \par Exceptions
/// What a correct program meets (empty, full, closed, timeout, retry) is returned. The rest throws:
/// `misuse` for two producers, consumers or owners at once in a checked spsc or deque, `corrupt`
/// if another process has damaged a shared queue,
/// `std::invalid_argument` for an argument that the C call refuses, `std::bad_alloc` if there is no
/// memory. With -fno-exceptions the program prints the message to stderr and aborts instead; all
/// files of a program that use queues must agree on that flag.
/// - A push that does not insert its item, whether it returns or throws, leaves its argument
///   unchanged. push(T &&) moves if T's move assignment does not throw, because the item can then
///   be moved back; otherwise it copies if T can be copied (as std::vector does on growth). Two
///   exceptions: if the move constructor throws, the argument is as that leaves it; a T that is not
///   copyable and whose move assignment throws is as that leaves it.
/// - An emplace constructs its item only after it has found room in an open queue. It destroys a
///   constructed item only if the queue was closed, or filled by others, while the constructor ran:
///   see `emplace` and `try_emplace`. If the constructor throws, nothing is inserted.
/// - A pop whose T throws on being moved out loses that one item, as in P0260; the others stay in
///   the queue. A `std::unique_ptr<T>` is moved out without that risk. Of a batch, the later items
///   are destroyed; the earlier ones are the caller's if they were popped into a vector of the
///   caller's, else they are destroyed, too.
/// - Constructors, moves and destructors of T run within calls. They may use other queues, but must
///   not wait for the caller, nor use the same spsc queue.
///
/// \par Other languages
/// A queue of blobs, a queue of a trivially copyable T (in batcher of up to `inline_limit` bytes)
/// and an event can be shared with code in C, Go and Rust: `native_handle` returns what the C
/// library knows, `adopt` and `share` make an object of it. Several objects may share one queue;
/// the last reference, of any language, frees it.
///
/// \par Several processes
/// mpmc<T>::open_shared and spsc<T>::open_shared return a queue in a file that processes share, for
/// a trivially copyable T; mpmc_bytes and spsc_bytes have the same for blobs. A process that is
/// killed never makes another one wait.
///
/// \par Standards and macros
/// Files compiled as C++17, 20 and 23 can be linked into one program and pass queues to each other:
/// the text of every class and function is the same in all of them. The headers may be included
/// after headers that define macros such as min, check, emit or timeout.
#ifndef QUEUES_HPP
#define QUEUES_HPP

#include "queues/detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "queues/batch.hpp"
#include "queues/batcher.hpp"
#include "queues/bytes.hpp"
#include "queues/deque.hpp"
#include "queues/event.hpp"
#include "queues/expected.hpp"
#include "queues/fwd.hpp"
#include "queues/mpmc.hpp"
#include "queues/options.hpp"
#include "queues/poll.hpp"
#include "queues/priority.hpp"
#include "queues/spsc.hpp"
#include "queues/stats.hpp"
#include "queues/status.hpp"

#endif

#include "queues/detail/end.hpp"

#endif
