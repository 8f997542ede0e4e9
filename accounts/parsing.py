"""What programs send, read."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import exceptions, parsers, serializers


class JSONParser(parsers.JSONParser):
    """Reads JSON, and refuses as malformed what is nested more deeply than can be read."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError from None


class TextField(serializers.CharField):
    """Takes text alone: no number that could be written as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """Takes numbers alone: no text that reads as one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)
