//go:build cgo

package queues

import (
	"math/bits"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// bulk is how many items one call into the library moves at most: enough for the price of the call
// to vanish, few enough for the stack.
const bulk = 64

// spare is the number of cells beyond the capacity, for items in the hands of calls under way: no
// SPSC queue needs more (a bulk on each side); otherwise a producer that finds no cell free yields
// until another call is through.
const spare = 2 * bulk

// A slab keeps the values of a queue in Go memory while their cells' numbers travel through the C
// library. A cell belongs to whoever holds its number: the producer that claimed it writes the value
// and sends the number; the consumer that receives the number reads the value, clears it for the
// garbage collector and gives the cell back.
type slab[T any] struct {
	*handle
	cells  []cell[T]
	blocks []block
	_      [cacheLine]byte
	cursor atomic.Uintptr // the block to look at first: a hint
	_      [cacheLine]byte
	stack  *freeStack // instead of the blocks, where items leave in any order
}

const (
	groupSize = 4 // usually the cells of a cache line
	blockSize = 64
)

// A cell's value was put if it is filled. The first cell of a group counts for all of them: changed
// after values were written and before their numbers are sent, read after a number was received and
// before its value is. So a put happens before its get in the terms of the Go memory model, which does
// not speak of C.
type cell[T any] struct {
	fills  atomic.Uint32
	filled bool
	value  T
}

// put stores a value in a cell of this goroutine's, before the group's fills change.
func (c *cell[T]) put(v T) { c.value, c.filled = v, true }

// at finds the cell of a number that was received.
func (s *slab[T]) at(i uintptr) *cell[T] {
	s.cells[i&^(groupSize-1)].fills.Load()
	return &s.cells[i]
}

func (c *cell[T]) read() T {
	if !c.filled {
		panic("queues: the library returned an item twice")
	}
	return c.value
}

// empty takes the value out.
func (c *cell[T]) empty() T {
	v := c.read()
	var zero T
	c.value, c.filled = zero, false
	return v
}

func newSlab[T any](family family, capacity int) (*slab[T], error) {
	if !fits(uint64(max(capacity, 0))+spare, cellSize[T]()) {
		return nil, ErrNoMemory
	}
	h, err := newHandle(family, capacity, 0)
	if err != nil {
		return nil, err
	}
	s := &slab[T]{handle: h, cells: make([]cell[T], capacity+spare)}
	if family == priority {
		s.stack = newFreeStack(len(s.cells))
	} else {
		s.blocks = newBlocks(len(s.cells))
	}
	return s, nil
}

// newBatchSlab has cells for two batches more, which consumers may be emptying.
func newBatchSlab[T any](o BatchOptions) (*slab[T], error) {
	h, err := newBatchHandle(0, o)
	if err != nil {
		return nil, err
	}
	cells := h.capacity + spare + 2*o.size()
	if !fits(uint64(cells), cellSize[T]()) {
		h.release()
		return nil, ErrNoMemory
	}
	return &slab[T]{handle: h, cells: make([]cell[T], cells), blocks: newBlocks(cells)}, nil
}

// cellSize is what a cell takes, with its share of a block.
func cellSize[T any]() uintptr {
	return unsafe.Sizeof(cell[T]{}) + unsafe.Sizeof(block{})/blockSize
}

// fill stores values in free cells, and the cells' numbers in items, until either ends or no cell is
// free. It returns how many it stored.
func (s *slab[T]) fill(items []uintptr, values []T) (n int) {
	most := min(len(items), len(values))
	if s.stack != nil {
		for ; n < most; n++ {
			i, found := s.stack.pop()
			if !found {
				break
			}
			s.cells[i].put(values[n])
			s.cells[i&^(groupSize-1)].fills.Add(1)
			items[n] = i
		}
		return n
	}
	begin := s.cursor.Load()
	k := begin
	for left := len(s.blocks); n < most; {
		mine := s.blocks[k].claim(most-n, s.put.exclusive)
		if mine == 0 {
			if left == 0 {
				break
			}
			left--
			// Not before the others had their turn: then there is more, and consumers are elsewhere.
			if k++; k == uintptr(len(s.blocks)) {
				k = 0
			}
			s.blocks[k].refill(s.put.exclusive)
		}
		for mine != 0 {
			first := uintptr(bits.TrailingZeros64(mine)) &^ (groupSize - 1)
			cells := s.cells[k*blockSize+first:]
			group := mine >> first & (1<<groupSize - 1)
			mine &^= group << first
			for ; group != 0; group &= group - 1 {
				c := uintptr(bits.TrailingZeros64(group))
				cells[c].put(values[n])
				items[n] = k*blockSize + first + c
				n++
			}
			cells[0].fills.Add(1)
		}
	}
	if k != begin {
		s.cursor.Store(k)
	}
	return n
}

// empty takes the value out of a cell whose number this goroutine holds.
func (s *slab[T]) empty(i uintptr) T {
	v := s.at(i).empty()
	if s.stack != nil {
		s.stack.push(i)
	} else {
		s.blocks[i/blockSize].giveBack(1 << (i % blockSize))
	}
	return v
}

// emptyAll does so with many, where there are blocks.
func (s *slab[T]) emptyAll(items []uintptr, values []T) {
	for n := 0; n < len(items); {
		block := items[n] / blockSize
		var emptied uint64
		for ; n < len(items) && items[n]/blockSize == block; n++ {
			values[n] = s.at(items[n]).empty()
			emptied |= 1 << (items[n] % blockSize)
		}
		s.blocks[block].giveBack(emptied)
	}
}

// takeBack empties the cells of items that the queue did not accept.
func (s *slab[T]) takeBack(items []uintptr) {
	for _, i := range items {
		s.empty(i)
	}
}

// noCell is called when all cells are in the queue or in the hands of calls under way. It says why
// nothing can be put, or done after it let others run.
func (s *slab[T]) noCell() Error {
	if s.isClosed() {
		return ErrClosed
	}
	if s.size() == s.capacity {
		return ErrFull
	}
	runtime.Gosched()
	return done
}

// tryPut puts a value; with it go the bits of its priority, or its weight.
func (s *slab[T]) tryPut(v T, with uint64) Error {
	var item [1]uintptr
	for {
		if s.fill(item[:], []T{v}) == 1 {
			status := s.handle.tryPut(item[0], with)
			if status != done {
				s.takeBack(item[:])
			}
			return status
		}
		if status := s.noCell(); status != done {
			return status
		}
	}
}

func (s *slab[T]) tryGet() (v T, priority float64, status Error) {
	i, priority, status := s.handle.tryGet()
	if status == done {
		v = s.empty(i)
	}
	return v, priority, status
}

// tryPutMany puts values until one does not go in, and tells how many did.
func (s *slab[T]) tryPutMany(values []T) (n int, status Error) {
	var items [bulk]uintptr
	for n < len(values) && status == done {
		m := s.fill(items[:min(bulk, s.capacity)], values[n:])
		if m == 0 {
			status = s.noCell()
			continue
		}
		var put int
		put, status = s.putMany(items[:m])
		s.takeBack(items[put:m])
		n += put
	}
	return n, status
}

// tryGetMany gets what is there, up to len(values).
func (s *slab[T]) tryGetMany(values []T) (n int, status Error) {
	var items [bulk]uintptr
	for n < len(values) {
		want := min(bulk, len(values)-n)
		var got int
		got, status = s.getMany(items[:want])
		s.emptyAll(items[:got], values[n:])
		n += got
		if got < want {
			break
		}
	}
	if n > 0 { // the items may have ended where a bulk did
		status = done
	}
	return n, status
}

// discard takes out what is there when it begins.
func (s *slab[T]) discard() (n int) {
	var items [bulk]uintptr
	for left := s.size(); left > 0; {
		got, _ := s.getMany(items[:min(bulk, left)])
		if got == 0 {
			break
		}
		for _, i := range items[:got] {
			s.empty(i)
		}
		n += got
		left -= got
	}
	return n
}
