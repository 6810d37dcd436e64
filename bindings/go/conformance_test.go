package queues

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// typed is what MPMC and SPSC share. The tests below hold for both.
type typed[T any] interface {
	Put(context.Context, T) error
	TryPut(T) error
	Get(context.Context) (T, error)
	TryGet() (T, error)
	PutMany(context.Context, []T) (int, error)
	GetMany(context.Context, []T) (int, error)
	All(context.Context) iter.Seq[T]
	AllErr(context.Context) iter.Seq2[T, error]
	IsDrained() bool
	clearable
	common
}

type blobs interface {
	Put(context.Context, []byte) error
	TryPut([]byte) error
	Get(context.Context, []byte) (int, error)
	TryGet([]byte) (int, error)
	Peek([]byte) (int, error)
	All(context.Context) iter.Seq[[]byte]
	AllErr(context.Context) iter.Seq2[[]byte, error]
	clearable
	common
}

type clearable interface{ Clear() (int, error) }

type common interface {
	Close()
	Release()
	IsClosed() bool
	Len() int
	Cap() int
	Stats() Stats
}

var bg = context.Background()

func newTyped[T any](t testing.TB, family family, capacity int) typed[T] {
	t.Helper()
	q := unreleased[T](t, family, capacity)
	t.Cleanup(q.Release)
	return q
}

// unreleased creates a queue that is left to the garbage collector.
func unreleased[T any](t testing.TB, family family, capacity int) typed[T] {
	t.Helper()
	var q typed[T]
	var err error
	if family == spsc {
		q, err = NewSPSC[T](capacity)
	} else {
		q, err = NewMPMC[T](capacity)
	}
	must(t, err)
	return q
}

func newBlobs(t testing.TB, family family, capacity, size int) blobs {
	t.Helper()
	var q blobs
	var err error
	if family == spsc {
		q, err = NewSPSCBytes(capacity, size)
	} else {
		q, err = NewMPMCBytes(capacity, size)
	}
	must(t, err)
	t.Cleanup(q.Release)
	return q
}

func (f family) String() string {
	if f == spsc {
		return "SPSC"
	}
	return "MPMC"
}

func forEachFamily(t *testing.T, test func(t *testing.T, f family)) {
	for _, f := range []family{mpmc, spsc} {
		t.Run(f.String(), func(t *testing.T) { test(t, f) })
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func wantGet[T comparable](t testing.TB, q typed[T], v T) {
	t.Helper()
	got, err := q.TryGet()
	if err != nil || got != v {
		t.Fatalf("TryGet: got %v, %v, want %v", got, err, v)
	}
}

// wantNothing checks that there is nothing to get, for a reason: ErrEmpty or ErrClosed.
func wantNothing[T any](t testing.TB, q typed[T], reason Error) {
	t.Helper()
	if v, err := q.TryGet(); err != reason {
		t.Fatalf("TryGet: got %v, %v, want %v", v, err, reason)
	}
}

func wantClear(t testing.TB, q clearable, n int) {
	t.Helper()
	got, err := q.Clear()
	must(t, err)
	want(t, "Clear", got, n)
}

// A group of goroutines to wait for.
type group struct{ sync.WaitGroup }

func (g *group) Go(call func()) {
	g.Add(1)
	go func() {
		defer g.Done()
		call()
	}()
}

// A later context begins when a call checks it for the first time, so that it always ends during the call and
// not before.
type later struct {
	context.Context
	begin func() context.Context
}

func (l *later) Err() error {
	if l.Context == nil {
		l.Context = l.begin()
		return nil
	}
	return l.Context.Err()
}

// soon is a context whose deadline passes while a call waits.
func soon(t testing.TB) context.Context {
	return &later{begin: func() context.Context {
		ctx, cancel := context.WithTimeout(bg, 5*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}}
}

// canceledSoon is a context that is canceled while a call waits.
func canceledSoon() context.Context {
	return &later{begin: func() context.Context {
		ctx, cancel := context.WithCancel(bg)
		time.AfterFunc(5*time.Millisecond, cancel)
		return ctx
	}}
}

// eventually waits for a condition. The time limit of the test run ends a wait that does not.
func eventually(condition func() bool) {
	for !condition() {
		time.Sleep(time.Millisecond)
	}
}

func TestOrderAndBounds(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		for capacity := 1; capacity <= 17; capacity++ {
			q := newTyped[int](t, f, capacity)
			want(t, "Cap", q.Cap(), capacity)
			for lap := range 5 {
				for i := range capacity {
					must(t, q.TryPut(lap*100+i))
					want(t, "Len", q.Len(), i+1)
				}
				wantError(t, q.TryPut(-1), ErrFull)
				for i := range capacity {
					wantGet(t, q, lap*100+i)
				}
				wantNothing(t, q, ErrEmpty)
				want(t, "Len", q.Len(), 0)
			}
		}
	})
}

// Random operations have the same results as on a slice.
func TestModel(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		for range 300 {
			seed := rand.Uint64()
			if err := compareWithModel(t, f, rand.New(rand.NewPCG(seed, 0))); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	})
}

func compareWithModel(t *testing.T, f family, r *rand.Rand) error {
	capacity := 1 + r.IntN(17)
	if r.IntN(10) == 0 {
		capacity = chunk - 1 + r.IntN(2*chunk)
	}
	q := newTyped[int](t, f, capacity)
	ended, cancel := context.WithCancel(bg)
	cancel()
	var model []int
	var stats Stats
	closed := false
	next := 0

	for step := range 200 {
		var got, expected any
		what := r.IntN(12)
		switch what {
		case 0, 1, 2:
			err := error(nil)
			switch {
			case closed:
				err = ErrClosed
			case len(model) == capacity:
				err = ErrFull
				stats.FailedEnqueue++
			default:
				model = append(model, next)
				stats.Enqueued++
			}
			got, expected = q.TryPut(next), err
			next++
		case 3, 4, 5:
			v, err := q.TryGet()
			got, expected = [2]any{v, err}, [2]any{0, ErrEmpty}
			if len(model) > 0 {
				expected = [2]any{model[0], nil}
				model = model[1:]
				stats.Dequeued++
			} else if closed {
				expected = [2]any{0, ErrClosed}
			} else {
				stats.FailedDequeue++
			}
		case 6, 7: // as many as fit, so that it does not wait
			n := r.IntN(capacity - len(model) + 1)
			values := make([]int, n)
			for i := range values {
				values[i] = next
				next++
			}
			put, err := q.PutMany(bg, values)
			got, expected = [2]any{put, err}, [2]any{n, nil}
			if closed && n > 0 {
				expected = [2]any{0, ErrClosed}
			} else {
				model = append(model, values...)
				stats.Enqueued += uint64(n)
			}
		case 8, 9:
			if len(model) == 0 && !closed {
				continue // it would wait
			}
			values := make([]int, r.IntN(2*capacity))
			n := min(len(values), len(model))
			err := error(nil)
			if len(model) == 0 && len(values) > 0 {
				err = ErrClosed
			}
			gotN, gotErr := q.GetMany(bg, values)
			got = [3]any{gotN, gotErr, fmt.Sprint(values[:gotN])}
			expected = [3]any{n, err, fmt.Sprint(model[:n])}
			model = model[n:]
			stats.Dequeued += uint64(n)
		case 10:
			_, err := q.Get(ended)
			got, expected = [2]any{q.Put(ended, -1), err}, [2]any{context.Canceled, context.Canceled}
		case 11:
			switch r.IntN(10) {
			case 0:
				q.Close()
				closed = true
			case 1:
				n, err := q.Clear()
				got, expected = [2]any{n, err}, [2]any{len(model), nil}
				stats.Dequeued += uint64(len(model))
				model = nil
			default:
				if s, ok := q.(*SPSC[int]); ok {
					v, err := s.Peek()
					got = [4]any{v, err, s.IsEmpty(), s.IsFull()}
					expected = [4]any{0, ErrEmpty, true, false}
					if closed {
						expected = [4]any{0, ErrClosed, true, false}
					}
					if len(model) > 0 {
						expected = [4]any{model[0], nil, false, len(model) == capacity}
					}
				}
			}
		}
		if got != expected {
			return fmt.Errorf("step %d, operation %d: got %v, want %v", step, what, got, expected)
		}
		stats.PeakSize = max(stats.PeakSize, uint64(len(model)))
		stats.CurrentSize = uint64(len(model))
		stats.Capacity = uint64(capacity)
		if q.Len() != len(model) || q.IsClosed() != closed {
			return fmt.Errorf("step %d: got length %d, closed %v, want %d, %v",
				step, q.Len(), q.IsClosed(), len(model), closed)
		}
		if drained := closed && len(model) == 0; q.IsDrained() != drained {
			return fmt.Errorf("step %d: got drained %v, want %v", step, !drained, drained)
		}
		if s := q.Stats(); s != stats {
			return fmt.Errorf("step %d, operation %d: got %+v, want %+v", step, what, s, stats)
		}
	}
	return nil
}

func TestCreationRejects(t *testing.T) {
	for _, capacity := range []int{0, -1, math.MinInt} {
		_, err := NewMPMC[int](capacity)
		wantError(t, err, ErrInvalid)
		_, err = NewSPSC[int](capacity)
		wantError(t, err, ErrInvalid)
		_, err = NewMPMCBytes(capacity, 8)
		wantError(t, err, ErrInvalid)
		_, err = NewSPSCBytes(8, capacity)
		wantError(t, err, ErrInvalid)
	}
	type large [1 << 20]byte
	creations := map[string]func(int) error{
		"MPMC of ints":    func(n int) error { _, err := NewMPMC[int](n); return err },
		"SPSC of ints":    func(n int) error { _, err := NewSPSC[int](n); return err },
		"MPMC of nothing": func(n int) error { _, err := NewMPMC[struct{}](n); return err },
		"SPSC of MiBs":    func(n int) error { _, err := NewSPSC[large](n); return err },
		"MPMCBytes":       func(n int) error { _, err := NewMPMCBytes(n, 8); return err },
		"long blobs":      func(n int) error { _, err := NewMPMCBytes(8, n); return err },
		"SPSCBytes":       func(n int) error { _, err := NewSPSCBytes(n, n); return err },
	}
	for name, create := range creations {
		for _, n := range []int{1 << 48, math.MaxInt / 16, math.MaxInt - spareCells, math.MaxInt} {
			if err := create(n); !errors.Is(err, ErrNoMemory) && !errors.Is(err, ErrInvalid) {
				t.Errorf("%s, %d: got error %v, want %v or %v", name, n, err, ErrNoMemory, ErrInvalid)
			}
		}
	}
	// Little memory for the library but more than Go can have, unless the system overcommits.
	q, err := NewSPSC[large](1 << 20)
	if err == nil {
		q.Release()
	} else {
		wantError(t, err, ErrNoMemory)
	}
}

func TestClosed(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newTyped[int](t, f, 3)
		must(t, q.TryPut(1))
		must(t, q.TryPut(2))
		want(t, "IsClosed", q.IsClosed(), false)
		for range 2 {
			q.Close()
			want(t, "IsClosed", q.IsClosed(), true)
		}
		wantError(t, q.TryPut(3), ErrClosed)
		wantError(t, q.Put(bg, 3), ErrClosed)
		n, err := q.PutMany(bg, []int{3})
		want(t, "PutMany", n, 0)
		wantError(t, err, ErrClosed)

		wantGet(t, q, 1)
		v, err := q.Get(bg)
		must(t, err)
		want(t, "Get", v, 2)

		_, err = q.Get(bg)
		wantError(t, err, ErrClosed)
		n, err = q.GetMany(bg, make([]int, 1))
		want(t, "GetMany", n, 0)
		wantError(t, err, ErrClosed)
		wantNothing(t, q, ErrClosed)
	})
}

// A call with a context that has ended has no effect, even if it would not have to wait.
func TestContextEndedBefore(t *testing.T) {
	canceled, cancel := context.WithCancel(bg)
	cancel()
	late, cancel := context.WithDeadline(bg, time.Now().Add(-time.Hour))
	defer cancel()
	forEachFamily(t, func(t *testing.T, f family) {
		for ctx, reason := range map[context.Context]error{
			canceled: context.Canceled, late: context.DeadlineExceeded,
		} {
			q := newTyped[int](t, f, 2)
			must(t, q.TryPut(1))
			wantError(t, q.Put(ctx, 2), reason)
			_, err := q.Get(ctx)
			wantError(t, err, reason)
			n, err := q.PutMany(ctx, []int{2})
			want(t, "PutMany", n, 0)
			wantError(t, err, reason)
			n, err = q.GetMany(ctx, make([]int, 1))
			want(t, "GetMany", n, 0)
			wantError(t, err, reason)
			for range q.All(ctx) {
				t.Fatal("All found an item")
			}
			wantGet(t, q, 1)
			wantNothing(t, q, ErrEmpty)

			b := newBlobs(t, f, 2, 2)
			must(t, b.TryPut([]byte{1}))
			wantError(t, b.Put(ctx, []byte{2}), reason)
			_, err = b.Get(ctx, make([]byte, 2))
			wantError(t, err, reason)
			want(t, "Len", b.Len(), 1)
		}
	})
}

// A call that waits returns when its context ends, by cancellation or by its deadline.
func TestContextEndsWaiting(t *testing.T) {
	contexts := map[string]func() (context.Context, error){
		"cancel":   func() (context.Context, error) { return canceledSoon(), context.Canceled },
		"deadline": func() (context.Context, error) { return soon(t), context.DeadlineExceeded },
	}
	forEachFamily(t, func(t *testing.T, f family) {
		for name, begin := range contexts {
			t.Run(name, func(t *testing.T) {
				empty, full := newTyped[int](t, f, 3), newTyped[int](t, f, 3)
				_, err := full.PutMany(bg, []int{1, 2, 3})
				must(t, err)

				ctx, reason := begin()
				_, err = empty.Get(ctx)
				wantError(t, err, reason)
				want(t, "FailedDequeue", empty.Stats().FailedDequeue, 1)

				ctx, reason = begin()
				_, err = empty.GetMany(ctx, make([]int, 2))
				wantError(t, err, reason)
				want(t, "FailedDequeue", empty.Stats().FailedDequeue, 2)

				ctx, reason = begin()
				for range empty.All(ctx) {
					t.Fatal("All found an item")
				}
				wantError(t, ctx.Err(), reason)

				ctx, reason = begin()
				wantError(t, full.Put(ctx, 4), reason)
				want(t, "FailedEnqueue", full.Stats().FailedEnqueue, 1)
				wantGet(t, full, 1)

				ctx, reason = begin()
				n, err := full.PutMany(ctx, []int{4, 5})
				wantError(t, err, reason)
				want(t, "PutMany", n, 1)
				want(t, "FailedEnqueue", full.Stats().FailedEnqueue, 2)
				for _, v := range []int{2, 3, 4} {
					wantGet(t, full, v)
				}
				wantNothing(t, full, ErrEmpty)
			})
		}
	})
}

// The polls of a call that waits and succeeds are no failures.
func TestWaitingIsNoFailure(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newTyped[int](t, f, 1)
		got := make(chan int)
		go func() {
			v, _ := q.Get(bg)
			got <- v
		}()
		time.Sleep(5 * time.Millisecond)
		must(t, q.Put(bg, 1))
		want(t, "Get", <-got, 1)

		must(t, q.Put(bg, 2))
		put := make(chan error)
		go func() { put <- q.Put(bg, 3) }()
		time.Sleep(5 * time.Millisecond)
		wantGet(t, q, 2)
		must(t, <-put)
		want(t, "Stats", q.Stats(), Stats{Enqueued: 3, Dequeued: 2, PeakSize: 1, CurrentSize: 1, Capacity: 1})
	})
}

func TestCloseEndsWaiting(t *testing.T) {
	type queues struct {
		items typed[int]
		blobs blobs
	}
	get := map[string]func(queues) error{
		"Get":     func(q queues) error { _, err := q.items.Get(bg); return err },
		"GetMany": func(q queues) error { _, err := q.items.GetMany(bg, make([]int, 2)); return err },
		"blobs":   func(q queues) error { _, err := q.blobs.Get(bg, make([]byte, 1)); return err },
	}
	put := map[string]func(queues) error{
		"Put":     func(q queues) error { return q.items.Put(bg, 2) },
		"PutMany": func(q queues) error { _, err := q.items.PutMany(bg, []int{2, 3}); return err },
		"blobs":   func(q queues) error { return q.blobs.Put(bg, []byte{2}) },
	}
	end := map[string]func(common){"Close": common.Close, "Release": common.Release}

	run := func(t *testing.T, f family, fill bool, call func(queues) error, end func(common)) {
		q := queues{newTyped[int](t, f, 1), newBlobs(t, f, 1, 1)}
		if fill {
			must(t, q.items.TryPut(1))
			must(t, q.blobs.TryPut([]byte{1}))
		}
		ended := make(chan error, 1)
		go func() { ended <- call(q) }()
		select {
		case err := <-ended:
			t.Fatalf("the call did not wait: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
		end(q.items)
		end(q.blobs)
		wantError(t, <-ended, ErrClosed)
	}
	forEachFamily(t, func(t *testing.T, f family) {
		for ending, end := range end {
			for name, call := range get {
				t.Run(ending+" ends get "+name, func(t *testing.T) { run(t, f, false, call, end) })
			}
			for name, call := range put {
				t.Run(ending+" ends put "+name, func(t *testing.T) { run(t, f, true, call, end) })
			}
		}
	})
}

func TestMany(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		const total = 5*chunk + 3
		q := newTyped[int](t, f, total)
		values := make([]int, total)
		for i := range values {
			values[i] = i
		}
		for _, part := range [][]int{nil, values[:1], values[1:chunk], values[chunk:]} {
			n, err := q.PutMany(bg, part)
			must(t, err)
			want(t, "PutMany", n, len(part))
		}
		n, err := q.GetMany(bg, nil)
		must(t, err)
		want(t, "GetMany of none", n, 0)
		got := make([]int, 2*total)
		n, err = q.GetMany(bg, got[:2*chunk])
		must(t, err)
		want(t, "GetMany", n, 2*chunk)
		n, err = q.GetMany(bg, got[n:])
		must(t, err)
		want(t, "GetMany", n, total-2*chunk)
		if !slices.Equal(got[:total], values) {
			t.Fatalf("got %v", got[:total])
		}
		want(t, "Stats", q.Stats(), Stats{Enqueued: total, Dequeued: total, PeakSize: total, Capacity: total})
	})
}

// PutMany of more items than fit waits for a consumer. When the queue is closed, it returns how many it put.
func TestManyWaits(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newTyped[int](t, f, 3)
		values := make([]int, 10*chunk)
		for i := range values {
			values[i] = i
		}
		type result struct {
			n   int
			err error
		}
		put := make(chan result)
		go func() {
			n, err := q.PutMany(bg, values)
			put <- result{n, err}
		}()
		const taken = 4 * chunk
		for i := range taken {
			v, err := q.Get(bg)
			must(t, err)
			want(t, "Get", v, i)
		}
		eventually(func() bool { return q.Len() == q.Cap() })
		q.Close()
		r := <-put
		want(t, "PutMany", r.n, taken+3)
		wantError(t, r.err, ErrClosed)
		got := make([]int, 10)
		n, err := q.GetMany(bg, got)
		must(t, err)
		if !slices.Equal(got[:n], []int{taken, taken + 1, taken + 2}) {
			t.Fatalf("got %v", got[:n])
		}
	})
}

func TestAll(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newTyped[int](t, f, 4)
		_, err := q.PutMany(bg, []int{1, 2, 3})
		must(t, err)
		q.Close()
		for v := range q.All(bg) {
			want(t, "first", v, 1)
			break
		}
		want(t, "rest", fmt.Sprint(slices.Collect(q.All(bg))), "[2 3]")
	})
}

func TestClear(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		for _, n := range []int{0, 1, chunk, 3*chunk + 1} {
			q := newTyped[int](t, f, n+1)
			for range 3 {
				for i := range n {
					must(t, q.TryPut(i))
				}
				wantClear(t, q, n)
				want(t, "Len", q.Len(), 0)
			}
			want(t, "Stats", q.Stats(), Stats{
				Enqueued: uint64(3 * n), Dequeued: uint64(3 * n),
				PeakSize: uint64(n), Capacity: uint64(n + 1),
			})
		}
	})
}

func TestItemTypes(t *testing.T) {
	one := 1
	forEachFamily(t, func(t *testing.T, f family) {
		roundTrip(t, f, struct{}{})
		roundTrip(t, f, &one)
		roundTrip(t, f, (*int)(nil))
		roundTrip(t, f, "text")
		roundTrip(t, f, any(one))
		roundTrip(t, f, any(nil))
		roundTrip(t, f, error(ErrFull))
		roundTrip(t, f, [1000]int64{0: 1, 999: 2})
		roundTrip(t, f, struct {
			a bool
			b string
			c complex128
		}{true, "b", 1i})
	})
}

func roundTrip[T comparable](t *testing.T, f family, v T) {
	t.Helper()
	q := newTyped[T](t, f, 2)
	var zero T
	for range 5 {
		must(t, q.TryPut(v))
		must(t, q.TryPut(zero))
		wantError(t, q.TryPut(v), ErrFull)
		wantGet(t, q, v)
		wantGet(t, q, zero)
		wantNothing(t, q, ErrEmpty)
	}
}

func TestStatsJSON(t *testing.T) {
	q := newTyped[int](t, mpmc, 5)
	must(t, q.TryPut(1))
	text, err := json.Marshal(q.Stats())
	must(t, err)
	want(t, "JSON", string(text), `{"enqueued":1,"dequeued":0,"failed_enqueue":0,"failed_dequeue":0,`+
		`"peak_size":1,"current_size":1,"capacity":5,"stolen":0,"attached":0,"recovered":0}`)
}

func TestPrometheus(t *testing.T) {
	q := newTyped[int](t, mpmc, 5)
	must(t, q.TryPut(1))
	text, err := Prometheus(NamedStats{"in\"take\\\n", q.Stats()}, NamedStats{"out", Stats{Stolen: math.MaxUint64, Attached: 2, Recovered: 3}})
	must(t, err)
	for _, line := range []string{
		"# TYPE queues_enqueued_total counter\n",
		`queues_enqueued_total{queue="in\"take\\\n"} 1` + "\n",
		"queues_capacity{queue=\"in\\\"take\\\\\\n\"} 5\n",
		"queues_stolen_total{queue=\"out\"} 18446744073709551615\n",
		"queues_attached{queue=\"out\"} 2\n",
		"queues_recovered_total{queue=\"out\"} 3\n",
	} {
		if strings.Count(text, line) != 1 {
			t.Errorf("%q is not exactly once in\n%s", line, text)
		}
	}
	for _, name := range []string{"zero\x00", "no UTF-8: \xFF"} {
		_, err = Prometheus(NamedStats{Name: name})
		want(t, "error", err, error(ErrInvalid))
	}
	text, err = Prometheus()
	must(t, err)
	want(t, "no queues", text, "")
}

func TestErrors(t *testing.T) {
	seen := map[string]Error{}
	all := []Error{ErrEmpty, ErrFull, ErrClosed, ErrTooSmall, ErrInvalid, ErrNoMemory, ErrMisuse, ErrCorrupt}
	for _, e := range all {
		if other, twice := seen[e.Error()]; twice || e.Error() == Error(12345).Error() {
			t.Errorf("errors %d and %d both have the text %q", e, other, e)
		}
		seen[e.Error()] = e
		if !errors.Is(fmt.Errorf("wrapped: %w", e), e) {
			t.Errorf("errors.Is does not find %v", e)
		}
	}
	if err := statusOK.orNil(); err != nil {
		t.Errorf("statusOK as an error is %v, want nil", err)
	}
}

func TestVersion(t *testing.T) {
	want(t, "version of the library, compared with the header", Version(), headerVersion)
	want(t, "mismatch of another patch version", mismatch("0.1.0", "0.1.12"), "")
	for _, library := range []string{"0.2.0", "0.11.0", "1.1.0"} {
		want(t, "mismatch of another version", mismatch("0.1.0", library), "queues: built with the header of version 0.1.0, "+
			"but runs with the library of version "+library+": build anew with go build -a")
	}
}
