"""Many readers of a board that is missing."""

import time
from functools import partial

import pytest
from django.utils import timezone

from queues import board as boards
from queues import services
from queues.models import Queue
from queues.services import boards as board_services
from tests.factories import UserFactory
from tests.racing import Run, race

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


# Joining while a board is made


def let_two_join(queue: Queue) -> list[int]:
    """Let two fans join elsewhere; return their places."""
    fans = UserFactory.create_batch(2, email_verified_at=timezone.now())
    joined = [Run(partial(services.join_queue, queue, fan)).outcome() for fan in fans]
    return [admission.place for admission, _ in joined]


def test_fan_who_joins_while_a_board_is_made_is_not_taken_for_let_in(queue: Queue, monkeypatch):
    """Right after the marks of an empty line were read."""
    read_marks, places = board_services._read_marks, []

    def read_and_let_join(of: Queue) -> list[boards.Mark]:
        marks = read_marks(of)
        places.extend(let_two_join(of))
        return marks

    monkeypatch.setattr(board_services, "_read_marks", read_and_let_join)

    board = services.publish_board(queue.pk)

    assert board.admitted_through < places[0]
    assert [board.people_ahead(place) for place in places] == [0, 1]


def test_read_after_the_marks_the_places_given_would_let_a_fan_pass_for_let_in(queue: Queue, monkeypatch):
    """The negative control."""
    marks = board_services._read_marks(queue)
    places = let_two_join(queue)
    monkeypatch.setattr(board_services, "_read_marks", lambda of: marks)

    board = services.publish_board(queue.pk)

    assert board.admitted_through == places[1]
    assert [board.people_ahead(place) for place in places] == [0, 0]
