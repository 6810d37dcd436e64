// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import "sync/atomic"

// A freeStack holds the numbers of free cells of a slab: Treiber's stack (1986). Beside its top it has a
// count of changes, so that a pop which other calls overtook does not mistake a new top for the one it
// loaded (the ABA problem).
type freeStack struct {
	top  atomic.Uint64 // changes << 32 | number + 1; 0 in the lower half: empty
	next []atomic.Uint32
}

func newFreeStack(n int) *freeStack {
	f := &freeStack{next: make([]atomic.Uint32, n)}
	for i := range f.next {
		f.push(uintptr(n - 1 - i))
	}
	return f
}

func (f *freeStack) push(i uintptr) {
	for {
		top := f.top.Load()
		f.next[i].Store(uint32(top))
		if f.top.CompareAndSwap(top, (top>>32+1)<<32|uint64(i+1)) {
			return
		}
	}
}

func (f *freeStack) pop() (i uintptr, found bool) {
	for {
		top := f.top.Load()
		if uint32(top) == 0 {
			return 0, false
		}
		i = uintptr(uint32(top)) - 1
		if f.top.CompareAndSwap(top, (top>>32+1)<<32|uint64(f.next[i].Load())) {
			return i, true
		}
	}
}
