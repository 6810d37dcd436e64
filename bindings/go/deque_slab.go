//go:build cgo

package queues

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// A shelf keeps the values of a deque as a slab keeps those of a queue: in cells, whose numbers travel
// through the C library. But it grows, without moving a cell that a thief may be at: each segment has
// twice the cells of the one before it. It does so whenever no cell is free, for a deque that does not
// grow as well: so many cells are in the hands of thieves at most.
//
// The owner alone takes cells, so what comes back from thieves is a stack that they push onto and that
// the owner takes as a whole.
type shelf[T any] struct {
	*handle
	first    uint64 // cells of the first segment
	segments [bits.UintSize]atomic.Pointer[[]shelfCell[T]]
	_        [cacheLine]byte
	own      link   // the owner's free cells
	used     uint64 // cells below this number were taken once
	cells    uint64
	_        [cacheLine]byte
	returned atomic.Uint64 // a link: the cells that thieves emptied
	_        [cacheLine]byte
}

// A link leads to a free cell: its number and 1, or 0 at the end.
type link uint64

// A shelfCell counts its own fills, which order pushes, pops and thefts.
type shelfCell[T any] struct {
	cell[T]
	next link
}

// fill stores a value in a cell of the owner's.
func (c *shelfCell[T]) fill(v T) {
	c.put(v)
	c.fills.Add(1)
}

// empty takes the value out of a cell whose number this goroutine holds.
func (c *shelfCell[T]) empty() T {
	c.fills.Load()
	return c.cell.empty()
}

func newShelf[T any](capacity int, options []DequeOption) (*shelf[T], error) {
	s := &shelf[T]{first: uint64(max(capacity, 0)) + spare}
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

// segment tells in which segment a number is, and how many cells lie before that one.
func (s *shelf[T]) segment(number uint64) (index int, start uint64) {
	index = bits.Len64(number/s.first+1) - 1
	return index, s.first * (1<<index - 1)
}

func (s *shelf[T]) cell(number uint64) *shelfCell[T] {
	index, start := s.segment(number)
	return &(*s.segments[index].Load())[number-start]
}

// grow adds a segment; false if there is no memory for it.
func (s *shelf[T]) grow() bool {
	index, start := s.segment(s.cells)
	count := start + s.first
	if !fits(count, unsafe.Sizeof(shelfCell[T]{})) {
		return false
	}
	cells := make([]shelfCell[T], count)
	s.segments[index].Store(&cells)
	s.cells += count
	return true
}

// pushValue is a call of the owner.
func (s *shelf[T]) pushValue(v T) Error {
	number, found := s.takeFree()
	if !found {
		return ErrNoMemory
	}
	c := s.cell(number)
	c.fill(v)
	status := s.push(uintptr(number))
	if status != done {
		c.empty()
		s.keepFree(number)
	}
	return status
}

// popValue is a call of the owner.
func (s *shelf[T]) popValue() (v T, status Error) {
	i, status := s.take(false)
	if status == done {
		v = s.cell(uint64(i)).empty()
		s.keepFree(uint64(i))
	}
	return v, status
}

// empty takes the value out of a cell that this goroutine stole.
func (s *shelf[T]) empty(i uintptr) T {
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

// takeFree finds a cell for the owner.
func (s *shelf[T]) takeFree() (number uint64, found bool) {
	if s.own == 0 {
		s.own = link(s.returned.Swap(0))
	}
	if s.own != 0 {
		number = uint64(s.own) - 1
		s.own = s.cell(number).next
		return number, true
	}
	if s.used == s.cells && !s.grow() {
		return 0, false
	}
	s.used++
	return s.used - 1, true
}

// keepFree is a call of the owner, with a cell that it emptied.
func (s *shelf[T]) keepFree(number uint64) {
	s.cell(number).next = s.own
	s.own = link(number + 1)
}
