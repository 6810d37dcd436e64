#!/usr/bin/env bash
# A release at a made-up host: its Go module is got through a proxy of files, and its programs need
# no installed library. Run by `make test-packages`.
# shellcheck source-path=SCRIPTDIR/../.. source=tests/check.sh
. "$(dirname "$0")/../check.sh"
host=git.queues.example/Team/queues
module=$host/bindings/go
clone=$tmp/clone
release=$tmp/release

made() {
    git clone --quiet "$repo" "$clone"
    cd "$clone"
    RELEASE=$release REPOSITORY=$host VERSION=$version OUT=$target/release packaging/release.sh
}
names_the_host() {
    cd "$release/repository"
    same "$(git tag | tr '\n' ' ')" "bindings/go/v$version v$version "
    same "$(git status --porcelain)" ""
    grep -qx "URL: https://$host" cmake/queues.pc.in
    grep -qx "module $module" bindings/go/go.mod
    same "$(${CARGO:-cargo} metadata --no-deps --offline --format-version 1 | grep -o "\"repository\":\"[^\"]*\"")" \
        "\"repository\":\"https://$host\""
    same "$(git grep -nE '^(import )?[[:blank:]]*"queues"$' -- '*.go')" ""
}
go_program() {
    mkdir "$tmp/program" && cd "$tmp/program"
    cp "$release/repository/examples/go/quickstart/main.go" .
    export GOPROXY=file://$release/proxy GOSUMDB=off GOFLAGS=-mod=mod GOPATH=$tmp/gopath
    # Neither pkg-config nor an installed library.
    export PKG_CONFIG=/bin/false PKG_CONFIG_PATH=/nonexistent
    go mod init program
    go get "$module@v$version"
    go vet .
    go build -o program
    same "$(./program)" "hello <nil>"
    same "$(ldd program | grep -c libqueues)" 0
    go mod vendor
    GOFLAGS=-mod=vendor go build -o vendored
    same "$(./vendored)" "hello <nil>"
    # With the build tag the module takes the installed one, of which there is none here.
    same "$(go build -tags queues_system -o system 2>&1 | grep -c 'false')" 1
    chmod -R u+w "$tmp/gopath"
}
# fails STATUS TEXT COMMAND...: the command fails so, with one line that has the text.
fails() {
    local status=0
    "${@:3}" >"$tmp/output" 2>&1 || status=$?
    same "$status" "$1"
    same "$(wc -l <"$tmp/output")" 1
    grep -qF "$2" "$tmp/output"
}
refuses() {
    local name
    cd "$clone"
    for name in "" queues https://git.example.org/q 'git.example.org/a b' git.example.org; do
        fails 2 "set it to HOST/OWNER/NAME" env RELEASE="$tmp/none" REPOSITORY="$name" VERSION="$version" OUT="$target/release" packaging/release.sh
    done
    echo change >>README.md
    fails 2 "commit them first" env RELEASE="$tmp/none" REPOSITORY=$host VERSION="$version" OUT="$target/release" packaging/release.sh
    git checkout -q README.md
    test ! -e "$tmp/none"
}
check "make release" made
check "the host in the crate, the .pc file, the site and the Go module" names_the_host
check "go get from a proxy of files, without an installed library" go_program
check "wrong arguments of make release" refuses
all_passed
