"""Rows that go through stages: which status may follow which."""

from collections.abc import Collection, Mapping
from typing import ClassVar

from django.db import models


class HasStatus(models.Model):
    """Keep `status` on the paths of `TRANSITIONS`; a subclass declares both, and its `Status`."""

    TRANSITIONS: ClassVar[Mapping[str, Collection[str]]] = {}

    status = models.CharField(max_length=20)

    class Meta:
        abstract = True

    def move_to(self, status: str) -> None:
        """Set `status` without saving, or raise ValueError when it may not follow the present one."""
        if status not in self.TRANSITIONS.get(self.status, ()):
            raise ValueError(f"{self._meta.label} {self.pk} cannot go from {self.status!r} to {status!r}.")
        self.status = status
