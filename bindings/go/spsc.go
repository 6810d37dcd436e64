package queues

// An SPSC is a queue of Go values for one producer and one consumer at a time. Put, TryPut and PutMany
// are calls of the producer; Get, TryGet, GetMany, All, Peek, IsDrained and Clear are calls of the
// consumer; the others may be called by anyone. Which goroutine is the producer, or the consumer, may
// change from call to call. A second one in the midst of a call does no harm: it gets [ErrMisuse], or
// what says "nothing there" where there is no error to return.
type SPSC[T any] struct {
	queue[T]
}

// NewSPSC creates a queue that holds up to capacity items. It returns [ErrInvalid] for a capacity
// below 1, and [ErrInvalid] or [ErrNoMemory] for one that no memory could hold.
func NewSPSC[T any](capacity int) (*SPSC[T], error) {
	q := new(SPSC[T])
	if err := q.init(spsc, capacity); err != nil {
		return nil, err
	}
	return q, nil
}

// Peek returns the oldest item and leaves it where it is; false if there is none. It is a call of the
// consumer.
func (q *SPSC[T]) Peek() (v T, found bool) {
	s := q.slab.Load()
	if s == nil || !s.get.enter() {
		return v, false
	}
	defer s.get.leave()
	i, _, status := s.peek()
	if status != done {
		return v, false
	}
	return s.at(i).read(), true
}

// IsEmpty tells whether there was nothing to get at some moment of the call.
func (q *SPSC[T]) IsEmpty() bool { return q.isEmpty() }

// IsFull tells whether there was no room to put at some moment of the call.
func (q *SPSC[T]) IsFull() bool { return q.isFull() }

// An SPSCBytes is a queue of byte blobs for one producer and one consumer at a time, with the rules of
// [SPSC].
type SPSCBytes struct {
	bytesQueue
}

// NewSPSCBytes creates a queue that holds up to capacity blobs of 0 to size bytes each. It returns
// [ErrInvalid] if one of them is below 1, and [ErrInvalid] or [ErrNoMemory] for what no memory could
// hold.
func NewSPSCBytes(capacity, size int) (*SPSCBytes, error) {
	q := new(SPSCBytes)
	if err := q.init(spsc, capacity, size); err != nil {
		return nil, err
	}
	return q, nil
}

// IsEmpty tells whether there was nothing to get at some moment of the call.
func (q *SPSCBytes) IsEmpty() bool { return q.isEmpty() }

// IsFull tells whether there was no room to put at some moment of the call.
func (q *SPSCBytes) IsFull() bool { return q.isFull() }

func (b *base) isEmpty() bool {
	h := b.handle.Load()
	return h == nil || h.isEmpty()
}

func (b *base) isFull() bool {
	h := b.handle.Load()
	return h != nil && h.isFull()
}
