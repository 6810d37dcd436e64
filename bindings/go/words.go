// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"iter"
	"unsafe"
)

// A wordQueue is a queue of numbers, first in, first out, which the library stores as pointers.
type wordQueue struct {
	closable
}

func (q *wordQueue) init(family family, capacity int) error {
	h, err := newHandle(family, capacity, 0)
	if err == nil {
		q.handle.Store(h)
	}
	return err
}

// Put appends v; while the queue is full it waits, until there is room, the queue is closed or ctx ends. The
// error is nil, [ErrClosed], that of ctx, which is returned at once if ctx has ended before the call, or
// [ErrInvalid] if v is longer than a pointer. Any goroutine may call it at any time, except on an [SPSCWords],
// where only one producer may at a time: the error is [ErrMisuse] while another goroutine is in a call of the
// producer. After Release, and for a zero value, the error is ErrClosed.
func (q *wordQueue) Put(ctx context.Context, v uint64) error {
	h := q.load()
	return h.waitPut(ctx, func() (int, Error) { return one(h.putWord(v)) })
}

// TryPut is Put without waiting: if the queue is full, the error is [ErrFull].
func (q *wordQueue) TryPut(v uint64) error {
	h := q.load()
	return h.callPut(func() (int, Error) { return one(h.putWord(v)) })
}

func (h *handle) putWord(v uint64) Error {
	word := uintptr(v)
	if uint64(word) != v {
		return ErrInvalid
	}
	return h.tryPut(word, 0)
}

// Get removes the oldest number and returns it; while there is none it waits, until there is a number, the queue
// is closed and drained or ctx ends. The error is nil, [ErrClosed], or that of ctx, which is returned at once if
// ctx has ended before the call. Any goroutine may call it at any time, except on an [SPSCWords], where only one
// consumer may at a time: the error is [ErrMisuse] while another goroutine is in a call of the consumer. After
// Release, and for a zero value, the error is ErrClosed.
func (q *wordQueue) Get(ctx context.Context) (v uint64, err error) {
	h := q.load()
	err = h.waitGet(ctx, func() (int, Error) {
		word, _, status := h.tryGet()
		v = uint64(word)
		return one(status)
	})
	return v, err
}

// TryGet is Get without waiting: if there is no number, the error is [ErrEmpty], or [ErrClosed] if no number can
// come anymore.
func (q *wordQueue) TryGet() (v uint64, err error) {
	h := q.load()
	err = h.callGet(func() (int, Error) {
		word, _, status := h.tryGet()
		v = uint64(word)
		return one(status)
	})
	return v, err
}

// All returns an iterator that gets numbers as Get does, and ends with the first error of Get, which it does not
// return: see AllErr. Leaving the loop early leaves the other numbers in the queue.
func (q *wordQueue) All(ctx context.Context) iter.Seq[uint64] { return all(ctx, q.Get) }

// AllErr returns an iterator that gets numbers as Get does, each with a nil error. It ends with the first error of
// Get and 0; with no such pair if the error is [ErrClosed].
func (q *wordQueue) AllErr(ctx context.Context) iter.Seq2[uint64, error] { return allErr(ctx, q.Get) }

// Clear removes the numbers that are inside when it begins and returns how many it removed. It does not wait.
// The error is nil, and any goroutine may call it at any time; except on an [SPSCWords], where it is a call of
// the consumer and the error is [ErrMisuse] while another goroutine is in one. After Release, and for a zero
// value, it returns 0 and nil.
func (q *wordQueue) Clear() (n int, err error) {
	h := q.load()
	return clearBy(h, func() int {
		n, _ := h.clear()
		return n
	})
}

// Release closes the queue and frees its memory. It does not wait: while other calls are in flight, the last of
// them frees the memory. The counters are gone, too. A queue of [FromHandle] is not closed. Any goroutine may
// call it at any time and more than once; for a zero value it does nothing.
func (q *wordQueue) Release() { q.release() }

// Handle returns the queue as the C library knows it: see [MPMCBytes.Handle].
func (q *wordQueue) Handle() unsafe.Pointer { return handleOf(&q.base) }

// An MPMCWords is a bounded queue of numbers, first in, first out, for any number of producers and consumers. In
// C it is a queue of pointers; [MPMC] holds numbers in Go at lower cost. Any goroutines may call all of its methods at
// the same time.
//
// The zero value behaves as a queue that was released; [NewMPMCWords] and [FromHandle] create one to use.
type MPMCWords struct {
	wordQueue
}

// NewMPMCWords creates a queue that holds up to capacity numbers. The error is nil, [ErrInvalid] if capacity is
// below 1, and [ErrNoMemory] or ErrInvalid if there is no memory for it.
func NewMPMCWords(capacity int) (*MPMCWords, error) {
	q := new(MPMCWords)
	return nilOnError(q, q.init(mpmc, capacity))
}

// An SPSCWords is an [MPMCWords] for one producer and one consumer at a time, with the rules of [SPSC]: Put and
// TryPut are calls of the producer; Get, TryGet, All, AllErr and Clear are calls of the consumer.
//
// The zero value behaves as a queue that was released; [NewSPSCWords] and [FromHandle] create one to use.
type SPSCWords struct {
	wordQueue
}

// NewSPSCWords creates a queue that holds up to capacity numbers. The error is nil, [ErrInvalid] if capacity is
// below 1, and [ErrNoMemory] or ErrInvalid if there is no memory for it.
func NewSPSCWords(capacity int) (*SPSCWords, error) {
	q := new(SPSCWords)
	return nilOnError(q, q.init(spsc, capacity))
}
