"""The allowance: what one fan holds of one event. A part of the models."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from events.models import Event


class AllowanceQuerySet(models.QuerySet["Allowance"]):
    def lock(self) -> Self:
        """Lock the rows, lowest pk first, against every other writer."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)

    def of(self, user: User, event: Event) -> Self:
        return self.filter(user=user, event=event)


class Allowance(models.Model):
    """What one fan holds of one event: the gate that limits are kept by.

    Counts live orders: live holds and paid orders that are not wholly refunded. Whatever may change what a fan
    holds takes this row first, before any other.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="allowances", db_index=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="allowances")
    order_count = models.PositiveIntegerField(_("orders"), default=0)
    ticket_count = models.PositiveIntegerField(_("tickets"), default=0)
    # The limits as they were when an order was last added; the constraint keeps what the service asked for.
    order_limit = models.PositiveIntegerField(_("orders allowed"), default=0)
    ticket_limit = models.PositiveIntegerField(_("tickets allowed"), default=0)

    objects = AllowanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("allowance")
        verbose_name_plural = _("allowances")
        constraints = [
            models.UniqueConstraint(name="fan_has_one_allowance_an_event", fields=["user", "event"]),
            models.CheckConstraint(
                name="fan_never_over_the_order_limit", condition=Q(order_count__lte=F("order_limit"))
            ),
            models.CheckConstraint(
                name="fan_never_over_the_ticket_limit", condition=Q(ticket_count__lte=F("ticket_limit"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} / {self.event}"
