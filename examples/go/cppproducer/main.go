// Threads of C++ put the readings of sensors into a queue of Go, and a goroutine gets them: without a copy,
// without a lock, and parked while there is none. cgo compiles producer.cpp as a part of this package.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"unsafe"

	"queues"
)

// #cgo pkg-config: queues
// #cgo CXXFLAGS: -std=c++17 -O2
// #include "producer.h"
import "C"

const (
	sensors  = 3
	readings = 20000
)

func main() {
	q, err := queues.NewMPMCBytes(64, int(unsafe.Sizeof(C.reading_t{})))
	if err != nil {
		log.Fatal(err)
	}
	defer q.Release()
	handle := q.Handle() // with a reference, which C++ gives back
	if handle == nil {
		log.Fatal("no descriptor is left")
	}
	go C.produce((*C.queues_mpmc_t)(handle), sensors, readings)

	var sum, count [sensors]int64
	for {
		blob, err := q.Lease(context.Background())
		if errors.Is(err, queues.ErrClosed) {
			break // closed by C++, and drained
		}
		if err != nil {
			log.Fatal(err)
		}
		reading := (*C.reading_t)(unsafe.Pointer(unsafe.SliceData(blob.Bytes())))
		sum[reading.sensor] += int64(reading.millidegrees)
		count[reading.sensor]++
		blob.Settle() // the memory is the queue's again
	}
	for sensor := range sensors {
		fmt.Printf("sensor %d: %d readings, %.4f °C\n", sensor, count[sensor],
			float64(sum[sensor])/float64(count[sensor])/1000)
	}
}
