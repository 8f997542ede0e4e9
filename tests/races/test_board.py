"""Many readers of a board that is missing."""

import time

import pytest

from queues import board as boards
from queues import services
from queues.models import Queue
from queues.services import boards as board_services
from tests.racing import race

READERS = 5


@pytest.fixture
def made(monkeypatch) -> list[int]:
    """Return a list that grows with each board that is made; making one takes a while."""
    made: list[int] = []
    build = board_services.build_board

    def slowly(queue: Queue) -> boards.Board:
        made.append(queue.pk)
        time.sleep(0.1)
        return build(queue)

    monkeypatch.setattr(board_services, "build_board", slowly)
    return made


def test_missing_board_is_made_once_and_not_once_a_reader(queue: Queue, made: list[int]):
    answers = race(lambda _: services.board_json(queue.slug), READERS)

    assert (len(set(answers)), made) == (1, [queue.pk])
    assert boards.read_json(queue.slug) == answers[0]


def test_without_the_claim_each_reader_makes_one(queue: Queue, made: list[int], monkeypatch):
    """The negative control."""
    monkeypatch.setattr(boards, "claim_making", lambda slug: True)

    race(lambda _: services.board_json(queue.slug), READERS)

    assert len(made) > 1


def test_reader_does_not_wait_for_ever_for_a_maker_that_died(queue: Queue, made: list[int]):
    assert boards.claim_making(queue.slug)

    assert services.board_json(queue.slug) is not None
    assert made == [queue.pk]
