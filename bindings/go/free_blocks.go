// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"math"
	"math/bits"
	"sync/atomic"
)

const blockSize = 64 // cells in a block

// A block is 64 cells of a slab, with a bit for each cell that is free. Producers claim cells from one
// word and consumers give them back to another; when producers get to the block again, they move the
// bits from the second word to the first.
type block struct {
	free     atomic.Uint64
	_        [cacheLine - 8]byte
	returned atomic.Uint64
	_        [cacheLine - 8]byte
}

// newBlocks returns blocks in which every cell is returned and none is free yet.
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

// claim takes at most n free cells, for a producer.
func (b *block) claim(n int) (claimed uint64) {
	for {
		free := b.free.Load()
		claimed = choose(free, n)
		if claimed == 0 || b.free.CompareAndSwap(free, free&^claimed) {
			return claimed
		}
	}
}

// refill frees the cells that consumers gave back, for producers.
func (b *block) refill() {
	if b.returned.Load() != 0 {
		b.free.Add(b.returned.Swap(0))
	}
}

// giveBack returns cells that were claimed, for a consumer.
func (b *block) giveBack(cells uint64) { b.returned.Add(cells) }

// choose returns at most n of the bits that are set. Of several it takes neighbors, so that whole groups
// are filled. A single one it takes from another group than the one before, because a consumer may be
// reading that group.
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
