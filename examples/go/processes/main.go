// Serves a trace of LLM requests by worker processes, which are killed at random, and loses none:
//
//	frontend (Go) -> requests -> workers (C++) -> answers -> frontend
//
// Both queues are shared: they lie in files in memory that all processes map. A worker leases a request, puts the
// answer and settles the lease. If it dies before it settles, the request is redelivered to another worker. If it dies
// between the answer and the settle, the request is answered twice; the frontend ignores the second answer.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"math"
	"os"
	"sync"
	"time"

	"examples/demo"
	"queues"
)

const (
	requestSize = 16 // number, context tokens, generated tokens, leases: uint32 each, as in the worker
	answerSize  = 12 // number, leases, process
	// patience is how long no answer comes before the demo fails.
	patience = time.Minute
)

type request struct {
	demo.Request
	due, answered time.Time
	leases        int // how often workers began it, with the one that answered
}

type run struct {
	trace             []*request
	requests, answers *queues.MPMCBytes
	workers           *pool
	start             time.Time

	served, twice int // first answers, and second ones
	end           time.Time
	recovered     uint64 // cells of both queues
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("processes: ")
	readOptions(os.Args[1:])
	r := &run{}
	for _, each := range demo.ReadTrace(tracePath) {
		r.trace = append(r.trace, &request{Request: each})
	}
	// Check before the run, which may take long.
	if pagePath != "" {
		demo.CheckPage(pagePath)
	}
	requestsFile, answersFile := memory(), memory()
	r.requests = open(requestsFile, requestSize)
	r.answers = open(answersFile, answerSize)
	r.workers = startPool(requestsFile, answersFile)
	r.serve()
	if served := r.report(); served != len(r.trace) {
		log.Fatalf("%d of %d requests were served: no answer came for %v", served, len(r.trace), patience)
	}
	fmt.Printf("all %d requests were served, each exactly once\n", len(r.trace))
}

// memory returns a file in memory without a name, so nothing is left of it when the processes have ended, however.
func memory() *os.File {
	file := demo.Must(os.CreateTemp("/dev/shm", "queues-"))
	demo.Check(os.Remove(file.Name()))
	return file
}

func open(file *os.File, itemSize int) *queues.MPMCBytes {
	return demo.Must(queues.OpenSharedMPMC(file, queues.SharedOptions{
		Capacity: options.Capacity, ItemSize: itemSize, Redeliver: itemSize == requestSize,
	}))
}

// serve returns when all requests are answered and all workers have ended.
func (r *run) serve() {
	r.start = time.Now()
	for _, each := range r.trace {
		each.due = r.start.Add(atSpeed(each.Recorded.Sub(r.trace[0].Recorded)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	var putting sync.WaitGroup
	putting.Add(1)
	go func() {
		defer putting.Done()
		r.put(ctx)
	}()
	for r.served < len(r.trace) && r.collect(ctx) {
	}
	r.end = time.Now()
	cancel()
	putting.Wait()
	// Not before all are answered: a closed queue takes nothing back from the dead.
	r.requests.Close()
	r.answers.Close()
	r.workers.join()
	r.recovered = r.requests.Stats().Recovered + r.answers.Stats().Recovered
}

// put puts each request at the time of the trace.
func (r *run) put(ctx context.Context) {
	for i, each := range r.trace {
		time.Sleep(time.Until(each.due))
		blob := make([]byte, 0, requestSize)
		for _, field := range []int{i, each.Context, each.Generated, 0} {
			blob = binary.NativeEndian.AppendUint32(blob, uint32(field))
		}
		if r.requests.Put(ctx, blob) != nil {
			return // canceled
		}
	}
}

// collect takes the next answer. It reports whether one came.
func (r *run) collect(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var blob [answerSize]byte
	if _, err := r.answers.Get(ctx, blob[:]); err != nil {
		return false
	}
	each := r.trace[binary.NativeEndian.Uint32(blob[:])]
	if !each.answered.IsZero() {
		r.twice++
		return true
	}
	each.answered = time.Now()
	each.leases = int(binary.NativeEndian.Uint32(blob[4:]))
	r.served++
	return true
}

// atSpeed returns the duration at the speed of the run of a recorded duration, at most 30 years.
func atSpeed(recorded time.Duration) time.Duration {
	return time.Duration(math.Min(float64(recorded)/options.Speed, 1e18))
}
