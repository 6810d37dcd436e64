package demo

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"regexp"
	"strconv"
	"time"
)

// Header is the first line of a trace.
const Header = "TIMESTAMP,ContextTokens,GeneratedTokens"

// A Request is a line of a trace.
type Request struct {
	Recorded           time.Time
	Context, Generated int // tokens
}

// ReadTrace ends the program with a message if the file is not a trace.
func ReadTrace(path string) (trace []Request) {
	file, err := os.Open(path)
	if err != nil {
		BadInput("%s: %s", path, Reason(err))
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
			BadInput("%s:%d: %s", path, number, Reason(err))
		}
		if rest, ended := bytes.CutSuffix(line, []byte("\n")); ended {
			line = bytes.TrimSuffix(rest, []byte("\r"))
		}
		if number == 1 {
			if string(line) != Header {
				BadInput("%s:1: expected %s, %s", path, Header, Found(line))
			}
			continue
		}
		r, ok := readRequest(string(line))
		if !ok || err == bufio.ErrBufferFull {
			BadInput("%s:%d: expected YYYY-MM-DD hh:mm:ss.fraction,tokens,tokens, %s", path, number, Found(line))
		}
		if r.Recorded.Before(last) {
			BadInput("%s:%d: earlier than the line before, %s", path, number, Found(line))
		}
		last = r.Recorded
		trace = append(trace, r)
	}
	if number == 1 {
		BadInput("%s:1: expected %s, found the end of the file", path, Header)
	}
	if len(trace) == 0 {
		BadInput("%s:%d: expected a request, found the end of the file", path, number)
	}
	return trace
}

var requestLine = regexp.MustCompile(`^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?,(\d{1,9}),(\d{1,9})$`)

// readRequest reads a line like this: 2023-11-16 18:15:46.6805900,374,44
func readRequest(line string) (r Request, ok bool) {
	fields := requestLine.FindStringSubmatch(line)
	if fields == nil {
		return r, false
	}
	recorded, err := time.Parse(time.DateTime, fields[1])
	if err != nil || recorded.Year() < 1970 || recorded.Year() > 2100 {
		return r, false
	}
	// These cannot fail: they are a few digits.
	fraction, _ := strconv.Atoi((fields[2] + "000000000")[:9])
	context, _ := strconv.Atoi(fields[3])
	generated, _ := strconv.Atoi(fields[4])
	return Request{Recorded: recorded.Add(time.Duration(fraction)), Context: context, Generated: generated}, true
}
