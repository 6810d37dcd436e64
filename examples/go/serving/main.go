// Serves a trace of LLM requests through a pipeline of all kinds of queues:
//
//	frontends -> intake -> scheduler -> priority -> dispatcher -> batch -> workers -> collector
//
// Frontends bring the requests when they are due. The scheduler orders them, the one with the fewest
// tokens first; the dispatcher makes batches of them. Each worker takes batches onto a deque of its own,
// where idle workers steal, and hands what it served to the collector over an SPSC queue. A stage that
// falls behind fills its queue, and its producers block: pressure goes back to the frontends, and nothing
// is lost.
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

	"queues"
)

const (
	contextToken   = 20 * time.Microsecond // a worker's time at speed 1
	generatedToken = 500 * time.Microsecond
)

var ctx = context.Background()

type worker struct {
	index   int
	deque   *queues.Deque[*request] // the requests of its batches; the others steal here
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
	put             [stages]atomic.Int64 // how long the puts into each stage took
	samples         samples
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("serving: ")
	readOptions(os.Args[1:])
	p := newPipeline(readTrace(tracePath))
	// Before the run, which may take long, and not after it.
	if jsonPath != "" {
		mustBeWritable(jsonPath)
	}
	if pagePath != "" {
		checkReport()
	}
	start := time.Now()
	p.run(start)
	report := newReport(p, start, time.Now())
	report.print()
	report.write()
	if !report.nothingLost() {
		log.Fatalf("%d requests of the trace, %d served; see the table", report.Requests, report.Served)
	}
}

func newPipeline(trace []*request) *pipeline {
	p := &pipeline{
		trace:    trace,
		intake:   must(queues.NewMPMC[*request](options.Capacity)),
		priority: must(queues.NewPriority[*request](options.Capacity)),
		batch: must(queues.NewBatch[*request](queues.BatchOptions{
			Size: options.BatchSize, MaxPending: options.BatchSize, Weight: uint64(options.BatchTokens),
			Age: time.Duration(options.LingerMS) * time.Millisecond,
		})),
		samples: samples{interval: time.Millisecond},
	}
	for i := range options.Workers {
		p.workers = append(p.workers, &worker{
			index:   i,
			deque:   must(queues.NewDeque[*request](options.BatchSize)),
			results: must(queues.NewSPSC[*request](options.Capacity)),
		})
	}
	return p
}

// run returns when everything that came in is out.
func (p *pipeline) run(start time.Time) {
	for _, r := range p.trace {
		r.at[frontendStage] = start.Add(atSpeed(r.recorded.Sub(p.trace[0].recorded)))
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
	p.intake.Close() // the others follow suit
	others.Wait()
	p.finished.Store(true)
	watching.Wait()
}

// offer stamps a request and puts it: afterwards it is no longer ours.
func (p *pipeline) offer(r *request, stage int, put func(r *request) error) {
	since := time.Now()
	r.at[stage] = since
	check(put(r))
	p.put[stage].Add(int64(time.Since(since)))
}

// bring puts the first and every n-th request after it, for the requests are dealt to n frontends in turn.
func (p *pipeline) bring(first int) {
	for i := first; i < len(p.trace); i += options.Frontends {
		r := p.trace[i]
		time.Sleep(time.Until(r.at[frontendStage]))
		p.offer(r, intakeStage, func(r *request) error { return p.intake.Put(ctx, r) })
	}
}

// schedule lets short requests go first: nobody with little to ask waits for those who ask much.
func (p *pipeline) schedule() {
	for r := range p.intake.All(ctx) {
		tokens := float64(r.tokens())
		p.offer(r, priorityStage, func(r *request) error { return p.priority.Put(ctx, r, tokens) })
	}
	p.priority.Close()
}

// dispatch lets only one batch be pending, so that requests wait where they are ordered.
func (p *pipeline) dispatch() {
	for r := range p.priority.All(ctx) {
		tokens := uint64(r.tokens())
		p.offer(r, batchStage, func(r *request) error { return p.batch.PutWeighted(ctx, r, tokens) })
	}
	p.batch.Close()
}

// unpack moves a batch onto the worker's own deque, the longest request first: the owner pops the
// shortest, and a thief gets the longest, for which its trouble pays.
func (p *pipeline) unpack(w *worker, batch []*request) {
	number := int(p.batches.Add(1)) - 1
	for _, r := range slices.Backward(batch) {
		r.batch, r.owner = number, w.index
		p.offer(r, dequeStage, w.deque.Push)
	}
}

func (p *pipeline) steal(thief *worker) (*request, bool) {
	for i := 1; i < len(p.workers); i++ {
		victim := p.workers[(thief.index+i)%len(p.workers)].deque.Stealer()
		r, err := victim.Steal()
		for errors.Is(err, queues.ErrRetry) { // a lost race says that there may be more
			r, err = victim.Steal()
		}
		if err == nil {
			return r, true
		}
	}
	return nil, false
}

// next finds a worker's next request: of its own, of a batch that is due, or of another worker. It ends
// when the batches have: its own deque is empty then, and whoever took the last batch works that off.
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
		ended := errors.Is(err, queues.ErrClosed) // and drained
		if r, found := p.steal(w); found {
			return r, true
		}
		if ended {
			return nil, false
		}
		// Now and then it looks again whether there is something to steal.
		patience, cancel := context.WithTimeout(ctx, time.Duration(options.LingerMS)*time.Millisecond)
		if batch, err := p.batch.GetBatch(patience); err == nil {
			p.unpack(w, batch)
		}
		cancel()
	}
}

func (p *pipeline) work(w *worker) {
	for r, found := p.next(w); found; r, found = p.next(w) {
		work := time.Duration(r.context)*contextToken + time.Duration(r.generated)*generatedToken
		r.at[workStage] = time.Now()
		for until := r.at[workStage].Add(atSpeed(work)); time.Now().Before(until); {
			runtime.Gosched() // a goroutine that only burns time would keep the others waiting
		}
		r.worker = w.index
		p.offer(r, resultStage, func(r *request) error { return w.results.Put(ctx, r) })
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
			if errors.Is(err, queues.ErrClosed) { // and drained
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

// watch records how deep the queues are, and shows it from time to time.
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

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
