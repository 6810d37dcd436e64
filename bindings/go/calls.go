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

// try makes one attempt at an end and counts a failure. In a deque the caller is not in the role of the end if
// the owner pops.
func (h *handle) try(end, caller *role, attempt func() Error) error {
	status := h.call(caller, attempt)
	if end.waits.asked.Load() && (status == ErrEmpty || status == ErrFull) {
		end.waits.arm()
		status = h.call(caller, attempt)
	}
	return h.ended(end, status, 1)
}

// callPut makes one attempt to put and counts a failure.
func (h *handle) callPut(try func() Error) error { return h.try(&h.producer, &h.producer, try) }

// callGet makes one attempt to get and counts a failure.
func (h *handle) callGet(try func() Error) error { return h.try(&h.consumer, &h.consumer, try) }

// callPop is callGet for the owner of a deque, who is its producer.
func (h *handle) callPop(try func() Error) error { return h.try(&h.consumer, &h.producer, try) }

// ended follows a call at an end, outside of it: it wakes the other end if the call moved n items, and counts
// a failure.
func (h *handle) ended(end *role, status Error, n int) error {
	if status == statusOK {
		if end.peer.waits.state.Load() != 0 {
			h.attend(end, n)
		}
		return nil
	}
	return h.failed(end, status)
}

// attend wakes who waits at the other end, and leaves a token in the channel of this one.
//
//go:noinline
func (h *handle) attend(end *role, n int) {
	other := end.peer
	state := other.waits.state.Load()
	if state&peerAsked != 0 {
		end.waits.leaveToken()
	}
	if state&^peerAsked == 0 {
		return
	}
	if !other.plans {
		other.waits.wake(n)
	} else if c := h.begin(); c != nil {
		h.plan(other)
		h.leave(c)
	}
}

// failed counts a failure at an end, if status is one, and returns it.
func (h *handle) failed(end *role, status Error) error {
	if end.waits.asked.Load() && status != ErrEmpty && status != ErrFull && status != ErrMisuse {
		end.waits.leaveToken() // the try did not show that there is nothing
	}
	return end.count(status).orNil()
}

// waitPut attempts to put until there is room or the context ends.
func (h *handle) waitPut(ctx context.Context, try func() Error) error {
	return h.wait(ctx, &h.producer, ErrFull, func() (int, Error) { return one(try()) }, nil)
}

// waitGet attempts to get until there is an item or the context ends.
func (h *handle) waitGet(ctx context.Context, try func() Error) error {
	return h.wait(ctx, &h.consumer, ErrEmpty, func() (int, Error) { return one(try()) }, nil)
}

// An attempt of a wait returns how many items it moved, even if it then found the queue blocked.
type attempt func() (moved int, status Error)

// one returns the results of an attempt that moves one item if it succeeds.
func one(status Error) (int, Error) {
	if status == statusOK {
		return 1, status
	}
	return 0, status
}

// wait is a call of a role that waits; see until. Its errors are those of call, of try and of ctx.
func (h *handle) wait(ctx context.Context, r *role, blocked Error, try, last attempt) error {
	c, status := h.enter(r)
	if status != statusOK {
		return status
	}
	moved, status, err := h.until(ctx, c, r, blocked, try, last)
	h.leave(c)
	if err != nil {
		return err
	}
	return h.ended(r, status, moved)
}

// until calls try until it returns another status than blocked or the context ends, which counts as one
// failure of the role. If the deadline of the context passes during the wait, until calls last, unless it
// is nil, before it gives up. The caller has entered the role, and calls ended after it left.
func (h *handle) until(
	ctx context.Context, c *callCount, r *role, blocked Error, try, last attempt,
) (moved int, status Error, err error) {
	if err := ctx.Err(); err != nil {
		return 0, statusOK, err
	}
	if moved, status = try(); status == blocked {
		return h.park(ctx, c, r, moved, blocked, try, last)
	}
	return moved, status, nil
}

// park continues a wait whose first attempt moved some items and found the queue blocked.
//
//go:noinline
func (h *handle) park(
	ctx context.Context, c *callCount, r *role, moved int, blocked Error, try, last attempt,
) (_ int, status Error, err error) {
	l, done := &r.waits, ctx.Done()
	w := waiters.Get().(*waiter)
	defer waiters.Put(w)
	for again := false; ; again = true {
		h.progress(c, r, moved)
		l.add(w, again)
		if moved, status = try(); status != blocked {
			if l.drop(w) {
				h.wakeNext(r)
			}
			break
		}
		h.progress(c, r, moved)
		if r.plans {
			h.plan(r)
		}
		if done == nil {
			<-w.wake
		} else {
			select {
			case <-w.wake:
			case <-done:
				if l.drop(w) {
					h.wakeNext(r)
				}
				return h.giveUp(ctx, r, blocked, last)
			}
		}
		if moved, status = try(); status != blocked {
			if status != statusOK {
				h.wakeNext(r)
			}
			break
		}
	}
	if r.plans && l.state.Load()&^peerAsked != 0 {
		h.plan(r) // what this call left may become due while others wait
	}
	return moved, status, nil
}

// giveUp ends a wait whose context ended.
func (h *handle) giveUp(ctx context.Context, r *role, blocked Error, last attempt) (moved int, status Error, err error) {
	err = ctx.Err()
	if last != nil && errors.Is(err, context.DeadlineExceeded) {
		if moved, status = last(); status != blocked {
			return moved, status, nil
		}
	}
	r.count(blocked)
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

// wakeNext wakes a waiter in place of this one, which does not use its wake-up. The caller is in a call.
func (h *handle) wakeNext(r *role) {
	if r.plans {
		h.plan(r)
	} else {
		r.waits.wake(1)
	}
}
