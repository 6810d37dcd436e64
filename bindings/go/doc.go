// SPDX-License-Identifier: MIT OR Apache-2.0

// Package queues is the Go binding of the C library queues: bounded concurrent queues that can be closed,
// waited on with a [context.Context], filled and emptied many items at a time, and watched by statistics.
//
//	q, err := queues.NewMPMC[Job](1000)
//	if err != nil { ... }
//	go func() {
//		defer q.Close()                              // no more puts; the loop below gets the rest
//		for _, job := range jobs {
//			if err := q.Put(ctx, job); err != nil { // waits while the queue is full
//				return
//			}
//		}
//	}()
//	for job := range q.All(ctx) {                    // until q is closed and drained, or ctx ends
//		job.Run()
//	}
//	q.Release()                                      // frees the C memory now, not at a collection
//
// # Which type
//
//   - [MPMC]: any number of producers and consumers, first in, first out. The one to begin with.
//   - [SPSC]: one producer and one consumer at a time, first in, first out. With many items for each call
//     it costs the least.
//   - [Priority]: any number of producers and consumers, lowest priority first.
//   - [Batch]: any number of producers and consumers; items leave in batches, when there are enough of
//     them or the oldest has waited long enough.
//   - [Deque]: a work-stealing deque. One owner at a time pushes and pops at one end, any number of
//     thieves steal at the other.
//
// These hold Go values of any type. [MPMCBytes], [SPSCBytes], [PriorityBytes], [BatchBytes] and
// [DequeBytes] hold byte blobs, which are copied into the memory of the C library, where the garbage
// collector has nothing to scan. [MPMCWords] and [SPSCWords] hold numbers for programs in C. [Source] and
// [Sink] are what queues share, for code that serves several of them.
//
// # Waiting
//
// Put and Get wait: until there is room or an item, until the queue is closed or until their context ends.
// A context that has ended before the call makes them return its error at once, even if they could succeed.
// A context without a deadline, such as [context.Background], sets no limit. Calls whose names begin with
// Try, and all calls of a deque, do not wait.
//
// A goroutine that waits is parked, as on a channel: it holds no thread and takes no processor time until a call
// of another goroutine, the end of its context or, for a batch, the age of an item wakes it. The goroutine that
// has waited longest is woken first.
//
// To wait for several queues, or for a queue and channels, select on the channels of Ready and ReadyToPut: see
// the example of [MPMC.Ready]. A deque has Ready, too.
//
// # Programs in C
//
// The method Handle of a queue of blobs or numbers returns a pointer for code in C, C++ and other languages, and
// [FromHandle] returns a queue for such a pointer. From then on calls in C wake goroutines that wait.
//
// # Many items
//
// A call into C takes tens of nanoseconds, more than the queue itself. PutMany, GetMany and StealMany make
// one such call for up to 64 items. PutMany waits until all values are in the queue; GetMany waits for the
// first item and takes what is there; both return how many they moved, also with an error.
//
// # Ownership and memory order
//
// An item belongs to the queue from a put that returned nil to the get that returns it. A put with an error
// leaves it with the caller. No item is got twice, and none that was put is lost, except by Clear and
// Release. Blobs are copied, and the caller's buffers are free after the call. [Lease] and [Reservation]
// lend memory of the queue instead.
//
// A put happens before the get that returns its item, and Close before a call that returns [ErrClosed]
// because of it: as with channels, and the race detector knows it.
//
// # Closing and releasing
//
// Close ends the input. Later puts return [ErrClosed]; gets return the items that are left and then
// ErrClosed; all calls that wait return. It frees nothing. A deque has no Close: its owner knows when it
// pushes no more.
//
// Release closes the queue, drops its items and frees its C memory: at once, or when the last call in
// flight has ended. Any goroutine may call Close and Release at any time and more than once. A queue that
// was released, and the zero value of each type, behaves as one that is closed and drained, with a
// capacity of 0. A nil pointer to a queue is not valid.
//
// The garbage collector frees the C memory of a queue that was dropped without Release. Because it does
// not see how much memory that is, the package runs the collector from time to time: see
// [SetCollectionThreshold].
//
// # Errors
//
// Calls that can fail return an error last: one of the constants from [ErrEmpty] to [ErrMisuse], which
// compare with == and [errors.Is], or the error of their context. With an error the other results are
// zero, unless the call states otherwise. The iterators of All end with any error; those of AllErr return
// it, unless it is ErrClosed.
//
// # More
//
// README.md beside this file describes how to build a program with the package. The C library has a
// README.md with the choice of a queue, docs/decisions with the reasons, and include/queues.h with every
// guarantee.
package queues
