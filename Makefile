.PHONY: demo test slow check docs

demo: ## the nervous system of C. elegans, from model files to answers
	pip install ".[demo]" && bnnkg demo

test:
	pip install ".[dev]" && pytest

slow: ## the tests that take minutes
	pytest -m slow

check: ## what a change must pass beside the tests
	ruff check .
	ruff format --check .
	mypy
	lint-imports

docs: ## the pages that follow from the code
	python docs/generate.py
