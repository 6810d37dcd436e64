// As consumer.c, through the Go binding.
package main

import (
	"fmt"
	"log"

	"queues"
)

func main() {
	queue, err := queues.NewMPMC[int](1)
	if err != nil {
		log.Fatal(err)
	}
	if err := queue.TryPut(1); err != nil {
		log.Fatal(err)
	}
	if item, err := queue.TryGet(); err != nil || item != 1 {
		log.Fatal("an item did not come through: ", item, err)
	}
	fmt.Println(queues.Version())
}
