# make demo    the whole way on data that comes with the package (ARGS="--help" for its flags)
# make demo TASK=denoise   the same for a task on pictures (docs/tasks.md)
# make test    all checks, then all tests (ARGS="tests/runtime -k engine" for some), three at a time
#              (WORKERS=6 for six, WORKERS=0 for one in this process)
# make test-board  flash emulated arm64 boards, which it makes first (as root; BOARD=folder)
# make test-vm     in virtual machines: 50 power cuts in the middle of a flash; a camera of the kernel's,
#              seen by a service of systemd's (as root; VM=folder)
# make check   formatting, lint, types, layering
# make format  what of the above can be mended by itself
# make constraints   renew constraints.txt with the newest versions
# make clean   everything that these commands made

export PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
READY := $(VENV)/.ready

# Tests at once, each file whole in one of them, those marked slow first. Three on two cores: many
# wait for a camera, a server or a kill.
WORKERS ?= 3
PARALLEL = $(if $(filter-out 0 1,$(WORKERS)),--numprocesses $(WORKERS) --dist loadfile \
	--no-loadscope-reorder)

.SILENT:
.PHONY: demo test test-board test-vm check format constraints clean
.DEFAULT_GOAL := demo

demo: $(READY)
	$(RUN) edgecrnn demo $(if $(TASK),--task $(TASK)) $(ARGS)

test: check
	$(RUN) pytest --quiet $(PARALLEL) $(ARGS)

BOARD ?= $(HOME)/.cache/edgecrnn/board
test-board: $(READY)
	tests/board/make-board "$(BOARD)"
	EDGECRNN_BOARD="$(BOARD)" $(RUN) pytest --quiet tests/board $(ARGS)

VM ?= $(HOME)/.cache/edgecrnn/vm
test-vm: $(READY)
	tests/vm/fetch-kernel "$(VM)/kernel"
	PYTHON="$(abspath $(VENV))/bin/python" tests/vm/make-guest "$(VM)/guest"
	EDGECRNN_VM="$(VM)" $(RUN) pytest --quiet -s tests/vm $(ARGS)

# Prints only what fails.
check: $(READY)
	quietly() { said=$$("$$@" 2>&1) || { printf '%s\n' "$$said" >&2; exit 1; }; }; \
	quietly $(RUN) ruff format --check .; \
	quietly $(RUN) ruff check .; \
	quietly $(RUN) mypy; \
	quietly $(VENV)/bin/lint-imports
	echo "Formatting, lint, types and layering are in order."

format: $(READY)
	$(RUN) ruff check --quiet --fix .; $(RUN) ruff format --quiet .

constraints:
	.ci/constraints

clean:
	rm -rf $(VENV) build dist src/*.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A checkout that was moved is set up again: the environment holds its path.
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif
$(READY): pyproject.toml constraints.txt .ci/setup
	rm -f $@
	VENV=$(VENV) .ci/setup
	echo "$(CURDIR)" > $@
