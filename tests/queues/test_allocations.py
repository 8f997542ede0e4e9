"""What a queue's allocation means for its line: who is let in, what is shown, when it is sold out."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Letter
from events.models import Event, Tier
from queues import services, tasks
from queues.models import Admission, Queue
from queues.services.traffic import tickets_available
from tests.factories import AdmissionFactory, QueueFactory

pytestmark = pytest.mark.django_db


def limit(queue: Queue, allocation: int | None, *, used: int = 0) -> None:
    """Give a queue an allocation of which some tickets are used."""
    services.set_allocation(queue, allocation, used=used)
    queue.refresh_from_db()


def is_sold_out(queue: Queue) -> bool:
    return Queue.objects.get(pk=queue.pk).is_sold_out


@pytest.mark.parametrize(
    ("allocation", "used", "left"), [(None, 0, None), (5, 0, 5), (5, 2, 3), (5, 5, 0), (2**31 - 1, 0, 2**31 - 1)]
)
def test_queue_knows_what_its_allocation_leaves(queue: Queue, allocation: int | None, used: int, left: int | None):
    limit(queue, allocation, used=used)

    assert queue.allocation_left == left


@pytest.mark.parametrize(
    ("allocation", "used", "available"), [(None, 0, 105), (30, 0, 30), (30, 28, 2), (30, 30, 0), (500, 0, 105)]
)
def test_tickets_available_to_a_queue_are_what_tiers_and_allocation_leave(
    queue: Queue, allocation: int | None, used: int, available: int
):
    limit(queue, allocation, used=used)

    assert tickets_available(queue) == available


def test_tick_lets_in_no_more_shoppers_than_the_allocation_has_tickets(queue: Queue):
    Queue.objects.update(admission_rate_per_minute=6000)
    limit(queue, 10, used=7)
    AdmissionFactory(queue=queue, admitted=True)
    line = AdmissionFactory.create_batch(5, queue=queue)

    services.tick_queue(queue.pk)
    services.tick_queue(queue.pk)

    assert Admission.objects.filter(pk__in=[fan.pk for fan in line]).admitted().count() == 2


def test_board_shows_the_worse_of_what_tier_and_allocation_have_left(queue: Queue, vip: Tier):
    """Of the VIP tickets one in thirty is left, of those on the floor all."""
    Tier.objects.filter(pk=vip.pk).update(quantity=30, sold_count=29)
    levels = {used: levels_after(queue, used) for used in (0, 29, 30, 37, 38, 40)}

    assert levels == {
        0: ["few", "plenty"],
        29: ["few", "plenty"],
        30: ["few", "some"],
        37: ["few", "some"],
        38: ["few", "few"],
        40: ["gone", "gone"],
    }


def levels_after(queue: Queue, used: int) -> list[str]:
    """Return the levels on the board of a queue for 40, of which so many are used."""
    limit(queue, 40, used=used)
    return [tier["level"] for tier in services.publish_board(queue.pk).tiers]


def test_small_allocation_that_nobody_has_touched_is_shown_as_plenty(queue: Queue):
    limit(queue, 4)

    assert [tier["level"] for tier in services.publish_board(queue.pk).tiers] == ["plenty", "plenty"]


@pytest.mark.parametrize(
    ("allocation", "used", "shown"), [(None, 0, [5, 100]), (40, 37, [3, 3]), (40, 20, [5, 20]), (40, 40, [0, 0])]
)
def test_availability_of_a_queue_is_answered_to_programs(
    client: Client, queue: Queue, allocation: int | None, used: int, shown: list[int]
):
    limit(queue, allocation, used=used)

    answer = client.get(reverse("queues:availability", args=[queue.slug]))

    assert [tier["available"] for tier in answer.json()["tiers"]] == shown
    assert answer["Cache-Control"] == "public, max-age=1"


@pytest.mark.parametrize("fields", [{"published_at": None}, {"slug": "another"}])
def test_availability_of_a_queue_that_nobody_can_see_is_not_answered(client: Client, queue: Queue, fields: dict):
    Queue.objects.update(**fields)

    assert client.get(reverse("queues:availability", args=[queue.slug])).status_code == 404


def test_queue_is_sold_out_once_its_allocation_is_sold(queue: Queue, event: Event):
    other = QueueFactory(event=event)
    limit(queue, 5, used=4)
    limit(other, 8, used=4)
    tasks.mark_sold_out_queues()
    one_before = is_sold_out(queue)
    limit(queue, 5, used=5)

    tasks.mark_sold_out_queues()

    assert (one_before, is_sold_out(queue), is_sold_out(other)) == (False, True, False)


def test_allocation_of_which_some_is_merely_reserved_is_not_sold(queue: Queue, event: Event):
    limit(queue, 5, used=5)
    holding = AdmissionFactory(queue=queue, admitted=True, has_hold=True)
    AdmissionFactory(queue=QueueFactory(event=event), admitted=True, has_hold=True)
    AdmissionFactory(queue=queue, admitted=True)

    tasks.mark_sold_out_queues()
    while_held = is_sold_out(queue)
    Admission.objects.filter(pk=holding.pk).update(status="completed", has_hold=False)
    tasks.mark_sold_out_queues()

    assert (while_held, is_sold_out(queue)) == (False, True)


def test_used_up_allocation_without_tiers_is_not_sold_out():
    queue = QueueFactory()
    limit(queue, 5, used=5)

    tasks.mark_sold_out_queues()

    assert not is_sold_out(queue)


def test_who_waits_for_a_sold_allocation_is_told_that_other_sales_go_on(queue: Queue):
    limit(queue, 5, used=5)
    fan = AdmissionFactory(queue=queue)

    tasks.mark_sold_out_queues()
    tasks.free_waiting_fans()

    letter = Letter.objects.get()
    assert (letter.to, letter.subject) == (fan.user.email, "Sold out: Fall Tour")
    for text in (letter.text, letter.html):
        assert "All tickets of this sale have been sold; other sales of the event may still have some." in text
        assert reverse("queues:event", args=[queue.event.slug]) in text


@pytest.mark.parametrize(("raised_to", "is_still"), [(5, True), (6, False), (None, False)])
def test_raised_allocation_opens_a_sold_out_queue_again(queue: Queue, raised_to: int | None, is_still: bool):
    limit(queue, 5, used=5)
    tasks.mark_sold_out_queues()
    assert is_sold_out(queue)

    limit(queue, raised_to, used=5)
    tasks.reopen_restocked_queues()
    reopened = not is_sold_out(queue)
    tasks.mark_sold_out_queues()

    assert (reopened, is_sold_out(queue)) == (not is_still, is_still)


def test_tiers_that_have_sold_out_keep_a_queue_with_allocation_left_sold_out(queue: Queue):
    limit(queue, 200, used=105)
    for tier in Tier.objects.all():
        Tier.objects.filter(pk=tier.pk).update(sold_count=tier.quantity)

    tasks.mark_sold_out_queues()

    assert is_sold_out(queue)
