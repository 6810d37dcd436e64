package queues

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A parcel is an item of the tests: its producer, its sequence number, and a checksum of both.
type parcel struct {
	producer, sequence int
	sum                uint32
}

func newParcel(producer, sequence int) parcel {
	p := parcel{producer: producer, sequence: sequence}
	p.sum = crc32.ChecksumIEEE(p.bytes()[:16])
	return p
}

func (p parcel) bytes() []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(p.producer))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.sequence))
	return binary.LittleEndian.AppendUint32(b, p.sum)
}

func parcelOf(b []byte) parcel {
	return parcel{
		int(binary.LittleEndian.Uint64(b)), int(binary.LittleEndian.Uint64(b[8:])),
		binary.LittleEndian.Uint32(b[16:]),
	}
}

// A ledger checks the parcels that consumers get: they are intact, those of one producer are in order, and no
// parcel is got twice.
type ledger struct {
	t    *testing.T
	mu   sync.Mutex
	seen []map[int]bool // sequence numbers, by producer
}

func newLedger(t *testing.T, producers int) *ledger {
	l := &ledger{t: t, seen: make([]map[int]bool, producers)}
	for i := range l.seen {
		l.seen[i] = map[int]bool{}
	}
	return l
}

// consumer returns the check of one consumer, for one goroutine.
func (l *ledger) consumer() func(parcel) {
	last := make([]int, len(l.seen))
	for i := range last {
		last[i] = -1
	}
	return func(p parcel) {
		if p != newParcel(p.producer, p.sequence) {
			l.t.Errorf("the parcel is damaged: %+v", p)
			return
		}
		if p.sequence <= last[p.producer] {
			l.t.Errorf("producer %d: got %d after %d", p.producer, p.sequence, last[p.producer])
		}
		last[p.producer] = p.sequence
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.seen[p.producer][p.sequence] {
			l.t.Errorf("producer %d: got %d twice", p.producer, p.sequence)
		}
		l.seen[p.producer][p.sequence] = true
	}
}

// close checks that all parcels were got that were put: the first accepted[i] of producer i.
func (l *ledger) close(accepted []int) {
	for producer, n := range accepted {
		if got := len(l.seen[producer]); got != n {
			l.t.Errorf("producer %d: put %d, got %d", producer, n, got)
		}
	}
}

// The calls that put and get: each moves up to len(ps) parcels and returns how many.
var (
	puts = map[string]func(typed[parcel], []parcel) (int, error){
		"Put": func(q typed[parcel], ps []parcel) (int, error) {
			if err := q.Put(bg, ps[0]); err != nil {
				return 0, err
			}
			return 1, nil
		},
		"TryPut": func(q typed[parcel], ps []parcel) (int, error) {
			switch err := q.TryPut(ps[0]); err {
			case nil:
				return 1, nil
			case ErrFull:
				runtime.Gosched()
				return 0, nil
			default:
				return 0, err
			}
		},
		"PutMany": func(q typed[parcel], ps []parcel) (int, error) { return q.PutMany(bg, ps) },
		"PutMany until a deadline": func(q typed[parcel], ps []parcel) (int, error) {
			return untilDeadline(q.PutMany, ps)
		},
	}
	gets = map[string]func(typed[parcel], []parcel) (int, error){
		"Get": func(q typed[parcel], ps []parcel) (n int, err error) {
			if ps[0], err = q.Get(bg); err != nil {
				return 0, err
			}
			return 1, nil
		},
		"TryGet": func(q typed[parcel], ps []parcel) (int, error) {
			var err error
			switch ps[0], err = q.TryGet(); err {
			case nil:
				return 1, nil
			case ErrEmpty:
				runtime.Gosched()
				return 0, nil
			default:
				return 0, err
			}
		},
		"GetMany": func(q typed[parcel], ps []parcel) (int, error) { return q.GetMany(bg, ps) },
		"GetMany until a deadline": func(q typed[parcel], ps []parcel) (int, error) {
			return untilDeadline(q.GetMany, ps)
		},
	}
)

// untilDeadline calls with a deadline that passes during some of the calls, which is no error.
func untilDeadline(call func(context.Context, []parcel) (int, error), ps []parcel) (int, error) {
	ctx, cancel := context.WithTimeout(bg, time.Duration(rand.IntN(100))*time.Microsecond)
	defer cancel()
	n, err := call(ctx, ps)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return n, err
}

// Producers put all parcels, then the queue is closed; consumers get until it is closed and drained.
func TestStress(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		for put := range puts {
			for get := range gets {
				t.Run(put+", "+get, func(t *testing.T) {
					t.Parallel()
					for _, capacity := range []int{1, 2, 3, 7, chunk + 1, 1000} {
						threads, total := 4, 4000
						if f == spsc {
							threads = 1
						}
						stress(t, newTyped[parcel](t, f, capacity), threads, total/threads, put, get, nil)
					}
				})
			}
		}
	})
}

// The queue is closed while producers put: consumers get what was accepted, and nothing else.
func TestCloseRaces(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		for put := range puts {
			for get := range gets {
				t.Run(put+", "+get, func(t *testing.T) {
					t.Parallel()
					for range 20 {
						threads := 3
						if f == spsc {
							threads = 1
						}
						q := newTyped[parcel](t, f, 1+rand.IntN(2*chunk))
						stress(t, q, threads, 1<<30, put, get, func() {
							time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
							q.Close()
						})
					}
				})
			}
		}
	})
}

func stress(t *testing.T, q typed[parcel], threads, each int, put, get string, end func()) {
	books := newLedger(t, threads)
	accepted := make([]int, threads)
	var producers, consumers group
	for producer := range threads {
		producers.Go(func() {
			var parcels [100]parcel
			for accepted[producer] < each {
				n := min(1+rand.IntN(len(parcels)), each-accepted[producer])
				for i := range n {
					parcels[i] = newParcel(producer, accepted[producer]+i)
				}
				moved, err := puts[put](q, parcels[:n])
				accepted[producer] += moved
				if err == ErrClosed && end != nil {
					return
				}
				if err != nil {
					t.Errorf("put: %v", err)
					return
				}
			}
		})
		consumers.Go(func() {
			check := books.consumer()
			var parcels [100]parcel
			for {
				n, err := gets[get](q, parcels[:1+rand.IntN(len(parcels))])
				for _, p := range parcels[:n] {
					check(p)
				}
				if err == ErrClosed {
					return
				}
				if err != nil {
					t.Errorf("get: %v", err)
					return
				}
			}
		})
	}
	if end != nil {
		end()
	}
	producers.Wait()
	q.Close()
	consumers.Wait()
	books.close(accepted)
	if s := q.Stats(); s.Enqueued != s.Dequeued || s.PeakSize > s.Capacity {
		t.Errorf("got %+v", s)
	}
}

func TestStressBlobs(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		for _, capacity := range []int{1, 3, 100} {
			threads, each := 4, 1000
			if f == spsc {
				threads, each = 1, 4000
			}
			q := newBlobs(t, f, capacity, 20)
			books := newLedger(t, threads)
			accepted := make([]int, threads)
			var producers, consumers group
			for producer := range threads {
				producers.Go(func() {
					for ; accepted[producer] < each; accepted[producer]++ {
						if err := q.Put(bg, newParcel(producer, accepted[producer]).bytes()); err != nil {
							t.Errorf("put: %v", err)
							return
						}
					}
				})
				consumers.Go(func() {
					check := books.consumer()
					for blob := range q.All(bg) {
						check(parcelOf(blob))
					}
				})
			}
			producers.Wait()
			q.Close()
			consumers.Wait()
			books.close(accepted)
		}
	})
}

// With more items than goroutines no goroutine may find the queue empty; with more room than that, none may
// find it full.
func TestNeverEmptyNeverFull(t *testing.T) {
	for _, threads := range []int{1, 2, 8} {
		for _, capacity := range []int{2*threads + 2, chunk, 1000} {
			capacity = max(capacity, 2*threads+2)
			q := newTyped[int](t, mpmc, capacity)
			for i := range threads + 1 {
				must(t, q.TryPut(i))
			}
			var all group
			for range threads {
				all.Go(func() {
					for range 5000 {
						v, err := q.TryGet()
						if err != nil {
							t.Errorf("TryGet: %v, with more items than goroutines", err)
							return
						}
						if err := q.TryPut(v); err != nil {
							t.Errorf("TryPut: %v, with more room than goroutines", err)
							return
						}
					}
				})
			}
			all.Wait()
		}
	}
}

// Every call on a queue that is being released ends, without an error that is not documented.
func TestReleaseRaces(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		for range 30 {
			q, b := newTyped[*int](t, f, 3), newBlobs(t, f, 3, 8)
			var all group
			for _, call := range []func() error{
				func() error { return q.Put(bg, new(int)) },
				func() error { _, err := q.Get(bg); return err },
				func() error { _, err := q.PutMany(bg, make([]*int, 10)); return err },
				func() error { _, err := q.GetMany(bg, make([]*int, 10)); return err },
				func() error { q.Len(); q.Clear(); q.TryGet(); q.Stats(); return q.TryPut(new(int)) },
				func() error { return b.Put(bg, make([]byte, 8)) },
				func() error { _, err := b.Get(bg, make([]byte, 8)); return err },
				func() error { b.Clear(); b.Stats(); _, err := b.TryGet(make([]byte, 8)); return err },
			} {
				all.Go(func() {
					for {
						err := call()
						if err == ErrClosed {
							return
						}
						if err != nil && err != ErrFull && err != ErrEmpty && err != ErrMisuse {
							t.Errorf("got error %v", err)
							return
						}
					}
				})
			}
			time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
			q.Release()
			b.Release()
			runtime.GC()
			all.Wait()
		}
	})
}

// What happens before a put or a close is visible after the get or the ErrClosed. The race detector checks.
func TestHappensBefore(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		type box struct{ v int }
		rounds := 500
		q, b := newTyped[*box](t, f, 3), newBlobs(t, f, 3, 1)
		boxes := make([]int, rounds)
		last := 0
		go func() {
			for i := range rounds {
				if q.Put(bg, &box{i}) != nil {
					return
				}
				boxes[i] = i
				if b.Put(bg, []byte{1}) != nil {
					return
				}
			}
			last = rounds
			q.Close()
			b.Close()
		}()
		for i := range rounds {
			v, err := q.Get(bg)
			must(t, err)
			want(t, "box", v.v, i)
			_, err = b.Get(bg, make([]byte, 1))
			must(t, err)
			want(t, "boxes", boxes[i], i)
		}
		_, err := q.Get(bg)
		wantError(t, err, ErrClosed)
		want(t, "last", last, rounds)
	})
}

// While one producer or consumer is in a call, the call of a second one returns ErrMisuse.
func TestMisuse(t *testing.T) {
	empty, full := newTyped[int](t, spsc, 1).(*SPSC[int]), newTyped[int](t, spsc, 1)
	emptyBlobs, fullBlobs := newBlobs(t, spsc, 1, 1), newBlobs(t, spsc, 1, 1)
	must(t, full.TryPut(1))
	must(t, fullBlobs.TryPut([]byte{1}))

	ctx, cancel := context.WithCancel(bg)
	var inside group
	var entered atomic.Int32
	for _, call := range []func() error{
		func() error { _, err := empty.Get(ctx); return err },
		func() error { return full.Put(ctx, 2) },
		func() error { _, err := emptyBlobs.Get(ctx, make([]byte, 1)); return err },
		func() error { return fullBlobs.Put(ctx, []byte{2}) },
	} {
		inside.Go(func() {
			entered.Add(1)
			if err := call(); err != context.Canceled {
				t.Errorf("the first call: got error %v, want %v", err, context.Canceled)
			}
		})
	}
	eventually(func() bool { return entered.Load() == 4 })
	time.Sleep(5 * time.Millisecond) // from the count to the call

	buffer := make([]byte, 1)
	for name, call := range map[string]func() error{
		"Get":     func() error { _, err := empty.Get(bg); return err },
		"GetMany": func() error { _, err := empty.GetMany(bg, make([]int, 1)); return err },
		"TryGet":  func() error { _, err := empty.TryGet(); return err },
		"Peek":    func() error { _, err := empty.Peek(); return err },
		"Clear":   func() error { _, err := empty.Clear(); return err },
		"Put":     func() error { return full.Put(bg, 2) },
		"TryPut":  func() error { return full.TryPut(2) },
		"PutMany": func() error { _, err := full.PutMany(bg, make([]int, 1)); return err },

		"Get blob":    func() error { _, err := emptyBlobs.Get(bg, buffer); return err },
		"TryGet blob": func() error { _, err := emptyBlobs.TryGet(buffer); return err },
		"Peek blob":   func() error { _, err := emptyBlobs.Peek(buffer); return err },
		"Clear blobs": func() error { _, err := emptyBlobs.Clear(); return err },
		"Put blob":    func() error { return fullBlobs.Put(bg, buffer) },
		"TryPut blob": func() error { return fullBlobs.TryPut(buffer) },
	} {
		if err := call(); err != ErrMisuse {
			t.Errorf("%s: got error %v, want %v", name, err, ErrMisuse)
		}
	}
	want(t, "IsDrained", empty.IsDrained(), false)
	want(t, "failures", empty.Stats().FailedDequeue+full.Stats().FailedEnqueue, 0)

	cancel()
	inside.Wait()
	must(t, empty.TryPut(1))
	wantGet(t, empty, 1)
	wantGet(t, full, 1)
	must(t, full.TryPut(2))
	wantBlob(t, fullBlobs, []byte{1})
}
