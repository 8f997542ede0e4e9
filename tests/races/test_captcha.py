"""One solution, used by several at the same instant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from django.db import connection

from accounts.models import User
from queues import captcha, refusals, services
from queues.conditions import Readiness, SpentSolution
from queues.models import Admission, Queue
from queues.services import Entry
from tests.racing import Run, race, uncommitted, wait_until_somebody_waits

TABS = 5


@pytest.fixture
def guarded(queue: Queue) -> Queue:
    """The open queue, which asks for a solved sum."""
    Queue.objects.filter(pk=queue.pk).update(enable_captcha=True)
    queue.refresh_from_db()
    return queue


@pytest.fixture
def entry(guarded: Queue, ben: User) -> Entry:
    """Ben's one solution."""
    return Entry(captcha=captcha.solve(services.new_challenge(guarded, ben)))


@contextmanager
def without_the_keeper() -> Iterator[None]:
    """Take the constraint away that lets a solution serve once."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE queues_spentsolution DROP CONSTRAINT solution_serves_once")
        try:
            yield
        finally:
            SpentSolution.objects.all().delete()
            cursor.execute("ALTER TABLE queues_spentsolution ADD CONSTRAINT solution_serves_once UNIQUE (signature)")


def join_and_leave(queue: Queue, fan: User, entry: Entry) -> None:
    """Stand in line for a moment, so that nothing but the solution stands in the way of doing so again."""
    services.leave_queue(services.join_queue(queue, fan, entry)[0])


def second_use(queue: Queue, fan: User, entry: Entry) -> type:
    """Join with a solution while the transaction that spends it is not yet committed; return what became of it."""
    with uncommitted(partial(join_and_leave, queue, fan, entry)):
        late = Run(partial(services.join_queue, queue, fan, entry))
        wait_until_somebody_waits()
    return type(late.outcome())


def test_solution_in_several_tabs_joins_once(guarded: Queue, ben: User, entry: Entry):
    outcomes = race(lambda _: services.join_queue(guarded, ben, entry), TABS)

    own = Admission.objects.get()
    assert Counter(outcomes) == {(own, True): 1, (own, False): TABS - 1}
    assert SpentSolution.objects.count() == 1


@pytest.mark.parametrize(("get_ready", "done"), [(services.get_ready, None), (services.get_ready_in_part, [])])
def test_solution_in_several_tabs_makes_ready_once(
    guarded: Queue, ben: User, entry: Entry, get_ready: Callable, done: object
):
    outcomes = race(lambda _: get_ready(guarded, ben, entry), TABS)

    assert outcomes == [done] * TABS
    assert (SpentSolution.objects.count(), Readiness.objects.count()) == (1, 1)


def test_solution_spent_in_an_open_transaction_serves_nobody_else(guarded: Queue, ben: User, entry: Entry):
    assert second_use(guarded, ben, entry) is refusals.CaptchaFailed
    assert (SpentSolution.objects.count(), Admission.objects.count()) == (1, 1)


def test_without_the_keeper_it_serves_twice(guarded: Queue, ben: User, entry: Entry):
    """The negative control."""
    with without_the_keeper():
        assert second_use(guarded, ben, entry) is tuple
        assert (SpentSolution.objects.count(), Admission.objects.count()) == (2, 2)
