package queues

// An MPMC is a queue of Go values for any number of producers and consumers. All its methods may be
// called by any goroutine at any time.
type MPMC[T any] struct {
	queue[T]
}

// NewMPMC creates a queue that holds up to capacity items. It returns [ErrInvalid] for a capacity
// below 1, and [ErrInvalid] or [ErrNoMemory] for one that no memory could hold.
func NewMPMC[T any](capacity int) (*MPMC[T], error) {
	q := new(MPMC[T])
	if err := q.init(mpmc, capacity); err != nil {
		return nil, err
	}
	return q, nil
}

// An MPMCBytes is a queue of byte blobs for any number of producers and consumers. All its methods
// may be called by any goroutine at any time.
type MPMCBytes struct {
	bytesQueue
}

// NewMPMCBytes creates a queue that holds up to capacity blobs of 0 to size bytes each. It returns
// [ErrInvalid] if one of them is below 1, and [ErrInvalid] or [ErrNoMemory] for what no memory could
// hold.
func NewMPMCBytes(capacity, size int) (*MPMCBytes, error) {
	q := new(MPMCBytes)
	if err := q.init(mpmc, capacity, size); err != nil {
		return nil, err
	}
	return q, nil
}
