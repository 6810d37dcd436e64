// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// A dequeSlab keeps the values of a deque as a slab keeps those of a queue: in cells, whose numbers
// travel through the C library. Unlike a slab it grows, in segments of which each has twice the cells of
// the one before, so that no cell moves while a thief reads it. It grows when no cell is free, also for a
// deque that does not: thieves in flight hold cells of items that are no longer in the deque.
//
// Only the owner claims cells. Thieves push the cells that they emptied onto a stack, which the owner
// takes as a whole.
type dequeSlab[T any] struct {
	*handle
	first     uint64 // cells of the first segment
	segments  [bits.UintSize]atomic.Pointer[[]dequeCell[T]]
	_         [cacheLine]byte
	freeCells link   // of the owner
	used      uint64 // cells below this number were claimed at least once
	cells     uint64 // of all segments
	_         [cacheLine]byte
	returned  atomic.Uint64 // a link: the cells that thieves emptied
	_         [cacheLine]byte
}

// A link refers to the next free cell: its number plus 1, or 0 at the end.
type link uint64

// A dequeCell counts its own fills, which orders its push before its pop or steal in the Go memory model.
type dequeCell[T any] struct {
	cell[T]
	fills atomic.Uint32
	next  link
}

// fill stores a value in a cell that the owner claimed.
func (c *dequeCell[T]) fill(v T) {
	c.put(v)
	c.fills.Add(1)
}

// empty returns the value of a cell whose number this goroutine holds, and drops the cell's reference.
func (c *dequeCell[T]) empty() T {
	c.fills.Load()
	return c.take()
}

func newDequeSlab[T any](capacity int, options []DequeOption) (*dequeSlab[T], error) {
	s := &dequeSlab[T]{first: uint64(max(capacity, 0)) + spareCells}
	if !s.grow() {
		return nil, ErrNoMemory
	}
	h, err := newHandle(deque, capacity, 0, options...)
	if err != nil {
		return nil, err
	}
	s.handle = h
	return s, nil
}

// segment returns the index of the segment that a cell is in, and the number of its first cell.
func (s *dequeSlab[T]) segment(number uint64) (index int, start uint64) {
	index = bits.Len64(number/s.first+1) - 1
	return index, s.first * (1<<index - 1)
}

func (s *dequeSlab[T]) cell(number uint64) *dequeCell[T] {
	index, start := s.segment(number)
	return &(*s.segments[index].Load())[number-start]
}

// grow adds a segment, unless there is no memory for it.
func (s *dequeSlab[T]) grow() (ok bool) {
	index, start := s.segment(s.cells)
	count := start + s.first
	if !canAllocate(count, unsafe.Sizeof(dequeCell[T]{})) {
		return false
	}
	cells := make([]dequeCell[T], count)
	s.segments[index].Store(&cells)
	s.cells += count
	return true
}

// pushValue is a call of the owner.
func (s *dequeSlab[T]) pushValue(v T) Error {
	number, ok := s.claim()
	if !ok {
		return ErrNoMemory
	}
	c := s.cell(number)
	c.fill(v)
	status := s.push(uintptr(number))
	if status != statusOK {
		c.empty()
		s.giveBack(number)
	}
	return status
}

// popValue is a call of the owner.
func (s *dequeSlab[T]) popValue() (v T, status Error) {
	i, status := s.take(false)
	if status == statusOK {
		v = s.cell(uint64(i)).empty()
		s.giveBack(uint64(i))
	}
	return v, status
}

func (s *dequeSlab[T]) stealValue() (v T, status Error) {
	i, status := s.take(true)
	if status == statusOK {
		v = s.emptyStolen(i)
	}
	return v, status
}

// stealValues steals what is there, up to len(values).
func (s *dequeSlab[T]) stealValues(values []T) (n int, status Error) {
	var items [chunk]uintptr
	for n < len(values) {
		want := min(chunk, len(values)-n)
		var got int
		got, status = s.stealMany(items[:want])
		for _, i := range items[:got] {
			values[n] = s.emptyStolen(i)
			n++
		}
		if got < want {
			break
		}
	}
	if n > 0 { // the deque may have become empty at the end of a chunk
		status = statusOK
	}
	return n, status
}

// emptyStolen returns the value of a cell that this goroutine stole, and gives the cell back.
func (s *dequeSlab[T]) emptyStolen(i uintptr) T {
	c := s.cell(uint64(i))
	v := c.empty()
	for {
		top := s.returned.Load()
		c.next = link(top)
		if s.returned.CompareAndSwap(top, uint64(i)+1) {
			return v
		}
	}
}

// claim returns the number of a free cell, for the owner, unless there is no memory for more cells.
func (s *dequeSlab[T]) claim() (number uint64, ok bool) {
	if s.freeCells == 0 {
		s.freeCells = link(s.returned.Swap(0))
	}
	if s.freeCells != 0 {
		number = uint64(s.freeCells) - 1
		s.freeCells = s.cell(number).next
		return number, true
	}
	if s.used == s.cells && !s.grow() {
		return 0, false
	}
	s.used++
	return s.used - 1, true
}

// giveBack returns a cell that the owner emptied.
func (s *dequeSlab[T]) giveBack(number uint64) {
	s.cell(number).next = s.freeCells
	s.freeCells = link(number + 1)
}
