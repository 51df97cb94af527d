# Coroner: `make demo` shows it at its main job on a real cluster on this machine, `make test` runs every check.
# Both install what is missing, build what is needed and say so.
.PHONY: help demo down test check fmt clippy doc deny unit testbed-units chart e2e image bench fuzz

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

bench: setup ## how fast the classifier is and how much memory it takes, into target/figures/classify.json
	cargo bench --locked --bench classify

fuzz: ## fuzzes classifier, redactor, proof and the loader of rules, two minutes each (nightly Rust, cargo-fuzz)
	scripts/fuzz 120

advisories: setup ## known vulnerabilities in the dependencies; needs the network
	scripts/deny check advisories

image: ## the image, as the chart runs it, into target/testbed/images
	testbed/coroner-image
