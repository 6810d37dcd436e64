package queues

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

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
	ours.load().cQueue.free()                           // the reference of p
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

// openUp makes the next puts and gets take the fast path, where there is one: it raises the peak of the length, which
// only C does, and leaves the queue empty.
func openUp(t *testing.T, put func(int) error, get func() (int, error), capacity int) {
	t.Helper()
	for _, n := range []int{capacity, 1} {
		for i := range n {
			must(t, put(i))
		}
		for range n {
			must(t, errOf(get()))
		}
	}
}

// Each single put and get of the fast path wakes a goroutine that waits in another handle, of which C knows only the
// descriptor.
func TestFastPathWakesAtOnce(t *testing.T) {
	const capacity = 64
	q := created[SPSCWords](t)(NewSPSCWords(capacity))
	defer q.Release()
	p := q.Handle()
	other := created[SPSCWords](t)(FromHandle[SPSCWords](p))
	defer other.Release()
	q.load().cQueue.free()                                 // the reference of p
	ctx, cancel := context.WithTimeout(bg, 10*time.Second) // only a lost wake-up takes so long
	defer cancel()
	ended := make(chan error, 1)
	wait := func(call func() error, r *role) {
		go func() { ended <- call() }()
		eventually(func() bool { return r.waits.waiting() == 1 })
		time.Sleep(5 * time.Millisecond) // from the list to the channel
	}
	n := wordsOf(q)
	openUp(t, n.put, n.get, capacity)
	wait(func() error { return errOf(other.Get(ctx)) }, &other.load().consumer)
	_, ok := n.handle.fast.room()
	want(t, "there is a fast path for the put", ok, hasFastPath)
	must(t, q.TryPut(1))
	must(t, <-ended)

	for range capacity {
		must(t, q.TryPut(1))
	}
	must(t, errOf(q.TryGet())) // finds out in C how far gets may go
	must(t, q.TryPut(1))
	wait(func() error { return other.Put(ctx, 1) }, &other.load().producer)
	must(t, errOf(q.TryGet()))
	must(t, <-ended)
}

// No put that begins after a close is accepted, although items are left. A put that found the queue open and then
// published after a get has reported the end is not accepted either.
func TestFastPathAndClose(t *testing.T) {
	forEachSPSC(t, 64, func(t *testing.T, q numbers) {
		openUp(t, q.put, q.get, 64)
		must(t, q.put(1))
		_, ok := q.handle.fast.room()
		want(t, "there is a fast path", ok, hasFastPath)
		q.close()
		wantError(t, q.put(2), ErrClosed)
		v, err := q.get()
		must(t, err)
		want(t, "item", v, 1)
		wantError(t, errOf(q.get()), ErrClosed)
		want(t, "length", q.handle.len(), 0)
	})
	q := newWords(t, 64)
	openUp(t, q.put, q.get, 64)
	if position, ok := q.handle.fast.room(); ok {
		q.close()
		wantError(t, errOf(q.get()), ErrClosed)
		want(t, "status of the late put", q.handle.publish(position, 1), ErrClosed)
		wantError(t, errOf(q.get()), ErrClosed)
		want(t, "Enqueued", q.handle.stats().Enqueued, 65)
	}
}

// What happens before a put is visible after its get, also where no call waits. The race detector checks.
func TestHappensBeforeWithoutWaiting(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		const rounds = 20_000
		q := newTyped[*int](t, f, 100)
		go func() {
			for i := range rounds {
				for v := &i; q.TryPut(v) != nil; {
					runtime.Gosched()
				}
			}
		}()
		for i := range rounds {
			v, err := q.TryGet()
			for ; err != nil; v, err = q.TryGet() {
				runtime.Gosched()
			}
			want(t, "value", *v, i)
			*v = -1
		}
	})
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
