// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"iter"
)

// A fifoBytes is a queue of blobs, first in, first out: what MPMCBytes and SPSCBytes share.
type fifoBytes struct {
	blobQueue
}

// Put appends a copy of blob; while the queue is full it waits, until there is room, the queue is closed
// or ctx ends. The error is nil, [ErrInvalid] if the blob is longer than the queue's blobs may be,
// [ErrClosed], or that of ctx, which is returned at once if ctx has ended before the call. Any goroutine
// may call it at any time, except on an [SPSCBytes], where only one producer may at a time: the error is
// [ErrMisuse] while another goroutine is in a call of the producer. After Release, and for a zero value,
// the error is ErrClosed.
func (q *fifoBytes) Put(ctx context.Context, blob []byte) error { return q.waitPut(ctx, blob, 0) }

// TryPut is Put without waiting: if the queue is full, the error is [ErrFull].
func (q *fifoBytes) TryPut(blob []byte) error { return q.tryPut(blob, 0) }

// Get copies the oldest blob into buffer, removes it and returns its length; while there is none it
// waits, until there is one, the queue is closed and drained or ctx ends. If the blob is longer than the
// buffer, it stays in the queue, the error is [ErrTooSmall] and n is the length of the blob. Otherwise
// the error is nil, [ErrClosed], or that of ctx, which is returned at once if ctx has ended before the
// call. Any goroutine may call it at any time, except on an [SPSCBytes], where only one consumer may at a
// time: the error is [ErrMisuse] while another goroutine is in a call of the consumer. After Release, and
// for a zero value, the error is ErrClosed.
func (q *fifoBytes) Get(ctx context.Context, buffer []byte) (n int, err error) {
	n, _, err = q.waitGet(ctx, buffer)
	return n, err
}

// TryGet is Get without waiting: if there is no blob, the error is [ErrEmpty], or [ErrClosed]
// if none can come any more.
func (q *fifoBytes) TryGet(buffer []byte) (n int, err error) {
	n, _, err = q.tryGet(buffer)
	return n, err
}

// Peek is TryGet that leaves the blob in the queue. On an [MPMCBytes], another consumer may get that
// blob at once. It counts no failure.
func (q *fifoBytes) Peek(buffer []byte) (n int, err error) {
	n, _, err = q.peek(buffer)
	return n, err
}

// All returns an iterator that gets blobs as Get does, into a buffer of its own, and ends with the first
// error of Get, which it does not return: see AllErr. The next step overwrites the blob.
// Leaving the loop early leaves the other blobs in the queue.
func (q *fifoBytes) All(ctx context.Context) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { all(ctx, q.into(q.newBuffer()))(yield) }
}

// AllErr returns an iterator that gets blobs as All does, each with a nil error. It ends with the first
// error of Get and no blob; with no such pair if the error is [ErrClosed].
func (q *fifoBytes) AllErr(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { allErr(ctx, q.into(q.newBuffer()))(yield) }
}

// into returns a Get that copies the blob into buffer, or into a longer buffer if that is too small.
func (q *fifoBytes) into(buffer []byte) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		n, err := q.Get(ctx, buffer)
		for err == ErrTooSmall {
			buffer = make([]byte, n)
			n, err = q.Get(ctx, buffer)
		}
		if err != nil {
			return nil, err
		}
		return buffer[:n], nil
	}
}
