// Package queues is the Go binding of the queues library: bounded concurrent queues that can be
// closed, waited for with a [context.Context], filled and emptied in bulk, and watched by statistics.
//
// There are five families. [MPMC] serves any number of producers and consumers; [SPSC] serves one
// goroutine at each end and costs less in bulk; [Priority] serves any number, lowest priority first;
// [Deque] serves one owner, who pushes and pops at one end, and any number of thieves at the other;
// [Batch] serves any number, and its items leave in batches. All hold Go values of any type;
// [MPMCBytes], [SPSCBytes], [PriorityBytes], [DequeBytes] and [BatchBytes] hold byte blobs that are
// copied into the memory of the C library, where the garbage collector has nothing to scan.
//
// # Putting and getting
//
// Put and Get wait: for room, for an item, for Close or for their context. A context that is done
// already makes them return its error at once, whatever the queue holds. TryPut and TryGet never
// wait. PutMany and GetMany move many items for the price of a few calls into C, which at tens of
// nanoseconds each cost more than the queue itself. A goroutine that waits holds no thread; it looks
// at the queue again after a sleep that grows to a millisecond at most.
//
// Items leave in the order in which they came in, on a priority queue those of equal priority. A put
// happens before the get that returns its item, and Close before a call that returns [ErrClosed]: as for
// channels, and the race detector knows it. A deque has calls of its own, none of which waits.
//
// # Closing and releasing
//
// Close ends the input: a later put returns [ErrClosed], gets drain what is inside and then return
// ErrClosed as well, and all that wait are woken. No item that was accepted is lost. A deque has no
// Close: its owner knows when nothing more is to come. Close frees
// nothing: the memory, in Go and in C, goes when the garbage collector finds the queue unreachable.
// Release does not wait for that: it closes, lets go of the items that are left and of the memory,
// although the queue itself is still referred to. Both may be called at any time, by any goroutine and
// more than once; a queue that was released, like the zero value of its type, behaves as one that is
// closed and drained, with a capacity of 0.
package queues

import (
	"context"
	"iter"
	"sync/atomic"
)

// Stats are the counters of a queue since its creation. A call that waited counts as failed only if
// it gave up. The JSON is that of the C library.
type Stats struct {
	Enqueued      uint64 `json:"enqueued"`       // items put
	Dequeued      uint64 `json:"dequeued"`       // items got
	FailedEnqueue uint64 `json:"failed_enqueue"` // puts that found no room
	FailedDequeue uint64 `json:"failed_dequeue"` // gets that found no item
	PeakSize      uint64 `json:"peak_size"`      // the most items it ever held
	CurrentSize   uint64 `json:"current_size"`   // the items it holds
	Capacity      uint64 `json:"capacity"`       // the most items it can hold
	Stolen        uint64 `json:"stolen"`         // items that thieves took from a deque, which are dequeued too
}

// NamedStats are the statistics of a queue with the name that a page of metrics shows them under.
type NamedStats struct {
	Name string
	Stats
}

// A base is what all queues have in common.
type base struct {
	handle atomic.Pointer[handle] // nil: released
}

// Len is the number of items inside at some moment of the call, from 0 to Cap.
func (b *base) Len() int {
	h := b.handle.Load()
	if h == nil {
		return 0
	}
	return h.size()
}

// Cap is the number of items that the queue can hold: exactly what it was created with, unless it is a
// deque that grew.
func (b *base) Cap() int {
	h := b.handle.Load()
	if h == nil {
		return 0
	}
	return h.room()
}

// Stats reads the counters. They belong together only while nobody uses the queue.
func (b *base) Stats() Stats {
	h := b.handle.Load()
	if h == nil {
		return Stats{}
	}
	return h.stats()
}

// A closable is what all queues have in common that can be closed.
type closable struct {
	base
}

// Close ends the input. It may be called more than once.
func (c *closable) Close() {
	if h := c.handle.Load(); h != nil {
		h.close()
	}
}

// IsClosed tells whether Close or Release was called. Items may be left.
func (c *closable) IsClosed() bool {
	h := c.handle.Load()
	return h == nil || h.isClosed()
}

// A store holds Go values, whatever its family.
type store[T any] struct {
	closable
	slab atomic.Pointer[slab[T]] // nil: released
}

func (q *store[T]) init(family family, capacity int) error {
	s, err := newSlab[T](family, capacity)
	if err == nil {
		q.keep(s)
	}
	return err
}

func (q *store[T]) keep(s *slab[T]) {
	q.handle.Store(s.handle)
	q.slab.Store(s)
}

// Release closes the queue, and drops the items inside and the memory as soon as the calls under way
// are through and the garbage collector has run. The counters are gone, too.
func (q *store[T]) Release() {
	q.Close()
	q.slab.Store(nil)
	q.handle.Store(nil)
}

// IsDrained tells whether the queue is closed, nothing is left in it, and no put is under way any more
// that began before: from then on every get fails. On an SPSC queue it is a call of the consumer, and
// false while another consumer is in a call.
func (q *store[T]) IsDrained() bool {
	s := q.slab.Load()
	if s == nil {
		return true
	}
	if !s.get.enter() {
		return false
	}
	drained := s.isDrained()
	s.get.leave()
	return drained
}

// Clear removes the items that are inside when it begins and returns how many it removed. On an SPSC
// queue it is a call of the consumer, and does nothing while another consumer is in a call.
func (q *store[T]) Clear() int {
	s := q.slab.Load()
	if s == nil || !s.get.enter() {
		return 0
	}
	defer s.get.leave()
	return s.discard()
}

// A queue holds Go values, first in, first out.
type queue[T any] struct {
	store[T]
}

// Put appends v and waits while the queue is full. It returns nil, [ErrClosed] or the error of ctx;
// on an SPSC queue [ErrMisuse], too. Unless it returns nil, v is not in the queue.
func (q *queue[T]) Put(ctx context.Context, v T) error {
	s := q.slab.Load()
	if s == nil {
		return ErrClosed
	}
	return s.put.wait(ctx, ErrFull, func() (int, Error) { return 0, s.tryPut(v, 0) })
}

// TryPut appends v or returns [ErrFull] or [ErrClosed] at once; on an SPSC queue [ErrMisuse], too.
func (q *queue[T]) TryPut(v T) error {
	s := q.slab.Load()
	if s == nil {
		return ErrClosed
	}
	if !s.put.enter() {
		return ErrMisuse
	}
	status := s.tryPut(v, 0)
	s.put.leave()
	return status.orNil()
}

// Get removes the oldest item and waits while there is none. The error is nil, [ErrClosed] if the
// queue is closed and drained, or that of ctx; on an SPSC queue [ErrMisuse], too.
func (q *queue[T]) Get(ctx context.Context) (v T, err error) {
	s := q.slab.Load()
	if s == nil {
		return v, ErrClosed
	}
	err = s.get.wait(ctx, ErrEmpty, func() (_ int, status Error) {
		v, _, status = s.tryGet()
		return 0, status
	})
	return v, err
}

// TryGet removes the oldest item; false if there is none: IsDrained tells whether one may still come.
// On an SPSC queue it is false, too, while another consumer is in a call.
func (q *queue[T]) TryGet() (v T, found bool) {
	s := q.slab.Load()
	if s == nil || !s.get.enter() {
		return v, false
	}
	v, _, status := s.tryGet()
	s.get.leave()
	return v, status == done
}

// PutMany appends the values in order and waits whenever the queue is full. It returns how many went
// in, which is all of them unless the error is not nil; the errors are those of Put. Items of other
// producers may come between.
func (q *queue[T]) PutMany(ctx context.Context, values []T) (n int, err error) {
	s := q.slab.Load()
	if s == nil {
		return 0, ErrClosed
	}
	err = s.put.wait(ctx, ErrFull, func() (int, Error) {
		moved, status := s.tryPutMany(values[n:])
		n += moved
		return moved, status
	})
	return n, err
}

// GetMany waits until there is an item, then removes what is there, oldest first, up to len(values).
// It returns how many it got; unless that is 0 the error is nil. The errors are those of Get.
func (q *queue[T]) GetMany(ctx context.Context, values []T) (n int, err error) {
	s := q.slab.Load()
	if s == nil {
		return 0, ErrClosed
	}
	err = s.get.wait(ctx, ErrEmpty, func() (_ int, status Error) {
		n, status = s.tryGetMany(values)
		return n, status
	})
	return n, err
}

// All ranges over the items, removing and waiting as Get does. It ends when Get returns an error: when
// ctx is done, as ctx.Err tells, or the queue is closed and drained.
func (q *queue[T]) All(ctx context.Context) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := q.Get(ctx)
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

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

// Release closes the queue and drops the memory as soon as the calls under way are through and the
// garbage collector has run. The counters are gone, too.
func (q *blobStore) Release() {
	q.Close()
	q.handle.Store(nil)
}

// Clear removes the blobs that are inside and returns how many it removed. On an SPSC queue it is a
// call of the consumer, and does nothing while another consumer is in a call.
func (q *blobStore) Clear() int {
	h := q.handle.Load()
	if h == nil || !h.get.enter() {
		return 0
	}
	defer h.get.leave()
	return h.clear()
}

// read gets the blob in front without waiting, or only copies it if it is to keep.
func (q *blobStore) read(buffer []byte, keep bool) (int, float64, error) {
	h := q.handle.Load()
	if h == nil {
		return 0, 0, ErrClosed
	}
	if !h.get.enter() {
		return 0, 0, ErrMisuse
	}
	n, priority, status := h.readBytes(buffer, keep)
	h.get.leave()
	return n, priority, status.orNil()
}

// A bytesQueue holds blobs, first in, first out.
type bytesQueue struct {
	blobStore
}

// Put appends a copy of blob and waits while the queue is full. It returns nil, [ErrInvalid] if the
// blob is longer than the queue's blobs may be, [ErrClosed] or the error of ctx; on an SPSC queue
// [ErrMisuse], too.
func (q *bytesQueue) Put(ctx context.Context, blob []byte) error {
	h := q.handle.Load()
	if h == nil {
		return ErrClosed
	}
	return h.put.wait(ctx, ErrFull, func() (int, Error) { return 0, h.tryPutBytes(blob, 0) })
}

// TryPut appends a copy of blob or returns at once: [ErrFull] or an error of Put.
func (q *bytesQueue) TryPut(blob []byte) error {
	h := q.handle.Load()
	if h == nil {
		return ErrClosed
	}
	if !h.put.enter() {
		return ErrMisuse
	}
	status := h.tryPutBytes(blob, 0)
	h.put.leave()
	return status.orNil()
}

// Get copies the oldest blob into buffer, removes it and returns its length; it waits while there is
// none. If the blob is longer than the buffer it stays where it is: then the error is [ErrTooSmall]
// and n is the length that is needed. Otherwise the error is nil, [ErrClosed] if the queue is closed
// and drained, or that of ctx; on an SPSC queue [ErrMisuse], too.
func (q *bytesQueue) Get(ctx context.Context, buffer []byte) (n int, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, ErrClosed
	}
	err = h.get.wait(ctx, ErrEmpty, func() (_ int, status Error) {
		n, _, status = h.readBytes(buffer, false)
		return 0, status
	})
	return n, err
}

// TryGet is Get without waiting: [ErrEmpty] if there is no blob.
func (q *bytesQueue) TryGet(buffer []byte) (n int, err error) {
	n, _, err = q.read(buffer, false)
	return n, err
}

// Peek is TryGet that leaves the blob where it is. On an MPMC queue another consumer may take it at
// once.
func (q *bytesQueue) Peek(buffer []byte) (n int, err error) {
	n, _, err = q.read(buffer, true)
	return n, err
}

// All ranges over the blobs, removing and waiting as Get does. A blob is valid until the next step. The
// range ends when Get returns an error: when ctx is done, as ctx.Err tells, or the queue is closed and
// drained.
func (q *bytesQueue) All(ctx context.Context) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		h := q.handle.Load()
		if h == nil {
			return
		}
		buffer := make([]byte, h.itemSize)
		for {
			n, err := q.Get(ctx, buffer)
			if err != nil || !yield(buffer[:n]) {
				return
			}
		}
	}
}
