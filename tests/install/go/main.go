// consumer.c by the Go binding.
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
		log.Fatal("got ", item, " and ", err, " instead of the item 1")
	}
	fmt.Println(queues.Version())
}
