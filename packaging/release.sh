#!/usr/bin/env bash
# release.sh: makes RELEASE/repository, a clone of this tree with one more commit, ready to push to
# https://REPOSITORY, and RELEASE/proxy, its Go module as a file tree for GOPROXY.
#
# The tree itself names no host: the Go module is `queues`, and the crate, the .pc file, the Debian
# packages and the site have no address. The commit of a release puts REPOSITORY into all of them:
# the Go module becomes REPOSITORY/bindings/go. It also puts a static library for this platform into
# the module, so that `go get` needs no installed library. Tags: vVERSION and bindings/go/vVERSION,
# which is what Go looks for. Publishes nothing.
#
# Run by make with REPOSITORY (HOST/OWNER/NAME), VERSION, OUT and RELEASE.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "release: $*" >&2
    exit 2
}
[[ ${REPOSITORY:-} =~ ^[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9._-]+)+$ ]] ||
    fail "REPOSITORY is '${REPOSITORY:-}': set it to HOST/OWNER/NAME, as in make release REPOSITORY=git.example.org/team/queues"
command -v git >/dev/null || fail "git is missing"
[ "$(git rev-parse --show-toplevel 2>/dev/null)" -ef . ] || fail "this is no git clone: a release is made from one"
[ -z "$(git status --porcelain --untracked-files=no)" ] ||
    fail "the tree has changes without a commit: commit them first"
platform=$(sed 's/^x86_64-.*linux.*/linux_amd64/; s/^aarch64-.*linux.*/linux_arm64/' "$OUT/install/target")
[[ $platform == linux_* ]] || fail "no Go platform is known for the target $platform"

export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
GIT_AUTHOR_DATE=$(git log -1 --format=%cI)
GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
for who in AUTHOR COMMITTER; do
    export "GIT_${who}_NAME=$(git log -1 --format=%cn)" "GIT_${who}_EMAIL=$(git log -1 --format=%ce)"
done
mkdir -p "$(dirname "$RELEASE")" || fail "cannot write to $(dirname "$RELEASE")"
stage=$(mktemp -d "$RELEASE.XXXXXX") || fail "cannot write to $(dirname "$RELEASE")"
trap 'rm -rf "$stage"' EXIT
tree=$stage/repository
git clone --quiet --no-hardlinks . "$tree"
git -C "$tree" remote set-url origin "https://$REPOSITORY"

# edit FILE EXPRESSION...: sed, which must change the file.
edit() {
    local file=$tree/$1 before
    before=$(<"$file")
    shift
    sed -i -E "${@/#/-e}" "$file"
    [ "$before" != "$(<"$file")" ] || fail "$file has changed: correct packaging/release.sh"
}
module=$REPOSITORY/bindings/go
edit Cargo.toml "/^license = /a repository = \"https://$REPOSITORY\""
edit cmake/queues.pc.in "/^Version:/a URL: https://$REPOSITORY"
edit packaging/debian/control "/^Standards-Version:/a Homepage: https://$REPOSITORY"
edit docs/book.toml "/^\[output.html\]/a git-repository-url = \"https://$REPOSITORY\""
edit bindings/go/go.mod "s#^module queues\$#module $module#"
edit examples/go/go.mod "s#^(require|replace) queues\b#\1 $module#"
edit benches/versus/go/go.mod "s#\bqueues (v0|=>)#$module \1#"
edit README.md "s#-require queues@v0.0.0 -replace queues=#-require $module@v$VERSION -replace $module=#"
(cd "$tree" && git ls-files -z -- '*.go' '*.md' ':!CHANGELOG.md' |
    xargs -0 sed -i -E "s#^((import )?[[:blank:]]*)\"queues\"\$#\1queues \"$module\"#")

# The library in the module. In one folder with the Go files, because `go mod vendor` copies no other.
# The build tag queues_system takes an installed library instead.
cp include/queues.h include/queues_inline.h LICENSE-MIT LICENSE-APACHE THIRD-PARTY.md "$tree/bindings/go/"
cp "$OUT/install/libqueues.a" "$tree/bindings/go/libqueues_$platform.a"
edit bindings/go/shim.go '/^#cgo pkg-config: queues$/d'
license='// SPDX-License-Identifier: MIT OR Apache-2.0'
condition="${platform%_*} && ${platform#*_}"
cat >"$tree/bindings/go/link_system.go" <<GO
$license

//go:build queues_system || !($condition)

package queues

// #cgo pkg-config: queues
import "C"
GO
cat >"$tree/bindings/go/link_$platform.go" <<GO
$license

//go:build !queues_system

package queues

// #cgo CFLAGS: -I\${SRCDIR}
// #cgo LDFLAGS: \${SRCDIR}/libqueues_$platform.a $(grep -oE -- '-l[a-z]+' "$OUT/install/needs" | tr '\n' ' ')
import "C"
GO
git -C "$tree" add --all --force bindings/go
git -C "$tree" commit --quiet --all --message "Release $VERSION at $REPOSITORY"
git -C "$tree" tag "v$VERSION"
git -C "$tree" tag "bindings/go/v$VERSION"

# In the paths of a proxy an upper-case letter is ! and the lower-case one.
versions=$stage/proxy/$(sed -E 's/[A-Z]/!\l&/g' <<<"$module")/@v
mkdir -p "$versions"
echo "v$VERSION" >"$versions/list"
printf '{"Version":"v%s","Time":"%s"}\n' "$VERSION" \
    "$(TZ=UTC0 git -C "$tree" log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)" >"$versions/v$VERSION.info"
cp "$tree/bindings/go/go.mod" "$versions/v$VERSION.mod"
git -C "$tree" archive --format=zip --prefix="$module@v$VERSION/" -o "$versions/v$VERSION.zip" "v$VERSION:bindings/go"

rm -rf "$RELEASE"
mv "$stage" "$RELEASE"
trap - EXIT
chmod u=rwx,go=rx "$RELEASE"
echo "release: $RELEASE/repository is ready: git push origin HEAD v$VERSION bindings/go/v$VERSION"
