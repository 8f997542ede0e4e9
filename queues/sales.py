"""The sales of an event as its page shows them: in which phase each is, and what a visitor can do now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from events.models import Event
from queues.models import Phase, Queue

RUNNING = {Phase.OPEN, Phase.PAUSED}
AHEAD = {Phase.SCHEDULED, Phase.LOBBY}


class SalePhase(models.TextChoices):
    """Where the sale of an event stands, over all its queues."""

    UPCOMING = "upcoming", _("On sale soon")
    PRESALE = "presale", _("Presale")
    GENERAL = "general", _("On sale")
    SOLD_OUT = "sold_out", _("Sold out")
    ENDED = "ended", _("Sale ended")
    CANCELLED = "cancelled", _("Cancelled")


@dataclass(frozen=True)
class Sale:
    """One queue of an event, with its phase at one instant."""

    queue: Queue
    phase: Phase

    @property
    def is_running(self) -> bool:
        return self.phase in RUNNING

    @property
    def is_ahead(self) -> bool:
        return self.phase in AHEAD


def of_event(event: Event, *, now: datetime) -> list[Sale]:
    """Return the sales of an event whose queues were fetched with it, in their order."""
    return [Sale(queue, queue.phase(now)) for queue in event.queues.all()]


def sale_phase(event: Event, sales: Sequence[Sale], *, now: datetime) -> SalePhase:
    """Derive the phase of an event's sale from its queues; the queues come with the event."""
    if event.is_cancelled:
        return SalePhase.CANCELLED
    if event.starts_at <= now:
        return SalePhase.ENDED
    running = {sale.queue.kind for sale in sales if sale.is_running}
    if running:
        return SalePhase.GENERAL if Queue.Kind.GENERAL in running else SalePhase.PRESALE
    return _phase_between(sales)


def _phase_between(sales: Sequence[Sale]) -> SalePhase:
    """Derive the phase of a sale none of whose queues is running."""
    if not sales or any(sale.is_ahead for sale in sales):
        return SalePhase.UPCOMING
    if any(sale.phase == Phase.SOLD_OUT for sale in sales):
        return SalePhase.SOLD_OUT
    return SalePhase.ENDED


def next_sale(sales: Sequence[Sale]) -> Sale | None:
    """Return the sale that the page's one button leads to: the running one, else the next to open."""
    open_ones = [sale for sale in sales if sale.is_running]
    general_first = sorted(open_ones, key=lambda sale: sale.queue.kind != Queue.Kind.GENERAL)
    ahead = sorted((sale for sale in sales if sale.is_ahead), key=lambda sale: sale.queue.scheduled_start)
    return next(iter([*general_first, *ahead]), None)
