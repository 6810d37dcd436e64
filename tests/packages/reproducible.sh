#!/usr/bin/env bash
# The source package: complete, buildable without a network, and the same bytes from another clone.
# Two builds of it, in two folders and with two homes, are identical. Also the licenses and the bill
# of materials. Run by `make test-packages`.
# shellcheck source-path=SCRIPTDIR/../.. source=tests/check.sh disable=SC2016,SC2030,SC2031
. "$(dirname "$0")/../check.sh"
packages=$target/packages
name=queues-$version

for tool in git xz python3; do
    command -v "$tool" >/dev/null || skip_all "$tool is missing: \`make setup-packages\` installs it"
done
git -C "$repo" rev-parse --git-dir >/dev/null 2>&1 || skip_all "this is no git clone"

contents() {
    tar -tJf "$packages/$name.tar.xz" >"$tmp/list"
    for file in Cargo.lock LICENSE-MIT LICENSE-APACHE THIRD-PARTY.md sbom.cdx.json .cargo/config.toml vendor/libc-; do
        grep -F "$name/$file" "$tmp/list" >/dev/null
    done
    same "$(grep -vE "^$name/" "$tmp/list")" ""
    same "$(grep -E "^$name/(target|\.git|\.tools)/" "$tmp/list")" ""
    same "$(tar -tvJf "$packages/$name.tar.xz" | awk '{print $2}' | sort -u)" 0/0
}
# The tree as git has it, without changes that have no commit, since a clone has none of them.
another_clone() {
    [ -z "$(git -C "$repo" status --porcelain --untracked-files=no)" ] || { echo "commit the changes first" && return 1; }
    git clone --quiet --shared "$repo" "$tmp/another clone"
    (cd "$tmp/another clone" && umask 077 && CARGO_TARGET_DIR="$tmp/another target" TZ=Asia/Tokyo make -s dist)
    cmp "$packages/$name.tar.xz" "$tmp/another target/packages/$name.tar.xz"
    cmp "$packages/$name.cdx.json" "$tmp/another target/packages/$name.cdx.json"
}

# offline COMMAND...: without a network, if this system allows it; cargo is told so in any case.
offline() {
    local isolated=()
    if unshare --map-root-user --net true 2>/dev/null; then isolated=(unshare --map-root-user --net); fi
    CARGO_NET_OFFLINE=true "${isolated[@]}" "$@"
}
# build PLACE: in a folder, home and cargo folder of its own, and installs into PLACE/root.
build() {
    mkdir -p "$1/home"
    tar -C "$1" -xJf "$packages/$name.tar.xz"
    (
        cd "$1/$name"
        unset CARGO_TARGET_DIR
        # rustup, if there is one, finds its toolchains by its own variable.
        export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup} HOME=$1/home CARGO_HOME=$1/cargo
        offline make -s build
        offline make -s install "DESTDIR=$1/root" PREFIX=/usr
    )
    test ! -e "$1/cargo/registry"
}
two_builds() {
    build "$tmp/one" &
    local first=$!
    build "$tmp/another place/further down"
    wait "$first"
    diff -r --no-dereference "$tmp/one/root" "$tmp/another place/further down/root"
    (cd "$tmp/one/root/usr/lib" && sha256sum libqueues.a "libqueues.so.$version")
}
no_paths() { same "$(grep -rlaF -e "$tmp" -e "${HOME%/}/" "$tmp/one/root")" ""; }
# No tool that is not on the list in PACKAGING.md is needed: neither cbindgen nor the tests' crates.
builds_no_cbindgen() { same "$(find "$tmp/one/$name/target" -name '*cbindgen*' -o -name '*proptest*')" ""; }
licenses() { diff "$repo/THIRD-PARTY.md" <(cd "$repo" && packaging/third-party.py notices); }
bill_of_materials() {
    python3 - "$packages/$name.cdx.json" "$repo/Cargo.lock" <<'PYTHON'
import json, re, sys
bom = json.load(open(sys.argv[1]))
assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.5")
assert bom["metadata"]["component"]["name"] == "libqueues"
locked = set(re.findall(r'name = "(.*)"\nversion = "(.*)"\nsource', open(sys.argv[2]).read()))
assert {(c["name"], c["version"]) for c in bom["components"]} == locked
assert all(c["hashes"] and c["licenses"] for c in bom["components"])
linked = {c["name"] for c in bom["components"] if c["scope"] == "required"}
assert linked == {"crossbeam-utils", "libc", "thiserror"}, linked
references = {d["ref"] for d in bom["dependencies"]}
assert all(set(d["dependsOn"]) <= references for d in bom["dependencies"])
PYTHON
}

check "make dist" make_ dist
check "the source package has sources, crates, licenses, and owner 0" contents
check "another clone of the commit gives the same source package" another_clone
check "two builds of it without a network, in two folders and homes, are identical" two_builds
check "no path of the build is in what it installs" no_paths
check "it builds neither cbindgen nor crates for tests" builds_no_cbindgen
check "THIRD-PARTY.md lists the crates of Cargo.lock" licenses
check "the bill of materials lists every crate with checksum and license" bill_of_materials
all_passed
