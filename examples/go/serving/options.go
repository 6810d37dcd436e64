package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strconv"
)

// What the demo runs with; the tags are for its report.
type parameters struct {
	Speed       int `json:"speed"`
	Frontends   int `json:"frontends"`
	Workers     int `json:"workers"`
	Capacity    int `json:"capacity"`
	BatchSize   int `json:"batch_size"`
	BatchTokens int `json:"batch_tokens"`
	LingerMS    int `json:"linger_ms"`
}

var (
	options = parameters{
		Speed: 4, Frontends: 2, Workers: 2, Capacity: 256, BatchSize: 8, BatchTokens: 8192, LingerMS: 20,
	}
	jsonPath, pagePath, tracePath string
)

// badInput ends the program with a message and the exit code for what the user can mend.
func badInput(format string, args ...any) {
	log.Printf(format, args...)
	os.Exit(2)
}

func readOptions() {
	number := func(name, meaning string, value *int, largest int) {
		usage := fmt.Sprintf("%s: `N` from 1 to %d, default %d", meaning, largest, *value)
		flag.Func(name, usage, func(text string) (err error) {
			if *value, err = strconv.Atoi(text); err != nil || *value < 1 || *value > largest {
				err = fmt.Errorf("expected a number from 1 to %d", largest)
			}
			return err
		})
	}
	number("speed", "times faster than recorded", &options.Speed, 1e9)
	number("frontends", "goroutines that bring requests", &options.Frontends, 1000)
	number("workers", "goroutines that serve them", &options.Workers, 1000)
	number("capacity", "requests that fit into intake, priority, and each result queue", &options.Capacity, 1e6)
	number("batch-size", "requests that make a batch due", &options.BatchSize, 1000)
	number("batch-tokens", "tokens that make a batch due", &options.BatchTokens, 1e9)
	number("linger-ms", "milliseconds after which a request makes its batch due", &options.LingerMS, 60000)
	flag.StringVar(&jsonPath, "json", "", "a `file` for the figures of the run")
	flag.StringVar(&pagePath, "report", "", "a `file` for a page with plots of it; needs make report")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "usage: serving [OPTION...] TRACE.csv\n",
			"Replays a trace of LLM requests through a pipeline of queues.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		badInput("expected one trace file, found %d; try --help", flag.NArg())
	}
	tracePath = flag.Arg(0)
}
