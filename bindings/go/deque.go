//go:build cgo

package queues

import "sync/atomic"

// A Deque is a work-stealing deque of Go values. Its owner pushes and pops at one end, last in first
// out; any number of thieves steal at the other, first in first out. Push and Pop are calls of the
// owner; the others may be called by anyone. Which goroutine is the owner may change from call to call;
// a second one in the midst of a call does no harm: it gets [ErrMisuse].
//
// No call waits, and there is no Close: the owner knows when nothing more is to come.
type Deque[T any] struct {
	base
	shelf atomic.Pointer[shelf[T]] // nil: released
}

// NewDeque creates a deque that holds up to capacity items, or with [Growable] begins with that. It
// returns [ErrInvalid] for a capacity below 1, and [ErrInvalid] or [ErrNoMemory] for one that no memory
// could hold.
func NewDeque[T any](capacity int, options ...DequeOption) (*Deque[T], error) {
	s, err := newShelf[T](capacity, options)
	if err != nil {
		return nil, err
	}
	d := new(Deque[T])
	d.handle.Store(s.handle)
	d.shelf.Store(s)
	return d, nil
}

// Push puts v at the owner's end. It returns nil, [ErrFull], [ErrNoMemory] if the deque cannot grow,
// [ErrMisuse], or [ErrClosed] once it was released. Unless it returns nil, v is not in the deque.
func (d *Deque[T]) Push(v T) error {
	s := d.shelf.Load()
	if s == nil {
		return ErrClosed
	}
	c, status := s.enter(&s.put)
	if status == done {
		status = s.put.note(s.pushValue(v))
		s.leave(c)
	}
	return status.orNil()
}

// Pop removes the item that was pushed last. The error is nil, [ErrEmpty], [ErrMisuse], or [ErrClosed]
// once the deque was released.
func (d *Deque[T]) Pop() (v T, err error) {
	s := d.shelf.Load()
	if s == nil {
		return v, ErrClosed
	}
	c, status := s.enter(&s.put)
	if status == done {
		v, status = s.popValue()
		s.get.note(status)
		s.leave(c)
	}
	return v, status.orNil()
}

// Stealer returns a thief's end of the deque.
func (d *Deque[T]) Stealer() *Stealer[T] { return &Stealer[T]{d} }

// Release ends the deque: from then on Push, Pop and the thieves get [ErrClosed]. Its C memory goes when
// the last call under way leaves: now, if there is none. The items that are left are the garbage
// collector's. The counters are gone, too.
func (d *Deque[T]) Release() {
	d.release()
	d.shelf.Store(nil)
}

// A DequeOption changes how a deque behaves.
type DequeOption uint64

// Growable makes a deque double its capacity when it is full, instead of returning [ErrFull].
const Growable DequeOption = 1

// A Stealer is a thief's end of a [Deque]. Any number of goroutines may use it at once.
type Stealer[T any] struct {
	deque *Deque[T] // nil: the zero value, as of a deque that was released
}

func (t *Stealer[T]) shelf() *shelf[T] {
	if t.deque == nil {
		return nil
	}
	return t.deque.shelf.Load()
}

// Steal removes the item that was pushed first. It returns [ErrEmpty] if there is none, [ErrRetry] if
// another goroutine took that item meanwhile, so that there may be more, or [ErrClosed] once the deque
// was released.
func (t *Stealer[T]) Steal() (v T, err error) {
	s := t.shelf()
	if s == nil {
		return v, ErrClosed
	}
	c, status := s.enter(&s.get)
	if status != done {
		return v, status
	}
	i, status := s.take(true)
	if status == done {
		v = s.empty(i)
	}
	s.get.note(status)
	s.leave(c)
	return v, status.orNil()
}

// StealMany removes up to len(values) items, one after the other, in the order in which they were
// pushed; other thieves may take some between them. It returns how many it got; unless that is 0 the
// error is nil. The errors are those of Steal.
func (t *Stealer[T]) StealMany(values []T) (n int, err error) {
	s := t.shelf()
	if s == nil {
		return 0, ErrClosed
	}
	c, status := s.enter(&s.get)
	if status != done {
		return 0, status
	}
	defer s.leave(c)
	var items [bulk]uintptr
	for n < len(values) {
		want := min(bulk, len(values)-n)
		got, status := s.stealMany(items[:want])
		for _, i := range items[:got] {
			values[n] = s.empty(i)
			n++
		}
		if got == 0 && n == 0 {
			return 0, s.get.note(status).orNil()
		}
		if got < want {
			break
		}
	}
	return n, nil
}

// Len is the number of items in the deque at some moment of the call.
func (t *Stealer[T]) Len() int {
	if t.deque == nil {
		return 0
	}
	return t.deque.Len()
}

// Stats reads the counters of the deque.
func (t *Stealer[T]) Stats() Stats {
	if t.deque == nil {
		return Stats{}
	}
	return t.deque.Stats()
}

// A DequeBytes is a work-stealing deque of byte blobs with the rules of [Deque].
type DequeBytes struct {
	base
}

// NewDequeBytes creates a deque that holds up to capacity blobs, or with [Growable] begins with that, of
// 0 to size bytes each. It returns [ErrInvalid] if one of them is below 1, and [ErrInvalid] or
// [ErrNoMemory] for what no memory could hold.
func NewDequeBytes(capacity, size int, options ...DequeOption) (*DequeBytes, error) {
	if size < 1 {
		return nil, ErrInvalid
	}
	h, err := newHandle(deque, capacity, size, options...)
	if err != nil {
		return nil, err
	}
	d := new(DequeBytes)
	d.handle.Store(h)
	return d, nil
}

// Push puts a copy of blob at the owner's end. It returns nil, [ErrInvalid] if the blob is longer than
// the deque's blobs may be, or an error of [Deque.Push].
func (d *DequeBytes) Push(blob []byte) error {
	h := d.handle.Load()
	if h == nil {
		return ErrClosed
	}
	return h.try(&h.put, func() Error { return h.pushBytes(blob) })
}

// Pop copies the blob that was pushed last into buffer, removes it and returns its length. If the blob
// is longer than the buffer it stays where it is: then the error is [ErrTooSmall] and n is the length
// that is needed. Otherwise the error is nil, [ErrEmpty], [ErrMisuse], or [ErrClosed] once the deque was
// released.
func (d *DequeBytes) Pop(buffer []byte) (n int, err error) {
	h := d.handle.Load()
	if h == nil {
		return 0, ErrClosed
	}
	c, status := h.enter(&h.put)
	if status == done {
		n, status = h.takeBytes(buffer, false)
		h.get.note(status)
		h.leave(c)
	}
	return n, status.orNil()
}

// Stealer returns a thief's end of the deque.
func (d *DequeBytes) Stealer() *StealerBytes { return &StealerBytes{d} }

// Release ends the deque. Its memory, and the blobs in it, go when the last call under way leaves: now, if
// there is none. The counters are gone, too.
func (d *DequeBytes) Release() { d.release() }

// A StealerBytes is a thief's end of a [DequeBytes]. Any number of goroutines may use it at once.
type StealerBytes struct {
	deque *DequeBytes // nil: the zero value, as of a deque that was released
}

// Steal copies the blob that was pushed first into buffer, removes it and returns its length. Whatever
// it returns, the buffer may hold parts of blobs that others took. If the blob is longer than the buffer
// it stays where it is: then the error is [ErrTooSmall] and n is the length that is needed. The other
// errors are those of [Stealer.Steal].
func (t *StealerBytes) Steal(buffer []byte) (n int, err error) {
	if t.deque == nil {
		return 0, ErrClosed
	}
	h := t.deque.handle.Load()
	if h == nil {
		return 0, ErrClosed
	}
	err = h.try(&h.get, func() (status Error) {
		n, status = h.takeBytes(buffer, true)
		return status
	})
	return n, err
}

// Len is the number of blobs in the deque at some moment of the call.
func (t *StealerBytes) Len() int {
	if t.deque == nil {
		return 0
	}
	return t.deque.Len()
}

// Stats reads the counters of the deque.
func (t *StealerBytes) Stats() Stats {
	if t.deque == nil {
		return Stats{}
	}
	return t.deque.Stats()
}
