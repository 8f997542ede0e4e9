"""The laws of the house that no linter keeps."""

import ast
import os
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Field
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.refusals import Refusal
from config.description import explain_refusals
from config.errors import ANSWERS
from config.stack import PROJECT

# From the ground up: an app knows those before it.
APPS = ("accounts", "webhooks", "events", "queues", "orders", "transfers", "config")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
USUAL_FUNCTION = 10
BANNED_NAMES = {"utils", "helpers", "common", "base", "misc", "signals"}
# What an anonymous stranger may be answered; a 500 is never among it. Programs are told that they should sign in (401),
# or that a key is missing (400).
CIVIL_ANSWERS = {200, 302, 400, 401, 403, 404, 405}
SAMPLES = {
    "int": "1",
    "slug": "sample",
    "str": "sample",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "path": "sample",
}


def python_files() -> list[Path]:
    """Return every module that people write: migrations are written by Django."""
    found = [path for name in (*APPS, "tests") for path in (PROJECT / name).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def imported_by(node: ast.AST) -> set[str]:
    """Return the outermost names of what a module imports when it runs."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return set()
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return set() if node.level or not node.module else {node.module.partition(".")[0]}
    return set().union(*map(imported_by, ast.iter_child_nodes(node)))


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def where(path: Path, node: ast.stmt) -> str:
    return f"{path.relative_to(PROJECT)}:{node.lineno}"


def length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def body_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return a function's lines without its docstring: words for the caller cost the reader of the code nothing."""
    has_docstring = ast.get_docstring(node, clean=False) is not None
    return length(node) - (length(node.body[0]) if has_docstring else 0)


def test_what_runs_needs_nothing_that_only_tests_have():
    """The demo and production are made from the dependencies proper; those of the tests are not there."""
    wishes = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    declared = {re.split(r"[\[~=<> ]", wish)[0] for wish in wishes}
    modules = [ast.parse(path.read_text()) for path in python_files() if "tests" not in path.relative_to(PROJECT).parts]
    running = set().union(*map(imported_by, modules)) - sys.stdlib_module_names - {*APPS}
    distributions = packages_distributions()

    assert {name for name in running if not declared & {*map(as_declared, distributions.get(name, []))}} == set()


def as_declared(distribution: str) -> str:
    return distribution.lower().replace("_", "-")


def test_no_foreign_key_points_upwards():
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        if model._meta.app_label in APPS
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.related_model and field.related_model._meta.app_label in APPS
        if APPS.index(field.related_model._meta.app_label) > APPS.index(model._meta.app_label)
    ]
    assert upward == []


def test_import_contracts_cover_every_app_and_are_kept():
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    between, inside = contracts
    assert between["layers"] == list(reversed(APPS))
    assert sorted([*inside["containers"], "config"]) == sorted(APPS)
    assert inside["exhaustive"] is True
    assert "lint-imports" in (PROJECT / "Makefile").read_text()
    kept = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert kept.returncode == 0, kept.stdout


def test_files_stay_short():
    lengths = {str(path.relative_to(PROJECT)): len(path.read_text().splitlines()) for path in python_files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_stay_short():
    long = {
        f"{where(path, node)} {node.name}": length(node)
        for path in python_files()
        for node in functions_of(path)
        if length(node) > LONGEST_FUNCTION
    }
    assert long == {}


def test_functions_are_usually_ten_lines_or_fewer():
    lengths = [body_length(node) for path in python_files() if "tests" not in path.parts for node in functions_of(path)]
    assert statistics.median(lengths) <= USUAL_FUNCTION


def test_no_module_has_a_name_that_says_nothing():
    named = [str(path.relative_to(PROJECT)) for path in python_files() if BANNED_NAMES & {path.stem, path.parent.name}]
    assert named == []


def test_no_function_imports():
    inner = {
        where(path, node)
        for path in python_files()
        for function in functions_of(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert inner == set()


def test_no_work_is_left_for_later():
    markers = ("TO" + "DO", "FIX" + "ME", "X" * 3, "NotImplemented" + "Error")
    unfinished = [
        f"{path.relative_to(PROJECT)}:{number}"
        for path in python_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if any(marker in line for marker in markers)
    ]
    assert unfinished == []


def test_no_model_orders_itself_or_overrides_save():
    own = [model for model in apps.get_models() if model.__module__.partition(".")[0] in APPS]
    assert [model._meta.label for model in own if model._meta.ordering] == []
    assert [model._meta.label for model in own if "save" in vars(model)] == []


def subclasses_of(kind: type) -> Iterator[type]:
    children: list[type] = kind.__subclasses__()
    for child in children:
        yield child
        yield from subclasses_of(child)


def test_every_refusal_has_its_http_answer():
    refusals = {child for child in subclasses_of(Refusal) if child.__module__.partition(".")[0] in APPS}
    assert refusals - set(ANSWERS) == set()
    assert {status for status, _ in ANSWERS.values() if not 400 <= status < 600} == set()


def test_every_code_of_refusal_is_seen_by_a_test():
    """What an operation can answer is named in a test of the API.

    That a test names what is answered, and not something else of that name, is not looked at here; that nothing is
    answered which the description does not have is (`tests/api.py`), in every test.
    """
    tests = [path for path in python_files() if path.name.startswith("test_") and path.name != "test_program.py"]
    of_the_api = [path for path in tests if path.stem.endswith("_api") or "/api/v1/" in path.read_text()]
    modules = [ast.parse(path.read_text()) for path in of_the_api]
    named = {node.value for module in modules for node in ast.walk(module) if isinstance(node, ast.Constant)}
    assert {refusal.code for refusal in explain_refusals()} - named == set()


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Return an address for every URL pattern, its parameters filled with samples."""
    for pattern in patterns:
        route = prefix + sample_route(pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def sample_route(pattern: URLPattern | URLResolver) -> str:
    """Return one pattern's part of the address; a regular expression (there are some in Django) is left out."""
    route = getattr(pattern.pattern, "_route", "")
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        for written in (f"<{kind}:{name}>", f"<{name}>"):
            route = route.replace(written, SAMPLES[kind])
    return str(route)


ROUTES = sorted(set(routes(get_resolver().url_patterns)))


def test_routes_are_filled_with_samples():
    assert [route for route in ROUTES if "<" in route] == []
    assert len(ROUTES) > 10


@pytest.mark.django_db
@pytest.mark.parametrize("route", ROUTES)
def test_every_url_answers_a_stranger_civilly(client: Client, route: str):
    client.raise_request_exception = False
    assert client.get(f"/{route}").status_code in CIVIL_ANSWERS
