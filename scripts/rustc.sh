#!/usr/bin/env bash
# rustc for cargo (RUSTC), which leaves no paths of this machine in the library: it replaces the
# home folder, cargo's folder and this tree by fixed names. RUSTFLAGS could do the same, but then
# those that the user has set, in the environment or in a cargo file, would be ignored. QUEUES_RUSTC
# is the real compiler. scripts/link.sh links libqueues.so.
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
flags=("${remap[@]/#/--remap-path-prefix=}")

# The linker that the user has set, in RUSTFLAGS or by a file of cargo. rustc goes by the name of a
# linker, so ours gets the same.
linker=cc name='' folder='' shared='' previous=''
for argument; do
    case $previous:$argument in
    *:-Clinker=* | *:--codegen=linker=*) linker=${argument#*linker=} ;;
    -C:linker=* | --codegen:linker=*) linker=${argument#linker=} ;;
    --crate-name:*) name=$argument ;;
    --crate-type:cdylib) shared=yes ;;
    --out-dir:*) folder=$argument/linker ;;
    esac
    previous=$argument
done
if [ "$name$shared" = queuesyes ] && [ -n "$folder" ]; then
    # While the major version is 0, a minor version may break the ABI.
    major=$CARGO_PKG_VERSION_MAJOR
    [ "$major" != 0 ] || major=0.$CARGO_PKG_VERSION_MINOR
    mkdir -p "$folder"
    ln -sf "$root/scripts/link.sh" "$folder/${linker##*/}"
    export QUEUES_LINKER=$linker QUEUES_SYMBOLS=QUEUES_$major
    flags+=("-Clinker=$folder/${linker##*/}")
fi
exec "${QUEUES_RUSTC:-rustc}" "$@" "${flags[@]}"
