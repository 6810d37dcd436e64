// Command versus-go runs the contestants of Go, by the protocol of ../README.md.
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

// A contestant is a queue, and what is done with it in which cases.
type contestant struct {
	Name     string   `json:"name"`
	Language string   `json:"language"`
	Version  string   `json:"version"`
	Ours     bool     `json:"ours"`
	Cases    []string `json:"cases"`
	run      func(caseSpec) measurement
}

// A caseSpec is a case, taken apart: family/shape/mode/capacity/payload.
type caseSpec struct {
	family, shape, mode string
	capacity            int
	number              int  // of the shape: pairs of producers and consumers, threads
	alternates          bool // each goroutine puts and gets in turn
	bulk                int  // of bulk32, else 0
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
	// What Go programs use otherwise, for any number at both ends.
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
	flags.SetOutput(io.Discard) // it would say more than what is wrong
	name := flags.String("contestant", "", "whose turn it is")
	text := flags.String("case", "", "family/shape/mode/capacity/payload")
	items := flags.Int("items", 0, "how many go through")
	flags.Float64("seconds", 0, "for the driver to see to")
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
			line, _ := json.Marshal(c.run(parse(*text, *items)))
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

// matches tells whether a case is what a pattern says: * is any segment, and those left out match everything.
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

func parse(text string, items int) caseSpec {
	segments := strings.Split(text, "/")
	s := caseSpec{family: segments[0], shape: segments[1], mode: segments[2], items: items}
	s.capacity = numberIn(segments[3], 0)
	s.alternates = s.shape == "pair"
	s.number = numberIn(s.shape, 1)
	s.bulk = numberIn(s.mode, 0)
	return s
}

// numberIn returns the number in a segment: 32 of bulk32, 4 of 4P4C.
func numberIn(segment string, without int) int {
	start := strings.IndexAny(segment, "0123456789")
	if start < 0 {
		return without
	}
	digits := segment[start:]
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	n, _ := strconv.Atoi(digits)
	return n
}

func fail(code int, format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(code)
}

func verify(holds bool, format string, arguments ...any) {
	if !holds {
		fail(3, format, arguments...)
	}
}
