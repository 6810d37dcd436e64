// Package demo has what the demos share: their input, the trace, and the page that shows a run.
package demo

import (
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
)

// BadInput ends the program with one line and the exit code of an error that the user can fix.
func BadInput(format string, args ...any) {
	log.Printf(format, args...)
	os.Exit(2)
}

// Check ends the program if there is an error.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Must returns v, or ends the program if there is an error.
func Must[T any](v T, err error) T {
	Check(err)
	return v
}

// Found describes what was found where something else was expected. It escapes what a terminal might interpret
// and shortens a long text.
func Found[T string | []byte](text T) string {
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

// Reason is the system's message for an error, spelled as in C.
func Reason(err error) string {
	text := err.Error()
	if number := syscall.Errno(0); errors.As(err, &number) {
		text = number.Error()
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// ReadSpeed reads any number above 0, as in 4, 0.5 or 1e3.
func ReadSpeed(text string) (float64, bool) {
	speed, err := strconv.ParseFloat(text, 64)
	// ParseFloat also accepts hexadecimal numbers, underscores and infinity.
	plain := strings.Trim(text, "0123456789.eE+-") == ""
	return speed, plain && err == nil && speed > 0 && !math.IsInf(speed, 0)
}

// --- output files

// isReplaced reports whether a file is written under another name and renamed when it is complete. Devices and
// pipes are written directly.
func isReplaced(path string) bool {
	info, err := os.Lstat(path)
	return err != nil || info.Mode().IsRegular()
}

// MustBeWritable ends the program if the file could not be written. It changes nothing.
func MustBeWritable(path string) {
	const write, pass = 2, 1
	refuse := func(err error) {
		if err != nil {
			BadInput("%s: %s", path, Reason(err))
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

// WriteFile writes a file, which is complete or does not exist; it ends the program if it cannot.
func WriteFile(path string, text []byte) {
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
		BadInput("%s: %s", path, Reason(err))
	}
}
