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

# Write the figures of checkpoints/*/metrics.json into the README.
readme: install
	$(BIN)/fcattn list --markdown > .table.md
	sed -i -e '/<!-- made by: make readme -->/,/<!-- end -->/{//!d}' \
	    -e '/<!-- made by: make readme -->/r .table.md' README.md
	rm .table.md

bench: install
	$(BIN)/python -m pip install --quiet --editable ".[bench,onnx]"
	$(BIN)/python -m bench
