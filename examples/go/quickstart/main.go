package main

import (
	"context"
	"fmt"
	"log"
	"queues"
)

func main() {
	ctx := context.Background() // one with a deadline limits the waits
	queue, err := queues.NewMPMC[string](100)
	if err != nil {
		log.Fatal(err)
	}
	go queue.Put(ctx, "hello")
	item, err := queue.Get(ctx)
	fmt.Println(item, err)
}
