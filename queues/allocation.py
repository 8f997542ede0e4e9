"""The allocation: how many tickets one queue may give at most. A part of the models."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

IS_LEFT = Q(allocation__isnull=True) | Q(allocated_count__lt=F("allocation"))
IS_USED_UP = Q(allocation__isnull=False, allocated_count__gte=F("allocation"))


class HasAllocation(models.Model):
    """A queue's ceiling. No ticket is kept for it: what others have bought cannot be sold here, either.

    The counter moves only through `queues.services.allocations`, and only while there is an allocation.
    """

    allocation = models.PositiveIntegerField(
        _("tickets for this queue"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "No more than these are sold here; what is left of them stays for the other queues. Empty: all there are."
        ),
    )
    allocated_count = models.PositiveIntegerField(_("reserved or sold in this queue"), default=0, editable=False)

    class Meta:
        abstract = True

    @property
    def allocation_left(self) -> int | None:
        """Tickets that the ceiling still leaves; None without one."""
        return None if self.allocation is None else max(0, self.allocation - self.allocated_count)

    def at_most(self, tickets: int) -> int:
        """Return so many of `tickets` as the ceiling leaves."""
        return tickets if self.allocation_left is None else min(tickets, self.allocation_left)
