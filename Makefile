# GoDocker. `make demo` shows it, `make test` tests it, `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help demo test soak ci bench screenshots deny build install

help: ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## install what is missing, build, start, run a job, leave the page's address
	@scripts/demo

test: ## install and start what the tests need, run them and two minutes of the soak, stop what was started
	@RUST_BACKTRACE=0 scripts/with-services sh -c '$(CARGO) test --locked && scripts/soak 120'

SECONDS ?= 600
soak: ## a cluster under faults, for SECONDS (default 600)
	@scripts/with-services scripts/soak $(SECONDS)

ci: ## format, clippy with warnings denied, then `make test`
	@scripts/need-tools
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	@$(MAKE) --no-print-directory test

bench: ## the figures of DESIGN "Speed", each with its yardstick
	@scripts/with-services scripts/bench

screenshots: ## pictures of every page and state into docs/screenshots; SCREENSHOTS=jobs draws those so named
	@scripts/with-services scripts/screenshots

deny: ## licences and bans of dependencies (installs cargo-deny; its build is long)
	$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check licenses bans

# The profile that is built and installed: release or debug.
PROFILE ?= release
BUILT = $(or $(CARGO_TARGET_DIR),target)/$(PROFILE)
# Each is a link to go-d, which knows by its name what it is.
LINKS = scheduler watcher archive web ftp status user clean

build: ## both programs, optimised
	$(CARGO) build --locked $(if $(filter release,$(PROFILE)),--release)

install: build ## programs, links and systemd units, into PREFIX (default /usr/local) under DESTDIR
	install -D -m 0755 $(BUILT)/go-d $(DESTDIR)$(PREFIX)/bin/go-d
	for role in $(LINKS); do ln -sf go-d $(DESTDIR)$(PREFIX)/bin/go-d-$$role; done
	install -D -m 0755 $(BUILT)/god $(DESTDIR)$(PREFIX)/bin/god
	install -D -m 0644 go-d.ini.example $(DESTDIR)$(PREFIX)/share/godocker/go-d.ini.example
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for unit in contrib/systemd/*.service; do \
	  sed 's|@PREFIX@|$(PREFIX)|' $$unit > $(DESTDIR)$(PREFIX)/lib/systemd/system/$$(basename $$unit) || exit 1; done
