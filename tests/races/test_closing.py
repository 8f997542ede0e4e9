"""An account that is closed at the very instant in which something begins in its name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import unwrap
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from accounts import closing, locks
from accounts import services as account_services
from accounts.models import IdentityCheck, Letter, User
from orders import services
from orders.models import Order, Payment, Ticket
from orders.refusals import StillHasTickets, StillInLine
from queues import admittance
from queues import services as queue_services
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory, IdentityCheckFactory, UserFactory
from tests.races.conftest import turn_at
from tests.racing import Run, race, uncommitted, wait_until_somebody_waits


def close_during_a_join(queue: Queue, fan: User) -> Any:
    """Close an account whose join is not yet committed; return what became of the closing."""
    with uncommitted(partial(queue_services.join_queue, queue, fan)):
        run = Run(partial(services.close_account, fan))
        wait_until_somebody_waits(unless=lambda: not run.is_alive())
    return run.outcome()


def is_closed(fan: User) -> bool:
    return User.objects.get(pk=fan.pk).is_closed


def test_account_that_is_just_joining_is_not_closed(queue: Queue, ben: User):
    assert type(close_during_a_join(queue, ben)) is StillInLine
    assert (is_closed(ben), Admission.objects.live().count()) == (False, 1)


def test_without_the_lock_nobody_would_stand_in_line(queue: Queue, ben: User, monkeypatch: pytest.MonkeyPatch):
    """The negative control: the place of an account that is closed."""
    monkeypatch.setattr(locks, "take_account", lambda user_id: None)

    assert close_during_a_join(queue, ben) is None
    assert (is_closed(ben), Admission.objects.live().count()) == (True, 1)


def test_account_that_is_just_being_closed_does_not_join(queue: Queue, ben: User):
    with uncommitted(partial(unwrap(services.close_account), ben)):
        run = Run(partial(queue_services.join_queue, queue, ben))
        wait_until_somebody_waits()

    assert type(run.outcome()) is closing.AccountClosed
    assert (is_closed(ben), Admission.objects.count()) == (True, 0)


@pytest.mark.parametrize("attempt", range(3))
def test_hold_and_closing_leave_no_hold_of_nobody(queue: Queue, attempt: int):
    fan, token = turn_at(queue)
    acts: list[Callable[[], object]] = [
        partial(services.hold_tickets, user=fan, token=token, wanted={"floor": 1}),
        partial(services.close_account, fan),
    ]
    _held, closed = race(lambda number: acts[number](), times=2)

    assert type(closed) is StillInLine
    assert (is_closed(fan), Order.objects.held().count()) == (False, 1)


def arriving_money(queue: Queue, fan: User) -> Payment:
    """Money for a hold that has ended, not yet noted as arrived."""
    token = admittance.token_for(AdmissionFactory(queue=queue, user=fan, admitted=True))
    order = services.hold_tickets(user=fan, token=token, wanted={"floor": 1})
    payment = services.start_payment(order, holders=["Ben"], email=fan.email)
    services.cancel_payment(order)
    services.leave_line(order.admission)
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    return payment


def close_during_a_settlement(queue: Queue, fan: User) -> Any:
    """Close an account while late money becomes a ticket, not yet committed; return what became of the closing."""
    payment = arriving_money(queue, fan)
    with uncommitted(partial(unwrap(services.settle_payment), payment)):
        run = Run(partial(services.close_account, fan))
        wait_until_somebody_waits(unless=lambda: not run.is_alive())
    return run.outcome()


def test_account_whose_money_is_just_becoming_a_ticket_is_not_closed(queue: Queue, ben: User):
    assert type(close_during_a_settlement(queue, ben)) is StillHasTickets
    assert (is_closed(ben), Ticket.objects.get().holder_name) == (False, "Ben")


def test_without_the_gates_a_ticket_would_be_refused_as_unpaid(queue: Queue, ben: User, monkeypatch):
    """The negative control: closing reads what the settlement has not committed yet."""
    monkeypatch.setattr(queue_services, "open_allowances_of", lambda user: [])

    assert type(close_during_a_settlement(queue, ben)) is not StillHasTickets


def test_account_is_closed_once_however_often_it_is_asked_for(ben: User):
    outcomes = race(lambda number: services.close_account(ben), times=3)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AccountClosed", "AccountClosed", "NoneType"]


def deciding(check: IdentityCheck) -> Callable[[], object]:
    judge = UserFactory(is_staff=True, is_superuser=True)
    return partial(account_services.decide_identity, check, status="refused", reason="Blurred.", by=judge)


def overdue(check: IdentityCheck) -> Callable[[], object]:
    IdentityCheck.objects.update(submitted_at=timezone.now() - IdentityCheck.PHOTO_KEPT)
    return account_services.refuse_next_overdue_identity_check


def helping(check: IdentityCheck) -> Callable[[], object]:
    app = Authenticator.objects.create(user=check.user, type="totp", data={})
    return partial(account_services.remove_second_factor, app)


WRITING = pytest.mark.parametrize("writing", [deciding, overdue, helping])


def close_while(fan: User, act: Callable[[], object]) -> Any:
    with uncommitted(act):
        run = Run(partial(services.close_account, fan))
        wait_until_somebody_waits(unless=lambda: not run.is_alive())
    return run.outcome()


def letters() -> list[tuple[str, str]]:
    return list(Letter.objects.values_list("to", "text"))


@WRITING
def test_letter_that_is_just_being_written_goes_with_the_account(ben: User, writing: Callable):
    act = writing(IdentityCheckFactory(user=ben))

    assert close_while(ben, act) is None
    assert (is_closed(ben), letters()) == (True, [(closing.anonymous_address(ben), "")])


@WRITING
def test_without_the_lock_the_letter_would_go_out(ben: User, monkeypatch: pytest.MonkeyPatch, writing: Callable):
    """The negative control."""
    act = writing(IdentityCheckFactory(user=ben))
    monkeypatch.setattr(locks, "take_account", lambda user_id: None)

    assert close_while(ben, act) is None
    assert (is_closed(ben), [to for to, _ in letters()]) == (True, [ben.email])


@pytest.mark.parametrize("writing", [deciding, helping])
def test_nothing_is_written_of_an_account_that_is_just_being_closed(ben: User, writing: Callable):
    act = writing(IdentityCheckFactory(user=ben))
    with uncommitted(partial(unwrap(services.close_account), ben)):
        run = Run(act)
        wait_until_somebody_waits()

    assert (type(run.outcome()), letters()) == (closing.AccountClosed, [])


def test_sweep_leaves_a_check_whose_account_is_just_being_closed(ben: User):
    act = overdue(IdentityCheckFactory(user=ben))
    with uncommitted(partial(unwrap(services.close_account), ben)):
        run = Run(act)
        wait_until_somebody_waits()

    assert (run.outcome(), letters()) == (False, [])


def test_address_that_is_just_being_added_is_not_kept_of_nobody(ben: User, client: Client):
    EmailAddress.objects.create(user=ben, email=ben.email, verified=True, primary=True)
    client.force_login(ben)
    with uncommitted(partial(unwrap(services.close_account), ben)):
        run = Run(partial(client.post, "/account/email/", {"action_add": "", "email": "benny@example.org"}))
        wait_until_somebody_waits()

    assert (run.outcome().headers["X-Refusal"], letters()) == ("account_closed", [])
    assert EmailAddress.objects.count() == 0
