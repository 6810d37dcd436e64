#!/usr/bin/env bash
# Checks the model of recovery, cells.pml, with Spin: every execution of each case, within bounds.
# Controls, each of which leaves out a rule, must fail. Prints the number of states. The short form
# takes a minute of one core and less than 1 GiB. SPIN_FULL=1 adds larger bounds, and the cases
# without partial order reduction: half an hour, up to 8 GiB. Needs spin and a C compiler. Run by
# `make test-spin`.
set -uo pipefail
# shellcheck source=tests/check.sh
. "$(dirname "$0")/../check.sh"
if ! command -v spin >/dev/null; then
    echo "spin is missing: make setup-proof installs it" >&2
    exit 2
fi
cd "$tmp" || exit

# MiB of memory, the logarithm of the first hash table's size, seconds. Optimizing takes longer than
# a short search.
full=${SPIN_FULL:-}
if [ -n "$full" ]; then
    memory=10000 table=26 seconds=3600 optimize=-O2
else
    memory=3500 table=22 seconds=300 optimize=-O0
fi
reduction=yes

# searched FLAG...: searches the model with these options; the result is in the file out. With FAIR
# it also checks that executions end.
searched() {
    local options=("$optimize" -DSAFETY) flags=()
    [[ " $* " != *" -DFAIR "* ]] || { options=("$optimize" -DNFAIR=3) && flags=(-a -f); }
    [ -n "$reduction" ] || options+=(-DNOREDUCE)
    spin "$@" -a "$repo/tests/spin/cells.pml" &&
        "${CC:-cc}" -w "${options[@]}" -DCOLLAPSE "-DMEMLIM=$memory" -o pan pan.c || return
    timeout "$seconds" ./pan "${flags[@]}" -m2000000 "-w$table" >out
}
states() {
    sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' out | xargs printf '        %.0f states\n'
}

# There is no error, the search was not cut off, and executions come to the end of init, where the
# model looks at the cells.
is_complete() {
    grep -q 'errors: 0$' out || return
    ! grep -q 'not completed\|too small\|MEMLIM' out || return
    ! sed -n '/^unreached in init/,/states)$/p' out | grep -q 'over = 1' || return
}
is_error() { grep -q 'assertion violated\|acceptance cycle' out && grep -q 'errors: 1$' out; }
shown() {
    cat out
    false
}
complete() {
    searched "$@" || shown || return
    is_complete || shown
}
fails() {
    searched "$@" || shown || return
    is_error || shown
}

# holds NAME FLAG...: no execution has an error.
holds() {
    check "$1" complete "${@:2}"
    states
}
# control NAME FLAG...: the search finds an error.
control() {
    optimize=-O0 check "control: $1" fails "${@:2}"
    states
}

spin -V
one=(-DOPS=1)
two_recover=(-DOPS=1 -DRECOVERERS -DDIES)
redelivery=(-DITEMS -DREDELIVER)
reuse=(-DOPS=1 -DRECOVERERS -DREUSE)
cases() {
    holds "one worker lives, one is killed"
    holds "capacity equal to slots" -DCAP=2
    holds "two workers live" -DTWO "${one[@]}"
    holds "the recoverer is killed, another one finishes" "${two_recover[@]}"
    holds "a new process takes the place of the dead one" "${reuse[@]}"
    holds "the same, two cells" -DCELLS=2 "${reuse[@]}"
    holds "filled is closed" -DCLOSE
    holds "filled is closed, capacity equal to slots" -DCLOSE -DCAP=2
    holds "items" -DITEMS
    holds "redelivery" "${redelivery[@]}"
    holds "redelivery, capacity equal to slots" "${redelivery[@]}" -DCAP=2
    holds "redelivery, and filled is closed" "${redelivery[@]}" -DCLOSE "${one[@]}"
    holds "redelivery, and the recoverer is killed" "${redelivery[@]}" "${two_recover[@]}"
    holds "leases" -DLEASES
    holds "leases, and the recoverer is killed" -DLEASES "${two_recover[@]}"
    holds "leases and redelivery" -DLEASES "${redelivery[@]}" "${one[@]}"
    holds "store buffers" -DTSO
    holds "store buffers and leases" -DTSO -DLEASES "${one[@]}"
    holds "store buffers, and the recoverer is killed" -DTSO "${two_recover[@]}"
    holds "every execution ends" -DFAIR "${one[@]}"
    holds "every execution ends, with two recoverers" -DFAIR "${two_recover[@]}"
}
cases

control "no announcement before the pop" -DNO_ANNOUNCEMENT
control "no look at the announcements" -DNO_SCAN
control "no second read of the slot" -DNO_REREAD
control "the mark is stored after the push" -DLATE_MARK
control "the announcement is withdrawn before the push" -DEARLY_WITHDRAWAL
control "a recoverer does not announce" -DNO_RECOVERY_ANNOUNCEMENT "${two_recover[@]}"
control "a recoverer takes a cell by a plain store" -DNO_SWAP "${two_recover[@]}"
control "a recoverer takes a cell without its name" -DANONYMOUS "${two_recover[@]}"
control "marks without their writer" -DNO_TAG "${two_recover[@]}"
control "the next process of a place has the same tag" -DNO_GENERATION -DCELLS=2 "${reuse[@]}"
control "life is looked at before the announcement" -DEARLY_LIFE "${reuse[@]}"
control "a lease is marked after its announcement" -DLATE_HOLD -DLEASES "${one[@]}"
control "a commit does not announce" -DNO_COMMIT_ANNOUNCEMENT -DLEASES "${one[@]}"
control "an empty cell is redelivered" -DNO_RING "${redelivery[@]}"
control "a swap that does not wait for earlier stores" -DTSO -DNO_DRAIN "${one[@]}"
control "announcements of the dead count" -DFAIR -DNO_LIFE "${one[@]}"

if [ -n "$full" ]; then
    holds "two workers live, two calls each" -DTWO -DOPS=2 -DOPS1=1
    holds "two workers live, store buffers" -DTWO -DTSO "${one[@]}"
    holds "two workers live, capacity equal to slots" -DTWO -DCAP=2 "${one[@]}"
    holds "two workers live, leases" -DTWO -DLEASES "${one[@]}"
    holds "three calls each" -DOPS=3
    holds "the recoverer is killed, two calls each" -DRECOVERERS -DDIES
    holds "the recoverer is killed, filled is closed" -DCLOSE "${two_recover[@]}"
    holds "redelivery, filled is closed, two calls each" -DCLOSE "${redelivery[@]}"
    holds "redelivery, the recoverer is killed, filled is closed" -DCLOSE "${redelivery[@]}" \
        "${two_recover[@]}"
    holds "leases and redelivery, two calls each" -DLEASES "${redelivery[@]}"
    holds "leases and redelivery, the recoverer is killed" -DLEASES "${redelivery[@]}" \
        "${two_recover[@]}"
    holds "store buffers, redelivery, the recoverer is killed" -DTSO "${redelivery[@]}" \
        "${two_recover[@]}"
    holds "every execution ends, two calls each" -DFAIR
    echo "without partial order reduction:"
    reduction=
    cases
fi

all_passed
