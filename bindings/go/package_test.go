package queues

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func goCommand(t *testing.T, env []string, args ...string) (output string, err error) {
	t.Helper()
	command := exec.Command("go", args...)
	command.Env = append(os.Environ(), env...)
	out, err := command.CombinedOutput()
	return string(out), err
}

// The documentation shows nothing that a user cannot name: neither types and constants of C nor embedded types
// that are not exported.
func TestDocumentation(t *testing.T) {
	text, err := goCommand(t, nil, "doc", "-all")
	must(t, err)
	for what, pattern := range map[string]string{
		"a name of C":                 `\bC\.\w+|_C\w*type_\w+|_cgo_\w*`,
		"an embedded unexported type": `(?m)^\t\*?[a-z]\w*(\[.*\])?$`,
		"an unexported type":          `(?m)^func .*[\](* .](base|closable|valueStore|blobQueue|fifoBytes|handle|slab|dequeSlab)\b[^"\n]*$`,
	} {
		if found := regexp.MustCompile(pattern).FindAllString(text, -1); found != nil {
			t.Errorf("%s: %q", what, found)
		}
	}
	// Methods that all types have are documented for each.
	for _, family := range []string{"MPMC", "SPSC", "Priority", "Batch", "Deque"} {
		for _, name := range []string{family, family + "Bytes"} {
			for _, method := range []string{"Len", "Cap", "Stats", "Release"} {
				if !regexp.MustCompile(`(?m)^func \(\w+ \*` + name + `(\[T\])?\) ` + method + `\(`).MatchString(text) {
					t.Errorf("%s.%s is not documented", name, method)
				}
			}
		}
	}
}

// A build without cgo fails with one error, which names the remedy.
func TestBuildWithoutCgo(t *testing.T) {
	output, err := goCommand(t, []string{"CGO_ENABLED=0"}, "build", ".")
	if err == nil {
		t.Fatal("a build without cgo succeeded")
	}
	lines := strings.Split(strings.TrimSpace(output), "\n")
	const sentence = "package queues needs cgo for its C library: set CGO_ENABLED=1 and install a C compiler"
	if len(lines) != 2 || lines[0] != "# queues" || !strings.Contains(lines[1], sentence) {
		t.Errorf("got\n%s", output)
	}
}

// The error of a build without the library names the missing package and the variable to set.
func TestBuildWithoutLibrary(t *testing.T) {
	empty := t.TempDir()
	output, err := goCommand(t, []string{
		"PKG_CONFIG_PATH=" + empty, "PKG_CONFIG_LIBDIR=" + empty,
	}, "build", "-gcflags=queues=-N", ".") // so that it is not in the cache
	if err == nil {
		t.Fatal("a build without the library succeeded")
	}
	for _, word := range []string{"queues.pc", "PKG_CONFIG_PATH"} {
		if !strings.Contains(output, word) {
			t.Errorf("%q is not in\n%s", word, output)
		}
	}
}
