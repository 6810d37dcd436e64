#!/usr/bin/env bash
# run.sh: every code block of the site compiles, the man pages are those of the header and have no
# warnings, and every link of the built site works. Blocks of other libraries are compiled only
# where those are installed. Needs the library in LIBDIR, and mdbook, doxygen and python3.
set -euo pipefail
cd "$(dirname "$0")/../.."
TARGET=$(realpath -ms "${CARGO_TARGET_DIR:-target}")
LIBDIR=$(realpath -ms "${LIBDIR:-$TARGET/release}")
[ -e "$LIBDIR/libqueues.so" ] || { echo "docs: $LIBDIR has no library: \`make build\` builds it" >&2 && exit 2; }
CARGO=${CARGO:-cargo}
work=$TARGET/docs-test
rm -rf "$work"
mkdir -p "$work"

passed=0
failed=0
skipped=0
# result NAME COMMAND...: runs it and counts the result.
result() {
    local output
    if output=$("${@:2}" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s\n' "docs: $1 failed:" "$output" >&2
    fi
}
skip() {
    skipped=$((skipped + 1))
    echo "docs: $1 skipped: $2"
}
has() { command -v "$1" >/dev/null; }

scripts/docs.py blocks "$work"

# --- C and C++. The flags of another library whose header a block includes; fails if it is missing.

flags_of() {
    case $1 in
    *'#include <glib.h>'*) pkg-config --cflags glib-2.0 2>/dev/null ;;
    *'#include <rte_ring.h>'*) pkg-config --cflags libdpdk 2>/dev/null ;;
    *'#include <oneapi/'* | *'#include <boost/'* | *'#include <concurrentqueue/'*)
        local header
        header=$(grep -m1 -E '#include <(oneapi|boost|concurrentqueue)/' <<<"$1")
        "${CXX:-c++}" -x c++ -fsyntax-only - <<<"$header" 2>/dev/null || return
        ;;
    esac
}
compile() {
    local language=$1 file text name flags
    shift
    for file in "$work/$language"/*; do
        text=$(<"$file")
        name=${file##*/}
        if ! flags=$(flags_of "$text"); then
            skip "$name" "$(grep -m1 -E '#include <(glib|rte_ring|oneapi|boost|concurrentqueue)' "$file") is not installed"
            continue
        fi
        # shellcheck disable=SC2086 # flags are words
        result "$name" "$@" $flags "$file"
    done
}
warnings=(-Wall -Wextra -Werror -fsyntax-only)
compile c "${CC:-cc}" -std=gnu11 "${warnings[@]}" -Iinclude -pthread
compile cpp "${CXX:-c++}" -std=c++17 "${warnings[@]}" -Iinclude -Ibindings/cpp/include -pthread

# --- Go: a module with a package for each block

if has "${GO:-go}"; then
    cp bindings/go/go.mod "$work/go/go.mod"
    sed -i 's/^module .*/module blocks/' "$work/go/go.mod"
    printf '\nrequire queues v0.0.0\nreplace queues => %s\n' "$PWD/bindings/go" >>"$work/go/go.mod"
    make -s -C bindings/go "LIBDIR=$LIBDIR" "$LIBDIR/go/queues.pc"
    result "Go blocks: go vet" env -C "$work/go" GOFLAGS=-mod=mod "PKG_CONFIG_PATH=$LIBDIR/go" "${GO:-go}" vet ./...
    formatted() {
        local files
        files=$("$("${GO:-go}" env GOROOT)/bin/gofmt" -l "$work/go") || return
        [ -z "$files" ] || { echo "$files" && return 1; }
    }
    result "Go blocks: gofmt" formatted
else
    skip "Go blocks" "go is not installed"
fi

# --- Rust: against the crate as the tests build it

rust() {
    "$CARGO" build --quiet --frozen --lib || return
    local file
    for file in "$work"/rust/*.rs; do
        "${RUSTC:-rustc}" --edition 2024 --crate-type lib --crate-name block --emit metadata -D warnings \
            -L "dependency=$TARGET/debug/deps" --extern "queues=$TARGET/debug/libqueues.rlib" \
            --out-dir "$work/rust" "$file" || return
    done
}
result "Rust blocks" rust

# --- shell and Python: syntax only

for file in "$work"/sh/*; do
    result "${file##*/}" bash -n "$file"
done
for file in "$work"/python/*; do
    result "${file##*/}" python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$file"
done

# --- man pages

scripts/docs.py man "$work/man"
result "docs/man is the header's (\`make man\` refreshes it)" diff -r docs/man "$work/man"
for page in docs/man/* docs/*.1; do
    if has man; then
        # man exits with 0 after warnings, too.
        output=$(MANWIDTH=100 LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null) || true
        result "man $page: $output" test -z "$output"
    fi
    if has mandoc; then
        result "mandoc $page" mandoc -T lint -W warning "$page"
    fi
done
has man || has mandoc || skip "rendering of man pages" "neither man nor mandoc is installed"

# --- the site

if has mdbook; then
    result "make docs" scripts/docs.sh "$work/site"
    result "links of the site" scripts/docs.py links "$work/site"
else
    skip "the site" "mdbook is not installed: \`make setup-docs\` installs it"
fi

echo "docs: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
