package queues

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

func newBatch[T any](t testing.TB, options BatchOptions) *Batch[T] {
	t.Helper()
	q, err := NewBatch[T](options)
	must(t, err)
	t.Cleanup(q.Release)
	return q
}

// forever, as an age, means that the age of items makes no batch due.
const forever = time.Duration(-1)

func wantBatch[T comparable](t testing.TB, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got the batch %v, want %v", got, want)
	}
}

func wantDue[T comparable](t testing.TB, q *Batch[T], want ...T) {
	t.Helper()
	got, err := q.TryGetBatch()
	if err != nil {
		t.Fatalf("%v, want %v", err, want)
	}
	wantBatch(t, got, want...)
}

func wantNothingDue[T any](t testing.TB, q *Batch[T]) {
	t.Helper()
	if got, err := q.TryGetBatch(); err != ErrEmpty {
		t.Fatalf("got the batch %v and %v, want %v", got, err, ErrEmpty)
	}
}

func TestBatchOrder(t *testing.T) {
	q := newBatch[string](t, BatchOptions{Size: 3, Age: forever, MaxPending: 5})
	want(t, "Cap", q.Cap(), 5)
	must(t, q.TryPut("a"))
	must(t, q.Put(bg, "b"))
	wantNothingDue(t, q)
	want(t, "Len", q.Len(), 2)
	must(t, q.TryPutWeighted("c", 7))
	must(t, q.PutWeighted(bg, "d", 0))
	must(t, q.TryPut("e"))
	wantError(t, q.TryPut("more"), ErrFull)
	wantDue(t, q, "a", "b", "c")
	wantNothingDue(t, q)
	values := make([]string, 2)
	must(t, q.TryPut("f"))
	n, err := q.GetBatchInto(bg, values) // len(values) bounds the batch
	must(t, err)
	wantBatch(t, values[:n], "d", "e")
	n, err = q.GetBatchInto(bg, nil)
	must(t, err)
	want(t, "GetBatchInto", n, 0)
	for _, v := range []string{"g", "h", "i"} {
		must(t, q.TryPut(v))
	}
	q.Close()
	wantError(t, q.TryPut("more"), ErrClosed)
	wantError(t, q.Put(bg, "more"), ErrClosed)
	want(t, "IsDrained", q.IsDrained(), false)
	var got []string
	for batch := range q.All(bg) {
		got = append(got, fmt.Sprint(batch))
	}
	wantBatch(t, got, "[f g h]", "[i]")
	_, err = q.GetBatch(bg)
	wantError(t, err, ErrClosed)
	_, err = q.GetBatchInto(bg, values)
	wantError(t, err, ErrClosed)
	_, err = q.TryGetBatch()
	want(t, "TryGetBatch", err, error(ErrClosed))
	want(t, "IsDrained", q.IsDrained(), true)
	want(t, "Stats", q.Stats(), Stats{Enqueued: 9, Dequeued: 9, FailedEnqueue: 1, PeakSize: 5, Capacity: 5})
}

func TestBatchDefaults(t *testing.T) {
	q := newBatch[int](t, BatchOptions{})
	want(t, "Cap", q.Cap(), 10000)
	begin := time.Now()
	for i := range 33 {
		must(t, q.TryPut(i))
	}
	batch, err := q.TryGetBatch()
	must(t, err)
	want(t, "items of a batch", len(batch), 32)
	batch, err = q.GetBatch(bg)
	must(t, err)
	wantBatch(t, batch, 32)
	if age := time.Since(begin); age < 10*time.Millisecond {
		t.Errorf("a batch was due after %v, want 10ms", age)
	}
}

// The oldest pending item makes a batch due, also after a batch that did not include it.
func TestBatchAge(t *testing.T) {
	const age = 10 * time.Millisecond
	q := newBatch[int](t, BatchOptions{Size: 100, Age: age})
	first := time.Now()
	must(t, q.TryPut(1))
	time.Sleep(age / 2)
	second := time.Now()
	must(t, q.TryPut(2))
	values := make([]int, 1)
	n, err := q.GetBatchInto(bg, values)
	must(t, err)
	wantBatch(t, values[:n], 1)
	if waited := time.Since(first); waited < age {
		t.Errorf("the first item was due after %v", waited)
	}
	batch, err := q.GetBatch(bg)
	must(t, err)
	wantBatch(t, batch, 2)
	if waited := time.Since(second); waited < age {
		t.Errorf("the second item was due after %v", waited)
	}
}

func TestBatchWeights(t *testing.T) {
	q := newBatch[int](t, BatchOptions{Size: 4, Age: forever, Weight: 100})
	put := func(v int, weight uint64) { t.Helper(); must(t, q.TryPutWeighted(v, weight)) }
	put(1, 60)
	put(2, 39)
	wantNothingDue(t, q)
	must(t, q.TryPut(3)) // weighs 1
	wantDue(t, q, 1, 2, 3)
	put(4, 1)
	put(5, math.MaxUint64)
	wantDue(t, q, 4)
	wantDue(t, q, 5) // heavier than Weight: a batch of its own
	put(6, 0)
	put(7, 0)
	wantNothingDue(t, q)
	put(8, 101)
	wantDue(t, q, 6, 7)
	wantDue(t, q, 8)
	for v := range 4 {
		put(v, 0)
	}
	wantDue(t, q, 0, 1, 2, 3) // Size makes a batch due, too
}

func TestBatchFlush(t *testing.T) {
	q := newBatch[int](t, BatchOptions{Size: 3, Age: forever})
	for v := range 5 {
		must(t, q.TryPut(v))
	}
	q.Flush()
	wantDue(t, q, 0, 1, 2)
	wantDue(t, q, 3, 4)
	must(t, q.TryPut(5))
	wantNothingDue(t, q)
	got := make(chan []int)
	go func() {
		batch, _ := q.GetBatch(bg)
		got <- batch
	}()
	q.Flush()
	wantBatch(t, <-got, 5)
}

// A deadline that passes during the wait takes what is pending; cancellation leaves it in the queue.
func TestBatchContext(t *testing.T) {
	q := newBatch[int](t, BatchOptions{Size: 10, Age: forever, MaxPending: 10})
	_, err := q.GetBatch(soon(t))
	want(t, "GetBatch while nothing is pending", err, context.DeadlineExceeded)

	must(t, q.TryPut(1))
	must(t, q.TryPut(2))
	ctx := soon(t)
	batch, err := q.GetBatch(ctx)
	must(t, err)
	wantBatch(t, batch, 1, 2)
	wantError(t, ctx.Err(), context.DeadlineExceeded)

	must(t, q.TryPut(3))
	_, err = q.GetBatch(ctx)
	want(t, "GetBatch with a deadline in the past", err, context.DeadlineExceeded)
	_, err = q.GetBatch(canceledSoon())
	want(t, "GetBatch with a canceled context", err, context.Canceled)
	want(t, "Len", q.Len(), 1)

	var batches [][]int
	for batch := range q.All(soon(t)) {
		batches = append(batches, batch)
	}
	want(t, "batches", len(batches), 1)
	wantBatch(t, batches[0], 3)

	for v := range 10 {
		must(t, q.TryPut(v))
	}
	want(t, "Put to a full queue", q.Put(soon(t), 10), context.DeadlineExceeded)
	want(t, "FailedDequeue", q.Stats().FailedDequeue, 2) // one for each wait that its context ended
	want(t, "FailedEnqueue", q.Stats().FailedEnqueue, 1)
}

// A batch may be larger than the array on the stack of a call and than the number of spare cells.
func TestBatchLarge(t *testing.T) {
	const size = 1000
	q := newBatch[int](t, BatchOptions{Size: size, Age: forever, MaxPending: size})
	values := make([]int, 2*size)
	for turn := range 3 {
		for i := range size {
			must(t, q.TryPut(turn+i))
		}
		wantError(t, q.TryPut(0), ErrFull)
		n, err := q.GetBatchInto(bg, values)
		must(t, err)
		want(t, "a batch", n, size)
		for i, v := range values[:n] {
			want(t, "value", v, turn+i)
		}
	}
	for range size {
		must(t, q.TryPut(0))
	}
	wantClear(t, q, size)
	want(t, "Len", q.Len(), 0)
}

// With many producers and consumers each item is in one batch, batches are full, and items of one producer
// are in order and without a gap.
func TestBatchConcurrent(t *testing.T) {
	const producers, consumers, each, size = 4, 3, 5000, 7
	q := newBatch[[2]int](t, BatchOptions{Size: size, Age: forever, MaxPending: 2 * size})
	var putting, getting sync.WaitGroup
	for p := range producers {
		putting.Add(1)
		go func() {
			defer putting.Done()
			for i := range each {
				if err := q.Put(bg, [2]int{p, i}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	var count [producers][each]atomic.Int32
	for range consumers {
		getting.Add(1)
		go func() {
			defer getting.Done()
			var last [producers]int
			for batch := range q.All(bg) {
				if len(batch) != size && !q.IsClosed() {
					t.Errorf("a batch of %d items, want %d", len(batch), size)
				}
				next := map[int]int{}
				for _, v := range batch {
					p, i := v[0], v[1]
					count[p][i].Add(1)
					if n, found := next[p]; i < last[p] || found && i != n {
						t.Errorf("producer %d: item %d is not in order", p, i)
					}
					next[p], last[p] = i+1, i
				}
			}
		}()
	}
	putting.Wait()
	q.Close()
	getting.Wait()
	for p := range count {
		for i := range count[p] {
			if n := count[p][i].Load(); n != 1 {
				t.Fatalf("item %d of producer %d was got %d times", i, p, n)
			}
		}
	}
}

// A queue keeps no reference to a value that left it.
func TestBatchKeepsNoReference(t *testing.T) {
	q := newBatch[*tracked](t, BatchOptions{Size: 2, Age: forever})
	var all tracker
	for range 6 {
		must(t, q.TryPut(all.make()))
	}
	_, err := q.GetBatch(bg)
	must(t, err)
	_, err = q.GetBatchInto(bg, make([]*tracked, 2))
	must(t, err)
	wantClear(t, q, 2)
	collected(all)
	runtime.KeepAlive(q)
}

func TestBatchBytes(t *testing.T) {
	for _, size := range []int{1, 64, 65, 1000} {
		q, err := NewBatchBytes(size, BatchOptions{Size: 3, Age: forever, Weight: 100, MaxPending: 4})
		must(t, err)
		whole := slices.Repeat([]byte{'x'}, size)
		must(t, q.TryPut(whole))
		must(t, q.Put(bg, nil))
		_, err = q.TryGetBatch()
		want(t, "TryGetBatch", err, error(ErrEmpty))
		must(t, q.PutWeighted(bg, []byte("y"), 2))
		must(t, q.TryPutWeighted(whole, 100))
		wantError(t, q.TryPut(nil), ErrFull)
		wantError(t, q.TryPut(append(whole, 'x')), ErrInvalid)

		blobs, buffer := make([][]byte, 5), make([]byte, 3*size)
		for length := range size + 1 {
			n, err := q.GetBatchInto(bg, buffer[:length], blobs)
			want(t, "GetBatchInto of a small buffer", err, error(ErrTooSmall))
			want(t, "length needed", n, size+1)
		}
		_, err = q.GetBatchInto(bg, nil, blobs)
		wantError(t, err, ErrTooSmall)
		want(t, "Len", q.Len(), 4)
		n, err := q.GetBatchInto(bg, buffer, blobs)
		must(t, err)
		want(t, "blobs of the batch", n, 3)
		want(t, "blobs", fmt.Sprintf("%s", blobs[:n]), fmt.Sprintf("[%s  y]", whole))
		want(t, "place in the buffer", unsafe.SliceData(blobs[2]), &buffer[size])
		want(t, "cap", cap(blobs[0]), size) // append to one does not overwrite the next

		got, err := q.TryGetBatch() // due because of its weight
		must(t, err)
		want(t, "blobs", fmt.Sprintf("%s", got), fmt.Sprintf("[%s]", whole))
		must(t, q.TryPut([]byte("z")))
		got, err = q.GetBatch(soon(t)) // a batch of what is pending
		must(t, err)
		want(t, "blobs", fmt.Sprintf("%s", got), "[z]")
		must(t, q.TryPut(nil))
		q.Flush()
		got, err = q.GetBatch(bg)
		must(t, err)
		want(t, "blobs", fmt.Sprintf("%q", got), `[""]`)
		must(t, q.TryPut([]byte("a")))
		must(t, q.TryPut([]byte("b")))
		q.Close()
		for got := range q.All(bg) {
			want(t, "the rest", fmt.Sprintf("%s", got), "[a b]")
		}
		_, err = q.GetBatch(bg)
		wantError(t, err, ErrClosed)
		wantClear(t, q, 0)
		q.Release()
	}
}

func TestBatchRejectsOptions(t *testing.T) {
	for _, options := range []BatchOptions{
		{Size: -1}, {MaxPending: -1}, {Size: 5, MaxPending: 4}, {MaxPending: 31}, {Size: 10001},
		{Weight: math.MaxUint64}, {Size: math.MaxInt},
	} {
		_, err := NewBatch[int](options)
		wantError(t, err, ErrInvalid)
		_, err = NewBatchBytes(8, options)
		wantError(t, err, ErrInvalid)
	}
	_, err := NewBatchBytes(0, BatchOptions{})
	wantError(t, err, ErrInvalid)
	for _, n := range []int{1 << 48, math.MaxInt / 16, math.MaxInt} {
		_, err = NewBatch[int](BatchOptions{MaxPending: n})
		if !errors.Is(err, ErrNoMemory) && !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	}
	// Little memory for the library but more than Go can have, unless the system overcommits.
	if q, err := NewBatch[[1 << 20]byte](BatchOptions{MaxPending: 1 << 20}); err == nil {
		q.Release()
	} else {
		wantError(t, err, ErrNoMemory)
	}
}
