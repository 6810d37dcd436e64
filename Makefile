# Builds, installs and tests the library, and runs its demo and benchmarks. `make` lists the
# targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

$(if $(filter Linux,$(shell uname -s)),,$(error this Makefile needs Linux; elsewhere build by `cargo build --release`, see docs/platforms.md))

TARGET := $(shell realpath -ms -- '$(or $(CARGO_TARGET_DIR),target)')
$(if $(TARGET),,$(error realpath is missing: install coreutils))

# Tools that `make setup` has installed are found without a new login.
export PATH := $(CURDIR)/.tools/go/go/bin:$(CURDIR)/.tools/conan/bin:$(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
export GOTOOLCHAIN := local
SETUP ?= scripts/setup.sh

CARGO ?= cargo
QUEUES_RUSTC ?= $(or $(RUSTC),rustc)
NM ?= nm
OBJCOPY ?= objcopy
export CARGO QUEUES_RUSTC NM OBJCOPY
# Begins every line that runs cargo: `+` shares the job slots of `make -j` with cargo. make runs
# such lines also under -n; then they do nothing.
jobs = +$(if $(findstring n,$(firstword -$(MAKEFLAGS))),@:) #

# Each minor version of 0.x may change the ABI, so until 1.0 it is part of the SONAME.
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
version_parts := $(subst ., ,$(VERSION))
SOVERSION := $(if $(filter 0,$(word 1,$(version_parts))),0.$(word 2,$(version_parts)),$(word 1,$(version_parts)))

export CARGO_TARGET_DIR := $(TARGET)
# OUT has the files that are installed. WORK is the target folder of cargo for that:
# see scripts/rustc.sh.
OUT := $(TARGET)/release
WORK := $(TARGET)/dist
export VERSION SOVERSION OUT WORK
SHARED := $(OUT)/libqueues.so.$(VERSION)
# The name of a target with its spaces escaped.
name = $(subst $(subst ,, ),\ ,$1)
SOURCES := $(wildcard Cargo.toml Cargo.lock build.rs scripts/build.sh scripts/rustc.sh scripts/link.sh) \
    $(shell find src -name '*.rs')

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

.PHONY: setup setup-build setup-proof setup-docs setup-packages
setup: ## Install what build, demo, install and test need and is missing (Debian, Ubuntu)
	@$(SETUP) test
setup-build: ## Install what build, demo and install need and is missing
	@$(SETUP) build
setup-proof: ## Install what proof needs and is missing
	@$(SETUP) proof
setup-docs: ## Install what docs needs and is missing: mdBook, Doxygen
	@$(SETUP) docs
setup-packages: ## Install what dist, deb and test-packages need and is missing
	@$(SETUP) packages

# No other target installs or downloads anything. These say what is missing.
.PHONY: ready-test ready-proof ready-docs
ready-test ready-proof ready-docs:
	@$(SETUP) --check $(@:ready-%=%)

# `cargo build` may have put a library of its own in the place of the first link.
.PHONY: build
build: $(call name,$(SHARED)) ## Build the release library into target/release
	@cd "$$OUT" && link() { test "$$(readlink $$2)" = "$$1" || ln -sfT "$$1" "$$2"; } && \
	    link libqueues.so.$(VERSION) libqueues.so.$(SOVERSION) && link libqueues.so.$(SOVERSION) libqueues.so

# Built anew only if a source is newer or CARGO_BUILD_TARGET has changed: `make && sudo make
# install` runs no compiler as root.
built_for := $(shell cat '$(OUT)/install/target' 2>/dev/null)
$(call name,$(SHARED)): $(SOURCES) $(if $(filter-out $(built_for),$(CARGO_BUILD_TARGET)),.force)
	$(jobs)scripts/build.sh library
.PHONY: .force
.force:

.PHONY: install uninstall
install: $(call name,$(SHARED)) ## Install: PREFIX=/usr/local DESTDIR= LIBDIR=PREFIX/lib INCLUDEDIR=PREFIX/include
	@scripts/install.sh install
uninstall: ## Remove what install, with the same variables, has installed
	@scripts/install.sh uninstall

# All with the version of the ABI, which is a symbol itself.
exported = $(NM) -D --defined-only --format=posix '$(SHARED)' | \
    sed -e 's/@@QUEUES_$(SOVERSION) .*//' -e '/^QUEUES_$(SOVERSION)$$/d' | LC_ALL=C sort

.PHONY: header symbols
header: ## Regenerate include/queues.h
	$(jobs)scripts/build.sh header
	cp "$$OUT/queues.h" include/queues.h
symbols: build ## Regenerate tests/symbols.txt, the list of exported symbols, and add new ones to Debian's
	$(exported) >tests/symbols.new && mv tests/symbols.new tests/symbols.txt
	packaging/symbols.sh

# --- documents

.PHONY: docs man
docs: ready-docs ## Make the site in target/docs: guide, references, search; works offline
	$(jobs)scripts/docs.sh '$(TARGET)/docs'
man: ## Regenerate the man pages in docs/man from include/queues.h
	scripts/docs.py man docs/man

# --- the demo

# The script reads TRACE, SPEED, REPORT, COMPARE and REPEAT from its environment, so they may contain
# spaces and quotes.
.PHONY: demo demo-cpp demo-go demo-processes demo-check report
serving := $(TARGET)/demo/serving
demo: demo-check $(call name,$(serving)) $(if $(COMPARE),$(call name,$(serving)-mutex)) $(if $(REPORT)$(COMPARE),report) ## Replay a trace of requests through all queues: TRACE=file.csv SPEED=4 REPORT=page.html COMPARE=mutex REPEAT=5
	@$(run_demo)
demo-cpp: demo-check build $(if $(REPORT),report) ## The same in C++, without COMPARE
	@$(call is_there,$(firstword $(or $(CXX),g++)))
	+@$(cpp) '$(TARGET)/cpp/serving'
	@$(run_demo)
demo-go: demo-check build $(if $(REPORT),report) ## The same in Go, without COMPARE
	@$(call is_there,go)
	+@$(go) '$(OUT)/go/serving'
	@$(run_demo)
demo-processes: demo-check build $(if $(REPORT),report) ## Serve the trace by processes that are killed at random, and lose nothing: TRACE SPEED REPORT
	@$(call is_there,$(firstword $(or $(CXX),g++)))
	@$(call is_there,go)
	+@$(cpp) '$(TARGET)/cpp/process_worker'
	+@$(go) '$(OUT)/go/processes'
	@$(run_demo)

is_there = command -v $1 >/dev/null || { echo 'demo: $1 is missing: `make setup` installs it' >&2; exit 2; }
run_demo = SERVING='$(serving)' WORKER='$(worker)' RECORDS='$(TARGET)/demo' QUEUES_REPORT="$$OUT/report" scripts/demo.sh
demo-cpp: serving := $(TARGET)/cpp/serving
demo-go: serving := $(OUT)/go/serving
demo-processes: serving := $(OUT)/go/processes
demo-processes: worker := $(TARGET)/cpp/process_worker

# Before anything is built.
demo-check:
	@$(run_demo) --check

$(call name,$(serving)) $(call name,$(serving)-mutex): $(wildcard examples/c/*.[ch]) $(call name,$(SHARED)) | build
	@$(call is_there,$(firstword $(CC)))
	@mkdir -p '$(TARGET)/demo'
	$(CC) -O2 -Wall -Wextra -Iinclude $(CFLAGS) $(if $(filter %-mutex,$@),-include examples/c/mutex_queues.h) \
	    examples/c/serving.c -o '$@.new' $(LDFLAGS) -L"$$OUT" -Wl,-rpath,"$$OUT" -lqueues -pthread
	@mv '$@.new' '$@'

report: ## Build the tool that draws a run of the demo as a page
	$(jobs)scripts/build.sh tool report examples/report/Cargo.toml

# --- tests and proofs: a target for each kind, so that the output shows what ran

TESTS := test-rust test-c test-cpp test-go test-install
PROOFS := test-readme lint prove-rust prove-cpp prove-go prove-install test-report test-loops test-portable test-platforms test-loom \
    test-spin test-sites test-miri test-tsan test-asan test-valgrind test-gdb test-bench test-docs \
    test-msrv test-packages

LIB = $(if $(word 2,$(OUT)),$(error the tests need a target folder without spaces in its path: set CARGO_TARGET_DIR),$(OUT))
cpp = $(MAKE) -C bindings/cpp LIBDIR=$(LIB) BUILD=$(TARGET)/cpp
# Cargo with the compiler and the target folder of the installed library.
dist = RUSTC=$(CURDIR)/scripts/rustc.sh CARGO_TARGET_DIR=$(WORK) $(CARGO)
go = $(MAKE) -C bindings/go LIBDIR=$(LIB)

.PHONY: test proof $(TESTS) $(PROOFS)
test: ready-test build ## Tests for users, in a few minutes: all languages, and an installation
	@scripts/steps.sh "$(MAKE)" $(TESTS)
proof: ready-proof build ## The other tests, in 40 minutes: models, sanitizers, every standard and compiler
	@scripts/steps.sh "$(MAKE)" $(PROOFS)

lint: ready-proof build ## Formatting, clippy, go vet, shellcheck, documents; the generated header and symbols are current
	$(CARGO) fmt --check && $(CARGO) fmt --all --check --manifest-path benches/versus/Cargo.toml
	$(CARGO) fmt --check --manifest-path benches/versus/ipc/Cargo.toml
	$(CARGO) fmt --check --manifest-path examples/report/Cargo.toml
	$(jobs)$(CARGO) clippy --locked --all-targets --features header -- -D warnings
	$(jobs)$(CARGO) clippy --locked --all-targets --manifest-path examples/report/Cargo.toml -- -D warnings
	find bindings examples tests benches -name target -prune -o -regex '.*\.[ch]\(pp\)?' -print \
	    | xargs clang-format --dry-run -Werror
	shellcheck -x scripts/*.sh packaging/*.sh packaging/debian/tests/{c,cpp,go} tests/packages/*.sh \
	    tests/*/run.sh benches/versus/cpp/check.sh .ci/run
	scripts/check-docs.sh
	+$(cpp) docs-check
	+$(go) lint
	+$(MAKE) -C benches/versus/go lint LIBDIR=$(LIB)
	$(jobs)scripts/build.sh header
	diff include/queues.h "$$OUT/queues.h"
	diff tests/symbols.txt <($(exported))

test-rust: ready-test ## The Rust interface: conformance, properties, examples, documentation
	$(jobs)$(CARGO) test --frozen --no-fail-fast --lib --test conformance --test asynchronous --test batch --test properties --test outputs --test floors --test examples --test readme
	$(jobs)$(CARGO) test --frozen --doc

# The pattern ??* matches all tests except c.rs, which test-c runs.
prove-rust: ready-proof ## All Rust tests: also stress, faults, histories, the header in every standard
	$(jobs)QUEUES_PINGS=200000 $(CARGO) test --locked --features header --no-fail-fast --lib --test '??*'

test-c: ready-test build ## The ABI from C, the C examples, and queues that C and C++ share with Rust
	$(jobs)$(CARGO) test --frozen --test c --test handles -- --skip loop_

test-loops: ready-proof build ## The servers with the event loops of libuv, GLib, io_uring and asio
	$(jobs)$(CARGO) test --locked --test c loop_
	+$(cpp) test-loops

test-cpp: ready-test build ## The C++ binding in C++20, and the C++ examples
	+$(cpp) quick

prove-cpp: ready-proof build ## The C++ binding in every C++ standard, with g++ and clang++
	+$(cpp) test

test-go: ready-test build ## The Go binding, and the Go examples
	+$(go) test

prove-go: ready-proof build ## The same with the race detector
	+$(go) race

test-report: ready-proof build report $(call name,$(serving)) $(call name,$(serving)-mutex) ## The figures of the demo in C, C++ and Go, and the page that shows them
	+$(cpp) examples
	+$(go) $(OUT)/go/serving
	$(jobs)QUEUES_SERVING='$(serving) $(serving)-mutex $(TARGET)/cpp/serving $(OUT)/go/serving' \
	    $(CARGO) test --release --locked --manifest-path examples/report/Cargo.toml

test-install: ready-test build ## Programs outside the tree that use an installed library
	tests/install/run.sh

prove-install: ready-proof build ## The same tests, beside a library that another version of Rust has built
	tests/install/run.sh

MSRV = $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
test-msrv: ready-proof ## The oldest Rust that Cargo.toml names compiles the library, its tests and examples
	$(jobs)CARGO_TARGET_DIR=$(TARGET)/msrv $(CARGO) +$(MSRV) check --locked --all-targets --features header

test-packages: ready-test build ## Source package, reproducible builds, crate, Debian packages, Conan and others
	status=0; for test in reproducible crate release deb recipes; do \
	    printf '%s\n' "-- tests/packages/$$test.sh"; \
	    tests/packages/$$test.sh || status=1; done; exit $$status

test-portable: ready-proof ## The code for other systems: no 128-bit compare-and-swap, no futex
	$(jobs)RUSTFLAGS='--cfg queues_portable' CARGO_TARGET_DIR=$(TARGET)/portable $(CARGO) test --locked --no-fail-fast --lib --test '??*'

# Each of aarch64, check, musl, refused can run alone. A part without its tools fails, the others run.
PLATFORMS ?= refused check musl aarch64
test-platforms: ## Other platforms: aarch64 by qemu-user, static musl, checks for macOS, FreeBSD and more
	$(jobs)tests/platforms/run.sh $(PLATFORMS)

# Optimized, because these tests run long; without LTO, which would build long.
many = CARGO_PROFILE_RELEASE_LTO=off RUSTFLAGS='--cfg $1' CARGO_TARGET_DIR=$(TARGET)/$(firstword $1) $(CARGO) test --locked --release

# With an empty PREEMPTIONS each model uses its own bound, which takes far longer.
PREEMPTIONS ?= 1
test-loom: ready-proof ## Every interleaving of small models with at most PREEMPTIONS=1 preemptions
	$(jobs)$(if $(PREEMPTIONS),LOOM_MAX_PREEMPTIONS=$(PREEMPTIONS)) $(call many,loom) --test 'loom*'
	$(jobs)$(if $(PREEMPTIONS),LOOM_MAX_PREEMPTIONS=$(PREEMPTIONS)) $(call many,loom --cfg queues_portable) --test 'loom*'

test-spin: ready-proof ## The model of recovery after a kill, in a minute; SPIN_FULL=1: larger bounds, in half an hour
	tests/spin/run.sh

test-sites: ready-proof ## A thread that stops at any atomic access blocks no other thread
	$(jobs)$(call many,queues_sites) --test stall

# --- tests under tools

SEEDS ?= 16
HOST = $(shell $(QUEUES_RUSTC) -vV | sed -n 's/^host: //p')
# ThreadSanitizer does not start if the kernel randomizes more address bits than it supports.
FIXED_ADDRESSES = $(shell setarch -R true 2>/dev/null && echo setarch -R)

miri = MIRIFLAGS='-Zmiri-permissive-provenance $1' CARGO_TARGET_DIR=$(TARGET)/miri \
    $(CARGO) +nightly miri test --locked --test miri
test-miri: ready-proof ## Undefined behavior and weak memory, in an interpreter, with SEEDS=16 schedules
	$(jobs)$(call miri,-Zmiri-many-seeds=0..$(SEEDS)) -- --skip over_laps
	$(jobs)$(call miri) -- over_laps # one thread, which has one schedule

test-tsan: ready-proof build ## Data races: in Rust, and in C, C++ and Go programs that use the release library
	$(jobs)RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR=$(TARGET)/tsan $(FIXED_ADDRESSES) \
	    $(CARGO) +nightly test --locked -Zbuild-std --target $(HOST) --no-fail-fast --test conformance --test stress --test batch
	$(jobs)CFLAGS=-fsanitize=thread $(FIXED_ADDRESSES) env $(dist) test --locked --release --test c
	+$(FIXED_ADDRESSES) $(cpp) tsan
	+$(FIXED_ADDRESSES) $(go) tsan

test-asan: ready-proof build ## Memory errors, leaks and undefined behavior in the C, C++ and Go tests; files of hostile peers
	$(jobs)CFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=all' $(dist) test --locked --release --test c
	$(jobs)RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=$(TARGET)/asan $(CARGO) +nightly test --locked \
	    --target $(HOST) --test processes -- peer attaching
	+$(cpp) asan
	+$(go) asan

test-valgrind: ready-proof build ## Memory errors and leaks in the C and C++ tests that use the release library
	$(jobs)RUNNER='valgrind --quiet --leak-check=full --error-exitcode=1' $(dist) test --locked --release --test c
	+$(cpp) valgrind

test-gdb: ready-proof build ## What gdb prints of queues, in processes and core files, in C and C++
	tests/gdb/run.sh

test-bench: ready-proof ## The driver of the benchmarks: cases, figures, table and page
	$(jobs)CARGO_TARGET_DIR=$(VERSUS)/target $(CARGO) test --quiet --locked --manifest-path $(VERSUS)/Cargo.toml -p versus

test-readme: ready-proof build ## README's programs, built by README's commands
	tests/readme/run.sh

test-docs: ready-proof build ## The code on the site compiles, its links work, and the man pages are clean
	$(jobs)LIBDIR=$(LIB) tests/docs/run.sh

# --- benchmarks against other libraries

# A target folder of its own: the driver finds the programs to measure in its own folder.
VERSUS := $(CURDIR)/benches/versus

.PHONY: setup-bench bench bench-quick bench-store versus
setup-bench: ## Install the libraries that bench compares with, as far as apt has them
	@$(SETUP) bench

versus := $(VERSUS)/target/$(if $(CARGO_BUILD_TARGET),$(CARGO_BUILD_TARGET)/)release/versus
bench: versus ## Measure the queues and those of other libraries: ARGS=--help
	$(versus) $(ARGS)

bench-quick: versus ## Measure the most important cases, in a minute
	$(versus) --set quick $(ARGS)

bench-store: versus ## Keep a run, to show later ones beside it: RUN=bench-results/FILE.jsonl
	$(versus) store $(RUN)

# A program that does not build is not measured, which the driver reports.
versus: build
	$(jobs)CARGO_TARGET_DIR=$(VERSUS)/target LIBDIR=$(LIB) $(CARGO) build --release --quiet --locked --workspace --manifest-path $(VERSUS)/Cargo.toml
	-$(jobs)$(if $(wildcard $(VERSUS)/ipc),CARGO_TARGET_DIR=$(VERSUS)/target $(CARGO) build --release --quiet --locked --manifest-path $(VERSUS)/ipc/Cargo.toml)
	-+$(if $(wildcard $(VERSUS)/cpp/Makefile),$(MAKE) -k -C $(VERSUS)/cpp LIBDIR=$(LIB) BUILD=$(VERSUS)/target)
	-+$(if $(wildcard $(VERSUS)/go/Makefile),$(MAKE) -k -C $(VERSUS)/go LIBDIR=$(LIB) BUILD=$(VERSUS)/target)

# --- packages: PACKAGING.md describes them

export PACKAGES := $(TARGET)/packages
.PHONY: dist deb release third-party
export RELEASE := $(TARGET)/publish
release: build ## Make the commit, the tags and the Go module of a release: REPOSITORY=host/owner/name
	@packaging/release.sh
dist: ## Write target/packages/queues-VERSION.tar.xz: the sources with those of all crates
	$(jobs)packaging/dist.sh
deb: dist ## Write Debian packages into target/packages/deb, built from that file without a network
	packaging/deb.sh
third-party: ## Regenerate THIRD-PARTY.md, the licenses of the code inside the library
	packaging/third-party.py notices >THIRD-PARTY.new && mv THIRD-PARTY.new THIRD-PARTY.md

.PHONY: soak soak-sleeps soak-processes deny clean
ITEMS ?= 1000000000
SLEEPS ?= 2000000
soak: ready-proof ## Stress tests for hours: ITEMS=1000000000 through each kind of queue
	$(jobs)QUEUES_ITEMS=$(ITEMS) $(dist) test --locked --release --test stress --test batch -- --nocapture threads stress deque

soak-sleeps: ready-proof ## Sleeps at descriptors and in polls: SLEEPS=2000000 in each of six tests
	$(jobs)QUEUES_SLEEPS=$(SLEEPS) $(dist) test --locked --release --test sleeps -- --nocapture

# Every instruction of every call, and numbers of kills and files that find what is rare.
KILLS ?= 100000
soak-processes: ready-proof ## Queues between processes: KILLS=100000, kills at every instruction, damaged files
	$(jobs)QUEUES_KILLS=$(KILLS) QUEUES_STRIDE=1 QUEUES_FILES=1000000 QUEUES_PAIRS=3000 QUEUES_WORDS=20 \
	    QUEUES_ROUNDS=600 $(CARGO) test --locked --test processes -- --nocapture --test-threads=1

deny: ## Licenses and origins of the dependencies; installs cargo-deny if it is missing
	command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --locked check bans licenses sources

clean: ## Remove what was built, but not what setup has installed
	$(CARGO) clean
	rm -rf $(VERSUS)/target
