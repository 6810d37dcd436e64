#!/usr/bin/env bash
# The linker of libqueues.so, run by rustc (scripts/rustc.sh). Gives all exported symbols the version
# QUEUES_SYMBOLS.
#
# rustc passes a version script that lists the symbols and names no version; linkers accept no second
# script beside such a one. So this one gets the name. QUEUES_LINKER is the real linker.
set -euo pipefail
arguments=()
for argument; do
    case $argument in
    *--version-script=*)
        sed "1s/^{/$QUEUES_SYMBOLS {/" "${argument#*=}" >"${argument#*=}.named"
        argument+=.named
        ;;
    esac
    arguments+=("$argument")
done
exec "$QUEUES_LINKER" "${arguments[@]}"
