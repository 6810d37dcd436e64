package queues

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// hasFastPath reports whether this build has a fast path at all.
const hasFastPath = !underRaceDetector && runtime.GOOS != "windows" &&
	(runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")

// numbers is what the tests need of an SPSC queue of values or of numbers.
type numbers struct {
	handle *handle
	put    func(int) error
	get    func() (int, error)
	close  func()
}

func valuesOf(t *testing.T, capacity int) numbers {
	q := newTyped[int](t, spsc, capacity).(*SPSC[int])
	return numbers{q.load(), q.TryPut, q.TryGet, q.Close}
}

func wordsOf(q *SPSCWords) numbers {
	return numbers{q.load(), func(v int) error { return q.TryPut(uint64(v)) }, func() (int, error) {
		v, err := q.TryGet()
		return int(v), err
	}, q.Close}
}

func newWords(t *testing.T, capacity int) numbers {
	q := created[SPSCWords](t)(NewSPSCWords(capacity))
	t.Cleanup(q.Release)
	return wordsOf(q)
}

func forEachSPSC(t *testing.T, capacity int, test func(t *testing.T, q numbers)) {
	t.Run("values", func(t *testing.T) { test(t, valuesOf(t, capacity)) })
	t.Run("words", func(t *testing.T) { test(t, newWords(t, capacity)) })
}

// Most puts and gets of single items do not call C: they succeed on a handle for which every call of C fails.
func TestFastPathCallsNoC(t *testing.T) {
	const capacity = 256
	forEachSPSC(t, capacity, func(t *testing.T, q numbers) {
		next, want := 0, 0
		put := func() bool {
			err := q.put(next)
			if err == nil {
				next++
			} else {
				wantError(t, err, ErrInvalid)
			}
			return err == nil
		}
		get := func() bool {
			v, err := q.get()
			if err == nil {
				if v != want {
					t.Fatalf("got %d, want %d", v, want)
				}
				want++
			} else {
				wantError(t, err, ErrInvalid)
			}
			return err == nil
		}
		for range capacity { // a new peak of the length needs C
			put()
		}
		for range capacity {
			get()
		}
		inGo := func(call func() bool) (n int) {
			call() // finds out in C how far the fast path may go
			queue := q.handle.queue
			q.handle.queue = 0
			for n < capacity/2 && call() {
				n++
			}
			q.handle.queue = queue
			return n
		}
		puts, gets := inGo(put), 0
		for range capacity/2 + 1 - puts - 1 { // in race builds all puts go to C
			put()
		}
		gets = inGo(get)
		if hasFastPath && (puts < capacity/2 || gets < capacity/4) || !hasFastPath && puts+gets > 0 {
			t.Errorf("%d puts and %d gets without C", puts, gets)
		}
	})
}

// A queue whose handle has another tag is used through C: one in checked mode, and one of another family.
func TestFastPathNeedsTheTag(t *testing.T) {
	c, status := create(spsc, 4, 0, 1) // QUEUES_SPSC_CHECKED
	want(t, "status", status, statusOK)
	p := c.retain()
	c.free()
	q := created[SPSCWords](t)(FromHandle[SPSCWords](p))
	c.free()
	defer q.Release()
	want(t, "fast path in checked mode", q.load().fast, fastPath{})
	for i := range uint64(9) {
		must(t, q.TryPut(i))
		v, err := q.TryGet()
		must(t, err)
		want(t, "number", v, i)
	}
	for _, f := range []family{mpmc, priority} {
		h, err := newHandle(f, 4, 0)
		must(t, err)
		want(t, "fast path of another family", h.fast, fastPath{})
		h.release()
	}
	h, err := newHandle(spsc, 4, 8)
	must(t, err)
	want(t, "fast path of blobs", h.fast, fastPath{})
	h.release()
	if unchecked := newWords(t, 4); hasFastPath && unchecked.handle.fast == (fastPath{}) {
		t.Error("a queue without modes has no fast path")
	}
}

// Every put that a close accepts is got, in order, and no other.
func TestFastPathCloses(t *testing.T) {
	for range 300 {
		forEachSPSCQuietly(t, func(q numbers) {
			accepted, got := 0, 0
			var all group
			all.Go(func() {
				for {
					err := q.put(accepted)
					if err == ErrClosed {
						return
					}
					if err == nil {
						accepted++
					}
				}
			})
			all.Go(func() {
				for {
					v, err := q.get()
					if err == ErrClosed {
						return
					}
					if err == nil {
						if v != got {
							t.Errorf("got %d, want %d", v, got)
						}
						got++
					}
				}
			})
			for range rand.IntN(3000) {
				runtime.NumGoroutine()
			}
			q.close()
			all.Wait()
			want(t, "items that were got", got, accepted)
			stats := q.handle.stats()
			want(t, "Enqueued", stats.Enqueued, uint64(accepted))
			want(t, "Dequeued", stats.Dequeued, uint64(got))
		})
	}
}

func forEachSPSCQuietly(t *testing.T, test func(numbers)) {
	for _, capacity := range []int{1, 5, 64} {
		test(valuesOf(t, capacity))
		test(newWords(t, capacity))
	}
}

// A put and a get of the fast path wake those who wait in C: here the descriptors of another handle.
func TestFastPathWakesOthers(t *testing.T) {
	const capacity = 64
	ours := created[SPSCWords](t)(NewSPSCWords(capacity))
	defer ours.Release()
	p := ours.Handle()
	theirs := created[SPSCWords](t)(FromHandle[SPSCWords](p))
	defer theirs.Release()
	ours.load().cQueue.free() // the reference of p
	ctx, cancel := context.WithTimeout(bg, time.Minute) // only a lost wake-up takes so long
	defer cancel()
	pair := func(put, get *SPSCWords, slowPut, slowGet time.Duration) {
		var all group
		const n = 2000
		all.Go(func() {
			for i := range uint64(n) {
				if i%97 == 0 {
					time.Sleep(slowPut)
				}
				if err := put.Put(ctx, i); err != nil {
					t.Errorf("put: %v", err)
					return
				}
			}
		})
		all.Go(func() {
			for i := range uint64(n) {
				if i%97 == 0 {
					time.Sleep(slowGet)
				}
				v, err := get.Get(ctx)
				if err != nil || v != i {
					t.Errorf("got %d, %v, want %d", v, err, i)
					return
				}
			}
		})
		all.Wait()
	}
	pair(ours, theirs, time.Millisecond, 0)
	pair(ours, theirs, 0, time.Millisecond)
	pair(theirs, ours, time.Millisecond, 0)
	pair(theirs, ours, 0, time.Millisecond)
}

// An SPSC queue uses its cells in turn: only an item that is accepted takes one.
func TestCellsInTurn(t *testing.T) {
	const capacity = 5
	q := newTyped[int](t, spsc, capacity).(*SPSC[int])
	s := q.items.slab.Load()
	accepted := 0
	for round := range 3 * len(s.cells) {
		values := make([]int, 1+round%(2*chunk))
		n, status := s.putValues(values)
		accepted += n
		want(t, "items that were put", n, min(len(values), capacity))
		want(t, "full", status == ErrFull, len(values) > capacity)
		if q.TryPut(1) == nil {
			accepted++
		}
		want(t, "next cell", s.next, uintptr(accepted%len(s.cells)))
		for q.Len() > 0 {
			if _, err := q.TryGet(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range s.cells {
		want(t, "cell", c, cell[int]{})
	}
}
