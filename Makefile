# The front door. Every target does its own set-up; nothing but Python 3.11+ and make is needed.
PYTHON ?= python3
VENV := .venv
# `on` or `off`; what was chosen once stays chosen.
HEIC ?= $(if $(wildcard $(VENV)/.runtime-off),off,on)
BIN := $(VENV)/bin
UV = $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)
# The one word that leaves the HEVC encoder out of the environment: HEIC=off.
DROP_HEIC = @test "$(HEIC)" != off || $(UV) pip uninstall --quiet --python $(BIN)/python pillow-heif 2>/dev/null || true
NATIVE = $(wildcard src/imageplane/codecs/native/*.[ch])
INSTALL = $(UV) pip install --quiet --python $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help install serve demo test lint fuzz eval bench bench-http soak load chaos jobs bulk scaling newcomer docs lock generate clean

help:  ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "make %-10s %s\n", $$1, $$2}'

install: $(VENV)/.runtime-$(HEIC)  ## Set up .venv with locked dependencies (HEIC=off leaves the GPL HEVC encoder out)

serve: $(VENV)/.runtime-$(HEIC)  ## Serve the HTTP API (HOST=address, PORT=number)
	@$(BIN)/imageplane serve $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

demo: $(VENV)/.dev-$(HEIC)  ## Make thumbnails of a real photo and say where they are
	@$(BIN)/python tools/demo.py demo-output

test: $(VENV)/.dev-$(HEIC) lint  ## Lint, types, architecture and all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.dev-$(HEIC)  ## Ruff, mypy and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.dev-$(HEIC)  ## Measure against Sharp, Pillow, OpenCV and vipsthumbnail (PHOTOS=folder, ROUNDS=n)
	$(BIN)/python -m benchmarks.run $(if $(PHOTOS),--photos $(PHOTOS)) $(if $(ROUNDS),--rounds $(ROUNDS))

fuzz: $(VENV)/.dev-$(HEIC)  ## Thousands of requests derived from our own OpenAPI document (RUNS=n, SEED=n)
	FUZZ_RUNS=$(or $(RUNS),11) FUZZ_SEED=$(or $(SEED),1) $(BIN)/python -m pytest -q --timeout 3600 tests/http/test_schemathesis.py

eval: $(VENV)/.dev-$(HEIC)  ## Are the pictures right? Crops against peers (WHAT=upscale or WHAT=matting for the others)
	$(BIN)/python -m benchmarks.eval $(or $(WHAT),crop) $(if $(PHOTOS),--photos $(PHOTOS))

bench-http: $(VENV)/.dev-$(HEIC)  ## Measure what HTTP adds to the image work
	$(BIN)/python -m benchmarks.http_overhead $(if $(PHOTOS),--photos $(PHOTOS))

soak: $(VENV)/.dev-$(HEIC)  ## 5,000 mixed transforms in one worker: is its memory flat?
	$(BIN)/python -m benchmarks.soak

load: $(VENV)/.dev-$(HEIC)  ## 10,000 requests at once, tenants, peers and a soak (REQUESTS=n, CONCURRENCY=n, SOAK=n, ONLY=spike,…)
	$(BIN)/python -m benchmarks.load $(if $(REQUESTS),--requests $(REQUESTS)) $(if $(CONCURRENCY),--connections $(CONCURRENCY)) \
		$(if $(SOAK),--soak $(SOAK)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY)) $(if $(PHOTOS),--photos $(PHOTOS))

chaos: $(VENV)/.dev-$(HEIC)  ## Engines killed, disk full, sources stalled, bombs, crashes, under load (DURATION=s, CONCURRENCY=n, ONLY=kills,…)
	$(BIN)/python -m benchmarks.chaos $(if $(DURATION),--duration $(DURATION)) $(if $(CONCURRENCY),--clients $(CONCURRENCY)) \
		$(if $(ONLY),--only $(ONLY)) $(if $(PHOTOS),--photos $(PHOTOS))

jobs: $(VENV)/.dev-$(HEIC)  ## Jobs and webhooks while workers, servers and PostgreSQL die (JOBS=n, WORKERS=n, ONLY=sqlite,…)
	$(BIN)/python -m benchmarks.async_jobs $(if $(JOBS),--jobs $(JOBS)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(ONLY),--only $(ONLY))

bulk: $(VENV)/.dev-$(HEIC)  ## A library of 5,000 through `imageplane bulk run`, killed and resumed, and its pace (IMAGES=n, ONLY=resuming,pace)
	$(BIN)/python -m benchmarks.bulk $(if $(IMAGES),--images $(IMAGES)) $(if $(ONLY),--only $(ONLY)) $(if $(PHOTOS),--photos $(PHOTOS))

scaling: $(VENV)/.dev-$(HEIC)  ## What everything costs, and how many machines much of it needs (ONLY=engines,…, EARLIER=result.json)
	$(BIN)/python -m benchmarks.scaling $(if $(ONLY),--only $(ONLY)) $(if $(EARLIER),--earlier $(EARLIER)) $(if $(PHOTOS),--photos $(PHOTOS))

newcomer: $(VENV)/.dev-$(HEIC)  ## From a fresh clone to a thumbnail: make serve, sign-up in a browser, playground, both clients
	NEWCOMER=1 $(BIN)/python -m pytest tests/playground/test_from_a_clone.py

generate: $(VENV)/.dev-$(HEIC)  ## Write the derived pages of docs/ again
	$(BIN)/python tools/generate.py
	$(BIN)/python tools/illustrations.py

docs: $(VENV)/.dev-$(HEIC)  ## Build the site of docs/ and say where it is
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The site is in site/: open site/index.html, or with search: $(BIN)/python -m http.server --directory site 8080"

lock: $(VENV)/.tool  ## Choose the newest versions that pyproject.toml allows
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade --extra heic --extra mcp --group build pyproject.toml -o requirements/runtime.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade --extra heic --extra mcp --extra redis --extra traces --group build -c requirements/runtime.txt pyproject.toml -o requirements/image.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade --extra heic --extra mcp --group build --group dev -c requirements/runtime.txt pyproject.toml -o requirements/dev.txt

clean:  ## Remove the environment and everything that was built
	rm -rf $(VENV) demo-output site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache tests/failures

$(VENV)/.tool:
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null 2>&1 || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

$(VENV)/.runtime-$(HEIC): requirements/runtime.txt pyproject.toml hatch_build.py $(NATIVE) | $(VENV)/.tool
	$(INSTALL) --require-hashes -r requirements/runtime.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	$(DROP_HEIC)
	@test -f src/imageplane/codecs/native/jpeg_eighth.so || echo "No C compiler (cc) was found: thumbnails of JPEGs take about twice the CPU. With one, run: touch pyproject.toml && make install"
	@$(BIN)/imageplane models pull --timeout 120 >/dev/null 2>&1 || echo "The weights of the networks could not be fetched (smart_crop works without): try again with $(BIN)/imageplane models pull"
	@rm -f $(VENV)/.runtime-* $(VENV)/.dev-* && touch $@

$(VENV)/.dev-$(HEIC): requirements/dev.txt $(VENV)/.runtime-$(HEIC)
	$(INSTALL) --require-hashes -r requirements/dev.txt
	$(DROP_HEIC)
	@touch $@
