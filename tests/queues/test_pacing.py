import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues import pacing
from queues.pacing import RateRange, Traffic

OPENING = datetime(2027, 3, 1, 10, tzinfo=UTC)
MINUTE = timedelta(seconds=60)
PLENTY = 10**9


def at(seconds: float) -> datetime:
    return OPENING + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("active", "shoppers", "available", "why"),
    [(0, 0, 0, "stock"), (3, 2, 2, "stock"), (3, 2, 3, ""), (4, 1, 9, "room"), (5, 1, 9, "room"), (4, 4, 4, "stock")],
)
def test_door_is_held_by_stock_or_by_room(active: int, shoppers: int, available: int, why: str):
    assert pacing.held_up_by(Traffic(active, shoppers, available, []), max_concurrent=4) == why


@dataclass
class Sale:
    """A sale in which everybody behaves as `chance` wills it: holds tickets, buys, gives up, or just looks."""

    rate: int
    cap: int
    stock: int
    waiting: int
    chance: random.Random
    now: datetime = OPENING
    shoppers: int = 0
    holders: list[int] = field(default_factory=list)
    admitted: list[tuple[datetime, int]] = field(default_factory=list)

    def tick(self) -> int:
        """Admit who is due, as the database's tick does; returns how many."""
        recent = [(then, number) for then, number in self.admitted if then > self.now - MINUTE]
        traffic = Traffic(len(self.holders) + self.shoppers, self.shoppers, self.stock, recent)
        due = pacing.admissions_due(traffic, now=self.now, rate_per_minute=self.rate, max_concurrent=self.cap)
        due = min(due, self.waiting)
        if due:
            self.admitted.append((self.now, due))
        self.waiting -= due
        self.shoppers += due
        return due

    def live_on(self, seconds: float) -> None:
        for _ in range(self.chance.randrange(4)):
            if self.shoppers and self.stock:
                taken = self.chance.randint(1, min(4, self.stock))
                self.shoppers, self.stock = self.shoppers - 1, self.stock - taken
                self.holders.append(taken)
        if self.holders and self.chance.random() < 0.5:
            given_back = self.holders.pop()
            self.stock += given_back if self.chance.random() < 0.3 else 0
        if self.shoppers and self.chance.random() < 0.2:
            self.shoppers -= self.chance.randint(1, self.shoppers)
        self.now += timedelta(seconds=seconds)

    def admitted_within(self, span: timedelta) -> int:
        """Return the greatest number admitted in any such span, wherever it begins."""
        return max(
            (
                sum(number for then, number in self.admitted if first <= then < first + span)
                for first, _ in self.admitted
            ),
            default=0,
        )


SALES = st.builds(
    Sale,
    rate=st.one_of(st.integers(1, 20), st.integers(60, 3000)),
    cap=st.one_of(st.integers(1, 10), st.integers(1, 2000), st.just(PLENTY)),
    stock=st.one_of(st.integers(0, 20), st.integers(0, 20_000), st.just(PLENTY)),
    waiting=st.one_of(st.integers(0, 50), st.just(PLENTY)),
    chance=st.integers().map(random.Random),
)
# Ticks as they come: on time, in heaps, late, after long silences, and all of it in turn.
RHYTHMS: list[list[tuple[float, float]]] = [
    [(0.95, 1.05)],
    [(0.001, 0.2)],
    [(1.5, 4)],
    [(0.95, 1.05), (0.95, 1.05), (0.001, 0.2), (1, 90)],
]
TICKS = 200


@st.composite
def pauses_between_ticks(draw: st.DrawFn) -> list[float]:
    rhythm, chance = draw(st.sampled_from(RHYTHMS)), random.Random(draw(st.integers()))
    return [chance.uniform(*chance.choice(rhythm)) for _ in range(TICKS)]


PAUSES = pauses_between_ticks()


@given(sale=SALES, pauses=PAUSES)
def test_nobody_is_admitted_above_the_cap_or_to_an_empty_shop(sale: Sale, pauses: list[float]):
    for pause in pauses:
        if sale.tick():
            assert sale.shoppers + len(sale.holders) <= sale.cap
            assert sale.shoppers <= sale.stock
        sale.live_on(pause)


@given(sale=SALES, pauses=PAUSES)
def test_rate_is_kept_in_any_sixty_seconds(sale: Sale, pauses: list[float]):
    for pause in pauses:
        sale.tick()
        sale.live_on(pause)

    assert sale.admitted_within(MINUTE) <= sale.rate


@given(sale=SALES, pauses=PAUSES)
def test_admissions_are_spread_evenly_and_no_tick_makes_up_for_more_than_a_second(sale: Sale, pauses: list[float]):
    for pause in pauses:
        assert sale.tick() <= sale.rate / 60 + 1
        sale.live_on(pause)

    for seconds in (1, 5, 20):
        assert sale.admitted_within(timedelta(seconds=seconds)) <= sale.rate * (seconds + 1) / 60 + 1


@pytest.mark.parametrize("rate", [30, 300, 1234])
def test_with_a_tick_a_second_each_second_brings_its_share(rate: int):
    sale = Sale(rate, PLENTY, PLENTY, PLENTY, random.Random(1))

    admitted = []
    for _ in range(50):
        admitted.append(sale.tick())
        sale.now += timedelta(seconds=1)

    assert {number - rate // 60 for number in admitted} <= {0, 1}


PAUSES_ON_TIME: dict[str, Callable[[random.Random], float]] = {
    "each second": lambda _: 1.0,
    "a little late": lambda _: 1.004,
    "often": lambda _: 0.37,
    "unsteady": lambda chance: chance.uniform(0.85, 1.15),
}


@pytest.mark.parametrize("pause", PAUSES_ON_TIME.values(), ids=PAUSES_ON_TIME)
@pytest.mark.parametrize("rate", [1, 7, 60, 300, 1000])
def test_line_that_may_move_does_move(rate: int, pause: Callable[[random.Random], float]):
    chance = random.Random(1)
    sale = Sale(rate, PLENTY, PLENTY, PLENTY, chance)

    admitted = 0
    while sale.now < at(300):
        admitted += sale.tick()
        sale.now += timedelta(seconds=pause(chance))

    assert admitted >= int(rate * 5 * 0.95)


@given(waiting=st.integers(1, 50), stock=st.integers(0, 60), rate=st.integers(1, 600))
def test_everyone_gets_in_whom_there_are_tickets_for(waiting: int, stock: int, rate: int):
    sale = Sale(rate, PLENTY, stock, waiting, random.Random(1))
    ends_at = at(min(waiting, stock) * 60 / rate + 60)

    while sale.now < ends_at:
        sale.tick()
        sale.now += timedelta(seconds=1)

    assert sale.shoppers == min(waiting, stock)


@pytest.mark.parametrize(
    ("active", "shoppers", "available", "due"),
    [
        (0, 0, 100, 6),  # a second of 300 a minute, and the one due at this instant
        (196, 0, 100, 4),
        (200, 0, 100, 0),
        (205, 0, 100, 0),  # the cap was lowered
        (10, 10, 13, 3),
        (10, 10, 10, 0),
        (10, 10, 5, 0),
        (0, 0, 0, 0),
    ],
)
def test_due_is_what_cap_and_tickets_leave(active: int, shoppers: int, available: int, due: int):
    traffic = Traffic(active, shoppers, available, [])

    assert pacing.admissions_due(traffic, now=at(0), rate_per_minute=300, max_concurrent=200) == due


def due_after(recent: list[tuple[datetime, int]], *, seconds: float, rate: int) -> int:
    return pacing.admissions_due(
        Traffic(0, 0, PLENTY, recent), now=at(seconds), rate_per_minute=rate, max_concurrent=PLENTY
    )


@pytest.mark.parametrize(("seconds", "due"), [(59.999999, 0), (60, 1), (61, 1)])
def test_one_a_minute_is_admitted_after_a_minute(seconds: float, due: int):
    assert due_after([(at(0), 1)], seconds=seconds, rate=1) == due


@pytest.mark.parametrize(("seconds", "due"), [(0, 0), (0.999, 0), (1, 1), (1.999, 1), (2, 2), (59, 2)])
def test_who_is_admitted_takes_the_time_of_the_next(seconds: float, due: int):
    # One a second; the catching up of a second lets the first two in at once.
    assert due_after([(at(0), 2)], seconds=seconds, rate=60) == due


def test_rate_that_was_lowered_holds_at_once():
    assert [due_after([(at(0), 50)], seconds=seconds, rate=10) for seconds in (1, 30, 59.9)] == [0, 0, 0]
    assert due_after([], seconds=60, rate=10) == 1


@pytest.mark.parametrize(
    ("recent", "rate", "cap", "window", "expected"),
    [
        ([], 300, 200, 600, RateRange(low=20.0, high=300.0)),
        ([], 10, 200, 600, RateRange(low=10.0, high=10.0)),
        ([(at(-60), 100)], 300, 200, 600, RateRange(low=20.0, high=300.0)),
        ([(at(-30), 50)], 300, 200, 600, RateRange(low=75.0, high=150.0)),
        ([(at(-30), 150)], 300, 200, 600, RateRange(low=225.0, high=300.0)),
        ([(at(-30), 1)], 300, 200, 600, RateRange(low=20.0, high=20.0)),
        ([(at(-1), 5)], 300, 200, 600, RateRange(low=22.5, high=45.0)),
    ],
)
def test_rate_range_goes_by_the_last_minute_within_what_is_possible(
    recent: list[tuple[datetime, int]], rate: int, cap: int, window: int, expected: RateRange
):
    found = pacing.rate_range(recent, now=at(0), rate_per_minute=rate, max_concurrent=cap, window_seconds=window)

    assert found == expected


@given(
    recent=st.lists(st.tuples(st.floats(0, 120), st.integers(1, 500)), max_size=20),
    rate=st.integers(1, 3000),
    cap=st.integers(1, 3000),
    window=st.integers(30, 3600),
)
def test_rate_range_is_a_range_up_to_the_rate(recent: list[tuple[float, int]], rate: int, cap: int, window: int):
    past = sorted((at(-seconds), number) for seconds, number in recent)

    found = pacing.rate_range(past, now=at(0), rate_per_minute=rate, max_concurrent=cap, window_seconds=window)

    assert 0 < found.low <= found.high <= rate


def polls_per_second(waiting: int, advice: pacing.PollAdvice) -> float:
    """Return how often all ask together: each with the pause of the own place between near and far."""
    step = (advice.far - advice.near) / max(1, waiting - 1)
    return sum(1 / (advice.near + step * place) for place in range(waiting))


@pytest.mark.parametrize("waiting", [1, 3999, 4000, 4001, 4002, 5000, 20_000, 100_000, 1_000_000])
def test_all_askers_together_stay_under_the_setting(waiting: int):
    advice = pacing.poll_advice(waiting, polls_per_second=2000)

    assert polls_per_second(waiting, advice) <= 2000
    assert advice.near == 2.0


@given(waiting=st.integers(0, 5000), setting=st.integers(1, 3000))
def test_askers_stay_under_any_setting(waiting: int, setting: int):
    advice = pacing.poll_advice(waiting, polls_per_second=setting)

    assert polls_per_second(waiting, advice) <= setting


@given(waiting=st.integers(4100, 100_000))
def test_nobody_asks_more_rarely_than_the_setting_demands(waiting: int):
    advice = pacing.poll_advice(waiting, polls_per_second=2000)

    assert polls_per_second(waiting, advice) >= 0.9 * 2000


def test_short_line_asks_as_often_at_its_end_as_at_its_front():
    assert pacing.poll_advice(4000, polls_per_second=2000) == pacing.PollAdvice(near=2.0, far=2.0)
