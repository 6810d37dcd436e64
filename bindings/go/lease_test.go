package queues

import (
	"context"
	"encoding/binary"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

func newMPMCBytes(t testing.TB, capacity, size int) *MPMCBytes {
	t.Helper()
	return newBlobs(t, mpmc, capacity, size).(*MPMCBytes)
}

func wantLease(t *testing.T, q *MPMCBytes, blob string) *Lease {
	t.Helper()
	l, err := q.TryLease()
	must(t, err)
	want(t, "leased", string(l.Bytes()), blob)
	return l
}

func TestLease(t *testing.T) {
	q := newMPMCBytes(t, 2, 8)
	_, err := q.TryLease()
	want(t, "TryLease", err, error(ErrEmpty))
	must(t, q.TryPut([]byte("first")))
	must(t, q.TryPut(nil))
	l, err := q.Lease(bg)
	must(t, err)
	want(t, "leased", string(l.Bytes()), "first")
	want(t, "Len", q.Len(), 1)
	want(t, "cap", cap(l.Bytes()), 5)
	empty := wantLease(t, q, "")
	_, err = q.TryLease()
	want(t, "TryLease", err, error(ErrEmpty))

	copy(l.Bytes(), "F")
	must(t, l.Return())
	wantBlob(t, q, []byte("First"))
	empty.Settle()

	for _, l := range []*Lease{l, empty, {}} { // ended, or never begun
		want(t, "after the end", l.Bytes() == nil, true)
		l.Settle()
		want(t, "Return", l.Return(), error(ErrMisuse))
	}
	want(t, "Stats", q.Stats(), Stats{Enqueued: 3, Dequeued: 3, FailedDequeue: 2, PeakSize: 2, Capacity: 2})
}

// With an error, Return does not end the lease.
func TestReturnFails(t *testing.T) {
	q := newMPMCBytes(t, 1, 8)
	must(t, q.TryPut([]byte("a")))
	l := wantLease(t, q, "a")
	must(t, q.TryPut([]byte("b")))
	want(t, "Return", l.Return(), error(ErrFull))
	want(t, "FailedEnqueue", q.Stats().FailedEnqueue, 1)
	want(t, "leased", string(l.Bytes()), "a")
	wantBlob(t, q, []byte("b"))
	q.Close()
	want(t, "Return", l.Return(), error(ErrClosed))
	want(t, "leased", string(l.Bytes()), "a")
	l.Settle()
	want(t, "Return", l.Return(), error(ErrMisuse))
	_, err := q.Lease(bg)
	want(t, "Lease", err, error(ErrClosed))
	_, err = q.TryLease()
	want(t, "TryLease", err, error(ErrClosed))
}

func TestReservation(t *testing.T) {
	q := newMPMCBytes(t, 2, 8)
	r, err := q.Reserve(bg)
	must(t, err)
	want(t, "len", len(r.Bytes()), 8)
	for _, n := range []int{-1, 9} {
		want(t, "Commit", r.Commit(n), error(ErrInvalid))
	}
	copy(r.Bytes(), "reserved")
	must(t, r.Commit(7))
	want(t, "Commit", r.Commit(7), error(ErrMisuse))
	r.Cancel()
	canceled, err := q.TryReserve()
	must(t, err)
	canceled.Cancel()
	canceled.Cancel()
	want(t, "Commit", canceled.Commit(0), error(ErrMisuse))
	wantBlob(t, q, []byte("reserve"))

	late, err := q.TryReserve()
	must(t, err)
	copy(late.Bytes(), "late")
	must(t, q.TryPut(nil))
	must(t, q.TryPut(nil))
	_, err = q.TryReserve()
	want(t, "TryReserve", err, error(ErrFull))
	want(t, "Commit", late.Commit(4), error(ErrFull))
	want(t, "FailedEnqueue", q.Stats().FailedEnqueue, 2)
	wantClear(t, q, 2)
	must(t, late.Commit(4))
	wantBlob(t, q, []byte("late"))

	r, err = q.TryReserve()
	must(t, err)
	q.Close()
	want(t, "Commit", r.Commit(1), error(ErrClosed))
	r.Cancel()
	_, err = q.Reserve(bg)
	want(t, "Reserve", err, error(ErrClosed))
	_, err = q.TryReserve()
	want(t, "TryReserve", err, error(ErrClosed))
	want(t, "Bytes", (&Reservation{}).Bytes() == nil, true)
}

// Lease and Reserve wait, and count failures, as Get and Put do.
func TestLeaseWaits(t *testing.T) {
	q := newMPMCBytes(t, 1, 8)
	_, err := q.Lease(soon(t))
	want(t, "Lease", err, context.DeadlineExceeded)
	leased := make(chan *Lease)
	go func() {
		l, err := q.Lease(bg)
		if err != nil {
			t.Error(err)
		}
		leased <- l
	}()
	time.Sleep(time.Millisecond)
	must(t, q.TryPut([]byte("x")))
	l := <-leased
	want(t, "leased", string(l.Bytes()), "x")
	must(t, l.Return())
	_, err = q.Reserve(soon(t))
	want(t, "Reserve", err, context.DeadlineExceeded)
	s := q.Stats()
	want(t, "failures", [2]uint64{s.FailedEnqueue, s.FailedDequeue}, [2]uint64{1, 1})
}

// Leases and reservations outlive Release; the last of them that ends frees the queue, once.
func TestLeaseOutlivesRelease(t *testing.T) {
	settled(t)
	before := queuesInC()
	q := newMPMCBytes(t, 2, 8)
	must(t, q.TryPut([]byte("lent")))
	l := wantLease(t, q, "lent")
	r, err := q.TryReserve()
	must(t, err)
	q.Release()
	runtime.GC()
	want(t, "leased", string(l.Bytes()), "lent")
	copy(r.Bytes(), "written")
	want(t, "Return", l.Return(), error(ErrClosed))
	want(t, "Commit", r.Commit(1), error(ErrClosed))
	_, err = q.TryLease()
	want(t, "TryLease", err, error(ErrClosed))
	_, err = q.Reserve(bg)
	want(t, "Reserve", err, error(ErrClosed))
	l.Settle()
	want(t, "queues in C", queuesInC(), before+1)
	r.Cancel()
	want(t, "queues in C", queuesInC(), before)
	l.Settle()
	r.Cancel()
	want(t, "queues in C", queuesInC(), before)

	// A lease that was dropped does not keep the queue from the garbage collector.
	func() {
		q, err := NewMPMCBytes(1, 1)
		must(t, err)
		must(t, q.TryPut(nil))
		wantLease(t, q, "")
		q.Release()
	}()
	want(t, "queues in C", queuesInC(), before+1)
	eventually(func() bool { runtime.GC(); return queuesInC() == before })
}

// A lease that has ended cannot end the next lease of the same memory.
func TestLeaseOfTheSamePlace(t *testing.T) {
	q := newMPMCBytes(t, 1, 8)
	lease := func() *Lease {
		must(t, q.TryPut([]byte("x")))
		return wantLease(t, q, "x")
	}
	old := lease()
	place := unsafe.SliceData(old.Bytes())
	old.Settle()
	next := lease()
	for unsafe.SliceData(next.Bytes()) != place { // cells are used in turn
		next.Settle()
		next = lease()
	}
	old.Settle()
	want(t, "Return", old.Return(), error(ErrMisuse))
	must(t, next.Return())
}

// Of many calls at once that end a lease one takes effect, also while its memory is lent again.
func TestLeaseEndsOnce(t *testing.T) {
	q := newMPMCBytes(t, 1, 8)
	var ends atomic.Int32
	const rounds = 2000
	for round := range rounds {
		must(t, q.TryPut(binary.LittleEndian.AppendUint64(nil, uint64(round))))
		l, err := q.TryLease()
		must(t, err)
		var all group
		for k := range 3 {
			all.Go(func() {
				if k == 0 {
					l.Settle()
				} else if l.Return() == nil {
					ends.Add(1)
				}
				if other, err := q.TryLease(); err == nil {
					if got := binary.LittleEndian.Uint64(other.Bytes()); got != uint64(round) {
						t.Errorf("leased %d in round %d", got, round)
					}
					other.Settle()
				}
			})
		}
		all.Wait()
		wantClear(t, q, 0)
	}
	s := q.Stats()
	want(t, "items", s.Enqueued-rounds, uint64(ends.Load()))
	want(t, "Dequeued", s.Dequeued, s.Enqueued)
}

// Producers that reserve and consumers that lease: each blob is got once, and those of one producer in order.
func TestStressInPlace(t *testing.T) {
	for _, capacity := range []int{1, 3, 100} {
		const threads, each = 3, 2000
		q := newMPMCBytes(t, capacity, 20)
		books := newLedger(t, threads)
		accepted := make([]int, threads)
		var producers, consumers group
		for producer := range threads {
			producers.Go(func() {
				for accepted[producer] < each {
					r, err := q.Reserve(bg)
					if err != nil {
						t.Errorf("reserve: %v", err)
						return
					}
					n := copy(r.Bytes(), newParcel(producer, accepted[producer]).bytes())
					for err = r.Commit(n); err == ErrFull; err = r.Commit(n) {
						runtime.Gosched()
					}
					if err != nil {
						t.Errorf("commit: %v", err)
						return
					}
					accepted[producer]++
				}
			})
			consumers.Go(func() {
				check := books.consumer()
				for {
					l, err := q.Lease(bg)
					if err != nil {
						if err != ErrClosed {
							t.Errorf("lease: %v", err)
						}
						return
					}
					check(parcelOf(l.Bytes()))
					l.Settle()
				}
			})
		}
		producers.Wait()
		q.Close()
		consumers.Wait()
		books.close(accepted)
	}
}

// A blob that was reserved and leased is never copied; the library aligns its memory.
func TestLeaseDoesNotCopy(t *testing.T) {
	q := newMPMCBytes(t, 1, 24)
	r, err := q.TryReserve()
	must(t, err)
	written := unsafe.SliceData(r.Bytes())
	want(t, "alignment", uintptr(unsafe.Pointer(written))%8, 0)
	must(t, r.Commit(24))
	l, err := q.TryLease()
	must(t, err)
	want(t, "place", unsafe.SliceData(l.Bytes()), written)
	l.Settle()
}
