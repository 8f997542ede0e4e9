"""Instants as programs read them."""

from datetime import UTC, datetime


def written(instant: datetime) -> str:
    """Write an aware instant in UTC with a Z, as the REST framework writes those of serializers (RFC 3339)."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
