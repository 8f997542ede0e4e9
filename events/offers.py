"""A tier as it is offered: its prices with the fee, and how much of it is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from events import money
from events.availability import Availability
from events.models import Event, Tier


@dataclass(frozen=True)
class Offer:
    """One tier on a page. Prices are of one ticket; `available` and `level` are those last shown to anybody."""

    tier: Tier
    price: Decimal
    fee: Decimal
    available: int
    level: str

    @property
    def price_with_fee(self) -> Decimal:
        return self.price + self.fee

    @property
    def is_gone(self) -> bool:
        return self.available == 0


def offers_of(event: Event, tiers: Iterable[Tier], availability: Availability) -> list[Offer]:
    """Return the tiers as offered, in the order given."""
    return [_offer(event, tier, availability) for tier in tiers]


def _offer(event: Event, tier: Tier, availability: Availability) -> Offer:
    left = availability.of(tier.slug)
    return Offer(
        tier=tier,
        price=money.rounded(tier.price, currency=event.currency),
        fee=money.fee(tier.price, percent=event.service_fee_percent, currency=event.currency),
        available=left.available if left else tier.available,
        level=left.level if left else "gone",
    )
