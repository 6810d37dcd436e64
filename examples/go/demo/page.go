package demo

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// Machine is where a demo ran.
type Machine struct {
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	Kernel     string `json:"kernel"`
}

// ThisMachine names the first processor in /proc/cpuinfo, or the architecture.
func ThisMachine() Machine {
	m := Machine{Processor: runtime.GOARCH, Processors: runtime.NumCPU(), Kernel: runtime.GOOS}
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			m.Processor = strings.TrimSpace(value)
			break
		}
	}
	if kernel, err := exec.Command("uname", "-sr").Output(); err == nil {
		m.Kernel = strings.TrimSpace(string(kernel))
	}
	return m
}

// CheckPage ends the program if `report` could not write the page.
func CheckPage(path string) { runReport(nil, "--check", "--", path) }

// DrawPage writes the page that shows a run.
func DrawPage(run []byte, path string) { runReport(run, "--", "-", path) }

// runReport runs `report`, which prints its own messages about its arguments and input.
func runReport(input []byte, args ...string) {
	tool := os.Getenv("QUEUES_REPORT")
	if tool == "" {
		tool = "report"
	}
	command := exec.Command(tool, args...)
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), os.Stdout, os.Stderr
	err := command.Run()
	switch exit := (*exec.ExitError)(nil); {
	case err == nil:
	case errors.As(err, &exit) && exit.ExitCode() == 2:
		os.Exit(2)
	case errors.As(err, &exit):
		BadInput("no page: %s failed", tool)
	default:
		if errors.Is(err, exec.ErrNotFound) {
			err = syscall.ENOENT
		}
		BadInput("no page: %s: %s; `make report` builds the tool, and QUEUES_REPORT says where it is", tool, Reason(err))
	}
}
