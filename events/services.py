"""What happens to stock.

Stock moves only here, by guarded UPDATEs, one a tier, lowest pk first. They carry no transaction of their own:
the caller makes them the last statements of his, so that a hot row is locked no longer than a commit takes. One that
misses raises, and with that rolls back everything the caller did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from django.db import transaction
from django.db.models import PROTECT, F, ManyToManyRel, Model
from django.utils.text import get_text_list
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.refusals import Refusal
from events import availability
from events.models import AVAILABLE, Event, Tier


class TierNotFound(Refusal):
    message = _("This ticket is not part of the sale.")


class NotEnoughTickets(Refusal):
    """Fewer are left than asked for; `facts["available"]` says how many."""

    def __init__(self, tier: Tier, available: int) -> None:
        super().__init__(
            ngettext_lazy(
                "Not enough tickets available: %(available)d ticket is left of %(tier)s.",
                "Not enough tickets available: %(available)d tickets are left of %(tier)s.",
                "available",
            )
            % {"available": available, "tier": tier.name},
            available=available,
            tier=tier.slug,
        )


class SoldOut(Refusal):
    """None is left; `facts["available"]` is 0."""

    def __init__(self, tier: Tier) -> None:
        super().__init__(
            _("Sold out: no tickets are left of %(tier)s.") % {"tier": tier.name}, available=0, tier=tier.slug
        )


class QuantityBelowFloor(Refusal):
    """More tickets are sold, reserved or set aside; `facts["lowest"]` is the lowest quantity possible."""

    def __init__(self, lowest: int) -> None:
        super().__init__(
            _("The quantity cannot be lower than %(lowest)d: so many are sold, reserved or set aside.")
            % {"lowest": lowest},
            lowest=lowest,
        )


class StockAboveQuantity(Refusal):
    """The rows of a tier say more than its counters can be set to; `facts["counted"]` says how many."""

    def __init__(self, tier: Tier, counted: int) -> None:
        super().__init__(
            _(
                "%(tier)s has %(counted)d tickets sold, reserved or set aside, more than there are. "
                "Raise its quantity first."
            )
            % {"tier": tier.name, "counted": counted},
            counted=counted,
            tier=tier.slug,
        )


class EventCancelled(Refusal):
    message = _("The event is cancelled, and stays so.")


class InUse(Refusal):
    """Others refer to the row; `facts["uses"]` names the kinds of rows that do."""

    def __init__(self, row: Model, uses: Sequence[str]) -> None:
        super().__init__(
            _("“%(row)s” cannot be deleted: it has %(uses)s.")
            % {"row": row, "uses": get_text_list(list(uses), _("and"))},
            uses=list(uses),
        )


class StockMismatchError(Exception):
    """A counter does not cover what is to be moved: rows and counters disagree, which is a defect."""


def check_stock(tier: Tier, quantity: int) -> None:
    """Refuse politely, by the counters as `tier` was read; the guarded UPDATE has the last word.

    Raises:
        SoldOut: none is left.
        NotEnoughTickets: fewer are left than `quantity`.
    """
    if tier.available == 0:
        raise SoldOut(tier)
    if tier.available < quantity:
        raise NotEnoughTickets(tier, tier.available)


def hold_stock(quantities: Mapping[Tier, int]) -> None:
    """Reserve tickets of each tier, all or none.

    Raises:
        SoldOut, NotEnoughTickets: as `check_stock`; the transaction must be rolled back.
    """
    for tier, quantity in _in_order(quantities):
        taken = (
            Tier.objects.alias(free=AVAILABLE)
            .filter(pk=tier.pk, free__gte=quantity)
            .update(reserved_count=F("reserved_count") + quantity)
        )
        if not taken:
            check_stock(Tier.objects.get(pk=tier.pk), quantity)
            raise NotEnoughTickets(tier, 0)
    _note_change(quantities)


def release_stock(quantities: Mapping[Tier, int]) -> None:
    """Give reserved tickets back."""
    for tier, quantity in _in_order(quantities):
        _move(tier, reserved_count=-quantity)
    _note_change(quantities)


def swap_stock(given_back: Mapping[Tier, int], taken: Mapping[Tier, int]) -> None:
    """Give reserved tickets back and reserve others, moving only the difference, each tier once.

    Raises:
        SoldOut, NotEnoughTickets: as `hold_stock`; the transaction must be rolled back.
    """
    for tier in sorted({*given_back, *taken}, key=lambda tier: tier.pk):
        difference = taken.get(tier, 0) - given_back.get(tier, 0)
        if difference > 0:
            hold_stock({tier: difference})
        elif difference < 0:
            release_stock({tier: -difference})


def sell_stock(quantities: Mapping[Tier, int]) -> None:
    """Turn reserved tickets into sold ones."""
    for tier, quantity in _in_order(quantities):
        _move(tier, reserved_count=-quantity, sold_count=quantity)
    _note_change(quantities)


def take_back_stock(quantities: Mapping[Tier, int]) -> None:
    """Put sold tickets back on sale, their tickets being void."""
    for tier, quantity in _in_order(quantities):
        _move(tier, sold_count=-quantity)
    _note_change(quantities)


def correct_stock(tier_id: int, *, sold: int | None = None, reserved: int | None = None) -> None:
    """Set counters that differed from their rows to what the rows say; None leaves one as it is. The tier is locked.

    Raises:
        StockAboveQuantity: the quantity does not allow it; the transaction must be rolled back.
    """
    tier = Tier.objects.get(pk=tier_id)
    tier.sold_count = tier.sold_count if sold is None else sold
    tier.reserved_count = tier.reserved_count if reserved is None else reserved
    if tier.lowest_quantity > tier.quantity + tier.returned_count:
        raise StockAboveQuantity(tier, tier.lowest_quantity)
    Tier.objects.filter(pk=tier_id).update(sold_count=tier.sold_count, reserved_count=tier.reserved_count)
    _note_change({tier: 0})


@transaction.atomic
def change_quantity(tier: Tier, quantity: int) -> None:
    """Set how many tickets of a tier there are.

    Raises:
        QuantityBelowFloor: more are sold, reserved or set aside; nothing is changed.
    """
    changed = (
        Tier.objects.alias(lowest=F("sold_count") + F("reserved_count") + F("set_aside_count"))
        .filter(pk=tier.pk, lowest__lte=quantity)
        .update(quantity=quantity)
    )
    if not changed:
        raise QuantityBelowFloor(Tier.objects.get(pk=tier.pk).lowest_quantity)
    _note_change({tier: quantity})


def check_unused(row: Model) -> None:
    """Refuse to delete what others refer to, without reading them all.

    A tier that a queue names is in use, too: a queue that loses its last one would open all tiers of the event.

    Raises:
        InUse
    """
    relations = [
        relation
        for relation in row._meta.related_objects  # noqa: SLF001 - Django's own name for what it documents
        if isinstance(relation, ManyToManyRel) or relation.on_delete is PROTECT
    ]
    uses = [
        str(relation.related_model._meta.verbose_name_plural)  # noqa: SLF001
        for relation in relations
        if relation.related_model._default_manager.filter(**{relation.field.name: row}).exists()  # noqa: SLF001
    ]
    if uses:
        raise InUse(row, uses)


@transaction.atomic
def publish_event(event: Event) -> None:
    """Show the event to the public. Twice changes nothing.

    Raises:
        EventCancelled
    """
    if (
        not Event.objects.filter(pk=event.pk)
        .exclude(status=Event.Status.CANCELLED)
        .update(status=Event.Status.PUBLISHED)
    ):
        raise EventCancelled
    event.status = Event.Status.PUBLISHED


@transaction.atomic
def cancel_event(event: Event) -> None:
    """End every sale of the event for good; it stays in sight. Twice changes nothing."""
    Event.objects.filter(pk=event.pk).update(status=Event.Status.CANCELLED)
    event.status = Event.Status.CANCELLED


def _in_order(quantities: Mapping[Tier, int]) -> list[tuple[Tier, int]]:
    if any(quantity < 1 for quantity in quantities.values()):
        raise ValueError("a stock move needs quantities of at least 1")
    return sorted(quantities.items(), key=lambda pair: pair[0].pk)


def _move(tier: Tier, **steps: int) -> None:
    enough = {f"{counter}__gte": -step for counter, step in steps.items() if step < 0}
    moved = Tier.objects.filter(pk=tier.pk, **enough).update(
        **{counter: F(counter) + step for counter, step in steps.items()}
    )
    if not moved:
        raise StockMismatchError(f"tier {tier.pk} cannot move {steps}")


def _note_change(quantities: Mapping[Tier, int]) -> None:
    for event_id in {tier.event_id for tier in quantities}:
        transaction.on_commit(partial(availability.mark_changed, event_id))
