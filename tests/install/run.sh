#!/usr/bin/env bash
# Installs the library, moves the tree, and builds and runs programs outside of it: C by pkg-config, C and
# C++ by find_package and FetchContent, Go by pkg-config. Run by `make test-install`.
# shellcheck disable=SC2046,SC2086 # flags of a compiler are meant to be split into words
set -uo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
here=$repo/tests/install
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$repo/Cargo.toml")
# What an outer make was told, say DESTDIR, is not for the ones run here.
unset MAKEFLAGS DESTDIR PREFIX LIBDIR INCLUDEDIR

passed=0
failed=0
# check NAME COMMAND...: one test, quiet while it passes.
check() {
    (set -e && shift && "$@") >"$tmp/log" 2>&1
    # shellcheck disable=SC2181 # in a condition, set -e would not hold inside
    if [ $? -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok      $1"
    else
        failed=$((failed + 1))
        echo "FAILED  $1"
        sed 's/^/        /' "$tmp/log"
    fi
}
same() { [ "$1" = "$2" ] || { printf 'expected: %s\ngot:      %s\n' "$2" "$1" && false; }; }
make_() { make -s -C "$repo" SETUP=true "$@"; }

# --- the trees, all moved: a by DESTDIR as a distribution does, b by PREFIX, c without the shared library

multiarch=lib/$(cc -print-multiarch)
staged() { make_ "$1" "DESTDIR=$tmp/stage" PREFIX=/usr "LIBDIR=/usr/$multiarch"; }
install_staged() {
    staged install
    cp -a "$tmp/stage/usr" "$tmp/a"
    staged uninstall
    same "$(find "$tmp/stage" ! -type d)" ""
}
install_prefixed() {
    make_ install "PREFIX=$tmp/prefix"
    mv "$tmp/prefix" "$tmp/b"
    same "$(grep -rIl -e "$tmp" -e "$repo" "$tmp/b")" ""
    cp -a "$tmp/b" "$tmp/c"
    rm "$tmp"/c/lib/*.so*
}

# --- the libraries

symbols() { nm --defined-only --format=posix "$@" | sed -n 's/ [A-Z] .*//p' | LC_ALL=C sort; }
exports() { same "$(symbols "$@")" "$(cat "$repo/tests/symbols.txt")"; }
links() {
    soname=$(readelf -dW "$1/libqueues.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
    same "$(readlink "$1/libqueues.so")" "$soname"
    same "$(readlink "$1/$soname")" "libqueues.so.$version"
}
hardened() {
    elf=$(readelf -ldW "$1")
    grep GNU_RELRO <<<"$elf"
    grep BIND_NOW <<<"$elf"
    grep 'GNU_STACK .* RW ' <<<"$elf"
    same "$(grep -E 'TEXTREL|RPATH|RUNPATH|LOAD .* RWE ' <<<"$elf")" ""
}

# --- the consumers of the package in $prefix, its libraries in $libdir

prints_version() { same "$(LD_LIBRARY_PATH=$libdir "$1")" "$version"; }
needs_library() { ldd "$1" | grep libqueues; }
flags() { PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config "$@" queues; }
c_shared() {
    same "$(flags --modversion)" "$version"
    cc -Wall -Wextra -Werror "$here/consumer.c" -o "$tmp/c.out" $(flags --cflags --libs)
    needs_library "$tmp/c.out"
    prints_version "$tmp/c.out"
}
c_static() {
    cc -Wall -Wextra -Werror "$here/consumer.c" -o "$tmp/c.out" ${ahead:-} $(flags --cflags --libs --static) "$@"
    same "$(needs_library "$tmp/c.out")" ""
    prints_version "$tmp/c.out"
}
# The symbols of another Rust standard library do not meet those in this one.
c_beside_rust() {
    another=$tmp/libanother.a
    echo '#[unsafe(no_mangle)] pub extern "C" fn another() { _ = std::panic::catch_unwind(|| panic!()); }' |
        rustc +nightly - --edition 2024 --crate-type staticlib -o "$another"
    c_static -Wl,-u,another "$another"
    ahead=$another c_static -Wl,-u,another
}
go_shared() {
    rm -rf "$tmp/go"
    cp -r "$here/go" "$tmp/go"
    cd "$tmp/go"
    go mod edit "-replace=queues=$repo/bindings/go"
    # Go's build cache asks whether flags changed, but not those that pkg-config gives.
    CGO_CPPFLAGS=-DTREE=$prefix PKG_CONFIG_PATH=$libdir/pkgconfig go build -o consumer .
    prints_version ./consumer
}

configure() { cmake -S "$here/cmake" -B "$tmp/cmake" "-DCMAKE_PREFIX_PATH=$prefix" "$@"; }
# cmake_targets "TARGET OF A SHARED LIBRARY..." "OF A STATIC ONE..." OPTION...
cmake_targets() {
    rm -rf "$tmp/cmake"
    configure "-DTARGETS=${1// /;};${2// /;}" "${@:3}"
    cmake --build "$tmp/cmake"
    (cd "$tmp/cmake" && ctest --output-on-failure)
    for target in $1; do needs_library "$tmp/cmake/consumer-${target#*::}"; done
    for target in $2; do same "$(needs_library "$tmp/cmake/consumer-${target#*::}")" ""; done
}
cmake_accepts() { configure "-DWANT=$1"; }
cmake_refuses() {
    if configure "-DWANT=$1"; then return 1; fi 2>"$tmp/refusal"
    grep "queues-config.cmake, version: $version" "$tmp/refusal"
}
check "install and uninstall, with DESTDIR" install_staged
check "install, with PREFIX: nothing in it names a place" install_prefixed
every_target=("queues::shared queues::queues queues::cpp" "queues::static")
for prefix in "$tmp/a" "$tmp/b"; do
    libdir=$(dirname "$(find "$prefix" -name pkgconfig)")
    echo "--      tree ${libdir#"$tmp/"}"
    check "SONAME and links" links "$libdir"
    check "hardened" hardened "$libdir/libqueues.so"
    check "exported symbols, shared" exports -D "$libdir/libqueues.so"
    check "exported symbols, static" exports -g "$libdir/libqueues.a"
    check "C, pkg-config, shared" c_shared
    check "C, pkg-config, static program" c_static -static
    check "C and C++, find_package" cmake_targets "${every_target[@]}"
    check "Go, pkg-config" go_shared
done

prefix=$tmp/c libdir=$tmp/c/lib
echo "--      tree c/lib, with the static library alone"
check "C, pkg-config" c_static
check "C, beside another Rust library" c_beside_rust
check "C and C++, find_package" cmake_targets "" "queues::static queues::queues queues::cpp"

IFS=. read -r major minor patch <<<"$version"
for want in "" "$major.$minor" "$version;EXACT" "$version...<$major.$((minor + 1))"; do
    check "find_package(queues $want) is accepted" cmake_accepts "$want"
done
for want in 0.0 "$major.$minor.$((patch + 1))" "$major.$((minor + 1))" "$((major + 1)).0" "0.0...<$version"; do
    check "find_package(queues $want) is refused" cmake_refuses "$want"
done
check "C and C++, FetchContent" cmake_targets "${every_target[@]}" "-DSOURCE=$repo"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
