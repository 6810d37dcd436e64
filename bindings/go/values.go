// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"sync/atomic"
)

// A valueStore is the slab of a queue of any family, and the calls that use it. A queue type has it as a
// field and not embedded, because go doc would show an embedded generic type.
type valueStore[T any] struct {
	slab atomic.Pointer[slab[T]] // nil: the zero value, or released
}

func (q *valueStore[T]) init(b *base, s *slab[T]) {
	b.handle.Store(s.handle)
	q.slab.Store(s)
}

// load returns the slab and its handle, or nil and a handle whose calls return ErrClosed.
func (q *valueStore[T]) load() (*handle, *slab[T]) {
	if s := q.slab.Load(); s != nil {
		return s.handle, s
	}
	return releasedHandle, nil
}

func (q *valueStore[T]) release(b *base) {
	b.release()
	q.slab.Store(nil)
}

func (q *valueStore[T]) isDrained() bool {
	h, _ := q.load()
	drained := false
	status := h.call(&h.consumer, func() Error {
		drained = h.isDrained()
		return statusOK
	})
	return drained || status == ErrClosed // it was released
}

func (q *valueStore[T]) clear() (n int, err error) {
	h, s := q.load()
	return clearBy(h, func() int { return s.removeAll() })
}

// clearBy calls remove, which returns how many items it removed. A queue that was released has none.
func clearBy(h *handle, remove func() int) (n int, err error) {
	status := h.call(&h.consumer, func() Error {
		n = remove()
		return statusOK
	})
	if status == ErrClosed {
		return 0, nil
	}
	return n, h.ended(&h.consumer, status, n)
}

func (q *valueStore[T]) waitPut(ctx context.Context, v T, with uint64) error {
	h, s := q.load()
	return h.waitPut(ctx, func() Error { return s.put(v, with) })
}

// tryPut is a callPut without its closure, which costs this fast path 1 to 2 ns (Zen 5).
func (q *valueStore[T]) tryPut(v T, with uint64) error {
	h, s := q.load()
	if h.producer.waits.asked.Load() {
		return h.callPut(func() Error { return s.put(v, with) })
	}
	c, status := h.enter(&h.producer)
	if status == statusOK {
		status = s.put(v, with)
		h.leave(c)
	}
	return h.ended(&h.producer, status, 1)
}

func (q *valueStore[T]) waitGet(ctx context.Context) (v T, priority float64, err error) {
	h, s := q.load()
	err = h.waitGet(ctx, func() (status Error) {
		v, priority, status = s.get()
		return status
	})
	return v, priority, err
}

// tryGet is a callGet without its closure, as tryPut.
func (q *valueStore[T]) tryGet() (v T, priority float64, err error) {
	h, s := q.load()
	if h.consumer.waits.asked.Load() {
		err = h.callGet(func() (status Error) {
			v, priority, status = s.get()
			return status
		})
		return v, priority, err
	}
	c, status := h.enter(&h.consumer)
	if status == statusOK {
		v, priority, status = s.get()
		h.leave(c)
	}
	return v, priority, h.ended(&h.consumer, status, 1)
}

// get is waitGet of a queue without priorities.
func (q *valueStore[T]) get(ctx context.Context) (T, error) {
	v, _, err := q.waitGet(ctx)
	return v, err
}

func (q *valueStore[T]) putMany(ctx context.Context, values []T) (n int, err error) {
	h, s := q.load()
	err = h.wait(ctx, &h.producer, ErrFull, func() (int, Error) {
		moved, status := s.putValues(values[n:])
		n += moved
		return moved, status
	}, nil)
	return n, err
}

func (q *valueStore[T]) getMany(ctx context.Context, values []T) (n int, err error) {
	h, s := q.load()
	err = h.wait(ctx, &h.consumer, ErrEmpty, func() (_ int, status Error) {
		n, status = s.getValues(values)
		return n, status
	}, nil)
	return n, err
}
