# What a person types: demo, test, check, rehearse, schemathesis, clean. PORT=, CROWD=, ARGS=, FANS=, SEED=,
# VIA= and EXAMPLES= go on to them.

.PHONY: demo test check rehearse schemathesis lock clean runtime develop
.DEFAULT_GOAL := demo

PYTHONS := python3.11 python3.12 python3.13 python3.14 python3
FIND_PYTHON = for name in $(PYTHONS); do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$name"; break; }; done
BIN := .venv/bin
VARIABLES := PORT CROWD FANS SEED VIA EXAMPLES REQUIRE_BROWSER CHROMIUM
$(foreach name,$(VARIABLES),$(if $(value $(name)),$(eval export $(name))))

# The environment of commands that read the settings and touch no server.
SETTINGS := DJANGO_SETTINGS_MODULE=config.settings DEMO=1 SECRET_KEY=check ALLOWED_HOSTS=localhost \
	SITE_URL=http://localhost:8000 DATABASE_URL=postgres://localhost/fairline REDIS_URL=redis://localhost/0 \
	EMAIL_URL=dummymail://

demo: runtime
	@exec $(BIN)/python -m config.demo

test: develop
	@exec $(BIN)/python -m pytest -n 2 $(ARGS)

schemathesis: develop
	@EXAMPLES=$${EXAMPLES:-300} $(BIN)/python -m pytest -q -s -p no:randomly tests/journeys/test_description.py $(ARGS)

rehearse: develop
	@exec $(BIN)/python -m config.rehearsal

check: develop
	@echo "ruff check" && $(BIN)/ruff check --quiet .
	@echo "ruff format" && $(BIN)/ruff format --quiet --check .
	@echo "import-linter" && $(SETTINGS) $(BIN)/lint-imports --no-cache > var/lint-imports.log 2>&1 || { cat var/lint-imports.log; exit 1; }
	@echo "mypy" && $(SETTINGS) $(BIN)/mypy --no-error-summary .
	@echo "manage.py check" && $(SETTINGS) $(BIN)/python manage.py check --fail-level WARNING > /dev/null
	@echo "manage.py makemigrations --check" && $(SETTINGS) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@echo "manage.py spectacular" && $(SETTINGS) $(BIN)/python manage.py spectacular --validate --fail-on-warn > /dev/null
	@echo "All checks passed."

# The virtual environment is made anew when, and only when, its lock has changed.
runtime:
	@cmp -s requirements.txt .venv/runtime.lock || $(MAKE) --no-print-directory .venv-from-requirements.txt
	@mkdir -p var

develop:
	@cmp -s requirements-dev.txt .venv/develop.lock || $(MAKE) --no-print-directory .venv-from-requirements-dev.txt
	@mkdir -p var

.venv-from-%:
	@python=$$($(FIND_PYTHON)); \
	test -n "$$python" || { echo "Fairline needs Python 3.11 or newer; none of $(PYTHONS) is. Install one, then run make again." >&2; exit 1; }; \
	echo "Making .venv with $$python from $* (once)."; \
	rm -rf .venv; \
	"$$python" -m venv .venv || { rm -rf .venv; echo "$$python cannot make a virtual environment: on Debian, apt-get install python3-venv." >&2; exit 1; }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r $*
	@case $* in requirements-dev.txt) cp requirements-dev.txt .venv/develop.lock;; esac; cp requirements.txt .venv/runtime.lock

# For whoever changes a dependency; needs uv. Both locks hold hashes for every platform and name no index.
lock:
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-annotate --no-header $(LOCK_ARGS) --output-file requirements.txt pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-annotate --no-header $(LOCK_ARGS) --group dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml

clean:
	@rm -rf .venv var staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@echo "Removed .venv, var and the caches."
