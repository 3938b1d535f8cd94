# Sonde is built and proven from here. `make help` says how.
#
# Everything works as root on a fresh Debian 12 with Go and Node; what else is needed is installed from Debian when it is
# missing. On other systems install the packages of BUILD_PACKAGES (and TEST_PACKAGES) by their names there.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LISTEN  ?= 127.0.0.1:8686
DATA    ?= /var/lib/sonde
# Extra flags of `go test`, e.g. GOTESTFLAGS='-v -run Chunked'.
GOTESTFLAGS ?=
CLANG   ?= clang-19
NICE    ?=

BUILD_PACKAGES := clang-19 llvm-19 libbpf-dev linux-libc-dev git
RUN_PACKAGES   := bpftool
TEST_PACKAGES  := bpftool nginx-light wrk curl python3 iproute2 procps chromium prometheus openjdk-17-jdk-headless \
	gcc libc6-dev openssl wget android-boringssl binutils util-linux nghttp2-client redis-server redis-tools memcached libmemcached-tools mariadb-server postgresql postgresql-contrib \
	php-fpm libfcgi-bin mosquitto mosquitto-clients rabbitmq-server clickhouse-server clickhouse-client dnsmasq-base bind9-dnsutils kcat \
	python3-redis python3-pymemcache python3-pymysql python3-psycopg2 python3-pika python3-pymongo python3-thrift python3-clickhouse-driver python3-cassandra python3-lz4 libdbd-mysql-perl \
	libnats3.4 python3-confluent-kafka python3-grpcio
KERNEL_PACKAGES := qemu-system-x86 busybox-static

# The same settings for build, vet and test, so that they share what is compiled.
export CGO_ENABLED := 0
export GOFLAGS := $(GOFLAGS) -trimpath

STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2

BPF_SOURCES := $(wildcard bpf/*.bpf.c)
BPF_OBJECTS := $(BPF_SOURCES:bpf/%.bpf.c=agent/probe/objects/%.o)
# Programs that only tests run; they are not embedded.
BPF_TESTS   := $(patsubst bpf/test/%.bpf.c,bpf/build/%.o,$(wildcard bpf/test/*.bpf.c))
BPF_CFLAGS  := -O2 -g -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Ibpf/include -I/usr/include/$(shell uname -m)-linux-gnu
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)
GO_SOURCES  := $(shell find agent cmd demo server signal web -name '*.go' -o -path 'demo/scripts/*' -type f 2>/dev/null) go.mod go.sum

# $(call packages,a b c): installs those Debian packages that are missing.
define packages
@missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || echo $$p; done); \
if [ -n "$$missing" ]; then \
  echo "installing from Debian:" $$missing; \
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
fi
endef

##@ Use

.PHONY: run
run: build ## install what is missing, build, run as root, print the page's address
	$(call packages,$(RUN_PACKAGES))
	@[ "$$(id -u)" = 0 ] || { echo "Sonde loads BPF programs and needs root: sudo make run"; exit 1; }
	@echo; echo "  Sonde: http://$(LISTEN)    (a shop to look at: bin/sonde demo; Ctrl-C ends Sonde)"; echo
	exec bin/sonde run --listen $(LISTEN) --data $(DATA)

.PHONY: demo
demo: build ## run the demo shop (beside a running Sonde)
	exec bin/sonde demo

##@ Build

.PHONY: build
build: bin/sonde ## build bin/sonde: one static binary, page and BPF objects inside

.PHONY: tools
tools: # what the build needs from Debian; quick when it is all there
	$(call packages,$(BUILD_PACKAGES))

bin/sonde: $(BPF_OBJECTS) web/dist/index.html $(GO_SOURCES)
	$(NICE) go build -ldflags "-s -w -X main.version=$(VERSION)" -o $@ ./cmd/sonde

.PHONY: bpf
bpf: $(BPF_OBJECTS) $(BPF_TESTS) ## compile the BPF programs only, and those of their tests

agent/probe/objects/%.o: bpf/%.bpf.c $(wildcard bpf/include/*.h) | tools
	@mkdir -p $(@D)
	$(NICE) $(CLANG) $(BPF_CFLAGS) -c $< -o $@
	@llvm-strip-19 -g $@

bpf/build/%.o: bpf/test/%.bpf.c $(wildcard bpf/include/*.h) | tools
	@mkdir -p $(@D)
	$(NICE) $(CLANG) $(BPF_CFLAGS) -c $< -o $@
	@llvm-strip-19 -g $@

.PHONY: page
page: web/dist/index.html ## build the page only

web/node_modules/.stamp: web/package-lock.json
	cd web && $(NICE) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/index.html: web/node_modules/.stamp $(WEB_SOURCES)
	cd web && $(NICE) npm run --silent build
	@touch $@

##@ Prove

.PHONY: test
test: lint unit web-test truth browser ## everything: set up, build, lint, unit, BPF, page, truth, browser (root)

.PHONY: lint
lint: build ## gofmt, go vet, staticcheck, eslint
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "gofmt needed:"; echo "$$out"; exit 1; }
	$(NICE) go vet ./...
	$(NICE) $(STATICCHECK) ./...
	cd web && $(NICE) npm run --silent lint

.PHONY: test-packages
test-packages:
	$(call packages,$(TEST_PACKAGES))

.PHONY: unit
unit: build $(BPF_TESTS) test-packages ## Go unit, property and BPF tests (BPF ones need root)
	$(NICE) go test $(GOTESTFLAGS) $$(go list ./... | grep -v '/agent/probe$$')
	$(NICE) go test $(GOTESTFLAGS) ./agent/probe # alone: it sees, and times, whatever else this machine does

.PHONY: web-test
web-test: web/node_modules/.stamp ## the page's unit tests
	cd web && $(NICE) npm test --silent

.PHONY: truth
truth: build test-packages ## real servers and load generators against a real Sonde, in both capture tiers (root)
	@[ "$$(id -u)" = 0 ] || { echo "truth tests load BPF programs and need root: sudo make truth"; exit 1; }
	SONDE_TRUTH=1 $(NICE) go test -count=1 -timeout 50m -parallel 3 -v $(GOTESTFLAGS) ./test/truth

.PHONY: browser
browser: build test-packages web/node_modules/.stamp ## the page in Chromium, fed by a real Sonde and the demo shop (root)
	$(NICE) go run ./test/withsonde -demo -- node --test $$(ls test/browser/*.test.mjs)

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (default 30s)
	@for pkg in $$(grep -lr --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$pkg/*_test.go | sed 's/func //'); do \
	    echo "$$pkg $$f"; $(NICE) go test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-30s} $$pkg; \
	  done; done

.PHONY: kernels
kernels: build ## load and count on Debian's 6.1 and 6.12 kernels in qemu (no KVM needed)
	$(call packages,$(KERNEL_PACKAGES))
	$(NICE) go run ./test/kernels

.PHONY: bench
bench: build test-packages ## cost figures beside their budgets, as a table and JSON (root; BENCH_QUICK=1 for a short run)
	go run ./test/bench $(BENCHFLAGS)

##@ Other

.PHONY: clean
clean: ## remove what was built
	rm -rf bin agent/probe/objects/*.o bpf/build test/out web/node_modules
	find web/dist -mindepth 1 ! -name README -delete

.PHONY: help
help: ## this page
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "First time: make run, then in a second terminal bin/sonde demo, then open http://$(LISTEN)."
	@echo "A build without make lacks the page and the BPF programs; sonde says so when it is started."
	@echo "Packages come from Debian (apt), npm and the Go proxy; nothing else is fetched."
