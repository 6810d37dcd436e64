// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"errors"
)

// How calls of a role run: call makes one attempt, wait parks the goroutine until an attempt succeeds or the
// context ends. No call waits in C, because that would hold a thread and could not end with a context.

// call makes one attempt in a role. It returns ErrClosed if the queue was released, and ErrMisuse if
// another goroutine is in a call of the role and the role is exclusive.
func (h *handle) call(r *role, try func() Error) Error {
	c, status := h.enter(r)
	if status == statusOK {
		status = try()
		h.leave(c)
	}
	return status
}

// try makes one attempt at an end and counts a failure. The caller's role is not that of the end when the owner of
// a deque pops.
func (h *handle) try(end, caller *role, attempt attempt) error {
	c, status := h.enter(caller)
	if status != statusOK {
		return status
	}
	n, status := end.attempt(attempt)
	h.leave(c)
	return h.ended(end, status, n)
}

// callPut makes one attempt to put and counts a failure.
func (h *handle) callPut(try attempt) error { return h.try(&h.producer, &h.producer, try) }

// callGet makes one attempt to get and counts a failure.
func (h *handle) callGet(try attempt) error { return h.try(&h.consumer, &h.consumer, try) }

// callPop is callGet for the owner of a deque, which is its producer.
func (h *handle) callPop(try attempt) error { return h.try(&h.consumer, &h.producer, try) }

// An attempt returns how many items it moved into C or out of it, even if it then found the queue blocked.
type attempt func() (moved int, status Error)

// attempt makes an attempt. If it finds the queue blocked and there is a channel of Ready or ReadyToPut, it takes the
// token out and makes another.
func (r *role) attempt(try attempt) (n int, status Error) {
	n, status = try()
	if status == r.blocked && r.waits.asked.Load() {
		r.waits.arm()
		n, status = try()
	}
	return n, status
}

// one returns the results of an attempt that moves one item if it succeeds.
func one(status Error) (int, Error) {
	if status == statusOK {
		return 1, status
	}
	return 0, status
}

// ended runs after the end of a call: it wakes waiters of the other end if the call moved n items, and counts a
// failure.
func (h *handle) ended(end *role, status Error, n int) error {
	if status == statusOK {
		if end.peer.waits.state.Load() != 0 {
			h.attend(end, n)
		}
		return nil
	}
	return h.failed(end, status)
}

// attend wakes goroutines that wait at the other end, and leaves a token in the channel of this one.
//
//go:noinline
func (h *handle) attend(end *role, n int) {
	other := end.peer
	state := other.waits.state.Load()
	if state&peerAsked != 0 {
		end.waits.leaveToken()
	}
	if state&peerShared != 0 && end.waits.state.Load()&^(peerAsked|peerShared) != 0 {
		h.wakeNextOutside(end)
	}
	if n == 0 || state&^(peerAsked|peerShared) == 0 {
		return
	}
	if !other.plans {
		other.waits.wake(n)
	} else if c := h.begin(); c != nil {
		h.plan(other)
		h.leave(c)
	}
}

// wakeNextOutside is wakeNext for a caller that is in no call.
func (h *handle) wakeNextOutside(r *role) {
	if c := h.begin(); c != nil {
		h.wakeNext(r)
		h.leave(c)
	}
}

// failed counts a failure at an end, if status is a failure, and returns status.
func (h *handle) failed(end *role, status Error) error {
	if status == ErrClosed && end.peer.waits.state.Load()&peerShared != 0 {
		end.waits.end() // a call in C has closed the queue
	}
	if end.waits.asked.Load() && status != ErrEmpty && status != ErrFull && status != ErrMisuse {
		end.waits.leaveToken() // the try did not show that the queue is blocked
	}
	return end.count(status).orNil()
}

// waitPut attempts to put until there is room or the context ends.
func (h *handle) waitPut(ctx context.Context, try attempt) error {
	return h.wait(ctx, &h.producer, attempts{try: try})
}

// waitGet attempts to get until there is an item or the context ends.
func (h *handle) waitGet(ctx context.Context, try attempt) error {
	return h.wait(ctx, &h.consumer, attempts{try: try})
}

// Attempts are the functions by which a waiting call tries. They are all that it holds, so that none of them
// escapes to the heap.
type attempts struct {
	try  attempt
	last attempt       // unless nil, made before the call gives up because the deadline passed
	take func(*waiter) // takes an item that was handed over
}

// wait is a call of a role that waits; see until. Its errors are those of call, of try and of ctx.
func (h *handle) wait(ctx context.Context, r *role, by attempts) error {
	woken := false
	if by.take != nil && r.waits.state.Load()&drained != 0 {
		var c *callCount
		if r.exclusive { // the caller has the role, although it does not touch C
			var status Error
			if c, status = h.enter(r); status != statusOK {
				return status
			}
		}
		var ended bool
		var err error
		woken, ended, err = h.receive(ctx, r, &by)
		if c != nil {
			h.leave(c)
		}
		if ended {
			return err
		}
	}
	c, status := h.enter(r)
	if status != statusOK {
		return status
	}
	moved, status, err := h.until(ctx, c, r, &by)
	if woken && (err != nil || status != statusOK) {
		h.wakeNext(r)
	}
	h.leave(c)
	if err != nil {
		return err
	}
	return h.ended(r, status, moved)
}

// receive waits for an item that is handed over, while there is no item in C. It does not touch C, so it is no call
// in flight. It returns without having ended the wait if there may be an item in C: it was woken for that item, or
// did not wait.
func (h *handle) receive(ctx context.Context, r *role, by *attempts) (woken, ended bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, false, nil // the caller returns this error, unless the queue was released
	}
	l := &r.waits
	w := l.pool.Get().(*waiter)
	if !l.addReceiver(w) {
		l.pool.Put(w)
		return false, false, nil
	}
	if done := ctx.Done(); done == nil {
		<-w.wake
	} else {
		select {
		case <-w.wake:
		case <-done:
			if woken := l.drop(w); w.handed {
				break
			} else if woken {
				l.wake(1)
			}
			l.pool.Put(w)
			_, _, err = h.giveUp(ctx, r, by)
			return false, true, err
		}
	}
	if !w.handed {
		l.pool.Put(w)
		return true, false, nil
	}
	by.take(w)
	l.pool.Put(w)
	if l.asked.Load() {
		l.leaveToken()
	}
	return false, true, nil
}

// until makes attempts until an attempt returns another status than blocked or the context ends, which counts as
// one failure of the role. The caller has entered the role, and calls ended after it has left.
func (h *handle) until(ctx context.Context, c *callCount, r *role, by *attempts) (moved int, status Error, err error) {
	if err := ctx.Err(); err != nil {
		return 0, statusOK, err
	}
	if by.take == nil || r.waits.state.Load()&drained == 0 {
		if moved, status = by.try(); status != r.blocked {
			return moved, status, nil
		}
	}
	w := r.waits.pool.Get().(*waiter)
	moved, status, err = h.park(ctx, c, r, by, w, moved)
	r.waits.pool.Put(w)
	return moved, status, err
}

// park continues a wait whose first attempt moved some items and found the queue blocked.
func (h *handle) park(
	ctx context.Context, c *callCount, r *role, by *attempts, w *waiter, moved int,
) (_ int, status Error, err error) {
	l, done := &r.waits, ctx.Done()
	for again := false; ; again = true {
		h.progress(c, r, moved)
		if !l.add(w, again) {
			if moved, status = by.try(); status != r.blocked {
				if l.drop(w) {
					h.wakeNext(r)
				}
				break
			}
			h.progress(c, r, moved)
			if w.ended { // the queue itself may be open, if another owner closes it
				l.drop(w)
				return 0, ErrClosed, nil
			}
			if by.take != nil {
				l.settle(w)
			}
			if r.plans {
				h.plan(r)
			}
		}
		if done == nil {
			<-w.wake
		} else {
			select {
			case <-w.wake:
			case <-done:
				woken := l.drop(w)
				if w.handed {
					break
				}
				if woken {
					h.wakeNext(r)
				}
				return h.giveUp(ctx, r, by)
			}
		}
		if w.handed {
			by.take(w)
			return 0, statusOK, nil
		}
		if moved, status = by.try(); status != r.blocked {
			if moved == 0 { // the attempt failed, or handed its item over and left the room to others
				h.wakeNext(r)
			}
			break
		}
	}
	if r.plans && l.state.Load()&^(peerAsked|peerShared) != 0 {
		h.plan(r) // what this call left may become due while others wait
	}
	return moved, status, nil
}

// giveUp ends a wait whose context ended.
func (h *handle) giveUp(ctx context.Context, r *role, by *attempts) (moved int, status Error, err error) {
	err = ctx.Err()
	if by.last != nil && errors.Is(err, context.DeadlineExceeded) {
		if moved, status = by.last(); status != r.blocked {
			return moved, status, nil
		}
	}
	r.count(r.blocked)
	if r.waits.asked.Load() {
		r.waits.leaveToken()
	}
	return 0, statusOK, err
}

// progress wakes the other end if a call that goes on waiting has moved items.
func (h *handle) progress(c *callCount, r *role, moved int) {
	if moved > 0 {
		c.n.Add(0) // the fence that is otherwise in leave
		if r.peer.waits.state.Load() != 0 {
			h.attend(r, moved)
		}
	}
}

// wakeNext wakes another waiter, because the caller does not use its wake-up. The caller is in a call. If calls in C
// wake goroutines, a waiter has to make an attempt that fails, so that the library signals the next change.
func (h *handle) wakeNext(r *role) {
	if r.plans && r.peer.waits.state.Load()&peerShared == 0 {
		h.plan(r)
	} else {
		r.waits.wake(1)
	}
}
