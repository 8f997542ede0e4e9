"""A program that asks the API, and takes no answer that the API's description does not have.

Tests of endpoints use the fixture `api`, or `program_of(somebody)`, and `refused(answer, code)` for what is refused;
`test_architecture.py` looks for each code in these calls.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jsonschema_rs
from rest_framework.test import APIClient

from accounts.models import User
from config.description import Operation, read_description, read_operations
from config.problems import CONTENT_TYPE

PREFIX = "/api/v1/"


class Program(APIClient):
    """Asks as programs do; fails at an answer that is not as described."""

    def request(self, **environ: Any) -> Any:
        answer = super().request(**environ)
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path.startswith(PREFIX) and method not in {"HEAD", "OPTIONS"}:
            assert_described(answer, method, path)
        return answer


def program_of(user: User) -> Program:
    """Return a program that somebody is signed in to."""
    program = Program()
    program.force_login(user)
    return program


def refused(answer: Any, code: str) -> dict[str, Any]:
    """Assert that a program was refused with this code; return the problem's members."""
    assert answer.headers["Content-Type"] == CONTENT_TYPE, answer.content
    problem: dict[str, Any] = answer.json()
    assert (problem["code"], problem["status"]) == (code, answer.status_code)
    return problem


def assert_described(answer: Any, method: str, path: str) -> None:
    """Assert that the description has this answer: status, kind, headers, and every member of the body."""
    asked = [operation for operation in read_operations() if pattern_of(operation.path).fullmatch(path)]
    if not asked:
        refused(answer, "not_found")
        return
    operation = next((one for one in asked if one.method == method), None)
    if operation is None:
        refused(answer, "method_not_allowed")
        return
    assert_answer_of(operation, answer)


def assert_answer_of(operation: Operation, answer: Any) -> None:
    status = str(answer.status_code)
    responses = operation.described["responses"]
    assert status in responses, f"{operation.id} answers {status}, which is not described: {answer.content!r}"
    headers = responses[status].get("headers", {})
    assert {name for name, header in headers.items() if header.get("required")} <= set(answer.headers)
    content = responses[status].get("content")
    if content is None:
        assert answer.content == b"", f"{operation.id} answers {status} with a body, which is not described"
        return
    kind = answer.headers["Content-Type"]
    assert kind in content, f"{operation.id} answers {status} as {kind}, which is not described"
    validator(operation, status, kind).validate(answer.json())


@cache
def pattern_of(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\?\{.*?\\?\}", "[^/]+", re.escape(path)))


@cache
def validator(operation: Operation, status: str, kind: str) -> jsonschema_rs.Validator:
    """Return what tells whether a body is as described."""
    described = operation.described["responses"][status]["content"][kind]["schema"]
    return validator_of(described)


def validator_of(described: dict[str, Any]) -> jsonschema_rs.Validator:
    """Return a validator of a part of the description, which refers to components."""
    components = read_description()["components"]
    return jsonschema_rs.Draft202012Validator({**described, "components": components}, validate_formats=True)
