//go:build cgo

package queues

import (
	"context"
	"iter"
	"time"
)

// BatchOptions say when a batch is due and what it holds at most. What is 0 is the library's default.
type BatchOptions struct {
	Size       int           // the most items of a batch, and how many make one due; 0: 32
	Age        time.Duration // how long an item waits for others; 0: 10 ms; below 0: for ever
	Weight     uint64        // the most that a batch weighs, and how much makes one due; 0: no limit
	MaxPending int           // the most items in the queue, not less than Size; 0: 10000
}

func (o BatchOptions) size() int {
	if o.Size == 0 {
		return 32 // the library's default
	}
	return o.Size
}

// A Batch is a queue of Go values whose items are taken in batches: when there are enough of them, or
// when the oldest has waited long enough. They leave in the order in which they came in, each in one
// batch. All its methods may be called by any goroutine at any time.
//
// A batch is due when Size items are pending, or items that weigh Weight together; when the oldest has
// been in the queue for Age; when Flush was called after the oldest was put; or when the queue is
// closed. It is then made of the oldest items: Size at most, and Weight at most, but for a single item
// that is heavier and travels alone.
//
// A goroutine that waits for a batch looks for one after sleeps of up to a millisecond: so much later
// than Age says it may get one.
type Batch[T any] struct {
	closable
	items store[T]
	size  int
}

// NewBatch creates a queue whose batches keep to the options. It returns [ErrInvalid] if a batch does not
// fit into the queue or an option is below 0 (but for Age), and [ErrInvalid] or [ErrNoMemory] for what no
// memory could hold.
func NewBatch[T any](options BatchOptions) (*Batch[T], error) {
	s, err := newBatchSlab[T](options)
	if err != nil {
		return nil, err
	}
	q := &Batch[T]{size: options.size()}
	q.items.keep(&q.base, s)
	return q, nil
}

// Put puts v, of weight 1, and waits while the queue is full. It returns nil, [ErrClosed] or the error of
// ctx. Unless it returns nil, v is not in the queue.
func (q *Batch[T]) Put(ctx context.Context, v T) error { return q.PutWeighted(ctx, v, 1) }

// PutWeighted is Put with the weight that v counts for, if the queue's options have a Weight.
func (q *Batch[T]) PutWeighted(ctx context.Context, v T, weight uint64) error {
	return q.items.waitPut(ctx, v, weight)
}

// TryPut puts v, of weight 1, or returns at once: [ErrFull], or an error of Put.
func (q *Batch[T]) TryPut(v T) error { return q.TryPutWeighted(v, 1) }

// TryPutWeighted is TryPut with the weight that v counts for.
func (q *Batch[T]) TryPutWeighted(v T, weight uint64) error { return q.items.tryPut(v, weight) }

// GetBatch removes the next batch that is due, oldest item first, and waits for one. If meanwhile the
// deadline of ctx passes, it removes what is pending. The error is nil, [ErrClosed] if the queue is
// closed and drained, or that of ctx: because it was canceled, or its deadline passed and nothing was
// pending, or it was over before the call.
func (q *Batch[T]) GetBatch(ctx context.Context) (values []T, err error) {
	_, err = q.takeBatch(waiting(ctx), q.size, func(n int) []T {
		values = make([]T, n)
		return values
	})
	return values, err
}

// GetBatchInto is GetBatch into values: it removes len(values) items at most, so that is best not less
// than Size, and returns how many. While it is 64 or less, nothing is allocated.
func (q *Batch[T]) GetBatchInto(ctx context.Context, values []T) (n int, err error) {
	return q.takeBatch(waiting(ctx), min(q.size, len(values)), func(int) []T { return values })
}

// TryGetBatch is GetBatch without waiting: [ErrEmpty] if no batch is due, and one may still come.
func (q *Batch[T]) TryGetBatch() (values []T, err error) {
	_, err = q.takeBatch(trying, q.size, func(n int) []T {
		values = make([]T, n)
		return values
	})
	return values, err
}

// takeBatch removes a batch of n items, at most `most`, and stores them in the slice that place(n) returns.
func (q *Batch[T]) takeBatch(way way, most int, place func(n int) []T) (n int, err error) {
	s := q.items.slab.Load()
	if s == nil {
		return 0, ErrClosed
	}
	var few [bulk]uintptr
	items := few[:]
	if most > bulk {
		items = make([]uintptr, most)
	}
	err = s.takeBatch(way, func(due bool) (status Error) {
		n, status = s.getBatch(items[:most], due)
		return status
	})
	if err != nil {
		return 0, err
	}
	values := place(n)
	s.emptyAll(items[:n], values)
	return n, nil
}

// Flush makes everything that is pending due, in batches of the usual size; what is put later is not.
func (q *Batch[T]) Flush() { q.flush() }

// All ranges over the batches, removing and waiting as GetBatch does. It ends when GetBatch returns an
// error; AllErr tells which.
func (q *Batch[T]) All(ctx context.Context) iter.Seq[[]T] { return each(ctx, q.GetBatch) }

// AllErr is All that ends with the error of GetBatch and no batch, unless the queue is closed and drained.
func (q *Batch[T]) AllErr(ctx context.Context) iter.Seq2[[]T, error] { return eachErr(ctx, q.GetBatch) }

// IsDrained tells whether the queue is closed, nothing is left in it, and no put is under way any more
// that began before: from then on every get fails.
func (q *Batch[T]) IsDrained() bool { return q.items.isDrained() }

// Clear removes the items that are inside when it begins and returns how many it removed. The error is
// nil.
func (q *Batch[T]) Clear() (n int, err error) { return q.items.clear() }

// Release closes the queue. Its C memory goes when the last call under way leaves: now, if there is none.
// The items that are left are the garbage collector's. The counters are gone, too.
func (q *Batch[T]) Release() { q.items.release(&q.base) }

// Source returns the end to get batches from.
func (q *Batch[T]) Source() Source[[]T] { return batchSource[[]T]{q} }

// A batcher is a queue that gives batches.
type batcher[B any] interface {
	GetBatch(context.Context) (B, error)
	TryGetBatch() (B, error)
	All(context.Context) iter.Seq[B]
	AllErr(context.Context) iter.Seq2[B, error]
}

type batchSource[B any] struct{ batcher[B] }

func (s batchSource[B]) Get(ctx context.Context) (B, error) { return s.GetBatch(ctx) }
func (s batchSource[B]) TryGet() (B, error)                 { return s.TryGetBatch() }

func (b *base) flush() {
	if h, c := b.begin(); h != nil {
		h.flush()
		h.leave(c)
	}
}

// A way to take a batch: by one try, or waiting with a context.
type way struct {
	ctx  context.Context
	once bool
}

var trying = way{once: true}

func waiting(ctx context.Context) way { return way{ctx: ctx} }

// takeBatch takes a batch that is due. When the deadline of a context passes meanwhile, it takes what
// there is.
func (h *handle) takeBatch(way way, take func(due bool) Error) error {
	if way.once {
		c, status := h.enter(&h.get)
		if status != done {
			return status
		}
		status = take(true)
		if status != ErrEmpty || h.size() == 0 { // items that are not due yet are no failure
			h.get.note(status)
		}
		h.leave(c)
		return status.orNil()
	}
	return h.wait(way.ctx, &h.get, ErrEmpty, func() (int, Error) { return 0, take(true) },
		func() Error { return take(false) })
}

// A BatchBytes is a queue of byte blobs with the batches and the rules of [Batch].
type BatchBytes struct {
	blobStore
	size int
}

// NewBatchBytes creates a queue of blobs of 0 to size bytes each, whose batches keep to the options. It
// returns [ErrInvalid] for a size below 1, and the errors of [NewBatch].
func NewBatchBytes(size int, options BatchOptions) (*BatchBytes, error) {
	if size < 1 {
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

// Put puts a copy of blob, of weight 1, and waits while the queue is full. It returns nil, [ErrInvalid] if
// the blob is longer than the queue's blobs may be, [ErrClosed] or the error of ctx.
func (q *BatchBytes) Put(ctx context.Context, blob []byte) error { return q.PutWeighted(ctx, blob, 1) }

// PutWeighted is Put with the weight that the blob counts for, if the queue's options have a Weight.
func (q *BatchBytes) PutWeighted(ctx context.Context, blob []byte, weight uint64) error {
	return q.waitPut(ctx, blob, weight)
}

// TryPut puts a copy of blob, of weight 1, or returns at once: [ErrFull] or an error of Put.
func (q *BatchBytes) TryPut(blob []byte) error { return q.TryPutWeighted(blob, 1) }

// TryPutWeighted is TryPut with the weight that the blob counts for.
func (q *BatchBytes) TryPutWeighted(blob []byte, weight uint64) error { return q.tryPut(blob, weight) }

// GetBatch removes the next batch as [Batch.GetBatch] does. The blobs lie one right behind the other in
// memory that is theirs alone.
func (q *BatchBytes) GetBatch(ctx context.Context) (blobs [][]byte, err error) {
	_, err = q.takeBatch(waiting(ctx), q.size, nil, func(n int) [][]byte {
		blobs = make([][]byte, n)
		return blobs
	})
	return blobs, err
}

// GetBatchInto is GetBatch of len(blobs) at most: it copies them into buffer, one right behind the other,
// makes the first of blobs lead there, and returns how many. If they are longer than the buffer, they
// stay where they are: then the error is [ErrTooSmall] and n is the length that is needed; Size times
// the queue's longest blob always suffices. While len(blobs) is 64 or less, nothing is allocated.
func (q *BatchBytes) GetBatchInto(ctx context.Context, buffer []byte, blobs [][]byte) (n int, err error) {
	if buffer == nil {
		buffer = []byte{}
	}
	return q.takeBatch(waiting(ctx), min(q.size, len(blobs)), buffer, func(int) [][]byte { return blobs })
}

// TryGetBatch is GetBatch without waiting: [ErrEmpty] if no batch is due, and one may still come.
func (q *BatchBytes) TryGetBatch() (blobs [][]byte, err error) {
	_, err = q.takeBatch(trying, q.size, nil, func(n int) [][]byte {
		blobs = make([][]byte, n)
		return blobs
	})
	return blobs, err
}

// takeBatch removes a batch of n blobs, at most `most`, and copies them into buffer, or into memory of their
// own if buffer is nil. The slice that place(n) returns gets a slice of that memory for each.
func (q *BatchBytes) takeBatch(way way, most int, buffer []byte, place func(n int) [][]byte) (n int, err error) {
	h := q.handle.Load()
	if h == nil {
		return 0, ErrClosed
	}
	var few [bulk]extent
	extents := few[:]
	if most > bulk {
		extents = make([]extent, most)
	}
	grows := buffer == nil
	err = h.takeBatch(way, func(due bool) (status Error) {
		n, status = h.getBatchBytes(buffer, extents[:most], due)
		for grows && status == ErrTooSmall {
			buffer = make([]byte, n)
			n, status = h.getBatchBytes(buffer, extents[:most], due)
		}
		return status
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

// Flush makes everything that is pending due, in batches of the usual size; what is put later is not.
func (q *BatchBytes) Flush() { q.flush() }

// All ranges over the batches as [Batch.All] does.
func (q *BatchBytes) All(ctx context.Context) iter.Seq[[][]byte] { return each(ctx, q.GetBatch) }

// AllErr ranges over the batches as [Batch.AllErr] does.
func (q *BatchBytes) AllErr(ctx context.Context) iter.Seq2[[][]byte, error] {
	return eachErr(ctx, q.GetBatch)
}

// Source returns the end to get batches from.
func (q *BatchBytes) Source() Source[[][]byte] { return batchSource[[][]byte]{q} }
