#!/usr/bin/env bash
# Platforms other than the one that runs the tests; docs/platforms.md lists them. Run by make, with
# CARGO and QUEUES_RUSTC. `run.sh PART...` runs these parts:
#   aarch64  Rust, C and C++ tests on emulated aarch64 Linux, by qemu-user
#   musl     C programs that are static, with musl, on this machine
#   check    compiles the Rust code for other systems and processors, without linking
#   refused  platforms that the library does not support: the compiler reports why
# `run.sh targets` prints the targets that Rust's standard library is needed for.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$target

emulated=aarch64-unknown-linux-gnu musl=x86_64-unknown-linux-musl
checked=(
    x86_64-apple-darwin aarch64-apple-darwin x86_64-unknown-freebsd aarch64-linux-android
    powerpc64le-unknown-linux-gnu riscv64gc-unknown-linux-gnu s390x-unknown-linux-gnu
)
not_64_bit=i686-unknown-linux-gnu not_unix=x86_64-pc-windows-gnu
if [ "$*" = targets ]; then
    printf '%s\n' "$emulated" "$musl" "${checked[@]}" "$not_64_bit" "$not_unix"
    exit
fi
read -ra cargo <<<"${CARGO:-cargo}"

fail() {
    echo "platforms: $*" >&2
    exit 2
}
missing() { fail "$1 is missing: \`make setup-proof\` installs it"; }
need() { command -v "$1" >/dev/null || missing "$1"; }
sysroot() { "${QUEUES_RUSTC:-rustc}" --print sysroot; }
# needs_std TRIPLE...: Rust's standard library for these targets.
needs_std() {
    local triple libraries
    libraries=$(sysroot)/lib/rustlib
    for triple in "$@"; do
        [ -d "$libraries/$triple/lib" ] || missing "Rust's standard library for $triple"
    done
}

# qemu orders memory as strongly as the host does. It has no seccomp, a forked child may hang if other
# threads ran at the fork, and a program cannot start another one of the same architecture: the tests
# that need this are skipped.
aarch64() {
    local triple=$emulated cross=aarch64-linux-gnu qemu libraries program
    qemu=$(command -v qemu-aarch64-static qemu-aarch64 | head -1) || true
    [ -n "$qemu" ] || missing qemu-aarch64
    need "$cross-gcc"
    need "$cross-g++"
    needs_std "$triple"
    local run=("$qemu" -L "/usr/$cross")
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$cross-gcc
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="${run[*]}"

    local tests=("${cargo[@]}" test --frozen --no-fail-fast --target "$triple")
    QUEUES_ITEMS=${QUEUES_ITEMS:-10000} QUEUES_HISTORIES=${QUEUES_HISTORIES:-200} "${tests[@]}" --lib \
        --test abi --test batch --test conformance --test linearizability --test outputs --test stress
    "${tests[@]}" --test faults -- --skip fork --skip calls_need_no_memory
    CC=$cross-gcc RUNNER="${run[*]}" "${tests[@]}" --test c

    # Cargo's name of the library is not the one that a program loads.
    libraries=$target/platforms/aarch64 program=$target/platforms/aarch64/cpp
    mkdir -p "$libraries"
    ln -sf "$target/$triple/debug/deps/libqueues.so" "$libraries/"
    ln -sf libqueues.so "$libraries/$(soname "$cross-readelf" "$libraries/libqueues.so")"
    "$cross-g++" -std=c++20 -O1 -Wall -Wextra -Werror -Iinclude -Ibindings/cpp/include \
        bindings/cpp/tests/{main,lifetimes,threads}.cpp -o "$program" \
        -L"$libraries" -Wl,-rpath,"$libraries" -lqueues -pthread
    timeout -k 5 300 "${run[@]}" "$program"
}
soname() { "$1" -d "$2" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'; }

# tests/c, but not sandbox.c, which needs the dynamic linker of glibc.
musl() {
    local triple=$musl out=$target/platforms/musl std program words
    need musl-gcc
    needs_std "$triple"
    std=$(sysroot)/lib/rustlib/$triple/lib/self-contained
    # musl brings no headers of the kernel. Next to these lie those of glibc, which musl must not find.
    mkdir -p "$out/kernel"
    ln -sfn /usr/include/{linux,asm-generic,"$(gcc -print-multiarch)"/asm} "$out/kernel"
    "${cargo[@]}" rustc --frozen --release --quiet --lib --crate-type staticlib --target "$triple"
    for program in abi batch cancel clearing deque "fork 40 40" handover mpmc nomem priority rules spsc \
        threads "withdrawn EPERM" "withdrawn ENOSYS"; do
        read -ra words <<<"$program"
        musl-gcc -std=c11 -O1 -Wall -Wextra -Werror -Iinclude -isystem "$out/kernel" -static \
            "tests/c/${words[0]}.c" -o "$out/${words[0]}" \
            "$target/$triple/release/libqueues.a" -L"$std" -lunwind
        "$out/${words[0]}" "${words[@]:1}" >"$out/log" 2>&1 ||
            fail "tests/c/${words[0]}.c fails with musl: $(cat "$out/log")"
        echo "musl: $program passed"
    done
}

check() {
    needs_std "${checked[@]}"
    "${cargo[@]}" check --frozen --quiet --lib "${checked[@]/#/--target=}"
    printf 'checked: %s\n' "${checked[@]}"
}

refused() {
    refuses "$not_64_bit" "queues needs a 64-bit target"
    refuses "$not_unix" "queues needs a Unix system"
}
# refuses TRIPLE MESSAGE: the compiler's first error begins with the message.
refuses() {
    local output
    needs_std "$1"
    if output=$("${cargo[@]}" check --frozen --quiet --lib --target "$1" 2>&1); then
        fail "$1 compiles, and should be refused"
    fi
    output=$(grep -m1 '^error' <<<"$output") || true
    [[ $output = "error: $2"* ]] || fail "$1: expected the error '$2', found: $output"
    echo "refused: $1: ${output#error: }"
}

usage() { fail "usage: $0 aarch64|check|musl|refused..."; }
[ $# -gt 0 ] || usage
for part in "$@"; do
    case $part in aarch64 | check | musl | refused) ;; *) usage ;; esac
done
# A part that fails does not keep the others from running.
result=0
for part in "$@"; do
    SECONDS=0
    set +e
    (
        set -e
        case $part in
        aarch64) aarch64 ;;
        check) check ;;
        musl) musl ;;
        refused) refused ;;
        esac
    )
    status=$?
    set -e
    if [ "$status" -eq 0 ]; then
        echo "platforms: $part passed in $SECONDS s"
    else
        # 2: the part has printed why.
        [ "$status" -eq 2 ] || echo "platforms: $part failed" >&2
        result=$status
    fi
done
exit "$result"
