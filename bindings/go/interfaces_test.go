package queues

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// send and receive do not depend on the type of the queue.
func send[T any](t *testing.T, to Sink[T], values ...T) {
	t.Helper()
	for i, v := range values {
		if i%2 == 0 {
			must(t, to.Put(bg, v))
		} else {
			must(t, to.TryPut(v))
		}
	}
	to.Close()
	wantError(t, to.Put(bg, values[0]), ErrClosed)
	wantError(t, to.TryPut(values[0]), ErrClosed)
}

func receive[T any](t *testing.T, from Source[T]) (all []T) {
	t.Helper()
	v, err := from.Get(bg)
	must(t, err)
	all = append(all, v)
	v, err = from.TryGet()
	must(t, err)
	all = append(all, v)
	for v := range from.All(bg) {
		all = append(all, v)
		break
	}
	for v, err := range from.AllErr(bg) {
		must(t, err)
		all = append(all, v)
	}
	_, err = from.Get(bg)
	wantError(t, err, ErrClosed)
	_, err = from.TryGet()
	wantError(t, err, ErrClosed)
	return all
}

func TestSourceAndSink(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newTyped[int](t, f, 4)
		send[int](t, q, 1, 2, 3, 4)
		want(t, "items", fmt.Sprint(receive[int](t, q)), "[1 2 3 4]")
	})
	p := newPriority[string](t, 4)
	send(t, p.Sink(), []Prioritized[string]{{"d", 4}, {"b", 2}, {"a", 1}, {"c", 3}}...)
	want(t, "items", fmt.Sprint(receive(t, p.Source())), "[{a 1} {b 2} {c 3} {d 4}]")
	b := newBatch[int](t, BatchOptions{Size: 2, Age: forever})
	send(t, Sink[int](b), 1, 2, 3, 4, 5, 6, 7)
	want(t, "batches", fmt.Sprint(receive(t, b.Source())), "[[1 2] [3 4] [5 6] [7]]")
	bb, err := NewBatchBytes(1, BatchOptions{Size: 1})
	must(t, err)
	send(t, Sink[[]byte](bb), []byte("a"), []byte("b"), []byte("c"), []byte("d"))
	want(t, "batches", fmt.Sprintf("%s", receive(t, bb.Source())), "[[a] [b] [c] [d]]")
	for _, q := range []Sink[[]byte]{newBlobs(t, mpmc, 2, 1), newBlobs(t, spsc, 2, 1)} {
		send(t, q, []byte("a"), nil)
	}
}

// AllErr ends with the error of the context or ErrMisuse, but not with ErrClosed. Each range over a queue has
// an error of its own.
func TestAllErr(t *testing.T) {
	canceled, cancel := context.WithCancelCause(bg)
	cancel(nil)
	checkEnds := func(name string, all func(context.Context) []error, ready func(), closing func()) {
		t.Run(name, func(t *testing.T) {
			check := func(what string, got []error, wanted ...error) {
				t.Helper()
				if !slices.Equal(got, wanted) {
					t.Errorf("%s: got %v, want %v", what, got, wanted)
				}
			}
			check("a context that ended before", all(canceled), context.Canceled)
			ready()
			check("a deadline after one item", all(soon(t)), nil, context.DeadlineExceeded)
			closing()
			check("a closed queue", all(bg))
		})
	}
	forEachFamily(t, func(t *testing.T, f family) {
		q, b := newTyped[int](t, f, 1), newBlobs(t, f, 1, 1)
		checkEnds(f.String(), func(ctx context.Context) (got []error) {
			for _, err := range q.AllErr(ctx) {
				got = append(got, err)
			}
			return got
		}, func() { must(t, q.TryPut(1)) }, q.Close)
		checkEnds(f.String()+"Bytes", func(ctx context.Context) (got []error) {
			for blob, err := range b.AllErr(ctx) {
				want(t, "blob", string(blob), map[bool]string{true: "x"}[err == nil])
				got = append(got, err)
			}
			return got
		}, func() { must(t, b.TryPut([]byte("x"))) }, b.Release)
	})
	p := newPriority[int](t, 1)
	checkEnds("Priority", func(ctx context.Context) (got []error) {
		for v, err := range p.AllErr(ctx) {
			want(t, "has an item", v == Prioritized[int]{1, 2}, err == nil)
			got = append(got, err)
		}
		return got
	}, func() { must(t, p.TryPut(1, 2)) }, p.Close)
	pb, err := NewPriorityBytes(1, 1)
	must(t, err)
	checkEnds("PriorityBytes", func(ctx context.Context) (got []error) {
		for v, err := range pb.AllErr(ctx) {
			want(t, "has an item", string(v.Value) == "x" && v.Priority == 2, err == nil)
			got = append(got, err)
		}
		return got
	}, func() { must(t, pb.TryPut([]byte("x"), 2)) }, pb.Release)
	b := newBatch[int](t, BatchOptions{Size: 1})
	checkEnds("Batch", func(ctx context.Context) (got []error) {
		for _, err := range b.AllErr(ctx) {
			got = append(got, err)
		}
		return got
	}, func() { must(t, b.TryPut(1)) }, b.Close)
	bb, err := NewBatchBytes(1, BatchOptions{Size: 1})
	must(t, err)
	checkEnds("BatchBytes", func(ctx context.Context) (got []error) {
		for _, err := range bb.AllErr(ctx) {
			got = append(got, err)
		}
		return got
	}, func() { must(t, bb.TryPut(nil)) }, bb.Release)

	// A second consumer of an SPSC queue gets ErrMisuse. Leaving the loop early leaves the other items.
	s := newTyped[int](t, spsc, 3).(*SPSC[int])
	_, err = s.PutMany(bg, []int{1, 2, 3})
	must(t, err)
	for v, err := range s.AllErr(bg) {
		must(t, err)
		want(t, "first item", v, 1)
		break
	}
	h := s.handle.Load()
	inside, status := h.enter(&h.consumer)
	want(t, "enter", status, statusOK)
	for _, err := range s.AllErr(bg) {
		want(t, "error", err, error(ErrMisuse))
	}
	h.leave(inside)
	wantGet[int](t, s, 2)
}
