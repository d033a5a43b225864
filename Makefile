.PHONY: install fix lint test demo bench readme

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

install: $(STAMP)

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev,plot,onnx]'
	touch $(STAMP)

fix: install
	$(BIN)/ruff check --fix src tests bench examples
	$(BIN)/ruff format src tests bench examples

lint: install
	$(BIN)/ruff check src tests bench examples
	$(BIN)/ruff format --check src tests bench examples
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest

demo: install
	$(BIN)/fcattn predict --model fa-ca-ravdess tests/clips

# Write the figures of checkpoints/*/metrics.json and bench/results.json into the documents.
readme: install
	$(BIN)/fcattn list --markdown > .table.md
	$(call insert,models,README.md)
	$(BIN)/python -m bench.table > .table.md
	$(call insert,speed,README.md)
	$(BIN)/python -m bench.table tried > .table.md
	$(call insert,tried,bench/README.md)
	rm .table.md

# Replace what stands between <!-- NAME: make readme --> and <!-- end --> by .table.md.
define insert
	sed -i -e '/<!-- $(1): make readme -->/,/<!-- end -->/{//!d}' \
	    -e '/<!-- $(1): make readme -->/r .table.md' $(2)
endef

# Of one layer: the C library keeps what is freed, so that no side waits for pages from the system.
KEEP := MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=1073741824

bench: install
	$(BIN)/python -m pip install --quiet --editable ".[bench,onnx]"
	$(KEEP) $(BIN)/python -m bench attention
	$(BIN)/python -m bench startup clips training long tried
