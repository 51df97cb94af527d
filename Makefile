# Coroner: `make demo` shows it at its main job on a real cluster on this machine, `make test` runs every check.
# Both install what is missing, build what is needed and say so.
.PHONY: help demo down test check fmt clippy doc deny unit testbed-units chart e2e soak image bench bench-operator fuzz

help:
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' Makefile | expand -t 16

demo: ## a real pod dies on a real cluster on this machine, and Coroner says why (root)
	testbed/demo

down: ## stop everything that demo and tests started
	testbed/down

test: check testbed-units chart e2e ## every check, those on the real cluster too (root)

check: setup fmt clippy doc deny unit ## the checks that need no cluster

setup:
	testbed/toolchains

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --locked --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet

deny:
	scripts/deny check licenses bans sources

unit:
	cargo test --locked

testbed-units:
	testbed/unit

chart:
	testbed/build
	charts/coroner/tests/run

e2e:
	testbed/selftest
	testbed/e2e
	testbed/soak

soak: setup ## 10,000 crashes while everything fails: is each counted once, with its own log? into target/figures/soak.json (root)
	testbed/soak --long

bench: setup ## how fast classifier and operator are and how much memory they take, into target/figures (root)
	cargo bench --locked --bench classify
	testbed/bench-operator

bench-operator: setup ## what the operator costs and how fast it is, on the testbed, into target/figures/operator.json (root)
	testbed/bench-operator

fuzz: ## fuzzes classifier, redactor, proof and the loader of rules until they find no new edges (nightly Rust, cargo-fuzz)
	scripts/fuzz 120

advisories: setup ## known vulnerabilities in the dependencies; needs the network
	scripts/deny check advisories

image: ## the image, as the chart runs it, into target/testbed/images
	testbed/coroner-image
