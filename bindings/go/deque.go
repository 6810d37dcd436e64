// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import "sync/atomic"

// A Deque is a bounded work-stealing deque of Go values. Its owner pushes and pops at one end, last in,
// first out; any number of thieves steal at the other end, first in, first out. Push and Pop are calls of
// the owner; any goroutine may call the other methods, and those of a [Stealer], at any time.
//
// Another goroutine may be the owner from one call to the next. While one is in a call, the call of a
// second one does nothing and returns [ErrMisuse].
//
// No call waits, and there is no Close: the owner knows when it pushes no more. The zero value behaves as
// a deque that was released; [NewDeque] creates one to use.
type Deque[T any] struct {
	base
	slab atomic.Pointer[dequeSlab[T]] // nil: the zero value, or released
}

// A DequeOption changes how a deque behaves.
type DequeOption uint64

// Growable makes a deque double its capacity when it is full, instead of returning [ErrFull].
const Growable DequeOption = 1

// NewDeque creates a deque that holds up to capacity items, or with [Growable] begins with that
// capacity. The error is nil, [ErrInvalid] if capacity is below 1 or an option is unknown, and
// [ErrNoMemory] or ErrInvalid if there is no memory for it.
func NewDeque[T any](capacity int, options ...DequeOption) (*Deque[T], error) {
	s, err := newDequeSlab[T](capacity, options)
	if err != nil {
		return nil, err
	}
	d := new(Deque[T])
	d.handle.Store(s.handle)
	d.slab.Store(s)
	return d, nil
}

// values returns the slab and its handle, or nil and a handle whose calls return ErrClosed.
func (d *Deque[T]) values() (*handle, *dequeSlab[T]) {
	if s := d.slab.Load(); s != nil {
		return s.handle, s
	}
	return releasedHandle, nil
}

// Push adds v at the owner's end. It does not wait. It is a call of the owner. The error is nil,
// [ErrFull], [ErrNoMemory] if there is no memory to grow, [ErrMisuse], or [ErrClosed] if the deque was
// released or is a zero value; unless it is nil, v is not in the deque.
func (d *Deque[T]) Push(v T) error {
	h, s := d.values()
	return h.callPut(func() (int, Error) { return one(s.pushValue(v)) })
}

// Pop removes the item that was pushed last and returns it. It does not wait. It is a call of the owner.
// The error is nil, [ErrEmpty] if there is no item, [ErrMisuse], or [ErrClosed] if the deque was released
// or is a zero value.
func (d *Deque[T]) Pop() (v T, err error) {
	h, s := d.values()
	err = h.callPop(func() (int, Error) {
		var status Error
		v, status = s.popValue()
		return one(status)
	})
	return v, err
}

// Ready returns a channel for select that holds a token while a steal may succeed. Receive the token, then steal:
// if the steal returns [ErrEmpty], the next token comes with a push; if it succeeds, the token is back in the
// channel. Release closes the channel. Any number of goroutines may select on the channel; a goroutine that
// receives a token has to try. Each call returns the same channel. It does not wait. Any goroutine may call it at
// any time; after Release, and for a zero value, the channel is closed.
func (d *Deque[T]) Ready() <-chan struct{} { return readyOf(&d.base, consumerOf) }

// Stealer returns the thieves' end of the deque, which keeps the deque from the garbage collector. Any
// goroutine may call it at any time.
func (d *Deque[T]) Stealer() *Stealer[T] { return &Stealer[T]{d} }

// Release drops the items of the deque and frees its C memory; from then on its calls, and those of its
// stealers, return [ErrClosed]. It does not wait: while other calls are in flight, the last of them frees
// the memory. Items that are left are not returned; the garbage collector takes them. The counters are
// gone, too. Any goroutine may call it at any time and more than once; for a zero value it does nothing.
func (d *Deque[T]) Release() {
	d.release()
	d.slab.Store(nil)
}

// A Stealer is the thieves' end of a [Deque]. Any goroutines may call its methods at the same time. The
// zero value behaves as the stealer of a deque that was released; [Deque.Stealer] returns one to use.
type Stealer[T any] struct {
	deque *Deque[T]
}

// victim returns the deque, or for the zero value one that behaves as released.
func (t *Stealer[T]) victim() *Deque[T] {
	if t.deque == nil {
		return new(Deque[T])
	}
	return t.deque
}

// Steal removes the item that was pushed first and returns it. It does not wait. The error is nil,
// [ErrEmpty] if there is no item, [ErrRetry] if another goroutine took that item meanwhile, so that there
// may be more, or [ErrClosed] if the deque was released.
func (t *Stealer[T]) Steal() (v T, err error) {
	h, s := t.victim().values()
	err = h.callGet(func() (int, Error) {
		var status Error
		v, status = s.stealValue()
		return one(status)
	})
	return v, err
}

// StealMany removes up to len(values) items, one after the other, in the order in which they were pushed,
// and stores them in values; other goroutines may take items in between. It does not wait. It returns how
// many it stole: at least 1 unless len(values) is 0 or the error is not nil. The errors are those of
// [Stealer.Steal].
func (t *Stealer[T]) StealMany(values []T) (n int, err error) {
	h, s := t.victim().values()
	err = h.callGet(func() (int, Error) {
		var status Error
		n, status = s.stealValues(values)
		return n, status
	})
	return n, err
}

// Ready returns the channel of the deque: see [Deque.Ready].
func (t *Stealer[T]) Ready() <-chan struct{} { return t.victim().Ready() }

// Len returns the number of items in the deque, as [Deque.Len] does.
func (t *Stealer[T]) Len() int { return t.victim().Len() }

// Stats returns the counters of the deque, as [Deque.Stats] does.
func (t *Stealer[T]) Stats() Stats { return t.victim().Stats() }

// A DequeBytes is a bounded work-stealing deque of byte blobs with the rules of [Deque]. Blobs are copied
// into the deque and out of it.
//
// The zero value behaves as a deque that was released; [NewDequeBytes] creates one to use.
type DequeBytes struct {
	base
}

// NewDequeBytes creates a deque that holds up to capacity blobs, or with [Growable] begins with that
// capacity, of 0 to size bytes each. The error is nil, [ErrInvalid] if capacity or size is below 1 or an
// option is unknown, and [ErrNoMemory] or ErrInvalid if there is no memory for it.
func NewDequeBytes(capacity, size int, options ...DequeOption) (*DequeBytes, error) {
	h, err := newBlobHandle(deque, capacity, size, options...)
	if err != nil {
		return nil, err
	}
	d := new(DequeBytes)
	d.handle.Store(h)
	return d, nil
}

// Push adds a copy of blob at the owner's end. It does not wait. It is a call of the owner. The error is
// nil, [ErrInvalid] if the blob is longer than the deque's blobs may be, [ErrFull], [ErrNoMemory] if there
// is no memory to grow, [ErrMisuse], or [ErrClosed] if the deque was released or is a zero value.
func (d *DequeBytes) Push(blob []byte) error {
	h := d.load()
	return h.callPut(func() (int, Error) { return one(h.pushBytes(blob)) })
}

// Pop copies the blob that was pushed last into buffer, removes it and returns its length. It does not
// wait. It is a call of the owner. If the blob is longer than the buffer, it stays in the deque, the error
// is [ErrTooSmall] and n is the length of the blob. Otherwise the error is nil, [ErrEmpty] if there is no
// blob, [ErrMisuse], or [ErrClosed] if the deque was released or is a zero value.
func (d *DequeBytes) Pop(buffer []byte) (n int, err error) {
	h := d.load()
	err = h.callPop(func() (int, Error) {
		var status Error
		n, status = h.takeBytes(buffer, false)
		return one(status)
	})
	return n, err
}

// Ready returns a channel for select that holds a token while a steal may succeed. Receive the token, then steal:
// if the steal returns [ErrEmpty], the next token comes with a push; if it succeeds, the token is back in the
// channel. Release closes the channel. Any number of goroutines may select on the channel; a goroutine that
// receives a token has to try. Each call returns the same channel. It does not wait. Any goroutine may call it at
// any time; after Release, and for a zero value, the channel is closed.
func (d *DequeBytes) Ready() <-chan struct{} { return readyOf(&d.base, consumerOf) }

// Stealer returns the thieves' end of the deque, which keeps the deque from the garbage collector. Any
// goroutine may call it at any time.
func (d *DequeBytes) Stealer() *StealerBytes { return &StealerBytes{d} }

// Release frees the memory of the deque and the blobs in it; from then on its calls, and those of its
// stealers, return [ErrClosed]. It does not wait: while other calls are in flight, the last of them frees
// the memory. The counters are gone, too. Any goroutine may call it at any time and more than once; for a
// zero value it does nothing.
func (d *DequeBytes) Release() { d.release() }

// A StealerBytes is the thieves' end of a [DequeBytes]. Any goroutines may call its methods at the same
// time. The zero value behaves as the stealer of a deque that was released; [DequeBytes.Stealer] returns
// one to use.
type StealerBytes struct {
	deque *DequeBytes
}

// victim returns the deque, or for the zero value one that behaves as released.
func (t *StealerBytes) victim() *DequeBytes {
	if t.deque == nil {
		return new(DequeBytes)
	}
	return t.deque
}

// Steal copies the blob that was pushed first into buffer, removes it and returns its length. It does not
// wait. Even with an error the buffer may hold parts of blobs that other goroutines took. If the blob is
// longer than the buffer, it stays in the deque, the error is [ErrTooSmall] and n is the length of the
// blob. Otherwise the error is nil, [ErrEmpty] if there is no blob, [ErrRetry] if another goroutine took
// that blob meanwhile, so that there may be more, or [ErrClosed] if the deque was released.
func (t *StealerBytes) Steal(buffer []byte) (n int, err error) {
	h := t.victim().load()
	err = h.callGet(func() (int, Error) {
		var status Error
		n, status = h.takeBytes(buffer, true)
		return one(status)
	})
	return n, err
}

// Ready returns the channel of the deque: see [DequeBytes.Ready].
func (t *StealerBytes) Ready() <-chan struct{} { return t.victim().Ready() }

// Len returns the number of blobs in the deque, as [DequeBytes.Len] does.
func (t *StealerBytes) Len() int { return t.victim().Len() }

// Stats returns the counters of the deque, as [DequeBytes.Stats] does.
func (t *StealerBytes) Stats() Stats { return t.victim().Stats() }
