//go:build !asan

package queues

import "testing"

// The address sanitizer watches what C is given on the heap, so this is for builds without it.
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
