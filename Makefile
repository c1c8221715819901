# `go run ./cmd/openclaw` and `go test ./...` need only Go. The targets here add
# the released form, the checks that CI makes, and measurements.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 10s

# Windows is no target: child processes are confined by POSIX means.
PLATFORMS := linux/arm64 darwin/arm64

# Modules whose tests run here. oracle/ is one of its own, so that the SDKs it
# compares with never reach the product's go.mod; tools/ pins the linters alike.
MODULES := . $(patsubst %/go.mod,%,$(wildcard oracle/go.mod))

LINT = $(GO) tool -C $$m -modfile=$(CURDIR)/tools/go.mod golangci-lint

# Where a foreign program is installed, and the packages that talk to one:
# their tests mention CI_FOREIGN.
NPM_READY    := $(patsubst %/package.json,%/node_modules/.ready,$(wildcard foreign/*/package.json))
FOREIGN_PKGS  = $(shell grep -rl --include='*.go' --exclude-dir=node_modules --exclude-dir=oracle CI_FOREIGN . \
	| xargs -r -n1 dirname | sort -u)

.DEFAULT_GOAL := build

.PHONY: sandbox-soak build test race ordinary vet lint fmt fmt-check foreign foreign-install fuzz fuzz-short bench crash crash-check cross check clean

build: ## the released form: one static binary, bin/openclaw
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/openclaw ./cmd/openclaw

test:
	$(GO) test ./...

race: ## needs a C compiler
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 15m ./...

# What is about rights to files and processes.
ORDINARY := internal/sandbox internal/memory internal/store/sqlite internal/tool/shell internal/tool/files \
	internal/skill internal/config internal/audit

ordinary: ## these tests again, as a user without root's rights
	.ci/ordinary $(ORDINARY)

vet:
	set -e; for m in $(MODULES); do $(GO) -C $$m vet ./...; done

lint:
	set -e; for m in $(MODULES); do $(LINT) run ./...; done

fmt:
	gofmt -w $$(find . -name '*.go' -not -path '*/node_modules/*')

fmt-check:
	@out=$$(gofmt -l $$(find . -name '*.go' -not -path '*/node_modules/*')) && \
	if [ -n "$$out" ]; then echo "not formatted; run make fmt:"; echo "$$out"; exit 1; fi

foreign/%/node_modules/.ready: foreign/%/package.json foreign/%/package-lock.json
	cd foreign/$* && npm ci --no-audit --no-fund
	touch $@

foreign-install: $(NPM_READY)

foreign: foreign-install ## the product against programs nobody here wrote; a missing one fails
	CI_FOREIGN=1 $(GO) test -count=1 $(FOREIGN_PKGS)
	set -e; for m in $(filter-out .,$(MODULES)); do $(GO) -C $$m test ./...; done

fuzz: ## each fuzz target for FUZZTIME
	@set -e; grep -rHo --include='*_test.go' --exclude-dir=node_modules --exclude-dir=oracle '^func Fuzz[A-Za-z0-9_]*' . | \
	sed 's|/[^/]*:func | |' | sort -u | while read -r pkg target; do \
		echo "== $$pkg $$target"; \
		$(GO) test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) "$$pkg" </dev/null; \
	done

KILL = CGO_ENABLED=1 $(GO) test -race -count=1 -parallel 4 -timeout 1h ./internal/crashtest

crash: ## 2,000 kills of a gateway at work; a failure names the seed of its random choices
	$(KILL) -v -kills=2000

crash-check: ## 200 of them, with the same choices every time
	$(KILL) -kills=200 -seed=1

# The parsers that read what strangers write: frames, Hosts, configuration,
# skills, words for the offline model, paths.
FUZZ_SHORT := protocol:FuzzDecode internal/ws:FuzzWire internal/gateway:FuzzDoor internal/config:FuzzLoad \
	internal/skill:FuzzParse internal/model/offline:FuzzParse internal/tool/files:FuzzLocate \
	internal/fence:FuzzClean

fuzz-short: ## the parsers that strangers reach; counted, since a time limit can end in an error of its own
	@set -e; for t in $(FUZZ_SHORT); do \
		echo "== $$t"; \
		$(GO) test -run='^$$' -fuzz="^$${t#*:}\$$" -fuzztime=8000x -fuzzminimizetime=20x "./$${t%:*}" </dev/null; \
	done

sandbox-soak: ## 10,000 commands in each layer of the sandbox, and nothing of them is left
	$(GO) test -count=1 -v -timeout 1h -run 'TestRunsLeaveNothing$$' ./internal/sandbox -runs=10000

bench: ## one table of figures
	$(GO) run ./internal/bench

cross: ## the other platforms compile, the tests of the other system too
	@set -e; for p in $(PLATFORMS); do \
		echo "== $$p"; \
		CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -o /dev/null ./cmd/openclaw; \
	done
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 $(GO) vet ./...

check: fmt-check vet lint race ordinary crash-check fuzz-short foreign cross

clean:
	rm -rf bin foreign/*/node_modules
