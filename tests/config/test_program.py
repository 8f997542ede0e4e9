"""The program that asks in tests: it takes no answer that the description does not have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import JsonResponse

from tests.api import assert_described, refused

PATH = "/api/v1/events/fall-tour/availability/"
TIER = {"tier": "floor", "available": 1, "level": "few"}
BODY: dict[str, Any] = {"tiers": [TIER], "as_of": "2026-05-04T10:00:00Z"}
PROBLEM = {"type": "http://x/#not_found", "title": "Not found", "status": 404, "detail": "No.", "code": "not_found"}


def answer(body: Any = BODY, status: int = 200, kind: str = "application/json", **headers: str) -> Any:
    made = JsonResponse(body, status=status, content_type=kind, headers={"ETag": '"1"', **headers})
    made.json = lambda: json.loads(made.content)  # type: ignore[attr-defined]
    return made


def problem(**members: Any) -> Any:
    told = {**PROBLEM, **members}
    return answer(told, told["status"], "application/problem+json")


def test_answers_as_described_are_taken():
    assert_described(answer(), "GET", PATH)
    assert_described(problem(), "GET", PATH)
    assert_described(problem(), "GET", "/api/v1/nothing/")
    assert_described(problem(status=405, code="method_not_allowed"), "POST", PATH)


@pytest.mark.parametrize(
    "strange",
    [
        answer(status=201),
        answer(kind="text/html"),
        answer({}),
        answer({**BODY, "tiers": [{**TIER, "level": "loads"}]}),
        answer({**BODY, "tiers": [{**TIER, "available": "1"}]}),
        answer({**BODY, "as_of": "soon"}),
        problem(code="sold_out"),
        problem(title=None),
        problem(status=409, code="sold_out"),
        problem(status=503, code="busy"),
        answer(PROBLEM, 404),
    ],
)
def test_answers_not_as_described_are_not(strange: Any):
    with pytest.raises((AssertionError, ValueError)):
        assert_described(strange, "GET", PATH)


def test_answer_without_a_header_that_it_must_have_is_not_taken():
    bare = answer()
    del bare.headers["ETag"]

    with pytest.raises(AssertionError):
        assert_described(bare, "GET", PATH)


def test_refusal_is_of_one_code_and_its_status():
    assert refused(problem(), "not_found") == PROBLEM

    said_otherwise = answer({**PROBLEM, "status": 409}, 404, "application/problem+json")
    for other in (problem(code="sold_out"), said_otherwise, answer(PROBLEM, 404)):
        with pytest.raises(AssertionError):
            refused(other, "not_found")
