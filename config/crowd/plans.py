"""Who comes and does what: pure, and the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

# One of each kind, and some who just buy.
FEWEST_FANS = 20
MOST_TICKETS = 4
# The dearer, the fewer want it first; for tiers in the order of the page, dearest first.
TASTE = (15, 20, 30, 35)
# From so many fans on each kind of misbehaviour must really happen.
ENOUGH_FOR_EVERY_KIND = 50
SIGN_UPS = 4
EARLY_OF_A_KIND = 2
KINDS_SHARE = 24

PRESALE, GENERAL = "presale", "general"
# Every third has a code for the presale; it works for nine tenths of them.
PRESALE_SHARE = 3

# Of programs: every so manyth is badly written and remembers no answer, and every so manyth has a bad line.
CARELESS, ON_A_BAD_LINE = 4, 6


class Kind(StrEnum):
    """What a fan is up to."""

    BUYS = "buys"
    JOINS_TOO_SOON = "joins too soon"
    JOINS_TWICE = "joins twice in parallel"
    LEAVES = "leaves the line"
    STAYS_AWAY = "never shows up"
    RETURNS = "returns after expiring"
    LETS_LAPSE = "lets a hold lapse"
    BUYS_TWICE = "buys in two tabs in parallel"
    BUYS_IN_TWO_QUEUES = "buys in two queues in parallel"
    GUESSES = "guesses codes"
    IS_DECLINED = "is declined first"
    WALKS_AWAY = "walks away from the payment"
    PAYS_LATE = "pays too late"


MISBEHAVIOUR: tuple[Kind, ...] = tuple(kind for kind in Kind if kind != Kind.BUYS)
# These buy for certain as long as there is something to buy, and come back when they got nothing.
BUYERS = {
    Kind.BUYS,
    Kind.JOINS_TOO_SOON,
    Kind.JOINS_TWICE,
    Kind.BUYS_TWICE,
    Kind.BUYS_IN_TWO_QUEUES,
    Kind.GUESSES,
    Kind.IS_DECLINED,
}
# Without a code of their own, or with one for a queue beside it.
IN_THE_GENERAL_SALE = {Kind.GUESSES, Kind.BUYS_IN_TWO_QUEUES}


@dataclass(frozen=True)
class Plan:
    """One fan: `wishes` are tiers, the dearest to the heart first; `arrives_after` is seconds after the opening.

    Who `is_ready` has been there before the opening. `queue` is the line to stand in.
    """

    number: int
    name: str
    email: str
    kind: Kind
    wishes: tuple[str, ...]
    quantity: int
    queue: str
    is_ready: bool
    arrives_after: float
    signs_up: bool
    seed: str

    @property
    def is_buyer(self) -> bool:
        return self.kind in BUYERS

    @property
    def is_careful(self) -> bool:
        """Whether a program of this fan's asks for changes only."""
        return self.number % CARELESS != 0

    @property
    def loses_answers(self) -> bool:
        return self.number % ON_A_BAD_LINE == 0

    @property
    def has_code(self) -> bool:
        return self.queue == PRESALE or self.kind == Kind.BUYS_IN_TWO_QUEUES


def draw_plans(fans: int, seed: int, tiers: Sequence[str]) -> list[Plan]:
    """Draw a crowd of so many fans; `tiers` are short names in the order of the page."""
    rng = Random(seed)  # noqa: S311 - a crowd is no secret
    kinds = _deal_kinds(fans, rng)
    favourites = _deal_favourites(fans, tiers, rng)
    seen: Counter[Kind] = Counter()
    plans = []
    for number, (kind, favourite) in enumerate(zip(kinds, favourites, strict=True), start=1):
        others = [tier for tier in tiers if tier != favourite]
        arrives_after, is_ready = _arrival(fans, kind, rng, is_early=seen[kind] < EARLY_OF_A_KIND)
        plan = Plan(
            number=number,
            name=f"Fan {number}",
            email=f"fan-{number}@rehearsal.example",
            kind=kind,
            wishes=(favourite, *rng.sample(others, len(others))),
            quantity=MOST_TICKETS if kind == Kind.BUYS_TWICE else rng.randint(1, MOST_TICKETS),
            queue=PRESALE if number % PRESALE_SHARE == 0 and kind not in IN_THE_GENERAL_SALE else GENERAL,
            is_ready=is_ready,
            arrives_after=arrives_after,
            signs_up=number <= SIGN_UPS,
            seed=f"{seed}/{number}",
        )
        seen[kind] += 1
        plans.append(plan)
    return plans


def _deal_kinds(fans: int, rng: Random) -> list[Kind]:
    each = max(1, fans // KINDS_SHARE)
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


def _arrival(fans: int, kind: Kind, rng: Random, *, is_early: bool) -> tuple[float, bool]:
    """Return how many seconds after the opening a fan joins, and whether that fan has got ready before it."""
    if kind == Kind.LEAVES:
        # There must be a line by then to leave.
        return rng.uniform(2, 4), False
    if kind == Kind.BUYS_IN_TWO_QUEUES:
        # Both turns must last at the same time.
        return 0, True
    if is_early and kind != Kind.BUYS:
        # Early enough to meet tickets: so each kind of misbehaviour has its chance.
        return rng.uniform(0.2, 0.5), True
    if rng.random() < 0.5 or kind == Kind.JOINS_TOO_SOON:
        # A page that was ready joins by itself within two seconds of the opening.
        return rng.uniform(0.5, 2), True
    return rng.uniform(2, 4 + fans * 0.03), False


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


def code_uses(plans: Sequence[Plan]) -> int:
    """Return how many fans may use the presale's code: not quite all who have it."""
    return max(1, sum(plan.has_code for plan in plans) * 9 // 10)
