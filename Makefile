# `make` alone explains. Each target does what its line says and can be repeated at will.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE   := $(or $(PITSTOP_CACHE),$(CURDIR)/.cache)
GO      := .ci/go
PYTHON  := /usr/bin/python3
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 60s
ROW     ?= pause
PKG     ?= ./...

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

## Build and run

build: ## bin/pitstop and bin/go-scanner, static
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/pitstop .
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/go-scanner ./services/go-scanner

generate: ## the Go code of views/*.templ
	$(GO) tool templ generate -path views

run: build ## the panel and both services on this machine, without Docker: http://127.0.0.1:8080
	@.ci/install run
	@.ci/prepare .run
	exec bin/pitstop serve --settings deploy/pitstop.process.toml

run-docker: build ## the same with the services in containers
	@.ci/demo up .run/docker
	PITSTOP_CONFIG=.run/docker/config/config.toml PITSTOP_STATE=.run/docker/state \
	  exec bin/pitstop serve --settings .run/docker/pitstop.toml

stop-docker: ## removes the containers of run-docker
	@.ci/demo down

## Parts of the ground the tests stand on

install: ## Debian packages that are missing
	@.ci/install

engine: ## a Docker engine that answers
	@.ci/engine

images: ## both services as pitstop/…:test
	@.ci/images

browser: ## Chromium and Playwright's driver
	@.ci/browser

## Checks

test: ## everything: checks, unit, engine and browser tests under -race, a short fuzz of each target
	@PKG='$(PKG)' FUZZTIME=$(FUZZTIME) .ci/test

lint: ## formatting, generated files, vet, staticcheck, scripts, compose file
	@.ci/lint

python-test: ## the orchestrator's own tests
	cd services/python-orchestrator && $(PYTHON) -B -W error -m unittest discover -s tests -t .

bench: ## ROW=pause: the pause window against the bare engine; ROW=form: pages and saves of a large config
	@.ci/bench $(ROW)

chaos: ## kills panel and engine, hundreds of times (ROUNDS=…), and checks that nothing is lost
	@.ci/chaos

fuzz: ## each fuzz target for FUZZTIME (60s)
	@FUZZTIME=$(FUZZTIME) .ci/fuzz

clean: ## what was built and run; not the cache (.cache), which takes minutes to fill
	rm -rf bin .run

.PHONY: help build generate run run-docker stop-docker install engine images browser test lint python-test bench chaos fuzz clean
