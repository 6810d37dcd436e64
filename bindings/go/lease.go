// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"sync"
	"unsafe"
)

// A Lease is a blob that was removed from an [MPMCBytes] and is still in its cell, in C memory.
// Its holder ends the lease by Settle or Return; `defer lease.Settle()` is always correct. Any goroutine
// may call any method at any time. A lease that does not end occupies a cell of the queue, and keeps the
// C memory of a queue that was released. The zero value is a lease that has ended.
type Lease struct {
	loan loan
}

// A Reservation is an empty cell of an [MPMCBytes], in C memory. Its holder ends the reservation by
// Commit or Cancel; `defer reservation.Cancel()` is always correct. Any goroutine may call any method at
// any time. A reservation that does not end occupies a cell of the queue, and keeps the C memory of a
// queue that was released. The zero value is a reservation that has ended.
type Reservation struct {
	loan loan
}

// Lease removes the oldest blob and returns it without copying it; while there is none it waits, until
// there is one, the queue is closed and drained or ctx ends. The error is nil, [ErrClosed], or that of
// ctx, which is returned at once if ctx has ended before the call. Once leased, the blob takes no room in
// the queue and no other consumer gets it. The queue has 64 cells beyond its capacity for leases,
// reservations and calls in flight; while more are held, it may be full with fewer than Cap blobs. Any
// goroutine may call it at any time. After Release, and for a zero value, the error is ErrClosed.
func (q *MPMCBytes) Lease(ctx context.Context) (*Lease, error) {
	l := new(Lease)
	return nilOnError(l, l.loan.wait(ctx, q.load(), leasing))
}

// TryLease is [MPMCBytes.Lease] without waiting: if there is no blob, the error is [ErrEmpty], or
// [ErrClosed] if none can come any more.
func (q *MPMCBytes) TryLease() (*Lease, error) {
	l := new(Lease)
	return nilOnError(l, l.loan.try(q.load(), leasing))
}

// Bytes returns the blob, which lies in C memory. The holder may read and write it until the lease ends,
// and only while the Lease is reachable. Each call returns the same slice; after the end it is nil.
func (l *Lease) Bytes() []byte { return l.loan.slice() }

// Settle ends the lease and frees the cell of the blob. It does not wait. If the lease has ended, it does
// nothing.
func (l *Lease) Settle() {
	l.loan.end(consumerOf, cQueue.settle) // like a get, it makes room: that of the cell
}

// Return appends the blob to the queue again, with the bytes that the cell has now, and ends the lease. It does
// not wait. The error is nil, [ErrFull], [ErrClosed] if the queue is closed or was released, or
// [ErrMisuse] if the lease has ended before. With ErrFull and ErrClosed the lease goes on.
func (l *Lease) Return() error {
	return l.loan.end(producerOf, cQueue.putBack)
}

// Reserve reserves a cell to write a blob to, which Commit appends without copying it; while the queue is
// full it waits, until there is room, the queue is closed or ctx ends. The error is nil, [ErrClosed], or
// that of ctx, which is returned at once if ctx has ended before the call. A reservation takes no room in
// the queue: Commit does, and may find it full. Any goroutine may call it at any time. After Release, and
// for a zero value, the error is ErrClosed.
func (q *MPMCBytes) Reserve(ctx context.Context) (*Reservation, error) {
	r := new(Reservation)
	return nilOnError(r, r.loan.wait(ctx, q.load(), reserving))
}

// TryReserve is [MPMCBytes.Reserve] without waiting: if there is no room, the error is [ErrFull].
func (q *MPMCBytes) TryReserve() (*Reservation, error) {
	r := new(Reservation)
	return nilOnError(r, r.loan.try(q.load(), reserving))
}

// Bytes returns the cell, which lies in C memory: as long as the longest blob of the queue, with
// arbitrary content. The holder may read and write it until the reservation ends, and only while the
// Reservation is reachable. Each call returns the same slice; after the end it is nil.
func (r *Reservation) Bytes() []byte { return r.loan.slice() }

// Commit appends the first n bytes of the cell to the queue and ends the reservation. It does not wait.
// The error is nil, [ErrFull], [ErrClosed] if the queue is closed or was released, [ErrInvalid] if n is
// below 0 or above len(Bytes()), or [ErrMisuse] if the reservation has ended before. With the first three
// errors the reservation goes on.
func (r *Reservation) Commit(n int) error {
	return r.loan.end(producerOf, func(q cQueue, data uintptr) Error { return q.commit(data, n) })
}

// Cancel ends the reservation and appends nothing. It does not wait. If the reservation has ended, it does
// nothing.
func (r *Reservation) Cancel() {
	r.loan.end(consumerOf, cQueue.cancel)
}

// A loan is C memory that a queue lends to Go. It counts as a call in flight, so the memory outlives
// Release. The mutex makes it end once: the library rejects an address that is not lent, but cannot know
// whether it has been lent again since, to another holder.
type loan struct {
	mu     sync.Mutex
	handle *handle // nil: not lent yet, or ended
	calls  *callCount
	data   uintptr
	bytes  []byte
}

// A lender is a call that lends memory: lease or reserve.
type lender struct {
	role func(*handle) *role
	lend func(*handle) (data unsafe.Pointer, n int, status Error)
}

var (
	leasing = lender{
		consumerOf, (*handle).lease,
	}
	reserving = lender{
		producerOf,
		func(h *handle) (data unsafe.Pointer, n int, status Error) {
			data, status = h.reserve()
			return data, h.itemSize, status
		},
	}
)

// wait begins the loan as soon as the lender has memory to lend.
func (l *loan) wait(ctx context.Context, h *handle, from lender) error {
	r := from.role(h)
	c, status := h.enter(r)
	if status != statusOK {
		return status
	}
	moved, status, err := h.until(ctx, c, r, &attempts{try: func() (int, Error) {
		return one(l.borrow(h, c, from))
	}})
	return l.begun(h, c, r, moved, status, err)
}

// try begins the loan if the lender has memory to lend.
func (l *loan) try(h *handle, from lender) error {
	r := from.role(h)
	c, status := h.enter(r)
	if status != statusOK {
		return status
	}
	moved, status := r.attempt(func() (int, Error) { return one(l.borrow(h, c, from)) })
	return l.begun(h, c, r, moved, status, nil)
}

// begun ends the call that made the attempts. If the call borrowed memory, the call stays in flight.
func (l *loan) begun(h *handle, c *callCount, r *role, moved int, status Error, err error) error {
	if l.handle == nil {
		h.leave(c)
	}
	switch {
	case err != nil:
		return err
	case status != statusOK:
		return h.failed(r, status)
	case r == &h.consumer:
		h.progress(c, r, moved)
	case r.waits.state.Load()|r.peer.waits.state.Load() != 0:
		h.wakeNext(r) // a reservation leaves the room to others
		r.waits.leaveToken()
	}
	return nil
}

// borrow makes one attempt.
func (l *loan) borrow(h *handle, c *callCount, from lender) Error {
	data, n, status := from.lend(h)
	if status == statusOK {
		l.handle, l.calls = h, c
		l.data, l.bytes = uintptr(data), unsafe.Slice((*byte)(data), n)
	}
	return status
}

func (l *loan) slice() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}

// end gives the memory back by giveBack, a call of a role, unless the loan has ended. If the call fails, the loan
// goes on.
func (l *loan) end(role func(*handle) *role, giveBack func(cQueue, uintptr) Error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.handle
	if h == nil {
		return ErrMisuse
	}
	r := role(h)
	moved, status := r.attempt(func() (int, Error) { return one(giveBack(h.cQueue, l.data)) })
	if status == statusOK {
		l.handle, l.data, l.bytes = nil, 0, nil
		h.leave(l.calls)
	}
	return h.ended(r, status, moved)
}
