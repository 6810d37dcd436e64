# shellcheck shell=bash
# For scripts that run a list of tests of an installed library. To be sourced. Defines $repo, $tmp (a
# temporary folder), $version and $target, and counts tests in $passed and $failed.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$repo/Cargo.toml")
target=${CARGO_TARGET_DIR:-$repo/target}
export CARGO_TARGET_DIR=$target
# Variables that were given to an outer make, such as DESTDIR, must not reach the ones run here.
unset MAKEFLAGS MAKELEVEL DESTDIR PREFIX LIBDIR INCLUDEDIR TRACE SPEED REPORT OUT WORK
make_() { make -s --no-print-directory -C "$repo" "$@"; }

passed=0
failed=0
# check NAME COMMAND...: runs one test. Its output is shown only if it fails.
check() {
    (set -e && shift && "$@") >"$tmp/log" 2>&1
    # shellcheck disable=SC2181 # in a condition, set -e has no effect in the test
    if [ $? -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok      $1"
    else
        failed=$((failed + 1))
        echo "FAILED  $1"
        sed 's/^/        /' "$tmp/log"
    fi
}
# same ACTUAL EXPECTED: fails with both texts if they differ.
same() { [ "$1" = "$2" ] || { printf 'expected: %s\nactual:   %s\n' "$2" "$1" && false; }; }
# Prints the counts, and returns whether all tests passed.
all_passed() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
# skip NAME REASON: counts neither as passed nor as failed.
skip() { echo "skipped $1: $2"; }
skip_all() {
    echo "skipped: $1"
    exit 0
}
