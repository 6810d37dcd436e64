#!/usr/bin/env bash
# Runs the serving demo, for `make demo`, or with --check only checks what the user has set:
#   TRACE, SPEED  the trace, and how many times faster than recorded it is replayed
#   REPORT        a page with plots of the run
#   COMPARE       mutex: runs the same pipeline over mutex + condition variable queues, too, and
#                 writes a page that compares both
#   REPEAT        with COMPARE: the number of runs of each kind, which take turns
# The makefile sets these:
#   SERVING       the program; SERVING-mutex is the one with mutex queues
#   WORKER        the program of its worker processes, if it has them
#   RECORDS       the folder for the records of runs that are compared, and for their page
#   QUEUES_REPORT the tool that draws pages
set -euo pipefail

fail() {
    echo "demo: $*" >&2
    exit 2
}
refuse() { fail "$1: expected $2, found: $(printf %.60q "$3")"; }

repeat=${REPEAT:-5}
case ${COMPARE:-} in
'') [ -z "${REPEAT:-}" ] || fail "REPEAT is for comparisons: add COMPARE=mutex" ;;
mutex)
    [[ $repeat =~ ^[1-9][0-9]?$ ]] || refuse REPEAT "a number from 1 to 99" "$repeat"
    [[ $SERVING == */demo/serving ]] || fail "only the demo in C has mutex queues: make demo COMPARE=mutex"
    ;;
*) refuse COMPARE mutex "$COMPARE" ;;
esac
[ "${1:-}" != --check ] || exit 0

trace=${TRACE:-examples/data/trace.csv}
[ -n "${COMPARE:-}" ] ||
    exec "$SERVING" --speed "${SPEED:-4}" ${WORKER:+--worker "$WORKER"} ${REPORT:+--report "$REPORT"} -- "$trace"

# Faster than the demo alone: ten runs take a quarter of a minute.
speed=${SPEED:-40}
page=${REPORT:-$RECORDS/compare.html}
new=$(mktemp -d "$RECORDS/.compare-XXXXXX") || fail "cannot write to $RECORDS: set CARGO_TARGET_DIR"
trap 'rm -rf "$new"' EXIT
"$QUEUES_REPORT" --check -- "$page"

run() { # run QUEUES PROGRAM NUMBER
    "$2" --speed "$speed" --json "$new/$1-$3.json" -- "$trace" >"$new/table"
    echo "run $3 of $repeat with $1: $(sed -n 's/^requests  *//p' "$new/table")"
}
for ((i = 1; i <= repeat; i++)); do
    run libqueues "$SERVING" "$i"
    run mutex "$SERVING-mutex" "$i"
done
"$QUEUES_REPORT" -- "$new"/libqueues-*.json "$new"/mutex-*.json "$page"
rm -f "$RECORDS"/{libqueues,mutex}-*.json
mv "$new"/*.json "$RECORDS"
echo "$page compares them; their records are $RECORDS/{libqueues,mutex}-*.json"
