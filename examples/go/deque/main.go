// Solves the eight queens puzzle by fork and join. A worker splits a board into boards with one queen more and
// pushes these onto its own deque. When its deque is empty, it steals from the others.
package main

import (
	"fmt"
	"log"
	"runtime"
	"sync"
	"sync/atomic"

	"queues"
)

// A board has a bit for each square of the next row that is attacked: by column and by both diagonals.
type board struct{ columns, left, right uint }

const workers, row = 4, 0xFF

var boards, solutions atomic.Int64 // boards that are not split yet; boards with all queens

func push(own *queues.Deque[board], b board) {
	boards.Add(1)
	if err := own.Push(b); err != nil { // the deque grows, so the only error is ErrNoMemory
		log.Fatal(err)
	}
}

func split(own *queues.Deque[board], b board) {
	if b.columns == row {
		solutions.Add(1)
	}
	for free := ^(b.columns | b.left | b.right) & row; free != 0; free &= free - 1 {
		queen := free & -free
		push(own, board{b.columns | queen, (b.left | queen) << 1, (b.right | queen) >> 1})
	}
	boards.Add(-1) // after the new boards were counted, so that 0 means the end
}

func find(own *queues.Deque[board], others []*queues.Stealer[board]) (b board, found bool) {
	if b, err := own.Pop(); err == nil {
		return b, true
	}
	for _, other := range others {
		if b, err := other.Steal(); err == nil { // else ErrEmpty or ErrRetry: try the next worker
			return b, true
		}
	}
	return b, false
}

func main() {
	var deques [workers]*queues.Deque[board]
	var thieves [workers][]*queues.Stealer[board]
	for i := range deques {
		var err error
		if deques[i], err = queues.NewDeque[board](64, queues.Growable); err != nil {
			log.Fatal(err)
		}
	}
	for i := range deques {
		for k := 1; k < workers; k++ {
			thieves[i] = append(thieves[i], deques[(i+k)%workers].Stealer())
		}
	}
	push(deques[0], board{})
	var all sync.WaitGroup
	for i, own := range deques {
		all.Add(1)
		go func() {
			defer all.Done()
			for boards.Load() > 0 {
				if b, found := find(own, thieves[i]); found {
					split(own, b)
				} else {
					runtime.Gosched()
				}
			}
		}()
	}
	all.Wait()
	fmt.Println(solutions.Load(), "solutions")
}
