#!/usr/bin/env bash
# deb.sh: builds the Debian packages from PACKAGES/queues-VERSION.tar.xz, without a network, into
# PACKAGES/deb, with their source package. lintian must have nothing to report.
#
# Run by make with VERSION and PACKAGES. The compiler may come from rustup: packages that provide
# cargo and rustc are not required here, although debian/control names them.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "deb: $*" >&2
    exit 2
}
for tool in dpkg-buildpackage dh lintian; do
    command -v "$tool" >/dev/null || fail "$tool is missing: \`make setup-packages\` installs it"
done
tarball=$PACKAGES/queues-$VERSION.tar.xz
[ -r "$tarball" ] || fail "$tarball is missing: \`make dist\` writes it"

stage=$(mktemp -d "$PACKAGES/.deb-XXXXXX") || fail "cannot write to $PACKAGES"
trap 'rm -rf "$stage"' EXIT
ln "$tarball" "$stage/queues_$VERSION.orig.tar.xz"
tar -C "$stage" -xf "$tarball"
tree=$stage/queues-$VERSION
cp -a "$tree/packaging/debian" "$tree/debian"
"$tree/packaging/third-party.py" debian >>"$tree/debian/copyright"

# Variables for the outer make are not for the one that builds the package.
export -n CARGO_TARGET_DIR OUT WORK MAKEFLAGS MAKELEVEL DESTDIR PREFIX LIBDIR INCLUDEDIR
(cd "$tree" && dpkg-buildpackage --no-sign --no-check-builddeps >"$stage/log" 2>&1) || {
    cat "$stage/log" >&2
    fail "dpkg-buildpackage fails: see above"
}
# Not uploaded to Debian, so no bug there asks for it.
(cd "$stage" && lintian --fail-on=error,warning --suppress-tags=initial-upload-closes-no-bugs \
    --allow-root queues_*.changes >&2) ||
    fail "lintian reports errors or warnings: see above"
rm -rf "$tree" "$PACKAGES/deb"
mkdir "$PACKAGES/deb"
mv "$stage"/queues_* "$stage"/*.deb "$PACKAGES/deb/"
ls "$PACKAGES/deb"/*.deb
