package queues

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// The bars of waiting, each beside the channels of Go in the same run.

// waitCarriers are the queues that goroutines wait for in these benchmarks.
var waitCarriers = []struct {
	name   string
	create func(t testing.TB, capacity int) carrier
}{
	{"MPMC", func(t testing.TB, capacity int) carrier { return unreleased[int](t, mpmc, capacity) }},
	{"SPSC", func(t testing.TB, capacity int) carrier { return unreleased[int](t, spsc, capacity) }},
	{"channel", func(_ testing.TB, capacity int) carrier { return channel(make(chan int, capacity)) }},
}

func forEachCarrier(b *testing.B, run func(b *testing.B, create func(capacity int) carrier)) {
	for _, c := range waitCarriers {
		b.Run(c.name, func(b *testing.B) {
			run(b, func(capacity int) carrier { return c.create(b, capacity) })
		})
	}
}

// The processor time of 1000 goroutines that wait, in percent of one processor.
func BenchmarkIdle(b *testing.B) {
	forEachCarrier(b, func(b *testing.B, create func(int) carrier) {
		for range 1000 {
			go create(1).Get(bg)
		}
		time.Sleep(100 * time.Millisecond)
		begin := processorTime(b)
		for b.Loop() {
			time.Sleep(time.Second)
		}
		b.ReportMetric(100*float64(processorTime(b)-begin)/float64(b.Elapsed()), "%cpu")
	})
}

// The time from a put until a goroutine that waited has the item, on an otherwise idle machine.
func BenchmarkWake(b *testing.B) {
	forEachCarrier(b, func(b *testing.B, create func(int) carrier) {
		q, back := create(1), make(chan time.Duration)
		origin := time.Now()
		go func() {
			for {
				put, _ := q.Get(bg)
				back <- time.Since(origin) - time.Duration(put)
			}
		}()
		var late []time.Duration
		for b.Loop() {
			time.Sleep(200 * time.Microsecond)
			q.Put(bg, int(time.Since(origin)))
			late = append(late, <-back)
		}
		slices.Sort(late)
		b.ReportMetric(float64(late[len(late)/2])/1e3, "p50-us")
		b.ReportMetric(float64(late[len(late)*99/100])/1e3, "p99-us")
	})
}

// An item goes through 10,000 goroutines, each of which waits for a queue of its own and puts into the next.
func BenchmarkChain(b *testing.B) {
	const length = 10000
	forEachCarrier(b, func(b *testing.B, create func(int) carrier) {
		for b.Loop() {
			queues := make([]carrier, length+1)
			for i := range queues {
				queues[i] = create(1)
			}
			var all sync.WaitGroup
			all.Add(length)
			for i := range length {
				go func() {
					defer all.Done()
					v, _ := queues[i].Get(bg)
					queues[i+1].Put(bg, v+1)
				}()
			}
			queues[0].Put(bg, 0)
			if v, _ := queues[length].Get(bg); v != length {
				b.Fatalf("got %d", v)
			}
			all.Wait()
			for _, q := range queues {
				if q, is := q.(common); is {
					q.Release()
				}
			}
		}
	})
}

// The same, for queues that exist: only the goroutines are new.
func BenchmarkChainOfOldQueues(b *testing.B) {
	const length = 10000
	forEachCarrier(b, func(b *testing.B, create func(int) carrier) {
		queues := make([]carrier, length+1)
		for i := range queues {
			queues[i] = create(1)
		}
		for b.Loop() {
			for i := range length {
				go func() {
					v, _ := queues[i].Get(bg)
					queues[i+1].Put(bg, v+1)
				}()
			}
			queues[0].Put(bg, 0)
			queues[length].Get(bg)
		}
	})
}
