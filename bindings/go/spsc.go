//go:build cgo

package queues

import (
	"context"
	"iter"
)

// An SPSC is a queue of Go values for one producer and one consumer at a time. Put, TryPut and PutMany
// are calls of the producer; Get, TryGet, GetMany, All, AllErr, Peek, IsDrained and Clear are calls of the
// consumer; the others may be called by anyone. Which goroutine is the producer, or the consumer, may
// change from call to call. A second one in the midst of a call does no harm: it gets [ErrMisuse].
type SPSC[T any] struct {
	closable
	items queue[T]
}

// NewSPSC creates a queue that holds up to capacity items. It returns [ErrInvalid] for a capacity
// below 1, and [ErrInvalid] or [ErrNoMemory] for one that no memory could hold.
func NewSPSC[T any](capacity int) (*SPSC[T], error) {
	q := new(SPSC[T])
	if err := q.items.init(&q.base, spsc, capacity); err != nil {
		return nil, err
	}
	return q, nil
}

// Put appends v and waits while the queue is full. It returns nil, [ErrClosed], [ErrMisuse] or the error of ctx.
// Unless it returns nil, v is not in the queue.
func (q *SPSC[T]) Put(ctx context.Context, v T) error { return q.items.waitPut(ctx, v, 0) }

// TryPut appends v or returns at once: [ErrFull], or an error of Put.
func (q *SPSC[T]) TryPut(v T) error { return q.items.tryPut(v, 0) }

// Get removes the oldest item and waits while there is none. The error is nil, [ErrClosed] if the queue
// is closed and drained, [ErrMisuse], or that of ctx.
func (q *SPSC[T]) Get(ctx context.Context) (v T, err error) { return q.items.get(ctx) }

// TryGet is Get without waiting: [ErrEmpty] if there is no item, and one may still come.
func (q *SPSC[T]) TryGet() (v T, err error) {
	v, _, err = q.items.tryGet()
	return v, err
}

// PutMany appends the values in order and waits whenever the queue is full. It returns how many went
// in, which is all of them unless the error is not nil; the errors are those of Put.
func (q *SPSC[T]) PutMany(ctx context.Context, values []T) (n int, err error) {
	return q.items.putMany(ctx, values)
}

// GetMany waits until there is an item, then removes what is there, oldest first, up to len(values).
// It returns how many it got; unless that is 0 the error is nil. The errors are those of Get.
func (q *SPSC[T]) GetMany(ctx context.Context, values []T) (n int, err error) {
	return q.items.getMany(ctx, values)
}

// All ranges over the items, removing and waiting as Get does. It ends when Get returns an error; AllErr
// tells which.
func (q *SPSC[T]) All(ctx context.Context) iter.Seq[T] { return each(ctx, q.items.get) }

// AllErr is All that ends with the error of Get and no item, unless the queue is closed and drained.
func (q *SPSC[T]) AllErr(ctx context.Context) iter.Seq2[T, error] { return eachErr(ctx, q.items.get) }

// IsDrained tells whether the queue is closed, nothing is left in it, and no put is under way any more
// that began before: from then on every get fails. It is a call of the consumer, and
// false while another consumer is in a call.
func (q *SPSC[T]) IsDrained() bool { return q.items.isDrained() }

// Clear removes the items that are inside when it begins and returns how many it removed. The error is
// [ErrMisuse] while another consumer is in a call, and nil otherwise.
func (q *SPSC[T]) Clear() (n int, err error) { return q.items.clear() }

// Release closes the queue. Its C memory goes when the last call under way leaves: now, if there is none.
// The items that are left are the garbage collector's. The counters are gone, too.
func (q *SPSC[T]) Release() { q.items.release(&q.base) }

// Peek returns the oldest item and leaves it where it is. The errors are those of TryGet. It is a call of
// the consumer, and counts as no failure.
func (q *SPSC[T]) Peek() (v T, err error) {
	s := q.items.slab.Load()
	if s == nil {
		return v, ErrClosed
	}
	c, status := s.enter(&s.get)
	if status != done {
		return v, status
	}
	defer s.leave(c)
	i, _, status := s.peek()
	if status != done {
		return v, status
	}
	return s.at(i).read(), nil
}

// IsEmpty tells whether there was nothing to get at some moment of the call.
func (q *SPSC[T]) IsEmpty() bool { return q.isEmpty() }

// IsFull tells whether there was no room to put at some moment of the call.
func (q *SPSC[T]) IsFull() bool { return q.isFull() }

// An SPSCBytes is a queue of byte blobs for one producer and one consumer at a time, with the rules of
// [SPSC].
type SPSCBytes struct {
	bytesQueue
}

// NewSPSCBytes creates a queue that holds up to capacity blobs of 0 to size bytes each. It returns
// [ErrInvalid] if one of them is below 1, and [ErrInvalid] or [ErrNoMemory] for what no memory could
// hold.
func NewSPSCBytes(capacity, size int) (*SPSCBytes, error) {
	q := new(SPSCBytes)
	if err := q.init(spsc, capacity, size); err != nil {
		return nil, err
	}
	return q, nil
}

// IsEmpty tells whether there was nothing to get at some moment of the call.
func (q *SPSCBytes) IsEmpty() bool { return q.isEmpty() }

// IsFull tells whether there was no room to put at some moment of the call.
func (q *SPSCBytes) IsFull() bool { return q.isFull() }

func (b *base) isEmpty() bool {
	h, c := b.begin()
	if h == nil {
		return true
	}
	defer h.leave(c)
	return h.isEmpty()
}

func (b *base) isFull() bool {
	h, c := b.begin()
	if h == nil {
		return false
	}
	defer h.leave(c)
	return h.isFull()
}
