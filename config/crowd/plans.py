"""Who comes and does what: pure, and the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

FEWEST_FANS = 10
MOST_TICKETS = 4
# The dearer, the fewer want it first; for tiers in the order of the page, dearest first.
TASTE = (15, 20, 30, 35)
# From so many fans on each kind of misbehaviour must really happen.
ENOUGH_FOR_EVERY_KIND = 50
SIGN_UPS = 4
EARLY_OF_A_KIND = 2


class Kind(StrEnum):
    """What a fan is up to."""

    BUYS = "buys"
    JOINS_TOO_SOON = "joins too soon"
    JOINS_TWICE = "joins twice in parallel"
    LEAVES = "leaves the line"
    STAYS_AWAY = "never shows up"
    LETS_LAPSE = "lets a hold lapse"
    BUYS_TWICE = "buys twice in parallel"
    IS_DECLINED = "is declined first"
    WALKS_AWAY = "walks away from the payment"
    PAYS_LATE = "pays too late"


MISBEHAVIOUR: tuple[Kind, ...] = tuple(kind for kind in Kind if kind != Kind.BUYS)
# These buy for certain as long as there is something to buy, and come back when they got nothing.
BUYERS = {Kind.BUYS, Kind.JOINS_TOO_SOON, Kind.JOINS_TWICE, Kind.BUYS_TWICE, Kind.IS_DECLINED}


@dataclass(frozen=True)
class Plan:
    """One fan: `wishes` are tiers, the dearest to the heart first; `arrives_after` is seconds after the opening."""

    number: int
    name: str
    email: str
    kind: Kind
    wishes: tuple[str, ...]
    quantity: int
    arrives_after: float
    signs_up: bool
    seed: str

    @property
    def is_buyer(self) -> bool:
        return self.kind in BUYERS


def draw_plans(fans: int, seed: int, tiers: Sequence[str]) -> list[Plan]:
    """Draw a crowd of so many fans; `tiers` are short names in the order of the page."""
    rng = Random(seed)  # noqa: S311 - a crowd is no secret
    kinds = _deal_kinds(fans, rng)
    favourites = _deal_favourites(fans, tiers, rng)
    seen: Counter[Kind] = Counter()
    plans = []
    for number, (kind, favourite) in enumerate(zip(kinds, favourites, strict=True), start=1):
        others = [tier for tier in tiers if tier != favourite]
        plan = Plan(
            number=number,
            name=f"Fan {number}",
            email=f"fan-{number}@rehearsal.example",
            kind=kind,
            wishes=(favourite, *rng.sample(others, len(others))),
            quantity=MOST_TICKETS if kind == Kind.BUYS_TWICE else rng.randint(1, MOST_TICKETS),
            arrives_after=_arrival(fans, kind, rng, is_early=seen[kind] < EARLY_OF_A_KIND),
            signs_up=number <= SIGN_UPS,
            seed=f"{seed}/{number}",
        )
        seen[kind] += 1
        plans.append(plan)
    return plans


def _deal_kinds(fans: int, rng: Random) -> list[Kind]:
    each = max(1, fans // 18)
    kinds: list[Kind] = [kind for kind in MISBEHAVIOUR for _ in range(each)]
    kinds += [Kind.BUYS] * (fans - len(kinds))
    rng.shuffle(kinds)
    return kinds


def _deal_favourites(fans: int, tiers: Sequence[str], rng: Random) -> list[str]:
    """Every tier is somebody's favourite."""
    weights = [TASTE[min(index, len(TASTE) - 1)] for index in range(len(tiers))]
    favourites = [*tiers, *rng.choices(tiers, weights, k=fans - len(tiers))]
    rng.shuffle(favourites)
    return favourites


def _arrival(fans: int, kind: Kind, rng: Random, *, is_early: bool) -> float:
    if kind == Kind.LEAVES:
        # There must be a line by then to leave.
        return rng.uniform(2, 4)
    if is_early and kind != Kind.BUYS:
        # Early enough to meet tickets: so each kind of misbehaviour has its chance.
        return rng.uniform(0, 0.3)
    if rng.random() < 0.5:
        # A page that was ready joins by itself within two seconds of the opening.
        return rng.uniform(0.3, 2)
    return rng.uniform(2, 4 + fans * 0.03)


def demand(plans: Sequence[Plan]) -> Counter[str]:
    """Return how many tickets of each tier are somebody's first wish."""
    wanted: Counter[str] = Counter()
    for plan in plans:
        wanted[plan.wishes[0]] += plan.quantity
    return wanted


def scaled_quantities(plans: Sequence[Plan]) -> dict[str, int]:
    """Return a stock for each tier: together for at most 40 % of the demand, and for less than buyers will take."""
    wanted = demand(plans)
    sure = sum(plan.quantity for plan in plans if plan.is_buyer)
    total = min(wanted.total() * 2 // 5, sure * 4 // 5)
    quantities = {tier: max(1, number * total // wanted.total()) for tier, number in wanted.items()}
    while sum(quantities.values()) > total:
        quantities[max(quantities, key=quantities.__getitem__)] -= 1
    return quantities
