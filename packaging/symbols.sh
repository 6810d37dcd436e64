#!/usr/bin/env bash
# symbols.sh: adds the symbols of tests/symbols.txt that the symbols file of the Debian package lacks,
# with this version. It removes none: that needs a new SONAME. Run by make with VERSION and SOVERSION.
set -euo pipefail
cd "$(dirname "$0")/.."
file=packaging/debian/libqueues$SOVERSION.symbols
while read -r symbol; do
    grep -q "^ $symbol@" "$file" || echo " $symbol@QUEUES_$SOVERSION $VERSION" >>"$file"
done <tests/symbols.txt
{ grep -v '^ queues_' "$file" && grep '^ queues_' "$file" | LC_ALL=C sort; } >"$file.new"
mv "$file.new" "$file"
