"""The API's description, made once a process, and what it says of refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from rest_framework import exceptions

from config.advice import ADVICE
from config.openapi import Kind, example_of
from config.problems import CONTENT_TYPE

# What no operation says of itself: whoever asks for a method that is not there, and a defect of ours.
ANYWHERE: tuple[Kind, ...] = (exceptions.MethodNotAllowed, exceptions.APIException)

# The library keeps what it is working on in one place for all threads.
_making = Lock()


@dataclass(frozen=True)
class Operation:
    """One thing that programs may ask for."""

    id: str
    tag: str
    method: str
    path: str
    described: dict[str, Any] = field(repr=False, hash=False, compare=False)

    def examples(self) -> Iterator[dict[str, Any]]:
        """Return each refusal as it would be answered."""
        for response in self.described["responses"].values():
            for example in response.get("content", {}).get(CONTENT_TYPE, {}).get("examples", {}).values():
                yield example["value"]


@dataclass
class Explained:
    """One code: by which status and in which words it is said, what to do then, and what refuses so."""

    code: str
    title: str
    status: int
    advice: str
    sentences: list[str] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)


def read_description() -> dict[str, Any]:
    with _making:
        return _describe()


@cache
def _describe() -> dict[str, Any]:
    described = SchemaGenerator(urlconf="config.urls").get_schema(public=True)
    # As it is read by others: nothing lazy, no dates.
    description: dict[str, Any] = json.loads(OpenApiJsonRenderer().render(described, renderer_context={}))
    return description


@cache
def read_yaml() -> bytes:
    written: bytes = OpenApiYamlRenderer().render(read_description(), renderer_context={})
    return written


@cache
def read_json() -> bytes:
    written: bytes = OpenApiJsonRenderer().render(read_description(), renderer_context={})
    return written


@cache
def read_operations() -> list[Operation]:
    """Return every operation, in the order of the description."""
    return [
        Operation(described["operationId"], described["tags"][0], method.upper(), path, described)
        for path, methods in read_description()["paths"].items()
        for method, described in methods.items()
    ]


@cache
def explain_refusals() -> list[Explained]:
    """Return every code that a program can meet, by the alphabet."""
    found: dict[str, Explained] = {}
    for kind in ANYWHERE:
        _explain(found, example_of(kind), None)
    for operation in read_operations():
        for example in operation.examples():
            _explain(found, example, operation)
    return [found[code] for code in sorted(found)]


def _explain(found: dict[str, Explained], example: dict[str, Any], operation: Operation | None) -> None:
    code = example["code"]
    explained = found.setdefault(code, Explained(code, example["title"], example["status"], str(ADVICE[code])))
    if example["detail"] not in explained.sentences:
        explained.sentences.append(example["detail"])
    if operation and operation not in explained.operations:
        explained.operations.append(operation)
