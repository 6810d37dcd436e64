//go:build cgo

package queues

import (
	"context"
	"iter"
)

// An MPMC is a queue of Go values for any number of producers and consumers. All its methods may be
// called by any goroutine at any time.
type MPMC[T any] struct {
	closable
	items queue[T]
}

// NewMPMC creates a queue that holds up to capacity items. It returns [ErrInvalid] for a capacity
// below 1, and [ErrInvalid] or [ErrNoMemory] for one that no memory could hold.
func NewMPMC[T any](capacity int) (*MPMC[T], error) {
	q := new(MPMC[T])
	if err := q.items.init(&q.base, mpmc, capacity); err != nil {
		return nil, err
	}
	return q, nil
}

// Put appends v and waits while the queue is full. It returns nil, [ErrClosed] or the error of ctx.
// Unless it returns nil, v is not in the queue.
func (q *MPMC[T]) Put(ctx context.Context, v T) error { return q.items.waitPut(ctx, v, 0) }

// TryPut appends v or returns at once: [ErrFull], or an error of Put.
func (q *MPMC[T]) TryPut(v T) error { return q.items.tryPut(v, 0) }

// Get removes the oldest item and waits while there is none. The error is nil, [ErrClosed] if the queue
// is closed and drained, or that of ctx.
func (q *MPMC[T]) Get(ctx context.Context) (v T, err error) { return q.items.get(ctx) }

// TryGet is Get without waiting: [ErrEmpty] if there is no item, and one may still come.
func (q *MPMC[T]) TryGet() (v T, err error) {
	v, _, err = q.items.tryGet()
	return v, err
}

// PutMany appends the values in order and waits whenever the queue is full. It returns how many went
// in, which is all of them unless the error is not nil; the errors are those of Put. Items of other
// producers may come between.
func (q *MPMC[T]) PutMany(ctx context.Context, values []T) (n int, err error) {
	return q.items.putMany(ctx, values)
}

// GetMany waits until there is an item, then removes what is there, oldest first, up to len(values).
// It returns how many it got; unless that is 0 the error is nil. The errors are those of Get.
func (q *MPMC[T]) GetMany(ctx context.Context, values []T) (n int, err error) {
	return q.items.getMany(ctx, values)
}

// All ranges over the items, removing and waiting as Get does. It ends when Get returns an error; AllErr
// tells which.
func (q *MPMC[T]) All(ctx context.Context) iter.Seq[T] { return each(ctx, q.items.get) }

// AllErr is All that ends with the error of Get and no item, unless the queue is closed and drained.
func (q *MPMC[T]) AllErr(ctx context.Context) iter.Seq2[T, error] { return eachErr(ctx, q.items.get) }

// IsDrained tells whether the queue is closed, nothing is left in it, and no put is under way any more
// that began before: from then on every get fails.
func (q *MPMC[T]) IsDrained() bool { return q.items.isDrained() }

// Clear removes the items that are inside when it begins and returns how many it removed. The error is
// nil.
func (q *MPMC[T]) Clear() (n int, err error) { return q.items.clear() }

// Release closes the queue. Its C memory goes when the last call under way leaves: now, if there is none.
// The items that are left are the garbage collector's. The counters are gone, too.
func (q *MPMC[T]) Release() { q.items.release(&q.base) }

// An MPMCBytes is a queue of byte blobs for any number of producers and consumers. All its methods
// may be called by any goroutine at any time.
type MPMCBytes struct {
	bytesQueue
}

// NewMPMCBytes creates a queue that holds up to capacity blobs of 0 to size bytes each. It returns
// [ErrInvalid] if one of them is below 1, and [ErrInvalid] or [ErrNoMemory] for what no memory could
// hold.
func NewMPMCBytes(capacity, size int) (*MPMCBytes, error) {
	q := new(MPMCBytes)
	if err := q.init(mpmc, capacity, size); err != nil {
		return nil, err
	}
	return q, nil
}
