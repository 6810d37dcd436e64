//go:build cgo

package queues

import (
	"math/bits"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// cacheLine keeps what one side writes off the lines of the other; twice 64, as processors fetch
// lines in pairs.
const cacheLine = 128

// A handle owns a queue of the C library. Its memory goes when it was released and the last call under
// way leaves, or when it is unreachable: never under a call that is still running.
//
// A call that may touch the C memory counts itself first and looks at released then; Release sets
// released first and looks at the counts then. Atomic operations of Go have one order, so either the
// call sees that it came too late, or Release sees the call, which frees the memory when it leaves. The
// counts are many, so that calls of several goroutines seldom share a cache line; where one call at a
// time is allowed, the flag that finds out a second one is the count.
type handle struct {
	resource
	cleanup  runtime.Cleanup
	capacity int // but of a deque that grows
	itemSize int
	released atomic.Bool
	freed    atomic.Bool
	calls    []calls // under way; a power of two
	_        [cacheLine]byte
	put      side
	get      side
}

// A side is what the producers, or the consumers, of a queue share in Go.
type side struct {
	exclusive bool  // one call at a time
	only      calls // that call, if so
	failed    atomic.Uint64
	_         [cacheLine - 8]byte
}

// calls counts calls that are under way.
type calls struct {
	n atomic.Int64
	_ [cacheLine - 8]byte
}

// newCalls makes twice as many counts as goroutines can run at once, for two may choose the same one.
func newCalls() []calls {
	const most = 64 // 8 KiB
	threads := runtime.GOMAXPROCS(0)
	if threads == 1 {
		return make([]calls, 1)
	}
	return make([]calls, min(2<<bits.Len(uint(threads-1)), most))
}

// mine chooses a count by where the goroutine's stack lies: usually it is the same each time, and
// another one than that of the goroutines that run at the same time.
func (h *handle) mine() *calls {
	var here byte
	const golden = 0x9E3779B97F4A7C15 // Fibonacci hashing: its upper bits depend on all of the address
	page := uint64(uintptr(unsafe.Pointer(&here))) >> 11
	return &h.calls[page*golden>>32&uint64(len(h.calls)-1)]
}

// enter begins a call of a side. Unless it returns done, there is no call.
func (h *handle) enter(s *side) (*calls, Error) {
	c := &s.only
	if !s.exclusive {
		c = h.mine()
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
	return c, done
}

// begin begins a call of neither side; nil if the queue was released.
func (h *handle) begin() *calls {
	c := h.mine()
	c.n.Add(1)
	if h.released.Load() {
		h.leave(c)
		return nil
	}
	return c
}

// leave ends a call.
func (h *handle) leave(c *calls) {
	if c.n.Add(-1) == 0 && h.released.Load() {
		h.freeIfLast()
	}
}

// release lets no call begin any more. The last one under way frees the memory: this one, if it is alone.
func (h *handle) release() {
	c := h.begin()
	if c == nil {
		return
	}
	if h.canClose() {
		h.close()
	}
	h.released.Store(true)
	h.leave(c)
}

// freeIfLast looks at each count after released was set: what it finds to be 0 stays so, but for calls
// that came too late and leave again, by this way, too.
func (h *handle) freeIfLast() {
	if h.put.only.n.Load() != 0 || h.get.only.n.Load() != 0 {
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

// note counts a failure: a try that found no room, or no item, or a wait that gave up.
func (s *side) note(status Error) Error {
	if status == ErrFull || status == ErrEmpty || status == ErrNoMemory {
		s.failed.Add(1)
	}
	return status
}
