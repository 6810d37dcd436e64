#!/usr/bin/env bash
# The Debian packages of `make deb`: their contents, and in a copy of this system that is thrown away:
# installation, programs in C, C++ and Go that use them, and purge. Run by `make test-packages`.
# shellcheck source-path=SCRIPTDIR/../.. source=tests/check.sh disable=SC2016,SC2030,SC2031
. "$(dirname "$0")/../check.sh"
packages=$target/packages/deb

for tool in dpkg-buildpackage dh lintian; do
    command -v "$tool" >/dev/null || skip_all "$tool is missing: \`make setup-packages\` installs it"
done
[ -r /var/lib/dpkg/status ] || skip_all "this system is not Debian or one like it"

multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
deb() { echo "$packages/$1"_*.deb; }
files() { dpkg-deb -c "$(deb "$1")" | awk '!/^d/ {print $6}' | sort; }

runtime_has_the_library_alone() {
    same "$(files libqueues0.1 | grep -v ^./usr/share/doc/ | xargs)" \
        "./usr/lib/$multiarch/libqueues.so.0.1 ./usr/lib/$multiarch/libqueues.so.$version"
}
development_has_the_rest() {
    local list
    list=$(files libqueues-dev)
    for file in include/queues.h include/queues.hpp "lib/$multiarch/libqueues.a" "lib/$multiarch/libqueues.so" \
        "lib/$multiarch/pkgconfig/queues.pc" "lib/$multiarch/cmake/queues/queues-config.cmake" \
        "share/gdb/auto-load/usr/lib/$multiarch/libqueues.so.$version-gdb.py"; do
        grep -xF "./usr/$file" <<<"$list"
    done
    same "$(grep -E '\.so\.[0-9.]+$' <<<"$list")" ""
}
tools_have_the_inspector() {
    same "$(files queues-tools | grep -v ^./usr/share/doc/ | xargs)" \
        "./usr/bin/queues-inspect ./usr/share/man/man1/queues-inspect.1.gz"
}
go_has_no_tests() {
    files golang-queues-dev | grep -xF ./usr/share/gocode/src/queues/go.mod
    same "$(files golang-queues-dev | grep -E '_test\.go|testdata')" ""
}
# Every function, each with the version in which it first appeared.
symbols_file() {
    local list
    dpkg-deb -e "$(deb libqueues0.1)" "$tmp/control"
    list=$(sed -n 's/^ \(queues_[a-z_]*\)@QUEUES_0.1 .*/\1/p' "$tmp/control/symbols")
    same "$list" "$(cat "$repo/tests/symbols.txt")"
}

# copy COMMAND...: runs it as root in a copy of this system, in memory, at $tmp/copy/root.
copy() {
    unshare --mount bash -euc '
        copy=$1 && shift
        mkdir -p "$copy" && mount -t tmpfs queues-test "$copy"
        mkdir "$copy/upper" "$copy/work" "$copy/root"
        mount -t overlay queues-test -o "lowerdir=/,upperdir=$copy/upper,workdir=$copy/work" "$copy/root"
        for folder in /proc /dev; do mount --rbind "$folder" "$copy/root$folder"; done
        for folder in "$QUEUES_REPO" "$QUEUES_DEBS"; do
            mkdir -p "$copy/root$folder" && mount --rbind "$folder" "$copy/root$folder"
        done
        chroot "$copy/root" "$@"' bash "$tmp/copy" "$@"
}
in_a_copy() {
    QUEUES_REPO=$repo QUEUES_DEBS=$packages PATH=$repo/.tools/go/go/bin:$PATH copy bash -euc '
        export DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C AUTOPKGTEST_TMP=/tmp/queues-test
        unset GOFLAGS PKG_CONFIG_PATH
        mkdir -p "$AUTOPKGTEST_TMP"
        dpkg -i "$QUEUES_DEBS"/libqueues0.1_*.deb "$QUEUES_DEBS"/libqueues-dev_*.deb "$QUEUES_DEBS"/golang-queues-dev_*.deb \
            "$QUEUES_DEBS"/queues-tools_*.deb
        queues-inspect --version
        cd "$QUEUES_REPO"
        packaging/debian/tests/c
        packaging/debian/tests/cpp
        objdump -p "$AUTOPKGTEST_TMP/cpp" | grep -E "NEEDED +libqueues.so.0.1$"
        objdump -p "$AUTOPKGTEST_TMP/cpp" | grep -E "QUEUES_0.1$"
        if command -v cmake >/dev/null; then
            cmake -S tests/install/cmake -B "$AUTOPKGTEST_TMP/cmake" "-DTARGETS=queues::shared;queues::static;queues::cpp"
            cmake --build "$AUTOPKGTEST_TMP/cmake"
            (cd "$AUTOPKGTEST_TMP/cmake" && ctest --output-on-failure)
            echo "cmake works"
        fi
        if command -v gdb >/dev/null; then
            gdb -batch -ex "set auto-load safe-path /" -ex "break main" -ex run \
                -ex "info auto-load python-scripts" "$AUTOPKGTEST_TMP/cpp" | grep "libqueues.so.*-gdb.py"
            echo "gdb works"
        fi
        if command -v go >/dev/null; then
            packaging/debian/tests/go
            echo "go works"
        fi

        cd /
        packages="libqueues0.1 libqueues-dev golang-queues-dev queues-tools"
        dpkg -L $packages | sort -u >"$AUTOPKGTEST_TMP/files"
        dpkg --purge $packages
        ! dpkg-query -W $packages
        while read -r file; do
            [ -d "$file" ] && [[ $file != *queues* ]] || [ ! -e "$file" ] || { echo "left: $file" && exit 1; }
        done <"$AUTOPKGTEST_TMP/files"
        ! ldconfig -p | grep queues
        echo "used and purged"'
}
install_use_purge() {
    in_a_copy | tee "$tmp/used"
    grep -x "used and purged" "$tmp/used"
}

check "make deb: built without a network, nothing for lintian to report" make_ deb
check "libqueues0.1 has the library and its link, and nothing else" runtime_has_the_library_alone
check "libqueues-dev has headers, the static library, and files for tools" development_has_the_rest
check "queues-tools has the inspector and its manual" tools_have_the_inspector
check "golang-queues-dev has the package without its tests" go_has_no_tests
check "the symbols file lists every function" symbols_file
if [ "$(id -u)" -eq 0 ] && unshare --mount true 2>/dev/null; then
    check "installed, used by C, C++ and Go, purged without a trace" install_use_purge
    for tool in go cmake gdb; do
        grep -qx "$tool works" "$tmp/used" || skip "the packages with $tool" "it is missing, or an earlier step failed"
    done
else
    skip "installed, used by C, C++ and Go, purged without a trace" "needs root and its own mounts"
fi
all_passed
