// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import "sync/atomic"

// A base is what all queues share.
type base struct {
	handle atomic.Pointer[handle] // nil: the zero value, or released
}

// load returns the handle, or one whose calls return ErrClosed.
func (b *base) load() *handle {
	if h := b.handle.Load(); h != nil {
		return h
	}
	return releasedHandle
}

// do calls what any goroutine may call at any time; nothing if the queue was released.
func (b *base) do(call func(*handle)) {
	h := b.load()
	if c := h.begin(); c != nil {
		call(h)
		h.leave(c)
	}
}

// observe returns what read returns, or released if the queue was released.
func observe[R any](b *base, read func(*handle) R, released R) R {
	b.do(func(h *handle) { released = read(h) })
	return released
}

func (b *base) release() {
	if h := b.handle.Swap(nil); h != nil {
		h.release()
	}
}

// Len returns the number of items inside at some moment of the call, from 0 to Cap. Items may come or
// go before the caller sees it. It does not wait. Any goroutine may call it at any time; after Release,
// and for a zero value, it returns 0.
func (b *base) Len() int { return observe(b, (*handle).len, 0) }

// Cap returns the number of items that fit inside: exactly the capacity at creation, except for a
// deque that grew. It does not wait. Any goroutine may call it at any time; after Release, and for a
// zero value, it returns 0.
func (b *base) Cap() int { return observe(b, (*handle).capacity, 0) }

// Stats returns the counters. They are read one after the other, so they agree with each other only
// while no other goroutine uses the queue. It does not wait. Any goroutine may call it at any time;
// after Release, and for a zero value, all counters are 0.
func (b *base) Stats() Stats { return observe(b, (*handle).stats, Stats{}) }

// A closable is what all queues share that can be closed.
type closable struct {
	base
}

// Ready returns a channel for select that holds a token while TryGet may succeed. In a batching queue this is
// TryGetBatch, which may succeed when a batch is due, also by its age.
//
// Receive the token, then call TryGet. If it returns [ErrEmpty], the next token comes when there may be an
// item again; if it succeeds, the token is back in the channel. So there is nothing to re-arm. When the queue
// is closed, the channel is closed, and receiving never blocks again. Any number of goroutines may select on
// the channel; a goroutine that receives a token has to try. Another get may take the item first, so a try
// may find nothing.
//
// Each call returns the same channel. It does not wait. Any goroutine may call it at any time; after Release,
// and for a zero value, the channel is closed.
func (q *closable) Ready() <-chan struct{} { return readyOf(&q.base, consumerOf) }

// ReadyToPut returns a channel for select that holds a token while TryPut may succeed. It has the rules of
// Ready: after a token call TryPut; if it returns [ErrFull], the next token comes when there may be room
// again. Any goroutine may call it at any time; after Release, and for a zero value, the channel is closed.
func (q *closable) ReadyToPut() <-chan struct{} { return readyOf(&q.base, producerOf) }

// Close ends the input: later puts return [ErrClosed], gets return the items that are left and then
// ErrClosed. It wakes all calls that wait, and closes the channels of Ready and ReadyToPut. It does not
// wait, and frees nothing. Any goroutine may call it at any time and more than once; after Release, and for
// a zero value, it does nothing.
func (q *closable) Close() { q.do((*handle).close) }

// IsClosed reports whether Close or Release was called. Items may be left. It does not wait. Any
// goroutine may call it at any time; for a zero value it returns true.
func (q *closable) IsClosed() bool { return observe(&q.base, (*handle).isClosed, true) }
