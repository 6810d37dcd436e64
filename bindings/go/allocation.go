// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"math"
	"math/bits"
	"syscall"
)

// probed is the least memory, in bytes, for which canAllocate probes the system, which takes about 2 us (Zen 5).
// Go takes smaller memory from its heap.
const probed = 1 << 20

// canAllocate reports whether the system would provide memory for cells, because make ends the program
// where it would not.
func canAllocate(cells uint64, cellSize uintptr) bool {
	high, size := bits.Mul64(cells, uint64(cellSize))
	if high != 0 || size > math.MaxInt {
		return false
	}
	if size < probed {
		return true
	}
	probe, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return false
	}
	return syscall.Munmap(probe) == nil
}
