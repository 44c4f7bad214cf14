# Two targets do everything on a fresh Debian or Ubuntu with Go: `make test` and
# `make demo`. Both install what they need.

GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
REVISION    := $(shell git describe --always --dirty 2>/dev/null)
FUZZTIME    ?= 30s

# Postfix and clamd for the end-to-end tests, a C compiler for the race detector.
PACKAGES    := postfix clamav-daemon gcc libc6-dev

# Postfix changes user for each of its programs, so whoever starts it is root.
ifneq ($(shell id -u),0)
AS_ROOT := -exec 'sudo -E'
endif

.DEFAULT_GOAL := help
.PHONY: help build test unit integration soak demo bench fuzz lint packages clean

help: ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 14

build: ## compile bin/milterscan, a static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.revision=$(REVISION)' -o bin/milterscan ./cmd/milterscan

test: packages lint unit integration ## everything: vet, staticcheck, unit tests with -race, end to end

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l cmd milter policy scan tests); \
		[ -z "$$unformatted" ] || { echo "not gofmt-ed: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

unit: ## unit tests with the race detector; needs nothing installed
	$(GO) test -race ./...

integration: packages build ## end to end, with a private Postfix and clamd on loopback
	MILTERSCAN_E2E=1 MILTERSCAN_BINARY=$(CURDIR)/bin/milterscan \
		$(GO) test $(AS_ROOT) -count=1 -timeout 20m ./tests/integration/...

soak: packages build ## the long end-to-end tests: 20,000 messages, a minute of reloads
	MILTERSCAN_E2E=1 MILTERSCAN_SOAK=1 MILTERSCAN_BINARY=$(CURDIR)/bin/milterscan \
		$(GO) test $(AS_ROOT) -count=1 -timeout 60m -v -run 'Soak|Reload|KillNine|Terminated' ./tests/integration/

demo: packages build ## send mail through a private Postfix, clamd and milterscan, and show each verdict
	$(GO) run $(AS_ROOT) ./tests/demo -binary bin/milterscan

bench: build ## benchmarks, then a load run against bin/milterscan and a milter that does nothing
	$(GO) test -run '^$$' -bench . -benchmem ./scan/... ./policy/... ./milter/...
	$(GO) run ./tests/load -binary bin/milterscan

fuzz: ## every fuzz target for FUZZTIME (30s) each
	FUZZTIME=$(FUZZTIME) .ci/fuzz

packages:
	@.ci/packages $(PACKAGES)

clean: ## remove what was built
	rm -rf bin
	$(GO) clean -testcache
