# Two commands do everything on a fresh machine with Python 3.11-3.13 and make:
#   make demo    the heat-island use case on bundled real data, offline
#   make test    lint, types, tests, notebooks, wheel
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NOTEBOOKS := notebooks use-cases

.PHONY: demo test check lab lint types notebooks bench constraints bundles clean

demo: $(STAMP)
	$(BIN)/ldt demo --out results

test: lint types $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

# the inner loop: under a minute
check: lint types $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not browser and not reference" -q

lab: $(STAMP)
	$(BIN)/jupyter lab --notebook-dir=. notebooks/00-start-here.ipynb

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	for job in urban_cooling sky_view utci observations terrain zonal rain_on_grid walk_access gtfs transit twin_load twin_history; do $(BIN)/python benchmarks/$$job.py || exit 1; done

# rewrite the pinned set for all supported Pythons; needs uv
constraints:
	uv pip compile --universal --python-version 3.11 --all-extras --upgrade --no-emit-index-url \
	  --no-emit-find-links --no-annotate --no-header pyproject.toml -o constraints.txt
	$(BIN)/python scripts/binder_requirements.py

# rebuild the bundled territories from their pinned packages and compare the hashes
bundles: $(STAMP)
	$(BIN)/python scripts/rebuild_territories.py --check

clean:
	rm -rf $(VENV) results dist build

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	touch $@
