package queues

import (
	"math"
	"math/bits"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// bulk is how many items one call into the library moves at most: enough for the price of the call
// to vanish, few enough for the stack.
const bulk = 64

// spare is the number of cells beyond the capacity, for items in the hands of calls under way: no
// SPSC queue needs more (a bulk on each side); on an MPMC queue a producer that finds no cell free
// yields until another call is through.
const spare = 2 * bulk

// A slab keeps the values of a queue in Go memory while their cells' numbers travel through the C
// library. A cell belongs to whoever changed its state last: the producer that turned it from free
// to taken writes the value, sets it to filled and sends the number; the consumer that receives the
// number reads the value, clears it for the garbage collector and sets the cell free. So the states
// are the list of free cells, and they also make the put happen before its get, and that get before
// the next use of the cell, in the terms of the Go memory model, which does not speak of C.
type slab[T any] struct {
	*handle
	cells  []cell[T]
	_      [cacheLine]byte
	cursor atomic.Uintptr // a hint where to look first; items leave in order, so it is rarely wrong
	_      [cacheLine]byte
	stack  *freeStack // instead of the cursor, where items leave in any order
}

type cell[T any] struct {
	state atomic.Uint32
	value T
}

// fill stores a value in a cell that this goroutine took.
func (c *cell[T]) fill(v T) {
	c.value = v
	c.state.Store(filled)
}

// read looks at the value of a cell whose number this goroutine holds.
func (c *cell[T]) read() T {
	if c.state.Load() != filled {
		panic("queues: the library returned an item twice")
	}
	return c.value
}

// empty takes that value out.
func (c *cell[T]) empty() T {
	v := c.read()
	var zero T
	c.value = zero
	c.state.Store(free)
	return v
}

// A freeStack holds the numbers of free cells: Treiber's stack (1986), whose top has a count of changes
// beside it, so that a pop that was overtaken by others does not take it for the top that it knew.
type freeStack struct {
	top  atomic.Uint64 // changes << 32 | number + 1
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

const (
	free uint32 = iota
	taken
	filled
)

func newSlab[T any](family family, capacity int) (*slab[T], error) {
	if !fits(uint64(max(capacity, 0))+spare, unsafe.Sizeof(cell[T]{})) {
		return nil, ErrNoMemory
	}
	h, err := newHandle(family, capacity, 0)
	if err != nil {
		return nil, err
	}
	s := &slab[T]{handle: h, cells: make([]cell[T], capacity+spare)}
	if family == priority {
		s.stack = newFreeStack(len(s.cells))
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
	if !fits(uint64(cells), unsafe.Sizeof(cell[T]{})) {
		return nil, ErrNoMemory
	}
	return &slab[T]{handle: h, cells: make([]cell[T], cells)}, nil
}

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

// fill stores values in free cells, and the cells' numbers in items, until either ends or no cell is
// free. It returns how many it stored.
func (s *slab[T]) fill(items []uintptr, values []T) (n int) {
	if s.stack != nil {
		for ; n < min(len(items), len(values)); n++ {
			i, found := s.stack.pop()
			if !found {
				break
			}
			s.cells[i].fill(values[n])
			items[n] = i
		}
		return n
	}
	next := s.cursor.Load()
	for range s.cells {
		if n == len(items) || n == len(values) {
			break
		}
		i := next
		if next++; next == uintptr(len(s.cells)) {
			next = 0
		}
		c := &s.cells[i]
		if c.state.Load() != free || !s.put.exclusive && !c.state.CompareAndSwap(free, taken) {
			continue
		}
		c.fill(values[n])
		items[n] = i
		n++
	}
	s.cursor.Store(next)
	return n
}

// empty takes the value out of a cell whose number this goroutine holds.
func (s *slab[T]) empty(i uintptr) T {
	v := s.cells[i].empty()
	if s.stack != nil {
		s.stack.push(i)
	}
	return v
}

// takeBack empties the cells of items that the queue did not accept, in order, and leaves the cursor
// where it was before them.
func (s *slab[T]) takeBack(items []uintptr) {
	for _, i := range items {
		s.empty(i)
	}
	if len(items) > 0 {
		s.cursor.Store(items[0])
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
		for _, i := range items[:got] {
			values[n] = s.empty(i)
			n++
		}
		if got < want {
			break
		}
	}
	if n > 0 && status != done { // the items ended where a bulk did
		if status == ErrEmpty {
			s.get.looks.Add(1)
		}
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
