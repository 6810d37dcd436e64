//go:build !asan

package queues

import (
	"runtime"
	"testing"
)

// Under the address sanitizer, variables whose address is taken and arguments to C are on the heap, so these
// tests are for builds without it.

func TestNoAllocation(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q, b := newTyped[*int](t, f, 1000), newBlobs(t, f, 10, 8)
		v, vs, p := new(int), make([]*int, 1000), make([]byte, 8)
		for name, call := range map[string]func(){
			"Try":   func() { q.TryPut(v); q.TryGet(); q.TryGet() },
			"wait":  func() { q.Put(bg, v); q.Get(bg) },
			"many":  func() { q.PutMany(bg, vs); q.GetMany(bg, vs) },
			"clear": func() { q.TryPut(v); q.Clear() },
			"blobs": func() { b.Put(bg, p); b.Peek(p); b.TryGet(p) },
		} {
			if n := testing.AllocsPerRun(100, call); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
}

func TestBatchNoAllocation(t *testing.T) {
	q := newBatch[*int](t, BatchOptions{Size: 8})
	b, err := NewBatchBytes(8, BatchOptions{Size: 8})
	must(t, err)
	v, vs, p := new(int), make([]*int, 8), make([]byte, 64)
	blobs := make([][]byte, 8)
	for name, call := range map[string]func(){
		"values": func() { q.Put(bg, v); q.TryPut(v); q.Flush(); q.GetBatchInto(bg, vs) },
		"blobs":  func() { b.Put(bg, p[:8]); b.TryPut(p[:8]); b.Flush(); b.GetBatchInto(bg, p, blobs) },
		"none":   func() { q.TryGetBatch(); b.TryGetBatch() },
	} {
		if n := testing.AllocsPerRun(100, call); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// Goroutines that call at the same time seldom use the same count.
func TestCallsSpread(t *testing.T) {
	const threads = 8
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	h := newTyped[int](t, mpmc, 1).(*MPMC[int]).handle.Load()
	want(t, "counts", len(h.calls), 2*threads)
	var entered, ended group
	ended.Add(1)
	var all group
	for range 10 * threads {
		entered.Add(1)
		all.Go(func() {
			c := h.begin()
			entered.Done()
			ended.Wait()
			h.leave(c)
		})
	}
	entered.Wait()
	used, sum := 0, int64(0)
	for i := range h.calls {
		n := h.calls[i].n.Load()
		sum += n
		used += int(min(n, 1))
	}
	ended.Done()
	all.Wait()
	want(t, "calls", sum, 10*threads)
	if used < threads { // 80 goroutines, 16 counts
		t.Errorf("only %d of %d counts are used", used, len(h.calls))
	}
}
