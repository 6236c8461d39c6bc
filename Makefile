# `make` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Six workers on two cores: much of a test is to wait for a lifetime, a time limit or the start of a server. What
# waits for nothing (quick) is shared by three: each worker collects all tests, which takes 10 s of a core.
PYTEST := $(BIN)/pytest -q -n 6 --dist loadgroup
LIVE_TESTS := tests/db/live tests/workers tests/cdn/backends tests/api/cli tests/api/routes tests/api/delivery
.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(MAKEFILE_LIST))

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: $(VENV)/.runs ## start everything on this machine, with a demo match day (PORT=8000, DEMO=1)
	@exec $(BIN)/python -m dev.local

test: ready lint types imports browser-js js-types unit ## everything that has to be green

ready: # one waits for the network while the other unpacks
	@$(MAKE) --no-print-directory -j 2 $(VENV)/.tests tools

quick: $(VENV)/.tests lint types imports browser-js ## for every save: all that needs no server, in less than a minute
	$(PYTEST) -n 3 --quick -m "not faults"

lint: $(VENV)/.tests ## ruff: style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.tests ## mypy, strict
	$(BIN)/mypy

imports: $(VENV)/.tests ## which package may import which
	$(BIN)/lint-imports --no-cache

browser-js: ## the page's modules under node, where there is one
	@if command -v node >/dev/null; then node --test tests/js/*.test.mjs; else echo "skipped: no node (apt-get install nodejs)"; fi

js-types: ## the types of the page's modules, where there are npm and a network
	@sh tests/js/types.sh

unit: $(VENV)/.tests ## pytest: unit, real servers, headless browser
	$(PYTEST)

test-cluster: $(VENV)/.tests ## live state, ingest, push and purge in 16 shards, on one Redis and on a cluster of six
	$(PYTEST) --live=sharded $(LIVE_TESTS)
	$(PYTEST) --live=cluster $(LIVE_TESTS)

faults: $(VENV)/.tests ## of pytest, what kills, cuts, stalls and restarts; in full what make test does in part; and 5,000 stories
	STORIES=$(or $(STORIES),5000) $(PYTEST) -m faults

tools: ## install what the tests use beside Python: Redis, PostgreSQL, Chromium (root or sudo; else tests skip)
	@sh tests/tools.sh

edge-files: $(VENV)/.runs ## write deploy/cdn/ anew from the table of routes (cdn/routes.py)
	@for vendor in $$($(BIN)/python -c 'from cdn.configuration import CONFIGURATIONS as C; print(*(f"{v}={c.file}" for v, c in C.items()))'); do \
		$(BIN)/flask --app wsgi edge config $${vendor%%=*} > deploy/cdn/$${vendor##*=}; done

compose: deploy/.env ## the whole in containers, with the board at http://localhost:8080 (PROFILE=demo plays matches)
	@docker compose --file deploy/compose.yaml $(if $(PROFILE),--profile $(PROFILE)) up --build --detach --wait
	@echo http://localhost:$${PUBLISH:-8080}

deploy/.env:
	@umask 077; python3 -c 'import base64, secrets as s; print("INGEST_SECRET_GENERIC=whsec_" + base64.b64encode(s.token_bytes(32)).decode(), *(f"{name}={s.token_hex(24)}" for name in ("POSTGRES_PASSWORD", "EDGE_PURGE_SECRET", "METRICS_TOKEN")), sep="\n")' > $@

lock: ## write requirements*.lock anew: the pins of requirements*.txt with the hashes of their files
	@sh dev/lock.sh

audit: $(VENV)/.tests ## known vulnerabilities of what is pinned (needs the network), and secrets in the tree
	@sh dev/audit.sh

release: $(VENV)/.tests ## check that tree, changelog and tests are ready, and make dist/ (RELEASE=--tested: tests were run)
	@$(BIN)/python -m dev.release $(RELEASE)

image-check: $(VENV)/.tests ## the steps of deploy/Dockerfile on a clean Debian (root, debootstrap, buildah): up, not root, drains
	@IMAGE=1 $(BIN)/pytest -q tests/deploy/test_built_image.py

secret: $(VENV)/.runs ## print a fresh INGEST_SECRET_GENERIC
	@$(BIN)/flask --app wsgi secret

replay: $(VENV)/.runs ## post a recorded match: make replay FILE=match.json SPEED=60
	@$(BIN)/python -m dev.replay --speed $(or $(SPEED),60) $(FILE)

bench-plan: $(VENV)/.runs ## a match that a million follow: alert to chunks, over PostgreSQL
	@$(BIN)/python -m bench.plan

bench-history: $(VENV)/.runs ## events in 36 months on PostgreSQL, a month dropped, a migration beside readers and writers (ROWS=2000000)
	@$(BIN)/python -m bench.history --rows $(or $(ROWS),2000000)

bench-kills: $(VENV)/.runs ## fifty killed workers in a fan-out to 100,000 phones
	@$(BIN)/python -m bench.kills

bench-derive: $(VENV)/.runs ## what one message costs, by the length of its match
	@$(BIN)/python -m bench.derive

bench-ingest: $(VENV)/.runs ## a Saturday's 230 events a second: accepted to applied
	@$(BIN)/python -m bench.ingest

bench-feed: $(VENV)/.runs ## ten minutes of a Saturday's push stream: message to commit, and the feed process's memory
	@$(BIN)/python -m bench.feed --seconds 600

bench-edge: $(VENV)/.runs ## through a real Varnish: held and polling readers, lost purges, an outage, a CDN that hangs
	@$(BIN)/python -m bench.edge

bench-edge-again: $(VENV)/.runs ## through Varnish: 15,000 readers who ask again, and 250 matches at once, beside a VCL of three lines (gcc, zlib1g-dev)
	@$(BIN)/python -m bench.edge_again

bench-load: $(VENV)/.runs ## all at once: a Saturday's events, readers who poll and wait at a real Varnish; sent to seen
	@$(BIN)/python -m bench.load

bench-outage: $(VENV)/.runs ## Redis and SQL hang, forget, fail over and come back older: what is lost, and how soon all is back
	@$(BIN)/python -m bench.outage

bench-sql-away: $(VENV)/.runs ## SQL is away for MINUTES=10 of a Saturday of 230 messages a second: memory, what waits, when all is written
	@$(BIN)/python -m bench.sql_away --minutes $(or $(MINUTES),10)

bench-listener: $(VENV)/.runs ## held readers on a cluster: a master is killed, a replica takes over, a slot moves (apt-get install redis-server)
	@$(BIN)/python -m bench.listener

bench-hold: $(VENV)/.runs ## 15,000 held readers and one goal, beside nchan (apt-get install nginx-light libnginx-mod-nchan)
	@$(BIN)/python -m bench.hold

bench-again: $(VENV)/.runs ## 15,000 readers who ask again at once, goals a second apart, beside nchan (gcc; as bench-hold)
	@$(BIN)/python -m bench.again

bench-board: $(VENV)/.runs ## a Saturday's board for one held reader, whole and by difference; and 1,000 of them at a Varnish
	@$(BIN)/python -m bench.board

bench-churn: $(VENV)/.runs ## 10,000 clients that come and go for five minutes, and what they leave in the web process
	@$(BIN)/python -m bench.churn

bench-read: $(VENV)/.runs ## the origin's score beside a bare WSGI hello (apt-get install wrk)
	@$(BIN)/python -m bench.read

bench-page: $(VENV)/.tests ## a board of a thousand matches in Chromium
	@$(BIN)/python -m bench.page

bench-page-traffic: $(VENV)/.tests ## bytes and requests of a page on a busy board for ten minutes, beside those of 0.1.0 (Chromium)
	@$(BIN)/python -m bench.page_traffic

bench-push: $(VENV)/.tests ## sends a second of one core, beside aioapns and firebase-admin (nghttp2-server, nghttp2-proxy)
	@$(BIN)/python -W ignore -m bench.push

bench-kickoff: $(VENV)/.runs ## 20,000 readers within ten seconds through Varnish, and the first goal
	@$(BIN)/python -m bench.kickoff

simulate: $(VENV)/.tests ## kick-off and a goal for 50 million viewers, computed: who sees it when, and what the origin is asked
	@$(BIN)/python -m dev.simulation

bench-reads: $(VENV)/.runs ## what each public GET costs the web process, with 246 live matches
	@$(BIN)/python -m bench.reads

bench-table: $(VENV)/.runs ## what a goal costs the table of a league of 380 matches
	@$(BIN)/python -m bench.table

bench-pictures: $(VENV)/.runs ## milliseconds and bytes of the picture of a match
	@$(BIN)/python -m bench.pictures

clean: ## forget the environment and the embedded run's data
	rm -rf $(VENV) var

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "venv is missing: apt-get install python3-venv"; exit 1; }

$(VENV)/.runs: requirements.lock | $(VENV)/bin/python
	@echo "Installing what runs (about 15 s, once)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

$(VENV)/.tests: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing what the tests need (once)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@touch $@ $(VENV)/.runs
