package queues

import "sync/atomic"

// A Deque is a work-stealing deque of Go values. Its owner pushes and pops at one end, last in first
// out; any number of thieves steal at the other, first in first out. Push and Pop are calls of the
// owner; the others may be called by anyone. Which goroutine is the owner may change from call to call;
// a second one in the midst of a call does no harm: Push returns [ErrMisuse], Pop false.
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
	if !s.put.enter() {
		return ErrMisuse
	}
	status := s.pushValue(v)
	s.put.leave()
	return status.orNil()
}

// Pop removes the item that was pushed last; false if there is none.
func (d *Deque[T]) Pop() (v T, found bool) {
	s := d.shelf.Load()
	if s == nil || !s.put.enter() {
		return v, false
	}
	v, status := s.popValue()
	s.put.leave()
	return v, status == done
}

// Stealer returns a thief's end of the deque.
func (d *Deque[T]) Stealer() *Stealer[T] { return &Stealer[T]{d} }

// Release drops the items inside and the memory as soon as the calls under way are through and the
// garbage collector has run: from then on Push and the thieves get [ErrClosed]. The counters are gone,
// too.
func (d *Deque[T]) Release() {
	d.shelf.Store(nil)
	d.handle.Store(nil)
}

// A Stealer is a thief's end of a [Deque]. Any number of goroutines may use it at once.
type Stealer[T any] struct {
	deque *Deque[T]
}

// Steal removes the item that was pushed first. It returns [ErrEmpty] if there is none, [ErrRetry] if
// another goroutine took that item meanwhile, so that there may be more, or [ErrClosed] once the deque
// was released.
func (t *Stealer[T]) Steal() (v T, err error) {
	s := t.deque.shelf.Load()
	if s == nil {
		return v, ErrClosed
	}
	i, status := s.take(true)
	if status == done {
		v = s.empty(i)
	}
	return v, status.orNil()
}

// StealMany removes up to len(values) items, one after the other, in the order in which they were
// pushed; other thieves may take some between them. It returns how many it got; unless that is 0 the
// error is nil. The errors are those of Steal.
func (t *Stealer[T]) StealMany(values []T) (n int, err error) {
	s := t.deque.shelf.Load()
	if s == nil {
		return 0, ErrClosed
	}
	var items [bulk]uintptr
	for n < len(values) {
		want := min(bulk, len(values)-n)
		got, status := s.stealMany(items[:want])
		for _, i := range items[:got] {
			values[n] = s.empty(i)
			n++
		}
		if got == 0 && n == 0 {
			return 0, status
		}
		if got == 0 && status == ErrEmpty { // the items ended where a bulk did
			s.get.looks.Add(1)
		}
		if got < want {
			break
		}
	}
	return n, nil
}

// Len is the number of items in the deque at some moment of the call.
func (t *Stealer[T]) Len() int { return t.deque.Len() }

// Stats reads the counters of the deque.
func (t *Stealer[T]) Stats() Stats { return t.deque.Stats() }

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
	if !h.put.enter() {
		return ErrMisuse
	}
	status := h.pushBytes(blob)
	h.put.leave()
	return status.orNil()
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
	if !h.put.enter() {
		return 0, ErrMisuse
	}
	n, status := h.takeBytes(buffer, false)
	h.put.leave()
	return n, status.orNil()
}

// Stealer returns a thief's end of the deque.
func (d *DequeBytes) Stealer() *StealerBytes { return &StealerBytes{d} }

// Release drops the memory as soon as the calls under way are through and the garbage collector has run.
// The counters are gone, too.
func (d *DequeBytes) Release() { d.handle.Store(nil) }

// A StealerBytes is a thief's end of a [DequeBytes]. Any number of goroutines may use it at once.
type StealerBytes struct {
	deque *DequeBytes
}

// Steal copies the blob that was pushed first into buffer, removes it and returns its length. Whatever
// it returns, the buffer may hold parts of blobs that others took. If the blob is longer than the buffer
// it stays where it is: then the error is [ErrTooSmall] and n is the length that is needed. The other
// errors are those of [Stealer.Steal].
func (t *StealerBytes) Steal(buffer []byte) (n int, err error) {
	h := t.deque.handle.Load()
	if h == nil {
		return 0, ErrClosed
	}
	n, status := h.takeBytes(buffer, true)
	return n, status.orNil()
}

// Len is the number of blobs in the deque at some moment of the call.
func (t *StealerBytes) Len() int { return t.deque.Len() }

// Stats reads the counters of the deque.
func (t *StealerBytes) Stats() Stats { return t.deque.Stats() }
