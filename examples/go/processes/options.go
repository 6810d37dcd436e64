package main

import (
	"flag"

	"examples/demo"
)

// parameters are the options of a run; the tags are for its report.
type parameters struct {
	Speed       float64 `json:"speed"`
	Workers     int     `json:"workers"`
	Capacity    int     `json:"capacity"`
	KillEveryMS int     `json:"kill_every_ms"`
	Seed        int64   `json:"seed"`
	Worker      string  `json:"-"`
}

var (
	options             parameters
	pagePath, tracePath string
)

func readOptions(args []string) {
	flags := flag.NewFlagSet("processes", flag.ExitOnError) // exit code 2
	flags.Usage = func() {
		out := flags.Output()
		out.Write([]byte("usage: processes [OPTION...] TRACE.csv\n" +
			"Serves a trace of LLM requests by worker processes, which are killed at random.\n\n"))
		flags.PrintDefaults()
	}
	flags.Float64Var(&options.Speed, "speed", 4, "times faster than recorded: any `number` above 0")
	flags.IntVar(&options.Workers, "workers", 3, "worker processes: a `number` from 1 to 50")
	flags.IntVar(&options.Capacity, "capacity", 256, "requests that fit into each queue: a `number` from 1 to 1000000")
	flags.IntVar(&options.KillEveryMS, "kill-every-ms", 50, "`milliseconds` between kills, on average: from 1 to 3600000")
	flags.Int64Var(&options.Seed, "seed", 1, "a `number` that chooses who is killed")
	flags.StringVar(&options.Worker, "worker", "process_worker", "the `program` of a worker")
	flags.StringVar(&pagePath, "report", "", "a `file` for a page with plots of the run; needs `make report`")
	flags.Parse(args)
	if options.Speed <= 0 || options.Speed > 1e9 {
		demo.BadInput("--speed: expected a number above 0, found: %v", options.Speed)
	}
	for _, n := range []struct {
		name           string
		value, largest int
	}{
		{"workers", options.Workers, 50}, {"capacity", options.Capacity, 1e6},
		{"kill-every-ms", options.KillEveryMS, 3600e3},
	} {
		if n.value < 1 || n.value > n.largest {
			demo.BadInput("--%s: expected a number from 1 to %d, found: %d", n.name, n.largest, n.value)
		}
	}
	if flags.NArg() != 1 {
		demo.BadInput("expected one trace file, found %d; try --help", flags.NArg())
	}
	tracePath = flags.Arg(0)
}
