// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// How calls of a role run: call makes one attempt, wait polls until an attempt succeeds or the context
// ends. Waiting is polling because a wait in C would hold a thread, and could not end with a context.

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

// callPut makes one attempt to put and counts a failure.
func (h *handle) callPut(try func() Error) error {
	return h.producer.count(h.call(&h.producer, try)).orNil()
}

// callGet makes one attempt to get and counts a failure.
func (h *handle) callGet(try func() Error) error {
	return h.consumer.count(h.call(&h.consumer, try)).orNil()
}

// callPop is callGet for the owner of a deque, who is its producer.
func (h *handle) callPop(try func() Error) error {
	return h.consumer.count(h.call(&h.producer, try)).orNil()
}

// waitPut attempts to put until there is room or the context ends.
func (h *handle) waitPut(ctx context.Context, try func() Error) error {
	return h.wait(ctx, &h.producer, ErrFull, func() (int, Error) { return 0, try() }, nil)
}

// waitGet attempts to get until there is an item or the context ends.
func (h *handle) waitGet(ctx context.Context, try func() Error) error {
	return h.wait(ctx, &h.consumer, ErrEmpty, func() (int, Error) { return 0, try() }, nil)
}

// An attempt of a poll returns how many items it moved, even if it then found the queue blocked.
type attempt func() (moved int, status Error)

// wait is a call of a role that polls; see poll. Its errors are those of call, of try and of ctx.
func (h *handle) wait(ctx context.Context, r *role, blocked Error, try attempt, last func() Error) error {
	c, status := h.enter(r)
	if status != statusOK {
		return status
	}
	defer h.leave(c)
	return r.poll(ctx, blocked, try, last)
}

// poll calls try until it returns another status than blocked or the context ends, which counts as one
// failure of the role. If the deadline of the context passes during the wait, poll calls last, unless it
// is nil, before it gives up. The caller has entered the role.
func (r *role) poll(ctx context.Context, blocked Error, try attempt, last func() Error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var b backoff
	for {
		moved, status := try()
		if status != blocked {
			return status.orNil()
		}
		if moved > 0 {
			b.rounds = 0
		}
		err := b.wait(ctx)
		if err == nil {
			continue
		}
		if last != nil && errors.Is(err, context.DeadlineExceeded) {
			if status := last(); status != blocked {
				return status.orNil()
			}
		}
		r.count(blocked)
		return err
	}
}

// A backoff spaces the attempts of a poll: at first the goroutine yields, then it sleeps, each time
// twice as long. It holds no thread while it sleeps.
type backoff struct {
	rounds int
	timer  *time.Timer
}

const (
	maxYields = 32                   // rounds without sleep
	minSleep  = 8 * time.Microsecond // of the first round after them
	maxSleep  = time.Millisecond     // how late a waiting call may notice an item
)

// wait waits for one round. It returns the error of a context that ended.
func (b *backoff) wait(ctx context.Context) error {
	b.rounds++
	if b.rounds <= maxYields {
		runtime.Gosched()
		return ctx.Err()
	}
	const doublings = 16 // more than enough for maxSleep, and few enough not to overflow
	sleep := min(minSleep<<min(b.rounds-maxYields-1, doublings), maxSleep)
	if b.timer == nil {
		b.timer = time.NewTimer(sleep)
	} else {
		b.timer.Reset(sleep)
	}
	select {
	case <-b.timer.C:
		return nil
	case <-ctx.Done():
		b.timer.Stop()
		return ctx.Err()
	}
}
