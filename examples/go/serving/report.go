package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"syscall"
	"time"

	"examples/demo"
	"queues"
)

// A sample is how many items the queues held at a time.
type sample struct {
	at    time.Time
	depth [stages]int
}

// samples keep at most 2048 samples: when there are more, every other one is dropped and the interval doubles.
type samples struct {
	taken    []sample
	interval time.Duration
}

func (s *samples) add(next sample) {
	const most = 2048
	if len(s.taken) == most {
		for i := range most / 2 {
			s.taken[i] = s.taken[2*i]
		}
		s.taken = s.taken[:most/2]
		s.interval *= 2
	}
	s.taken = append(s.taken, next)
}

// A queueReport has the sums over the queues of a stage, which have the same capacity.
type queueReport struct {
	Queues        int           `json:"queues"`
	Capacity      uint64        `json:"capacity"` // of each
	Peak          uint64        `json:"peak"`     // the largest of them
	FailedEnqueue uint64        `json:"failed_enqueue"`
	FailedDequeue uint64        `json:"failed_dequeue"`
	Stolen        uint64        `json:"stolen"`
	Room          time.Duration `json:"room_ns"`  // that puts waited for room
	Items         time.Duration `json:"items_ns"` // that gets waited for items
}

type stageReport struct {
	Name  string       `json:"name"`
	Kind  string       `json:"kind"`
	In    uint64       `json:"in"`
	Out   uint64       `json:"out"`
	Queue *queueReport `json:"queue,omitempty"`
	Wait  demo.Times   `json:"wait"`
}

type depthReport struct {
	Name  string `json:"name"`
	Items []int  `json:"items"`
}

type workerReport struct {
	Served int `json:"served"`
	Stolen int `json:"stolen"`
}

// A cost is what a run costs the machine.
type cost struct {
	CPU      time.Duration `json:"cpu_ns"`
	Switches int64         `json:"switches"` // times that a thread gave up its processor to wait
}

func costNow() cost {
	var u syscall.Rusage
	demo.Check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return cost{time.Duration(u.Utime.Nano() + u.Stime.Nano()), int64(u.Nvcsw)}
}

func (c cost) since(before cost) cost { return cost{c.CPU - before.CPU, c.Switches - before.Switches} }

// A report is the input of the tool `report`; see its src/run.rs.
type report struct {
	Format     int           `json:"format"`
	Program    string        `json:"program"`
	Queues     string        `json:"queues"`
	Library    string        `json:"library"`
	Machine    demo.Machine  `json:"machine"`
	Date       string        `json:"date"`
	Trace      string        `json:"trace"`
	Parameters parameters    `json:"parameters"`
	Requests   int           `json:"requests"`
	Served     int           `json:"served"`
	Seconds    float64       `json:"seconds"`
	Cost       cost          `json:"cost"`
	Stages     []stageReport `json:"stages"`
	Total      demo.Times    `json:"total"`
	Depth      struct {
		Times  []float64     `json:"t_ms"`
		Stages []depthReport `json:"stages"`
	} `json:"depth"`
	Batches struct {
		Sizes  [][2]int `json:"sizes"`
		Tokens [][2]int `json:"tokens"`
	} `json:"batches"`
	Workers []workerReport `json:"workers"`

	sizes, tokens []int // of the batches, in ascending order
}

// newReport summarizes the requests, the samples and the statistics of the queues.
func newReport(p *pipeline, start, end time.Time, spent cost) *report {
	r := &report{
		Format: 2, Program: "Serving demo, in Go", Queues: "libqueues", Library: queues.Version(),
		Machine: demo.ThisMachine(), Date: time.Now().UTC().Format("2006-01-02 15:04 UTC"), Cost: spent,
		Trace: tracePath, Parameters: options,
		Requests: len(p.trace), Served: int(p.served.Load()), Seconds: end.Sub(start).Seconds(),
		Total:   p.times(frontendStage, stages),
		Workers: make([]workerReport, options.Workers),
		sizes:   make([]int, p.batches.Load()),
		tokens:  make([]int, p.batches.Load()),
	}
	stage := func(name, kind string, id int, stats ...queues.Stats) {
		s := stageReport{Name: name, Kind: kind, Wait: p.times(id, id+1)}
		if len(stats) == 0 {
			for _, request := range p.trace {
				s.In += count(!request.at[id].IsZero())
				s.Out += count(!request.at[id+1].IsZero())
			}
		} else {
			s.Queue = &queueReport{
				Queues: len(stats),
				Room:   time.Duration(p.room[id].Load()), Items: time.Duration(p.items[id].Load()),
			}
		}
		for _, one := range stats {
			s.In += one.Enqueued
			s.Out += one.Dequeued
			s.Queue.Capacity = one.Capacity
			s.Queue.Peak = max(s.Queue.Peak, one.PeakSize)
			s.Queue.FailedEnqueue += one.FailedEnqueue
			s.Queue.FailedDequeue += one.FailedDequeue
			s.Queue.Stolen += one.Stolen
		}
		r.Stages = append(r.Stages, s)
		if s.Queue != nil {
			depth := depthReport{Name: name}
			for _, sample := range p.samples.taken {
				depth.Items = append(depth.Items, sample.depth[id])
			}
			r.Depth.Stages = append(r.Depth.Stages, depth)
		}
	}
	var deques, results []queues.Stats
	for _, w := range p.workers {
		deques = append(deques, w.deque.Stats())
		results = append(results, w.results.Stats())
	}
	stage("frontends", "threads", frontendStage)
	stage("intake", "mpmc", intakeStage, p.intake.Stats())
	stage("priority", "priority", priorityStage, p.priority.Stats())
	stage("batch", "batch", batchStage, p.batch.Stats())
	stage("deques", "deque", dequeStage, deques...)
	stage("work", "threads", workStage)
	stage("results", "spsc", resultStage, results...)

	for _, sample := range p.samples.taken {
		r.Depth.Times = append(r.Depth.Times, sample.at.Sub(start).Seconds()*1e3)
	}
	for _, request := range p.trace {
		if !request.at[dequeStage].IsZero() {
			r.sizes[request.batch]++
			r.tokens[request.batch] += request.tokens()
		}
		if !request.at[resultStage].IsZero() {
			r.Workers[request.worker].Served++
			r.Workers[request.worker].Stolen += int(count(request.owner != request.worker))
		}
	}
	slices.Sort(r.sizes)
	slices.Sort(r.tokens)
	r.Batches.Sizes = demo.Histogram(r.sizes, 1, 0)
	r.Batches.Tokens = demo.Histogram(r.tokens, 16, demo.FourthOfAnOctave)
	return r
}

func count(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}

// times returns how long the requests took from one stage to another.
func (p *pipeline) times(from, to int) demo.Times {
	var sample []int
	for _, r := range p.trace {
		if !r.at[to].IsZero() {
			sample = append(sample, int(r.at[to].Sub(r.at[from])))
		}
	}
	return demo.TimesOf(sample)
}

// nothingLost reports whether every request went through every stage and was served.
func (r *report) nothingLost() bool {
	for _, s := range r.Stages {
		if s.In != uint64(r.Requests) || s.Out != uint64(r.Requests) {
			return false
		}
	}
	return r.Served == r.Requests
}

func (r *report) print() {
	fmt.Fprintln(out, "stage      kind      queues capacity       in      out     peak    full s   empty s"+
		"     p50 ms     p99 ms     max ms")
	for _, s := range r.Stages {
		fmt.Fprintf(out, "%-10s %-9s", s.Name, s.Kind)
		if q := s.Queue; q != nil {
			fmt.Fprintf(out, "%7d%9d%9d%9d%9d%10.3f%10.3f", q.Queues, q.Capacity, s.In, s.Out, q.Peak,
				q.Room.Seconds(), q.Items.Seconds())
		} else {
			fmt.Fprintf(out, "%25d%9d%29s", s.In, s.Out, "")
		}
		printTimes(s.Wait)
	}
	fmt.Fprintf(out, "%-74s", "total")
	printTimes(r.Total)
	fmt.Fprintf(out, "batches   %d", len(r.sizes))
	for _, of := range []struct {
		unit string
		sums []int
	}{{"requests", r.sizes}, {"tokens", r.tokens}} {
		fmt.Fprintf(out, "; %s p50 %d, p99 %d, max %d", of.unit,
			demo.Percentile(of.sums, 50), demo.Percentile(of.sums, 99), demo.Percentile(of.sums, 100))
	}
	fmt.Fprintf(out, "\nsteals    %d\n", r.Stages[dequeStage].Queue.Stolen)
	fmt.Fprintf(out, "requests  %d in, %d out, in %.2f s: %.1f a second\n",
		r.Stages[intakeStage].In, r.Served, r.Seconds, float64(r.Served)/r.Seconds)
	out.Flush() // --json may be the same file; mustBePrinted reports an error
}

func printTimes(t demo.Times) {
	for _, ns := range []int{t.P50, t.P99, t.Max} {
		fmt.Fprintf(out, "%11.3f", float64(ns)/1e6)
	}
	fmt.Fprintln(out)
}

// write writes the report as JSON and as a page, if the options name files for them.
func (r *report) write() {
	text := append(demo.Must(json.Marshal(r)), '\n')
	if jsonPath != "" {
		demo.WriteFile(jsonPath, text)
	}
	if pagePath != "" {
		demo.DrawPage(text, pagePath)
	}
}
