"""Joining, showing up, leaving."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refusal
from events.models import Event
from queues import refusals, services
from queues.models import Admission, Allowance, Queue
from tests.factories import AdmissionFactory, AllowanceFactory, QueueFactory, UserFactory
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def soon() -> datetime:
    return timezone.now() + timedelta(minutes=1)


def change(row: Queue | Event | Admission, **fields: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**fields)


def rows() -> tuple[list, list]:
    """Return everything that joining could write."""
    return list(Admission.objects.order_by("pk").values()), list(Allowance.objects.order_by("pk").values())


def join_refused(queue: Queue, user: User) -> Refusal:
    before = rows()
    with pytest.raises(Refusal) as refused:
        services.join_queue(queue, user)
    assert rows() == before
    return refused.value


def test_join_puts_the_fan_at_the_end(queue: Queue, ben: User, cleo: User):
    first, _ = services.join_queue(queue, ben)
    second, is_new = services.join_queue(queue, cleo)

    second.refresh_from_db()
    assert (second.queue, second.user, second.status, is_new) == (queue, cleo, Admission.Status.WAITING, True)
    assert first.place < second.place
    assert abs(second.joined_at - timezone.now()) < timedelta(seconds=10)


def test_join_twice_gives_the_same_admission(queue: Queue, ben: User):
    first, _ = services.join_queue(queue, ben)

    assert services.join_queue(queue, ben) == (first, False)
    assert Admission.objects.get().place == first.place


def test_join_of_an_admitted_fan_gives_the_running_turn(admission: Admission, ben: User):
    AllowanceFactory(user=ben, event=admission.queue.event, order_count=1, order_limit=1)

    assert services.join_queue(admission.queue, ben) == (admission, False)
    assert Admission.objects.get().status == Admission.Status.ADMITTED


@pytest.mark.parametrize("ended", ["left", "expired", "completed", "denied"])
def test_who_comes_back_goes_to_the_end(queue: Queue, ben: User, cleo: User, ended: str):
    old = AdmissionFactory(queue=queue, user=ben, status=ended)
    between, _ = services.join_queue(queue, cleo)

    new, is_new = services.join_queue(queue, ben)

    assert (is_new, new.pk != old.pk) == (True, True)
    assert old.place < between.place < new.place
    assert services.find_standing(queue, ben) == new


def test_standing_is_the_fans_own_in_this_queue(queue: Queue, ben: User, cleo: User):
    AdmissionFactory(queue=queue, user=cleo)
    AdmissionFactory(queue=QueueFactory(event=queue.event), user=ben)

    assert services.find_standing(queue, ben) is None


@pytest.mark.parametrize(
    ("fields", "refusal", "sentence"),
    [
        (lambda: {"scheduled_start": soon()}, refusals.QueueNotOpen, "The sale has not opened yet."),
        (lambda: {"published_at": None}, refusals.QueueNotOpen, "The sale has not opened yet."),
        (lambda: {"scheduled_end": timezone.now()}, refusals.QueueClosed, "This sale is closed."),
        (lambda: {"closed_at": timezone.now()}, refusals.QueueClosed, "This sale is closed."),
        (
            lambda: {"sold_out_at": timezone.now()},
            refusals.QueueSoldOut,
            "All tickets of this sale have been sold.",
        ),
    ],
)
def test_join_is_refused_by_the_phase(
    queue: Queue, ben: User, fields: Callable[[], dict], refusal: type[Refusal], sentence: str
):
    change(queue, **fields())

    refused = join_refused(queue, ben)

    assert (type(refused), str(refused)) == (refusal, sentence)


def test_join_before_the_opening_says_when_it_is(queue: Queue, ben: User):
    change(queue, scheduled_start=soon(), lobby_opens_at=timezone.now())
    queue.refresh_from_db()

    assert join_refused(queue, ben).facts == {"opens_at": queue.scheduled_start.isoformat().replace("+00:00", "Z")}


def test_join_is_refused_when_the_event_is_cancelled(queue: Queue, ben: User):
    change(queue.event, status=Event.Status.CANCELLED)

    assert type(join_refused(queue, ben)) is refusals.QueueClosed


def test_join_goes_by_the_database_and_not_by_what_was_read(queue: Queue, ben: User):
    change(queue, closed_at=timezone.now())
    assert queue.closed_at is None

    assert type(join_refused(queue, ben)) is refusals.QueueClosed


def test_paused_queue_can_be_joined(queue: Queue, ben: User):
    change(queue, paused_at=timezone.now())

    assert services.join_queue(queue, ben)[1] is True


def test_join_asks_for_a_verified_address(queue: Queue):
    refused = join_refused(queue, UserFactory())

    assert type(refused) is refusals.EmailNotVerified
    assert str(refused) == "Email verification required: please confirm your e-mail address first."


def test_join_asks_for_a_verified_identity_where_the_event_does(queue: Queue, ben: User):
    change(queue.event, require_identification=True)

    refused = join_refused(queue, ben)

    assert type(refused) is refusals.IdentityNotVerified
    assert str(refused) == "Identity verification required: please verify your identity first."
    ben.identity_verified_at = timezone.now()
    assert services.join_queue(queue, ben)[1] is True


def test_fan_in_line_stays_there_when_the_event_begins_to_ask_for_identities(queue: Queue, ben: User):
    admission, _ = services.join_queue(queue, ben)
    change(queue.event, require_identification=True)

    assert services.join_queue(queue, ben) == (admission, False)


def test_join_tells_at_once_that_the_order_limit_is_reached(queue: Queue, ben: User):
    AllowanceFactory(user=ben, event=queue.event, order_count=1, order_limit=1, ticket_count=1, ticket_limit=4)

    refused = join_refused(queue, ben)

    assert type(refused) is refusals.OrderLimitReached
    assert str(refused).startswith("Maximum orders per customer exceeded")


def test_join_tells_at_once_that_the_ticket_limit_is_reached(queue: Queue, ben: User):
    change(queue.event, max_tickets_per_order=2, max_orders_per_customer=2)
    AllowanceFactory(user=ben, event=queue.event, order_count=1, order_limit=2, ticket_count=4, ticket_limit=4)

    refused = join_refused(queue, ben)

    assert type(refused) is refusals.TicketLimitReached
    assert str(refused).startswith("Maximum tickets per customer exceeded")


def test_join_keeps_a_stricter_limit_of_the_queue(queue: Queue, ben: User):
    change(queue.event, max_orders_per_customer=3)
    change(queue, max_purchases_per_customer=1)
    AllowanceFactory(user=ben, event=queue.event, order_count=1, order_limit=3, ticket_count=1, ticket_limit=12)

    assert type(join_refused(queue, ben)) is refusals.OrderLimitReached


def test_limit_of_another_event_or_fan_does_not_count(queue: Queue, ben: User, cleo: User):
    AllowanceFactory(user=ben, order_count=1, order_limit=1)
    AllowanceFactory(user=cleo, event=queue.event, order_count=1, order_limit=1)

    assert services.join_queue(queue, ben)[1] is True


def test_join_names_phase_address_identity_and_limit_in_this_order(queue: Queue):
    change(queue.event, require_identification=True)
    fan = UserFactory()
    AllowanceFactory(user=fan, event=queue.event, order_count=1, order_limit=1)
    change(queue, scheduled_start=soon())

    found = [type(join_refused(queue, fan))]
    change(queue, scheduled_start=timezone.now() - SECOND)
    found.append(type(join_refused(queue, fan)))
    for proof in ("email_verified_at", "identity_verified_at"):
        User.objects.filter(pk=fan.pk).update(**{proof: timezone.now()})
        fan.refresh_from_db()
        found.append(type(join_refused(queue, fan)))

    assert found == [
        refusals.QueueNotOpen,
        refusals.EmailNotVerified,
        refusals.IdentityNotVerified,
        refusals.OrderLimitReached,
    ]


@pytest.mark.parametrize("others", [0, 3])
def test_join_takes_three_statements(queue: Queue, ben: User, others: int):
    change(queue.event, require_identification=True)
    ben.identity_verified_at = timezone.now()
    AdmissionFactory.create_batch(others, queue=queue)

    with counted_statements() as sent:
        services.join_queue(queue, ben)

    assert len(sent) == 3


def test_claim_notes_when_the_fan_showed_up(admission: Admission):
    services.claim_admission(admission)
    admission.refresh_from_db()
    first = admission.claimed_at

    services.claim_admission(admission)

    admission.refresh_from_db()
    assert first is not None
    assert admission.claimed_at == first


@pytest.mark.parametrize("fields", [{"window_ends_at": True}, {"status": "expired"}, {"status": "completed"}])
def test_claim_after_the_end_is_refused(admission: Admission, fields: dict):
    if "window_ends_at" in fields:
        fields = {"window_ends_at": timezone.now()}
    change(admission, **fields)

    with pytest.raises(refusals.AdmittanceExpired):
        services.claim_admission(admission)

    assert Admission.objects.get().claimed_at is None


@pytest.mark.parametrize("status", ["waiting", "denied"])
def test_claim_of_a_fan_who_was_never_let_in_is_refused(queue: Queue, ben: User, status: str):
    outside = AdmissionFactory(queue=queue, user=ben, status=status)

    with pytest.raises(refusals.AdmittanceInvalid):
        services.claim_admission(outside)

    assert Admission.objects.values_list("status", "claimed_at").get() == (status, None)


@pytest.mark.parametrize("admitted", [False, True])
def test_leave_gives_the_place_up(queue: Queue, ben: User, admitted: bool):
    standing = AdmissionFactory(queue=queue, user=ben, admitted=admitted)

    services.leave_queue(standing)

    standing.refresh_from_db()
    assert standing.status == Admission.Status.LEFT
    assert abs(standing.ended_at - timezone.now()) < timedelta(seconds=10)


@pytest.mark.parametrize("fields", [{"status": "left"}, {"status": "completed"}, {"has_hold": True}])
def test_leave_is_refused_after_the_end_and_with_a_hold(admission: Admission, fields: dict):
    change(admission, **fields)
    before = rows()

    with pytest.raises(refusals.NotInLine):
        services.leave_queue(admission)

    assert rows() == before


def test_line_is_of_one_queue_only(queue: Queue, ben: User):
    other = QueueFactory(event=queue.event)

    first, _ = services.join_queue(queue, ben)
    second, is_new = services.join_queue(other, ben)

    assert (is_new, first.queue, second.queue) == (True, queue, other)
