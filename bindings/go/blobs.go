//go:build cgo

package queues

import "context"

// A blobStore holds blobs, whatever its family.
type blobStore struct {
	closable
}

func (q *blobStore) init(family family, capacity, size int) error {
	if size < 1 {
		return ErrInvalid
	}
	h, err := newHandle(family, capacity, size)
	if err != nil {
		return err
	}
	q.handle.Store(h)
	return nil
}

// Release closes the queue. Its memory, and the blobs in it, go when the last call under way leaves: now,
// if there is none. The counters are gone, too.
func (q *blobStore) Release() { q.release() }

// Clear removes the blobs that are inside and returns how many it removed. On an SPSC queue it is a
// call of the consumer, and returns [ErrMisuse] while another consumer is in a call; otherwise the error
// is nil.
func (q *blobStore) Clear() (n int, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, nil
	}
	c, status := h.enter(&h.get)
	if status == ErrClosed { // released: nothing is inside
		return 0, nil
	}
	if status != done {
		return 0, status
	}
	defer h.leave(c)
	return h.clear(), nil
}

func (q *blobStore) waitPut(ctx context.Context, blob []byte, with uint64) error {
	h := q.handle.Load()
	if h == nil {
		return ErrClosed
	}
	return h.waitPut(ctx, func() Error { return h.tryPutBytes(blob, with) })
}

func (q *blobStore) tryPut(blob []byte, with uint64) error {
	h := q.handle.Load()
	if h == nil {
		return ErrClosed
	}
	return h.try(&h.put, func() Error { return h.tryPutBytes(blob, with) })
}

func (q *blobStore) waitGet(ctx context.Context, buffer []byte) (n int, priority float64, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, 0, ErrClosed
	}
	err = h.waitGet(ctx, func() (status Error) {
		n, priority, status = h.readBytes(buffer, false)
		return status
	})
	return n, priority, err
}

func (q *blobStore) tryGet(buffer []byte) (n int, priority float64, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, 0, ErrClosed
	}
	err = h.try(&h.get, func() (status Error) {
		n, priority, status = h.readBytes(buffer, false)
		return status
	})
	return n, priority, err
}

// peek is no get, and so no failure.
func (q *blobStore) peek(buffer []byte) (n int, priority float64, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, 0, ErrClosed
	}
	c, status := h.enter(&h.get)
	if status == done {
		n, priority, status = h.readBytes(buffer, true)
		h.leave(c)
	}
	return n, priority, status.orNil()
}

// buffer is for any blob of the queue; nil if it was released.
func (q *blobStore) buffer() []byte {
	if h := q.handle.Load(); h != nil {
		return make([]byte, h.itemSize)
	}
	return nil
}
