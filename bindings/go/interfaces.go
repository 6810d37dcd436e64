//go:build cgo

package queues

import (
	"context"
	"iter"
)

// A Source is where items come from, whatever the queue: [MPMC] and [SPSC] are sources of their items,
// [Batch.Source] and [BatchBytes.Source] are sources of batches, and [Priority.Source] is one of items
// with their priorities. The other queues of blobs are none, for their Get copies into a buffer of the
// caller; a deque is none, for its calls do not wait.
type Source[T any] interface {
	// Get removes an item and waits for one. The error is nil, [ErrClosed] if none will come any more,
	// that of ctx, or another one of the queue.
	Get(ctx context.Context) (T, error)
	// TryGet is Get without waiting: [ErrEmpty] if there is nothing yet.
	TryGet() (T, error)
	// All ranges over the items until Get returns an error.
	All(ctx context.Context) iter.Seq[T]
	// AllErr does the same and ends with the error, unless that is ErrClosed.
	AllErr(ctx context.Context) iter.Seq2[T, error]
}

// A Sink is where items go, whatever the queue: [MPMC], [SPSC] and [Batch] are sinks of their items,
// [MPMCBytes], [SPSCBytes] and [BatchBytes] of blobs, and [Priority.Sink] is one of items with their
// priorities. A deque is none, for its calls do not wait, and it has no Close.
type Sink[T any] interface {
	// Put puts v and waits for room. The error is nil, [ErrClosed], that of ctx, or another one of the
	// queue. Unless it is nil, v is not in the queue.
	Put(ctx context.Context, v T) error
	// TryPut is Put without waiting: [ErrFull] if there is no room.
	TryPut(v T) error
	// Close ends the input.
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
