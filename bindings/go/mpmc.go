// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"iter"
)

// An MPMC is a bounded queue of Go values, first in, first out, for any number of producers and
// consumers: any goroutines may call all of its methods at the same time. The queue is the owner of an
// item from a Put that returned nil to the Get that returns it.
//
// The zero value behaves as a queue that was released; [NewMPMC] creates one to use.
type MPMC[T any] struct {
	closable
	items valueStore[T]
}

// NewMPMC creates a queue that holds up to capacity items. The error is nil, [ErrInvalid] if capacity is
// below 1, and [ErrNoMemory] or ErrInvalid if there is no memory for it.
func NewMPMC[T any](capacity int) (*MPMC[T], error) {
	s, err := newSlab[T](mpmc, capacity)
	if err != nil {
		return nil, err
	}
	q := new(MPMC[T])
	q.items.init(&q.base, s)
	return q, nil
}

// Put appends v; while the queue is full it waits, until there is room, the queue is closed or ctx ends.
// The error is nil, [ErrClosed] or that of ctx, which is returned at once if ctx has ended before the
// call; unless it is nil, v is not in the queue. After Release, and for a zero value, it is ErrClosed.
func (q *MPMC[T]) Put(ctx context.Context, v T) error { return q.items.waitPut(ctx, v, 0) }

// TryPut is [MPMC.Put] without waiting: if the queue is full, the error is [ErrFull].
func (q *MPMC[T]) TryPut(v T) error { return q.items.tryPut(v, 0) }

// Get removes the oldest item and returns it; while there is none it waits, until there is one, the
// queue is closed and drained or ctx ends. The error is nil, [ErrClosed] or that of ctx, which is
// returned at once if ctx has ended before the call; unless it is nil, nothing was removed. After Release,
// and for a zero value, it is ErrClosed.
func (q *MPMC[T]) Get(ctx context.Context) (v T, err error) { return q.items.get(ctx) }

// TryGet is [MPMC.Get] without waiting: if there is no item, the error is [ErrEmpty], or [ErrClosed] if
// none can come any more.
func (q *MPMC[T]) TryGet() (v T, err error) {
	v, _, err = q.items.tryGet()
	return v, err
}

// PutMany appends the values in order and waits each time that the queue is full. It returns how many
// it appended: all of them, unless the error is not nil; the others are not in the queue. The errors are
// those of [MPMC.Put]. Items of other producers may come in between. It makes one call into C for
// up to 64 values.
func (q *MPMC[T]) PutMany(ctx context.Context, values []T) (n int, err error) {
	return q.items.putMany(ctx, values)
}

// GetMany waits for an item as Get does, then removes what is there, oldest first, up to len(values)
// items, and stores them in values. It returns how many: at least 1, unless len(values) is 0 or the error
// is not nil. The errors are those of [MPMC.Get]. It makes one call into C for up to 64 items.
func (q *MPMC[T]) GetMany(ctx context.Context, values []T) (n int, err error) {
	return q.items.getMany(ctx, values)
}

// All returns an iterator that gets items as Get does, and ends with the first error of Get, which it
// does not return: see [MPMC.AllErr]. Leaving the loop early leaves the other items in the queue.
func (q *MPMC[T]) All(ctx context.Context) iter.Seq[T] { return all(ctx, q.items.get) }

// AllErr returns an iterator that gets items as Get does, each with a nil error. It ends with the first
// error of Get and a zero item; with no such pair if the error is [ErrClosed].
func (q *MPMC[T]) AllErr(ctx context.Context) iter.Seq2[T, error] { return allErr(ctx, q.items.get) }

// IsDrained reports whether the queue is closed and empty and every put that began before Close has
// ended, so that every later get returns [ErrClosed]. It does not wait. Any goroutine may call it at any
// time; after Release, and for a zero value, it returns true.
func (q *MPMC[T]) IsDrained() bool { return q.items.isDrained() }

// Clear removes the items that are inside when it begins and returns how many it removed; the garbage
// collector takes them. It does not wait. Any goroutine may call it at any time. The error is nil; after
// Release, and for a zero value, n is 0.
func (q *MPMC[T]) Clear() (n int, err error) { return q.items.clear() }

// Release closes the queue, drops its items and frees its C memory. It does not wait: while other calls
// are in flight, the last of them frees the memory. Items that are left are not returned; the garbage
// collector takes them. The counters are gone, too. Any goroutine may call it at any time and more than
// once; for a zero value it does nothing.
func (q *MPMC[T]) Release() { q.items.release(&q.base) }

// An MPMCBytes is a bounded queue of byte blobs, first in, first out, for any number of producers and
// consumers: any goroutines may call all of its methods at the same time. Blobs are copied into the
// queue and out of it, or written and read in place: see [MPMCBytes.Reserve] and [MPMCBytes.Lease].
//
// The zero value behaves as a queue that was released; [NewMPMCBytes] creates one to use.
type MPMCBytes struct {
	fifoBytes
}

// NewMPMCBytes creates a queue that holds up to capacity blobs of 0 to size bytes each. The error is nil,
// [ErrInvalid] if capacity or size is below 1, and [ErrNoMemory] or ErrInvalid if there is no memory for
// it.
func NewMPMCBytes(capacity, size int) (*MPMCBytes, error) {
	q := new(MPMCBytes)
	return nilOnError(q, q.init(mpmc, capacity, size))
}
