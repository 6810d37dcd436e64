//go:build cgo

package queues

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// wait waits at a side; see poll.
func (h *handle) wait(ctx context.Context, s *side, blocked Error, try func() (moved int, status Error), last func() Error) error {
	c, status := h.enter(s)
	if status != done {
		return status
	}
	defer h.leave(c)
	return h.poll(ctx, s, blocked, try, last)
}

// poll calls try until it returns another status than blocked, or the context is done. The latter counts as
// one failure of the side. A try may return blocked after it moved some items. When the deadline of the
// context passes during the wait, poll calls last, unless it is nil, before it gives up. The caller has
// entered the side.
func (*handle) poll(ctx context.Context, s *side, blocked Error, try func() (moved int, status Error), last func() Error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var p pause
	for {
		moved, status := try()
		if status != blocked {
			return status.orNil()
		}
		if moved > 0 {
			p.rounds = 0
		}
		err := p.wait(ctx)
		if err == nil {
			continue
		}
		if last != nil && errors.Is(err, context.DeadlineExceeded) {
			if status := last(); status != blocked {
				return status.orNil()
			}
		}
		s.note(blocked)
		return err
	}
}

// waitPut waits for room, and tries to put one thing.
func (h *handle) waitPut(ctx context.Context, try func() Error) error {
	return h.wait(ctx, &h.put, ErrFull, func() (int, Error) { return 0, try() }, nil)
}

// waitGet waits for an item.
func (h *handle) waitGet(ctx context.Context, try func() Error) error {
	return h.wait(ctx, &h.get, ErrEmpty, func() (int, Error) { return 0, try() }, nil)
}

// try makes one try at a side.
func (h *handle) try(s *side, try func() Error) error {
	c, status := h.enter(s)
	if status != done {
		return status
	}
	status = s.note(try())
	h.leave(c)
	return status.orNil()
}

// A pause grows: first the goroutine lets others run, then it sleeps for longer and longer. It holds
// no thread meanwhile.
type pause struct {
	rounds int
	timer  *time.Timer
}

const (
	yields     = 32
	firstSleep = 8 * time.Microsecond
	lastSleep  = time.Millisecond
)

func (p *pause) wait(ctx context.Context) error {
	p.rounds++
	if p.rounds <= yields {
		runtime.Gosched()
		return ctx.Err()
	}
	sleep := min(firstSleep<<min(p.rounds-yields-1, 16), lastSleep)
	if p.timer == nil {
		p.timer = time.NewTimer(sleep)
	} else {
		p.timer.Reset(sleep)
	}
	select {
	case <-p.timer.C:
		return nil
	case <-ctx.Done():
		p.timer.Stop()
		return ctx.Err()
	}
}
