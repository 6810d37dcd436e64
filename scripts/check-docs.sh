#!/usr/bin/env bash
# check-docs.sh [FILE...]: checks Markdown files, by default all that git tracks. Reports every line
# of more than 100 columns, except table rows, code blocks and lines that hold only links, and every
# relative link to a file or heading that does not exist. Exit status 1 if it reported anything.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C # awk then counts bytes, in every implementation; see columns()

# scan FILE: prints `long LINE COLUMNS`, `link LINE TARGET` and `anchor NAME` for what it finds.
scan() {
    awk '
    # In UTF-8 each character has one byte that is not a continuation byte.
    function columns(s) { gsub(/[\200-\277]/, "", s); return length(s) }
    # The anchor that GitHub gives a heading.
    function anchor(s) {
        gsub(/`/, "", s)
        while (match(s, /\]\([^)]*\)/)) s = substr(s, 1, RSTART) substr(s, RSTART + RLENGTH)
        s = tolower(s)
        gsub(/[^a-z0-9_ \200-\377-]/, "", s)
        gsub(/ /, "-", s)
        return s
    }
    # A fence ends with at least as many of its own characters as it began with.
    /^ *(```|~~~)/ {
        fence = $0
        sub(/^ */, "", fence)
        match(fence, /^(`+|~+)/)
        mark = substr(fence, 1, RLENGTH)
        if (!open) open = mark
        else if (index(mark, open) == 1 && fence ~ /^(`+|~+) *$/) open = ""
        next
    }
    open { next }
    /^#+ / {
        heading = $0
        sub(/^#+ +/, "", heading)
        sub(/[ #]+$/, "", heading)
        name = anchor(heading)
        print "anchor " name (seen[name]++ ? "-" seen[name] - 1 : "")
    }
    {
        text = $0
        gsub(/``[^`]*``|`[^`]*`/, "", text)
        rest = text
        while (match(rest, /<a (id|name)="[^"]*"/)) {
            name = substr(rest, RSTART, RLENGTH)
            gsub(/^[^"]*"|"$/, "", name)
            print "anchor " name
            rest = substr(rest, RSTART + RLENGTH)
        }
        rest = text
        while (match(rest, /\]\(<?[^)> ]*/)) {
            target = substr(rest, RSTART + 2, RLENGTH - 2)
            sub(/^</, "", target)
            print "link " NR " " target
            rest = substr(rest, RSTART + RLENGTH)
        }
        if (text ~ /^ *\[[^]]+\]: *[^ ]/) {
            target = text
            sub(/^ *\[[^]]+\]: *<?/, "", target)
            sub(/[> ].*/, "", target)
            print "link " NR " " target
            next
        }
    }
    /^ *\|/ { next }
    columns($0) > 100 {
        rest = $0
        gsub(/!?\[[^]]*\]\([^)]*\)|<?https?:[^ >]*>?/, "", rest)
        if (rest ~ /[A-Za-z0-9]/) print "long " NR " " columns($0)
    }' "$1"
}

has_anchor() { scan "$1" | grep -qxF "anchor $2"; }

if [ $# -eq 0 ]; then
    mapfile -t files < <(git ls-files '*.md')
    set -- "${files[@]}"
fi
[ $# -gt 0 ] || { echo "check-docs: git tracks no Markdown files here" >&2 && exit 2; }

found=0
report() {
    echo "$1" >&2
    found=$((found + 1))
}
for file in "$@"; do
    while read -r what line value; do
        case $what in
        long) report "$file:$line: $value columns, more than 100" ;;
        link)
            case $value in
            *://* | mailto:*) continue ;;
            '#'*) path=$file ;;
            *) path=$(dirname "$file")/${value%%#*} ;;
            esac
            heading=
            [[ $value != *'#'* ]] || heading=${value#*#}
            if [ ! -e "$path" ]; then
                report "$file:$line: no such file: $value"
            elif [ -n "$heading" ] && [ -f "$path" ] && ! has_anchor "$path" "$heading"; then
                report "$file:$line: no such heading: $value"
            fi
            ;;
        esac
    done < <(scan "$file")
done
[ "$found" -eq 0 ]
