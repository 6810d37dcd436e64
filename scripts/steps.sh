#!/usr/bin/env bash
# steps.sh MAKE TARGET...: makes each target under a heading, goes on after a failure, and prints at
# the end which targets passed and which failed.
set -u
make=$1
shift

lines=()
failed=0
for step in "$@"; do
    printf '\n==> %s\n' "$step"
    SECONDS=0
    if "$make" --no-print-directory "$step"; then
        verdict=passed
    else
        verdict=FAILED
        failed=$((failed + 1))
    fi
    lines+=("$(printf '%-16s %s in %d s' "$step" "$verdict" "$SECONDS")")
    printf '==> %s\n' "${lines[-1]}"
done

printf '\n'
printf '%s\n' "${lines[@]}"
printf '%d passed, %d failed\n' $(($# - failed)) "$failed"
[ "$failed" -eq 0 ]
