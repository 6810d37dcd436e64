// A server in one loop: a goroutine selects over the requests of clients, the results of a pool of workers and a
// signal. The loop never waits in a queue. While the pool has no room, the loop takes no requests, so clients wait.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"queues"
)

const (
	workers = 2
	room    = 16 // of each queue
)

// A job is a request, a number, and then its answer: that number and its smallest factor.
type job struct {
	client         *client
	number, factor uint32
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	path := os.Args[len(os.Args)-1]
	os.Remove(path) // a socket that an earlier run left
	listener, err1 := net.Listen("unix", path)
	jobs, err2 := queues.NewMPMC[job](room)
	results, err3 := queues.NewMPMC[job](room)
	if err := errors.Join(err1, err2, err3); err != nil {
		log.Fatal(err)
	}
	var pool sync.WaitGroup
	for range workers {
		start(&pool, func() { work(jobs, results) })
	}
	go func() {
		pool.Wait()
		results.Close() // the loop gets what is left, then ends
	}()
	requests := make(chan job)
	var clients sync.WaitGroup
	start(&clients, func() { accept(ctx, listener, requests, &clients) })
	loop(ctx.Done(), requests, jobs, results)
	clients.Wait()
	s := jobs.Stats()
	fmt.Printf("%d requests; %d times there was no room for one\n", s.Dequeued, s.FailedEnqueue)
}

// work waits in both queues: a worker has no loop that this would stop.
func work(jobs, results *queues.MPMC[job]) {
	for j := range jobs.All(context.Background()) {
		j.factor = smallestFactor(j.number)
		if err := results.Put(context.Background(), j); err != nil {
			log.Fatal(err)
		}
	}
}

func loop(stop <-chan struct{}, requests <-chan job, jobs, results *queues.MPMC[job]) {
	take, room := requests, (<-chan struct{})(nil) // one of the two is nil, and a nil channel is never ready
	var next job                                   // if take is nil, this request waits for room
	submit := func() {
		take, room = requests, nil
		switch err := jobs.TryPut(next); {
		case errors.Is(err, queues.ErrFull):
			take, room = nil, jobs.ReadyToPut()
		case err != nil: // the request came after the signal
			next.client.due.Done()
		}
	}
	for {
		select {
		case next = <-take:
			submit()
		case <-room:
			submit()
		case <-results.Ready():
			if answer, err := results.TryGet(); err == nil {
				answer.client.send(answer)
			} else if errors.Is(err, queues.ErrClosed) {
				return
			}
		case <-stop:
			jobs.Close() // the workers finish the jobs that are left
			stop = nil
		}
	}
}
