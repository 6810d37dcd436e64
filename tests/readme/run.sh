#!/usr/bin/env bash
# README's programs, built by README's commands from an installation in a folder of its own, print
# what they should.
set -euo pipefail
export QUEUES
QUEUES=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# block LANGUAGE [LINE]: the first block of this language, or the first with such a line.
block() {
    awk -v fence="\`\`\`$1" -v line="${2:-}" '
        $0 == fence { inside = 1; text = ""; next }
        inside && $0 == "```" {
            inside = 0
            if (line == "" || index(text, line)) { printf "%s", text; exit }
        }
        inside { text = text $0 "\n" }' "$QUEUES/README.md"
}

# The tools keep their own folders: HOME is where README installs.
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export GOPATH=${GOPATH:-$HOME/go} GOCACHE=${GOCACHE:-$HOME/.cache/go-build}
export CARGO_NET_OFFLINE=true
export HOME=$tmp/home
mkdir "$HOME" "$tmp"/{c,go,rust}
block c >"$tmp/c/quickstart.c"
block cpp >"$tmp/c/quickstart.cpp"
block go >"$tmp/go/main.go"
block rust >"$tmp/rust/quickstart.rs"

# The commands are paragraphs: installation, C and C++, Go, Rust.
block sh 'make install' |
    sed "s|^make install|make --no-print-directory -C '$QUEUES' install|" >"$tmp/commands"
# run N: runs the lines of paragraph N; ends at the first that fails.
run() {
    local line
    while read -r line; do
        echo "+ $line" >&2
        eval "$line" </dev/null || exit 1
    done < <(awk -v RS= -v n="$1" 'NR == n' "$tmp/commands")
}
run 1
(cd "$tmp/c" && run 2)
(cd "$tmp/go" && run 3)
(unset CARGO_TARGET_DIR && cd "$tmp/rust" && run 4)

printed() {
    local output
    output=$("$@")
    if [ "$output" != "$expected" ]; then
        echo "$1 printed \"$output\" instead of \"$expected\"" >&2
        exit 1
    fi
}
expected=hello
printed "$tmp/c/quickstart-c"
printed "$tmp/c/quickstart-cpp"
printed "$tmp/rust/target/release/quickstart"
expected="hello <nil>"
printed "$tmp/go/quickstart-go"
echo "README: its programs in 4 languages, built by its commands: passed"
