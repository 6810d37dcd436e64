package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"regexp"
	"strconv"
	"time"
)

const header = "TIMESTAMP,ContextTokens,GeneratedTokens"

// The stages that a request goes through. It is stamped when it is offered to a stage, so a put that waits counts
// as time in the stage that is full.
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

	// These fields belong to the goroutine that holds the request.
	at            [stages + 1]time.Time // when it was offered to each stage; the first is when it was due, the last when it was collected
	batch         int                   // the number of its batch
	owner, worker int                   // the workers that got the batch and that served the request
}

func (r *request) tokens() int { return r.context + r.generated }

// readTrace ends the program with a message if the file is not a trace.
func readTrace(path string) (trace []*request) {
	file, err := os.Open(path)
	if err != nil {
		badInput("%s: %s", path, reason(err))
	}
	defer file.Close()
	const longest = 200 // far longer than any line of a trace
	number, last := 1, time.Time{}
	for lines := bufio.NewReaderSize(file, longest); ; number++ {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			badInput("%s:%d: %s", path, number, reason(err))
		}
		if rest, ended := bytes.CutSuffix(line, []byte("\n")); ended {
			line = bytes.TrimSuffix(rest, []byte("\r"))
		}
		if number == 1 {
			if string(line) != header {
				badInput("%s:1: expected %s, %s", path, header, found(line))
			}
			continue
		}
		r, ok := readRequest(string(line))
		if !ok || err == bufio.ErrBufferFull {
			badInput("%s:%d: expected YYYY-MM-DD hh:mm:ss.fraction,tokens,tokens, %s", path, number, found(line))
		}
		if r.recorded.Before(last) {
			badInput("%s:%d: earlier than the line before, %s", path, number, found(line))
		}
		last = r.recorded
		trace = append(trace, r)
	}
	if number == 1 {
		badInput("%s:1: expected %s, found the end of the file", path, header)
	}
	if len(trace) == 0 {
		badInput("%s:%d: expected a request, found the end of the file", path, number)
	}
	return trace
}

var requestLine = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?,(\d{1,9}),(\d{1,9})$`)

// readRequest reads a line like this: 2023-11-16 18:15:46.6805900,374,44
func readRequest(line string) (*request, bool) {
	fields := requestLine.FindStringSubmatch(line)
	if fields == nil {
		return nil, false
	}
	recorded, err := time.Parse(time.DateTime, fields[1])
	if err != nil || recorded.Year() < 1970 || recorded.Year() > 2100 {
		return nil, false
	}
	// These cannot fail: they are a few digits.
	fraction, _ := strconv.Atoi((fields[2] + "000000000")[:9])
	context, _ := strconv.Atoi(fields[3])
	generated, _ := strconv.Atoi(fields[4])
	return &request{recorded: recorded.Add(time.Duration(fraction)), context: context, generated: generated}, true
}
