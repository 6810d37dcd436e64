#!/usr/bin/env bash
# Builds the library for installation, or a Rust program.
#   build.sh library             writes OUT/libqueues.so.VERSION, and into OUT/install:
#     libqueues.a  the static library      needs   the system libraries that it needs
#     target       the target triple
#                              and OUT/queues-inspect
#   build.sh header              writes OUT/queues.h, the header that the sources give
#   build.sh tool NAME MANIFEST  builds the program and links OUT/NAME to it
#
# Run by make with VERSION, OUT, WORK (the target folder of cargo), CARGO, QUEUES_RUSTC, NM,
# OBJCOPY, and LD and AR if the user has set them. Installs nothing. A file gets its name when it is
# complete, the shared library last, because make compares its time with those of the sources.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

fail() {
    echo "build: $*" >&2
    exit 2
}
need() { command -v "$1" >/dev/null || fail "$1 is missing: \`make setup\` installs it"; }
at_least() { printf '%s\n' "$2" "$1" | sort -V -C; }

# CARGO may have arguments, as in cargo +1.90.
read -ra cargo <<<"${CARGO:-cargo}"
rustc=$QUEUES_RUSTC
LD=${LD:-ld} AR=${AR:-ar}
need "${cargo[0]}"
need "$rustc"
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
found=$("$rustc" --version | cut -d' ' -f2) || fail "$rustc --version fails: \`make setup\` installs Rust"
at_least "$found" "$wanted" ||
    fail "$rustc has version $found, $wanted or later is needed: \`make setup\` installs it"
# rustc calls a C compiler to link.
command -v cc gcc clang >/dev/null || fail "a C compiler is missing: \`make setup\` installs one"

mkdir -p "$OUT/install" || fail "cannot write to $OUT"
stage=$(mktemp -d "$OUT/.build-XXXXXX") || fail "cannot write to $OUT"
trap 'rm -rf "$stage"' EXIT
touch "$stage/begin"

# cargo_build MANIFEST ARGUMENT...: builds without the network, and writes the paths of what it built
# as JSON into $stage/messages.
cargo_build() {
    "${cargo[@]}" build --release --frozen --message-format=json-render-diagnostics \
        --manifest-path "$@" >"$stage/messages" && return
    "${cargo[@]}" metadata --frozen --format-version 1 --manifest-path "$1" >/dev/null 2>&1 ||
        fail "the build failed, and crates of $1 are missing: \`make setup\` fetches them"
    exit 2
}
# path PATTERN: the path of the file that cargo built; its folder depends on the target.
path() {
    local paths
    paths=$(grep '"reason":"compiler-artifact"' "$stage/messages" |
        grep -o "\"[^\"]*/$1\"" | sort -u) ||
        fail "cargo built no ${1//\\/}: this target does not support it"
    [ "$(wc -l <<<"$paths")" -eq 1 ] ||
        fail "cargo built for several targets: set CARGO_BUILD_TARGET to one of them"
    paths=${paths:1:-1}
    # In JSON a path can have two escapes: \" and \\.
    paths=${paths//\\\"/\"}
    echo "${paths//\\\\/\\}"
}

tool() {
    local program
    cargo_build "$2" --bin "$1"
    program=$(path "$1")
    if ! [ "$program" -ef "$OUT/$1" ]; then
        ln -s "$program" "$stage/$1"
        mv -fT "$stage/$1" "$OUT/$1"
    fi
}

library() {
    local shared archive inspect target=() triple
    need "$LD" && need "$AR" && need "$NM" && need "$OBJCOPY"
    cd "$root"
    # Cargo does not know that these files decide what it builds.
    cat scripts/rustc.sh scripts/link.sh >"$stage/tools"
    if [ -e "$WORK/CACHEDIR.TAG" ] && ! cmp -s "$stage/tools" "$WORK/tools"; then
        rm -rf "$WORK"
    fi
    mkdir -p "$WORK"
    mv "$stage/tools" "$WORK/tools"
    RUSTC=$root/scripts/rustc.sh cargo_build Cargo.toml --lib --bin queues-inspect --target-dir "$WORK"
    shared=$(path 'libqueues\.so')
    archive=$(path 'libqueues\.a')
    inspect=$(path queues-inspect)
    if [ "$(dirname "$(dirname "$shared")")" -ef "$WORK" ]; then
        triple=$("$rustc" -vV | sed -n 's/^host: //p')
    else
        triple=$(basename "$(dirname "$(dirname "$shared")")")
        target=(--target "$triple")
    fi

    # One object in which only queues_* are global symbols, so that a program may link another Rust
    # library, too. Without the bitcode of Rust's standard library, which other tools cannot read, and
    # without symbols that linking does not need.
    "$NM" -D --defined-only --format=posix "$shared" | sed -n 's/^\(queues_[a-z_]*\).*/\1/p' >"$stage/symbols"
    sed 's/^/-u /' "$stage/symbols" >"$stage/wanted"
    if ! "$LD" -r --gc-sections --force-group-allocation "@$stage/wanted" -o "$stage/queues.o" "$archive" ||
        ! "$OBJCOPY" --strip-unneeded --remove-section=.llvmbc --remove-section=.llvmcmd \
            --wildcard --keep-global-symbol='queues_*' "$stage/queues.o" ||
        ! "$AR" rcs "$stage/libqueues.a" "$stage/queues.o"; then
        fail "no static library for $triple: set LD, AR, NM and OBJCOPY to tools for this target"
    fi

    # Not libgcc_s and libc: every compiler adds them itself, and their static form for -static.
    "$rustc" - --crate-type staticlib --print native-static-libs "${target[@]}" -o "$stage/empty.a" \
        </dev/null 2>"$stage/notes" || fail "$(cat "$stage/notes")"
    sed -n 's/^note: native-static-libs: //p' "$stage/notes" | tr ' ' '\n' |
        grep -vx -e -lgcc_s -e -lc >"$stage/needs" || [ $? -eq 1 ]
    echo "$triple" >"$stage/target"
    cp "$shared" "$stage/libqueues.so.$VERSION"
    # The time when the build began: sources that were edited meanwhile are newer.
    touch -r "$stage/begin" "$stage/libqueues.so.$VERSION"
    (cd "$stage" && mv -f libqueues.a needs target "$OUT/install/")
    cp "$inspect" "$stage/queues-inspect"
    mv -f "$stage/queues-inspect" "$stage/libqueues.so.$VERSION" "$OUT/"
}

header() {
    cd "$root"
    "${cargo[@]}" check --frozen --lib --features header \
        --message-format=json-render-diagnostics >"$stage/messages" || exit 2
    cp "$(sed -n 's|.*"out_dir":"\([^"]*/build/[^"/]*queues-[^"/]*/out\)".*|\1/queues.h|p' "$stage/messages")" \
        "$stage/queues.h"
    mv -f "$stage/queues.h" "$OUT/"
}

case ${1:-}:$# in
library:1 | header:1 | tool:3) "$@" ;;
*) fail "usage: $0 library | header | tool NAME MANIFEST" ;;
esac
