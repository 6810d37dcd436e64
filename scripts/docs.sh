#!/usr/bin/env bash
# docs.sh FOLDER: makes the site: mdBook from docs/ and the header, Doxygen for C++, rustdoc for
# Rust. The folder is replaced when the site is complete. The site works offline.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() {
    echo "docs: $*" >&2
    exit 2
}
[ $# -eq 1 ] || fail "usage: $0 FOLDER"
for tool in mdbook python3 doxygen; do
    command -v "$tool" >/dev/null || fail "$tool is missing: \`make setup-docs\` installs it"
done
site=$(realpath -ms "$1")
# A folder that holds something else is not replaced.
[ ! -e "$site" ] || [ -e "$site/toc.html" ] || [ -z "$(ls -A "$site")" ] ||
    fail "$site exists and is not a site: choose another folder, or remove it"
[ -e bindings/cpp/Doxyfile ] || fail "bindings/cpp/Doxyfile is missing: this tree is not complete"
target=$(realpath -ms "${CARGO_TARGET_DIR:-target}")
mkdir -p "$(dirname "$site")" "$target"
work=$(mktemp -d "$target/docs-XXXXXX")
trap 'rm -rf "$work"' EXIT

scripts/docs.py book "$work/book"
MDBOOK_LOG=warn mdbook build "$work/book" --dest-dir "$work/site" >&2

(cd bindings/cpp && {
    cat Doxyfile
    printf '%s\n' "OUTPUT_DIRECTORY = $work/cpp" HTML_OUTPUT=html GENERATE_HTML=YES GENERATE_LATEX=NO \
        'SEARCHENGINE = YES' 'SERVER_BASED_SEARCH = NO' 'HTML_TIMESTAMP = NO' QUIET=YES \
        'WARN_AS_ERROR = NO' 'WARN_IF_UNDOCUMENTED = NO' 'DISABLE_INDEX = NO' 'HAVE_DOT = NO'
} | (mkdir -p "$work/cpp" && doxygen -) >"$work/doxygen.log" 2>&1) || {
    cat "$work/doxygen.log" >&2
    fail "doxygen failed"
}
mkdir -p "$work/site/cpp"
mv "$work/cpp/html" "$work/site/cpp/reference"

CARGO_TARGET_DIR=$target "${CARGO:-cargo}" doc --quiet --frozen --no-deps --lib
mkdir "$work/site/rust"
cp -r "$target/doc/." "$work/site/rust"

rm -rf "$site"
chmod 755 "$work/site"
mv "$work/site" "$site"
echo "docs: $site/index.html"
