//go:build cgo

package queues

import (
	"context"
	"sync/atomic"
)

// A store holds Go values, whatever its family.
type store[T any] struct {
	slab atomic.Pointer[slab[T]] // nil: released
}

func (q *store[T]) init(b *base, family family, capacity int) error {
	s, err := newSlab[T](family, capacity)
	if err == nil {
		q.keep(b, s)
	}
	return err
}

func (q *store[T]) keep(b *base, s *slab[T]) {
	b.handle.Store(s.handle)
	q.slab.Store(s)
}

// release lets go of the values, too.
func (q *store[T]) release(b *base) {
	b.release()
	q.slab.Store(nil)
}

func (q *store[T]) isDrained() bool {
	s := q.slab.Load()
	if s == nil {
		return true
	}
	c, status := s.enter(&s.get)
	if status != done {
		return status == ErrClosed
	}
	defer s.leave(c)
	return s.isDrained()
}

func (q *store[T]) clear() (n int, err error) {
	s := q.slab.Load()
	if s == nil {
		return 0, nil
	}
	c, status := s.enter(&s.get)
	if status == ErrClosed { // released: nothing is inside
		return 0, nil
	}
	if status != done {
		return 0, status
	}
	defer s.leave(c)
	return s.discard(), nil
}

func (q *store[T]) waitPut(ctx context.Context, v T, with uint64) error {
	s := q.slab.Load()
	if s == nil {
		return ErrClosed
	}
	return s.waitPut(ctx, func() Error { return s.tryPut(v, with) })
}

func (q *store[T]) tryPut(v T, with uint64) error {
	s := q.slab.Load()
	if s == nil {
		return ErrClosed
	}
	c, status := s.enter(&s.put)
	if status == done {
		status = s.put.note(s.tryPut(v, with))
		s.leave(c)
	}
	return status.orNil()
}

func (q *store[T]) waitGet(ctx context.Context) (v T, priority float64, err error) {
	s := q.slab.Load()
	if s == nil {
		return v, 0, ErrClosed
	}
	err = s.waitGet(ctx, func() (status Error) {
		v, priority, status = s.tryGet()
		return status
	})
	return v, priority, err
}

func (q *store[T]) tryGet() (v T, priority float64, err error) {
	s := q.slab.Load()
	if s == nil {
		return v, 0, ErrClosed
	}
	c, status := s.enter(&s.get)
	if status == done {
		v, priority, status = s.tryGet()
		s.get.note(status)
		s.leave(c)
	}
	return v, priority, status.orNil()
}
