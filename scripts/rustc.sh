#!/usr/bin/env bash
# The compiler, for cargo as RUSTC, told to write other names for what only this machine has. In this way the
# RUSTFLAGS that somebody has set, in the environment or in a file of cargo's, stay as they are. QUEUES_RUSTC
# is the compiler itself.
#
# Cargo does not see these flags: it needs a target folder of its own.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
home=${HOME:-}
home=${home%/}
# The last one that matches counts.
remap=()
[ -z "$home" ] || remap+=("$home=/home")
remap+=("${CARGO_HOME:-$home/.cargo}=/cargo" "$root=/queues")
exec "${QUEUES_RUSTC:-rustc}" "$@" "${remap[@]/#/--remap-path-prefix=}"
