package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"examples/demo"
)

// parameters are the options of a run; the tags are for its report.
type parameters struct {
	Speed       float64 `json:"speed"`
	Frontends   int     `json:"frontends"`
	Workers     int     `json:"workers"`
	Capacity    int     `json:"capacity"`
	BatchSize   int     `json:"batch_size"`
	BatchTokens int     `json:"batch_tokens"`
	LingerMS    int     `json:"linger_ms"`
}

var (
	options = parameters{
		Speed: 4, Frontends: 2, Workers: 2, Capacity: 256, BatchSize: 8, BatchTokens: 8192, LingerMS: 20,
	}
	jsonPath, pagePath, tracePath string
)

// out is standard output.
var out = bufio.NewWriter(os.Stdout)

// mustBePrinted ends the program if something that was printed is lost, as on a full disk.
func mustBePrinted() {
	if out.Flush() != nil {
		demo.BadInput("standard output cannot be written")
	}
}

func readNumber(text string, largest int) (int, bool) {
	number, err := strconv.Atoi(text)
	return number, strings.Trim(text, "0123456789") == "" && err == nil && number >= 1 && number <= largest
}

func readOptions(args []string) {
	numbers := []struct {
		name, meaning string
		value         *int
		largest       int
	}{
		{"--frontends", "threads that bring requests", &options.Frontends, 1000},
		{"--workers", "threads that serve them", &options.Workers, 1000},
		{"--capacity", "requests that fit into intake, priority, and each result queue", &options.Capacity, 1e6},
		{"--batch-size", "requests that make a batch due", &options.BatchSize, 1000},
		{"--batch-tokens", "tokens that make a batch due", &options.BatchTokens, 1e9},
		{"--linger-ms", "milliseconds after which a request makes its batch due", &options.LingerMS, 60000},
	}
	paths, onlyPaths := 0, false
options:
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case onlyPaths || len(arg) < 2 || arg[0] != '-':
			tracePath = arg
			paths++
			continue
		case arg == "--":
			onlyPaths = true
			continue
		case arg == "--help":
			fmt.Fprint(out, "usage: serving [OPTION...] TRACE.csv\n",
				"Replays a trace of LLM requests through a pipeline of queues.\n\n",
				"  --speed         times faster than recorded: any number above 0, default 4\n")
			for _, n := range numbers {
				fmt.Fprintf(out, "  %-15s %s: 1 to %d, default %d\n", n.name, n.meaning, n.largest, *n.value)
			}
			fmt.Fprint(out, "  --json          a file for the figures of the run\n",
				"  --report        a file for a page with plots of it; needs `make report`\n")
			mustBePrinted()
			os.Exit(0)
		}
		// --name=value or --name value
		name, value, whole := strings.Cut(args[i], "=")
		if !whole && i+1 < len(args) {
			i++
			value = args[i]
		}
		for _, n := range numbers {
			if n.name == name {
				ok := false
				if *n.value, ok = readNumber(value, n.largest); !ok {
					demo.BadInput("%s: expected a number from 1 to %d, %s", name, n.largest, demo.Found(value))
				}
				continue options
			}
		}
		switch name {
		case "--speed":
			ok := false
			if options.Speed, ok = demo.ReadSpeed(value); !ok {
				demo.BadInput("%s: expected a number above 0, %s", name, demo.Found(value))
			}
			continue options
		case "--json":
			jsonPath = value
		case "--report":
			pagePath = value
		default:
			demo.BadInput("unknown option, %s; try --help", demo.Found(name))
		}
		if value == "" {
			demo.BadInput("%s: expected a file, found nothing", name)
		}
	}
	if paths != 1 {
		demo.BadInput("expected one trace file, found %d; try --help", paths)
	}
}

// --- time

// atSpeed returns the duration at the speed of the run of a recorded duration, at most 30 years.
func atSpeed(recorded time.Duration) time.Duration {
	return time.Duration(min(float64(recorded)/options.Speed, 1e18))
}
