// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import "context"

// A blobQueue is what all queues of blobs share that can be closed.
type blobQueue struct {
	closable
}

func (q *blobQueue) init(family family, capacity, size int) error {
	h, err := newBlobHandle(family, capacity, size)
	if err == nil {
		q.handle.Store(h)
	}
	return err
}

// newBlobHandle creates a queue of blobs of any family but batch.
func newBlobHandle(family family, capacity, size int, options ...DequeOption) (*handle, error) {
	if size < 1 { // to newHandle, 0 means numbers
		return nil, ErrInvalid
	}
	return newHandle(family, capacity, size, options...)
}

// Release closes the queue and frees its memory and the blobs in it. It does not wait: while other
// calls are in flight, the last of them frees the memory. The counters are gone, too. Any goroutine may
// call it at any time and more than once; for a zero value it does nothing.
func (q *blobQueue) Release() { q.release() }

// Clear removes the blobs that are inside when it begins and returns how many it removed. It does not
// wait. The error is nil, and any goroutine may call it at any time; except on an [SPSCBytes], where it is
// a call of the consumer and the error is [ErrMisuse] while another goroutine is in one. After Release, and
// for a zero value, it returns 0 and nil.
func (q *blobQueue) Clear() (n int, err error) {
	h := q.load()
	return clearBy(h, func() int {
		n, _ := h.clear()
		return n
	})
}

func (q *blobQueue) waitPut(ctx context.Context, blob []byte, with uint64) error {
	h := q.load()
	return h.waitPut(ctx, func() (int, Error) { return one(h.tryPutBytes(blob, with)) })
}

func (q *blobQueue) tryPut(blob []byte, with uint64) error {
	h := q.load()
	return h.callPut(func() (int, Error) { return one(h.tryPutBytes(blob, with)) })
}

func (q *blobQueue) waitGet(ctx context.Context, buffer []byte) (n int, priority float64, err error) {
	h := q.load()
	err = h.waitGet(ctx, func() (int, Error) {
		var status Error
		n, priority, status = h.readBytes(buffer, false)
		return one(status)
	})
	return n, priority, err
}

func (q *blobQueue) tryGet(buffer []byte) (n int, priority float64, err error) {
	h := q.load()
	err = h.callGet(func() (int, Error) {
		var status Error
		n, priority, status = h.readBytes(buffer, false)
		return one(status)
	})
	return n, priority, err
}

// peek counts no failure.
func (q *blobQueue) peek(buffer []byte) (n int, priority float64, err error) {
	h := q.load()
	status := h.call(&h.consumer, func() (status Error) {
		n, priority, status = h.readBytes(buffer, true)
		return status
	})
	return n, priority, status.orNil()
}

// newBuffer returns a buffer that fits every blob of the queue.
func (q *blobQueue) newBuffer() []byte { return make([]byte, q.load().itemSize) }
