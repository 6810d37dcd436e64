//go:build cgo

package queues

import (
	"runtime"
	"sync"
)

// foreign is the C memory of all queues, which the garbage collector does not see.
var foreign = account{threshold: 64 << 20}

// An account runs the garbage collector for memory that the collector does not see. It does so when that
// memory has grown since the last collection by more than the threshold, and to more than twice of what
// was left then: as the collector paces itself by the heap.
type account struct {
	mu         sync.Mutex
	queues     int   // how many have C memory
	bytes      int64 // their C memory
	left       int64 // bytes after the last collection, or the least since then
	threshold  int64
	collecting bool
}

// SetCollectionThreshold sets how much C memory queues that are created may take before the package runs
// the garbage collector, and returns the setting before. A negative threshold turns that off. It begins as
// 64 MiB.
//
// The collector frees queues that were dropped without Release, but Go has no way to tell it how much C
// memory hangs on them, and so it sees no reason to run. The package runs it ([runtime.GC]) when a queue
// is created and, since the last time, the C memory of all queues has grown by more than the threshold
// and has doubled. It counts what queues may take, even if they have not touched it yet, but not what a
// deque grows by. A program that calls Release needs none of this.
func SetCollectionThreshold(bytes int64) (previous int64) {
	foreign.mu.Lock()
	defer foreign.mu.Unlock()
	previous, foreign.threshold = foreign.threshold, bytes
	return previous
}

func (a *account) created(bytes int64) {
	a.mu.Lock()
	a.queues++
	a.bytes += bytes
	due := !a.collecting && a.threshold >= 0 && a.bytes-a.left > max(a.threshold, a.left)
	a.collecting = a.collecting || due
	a.mu.Unlock()
	if !due {
		return
	}
	runtime.GC() // cleanups run in its wake
	a.mu.Lock()
	a.left, a.collecting = a.bytes, false
	a.mu.Unlock()
}

func (a *account) freed(bytes int64) {
	a.mu.Lock()
	a.queues--
	a.bytes -= bytes
	a.left = min(a.left, a.bytes)
	a.mu.Unlock()
}

// bytesOf is about what a queue of so many cells takes in C.
func bytesOf(cells, itemSize int) int64 {
	const slot, header = 32, 2048 // a slot or two of a ring and a length, or an entry of a heap
	return header + int64(cells)*int64(itemSize+slot)
}
