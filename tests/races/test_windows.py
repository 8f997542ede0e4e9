"""Extending all windows against a hold that is just being taken, the end of the turn, and its settlement."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from inspect import unwrap
from typing import Any, cast

import pytest
from django.db.models import F
from django.utils import timezone
from payments import PaymentStatus

from accounts.models import User
from orders import services
from orders.models import Order, OrderQuerySet, Payment
from orders.services import holds, windows
from queues.allowance import AllowanceQuerySet
from queues.models import Admission, AdmissionQuerySet, Queue
from queues.refusals import NobodyInside
from tests.races.conftest import turn_at
from tests.racing import Run, uncommitted


def ends(queue: Queue) -> tuple[object, object]:
    return Order.objects.get().hold_ends_at, Admission.objects.get().window_ends_at


def test_hold_that_is_just_committing_is_extended_with_its_turn(queue: Queue):
    user, token = turn_at(queue)
    before = Admission.objects.get().window_ends_at
    with uncommitted(partial(services.hold_tickets, user=user, token=token, wanted={"floor": 1})):
        extending = Run(partial(services.extend_windows, queue, minutes=5))
        extending.join(0.3)
        assert extending.is_alive()

    assert extending.outcome() == 1
    hold, window = ends(queue)
    assert hold == window != before


def test_hold_that_had_read_the_old_window_ends_with_the_new_one(queue: Queue, monkeypatch):
    user, token = turn_at(queue)
    outcome = hold_over_an_extension(queue, user, token, monkeypatch)

    assert isinstance(outcome, Order)
    hold, window = ends(queue)
    assert hold == window


def hold_over_an_extension(queue: Queue, user: User, token: str, monkeypatch) -> object:
    """Hold tickets, and extend all windows between the hold's reading and its writing."""
    check = holds._check_politely

    def check_and_be_overtaken(*args: object) -> None:
        monkeypatch.setattr(holds, "_check_politely", check)
        check(*args)  # type: ignore[arg-type]
        assert Run(partial(services.extend_windows, queue, minutes=5)).outcome() == 1

    monkeypatch.setattr(holds, "_check_politely", check_and_be_overtaken)
    return services.hold_tickets(user=user, token=token, wanted={"floor": 1})


def test_without_comparing_the_window_the_hold_ends_before_its_turn(queue: Queue, monkeypatch):
    """The negative control: the comparison is taken out of the one statement that makes it."""
    user, token = turn_at(queue)
    compare = type(Admission.objects.all()).filter

    def filter_without_window(rows, *args, **conditions):
        conditions.pop("window_ends_at", None)
        return compare(rows, *args, **conditions)

    monkeypatch.setattr(type(Admission.objects.all()), "filter", filter_without_window)
    hold_over_an_extension(queue, user, token, monkeypatch)

    hold, window = ends(queue)
    assert hold < window  # type: ignore[operator]


# Long enough for an extension to begin on a busy machine.
SOON = timedelta(seconds=1.5)

EXTENDED = ("held", "admitted", True, True)
EXPIRED = ("lapsed", "expired", True, False)


@pytest.fixture
def held(queue: Queue) -> Order:
    """Tickets held by a fan whose turn ends soon."""
    user, token = turn_at(queue)
    order = services.hold_tickets(user=user, token=token, wanted={"floor": 1})
    ends_at = timezone.now() + SOON
    Admission.objects.update(window_ends_at=ends_at)
    Order.objects.update(hold_ends_at=ends_at)
    order.refresh_from_db()
    return order


def state(order: Order) -> tuple[str, str, bool, bool]:
    """Say how order and admission stand, whether they end together, and whether they have been given more time."""
    now, turn = Order.objects.get(pk=order.pk), Admission.objects.get(pk=order.admission_id)
    return now.status, turn.status, now.hold_ends_at == turn.window_ends_at, now.hold_ends_at > order.hold_ends_at


def wait_for_the_end(order: Order) -> None:
    time.sleep(max(0.0, (order.hold_ends_at - timezone.now()).total_seconds() + 0.05))


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    for rows in (AllowanceQuerySet, OrderQuerySet, AdmissionQuerySet):
        monkeypatch.setattr(rows, "lock", lambda found: found.order_by("pk"))


def extend_and_expire_meanwhile(order: Order, monkeypatch: pytest.MonkeyPatch) -> object:
    """Extend; when it has found who is inside, let the turn end and its sweep begin; then let it go on."""
    lock_turns = windows._lock_turns
    sweeps: list[Run[None]] = []

    def find_and_be_overtaken(*args: Any) -> list[int]:
        turns = lock_turns(*args)
        wait_for_the_end(order)
        sweeps.append(Run(partial(services.expire_order, order)))
        sweeps[0].join(0.5)
        return turns

    monkeypatch.setattr(windows, "_lock_turns", find_and_be_overtaken)
    outcome = Run(partial(services.extend_windows, order.queue, minutes=5)).outcome()
    sweeps[0].outcome()
    return outcome


def test_turn_that_ends_while_it_is_extended_is_extended_whole(held: Order, monkeypatch):
    assert (extend_and_expire_meanwhile(held, monkeypatch), state(held)) == (1, EXTENDED)


def test_without_the_locks_a_turn_is_ended_and_extended_by_half(held: Order, monkeypatch):
    """The negative control."""
    without_locks(monkeypatch)
    extend_and_expire_meanwhile(held, monkeypatch)

    assert state(held) not in (EXTENDED, EXPIRED)


def test_turn_that_has_ended_before_its_row_is_locked_stays_ended_whole(held: Order, monkeypatch):
    open_allowances = windows.queue_services.open_allowances

    def arrive_too_late(*args: Any) -> object:
        wait_for_the_end(held)
        Run(partial(services.expire_order, held)).outcome()
        return open_allowances(*args)

    monkeypatch.setattr(windows.queue_services, "open_allowances", arrive_too_late)
    outcome = Run(partial(services.extend_windows, held.queue, minutes=5)).outcome()

    assert (type(outcome), state(held)) == (NobodyInside, EXPIRED)


def extend_while_settling(order: Order) -> object:
    services.start_payment(order, holders=["Ben"], email="ben@example.org")
    order.refresh_from_db()
    Payment.objects.update(status=PaymentStatus.CONFIRMED, captured_amount=F("total"))
    settle = cast("Callable[[Payment], None]", unwrap(services.settle_payment))
    with uncommitted(partial(settle, Payment.objects.get())):
        extending = Run(partial(services.extend_windows, order.queue, minutes=5))
        extending.join(0.5)
    return extending.outcome()


def test_order_that_is_just_being_paid_is_not_extended(held: Order):
    outcome = extend_while_settling(held)
    assert (type(outcome), state(held)) == (NobodyInside, ("paid", "completed", True, False))


def test_without_the_locks_a_turn_that_is_over_is_extended(held: Order, monkeypatch):
    """The negative control."""
    without_locks(monkeypatch)
    outcome = extend_while_settling(held)
    assert (outcome, state(held)) == (1, ("paid", "completed", False, False))
