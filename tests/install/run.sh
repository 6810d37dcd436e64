#!/usr/bin/env bash
# Installs the library, moves the tree, and builds and runs programs outside of it: C by pkg-config, C and
# C++ by find_package and FetchContent, Go by pkg-config. Then builds a copy of the sources in the ways in which
# people do. Run by `make test-install`.
# shellcheck disable=SC2046,SC2086 # flags of a compiler are meant to be split into words
set -uo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
here=$repo/tests/install
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$repo/Cargo.toml")
target=${CARGO_TARGET_DIR:-$repo/target}
# What an outer make was told, say DESTDIR, is not for the ones run here.
unset MAKEFLAGS MAKELEVEL DESTDIR PREFIX LIBDIR INCLUDEDIR TRACE SPEED REPORT OUT WORK
export CARGO_TARGET_DIR=$target

# shellcheck source=tests/check.sh
. "$repo/tests/check.sh"
make_() { make -s --no-print-directory -C "$repo" "$@"; }
# fails STATUS MESSAGE COMMAND...: it ends so, and says that.
fails() {
    local status=0
    "${@:3}" >"$tmp/said" 2>&1 || status=$?
    cat "$tmp/said"
    same "$status" "$1"
    grep -F -e "$2" "$tmp/said"
}

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
    cp -a "$tmp/b" "$tmp/c"
    rm -r "$tmp"/c/lib/*.so* "$tmp/c/share/gdb"
}
# Every header and every file for a tool of debugging, whoever has added it.
has_all() {
    same "$(cd "$tmp/b/include" && ls)" "$(cd "$repo" && basename -a include/*.h bindings/cpp/include/*.hpp | sort)"
    same "$(cd "$tmp/b/share/queues" && ls)" "$(cd "$repo/debug" && ls)"
}
# same_tree ONE OTHER: but for what gdb finds by the place where a library was installed.
same_tree() {
    diff -r --no-dereference --exclude=auto-load "$1" "$2"
    for_gdb() { find "$1" -path '*/share/gdb/auto-load/*' ! -type d -printf '%f ' -exec cksum '{}' + | sed 's| /.*||'; }
    same "$(for_gdb "$2")" "$(for_gdb "$1")"
}
# A file that is missing is found before anything is installed.
all_or_nothing() {
    mkdir -p "$tmp/half/install"
    cp "$target/release/libqueues.so.$version" "$tmp/half/"
    cp "$target/release/install/libqueues.a" "$tmp/half/install/"
    fails 2 "needs is missing: \`make clean build\`" env "OUT=$tmp/half" "VERSION=$version" SOVERSION=0 \
        "PREFIX=$tmp/half/prefix" "$repo/scripts/install.sh" install
    test ! -e "$tmp/half/prefix"
    fails 2 usage "$repo/scripts/install.sh"
    fails 2 usage env INSTALL_COMPONENT=all "$repo/scripts/install.sh" install
}
names_no_place() {
    same "$(grep -rlaF -e "$tmp" -e "$repo" -e "${HOME%/}/" -e "${CARGO_HOME:-$HOME/.cargo}" "$tmp/b")" ""
}
# By a crate of the registry whose code has its own name in it, wherever that lies.
compiler_renames() {
    local home=$tmp/home
    mkdir -p "$home/.cargo/crate" "$home/other"
    echo '#[unsafe(no_mangle)] pub static PLACE: &str = file!();' >"$home/.cargo/crate/lib.rs"
    cp "$home/.cargo/crate/lib.rs" "$home/other/lib.rs"
    named() { # FILE: what a library of it says
        "$repo/scripts/rustc.sh" --edition 2024 --crate-type cdylib "$1" -o "$tmp/place.so"
        grep -ao '/[a-z/]*/lib\.rs' "$tmp/place.so" | head -1
    }
    # rustup, where there is one, must not look for its toolchains in that home.
    export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
    unset CARGO_HOME
    HOME=$home
    same "$(named "$home/.cargo/crate/lib.rs")" /cargo/crate/lib.rs
    same "$(named "$home/other/lib.rs")" /home/other/lib.rs
    same "$(CARGO_HOME=$home/other named "$home/other/lib.rs")" /cargo/lib.rs
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
# The tree by its names in queues.pc, and as somebody who moves it has it.
pc_variables() {
    same "$(realpath "$(flags --variable=prefix)")" "$prefix"
    same "$(realpath "$(flags --variable=libdir)")" "$libdir"
    same "$(flags --define-variable=prefix=/else/where --cflags)" "-I/else/where/include "
    same "$(flags --define-variable=prefix=/else/where --variable=libdir)" "/else/where/${libdir#"$prefix"/}"
    if [ "$libdir" = "$prefix/lib" ]; then # what it goes by
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

# --- trees in which something is unusual

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
# By somebody else than who built it, who has neither compilers nor a home.
without_compilers() {
    local no=/nonexistent
    HOME=$no make_ install "PREFIX=$tmp/others" CARGO=$no QUEUES_RUSTC=$no CC=$no CXX=$no LD=$no AR=$no NM=$no OBJCOPY=$no
    same_tree "$tmp/b" "$tmp/others"
}

# --- CMake that builds the library, in a tree where make has done so already

seeded() { # DIRECTORY: for cargo's files
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
fetch_content() { # LIKE cmake_targets
    rm -rf "$tmp/cmake"
    seeded "$tmp/cmake/_deps/queues-build"
    keep=1 cmake_targets "$@" "-DSOURCE=$repo"
}

# --- a copy of the sources, as it comes from a clone

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

# No toolchain and no network, but what would bring them: nobody may ask for it.
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
        same "$(grep -vc '^make: ' "$tmp/said")" 1
    done
    test ! -e "$tmp/fetched" || { cat "$tmp/fetched" && false; }
    test ! -e "$tmp/nothing"
    nothing_built
}
# A cargo that says how it is called, and fails.
cargo_is_ours() {
    cat >"$tmp/our cargo" <<'END'
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
    chmod +x "$tmp/our cargo"
    mv "$tmp/our cargo" "$tmp/cargo"
    cat >"$tmp/shows" <<'END'
#!/usr/bin/env bash
"$(dirname "$0")/cargo" "$@" >&2
END
    chmod +x "$tmp/shows"
    fails 2 "jobs are shared" make_in_clone -j2 build "CARGO=$tmp/shows"
    grep -e '^arguments: build .*--locked' "$tmp/said"
    nothing_built
    # As make has it: what is not to be done is not done.
    make_in_clone -n build "CARGO=$tmp/shows"
}
# All that is called, is called by its variable and with --locked.
every_cargo() {
    local calls
    calls=$(grep -nE '\$\((CARGO|dist)\)|\$\(call many|cargo\[@\]\}"' "$repo/Makefile" "$repo"/scripts/*.sh |
        grep -vE ':dist = |\) (fmt|clean)|&& \$\(CARGO\) fmt|need ')
    same "$(grep -vE -e '--locked|\$\(call many' <<<"$calls")" ""
    same "$(wc -l <<<"$calls" | xargs test 15 -lt && echo many)" many
    same "$(grep -nE '^	([^#]*[ ;&(])?cargo ' "$repo/Makefile")" ""
}
# What cargo has built is no reason for make to leave out its own part.
cargo_then_make() {
    seeded "$clone"
    rm "$clone"/target/release/libqueues.so* "$clone"/target/release/install -r
    cp -a "$target"/dist/release/. "$clone/target/release/"
    (cd "$clone" && unset CARGO_TARGET_DIR && ${CARGO:-cargo} build --release --locked)
    two_requests >"$tmp/a trace.csv"
    make_in_clone demo SPEED=1000000 "TRACE=$tmp/a trace.csv" | tee "$tmp/said"
    grep -F '2 in, 2 out' "$tmp/said"
    (cd "$clone" && unset CARGO_TARGET_DIR && ${CARGO:-cargo} build --release --locked)
    make_in_clone build
    links "$clone/target/release"
}
# Cargo puts what it builds for a named target elsewhere; and what else cargo is told stays in force.
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
    # The tools of another machine.
    touch "$clone/scripts/build.sh"
    fails 2 "no static library for $(cat "$clone/target/release/install/target"): set LD" make_in_clone build LD=false
    diff -r --no-dereference "$tmp/before" "$clone/target/release"
}
demo_arguments() {
    two_requests >"$tmp/it's a \$trace.csv"
    make_ demo SPEED= "TRACE=$tmp/it's a \$\$trace.csv" | tee "$tmp/said"
    grep -F '2 in, 2 out' "$tmp/said"
    make_ demo SPEED=0.5 "TRACE=$tmp/it's a \$\$trace.csv" "REPORT=$tmp/its page.html"
    grep -F '0.5 times' "$tmp/its page.html"
    fails 2 "$tmp/no/page.html: No such file" make_ demo "REPORT=$tmp/no/page.html"
    same "$(grep -c served "$tmp/said")" 0
    fails 2 "no such file.csv: No such file" make_ demo "TRACE=$tmp/no such file.csv"
}

# --- all of it

check "install and uninstall, with DESTDIR" install_staged
check "install, with PREFIX" install_prefixed
check "headers and suppressions" has_all
check "all is installed or nothing" all_or_nothing
check "nothing in it names a place" names_no_place
check "the compiler has other names for places" compiler_renames
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
    check "queues.pc: prefix and its like" pc_variables
    check "C, pkg-config, shared" c_shared
    check "C, pkg-config, static program" c_static -static
    check "C and C++, find_package" cmake_targets "${every_target[@]}"
    check "C and C++, find_package, BUILD_SHARED_LIBS=OFF" cmake_targets "${static_target[@]}" -DBUILD_SHARED_LIBS=OFF
    check "Go, pkg-config" go_shared
done

prefix=$tmp/c libdir=$tmp/c/lib
echo "--      tree c/lib, with the static library alone"
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
check "make without a toolchain says what is missing, and fetches nothing" nothing_is_fetched
check "CARGO, --locked and the jobs of make -j" cargo_is_ours
check "every call of cargo" every_cargo
check "cargo build, then make demo" cargo_then_make
check "build.target and rustflags of cargo's own file" named_target
check "a target that there is not" unknown_target
check "make demo: SPEED, TRACE and REPORT of all kinds" demo_arguments

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
