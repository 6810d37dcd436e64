//go:build cgo

package queues

import (
	"context"
	"iter"
)

// A queue holds Go values, first in, first out.
type queue[T any] struct {
	store[T]
}

func (q *queue[T]) get(ctx context.Context) (T, error) {
	v, _, err := q.waitGet(ctx)
	return v, err
}

func (q *queue[T]) putMany(ctx context.Context, values []T) (n int, err error) {
	s := q.slab.Load()
	if s == nil {
		return 0, ErrClosed
	}
	err = s.wait(ctx, &s.put, ErrFull, func() (int, Error) {
		moved, status := s.tryPutMany(values[n:])
		n += moved
		return moved, status
	}, nil)
	return n, err
}

func (q *queue[T]) getMany(ctx context.Context, values []T) (n int, err error) {
	s := q.slab.Load()
	if s == nil {
		return 0, ErrClosed
	}
	err = s.waitGet(ctx, func() (status Error) {
		n, status = s.tryGetMany(values)
		return status
	})
	return n, err
}

// A bytesQueue holds blobs, first in, first out.
type bytesQueue struct {
	blobStore
}

// Put appends a copy of blob and waits while the queue is full. It returns nil, [ErrInvalid] if the
// blob is longer than the queue's blobs may be, [ErrClosed] or the error of ctx; on an SPSC queue
// [ErrMisuse], too.
func (q *bytesQueue) Put(ctx context.Context, blob []byte) error { return q.waitPut(ctx, blob, 0) }

// TryPut appends a copy of blob or returns at once: [ErrFull] or an error of Put.
func (q *bytesQueue) TryPut(blob []byte) error { return q.tryPut(blob, 0) }

// Get copies the oldest blob into buffer, removes it and returns its length; it waits while there is
// none. If the blob is longer than the buffer it stays where it is: then the error is [ErrTooSmall]
// and n is the length that is needed. Otherwise the error is nil, [ErrClosed] if the queue is closed
// and drained, or that of ctx; on an SPSC queue [ErrMisuse], too.
func (q *bytesQueue) Get(ctx context.Context, buffer []byte) (n int, err error) {
	n, _, err = q.waitGet(ctx, buffer)
	return n, err
}

// TryGet is Get without waiting: [ErrEmpty] if there is no blob.
func (q *bytesQueue) TryGet(buffer []byte) (n int, err error) {
	n, _, err = q.tryGet(buffer)
	return n, err
}

// Peek is TryGet that leaves the blob where it is. On an MPMC queue another consumer may take it at
// once.
func (q *bytesQueue) Peek(buffer []byte) (n int, err error) {
	n, _, err = q.peek(buffer)
	return n, err
}

// All ranges over the blobs, removing and waiting as Get does. A blob is valid until the next step. The
// range ends when Get returns an error; AllErr tells which.
func (q *bytesQueue) All(ctx context.Context) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { each(ctx, q.getInto(q.buffer()))(yield) }
}

// AllErr is All that ends with the error of Get and no blob, unless the queue is closed and drained.
func (q *bytesQueue) AllErr(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { eachErr(ctx, q.getInto(q.buffer()))(yield) }
}

func (q *bytesQueue) getInto(buffer []byte) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		n, err := q.Get(ctx, buffer)
		if err != nil {
			return nil, err
		}
		return buffer[:n], nil
	}
}
