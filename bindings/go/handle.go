// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"math/bits"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// cacheLine, in bytes, keeps what producers write off the cache lines that consumers write; it is
// twice 64 because processors prefetch lines in pairs.
const cacheLine = 128

// A handle owns a queue of the C library and frees it once, never during a call: when it was released
// and the last call in flight leaves, or when it is unreachable.
//
// A call that may touch the C memory first counts itself and then loads released; Release first sets
// released and then loads the counts. Atomic operations of Go have one order, so either the call sees
// that the queue was released, or Release sees the call, and the call frees the memory when it leaves.
// There are many counts, so that calls of several goroutines seldom share a cache line. In a role that
// allows one call at a time, the flag that detects a second call is the count.
type handle struct {
	resource
	fast     fastPath
	cleanup  runtime.Cleanup
	itemSize int
	released atomic.Bool
	freed    atomic.Bool
	calls    []callCount // of calls in flight; their number is a power of two
	_        [cacheLine]byte
	sharing  sync.Mutex // guards the next two
	shared   bool       // calls in C wake goroutines
	files    []*os.File // the descriptors that calls in C signal
	borrowed bool       // another owner closes the queue
	producer role       // for a deque: the owner
	consumer role       // for a deque: the thieves
}

// A role is that of a producer or of a consumer: what all goroutines share that call its methods.
type role struct {
	exclusive bool  // one call at a time
	plans     bool  // its waiters wait for batches, which may become due by their age
	blocked   Error // why its calls wait
	peer      *role
	call      callCount // 1 during that call, if exclusive
	failures  atomic.Uint64
	_         [cacheLine - 8]byte
	waits     waitList
}

// A callCount counts calls that are in flight.
type callCount struct {
	n atomic.Int64
	_ [cacheLine - 8]byte
}

// A resource is a queue of the C library and about how much memory it takes there.
type resource struct {
	cQueue
	bytes int64
}

// releasedHandle stands for the handle of a queue that was released, and of a zero value: its calls
// return ErrClosed before they touch C.
var releasedHandle = func() *handle {
	h := &handle{calls: make([]callCount, 1)}
	h.producer.peer, h.consumer.peer = &h.consumer, &h.producer
	h.released.Store(true)
	h.freed.Store(true)
	return h
}()

// cSpareCells is how many cells for blobs the library has beyond the capacity, for calls in flight; an
// SPSC queue and a deque have none, and a batching queue has the cells of two batches more.
const cSpareCells = 64

// newHandle creates a queue of any family but batch: of blobs, or of numbers if itemSize is 0.
func newHandle(family family, capacity, itemSize int, options ...DequeOption) (*handle, error) {
	if capacity < 1 { // 0 is the library's default
		return nil, ErrInvalid
	}
	var flags DequeOption
	for _, option := range options {
		flags |= option
	}
	q, status := create(family, capacity, itemSize, flags)
	spare := cSpareCells
	if family == spsc || family == deque {
		spare = 0
	}
	return adopt(q, status, itemSize, spare)
}

// newBatchHandle creates a batching queue: of blobs, or of numbers if itemSize is 0.
func newBatchHandle(itemSize int, o BatchOptions) (*handle, error) {
	if o.Size < 0 || o.MaxPending < 0 {
		return nil, ErrInvalid
	}
	q, status := createBatch(itemSize, o)
	return adopt(q, status, itemSize, cSpareCells+2*o.size())
}

// adopt returns a handle of a queue that was created, or the error of its creation.
func adopt(q cQueue, status Error, itemSize, spare int) (*handle, error) {
	if status != statusOK {
		return nil, status
	}
	h := newHandleOf(resource{q, bytesOf(q.capacity()+spare, itemSize)}, itemSize)
	cMemory.created(h.bytes)
	return h, nil
}

// newHandleOf returns a handle of a queue, of which it owns a reference.
func newHandleOf(owned resource, itemSize int) *handle {
	q := owned.cQueue
	h := &handle{resource: owned, fast: newFastPath(q), itemSize: itemSize, calls: newCallCounts()}
	h.producer.peer, h.producer.blocked, h.producer.exclusive = &h.consumer, ErrFull, q.is(spsc) || q.is(deque)
	h.consumer.peer, h.consumer.blocked, h.consumer.exclusive = &h.producer, ErrEmpty, q.is(spsc)
	h.consumer.plans = q.is(batch)
	h.producer.waits.pool, h.consumer.waits.pool = waiters, waiters
	h.cleanup = runtime.AddCleanup(h, resource.free, owned)
	return h
}

// free frees the queue. It is called once: by the last call in flight after Release, or by the garbage
// collector.
func (r resource) free() {
	r.cQueue.free()
	cMemory.freed(r.bytes)
}

// newCallCounts makes twice as many counts as goroutines can run at once, because two goroutines may
// choose the same count.
func newCallCounts() []callCount {
	const most = 64 // 8 KiB
	threads := runtime.GOMAXPROCS(0)
	if threads == 1 {
		return make([]callCount, 1)
	}
	return make([]callCount, min(2<<bits.Len(uint(threads-1)), most))
}

// callCount chooses a count by the address of the goroutine's stack: usually the same count each time,
// and not that of a goroutine that runs at the same time.
func (h *handle) callCount() *callCount {
	var here byte
	const golden = 0x9E3779B97F4A7C15 // Fibonacci hashing: its upper bits depend on all of the address
	page := uint64(uintptr(unsafe.Pointer(&here))) >> 11
	return &h.calls[page*golden>>32&uint64(len(h.calls)-1)]
}

func producerOf(h *handle) *role { return &h.producer }
func consumerOf(h *handle) *role { return &h.consumer }

// enter begins a call of a role, which leave ends. With an error, no call has begun.
func (h *handle) enter(r *role) (*callCount, Error) {
	c := &r.call
	if !r.exclusive {
		c = h.callCount()
		c.n.Add(1)
	} else if !c.n.CompareAndSwap(0, 1) {
		if h.released.Load() {
			return nil, ErrClosed
		}
		return nil, ErrMisuse
	}
	if h.released.Load() {
		h.leave(c)
		return nil, ErrClosed
	}
	return c, statusOK
}

// begin begins a call that any goroutine may make, which leave ends; nil if the queue was released.
func (h *handle) begin() *callCount {
	c := h.callCount()
	c.n.Add(1)
	if h.released.Load() {
		h.leave(c)
		return nil
	}
	return c
}

// leave ends a call.
func (h *handle) leave(c *callCount) {
	if c.n.Add(-1) == 0 && h.released.Load() {
		h.freeIfLast()
	}
}

// release keeps calls from beginning. The last call in flight frees the memory: this one, if there is
// no other.
func (h *handle) release() {
	c := h.begin()
	if c == nil {
		return
	}
	if h.borrowed {
		h.endWaits()
	} else {
		h.close()
	}
	h.released.Store(true)
	h.sharing.Lock()
	closeAll(h.files)
	h.sharing.Unlock()
	h.leave(c)
}

// close closes the queue, unless it is a deque, and ends the waits of both ends.
func (h *handle) close() {
	h.consumer.waits.closing()
	if !h.is(deque) {
		h.cQueue.close()
	}
	h.endWaits()
}

// len returns the number of items.
func (h *handle) len() int {
	n := h.size()
	if n > 0 {
		h.consumer.waits.itemSeen()
	}
	return n
}

// isEmpty reports whether an SPSC queue had no item.
func (h *handle) isEmpty() bool {
	empty := h.cQueue.isEmpty()
	if !empty {
		h.consumer.waits.itemSeen()
	}
	return empty
}

// isFull reports whether an SPSC queue had no room.
func (h *handle) isFull() bool {
	full := h.cQueue.isFull()
	if full {
		h.consumer.waits.itemSeen()
	}
	return full
}

func (h *handle) endWaits() {
	h.producer.waits.end()
	h.consumer.waits.end()
}

// freeIfLast frees the memory if no call is in flight. It is called after released was set, so a count
// that is 0 stays 0, except for calls that began too late; these leave at once and call it, too.
func (h *handle) freeIfLast() {
	if h.producer.call.n.Load() != 0 || h.consumer.call.n.Load() != 0 {
		return
	}
	for i := range h.calls {
		if h.calls[i].n.Load() != 0 {
			return
		}
	}
	if h.freed.CompareAndSwap(false, true) {
		h.cleanup.Stop()
		h.resource.free()
		runtime.KeepAlive(h)
	}
}

// isDrained reports whether every get fails from now on.
func (h *handle) isDrained() bool {
	if h.is(batch) {
		return h.isClosed() && h.size() == 0
	}
	_, _, status := h.peek()
	return status == ErrClosed
}

// stats returns the library's counters of items. Failures are counted here, one for each call that fails; the
// library counts each attempt of a waiting call.
func (h *handle) stats() Stats {
	s := h.cQueue.stats()
	if s.CurrentSize > 0 {
		h.consumer.waits.itemSeen()
	}
	handed := h.consumer.waits.itemsHanded()
	s.Enqueued += handed
	s.Dequeued += handed
	s.PeakSize = max(s.PeakSize, min(handed, 1))
	s.FailedEnqueue = h.producer.failures.Load()
	s.FailedDequeue = h.consumer.failures.Load()
	return s
}

// count counts a failure, if status is one, and returns status.
func (r *role) count(status Error) Error {
	if status == ErrFull || status == ErrEmpty || status == ErrNoMemory {
		r.failures.Add(1)
	}
	return status
}
