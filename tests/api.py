"""What asks the API in tests takes no answer that the API's description does not have.

Every client of every test looks at the answers (`conftest.py`). Tests of endpoints may use the fixture `api`, or
`program_of(somebody)`, and `refused(answer, code)` for what is refused.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jsonschema_rs
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from config.description import Operation, read_description, read_operations
from config.problems import CONTENT_TYPE

PREFIX = "/api/v1/"
REQUEST = Client.request


def request_as_described(client: Client, **environ: Any) -> Any:
    """Ask as the test client does, and fail at an answer that is not as described."""
    answer = REQUEST(client, **environ)
    path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "GET")
    if path.startswith(PREFIX) and method not in {"HEAD", "OPTIONS"}:
        assert_described(answer, method, path)
    return answer


def program_of(user: User) -> APIClient:
    """Return a program that somebody is signed in to."""
    program = APIClient()
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
        assert_leads_nowhere_else(answer, path)
        return
    operation = next((one for one in asked if one.method == method), None)
    if operation is None:
        # Whoever must sign in is told so first.
        assert answer.json()["code"] in {"method_not_allowed", "sign_in_required"}
        return
    assert_answer_of(operation, answer)


def assert_leads_nowhere_else(answer: Any, path: str) -> None:
    """Assert that nothing is there, or the one way on that there is: to the description, or to the last slash."""
    ways = {PREFIX: (302, "/api/docs/")}
    if any(pattern_of(operation.path).fullmatch(f"{path}/") for operation in read_operations()):
        ways[path] = (308, f"{path}/")
    if path in ways:
        assert (answer.status_code, answer.headers["Location"]) == ways[path]
    else:
        refused(answer, "not_found")


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
