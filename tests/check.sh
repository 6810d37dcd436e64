# shellcheck shell=bash
# For scripts that run a list of tests: prints a line for each test and counts in $passed and
# $failed. To be sourced; $tmp is a temporary folder of the script.

: "${tmp:?}"
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
