// Requests to a model are served in batches of at most four requests and at most 1024 tokens. No request
// waits for others for longer than 2 ms.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"queues"
)

func main() {
	requests := []int{512, 16, 2048, 16, 64, 1024, 64, 128, 32}
	ctx := context.Background()
	queue, err := queues.NewBatch[int](queues.BatchOptions{Size: 4, Age: 2 * time.Millisecond, Weight: 1024})
	if err != nil {
		log.Fatal(err)
	}
	for _, tokens := range requests { // waits for room; any goroutine may call it
		if err := queue.PutWeighted(ctx, tokens, uint64(tokens)); err != nil {
			log.Fatal(err)
		}
	}
	for served := 0; served < len(requests); {
		// Waits until a batch is due. The last batch is not full, so it is due after 2 ms.
		batch, err := queue.GetBatch(ctx)
		if err != nil {
			log.Fatal(err)
		}
		sum := 0
		for _, tokens := range batch {
			sum += tokens
		}
		fmt.Printf("batch of %d: %d tokens\n", len(batch), sum)
		served += len(batch)
	}
	queue.Close() // no more puts; GetBatch would return what is left, then ErrClosed
}
