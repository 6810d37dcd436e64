package queues

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
)

func newPriority[T any](t testing.TB, capacity int) *Priority[T] {
	t.Helper()
	q, err := NewPriority[T](capacity)
	must(t, err)
	t.Cleanup(q.Release)
	return q
}

func TestPriorityOrder(t *testing.T) {
	q := newPriority[string](t, 8)
	want(t, "Cap", q.Cap(), 8)
	negativeZero := math.Copysign(0, -1)
	for i, priority := range []float64{2, math.Inf(-1), 0, math.Inf(1), negativeZero, 2, -1, math.SmallestNonzeroFloat64} {
		must(t, q.TryPut(fmt.Sprint(i), priority))
	}
	want(t, "TryPut to a full queue", q.TryPut("more", 0), error(ErrFull))
	for _, nan := range []float64{math.NaN(), -math.NaN()} {
		want(t, "put with a NaN", q.TryPut("more", nan), error(ErrInvalid))
		want(t, "put with a NaN", q.Put(bg, "more", nan), error(ErrInvalid))
	}
	priority, err := q.PeekPriority()
	must(t, err)
	want(t, "PeekPriority", math.IsInf(priority, -1), true)
	want(t, "Len", q.Len(), 8)
	var order string
	last := math.Inf(-1)
	q.Close()
	want(t, "TryPut to a closed queue", q.TryPut("more", 0), error(ErrClosed))
	for v, priority := range q.All(bg) {
		order += v
		if priority < last || priority == 0 && math.Signbit(priority) {
			t.Errorf("got priority %v after %v", priority, last)
		}
		last = priority
	}
	want(t, "order", order, "16247053")
	_, _, err = q.Get(bg)
	want(t, "get from a drained queue", err, error(ErrClosed))
	want(t, "IsDrained", q.IsDrained(), true)
	_, _, err = q.TryGet()
	want(t, "get from a drained queue", err, error(ErrClosed))
	_, err = q.PeekPriority()
	want(t, "get from a drained queue", err, error(ErrClosed))
	want(t, "Stats", q.Stats(), Stats{Enqueued: 8, Dequeued: 8, FailedEnqueue: 1, PeakSize: 8, Capacity: 8})
}

// Random calls have the same results as on a sorted list; cells are reused in every order.
func TestPriorityModel(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 17, 300} {
		q := newPriority[int](t, capacity)
		random := rand.New(rand.NewPCG(1, uint64(capacity)))
		type item struct {
			value    int
			priority float64
		}
		var model []item
		for step := range 20 * (capacity + 10) {
			if random.IntN(5) < 2+step/(5*(capacity+10))%2 {
				priority := float64(random.IntN(5)) - 2
				err := q.TryPut(step, priority)
				if len(model) == capacity {
					want(t, "put", err, error(ErrFull))
					continue
				}
				must(t, err)
				at := slices.IndexFunc(model, func(other item) bool { return other.priority > priority })
				if at < 0 {
					at = len(model)
				}
				model = slices.Insert(model, at, item{step, priority})
			} else {
				v, priority, err := q.TryGet()
				want(t, "is empty", err == ErrEmpty, len(model) == 0)
				if err == nil {
					want(t, "item", item{v, priority}, model[0])
					model = model[1:]
				}
			}
			want(t, "Len", q.Len(), len(model))
		}
		wantClear(t, q, len(model))
		want(t, "Len", q.Len(), 0)
	}
}

func TestPriorityWaits(t *testing.T) {
	q := newPriority[int](t, 1)
	_, _, err := q.Get(soon(t))
	want(t, "Get", err, context.DeadlineExceeded)
	must(t, q.Put(bg, 1, 1))
	want(t, "Put", q.Put(soon(t), 2, 0), context.DeadlineExceeded)
	got := make(chan error)
	go func() { got <- q.Put(bg, 2, 0) }()
	v, _, err := q.Get(bg)
	must(t, err)
	want(t, "first", v, 1)
	must(t, <-got)
	go func() { got <- q.Put(bg, 3, 0) }()
	q.Close()
	want(t, "Put", <-got, error(ErrClosed))
	v, _, err = q.Get(bg)
	must(t, err)
	want(t, "second", v, 2)
	want(t, "FailedEnqueue", q.Stats().FailedEnqueue, 1)
}

// With many producers and consumers each item is got once, and those of one producer and priority in order.
func TestPriorityConcurrent(t *testing.T) {
	const producers, consumers, each, ranks = 4, 3, 5000, 3
	q := newPriority[[2]int](t, 10)
	var putting, getting sync.WaitGroup
	for p := range producers {
		putting.Add(1)
		go func() {
			defer putting.Done()
			for i := range each {
				if err := q.Put(bg, [2]int{p, i}, float64(i%ranks)); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	var seen [consumers][][2]int
	for c := range consumers {
		getting.Add(1)
		go func() {
			defer getting.Done()
			for v, priority := range q.All(bg) {
				if float64(v[1]%ranks) != priority {
					t.Errorf("%v has priority %v", v, priority)
				}
				seen[c] = append(seen[c], v)
			}
		}()
	}
	putting.Wait()
	q.Close()
	getting.Wait()
	var count [producers][each]int
	for _, got := range seen {
		var last [producers][ranks]int
		for _, v := range got {
			count[v[0]][v[1]]++
			if before := &last[v[0]][v[1]%ranks]; v[1] < *before {
				t.Fatalf("producer %d: got %d after %d", v[0], v[1], *before)
			} else {
				*before = v[1]
			}
		}
	}
	for p := range count {
		for i, n := range count[p] {
			if n != 1 {
				t.Fatalf("item %d of producer %d was got %d times", i, p, n)
			}
		}
	}
}

// A queue keeps no reference to a value that left it.
func TestPriorityKeepsNoReference(t *testing.T) {
	q := newPriority[*tracked](t, 4)
	var all tracker
	for i := range 4 {
		must(t, q.TryPut(all.make(), -float64(i)))
	}
	q.TryGet()
	wantClear(t, q, 3)
	collected(all)
	runtime.KeepAlive(q)
}

func TestPriorityBytes(t *testing.T) {
	for _, size := range []int{1, 64, 65, 1000} {
		q, err := NewPriorityBytes(3, size)
		must(t, err)
		whole := slices.Repeat([]byte{'x'}, size)
		must(t, q.TryPut(whole, 2))
		must(t, q.Put(bg, nil, 1))
		must(t, q.TryPut([]byte("y"), 1))
		want(t, "TryPut to a full queue", q.TryPut(nil, 0), error(ErrFull))
		want(t, "put with a NaN", q.TryPut(nil, math.NaN()), error(ErrInvalid))
		want(t, "TryPut of a long blob", q.TryPut(append(whole, 'x'), 0), error(ErrInvalid))
		buffer := make([]byte, size)
		n, priority, err := q.Peek(buffer)
		must(t, err)
		want(t, "peeked", [2]float64{float64(n), priority}, [2]float64{0, 1})
		n, _, err = q.TryGet(nil)
		must(t, err)
		want(t, "length of the empty blob", n, 0)
		n, _, err = q.TryGet(nil)
		want(t, "TryGet into a small buffer", err, error(ErrTooSmall))
		want(t, "length needed", n, 1)
		q.Close()
		var got []string
		for blob, priority := range q.All(bg) {
			got = append(got, fmt.Sprint(string(blob), priority))
		}
		want(t, "blobs after Close", slices.Equal(got, []string{"y1", string(whole) + "2"}), true)
		_, _, err = q.Get(bg, buffer)
		want(t, "get from a drained queue", err, error(ErrClosed))
		q.Release()
	}
}

func TestPriorityRejects(t *testing.T) {
	for _, capacity := range []int{0, -1} {
		_, err := NewPriority[int](capacity)
		want(t, "NewPriority", err, error(ErrInvalid))
		_, err = NewPriorityBytes(capacity, 1)
		want(t, "NewPriorityBytes", err, error(ErrInvalid))
	}
	_, err := NewPriorityBytes(1, 0)
	want(t, "NewPriorityBytes", err, error(ErrInvalid))
	_, err = NewPriority[int](math.MaxInt)
	if !errors.Is(err, ErrNoMemory) && !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}
