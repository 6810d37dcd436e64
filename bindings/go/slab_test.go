package queues

import (
	"math"
	"math/bits"
	"testing"
	"time"
)

// holdCells claims all cells but left of them, as calls in flight would.
func holdCells(t *testing.T, s *slab[int], left int) []uintptr {
	t.Helper()
	n := len(s.cells) - left
	held := make([]uintptr, n)
	want(t, "free cells", s.fill(held, make([]int, n)), n)
	return held
}

// A producer that finds no free cell waits for one if the queue has room; if it has none, it returns the reason.
func TestAllCellsInUse(t *testing.T) {
	const capacity = 5
	q := newTyped[int](t, mpmc, capacity).(*MPMC[int])
	s := q.items.slab.Load()
	held := holdCells(t, s, capacity)
	for i := range capacity {
		must(t, q.TryPut(i))
	}
	wantError(t, q.TryPut(-1), ErrFull)
	n, status := s.putValues([]int{-1, -2})
	want(t, "putValues", n, 0)
	want(t, "status", status, ErrFull)

	for _, put := range []func() error{
		func() error { return q.TryPut(capacity) },
		func() error { _, err := q.PutMany(bg, []int{capacity}); return err },
	} {
		i, _, status := s.handle.tryGet() // a consumer that stops within a get
		want(t, "status", status, statusOK)
		ended := make(chan error, 1)
		go func() { ended <- put() }()
		select {
		case err := <-ended:
			t.Fatalf("put without a cell: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
		s.empty(i)
		must(t, <-ended)
	}
	q.Close()
	wantError(t, q.TryPut(-1), ErrClosed)
	s.reclaim(held)
	for _, v := range []int{2, 3, 4, capacity, capacity} {
		wantGet(t, q, v)
	}
	_, err := q.Get(bg)
	wantError(t, err, ErrClosed)
}

// No cell is lost: after an item was got, cleared, or not accepted.
func TestCellsComeBack(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newTyped[int](t, f, 7)
		var s *slab[int]
		if f == spsc {
			s = q.(*SPSC[int]).items.slab.Load()
		} else {
			s = q.(*MPMC[int]).items.slab.Load()
		}
		var many [3 * chunk]int
		for range 3 * len(s.cells) {
			must(t, q.TryPut(1))
			n, status := s.putValues(many[:])
			want(t, "putValues", n, 6)
			want(t, "status", status, ErrFull)
			wantError(t, q.TryPut(1), ErrFull)
			wantGet(t, q, 1)
			n, err := q.GetMany(bg, many[:3])
			must(t, err)
			want(t, "GetMany", n, 3)
			wantClear(t, q, 3)
		}
		q.Close()
		wantError(t, q.TryPut(1), ErrClosed)
		holdCells(t, s, 0)
	})
}

// No cell is lost with several producers and consumers.
func TestCellsComeBackFromTraffic(t *testing.T) {
	const threads, each = 3, 20_000
	q := newTyped[int](t, mpmc, 7).(*MPMC[int])
	s := q.items.slab.Load()
	var wg group
	for range threads {
		wg.Go(func() {
			for sent := 0; sent < each; sent += 5 {
				n, err := q.PutMany(bg, []int{1, 1, 1, 1})
				if err == nil {
					err = q.Put(bg, 1)
				}
				if n != 4 || err != nil {
					t.Errorf("put: %d, %v", n, err)
				}
			}
		})
		wg.Go(func() {
			var some [4]int
			for got := 0; got < each; {
				n, err := q.GetMany(bg, some[:min(len(some), each-got)])
				if err != nil {
					t.Errorf("get: %v", err)
					return
				}
				got += n
			}
		})
	}
	wg.Wait()
	holdCells(t, s, 0)
}

// Each cell is in one block, for any number of cells.
func TestBlocksHaveAllCells(t *testing.T) {
	for _, cells := range []int{1, 63, 64, 65, 127, 128, 129, 1000} {
		n := 0
		blocks := newBlocks(cells)
		for k := range blocks {
			b := &blocks[k]
			want(t, "free cells before the refill", b.claim(blockSize), 0)
			b.refill()
			n += bits.OnesCount64(b.claim(blockSize))
			want(t, "free cells after all were claimed", b.claim(blockSize), 0)
		}
		want(t, "cells", n, cells)
	}
}

// choose returns n bits of the set, or all if there are fewer; single bits from group to group.
func TestChoose(t *testing.T) {
	const every = math.MaxUint64
	for _, set := range []uint64{0, 1, 1 << 63, 0xf0f0, 0x8000_0000_0000_0001, every} {
		for n := 0; n <= blockSize; n++ {
			chosen := choose(set, n)
			want(t, "bits that are not in the set", chosen&^set, 0)
			want(t, "number", bits.OnesCount64(chosen), min(n, bits.OnesCount64(set)))
		}
	}
	want(t, "neighbors", choose(every, 2*groupSize), 1<<(2*groupSize)-1)
	for set, k := uint64(every), 0; set != 0; k++ {
		one := choose(set, 1)
		want(t, "group", bits.TrailingZeros64(one)/groupSize, k%(blockSize/groupSize))
		set &^= one
	}
}

// An item that the library would return twice does not become two values: the slab panics.
func TestItemTwice(t *testing.T) {
	s, err := newSlab[int](mpmc, 1)
	must(t, err)
	item := make([]uintptr, 1)
	want(t, "fill", s.fill(item, []int{1}), 1)
	want(t, "value", s.empty(item[0]), 1)
	defer func() {
		if recover() == nil {
			t.Error("a cell was emptied twice without a panic")
		}
	}()
	s.empty(item[0])
}
