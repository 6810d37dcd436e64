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
// A call that may touch the C memory first counts itself and then loads released; Release first sets
// released and then loads the counts. Atomic operations of Go have one order, so either the call sees
// that it came too late, or Release sees the call, and the call frees the memory when it leaves. There are
// many counts, so that calls of several goroutines seldom share a cache line. Where one call at a time is
// allowed, the flag that detects a second one is the count.
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

// newCalls makes twice as many counts as goroutines can run at once, because two may choose the same one.
func newCalls() []calls {
	const most = 64 // 8 KiB
	threads := runtime.GOMAXPROCS(0)
	if threads == 1 {
		return make([]calls, 1)
	}
	return make([]calls, min(2<<bits.Len(uint(threads-1)), most))
}

// mine chooses a count by the address of the goroutine's stack. Usually that is the same count each time,
// and not the count of a goroutine that runs at the same time.
func (h *handle) mine() *calls {
	var here byte
	const golden = 0x9E3779B97F4A7C15 // Fibonacci hashing: its upper bits depend on all of the address
	page := uint64(uintptr(unsafe.Pointer(&here))) >> 11
	return &h.calls[page*golden>>32&uint64(len(h.calls)-1)]
}

// enter begins a call of a side. If it returns an error, no call has begun.
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

// freeIfLast frees the memory if no call is under way. It is called after released was set: a count that
// is 0 then stays 0, except for calls that came too late. These leave at once, and look here, too.
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
