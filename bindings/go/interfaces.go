// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"iter"
)

// A Source is the consumers' side of a queue of any type: [MPMC] and [SPSC] are
// sources of their items, [Batch.Source] and [BatchBytes.Source] return sources of batches, and
// [Priority.Source] returns one of items with their priorities. The other queues of blobs are no
// sources, because their Get copies into a buffer of the caller, and neither is a deque, because its
// calls do not wait. Which goroutines may call the methods at the same time depends on the queue.
type Source[T any] interface {
	// Get removes an item and returns it; while there is none it waits, until there is one, the queue is
	// closed and drained or ctx ends. The error is nil, [ErrClosed], that of ctx, or another one of the
	// queue.
	Get(ctx context.Context) (T, error)
	// TryGet is Get without waiting: if there is no item, the error is [ErrEmpty].
	TryGet() (T, error)
	// All returns an iterator that gets items as Get does, and ends with the first error of Get.
	All(ctx context.Context) iter.Seq[T]
	// AllErr returns an iterator that gets items as Get does, each with a nil error. It ends with the first
	// error of Get; with no such pair if that is [ErrClosed].
	AllErr(ctx context.Context) iter.Seq2[T, error]
}

// A Sink is the producers' side of a queue of any type: [MPMC], [SPSC] and [Batch] are
// sinks of their items, [MPMCBytes], [SPSCBytes] and [BatchBytes] of blobs, and [Priority.Sink] returns
// one of items with their priorities. A deque is no sink, because its calls do not wait and it has no
// Close. Which goroutines may call the methods at the same time depends on the queue.
type Sink[T any] interface {
	// Put puts v; while the queue is full it waits, until there is room, the queue is closed or ctx ends.
	// The error is nil, [ErrClosed], that of ctx, or another one of the queue; unless it is nil, v is not
	// in the queue.
	Put(ctx context.Context, v T) error
	// TryPut is Put without waiting: if the queue is full, the error is [ErrFull].
	TryPut(v T) error
	// Close ends the input: later puts return [ErrClosed].
	Close()
}

var (
	_ Source[int] = (*MPMC[int])(nil)
	_ Source[int] = (*SPSC[int])(nil)

	_ Sink[int]    = (*MPMC[int])(nil)
	_ Sink[int]    = (*SPSC[int])(nil)
	_ Sink[int]    = (*Batch[int])(nil)
	_ Sink[[]byte] = (*MPMCBytes)(nil)
	_ Sink[[]byte] = (*SPSCBytes)(nil)
	_ Sink[[]byte] = (*BatchBytes)(nil)
)
