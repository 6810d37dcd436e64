// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"iter"
)

// An SPSC is a bounded queue of Go values, first in, first out, for one producer and one consumer at a
// time. Put, TryPut and PutMany are calls of the producer; Get, TryGet, GetMany, All, AllErr, Peek,
// IsDrained and Clear are calls of the consumer; any goroutine may call the other methods at any time.
//
// Another goroutine may be the producer, or the consumer, from one call to the next. While one is in a
// call, the call of a second one does nothing and returns [ErrMisuse].
//
// The zero value behaves as a queue that was released; [NewSPSC] creates one to use.
type SPSC[T any] struct {
	closable
	items valueStore[T]
}

// NewSPSC creates a queue that holds up to capacity items. The error is nil, [ErrInvalid] if capacity is
// below 1, and [ErrNoMemory] or ErrInvalid if there is no memory for it.
func NewSPSC[T any](capacity int) (*SPSC[T], error) {
	s, err := newSlab[T](spsc, capacity)
	if err != nil {
		return nil, err
	}
	q := new(SPSC[T])
	q.items.init(&q.base, s)
	return q, nil
}

// Put appends v; while the queue is full it waits, until there is room, the queue is closed or ctx ends.
// It is a call of the producer. The error is nil, [ErrClosed], [ErrMisuse] or that of ctx, which is
// returned at once if ctx has ended before the call; unless it is nil, v is not in the queue. After
// Release, and for a zero value, it is ErrClosed.
func (q *SPSC[T]) Put(ctx context.Context, v T) error { return q.items.waitPut(ctx, v, 0) }

// TryPut is [SPSC.Put] without waiting: if the queue is full, the error is [ErrFull].
func (q *SPSC[T]) TryPut(v T) error { return q.items.tryPut(v, 0) }

// Get removes the oldest item and returns it; while there is none it waits, until there is one, the
// queue is closed and drained or ctx ends. It is a call of the consumer. The error is nil,
// [ErrClosed], [ErrMisuse] or that of ctx, which is returned at once if ctx has ended before the call;
// unless it is nil, nothing was removed. After Release, and for a zero value, it is ErrClosed.
func (q *SPSC[T]) Get(ctx context.Context) (v T, err error) { return q.items.get(ctx) }

// TryGet is [SPSC.Get] without waiting: if there is no item, the error is [ErrEmpty], or [ErrClosed] if
// none can come any more.
func (q *SPSC[T]) TryGet() (v T, err error) {
	v, _, err = q.items.tryGet()
	return v, err
}

// PutMany appends the values in order and waits each time that the queue is full. It returns how many
// it appended: all of them, unless the error is not nil; the others are not in the queue. The errors are
// those of [SPSC.Put]. It makes one call into C for up to 64 values.
func (q *SPSC[T]) PutMany(ctx context.Context, values []T) (n int, err error) {
	return q.items.putMany(ctx, values)
}

// GetMany waits for an item as Get does, then removes what is there, oldest first, up to len(values)
// items, and stores them in values. It returns how many: at least 1, unless len(values) is 0 or the error
// is not nil. The errors are those of [SPSC.Get]. It makes one call into C for up to 64 items.
func (q *SPSC[T]) GetMany(ctx context.Context, values []T) (n int, err error) {
	return q.items.getMany(ctx, values)
}

// All returns an iterator that gets items as Get does, and ends with the first error of Get, which it
// does not return: see [SPSC.AllErr]. Leaving the loop early leaves the other items in the queue.
func (q *SPSC[T]) All(ctx context.Context) iter.Seq[T] { return all(ctx, q.items.get) }

// AllErr returns an iterator that gets items as Get does, each with a nil error. It ends with the first
// error of Get and a zero item; with no such pair if the error is [ErrClosed].
func (q *SPSC[T]) AllErr(ctx context.Context) iter.Seq2[T, error] { return allErr(ctx, q.items.get) }

// IsDrained reports whether the queue is closed and empty and every put that began before Close has
// ended, so that every later get returns [ErrClosed]. It does not wait. It is a call of the consumer:
// while another goroutine is in one, it returns false. After Release, and for a zero value, it returns
// true.
func (q *SPSC[T]) IsDrained() bool { return q.items.isDrained() }

// Clear removes the items that are inside when it begins and returns how many it removed; the garbage
// collector takes them. It does not wait. It is a call of the consumer: the error is nil or [ErrMisuse].
// After Release, and for a zero value, it returns 0 and nil.
func (q *SPSC[T]) Clear() (n int, err error) { return q.items.clear() }

// Release closes the queue, drops its items and frees its C memory. It does not wait: while other calls
// are in flight, the last of them frees the memory. Items that are left are not returned; the garbage
// collector takes them. The counters are gone, too. Any goroutine may call it at any time and more than
// once; for a zero value it does nothing.
func (q *SPSC[T]) Release() { q.items.release(&q.base) }

// Peek returns the oldest item and leaves it in the queue. It does not wait, and counts no failure. It is
// a call of the consumer. The error is nil, [ErrEmpty] if there is no item, [ErrClosed] if the queue is
// closed and drained, was released or is a zero value, or [ErrMisuse].
func (q *SPSC[T]) Peek() (v T, err error) {
	h, s := q.items.load()
	status := h.call(&h.consumer, func() Error {
		i, _, status := s.peek()
		if status == statusOK {
			h.consumer.waits.itemSeen()
			v = s.cells[i].read()
		}
		return status
	})
	return v, status.orNil()
}

// IsEmpty reports whether there was no item at some moment of the call. It does not wait. Any goroutine
// may call it at any time; after Release, and for a zero value, it returns true.
func (q *SPSC[T]) IsEmpty() bool { return q.isEmpty() }

// IsFull reports whether there was no room at some moment of the call. It does not wait. Any goroutine
// may call it at any time; after Release, and for a zero value, it returns false.
func (q *SPSC[T]) IsFull() bool { return q.isFull() }

// An SPSCBytes is a bounded queue of byte blobs, first in, first out, for one producer and one consumer
// at a time, with the rules of [SPSC]: Put and TryPut are calls of the producer; Get, TryGet, Peek, All,
// AllErr and Clear are calls of the consumer. Blobs are copied into the queue and out of it.
//
// The zero value behaves as a queue that was released; [NewSPSCBytes] creates one to use.
type SPSCBytes struct {
	fifoBytes
}

// NewSPSCBytes creates a queue that holds up to capacity blobs of 0 to size bytes each. The error is nil,
// [ErrInvalid] if capacity or size is below 1, and [ErrNoMemory] or ErrInvalid if there is no memory for
// it.
func NewSPSCBytes(capacity, size int) (*SPSCBytes, error) {
	q := new(SPSCBytes)
	return nilOnError(q, q.init(spsc, capacity, size))
}

// IsEmpty reports whether there was no blob at some moment of the call. It does not wait. Any goroutine
// may call it at any time; after Release, and for a zero value, it returns true.
func (q *SPSCBytes) IsEmpty() bool { return q.isEmpty() }

// IsFull reports whether there was no room at some moment of the call. It does not wait. Any goroutine
// may call it at any time; after Release, and for a zero value, it returns false.
func (q *SPSCBytes) IsFull() bool { return q.isFull() }

func (b *base) isEmpty() bool { return observe(b, (*handle).isEmpty, true) }

func (b *base) isFull() bool { return observe(b, (*handle).isFull, false) }
