// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import "strings"

// Stats are the counters of a queue since its creation. Those of items and of failures never go down
// before Release.
//
// A failure is a try call that found no room, or nothing to get, and a waiting call that its context
// ended. No failure is a waiting call that succeeded, however long it waited; a call that did not
// begin, because its context had ended before; a call that returned [ErrClosed], [ErrInvalid],
// [ErrMisuse], [ErrRetry] or [ErrTooSmall]; and a peek. Failures of calls in other languages do not count.
//
// The JSON is that of the C library.
type Stats struct {
	Enqueued      uint64 `json:"enqueued"`       // items put
	Dequeued      uint64 `json:"dequeued"`       // items got, or removed by Clear
	FailedEnqueue uint64 `json:"failed_enqueue"` // puts that found no room, or no memory to grow
	FailedDequeue uint64 `json:"failed_dequeue"` // gets that found no item, or no batch that was due
	PeakSize      uint64 `json:"peak_size"`      // the most items that it held at once
	CurrentSize   uint64 `json:"current_size"`   // the items that it holds
	Capacity      uint64 `json:"capacity"`       // the most items that it can hold
	Stolen        uint64 `json:"stolen"`         // items that thieves took from a deque; Dequeued includes them
	Attached      uint64 `json:"attached"`       // handles in all processes attached to a shared queue; 0 for other queues
	Recovered     uint64 `json:"recovered"`      // cells of a shared queue recovered from dead processes
}

// NamedStats are the statistics of a queue and its name on a page of metrics.
type NamedStats struct {
	Name string // UTF-8 without zero bytes
	Stats
}

// Prometheus returns the statistics of queues in Prometheus' text exposition format (version 0.0.4),
// with the name of each queue as the label "queue". Pass all queues of a page in one call, because a
// page may describe a metric only once. The error is nil or, for a Name that is not UTF-8 or has a zero
// byte, [ErrInvalid]. Any goroutine may call it at any time.
func Prometheus(queues ...NamedStats) (string, error) {
	for _, q := range queues {
		if strings.Contains(q.Name, "\x00") {
			return "", ErrInvalid
		}
	}
	text, status := prometheus(queues)
	return text, status.orNil()
}
