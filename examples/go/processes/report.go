package main

import (
	"encoding/json"
	"fmt"
	"time"

	"examples/demo"
	"queues"
)

// A report is the input of the tool `report`; see its src/processes.rs.
type report struct {
	Format      int          `json:"format"`
	Kind        string       `json:"kind"`
	Library     string       `json:"library"`
	Machine     demo.Machine `json:"machine"`
	Date        string       `json:"date"`
	Trace       string       `json:"trace"`
	Parameters  parameters   `json:"parameters"`
	Requests    int          `json:"requests"`
	Served      int          `json:"served"`
	Twice       int          `json:"answered_twice"`
	Redelivered int          `json:"redelivered"`
	Killed      int          `json:"killed"`
	Recovered   uint64       `json:"recovered"`
	Seconds     float64      `json:"seconds"`
	Total       demo.Times   `json:"total"`
	Workers     []lifeReport `json:"workers"`
	Answers     [][3]int64   `json:"answers"` // when, how long after it was due, in ns; how often workers began it
}

type lifeReport struct {
	Place  int   `json:"place"`
	Start  int64 `json:"start_ns"`
	End    int64 `json:"end_ns"`
	Killed bool  `json:"killed"`
}

// report prints how the requests and the workers ended, and draws that if the options name a page. It returns the
// number of requests that have an answer.
func (r *run) report() (served int) {
	since := func(t time.Time) int64 { return max(0, int64(t.Sub(r.start))) } // workers start before
	record := report{
		Format: 2, Kind: "processes", Library: queues.Version(), Machine: demo.ThisMachine(),
		Date: r.start.UTC().Format("2006-01-02 15:04 UTC"), Trace: tracePath, Parameters: options,
		Requests: len(r.trace), Twice: r.twice, Killed: r.workers.killed(), Recovered: r.recovered,
		Seconds: r.end.Sub(r.start).Seconds(), Answers: [][3]int64{},
	}
	var times []int
	for _, each := range r.trace {
		if each.answered.IsZero() {
			continue
		}
		took := each.answered.Sub(each.due)
		times = append(times, int(took))
		record.Answers = append(record.Answers, [3]int64{since(each.answered), int64(took), int64(each.leases)})
		if each.leases > 1 {
			record.Redelivered++
		}
	}
	record.Served = len(times)
	record.Total = demo.TimesOf(times)
	for _, each := range r.workers.lives {
		record.Workers = append(record.Workers, lifeReport{each.place, since(each.start), since(each.end), each.killed})
	}
	milliseconds := func(ns int) float64 { return float64(ns) / 1e6 }
	fmt.Printf("workers     %d processes at a time, %d killed\n", options.Workers, record.Killed)
	fmt.Printf("requests    %d in, %d out, in %.2f s: %.1f a second\n",
		len(r.trace), record.Served, record.Seconds, float64(record.Served)/record.Seconds)
	fmt.Printf("redelivered %d, because the worker that had them died\n", record.Redelivered)
	fmt.Printf("twice       %d answered once more; the second answer was ignored\n", r.twice)
	fmt.Printf("cells       %d recovered from dead workers\n", r.recovered)
	fmt.Printf("latency     p50 %.3f ms, p99 %.3f ms, max %.3f ms\n",
		milliseconds(record.Total.P50), milliseconds(record.Total.P99), milliseconds(record.Total.Max))
	if pagePath != "" {
		demo.DrawPage(demo.Must(json.Marshal(record)), pagePath)
	}
	return record.Served
}
