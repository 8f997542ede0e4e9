"""Which programs listen to an organizer's sales, and what has happened that they want to know."""

from __future__ import annotations

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organizer


class FactType(models.TextChoices):
    """What can be told: a noun, and what became of it. See docs/webhooks.md."""

    ADMISSION_CREATED = "admission.created", _("A fan joined a line")
    ADMISSION_ADMITTED = "admission.admitted", _("A fan was let in")
    ADMISSION_EXPIRED = "admission.expired", _("A fan's turn ended without a purchase")
    ADMISSION_COMPLETED = "admission.completed", _("A fan's turn ended with a purchase")
    QUEUE_SOLD_OUT = "queue.sold_out", _("A queue sold out")
    ORDER_PAID = "order.paid", _("An order was paid")
    ORDER_REFUNDED = "order.refunded", _("The money of an order went back")


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def for_organizer(self, organizer: Organizer) -> Self:
        return self.filter(organizer=organizer)

    def active(self) -> Self:
        return self.filter(is_active=True)

    def asking_for(self, fact_type: FactType) -> Self:
        return self.filter(types__contains=[fact_type.value])


class Endpoint(models.Model):
    """An address of an organizer's own program, and the types of facts that it wants."""

    organizer = models.ForeignKey(
        Organizer, verbose_name=_("organizer"), on_delete=models.CASCADE, related_name="endpoints"
    )
    url = models.URLField(_("address"), max_length=500)
    types = ArrayField(models.CharField(max_length=40, choices=FactType.choices), verbose_name=_("wants to know"))
    is_active = models.BooleanField(
        _("listens"), default=True, help_text=_("Unselect this, and nothing more is recorded for this address.")
    )

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        constraints = [
            models.UniqueConstraint(
                name="organizer_names_an_address_once",
                fields=["organizer", "url"],
                violation_error_message=_("This address is there already: change the types it wants instead."),
            ),
            models.CheckConstraint(name="endpoint_asks_for_something", condition=Q(types__len__gte=1)),
        ]

    def __str__(self) -> str:
        return self.url


class FactQuerySet(models.QuerySet["Fact"]):
    def for_organizer(self, organizer: Organizer) -> Self:
        return self.filter(organizer=organizer)

    def in_order(self) -> Self:
        """Facts as they happened; exact for the facts of one admission (see `outbox`)."""
        return self.order_by("pk")


class Fact(models.Model):
    """Something that has happened in a sale, as it is told to the organizer's programs.

    One row, however many endpoints want it: what becomes of it at each of them is theirs, not the fact's. It is
    written once and never changed.
    """

    organizer = models.ForeignKey(
        Organizer, verbose_name=_("organizer"), on_delete=models.CASCADE, related_name="facts", db_index=False
    )
    type = models.CharField(_("type"), max_length=40, choices=FactType.choices)
    # Whose passage it belongs to, where it belongs to one; known here only as an id.
    admission = models.UUIDField(_("admission"), null=True)
    data = models.JSONField(_("data"), encoder=DjangoJSONEncoder)
    happened_at = models.DateTimeField(_("happened"), db_default=Now())

    objects = FactQuerySet.as_manager()

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        indexes = [models.Index(name="facts_of_an_organizer", fields=["organizer", "-id"])]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"

    def body(self) -> dict[str, Any]:
        """Return what is told."""
        return {"type": self.type, "timestamp": self.happened_at, "data": self.data}
