//go:build cgo

package queues

import (
	"math"
	"math/bits"
	"syscall"
)

// fits asks the system whether it would give memory for so many cells, for make would end the program.
func fits(cells uint64, cellSize uintptr) bool {
	high, size := bits.Mul64(cells, uint64(cellSize))
	if high != 0 || size > math.MaxInt {
		return false
	}
	probe, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return false
	}
	return syscall.Munmap(probe) == nil
}
