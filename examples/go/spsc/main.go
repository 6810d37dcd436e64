// A pipeline of three goroutines makes, smooths and prints samples. Between two of them is a queue for one
// producer and one consumer. PutMany and GetMany move many items in one call, which makes it fast.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"queues"
)

func main() {
	ctx := context.Background()
	raw, err := queues.NewSPSC[float64](16)
	if err != nil {
		log.Fatal(err)
	}
	smooth, err := queues.NewSPSC[float64](16)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		defer raw.Close() // no more puts; gets return what is left
		var samples []float64
		for i := range 10 {
			samples = append(samples, float64(i*i))
		}
		if _, err := raw.PutMany(ctx, samples); err != nil {
			log.Print(err)
		}
	}()
	go func() {
		defer smooth.Close()
		last := 0.0
		for sample := range raw.All(ctx) {
			if err := smooth.Put(ctx, (last+sample)/2); err != nil {
				log.Print(err)
				return
			}
			last = sample
		}
	}()
	means := make([]float64, 4)
	for {
		n, err := smooth.GetMany(ctx, means)
		if errors.Is(err, queues.ErrClosed) {
			return // the queue is closed and drained
		}
		if err != nil {
			log.Fatal(err)
		}
		for _, mean := range means[:n] {
			fmt.Println(mean)
		}
	}
}
