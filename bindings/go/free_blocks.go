//go:build cgo

package queues

import (
	"math"
	"math/bits"
	"sync/atomic"
)

// A block is 64 cells, with a bit for each that is free. Producers claim cells from one word, consumers
// give them back to another, whose bits move to the producers' when these come round to the block.
type block struct {
	own      uint64 // in place of free, where there is one producer
	free     atomic.Uint64
	_        [cacheLine - 16]byte
	returned atomic.Uint64
	_        [cacheLine - 8]byte
}

// claim takes at most so many of the producers' cells.
func (b *block) claim(most int, exclusive bool) (mine uint64) {
	if exclusive {
		mine = choose(b.own, most)
		b.own &^= mine
		return mine
	}
	for {
		free := b.free.Load()
		mine = choose(free, most)
		if mine == 0 || b.free.CompareAndSwap(free, free&^mine) {
			return mine
		}
	}
}

// refill moves what consumers gave back to the producers.
func (b *block) refill(exclusive bool) {
	switch {
	case b.returned.Load() == 0:
	case exclusive:
		b.own |= b.returned.Swap(0)
	default:
		b.free.Add(b.returned.Swap(0))
	}
}

// giveBack takes cells that are not free.
func (b *block) giveBack(cells uint64) { b.returned.Add(cells) }

// choose keeps at most n of the bits that are set: neighbours, whose groups are filled at once; but a
// single one in another group than the one before it, which a consumer is at.
func choose(set uint64, n int) uint64 {
	if n == 1 && set != 0 {
		const firsts = math.MaxUint64 / (1<<groupSize - 1) // a bit for the first cell of each group
		for cell := range groupSize {
			if found := set & (firsts << cell); found != 0 {
				return found & -found
			}
		}
	}
	if bits.OnesCount64(set) <= n {
		return set
	}
	rest := set
	for range n {
		rest &= rest - 1
	}
	return set &^ rest
}

func newBlocks(cells int) []block {
	blocks := make([]block, (cells+blockSize-1)/blockSize)
	for k := range blocks {
		blocks[k].giveBack(math.MaxUint64)
	}
	if beyond := -cells & (blockSize - 1); beyond > 0 {
		blocks[len(blocks)-1].returned.Store(math.MaxUint64 >> beyond)
	}
	return blocks
}
