package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"examples/demo/demotest"
)

func TestMain(m *testing.M) { demotest.Main(m, main) }

const trace = "../../data/trace.csv"

func TestWorkersAreKilledAndNothingIsLost(t *testing.T) {
	worker := os.Getenv("QUEUES_WORKER")
	if worker == "" {
		t.Fatal("QUEUES_WORKER is not set: `make test-go` builds the worker")
	}
	code, out, message := demotest.Run(t, "--worker", worker, "--speed", "20", "--kill-every-ms", "20", "--seed", "7", trace)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || lines[len(lines)-1] != "all 450 requests were served, each exactly once" {
		t.Fatalf("exit code %d\n%s%s", code, out, message)
	}
	for _, count := range []string{`(\d+) killed`, `redelivered +(\d+)`, `cells +(\d+)`} {
		if found := regexp.MustCompile(count).FindStringSubmatch(out); found == nil || found[1] == "0" {
			t.Errorf("%s: none\n%s", count, out)
		}
	}
}

func TestBadInputIsOneLine(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.csv")
	for _, args := range [][]string{
		{}, {trace, trace}, {missing}, {"--speed", "0", trace}, {"--workers", "0", trace}, {"--capacity", "2000000", trace},
		{"--kill-every-ms", "0", trace}, {"--report", "no/such/folder.html", trace},
	} {
		if code, _, message := demotest.Run(t, args...); code != 2 || strings.Count(message, "\n") != 1 {
			t.Errorf("%q: exit code %d: %s", args, code, message)
		}
	}
	if code, _, message := demotest.Run(t, "--worker", missing, trace); code != 1 || !strings.Contains(message, "missing.csv") {
		t.Errorf("no worker: exit code %d: %s", code, message)
	}
}
