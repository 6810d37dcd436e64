package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"examples/demo"
	"examples/demo/demotest"
)

func TestMain(m *testing.M) { demotest.Main(m, main) }

func traceOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// served checks that all requests went through every stage and were served.
func served(t *testing.T, requests int, args ...string) (out string) {
	t.Helper()
	code, out, message := demotest.Run(t, args...)
	if code != 0 || !strings.Contains(out, fmt.Sprintf("requests  %d in, %d out", requests, requests)) {
		t.Errorf("%v: exit code %d\n%s%s", args, code, out, message)
	}
	for _, stage := range []string{"intake", "priority", "batch", "deques", "results"} {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%s .* %d +%d `, stage, requests, requests)).MatchString(out) {
			t.Errorf("%v: not all requests went through %s\n%s", args, stage, out)
		}
	}
	return out
}

const trace = "../../data/trace.csv"

func TestServes(t *testing.T) {
	served(t, 450, "--speed", "1000", trace)
	served(t, 450, "--speed", "1000", "--workers", "1", "--frontends", "1", trace)
	served(t, 450, "--speed", "1000", "--workers", "9", "--frontends=7", trace)
	served(t, 1, traceOf(t, demo.Header+"\r\n2024-01-01 09:00:00,0,0\r\n"))
}

// All requests are due at once, and the queues have room for few of them.
func TestOverload(t *testing.T) {
	served(t, 450, "--speed", "1000000000", "--workers", "3", "--capacity", "1", "--batch-size", "1", trace)
}

// One worker gets the batch, and needs longer for it than the other one waits.
func TestSteals(t *testing.T) {
	burst := strings.Repeat("2024-01-01 00:00:00.0,0,100\n", 8)
	// The last request comes later, so that the batching queue is not closed before.
	path := traceOf(t, demo.Header+"\n"+burst+"2024-01-01 00:00:01.0,0,1\n")
	out := served(t, 9, "--speed", "1", "--workers", "2", "--linger-ms", "10", path)
	if !regexp.MustCompile(`(?m)^steals    [1-9]`).MatchString(out) {
		t.Errorf("nothing was stolen:\n%s", out)
	}
}

func TestRejectsBadInput(t *testing.T) {
	good := demo.Header + "\n2024-01-01 09:00:00.5,1,1\n"
	for _, test := range []struct{ text, message string }{
		{"", ":1: expected " + demo.Header},
		{demo.Header + "\n", ":2: expected a request"},
		{"a,b,c\n", ":1: expected " + demo.Header + ", found: a,b,c"},
		{good + "2024-01-01 08:00:00.5,1,1\n", ":3: earlier than the line before, found: 2024-01-01 08:00:00.5,1,1"},
		{good + "\n", ":3: expected YYYY"},
		{good + "2024-02-30 09:00:00.5,1,1\n", ":3: expected YYYY"},
		{good + "2024-01-01 09:00:01,1\n", ":3: expected YYYY"},
		{good + "2024-01-01 09:00:01,1,1,1\n", ":3: expected YYYY"},
		{good + "2024-01-01 09:00:01,-1,1\n", ":3: expected YYYY"},
		{good + "2024-01-01 09:00:01,1,many\n", ":3: expected YYYY"},
	} {
		code, _, message := demotest.Run(t, traceOf(t, test.text))
		if code != 2 || !strings.Contains(message, test.message) {
			t.Errorf("%q: exit code %d: %s", test.text, code, message)
		}
	}
	for _, args := range [][]string{
		{}, {"a", "b"}, {"no such file"}, {"."},
		{"--what", "a"}, {"--speed", "0", "a"}, {"--workers", "x", "a"}, {"--batch-size", "1001", "a"},
		{"--linger-ms", "0.5", "a"}, {"--json", "no/such/folder.json", trace},
	} {
		if code, _, message := demotest.Run(t, args...); code != 2 || message == "" {
			t.Errorf("%q: exit code %d: %s", args, code, message)
		}
	}
}
