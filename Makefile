# GoDocker. `make demo` shows it, `make test` tests it, `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help demo test ci bench deny build install fmt

help: ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## install what is missing, build, start, run a job, leave the page's address
	@scripts/demo

test: ## install and start what the tests need, run them, stop what was started
	@scripts/with-services $(CARGO) test --locked

ci: ## format, clippy with warnings denied, then `make test`
	@scripts/need-tools
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	@$(MAKE) --no-print-directory test

bench: ## the figures of DESIGN "Speed", each with its yardstick
	@scripts/with-services scripts/bench

deny: ## licences and bans of dependencies (installs cargo-deny; its build is long)
	$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check licenses bans

build: ## both programs, optimised
	$(CARGO) build --locked --release

install: build ## into PREFIX (default /usr/local), under DESTDIR
	install -D -m 0755 target/release/go-d $(DESTDIR)$(PREFIX)/bin/go-d
	for role in scheduler watcher archive web user status; do ln -sf go-d $(DESTDIR)$(PREFIX)/bin/go-d-$$role; done
	install -D -m 0755 target/release/god $(DESTDIR)$(PREFIX)/bin/god
	install -D -m 0644 go-d.ini.example $(DESTDIR)$(PREFIX)/share/godocker/go-d.ini.example
