# shellcheck shell=bash
# For scripts that are a list of tests: named lines, and counts in $passed and $failed. $tmp is a folder of
# the script's own. To be sourced.

: "${tmp:?}"
passed=0
failed=0
# check NAME COMMAND...: one test, quiet while it passes.
check() {
    (set -e && shift && "$@") >"$tmp/log" 2>&1
    # shellcheck disable=SC2181 # in a condition, set -e would not hold inside
    if [ $? -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok      $1"
    else
        failed=$((failed + 1))
        echo "FAILED  $1"
        sed 's/^/        /' "$tmp/log"
    fi
}
same() { [ "$1" = "$2" ] || { printf 'expected: %s\ngot:      %s\n' "$2" "$1" && false; }; }
