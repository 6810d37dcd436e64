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
	store[T]
}

// NewPriority creates a queue that holds up to capacity items. It returns [ErrInvalid] for a capacity
// below 1, and [ErrInvalid] or [ErrNoMemory] for one that no memory could hold.
func NewPriority[T any](capacity int) (*Priority[T], error) {
	q := new(Priority[T])
	if err := q.init(priority, capacity); err != nil {
		return nil, err
	}
	return q, nil
}

// Put puts v and waits while the queue is full. It returns nil, [ErrClosed], [ErrInvalid] for a NaN, or
// the error of ctx. Unless it returns nil, v is not in the queue.
func (q *Priority[T]) Put(ctx context.Context, v T, priority float64) error {
	s := q.slab.Load()
	if s == nil {
		return ErrClosed
	}
	return s.put.wait(ctx, ErrFull, func() (int, Error) { return 0, s.tryPut(v, math.Float64bits(priority)) })
}

// TryPut puts v or returns [ErrFull], [ErrClosed] or, for a NaN, [ErrInvalid] at once.
func (q *Priority[T]) TryPut(v T, priority float64) error {
	s := q.slab.Load()
	if s == nil {
		return ErrClosed
	}
	return s.tryPut(v, math.Float64bits(priority)).orNil()
}

// Get removes the item with the lowest priority, tells that priority, and waits while there is none. The
// error is nil, [ErrClosed] if the queue is closed and drained, or that of ctx.
func (q *Priority[T]) Get(ctx context.Context) (v T, priority float64, err error) {
	s := q.slab.Load()
	if s == nil {
		return v, 0, ErrClosed
	}
	err = s.get.wait(ctx, ErrEmpty, func() (_ int, status Error) {
		v, priority, status = s.tryGet()
		return 0, status
	})
	return v, priority, err
}

// TryGet is Get without waiting; false if there is no item: IsDrained tells whether one may still come.
func (q *Priority[T]) TryGet() (v T, priority float64, found bool) {
	s := q.slab.Load()
	if s == nil {
		return v, 0, false
	}
	v, priority, status := s.tryGet()
	return v, priority, status == done
}

// PeekPriority tells the priority of the item that is next; false if there is none. Another consumer
// may take that item at once.
func (q *Priority[T]) PeekPriority() (priority float64, found bool) {
	s := q.slab.Load()
	if s == nil {
		return 0, false
	}
	_, priority, status := s.peek()
	return priority, status == done
}

// All ranges over the items and their priorities, removing and waiting as Get does. It ends when Get
// returns an error: when ctx is done, as ctx.Err tells, or the queue is closed and drained.
func (q *Priority[T]) All(ctx context.Context) iter.Seq2[T, float64] {
	return func(yield func(T, float64) bool) {
		for {
			v, priority, err := q.Get(ctx)
			if err != nil || !yield(v, priority) {
				return
			}
		}
	}
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
	h := q.handle.Load()
	if h == nil {
		return ErrClosed
	}
	return h.put.wait(ctx, ErrFull, func() (int, Error) { return 0, h.tryPutBytes(blob, math.Float64bits(priority)) })
}

// TryPut puts a copy of blob or returns at once: [ErrFull] or an error of Put.
func (q *PriorityBytes) TryPut(blob []byte, priority float64) error {
	h := q.handle.Load()
	if h == nil {
		return ErrClosed
	}
	return h.tryPutBytes(blob, math.Float64bits(priority)).orNil()
}

// Get copies the blob with the lowest priority into buffer, removes it and returns its length and
// priority; it waits while there is none. If the blob is longer than the buffer it stays where it is:
// then the error is [ErrTooSmall] and n is the length that is needed. Otherwise the error is nil,
// [ErrClosed] if the queue is closed and drained, or that of ctx.
func (q *PriorityBytes) Get(ctx context.Context, buffer []byte) (n int, priority float64, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, 0, ErrClosed
	}
	err = h.get.wait(ctx, ErrEmpty, func() (_ int, status Error) {
		n, priority, status = h.readBytes(buffer, false)
		return 0, status
	})
	return n, priority, err
}

// TryGet is Get without waiting: [ErrEmpty] if there is no blob.
func (q *PriorityBytes) TryGet(buffer []byte) (n int, priority float64, err error) {
	return q.read(buffer, false)
}

// Peek is TryGet that leaves the blob where it is. Another consumer may take it at once.
func (q *PriorityBytes) Peek(buffer []byte) (n int, priority float64, err error) {
	return q.read(buffer, true)
}

// All ranges over the blobs and their priorities, removing and waiting as Get does. A blob is valid
// until the next step. The range ends when Get returns an error: when ctx is done, as ctx.Err tells, or
// the queue is closed and drained.
func (q *PriorityBytes) All(ctx context.Context) iter.Seq2[[]byte, float64] {
	return func(yield func([]byte, float64) bool) {
		h := q.handle.Load()
		if h == nil {
			return
		}
		buffer := make([]byte, h.itemSize)
		for {
			n, priority, err := q.Get(ctx, buffer)
			if err != nil || !yield(buffer[:n], priority) {
				return
			}
		}
	}
}
