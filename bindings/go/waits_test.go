package queues

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// parked waits until n goroutines wait at an end, each in the list and after its last attempt.
func parked(r *role, n int) {
	eventually(func() bool { return r.waits.waiting() == n })
	time.Sleep(100 * time.Microsecond)
}

func (l *waitList) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.length
}

func (s *subject) ends() (producer, consumer *role) {
	h := s.base.handle.Load()
	return &h.producer, &h.consumer
}

// callers returns how many goroutines may call in a role at once, at most the given number.
func (r *role) callers(most int) int {
	if r.exclusive {
		return 1
	}
	return most
}

// A wake-up that its waiter does not use, because its context ended, goes to the next waiter.
func TestCanceledWaitersPassWakeUpsOn(t *testing.T) {
	for _, q := range waiting(t) {
		producer, consumer := q.ends()
		if consumer.exclusive {
			continue
		}
		t.Run(q.name, func(t *testing.T) {
			pass := func(end *role, wait func(context.Context) error, wake, undo func() error) {
				t.Helper()
				ctx, cancel := context.WithCancel(bg)
				first, second := make(chan error), make(chan error)
				go func() { first <- wait(ctx) }()
				parked(end, 1)
				go func() { second <- wait(bg) }()
				parked(end, 2)
				if rand.IntN(2) == 0 { // so that a put wakes, and does not hand its item over
					end.waits.mu.Lock()
					end.waits.putFollows()
					end.waits.mu.Unlock()
				}
				if rand.IntN(2) == 0 {
					go cancel()
				} else {
					cancel() // the waiter is woken on its way out
				}
				must(t, wake())
				if err := <-first; err == nil { // it was faster than cancel
					must(t, wake())
				}
				must(t, <-second)
				must(t, undo())
			}
			none := func() error { return nil }
			for range 100 {
				pass(consumer, q.get, q.tryPut, none)
			}
			for range 100 {
				must(t, q.tryPut())
				pass(producer, q.put, q.tryGet, q.tryGet)
			}
		})
	}
}

// A waiter whose buffer is too small leaves the blob to another waiter.
func TestTooSmallPassesTheWakeUpOn(t *testing.T) {
	for range 200 {
		q := newBlobs(t, mpmc, 2, 8).(*MPMCBytes)
		consumer := &q.handle.Load().consumer
		small, large := make(chan error), make(chan error)
		go func() { small <- errOf(q.Get(bg, nil)) }()
		parked(consumer, 1)
		go func() { large <- errOf(q.Get(bg, make([]byte, 8))) }()
		parked(consumer, 2)
		must(t, q.TryPut([]byte("long")))
		wantError(t, <-small, ErrTooSmall)
		must(t, <-large)
		q.Release()
	}
}

// A reservation takes no room, so a producer that waits finds it.
func TestReservationLeavesTheRoom(t *testing.T) {
	q := newBlobs(t, mpmc, 1, 8).(*MPMCBytes)
	producer := &q.handle.Load().producer
	must(t, q.TryPut(nil))
	reserved, put := make(chan *Reservation), make(chan error)
	go func() {
		r, err := q.Reserve(bg)
		if err != nil {
			t.Error(err)
		}
		reserved <- r
	}()
	parked(producer, 1)
	go func() { put <- q.Put(bg, nil) }()
	parked(producer, 2)
	must(t, errOf(q.TryGet(nil)))
	must(t, <-put)
	(<-reserved).Cancel()
}

// A put that hands its item over leaves the room that it was woken for to the next producer.
func TestHandingOverLeavesTheRoom(t *testing.T) {
	for range 300 {
		q := newTyped[int](t, mpmc, 1)
		must(t, q.TryPut(0))
		var all group
		for range 3 {
			all.Go(func() { must(t, q.Put(bg, 1)) })
			all.Go(func() { must(t, errOf(q.Get(bg))) })
		}
		all.Wait()
		want(t, "Len", q.Len(), 1)
		q.Release()
	}
}

// Items that are handed over are counted, in order, and valid.
func TestHandingOver(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newTyped[int](t, f, 3)
		got := make(chan int)
		for i := range 10 {
			go func() {
				v, err := q.Get(bg)
				if err != nil {
					t.Error(err)
				}
				got <- v
			}()
			eventually(func() bool { return q.(interface{ waiters() uint32 }).waiters()&drained != 0 })
			must(t, q.Put(bg, i))
			want(t, "Get", <-got, i)
		}
		want(t, "Stats", q.Stats(), Stats{Enqueued: 10, Dequeued: 10, PeakSize: 1, Capacity: 3})
		must(t, q.TryPut(10))
		must(t, q.TryPut(11))
		wantGet(t, q, 10)
		wantGet(t, q, 11)
	})
	p := created[Priority[string]](t)(NewPriority[string](2))
	got := make(chan Prioritized[string])
	go func() {
		v, priority, _ := p.Get(bg)
		got <- Prioritized[string]{v, priority}
	}()
	eventually(func() bool { return p.waiters()&drained != 0 })
	wantError(t, p.TryPut("invalid", math.NaN()), ErrInvalid)
	wantError(t, p.Put(bg, "invalid", math.NaN()), ErrInvalid)
	must(t, p.Put(bg, "valid", -2))
	want(t, "Get", <-got, Prioritized[string]{"valid", -2})
	p.Release()
}

func (b *base) waiters() uint32 { return b.load().consumer.waits.state.Load() }

// Goroutines that wait, try, select, give up and sleep for random times: each item is got once, and no goroutine
// waits forever. After a lost wake-up the test ends with the time limit of the test run.
func TestNoWakeUpIsLost(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	for _, q := range waiting(t) {
		producer, consumer := q.ends()
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			threads := producer.callers(4)
			var got atomic.Int64
			var producers, consumers group
			for range threads {
				producers.Go(func() { putsInGo(t, &q, rounds) })
			}
			for range consumer.callers(4) {
				consumers.Go(func() { got.Add(getsInGo(t, &q)) })
			}
			producers.Wait()
			q.close()
			consumers.Wait()
			if q.surplus != nil {
				got.Add(q.surplus.Load())
			}
			want(t, "got", got.Load(), int64(threads*rounds))
			s, put := q.base.Stats(), uint64(threads*rounds)
			want(t, "Stats", [2]uint64{s.Enqueued, s.Dequeued}, [2]uint64{put, put})
		})
	}
}

func (b *base) ready() <-chan struct{}      { return readyOf(b, consumerOf) }
func (b *base) readyToPut() <-chan struct{} { return readyOf(b, producerOf) }

// oneCall makes one of the calls at an end, after a random time.
func oneCall(wait func(context.Context) error, try func() error, ready <-chan struct{}) error {
	switch rand.IntN(8) {
	case 0:
		time.Sleep(time.Duration(rand.IntN(50)) * time.Microsecond)
	case 1:
		runtime.Gosched()
	}
	switch rand.IntN(4) {
	case 0:
		return wait(bg)
	case 1:
		ctx, cancel := context.WithTimeout(bg, time.Duration(rand.IntN(100))*time.Microsecond)
		defer cancel()
		return wait(ctx)
	case 2:
		return try()
	default:
		<-ready
		return try()
	}
}

// Close ends all waits, also while goroutines begin to wait.
func TestCloseStorm(t *testing.T) {
	for range 100 {
		for _, q := range waiting(t) {
			producer, consumer := q.ends()
			var all group
			for _, end := range []struct {
				*role
				wait  func(context.Context) error
				ready <-chan struct{}
			}{{producer, q.put, q.base.readyToPut()}, {consumer, q.get, q.base.ready()}} {
				for range end.callers(5) {
					all.Go(func() {
						for {
							if err := end.wait(bg); err == ErrClosed {
								return
							}
						}
					})
					all.Go(func() {
						for range 3 { // not a token, but closed
							<-end.ready
						}
					})
				}
			}
			time.Sleep(time.Duration(rand.IntN(30)) * time.Microsecond)
			if rand.IntN(2) == 0 {
				q.close()
			} else {
				q.release()
			}
			all.Wait()
		}
	}
}

// What a list knows of C: drained is set by an attempt only if no put went to C since the waiter entered, and
// ended by every put that goes there. Items are handed only to waiters that make no attempt.
func TestDrained(t *testing.T) {
	l := &waitList{handsOver: true}
	isDrained := func(is bool) {
		t.Helper()
		want(t, "drained", l.state.Load()&drained != 0, is)
	}
	newReceiver := func() *receiver[int] { return &receiver[int]{waiter: newWaiter()} }
	first, second, third := newReceiver(), newReceiver(), newReceiver()
	want(t, "an attempt is in vain", l.add(&first.waiter, false), false)
	want(t, "an attempt is in vain", l.add(&second.waiter, false), false)
	want(t, "handed over to a goroutine that tries", handOver(l, 1, 0, false), false)
	l.wake(1) // after that put
	<-first.wake
	want(t, "handed", first.handed, false)
	l.settle(&second.waiter)
	isDrained(false) // there may be the item of that put

	want(t, "an attempt is in vain", l.add(&first.waiter, true), false)
	want(t, "the first waiter", l.first, &first.waiter)
	l.settle(&first.waiter)
	isDrained(true)
	want(t, "an attempt is in vain", l.add(&third.waiter, false), true)
	for i, r := range []*receiver[int]{first, second, third} {
		want(t, "handed over", handOver(l, i, 0, false), true)
		<-r.wake
		v, _ := r.take()
		want(t, "value", v, i)
	}
	isDrained(true) // still nothing in C
	want(t, "handed over without a waiter", handOver(l, 3, 0, false), false)
	isDrained(false)
	want(t, "state", l.state.Load(), 0)
	want(t, "items handed over", l.itemsHanded(), 3)

	l.add(&first.waiter, false)
	l.settle(&first.waiter)
	isDrained(true)
	want(t, "handed over although invalid", handOver(l, 4, 0, true), false)
	isDrained(false)
	want(t, "there are waiters", l.state.Load(), someWait)
	l.wakeAll()
	<-first.wake
	want(t, "state", l.state.Load(), 0)
}

// An item of a put in flight is in C while drained is set. Once a call has seen it, or the queue is about to be
// closed, later items go to C, too.
func TestNothingIsHandedOverPastAnItemThatWasSeen(t *testing.T) {
	// begin has a getter wait and puts 1, but not to the end of that call.
	begin := func(t *testing.T, items *valueStore[int]) (l *waitList, r *receiver[int]) {
		h, s := items.load()
		l = &h.consumer.waits
		r = &receiver[int]{waiter: newWaiter()}
		l.add(&r.waiter, false)
		l.settle(&r.waiter)
		item := [1]uintptr{}
		want(t, "filled", s.fill(item[:], []int{1}), 1)
		want(t, "put", h.tryPut(item[0], math.Float64bits(1)), statusOK)
		return l, r
	}
	pass := func(t *testing.T, items *valueStore[int], see func() bool) {
		t.Helper()
		l, r := begin(t, items)
		if see != nil && !see() {
			t.Fatal("the item was not seen")
		}
		must(t, items.tryPut(2, math.Float64bits(2)))
		want(t, "handed over", r.handed, see == nil)
		l.drop(&r.waiter)
	}
	for name, see := range map[string]func(*Priority[int]) bool{
		"Len":          func(q *Priority[int]) bool { return q.Len() == 1 },
		"PeekPriority": func(q *Priority[int]) bool { p, err := q.PeekPriority(); return p == 1 && err == nil },
		"Stats":        func(q *Priority[int]) bool { return q.Stats().CurrentSize == 1 },
		"closing":      func(q *Priority[int]) bool { q.handle.Load().consumer.waits.closing(); return true },
	} {
		t.Run(name, func(t *testing.T) {
			q := created[Priority[int]](t)(NewPriority[int](2))
			pass(t, &q.items, func() bool { return see(q) })
		})
	}
	for name, see := range map[string]func(*SPSC[int]) bool{
		"Peek":    func(q *SPSC[int]) bool { v, err := q.Peek(); return v == 1 && err == nil },
		"IsEmpty": func(q *SPSC[int]) bool { return !q.IsEmpty() },
	} {
		t.Run(name, func(t *testing.T) {
			q := created[SPSC[int]](t)(NewSPSC[int](2))
			pass(t, &q.items, func() bool { return see(q) })
		})
	}
	t.Run("nothing", func(t *testing.T) {
		pass(t, &created[Priority[int]](t)(NewPriority[int](2)).items, nil)
		pass(t, &created[SPSC[int]](t)(NewSPSC[int](2)).items, nil)
	})
	t.Run("IsFull", func(t *testing.T) { // then there is no room for a later item
		q := created[SPSC[int]](t)(NewSPSC[int](1))
		l, r := begin(t, &q.items)
		want(t, "IsFull", q.IsFull(), true)
		wantError(t, q.TryPut(2), ErrFull)
		l.drop(&r.waiter)
	})
}

// A call with an empty slice moves nothing and does not wait, also where an item would be handed to a get.
func TestManyOfNothing(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newTyped[int](t, f, 3)
		nothing := func() {
			t.Helper()
			for name, many := range map[string]func(context.Context, []int) (int, error){
				"GetMany": q.GetMany, "PutMany": q.PutMany,
			} {
				short, cancel := context.WithTimeout(bg, 10*time.Millisecond)
				n, err := many(short, nil)
				cancel()
				if n != 0 || err != nil {
					t.Fatalf("%s of an empty slice: %d, %v", name, n, err)
				}
			}
		}
		nothing()
		short, cancel := context.WithTimeout(bg, time.Millisecond)
		wantError(t, errOf(q.Get(short)), context.DeadlineExceeded)
		cancel()
		want(t, "drained", q.(interface{ waiters() uint32 }).waiters()&drained != 0, true)
		nothing()
		want(t, "drained", q.(interface{ waiters() uint32 }).waiters()&drained != 0, true)
		must(t, q.Put(bg, 1))
		nothing()
		wantGet(t, q, 1)
		for range 3 {
			must(t, q.TryPut(2))
		}
		nothing()
		q.Close()
		nothing()
	})
	// Beside a getter that waits.
	q := newTyped[int](t, mpmc, 3).(*MPMC[int])
	got := make(chan int)
	go func() {
		v, _ := q.Get(bg)
		got <- v
	}()
	eventually(func() bool { return q.waiters()&drained != 0 })
	short, cancel := context.WithTimeout(bg, 10*time.Millisecond)
	defer cancel()
	if n, err := q.GetMany(short, nil); n != 0 || err != nil {
		t.Fatalf("GetMany of an empty slice: %d, %v", n, err)
	}
	must(t, q.Put(bg, 1))
	must(t, q.Put(bg, 2))
	want(t, "Get", <-got, 1)
	wantGet(t, q, 2)

	b := newBatch[int](t, BatchOptions{})
	n, err := b.GetBatchInto(bg, nil)
	must(t, err)
	want(t, "GetBatchInto", n, 0)
	blobs, err := NewBatchBytes(8, BatchOptions{})
	must(t, err)
	defer blobs.Release()
	n, err = blobs.GetBatchInto(bg, nil, nil)
	must(t, err)
	want(t, "GetBatchInto of blobs", n, 0)
	d := created[Deque[int]](t)(NewDeque[int](2))
	n, err = d.Stealer().StealMany(nil)
	must(t, err)
	want(t, "StealMany", n, 0)
}

// A put that would hand its item over finds that another goroutine is in a call of the producer.
func TestHandingOverBesideAnotherProducer(t *testing.T) {
	q := created[SPSC[int]](t)(NewSPSC[int](2))
	got := make(chan error)
	go func() { got <- errOf(q.Get(bg)) }()
	eventually(func() bool { return q.waiters()&drained != 0 })
	h := q.handle.Load()
	c, status := h.enter(&h.producer)
	want(t, "enter", status, statusOK)
	wantError(t, q.Put(bg, 1), ErrMisuse)
	wantError(t, q.TryPut(1), ErrMisuse)
	wantError(t, errOf(q.PutMany(bg, []int{1})), ErrMisuse)
	h.leave(c)
	must(t, q.Put(bg, 2))
	must(t, <-got)
}

// A put that comes between an attempt and the entry into the list, or before the channel is armed, is found by
// the second attempt.
func TestSecondLook(t *testing.T) {
	for _, asked := range []bool{false, true} {
		for _, waits := range []bool{false, true} {
			q := created[MPMCWords](t)(NewMPMCWords(1))
			h := q.handle.Load()
			if asked {
				q.Ready()
			}
			calls := 0
			attempt := func() (int, Error) {
				_, _, status := h.tryGet()
				if calls++; calls == 1 {
					must(t, q.TryPut(1)) // no goroutine waits yet
				}
				return one(status)
			}
			if waits {
				must(t, h.waitGet(bg, attempt))
			} else if asked {
				must(t, h.callGet(attempt))
				wantToken(t, "Ready", q.Ready(), true)
			} else {
				wantError(t, h.callGet(attempt), ErrEmpty)
			}
			q.Release()
		}
	}
	{ // the same of batches
		b := newBatch[int](t, BatchOptions{Size: 1})
		b.Ready()
		calls := 0
		must(t, b.handle.Load().takeBatch(bg, false, func(due bool) (int, Error) {
			if calls++; calls == 1 {
				must(t, b.TryPut(1))
				return 0, ErrEmpty
			}
			return b.handle.Load().getBatch(make([]uintptr, 1), due)
		}))
	}
}
