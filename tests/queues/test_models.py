from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from events.models import Event, Tier
from queues.models import Admission, Allowance, Phase, Queue
from tests.factories import AdmissionFactory, AllowanceFactory, EventFactory, QueueFactory, TierFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now()
INSTANT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def queue_with(**fields: object) -> Queue:
    fields.setdefault("event", EventFactory.build())
    queue: Queue = QueueFactory.build(**{"scheduled_start": NOW - HOUR, "published_at": NOW - 2 * HOUR, **fields})
    return queue


@pytest.mark.parametrize(
    ("fields", "phase"),
    [
        ({}, Phase.OPEN),
        ({"published_at": None}, Phase.DRAFT),
        ({"published_at": None, "closed_at": NOW}, Phase.DRAFT),
        ({"event": EventFactory.build(status=Event.Status.DRAFT)}, Phase.DRAFT),
        ({"event": EventFactory.build(status=Event.Status.CANCELLED)}, Phase.CLOSED),
        # The opening
        ({"scheduled_start": NOW + INSTANT}, Phase.SCHEDULED),
        ({"scheduled_start": NOW}, Phase.OPEN),
        ({"scheduled_start": NOW - INSTANT}, Phase.OPEN),
        # The lobby
        ({"scheduled_start": NOW + HOUR, "lobby_opens_at": NOW + INSTANT}, Phase.SCHEDULED),
        ({"scheduled_start": NOW + HOUR, "lobby_opens_at": NOW}, Phase.LOBBY),
        ({"scheduled_start": NOW, "lobby_opens_at": NOW - HOUR}, Phase.OPEN),
        # The end
        ({"scheduled_end": NOW + INSTANT}, Phase.OPEN),
        ({"scheduled_end": NOW}, Phase.CLOSED),
        ({"scheduled_end": NOW - INSTANT}, Phase.CLOSED),
        ({"closed_at": NOW}, Phase.CLOSED),
        # By hand, and what goes before what
        ({"paused_at": NOW}, Phase.PAUSED),
        ({"paused_at": NOW, "scheduled_start": NOW + INSTANT}, Phase.SCHEDULED),
        ({"sold_out_at": NOW}, Phase.SOLD_OUT),
        ({"sold_out_at": NOW, "paused_at": NOW}, Phase.SOLD_OUT),
        ({"sold_out_at": NOW, "closed_at": NOW}, Phase.CLOSED),
        ({"sold_out_at": NOW, "scheduled_start": NOW + INSTANT}, Phase.SOLD_OUT),
        ({"paused_at": NOW, "scheduled_end": NOW}, Phase.CLOSED),
    ],
)
def test_phase_is_derived_from_times_and_marks(fields: dict[str, object], phase: Phase):
    assert queue_with(**fields).phase(NOW) == phase


@pytest.mark.parametrize(
    ("of_the_event", "of_the_queue", "orders", "tickets"),
    [(1, None, 1, 4), (3, None, 3, 12), (3, 2, 2, 8), (1, 5, 1, 4)],
)
def test_limit_is_the_stricter_of_event_and_queue(of_the_event: int, of_the_queue: int, orders: int, tickets: int):
    event = EventFactory.build(max_orders_per_customer=of_the_event, max_tickets_per_order=4)
    queue = queue_with(event=event, max_purchases_per_customer=of_the_queue)

    assert (queue.order_limit, queue.ticket_limit) == (orders, tickets)


def test_queue_opens_all_tiers_of_the_event_unless_it_names_some(queue: Queue, floor: Tier, vip: Tier):
    TierFactory()
    presale = QueueFactory(event=queue.event)
    presale.tiers.add(vip)

    assert (set(queue.open_tiers()), set(presale.open_tiers())) == ({floor, vip}, {vip})


def test_live_queues_are_those_with_something_left_to_do():
    waiting = QueueFactory(scheduled_start=NOW + HOUR)
    running = QueueFactory()
    inside = AdmissionFactory(queue__closed_at=NOW, admitted=True).queue
    AdmissionFactory(queue__closed_at=NOW, status=Admission.Status.EXPIRED)
    QueueFactory(sold_out_at=NOW)
    QueueFactory(published_at=None)
    QueueFactory(event__status=Event.Status.DRAFT)

    assert set(Queue.objects.live()) == {waiting, running, inside}


def assert_constraint(row: models.Model, name: str, **changes: object) -> None:
    rows = type(row)._default_manager.filter(pk=row.pk)
    with pytest.raises(IntegrityError, match=f'"{name}"'), transaction.atomic():
        rows.update(**changes)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("queue_opens_before_it_closes", {"scheduled_end": NOW - 2 * HOUR}),
        ("queue_lobby_opens_before_the_queue", {"lobby_opens_at": NOW + HOUR}),
        ("queue_lets_somebody_in", {"max_concurrent_admissions": 0}),
        ("queue_lets_somebody_in", {"admission_rate_per_minute": 0}),
        ("queue_gives_time_to_buy", {"admission_window_seconds": 0}),
    ],
)
def test_queue_is_kept_by_its_constraints(name: str, changes: dict[str, object]):
    assert_constraint(QueueFactory(), name, **changes)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("admitted_fan_has_a_window", {"status": "admitted"}),
        ("admitted_fan_has_a_window", {"status": "admitted", "admitted_at": NOW}),
        ("only_an_admitted_fan_holds_tickets", {"has_hold": True}),
    ],
)
def test_admission_is_kept_by_its_constraints(name: str, changes: dict[str, object]):
    assert_constraint(AdmissionFactory(), name, **changes)


@pytest.mark.parametrize("admitted", [False, True])
def test_fan_stands_once_in_a_queue(admitted: bool):
    first = AdmissionFactory(admitted=admitted)

    with pytest.raises(IntegrityError, match='"fan_stands_once_in_a_queue"'), transaction.atomic():
        AdmissionFactory(queue=first.queue, user=first.user)

    assert Admission.objects.get() == first


def test_place_is_given_once():
    first, second = AdmissionFactory.create_batch(2, queue=QueueFactory())

    assert_constraint(second, "place_in_line_is_given_once", place=first.place)
    assert first.place < second.place


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("fan_never_over_the_order_limit", {"order_count": 2}),
        ("fan_never_over_the_ticket_limit", {"ticket_count": 5}),
        ("queues_allowance_order_count_check", {"order_count": -1}),
        ("queues_allowance_ticket_count_check", {"ticket_count": -1}),
    ],
)
def test_allowance_is_kept_by_its_constraints(name: str, changes: dict[str, object]):
    assert_constraint(AllowanceFactory(order_limit=1, ticket_limit=4), name, **changes)


def test_fan_has_one_allowance_an_event():
    first = AllowanceFactory()

    with pytest.raises(IntegrityError, match='"fan_has_one_allowance_an_event"'), transaction.atomic():
        AllowanceFactory(user=first.user, event=first.event)

    assert Allowance.objects.get() == first


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("waiting", "admitted", True),
        ("waiting", "completed", False),
        ("waiting", "expired", False),
        ("admitted", "completed", True),
        ("admitted", "waiting", False),
        ("expired", "completed", True),
        ("expired", "admitted", False),
        ("completed", "expired", False),
        ("denied", "waiting", False),
    ],
)
def test_admission_keeps_to_its_stages(before: str, after: str, allowed: bool):
    admission = AdmissionFactory.build(status=before, queue=queue_with())

    if allowed:
        admission.move_to(after)
    else:
        with pytest.raises(ValueError, match="cannot go"):
            admission.move_to(after)

    assert admission.status == (after if allowed else before)


def test_queue_is_found_by_the_organizer_of_its_event(queue: Queue, organizer):
    QueueFactory()

    assert Queue.objects.for_organizer(organizer).get() == queue
    assert queue.event.price_with_fee(Decimal(100)) == Decimal(110)
