// Frontends replay a trace of LLM requests into one MPMC queue; workers take them, burn time in
// proportion to the tokens, and hand them on to a collector over an SPSC queue each.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"
	"time"

	"queues"
)

var ctx = context.Background()

func main() {
	log.SetFlags(0)
	log.SetPrefix("serving: ")
	trace := readTrace(readOptions())

	requests := must(queues.NewMPMC[*request](1000))
	results := make([]*queues.SPSC[*request], workers)
	for i := range results {
		results[i] = must(queues.NewSPSC[*request](1024))
		go worker(requests, results[i])
	}
	start, recorded := time.Now(), trace[0].arrival
	for _, r := range trace {
		r.arrival = start.Add(r.arrival.Sub(recorded) / time.Duration(speed))
	}
	var putting sync.WaitGroup
	for i := range frontends {
		putting.Add(1)
		go func() {
			defer putting.Done()
			frontend(trace, i, requests)
		}()
	}
	go func() {
		putting.Wait()
		requests.Close()
	}()
	served := collect(len(trace), requests, results)
	seconds := time.Since(start).Seconds()

	fmt.Println("queue      capacity enqueued dequeued found full found empty     peak")
	printStats("requests", requests.Stats())
	for i, q := range results {
		printStats(fmt.Sprintf("result %d", i), q.Stats())
	}
	in := int(requests.Stats().Enqueued)
	fmt.Printf("requests  %d in, %d out, in %.2f s: %.1f a second\n",
		in, served, seconds, float64(served)/seconds)
	if in != len(trace) || served != len(trace) {
		log.Fatalf("%d requests of the trace, %d put, %d served", len(trace), in, served)
	}
	slices.SortFunc(trace, func(a, b *request) int { return cmp.Compare(a.waited, b.waited) })
	wait := func(percent int) float64 { // in milliseconds
		return trace[(len(trace)*percent+99)/100-1].waited.Seconds() * 1e3
	}
	fmt.Printf("waiting   p50 %.3f ms, p99 %.3f ms, max %.3f ms\n", wait(50), wait(99), wait(100))
}

// The requests are dealt to the frontends in turn: one puts the first and every n-th after it.
func frontend(trace []*request, first int, requests *queues.MPMC[*request]) {
	for i := first; i < len(trace); i += frontends {
		time.Sleep(time.Until(trace[i].arrival))
		check(requests.Put(ctx, trace[i]))
	}
}

func worker(requests *queues.MPMC[*request], results *queues.SPSC[*request]) {
	for r := range requests.All(ctx) {
		taken := time.Now()
		for time.Since(taken) < r.work/time.Duration(speed) {
		}
		r.waited = taken.Sub(r.arrival)
		check(results.Put(ctx, r))
	}
	results.Close()
}

// collect polls the workers' queues until all are closed and empty, and shows how far things are.
func collect(total int, requests *queues.MPMC[*request], results []*queues.SPSC[*request]) (served int) {
	interval, before, after := time.Second, "", "\n"
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 { // a terminal
		interval, before, after = time.Second/10, "\r", "\033[K"
		defer fmt.Fprint(os.Stderr, "\r\033[K")
	}
	next := time.Now().Add(interval)
	for closed := 0; closed < len(results); time.Sleep(time.Millisecond) {
		closed = 0
		for _, q := range results {
			for r, found := q.TryGet(); found; r, found = q.TryGet() {
				if r.served {
					log.Fatalf("the request due at %v was served twice", r.arrival)
				}
				r.served = true
				served++
			}
			if q.IsDrained() {
				closed++
			}
		}
		if time.Now().After(next) {
			next = next.Add(interval)
			fmt.Fprintf(os.Stderr, "%s%d of %d served, %d waiting%s",
				before, served, total, requests.Len(), after)
		}
	}
	return served
}

func printStats(name string, s queues.Stats) {
	fmt.Printf("%-10s%9d%9d%9d%11d%12d%9d\n",
		name, s.Capacity, s.Enqueued, s.Dequeued, s.FailedEnqueue, s.FailedDequeue, s.PeakSize)
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
