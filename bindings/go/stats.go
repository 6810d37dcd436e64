//go:build cgo

package queues

// Stats are the counters of a queue since its creation. Those of items and of failures never go down
// before Release. A try that found no room, or nothing to get, is a failure, and a wait that its context
// ended; a wait that succeeds is none, however long it took, and neither is a call that was turned away:
// by its context before it began, by Close, as a misuse, or after a lost race. The JSON is that of the C
// library.
type Stats struct {
	Enqueued      uint64 `json:"enqueued"`       // items put
	Dequeued      uint64 `json:"dequeued"`       // items got, or cleared
	FailedEnqueue uint64 `json:"failed_enqueue"` // puts that found no room, or no memory to grow
	FailedDequeue uint64 `json:"failed_dequeue"` // gets that found no item, or no batch that is due
	PeakSize      uint64 `json:"peak_size"`      // the most items it ever held
	CurrentSize   uint64 `json:"current_size"`   // the items it holds
	Capacity      uint64 `json:"capacity"`       // the most items it can hold
	Stolen        uint64 `json:"stolen"`         // items that thieves took from a deque, which are dequeued too
}

// NamedStats are the statistics of a queue with the name that a page of metrics shows them under.
type NamedStats struct {
	Name string
	Stats
}
