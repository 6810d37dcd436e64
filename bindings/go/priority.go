//go:build cgo

package queues

import (
	"context"
	"iter"
	"math"
)

// A Priority is a queue of Go values for any number of producers and consumers: the lowest priority
// leaves first, and among equals the one that came in first. A priority is any float64 but NaN; -0
// equals 0. All its methods may be called by any goroutine at any time. It holds a short lock in the
// library: unlike the other queues it is not lock-free.
type Priority[T any] struct {
	closable
	items store[T]
}

// Prioritized is a value with its priority.
type Prioritized[T any] struct {
	Value    T
	Priority float64
}

// NewPriority creates a queue that holds up to capacity items. It returns [ErrInvalid] for a capacity
// below 1, and [ErrInvalid] or [ErrNoMemory] for one that no memory could hold.
func NewPriority[T any](capacity int) (*Priority[T], error) {
	q := new(Priority[T])
	if err := q.items.init(&q.base, priority, capacity); err != nil {
		return nil, err
	}
	return q, nil
}

// Put puts v and waits while the queue is full. It returns nil, [ErrClosed], [ErrInvalid] for a NaN, or
// the error of ctx. Unless it returns nil, v is not in the queue.
func (q *Priority[T]) Put(ctx context.Context, v T, priority float64) error {
	return q.items.waitPut(ctx, v, math.Float64bits(priority))
}

// TryPut puts v or returns at once: [ErrFull], or an error of Put.
func (q *Priority[T]) TryPut(v T, priority float64) error {
	return q.items.tryPut(v, math.Float64bits(priority))
}

// Get removes the item with the lowest priority, tells that priority, and waits while there is none. The
// error is nil, [ErrClosed] if the queue is closed and drained, or that of ctx.
func (q *Priority[T]) Get(ctx context.Context) (v T, priority float64, err error) {
	return q.items.waitGet(ctx)
}

// TryGet is Get without waiting: [ErrEmpty] if there is no item, and one may still come.
func (q *Priority[T]) TryGet() (v T, priority float64, err error) { return q.items.tryGet() }

// PeekPriority tells the priority of the item that is next; the errors are those of TryGet. Another
// consumer may take that item at once. It counts as no failure.
func (q *Priority[T]) PeekPriority() (priority float64, err error) {
	s := q.items.slab.Load()
	if s == nil {
		return 0, ErrClosed
	}
	c, status := s.enter(&s.get)
	if status == done {
		_, priority, status = s.peek()
		s.leave(c)
	}
	return priority, status.orNil()
}

// All ranges over the items and their priorities, removing and waiting as Get does. It ends when Get
// returns an error; AllErr tells which.
func (q *Priority[T]) All(ctx context.Context) iter.Seq2[T, float64] {
	return eachPrioritized(ctx, q.get)
}

// AllErr is All that ends with the error of Get and no item, unless the queue is closed and drained.
func (q *Priority[T]) AllErr(ctx context.Context) iter.Seq2[Prioritized[T], error] {
	return eachErr(ctx, q.get)
}

func (q *Priority[T]) get(ctx context.Context) (p Prioritized[T], err error) {
	p.Value, p.Priority, err = q.Get(ctx)
	return p, err
}

func eachPrioritized[T any](ctx context.Context, get func(context.Context) (Prioritized[T], error)) iter.Seq2[T, float64] {
	return func(yield func(T, float64) bool) {
		for p := range each(ctx, get) {
			if !yield(p.Value, p.Priority) {
				return
			}
		}
	}
}

// IsDrained tells whether the queue is closed, nothing is left in it, and no put is under way any more
// that began before: from then on every get fails.
func (q *Priority[T]) IsDrained() bool { return q.items.isDrained() }

// Clear removes the items that are inside when it begins and returns how many it removed. The error is
// nil.
func (q *Priority[T]) Clear() (n int, err error) { return q.items.clear() }

// Release closes the queue. Its C memory goes when the last call under way leaves: now, if there is none.
// The items that are left are the garbage collector's. The counters are gone, too.
func (q *Priority[T]) Release() { q.items.release(&q.base) }

// Sink returns the end to put at.
func (q *Priority[T]) Sink() Sink[Prioritized[T]] { return prioritizedEnds[T]{q} }

// Source returns the end to get from.
func (q *Priority[T]) Source() Source[Prioritized[T]] { return prioritizedEnds[T]{q} }

type prioritizedEnds[T any] struct{ q *Priority[T] }

func (e prioritizedEnds[T]) Put(ctx context.Context, p Prioritized[T]) error {
	return e.q.Put(ctx, p.Value, p.Priority)
}
func (e prioritizedEnds[T]) TryPut(p Prioritized[T]) error { return e.q.TryPut(p.Value, p.Priority) }
func (e prioritizedEnds[T]) Close()                        { e.q.Close() }
func (e prioritizedEnds[T]) Get(ctx context.Context) (Prioritized[T], error) {
	return e.q.get(ctx)
}
func (e prioritizedEnds[T]) TryGet() (p Prioritized[T], err error) {
	p.Value, p.Priority, err = e.q.TryGet()
	return p, err
}
func (e prioritizedEnds[T]) All(ctx context.Context) iter.Seq[Prioritized[T]] {
	return each(ctx, e.q.get)
}
func (e prioritizedEnds[T]) AllErr(ctx context.Context) iter.Seq2[Prioritized[T], error] {
	return e.q.AllErr(ctx)
}

// A PriorityBytes is a queue of byte blobs with the order and the rules of [Priority].
type PriorityBytes struct {
	blobStore
}

// NewPriorityBytes creates a queue that holds up to capacity blobs of 0 to size bytes each. It returns
// [ErrInvalid] if one of them is below 1, and [ErrInvalid] or [ErrNoMemory] for what no memory could
// hold.
func NewPriorityBytes(capacity, size int) (*PriorityBytes, error) {
	q := new(PriorityBytes)
	if err := q.init(priority, capacity, size); err != nil {
		return nil, err
	}
	return q, nil
}

// Put puts a copy of blob and waits while the queue is full. It returns nil, [ErrInvalid] for a NaN or
// if the blob is longer than the queue's blobs may be, [ErrClosed] or the error of ctx.
func (q *PriorityBytes) Put(ctx context.Context, blob []byte, priority float64) error {
	return q.waitPut(ctx, blob, math.Float64bits(priority))
}

// TryPut puts a copy of blob or returns at once: [ErrFull] or an error of Put.
func (q *PriorityBytes) TryPut(blob []byte, priority float64) error {
	return q.tryPut(blob, math.Float64bits(priority))
}

// Get copies the blob with the lowest priority into buffer, removes it and returns its length and
// priority; it waits while there is none. If the blob is longer than the buffer it stays where it is:
// then the error is [ErrTooSmall] and n is the length that is needed. Otherwise the error is nil,
// [ErrClosed] if the queue is closed and drained, or that of ctx.
func (q *PriorityBytes) Get(ctx context.Context, buffer []byte) (n int, priority float64, err error) {
	return q.waitGet(ctx, buffer)
}

// TryGet is Get without waiting: [ErrEmpty] if there is no blob.
func (q *PriorityBytes) TryGet(buffer []byte) (n int, priority float64, err error) {
	return q.tryGet(buffer)
}

// Peek is TryGet that leaves the blob where it is. Another consumer may take it at once.
func (q *PriorityBytes) Peek(buffer []byte) (n int, priority float64, err error) {
	return q.peek(buffer)
}

// All ranges over the blobs and their priorities, removing and waiting as Get does. A blob is valid
// until the next step. The range ends when Get returns an error; AllErr tells which.
func (q *PriorityBytes) All(ctx context.Context) iter.Seq2[[]byte, float64] {
	return func(yield func([]byte, float64) bool) {
		eachPrioritized(ctx, q.getInto(q.buffer()))(yield)
	}
}

// AllErr is All that ends with the error of Get and no blob, unless the queue is closed and drained.
func (q *PriorityBytes) AllErr(ctx context.Context) iter.Seq2[Prioritized[[]byte], error] {
	return func(yield func(Prioritized[[]byte], error) bool) {
		eachErr(ctx, q.getInto(q.buffer()))(yield)
	}
}

func (q *PriorityBytes) getInto(buffer []byte) func(context.Context) (Prioritized[[]byte], error) {
	return func(ctx context.Context) (p Prioritized[[]byte], err error) {
		n, priority, err := q.Get(ctx, buffer)
		if err != nil {
			return p, err
		}
		return Prioritized[[]byte]{buffer[:n], priority}, nil
	}
}
