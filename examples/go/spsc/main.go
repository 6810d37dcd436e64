// A stream from one goroutine to the next: samples are made, smoothed and printed, with a queue for one
// producer and one consumer between each two of them. Many items for one call are what makes it fast.
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
		defer raw.Close() // what is inside can still be taken
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
			return // and drained
		}
		if err != nil {
			log.Fatal(err)
		}
		for _, mean := range means[:n] {
			fmt.Println(mean)
		}
	}
}
