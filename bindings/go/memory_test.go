package queues

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"weak"
)

// A tracked value is one whose collection a test waits for.
type tracked struct{ bytes [100]byte }

// A tracker knows all values that it made, and keeps none of them from the garbage collector.
type tracker []weak.Pointer[tracked]

func (t *tracker) make() *tracked {
	v := new(tracked)
	*t = append(*t, weak.Make(v))
	return v
}

// collected waits until the garbage collector has taken all values. The time limit of the test run ends
// a wait that does not.
func collected(all tracker) {
	eventually(func() bool {
		runtime.GC()
		for _, p := range all {
			if p.Value() != nil {
				return false
			}
		}
		return true
	})
}

// A queue keeps no reference to a value that left it, or that it did not accept.
func TestValuesAreCollected(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newTyped[*tracked](t, f, 2*chunk)
		var all tracker
		fill := func() {
			for q.Len() < q.Cap() {
				must(t, q.TryPut(all.make()))
			}
		}
		for name, leave := range map[string]func(){
			"TryGet": func() {
				for q.Len() > 0 {
					q.TryGet()
				}
			},
			"GetMany": func() {
				_, err := q.GetMany(bg, make([]*tracked, q.Cap()))
				must(t, err)
			},
			"Clear": func() { q.Clear() },
			"a full queue": func() {
				wantError(t, q.TryPut(all.make()), ErrFull)
				collected(all[len(all)-1:])
				q.Clear()
			},
			"a closed queue": func() {
				closed := newTyped[*tracked](t, f, 1)
				closed.Close()
				wantError(t, closed.Put(bg, all.make()), ErrClosed)
				_, err := closed.PutMany(bg, []*tracked{all.make(), all.make()})
				wantError(t, err, ErrClosed)
				collected(all[len(all)-3:])
				runtime.KeepAlive(closed)
				q.Clear()
			},
		} {
			t.Run(name, func(t *testing.T) {
				all = nil
				fill()
				leave()
				collected(all)
			})
		}
		t.Run("Release", func(t *testing.T) {
			all = nil
			fill()
			q.Release()
			collected(all)
		})
		runtime.KeepAlive(q)
		t.Run("unreachable", func(t *testing.T) {
			all = nil
			create := func() { // a function of its own, so that nothing refers to the queue after it
				q := unreleased[*tracked](t, f, 3)
				must(t, q.TryPut(all.make()))
			}
			create()
			collected(all)
		})
	})
}

// The C memory of queues that are released, or unreachable, is freed: together they take more than the process
// may grow by. Released queues need no garbage collector; those that are dropped need it, and only the package
// runs it here.
func TestCMemoryIsFreed(t *testing.T) {
	const size, capacity, queues, limit = 1 << 16, 64, 200, 500 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	blob := make([]byte, size)
	forEachFamily(t, func(t *testing.T, f family) {
		for name, end := range map[string]func(*fifoBytes){
			"Release": func(q *fifoBytes) { q.Release() }, "unreachable": func(*fifoBytes) {},
		} {
			t.Run(name, func(t *testing.T) {
				before, most := memory(t, resident), 0
				for range queues {
					q := new(fifoBytes)
					must(t, q.init(f, capacity, size))
					for range capacity {
						must(t, q.TryPut(blob))
					}
					end(q)
					most = max(most, memory(t, resident))
				}
				if name == "unreachable" { // collected, but some may not be freed yet
					eventually(func() bool { return memory(t, resident) < before+limit })
				} else if most > before+limit {
					t.Errorf("%d MiB are resident, and were %d MiB before", most>>20, before>>20)
				}
			})
		}
	})
}

// The fields of /proc/self/statm.
const virtual, resident = 0, 1

// memory returns the memory of the process, in bytes.
func memory(t *testing.T, field int) int {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[field])
	must(t, err)
	return pages * os.Getpagesize()
}

// The estimate of a queue's memory is near what the process grows by, also where the spare cells are most of
// it because few large blobs fit. Cleanups of earlier tests and the allocators may unmap memory meanwhile, so
// the median of several measurements counts.
func TestMemoryEstimate(t *testing.T) {
	const size, slack, measurements = 4 << 20, 64 << 20, 7 // the Go heap may grow, too
	one := BatchOptions{Size: 1, MaxPending: 1}
	for name, create := range map[string]func() (*base, error){
		"MPMCBytes":     func() (*base, error) { q, err := NewMPMCBytes(1, size); return &q.base, err },
		"SPSCBytes":     func() (*base, error) { q, err := NewSPSCBytes(1, size); return &q.base, err },
		"PriorityBytes": func() (*base, error) { q, err := NewPriorityBytes(1, size); return &q.base, err },
		"BatchBytes":    func() (*base, error) { q, err := NewBatchBytes(size, one); return &q.base, err },
		"DequeBytes":    func() (*base, error) { q, err := NewDequeBytes(1, size); return &q.base, err },
	} {
		var growth [measurements]int64
		var estimate int64
		for i := range growth {
			before := memory(t, virtual)
			b, err := create()
			must(t, err)
			growth[i], estimate = int64(memory(t, virtual)-before), b.handle.Load().bytes
			b.release()
		}
		slices.Sort(growth[:])
		grown := growth[measurements/2]
		if grown > 2*estimate+slack || estimate > 2*grown+slack {
			t.Errorf("%s: estimated %d bytes, the process grew by %d", name, estimate, growth)
		}
	}
}

// Goroutines that wait hold no threads, and Close ends them.
func TestWaitingHoldsNoThread(t *testing.T) {
	const waiting = 300
	goroutines, threads := runtime.NumGoroutine(), pprof.Lookup("threadcreate").Count()
	empty, full := newTyped[int](t, mpmc, 1), newTyped[int](t, mpmc, 1)
	pending := newBatch[int](t, BatchOptions{Age: forever})
	must(t, full.TryPut(1))
	must(t, pending.TryPut(1))
	var all group
	for range waiting / 3 {
		all.Go(func() { empty.Get(bg) })
		all.Go(func() { full.Put(bg, 2) })
		all.Go(func() { pending.GetBatch(bg) })
	}
	time.Sleep(50 * time.Millisecond)
	if grown := pprof.Lookup("threadcreate").Count() - threads; grown > waiting/2 {
		t.Errorf("%d threads for %d goroutines", grown, waiting)
	}
	empty.Close()
	full.Close()
	pending.Close()
	all.Wait()
	eventually(func() bool { return runtime.NumGoroutine() <= goroutines })
}
