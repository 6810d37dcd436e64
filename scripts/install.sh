#!/usr/bin/env bash
# install.sh install|uninstall: one list of files for both. Run by make after the build, with VERSION,
# SOVERSION, OUT, and the person's DESTDIR, PREFIX, LIBDIR, INCLUDEDIR.
set -euo pipefail

absolute() { realpath --canonicalize-missing --no-symlinks "$1"; }
prefix=$(absolute "${PREFIX:-/usr/local}")
libdir=$(absolute "${LIBDIR:-$prefix/lib}")
includedir=$(absolute "${INCLUDEDIR:-$prefix/include}")
cmakedir=$libdir/cmake/queues
docdir=$prefix/share/doc/queues
root=${DESTDIR:-}
cd "$(dirname "$0")/.."

case ${1:-} in
install)
    # -C leaves a file alone that is the same, so that what was built with it stays up to date.
    file() { install -C -D -m "$1" "$2" "$root$3"; }
    link() { ln -sf "$1" "$root$2"; }
    ;;
uninstall)
    file() { rm -f "$root$3"; }
    link() { rm -f "$root$2"; }
    ;;
*)
    echo "usage: $0 install|uninstall" >&2
    exit 2
    ;;
esac

# filled TEMPLATE DIRECTORY NAME SEPARATOR: paths in it are relative to DIRECTORY.
filled() {
    sed -e "s|@VERSION@|$VERSION|g" -e "s|@SOVERSION@|$SOVERSION|g" \
        -e "s|@LIBDIR@|$(realpath -ms --relative-to="$2" "$libdir")|g" \
        -e "s|@INCLUDEDIR@|$(realpath -ms --relative-to="$2" "$includedir")|g" \
        -e "s|@NEEDS@|$(paste -sd "$4" "$OUT/install/needs")|g" "$1" >"$scratch"
    file 644 "$scratch" "$2/$3"
}
scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT

file 755 "$OUT/libqueues.so" "$libdir/libqueues.so.$VERSION"
link "libqueues.so.$VERSION" "$libdir/libqueues.so.$SOVERSION"
link "libqueues.so.$SOVERSION" "$libdir/libqueues.so"
file 644 "$OUT/install/libqueues.a" "$libdir/libqueues.a"
file 644 include/queues.h "$includedir/queues.h"
file 644 bindings/cpp/include/queues.hpp "$includedir/queues.hpp"
filled cmake/queues.pc.in "$libdir/pkgconfig" queues.pc ' '
filled cmake/queues-config.cmake.in "$cmakedir" queues-config.cmake ';'
filled cmake/queues-config-version.cmake.in "$cmakedir" queues-config-version.cmake ';'
file 644 LICENSE-MIT "$docdir/LICENSE-MIT"
file 644 LICENSE-APACHE "$docdir/LICENSE-APACHE"

if [ "$1" = uninstall ]; then
    rmdir --ignore-fail-on-non-empty "$root$cmakedir" "$root$docdir" 2>/dev/null || true
fi
# The loader has to hear of a library in one of its own directories.
if [ -z "$root" ] && [ "$(id -u)" -eq 0 ]; then
    ldconfig
fi
echo "${1}ed: queues $VERSION, $root$prefix"
