//go:build cgo

package queues

import (
	"context"
	"sync"
	"unsafe"
)

// A Lease is a blob that was taken out of an [MPMCBytes] and lies where it lay, uncopied. Its holder ends
// it by Settle or Return; `defer lease.Settle()` is always right. Any goroutine may do so, at any time. A
// lease that is never ended keeps its place in memory, and the queue's C memory after Release.
type Lease struct {
	held held
}

// A Reservation is a place in the memory of an [MPMCBytes] to write a blob into. Its holder ends it by
// Commit or Cancel; `defer reservation.Cancel()` is always right. Any goroutine may do so, at any time. A
// reservation that is never ended keeps its place in memory, and the queue's C memory after Release.
type Reservation struct {
	held held
}

// Lease removes the oldest blob without copying it and waits while there is none. The error is nil,
// [ErrClosed] if the queue is closed and drained, or that of ctx. The blob is out of the queue: no other
// consumer gets it, and there is room for another one. Some 64 leases and reservations may be held beside
// what the queue holds; where there are more, it may be full before it holds Cap blobs.
func (q *MPMCBytes) Lease(ctx context.Context) (*Lease, error) {
	l := new(Lease)
	if err := l.held.wait(ctx, q.handle.Load(), leasing); err != nil {
		return nil, err
	}
	return l, nil
}

// TryLease is Lease without waiting: [ErrEmpty] if there is no blob, and one may still come.
func (q *MPMCBytes) TryLease() (*Lease, error) {
	l := new(Lease)
	if err := l.held.try(q.handle.Load(), leasing); err != nil {
		return nil, err
	}
	return l, nil
}

// Bytes is the blob, in memory of the C library. It may be read and written while the lease lasts and is
// reachable; after that it must not be touched. The slice is the same each time, and nil after the end.
func (l *Lease) Bytes() []byte { return l.held.slice() }

// Settle ends the lease: the blob is done with. After the end it does nothing.
func (l *Lease) Settle() {
	l.held.end((*handle).settle)
}

// Return puts the blob back, at the end of the queue and with the bytes that it has now, and ends the
// lease. It does not wait. The error is nil, [ErrFull], [ErrClosed] even if the queue was open at the time of
// the lease, or [ErrMisuse] if the lease has ended before; with ErrFull and ErrClosed it goes on.
func (l *Lease) Return() error {
	return l.held.end((*handle).putBack)
}

// Reserve reserves a place for a blob and waits while the queue is full. The error is nil, [ErrClosed] or
// that of ctx. Room in the queue is not reserved: it is Commit that takes it.
func (q *MPMCBytes) Reserve(ctx context.Context) (*Reservation, error) {
	r := new(Reservation)
	if err := r.held.wait(ctx, q.handle.Load(), reserving); err != nil {
		return nil, err
	}
	return r, nil
}

// TryReserve is Reserve without waiting: [ErrFull] if there is no room.
func (q *MPMCBytes) TryReserve() (*Reservation, error) {
	r := new(Reservation)
	if err := r.held.try(q.handle.Load(), reserving); err != nil {
		return nil, err
	}
	return r, nil
}

// Bytes is the place, in memory of the C library: as long as the longest blob, with any content. It may be
// read and written while the reservation lasts and is reachable; after that it must not be touched. The
// slice is the same each time, and nil after the end.
func (r *Reservation) Bytes() []byte { return r.held.slice() }

// Commit appends the first n bytes to the queue and ends the reservation. It does not wait. The error is
// nil, [ErrFull], [ErrClosed], [ErrInvalid] if n is below 0 or above len(Bytes()), or [ErrMisuse] if the
// reservation has ended before; with the first three it goes on.
func (r *Reservation) Commit(n int) error {
	return r.held.end(func(h *handle, data uintptr) Error { return h.commit(data, n) })
}

// Cancel ends the reservation without a put. After the end it does nothing.
func (r *Reservation) Cancel() {
	r.held.end((*handle).cancel)
}

// held is C memory that is lent to Go. It counts as a call under way, so that it outlives Release. It is
// handed in once: the library refuses an address that is not lent, but cannot tell whether it was lent
// again, to another holder.
type held struct {
	mu     sync.Mutex
	handle *handle // nil: not lent yet, or handed in
	calls  *calls
	data   uintptr
	bytes  []byte
}

// An end of a queue, which lends memory: leases or reservations.
type end struct {
	side    func(*handle) *side
	blocked Error
	lend    func(*handle) (data unsafe.Pointer, n int, status Error)
}

var (
	leasing   = end{func(h *handle) *side { return &h.get }, ErrEmpty, (*handle).lease}
	reserving = end{func(h *handle) *side { return &h.put }, ErrFull, (*handle).reserve}
)

// wait waits until there is something to lend.
func (m *held) wait(ctx context.Context, h *handle, e end) error {
	return m.begin(h, e, func() error {
		return h.poll(ctx, e.side(h), e.blocked, func() (int, Error) { return 0, m.lend(h, e) }, nil)
	})
}

func (m *held) try(h *handle, e end) error {
	return m.begin(h, e, func() error { return e.side(h).note(m.lend(h, e)).orNil() })
}

// begin begins a call, which goes on if something was lent.
func (m *held) begin(h *handle, e end, call func() error) error {
	if h == nil {
		return ErrClosed
	}
	c, status := h.enter(e.side(h))
	if status != done {
		return status
	}
	defer func() {
		if m.handle == nil {
			h.leave(c)
		}
	}()
	m.calls = c
	return call()
}

func (m *held) lend(h *handle, e end) Error {
	data, n, status := e.lend(h)
	if status == done {
		m.handle, m.data, m.bytes = h, uintptr(data), unsafe.Slice((*byte)(data), n)
	}
	return status
}

func (m *held) slice() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

// end hands the memory in, if it is still held and the library takes it.
func (m *held) end(take func(*handle, uintptr) Error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.handle
	if h == nil {
		return ErrMisuse
	}
	status := h.put.note(take(h, m.data)) // what fails for lack of room is a put
	if status == done {
		m.handle, m.data, m.bytes = nil, 0, nil
		h.leave(m.calls)
	}
	return status.orNil()
}
