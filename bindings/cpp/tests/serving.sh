#!/bin/sh
# The demo serves a whole trace, and reports what is wrong with a bad one.
set -eu
serving=$1
trace=$(dirname "$0")/../../../examples/data/trace.csv
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
header=TIMESTAMP,ContextTokens,GeneratedTokens
row='2023-11-16 18:15:46.6805900,374,44'

# fails STATUS MESSAGE ARGUMENT...: the demo exits with STATUS, and MESSAGE in its output.
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
# refuses MESSAGE LINE...: the demo exits with status 2 and MESSAGE for a trace of these LINEs.
refuses() {
    message=$1
    shift
    printf '%s\n' "$@" >"$scratch/trace.csv"
    fails 2 "$message" "$scratch/trace.csv"
}

# serves REQUESTS ARGUMENT...: REQUESTS requests go through every stage of the demo.
serves() {
    wanted=$1
    shift
    "$serving" "$@" >"$scratch/output"
    cat "$scratch/output"
    grep -q "^requests  $wanted in, $wanted out" "$scratch/output"
    stage='^(intake|priority|batch|deques|results) '
    test "$(grep -cE "$stage.* $wanted +$wanted " "$scratch/output")" = 5
}

requests=$(($(wc -l <"$trace") - 1))
serves "$requests" --speed 1000 --frontends 3 --workers 2 "$trace"
# All requests are due at once, and the queues have room for one.
serves "$requests" --speed 1000000000 --workers 3 --capacity 1 --batch-size 1 "$trace"
# One worker takes the batch, and works longer than the other one sleeps; the last request delays
# the end of the batches.
{
    echo "$header"
    for _ in 1 2 3 4 5 6 7 8; do echo '2024-01-01 00:00:00.0,0,100'; done
    echo '2024-01-01 00:00:01.0,0,1'
} >"$scratch/steals.csv"
serves 9 --speed 1 --workers 2 --linger-ms 10 "$scratch/steals.csv"
grep -q '^steals    [1-9]' "$scratch/output"
"$serving" --help >/dev/null

fails 2 'No such file' "$scratch/none.csv"
fails 2 ':1: Is a directory' "$scratch"
fails 2 'expected one trace file, found 0'
fails 2 'found: 0' --speed 0 "$trace"
fails 2 'found: 2x' --workers 2x "$trace"
fails 2 'found: 1001' --batch-size 1001 "$trace"
fails 2 'from 1 to 60000, found: 0.5' --linger-ms 0.5 "$trace"
fails 2 'No such file' --json "$scratch/no/folder.json" "$trace"
fails 2 'found: --fast; try --help' --fast "$trace"
refuses 'trace.csv:1: expected TIMESTAMP' 'time,tokens' "$row"
refuses 'trace.csv:2: expected a request' "$header"
refuses 'trace.csv:3: expected YYYY' "$header" "$row" ''
refuses 'trace.csv:3: expected YYYY' "$header" "$row" '2023-11-16 18:15:47.0,374'
refuses 'trace.csv:2: expected YYYY' "$header" "$row,5"
refuses 'trace.csv:2: expected YYYY' "$header" '2023-02-30 18:15:46.0,374,44'
refuses 'trace.csv:2: expected YYYY' "$header" '2023-02-28 18:15:46.0,-374,44'
refuses 'trace.csv:2: expected YYYY' "$header" '2023-02-28 18:15:nan,374,44'
refuses 'trace.csv:3: earlier' "$header" "$row" '2023-11-16 18:15:45.0,1,1'
