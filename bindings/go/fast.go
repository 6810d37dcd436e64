// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo && !race && !windows && (amd64 || arm64)

package queues

/*
#include "shim.h"
#include <queues_inline.h>

static inline void *start(uintptr_t queue) { return (void *)queue; }

// Ends a call that has published its item, or freed its slot, and found waiters or the queue closed.
static inline queues_status_t finish(uintptr_t queue, size_t function) {
    return (*(queues_status_t(**)(void *, void **))(queue + function))((void *)queue, NULL);
}
*/
import "C"

import (
	"sync/atomic"
	"unsafe"
)

// The fast path of an SPSC queue of pointers, without a call into C, on the memory that <queues_inline.h> describes:
// the usual case of Spsc::put_fast and get_fast in the library. Whatever else it finds, it leaves to C: before it has
// changed anything, or by a function that the handle names. The tag of the handle decides, once, at its creation: it
// differs if the library has another layout, in checked mode, and if a race detector of C watches.
//
// The rules of a role are those of C: one call at a time, which the caller has entered (handle.go), so that own words
// are read by plain loads. A word that the other side reads is stored by sync/atomic, and then the words are loaded
// that the other side may have stored. These two stay in their order: on amd64 the store is a locked instruction, on
// arm64 a store-release, which a load-acquire does not overtake. So the light fence of C is a full one here, and it
// does not matter that a goroutine may go on in another thread between the two. Decision 026 has the rest.
type fastPath struct {
	queue unsafe.Pointer // nil: all calls go to C
	cells unsafe.Pointer
}

// hasFastPath reports whether this build has a fast path at all.
const hasFastPath = true

func newFastPath(q cQueue) (f fastPath) {
	queue := C.start(q.queue)
	if q.is(spsc) && *(*uint64)(queue) == C.QUEUES_LAYOUT_SPSC_POINTERS {
		f.queue, f.cells = queue, *(*unsafe.Pointer)(unsafe.Add(queue, C.QUEUES_LAYOUT_SPSC_CELLS))
	}
	return f
}

// word returns a word of the queue.
func (f *fastPath) word(offset uintptr) *uint64 { return (*uint64)(unsafe.Add(f.queue, offset)) }

// cell returns the cell at a position of a side before its limit, where lap is the position of the first cell.
func (f *fastPath) cell(position, lap uint64) *uintptr {
	return (*uintptr)(unsafe.Add(f.cells, (position-lap)*uint64(unsafe.Sizeof(uintptr(0)))))
}

func (f *fastPath) isOpen() bool {
	return atomic.LoadUint32((*uint32)(unsafe.Add(f.queue, C.QUEUES_LAYOUT_SPSC_STAGE))) == 0
}

// room returns the position of the next put, and whether the fast path may put there.
func (f *fastPath) room() (position uint64, ok bool) {
	if f.queue == nil {
		return 0, false
	}
	position = *f.word(C.QUEUES_LAYOUT_SPSC_TAIL)
	return position, position != *f.word(C.QUEUES_LAYOUT_SPSC_PUT_LIMIT) && f.isOpen()
}

// tryPut puts an item and what travels beside it, as cQueue.tryPut.
func (h *handle) tryPut(item uintptr, with uint64) Error {
	position, ok := h.fast.room()
	if !ok {
		return h.cQueue.tryPut(item, with)
	}
	return h.publish(position, item)
}

// publish puts an item where room has found room. A close since then decides with C whether it came first.
func (h *handle) publish(position uint64, item uintptr) Error {
	f := &h.fast
	*f.cell(position, *f.word(C.QUEUES_LAYOUT_SPSC_PUT_LAP)) = item
	atomic.StoreUint64(f.word(C.QUEUES_LAYOUT_SPSC_TAIL), position+1)
	if !f.isOpen() || atomic.LoadUint64(f.word(C.QUEUES_LAYOUT_SPSC_ITEM_WAITERS)) != 0 {
		return h.finish(C.QUEUES_LAYOUT_FINISH_PUT)
	}
	return statusOK
}

// tryGet gets an item, as cQueue.tryGet.
func (h *handle) tryGet() (item uintptr, priority float64, status Error) {
	f := &h.fast
	if f.queue == nil {
		return h.cQueue.tryGet()
	}
	head := f.word(C.QUEUES_LAYOUT_SPSC_HEAD)
	position := *head
	if position == *f.word(C.QUEUES_LAYOUT_SPSC_GET_LIMIT) {
		return h.cQueue.tryGet()
	}
	item = *f.cell(position, *f.word(C.QUEUES_LAYOUT_SPSC_GET_LAP))
	atomic.StoreUint64(head, position+1)
	if atomic.LoadUint64(f.word(C.QUEUES_LAYOUT_SPSC_ROOM_WAITERS)) != 0 {
		return item, 0, h.finish(C.QUEUES_LAYOUT_FINISH_GET)
	}
	return item, 0, statusOK
}

//go:noinline
func (h *handle) finish(function C.size_t) Error { return statusOf(C.finish(h.queue, function)) }
