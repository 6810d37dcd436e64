package queues

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"
)

// A subject is a queue of any type, for tests of what all types promise. Its put and get move one item.
// Those of a deque do not wait: put pushes, get steals.
type subject struct {
	name           string
	base           *base
	put, get       func(context.Context) error
	tryPut, tryGet func() error
	release        func()
	calls          []func() error // that return ErrClosed after Release, beside those above
	surplus        *atomic.Int64  // items that calls of get took beyond one each; nil if they cannot

	// Of all but deques.
	close     func()
	isClosed  func() bool
	clear     func() (int, error)
	any       func(context.Context) bool  // reports whether All finds an item
	all       func(context.Context) error // ranges over AllErr of an empty queue, and returns its error
	isDrained func() bool                 // of the types that have it
	isEmpty   func() bool                 // of SPSC queues
	isFull    func() bool

	isWords bool // of queues of numbers
}

func (s *subject) waits() bool { return s.close != nil }

// errOf keeps the error of two results.
func errOf[T any](_ T, err error) error { return err }

func errOf3[T, U any](_ T, _ U, err error) error { return err }

// errOfAll keeps the error that ends the iterator of an empty queue.
func errOfAll[T any](all func(context.Context) iter.Seq2[T, error]) func(context.Context) error {
	return func(ctx context.Context) (last error) {
		for _, err := range all(ctx) {
			if last = err; err == nil {
				return errors.New("an item")
			}
		}
		return last
	}
}

func anyOfAll[T any](all func(context.Context) iter.Seq[T]) func(context.Context) bool {
	return func(ctx context.Context) bool {
		for range all(ctx) {
			return true
		}
		return false
	}
}

func anyOfAll2[T, U any](all func(context.Context) iter.Seq2[T, U]) func(context.Context) bool {
	return func(ctx context.Context) bool {
		for range all(ctx) {
			return true
		}
		return false
	}
}

// fromClosable fills in what the types have in common that can be closed.
func (s subject) fromClosable(q *closable, release func(), clear func() (int, error)) subject {
	s.base, s.release, s.clear, s.close, s.isClosed = &q.base, release, clear, q.Close, q.IsClosed
	return s
}

func subjectOfTyped(name string, q typed[int], of *closable) subject {
	return subject{
		name:      name,
		put:       func(ctx context.Context) error { return q.Put(ctx, 1) },
		get:       func(ctx context.Context) error { return errOf(q.Get(ctx)) },
		tryPut:    func() error { return q.TryPut(1) },
		tryGet:    func() error { return errOf(q.TryGet()) },
		any:       anyOfAll(q.All),
		all:       errOfAll(q.AllErr),
		isDrained: q.IsDrained,
		calls: []func() error{
			func() error { return errOf(q.PutMany(bg, []int{1})) },
			func() error { return errOf(q.GetMany(bg, make([]int, 1))) },
		},
	}.fromClosable(of, q.Release, q.Clear)
}

func subjectOfBlobs(name string, q blobs, of *closable) subject {
	return subject{
		name:   name,
		put:    func(ctx context.Context) error { return q.Put(ctx, nil) },
		get:    func(ctx context.Context) error { return errOf(q.Get(ctx, nil)) },
		tryPut: func() error { return q.TryPut(nil) },
		tryGet: func() error { return errOf(q.TryGet(nil)) },
		any:    anyOfAll(q.All),
		all:    errOfAll(q.AllErr),
		calls:  []func() error{func() error { return errOf(q.Peek(nil)) }},
	}.fromClosable(of, q.Release, q.Clear)
}

func subjectOfMPMC(q *MPMC[int]) subject { return subjectOfTyped("MPMC", q, &q.closable) }

func subjectOfSPSC(q *SPSC[int]) subject {
	s := subjectOfTyped("SPSC", q, &q.closable)
	s.calls = append(s.calls, func() error { return errOf(q.Peek()) })
	s.isEmpty, s.isFull = q.IsEmpty, q.IsFull
	return s
}

func subjectOfMPMCBytes(q *MPMCBytes) subject {
	s := subjectOfBlobs("MPMCBytes", q, &q.closable)
	s.calls = append(s.calls,
		func() error { return errOf(q.Lease(bg)) }, func() error { return errOf(q.TryLease()) },
		func() error { return errOf(q.Reserve(bg)) }, func() error { return errOf(q.TryReserve()) })
	return s
}

func subjectOfSPSCBytes(q *SPSCBytes) subject {
	s := subjectOfBlobs("SPSCBytes", q, &q.closable)
	s.isEmpty, s.isFull = q.IsEmpty, q.IsFull
	return s
}

func subjectOfPriority(q *Priority[int]) subject {
	return subject{
		name:      "Priority",
		put:       func(ctx context.Context) error { return q.Put(ctx, 1, 1) },
		get:       func(ctx context.Context) error { return errOf3(q.Get(ctx)) },
		tryPut:    func() error { return q.TryPut(1, 1) },
		tryGet:    func() error { return errOf3(q.TryGet()) },
		any:       anyOfAll2(q.All),
		all:       errOfAll(q.AllErr),
		isDrained: q.IsDrained,
		calls:     []func() error{func() error { return errOf(q.PeekPriority()) }},
	}.fromClosable(&q.closable, q.Release, q.Clear)
}

func subjectOfPriorityBytes(q *PriorityBytes) subject {
	return subject{
		name:   "PriorityBytes",
		put:    func(ctx context.Context) error { return q.Put(ctx, nil, 1) },
		get:    func(ctx context.Context) error { return errOf3(q.Get(ctx, nil)) },
		tryPut: func() error { return q.TryPut(nil, 1) },
		tryGet: func() error { return errOf3(q.TryGet(nil)) },
		any:    anyOfAll2(q.All),
		all:    errOfAll(q.AllErr),
		calls:  []func() error{func() error { return errOf3(q.Peek(nil)) }},
	}.fromClosable(&q.closable, q.Release, q.Clear)
}

func subjectOfBatch(q *Batch[int]) subject {
	return subject{
		name:      "Batch",
		put:       func(ctx context.Context) error { return q.Put(ctx, 1) },
		get:       func(ctx context.Context) error { return errOf(q.GetBatch(ctx)) },
		tryPut:    func() error { return q.TryPut(1) },
		tryGet:    func() error { return errOf(q.TryGetBatch()) },
		any:       anyOfAll(q.All),
		all:       errOfAll(q.AllErr),
		isDrained: q.IsDrained,
		calls: []func() error{
			func() error { q.Flush(); return q.PutWeighted(bg, 1, 1) },
			func() error { return q.TryPutWeighted(1, 1) },
			func() error { return errOf(q.GetBatchInto(bg, make([]int, 1))) },
		},
	}.fromClosable(&q.closable, q.Release, q.Clear)
}

func subjectOfBatchBytes(q *BatchBytes) subject {
	return subject{
		name:   "BatchBytes",
		put:    func(ctx context.Context) error { return q.Put(ctx, nil) },
		get:    func(ctx context.Context) error { return errOf(q.GetBatch(ctx)) },
		tryPut: func() error { return q.TryPut(nil) },
		tryGet: func() error { return errOf(q.TryGetBatch()) },
		any:    anyOfAll(q.All),
		all:    errOfAll(q.AllErr),
		calls: []func() error{
			func() error { q.Flush(); return q.PutWeighted(bg, nil, 1) },
			func() error { return q.TryPutWeighted(nil, 1) },
			func() error { return errOf(q.GetBatchInto(bg, nil, nil)) },
		},
	}.fromClosable(&q.closable, q.Release, q.Clear)
}

func subjectOfDeque(d *Deque[int]) subject {
	thief := d.Stealer()
	return subject{
		name:    "Deque",
		base:    &d.base,
		put:     func(context.Context) error { return d.Push(1) },
		get:     func(context.Context) error { return errOf(thief.Steal()) },
		tryPut:  func() error { return d.Push(1) },
		tryGet:  func() error { return errOf(d.Pop()) },
		release: d.Release,
		calls:   []func() error{func() error { return errOf(thief.StealMany(make([]int, 1))) }},
	}
}

func subjectOfDequeBytes(d *DequeBytes) subject {
	thief := d.Stealer()
	return subject{
		name:    "DequeBytes",
		base:    &d.base,
		put:     func(context.Context) error { return d.Push(nil) },
		get:     func(context.Context) error { return errOf(thief.Steal(nil)) },
		tryPut:  func() error { return d.Push(nil) },
		tryGet:  func() error { return errOf(d.Pop(nil)) },
		release: d.Release,
	}
}

// subjects creates a queue of each type, which has room for one item and is not released at the end.
func subjects(t *testing.T) []subject {
	t.Helper()
	one := BatchOptions{Size: 1, MaxPending: 1, Age: forever}
	return []subject{
		subjectOfMPMC(created[MPMC[int]](t)(NewMPMC[int](1))),
		subjectOfSPSC(created[SPSC[int]](t)(NewSPSC[int](1))),
		subjectOfPriority(created[Priority[int]](t)(NewPriority[int](1))),
		subjectOfBatch(created[Batch[int]](t)(NewBatch[int](one))),
		subjectOfDeque(created[Deque[int]](t)(NewDeque[int](1))),
		subjectOfMPMCBytes(created[MPMCBytes](t)(NewMPMCBytes(1, 1))),
		subjectOfSPSCBytes(created[SPSCBytes](t)(NewSPSCBytes(1, 1))),
		subjectOfPriorityBytes(created[PriorityBytes](t)(NewPriorityBytes(1, 1))),
		subjectOfBatchBytes(created[BatchBytes](t)(NewBatchBytes(1, one))),
		subjectOfDequeBytes(created[DequeBytes](t)(NewDequeBytes(1, 1))),
	}
}

// zeroValues is the zero value of each type.
func zeroValues() []subject {
	return []subject{
		subjectOfMPMC(new(MPMC[int])), subjectOfSPSC(new(SPSC[int])), subjectOfPriority(new(Priority[int])),
		subjectOfBatch(new(Batch[int])), subjectOfDeque(new(Deque[int])),
		subjectOfMPMCBytes(new(MPMCBytes)), subjectOfSPSCBytes(new(SPSCBytes)),
		subjectOfPriorityBytes(new(PriorityBytes)), subjectOfBatchBytes(new(BatchBytes)),
		subjectOfDequeBytes(new(DequeBytes)),
	}
}

// created ends the test if a queue was not created.
func created[Q any](t *testing.T) func(*Q, error) *Q {
	return func(q *Q, err error) *Q {
		t.Helper()
		must(t, err)
		return q
	}
}

func forEachSubject(t *testing.T, all []subject, test func(t *testing.T, s subject)) {
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) { test(t, s) })
	}
}

// A queue that was released behaves as one that is closed and drained, and so does a zero value.
func TestReleasedAndZeroValues(t *testing.T) {
	check := func(t *testing.T, s subject) {
		t.Helper()
		for _, call := range append(s.calls, s.tryPut, s.tryGet,
			func() error { return s.put(bg) }, func() error { return s.get(bg) }) {
			if err := call(); err != ErrClosed {
				t.Errorf("a call of %s: got error %v, want %v", s.name, err, ErrClosed)
			}
		}
		want(t, "Len", s.base.Len(), 0)
		want(t, "Cap", s.base.Cap(), 0)
		want(t, "Stats", s.base.Stats(), Stats{})
		s.release()
		if s.waits() {
			s.close()
			want(t, "IsClosed", s.isClosed(), true)
			n, err := s.clear()
			must(t, err)
			want(t, "Clear", n, 0)
			want(t, "All finds an item", s.any(bg), false)
			must(t, s.all(bg)) // it ends without an error, and so without an item
		}
		if s.isDrained != nil {
			want(t, "IsDrained", s.isDrained(), true)
		}
		if s.isEmpty != nil {
			want(t, "IsEmpty", s.isEmpty(), true)
			want(t, "IsFull", s.isFull(), false)
		}
	}
	t.Run("released", func(t *testing.T) {
		forEachSubject(t, subjects(t), func(t *testing.T, s subject) {
			must(t, s.tryPut())
			for range 2 {
				s.release()
				check(t, s)
			}
		})
	})
	t.Run("zero value", func(t *testing.T) { forEachSubject(t, zeroValues(), check) })
}
