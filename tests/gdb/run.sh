#!/usr/bin/env bash
# Compares what gdb prints of the queues of C and C++ programs with tests/gdb/*.expected: in
# processes and in core files, with the script loaded by `source` and from an installed tree. Run by
# `make test-gdb`. With UPDATE=1 the expected files are written instead: check the difference.
set -uo pipefail
# shellcheck source=tests/check.sh
. "$(dirname "$0")/../check.sh"
here=$repo/tests/gdb
unset DEBUGINFOD_URLS
export LC_ALL=C

# gdb without the user's configuration files. It takes seconds; after ten minutes it counts as
# hanging.
debugger() { timeout 600 gdb -nx -batch "$@" </dev/null 2>"$tmp/errors" || { cat "$tmp/errors" && false; }; }
# The output after the first line ---, with ADDRESS for long addresses, which differ from run to
# run.
shown() { sed -e '1,/^---/d' -e 's/0x[0-9a-f]\{7,16\}/ADDRESS/g'; }
# compiled NAME LIBDIR: compiles queues.NAME as a program that finds the library in LIBDIR.
compiled() {
    local compiler=(cc -std=c11) name="$tmp/queues-$1"
    [ "$1" = c ] || compiler=(c++ -std=c++20 -I"$repo/bindings/cpp/include")
    "${compiler[@]}" -g -O0 -Wall -Wextra -Werror -I"$repo/include" "$here/queues.$1" -o "$name" \
        -L"$2" -Wl,-rpath,"$2" -lqueues -pthread
}
script=(-x "$repo/debug/queues-gdb.py")
live=(-ex 'break stop' -ex run)
begin=(-ex 'echo ---\n')
# prints NAME: the output in $tmp/printed is the expected one of queues.NAME.
prints() {
    shown <"$tmp/printed" >"$tmp/shown"
    [ -z "${UPDATE:-}" ] || cp "$tmp/shown" "$here/$1.expected"
    diff "$here/$1.expected" "$tmp/shown" || { cat "$tmp/errors" && false; }
}

in_process() { # NAME
    compiled "$1" "$target/release"
    debugger "${script[@]}" "${live[@]}" -x "$here/$1.gdb" "$tmp/queues-$1" >"$tmp/printed"
    prints "$1"
}
in_gcore() { # NAME
    debugger "${live[@]}" -ex "gcore $tmp/core" "$tmp/queues-$1"
    test -s "$tmp/core"
    debugger "${script[@]}" -x "$here/$1.gdb" "$tmp/queues-$1" "$tmp/core" >"$tmp/printed"
    prints "$1"
}
# Lets the program abort and the kernel write a core file, $core.
aborts() { # NAME
    rm -rf "$tmp/aborted"
    mkdir "$tmp/aborted"
    (cd "$tmp/aborted" && ulimit -c unlimited && "$tmp/queues-$1" abort) || same $? 134
    core=$(find "$tmp/aborted" -type f)
}
in_core() { # NAME
    aborts "$1"
    debugger "${script[@]}" -ex 'thread 1' -x "$here/$1.gdb" "$tmp/queues-$1" "$core" >"$tmp/printed"
    prints "$1"
}
kernel_writes_cores_here() {
    local pattern
    pattern=$(</proc/sys/kernel/core_pattern)
    [[ $pattern != "|"* && $pattern != */* ]] && (ulimit -c unlimited) 2>/dev/null
}
corrupt() {
    debugger "${script[@]}" "${live[@]}" -x "$here/corrupt.py" "$tmp/queues-c" >"$tmp/printed"
    same "$(shown <"$tmp/printed")" "printed often: True, changed often: True"
}
# The mode of a queue that was created under a race detector. gdb sets it, so that the test needs
# none.
watched() {
    debugger "${script[@]}" "${live[@]}" "${begin[@]}" -ex 'set *(unsigned long *)spsc |= 1 << 17' -ex 'print *spsc' "$tmp/queues-c" >"$tmp/printed"
    grep -F 'modes = {checked, watched}' "$tmp/printed"
}
other_version() {
    sed 's/^VERSION = 2 .*/VERSION = 3/' "$repo/debug/queues-gdb.py" >"$tmp/other.py"
    debugger -x "$tmp/other.py" "${live[@]}" "${begin[@]}" -ex 'print *mpmc' -ex 'print released' "$tmp/queues-c" >"$tmp/printed"
    same "$(shown <"$tmp/printed")" "\$1 = <mpmc queue of a library whose tables have version 2, and this script knows version 3: load the script that was installed with the library>
\$2 = ADDRESS <released queue>"
}
# As if another thread held the lock.
locked() {
    cat >"$tmp/lock.py" <<'END'
queue = Queue(int(gdb.parse_and_eval("priority")))
gdb.selected_inferior().write_memory(queue.start + queue.plan["lock"], b"\1\0\0\0")
END
    debugger "${script[@]}" "${live[@]}" -x "$tmp/lock.py" -ex 'print *priority' "$tmp/queues-c" >"$tmp/printed"
    grep -F 'references = 1, locked = yes, items = {-1.5: 0x0,' "$tmp/printed"
}
# A program with the static library and without symbols and debug information. It prints the address
# of a queue.
stripped() {
    local place
    # shellcheck disable=SC2046 # the system's libraries are words
    cc -O1 -s -std=c11 -I"$repo/include" "$here/queues.c" -o "$tmp/stripped" \
        "$target/release/install/libqueues.a" $(cat "$target/release/install/needs") -pthread
    place=$(debugger -ex 'run abort' -ex "gcore $tmp/core" "$tmp/stripped" | sed -n 's/^untyped //p')
    debugger "${script[@]}" "${begin[@]}" -ex "print-queue $place" "$tmp/stripped" "$tmp/core" >"$tmp/printed"
    same "$(shown <"$tmp/printed")" "batch queue of pointers
  size = 3
  capacity = 10
  closed = no
  waiters = {get = 0, put = 0}
  references = 1
  batch_size = 4
  items = {0x0, 0x11, 0x22}"
}

# --- an installed tree

installed() {
    make_ install "PREFIX=$tmp/a tree"
    compiled c "$tmp/a tree/lib"
    test -r "$tmp/a tree/share/gdb/auto-load$tmp/a tree/lib/libqueues.so.$version-gdb.py"
}
# loads: gdb with the two settings for an installed tree from docs/debugging.md.
loads() {
    local auto="$tmp/a tree/share/gdb/auto-load"
    debugger -iex "add-auto-load-safe-path $auto" -iex "add-auto-load-scripts-directory $auto" "$@"
}
auto_loaded() {
    loads "${live[@]}" -x "$here/c.gdb" "$tmp/queues-c" >"$tmp/printed"
    prints c
}
auto_loaded_core() {
    loads "${live[@]}" -ex "gcore $tmp/core" "$tmp/queues-c"
    loads -x "$here/c.gdb" "$tmp/queues-c" "$tmp/core" >"$tmp/printed"
    prints c
}
# A core file that the kernel writes has no read-only data, so gdb needs the library itself.
core_without_library() {
    aborts c
    mv "$tmp/a tree/lib" "$tmp/a tree/elsewhere"
    debugger "${script[@]}" "${begin[@]}" -ex 'print *mpmc' "$tmp/queues-c" "$core" >"$tmp/printed"
    mv "$tmp/a tree/elsewhere" "$tmp/a tree/lib"
    same "$(shown <"$tmp/printed")" '$'"1 = <mpmc queue whose table cannot be read: it is damaged, or gdb has not found the libqueues of the program>"
}
without_settings() {
    debugger "${live[@]}" "${begin[@]}" -ex 'print mpmc' "$tmp/queues-c" >"$tmp/printed"
    same "$(shown <"$tmp/printed")" '$'"1 = (queues_mpmc_t *) ADDRESS"
}
staged() {
    make_ install "DESTDIR=$tmp/stage" PREFIX=/usr LIBDIR=/usr/lib/some
    same "$(cd "$tmp/stage" && find . -name '*-gdb.py' | sort | xargs)" \
        "./usr/share/gdb/auto-load/usr/lib/some/libqueues.so.$version-gdb.py ./usr/share/queues/queues-gdb.py"
    make_ uninstall "DESTDIR=$tmp/stage" PREFIX=/usr LIBDIR=/usr/lib/some
    same "$(find "$tmp/stage" ! -type d -o -name '*auto-load*')" ""
}

gdb --version | head -1
for name in c cpp; do
    check "$name: a process" in_process $name
    check "$name: a core file, by gcore" in_gcore $name
done
check "corrupt memory is printed" corrupt
check "watched mode" watched
check "a held lock" locked
check "tables of another version" other_version
check "a stripped program with the static library" stripped
if kernel_writes_cores_here; then
    check "c: a core file, by the kernel" in_core c
else
    echo "skipped: core files by the kernel, whose core_pattern is not a plain file name: $(</proc/sys/kernel/core_pattern)"
fi
check "install" installed
check "loaded with the library" auto_loaded
check "loaded with the library, a core file" auto_loaded_core
if kernel_writes_cores_here; then
    check "a core file by the kernel without its library" core_without_library
fi
check "not loaded without the settings" without_settings
check "install with DESTDIR, and uninstall" staged

all_passed
