package queues

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// watched reads the counters of a queue until end is called, and checks that they never go down.
func watched(t *testing.T, stats func() Stats) (end func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for last := (Stats{}); ; runtime.Gosched() {
			s := stats()
			if s.FailedEnqueue < last.FailedEnqueue || s.FailedDequeue < last.FailedDequeue ||
				s.Enqueued < last.Enqueued || s.Dequeued < last.Dequeued || s.Stolen < last.Stolen {
				t.Errorf("a counter went down: %+v after %+v", s, last)
				return
			}
			last = s
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	return func() {
		close(stop)
		<-ended
	}
}

// waiting is a subject of each type whose calls wait, and FIFO queues with calls that move many items.
func waiting(t *testing.T) (all []subject) {
	for _, s := range subjects(t) {
		if s.waits() {
			all = append(all, s)
		}
	}
	many := func(s subject, q typed[int]) subject {
		s.name += ", many"
		s.put = func(ctx context.Context) error { return errOf(q.PutMany(ctx, []int{1})) }
		s.surplus = new(atomic.Int64) // an item may come while GetMany takes the first one
		s.get = func(ctx context.Context) error {
			n, err := q.GetMany(ctx, make([]int, 2))
			s.surplus.Add(int64(max(n-1, 0)))
			return err
		}
		return s
	}
	m, s := newTyped[int](t, mpmc, 1).(*MPMC[int]), newTyped[int](t, spsc, 1).(*SPSC[int])
	return append(all, many(subjectOfMPMC(m), m), many(subjectOfSPSC(s), s))
}

// A wait that succeeds counts no failure, not even temporarily. A try that fails and a wait that its context
// ends count one each.
func TestFailuresNeverGoDown(t *testing.T) {
	for _, q := range waiting(t) {
		t.Run(q.name, func(t *testing.T) {
			end := watched(t, q.base.Stats)
			const rounds = 30
			for range rounds { // both wait
				ended := make(chan error)
				go func() { ended <- q.get(bg) }()
				time.Sleep(200 * time.Microsecond)
				must(t, q.put(bg))
				must(t, <-ended)

				must(t, q.tryPut())
				go func() { ended <- q.put(bg) }()
				time.Sleep(200 * time.Microsecond)
				must(t, q.get(bg))
				must(t, <-ended)
				must(t, q.tryGet())
			}
			s := q.base.Stats()
			want(t, "failures", [2]uint64{s.FailedEnqueue, s.FailedDequeue}, [2]uint64{})

			endsWaiting := func(call func(context.Context) error) {
				t.Helper()
				wantError(t, call(soon(t)), context.DeadlineExceeded)
			}
			ended, cancel := context.WithCancel(bg)
			cancel()
			wantError(t, q.get(ended), context.Canceled) // no failure: it did not begin
			wantError(t, q.put(ended), context.Canceled)
			endsWaiting(q.get)
			wantError(t, q.tryGet(), ErrEmpty)
			wantError(t, q.tryGet(), ErrEmpty)
			must(t, q.tryPut())
			endsWaiting(q.put)
			endsWaiting(q.put)
			wantError(t, q.tryPut(), ErrFull)
			end()
			s = q.base.Stats()
			want(t, "failures", [2]uint64{s.FailedEnqueue, s.FailedDequeue}, [2]uint64{3, 3})
		})
	}
}

// Each failure counts once, also with many goroutines.
func TestFailuresAreExact(t *testing.T) {
	q := newTyped[int](t, mpmc, 2)
	end := watched(t, q.Stats)
	var full, empty atomic.Uint64
	var producers, consumers group
	for range 3 {
		producers.Go(func() {
			for i := range 3000 {
				if q.TryPut(i) != nil {
					full.Add(1)
					if err := q.Put(bg, i); err != nil {
						t.Error(err)
					}
				}
			}
		})
		consumers.Go(func() {
			for {
				if _, err := q.TryGet(); err == ErrEmpty {
					empty.Add(1)
				} else if err == ErrClosed {
					return
				}
				if _, err := q.Get(bg); err != nil {
					return
				}
			}
		})
	}
	producers.Wait()
	q.Close()
	consumers.Wait()
	end()
	s := q.Stats()
	want(t, "FailedDequeue", s.FailedDequeue, empty.Load())
	want(t, "FailedEnqueue", s.FailedEnqueue, full.Load())
}

// A TryGetBatch that finds items which are not due yet counts no failure, as in C.
func TestNotDueIsNoFailure(t *testing.T) {
	limits := BatchOptions{Size: 2, MaxPending: 2, Age: forever}
	q := newBatch[int](t, limits)
	blobs, err := NewBatchBytes(1, limits)
	must(t, err)
	_, err = q.TryGetBatch()
	wantError(t, err, ErrEmpty)
	_, err = blobs.TryGetBatch()
	wantError(t, err, ErrEmpty)
	must(t, q.TryPut(1))
	must(t, blobs.TryPut(nil))
	for range 3 {
		_, err = q.TryGetBatch()
		wantError(t, err, ErrEmpty)
		_, err = blobs.TryGetBatch()
		wantError(t, err, ErrEmpty)
	}
	want(t, "failures", q.Stats().FailedDequeue, 1)
	want(t, "failures of blobs", blobs.Stats().FailedDequeue, 1)
}
