package queues

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
)

func newDeque[T any](t testing.TB, capacity int, options ...DequeOption) *Deque[T] {
	t.Helper()
	d, err := NewDeque[T](capacity, options...)
	must(t, err)
	t.Cleanup(d.Release)
	return d
}

func wantPop[T comparable](t testing.TB, d *Deque[T], v T) {
	t.Helper()
	got, err := d.Pop()
	must(t, err)
	want(t, "Pop", got, v)
}

func wantSteal[T comparable](t testing.TB, s *Stealer[T], v T) {
	t.Helper()
	got, err := s.Steal()
	must(t, err)
	want(t, "Steal", got, v)
}

func TestDequeOrder(t *testing.T) {
	d := newDeque[string](t, 3)
	thief := d.Stealer()
	_, err := d.Pop()
	want(t, "Pop", err, error(ErrEmpty))
	_, err = thief.Steal()
	want(t, "Steal", err, error(ErrEmpty))
	for i := range 3 {
		must(t, d.Push(fmt.Sprint(i)))
	}
	want(t, "Push", d.Push("more"), error(ErrFull))
	want(t, "Len", d.Len(), 3)
	want(t, "Len", thief.Len(), 3)
	want(t, "Cap", d.Cap(), 3)
	wantPop(t, d, "2")
	wantSteal(t, thief, "0")
	wantPop(t, d, "1")
	want(t, "Stats", thief.Stats(), Stats{Enqueued: 3, Dequeued: 3, FailedEnqueue: 1, FailedDequeue: 2,
		PeakSize: 3, Capacity: 3, Stolen: 1})
	want(t, "Stats", d.Stats(), thief.Stats())
}

// Random calls have the same results as on a slice; cells are reused in every order.
func TestDequeModel(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 17, 300} {
		for _, options := range [][]DequeOption{nil, {Growable}} {
			d := newDeque[int](t, capacity, options...)
			thief := d.Stealer()
			random := rand.New(rand.NewPCG(1, uint64(capacity)))
			var model []int
			limit := capacity
			for step := range 20 * (capacity + 10) {
				switch random.IntN(6) {
				default:
					err := d.Push(step)
					if len(model) == limit && options == nil {
						want(t, "Push", err, error(ErrFull))
						break
					}
					must(t, err)
					model = append(model, step)
					if len(model) > limit {
						limit *= 2
					}
				case 0, 1:
					v, err := d.Pop()
					want(t, "is empty", err == ErrEmpty, len(model) == 0)
					if err == nil {
						want(t, "Pop", v, model[len(model)-1])
						model = model[:len(model)-1]
					}
				case 2:
					v, err := thief.Steal()
					want(t, "found", err == nil, len(model) > 0)
					if err == nil {
						want(t, "Steal", v, model[0])
						model = model[1:]
					}
				case 3:
					values := make([]int, random.IntN(5))
					n, err := thief.StealMany(values)
					want(t, "StealMany", n, min(len(values), len(model)))
					want(t, "is empty", err == ErrEmpty, n == 0 && len(values) > 0)
					want(t, "values", slices.Equal(values[:n], model[:n]), true)
					model = model[n:]
				}
				want(t, "Len", d.Len(), len(model))
				want(t, "Cap", d.Cap(), limit)
			}
		}
	}
}

func TestDequeGrows(t *testing.T) {
	const items = 5000 // several segments of the slab
	d := newDeque[int](t, 1, Growable)
	thief := d.Stealer()
	for i := range items {
		must(t, d.Push(i))
	}
	want(t, "Cap", d.Cap(), 8192)
	values := make([]int, items)
	n, err := thief.StealMany(values[:3*chunk])
	must(t, err)
	want(t, "StealMany", n, 3*chunk)
	for i := range n {
		want(t, "value", values[i], i)
	}
	for i := items - 1; i >= 4*chunk; i-- {
		wantPop(t, d, i)
	}
	n, err = thief.StealMany(values) // ends at the end of a chunk
	must(t, err)
	want(t, "StealMany", n, chunk)
	_, err = thief.StealMany(values)
	want(t, "StealMany", err, error(ErrEmpty))
	want(t, "Stats", d.Stats(), Stats{Enqueued: items, Dequeued: items, FailedDequeue: 1,
		PeakSize: items, Capacity: 8192, Stolen: 4 * chunk})
}

// With one owner and some thieves each item is taken once, and each thief takes items in order.
func TestDequeConcurrent(t *testing.T) {
	const items, thieves = 20000, 3
	for _, capacity := range []int{1, 2, 7, 100} {
		for _, options := range [][]DequeOption{nil, {Growable}} {
			d := newDeque[[2]int](t, capacity, options...)
			var times [items]atomic.Int32
			var pushed atomic.Bool
			var all group
			var stolen, empty atomic.Uint64
			end := watched(t, d.Stats)
			for thief := range thieves {
				all.Go(func() {
					stealer, last := d.Stealer(), -1
					values := make([][2]int, 1+2*thief)
					for {
						ends := pushed.Load()
						n, err := 1, error(nil)
						if thief == 0 {
							values[0], err = stealer.Steal()
						} else {
							n, err = stealer.StealMany(values)
						}
						switch err {
						case nil:
							for _, v := range values[:n] {
								if v[0] <= last || v[0] != -v[1] {
									t.Errorf("%v after %d", v, last)
								}
								last = v[0]
								times[last].Add(1)
							}
							stolen.Add(uint64(n))
						case ErrEmpty:
							empty.Add(1)
							if ends {
								return
							}
							runtime.Gosched()
						case ErrRetry:
						default:
							t.Error(err)
							return
						}
					}
				})
			}
			popped, full := uint64(0), uint64(0)
			pop := func() {
				if v, err := d.Pop(); err == nil {
					times[v[0]].Add(1)
					popped++
				} else {
					empty.Add(1)
				}
			}
			for i := range items {
				for {
					err := d.Push([2]int{i, -i})
					if err == nil {
						break
					}
					want(t, "Push", err, error(ErrFull))
					full++
					pop()
				}
				if i%3 == 0 {
					pop()
				}
			}
			pushed.Store(true)
			all.Wait()
			end()
			for i := range times {
				if n := times[i].Load(); n != 1 {
					t.Fatalf("item %d was taken %d times", i, n)
				}
			}
			stats := d.Stats()
			want(t, "Stats", stats, Stats{Enqueued: items, Dequeued: popped + stolen.Load(),
				FailedEnqueue: full, FailedDequeue: empty.Load(), Stolen: stolen.Load(),
				PeakSize: stats.PeakSize, Capacity: uint64(d.Cap())})
			want(t, "items taken", popped+stolen.Load(), items)
		}
	}
}

// While one owner is in a call, a second one gets ErrMisuse and thieves are not affected.
func TestDequeTwoOwners(t *testing.T) {
	d := newDeque[int](t, 2)
	must(t, d.Push(1))
	b, err := NewDequeBytes(2, 1)
	must(t, err)
	must(t, b.Push([]byte{1}))
	var buffer [1]byte
	handles := []*handle{d.handle.Load(), b.handle.Load()}
	var inside [2]*callCount
	for i, h := range handles {
		var status Error
		inside[i], status = h.enter(&h.producer) // the owner is in a call
		want(t, "enter", status, statusOK)
	}
	want(t, "Push", d.Push(2), error(ErrMisuse))
	_, err = d.Pop()
	want(t, "Pop", err, error(ErrMisuse))
	want(t, "Push", b.Push(nil), error(ErrMisuse))
	_, err = b.Pop(buffer[:])
	want(t, "Pop", err, error(ErrMisuse))
	wantSteal(t, d.Stealer(), 1)
	_, err = b.Stealer().Steal(buffer[:])
	must(t, err)
	for i, h := range handles {
		h.leave(inside[i])
	}
	must(t, d.Push(2))
	wantPop(t, d, 2)
}

// Cells are reused, whether the owner or a thief took their items. If thieves hold too many, the slab grows.
func TestDequeCells(t *testing.T) {
	d := newDeque[int](t, 5)
	s, thief := d.slab.Load(), d.Stealer()
	cells := s.cells
	for i := range int(3 * cells) {
		must(t, d.Push(i))
		must(t, d.Push(-i))
		wantPop(t, d, -i)
		wantSteal(t, thief, i)
	}
	for range 5 {
		must(t, d.Push(0))
	}
	for range 2 * cells {
		want(t, "Push", d.Push(-1), error(ErrFull))
	}
	want(t, "cells", s.cells, cells)
	want(t, "used", s.used <= 6, true)

	var held []uintptr
	for i := range int(2 * cells) { // thieves that stop within a steal
		number, status := s.take(true)
		want(t, "take", status, statusOK)
		held = append(held, number)
		must(t, d.Push(i))
	}
	want(t, "cells", s.cells > cells, true)
	grown := s.cells
	for i, number := range held {
		want(t, "value", s.emptyStolen(number), max(i-5, 0))
	}
	for i := range int(3 * cells) {
		wantSteal(t, thief, max(int(2*cells)-5+i, 0))
		must(t, d.Push(int(2*cells)+i))
	}
	want(t, "cells", s.cells, grown)
}

// A deque keeps no reference to a value that left it, or that it did not accept.
func TestDequeKeepsNoReference(t *testing.T) {
	d := newDeque[*tracked](t, 4)
	var all tracker
	push := func() error { return d.Push(all.make()) }
	for range 4 {
		must(t, push())
	}
	want(t, "Push", push(), error(ErrFull))
	d.Pop()
	d.Stealer().Steal()
	d.Stealer().StealMany(make([]*tracked, 2))
	collected(all)
	runtime.KeepAlive(d)
	must(t, push())
	thief := d.Stealer()
	d.Release()
	collected(all)
	_, err := thief.Steal()
	want(t, "Steal", err, error(ErrClosed))
}

// A stealer keeps its deque from the garbage collector.
func TestStealerKeepsDeque(t *testing.T) {
	thief := func() *Stealer[int] {
		d, err := NewDeque[int](1)
		must(t, err)
		must(t, d.Push(7))
		return d.Stealer()
	}()
	runtime.GC()
	runtime.GC()
	wantSteal(t, thief, 7)
}

func TestDequeBytes(t *testing.T) {
	for _, size := range []int{1, 64, 65, 1000} {
		d, err := NewDequeBytes(2, size, Growable)
		must(t, err)
		thief := d.Stealer()
		whole := slices.Repeat([]byte{'x'}, size)
		for _, blob := range [][]byte{whole, nil, []byte("y"), whole} {
			must(t, d.Push(blob))
		}
		want(t, "Push of a long blob", d.Push(append(whole, 'x')), error(ErrInvalid))
		want(t, "Len", thief.Len(), 4)
		want(t, "Cap", d.Cap(), 4)
		buffer := make([]byte, size)
		n, err := thief.Steal(buffer[:size-1])
		want(t, "Steal into a small buffer", err, error(ErrTooSmall))
		want(t, "length needed", n, size)
		n, err = thief.Steal(buffer)
		must(t, err)
		want(t, "stolen", string(buffer[:n]), string(whole))
		n, err = d.Pop(nil)
		want(t, "Pop into a small buffer", err, error(ErrTooSmall))
		want(t, "length needed", n, size)
		n, err = d.Pop(buffer)
		must(t, err)
		want(t, "popped", string(buffer[:n]), string(whole))
		n, err = thief.Steal(nil)
		must(t, err)
		want(t, "length of the empty blob", n, 0)
		n, err = d.Pop(buffer)
		must(t, err)
		want(t, "popped", string(buffer[:n]), "y")
		_, err = d.Pop(buffer)
		want(t, "Pop", err, error(ErrEmpty))
		_, err = thief.Steal(buffer)
		want(t, "Steal", err, error(ErrEmpty))
		want(t, "Stolen", thief.Stats().Stolen, 2)
		d.Release()
		_, err = thief.Steal(buffer)
		want(t, "Steal", err, error(ErrClosed))
	}
	d, err := NewDequeBytes(1, 1)
	must(t, err)
	must(t, d.Push(nil))
	want(t, "Push", d.Push(nil), error(ErrFull))
}

func TestDequeRejectsOptions(t *testing.T) {
	for _, capacity := range []int{0, -1} {
		_, err := NewDeque[int](capacity)
		want(t, "NewDeque", err, error(ErrInvalid))
		_, err = NewDequeBytes(capacity, 1)
		want(t, "NewDequeBytes", err, error(ErrInvalid))
	}
	_, err := NewDequeBytes(1, 0)
	want(t, "NewDequeBytes", err, error(ErrInvalid))
	_, err = NewDeque[int](1, 1<<40)
	want(t, "NewDeque with an unknown option", err, error(ErrInvalid))
	_, err = NewDeque[int](math.MaxInt)
	want(t, "NewDeque", err == ErrNoMemory || err == ErrInvalid, true)
}

// The zero value of a stealer behaves as one of a deque that was released.
func TestZeroStealers(t *testing.T) {
	var noThief Stealer[int]
	_, err := noThief.Steal()
	want(t, "Steal", err, error(ErrClosed))
	_, err = noThief.StealMany(make([]int, 1))
	want(t, "StealMany", err, error(ErrClosed))
	want(t, "Stats", noThief.Stats(), Stats{CurrentSize: uint64(noThief.Len())})
	var noBytes StealerBytes
	_, err = noBytes.Steal(nil)
	want(t, "Steal", err, error(ErrClosed))
	want(t, "Stats", noBytes.Stats(), Stats{CurrentSize: uint64(noBytes.Len())})
}
