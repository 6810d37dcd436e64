// Package queues is the Go binding of the queues library: bounded concurrent queues that can be
// closed, waited for with a [context.Context], filled and emptied in bulk, and watched by statistics.
//
// There are five families. [MPMC] serves any number of producers and consumers; [SPSC] serves one
// goroutine at each end and costs less in bulk; [Priority] serves any number, lowest priority first;
// [Deque] serves one owner, who pushes and pops at one end, and any number of thieves at the other;
// [Batch] serves any number, and its items leave in batches. All hold Go values of any type;
// [MPMCBytes], [SPSCBytes], [PriorityBytes], [DequeBytes] and [BatchBytes] hold byte blobs that are
// copied into the memory of the C library, where the garbage collector has nothing to scan.
//
// # Putting and getting
//
// Put and Get wait: for room, for an item, for Close or for their context. A context that is done
// already makes them return its error at once, whatever the queue holds. TryPut and TryGet never
// wait. PutMany and GetMany move many items for the price of a few calls into C, which at tens of
// nanoseconds each cost more than the queue itself. A goroutine that waits holds no thread; it looks
// at the queue again after a sleep that grows to a millisecond at most.
//
// Items leave in the order in which they came in, on a priority queue those of equal priority. A put
// happens before the get that returns its item, and Close before a call that returns [ErrClosed]: as for
// channels, and the race detector knows it. A deque has calls of its own, none of which waits.
//
// # Closing and releasing
//
// Close ends the input: a later put returns [ErrClosed], gets drain what is inside and then return
// ErrClosed as well, and all that wait are woken. No item that was accepted is lost. A deque has no
// Close: its owner knows when nothing more is to come. Close frees nothing.
//
// Release frees: it closes, and gives the C memory back when the last call under way leaves, at once if
// there is none; the items that are left, and the rest of the Go memory, are the garbage collector's
// from then on. Close and Release may be called at any time, by any goroutine and more than once. A
// queue that was released, like the zero value of its type, behaves as one that is closed and drained,
// with a capacity of 0.
//
// The memory of a queue that is dropped without Release goes when the garbage collector finds it
// unreachable. The collector does not know how much C memory that is; [SetCollectionThreshold] says what
// the package does about it.
//
// # Errors and iterators
//
// What fails returns an error last, and nothing else with it unless the call says so: the sentinels from
// [ErrEmpty] to [ErrMisuse], or the error of the context. All ranges over items until there are no more
// and does not tell why; AllErr ranges over items and errors, and the last pair has the error that ended
// it, unless that is ErrClosed. [Source] and [Sink] are what the queues have in common, for code that
// serves several of them.
package queues
