package queues

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// A carrier is what the benchmarks compare: the queues of this package and what Go programs use instead.
type carrier interface {
	Put(context.Context, int) error
	Get(context.Context) (int, error)
	PutMany(context.Context, []int) (int, error)
	GetMany(context.Context, []int) (int, error)
}

const benchCapacity = 1024

var carriers = []struct {
	name    string
	threads []int // producers, and as many consumers
	create  func(testing.TB) carrier
}{
	{"SPSC", []int{1}, func(t testing.TB) carrier { return newTyped[int](t, spsc, benchCapacity) }},
	{"MPMC", []int{1, 4}, func(t testing.TB) carrier { return newTyped[int](t, mpmc, benchCapacity) }},
	{"channel", []int{1, 4}, func(testing.TB) carrier { return channel(make(chan int, benchCapacity)) }},
	{"slice", []int{1, 4}, func(testing.TB) carrier { return newLockedSlice(benchCapacity) }},
}

// One goroutine puts and gets in turn: the cost of the calls without contention.
func BenchmarkAlone(b *testing.B) {
	for _, c := range carriers {
		b.Run(c.name+"/by 1", func(b *testing.B) {
			q := c.create(b)
			for i := range b.N {
				q.Put(bg, i)
				q.Get(bg)
			}
		})
		for _, many := range []int{8, 32, 256} {
			b.Run(fmt.Sprintf("%s/by %d", c.name, many), func(b *testing.B) {
				q, values := c.create(b), make([]int, many)
				for range b.N/many + 1 {
					q.PutMany(bg, values)
					q.GetMany(bg, values)
				}
			})
		}
	}
}

// Producers and consumers at the same time, with one item a call and with many.
func BenchmarkStream(b *testing.B) {
	for _, c := range carriers {
		for _, threads := range c.threads {
			for _, many := range []int{1, 8, 32, 256} {
				b.Run(fmt.Sprintf("%s/%d+%d/by %d", c.name, threads, threads, many), func(b *testing.B) {
					stream(b, c.create(b), threads, many)
				})
			}
		}
	}
}

func stream(b *testing.B, q carrier, threads, many int) {
	each := (b.N/threads/many + 1) * many
	var all group
	for range threads {
		all.Go(func() {
			values := make([]int, many)
			for sent := 0; sent < each; sent += many {
				if many == 1 {
					q.Put(bg, sent)
				} else {
					q.PutMany(bg, values)
				}
			}
		})
		all.Go(func() {
			values := make([]int, many)
			for got := 0; got < each; {
				if many == 1 {
					q.Get(bg)
					got++
				} else {
					n, _ := q.GetMany(bg, values[:min(many, each-got)])
					got += n
				}
			}
		})
	}
	all.Wait()
}

// Two goroutines send one item back and forth.
func BenchmarkPingPong(b *testing.B) {
	for _, c := range carriers {
		b.Run(c.name, func(b *testing.B) {
			there, back := c.create(b), c.create(b)
			go func() {
				for range b.N {
					v, _ := there.Get(bg)
					back.Put(bg, v)
				}
			}()
			for i := range b.N {
				there.Put(bg, i)
				back.Get(bg)
			}
		})
	}
}

type channel chan int

func (c channel) Put(_ context.Context, v int) error       { c <- v; return nil }
func (c channel) Get(_ context.Context) (v int, err error) { return <-c, nil }

func (c channel) PutMany(_ context.Context, vs []int) (int, error) {
	for _, v := range vs {
		c <- v
	}
	return len(vs), nil
}

func (c channel) GetMany(_ context.Context, vs []int) (n int, err error) {
	vs[0] = <-c
	for n = 1; n < len(vs); n++ {
		select {
		case vs[n] = <-c:
		default:
			return n, nil
		}
	}
	return n, nil
}

type lockedSlice struct {
	mu       sync.Mutex
	ring     []int
	in, out  int
	capacity int
}

func newLockedSlice(capacity int) *lockedSlice {
	return &lockedSlice{ring: make([]int, capacity), capacity: capacity}
}

func (s *lockedSlice) Put(ctx context.Context, v int) error {
	_, err := s.PutMany(ctx, []int{v})
	return err
}

func (s *lockedSlice) Get(ctx context.Context) (int, error) {
	var v [1]int
	_, err := s.GetMany(ctx, v[:])
	return v[0], err
}

func (s *lockedSlice) PutMany(_ context.Context, vs []int) (n int, err error) {
	for {
		s.mu.Lock()
		for ; n < len(vs) && s.in-s.out < s.capacity; n++ {
			s.ring[s.in%s.capacity] = vs[n]
			s.in++
		}
		s.mu.Unlock()
		if n == len(vs) {
			return n, nil
		}
		runtime.Gosched()
	}
}

func (s *lockedSlice) GetMany(_ context.Context, vs []int) (n int, err error) {
	for {
		s.mu.Lock()
		for ; n < len(vs) && s.out < s.in; n++ {
			vs[n] = s.ring[s.out%s.capacity]
			s.out++
		}
		s.mu.Unlock()
		if n > 0 {
			return n, nil
		}
		runtime.Gosched()
	}
}
