// Command versus-go is the program in Go of the comparison: it implements the protocol of
// ../README.md, which lists the contestants and runs one trial of one of them.
//
// A contestant is a queue; a case is what is measured; a workload is what a trial does to the
// queue; a measurement is what the trial prints. (case is a keyword, so a parsed case is a
// caseSpec.)
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"queues"
)

// A contestant is a queue with the cases that it supports and the workload that runs them.
type contestant struct {
	Name     string   `json:"name"`
	Language string   `json:"language"`
	Version  string   `json:"version"`
	Ours     bool     `json:"ours"`
	Cases    []string `json:"cases"`
	workload func(caseSpec) measurement
}

// A caseSpec is a case by its segments, family/shape/mode/capacity/payload, and the items of the
// trial.
type caseSpec struct {
	family, shape, mode string
	capacity            int
	number              int  // in the shape: producers, as many as consumers except in mpmc, or threads
	consumers           int  // 4 in 1P4C
	alternates          bool // shape pair: each goroutine puts and gets in turn
	bulk                int  // 32 in bulk32, else 0
	items               int
}

// A measurement is the line that a trial prints.
type measurement struct {
	Items      int            `json:"items"`
	Seconds    float64        `json:"seconds"`
	Latency    map[string]int `json:"latency_ns,omitempty"`
	Shares     []int          `json:"shares,omitempty"`
	Starvation int            `json:"longest_starvation_ns,omitempty"`
	Bytes      int            `json:"bytes,omitempty"`
}

var contestants = func() []contestant {
	spscCases := []string{
		"spsc/1P1C/single/*/ptr", "spsc/1P1C/bulk8/*/ptr", "spsc/1P1C/bulk32/*/ptr", "spsc/1P1C/bulk256/*/ptr",
		"spsc/1P1C/blocking/*/ptr", "pingpong/1P1C", "latency/1P1C", "memory",
	}
	mpmcCases := []string{
		"mpmc/*/single/*/ptr", "mpmc/*/bulk32/*/ptr", "mpmc/*/blocking/*/ptr", "pingpong/1P1C", "latency",
		"fairness", "memory",
	}
	// Channels and locks take any number of producers and consumers.
	anyCases := append(spscCases[:5:5], mpmcCases...)
	ours, others := queues.Version(), strings.TrimPrefix(runtime.Version(), "go")
	return []contestant{
		{"queues.SPSC", "Go", ours, true, spscCases, fifo(newSPSC)},
		{"queues.MPMC", "Go", ours, true, mpmcCases, fifo(newMPMC)},
		{"queues.Priority", "Go", ours, true, []string{"priority"}, priority(newPriority)},
		{"queues.Deque", "Go", ours, true, []string{"deque"}, deque(newDeque)},
		{"Go channel", "Go", others, false, anyCases, fifo(newChannel)},
		{"sync.Mutex + slice", "Go", others, false, anyCases, fifo(newLockedSlice)},
		{"sync.Mutex + container/heap", "Go", others, false, []string{"priority"}, priority(newLockedHeap)},
	}
}()

func main() {
	if len(os.Args) == 2 && os.Args[1] == "list" {
		encoder := json.NewEncoder(os.Stdout)
		for _, c := range contestants {
			encoder.Encode(c)
		}
		return
	}
	if len(os.Args) < 2 || os.Args[1] != "run" {
		fail(2, "usage: versus-go list | versus-go run --contestant NAME --case CASE --items N")
	}
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the flag package would print the usage after the error
	name := flags.String("contestant", "", "the name of the contestant")
	text := flags.String("case", "", "family/shape/mode/capacity/payload")
	items := flags.Int("items", 0, "items of the trial")
	flags.Float64("seconds", 0, "ignored; the driver limits the time")
	if err := flags.Parse(os.Args[2:]); err != nil {
		fail(2, "%s", strings.Trim(strconv.Quote(err.Error()), `"`))
	}
	if flags.NArg() > 0 {
		fail(2, "expected options only, found %q", flags.Arg(0))
	}
	if *items < 1 || *items > 999999999999 {
		fail(2, "--items: expected a number from 1 to 999999999999, found \"%d\"", *items)
	}
	c := find(*name)
	for _, pattern := range c.Cases {
		if matches(*text, pattern) {
			line, _ := json.Marshal(c.workload(parse(*text, *items)))
			fmt.Println(string(line))
			return
		}
	}
	fail(2, "this contestant does not run %q; `list` shows its cases", *text)
}

func find(name string) contestant {
	for _, c := range contestants {
		if c.Name == name {
			return c
		}
	}
	fail(2, "no contestant %q; `list` shows them", name)
	panic("unreachable")
}

// matches reports whether a pattern covers a case: each segment is a word or *, and segments left
// out match everything.
func matches(text, pattern string) bool {
	segments := strings.Split(text, "/")
	patterns := strings.Split(pattern, "/")
	if len(segments) != 5 || len(patterns) > 5 {
		return false
	}
	for i, p := range patterns {
		if p != "*" && p != segments[i] {
			return false
		}
	}
	return true
}

// parse returns the segments of a case that matches accepted.
func parse(text string, items int) caseSpec {
	segments := strings.Split(text, "/")
	s := caseSpec{family: segments[0], shape: segments[1], mode: segments[2], items: items}
	s.capacity = numberIn(segments[3], 0)
	s.alternates = s.shape == "pair"
	s.number = numberIn(s.shape, 1)
	_, consumers, _ := strings.Cut(s.shape, "P")
	s.consumers = numberIn(consumers, 1)
	s.bulk = numberIn(s.mode, 0)
	return s
}

// numberIn returns the number in a segment, 32 in bulk32 and 4 in 4P4C, or fallback if there is
// none.
func numberIn(segment string, fallback int) int {
	start := strings.IndexAny(segment, "0123456789")
	if start < 0 {
		return fallback
	}
	digits := segment[start:]
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	n, _ := strconv.Atoi(digits)
	return n
}

// fail prints an error in one line and ends the program.
func fail(code int, format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(code)
}

// verify ends the program with exit code 3 unless the queue was correct.
func verify(holds bool, format string, arguments ...any) {
	if !holds {
		fail(3, format, arguments...)
	}
}
