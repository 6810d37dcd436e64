package queues

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

// The calls of a program in C: those of the library itself, of which the package knows nothing. They try again
// until they succeed, after pauses before some of them.
func inC(t *testing.T, n int, call func() Error, blocked Error) {
	for range n {
		if rand.IntN(4) == 0 {
			time.Sleep(time.Duration(rand.IntN(60)) * time.Microsecond)
		}
		status := call()
		for ; status == blocked; status = call() {
			runtime.Gosched()
		}
		if status != statusOK {
			t.Errorf("a call in C: %v", status)
			return
		}
	}
}

func putsInC(t *testing.T, q *subject, n int) {
	c := q.base.load().cQueue
	inC(t, n, func() Error {
		if q.isWords {
			return c.tryPut(1, 0)
		}
		return c.tryPutBytes(make([]byte, 8), 0)
	}, ErrFull)
}

func getsInC(t *testing.T, q *subject, n int) {
	c := q.base.load().cQueue
	inC(t, n, func() (status Error) {
		switch {
		case q.isWords:
			_, _, status = c.tryGet()
		case c.is(batch):
			_, status = c.getBatchBytes(make([]byte, 8), make([]extent, 1), true)
		default:
			_, _, status = c.readBytes(make([]byte, 8), false)
		}
		return status
	}, ErrEmpty)
}

// putsInGo makes n calls that put, in each way that there is.
func putsInGo(t *testing.T, q *subject, n int) {
	for put := 0; put < n; {
		err := oneCall(q.put, q.tryPut, q.base.readyToPut())
		if err == nil {
			put++
		} else if err != ErrFull && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("put: %v", err)
			return
		}
	}
}

// getsInGo makes calls that get, in each way that there is, until the queue is closed and drained. It returns how
// many succeeded.
func getsInGo(t *testing.T, q *subject) (n int64) {
	for {
		err := oneCall(q.get, q.tryGet, q.base.ready())
		if err == nil {
			n++
		} else if err == ErrClosed {
			return n
		} else if err != ErrEmpty && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("get: %v", err)
			return n
		}
	}
}

// sharable creates a queue of each type that C can use, with room for two blobs of 8 bytes.
func sharable(t *testing.T) []subject {
	two := BatchOptions{Size: 1, MaxPending: 2, Age: forever}
	w := created[MPMCWords](t)(NewMPMCWords(2))
	words := subject{
		name:   "MPMCWords",
		put:    func(ctx context.Context) error { return w.Put(ctx, 1) },
		get:    func(ctx context.Context) error { return errOf(w.Get(ctx)) },
		tryPut: func() error { return w.TryPut(1) },
		tryGet: func() error { return errOf(w.TryGet()) },

		isWords: true,
	}.fromClosable(&w.closable, w.Release, w.Clear)
	m, s := created[MPMCBytes](t)(NewMPMCBytes(2, 8)), created[SPSCBytes](t)(NewSPSCBytes(2, 8))
	p, b := created[PriorityBytes](t)(NewPriorityBytes(2, 8)), created[BatchBytes](t)(NewBatchBytes(8, two))
	buffer := make([]byte, 8)
	subjects := []subject{
		subjectOfMPMCBytes(m), subjectOfSPSCBytes(s), subjectOfPriorityBytes(p), subjectOfBatchBytes(b), words,
	}
	n := created[SPSCWords](t)(NewSPSCWords(2))
	subjects = append(subjects, subject{
		name:   "SPSCWords",
		put:    func(ctx context.Context) error { return n.Put(ctx, 1) },
		get:    func(ctx context.Context) error { return errOf(n.Get(ctx)) },
		tryPut: func() error { return n.TryPut(1) },
		tryGet: func() error { return errOf(n.TryGet()) },

		isWords: true,
	}.fromClosable(&n.closable, n.Release, n.Clear))
	// Buffers that fit.
	subjects[0].get = func(ctx context.Context) error { return errOf(m.Get(ctx, make([]byte, 8))) }
	subjects[0].tryGet = func() error { return errOf(m.TryGet(make([]byte, 8))) }
	subjects[1].get = func(ctx context.Context) error { return errOf(s.Get(ctx, buffer)) }
	subjects[1].tryGet = func() error { return errOf(s.TryGet(buffer)) }
	subjects[2].get = func(ctx context.Context) error { return errOf3(p.Get(ctx, make([]byte, 8))) }
	subjects[2].tryGet = func() error { return errOf3(p.TryGet(make([]byte, 8))) }
	return subjects
}

// pointerOf shares a queue. The reference of the pointer ends with the test.
func pointerOf(t *testing.T, q *subject) unsafe.Pointer {
	t.Helper()
	p := handleOf(q.base)
	if p == nil {
		t.Fatal("no handle")
	}
	c := q.base.load().cQueue
	t.Cleanup(c.free)
	return p
}

// Threads in C put, goroutines wait in each way that there is: each item is got once.
func TestPutsInCWakeGoroutines(t *testing.T) {
	for _, q := range sharable(t) {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			pointerOf(t, &q)
			producer, consumer := q.ends()
			threads, each := producer.callers(3), 400
			var got atomic.Int64
			var puts, gets group
			for range consumer.callers(4) {
				gets.Go(func() { got.Add(getsInGo(t, &q)) })
			}
			for range threads {
				puts.Go(func() { putsInC(t, &q, each) })
			}
			puts.Wait()
			q.base.load().cQueue.close() // in C: only the descriptors report the close
			gets.Wait()
			want(t, "got", got.Load(), int64(threads*each))
			q.release()
		})
	}
}

// Threads in C get, goroutines wait for room.
func TestGetsInCWakeGoroutines(t *testing.T) {
	for _, q := range sharable(t) {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			pointerOf(t, &q)
			producer, consumer := q.ends()
			threads, each := consumer.callers(3), 400
			producers := producer.callers(threads)
			var puts, gets group
			for range producers {
				puts.Go(func() { putsInGo(t, &q, threads*each/producers) })
			}
			for range threads {
				gets.Go(func() { getsInC(t, &q, each) })
			}
			puts.Wait()
			gets.Wait()
			want(t, "Len", q.base.Len(), 0)
			q.release()
		})
	}
}

// Goroutines that already waited when the queue was shared are woken by C, too: all of them by a close.
func TestSharingWhileGoroutinesWait(t *testing.T) {
	for range 20 {
		sharingWhileGoroutinesWait(t)
	}
}

func sharingWhileGoroutinesWait(t *testing.T) {
	for _, q := range sharable(t) {
		_, consumer := q.ends()
		ended := make(chan error)
		n := consumer.callers(3)
		for range n {
			go func() { ended <- q.get(bg) }()
		}
		parked(consumer, n)
		pointerOf(t, &q)
		putsInC(t, &q, 1)
		must(t, <-ended)
		q.base.load().cQueue.close()
		for range n - 1 {
			wantError(t, <-ended, ErrClosed)
		}
		for range q.base.ready() { // closed, because C closed the queue
			q.tryGet()
		}
		q.release()
	}
}

func TestFromHandle(t *testing.T) {
	c, status := create(mpmc, 2, 8, 0)
	want(t, "create", status, statusOK)
	pointer := c.retain()
	q, err := FromHandle[MPMCBytes](pointer)
	must(t, err)
	other, err := FromHandle[MPMCBytes](pointer)
	must(t, err)
	want(t, "Cap", q.Cap(), 2)
	got := make(chan error)
	go func() {
		for blob := range other.All(bg) {
			want(t, "length", len(blob), 8)
			got <- nil
		}
		got <- ErrClosed
	}()
	must(t, q.Put(bg, make([]byte, 8)))
	must(t, <-got)
	want(t, "put in C", c.tryPutBytes(make([]byte, 8), 0), statusOK)
	must(t, <-got)
	wantError(t, q.Put(bg, make([]byte, 9)), ErrInvalid)
	cell, err := q.Reserve(bg)
	must(t, err)
	want(t, "length of a cell", len(cell.Bytes()), 8)
	must(t, cell.Commit(8))
	must(t, <-got)

	other.Release() // it ends the waits of its own, and closes nothing
	wantError(t, <-got, ErrClosed)
	want(t, "closed", c.isClosed(), false)
	must(t, q.TryPut(nil))
	want(t, "size in C", c.size(), 1)
	q.Close()
	want(t, "closed", c.isClosed(), true)
	q.Release()
	c.free()
	c.free()
}

// FromHandle rejects what is not a queue of the family and payload.
func TestFromHandleRejects(t *testing.T) {
	from := map[string]func(unsafe.Pointer) error{
		"MPMCBytes":     func(p unsafe.Pointer) error { return errOf(FromHandle[MPMCBytes](p)) },
		"SPSCBytes":     func(p unsafe.Pointer) error { return errOf(FromHandle[SPSCBytes](p)) },
		"PriorityBytes": func(p unsafe.Pointer) error { return errOf(FromHandle[PriorityBytes](p)) },
		"BatchBytes":    func(p unsafe.Pointer) error { return errOf(FromHandle[BatchBytes](p)) },
		"DequeBytes":    func(p unsafe.Pointer) error { return errOf(FromHandle[DequeBytes](p)) },
		"MPMCWords":     func(p unsafe.Pointer) error { return errOf(FromHandle[MPMCWords](p)) },
		"SPSCWords":     func(p unsafe.Pointer) error { return errOf(FromHandle[SPSCWords](p)) },
	}
	s := created[SPSCWords](t)(NewSPSCWords(1))
	d := created[DequeBytes](t)(NewDequeBytes(1, 8))
	pointers := map[string]unsafe.Pointer{"SPSCWords": s.Handle(), "DequeBytes": d.Handle()}
	t.Cleanup(s.load().cQueue.free)
	t.Cleanup(d.load().cQueue.free)
	for _, q := range sharable(t) {
		pointers[q.name] = pointerOf(t, &q)
	}
	for name, from := range from {
		wantError(t, from(nil), ErrInvalid)
		for of, p := range pointers {
			if err := from(p); (err == nil) != (of == name) || err != nil && err != ErrInvalid {
				t.Errorf("%s from a pointer to %s: %v", name, of, err)
			}
		}
	}
	for _, q := range []interface{ Handle() unsafe.Pointer }{
		new(MPMCBytes), new(SPSCBytes), new(PriorityBytes), new(BatchBytes), new(DequeBytes), new(MPMCWords),
	} {
		want(t, "Handle of a zero value", q.Handle(), nil)
	}
}

func TestPushesInCMakeADequeReady(t *testing.T) {
	d := created[DequeBytes](t)(NewDequeBytes(4, 8))
	d.Handle()
	c, ready := d.load().cQueue, d.Ready()
	defer c.free()
	for range 50 {
		go inC(t, 2, func() Error { return c.pushBytes(make([]byte, 8)) }, ErrFull)
		for stolen := 0; stolen < 2; {
			<-ready
			if errOf(d.Stealer().Steal(make([]byte, 8))) == nil {
				stolen++
			}
		}
	}
	d.Release()
}

func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(files)
}

// The goroutines and the descriptors of a shared queue end with it, by Release and by the garbage collector.
func TestSharingLeavesNothing(t *testing.T) {
	settled(t)
	q := created[MPMCWords](t)(NewMPMCWords(1)) // so that the netpoller has its descriptors
	q.Handle()
	q.load().cQueue.free()
	q.Release()
	goroutines, files, queues := runtime.NumGoroutine(), openFiles(t), queuesInC()
	for _, end := range []func(func()){func(release func()) { release() }, func(func()) {}} {
		for range 5 {
			for _, q := range sharable(t) {
				handleOf(q.base)
				q.base.load().cQueue.free()
				q.base.ready()
				wantError(t, q.get(soon(t)), context.DeadlineExceeded)
				end(q.release)
			}
		}
		eventually(func() bool {
			runtime.GC()
			return runtime.NumGoroutine() <= goroutines && openFiles(t) <= files && queuesInC() <= queues
		})
	}
}

// Goroutines that wait for C take no processor time, as in TestIdleGoroutinesTakeNoProcessorTime.
func TestIdleGoroutinesOfSharedQueues(t *testing.T) {
	c, status := create(mpmc, 2, 8, 0)
	want(t, "create", status, statusOK)
	q, err := FromHandle[MPMCBytes](c.retain())
	must(t, err)
	var all group
	for range 100 {
		all.Go(func() { q.Get(bg, make([]byte, 8)) })
	}
	parked(&q.handle.Load().consumer, 100)
	takesNoProcessorTime(t)
	c.close()
	all.Wait()
	q.Release()
	c.free()
	c.free()
}
