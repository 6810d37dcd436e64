// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"math"
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
	if s != nil && s.mayHandOver() && ctx.Err() == nil {
		handed, status := s.handOverInRole(v, with)
		if status != statusOK {
			return status
		}
		if handed {
			if h.producer.waits.asked.Load() {
				h.producer.waits.leaveToken()
			}
			return nil
		}
	}
	return h.wait(ctx, &h.producer, attempts{try: func() (int, Error) { return s.put(v, with) }})
}

// tryPut is a callPut without its closure, which costs this fast path 1 to 2 ns (Zen 5).
func (q *valueStore[T]) tryPut(v T, with uint64) error {
	h, s := q.load()
	n := 0
	if h.producer.waits.asked.Load() {
		return h.callPut(func() (n int, status Error) { return s.put(v, with) })
	}
	c, status := h.enter(&h.producer)
	if status == statusOK {
		n, status = s.put(v, with)
		h.leave(c)
	}
	return h.ended(&h.producer, status, n)
}

func (q *valueStore[T]) waitGet(ctx context.Context) (v T, priority float64, err error) {
	h, s := q.load()
	by := attempts{try: func() (int, Error) {
		var status Error
		v, priority, status = s.get()
		return one(status)
	}}
	if s != nil {
		by.take = func(w *waiter) {
			var with uint64
			v, with = receiverOf[T](w).take()
			priority = math.Float64frombits(with)
		}
	}
	err = h.wait(ctx, &h.consumer, by)
	return v, priority, err
}

// tryGet is a callGet without its closure, as tryPut.
func (q *valueStore[T]) tryGet() (v T, priority float64, err error) {
	h, s := q.load()
	if h.consumer.waits.asked.Load() {
		err = h.callGet(func() (int, Error) {
			var status Error
			v, priority, status = s.get()
			return one(status)
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
	err = h.wait(ctx, &h.producer, attempts{try: func() (int, Error) {
		n += s.handOverValues(values[n:])
		moved, status := s.putValues(values[n:])
		n += moved
		return moved, status
	}})
	return n, err
}

func (q *valueStore[T]) getMany(ctx context.Context, values []T) (n int, err error) {
	h, s := q.load()
	by := attempts{try: func() (_ int, status Error) {
		n, status = s.getValues(values)
		return n, status
	}}
	if s != nil && len(values) > 0 { // otherwise there is no place for an item that is handed over
		by.take = func(w *waiter) { values[0], _ = receiverOf[T](w).take(); n = 1 }
	}
	err = h.wait(ctx, &h.consumer, by)
	return n, err
}
