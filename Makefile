# Two targets do everything on a fresh Debian or Ubuntu with Go: `make test` and
# `make demo`. Both install what they need.

GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
REVISION    := $(shell git describe --always --dirty 2>/dev/null)
RELEASE     := $(shell sed -n 's/^const release = "\(.*\)"/\1/p' cmd/milterscan/version.go)
DEBVERSION  ?= $(RELEASE)~r$(shell git rev-list --count HEAD 2>/dev/null)
FUZZTIME    ?= 30s

# The machine that packages are for: amd64 or arm64.
ARCH        ?= $(shell $(GO) env GOARCH)
COMPILE      = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -X main.revision=$(REVISION)'

# Mail servers and scanners for the end-to-end tests, what checks packages, m4 to make Sendmail's configuration,
# a C compiler for the race detector; two packages for the mails they bring.
PACKAGES    := postfix knot yara dovecot-pop3d dovecot-imapd fetchmail clamav clamav-daemon c-icap libc-icap-mod-virus-scan spamassassin spamd rspamd unzip python3-dkim python3-authres libxml2-utils m4 gcc libc6-dev \
               libpython3.*-testsuite poppler-utils slapd ldap-utils postgresql pgbouncer redis-server prometheus \
               systemd-journal-remote xz-utils lzip p7zip-full unar unrar-free libarchive-tools rpm2cpio cpio rpm rpmlint python3-jsonschema skopeo

# A browser, and the fonts that its pictures are made with on every machine.
BROWSER     := chromium fonts-dejavu-core fonts-liberation

# Sendmail and Exim cannot be installed beside Postfix, so they are unpacked where
# they disturb nobody.
SENDMAIL    := sendmail-bin sendmail-base sendmail-cf
EXIM        := exim4-daemon-light exim4-base
EXIM_CONFIG := exim4-config

# Postfix changes user for each of its programs, so whoever starts it is root.
ifneq ($(shell id -u),0)
AS_ROOT := -exec 'sudo -E'
endif

.DEFAULT_GOAL := help
.PHONY: help build packed deb rpm image tarball release docs test unit integration browser pictures soak office screenshots demo demo-fleet bench fuzz lint packages unpacked clean

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 14

build: ## compile bin/milterscan, a static binary, the same one wherever it is compiled
	$(COMPILE) -o bin/milterscan ./cmd/milterscan

# The program for ARCH; bin/milterscan, which runs here, prints what packages have of its pages.
packed: build
	GOARCH=$(ARCH) $(COMPILE) -o bin/$(ARCH)/milterscan ./cmd/milterscan

deb: packed ## pack the program for Debian and Ubuntu; ARCH=arm64 for another machine
	PROGRAM=bin/milterscan contrib/debian/build bin/$(ARCH)/milterscan $(DEBVERSION) bin

rpm: packed ## pack it for Fedora, RHEL and their kin; installs rpmbuild
	@.ci/packages rpm
	PROGRAM=bin/milterscan contrib/rpm/build bin/$(ARCH)/milterscan $(DEBVERSION) bin

image: packed ## pack it as a container image, which begins with nothing
	contrib/image/build bin/$(ARCH)/milterscan $(DEBVERSION) bin

tarball: packed ## pack it for systems with neither dpkg nor rpm, with a script that installs it
	PROGRAM=bin/milterscan contrib/package/tarball bin/$(ARCH)/milterscan $(DEBVERSION) bin

release: ## all packages for all machines, made twice and compared, in bin/release; some ten minutes
	@.ci/packages rpm
	.ci/release $(DEBVERSION)

docs: ## the pages as a site of files, with search, in bin/docs
	$(GO) run ./docs/site bin/docs

test: packages lint unit integration browser ## everything: vet, staticcheck, unit tests with -race, end to end, the console in a browser

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l cmd contrib docs milter policy scan tests); \
		[ -z "$$unformatted" ] || { echo "not gofmt-ed: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	cd tests/browser && $(GO) vet . && $(GO) run $(STATICCHECK) .

unit: ## unit tests with the race detector; needs nothing installed
	$(GO) test -race -timeout 30m ./...
	$(GO) test -run 'CostsMore|Codes' ./cmd/milterscan/pipeline ./scan/open/worker # which the detector changes: it allocates, and is slow

integration: packages unpacked build ## end to end, with a private Postfix, Sendmail and clamd on loopback
	MILTERSCAN_E2E=1 MILTERSCAN_BINARY=$(CURDIR)/bin/milterscan \
		$(GO) test $(AS_ROOT) -count=1 -timeout 60m ./tests/integration/...

browser: packages build ## the console in Debian's Chromium, with axe-core; installs both
	@.ci/packages $(BROWSER)
	@.ci/axe
	cd tests/browser && MILTERSCAN_E2E=1 MILTERSCAN_BINARY=$(CURDIR)/bin/milterscan $(GO) test $(AS_ROOT) -count=1 -timeout 20m .

pictures: packages build ## the screenshots of docs/screenshots, made anew
	@.ci/packages $(BROWSER) pngquant
	@.ci/axe
	cd tests/browser && MILTERSCAN_E2E=1 MILTERSCAN_PICTURES=$(CURDIR)/docs/screenshots MILTERSCAN_BINARY=$(CURDIR)/bin/milterscan \
		$(GO) test $(AS_ROOT) -count=1 -timeout 20m -run Pictures .

soak: packages unpacked build ## the long end-to-end tests: 20,000 messages, a minute of reloads
	MILTERSCAN_E2E=1 MILTERSCAN_SOAK=1 MILTERSCAN_BINARY=$(CURDIR)/bin/milterscan \
		$(GO) test $(AS_ROOT) -count=1 -timeout 60m -v -run 'Soak|Reload|KillNine|Terminated' ./tests/integration/

office: build ## documents that LibreOffice writes, with and without macros; installs it
	@.ci/packages libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui
	MILTERSCAN_OFFICE=1 MILTERSCAN_BINARY=$(CURDIR)/bin/milterscan $(GO) test -count=1 -v -run Office ./tests/integration/

screenshots: build ## pages before and after they are disarmed, in screenshots/; installs Chromium
	@.ci/packages chromium
	mkdir -p screenshots
	MILTERSCAN_SCREENSHOTS=$(CURDIR)/screenshots MILTERSCAN_BINARY=$(CURDIR)/bin/milterscan $(GO) test -count=1 -run Screenshots ./tests/integration/

demo: packages build ## send mail through a private Postfix, clamd and milterscan, and show each verdict
	$(GO) run $(AS_ROOT) ./tests/demo -binary bin/milterscan

demo-fleet: packages build ## two Postfix and two milterscan that share a private PostgreSQL: what one knows the other does
	$(GO) run $(AS_ROOT) ./tests/demo/fleet -binary bin/milterscan

bench: packages build ## benchmarks, what messages allocate, then load on bin/milterscan: beside a milter that does nothing, and with each store
	$(GO) test -run '^$$' -bench . -benchmem ./scan/... ./policy/... ./milter/...
	MILTERSCAN_BENCH=1 $(GO) test -run Garbage -v ./cmd/milterscan/pipeline
	$(GO) run ./tests/load -binary bin/milterscan
	$(GO) run $(AS_ROOT) ./tests/load -binary bin/milterscan -stores file,postgres,postgres-2

fuzz: ## every fuzz target for FUZZTIME (30s) each
	FUZZTIME=$(FUZZTIME) .ci/fuzz

packages:
	@.ci/packages $(PACKAGES)

unpacked:
	@.ci/unpacked sendmail $(SENDMAIL)
	@.ci/unpacked exim $(EXIM)
	@.ci/unpacked exim-config $(EXIM_CONFIG)

clean: ## remove what was built
	rm -rf bin
	$(GO) clean -testcache
