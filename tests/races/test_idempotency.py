"""One key at the same instant: one does it, and the others are answered as that one, or told to ask again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import idempotency
from accounts.idempotency import Answer, Asked, RequestInProgress, create_once, hash_request, start_once
from accounts.models import KeptAnswer, Letter, User
from events.models import Event
from orders import services
from orders.models import Order, Payment
from queues.models import Admission, Queue
from queues.refusals import NotInLine
from tests.bookkeeping import assert_counters_equal_rows
from tests.factories import LetterFactory
from tests.races.conftest import Turn, turn_at
from tests.racing import Gate, Run, meeting, race, wait_until_somebody_waits

YESTERDAY = timedelta(hours=24)


@pytest.fixture
def turn(queue: Queue) -> Turn:
    return turn_at(queue)


@pytest.fixture
def order(turn: Turn) -> Order:
    fan, token = turn
    return services.hold_tickets(user=fan, token=token, wanted={"floor": 2})


def asked(user: User) -> Asked:
    return Asked(user, "first try", hash_request("POST", "/", b"{}"))


def write_letter() -> Answer:
    """Do what is not once by itself."""
    return Answer(201, str(LetterFactory().pk))


def holding(turn: Turn) -> Callable[[], Answer]:
    fan, token = turn
    return lambda: Answer(201, services.hold_tickets(user=fan, token=token, wanted={"floor": 2}).code)


def told_apart(outcomes: list[Any]) -> tuple[set[str], int, int]:
    """Return what was answered, how many were answered anew, and how many were told to ask again."""
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    waiting = [outcome for outcome in outcomes if type(outcome) is RequestInProgress]
    assert len(answers) + len(waiting) == len(outcomes), outcomes
    return {answer.body for answer in answers}, sum(not answer.is_replayed for answer in answers), len(waiting)


@pytest.mark.parametrize("times", [2, 8])
def test_hold_asked_at_once_is_one_order_and_one_answer(turn: Turn, event: Event, times: int):
    fan, _ = turn

    outcomes = race(lambda n: create_once(asked(fan), holding(turn)), times)

    order = Order.objects.get()
    assert told_apart(outcomes)[:2] == ({order.code}, 1)
    assert Admission.objects.get().order_code == order.code
    assert_counters_equal_rows(event)


@pytest.mark.parametrize("times", [2, 8])
def test_what_is_not_once_by_itself_is_done_once_with_a_key(ben: User, times: int):
    outcomes = race(lambda n: create_once(asked(ben), write_letter), times)

    assert told_apart(outcomes)[:2] == ({str(Letter.objects.get().pk)}, 1)


def test_without_its_key_it_is_done_as_often_as_it_is_asked():
    """The negative control."""
    outcomes = race(lambda n: write_letter(), 8)

    assert (Letter.objects.count(), len({answer.body for answer in outcomes})) == (8, 8)


class Stopping:
    """An act that stands still within its transaction until it is let go on, and then ends as it is told."""

    def __init__(self, user: User, ends: Callable[[], Answer] = write_letter) -> None:
        self.gate = Gate()
        self.run = Run(partial(create_once, asked(user), partial(self.stop, ends)))
        self.gate.wait_until_reached()

    def stop(self, ends: Callable[[], Answer]) -> Answer:
        self.gate.stop_here()
        return ends()

    def go_on(self) -> Any:
        self.gate.opened.set()
        return self.run.outcome()


def test_twin_waits_and_is_answered_alike(ben: User):
    first = Stopping(ben)
    twin = Run(partial(create_once, asked(ben), write_letter))
    wait_until_somebody_waits()

    body = first.go_on().body

    assert twin.outcome() == Answer(201, body, is_replayed=True)
    assert Letter.objects.count() == 1


def test_twin_of_one_that_is_refused_does_it(ben: User):
    def refuse() -> Answer:
        raise NotInLine

    first = Stopping(ben, refuse)
    twin = Run(partial(create_once, asked(ben), write_letter))
    wait_until_somebody_waits()

    assert type(first.go_on()) is NotInLine
    assert twin.outcome() == Answer(201, str(Letter.objects.get().pk))


def test_twin_that_would_wait_for_long_is_told_to_ask_again(ben: User):
    def ask_in_a_hurry() -> Answer:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 50")
        return create_once(asked(ben), write_letter)

    first = Stopping(ben)
    try:
        assert type(Run(ask_in_a_hurry).outcome()) is RequestInProgress
    finally:
        first.go_on()
    assert Letter.objects.count() == 1


def test_same_key_of_somebody_else_does_not_wait(ben: User, cleo: User):
    first = Stopping(ben)
    try:
        other = Run(partial(create_once, asked(cleo), write_letter)).outcome()
    finally:
        first.go_on()
    assert (other.is_replayed, Letter.objects.count()) == (False, 2)


def test_expired_key_is_begun_anew_by_one(ben: User):
    create_once(asked(ben), write_letter)
    KeptAnswer.objects.update(created_at=timezone.now() - YESTERDAY)

    outcomes = race(lambda n: create_once(asked(ben), write_letter), 8)

    assert told_apart(outcomes)[:2] == ({str(Letter.objects.order_by("pk").last().pk)}, 1)  # type: ignore[union-attr]
    assert Letter.objects.count() == 2


def test_sweep_leaves_a_key_alone_that_is_begun_anew(ben: User):
    create_once(asked(ben), write_letter)
    KeptAnswer.objects.update(created_at=timezone.now() - YESTERDAY)
    anew = Stopping(ben)

    removed = idempotency.remove_expired_answers()
    answer = anew.go_on()

    assert (removed, KeptAnswer.objects.get().body) == (0, answer.body)


# In two transactions.


def starting(order: Order) -> Callable[[], Payment]:
    names = ["Ben", "Bea"]
    return partial(services.start_payment, order, holders=names, email="ben@example.org")


class Provider:
    """Counts how often it was asked, and pays."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def finish(self, payment: Payment) -> Answer:
        self.asked.append(payment.pk)
        services.submit_payment(payment, {"outcome": "confirm"})
        services.settle_order(payment.order)
        return Answer(200, str(payment.pk))


@pytest.mark.parametrize("times", [2, 8])
def test_payment_asked_at_once_asks_the_provider_once(order: Order, event: Event, times: int):
    provider = Provider()

    outcomes = race(lambda n: start_once(asked(order.buyer), starting(order), provider.finish), times)

    payment = Payment.objects.get()
    assert told_apart(outcomes)[:2] == ({str(payment.pk)}, 1)
    assert (provider.asked, Order.objects.get().status) == ([payment.pk], "paid")
    assert_counters_equal_rows(event)


def test_without_its_key_a_payment_asks_the_provider_more_than_once(order: Order, event: Event):
    """The negative control: there is one payment all the same."""
    provider = Provider()
    start = meeting(starting(order), 2)

    outcomes = race(lambda n: provider.finish(start()), 2)

    assert [type(outcome) for outcome in outcomes] == [Answer, Answer]
    assert provider.asked == [Payment.objects.get().pk] * 2
    assert_counters_equal_rows(event)


def test_payment_that_was_left_behind_is_gone_on_with_by_one(order: Order, event: Event):
    idempotency._start(asked(order.buyer), starting(order))
    KeptAnswer.objects.update(busy_until=timezone.now())
    provider = Provider()

    outcomes = race(lambda n: start_once(asked(order.buyer), starting(order), provider.finish), 8)

    payment = Payment.objects.get()
    assert told_apart(outcomes)[:2] == ({str(payment.pk)}, 1)
    assert (provider.asked, Order.objects.get().status) == ([payment.pk], "paid")
    assert_counters_equal_rows(event)
