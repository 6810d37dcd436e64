#!/bin/sh
# The demo serves a whole trace, and tells what is wrong with a bad one.
set -eu
serving=$1
trace=$(dirname "$0")/../../../examples/data/trace.csv
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
header=TIMESTAMP,ContextTokens,GeneratedTokens
row='2023-11-16 18:15:46.6805900,374,44'

# fails STATUS MESSAGE ARGUMENT...: the demo ends with that status and message.
fails() {
    wanted=$1 message=$2 status=0
    shift 2
    output=$("$serving" "$@" 2>&1) || status=$?
    case $status:$output in
    "$wanted:"*"$message"*) ;;
    *)
        echo "serving $*: expected status $wanted and '$message', found $status and '$output'" >&2
        exit 1
        ;;
    esac
}
# refuses MESSAGE LINE...: it does so for a trace of these lines.
refuses() {
    message=$1
    shift
    printf '%s\n' "$@" >"$scratch/trace.csv"
    fails 2 "$message" "$scratch/trace.csv"
}

requests=$(($(wc -l <"$trace") - 1))
"$serving" --speed 1000 --frontends 3 --workers 2 "$trace" | tee "$scratch/output"
grep -q "^requests  $requests in, $requests out" "$scratch/output"
"$serving" --help >/dev/null

fails 2 'No such file' "$scratch/none.csv"
fails 2 'Is a directory' "$scratch"
fails 2 'expected one trace file, found 0'
fails 2 'found: 0' --speed 0 "$trace"
fails 2 'found: 2x' --workers 2x "$trace"
fails 2 'try --help' --fast "$trace"
refuses 'trace.csv:1: expected TIMESTAMP' 'time,tokens' "$row"
refuses 'trace.csv:2: expected a request' "$header"
refuses 'trace.csv:3: expected YYYY' "$header" "$row" ''
refuses 'trace.csv:3: expected YYYY' "$header" "$row" '2023-11-16 18:15:47.0,374'
refuses 'trace.csv:2: expected YYYY' "$header" "$row,5"
refuses 'trace.csv:2: expected YYYY' "$header" '2023-02-30 18:15:46.0,374,44'
refuses 'trace.csv:2: expected YYYY' "$header" '2023-02-28 18:15:46.0,-374,44'
refuses 'trace.csv:2: expected YYYY' "$header" '2023-02-28 18:15:nan,374,44'
refuses 'trace.csv:3: earlier' "$header" "$row" '2023-11-16 18:15:45.0,1,1'
