// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"math"
	"math/bits"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// chunk is the number of items that one call into C moves at most: enough that the cost of the call
// no longer matters, few enough for the stack.
const chunk = 64

// spareCells is the number of cells beyond the capacity, for items of calls in flight. No SPSC queue
// needs more (a chunk in each role). In the other queues a producer that finds no free cell yields until
// another call has ended.
const spareCells = 2 * chunk

// A slab keeps the values of a queue in Go memory, in cells, while the numbers of the cells travel
// through the C library as its items. A cell belongs to the goroutine that holds its number: the producer
// that claimed it writes the value and puts the number; the consumer that got the number takes the value
// out and frees the cell.
type slab[T any] struct {
	*handle
	maxItems int // the capacity of the queue, which is fixed
	cells    []cell[T]
	blocks   []block
	_        [cacheLine]byte
	cursor   atomic.Uintptr // the block that was used last: a hint
	next     uintptr        // replaces blocks and cursor in an SPSC queue: the next cell
	_        [cacheLine]byte
	stack    *freeStack // replaces blocks and cursor in a queue whose items leave in any order
}

const groupSize = 4 // cells in a group; usually they fill a cache line

// A cell holds a value from put to take. The atomic operations of C, or those of the fast path, order the put before
// its take. The race detector does not see these, but it orders all calls into C, and under it there is no fast path.
type cell[T any] struct {
	filled bool
	value  T
}

// put stores a value in a cell whose number this goroutine holds.
func (c *cell[T]) put(v T) {
	c.value, c.filled = v, true
}

func (c *cell[T]) read() T {
	if !c.filled {
		panic("queues: the library returned an item twice")
	}
	return c.value
}

// take returns the value and drops the cell's reference to it.
func (c *cell[T]) take() T {
	v := c.read()
	var zero T
	c.value, c.filled = zero, false
	return v
}

func newSlab[T any](family family, capacity int) (*slab[T], error) {
	if !canAllocate(uint64(max(capacity, 0))+spareCells, cellSize[T]()) {
		return nil, ErrNoMemory
	}
	h, err := newHandle(family, capacity, 0)
	if err != nil {
		return nil, err
	}
	s := &slab[T]{
		handle: h, maxItems: capacity, cells: make([]cell[T], capacity+spareCells),
	}
	h.consumer.waits.pool, h.consumer.waits.handsOver = receiversOf[T](), true
	switch family {
	case spsc:
	case priority:
		s.stack = newFreeStack(len(s.cells))
	default:
		s.blocks = newBlocks(len(s.cells))
	}
	return s, nil
}

// newBatchSlab makes the cells of two batches more, which consumers may be taking.
func newBatchSlab[T any](o BatchOptions) (*slab[T], error) {
	h, err := newBatchHandle(0, o)
	if err != nil {
		return nil, err
	}
	capacity := h.capacity()
	cells := capacity + spareCells + 2*o.size()
	if !canAllocate(uint64(cells), cellSize[T]()) {
		h.release()
		return nil, ErrNoMemory
	}
	return &slab[T]{handle: h, maxItems: capacity, cells: make([]cell[T], cells), blocks: newBlocks(cells)}, nil
}

// cellSize is the size of a cell and its share of a block, in bytes.
func cellSize[T any]() uintptr {
	return unsafe.Sizeof(cell[T]{}) + unsafe.Sizeof(block{})/blockSize
}

// fill stores values in free cells, and the numbers of the cells in items, until one of the slices ends
// or no cell is free. It returns how many it stored.
func (s *slab[T]) fill(items []uintptr, values []T) (n int) {
	limit := min(len(items), len(values))
	if s.blocks == nil {
		for ; n < limit; n++ {
			i, found := s.nextCell()
			if !found {
				break
			}
			s.cells[i].put(values[n])
			items[n] = i
		}
		return n
	}
	begin := s.cursor.Load()
	k := begin
	for left := len(s.blocks); n < limit; {
		claimed := s.blocks[k].claim(limit - n)
		if claimed == 0 {
			if left == 0 {
				break
			}
			left--
			// Go on to the next block before this one is refilled: by its next turn, consumers have
			// returned more of its cells and work in other blocks.
			if k++; k == uintptr(len(s.blocks)) {
				k = 0
			}
			s.blocks[k].refill()
		}
		for ; claimed != 0; claimed &= claimed - 1 {
			i := k*blockSize + uintptr(bits.TrailingZeros64(claimed))
			s.cells[i].put(values[n])
			items[n] = i
			n++
		}
	}
	if k != begin {
		s.cursor.Store(k)
	}
	return n
}

// nextCell claims a cell of a slab without blocks. In an SPSC queue the cells are used in turn, which needs no note of
// the free ones: when the producer puts item m, it knows that the consumer has removed item m - capacity - 1 from C.
// At most a chunk of the items before that is not emptied yet, and the producer fills at most a chunk ahead. So with
// spareCells, two chunks, it never gets to a cell that is in use.
func (s *slab[T]) nextCell() (i uintptr, found bool) {
	if s.stack != nil {
		return s.stack.pop()
	}
	i = s.next
	if s.next++; s.next == uintptr(len(s.cells)) {
		s.next = 0
	}
	return i, true
}

// empty returns the value of a cell whose number this goroutine holds, and frees the cell.
func (s *slab[T]) empty(i uintptr) T {
	v := s.cells[i].take()
	if s.blocks != nil {
		s.blocks[i/blockSize].giveBack(1 << (i % blockSize))
	} else if s.stack != nil {
		s.stack.push(i)
	}
	return v
}

// emptyAll empties many cells, as empty does.
func (s *slab[T]) emptyAll(items []uintptr, values []T) {
	if s.blocks == nil {
		for n, i := range items {
			values[n] = s.empty(i)
		}
		return
	}
	for n := 0; n < len(items); {
		block := items[n] / blockSize
		var emptied uint64
		for ; n < len(items) && items[n]/blockSize == block; n++ {
			values[n] = s.cells[items[n]].take()
			emptied |= 1 << (items[n] % blockSize)
		}
		s.blocks[block].giveBack(emptied)
	}
}

// takeBack empties the cells of items that a put did not accept.
func (s *slab[T]) takeBack(items []uintptr) {
	s.reclaim(items)
	if s.stack == nil && s.blocks == nil && len(items) > 0 {
		s.next = items[0]
	}
}

// reclaim empties the cells of items that are not in the queue.
func (s *slab[T]) reclaim(items []uintptr) {
	for _, i := range items {
		s.empty(i)
	}
}

// noFreeCell is called when every cell is in the queue or held by a call in flight. It returns why nothing
// can be put, or statusOK, to try again, after it let other goroutines run.
func (s *slab[T]) noFreeCell() Error {
	if s.isClosed() {
		return ErrClosed
	}
	if s.size() == s.maxItems {
		return ErrFull
	}
	runtime.Gosched()
	return statusOK
}

// put puts a value and what travels beside it: the bits of its priority, or its weight. It returns the number
// of items that went to C: 1, or 0 if the value was handed over or the put failed.
func (s *slab[T]) put(v T, with uint64) (n int, status Error) {
	if s.mayHandOver() && s.handOver(v, with) {
		return 0, statusOK
	}
	var item [1]uintptr
	for {
		if s.fill(item[:], []T{v}) == 1 {
			status := s.tryPut(item[0], with)
			if status != statusOK {
				s.takeBack(item[:])
			}
			return one(status)
		}
		if status := s.noFreeCell(); status != statusOK {
			return 0, status
		}
	}
}

func (s *slab[T]) get() (v T, priority float64, status Error) {
	i, priority, status := s.tryGet()
	if status == statusOK {
		v = s.empty(i)
	}
	return v, priority, status
}

// mayHandOver reports whether a put must call handOver before it puts an item into C.
func (s *slab[T]) mayHandOver() bool {
	return s.consumer.waits.state.Load()&^(armed|peerAsked|peerShared) != 0 && !s.consumer.plans
}

// handOver hands a value and its priority to a waiter, unless C must decide. It need not be in a call, because
// it does not touch C.
func (s *slab[T]) handOver(v T, with uint64) bool {
	return handOver(&s.consumer.waits, v, with, s.stack != nil && math.IsNaN(math.Float64frombits(with)))
}

// handOverInRole is handOver for a caller that is in no call. It begins a call only if the role is exclusive, so that
// it notices another producer.
func (s *slab[T]) handOverInRole(v T, with uint64) (handed bool, status Error) {
	if !s.producer.exclusive {
		return s.handOver(v, with), statusOK
	}
	c, status := s.enter(&s.producer)
	if status == statusOK {
		handed = s.handOver(v, with)
		s.leave(c)
	}
	return handed, status
}

// handOverValues hands values to waiters until a value is not accepted, and returns how many were accepted.
func (s *slab[T]) handOverValues(values []T) (n int) {
	for n < len(values) && s.mayHandOver() && s.handOver(values[n], 0) {
		n++
	}
	return n
}

// putValues puts values into C until a value is not accepted, and returns how many were accepted.
func (s *slab[T]) putValues(values []T) (n int, status Error) {
	var items [chunk]uintptr
	for n < len(values) && status == statusOK {
		m := s.fill(items[:min(chunk, s.maxItems)], values[n:])
		if m == 0 {
			status = s.noFreeCell()
			continue
		}
		var put int
		put, status = s.putMany(items[:m])
		s.takeBack(items[put:m])
		n += put
	}
	return n, status
}

// getValues gets what is there, up to len(values).
func (s *slab[T]) getValues(values []T) (n int, status Error) {
	var items [chunk]uintptr
	for n < len(values) {
		want := min(chunk, len(values)-n)
		var got int
		got, status = s.getMany(items[:want])
		s.emptyAll(items[:got], values[n:])
		n += got
		if got < want {
			break
		}
	}
	if n > 0 { // the queue may have become empty, or closed and drained, at the end of a chunk
		status = statusOK
	}
	return n, status
}

// removeAll removes what is there when it begins, and returns how many items it removed.
func (s *slab[T]) removeAll() (n int) {
	var items [chunk]uintptr
	for left := s.size(); left > 0; {
		got, _ := s.getMany(items[:min(chunk, left)])
		if got == 0 {
			break
		}
		s.reclaim(items[:got])
		n += got
		left -= got
	}
	return n
}
