package queues_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"log"
	"queues"
	"sync"
	"time"
)

// Several goroutines square numbers; each queue is closed after its last put.
func Example() {
	ctx := context.Background()
	numbers, err := queues.NewMPMC[int](4)
	if err != nil {
		log.Fatal(err)
	}
	squares, err := queues.NewMPMC[int](4)
	if err != nil {
		log.Fatal(err)
	}

	var workers sync.WaitGroup
	for range 3 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for n := range numbers.All(ctx) {
				squares.Put(ctx, n*n)
			}
		}()
	}
	go func() {
		for n := range 10 {
			numbers.Put(ctx, n)
		}
		numbers.Close()
		workers.Wait()
		squares.Close()
	}()

	sum := 0
	for square := range squares.All(ctx) {
		sum += square
	}
	fmt.Println(sum)
	// Output: 285
}

func ExampleMPMC_Get() {
	q, err := queues.NewMPMC[string](10)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = q.Get(ctx)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))

	q.Close()
	_, err = q.Get(context.Background())
	fmt.Println(errors.Is(err, queues.ErrClosed))
	// Output:
	// true
	// true
}

func ExampleMPMC_TryGet() {
	q, err := queues.NewMPMC[int](10)
	if err != nil {
		log.Fatal(err)
	}
	_, err = q.TryGet()
	fmt.Println(err == queues.ErrEmpty) // an item may still come
	q.TryPut(1)
	q.Close()
	fmt.Println(q.TryGet())
	_, err = q.TryGet()
	fmt.Println(err == queues.ErrClosed) // closed and drained
	// Output:
	// true
	// 1 <nil>
	// true
}

func ExampleMPMC_GetMany() {
	ctx := context.Background()
	q, err := queues.NewMPMC[int](10)
	if err != nil {
		log.Fatal(err)
	}
	q.PutMany(ctx, []int{1, 2, 3})
	batch := make([]int, 8)
	n, err := q.GetMany(ctx, batch)
	fmt.Println(batch[:n], err)
	// Output: [1 2 3] <nil>
}

func ExampleMPMC_Stats() {
	q, err := queues.NewMPMC[int](1)
	if err != nil {
		log.Fatal(err)
	}
	stats := expvar.Func(func() any { return q.Stats() }) // for expvar.Publish
	fmt.Println(q.TryPut(1), q.TryPut(2))
	fmt.Println(stats)
	// Output:
	// <nil> queues: the queue is full
	// {"enqueued":1,"dequeued":0,"failed_enqueue":1,"failed_dequeue":0,"peak_size":1,"current_size":1,"capacity":1,"stolen":0,"attached":0,"recovered":0}
}

func ExampleSPSC_Peek() {
	q, err := queues.NewSPSC[string](10)
	if err != nil {
		log.Fatal(err)
	}
	q.TryPut("first")
	q.TryPut("second")
	front, err := q.Peek()
	fmt.Println(front, err, q.Len())
	// Output: first <nil> 2
}

func ExampleMPMCBytes_Get() {
	ctx := context.Background()
	q, err := queues.NewMPMCBytes(10, 1500)
	if err != nil {
		log.Fatal(err)
	}
	q.Put(ctx, []byte("a packet"))
	buffer := make([]byte, 4)
	n, err := q.Get(ctx, buffer)
	if errors.Is(err, queues.ErrTooSmall) {
		buffer = make([]byte, n)
		n, err = q.Get(ctx, buffer)
	}
	fmt.Printf("%s, %v\n", buffer[:n], err)
	// Output: a packet, <nil>
}

func ExampleMPMC_AllErr() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	q, err := queues.NewMPMC[int](10)
	if err != nil {
		log.Fatal(err)
	}
	q.TryPut(1)
	for n, err := range q.AllErr(ctx) { // Close would end the loop without an error
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(n)
		cancel()
	}
	// Output:
	// 1
	// context canceled
}

func ExampleMPMCBytes_Reserve() {
	ctx := context.Background()
	q, err := queues.NewMPMCBytes(10, 1500)
	if err != nil {
		log.Fatal(err)
	}
	defer q.Release()

	cell, err := q.Reserve(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cell.Cancel()                         // does nothing after Commit
	n := copy(cell.Bytes(), "read from a wire") // conn.Read(cell.Bytes())
	if err := cell.Commit(n); err != nil {
		log.Fatal(err)
	}
	fmt.Println(q.Len())
	// Output: 1
}

func ExampleMPMCBytes_Lease() {
	ctx := context.Background()
	q, err := queues.NewMPMCBytes(10, 1500)
	if err != nil {
		log.Fatal(err)
	}
	defer q.Release()
	q.Put(ctx, []byte("a packet"))

	packet, err := q.Lease(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer packet.Settle() // does nothing after Return
	fmt.Printf("%s\n", packet.Bytes())
	if err := packet.Return(); err != nil { // for another consumer
		log.Fatal(err)
	}
	fmt.Println(q.Len())
	// Output:
	// a packet
	// 1
}

func ExampleDeque() {
	tasks, err := queues.NewDeque[string](2, queues.Growable)
	if err != nil {
		log.Fatal(err)
	}
	for _, task := range []string{"oldest", "older", "newest"} {
		if err := tasks.Push(task); err != nil {
			log.Fatal(err)
		}
	}
	stolen := make(chan string)
	thief := tasks.Stealer()
	go func() {
		task, err := thief.Steal()
		for errors.Is(err, queues.ErrRetry) { // another goroutine took the item; there may be more
			task, err = thief.Steal()
		}
		stolen <- task
	}()
	fmt.Println(<-stolen)
	fmt.Println(tasks.Pop())
	// Output:
	// oldest
	// newest <nil>
}

func ExampleBatch_GetBatch() {
	q, err := queues.NewBatch[string](queues.BatchOptions{Size: 3, Age: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	for _, word := range []string{"one", "two", "three", "four"} {
		q.TryPut(word)
	}
	batch, err := q.GetBatch(context.Background()) // three items are pending
	fmt.Println(batch, err)

	// When the deadline passes, GetBatch returns what is pending.
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	batch, err = q.GetBatch(ctx)
	fmt.Println(batch, err)
	// Output:
	// [one two three] <nil>
	// [four] <nil>
}

// A loop that waits for a queue, a ticker and the end of its context at once.
func ExampleMPMC_Ready() {
	q, err := queues.NewMPMC[string](10)
	if err != nil {
		panic(err)
	}
	defer q.Release()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()

	go func() {
		for _, job := range []string{"one", "two", "three"} {
			q.Put(ctx, job)
		}
		q.Close()
	}()

	for {
		select {
		case <-q.Ready():
			switch job, err := q.TryGet(); err {
			case nil:
				fmt.Println(job)
			case queues.ErrEmpty: // another goroutine was faster; the channel is armed again
			case queues.ErrClosed:
				return
			}
		case <-ticker.C:
			fmt.Println(q.Len(), "jobs wait")
		case <-ctx.Done():
			fmt.Println(ctx.Err())
			return
		}
	}
	// Output:
	// one
	// two
	// three
}
