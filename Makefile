.PHONY: demo test check bench
VENV ?= .venv

demo:
	python3 dev.py demo

test:
	python3 dev.py test

check:
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench:
	$(VENV)/bin/python -m benchmarks
