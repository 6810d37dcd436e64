// Serves a trace of LLM requests through a pipeline of all families of queues:
//
//	frontends -> intake -> scheduler -> priority -> dispatcher -> batch -> workers -> collector
//
// Frontends put each request at the time of the trace. The scheduler orders requests, the fewest tokens first;
// the dispatcher puts them into a batching queue. Each worker pushes its batches onto a deque of its own, from
// which idle workers steal, and puts served requests into an SPSC queue to the collector. When a stage falls
// behind, its queue fills up and its producers wait: backpressure reaches the frontends, and no request is
// lost.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"examples/demo"
	"queues"
)

const (
	contextToken   = 20 * time.Microsecond // a worker's time for one token at speed 1
	generatedToken = 500 * time.Microsecond
)

var ctx = context.Background()

type worker struct {
	index   int
	deque   *queues.Deque[*request] // the requests of its batches, which other workers steal
	results *queues.SPSC[*request]  // to the collector
}

type pipeline struct {
	trace    []*request
	intake   *queues.MPMC[*request]
	priority *queues.Priority[*request]
	batch    *queues.Batch[*request]
	workers  []*worker

	batches, served atomic.Int64
	finished        atomic.Bool
	// How long puts into each stage waited for room, and gets for items, summed over all goroutines, in ns.
	room, items [stages]atomic.Int64
	samples     samples
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("serving: ")
	readOptions(os.Args[1:])
	p := newPipeline(readTrace(tracePath))
	// Check before the run, which may take long.
	if jsonPath != "" {
		demo.MustBeWritable(jsonPath)
	}
	if pagePath != "" {
		demo.CheckPage(pagePath)
	}
	before := costNow()
	start := time.Now()
	p.run(start)
	report := newReport(p, start, time.Now(), costNow().since(before))
	report.print()
	report.write()
	if !report.nothingLost() {
		log.Fatalf("%d requests of the trace, %d served; see the table", report.Requests, report.Served)
	}
	mustBePrinted()
}

func newPipeline(trace []*request) *pipeline {
	p := &pipeline{
		trace:    trace,
		intake:   demo.Must(queues.NewMPMC[*request](options.Capacity)),
		priority: demo.Must(queues.NewPriority[*request](options.Capacity)),
		batch: demo.Must(queues.NewBatch[*request](queues.BatchOptions{
			Size: options.BatchSize, MaxPending: options.BatchSize, Weight: uint64(options.BatchTokens),
			Age: time.Duration(options.LingerMS) * time.Millisecond,
		})),
		samples: samples{interval: time.Millisecond},
	}
	for i := range options.Workers {
		p.workers = append(p.workers, &worker{
			index:   i,
			deque:   demo.Must(queues.NewDeque[*request](options.BatchSize)),
			results: demo.Must(queues.NewSPSC[*request](options.Capacity)),
		})
	}
	return p
}

// run returns when every request has been served.
func (p *pipeline) run(start time.Time) {
	for _, r := range p.trace {
		r.at[frontendStage] = start.Add(atSpeed(r.Recorded.Sub(p.trace[0].Recorded)))
	}
	var frontends, others sync.WaitGroup
	spawn := func(group *sync.WaitGroup, run func()) {
		group.Add(1)
		go func() {
			defer group.Done()
			run()
		}()
	}
	spawn(&others, p.schedule)
	spawn(&others, p.dispatch)
	for _, w := range p.workers {
		spawn(&others, func() { p.work(w) })
	}
	spawn(&others, p.collect)
	for i := range options.Frontends {
		spawn(&frontends, func() { p.bring(i) })
	}
	var watching sync.WaitGroup
	spawn(&watching, p.watch)

	frontends.Wait()
	p.intake.Close() // each stage closes the next one
	others.Wait()
	p.finished.Store(true)
	watching.Wait()
}

// timed calls wait and adds its time. The goroutines try without waiting first, so that nothing else is counted.
func timed(sum *atomic.Int64, wait func()) {
	since := time.Now()
	wait()
	sum.Add(int64(time.Since(since)))
}

// offer stamps a request and puts it into a stage, which owns it afterwards.
func (p *pipeline) offer(r *request, stage int, try, put func() error) {
	r.at[stage] = time.Now()
	err := try()
	if errors.Is(err, queues.ErrFull) {
		timed(&p.room[stage], func() { err = put() })
	}
	demo.Check(err)
}

// nextOf returns the next request of a stage, or false when its queue is closed and drained.
func (p *pipeline) nextOf(stage int, try, get func() (*request, error)) (*request, bool) {
	r, err := try()
	if errors.Is(err, queues.ErrEmpty) {
		timed(&p.items[stage], func() { r, err = get() })
	}
	if errors.Is(err, queues.ErrClosed) {
		return nil, false
	}
	demo.Check(err)
	return r, true
}

// bring is frontend number first of n: it puts the request number first and every n-th request after it.
func (p *pipeline) bring(first int) {
	for i := first; i < len(p.trace); i += options.Frontends {
		r := p.trace[i]
		time.Sleep(time.Until(r.at[frontendStage]))
		p.offer(r, intakeStage,
			func() error { return p.intake.TryPut(r) },
			func() error { return p.intake.Put(ctx, r) })
	}
}

// schedule orders requests by tokens, so that short requests do not wait for long ones.
func (p *pipeline) schedule() {
	get := func() (*request, error) { return p.intake.Get(ctx) }
	for r, ok := p.nextOf(intakeStage, p.intake.TryGet, get); ok; r, ok = p.nextOf(intakeStage, p.intake.TryGet, get) {
		tokens := float64(r.tokens())
		p.offer(r, priorityStage,
			func() error { return p.priority.TryPut(r, tokens) },
			func() error { return p.priority.Put(ctx, r, tokens) })
	}
	p.priority.Close()
}

// dispatch fills the batching queue, which holds one batch, so that requests wait where they are ordered.
func (p *pipeline) dispatch() {
	try := func() (*request, error) { r, _, err := p.priority.TryGet(); return r, err }
	get := func() (*request, error) { r, _, err := p.priority.Get(ctx); return r, err }
	for r, ok := p.nextOf(priorityStage, try, get); ok; r, ok = p.nextOf(priorityStage, try, get) {
		tokens := uint64(r.tokens())
		p.offer(r, batchStage,
			func() error { return p.batch.TryPutWeighted(r, tokens) },
			func() error { return p.batch.PutWeighted(ctx, r, tokens) })
	}
	p.batch.Close()
}

// unpack pushes a batch onto the worker's own deque, the longest request first: the owner pops the shortest,
// and a thief steals the longest, which is most worth the cost of a steal.
func (p *pipeline) unpack(w *worker, batch []*request) {
	number := int(p.batches.Add(1)) - 1
	for _, r := range slices.Backward(batch) {
		r.batch, r.owner = number, w.index
		r.at[dequeStage] = time.Now()
		demo.Check(w.deque.Push(r))
	}
}

func (p *pipeline) steal(thief *worker) (*request, bool) {
	for i := 1; i < len(p.workers); i++ {
		victim := p.workers[(thief.index+i)%len(p.workers)].deque.Stealer()
		r, err := victim.Steal()
		for errors.Is(err, queues.ErrRetry) { // another worker took the request; there may be more
			r, err = victim.Steal()
		}
		if err == nil {
			return r, true
		}
	}
	return nil, false
}

// next returns a worker's next request: from its own deque, from a batch that is due, or from another worker.
// It returns false when the batching queue is closed and drained: the worker's own deque is empty then, and the
// worker that got the last batch serves it.
func (p *pipeline) next(w *worker) (*request, bool) {
	for {
		if r, err := w.deque.Pop(); err == nil {
			return r, true
		}
		batch, err := p.batch.TryGetBatch()
		if err == nil {
			p.unpack(w, batch)
			continue
		}
		ended := errors.Is(err, queues.ErrClosed) // closed and drained
		if r, found := p.steal(w); found {
			return r, true
		}
		if ended {
			return nil, false
		}
		// It waits for a batch, but not for long: there may be something to steal again.
		shortly, cancel := context.WithTimeout(ctx, time.Duration(options.LingerMS)*time.Millisecond)
		timed(&p.items[batchStage], func() { batch, err = p.batch.GetBatch(shortly) })
		if err == nil {
			p.unpack(w, batch)
		}
		cancel()
	}
}

func (p *pipeline) work(w *worker) {
	for r, found := p.next(w); found; r, found = p.next(w) {
		work := time.Duration(r.Context)*contextToken + time.Duration(r.Generated)*generatedToken
		r.at[workStage] = time.Now()
		for until := r.at[workStage].Add(atSpeed(work)); time.Now().Before(until); {
			runtime.Gosched() // other goroutines run while this one simulates work
		}
		r.worker = w.index
		p.offer(r, resultStage,
			func() error { return w.results.TryPut(r) },
			func() error { return w.results.Put(ctx, r) })
	}
	w.results.Close()
}

// collect polls the workers' queues until all are closed and empty.
func (p *pipeline) collect() {
	for closed := 0; closed < len(p.workers); time.Sleep(time.Millisecond) {
		closed = 0
		for _, w := range p.workers {
			r, err := w.results.TryGet()
			for ; err == nil; r, err = w.results.TryGet() {
				if !r.at[stages].IsZero() {
					log.Fatalf("the request due at %v was served twice", r.at[frontendStage])
				}
				r.at[stages] = time.Now()
				p.served.Add(1)
			}
			if errors.Is(err, queues.ErrClosed) { // closed and drained
				closed++
			}
		}
	}
}

func (p *pipeline) measure() sample {
	s := sample{at: time.Now()}
	s.depth[intakeStage] = p.intake.Len()
	s.depth[priorityStage] = p.priority.Len()
	s.depth[batchStage] = p.batch.Len()
	for _, w := range p.workers {
		s.depth[dequeStage] += w.deque.Len()
		s.depth[resultStage] += w.results.Len()
	}
	return s
}

// watch samples how many items the queues hold, and prints that at intervals.
func (p *pipeline) watch() {
	interval, before, after := time.Second, "", "\n"
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 { // a terminal
		interval, before, after = time.Second/10, "\r", "\033[K"
		defer fmt.Fprint(os.Stderr, "\r\033[K")
	}
	next := time.Now().Add(interval)
	for !p.finished.Load() {
		s := p.measure()
		p.samples.add(s)
		if s.at.After(next) {
			next = next.Add(interval)
			fmt.Fprintf(os.Stderr, "%s%d of %d served; waiting in intake %d, priority %d, batch %d, deques %d, results %d%s",
				before, p.served.Load(), len(p.trace), s.depth[intakeStage], s.depth[priorityStage],
				s.depth[batchStage], s.depth[dequeStage], s.depth[resultStage], after)
		}
		time.Sleep(time.Until(s.at.Add(p.samples.interval)))
	}
}
