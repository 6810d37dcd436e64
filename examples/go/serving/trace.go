package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	contextToken   = 20 * time.Microsecond // a worker's time at speed 1
	generatedToken = 500 * time.Microsecond
	header         = "TIMESTAMP,ContextTokens,GeneratedTokens"
)

type request struct {
	arrival time.Time
	work    time.Duration
	waited  time.Duration
	served  bool
}

var speed, frontends, workers = 20, 2, 4

// badInput ends the program with a message and the exit code for what the user can mend.
func badInput(format string, args ...any) {
	log.Printf(format, args...)
	os.Exit(2)
}

// readOptions returns the path of the trace.
func readOptions() string {
	number := func(name, meaning string, value *int, largest int) {
		flag.Func(name, fmt.Sprintf("%s (default %d)", meaning, *value), func(text string) (err error) {
			if *value, err = strconv.Atoi(text); err != nil || *value < 1 || *value > largest {
				err = fmt.Errorf("expected a number from 1 to %d", largest)
			}
			return err
		})
	}
	number("speed", "`N` times faster than recorded", &speed, 1e9)
	number("frontends", "`N` goroutines that put", &frontends, 1000)
	number("workers", "`N` goroutines that take", &workers, 1000)
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(),
			"usage: serving [--speed N] [--frontends N] [--workers N] TRACE.csv")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		badInput("expected one trace file, found %d; try --help", flag.NArg())
	}
	return flag.Arg(0)
}

// readTrace also deals with the clock: the first request arrives now, the others at the chosen speed.
func readTrace(path string) (trace []*request) {
	file, err := os.Open(path)
	if err != nil {
		badInput("%v", err)
	}
	defer file.Close()
	number, last := 0, time.Time{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		number++
		line := lines.Text()
		if number == 1 {
			if line != header {
				badInput("%s:1: expected %s, found: %s", path, header, line)
			}
			continue
		}
		r, err := readRequest(line)
		if err != nil {
			badInput("%s:%d: expected YYYY-MM-DD hh:mm:ss.fraction,tokens,tokens, found: %s",
				path, number, line)
		}
		if r.arrival.Before(last) {
			badInput("%s:%d: earlier than the line before: %s", path, number, line)
		}
		last = r.arrival
		trace = append(trace, r)
	}
	if err := lines.Err(); err != nil {
		badInput("%s:%d: %v", path, number+1, err)
	}
	if number == 0 {
		badInput("%s:1: expected %s", path, header)
	}
	if len(trace) == 0 {
		badInput("%s:%d: expected a request", path, number+1)
	}
	return trace
}

// readRequest reads a line like this: 2023-11-16 18:15:46.6805900,374,44
func readRequest(line string) (*request, error) {
	var tokens [2]uint64
	fields := strings.Split(line, ",")
	if len(fields) != 1+len(tokens) {
		return nil, strconv.ErrSyntax
	}
	arrival, err := time.Parse(time.DateTime, fields[0])
	for i := range tokens {
		if err == nil {
			tokens[i], err = strconv.ParseUint(fields[1+i], 10, 31)
		}
	}
	work := time.Duration(tokens[0])*contextToken + time.Duration(tokens[1])*generatedToken
	return &request{arrival: arrival, work: work}, err
}
