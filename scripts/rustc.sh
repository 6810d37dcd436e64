#!/usr/bin/env bash
# rustc for cargo (RUSTC), which leaves no paths of this machine in the library: it replaces the
# home folder, cargo's folder and this tree by fixed names. RUSTFLAGS could do the same, but then
# those that the user has set, in the environment or in a cargo file, would be ignored. QUEUES_RUSTC
# is the real compiler.
#
# Cargo does not see these flags, so it needs a target folder of its own.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
home=${HOME:-}
home=${home%/}
# Of several that match, rustc applies the last.
remap=()
[ -z "$home" ] || remap+=("$home=/home")
remap+=("${CARGO_HOME:-$home/.cargo}=/cargo" "$root=/queues")
exec "${QUEUES_RUSTC:-rustc}" "$@" "${remap[@]/#/--remap-path-prefix=}"
