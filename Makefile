# Everything that people and CI do with the tree. `make` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

# What `make setup` installs is found without a new login.
export VERSION SOVERSION OUT
export PATH := $(CURDIR)/.tools/go/go/bin:$(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
export GOTOOLCHAIN := local
SETUP ?= scripts/setup.sh

# A 0.x release may break with each minor version, so the SONAME has it until 1.0.
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
version_parts := $(subst ., ,$(VERSION))
SOVERSION := $(if $(filter 0,$(word 1,$(version_parts))),0.$(word 2,$(version_parts)),$(word 1,$(version_parts)))

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
export CARGO_TARGET_DIR := $(TARGET)
OUT := $(TARGET)/release
SHARED := $(OUT)/libqueues.so
STATIC := $(OUT)/install/libqueues.a
SOURCES := $(wildcard Cargo.toml Cargo.lock build.rs cbindgen.toml) $(shell find src -name '*.rs')

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

.PHONY: setup
setup: ## Install what is missing to build and test (Debian, Ubuntu)
	@$(SETUP)

.PHONY: build
build: $(SHARED) $(STATIC) $(OUT)/install/needs ## Build the release library into target/release

# By file times, so that `make && sudo make install` runs no compiler as root.
$(SHARED): $(SOURCES)
	@$(SETUP) build
	cargo build --release
	ln -sf libqueues.so $(OUT)/libqueues.so.$(SOVERSION)
	touch $@

exported = nm -D --defined-only --format=posix $(SHARED) | cut -d' ' -f1 | LC_ALL=C sort

# One object with only queues_* global: a program may link two Rust libraries. Without the bitcode in
# Rust's standard library, which other tools stumble over, and all that linking does not need.
$(STATIC): $(SHARED) Makefile
	@mkdir -p $(@D)
	@ld -r --gc-sections --force-group-allocation $$($(exported) | sed 's/^/-u /') -o $(@D)/queues.o $(OUT)/libqueues.a
	@objcopy --strip-unneeded --remove-section=.llvmbc --remove-section=.llvmcmd \
	    --wildcard --keep-global-symbol='queues_*' $(@D)/queues.o
	@rm -f $@
	@ar rcs $@ $(@D)/queues.o

# What the static library needs of the system. Not libgcc_s and libc: every compiler driver adds them,
# in the kind that suits -static.
$(OUT)/install/needs: $(SHARED)
	@mkdir -p $(@D)
	@rustc - --crate-type staticlib --print native-static-libs -o $@.a </dev/null 2>&1 \
	    | sed -n 's/^note: native-static-libs: //p' | tr ' ' '\n' | grep -vx -e -lgcc_s -e -lc >$@
	@rm $@.a

.PHONY: install uninstall
install: build ## Install: PREFIX=/usr/local DESTDIR= LIBDIR=PREFIX/lib INCLUDEDIR=PREFIX/include
	@scripts/install.sh install
uninstall: ## Remove what install with the same variables put there
	@scripts/install.sh uninstall

.PHONY: header symbols
header: build ## Refresh include/queues.h
	cp "$$($(generated_header))" include/queues.h
symbols: build ## Refresh tests/symbols.txt, the list of exported symbols
	$(exported) >tests/symbols.txt

# Where build.rs wrote it.
generated_header = cargo build --release --quiet --message-format=json \
    | sed -n 's|.*"out_dir":"\([^"]*/build/queues-[^"/]*/out\)".*|\1/queues.h|p'

# --- look at it

TRACE ?= examples/data/trace.csv
SPEED ?= 4
REPORT ?=
.PHONY: demo report
demo: $(TARGET)/demo/serving $(if $(REPORT),report) ## Replay a trace of requests through the queues: TRACE=file.csv SPEED=4 REPORT=page.html
	QUEUES_REPORT=$(OUT)/report $< --speed $(SPEED) $(if $(REPORT),--report $(REPORT)) $(TRACE)

$(TARGET)/demo/serving: $(SHARED) $(wildcard examples/c/*.[ch])
	@mkdir -p $(@D)
	cc -O2 -Wall -Wextra -Iinclude examples/c/serving.c -o $@ -L$(OUT) -Wl,-rpath,$(OUT) -lqueues -pthread

report: ## Build the tool that draws a run of the demo
	@$(SETUP) build
	cargo build --release --locked --manifest-path examples/report/Cargo.toml

# --- tests: each kind is a target of its own, so that the output tells what ran

TESTS := lint test-rust test-c test-cpp test-go test-report test-install test-portable test-loom \
    test-sites test-miri test-tsan test-asan test-valgrind test-bench

cpp := $(MAKE) -C bindings/cpp LIBDIR=$(OUT) BUILD=$(TARGET)/cpp
go := $(MAKE) -C bindings/go LIBDIR=$(OUT)

.PHONY: test $(TESTS)
test: setup build ## All of the tests below
	@scripts/steps.sh "$(MAKE)" $(TESTS)

lint: setup build ## Formats, clippy, go vet, drift of the header and of the symbols
	cargo fmt --check && cargo fmt --all --check --manifest-path benches/versus/Cargo.toml
	cargo fmt --check --manifest-path examples/report/Cargo.toml
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --all-targets --manifest-path examples/report/Cargo.toml -- -D warnings
	find bindings examples tests benches -name target -prune -o -regex '.*\.[ch]\(pp\)?' -print \
	    | xargs clang-format --dry-run -Werror
	shellcheck scripts/*.sh tests/install/run.sh benches/versus/cpp/check.sh .ci/run
	+$(go) lint
	+$(MAKE) -C benches/versus/go lint LIBDIR=$(OUT)
	diff include/queues.h "$$($(generated_header))"
	diff tests/symbols.txt <($(exported))

# `??*`: all but c.rs, which test-c runs.
test-rust: setup ## Conformance, properties, the header in every standard, documentation
	cargo test --no-fail-fast --lib --test '??*'
	cargo test --doc

test-c: setup build ## The ABI from C, and the C examples
	cargo test --test c

test-cpp: setup build ## The C++ binding in every standard, by g++ and clang++
	+$(cpp) test

test-go: setup build ## The Go binding, without and with the race detector
	+$(go) test race

test-report: setup build report $(TARGET)/demo/serving ## The figures of the demo in C, C++ and Go, and the page of them
	+$(cpp) examples
	+$(go) $(OUT)/go/serving
	QUEUES_SERVING='$(TARGET)/demo/serving $(TARGET)/cpp/serving $(OUT)/go/serving' \
	    cargo test --release --locked --manifest-path examples/report/Cargo.toml

test-install: setup build ## Programs outside of the tree, from an installed library
	tests/install/run.sh

test-portable: setup ## What other machines run: no 128-bit compare-and-swap, no futex
	RUSTFLAGS='--cfg queues_portable' CARGO_TARGET_DIR=$(TARGET)/portable cargo test --no-fail-fast --lib --test '??*'

# Optimized, for what they run is all of it; not as one program, for that takes long to build.
many = CARGO_PROFILE_RELEASE_LTO=off RUSTFLAGS='--cfg $1' CARGO_TARGET_DIR=$(TARGET)/$(firstword $1) cargo test --release

# Without a number each model keeps its own bound, which takes far longer.
PREEMPTIONS ?= 1
test-loom: setup ## Every interleaving of small models with so many preemptions: PREEMPTIONS=1
	$(if $(PREEMPTIONS),LOOM_MAX_PREEMPTIONS=$(PREEMPTIONS)) $(call many,loom) --test 'loom*'
	$(if $(PREEMPTIONS),LOOM_MAX_PREEMPTIONS=$(PREEMPTIONS)) $(call many,loom --cfg queues_portable) --test 'loom*'

test-sites: setup ## A thread parked at every atomic step keeps no other from finishing
	$(call many,queues_sites) --test stall

# --- tests under tools

SEEDS ?= 16
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
# The thread sanitizer does not start where addresses are too random for it.
FIXED_ADDRESSES = $(shell setarch -R true 2>/dev/null && echo setarch -R)

test-miri: setup ## Undefined behaviour and weak memory, in the interpreter: SEEDS=16 schedules
	MIRIFLAGS='-Zmiri-permissive-provenance -Zmiri-many-seeds=0..$(SEEDS)' \
	    CARGO_TARGET_DIR=$(TARGET)/miri cargo +nightly miri test --test miri

test-tsan: setup build ## Data races: in Rust, and in C and C++ programs with the library as it is
	RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR=$(TARGET)/tsan $(FIXED_ADDRESSES) \
	    cargo +nightly test -Zbuild-std --target $(HOST) --no-fail-fast --test conformance --test stress --test batch
	CFLAGS=-fsanitize=thread $(FIXED_ADDRESSES) cargo test --release --test c
	+$(FIXED_ADDRESSES) $(cpp) tsan

test-asan: setup build ## Memory errors, leaks and undefined behaviour in the C, C++ and Go tests
	CFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=all' cargo test --release --test c
	+$(cpp) asan
	+$(go) asan

test-valgrind: setup build ## Memory errors and leaks in the C and C++ tests, with the library as it is
	RUNNER='valgrind --quiet --leak-check=full --error-exitcode=1' cargo test --release --test c
	+$(cpp) valgrind

test-bench: setup ## The benchmark's driver: cases, figures, table and page
	CARGO_TARGET_DIR=$(VERSUS)/target cargo test --quiet --manifest-path $(VERSUS)/Cargo.toml -p versus

# --- against other libraries

# A target directory of its own, for the driver looks for the programs with the queues beside itself.
VERSUS := $(CURDIR)/benches/versus

.PHONY: setup-bench bench bench-quick versus
setup-bench: ## Install the libraries that bench compares with, as far as they are to be had
	@$(SETUP) bench

bench: versus ## Which queue, how fast, compared with others: ARGS=--help
	$(VERSUS)/target/release/versus $(ARGS)

bench-quick: versus ## The headlines of it, in a minute
	$(VERSUS)/target/release/versus --set quick $(ARGS)

# What does not build is left out, and the driver says so.
versus: build
	CARGO_TARGET_DIR=$(VERSUS)/target cargo build --release --quiet --workspace --manifest-path $(VERSUS)/Cargo.toml
	-+$(if $(wildcard $(VERSUS)/cpp/Makefile),$(MAKE) -k -C $(VERSUS)/cpp LIBDIR=$(OUT) BUILD=$(VERSUS)/target)
	-+$(if $(wildcard $(VERSUS)/go/Makefile),$(MAKE) -k -C $(VERSUS)/go LIBDIR=$(OUT) BUILD=$(VERSUS)/target)

.PHONY: soak deny clean
ITEMS ?= 1000000000
soak: setup ## Stress for hours: ITEMS=1000000000 through each kind of queue
	QUEUES_ITEMS=$(ITEMS) cargo test --release --test stress --test batch -- --nocapture threads stress deque

deny: ## Licences and origins of the dependencies; builds cargo-deny first where it is missing
	command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny check bans licenses sources

clean: ## Remove what was built, not what was set up
	cargo clean
	rm -rf $(VERSUS)/target
