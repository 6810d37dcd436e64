package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The test program is also the program that it tests.
func TestMain(m *testing.M) {
	if os.Getenv("PROCESSES") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func serve(t *testing.T, args ...string) (exitCode int, stdout, stderr string) {
	t.Helper()
	var out, message strings.Builder
	command := exec.Command(os.Args[0], args...)
	command.Env = append(os.Environ(), "PROCESSES=1")
	command.Stdout, command.Stderr = &out, &message
	if err := command.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), out.String(), message.String()
}

const trace = "../../data/trace.csv"

func TestWorkersAreKilledAndNothingIsLost(t *testing.T) {
	worker := os.Getenv("QUEUES_WORKER")
	if worker == "" {
		t.Fatal("QUEUES_WORKER is not set: `make test-go` builds the worker")
	}
	code, out, message := serve(t, "--worker", worker, "--speed", "20", "--kill-every-ms", "20", "--seed", "7", trace)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || lines[len(lines)-1] != "all 450 requests were served, each exactly once" {
		t.Fatalf("exit code %d\n%s%s", code, out, message)
	}
	for _, count := range []string{`(\d+) killed`, `came again +(\d+)`, `cells +(\d+)`} {
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
		if code, _, message := serve(t, args...); code != 2 || strings.Count(message, "\n") != 1 {
			t.Errorf("%q: exit code %d: %s", args, code, message)
		}
	}
	if code, _, message := serve(t, "--worker", missing, trace); code != 1 || !strings.Contains(message, "missing.csv") {
		t.Errorf("no worker: exit code %d: %s", code, message)
	}
}
