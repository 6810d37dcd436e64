#!/usr/bin/env bash
# check.sh PROGRAM...: checks that each program refuses bad arguments in one line, and that every
# case of every contestant prints a measurement. ITEMS is the number of items of a trial, TIMEOUT
# its limit in seconds. A trial that exceeds the limit is a failure only if it is one of ours: some
# peers make no progress while a thread is suspended in one of their calls, or was killed there.
set -uo pipefail
items=${ITEMS:-20000}
seconds=${TIMEOUT:-20}

all_cases() {
    local mode capacity payload shape
    for mode in single bulk8 bulk32 bulk256 blocking; do
        for capacity in 1024 65536; do
            for payload in ptr b8 b16 b64 b256 b1024; do
                echo "spsc/1P1C/$mode/$capacity/$payload"
            done
        done
    done
    for shape in 1P1C pair 2P2C 4P4C 8P8C 4P1C 1P4C; do
        for mode in single blocking bulk32; do
            echo "mpmc/$shape/$mode/1024/ptr"
        done
    done
    printf 'mpmc/1P1C/single/%s/ptr\n' 64 256 4096 16384 65536
    printf '%s\n' pingpong/1P1C/{spin,blocking}/1024/ptr latency/{1P1C,2P2C}/blocking/1024/ptr \
        wake/1P1C/{pingpong,oneway}/1024/ptr process/{1P1C,4P4C}/blocking/1024/b{8,64,1024} \
        process-ping-pong/1P1C/blocking/1024/b{8,64,1024} process-kill/4P4C/blocking/1024/b64 \
        fairness/4P4C/single/1024/ptr priority/x{1,2,4,8}/single/{1000,100000}/ptr \
        deque/owner{,+1thief,+2thieves}/single/1024/ptr batch/{2P1C,4P1C,4P2C,lateness}/batch32/1024/ptr \
        memory/-/-/{1024,65536}/ptr
}
mapfile -t cases < <(all_cases)

ran=0
failed=0
late=0
# refuses MESSAGE ARGUMENT...: the program ends with exit code 2 and one line that contains MESSAGE
# and no control characters.
refuses() {
    ran=$((ran + 1))
    output=$(timeout "$seconds" "$program" "${@:2}" 2>&1)
    code=$?
    if [ $code -ne 2 ] || [[ $output != *"$1"* || $output == *[[:cntrl:]]* ]]; then
        failed=$((failed + 1))
        echo "$program ${*:2}: exit $code: ${output@Q}"
    fi
}
for program in "$@"; do
    listing=$("$program" list) || exit
    some=$(grep -m1 '"cases":' <<<"$listing" | grep -o '"name":"[^"]*"' | cut -d'"' -f4)
    refuses usage
    refuses usage nonsense
    refuses contestant run --case spsc/1P1C/single/1024/ptr --items 5 --contestant $'\e[31m'
    refuses 'does not run' run --items 5 --contestant "$some" --case no/such/case/5/ptr
    for few in 0 -5 5x '' 9999999999999999999999; do
        refuses items run --contestant "$some" --case spsc/1P1C/single/1024/ptr --items "$few"
    done
    while IFS= read -r line; do
        name=$(sed -E 's/.*"name":"([^"]*)".*/\1/' <<<"$line")
        if [[ $line == *'"missing":'* ]]; then
            echo "$name: missing"
            continue
        fi
        mapfile -t patterns < <(sed -E 's/.*"cases":\[(.*)\].*/\1/' <<<"$line" | tr -d '"' | tr , '\n')
        before=$ran
        for pattern in "${patterns[@]}"; do
            matched=0
            for case in "${cases[@]}"; do
                # shellcheck disable=SC2053 # the right side is a pattern
                [[ $case == $pattern || $case == $pattern/* ]] || continue
                matched=1
                ran=$((ran + 1))
                [[ $case == *lateness* || $case == wake/* ]] && few=100 || few=$items
                [[ $case == process-kill/* ]] && few=10
                output=$(timeout "$seconds" "$program" run --contestant "$name" --case "$case" \
                    --items "$few" 2>&1)
                code=$?
                if [[ $code -eq 124 || $output == *'stand still' ]] &&
                    [[ $line == *'"ours":false'* ]]; then
                    late=$((late + 1))
                    echo "$name: $case: ${output:-not done in $seconds s}"
                elif [ $code -ne 0 ] || [[ ! $output =~ ^\{.*\"items\":[1-9] ]]; then
                    failed=$((failed + 1))
                    echo "$name: $case: exit $code: $output"
                fi
            done
            [ $matched -eq 1 ] || { echo "$name: no case matches $pattern"; failed=$((failed + 1)); }
        done
        echo "$name: $((ran - before)) cases"
    done <<<"$listing"
done
echo "$ran trials, $failed failed, $late trials of peers not done in time"
[ "$failed" -eq 0 ]
