// Package demotest runs a demo in its own tests: the test program is also the program that it tests.
package demotest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const isDemo = "QUEUES_DEMO"

// Main is the TestMain of a demo whose main function is main.
func Main(m *testing.M, main func()) {
	if os.Getenv(isDemo) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Run runs the demo.
func Run(t *testing.T, args ...string) (exitCode int, stdout, stderr string) {
	t.Helper()
	var out, message strings.Builder
	command := exec.Command(os.Args[0], args...)
	command.Env = append(os.Environ(), isDemo+"=1")
	command.Stdout, command.Stderr = &out, &message
	if err := command.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), out.String(), message.String()
}
