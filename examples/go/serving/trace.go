package main

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"time"
)

const header = "TIMESTAMP,ContextTokens,GeneratedTokens"

// A request can be in one stage after the other. It is stamped when it is offered to a stage, so that a
// put that blocks counts as time spent in the stage that is full.
const (
	frontendStage = iota
	intakeStage
	priorityStage
	batchStage
	dequeStage
	workStage
	resultStage
	stages
)

type request struct {
	recorded           time.Time
	context, generated int // tokens

	// All of these belong to whoever holds the request.
	at            [stages + 1]time.Time // when it came to each stage; the first is when it was due, the last when it was collected
	batch         int                   // the number of its batch
	owner, worker int                   // who took that batch, and who served the request
}

func (r *request) tokens() int { return r.context + r.generated }

// readTrace ends the program with a message when there is something wrong.
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
		if r.recorded.Before(last) {
			badInput("%s:%d: earlier than the line before: %s", path, number, line)
		}
		last = r.recorded
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
	recorded, err := time.Parse(time.DateTime, fields[0])
	for i := range tokens {
		if err == nil {
			tokens[i], err = strconv.ParseUint(fields[1+i], 10, 31)
		}
	}
	return &request{recorded: recorded, context: int(tokens[0]), generated: int(tokens[1])}, err
}
