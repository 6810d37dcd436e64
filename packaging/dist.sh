#!/usr/bin/env bash
# dist.sh: writes PACKAGES/queues-VERSION.tar.xz, the sources with those of all crates, which builds
# without a network. PACKAGES/queues-VERSION.cdx.json beside it lists the crates (CycloneDX).
#
# PACKAGES/queues.rb is the Homebrew formula for it; its URL is below REPOSITORY (HOST/OWNER/NAME) if
# that is set, and else the file itself.
#
# Contains the files that git tracks, without the benchmarks against other libraries: their crates
# would make it three times as large. The same commit gives the same bytes: order, owner, modes and
# times do not depend on the machine, and neither do the blocks of xz -T2. Run by make with VERSION,
# PACKAGES and CARGO; SOURCE_DATE_EPOCH replaces the time of the last commit.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "dist: $*" >&2
    exit 2
}
for tool in git xz tar python3; do
    command -v "$tool" >/dev/null || fail "$tool is missing: \`make setup-packages\` installs it"
done
[ "$(git rev-parse --show-toplevel 2>/dev/null)" -ef . ] ||
    fail "this is no git clone: a source package is made from one"
[ -z "$(git status --porcelain)" ] ||
    echo "dist: the tree has changes without a commit; they are packed if git tracks the file" >&2
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export LC_ALL=C

read -ra cargo <<<"${CARGO:-cargo}"
mkdir -p "$PACKAGES" || fail "cannot write to $PACKAGES"
stage=$(mktemp -d "$PACKAGES/.dist-XXXXXX") || fail "cannot write to $PACKAGES"
trap 'rm -rf "$stage"' EXIT
name=queues-$VERSION
tree=$stage/$name

mkdir "$tree"
git ls-files -z -- . ':!.ci' ':!benches/versus' |
    tar -c --null --files-from=- | tar -x -C "$tree" || fail "a tracked file is missing: see \`git status\`"
# The second manifest is that of the tool behind `make demo REPORT=`.
mkdir "$tree/.cargo"
"${cargo[@]}" vendor --quiet --frozen --versioned-dirs --sync examples/report/Cargo.toml \
    "$tree/vendor" >/dev/null || fail "crates of Cargo.lock are missing: \`make setup-packages\` fetches them"
cat >"$tree/.cargo/config.toml" <<'TOML'
[source.crates-io]
replace-with = "vendor"

[source.vendor]
directory = "vendor"
TOML
packaging/third-party.py sbom >"$tree/sbom.cdx.json"

tar -C "$stage" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
    --mode='u=rwX,go=rX' --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" |
    xz -T2 -6 >"$stage/tarball"
cp "$tree/sbom.cdx.json" "$stage/sbom"
page=file://$PACKAGES url=file://$PACKAGES/$name.tar.xz
if [ -n "${REPOSITORY:-}" ]; then
    page=https://$REPOSITORY url=https://$REPOSITORY/releases/download/v$VERSION/$name.tar.xz
fi
formula=$(<packaging/homebrew/queues.rb.in)
formula=${formula//@HOMEPAGE@/$page} formula=${formula//@URL@/$url}
echo "${formula//@SHA256@/$(sha256sum "$stage/tarball" | cut -d' ' -f1)}" >"$stage/formula"
mv -f "$stage/formula" "$PACKAGES/queues.rb"
mv -f "$stage/sbom" "$PACKAGES/$name.cdx.json"
mv -f "$stage/tarball" "$PACKAGES/$name.tar.xz"
echo "$PACKAGES/$name.tar.xz"
