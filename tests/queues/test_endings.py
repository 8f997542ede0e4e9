"""Sold out, over or closed: who is told, and that it is once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import mailbox
from accounts.models import Letter, User
from events import services as event_services
from events.models import Event, Tier
from queues import services, tasks
from queues.models import Admission, Phase, Queue
from queues.refusals import QueueClosed, QueueSoldOut
from queues.services import endings
from tests.factories import AdmissionFactory, QueueFactory, TierFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def sell(*tiers: Tier, left: int = 0) -> None:
    for tier in tiers:
        Tier.objects.filter(pk=tier.pk).update(sold_count=tier.quantity - left)


def is_sold_out(queue: Queue) -> bool:
    return Queue.objects.get(pk=queue.pk).is_sold_out


def letters() -> list[tuple[str, str, str]]:
    return list(Letter.objects.order_by("pk").values_list("to", "subject", "kind"))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Batches of two."""
    monkeypatch.setattr(endings, "FREED_AT_ONCE", 2)
    return 2


def test_queue_is_sold_out_once_every_ticket_of_its_tiers_is_sold(queue: Queue, floor: Tier, vip: Tier):
    sell(floor)
    tasks.mark_sold_out_queues()
    with_one_tier_left = is_sold_out(queue)
    sell(vip)
    tasks.mark_sold_out_queues()
    first = Queue.objects.get().sold_out_at
    tasks.mark_sold_out_queues()

    assert (with_one_tier_left, is_sold_out(queue)) == (False, True)
    assert Queue.objects.get().sold_out_at == first


def test_tickets_that_are_merely_reserved_are_not_sold(queue: Queue, floor: Tier, vip: Tier):
    sell(floor)
    Tier.objects.filter(pk=vip.pk).update(sold_count=4, reserved_count=1)

    tasks.mark_sold_out_queues()

    assert not is_sold_out(queue)


def test_returned_tickets_have_to_be_sold_again(queue: Queue, floor: Tier, vip: Tier):
    sell(floor, vip)
    Tier.objects.filter(pk=vip.pk).update(returned_count=1)

    tasks.mark_sold_out_queues()

    assert not is_sold_out(queue)


def test_queue_is_sold_out_by_the_tiers_that_it_opens(queue: Queue, floor: Tier, vip: Tier):
    presale = QueueFactory(event=queue.event)
    presale.tiers.add(vip)
    TierFactory()
    sell(vip)

    tasks.mark_sold_out_queues()

    assert (is_sold_out(queue), is_sold_out(presale)) == (False, True)


@pytest.mark.parametrize(
    "fields",
    [{"published_at": None}, {"closed_at": timezone.now()}, {"scheduled_end": timezone.now()}, {"kind": "waitlist"}],
)
def test_queue_that_does_not_sell_is_not_marked(queue: Queue, floor: Tier, vip: Tier, fields: dict[str, Any]):
    Queue.objects.update(**fields)
    sell(floor, vip)

    tasks.mark_sold_out_queues()

    assert not is_sold_out(queue)


def test_queue_without_tiers_is_not_sold_out():
    queue = QueueFactory()

    tasks.mark_sold_out_queues()

    assert not is_sold_out(queue)


def test_sold_out_is_on_the_board_at_once(
    queue: Queue, floor: Tier, vip: Tier, django_capture_on_commit_callbacks: Any
):
    services.publish_board(queue.pk)
    sell(floor, vip)

    with django_capture_on_commit_callbacks(execute=True):
        tasks.mark_sold_out_queues()

    assert services.read_board(queue).phase == Phase.SOLD_OUT


def test_sold_out_frees_and_tells_who_waits_and_leaves_who_is_inside(
    queue: Queue, floor: Tier, vip: Tier, ben: User, cleo: User
):
    waiting = AdmissionFactory(queue=queue, user=ben)
    inside = AdmissionFactory(queue=queue, user=cleo, admitted=True)
    elsewhere = AdmissionFactory(queue=QueueFactory(), user=ben)
    sell(floor, vip)

    tasks.mark_sold_out_queues()
    tasks.free_waiting_fans()
    tasks.free_waiting_fans()

    found = {row.pk: (row.status, row.reason, row.ended_at is None) for row in Admission.objects.all()}
    assert found == {
        waiting.pk: ("denied", "sold_out", False),
        inside.pk: ("admitted", "", True),
        elsewhere.pk: ("waiting", "", True),
    }
    assert letters() == [("ben@example.org", "Sold out: Fall Tour", "mass")]


@pytest.mark.parametrize(
    ("of_the_queue", "of_the_event", "reason", "subject", "said"),
    [
        (
            {"sold_out_at": timezone.now()},
            {},
            "sold_out",
            "Sold out: Fall Tour",
            'All tickets have been sold. The last ones went to people who stood ahead of you in the line "Sale".',
        ),
        (
            {"closed_at": timezone.now()},
            {},
            "queue_closed",
            "The sale has ended: Fall Tour",
            'The sale has ended while you were still in the line "Sale".',
        ),
        (
            {"scheduled_end": timezone.now()},
            {},
            "queue_closed",
            "The sale has ended: Fall Tour",
            'The sale has ended while you were still in the line "Sale".',
        ),
        (
            {},
            {"status": Event.Status.CANCELLED},
            "event_cancelled",
            "Cancelled: Fall Tour",
            'The event has been cancelled while you were still in the line "Sale".',
        ),
    ],
)
def test_whoever_still_waits_is_told_why(
    queue: Queue, ben: User, *, of_the_queue: dict, of_the_event: dict, reason: str, subject: str, said: str
):
    AdmissionFactory(queue=queue, user=ben)
    Queue.objects.filter(pk=queue.pk).update(name="Sale", **of_the_queue)
    Event.objects.filter(pk=queue.event_id).update(name="Fall Tour", **of_the_event)

    tasks.free_waiting_fans()

    letter = Letter.objects.get()
    assert Admission.objects.values_list("status", "reason").get() == ("denied", reason)
    assert (letter.to, letter.subject, letter.kind) == (ben.email, subject, "mass")
    assert letter.text.startswith(f"Hello Ben,\n\n{said} You were not let in, and nothing was charged.\n\nFall Tour\n")
    assert said in letter.html


def test_line_of_a_queue_that_goes_on_is_left_alone(queue: Queue):
    AdmissionFactory(queue=queue)
    AdmissionFactory(queue=QueueFactory(paused_at=timezone.now()))
    AdmissionFactory(queue=QueueFactory(scheduled_end=timezone.now() + HOUR))

    tasks.free_waiting_fans()

    assert (Admission.objects.waiting().count(), letters()) == (3, [])


def test_fans_are_freed_in_the_order_of_the_line_batch_after_batch(queue: Queue, few: int):
    line = AdmissionFactory.create_batch(5, queue=queue)
    services.close_queue(queue)

    assert services.free_next_fans() == (queue.pk, few)
    assert list(Admission.objects.waiting().in_line_order()) == line[2:]

    tasks.free_waiting_fans()
    assert [to for to, _, _ in letters()] == [fan.user.email for fan in line]


def test_batch_that_breaks_off_leaves_its_fans_waiting_and_unwritten(
    queue: Queue, few: int, monkeypatch: pytest.MonkeyPatch
):
    """What a killed worker leaves: one transaction holds the freeing and the letters."""
    line = AdmissionFactory.create_batch(3, queue=queue)
    services.close_queue(queue)
    with monkeypatch.context() as broken:
        broken.setattr(mailbox, "post_to_each", lambda *args, **kwargs: 1 / 0)
        assert services.free_next_fans() == (queue.pk, 0)
    assert (Admission.objects.waiting().count(), letters()) == (3, [])

    tasks.free_waiting_fans()

    assert [to for to, _, _ in letters()] == [fan.user.email for fan in line]


def test_queue_that_cannot_be_emptied_does_not_stop_the_others(queue: Queue, monkeypatch: pytest.MonkeyPatch):
    AdmissionFactory(queue=queue)
    other = AdmissionFactory(queue=QueueFactory(closed_at=timezone.now()))
    services.close_queue(queue)
    free_fans = endings.free_fans
    monkeypatch.setattr(endings, "free_fans", lambda pk: 1 / 0 if pk == queue.pk else free_fans(pk))

    tasks.free_waiting_fans()

    assert [to for to, _, _ in letters()] == [other.user.email]


def test_address_that_cannot_be_one_keeps_the_letter_from_nobody_else(queue: Queue):
    first, second = AdmissionFactory.create_batch(2, queue=queue)
    User.objects.filter(pk=first.user_id).update(email="not an address")
    services.close_queue(queue)

    tasks.free_waiting_fans()

    assert ([to for to, _, _ in letters()], Admission.objects.waiting().count()) == ([second.user.email], 0)


@pytest.mark.parametrize(("fields", "refusal"), [("sold_out_at", QueueSoldOut), ("closed_at", QueueClosed)])
def test_whoever_was_sent_away_cannot_join_again_while_it_has_ended(
    queue: Queue, ben: User, fields: str, refusal: type[Exception]
):
    AdmissionFactory(queue=queue, user=ben)
    Queue.objects.update(**{fields: timezone.now()})
    tasks.free_waiting_fans()

    with pytest.raises(refusal):
        services.join_queue(queue, ben)

    assert Admission.objects.count() == 1


def test_raised_quantity_opens_a_sold_out_queue_again(queue: Queue, floor: Tier, vip: Tier, ben: User):
    AdmissionFactory(queue=queue, user=ben)
    sell(floor, vip)
    tasks.mark_sold_out_queues()
    tasks.free_waiting_fans()
    tasks.reopen_restocked_queues()
    still = is_sold_out(queue)

    event_services.change_quantity(vip, 6)
    tasks.reopen_restocked_queues()

    assert (still, is_sold_out(queue)) == (True, False)
    assert services.join_queue(queue, ben)[1]


def test_fans_who_were_not_yet_freed_stand_where_they_stood_when_it_opens_again(
    queue: Queue, floor: Tier, vip: Tier, few: int
):
    line = AdmissionFactory.create_batch(3, queue=queue)
    sell(floor, vip)
    tasks.mark_sold_out_queues()
    services.free_next_fans()
    event_services.change_quantity(vip, 6)

    tasks.reopen_restocked_queues()
    tasks.free_waiting_fans()

    assert list(Admission.objects.waiting()) == line[2:]
    assert len(letters()) == few


def test_queue_sold_out_a_second_time_tells_those_who_wait_then(queue: Queue, floor: Tier, vip: Tier, ben: User):
    AdmissionFactory(queue=queue, user=ben)
    for quantity in (5, 6):
        event_services.change_quantity(vip, quantity)
        tasks.reopen_restocked_queues()
        services.join_queue(queue, ben)
        sell(floor)
        Tier.objects.filter(pk=vip.pk).update(sold_count=quantity)
        tasks.mark_sold_out_queues()
        tasks.free_waiting_fans()

    assert [to for to, _, _ in letters()] == [ben.email] * 2


def test_closed_queue_stays_closed_when_tickets_come_back(queue: Queue):
    Queue.objects.update(sold_out_at=timezone.now(), closed_at=timezone.now())

    tasks.reopen_restocked_queues()

    assert is_sold_out(queue)
