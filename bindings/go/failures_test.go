package queues

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// watched samples the counters of a queue until the end: they may never go down.
func watched(t *testing.T, stats func() Stats) (end func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for last := (Stats{}); ; runtime.Gosched() {
			s := stats()
			if s.FailedEnqueue < last.FailedEnqueue || s.FailedDequeue < last.FailedDequeue ||
				s.Enqueued < last.Enqueued || s.Dequeued < last.Dequeued || s.Stolen < last.Stolen {
				t.Errorf("%+v after %+v", s, last)
				return
			}
			last = s
			select {
			case <-over:
				return
			default:
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}

// A waiter is a queue of any type that has waiting calls; there is room for one item.
type waiter struct {
	put, get       func(context.Context) error
	tryPut, tryGet func() error
	stats          func() Stats
}

func waiters(t *testing.T) map[string]waiter {
	all := map[string]waiter{}
	for _, f := range []family{mpmc, spsc} {
		q := newTyped[int](t, f, 1)
		all[f.String()] = waiter{
			func(ctx context.Context) error { return q.Put(ctx, 1) },
			func(ctx context.Context) error { _, err := q.Get(ctx); return err },
			func() error { return q.TryPut(1) },
			func() error { _, err := q.TryGet(); return err }, q.Stats,
		}
		many := newTyped[int](t, f, 1)
		all[f.String()+", many"] = waiter{
			func(ctx context.Context) error { _, err := many.PutMany(ctx, []int{1}); return err },
			func(ctx context.Context) error { _, err := many.GetMany(ctx, make([]int, 2)); return err },
			func() error { return many.TryPut(1) },
			func() error { _, err := many.TryGet(); return err }, many.Stats,
		}
		b := newBlobs(t, f, 1, 1)
		all[f.String()+"Bytes"] = waiter{
			func(ctx context.Context) error { return b.Put(ctx, nil) },
			func(ctx context.Context) error { _, err := b.Get(ctx, nil); return err },
			func() error { return b.TryPut(nil) },
			func() error { _, err := b.TryGet(nil); return err }, b.Stats,
		}
	}
	p := newPriority[int](t, 1)
	all["Priority"] = waiter{
		func(ctx context.Context) error { return p.Put(ctx, 1, 1) },
		func(ctx context.Context) error { _, _, err := p.Get(ctx); return err },
		func() error { return p.TryPut(1, 1) },
		func() error { _, _, err := p.TryGet(); return err }, p.Stats,
	}
	pb, err := NewPriorityBytes(1, 1)
	must(t, err)
	all["PriorityBytes"] = waiter{
		func(ctx context.Context) error { return pb.Put(ctx, nil, 1) },
		func(ctx context.Context) error { _, _, err := pb.Get(ctx, nil); return err },
		func() error { return pb.TryPut(nil, 1) },
		func() error { _, _, err := pb.TryGet(nil); return err }, pb.Stats,
	}
	one := BatchOptions{Size: 1, MaxPending: 1, Age: forEver}
	ba := newBatch[int](t, one)
	all["Batch"] = waiter{
		func(ctx context.Context) error { return ba.Put(ctx, 1) },
		func(ctx context.Context) error { _, err := ba.GetBatch(ctx); return err },
		func() error { return ba.TryPut(1) },
		func() error { _, err := ba.TryGetBatch(); return err }, ba.Stats,
	}
	bb, err := NewBatchBytes(1, one)
	must(t, err)
	all["BatchBytes"] = waiter{
		func(ctx context.Context) error { return bb.Put(ctx, nil) },
		func(ctx context.Context) error { _, err := bb.GetBatch(ctx); return err },
		func() error { return bb.TryPut(nil) },
		func() error { _, err := bb.TryGetBatch(); return err }, bb.Stats,
	}
	return all
}

// Waits that succeed are no failures, not even for a while; tries that fail are, once, and waits that give
// up.
func TestFailuresNeverGoDown(t *testing.T) {
	for name, q := range waiters(t) {
		t.Run(name, func(t *testing.T) {
			end := watched(t, q.stats)
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
			s := q.stats()
			want(t, "failures", [2]uint64{s.FailedEnqueue, s.FailedDequeue}, [2]uint64{})

			gaveUp := func(call func(context.Context) error) {
				t.Helper()
				wantError(t, call(soon(t)), context.DeadlineExceeded)
			}
			over, cancel := context.WithCancel(bg)
			cancel()
			wantError(t, q.get(over), context.Canceled) // turned away
			wantError(t, q.put(over), context.Canceled)
			gaveUp(q.get)
			wantError(t, q.tryGet(), ErrEmpty)
			wantError(t, q.tryGet(), ErrEmpty)
			must(t, q.tryPut())
			gaveUp(q.put)
			gaveUp(q.put)
			wantError(t, q.tryPut(), ErrFull)
			end()
			s = q.stats()
			want(t, "failures", [2]uint64{s.FailedEnqueue, s.FailedDequeue}, [2]uint64{3, 3})
		})
	}
}

// Under load, too, each failure counts once.
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

// Items that are not due yet are no failure, as in C.
func TestNotDueIsNoFailure(t *testing.T) {
	limits := BatchOptions{Size: 2, MaxPending: 2, Age: forEver}
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
