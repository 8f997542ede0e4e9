"""Taking a visitor's place along at the same instant: one account gets it, and stands once."""

from collections.abc import Callable
from functools import partial

import pytest

from accounts.models import User
from queues import services
from queues.models import Admission, Queue
from queues.services import visitors
from queues.visitors import Visitor
from tests.factories import AdmissionFactory
from tests.races.conftest import without_index
from tests.racing import Run, meeting, race, uncommitted, wait_until_somebody_waits


@pytest.fixture
def line(queue: Queue) -> Queue:
    """The open queue, which asks for no account."""
    Queue.objects.update(require_authentication=False)
    queue.refresh_from_db()
    return queue


@pytest.fixture
def vera() -> Visitor:
    return Visitor()


@pytest.fixture
def place(line: Queue, vera: Visitor) -> Admission:
    place: Admission = AdmissionFactory(queue=line, user=None, visitor=vera.pk)
    return place


def rows() -> list[tuple[int | None, str]]:
    return list(Admission.objects.order_by("pk").values_list("user", "status"))


@pytest.mark.usefixtures("place")
def test_of_two_accounts_at_once_one_gets_the_place(line: Queue, vera: Visitor, ben: User, cleo: User):
    with uncommitted(partial(services.take_place_along, line, vera, ben)):
        second = Run(partial(services.take_place_along, line, vera, cleo))
        wait_until_somebody_waits()

    assert (second.outcome(), rows()) == (None, [(ben.pk, "waiting")])
    assert services.find_standing(line, cleo) is None


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("attempt", range(3))
def test_accounts_in_two_tabs_agree_whose_the_place_is(line: Queue, vera: Visitor, ben: User, cleo: User, attempt: int):
    outcomes = race(lambda n: services.take_place_along(line, vera, (ben, cleo)[n]), 2)

    [(winner, status)] = rows()
    assert (outcomes, winner in {ben.pk, cleo.pk}, status) == ([None, None], True, "waiting")


@pytest.mark.usefixtures("place")
def test_without_the_guard_the_second_account_takes_the_place_from_the_first(
    line: Queue, vera: Visitor, ben: User, cleo: User, monkeypatch: pytest.MonkeyPatch
):
    """The negative control: read whose place it is, and then write by the row's number."""

    def read_then_write(queue: Queue, visitor: Visitor, user: User) -> None:
        own = Admission.objects.for_fan(visitor).live().get(queue=queue)
        Admission.objects.filter(pk=own.pk).update(user=user, visitor=None)

    monkeypatch.setattr(visitors, "_take_along", read_then_write)
    with uncommitted(partial(visitors.take_place_along, line, vera, ben)):
        second = Run(partial(visitors.take_place_along, line, vera, cleo))
        wait_until_somebody_waits()

    assert (second.outcome(), rows()) == (None, [(cleo.pk, "waiting")])


@pytest.mark.usefixtures("place")
def test_account_that_joins_at_the_same_instant_stands_once(line: Queue, vera: Visitor, ben: User):
    with uncommitted(partial(services.join_queue, line, ben)):
        taking = Run(partial(services.take_place_along, line, vera, ben))
        wait_until_somebody_waits()

    assert (taking.outcome(), rows()) == (None, [(None, "left"), (ben.pk, "waiting")])


def join(queue: Queue, visitor: Visitor) -> Callable[[int], tuple[Admission, bool]]:
    return lambda _: services.join_as_visitor(queue, visitor)


def test_browser_that_joins_from_two_tabs_at_once_stands_once(
    line: Queue, vera: Visitor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(visitors, "_queue_for", meeting(visitors._queue_for, 2))

    joined = race(join(line, vera), 2)

    assert (len({admission.pk for admission, _ in joined}), sorted(is_new for _, is_new in joined)) == (
        1,
        [False, True],
    )
    assert rows() == [(None, "waiting")]


def test_without_the_constraint_a_browser_stands_twice(line: Queue, vera: Visitor, monkeypatch: pytest.MonkeyPatch):
    """The negative control."""
    monkeypatch.setattr(visitors, "_queue_for", meeting(visitors._queue_for, 2))

    with without_index("visitor_stands_once_in_a_queue", "queues_admission"):
        joined = race(join(line, vera), 2)
        assert ([is_new for _, is_new in joined], rows()) == ([True, True], [(None, "waiting"), (None, "waiting")])
