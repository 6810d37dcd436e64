// Serves requests to a model, the shortest first: three clients put them, one worker gets them.
package main

import (
	"context"
	"fmt"
	"log"
	"sync"

	"queues"
)

func main() {
	prompts := []string{"Write a poem about the sea", "Hello", "Why?", "Translate this letter", "Thanks"}
	ctx := context.Background()
	queue, err := queues.NewPriority[string](100)
	if err != nil {
		log.Fatal(err)
	}
	var clients sync.WaitGroup
	for first := range 3 {
		clients.Add(1)
		go func() {
			defer clients.Done()
			for i := first; i < len(prompts); i += 3 {
				// A priority is any float64 except NaN. Items with equal priorities leave in the order of their puts.
				if err := queue.Put(ctx, prompts[i], float64(len(prompts[i]))); err != nil {
					log.Print(err)
					return
				}
			}
		}()
	}
	clients.Wait()
	queue.Close() // All gets what is left
	for prompt, priority := range queue.All(ctx) {
		fmt.Printf("%v: %s\n", priority, prompt)
	}
}
