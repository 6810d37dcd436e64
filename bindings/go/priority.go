// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"iter"
	"math"
)

// A Priority is a bounded priority queue of Go values for any number of producers and consumers: any
// goroutines may call all of its methods at the same time. The item with the lowest priority leaves
// first, and of items with equal priorities the one that was put first. A priority is any float64 except
// NaN; -0 equals 0. Unlike the other queues it is not lock-free: its calls hold a short lock in C.
//
// The zero value behaves as a queue that was released; [NewPriority] creates one to use.
type Priority[T any] struct {
	closable
	items valueStore[T]
}

// Prioritized is a value and its priority.
type Prioritized[T any] struct {
	Value    T
	Priority float64
}

// NewPriority creates a queue that holds up to capacity items. The error is nil, [ErrInvalid] if capacity
// is below 1, and [ErrNoMemory] or ErrInvalid if there is no memory for it.
func NewPriority[T any](capacity int) (*Priority[T], error) {
	s, err := newSlab[T](priority, capacity)
	if err != nil {
		return nil, err
	}
	q := new(Priority[T])
	q.items.init(&q.base, s)
	return q, nil
}

// Put adds v with a priority; while the queue is full it waits, until there is room, the queue is closed
// or ctx ends. The error is nil, [ErrInvalid] if priority is NaN, [ErrClosed], or that of ctx, which is
// returned at once if ctx has ended before the call; unless it is nil, v is not in the queue. After
// Release, and for a zero value, the error is ErrClosed.
func (q *Priority[T]) Put(ctx context.Context, v T, priority float64) error {
	return q.items.waitPut(ctx, v, math.Float64bits(priority))
}

// TryPut is [Priority.Put] without waiting: if the queue is full, the error is [ErrFull].
func (q *Priority[T]) TryPut(v T, priority float64) error {
	return q.items.tryPut(v, math.Float64bits(priority))
}

// Get removes the item with the lowest priority and returns it and its priority; while there is none it
// waits, until there is one, the queue is closed and drained or ctx ends. The error is nil, [ErrClosed],
// or that of ctx, which is returned at once if ctx has ended before the call; unless it is nil, nothing
// was removed. After Release, and for a zero value, the error is ErrClosed.
func (q *Priority[T]) Get(ctx context.Context) (v T, priority float64, err error) {
	return q.items.waitGet(ctx)
}

// TryGet is [Priority.Get] without waiting: if there is no item, the error is [ErrEmpty], or [ErrClosed]
// if none can come any more.
func (q *Priority[T]) TryGet() (v T, priority float64, err error) { return q.items.tryGet() }

// PeekPriority returns the priority of the item that is next to leave, and leaves it in the queue;
// another consumer may get that item at once. It does not wait, and counts no failure. The error is nil,
// [ErrEmpty], or [ErrClosed] if the queue is closed and drained, was released or is a zero value.
func (q *Priority[T]) PeekPriority() (priority float64, err error) {
	h, _ := q.items.load()
	status := h.call(&h.consumer, func() (status Error) {
		if _, priority, status = h.peek(); status == statusOK {
			h.consumer.waits.itemSeen()
		}
		return status
	})
	return priority, status.orNil()
}

// All returns an iterator that gets items and their priorities as Get does, and ends with the first
// error of Get, which it does not return: see [Priority.AllErr]. Leaving the loop early leaves the other
// items in the queue.
func (q *Priority[T]) All(ctx context.Context) iter.Seq2[T, float64] {
	return allPrioritized(ctx, q.get)
}

// AllErr returns an iterator that gets items and their priorities as Get does, each with a nil error. It
// ends with the first error of Get and no item; with no such pair if the error is [ErrClosed].
func (q *Priority[T]) AllErr(ctx context.Context) iter.Seq2[Prioritized[T], error] {
	return allErr(ctx, q.get)
}

func (q *Priority[T]) get(ctx context.Context) (p Prioritized[T], err error) {
	p.Value, p.Priority, err = q.Get(ctx)
	return p, err
}

func allPrioritized[T any](ctx context.Context, get func(context.Context) (Prioritized[T], error)) iter.Seq2[T, float64] {
	return func(yield func(T, float64) bool) {
		for p := range all(ctx, get) {
			if !yield(p.Value, p.Priority) {
				return
			}
		}
	}
}

// IsDrained reports whether the queue is closed and empty and every put that began before Close has
// ended, so that every later get returns [ErrClosed]. It does not wait. Any goroutine may call it at any
// time; after Release, and for a zero value, it returns true.
func (q *Priority[T]) IsDrained() bool { return q.items.isDrained() }

// Clear removes the items that are inside when it begins and returns how many it removed; the garbage
// collector takes them. It does not wait. Any goroutine may call it at any time. The error is nil; after
// Release, and for a zero value, n is 0.
func (q *Priority[T]) Clear() (n int, err error) { return q.items.clear() }

// Release closes the queue, drops its items and frees its C memory. It does not wait: while other calls
// are in flight, the last of them frees the memory. Items that are left are not returned; the garbage
// collector takes them. The counters are gone, too. Any goroutine may call it at any time and more than
// once; for a zero value it does nothing.
func (q *Priority[T]) Release() { q.items.release(&q.base) }

// Sink returns the queue as a [Sink] of values with their priorities. It has the rules of the queue's own
// methods.
func (q *Priority[T]) Sink() Sink[Prioritized[T]] { return prioritizedQueue[T]{q} }

// Source returns the queue as a [Source] of values with their priorities. It has the rules of the queue's
// own methods.
func (q *Priority[T]) Source() Source[Prioritized[T]] { return prioritizedQueue[T]{q} }

// A prioritizedQueue has the methods of a Priority with a value and its priority as one item.
type prioritizedQueue[T any] struct{ q *Priority[T] }

func (p prioritizedQueue[T]) Put(ctx context.Context, v Prioritized[T]) error {
	return p.q.Put(ctx, v.Value, v.Priority)
}
func (p prioritizedQueue[T]) TryPut(v Prioritized[T]) error { return p.q.TryPut(v.Value, v.Priority) }
func (p prioritizedQueue[T]) Close()                        { p.q.Close() }
func (p prioritizedQueue[T]) Get(ctx context.Context) (Prioritized[T], error) {
	return p.q.get(ctx)
}
func (p prioritizedQueue[T]) TryGet() (v Prioritized[T], err error) {
	v.Value, v.Priority, err = p.q.TryGet()
	return v, err
}
func (p prioritizedQueue[T]) All(ctx context.Context) iter.Seq[Prioritized[T]] {
	return all(ctx, p.q.get)
}
func (p prioritizedQueue[T]) AllErr(ctx context.Context) iter.Seq2[Prioritized[T], error] {
	return p.q.AllErr(ctx)
}

// A PriorityBytes is a bounded priority queue of byte blobs for any number of producers and consumers,
// with the order and the rules of [Priority]. Blobs are copied into the queue and out of it.
//
// The zero value behaves as a queue that was released; [NewPriorityBytes] creates one to use.
type PriorityBytes struct {
	blobQueue
}

// NewPriorityBytes creates a queue that holds up to capacity blobs of 0 to size bytes each. The error is
// nil, [ErrInvalid] if capacity or size is below 1, and [ErrNoMemory] or ErrInvalid if there is no memory
// for it.
func NewPriorityBytes(capacity, size int) (*PriorityBytes, error) {
	q := new(PriorityBytes)
	return nilOnError(q, q.init(priority, capacity, size))
}

// Put adds a copy of blob with a priority; while the queue is full it waits, until there is room, the
// queue is closed or ctx ends. The error is nil, [ErrInvalid] if priority is NaN or the blob is longer
// than the queue's blobs may be, [ErrClosed], or that of ctx, which is returned at once if ctx has ended
// before the call. After Release, and for a zero value, the error is ErrClosed.
func (q *PriorityBytes) Put(ctx context.Context, blob []byte, priority float64) error {
	return q.waitPut(ctx, blob, math.Float64bits(priority))
}

// TryPut is [PriorityBytes.Put] without waiting: if the queue is full, the error is [ErrFull].
func (q *PriorityBytes) TryPut(blob []byte, priority float64) error {
	return q.tryPut(blob, math.Float64bits(priority))
}

// Get copies the blob with the lowest priority into buffer, removes it and returns its length and its
// priority; while there is none it waits, until there is one, the queue is closed and drained or ctx
// ends. If the blob is longer than the buffer, it stays in the queue, the error is [ErrTooSmall] and n is
// the length of the blob. Otherwise the error is nil, [ErrClosed], or that of ctx, which is returned at
// once if ctx has ended before the call. After Release, and for a zero value, the error is ErrClosed.
func (q *PriorityBytes) Get(ctx context.Context, buffer []byte) (n int, priority float64, err error) {
	return q.waitGet(ctx, buffer)
}

// TryGet is [PriorityBytes.Get] without waiting: if there is no blob, the error is [ErrEmpty], or
// [ErrClosed] if none can come any more.
func (q *PriorityBytes) TryGet(buffer []byte) (n int, priority float64, err error) {
	return q.tryGet(buffer)
}

// Peek is TryGet that leaves the blob in the queue; another consumer may get that blob at once. It counts
// no failure.
func (q *PriorityBytes) Peek(buffer []byte) (n int, priority float64, err error) {
	return q.peek(buffer)
}

// All returns an iterator that gets blobs and their priorities as Get does, into a buffer of its own, and
// ends with the first error of Get, which it does not return: see [PriorityBytes.AllErr]. The next step
// overwrites the blob. Leaving the loop early leaves the other blobs in the queue.
func (q *PriorityBytes) All(ctx context.Context) iter.Seq2[[]byte, float64] {
	return func(yield func([]byte, float64) bool) {
		allPrioritized(ctx, q.into(q.newBuffer()))(yield)
	}
}

// AllErr returns an iterator that gets blobs and their priorities as All does, each with a nil error. It
// ends with the first error of Get and no blob; with no such pair if the error is [ErrClosed].
func (q *PriorityBytes) AllErr(ctx context.Context) iter.Seq2[Prioritized[[]byte], error] {
	return func(yield func(Prioritized[[]byte], error) bool) {
		allErr(ctx, q.into(q.newBuffer()))(yield)
	}
}

// into returns a Get that copies the blob into buffer, or into a longer buffer if that is too small.
func (q *PriorityBytes) into(buffer []byte) func(context.Context) (Prioritized[[]byte], error) {
	return func(ctx context.Context) (p Prioritized[[]byte], err error) {
		n, priority, err := q.Get(ctx, buffer)
		for err == ErrTooSmall {
			buffer = make([]byte, n)
			n, priority, err = q.Get(ctx, buffer)
		}
		if err != nil {
			return p, err
		}
		return Prioritized[[]byte]{buffer[:n], priority}, nil
	}
}
