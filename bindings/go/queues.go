//go:build cgo

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
// Close: its owner knows when nothing more is to come. Close frees nothing.
//
// Release frees: it closes, and gives the C memory back when the last call under way leaves, at once if
// there is none; the items that are left, and the rest of the Go memory, are the garbage collector's
// from then on. Close and Release may be called at any time, by any goroutine and more than once. A
// queue that was released, like the zero value of its type, behaves as one that is closed and drained,
// with a capacity of 0.
//
// The memory of a queue that is dropped without Release goes when the garbage collector finds it
// unreachable. The collector does not know how much C memory that is; [SetCollectionThreshold] says what
// the package does about it.
//
// # Errors and iterators
//
// What fails returns an error last, and nothing else with it unless the call says so: the sentinels from
// [ErrEmpty] to [ErrMisuse], or the error of the context. All ranges over items until there are no more
// and does not tell why; AllErr ranges over items and errors, and the last pair has the error that ended
// it, unless that is ErrClosed. [Source] and [Sink] are what the queues have in common, for code that
// serves several of them.
package queues

import (
	"context"
	"iter"
	"sync/atomic"
)

// Stats are the counters of a queue since its creation. Those of items and of failures never go down
// before Release. A try that found no room, or nothing to get, is a failure, and a wait that its context
// ended; a wait that succeeds is none, however long it took, and neither is a call that was turned away:
// by its context before it began, by Close, as a misuse, or after a lost race. The JSON is that of the C
// library.
type Stats struct {
	Enqueued      uint64 `json:"enqueued"`       // items put
	Dequeued      uint64 `json:"dequeued"`       // items got, or cleared
	FailedEnqueue uint64 `json:"failed_enqueue"` // puts that found no room, or no memory to grow
	FailedDequeue uint64 `json:"failed_dequeue"` // gets that found no item, or no batch that is due
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

// A queue holds Go values, first in, first out.
type queue[T any] struct {
	store[T]
}

func (q *queue[T]) get(ctx context.Context) (T, error) {
	v, _, err := q.waitGet(ctx)
	return v, err
}

func (q *queue[T]) putMany(ctx context.Context, values []T) (n int, err error) {
	s := q.slab.Load()
	if s == nil {
		return 0, ErrClosed
	}
	err = s.wait(ctx, &s.put, ErrFull, func() (int, Error) {
		moved, status := s.tryPutMany(values[n:])
		n += moved
		return moved, status
	}, nil)
	return n, err
}

func (q *queue[T]) getMany(ctx context.Context, values []T) (n int, err error) {
	s := q.slab.Load()
	if s == nil {
		return 0, ErrClosed
	}
	err = s.waitGet(ctx, func() (status Error) {
		n, status = s.tryGetMany(values)
		return status
	})
	return n, err
}

// each ranges over what get returns until it fails.
func each[V any](ctx context.Context, get func(context.Context) (V, error)) iter.Seq[V] {
	return func(yield func(V) bool) {
		for {
			v, err := get(ctx)
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// eachErr does the same and ends with the error, but for ErrClosed.
func eachErr[V any](ctx context.Context, get func(context.Context) (V, error)) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for {
			v, err := get(ctx)
			if err == ErrClosed || !yield(v, err) || err != nil {
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

// Release closes the queue. Its memory, and the blobs in it, go when the last call under way leaves: now,
// if there is none. The counters are gone, too.
func (q *blobStore) Release() { q.release() }

// Clear removes the blobs that are inside and returns how many it removed. On an SPSC queue it is a
// call of the consumer, and returns [ErrMisuse] while another consumer is in a call; otherwise the error
// is nil.
func (q *blobStore) Clear() (n int, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, nil
	}
	c, status := h.enter(&h.get)
	if status == ErrClosed { // released: nothing is inside
		return 0, nil
	}
	if status != done {
		return 0, status
	}
	defer h.leave(c)
	return h.clear(), nil
}

func (q *blobStore) waitPut(ctx context.Context, blob []byte, with uint64) error {
	h := q.handle.Load()
	if h == nil {
		return ErrClosed
	}
	return h.waitPut(ctx, func() Error { return h.tryPutBytes(blob, with) })
}

func (q *blobStore) tryPut(blob []byte, with uint64) error {
	h := q.handle.Load()
	if h == nil {
		return ErrClosed
	}
	return h.try(&h.put, func() Error { return h.tryPutBytes(blob, with) })
}

func (q *blobStore) waitGet(ctx context.Context, buffer []byte) (n int, priority float64, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, 0, ErrClosed
	}
	err = h.waitGet(ctx, func() (status Error) {
		n, priority, status = h.readBytes(buffer, false)
		return status
	})
	return n, priority, err
}

func (q *blobStore) tryGet(buffer []byte) (n int, priority float64, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, 0, ErrClosed
	}
	err = h.try(&h.get, func() (status Error) {
		n, priority, status = h.readBytes(buffer, false)
		return status
	})
	return n, priority, err
}

// peek is no get, and so no failure.
func (q *blobStore) peek(buffer []byte) (n int, priority float64, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, 0, ErrClosed
	}
	c, status := h.enter(&h.get)
	if status == done {
		n, priority, status = h.readBytes(buffer, true)
		h.leave(c)
	}
	return n, priority, status.orNil()
}

// buffer is for any blob of the queue; nil if it was released.
func (q *blobStore) buffer() []byte {
	if h := q.handle.Load(); h != nil {
		return make([]byte, h.itemSize)
	}
	return nil
}

// A bytesQueue holds blobs, first in, first out.
type bytesQueue struct {
	blobStore
}

// Put appends a copy of blob and waits while the queue is full. It returns nil, [ErrInvalid] if the
// blob is longer than the queue's blobs may be, [ErrClosed] or the error of ctx; on an SPSC queue
// [ErrMisuse], too.
func (q *bytesQueue) Put(ctx context.Context, blob []byte) error { return q.waitPut(ctx, blob, 0) }

// TryPut appends a copy of blob or returns at once: [ErrFull] or an error of Put.
func (q *bytesQueue) TryPut(blob []byte) error { return q.tryPut(blob, 0) }

// Get copies the oldest blob into buffer, removes it and returns its length; it waits while there is
// none. If the blob is longer than the buffer it stays where it is: then the error is [ErrTooSmall]
// and n is the length that is needed. Otherwise the error is nil, [ErrClosed] if the queue is closed
// and drained, or that of ctx; on an SPSC queue [ErrMisuse], too.
func (q *bytesQueue) Get(ctx context.Context, buffer []byte) (n int, err error) {
	n, _, err = q.waitGet(ctx, buffer)
	return n, err
}

// TryGet is Get without waiting: [ErrEmpty] if there is no blob.
func (q *bytesQueue) TryGet(buffer []byte) (n int, err error) {
	n, _, err = q.tryGet(buffer)
	return n, err
}

// Peek is TryGet that leaves the blob where it is. On an MPMC queue another consumer may take it at
// once.
func (q *bytesQueue) Peek(buffer []byte) (n int, err error) {
	n, _, err = q.peek(buffer)
	return n, err
}

// All ranges over the blobs, removing and waiting as Get does. A blob is valid until the next step. The
// range ends when Get returns an error; AllErr tells which.
func (q *bytesQueue) All(ctx context.Context) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { each(ctx, q.getInto(q.buffer()))(yield) }
}

// AllErr is All that ends with the error of Get and no blob, unless the queue is closed and drained.
func (q *bytesQueue) AllErr(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { eachErr(ctx, q.getInto(q.buffer()))(yield) }
}

func (q *bytesQueue) getInto(buffer []byte) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		n, err := q.Get(ctx, buffer)
		if err != nil {
			return nil, err
		}
		return buffer[:n], nil
	}
}
