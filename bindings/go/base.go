//go:build cgo

package queues

import "sync/atomic"

// A base is what all queues have in common.
type base struct {
	handle atomic.Pointer[handle] // nil: released
}

// begin begins a call; the handle is nil if the queue was released.
func (b *base) begin() (*handle, *calls) {
	if h := b.handle.Load(); h != nil {
		if c := h.begin(); c != nil {
			return h, c
		}
	}
	return nil, nil
}

func (b *base) release() {
	if h := b.handle.Swap(nil); h != nil {
		h.release()
	}
}

// Len is the number of items inside at some moment of the call, from 0 to Cap.
func (b *base) Len() int {
	h, c := b.begin()
	if h == nil {
		return 0
	}
	defer h.leave(c)
	return h.size()
}

// Cap is the number of items that the queue can hold: exactly what it was created with, unless it is a
// deque that grew.
func (b *base) Cap() int {
	h, c := b.begin()
	if h == nil {
		return 0
	}
	defer h.leave(c)
	return h.room()
}

// Stats reads the counters. They belong together only while nobody uses the queue.
func (b *base) Stats() Stats {
	h, c := b.begin()
	if h == nil {
		return Stats{}
	}
	defer h.leave(c)
	return h.stats()
}

// A closable is what all queues have in common that can be closed.
type closable struct {
	base
}

// Close ends the input. It may be called more than once.
func (q *closable) Close() {
	if h, c := q.begin(); h != nil {
		h.close()
		h.leave(c)
	}
}

// IsClosed tells whether Close or Release was called. Items may be left.
func (q *closable) IsClosed() bool {
	h, c := q.begin()
	if h == nil {
		return true
	}
	defer h.leave(c)
	return h.isClosed()
}
