#!/usr/bin/env bash
# The crate libqueues: its contents, and a Rust program that depends on it as `queues`; what
# `cargo cinstall` installs, compared with `make install`. Run by `make test-packages`.
# shellcheck source-path=SCRIPTDIR/../.. source=tests/check.sh
. "$(dirname "$0")/../check.sh"
read -ra cargo <<<"${CARGO:-cargo}"
tree=$tmp/libqueues-$version

pack() {
    cd "$repo"
    "${cargo[@]}" package --locked --allow-dirty --no-verify --target-dir "$tmp/package"
    tar -C "$tmp" -xzf "$tmp/package/package/libqueues-$version.crate"
}
# The licenses, the headers of C and C++ and all sources; no tests, benchmarks or other packages.
contents() {
    local file
    cd "$repo"
    for file in LICENSE-MIT LICENSE-APACHE THIRD-PARTY.md README.md cbindgen.toml Cargo.lock; do
        test -s "$tree/$file"
    done
    for folder in src include bindings/cpp/include; do
        diff -r "$folder" "$tree/$folder"
    done
    same "$(cd "$tree" && find . -type f | cut -d/ -f2 | grep -xE 'tests|benches|packaging|vendor|docs')" ""
    same "$(find "$tree/bindings" -name '*.go')" ""
}
rust_program() {
    mkdir -p "$tmp/program/src"
    cat >"$tmp/program/Cargo.toml" <<TOML
[package]
name = "program"
edition = "2024"

[dependencies]
queues = { package = "libqueues", path = "$tree" }
TOML
    cat >"$tmp/program/src/main.rs" <<'RUST'
use queues::{Mpmc, Wait};

fn main() {
    let queue = Mpmc::with_capacity(100).unwrap();
    queue.put("hello", Wait::Forever).unwrap();
    println!("{}", queue.get(Wait::Forever).unwrap());
}
RUST
    cp "$repo/Cargo.lock" "$tmp/program/" # the same crates, without a network
    cd "$tmp/program"
    same "$("${cargo[@]}" run --quiet --offline --target-dir "$tmp/program/target")" hello
    # The generator of the C header is not built.
    same "$(find "$tmp/program/target" -name '*cbindgen*')" ""
}
cinstall() {
    cd "$repo"
    "${cargo[@]}" cinstall --locked --release --target-dir "$tmp/capi" --destdir "$tmp/c" \
        --prefix /usr --libdir /usr/lib
    make_ install "DESTDIR=$tmp/make" PREFIX=/usr
    diff -r "$tmp/make/usr/include" "$tmp/c/usr/include"
    soname() { readelf -dW "$1/usr/lib/libqueues.so" | grep SONAME; }
    same "$(soname "$tmp/c")" "$(soname "$tmp/make")"
    same "$(cd "$tmp/c/usr/lib" && find . -name 'libqueues.so*' | sort)" \
        "$(cd "$tmp/make/usr/lib" && find . -name 'libqueues.so*' | sort)"
    pc() {
        PKG_CONFIG_LIBDIR=$1/usr/lib/pkgconfig pkg-config --define-variable=prefix=/usr "${@:2}" queues | xargs -n1 | sort -u
    }
    for option in --modversion --cflags --libs "--libs --static"; do
        # shellcheck disable=SC2086 # one or two options
        same "$(pc "$tmp/c" $option | grep -v -e '^-lgcc_s$' -e '^-lc$' -e '^-I/usr/include$' -e '^-L/usr/lib$')" \
            "$(pc "$tmp/make" $option | grep -v -e '^-I/usr/include$' -e '^-L/usr/lib$')"
    done
    PKG_CONFIG_SYSROOT_DIR=$tmp/c PKG_CONFIG_LIBDIR=$tmp/c/usr/lib/pkgconfig \
        pkg-config --cflags --libs queues | xargs cc "$repo/tests/install/consumer.c" -o "$tmp/consumer"
    same "$(LD_LIBRARY_PATH=$tmp/c/usr/lib "$tmp/consumer")" "$version"
}

check "cargo package" pack
check "the crate has licenses, headers and sources, and nothing else" contents
check "a Rust program uses it as queues, and does not build cbindgen" rust_program
if "${cargo[@]}" cinstall --version >/dev/null 2>&1; then
    check "cargo cinstall installs the header, library and queues.pc of make install" cinstall
else
    skip "cargo cinstall" "cargo-c is missing: \`cargo install cargo-c\` builds it in some minutes"
fi
all_passed
