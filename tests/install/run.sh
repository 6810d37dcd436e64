#!/usr/bin/env bash
# Programs outside the tree use an installed library: C by pkg-config, C and C++ by find_package and
# FetchContent, Go by pkg-config. The installed trees are moved before, and a copy of the sources is
# built by make, cargo and CMake. Run by `make test-install`.
# shellcheck disable=SC2046,SC2086 # flags of a compiler are meant to be split into words
set -uo pipefail
# shellcheck source=tests/check.sh
. "$(dirname "$0")/../check.sh"
here=$repo/tests/install

# fails STATUS MESSAGE COMMAND...: the command ends with STATUS and prints MESSAGE.
fails() {
    local status=0
    "${@:3}" >"$tmp/output" 2>&1 || status=$?
    cat "$tmp/output"
    same "$status" "$1"
    grep -F -e "$2" "$tmp/output"
}

# --- the installed trees, all moved: a by DESTDIR as a distribution installs, b by PREFIX, c without the
# shared library

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
    cp -a "$tmp/b" "$tmp/c"
    rm -r "$tmp"/c/lib/*.so* "$tmp/c/share/gdb"
}
# All headers and all files for debuggers are installed.
has_all() {
    headers() { (cd "$1" && find . -type f | sort); }
    same "$(headers "$tmp/b/include")" "$( (headers "$repo/include" && headers "$repo/bindings/cpp/include") | sort)"
    same "$(cd "$tmp/b/share/queues" && ls)" "$(cd "$repo/debug" && ls)"
}
# same_tree ONE OTHER: the trees have the same files, except for the paths of the scripts for gdb,
# which name the folder of installation.
same_tree() {
    diff -r --no-dereference --exclude=auto-load "$1" "$2"
    for_gdb() { find "$1" -path '*/share/gdb/auto-load/*' ! -type d -printf '%f ' -exec cksum '{}' + | sed 's| /.*||'; }
    same "$(for_gdb "$2")" "$(for_gdb "$1")"
}
# If a source is missing, install reports it before it installs any file.
all_or_nothing() {
    mkdir -p "$tmp/half/install"
    cp "$target/release/libqueues.so.$version" "$target/release/queues-inspect" "$tmp/half/"
    cp "$target/release/install/libqueues.a" "$tmp/half/install/"
    fails 2 "needs is missing: \`make clean build\`" env "OUT=$tmp/half" "VERSION=$version" SOVERSION=0 \
        "PREFIX=$tmp/half/prefix" "$repo/scripts/install.sh" install
    test ! -e "$tmp/half/prefix"
    fails 2 usage "$repo/scripts/install.sh"
    fails 2 usage env INSTALL_COMPONENT=all "$repo/scripts/install.sh" install
}
contains_no_path() {
    same "$(grep -rlaF -e "$tmp" -e "$repo" -e "${HOME%/}/" -e "${CARGO_HOME:-$HOME/.cargo}" "$tmp/b")" ""
}
# A library contains the paths of its sources (file!()), such as those of crates in cargo's folder.
# The compiler wrapper replaces them.
renames_paths() {
    local home=$tmp/home
    mkdir -p "$home/.cargo/crate" "$home/other"
    echo '#[unsafe(no_mangle)] pub static PATH: &str = file!();' >"$home/.cargo/crate/lib.rs"
    cp "$home/.cargo/crate/lib.rs" "$home/other/lib.rs"
    path_in_library() { # FILE: the path in a library that is compiled from it
        "$repo/scripts/rustc.sh" --edition 2024 --crate-type cdylib "$1" -o "$tmp/library.so"
        grep -ao '/[a-z/]*/lib\.rs' "$tmp/library.so" | head -1
    }
    # If rustc is rustup's, it must find its toolchains although HOME changes.
    export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
    unset CARGO_HOME
    HOME=$home
    same "$(path_in_library "$home/.cargo/crate/lib.rs")" /cargo/crate/lib.rs
    same "$(path_in_library "$home/other/lib.rs")" /home/other/lib.rs
    same "$(CARGO_HOME=$home/other path_in_library "$home/other/lib.rs")" /cargo/lib.rs
}

# The linker that the user has set links, and the symbols have the version of the ABI: the minor
# version is part of it only while the major version is 0.
symbols_have_versions() {
    local linker
    mkdir "$tmp/link"
    echo '#[unsafe(no_mangle)] pub extern "C" fn queues_a() {}' >"$tmp/link/lib.rs"
    versioned() { # MAJOR MINOR FLAG...: the exported symbols
        CARGO_PKG_VERSION_MAJOR=$1 CARGO_PKG_VERSION_MINOR=$2 "$repo/scripts/rustc.sh" --edition 2024 \
            --crate-name queues --crate-type cdylib --out-dir "$tmp/link" "$tmp/link/lib.rs" "${@:3}"
        nm -D --defined-only --format=posix "$tmp/link/libqueues.so" | sed '/^QUEUES_/d; s/ .*//'
    }
    same "$(versioned 0 7)" queues_a@@QUEUES_0.7
    same "$(versioned 2 7)" queues_a@@QUEUES_2
    printf '#!/bin/sh\ntouch "%s"\nexec cc "$@"\n' "$tmp/link/ran" >"$tmp/link/my-cc"
    chmod +x "$tmp/link/my-cc"
    for linker in "-Clinker=$tmp/link/my-cc" "-C linker=$tmp/link/my-cc" "--codegen=linker=$tmp/link/my-cc"; do
        rm -f "$tmp/link/ran"
        # shellcheck disable=SC2086 # one or two arguments
        same "$(versioned 0 7 $linker)" queues_a@@QUEUES_0.7
        test -e "$tmp/link/ran"
    done
}

# --- the libraries

# Without the version of the ABI, which every symbol of the shared library must have.
abi=${version%.*}
[ "${version%%.*}" = 0 ] || abi=${version%%.*}
symbols() {
    nm --defined-only --format=posix "$@" |
        sed -n -e '/^QUEUES_/d' -e "s/@@QUEUES_$abi / /" -e 's/ [A-Z] .*//p' | LC_ALL=C sort
}
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
# The paths in queues.pc, as they are and with another prefix.
pc_variables() {
    same "$(realpath "$(flags --variable=prefix)")" "$prefix"
    same "$(realpath "$(flags --variable=libdir)")" "$libdir"
    same "$(flags --define-variable=prefix=/else/where --cflags)" "-I/else/where/include "
    same "$(flags --define-variable=prefix=/else/where --variable=libdir)" "/else/where/${libdir#"$prefix"/}"
    if [ "$libdir" = "$prefix/lib" ]; then # pkg-config expects PREFIX/lib/pkgconfig
        same "$(flags --define-prefix --variable=prefix)" "$prefix"
    fi
}
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
# A program that links another Rust library, which has a standard library of its own.
c_beside_rust() {
    local compiler compilers=(rustc)
    another=$tmp/libanother.a
    # A proof has another version of Rust, too.
    if rustc +nightly --version >/dev/null 2>&1; then
        compilers+=("rustc +nightly")
    fi
    for compiler in "${compilers[@]}"; do
        echo '#[unsafe(no_mangle)] pub extern "C" fn another() { _ = std::panic::catch_unwind(|| panic!()); }' |
            $compiler - --edition 2024 --crate-type staticlib -o "$another"
        c_static -Wl,-u,another "$another"
        ahead=$another c_static -Wl,-u,another
    done
}
go_shared() {
    rm -rf "$tmp/go"
    cp -r "$here/go" "$tmp/go"
    cd "$tmp/go"
    go mod edit "-replace=queues=$repo/bindings/go"
    # Go builds again when CGO_CPPFLAGS change, but not when the flags from pkg-config do.
    CGO_CPPFLAGS=-DTREE=$prefix PKG_CONFIG_PATH=$libdir/pkgconfig go build -o consumer .
    prints_version ./consumer
}

configure() { cmake -S "$here/cmake" -B "$tmp/cmake" "-DCMAKE_PREFIX_PATH=$prefix" "$@"; }
# cmake_targets "SHARED TARGET..." "STATIC TARGET..." OPTION...: programs that link these targets
cmake_targets() {
    [ -n "${keep:-}" ] || rm -rf "$tmp/cmake"
    configure "-DTARGETS=${1// /;};${2// /;}" "${@:3}"
    cmake --build "$tmp/cmake"
    (cd "$tmp/cmake" && ctest --output-on-failure)
    for target in $1; do needs_library "$tmp/cmake/consumer-${target#*::}"; done
    for target in $2; do same "$(needs_library "$tmp/cmake/consumer-${target#*::}")" ""; done
}
cmake_accepts() { configure "-DWANT=$1"; }
# cmake_refuses WANT REASON
cmake_refuses() {
    if configure "-DWANT=$1"; then return 1; fi 2>"$tmp/refusal"
    cat "$tmp/refusal"
    tr -s ' \n' ' ' <"$tmp/refusal" | grep -F -e "$2"
}

# --- unusual installations

spaces() {
    local tree="$tmp/a tree" libdir prefix
    make_ install "PREFIX=$tree" "LIBDIR=$tree/its libs" "DESTDIR=$tmp/a stage"
    prefix="$tmp/a stage$tree" libdir="$tmp/a stage$tree/its libs"
    eval "cc \"$here/consumer.c\" -o \"$tmp/c.out\" $(flags --cflags --libs)"
    prints_version "$tmp/c.out"
    cmake_targets "${every_target[@]}" "-Dqueues_DIR=$libdir/cmake/queues"
    make_ uninstall "PREFIX=$tree" "LIBDIR=$tree/its libs" "DESTDIR=$tmp/a stage"
    same "$(find "$tmp/a stage" ! -type d)" ""
    same "$(find "$tmp/a stage" -path '*queues*')" ""
}
# The user who installs, such as root, is not the one who built, and has neither compilers nor a
# home folder.
without_compilers() {
    local no=/nonexistent
    HOME=$no make_ install "PREFIX=$tmp/others" CARGO=$no QUEUES_RUSTC=$no CC=$no CXX=$no LD=$no AR=$no NM=$no OBJCOPY=$no
    same_tree "$tmp/b" "$tmp/others"
}

# --- CMake builds the library. What make has built before is copied, to save time.

seeded() { # DIRECTORY: gets a copy of what make has built
    mkdir -p "$1/target"
    cp -a "$target/dist" "$target/release" "$1/target/"
}
cmake_installs() {
    local build="$tmp/cmake build" into=("--prefix" "$tmp/by cmake")
    seeded "$build"
    cmake -S "$repo" -B "$build"
    cmake --build "$build"
    cmake --install "$build" "${into[@]}"
    same_tree "$tmp/b" "$tmp/by cmake"
    while IFS= read -r file || [ -n "$file" ]; do rm "$file"; done <"$build/install_manifest.txt"
    same "$(find "$tmp/by cmake" ! -type d)" ""

    cmake --install "$build" "${into[@]}" --component runtime
    same "$(cd "$tmp/by cmake" && find lib include ! -type d | sort | xargs)" \
        "$(cd "$tmp/b" && echo lib/libqueues.so.*)"
    (cd "$tmp" && DESTDIR="a stage" cmake --install "$build" --prefix /usr --component development)
    test -e "$tmp/a stage/usr/include/queues.h"

    cmake -S "$repo" -B "$build" -DBUILD_SHARED_LIBS=OFF
    cmake --install "$build" --prefix "$tmp/static"
    diff -r --no-dereference "$tmp/c" "$tmp/static"
    fails 1 "cannot create" cmake --install "$build" --prefix /dev/null/here
}
fetch_content() { # arguments as for cmake_targets
    rm -rf "$tmp/cmake"
    seeded "$tmp/cmake/_deps/queues-build"
    keep=1 cmake_targets "$@" "-DSOURCE=$repo"
}

# --- a copy of the sources, like a fresh clone

clone="$tmp/a clone"
cloned() {
    rm -rf "$clone"
    mkdir "$clone"
    (cd "$repo" && git ls-files -z | xargs -0 cp -a --parents -t "$clone" 2>/dev/null) ||
        (cd "$repo" && find . -name target -prune -o -name .git -prune -o -name .tools -prune -o -type f -print0 |
            xargs -0 cp -a --parents -t "$clone")
}
make_in_clone() { (unset CARGO_TARGET_DIR && make -s --no-print-directory -C "$clone" "$@"); }
nothing_built() { same "$(find "$clone/target" -name 'libqueues*' 2>/dev/null)" ""; }
two_requests() {
    printf '%s\n' TIMESTAMP,ContextTokens,GeneratedTokens '2024-01-01 09:00:00.0,1,1' '2024-01-01 09:00:00.1,1,1'
}

# Without a toolchain every target reports that cargo is missing, and none calls a program that
# installs or downloads.
nothing_is_fetched() {
    local bin=$tmp/bin name goal
    cloned
    mkdir -p "$bin"
    for name in bash sh make sed find cat cut sort tr grep realpath mkdir mktemp rm touch dirname readlink env expr uname; do
        ln -sf "$(command -v $name)" "$bin/$name"
    done
    for name in apt-get apt sudo curl wget rustup pip pip3 python3; do
        echo "#!$(command -v sh)
echo $name >>$tmp/fetched; exit 1" >"$bin/$name"
        chmod +x "$bin/$name"
    done
    make_in_clone uninstall "PREFIX=$tmp/nothing"
    for goal in build install demo report header versus; do
        fails 2 "cargo is missing: \`make setup\` installs it" \
            env -i "PATH=$bin" "HOME=$tmp/nobody" make -s --no-print-directory -C "$clone" "$goal" "PREFIX=$tmp/nothing"
        same "$(grep -vc '^make: ' "$tmp/output")" 1
    done
    test ! -e "$tmp/fetched" || { cat "$tmp/fetched" && false; }
    test ! -e "$tmp/nothing"
    nothing_built
}
# A cargo that prints its arguments and fails: CARGO chooses it, and it gets the job slots of make.
cargo_can_be_chosen() {
    cat >"$tmp/new cargo" <<'END'
#!/usr/bin/env bash
echo "arguments: $*"
auth=${MAKEFLAGS##*--jobserver-auth=}
case ${auth%% *} in
fifo:*) test -p "${auth#fifo:}" ;;
[0-9]*) test -e "/proc/self/fd/${auth%%,*}" ;;
*) false ;;
esac && echo "jobs are shared"
exit 101
END
    chmod +x "$tmp/new cargo"
    mv "$tmp/new cargo" "$tmp/cargo"
    cat >"$tmp/shows" <<'END'
#!/usr/bin/env bash
"$(dirname "$0")/cargo" "$@" >&2
END
    chmod +x "$tmp/shows"
    fails 2 "jobs are shared" make_in_clone -j2 build "CARGO=$tmp/shows"
    grep -e '^arguments: build .*--frozen' "$tmp/output"
    nothing_built
    # With -n nothing runs.
    make_in_clone -n build "CARGO=$tmp/shows"
}
# Every call of cargo is by its variable, and with --locked or --frozen.
every_cargo() {
    local calls
    calls=$(grep -nE '\$\((CARGO|dist)\)|\$\(call many|cargo\[@\]\}"' "$repo/Makefile" "$repo"/scripts/*.sh |
        grep -vE ':dist = |\) (fmt|clean)|&& \$\(CARGO\) fmt|need ')
    same "$(grep -vE -e '--locked|--frozen|\$\(call many' <<<"$calls")" ""
    same "$(wc -l <<<"$calls" | xargs test 15 -lt && echo many)" many
    same "$(grep -nE '^	([^#]*[ ;&(])?cargo ' "$repo/Makefile")" ""
}
# After `cargo build`, which leaves a library in the same folder, make still does its own part.
cargo_then_make() {
    seeded "$clone"
    rm "$clone"/target/release/libqueues.so* "$clone"/target/release/install -r
    cp -a "$target"/dist/release/. "$clone/target/release/"
    (cd "$clone" && unset CARGO_TARGET_DIR && ${CARGO:-cargo} build --release --locked)
    two_requests >"$tmp/a trace.csv"
    make_in_clone demo SPEED=1000000 "TRACE=$tmp/a trace.csv" | tee "$tmp/output"
    grep -F '2 in, 2 out' "$tmp/output"
    (cd "$clone" && unset CARGO_TARGET_DIR && ${CARGO:-cargo} build --release --locked)
    make_in_clone build
    links "$clone/target/release"
}
# A cargo configuration that names a target, which changes the output folder, and flags for rustc.
named_target() {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    mkdir "$clone/.cargo"
    printf '[build]\ntarget = "%s"\nrustflags = ["-Clink-arg=-Wl,-rpath,/its/own"]\n' "$host" >"$clone/.cargo/config.toml"
    touch "$clone/src/lib.rs"
    make_in_clone build
    test -d "$clone/target/dist/$host"
    links "$clone/target/release"
    readelf -dW "$clone/target/release/libqueues.so" | grep -F '/its/own'
    exports -D "$clone/target/release/libqueues.so"
    exports -g "$clone/target/release/install/libqueues.a"
    rm -r "$clone/.cargo"
}
unknown_target() {
    cp -a "$clone/target/release" "$tmp/before"
    fails 2 no-such-target env CARGO_BUILD_TARGET=no-such-target make -s -C "$clone" "CARGO_TARGET_DIR=$clone/target" build
    diff -r --no-dereference "$tmp/before" "$clone/target/release"
    # A linker that fails, as one for another processor would.
    touch "$clone/scripts/build.sh"
    fails 2 "no static library for $(cat "$clone/target/release/install/target"): set LD" make_in_clone build LD=false
    diff -r --no-dereference "$tmp/before" "$clone/target/release"
}
demo_arguments() {
    two_requests >"$tmp/it's a \$trace.csv"
    make_ demo SPEED= "TRACE=$tmp/it's a \$\$trace.csv" | tee "$tmp/output"
    grep -F '2 in, 2 out' "$tmp/output"
    make_ demo SPEED=0.5 "TRACE=$tmp/it's a \$\$trace.csv" "REPORT=$tmp/its page.html"
    grep -F '0.5 times' "$tmp/its page.html"
    fails 2 "$tmp/no/page.html: No such file" make_ demo "REPORT=$tmp/no/page.html"
    same "$(grep -c served "$tmp/output")" 0
    fails 2 "no such file.csv: No such file" make_ demo "TRACE=$tmp/no such file.csv"
}

# --- the tests

check "install and uninstall, with DESTDIR" install_staged
check "install, with PREFIX" install_prefixed
check "headers and suppressions" has_all
check "either all files are installed or none" all_or_nothing
check "no file contains a path of this machine" contains_no_path
check "the compiler wrapper replaces paths" renames_paths
check "symbols have the version of the ABI, with any linker" symbols_have_versions
check "install by another user, without compilers" without_compilers
every_target=("queues::shared queues::queues queues::cpp" "queues::static")
static_target=("queues::shared" "queues::static queues::queues queues::cpp")
for prefix in "$tmp/a" "$tmp/b"; do
    libdir=$(dirname "$(find "$prefix" -name pkgconfig)")
    echo "--      tree ${libdir#"$tmp/"}"
    check "SONAME and links" links "$libdir"
    check "hardened" hardened "$libdir/libqueues.so"
    check "exported symbols, shared" exports -D "$libdir/libqueues.so"
    check "exported symbols, static" exports -g "$libdir/libqueues.a"
    check "queues.pc: prefix and libdir" pc_variables
    check "C, pkg-config, shared" c_shared
    check "C, pkg-config, static program" c_static -static
    check "C and C++, find_package" cmake_targets "${every_target[@]}"
    check "C and C++, find_package, BUILD_SHARED_LIBS=OFF" cmake_targets "${static_target[@]}" -DBUILD_SHARED_LIBS=OFF
    check "Go, pkg-config" go_shared
done

prefix=$tmp/c libdir=$tmp/c/lib
echo "--      tree c/lib, with the static library only"
check "C, pkg-config" c_static
check "C, beside another Rust library" c_beside_rust
check "C and C++, find_package" cmake_targets "" "queues::static queues::queues queues::cpp"

check "COMPONENTS shared is refused" cmake_refuses "COMPONENTS;shared" "component shared is not installed"
prefix=$tmp/b libdir=$tmp/b/lib

echo "--      tree b/lib, find_package"
rm -rf "$tmp/cmake"
IFS=. read -r major minor patch <<<"$version"
for want in "" "$major.$minor" "$version;EXACT" "$version...<$major.$((minor + 1))" \
    "COMPONENTS;shared;static;cpp" "OPTIONAL_COMPONENTS;python"; do
    check "find_package(queues ${want//;/ }) is accepted" cmake_accepts "$want"
done
for want in 0.0 "$major.$minor.$((patch + 1))" "$major.$((minor + 1))" "$((major + 1)).0" "0.0...<$version"; do
    check "find_package(queues $want) is refused" cmake_refuses "$want" "queues-config.cmake, version: $version"
done
check "find_package(queues COMPONENTS python) is refused" cmake_refuses "COMPONENTS;cpp;python" "component python is not"

echo "--      the sources"
check "spaces in PREFIX, LIBDIR and DESTDIR" spaces
check "cmake --install" cmake_installs
check "C and C++, FetchContent" fetch_content "${every_target[@]}"
check "C and C++, FetchContent, BUILD_SHARED_LIBS=OFF" fetch_content "${static_target[@]}" -DBUILD_SHARED_LIBS=OFF
check "make without a toolchain reports it and fetches nothing" nothing_is_fetched
check "CARGO, --frozen and the job slots of make -j" cargo_can_be_chosen
check "every call of cargo is locked" every_cargo
check "cargo build, then make demo" cargo_then_make
check "target and rustflags in a cargo configuration" named_target
check "an unknown target changes nothing" unknown_target
check "make demo: SPEED, TRACE and REPORT with special characters" demo_arguments

all_passed
