"""The pages of a list, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import reduce
from typing import Any

from django.db.models import Model, Q
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from accounts import vault

AHEAD, BACK = "ahead", "back"


class ByCursor(CursorPagination):
    """Leads on from the last row that was seen, so that what is added meanwhile shifts nothing.

    A list says its order as `ordering`: columns that are never empty, of its rows or of rows that were read with them
    (`event__starts_at`), `pk` as the last of them, so that no two rows have the same place. A cursor is the whole place
    of a row and not, as the library's own, a number of rows behind a value that many may share. It is sealed: only
    places that we gave out are ever asked for, and nobody reads out of it how many rows there are.
    """

    ordering: tuple[str, ...]
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 100

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        self.base_url = request.build_absolute_uri()
        size = self.get_page_size(request) or self.page_size
        way, seen = self._read_cursor(request, queryset.model)
        order = self.ordering if way == AHEAD else [_turned(name) for name in self.ordering]
        rows = list((queryset.filter(_behind(order, seen)) if seen else queryset).order_by(*order)[: size + 1])
        has_more, page = len(rows) > size, rows[:size]
        if way == BACK:
            page.reverse()
        self._last = page[-1] if page and (has_more or way == BACK) else None
        self._first = page[0] if page and seen and (has_more or way == AHEAD) else None
        return page

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page; the library does so in the words of OpenAPI 3.0, and with an example that is no address."""
        described = super().get_paginated_response_schema(schema)
        for name, cursor in (("next", "Z0FBQUFB"), ("previous", None)):
            example = f"https://tickets.example.com/api/v1/events/?cursor={cursor}" if cursor else None
            described["properties"][name] = {"type": ["string", "null"], "format": "uri", "example": example}
        return described

    def get_next_link(self) -> str | None:
        return self._link(AHEAD, self._last)

    def get_previous_link(self) -> str | None:
        return self._link(BACK, self._first)

    def _link(self, way: str, row: Model | None) -> str | None:
        if row is None:
            return None
        place = [_value(row, name) for name in self.ordering]
        cursor = vault.seal(json.dumps([self.ordering, way, place]))
        return replace_query_param(str(self.base_url), self.cursor_query_param, cursor)

    def _read_cursor(self, request: Request, model: type[Model]) -> tuple[str, list[Any]]:
        """Return which way to go, and from which place; nowhere in particular without a cursor.

        Raises:
            NotFound: it is none of ours, or one of a list with another order.
        """
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return AHEAD, []
        try:
            order, way, place = json.loads(vault.unseal(text))
        except vault.SecretLost:
            order = None
        if order != list(self.ordering):
            raise NotFound(self.invalid_cursor_message)
        return way, [_column(model, name).to_python(value) for name, value in zip(self.ordering, place, strict=True)]


def _behind(order: Sequence[str], place: Sequence[Any]) -> Q:
    """Return what is true of the rows that come after `place`: by the last column among those that share the others."""
    behind = Q(pk__in=[])
    for name, value in reversed(list(zip(order, place, strict=True))):
        column = name.removeprefix("-")
        step = "lt" if name.startswith("-") else "gt"
        behind = Q(**{f"{column}__{step}": value}) | (Q(**{column: value}) & behind)
    return behind


def _turned(name: str) -> str:
    return name.removeprefix("-") if name.startswith("-") else f"-{name}"


def _column(model: Any, name: str) -> Any:
    *path, last = name.removeprefix("-").split("__")
    for step in path:
        model = model._meta.get_field(step).related_model  # noqa: SLF001 - documented by Django
    return model._meta.pk if last == "pk" else model._meta.get_field(last)  # noqa: SLF001


def _value(row: Model, name: str) -> str:
    *path, _last = name.removeprefix("-").split("__")
    return str(_column(type(row), name).value_to_string(reduce(getattr, path, row)))
