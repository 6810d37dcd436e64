package queues

import (
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func queuesInC() int {
	cMemory.mu.Lock()
	defer cMemory.mu.Unlock()
	return cMemory.queues
}

// settled waits until the queues are freed that earlier tests dropped, and turns the garbage collector off.
func settled(t *testing.T) {
	old := debug.SetGCPercent(-1)
	threshold := SetCollectionThreshold(-1)
	t.Cleanup(func() {
		debug.SetGCPercent(old)
		SetCollectionThreshold(threshold)
	})
	for last := -1; last != queuesInC(); time.Sleep(20 * time.Millisecond) {
		last = queuesInC()
		cleaned := make(chan int)
		runtime.AddCleanup(new([64]byte), func(int) { close(cleaned) }, 0)
		runtime.GC()
		<-cleaned
	}
}

// Release frees the C memory itself: no garbage collection runs.
func TestReleaseFrees(t *testing.T) {
	settled(t)
	before := queuesInC()
	for _, q := range subjects(t) {
		t.Run(q.name, func(t *testing.T) {
			with, h := queuesInC(), q.base.handle.Load()
			q.release()
			want(t, "queues in C", queuesInC(), with-1)
			q.release()
			want(t, "freed", h.freed.Load(), true)
			wantError(t, q.get(bg), ErrClosed)
			want(t, "queues in C", queuesInC(), with-1)
		})
	}
	want(t, "queues in C", queuesInC(), before)
}

// Calls in flight of any role keep the memory. The last one frees it when it leaves; a call that begins after
// Release does not.
func TestLastCallFrees(t *testing.T) {
	settled(t)
	for _, q := range subjects(t) {
		t.Run(q.name, func(t *testing.T) {
			with, h := queuesInC(), q.base.handle.Load()
			var inside []*callCount
			for _, s := range []*role{&h.producer, &h.consumer, &h.producer, &h.consumer} {
				c, status := h.enter(s)
				if s.exclusive && len(inside) > 1 {
					want(t, "a second call", status, ErrMisuse)
					continue
				}
				want(t, "enter", status, statusOK)
				inside = append(inside, c)
			}
			inside = append(inside, h.begin())
			q.release()
			for i := range inside {
				want(t, "queues in C", queuesInC(), with)
				for _, s := range []*role{&h.producer, &h.consumer} {
					_, status := h.enter(s)
					want(t, "enter", status, ErrClosed)
				}
				want(t, "begin", h.begin(), nil)
				h.size() // it reads the memory
				h.leave(inside[i])
			}
			for _, s := range []*role{&h.producer, &h.consumer} { // after the memory was freed
				_, status := h.enter(s)
				want(t, "enter", status, ErrClosed)
			}
			want(t, "begin", h.begin(), nil)
			want(t, "queues in C", queuesInC(), with-1)
		})
	}
}

// The memory of a queue is freed by the last waiting call, before all of them have returned.
func TestReleaseWithWaitersFrees(t *testing.T) {
	settled(t)
	for _, q := range subjects(t) {
		if !q.waits() {
			continue
		}
		t.Run(q.name, func(t *testing.T) {
			with, waiters := queuesInC(), 5
			if q.base.handle.Load().consumer.exclusive {
				waiters = 1
			}
			ended := make(chan error)
			for range waiters {
				go func() { ended <- q.get(bg) }()
			}
			time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
			q.release()
			for range waiters {
				want(t, "error", <-ended, error(ErrClosed))
			}
			want(t, "queues in C", queuesInC(), with-1)
		})
	}
}

// With calls and releases of many goroutines at once each queue is freed, once.
func TestReleaseRacesFree(t *testing.T) {
	settled(t)
	before := queuesInC()
	for range 300 {
		q, err := NewMPMCBytes(2, 8)
		must(t, err)
		h := q.handle.Load()
		var all group
		for range 4 {
			all.Go(func() {
				for blob := make([]byte, 8); ; q.Len() {
					if q.TryPut(blob) == ErrClosed {
						break
					}
					q.TryGet(blob)
				}
			})
		}
		for range 2 {
			all.Go(q.Release)
		}
		all.Wait()
		want(t, "freed", h.freed.Load(), true)
	}
	want(t, "queues in C", queuesInC(), before)
}

// Queues that are dropped are freed although only the package runs the garbage collector.
func TestDroppedQueuesAreCollected(t *testing.T) {
	settled(t)
	SetCollectionThreshold(1 << 20)
	begin := queuesInC()
	const most = 2000 // of about 250 KiB each, so that one run is enough
	for made := range most {
		if queuesInC() < begin+made {
			return
		}
		_, err := NewMPMCBytes(1000, 250)
		must(t, err)
		time.Sleep(100 * time.Microsecond) // cleanups have a goroutine of their own
	}
	t.Errorf("%d queues were dropped, and none freed", most)
}

// The garbage collector runs when memory has doubled since the last run, not for every queue.
func TestCollectionPace(t *testing.T) {
	runs := func() uint32 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumGC
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	a := memoryAccount{threshold: 100}
	collects := func(bytes int64, want bool) {
		t.Helper()
		before := runs()
		a.created(bytes)
		if (runs() > before) != want {
			t.Fatalf("a collection at %d bytes: %v, want %v", a.bytes, !want, want)
		}
	}
	collects(100, false) // the threshold is not exceeded
	collects(1, true)
	collects(101, false) // more than the threshold, but not twice what the last run left
	collects(1, true)
	a.freed(150)
	collects(100, false)
	collects(1, true)
	a.threshold = -1
	collects(1<<40, false)
	want(t, "queues", a.queues, 6)
	want(t, "previous setting", SetCollectionThreshold(SetCollectionThreshold(5)), 5)
}

// If Go has no memory for a queue, its C memory is freed at once.
func TestCreationThatFailsFrees(t *testing.T) {
	settled(t)
	before := queuesInC()
	type large [1 << 20]byte
	const many = 1 << 20
	for name, create := range map[string]func() (common, error){
		"Batch": func() (common, error) { return NewBatch[large](BatchOptions{MaxPending: many}) },
		"MPMC":  func() (common, error) { return NewMPMC[large](many) },
	} {
		if q, err := create(); err == nil { // the system overcommits
			q.Release()
		} else {
			want(t, name, err, error(ErrNoMemory))
		}
	}
	want(t, "queues in C", queuesInC(), before)
}
