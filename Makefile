# Every task of the project; `make` lists them. What a task needs and does not find, .ci/needs installs or names.
# CARGO_TARGET_DIR is respected.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
# As `cargo test` builds it: without the features of the tests' libraries the whole crate would be built once more.
build_demo := cargo test --no-run --quiet --locked --test api
.PHONY: help run test test-sqlite test-postgres check-api check-clients field lint attack mutants bench bench-words openapi

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build and start the demo on loopback with invented reports (PORT=8080 to choose the port)
	@.ci/needs build
	cargo run --release --locked -- demo $(if $(PORT),--listen 127.0.0.1:$(PORT))

test: test-sqlite test-postgres check-api check-clients ## test everything: SQLite, PostgreSQL, and the running demo by its API document and by other programs

# Tests wait for disks and clocks as much as they compute: more of them at once than there are cores.
test-sqlite: ## run the suite on SQLite
	@.ci/needs build
	env -u SENTINELLE_TEST_POSTGRES_URL RUST_TEST_THREADS=$${RUST_TEST_THREADS:-4} cargo test --locked

test-postgres: ## run the suite on a PostgreSQL of its own, removed afterwards
	@.ci/needs build test
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-4} .ci/with-postgres --no-fsync cargo test --locked --lib --test api

check-api: ## validate api-spec/openapi.json and throw generated requests at the demo (2 min)
	@.ci/needs build test
	.ci/check-openapi
	$(build_demo)
	.ci/with-demo .ci/schemathesis

check-clients: ## read the demo with other programs: Python, R, LibreOffice, DuckDB, GDAL, a PDF reader, … (4 min)
	@.ci/needs build test clients
	$(build_demo)
	.ci/with-demo .ci/check-clients

field: ## run the tests on real data from ../shared
	@.ci/needs build
	@[[ -d ../shared ]] || { echo "make field: ../shared is not here; it holds the data these tests read" >&2; exit 1; }
	cargo test --locked --test field

# `field` has `test = false` in Cargo.toml so that `cargo test` leaves it out; so does --all-targets.
lint: ## check format, lints and documentation
	@.ci/needs build lint
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	$(if $(wildcard tests/field.rs tests/field/main.rs),cargo clippy --test field --locked -- -D warnings)
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

attack: ## try to subtract public figures to small ones in SEEDS=20 invented databases, on both engines (10 min)
	@.ci/needs build test
	env -u SENTINELLE_TEST_POSTGRES_URL SENTINELLE_ATTACK_SEEDS=$(or $(SEEDS),20) cargo test --locked --test api -- attack::
	SENTINELLE_ATTACK_SEEDS=$(or $(SEEDS),20) .ci/with-postgres --no-fsync cargo test --locked --test api -- attack::

mutants: ## change the policy in every way and see that a test fails each time
	@.ci/needs build mutants
	.ci/mutants

bench: ## measure: locate, places, aggregates and exports beside DuckDB, intake, memory, keys (PART=intake for one)
	@.ci/needs build test
	python="$$(.ci/venv duckdb duckdb)/python" && \
	SENTINELLE_BENCH_PYTHON="$$python" .ci/with-postgres cargo bench --locked --bench figures -- $(PART)

bench-words: ## show where suggested and confirmed categories part: in the demo's database, or SENTINELLE_DATABASE_URL
	@.ci/needs build
	@[[ -n "$${SENTINELLE_DATABASE_URL:-}" || -f demo-data/sentinelle.db ]] || { echo "make bench-words: run the demo first, or set SENTINELLE_DATABASE_URL" >&2; exit 1; }
	SENTINELLE_DATABASE_URL="$${SENTINELLE_DATABASE_URL:-sqlite://$(CURDIR)/demo-data/sentinelle.db}" \
	cargo bench --locked --bench figures -- decisions

openapi: ## write api-spec/openapi.json from the code
	@.ci/needs build
	mkdir -p api-spec
	cargo run --locked -- openapi > api-spec/openapi.json.new || { rm api-spec/openapi.json.new; exit 1; }
	mv api-spec/openapi.json.new api-spec/openapi.json
