// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"runtime"
	"sync"
)

// cMemory is the memory of all queues in C, which the garbage collector does not see.
var cMemory = memoryAccount{threshold: 64 << 20}

// A memoryAccount counts memory that the garbage collector does not see and runs the collector for it:
// when the memory has grown since the last run by more than the threshold, and to more than twice of
// what that run left. So the collector also paces itself, by the size of the heap.
type memoryAccount struct {
	mu         sync.Mutex
	queues     int   // how many have memory in C
	bytes      int64 // of these queues
	left       int64 // bytes after the last run, or the least since then
	threshold  int64
	collecting bool
}

// SetCollectionThreshold sets how many bytes of C memory new queues may take before the package runs
// the garbage collector, and returns the previous setting, at first 64 MiB. A negative threshold turns
// that off. Any goroutine may call it at any time.
//
// The collector frees queues that were dropped without Release, but Go offers no way to report their C
// memory to it, and so it would see no reason to run. The package calls [runtime.GC] when a queue is
// created and, since the last time, the C memory of all queues has grown by more than the threshold and
// has doubled. It counts the memory that queues may use, even if they have not touched it yet, but not
// what a deque adds when it grows. A program that calls Release on every queue needs none of this.
func SetCollectionThreshold(bytes int64) (previous int64) {
	cMemory.mu.Lock()
	defer cMemory.mu.Unlock()
	previous, cMemory.threshold = cMemory.threshold, bytes
	return previous
}

// created adds the memory of a queue, and runs the collector if that is due.
func (a *memoryAccount) created(bytes int64) {
	a.mu.Lock()
	a.queues++
	a.bytes += bytes
	due := !a.collecting && a.threshold >= 0 && a.bytes-a.left > max(a.threshold, a.left)
	a.collecting = a.collecting || due
	a.mu.Unlock()
	if !due {
		return
	}
	runtime.GC() // the cleanups that free queues run after it, in a goroutine of their own
	a.mu.Lock()
	a.left, a.collecting = a.bytes, false
	a.mu.Unlock()
}

// freed subtracts the memory of a queue.
func (a *memoryAccount) freed(bytes int64) {
	a.mu.Lock()
	a.queues--
	a.bytes -= bytes
	a.left = min(a.left, a.bytes)
	a.mu.Unlock()
}

// bytesOf estimates the memory in C of a queue with a number of cells.
func bytesOf(cells, itemSize int) int64 {
	const slot, header = 32, 2048 // one or two slots of a ring and a length, or an entry of a heap
	return header + int64(cells)*int64(itemSize+slot)
}
