"""What the browser works out from a board is what the server works out: their words may not change places."""

from __future__ import annotations

from typing import Any

import pytest

from queues import pacing
from queues.board import people_ahead
from queues.journey import WaitRange, estimate_wait
from queues.templatetags.line import as_words
from tests.journeys.sales import Sale
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser


def board(marks: list[tuple[int, int]], *, through: int = 0, low: float = 30, high: float = 300) -> dict[str, Any]:
    waiting = marks[-1][1] + 1 if marks else 0
    advice = pacing.poll_advice(waiting, polls_per_second=20)
    return {
        "marks": marks,
        "waiting": waiting,
        "admitted_through": through,
        "places_given": marks[-1][0] if marks else through,
        "rate": {"low": low, "high": high},
        "near_seconds": advice.near,
        "far_seconds": advice.far,
    }


LONG = [(7 + 3 * ahead, ahead) for ahead in range(100)] + [(400 + 31 * step, 99 + 13 * step) for step in range(1, 90)]
BOARDS = [
    board([]),
    board([], through=99),
    board([(5, 0)], through=4),
    board([(10, 0), (13, 1), (20, 2)], through=9),
    board([(10, 0), (20, 5), (21, 6), (1000, 77)], through=9, low=0, high=24),
    board([(10, 0), (20, 5), (21, 6), (1000, 77)], through=9, low=24, high=24),
    board(LONG, through=6),
    board([(1, 0), (1_000_000, 99_999)], low=7, high=11),
]
PLACES = [1, 4, 5, 6, 9, 10, 11, 12, 15, 20, 21, 22, 150, 299, 304, 417, 431, 999, 1000, 1001, 2000, 500_000, 2_000_000]
RANGES = [
    (0, 0),
    (0, 59),
    (12, 60),
    (59, 61),
    (60, 60),
    (60, 120),
    (100, 300),
    (119, 7199),
    (3600, 7200),
    (9000, 90_000),
]

PLACE = """async (boards) => {
  const {peopleAhead, waitRange, nextPoll} = await import("/static/js/place.js");
  return boards.map(([board, places]) => places.map((place) => {
    const ahead = peopleAhead(board, place);
    return [ahead, waitRange(board, ahead), nextPoll(board, ahead, 0), nextPoll(board, ahead, 1)];
  }));
}"""
WORDS = """async (ranges) => {
  const {waitWords} = await import("/static/js/words.js");
  return ranges.map(([low, high]) => waitWords(low, high));
}"""
PAUSES = """async (board) => {
  const {nextPoll} = await import("/static/js/place.js");
  return Array.from({length: board.waiting}, (_, ahead) => nextPoll(board, ahead, 0.5));
}"""


GROWN = """async (cases) => {
  const {hasGrown} = await import("/static/js/place.js");
  return cases.map((each) => hasGrown(...each));
}"""


class Rated:
    """As much of a board as an estimate reads."""

    def __init__(self, rate: dict[str, float]) -> None:
        self.rate = rate


def test_browser_and_server_agree_on_position_and_wait(sale: Sale, visitor: Visitor):
    visitor.go(sale.page)

    answers = visitor.page.evaluate(PLACE, [[board, PLACES] for board in BOARDS])

    for board, answer in zip(BOARDS, answers, strict=True):
        known = {"waiting": board["waiting"], "places_given": board["places_given"]}
        expected = [people_ahead(board["marks"], place, **known) for place in PLACES]
        assert [ahead for ahead, *_ in answer] == expected
        waits = [estimate_wait(ahead, Rated(board["rate"])) for ahead in expected]  # type: ignore[arg-type]
        assert [as_range(wait) for _, wait, *_ in answer] == [wait if wait.high is not None else None for wait in waits]
        for ahead, _, soonest, latest in answer:
            share = min(1, ahead / board["waiting"]) if board["waiting"] else 0
            advised = board["near_seconds"] + share * (board["far_seconds"] - board["near_seconds"])
            assert (soonest, latest) == (pytest.approx(0.9 * advised), pytest.approx(1.1 * advised))


def test_wait_that_is_longer_than_was_promised_is_noticed_and_a_little_more_is_not(sale: Sale, visitor: Visitor):
    promised, short = {"low": 300, "high": 600}, {"low": 30, "high": 60}
    cases = [
        (promised, {"low": 300, "high": 750}, 0, False),
        (promised, {"low": 300, "high": 751}, 0, True),
        # Ten minutes and no nearer: what was promised has passed.
        (promised, promised, 150, False),
        (promised, promised, 151, True),
        (short, {"low": 60, "high": 120}, 0, False),
        (short, {"low": 60, "high": 121}, 0, True),
        (None, promised, 0, False),
        (promised, None, 0, False),
    ]
    visitor.go(sale.page)

    assert visitor.page.evaluate(GROWN, [case[:3] for case in cases]) == [case[3] for case in cases]


def as_range(wait: dict[str, int] | None) -> WaitRange | None:
    return WaitRange(**wait) if wait else None


def test_browser_and_server_say_a_wait_in_the_same_words(sale: Sale, visitor: Visitor):
    visitor.go(sale.page)

    said = visitor.page.evaluate(WORDS, RANGES)

    assert [words or "Less than a minute" for words in said] == [as_words(WaitRange(*each)) for each in RANGES]


def test_all_who_wait_together_ask_no_more_often_than_allowed(sale: Sale, visitor: Visitor):
    visitor.go(sale.page)
    crowd = board([(1, 0), (5000, 4999)])

    pauses = visitor.page.evaluate(PAUSES, crowd)

    assert len(pauses) == 5000
    assert pauses == sorted(pauses)
    assert sum(1 / pause for pause in pauses) <= 20
