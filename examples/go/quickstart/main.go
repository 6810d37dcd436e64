// Two goroutines and a queue: one puts and closes, the other gets until it is closed and empty.
package main

import (
	"context"
	"fmt"
	"log"

	"queues"
)

func main() {
	ctx := context.Background()
	queue, err := queues.NewMPMC[string](2)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		defer queue.Close() // no more puts; what is inside can still be taken
		for _, word := range []string{"queues", "carry", "things", "between", "goroutines"} {
			if err := queue.Put(ctx, word); err != nil {
				log.Print(err)
				return
			}
		}
	}()
	for word := range queue.All(ctx) {
		fmt.Println(word)
	}
}
