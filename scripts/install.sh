#!/usr/bin/env bash
# install.sh install|uninstall: installs or removes one list of files, also for `cmake --install`.
# Run by make after the build, with VERSION, SOVERSION, OUT and the user's DESTDIR, PREFIX, LIBDIR,
# INCLUDEDIR.
#   INSTALL_COMPONENT=runtime      only the files that programs need to run
#   INSTALL_COMPONENT=development  only the other files
#   INSTALL_LINKAGE=static         without the shared library
#   INSTALL_MANIFEST=FILE          appends the installed paths to FILE
set -euo pipefail

fail() {
    echo "install: $*" >&2
    exit 2
}
action=${1:-}
component=${INSTALL_COMPONENT:-}
case $action:$component in
install: | install:runtime | install:development | uninstall:) ;;
*) fail "usage: [INSTALL_COMPONENT=runtime|development] $0 install, or $0 uninstall" ;;
esac
case ${INSTALL_LINKAGE:-} in
"" | static) ;;
*) fail "INSTALL_LINKAGE=$INSTALL_LINKAGE is unknown: use static, or nothing for both libraries" ;;
esac
absolute() { realpath --canonicalize-missing --no-symlinks "$1"; }
# A relative DESTDIR starts at the folder in which make was called.
root=${DESTDIR:+$(absolute "$DESTDIR")}
cd "$(dirname "$0")/.."
prefix=$(absolute "${PREFIX:-/usr/local}")
libdir=$(absolute "${LIBDIR:-$prefix/lib}")
includedir=$(absolute "${INCLUDEDIR:-$prefix/include}")
pkgconfigdir=$libdir/pkgconfig
cmakedir=$libdir/cmake/queues
bindir=$prefix/bin
sharedir=$prefix/share/queues
docdir=$prefix/share/doc/queues
mandir=$prefix/share/man
# gdb looks in this folder for scripts that belong to a library, by the path of the library.
autodir=$prefix/share/gdb/auto-load

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# --- the list of files. `files FUNCTION` calls FUNCTION for each with its component and one of:
#   file MODE SOURCE TARGET, link TEXT TARGET, filled TEMPLATE TARGET

files() {
    local header page
    "$1" runtime file 755 "$OUT/libqueues.so.$VERSION" "$libdir/libqueues.so.$VERSION"
    "$1" runtime link "libqueues.so.$VERSION" "$libdir/libqueues.so.$SOVERSION"
    "$1" runtime file 644 LICENSE-MIT "$docdir/LICENSE-MIT"
    "$1" runtime file 644 LICENSE-APACHE "$docdir/LICENSE-APACHE"
    "$1" runtime file 644 THIRD-PARTY.md "$docdir/THIRD-PARTY.md"
    # `make dist` adds it to the sources.
    if [ -e sbom.cdx.json ]; then
        "$1" runtime file 644 sbom.cdx.json "$docdir/sbom.cdx.json"
    fi
    "$1" development link "libqueues.so.$SOVERSION" "$libdir/libqueues.so"
    "$1" development file 644 "$OUT/install/libqueues.a" "$libdir/libqueues.a"
    for header in queues.h queues_inline.h; do
        "$1" development file 644 "include/$header" "$includedir/$header"
    done
    for header in bindings/cpp/include/*.hpp bindings/cpp/include/queues/*.hpp bindings/cpp/include/queues/detail/*.hpp; do
        "$1" development file 644 "$header" "$includedir/${header#bindings/cpp/include/}"
    done
    "$1" development file 755 "$OUT/queues-inspect" "$bindir/queues-inspect"
    for page in docs/man/*.[37] docs/*.1; do
        "$1" development file 644 "$page" "$mandir/man${page##*.}/${page##*/}"
    done
    "$1" development filled cmake/queues.pc.in "$pkgconfigdir/queues.pc"
    "$1" development filled cmake/queues-config.cmake.in "$cmakedir/queues-config.cmake"
    "$1" development filled cmake/queues-config-version.cmake.in "$cmakedir/queues-config-version.cmake"
    if [ -e debug/queues.supp ]; then
        "$1" development file 644 debug/queues.supp "$sharedir/queues.supp"
    fi
    "$1" development file 644 debug/queues-gdb.py "$sharedir/queues-gdb.py"
    "$1" development file 644 debug/queues-gdb.py "$autodir$libdir/libqueues.so.$VERSION-gdb.py"
}

# --- the functions for one file

# All sources are checked before the first file is installed, so that no installation is partial.
check() {
    local source=$4
    case $2 in
    link) return ;;
    filled) source=$OUT/install/needs ;;
    esac
    [ -r "$source" ] || fail "$source is missing: \`make clean build\` builds it"
}
install_() {
    [ -z "$component" ] || [ "$component" = "$1" ] || return 0
    local target=$root${*: -1}
    [ "${INSTALL_LINKAGE:-}" != static ] || [[ ${target##*/} != *.so* ]] || return 0
    case $2 in
    # -C does not touch a file that is the same, so that programs built with it stay up to date.
    file) install -C -D -m "$3" "$4" "$target" ;;
    link) install -d "${target%/*}" && ln -sfT "$3" "$target" ;;
    filled)
        fill "$3" "$(dirname "$4")" >"$scratch/filled"
        install -C -D -m 644 "$scratch/filled" "$target"
        ;;
    esac
    [ -z "${INSTALL_MANIFEST:-}" ] || echo "${*: -1}" >>"$INSTALL_MANIFEST"
}
uninstall_() { rm -f "$root${*: -1}"; }

# place PATH DIRECTORY VARIABLE: PATH relative to DIRECTORY, as ${VARIABLE}/..., so that the tree
# may be moved.
place() { echo "\${$3}/$(realpath -ms --relative-to="$2" "$1")"; }
# fill TEMPLATE DIRECTORY: prints the template with the values for a file in DIRECTORY.
fill() {
    local text separator=' ' name
    local -A values=([VERSION]=$VERSION [SOVERSION]=$SOVERSION)
    text=$(<"$1")
    if [[ $1 == *.pc.in ]]; then
        values[PREFIX]=$(place "$prefix" "$2" pcfiledir)
        for name in LIBDIR INCLUDEDIR; do
            local -n path=${name,,}
            case $path/ in
            "${prefix%/}"/*) values[$name]=$(place "$path" "$prefix" prefix) ;;
            *) values[$name]=$(place "$path" "$2" pcfiledir) ;;
            esac
            # pkg-config splits the value into words.
            values[$name]=${values[$name]// /\\ }
        done
    else
        separator=';'
        values[LIBDIR]=$(place "$libdir" "$2" _queues_dir)
        values[INCLUDEDIR]=$(place "$includedir" "$2" _queues_dir)
    fi
    values[NEEDS]=$(paste -sd "$separator" "$OUT/install/needs")
    for name in "${!values[@]}"; do
        text=${text//"@$name@"/"${values[$name]}"}
    done
    printf '%s\n' "$text"
}

if [ "$action" = install ]; then
    files check
    files install_
else
    files uninstall_
    for directory in "$includedir/queues/detail" "$includedir/queues" "$cmakedir" "$sharedir" "$docdir"; do
        [ ! -d "$root$directory" ] || rmdir --ignore-fail-on-non-empty "$root$directory"
    done
    [ ! -d "$root$autodir$libdir" ] ||
        (cd "$root$prefix/share" && rmdir -p --ignore-fail-on-non-empty "gdb/auto-load$libdir")
fi
# The loader finds a library in its standard directories only after ldconfig.
if [ -z "$root" ] && [ "$(id -u)" -eq 0 ] && command -v ldconfig >/dev/null; then
    ldconfig
fi
echo "${action}ed: queues $VERSION${component:+, $component}, $root$prefix"
