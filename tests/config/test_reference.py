"""What programs are told of the API: its description, the page to try it, the page of refusals."""

import re

import pytest
from django.core.management import call_command
from django.test import Client

from config.advice import ADVICE
from config.description import explain_refusals, read_description, read_operations
from config.errors import ANSWERS, LIBRARY
from tests.api import validator_of

OPERATIONS = read_operations()


def test_description_is_valid_and_without_a_warning(capsys: pytest.CaptureFixture[str]):
    call_command("spectacular", "--validate", "--fail-on-warn")

    assert capsys.readouterr().err == ""


def test_description_is_yaml_or_json_as_one_likes(client: Client):
    def kind(query: str = "", accept: str = "*/*") -> tuple[str, bytes]:
        answer = client.get(f"/api/schema/{query}", headers={"Accept": accept})
        assert answer.status_code == 200
        return answer.headers["Content-Type"], answer.content[:10]

    yaml = ("application/vnd.oai.openapi; charset=utf-8", b"openapi: 3")
    json = ("application/vnd.oai.openapi+json", b'{\n    "ope')
    assert [kind(), kind(accept="text/html"), kind("?format=yaml")] == [yaml] * 3
    assert [kind(accept="application/json"), kind("?format=json")] == [json] * 2


def test_description_that_one_has_is_not_sent_again(client: Client):
    first = client.get("/api/schema/")

    again = client.get("/api/schema/", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert "Accept" in first.headers["Vary"].split(", ")


def test_description_is_made_once():
    assert read_description() is read_description()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_operation_says_what_it_does(operation):
    described = operation.described
    tags = {tag["name"] for tag in read_description()["tags"]}

    assert described["summary"][0].isupper()
    assert described.get("description", "") != described["summary"]
    assert set(described["tags"]) <= tags


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_examples_of_answers_are_as_described(operation):
    for response in operation.described["responses"].values():
        for content in response.get("content", {}).values():
            assert content.get("examples"), operation.id
            for example in content["examples"].values():
                validator_of(content["schema"]).validate(example["value"])


@pytest.mark.django_db
def test_page_to_try_it_loads_nothing_from_elsewhere(client: Client):
    page = client.get("/api/docs/").content.decode()

    loaded = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]+)"', page)
    assert [address for address in loaded if not address.startswith("/static/")] == []
    assert any(address.endswith("swagger-ui-bundle.js") for address in loaded)
    assert 'data-schema="/api/schema/?format=json"' in page


@pytest.mark.django_db
def test_page_of_refusals_has_each_code_with_its_status_words_and_operations(client: Client):
    page = client.get("/api/refusals/").content.decode()

    assert set(re.findall(r'<section class="panel" id="(\w+)"', page)) == {one.code for one in explain_refusals()}
    section = page.partition('id="not_found"')[2].partition("</section>")[0]
    assert '<span class="badge">404</span>' in section
    assert "“Not found.”" in section
    assert 'href="/api/docs/#operations-events-event_availability"' in section


def test_problems_lead_to_the_page_of_refusals():
    described = {example["type"] for operation in OPERATIONS for example in operation.examples()}

    codes = {one.code for one in explain_refusals() if one.operations}
    assert described == {f"http://127.0.0.1:8000/api/refusals/#{code}" for code in codes}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_examples_of_what_is_sent_are_as_described(operation):
    for content in operation.described.get("requestBody", {}).get("content", {}).values():
        for example in content["examples"].values():
            validator_of(content["schema"]).validate(example["value"])


def test_advice_is_of_codes_that_there_are():
    assert set(ADVICE) - {answer.code for answer in [*ANSWERS.values(), *LIBRARY.values()]} == set()
