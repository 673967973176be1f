# One command sets up and starts the lab, another tests it; `make` alone lists all.
# Needs GNU make 3.81 or newer and Python 3.11 (another: make lab PYTHON=python3.13).

PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.complete
PIP := $(BIN)/python -m pip --disable-pip-version-check

# The stamp names the folder that .venv was made in. It is written last and taken away while packages
# change, so that a .venv whose making was interrupted, or which has moved, is made anew.
COMPLETE := $(shell [ "$$(cat $(STAMP) 2>/dev/null)" = "$$(pwd -P)" ] && $(BIN)/python -c '' 2>/dev/null && echo yes)

# This JupyterLab does not ask whether it may fetch news, and does not look for updates.
QUIET := .venv/share/jupyter/lab/settings/overrides.json
NO_QUESTIONS := {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}

.PHONY: help .venv lab test notebooks bench results data lock clean

help:  ## list these commands
	@echo "make lab is all that a student needs. Every command sets up .venv first, if need be."
	@awk -F ':.*##' '/^[.a-z]+:.*##/ { printf "  make %-10s%s\n", $$1, $$2 }' Makefile

.venv: $(STAMP)  ## set up only: the packages of requirements.lock, and labkit itself

ifneq ($(COMPLETE),yes)
.PHONY: $(STAMP)
endif

$(STAMP): requirements.lock pyproject.toml
ifneq ($(COMPLETE),yes)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || \
	  { echo "The lab needs Python 3.11, and '$(PYTHON)' does not start one. Install Python 3.11, or name another from 3.11 to 3.14: make lab PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) comes without venv. On Debian and Ubuntu: sudo apt install python3.11-venv" >&2; exit 1; }
	@echo "Setting up .venv: a download of several hundred megabytes, some minutes the first time ..."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@touch $@.old
else
	@echo "Bringing .venv up to date with requirements.lock and pyproject.toml ..."
	@mv $@ $@.old
endif
	@$(PIP) install --quiet -r requirements.lock && \
	  $(PIP) install --quiet --no-deps --no-build-isolation -e . || { mv $@.old $@; exit 1; }
	@mkdir -p $(dir $(QUIET)) && echo '$(NO_QUESTIONS)' >$(QUIET)
	@pwd -P >$@.old && touch $@.old && mv $@.old $@

lab: .venv  ## open JupyterLab in notebooks/
	@cd notebooks && ../$(BIN)/python -m jupyterlab --ServerApp.ip=127.0.0.1 \
	  --LabApp.default_url=/lab/tree/00_start_here.ipynb \
	  $$([ "$$(id -u)" != 0 ] || echo --allow-root) $(LAB_OPTIONS)

test: .venv  ## everything: lint, format, types, unit tests, browser, notebooks
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest --nbval

notebooks: .venv  ## run the notebooks and store their outputs (some: NOTEBOOKS="02_data 03_model")
	@$(BIN)/python tests/refresh_notebooks.py $(NOTEBOOKS)

bench: .venv  ## measure speed and quality, an hour (on further lists too: LISTS=../lab5)
	@$(BIN)/python tests/benchmarks/run.py --data $(LISTS)

results: .venv  ## train all that ships and the stored trials and studies again (hours)
	@$(BIN)/python -m labkit train --preset thorough --seed 0 --out runs/by-heart
	@$(BIN)/python -m labkit train --preset any-verb --seed 0 --out runs/by-rule
	@$(BIN)/python -m labkit train --preset taught --seed 0 --out runs/taught
	@$(BIN)/python -m labkit train --preset any-verb-fast --seed 0 --out runs/any-verb-fast
	@rm -rf data/pretrained data/trials data/leaderboard.csv
	@for name in by-heart by-rule taught; do $(BIN)/python data/ship.py runs/$$name $$name || exit 1; done
	@$(BIN)/python data/leaderboard.py
	@$(BIN)/python -m labkit trials --preset fast --seeds 0,1,2 --out data/trials
	@$(BIN)/python data/studies.py

data: .venv  ## build the verb tables again (needs Debian's packages scowl and wordnet-base)
	@$(PIP) install --quiet --no-deps lemminflect==0.2.3 pyinflect==0.5.1
	@$(BIN)/python data/build.py

# torch is held at one version. On Linux it must come from its CPU index (README.md, "Linux without a
# GPU"): the other build would write CUDA's packages into the lock, and no other system has them.
lock: .venv  ## write requirements.lock from pyproject.toml (newest: LOCK_OPTIONS=--upgrade)
	@$(PIP) install --quiet 'pip-tools==7.6.2'
	@cp requirements.lock requirements.lock.new
	@CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/python -m piptools compile --quiet $(LOCK_OPTIONS) \
	  --upgrade-package 'torch==2.13.0' --extra test --strip-extras --allow-unsafe \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	  --output-file requirements.lock.new pyproject.toml
	@! grep -E '^(nvidia|cuda|triton)' requirements.lock.new || \
	  { echo "requirements.lock stays as it was: torch did not come from its CPU index." >&2; exit 1; }
	@sed 's/+cpu$$//' requirements.lock.new >requirements.lock && rm requirements.lock.new
	@echo "Now hold environment.yml to it: tests/test_environment.py says where they differ."

clean:  ## remove .venv and caches (runs and notebooks stay)
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build labkit.egg-info
	find . '(' -name __pycache__ -o -name .ipynb_checkpoints ')' -prune -exec rm -rf {} +
