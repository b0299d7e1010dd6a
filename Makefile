# Each verb is one script, so a person without make can run it too. `make help` reads the `##` comments below.
.DEFAULT_GOAL := help
.PHONY: help deps build demo test chart-test image bench fuzz replay embedded-check lint clean

help: ## list these verbs
	@scripts/help $(firstword $(MAKEFILE_LIST))

deps: ## install the Debian packages that demo and test need and this machine lacks
	@scripts/install-dependencies demo test

build: ## static, stripped executables in dist/
	@scripts/build

demo: ## redirect a pod in namespaces of its own, and show where each connection lands
	@scripts/demo

test: ## everything that .ci/run checks, as root and as an ordinary user
	@scripts/test

chart-test: ## render the chart with the real Helm, and compare it with the official one
	@scripts/chart-test

image: ## OCI archives in dist/, reproducible, with an SBOM
	@scripts/image

bench: ## time of an ADD against a program that does nothing
	@scripts/bench

fuzz: ## a million executions of every fuzz target
	@scripts/fuzz

replay: ## replay recorded redirections through dist/istio-cni: make replay FILE=cases.jsonl
	@scripts/replay-redirects $(FILE)

embedded-check: ## compile and link the plugin as Embedded Swift
	@scripts/embedded-check

lint: ## swift format, warnings as errors
	@scripts/lint

clean: ## remove everything that these verbs make
	@scripts/clean
