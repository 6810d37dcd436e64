package queues

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// A side is what the producers, or the consumers, of a queue share in Go.
type side struct {
	exclusive bool // one call at a time
	busy      atomic.Bool
	looks     atomic.Uint64 // failed tries of waiting calls: the library counts them as failures
}

func (s *side) enter() bool {
	return !s.exclusive || s.busy.CompareAndSwap(false, true)
}

func (s *side) leave() {
	if s.exclusive {
		s.busy.Store(false)
	}
}

// wait calls try until it returns something else than blocked, or the context is done. A try may be
// blocked after it moved some items.
func (s *side) wait(ctx context.Context, blocked Error, try func() (moved int, status Error)) error {
	if !s.enter() {
		return ErrMisuse
	}
	defer s.leave()
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
		if err := p.wait(ctx); err != nil {
			return err
		}
		s.looks.Add(1)
	}
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
