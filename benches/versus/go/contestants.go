// The contestants in Go: the queues of the binding, a channel, and structures under a mutex as a
// program without a queue library would write them. Each is adapted to an interface of
// workloads.go.

package main

/*
#include <malloc.h>
#include <stddef.h>

static size_t allocated(void) {
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}
*/
import "C"

import (
	"container/heap"
	"context"
	"sync"

	"queues"
)

var background = context.Background()

func must[T any](v T, err error) T {
	if err != nil {
		fail(1, "%v", err)
	}
	return v
}

// --- ours

// libraryFIFO has the methods that SPSC and MPMC share.
type libraryFIFO interface {
	TryPut(int) error
	TryGet() (int, error)
	Put(context.Context, int) error
	Get(context.Context) (int, error)
	PutMany(context.Context, []int) (int, error)
	GetMany(context.Context, []int) (int, error)
}

// oursFIFO adapts a queue of the binding. bytes is what the library allocated for it.
type oursFIFO struct {
	libraryFIFO
	bytes int
}

func newOurs(create func() libraryFIFO) oursFIFO {
	before := int(C.allocated())
	q := create()
	return oursFIFO{q, int(C.allocated()) - before}
}

func newSPSC(capacity int) oursFIFO {
	return newOurs(func() libraryFIFO { return must(queues.NewSPSC[int](capacity)) })
}

func newMPMC(capacity int) oursFIFO {
	return newOurs(func() libraryFIFO { return must(queues.NewMPMC[int](capacity)) })
}

func (q oursFIFO) TryPut(v int) bool   { return q.libraryFIFO.TryPut(v) == nil }
func (q oursFIFO) TryGet() (int, bool) { v, err := q.libraryFIFO.TryGet(); return v, err == nil }
func (q oursFIFO) Put(v int)           { q.libraryFIFO.Put(background, v) }
func (q oursFIFO) Get() int            { v, _ := q.libraryFIFO.Get(background); return v }
func (q oursFIFO) Bytes() int          { return q.bytes }

// The bulk calls of the binding block while the queue is full or empty; they have no non-blocking
// form.
func (q oursFIFO) PutBulk(vs []int) int { n, _ := q.libraryFIFO.PutMany(background, vs); return n }
func (q oursFIFO) GetBulk(vs []int) int { n, _ := q.libraryFIFO.GetMany(background, vs); return n }

type oursPriority struct{ *queues.Priority[int] }

func newPriority(capacity int) oursPriority {
	return oursPriority{must(queues.NewPriority[int](capacity))}
}

func (q oursPriority) Put(v int, priority float64) {
	if err := q.TryPut(v, priority); err != nil {
		fail(1, "%v", err)
	}
}
func (q oursPriority) Get() (int, bool) { v, _, err := q.TryGet(); return v, err == nil }

type oursDeque struct {
	*queues.Deque[int]
	thief *queues.Stealer[int]
}

func newDeque(capacity int) oursDeque {
	d := must(queues.NewDeque[int](capacity))
	return oursDeque{d, d.Stealer()}
}

func (d oursDeque) Push(v int) bool    { return d.Deque.Push(v) == nil }
func (d oursDeque) Pop() (int, bool)   { v, err := d.Deque.Pop(); return v, err == nil }
func (d oursDeque) Steal() (int, bool) { v, err := d.thief.Steal(); return v, err == nil }

// --- a buffered channel

type channel chan int

func newChannel(capacity int) channel { return make(channel, capacity) }

func (c channel) TryPut(v int) bool {
	select {
	case c <- v:
		return true
	default:
		return false
	}
}

func (c channel) TryGet() (v int, found bool) {
	select {
	case v = <-c:
		return v, true
	default:
		return 0, false
	}
}

func (c channel) Put(v int)  { c <- v }
func (c channel) Get() int   { return <-c }
func (c channel) Bytes() int { return 0 }

// A channel has no bulk calls; a program would write these loops.
func (c channel) PutBulk(vs []int) int {
	for i, v := range vs {
		if !c.TryPut(v) {
			return i
		}
	}
	return len(vs)
}

func (c channel) GetBulk(vs []int) int {
	for i := range vs {
		v, found := c.TryGet()
		if !found {
			return i
		}
		vs[i] = v
	}
	return len(vs)
}

// --- a ring in a slice under a mutex

type lockedSlice struct {
	mutex             sync.Mutex
	notEmpty, notFull sync.Cond
	ring              []int
	in, out           int
}

func newLockedSlice(capacity int) *lockedSlice {
	q := &lockedSlice{ring: make([]int, capacity)}
	q.notEmpty.L, q.notFull.L = &q.mutex, &q.mutex
	return q
}

func (q *lockedSlice) putOne(v int) {
	q.ring[q.in%len(q.ring)] = v
	q.in++
	q.notEmpty.Signal()
}

func (q *lockedSlice) getOne() int {
	v := q.ring[q.out%len(q.ring)]
	q.out++
	q.notFull.Signal()
	return v
}

func (q *lockedSlice) PutBulk(vs []int) (n int) {
	q.mutex.Lock()
	for ; n < len(vs) && q.in-q.out < len(q.ring); n++ {
		q.putOne(vs[n])
	}
	q.mutex.Unlock()
	return n
}

func (q *lockedSlice) GetBulk(vs []int) (n int) {
	q.mutex.Lock()
	for ; n < len(vs) && q.out < q.in; n++ {
		vs[n] = q.getOne()
	}
	q.mutex.Unlock()
	return n
}

func (q *lockedSlice) TryPut(v int) bool {
	q.mutex.Lock()
	room := q.in-q.out < len(q.ring)
	if room {
		q.putOne(v)
	}
	q.mutex.Unlock()
	return room
}

func (q *lockedSlice) TryGet() (v int, found bool) {
	q.mutex.Lock()
	if found = q.out < q.in; found {
		v = q.getOne()
	}
	q.mutex.Unlock()
	return v, found
}

func (q *lockedSlice) Put(v int) {
	q.mutex.Lock()
	for q.in-q.out == len(q.ring) {
		q.notFull.Wait()
	}
	q.putOne(v)
	q.mutex.Unlock()
}

func (q *lockedSlice) Get() int {
	q.mutex.Lock()
	for q.out == q.in {
		q.notEmpty.Wait()
	}
	v := q.getOne()
	q.mutex.Unlock()
	return v
}

func (q *lockedSlice) Bytes() int { return 0 }

// --- the standard library's heap under a mutex

type entry struct {
	priority float64
	ticket   int
	v        int
}

type entries []entry

func (e entries) Len() int      { return len(e) }
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e entries) Less(i, j int) bool {
	return e[i].priority < e[j].priority || e[i].priority == e[j].priority && e[i].ticket < e[j].ticket
}
func (e *entries) Push(v any) { *e = append(*e, v.(entry)) }
func (e *entries) Pop() any {
	last := len(*e) - 1
	v := (*e)[last]
	*e = (*e)[:last]
	return v
}

type lockedHeap struct {
	mutex   sync.Mutex
	entries entries
	ticket  int
}

func newLockedHeap(capacity int) *lockedHeap { return &lockedHeap{entries: make(entries, 0, capacity)} }

func (h *lockedHeap) Put(v int, priority float64) {
	h.mutex.Lock()
	heap.Push(&h.entries, entry{priority, h.ticket, v})
	h.ticket++
	h.mutex.Unlock()
}

func (h *lockedHeap) Get() (v int, found bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if len(h.entries) == 0 {
		return 0, false
	}
	return heap.Pop(&h.entries).(entry).v, true
}
