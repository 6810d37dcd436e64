package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// parameters are the options of a run; the tags are for its report.
type parameters struct {
	Speed       float64 `json:"speed"`
	Frontends   int     `json:"frontends"`
	Workers     int     `json:"workers"`
	Capacity    int     `json:"capacity"`
	BatchSize   int     `json:"batch_size"`
	BatchTokens int     `json:"batch_tokens"`
	LingerMS    int     `json:"linger_ms"`
}

var (
	options = parameters{
		Speed: 4, Frontends: 2, Workers: 2, Capacity: 256, BatchSize: 8, BatchTokens: 8192, LingerMS: 20,
	}
	jsonPath, pagePath, tracePath string
)

// badInput ends the program with one line and the exit code of an error that the user can fix.
func badInput(format string, args ...any) {
	log.Printf(format, args...)
	os.Exit(2)
}

// out is standard output.
var out = bufio.NewWriter(os.Stdout)

// mustBePrinted ends the program if something that was printed is lost, as on a full disk.
func mustBePrinted() {
	if out.Flush() != nil {
		badInput("standard output cannot be written")
	}
}

// found describes what was found where something else was expected. It escapes what a terminal might interpret
// and shortens a long text.
func found[T string | []byte](text T) string {
	const most = 60
	if len(text) == 0 {
		return "found nothing"
	}
	var shown strings.Builder
	for _, c := range []byte(text[:min(len(text), most)]) {
		if c < ' ' || c > '~' {
			fmt.Fprintf(&shown, `\x%02x`, c)
		} else {
			shown.WriteByte(c)
		}
	}
	if len(text) > most {
		shown.WriteString("...")
	}
	return "found: " + shown.String()
}

// reason is the system's message for an error, spelled as in C.
func reason(err error) string {
	text := err.Error()
	if number := syscall.Errno(0); errors.As(err, &number) {
		text = number.Error()
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// readSpeed reads any number above 0, as in 4, 0.5 or 1e3.
func readSpeed(text string) (float64, bool) {
	speed, err := strconv.ParseFloat(text, 64)
	// ParseFloat also accepts hexadecimal numbers, underscores and infinity.
	plain := strings.Trim(text, "0123456789.eE+-") == ""
	return speed, plain && err == nil && speed > 0 && !math.IsInf(speed, 0)
}

func readNumber(text string, largest int) (int, bool) {
	number, err := strconv.Atoi(text)
	return number, strings.Trim(text, "0123456789") == "" && err == nil && number >= 1 && number <= largest
}

func readOptions(args []string) {
	numbers := []struct {
		name, meaning string
		value         *int
		largest       int
	}{
		{"--frontends", "threads that bring requests", &options.Frontends, 1000},
		{"--workers", "threads that serve them", &options.Workers, 1000},
		{"--capacity", "requests that fit into intake, priority, and each result queue", &options.Capacity, 1e6},
		{"--batch-size", "requests that make a batch due", &options.BatchSize, 1000},
		{"--batch-tokens", "tokens that make a batch due", &options.BatchTokens, 1e9},
		{"--linger-ms", "milliseconds after which a request makes its batch due", &options.LingerMS, 60000},
	}
	paths, onlyPaths := 0, false
options:
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case onlyPaths || len(arg) < 2 || arg[0] != '-':
			tracePath = arg
			paths++
			continue
		case arg == "--":
			onlyPaths = true
			continue
		case arg == "--help":
			fmt.Fprint(out, "usage: serving [OPTION...] TRACE.csv\n",
				"Replays a trace of LLM requests through a pipeline of queues.\n\n",
				"  --speed         times faster than recorded: any number above 0, default 4\n")
			for _, n := range numbers {
				fmt.Fprintf(out, "  %-15s %s: 1 to %d, default %d\n", n.name, n.meaning, n.largest, *n.value)
			}
			fmt.Fprint(out, "  --json          a file for the figures of the run\n",
				"  --report        a file for a page with plots of it; needs `make report`\n")
			mustBePrinted()
			os.Exit(0)
		}
		// --name=value or --name value
		name, value, whole := strings.Cut(args[i], "=")
		if !whole && i+1 < len(args) {
			i++
			value = args[i]
		}
		for _, n := range numbers {
			if n.name == name {
				ok := false
				if *n.value, ok = readNumber(value, n.largest); !ok {
					badInput("%s: expected a number from 1 to %d, %s", name, n.largest, found(value))
				}
				continue options
			}
		}
		switch name {
		case "--speed":
			ok := false
			if options.Speed, ok = readSpeed(value); !ok {
				badInput("%s: expected a number above 0, %s", name, found(value))
			}
			continue options
		case "--json":
			jsonPath = value
		case "--report":
			pagePath = value
		default:
			badInput("unknown option, %s; try --help", found(name))
		}
		if value == "" {
			badInput("%s: expected a file, found nothing", name)
		}
	}
	if paths != 1 {
		badInput("expected one trace file, found %d; try --help", paths)
	}
}

// --- output files

// isReplaced reports whether a file is written under another name and renamed when it is complete. Devices and
// pipes are written directly.
func isReplaced(path string) bool {
	info, err := os.Lstat(path)
	return err != nil || info.Mode().IsRegular()
}

// mustBeWritable ends the program if the file could not be written. It changes nothing.
func mustBeWritable(path string) {
	const write, pass = 2, 1
	refuse := func(err error) {
		if err != nil {
			badInput("%s: %s", path, reason(err))
		}
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		refuse(syscall.EISDIR)
	case err == nil:
		refuse(syscall.Access(path, write))
	case !errors.Is(err, fs.ErrNotExist) || strings.HasSuffix(path, "/"):
		refuse(err)
	}
	if isReplaced(path) {
		folder, _ := filepath.Split(path)
		if folder == "" {
			folder = "."
		}
		refuse(syscall.Access(folder, write|pass))
	}
}

func writeFile(path string, text []byte) {
	name := path
	replaced := isReplaced(path)
	if replaced {
		name += ".new"
	}
	err := os.WriteFile(name, text, 0o666)
	if err == nil && replaced {
		err = os.Rename(name, path)
	}
	if err != nil {
		if replaced {
			os.Remove(name)
		}
		badInput("%s: %s", path, reason(err))
	}
}

// --- time

// atSpeed returns the duration at the speed of the run of a recorded duration, at most 30 years.
func atSpeed(recorded time.Duration) time.Duration {
	return time.Duration(min(float64(recorded)/options.Speed, 1e18))
}
