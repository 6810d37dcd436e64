// The workloads, each written once for all queues in Go behind an interface. Goroutines are not
// pinned, and between tries they yield.

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A queue holds up to its capacity of numbers. Try and bulk calls do not block, except for the bulk
// calls of ours; Put and Get block.
type queue interface {
	TryPut(v int) bool
	TryGet() (v int, found bool)
	Put(v int)
	Get() int
	PutBulk(vs []int) (n int)
	GetBulk(vs []int) (n int)
	// Bytes returns the memory of the queue that is not in the heap of Go.
	Bytes() int
}

// timed runs work in the given number of goroutines and returns the time from the first start to
// the last end. The runtime has a thread for each processor, pins none, and moves goroutines
// between them.
func timed(goroutines int, work func(goroutine int)) time.Duration {
	type span struct{ start, end time.Time }
	spans := make([]span, goroutines)
	var ready, done sync.WaitGroup
	ready.Add(goroutines)
	for i := range spans {
		done.Add(1)
		go func() {
			defer done.Done()
			ready.Done()
			ready.Wait()
			start := time.Now()
			work(i)
			spans[i] = span{start, time.Now()}
		}()
	}
	done.Wait()
	first, last := spans[0].start, spans[0].end
	for _, s := range spans {
		if s.start.Before(first) {
			first = s.start
		}
		if s.end.After(last) {
			last = s.end
		}
	}
	return last.Sub(first)
}

// warmedUp warms up with a tenth of the items, then measures.
func warmedUp(items int, once func(items int) measurement) measurement {
	once(items / 10)
	return once(items)
}

func sumUpTo(n int) int { return n * (n + 1) / 2 }

func verifySum(got, put int) { verify(got == put, "sum of the items: %d instead of %d", got, put) }

// Between tries a goroutine yields. The other programs pause first, for which Go has no
// instruction.

func put(q queue, v int) {
	for !q.TryPut(v) {
		runtime.Gosched()
	}
}

func get(q queue) int {
	for {
		if v, found := q.TryGet(); found {
			return v
		}
		runtime.Gosched()
	}
}

func putBulk(q queue, vs []int) {
	for len(vs) > 0 {
		n := q.PutBulk(vs)
		if vs = vs[n:]; n == 0 {
			runtime.Gosched()
		}
	}
}

// getBulk gets count items, up to len(vs) at a time, and returns their sum.
func getBulk(q queue, vs []int, count int) (sum int) {
	for count > 0 {
		n := q.GetBulk(vs[:min(len(vs), count)])
		for _, v := range vs[:n] {
			sum += v
		}
		if count -= n; n == 0 {
			runtime.Gosched()
		}
	}
	return sum
}

// fifo returns the workload of first-in-first-out queues, for all their families.
func fifo[Q queue](create func(capacity int) Q) func(caseSpec) measurement {
	return func(s caseSpec) measurement {
		switch s.family {
		case "memory":
			return memory(s, create)
		case "pingpong":
			return pingPong(s, create(s.capacity), create(s.capacity))
		case "latency":
			return latency(s, create(s.capacity))
		case "fairness":
			return fairness(s, create(s.capacity))
		default:
			return stream(s, create(s.capacity))
		}
	}
}

// stream sends the numbers from 1 to n through a queue: from producers to consumers, or by
// goroutines that put and get in turn. Even goroutines produce and odd ones consume, as far as
// there are pairs.
func stream(s caseSpec, q queue) measurement {
	producers, consumers, goroutines := s.number, s.consumers, s.number+s.consumers
	if s.alternates {
		producers, consumers, goroutines = 2, 2, 2
	}
	return warmedUp(s.items, func(items int) measurement {
		items -= items % max(producers, consumers)
		each := items / producers
		var sum atomic.Int64
		time := timed(goroutines, func(g int) {
			puts := g%2 == 0
			if g >= 2*min(producers, consumers) {
				puts = producers > consumers
			}
			gets := !puts
			each := each
			if gets {
				each = items / consumers
			}
			if s.alternates {
				puts, gets = true, true
			}
			if s.bulk > 0 {
				sum.Add(int64(streamBulk(q, puts, gets, each, s.bulk)))
			} else if s.mode == "blocking" {
				sum.Add(int64(streamBlocking(q, puts, gets, each)))
			} else {
				sum.Add(int64(streamNonBlocking(q, puts, gets, each)))
			}
		})
		verifySum(int(sum.Load()), producers*sumUpTo(each))
		return measurement{Items: each * producers, Seconds: time.Seconds()}
	})
}

func streamNonBlocking(q queue, puts, gets bool, each int) (sum int) {
	for i := 1; i <= each; i++ {
		if puts {
			put(q, i)
		}
		if gets {
			sum += get(q)
		}
	}
	return sum
}

func streamBlocking(q queue, puts, gets bool, each int) (sum int) {
	for i := 1; i <= each; i++ {
		if puts {
			q.Put(i)
		}
		if gets {
			sum += q.Get()
		}
	}
	return sum
}

func streamBulk(q queue, puts, gets bool, each, bulk int) (sum int) {
	values := make([]int, bulk)
	if !puts {
		return getBulk(q, values, each)
	}
	for i := 0; i < each; i += bulk {
		count := min(bulk, each-i)
		for j := range count {
			values[j] = i + 1 + j
		}
		putBulk(q, values[:count])
		if gets {
			sum += getBulk(q, values, count)
		}
	}
	return sum
}

// pingPong sends a token through one queue and back through another.
func pingPong(s caseSpec, there, back queue) measurement {
	// No backoff: a yield takes longer than the round trip that is measured. The queue of a put is
	// never full.
	get := func(q queue) int {
		for {
			if v, found := q.TryGet(); found {
				return v
			}
		}
	}
	put := put
	if s.mode == "blocking" {
		put, get = queue.Put, queue.Get
	}
	return warmedUp(s.items, func(trips int) measurement {
		time := timed(2, func(g int) {
			for i := 1; i <= trips; i++ {
				if g == 0 {
					put(there, i)
					verify(get(back) == i, "a round trip returned another token")
				} else {
					put(back, get(there))
				}
			}
		})
		return measurement{Items: trips, Seconds: time.Seconds()}
	})
}

// latency measures the time from when an item was due until a consumer has it.
func latency(s caseSpec, q queue) measurement {
	// Between two items of all producers together: a pace with which every queue keeps up, so that
	// the latency is not that of a full queue.
	const pace = 10 * time.Microsecond
	pairs, each := s.number, s.items/s.number
	crowded := 2*pairs > runtime.GOMAXPROCS(0)
	origin := time.Now()
	var put, got atomic.Int64
	var merging sync.Mutex
	var latencies histogram
	elapsed := timed(2*pairs, func(g int) {
		if g%2 == 0 {
			for i := range each {
				due := time.Millisecond + time.Duration(i*pairs+g/2)*pace
				for time.Since(origin) < due {
					if crowded {
						runtime.Gosched()
					}
				}
				q.Put(int(due))
				put.Add(int64(due))
			}
			return
		}
		var mine histogram
		for i := range each {
			due := q.Get()
			late := int(time.Since(origin)) - due
			got.Add(int64(due))
			// The first tenth is warm-up.
			if i >= each/10 {
				mine.record(max(late, 0))
			}
		}
		merging.Lock()
		defer merging.Unlock()
		latencies.merge(&mine)
	})
	verifySum(int(got.Load()), int(put.Load()))
	return measurement{Items: each * pairs, Seconds: elapsed.Seconds(), Latency: latencies.percentiles()}
}

// fairness measures how many items each goroutine moves, and the longest time between two of them.
func fairness(s caseSpec, q queue) measurement {
	// Items that a producer claims at a time, so that the claim costs little.
	const share = 64
	return warmedUp(s.items, func(items int) measurement {
		items = items / share * share
		var left, producing, sum atomic.Int64
		left.Store(int64(items))
		producing.Store(int64(s.number))
		shares := make([]int, 2*s.number)
		starvations := make([]time.Duration, 2*s.number)
		elapsed := timed(2*s.number, func(g int) {
			count, longest, last := 0, time.Duration(0), time.Now()
			progress := func() {
				now := time.Now()
				longest = max(longest, now.Sub(last))
				last = now
				count++
			}
			if g%2 == 0 {
				for left.Add(-share) >= 0 {
					for i := 1; i <= share; i++ {
						put(q, i)
						progress()
					}
				}
				producing.Add(-1)
				shares[g/2], starvations[g] = count, longest
				return
			}
			mine := 0
			for {
				// Loaded before the get: if all producers had finished by then, an empty queue
				// stays empty.
				finished := producing.Load() == 0
				if v, found := q.TryGet(); found {
					mine += v
					progress()
				} else if finished {
					break
				} else {
					runtime.Gosched()
				}
			}
			sum.Add(int64(mine))
			shares[s.number+g/2], starvations[g] = count, longest
		})
		verifySum(int(sum.Load()), items/share*sumUpTo(share))
		var longest time.Duration
		for _, t := range starvations {
			longest = max(longest, t)
		}
		return measurement{Items: items, Seconds: elapsed.Seconds(), Shares: shares, Starvation: int(longest)}
	})
}

// memory measures what an empty queue allocates, in Go and in C.
func memory[Q queue](s caseSpec, create func(capacity int) Q) measurement {
	create(1)
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	start := time.Now()
	q := create(s.capacity)
	elapsed := time.Since(start)
	bytes := heap() - before + q.Bytes()
	runtime.KeepAlive(q)
	return measurement{Items: 1, Seconds: elapsed.Seconds(), Bytes: bytes}
}

// A priorityQueue returns the number of the lowest priority, and equals first in, first out.
type priorityQueue interface {
	Put(v int, priority float64)
	Get() (v int, found bool)
}

// random is SplitMix64 (Steele, Lea and Flood 2014).
type random uint64

// priority returns one of a million priorities.
func (r *random) priority() float64 {
	*r += 0x9E3779B97F4A7C15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return float64((z ^ z>>31) % 1000000)
}

// priority fills the queue to the capacity of the case, then has each goroutine put an item of
// random priority and get the lowest, in turn.
func priority[Q priorityQueue](create func(capacity int) Q) func(caseSpec) measurement {
	return func(s caseSpec) measurement {
		goroutines := s.number
		q := create(s.capacity + goroutines)
		state, sum := random(1), sumUpTo(s.capacity)
		for i := 1; i <= s.capacity; i++ {
			q.Put(i, state.priority())
		}
		var got atomic.Int64
		o := warmedUp(s.items, func(items int) measurement {
			each := items / goroutines / 2
			sum += goroutines * sumUpTo(each)
			elapsed := timed(goroutines, func(g int) {
				state, mine := random(g), 0
				for i := 1; i <= each; i++ {
					q.Put(i, state.priority())
					v, found := q.Get()
					verify(found, "empty although each get follows a put")
					mine += v
				}
				got.Add(int64(mine))
			})
			return measurement{Items: each * goroutines * 2, Seconds: elapsed.Seconds()}
		})
		left, rest := 0, 0
		for v, found := q.Get(); found; v, found = q.Get() {
			left++
			rest += v
		}
		verify(left == s.capacity, "%d items are left instead of %d", left, s.capacity)
		verifySum(int(got.Load())+rest, sum)
		return o
	}
}

// A stealingDeque has an owner, which pushes and pops, and thieves. False means that a push found
// it full, a pop found it empty, and a steal found it empty or lost a race.
type stealingDeque interface {
	Push(v int) bool
	Pop() (v int, found bool)
	Steal() (v int, found bool)
}

// deque has the owner push and pop in turn. With thieves the owner pops after every second push and
// when the deque is full, and what is left at the end.
func deque[D stealingDeque](create func(capacity int) D) func(caseSpec) measurement {
	return func(s caseSpec) measurement {
		d := create(s.capacity)
		thieves := 0
		if s.shape != "owner" {
			thieves = s.number
		}
		return warmedUp(s.items, func(items int) measurement {
			var finished atomic.Bool
			var taken atomic.Int64
			elapsed := timed(1+thieves, func(g int) {
				sum := 0
				pop := func() bool {
					v, found := d.Pop()
					sum += v
					return found
				}
				if g > 0 {
					for {
						// Loaded before the steal: if the owner had finished by then, an empty
						// deque stays empty.
						last := finished.Load()
						v, found := d.Steal()
						if !found && last {
							break
						}
						sum += v
					}
				} else if thieves == 0 {
					for i := 1; i <= items; i++ {
						d.Push(i)
						pop()
					}
				} else {
					for i := 1; i <= items; i++ {
						for !d.Push(i) {
							pop()
						}
						if i%2 == 0 {
							pop()
						}
					}
					for pop() {
					}
					finished.Store(true)
				}
				taken.Add(int64(sum))
			})
			verifySum(int(taken.Load()), sumUpTo(items))
			return measurement{Items: items, Seconds: elapsed.Seconds()}
		})
	}
}
