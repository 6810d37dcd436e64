package queues

import (
	"context"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// wantToken checks whether a channel holds a token, and leaves it there.
func wantToken(t *testing.T, what string, ready <-chan struct{}, holds bool) {
	t.Helper()
	want(t, what+" holds a token", len(ready) == 1, holds)
}

func isClosedChannel(ready <-chan struct{}) bool {
	for range 2 { // a token may precede
		select {
		case _, open := <-ready:
			if !open {
				return true
			}
		default:
			return false
		}
	}
	return false
}

// In one goroutine, a channel holds a token exactly while its try call would succeed.
func TestReadyIsLevelTriggered(t *testing.T) {
	forEachSubject(t, subjects(t), func(t *testing.T, q subject) {
		if !q.waits() {
			return
		}
		items, room := q.base.ready(), q.base.readyToPut()
		if items != q.base.ready() || room != q.base.readyToPut() {
			t.Fatal("another channel")
		}
		check := func(hasItems, hasRoom bool) {
			t.Helper()
			wantToken(t, "Ready", items, hasItems)
			wantToken(t, "ReadyToPut", room, hasRoom)
		}
		check(false, true)
		for range 3 {
			wantError(t, q.tryGet(), ErrEmpty)
			check(false, true)
			<-room
			must(t, q.tryPut())
			check(true, true)
			wantError(t, q.tryPut(), ErrFull)
			check(true, false)
			<-items
			must(t, q.tryGet())
			check(true, true)
			wantError(t, q.tryGet(), ErrEmpty)
			check(false, true)

			must(t, q.put(bg)) // the calls that wait do the same
			check(true, true)
			wantError(t, q.put(soon(t)), context.DeadlineExceeded)
			<-items
			must(t, q.get(bg))
			check(true, true)
			wantError(t, q.tryGet(), ErrEmpty)
		}
		must(t, q.tryPut())
		n, err := q.clear()
		must(t, err)
		want(t, "Clear", n, 1)
		wantToken(t, "ReadyToPut", room, true)
		q.close()
		want(t, "Ready is closed", isClosedChannel(items), true)
		want(t, "ReadyToPut is closed", isClosedChannel(room), true)
		want(t, "Ready is closed", isClosedChannel(q.base.ready()), true)
		for range 3 {
			wantError(t, q.tryPut(), ErrClosed)
		}
	})
}

// A channel is ready if the queue had items, or was closed, before the first call of Ready.
func TestReadyBegins(t *testing.T) {
	forEachSubject(t, subjects(t), func(t *testing.T, q subject) {
		must(t, q.tryPut())
		wantToken(t, "Ready", q.base.ready(), true)
		if q.waits() {
			wantToken(t, "ReadyToPut", q.base.readyToPut(), false)
		}
		q.release()
		want(t, "Ready is closed", isClosedChannel(q.base.ready()), true)
	})
	forEachSubject(t, subjects(t), func(t *testing.T, q subject) {
		if q.waits() {
			q.close()
			want(t, "Ready is closed", isClosedChannel(q.base.ready()), true)
		}
	})
	forEachSubject(t, zeroValues(), func(t *testing.T, q subject) {
		want(t, "Ready is closed", isClosedChannel(q.base.ready()), true)
		want(t, "ReadyToPut is closed", isClosedChannel(q.base.readyToPut()), true)
	})
}

func TestReadyOfDeque(t *testing.T) {
	for _, d := range subjects(t) {
		if d.waits() {
			continue
		}
		ready := d.base.ready()
		wantToken(t, "Ready", ready, false)
		for range 3 {
			must(t, d.put(bg)) // push
			wantToken(t, "Ready", ready, true)
			<-ready
			must(t, d.get(bg)) // steal
			wantToken(t, "Ready", ready, true)
			wantError(t, d.get(bg), ErrEmpty)
			wantToken(t, "Ready", ready, false)
			must(t, d.put(bg))
			must(t, d.tryGet()) // pop
			wantError(t, d.tryGet(), ErrEmpty)
			wantToken(t, "Ready", ready, false)
		}
		d.release()
		want(t, "Ready is closed", isClosedChannel(ready), true)
	}
	d := created[Deque[int]](t)(NewDeque[int](8))
	if d.Ready() != d.Stealer().Ready() {
		t.Error("the stealer has another channel")
	}
	b := created[DequeBytes](t)(NewDequeBytes(8, 1))
	if b.Ready() != b.Stealer().Ready() {
		t.Error("the stealer has another channel")
	}
}

// A batch becomes due by its size, its age or Flush.
func TestReadyOfBatch(t *testing.T) {
	aged := newBatch[int](t, BatchOptions{Size: 10, Age: 2 * time.Millisecond})
	ready := aged.Ready()
	wantToken(t, "Ready", ready, false)
	for i := range 5 {
		begin := time.Now()
		must(t, aged.TryPut(i))
		must(t, aged.TryPut(i))
		<-ready // no goroutine calls the queue meanwhile
		if waited := time.Since(begin); waited < 2*time.Millisecond {
			t.Errorf("ready after %v", waited)
		}
		wantDue(t, aged, i, i)
		wantNothingDue(t, aged)
		wantToken(t, "Ready", ready, false)
	}
	q := newBatch[int](t, BatchOptions{Size: 3, Age: forever})
	ready = q.Ready()
	must(t, q.TryPut(1))
	must(t, q.TryPut(2))
	wantToken(t, "Ready", ready, false)
	must(t, q.TryPut(3))
	wantToken(t, "Ready", ready, true)
	<-ready
	wantDue(t, q, 1, 2, 3)
	wantNothingDue(t, q)
	must(t, q.TryPut(4))
	wantToken(t, "Ready", ready, false)
	q.Flush()
	<-ready
	wantDue(t, q, 4)
}

// A waiting GetBatch is woken when its batch is due, once: not by each put.
func TestOneWakeUpForABatch(t *testing.T) {
	q := newBatch[int](t, BatchOptions{Size: 32, Age: forever})
	list := &q.handle.Load().consumer.waits
	for range 20 {
		got := make(chan []int)
		go func() {
			batch, err := q.GetBatch(bg)
			if err != nil {
				t.Error(err)
			}
			got <- batch
		}()
		eventually(func() bool { return list.waiting() == 1 })
		list.mu.Lock()
		waiter := list.first
		list.mu.Unlock()
		for i := range 31 {
			must(t, q.TryPut(i))
			list.mu.Lock()
			if !waiter.listed {
				t.Errorf("woken after %d items", i+1)
			}
			list.mu.Unlock()
		}
		must(t, q.TryPut(31))
		want(t, "items", len(<-got), 32)
	}
	aged := newBatch[int](t, BatchOptions{Size: 32, Age: time.Millisecond})
	for range 20 {
		var all group
		for range 3 {
			all.Go(func() { must(t, errOf(aged.GetBatch(bg))) })
		}
		for i := range 3 { // each is a batch of its own, or they share one and the next round ends the waits
			must(t, aged.TryPut(i))
			time.Sleep(1500 * time.Microsecond)
		}
		for aged.handle.Load().consumer.waits.waiting() > 0 {
			must(t, aged.TryPut(0))
			time.Sleep(1500 * time.Microsecond)
		}
		all.Wait()
		aged.Clear()
	}
}

// Several goroutines select over two queues until both are closed and drained: each item is got once.
func TestSelectByManyGoroutines(t *testing.T) {
	const each = 3000
	first, second := newTyped[int](t, mpmc, 4).(*MPMC[int]), created[Batch[int]](t)(NewBatch[int](BatchOptions{
		Size: 4, MaxPending: 8, Age: 100 * time.Microsecond,
	}))
	var consumers, producers group
	var got, batched atomic.Int64
	for range 4 {
		consumers.Go(func() {
			items, batches := first.Ready(), second.Ready()
			for items != nil || batches != nil {
				select {
				case <-items:
					switch _, err := first.TryGet(); err {
					case nil:
						got.Add(1)
					case ErrClosed:
						items = nil
					case ErrEmpty:
					default:
						t.Errorf("TryGet: %v", err)
					}
				case <-batches:
					switch batch, err := second.TryGetBatch(); err {
					case nil:
						batched.Add(int64(len(batch)))
					case ErrClosed:
						batches = nil
					case ErrEmpty:
					default:
						t.Errorf("TryGetBatch: %v", err)
					}
				}
			}
		})
	}
	for range 2 {
		producers.Go(func() {
			for i := 0; i < each; {
				<-first.ReadyToPut()
				if first.TryPut(i) == nil {
					i++
				}
			}
		})
		producers.Go(func() {
			for i := range each {
				must(t, second.Put(bg, i))
			}
		})
	}
	producers.Wait()
	first.Close()
	second.Close()
	consumers.Wait()
	want(t, "got", got.Load(), 2*each)
	want(t, "batched", batched.Load(), 2*each)
}

func processorTime(t testing.TB) time.Duration {
	var usage syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// takesNoProcessorTime checks that the process idles for a second. Polling every millisecond would take 300 ms of
// it; the limit is for the runtime's own timers and collections. It fails if something else in this process runs
// meanwhile, so its tests are not parallel.
func takesNoProcessorTime(t *testing.T) {
	t.Helper()
	runtime.GC()
	begin := processorTime(t)
	time.Sleep(time.Second)
	if used := processorTime(t) - begin; used > 50*time.Millisecond {
		t.Errorf("goroutines that wait took %v of a second", used)
	}
}

func TestIdleGoroutinesTakeNoProcessorTime(t *testing.T) {
	q, b := newTyped[int](t, mpmc, 1), newBatch[int](t, BatchOptions{Age: time.Millisecond})
	var all group
	for i := range 1000 {
		all.Go(func() {
			switch i % 4 {
			case 0, 1:
				q.Get(bg)
			case 2:
				b.GetBatch(bg)
			default:
				<-q.(*MPMC[int]).Ready()
			}
		})
	}
	parked(&b.handle.Load().consumer, 250)
	takesNoProcessorTime(t)
	q.Close()
	b.Close()
	all.Wait()
}

// Queues that are dropped are freed, whatever waited for them and although their channels and timers live.
func TestDroppedQueuesWithChannelsAreCollected(t *testing.T) {
	settled(t)
	before := queuesInC()
	var channels []<-chan struct{}
	for range 10 {
		for _, q := range subjects(t) {
			channels = append(channels, q.base.ready(), q.base.readyToPut())
			must(t, q.tryPut())
		}
		b, err := NewBatch[int](BatchOptions{Age: time.Hour})
		must(t, err)
		channels = append(channels, b.Ready())
		must(t, b.TryPut(1)) // sets a timer
		if b.handle.Load().consumer.waits.planned.IsZero() {
			t.Fatal("no timer")
		}
	}
	eventually(func() bool {
		runtime.GC()
		return queuesInC() <= before
	})
	runtime.KeepAlive(channels)
}

// Waits and channels start no goroutines.
func TestNoGoroutineIsLeft(t *testing.T) {
	time.Sleep(10 * time.Millisecond)
	before := runtime.NumGoroutine()
	for _, q := range subjects(t) {
		q.base.ready()
		q.base.readyToPut()
		if q.waits() {
			wantError(t, q.get(soon(t)), context.DeadlineExceeded)
		}
		eventually(func() bool { return runtime.NumGoroutine() <= before }) // those of other tests may end meanwhile
		q.release()
	}
}
