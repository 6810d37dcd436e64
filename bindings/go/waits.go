// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"math"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
	"weak"
)

// How goroutines wait: a waiter enters the list of its end, tries once more and parks on a channel; a call
// that succeeds at the other end loads the state of that list and wakes a waiter if there is one. Without
// waiters, that load is the whole cost.
//
// A put does more: it hands its item to a waiter if it knows that C has no older item. See drained, and decision
// 019.
//
// No wake-up is lost (Dekker's pattern). One side changes the queue in C, then makes an atomic
// read-modify-write operation (that of handle.leave, or of progress), then loads the state. The other side
// enters the list, so that the state is not 0, unlocks it, which is such an operation, then loads the state,
// and then tries in C. So at least one side sees the other:
//   - On amd64 a read-modify-write operation is a full fence.
//   - On arm64 it has release semantics and orders the stores of C before its own store (LDADDAL, or STLXR
//     on processors without it). The load that follows is an acquire load (LDAR), which that architecture
//     keeps behind earlier release stores. Loads and stores of C stay behind the acquire load.
//
// A wake-up belongs to a change of the queue, not to a goroutine. A waiter that was woken and does not take
// what is there, because its context ended or its buffer is too small, wakes the next one.

// The state of a waitList: flags.
const (
	// There are waiters. While drained is set, this flag may be missing, so that neither a waiter nor a put that
	// hands an item over writes the state.
	someWait uint32 = 1 << iota
	// The channel of Ready, or of ReadyToPut, is to get a token after the next change.
	armed
	// The other end has such a channel: calls there leave a token in it when they succeed.
	peerAsked
	// Calls in C may change the queue: see shared.go. A call at the other end that succeeds wakes the next waiter
	// of its own end.
	peerShared
	// C has no item but those of puts that have not looked at the state since. Such a put clears this flag when it
	// looks; a put that is about to put an item into C clears the flag before. So a getter need not try, and no
	// put that has returned is older than an item that is handed over.
	drained
)

// A waitList is where goroutines wait at one end of a queue.
type waitList struct {
	state       atomic.Uint32 // 0: calls of the other end have nothing to do
	asked       atomic.Bool   // the channel ready exists
	_           [cacheLine - 8]byte
	mu          sync.Mutex // guards what follows, and the changes of the state
	first, last *waiter
	length      int
	pool        *sync.Pool
	startPump   func() // nil: calls in C wake no goroutine, or the pump was started
	handsOver   bool   // a put may hand its item to a waiter
	handed      uint64 // items that were handed over
	puts        uint64 // puts that went to C while there were waiters, or drained was set
	ready       chan struct{}
	closed      bool
	planned     time.Time // when the timer ends; zero: the timer does not run
	timer       *time.Timer
	_           [cacheLine]byte
}

// A waiter is a goroutine that waits.
type waiter struct {
	wake       chan struct{} // has room for one wake-up
	next, prev *waiter
	listed     bool // false in a wait: it was woken
	settled    bool // it makes no attempt until it is woken, so that an item may be handed to it
	handed     bool // it was woken with an item
	ended      bool // the queue was closed, or released, before this wait
	puts       uint64
}

func newWaiter() waiter { return waiter{wake: make(chan struct{}, 1)} }

// A receiver is a waiter to which items may be handed.
type receiver[T any] struct {
	waiter // the first field: see receiverOf
	value  T
	with   uint64 // what travels beside it
}

// receiverOf returns the receiver that a waiter is the first field of.
func receiverOf[T any](w *waiter) *receiver[T] { return (*receiver[T])(unsafe.Pointer(w)) }

// take returns the item that was handed over, and drops the reference to it.
func (r *receiver[T]) take() (v T, with uint64) {
	v = r.value
	var zero T
	r.value, r.handed = zero, false
	return v, r.with
}

// waiters is a pool of waiters that are no receivers.
var waiters = &sync.Pool{New: func() any { w := newWaiter(); return &w }}

// receivers has a pool of receivers for each type. The pools belong to no queue, because the runtime keeps
// a pool for two collections after its last use.
var receivers sync.Map

func receiversOf[T any]() *sync.Pool {
	pool, found := receivers.Load(reflect.TypeFor[T]())
	if !found {
		pool, _ = receivers.LoadOrStore(reflect.TypeFor[T](), &sync.Pool{
			// A *waiter, so that park need not know the type.
			New: func() any { return &(&receiver[T]{waiter: newWaiter()}).waiter },
		})
	}
	return pool.(*sync.Pool)
}

// add enters a waiter: behind the others, or before them if it was woken in vain. It returns whether an
// attempt would be in vain.
func (l *waitList) add(w *waiter, again bool) (blocked bool) {
	l.mu.Lock()
	blocked = l.state.Load()&drained != 0
	w.settled, w.puts = blocked, l.puts
	l.insert(w, again)
	l.pump()
	w.ended = l.closed
	l.mu.Unlock()
	l.state.Load() // see above
	return blocked
}

// addReceiver enters a waiter if an attempt would be in vain, and returns whether it did.
func (l *waitList) addReceiver(w *waiter) bool {
	l.mu.Lock()
	blocked := l.state.Load()&drained != 0
	if blocked {
		w.settled = true
		l.insert(w, false)
	}
	l.mu.Unlock()
	return blocked
}

// insert enters a waiter. The caller has locked the list.
func (l *waitList) insert(w *waiter, first bool) {
	w.listed = true
	switch {
	case l.first == nil:
		l.first, l.last = w, w
	case first:
		w.next, l.first.prev = l.first, w
		l.first = w
	default:
		w.prev, l.last.next = l.last, w
		l.last = w
	}
	l.length++
	if l.state.Load()&(someWait|drained) == 0 {
		l.state.Or(someWait)
	}
}

// settle follows an attempt of a waiter that found the queue empty. If no put went to C since the waiter
// entered the list, there is no item but those of puts that will look at the state.
func (l *waitList) settle(w *waiter) {
	l.mu.Lock()
	if l.handsOver && w.listed {
		w.settled = true
		if w.puts == l.puts {
			l.state.Or(drained)
		}
	}
	l.mu.Unlock()
}

// handOver hands an item to the first waiter, unless there may be an older item or the item is invalid. Then the
// caller puts the item into C.
func handOver[T any](l *waitList, v T, with uint64, invalid bool) bool {
	l.mu.Lock()
	w := l.first
	if w == nil || !w.settled || invalid || l.state.Load()&drained == 0 {
		l.putFollows()
		l.mu.Unlock()
		return false
	}
	l.remove(w)
	r := receiverOf[T](w)
	r.value, r.with, r.handed = v, with, true
	l.handed++
	w.wake <- struct{}{}
	l.mu.Unlock()
	return true
}

func (l *waitList) itemsHanded() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.handed
}

// putFollows counts a put to C and clears drained. The caller has locked the list.
func (l *waitList) putFollows() {
	l.puts++
	if l.state.Load()&drained != 0 {
		if l.first != nil {
			l.state.Or(someWait)
		}
		l.state.And(^drained)
	}
}

// itemSeen follows an observation of an item in C. Its put may not have looked at the state yet, but has its
// place in the order from now on, so that no later item may be handed over before it.
func (l *waitList) itemSeen() {
	if l.state.Load()&drained != 0 {
		l.mu.Lock()
		l.putFollows()
		l.mu.Unlock()
	}
}

// closing follows the decision to close the queue: from now on C decides whether a put comes too late.
func (l *waitList) closing() {
	l.mu.Lock()
	l.handsOver = false
	l.putFollows()
	l.mu.Unlock()
}

// remove takes a waiter out of the list. The caller has locked the list.
func (l *waitList) remove(w *waiter) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev, w.listed = nil, nil, false
	l.length--
	if l.first == nil && l.state.Load()&someWait != 0 {
		l.state.And(^someWait)
	}
}

// drop ends the wait of a waiter that did not receive a wake-up. It returns whether there was a wake-up, which
// the caller then uses or passes on.
func (l *waitList) drop(w *waiter) (woken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.listed {
		l.remove(w)
		return false
	}
	<-w.wake
	return true
}

// wake wakes up to n waiters and, if the channel is armed, a goroutine that selects on it.
func (l *waitList) wake(n int) {
	l.mu.Lock()
	l.putFollows()
	if l.state.Load()&armed != 0 {
		l.state.And(^armed)
		l.token()
	}
	for ; n > 0 && l.first != nil; n-- {
		w := l.first
		l.remove(w)
		w.wake <- struct{}{}
	}
	l.mu.Unlock()
}

func (l *waitList) wakeAll() { l.wake(math.MaxInt) }

// --- the channels of Ready and ReadyToPut

// token puts a token into the channel, if there is a channel and it has no token. The caller has locked the list.
func (l *waitList) token() {
	if l.ready == nil || l.closed {
		return
	}
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// leaveToken puts a token into the channel for the next try, because this try did not find the queue blocked.
func (l *waitList) leaveToken() {
	l.mu.Lock()
	l.token()
	l.mu.Unlock()
}

// arm takes the token out of the channel; the next change brings a new token. The caller then looks again.
func (l *waitList) arm() {
	l.mu.Lock()
	if !l.closed {
		select {
		case <-l.ready:
		default:
		}
		l.state.Or(armed)
		l.pump()
	}
	l.mu.Unlock()
	l.state.Load() // see above
}

// end wakes all waiters and makes the channel ready for good, because the queue was closed or released.
func (l *waitList) end() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		if l.ready != nil {
			close(l.ready)
		}
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	l.wakeAll()
}

var endedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// readyOf returns the channel of an end: that of Ready or of ReadyToPut.
func readyOf(b *base, end func(*handle) *role) <-chan struct{} {
	return observe(b, func(h *handle) <-chan struct{} { return h.ready(end(h)) }, endedChannel)
}

// ready returns the channel of an end. The caller is in a call.
func (h *handle) ready(r *role) <-chan struct{} {
	l := &r.waits
	l.mu.Lock()
	ready, first := l.ready, l.ready == nil
	if first {
		ready = make(chan struct{}, 1)
		l.ready = ready
		if l.closed {
			close(ready)
		}
		l.asked.Store(true)
		r.peer.waits.state.Or(peerAsked)
	}
	l.mu.Unlock()
	if first {
		l.arm()
		h.look(r)
	}
	return ready
}

// look puts a token into the channel of an end if a try may succeed there.
func (h *handle) look(r *role) {
	switch {
	case r.peer.waits.state.Load()&peerShared != 0:
		r.waits.leaveToken() // the library arms the descriptor when a try fails
	case r.plans:
		h.plan(r)
	case r == &h.consumer && h.size() > 0, r == &h.producer && h.size() < h.capacity():
		r.waits.leaveToken()
	}
}

// --- batches that are due later

// plan wakes a waiter if a batch is due, and else sets the timer for the next batch that is due by its age. The
// caller is in a call.
func (h *handle) plan(r *role) {
	l := &r.waits
	due := h.nextDue()
	if due == 0 {
		l.wake(1)
	} else if due > 0 {
		l.planAt(time.Now().Add(due), func() func() {
			// The timer keeps no queue from the garbage collector.
			weakly := weak.Make(h)
			return func() {
				if h := weakly.Value(); h != nil {
					h.consumer.waits.timeIsUp()
				}
			}
		})
	}
}

// planAt sets the timer, unless it runs and ends earlier.
func (l *waitList) planAt(at time.Time, newCall func() func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || !l.planned.IsZero() && !at.Before(l.planned) {
		return
	}
	l.planned = at
	if l.timer == nil {
		l.timer = time.AfterFunc(time.Until(at), newCall())
	} else {
		l.timer.Reset(time.Until(at))
	}
}

// timeIsUp wakes a waiter, which looks for a batch that is due, and plans again if no batch is.
func (l *waitList) timeIsUp() {
	l.mu.Lock()
	l.planned = time.Time{}
	l.mu.Unlock()
	l.wake(1)
}
