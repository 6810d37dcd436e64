package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The test program is also the one that it tests.
func TestMain(m *testing.M) {
	if os.Getenv("SERVING") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func serve(t *testing.T, args ...string) (exitCode int, stdout, stderr string) {
	t.Helper()
	var out, message strings.Builder
	command := exec.Command(os.Args[0], args...)
	command.Env = append(os.Environ(), "SERVING=1")
	command.Stdout, command.Stderr = &out, &message
	if err := command.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), out.String(), message.String()
}

func traceOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestServes(t *testing.T) {
	for _, options := range [][]string{
		nil, {"--workers", "1", "--frontends", "1"}, {"--workers", "9", "--frontends=7"},
	} {
		args := append(options, "--speed", "1000", "../../data/trace.csv")
		code, out, message := serve(t, args...)
		if code != 0 || !strings.Contains(out, "requests  450 in, 450 out") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, message)
		}
	}
	if code, out, message := serve(t, traceOf(t, header+"\r\n2024-01-01 09:00:00,0,0\r\n")); code != 0 {
		t.Errorf("one request: exit code %d\n%s%s", code, out, message)
	}
}

func TestRefuses(t *testing.T) {
	good := header + "\n2024-01-01 09:00:00.5,1,1\n"
	for _, test := range []struct{ text, message string }{
		{"", ":1: expected " + header},
		{header + "\n", ":2: expected a request"},
		{"a,b,c\n", ":1: expected " + header + ", found: a,b,c"},
		{good + "2024-01-01 08:00:00.5,1,1\n", ":3: earlier than the line before: 2024-01-01 08:00:00.5,1,1"},
		{good + "\n", ":3: expected YYYY"},
		{good + "2024-02-30 09:00:00.5,1,1\n", ":3: expected YYYY"},
		{good + "2024-01-01 09:00:01,1\n", ":3: expected YYYY"},
		{good + "2024-01-01 09:00:01,1,1,1\n", ":3: expected YYYY"},
		{good + "2024-01-01 09:00:01,-1,1\n", ":3: expected YYYY"},
		{good + "2024-01-01 09:00:01,1,many\n", ":3: expected YYYY"},
	} {
		code, _, message := serve(t, traceOf(t, test.text))
		if code != 2 || !strings.Contains(message, test.message) {
			t.Errorf("%q: exit code %d: %s", test.text, code, message)
		}
	}
	for _, args := range [][]string{
		{}, {"a", "b"}, {"no such file"}, {"."},
		{"--what", "a"}, {"--speed", "0", "a"}, {"--workers", "x", "a"},
	} {
		if code, _, message := serve(t, args...); code != 2 || message == "" {
			t.Errorf("%q: exit code %d: %s", args, code, message)
		}
	}
}
