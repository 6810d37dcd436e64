// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"iter"
	"time"
)

// BatchOptions are when a batch is due and how many items it holds at most. A field that is 0 stands for
// the library's default.
type BatchOptions struct {
	Size       int           // the most items of a batch; that many pending items make one due; 0: 32
	Age        time.Duration // an item that has waited for so long makes a batch due; 0: 10 ms; below 0: never
	Weight     uint64        // the most that a batch weighs; that much pending weight makes one due; 0: no limit
	MaxPending int           // the most items in the queue, not less than Size or its default; 0: 10000
}

func (o BatchOptions) size() int {
	if o.Size == 0 {
		return defaultBatchSize
	}
	return o.Size
}

// A Batch is a bounded queue of Go values, first in, first out, that are taken in batches: when there are
// enough of them, or when the oldest has waited long enough. It serves any number of producers and
// consumers: any goroutines may call all of its methods at the same time. Each item is in one batch.
//
// A batch is due when Size items are pending, or items that weigh Weight together; when the oldest item
// has been in the queue for Age; when Flush was called after the oldest item was put; or when the queue
// is closed. The batch then consists of the oldest items: at most Size of them, and at most Weight
// together, except that an item which is heavier than Weight is a batch of its own.
//
// A goroutine that waits for a batch is parked until a batch is due; a put or a timer wakes the goroutine.
//
// The zero value behaves as a queue that was released; [NewBatch] creates one to use.
type Batch[T any] struct {
	closable
	items valueStore[T]
	size  int
}

// NewBatch creates a queue with options. The error is nil, [ErrInvalid] if Size is above MaxPending, one of
// them is below 0 or (Weight + 1) * (MaxPending + 64 + 2 * Size) is 2^62 or more, and [ErrNoMemory] or
// ErrInvalid if there is no memory for the queue.
func NewBatch[T any](options BatchOptions) (*Batch[T], error) {
	s, err := newBatchSlab[T](options)
	if err != nil {
		return nil, err
	}
	q := &Batch[T]{size: options.size()}
	q.items.init(&q.base, s)
	return q, nil
}

// Put is [Batch.PutWeighted] with weight 1.
func (q *Batch[T]) Put(ctx context.Context, v T) error { return q.PutWeighted(ctx, v, 1) }

// PutWeighted appends v with a weight, which may be 0 and counts if the queue has the option Weight. While
// the queue is full it waits, until there is room, the queue is closed or ctx ends. The error is nil,
// [ErrClosed], or that of ctx, which is returned at once if ctx has ended before the call; unless it is nil, v is not in
// the queue. After Release, and for a zero value, the error is ErrClosed.
func (q *Batch[T]) PutWeighted(ctx context.Context, v T, weight uint64) error {
	return q.items.waitPut(ctx, v, weight)
}

// TryPut is [Batch.Put] without waiting: if the queue is full, the error is [ErrFull].
func (q *Batch[T]) TryPut(v T) error { return q.TryPutWeighted(v, 1) }

// TryPutWeighted is [Batch.PutWeighted] without waiting: if the queue is full, the error is [ErrFull].
func (q *Batch[T]) TryPutWeighted(v T, weight uint64) error { return q.items.tryPut(v, weight) }

// GetBatch removes the next batch that is due and returns it in a new slice, oldest item first; while
// none is due it waits, until one is, the queue is closed and drained or ctx ends. If the deadline of ctx
// passes while it waits, it returns a batch of the items that are pending. The error is nil, [ErrClosed],
// or that of ctx: because ctx was canceled, its deadline passed while no item was pending, or it had ended
// before the call. Unless the error is nil, nothing was removed. After Release, and for a zero value, the
// error is ErrClosed.
func (q *Batch[T]) GetBatch(ctx context.Context) (values []T, err error) {
	_, err = q.takeBatch(ctx, true, q.size, allocate(&values))
	return values, err
}

// GetBatchInto is [Batch.GetBatch] that stores the items in values and returns how many: at most
// len(values), even if the batch has more, so values had better hold Size items. It allocates nothing
// while len(values) or Size is at most 64.
func (q *Batch[T]) GetBatchInto(ctx context.Context, values []T) (n int, err error) {
	return q.takeBatch(ctx, true, min(q.size, len(values)), func(int) []T { return values })
}

// TryGetBatch is [Batch.GetBatch] without waiting: if no batch is due, the error is [ErrEmpty], or
// [ErrClosed] if none can come any more.
func (q *Batch[T]) TryGetBatch() (values []T, err error) {
	_, err = q.takeBatch(context.Background(), false, q.size, allocate(&values))
	return values, err
}

// takeBatch removes a batch of n items, at most limit, and stores them in the slice that place(n) returns.
func (q *Batch[T]) takeBatch(ctx context.Context, wait bool, limit int, place func(n int) []T) (n int, err error) {
	h, s := q.items.load()
	var few [chunk]uintptr
	items := few[:]
	if limit > len(few) {
		items = make([]uintptr, limit)
	}
	err = h.takeBatch(ctx, wait, func(due bool) (_ int, status Error) {
		n, status = h.getBatch(items[:limit], due)
		return n, status
	})
	if err != nil {
		return 0, err
	}
	s.emptyAll(items[:n], place(n))
	return n, nil
}

// allocate returns a function that makes a slice of n elements and stores it in slice.
func allocate[E any](slice *[]E) func(n int) []E {
	return func(n int) []E {
		*slice = make([]E, n)
		return *slice
	}
}

// Flush makes all items that are pending due, in batches of at most Size and Weight; items that are put
// later are not. It does not wait. After Release, and for a zero value, it does nothing.
func (q *Batch[T]) Flush() { q.flush() }

// All returns an iterator that gets batches as GetBatch does, and ends with the first error of GetBatch,
// which it does not return: see [Batch.AllErr]. Leaving the loop early leaves the other items in the
// queue.
func (q *Batch[T]) All(ctx context.Context) iter.Seq[[]T] { return all(ctx, q.GetBatch) }

// AllErr returns an iterator that gets batches as GetBatch does, each with a nil error. It ends with the
// first error of GetBatch and no batch; with no such pair if the error is [ErrClosed].
func (q *Batch[T]) AllErr(ctx context.Context) iter.Seq2[[]T, error] { return allErr(ctx, q.GetBatch) }

// IsDrained reports whether the queue is closed and empty and every put that began before Close has
// ended, so that every later get returns [ErrClosed]. It does not wait. Any goroutine may call it at any
// time; after Release, and for a zero value, it returns true.
func (q *Batch[T]) IsDrained() bool { return q.items.isDrained() }

// Clear removes the items that are inside when it begins and returns how many it removed; the garbage
// collector takes them. It does not wait. Any goroutine may call it at any time. The error is nil; after
// Release, and for a zero value, n is 0.
func (q *Batch[T]) Clear() (n int, err error) { return q.items.clear() }

// Release closes the queue, drops its items and frees its C memory. It does not wait: while other calls
// are in flight, the last of them frees the memory. Items that are left are not returned; the garbage
// collector takes them. The counters are gone, too. Any goroutine may call it at any time and more than
// once; for a zero value it does nothing.
func (q *Batch[T]) Release() { q.items.release(&q.base) }

// Source returns the queue as a [Source] of batches. It has the rules of the queue's own methods.
func (q *Batch[T]) Source() Source[[]T] { return batchSource[[]T]{q} }

// A batchQueue is a queue of batches B.
type batchQueue[B any] interface {
	GetBatch(context.Context) (B, error)
	TryGetBatch() (B, error)
	All(context.Context) iter.Seq[B]
	AllErr(context.Context) iter.Seq2[B, error]
}

// A batchSource has the methods of a batchQueue under the names of a Source.
type batchSource[B any] struct{ batchQueue[B] }

func (s batchSource[B]) Get(ctx context.Context) (B, error) { return s.GetBatch(ctx) }
func (s batchSource[B]) TryGet() (B, error)                 { return s.TryGetBatch() }

func (b *base) flush() {
	b.do(func(h *handle) {
		h.flush()
		if r := &h.consumer; r.waits.state.Load() != 0 {
			h.plan(r)
		}
	})
}

// takeBatch calls take to get a batch that is due, or waits for one. If the deadline of ctx passes during
// the wait, it calls take to get one of what is pending.
func (h *handle) takeBatch(ctx context.Context, wait bool, take func(due bool) (n int, status Error)) error {
	r := &h.consumer
	if wait {
		return h.wait(ctx, r, attempts{
			try:  func() (int, Error) { return take(true) },
			last: func() (int, Error) { return take(false) },
		})
	}
	c, status := h.enter(r)
	if status != statusOK {
		return status
	}
	n, status := r.attempt(func() (int, Error) { return take(true) })
	if status == ErrEmpty && r.waits.asked.Load() {
		h.plan(r)
	}
	notDue := status == ErrEmpty && h.size() > 0
	h.leave(c)
	if notDue { // items that are not due yet are no failure
		return status
	}
	return h.ended(r, status, n)
}

// A BatchBytes is a bounded queue of byte blobs that are taken in batches, with the rules of [Batch]. Any
// goroutines may call all of its methods at the same time. Blobs are copied into the queue and out of it.
//
// The zero value behaves as a queue that was released; [NewBatchBytes] creates one to use.
type BatchBytes struct {
	blobQueue
	size int
}

// NewBatchBytes creates a queue with options of blobs of 0 to size bytes each. The error is nil,
// [ErrInvalid] if size is below 1, or one of [NewBatch].
func NewBatchBytes(size int, options BatchOptions) (*BatchBytes, error) {
	if size < 1 { // to newBatchHandle, 0 means numbers
		return nil, ErrInvalid
	}
	h, err := newBatchHandle(size, options)
	if err != nil {
		return nil, err
	}
	q := &BatchBytes{size: options.size()}
	q.handle.Store(h)
	return q, nil
}

// Put is [BatchBytes.PutWeighted] with weight 1.
func (q *BatchBytes) Put(ctx context.Context, blob []byte) error { return q.PutWeighted(ctx, blob, 1) }

// PutWeighted appends a copy of blob with a weight, which may be 0 and counts if the queue has the option
// Weight. While the queue is full it waits, until there is room, the queue is closed or ctx ends. The error is nil,
// [ErrInvalid] if the blob is longer than the queue's blobs may be, [ErrClosed], or that of ctx, which is
// returned at once if ctx has ended before the call. After Release, and for a zero value, the error is
// ErrClosed.
func (q *BatchBytes) PutWeighted(ctx context.Context, blob []byte, weight uint64) error {
	return q.waitPut(ctx, blob, weight)
}

// TryPut is [BatchBytes.Put] without waiting: if the queue is full, the error is [ErrFull].
func (q *BatchBytes) TryPut(blob []byte) error { return q.TryPutWeighted(blob, 1) }

// TryPutWeighted is [BatchBytes.PutWeighted] without waiting: if the queue is full, the error is
// [ErrFull].
func (q *BatchBytes) TryPutWeighted(blob []byte, weight uint64) error { return q.tryPut(blob, weight) }

// GetBatch removes the next batch and returns its blobs, with the waiting and the errors of
// [Batch.GetBatch]. The blobs are copies, one behind the other in new memory that belongs to the caller.
func (q *BatchBytes) GetBatch(ctx context.Context) (blobs [][]byte, err error) {
	_, err = q.takeBatch(ctx, true, q.size, nil, allocate(&blobs))
	return blobs, err
}

// GetBatchInto is [BatchBytes.GetBatch] that copies the blobs into buffer, one behind the other, stores a
// slice of buffer for each in blobs, and returns how many: at most len(blobs). If they are longer than the
// buffer together, they stay in the queue, the error is [ErrTooSmall] and n is the length of all of them;
// Size times the longest blob of the queue is always enough. It allocates nothing while len(blobs) or Size
// is at most 64.
func (q *BatchBytes) GetBatchInto(ctx context.Context, buffer []byte, blobs [][]byte) (n int, err error) {
	if buffer == nil {
		buffer = []byte{}
	}
	return q.takeBatch(ctx, true, min(q.size, len(blobs)), buffer, func(int) [][]byte { return blobs })
}

// TryGetBatch is [BatchBytes.GetBatch] without waiting: if no batch is due, the error is [ErrEmpty], or
// [ErrClosed] if none can come any more.
func (q *BatchBytes) TryGetBatch() (blobs [][]byte, err error) {
	_, err = q.takeBatch(context.Background(), false, q.size, nil, allocate(&blobs))
	return blobs, err
}

// takeBatch removes a batch of n blobs, at most limit, copies them into buffer, or into new memory if buffer
// is nil, and stores a slice of that memory for each in the slice that place(n) returns.
func (q *BatchBytes) takeBatch(ctx context.Context, wait bool, limit int, buffer []byte, place func(n int) [][]byte) (n int, err error) {
	h := q.load()
	var few [chunk]extent
	extents := few[:]
	if limit > len(few) {
		extents = make([]extent, limit)
	}
	grows := buffer == nil
	err = h.takeBatch(ctx, wait, func(due bool) (_ int, status Error) {
		n, status = h.getBatchBytes(buffer, extents[:limit], due)
		for grows && status == ErrTooSmall {
			buffer = make([]byte, n)
			n, status = h.getBatchBytes(buffer, extents[:limit], due)
		}
		return n, status
	})
	if err != nil {
		return n, err
	}
	blobs := place(n)
	for k, e := range extents[:n] {
		blobs[k] = e.of(buffer)
	}
	return n, nil
}

// Flush makes all blobs that are pending due, in batches of at most Size and Weight; blobs that are put
// later are not. It does not wait. After Release, and for a zero value, it does nothing.
func (q *BatchBytes) Flush() { q.flush() }

// All returns an iterator over batches of blobs, as [Batch.All] does.
func (q *BatchBytes) All(ctx context.Context) iter.Seq[[][]byte] { return all(ctx, q.GetBatch) }

// AllErr returns an iterator over batches of blobs and errors, as [Batch.AllErr] does.
func (q *BatchBytes) AllErr(ctx context.Context) iter.Seq2[[][]byte, error] {
	return allErr(ctx, q.GetBatch)
}

// Source returns the queue as a [Source] of batches. It has the rules of the queue's own methods.
func (q *BatchBytes) Source() Source[[][]byte] { return batchSource[[][]byte]{q} }
