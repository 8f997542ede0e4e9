"""Running a sale by hand, and how an event's page sees its sales."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from events.models import Event
from queues import refusals, sales, services
from queues.models import Admission, Phase, Queue
from queues.sales import SalePhase
from tests.factories import AdmissionFactory, EventFactory, QueueFactory, TierFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def phase(queue: Queue) -> Phase:
    return Queue.objects.select_related("event").get(pk=queue.pk).phase(timezone.now())


def test_published_queue_is_shown(event: Event):
    TierFactory(event=event)
    draft = QueueFactory(event=event, published_at=None)

    services.publish_queue(draft)
    first = Queue.objects.get().published_at
    services.publish_queue(draft)

    assert phase(draft) == Phase.OPEN
    assert Queue.objects.get().published_at == first


@pytest.mark.parametrize(("status", "tiers"), [("draft", 1), ("cancelled", 1), ("published", 0)])
def test_queue_with_nothing_to_sell_is_not_published(status: str, tiers: int):
    event = EventFactory(status=status)
    TierFactory.create_batch(tiers, event=event)
    draft = QueueFactory(event=event, published_at=None)

    with pytest.raises(refusals.QueueNotPublishable):
        services.publish_queue(draft)

    assert Queue.objects.get().published_at is None


def test_open_begins_the_sale_now_and_leaves_one_that_has_begun_alone(queue: Queue):
    started = queue.scheduled_start
    ahead = QueueFactory(event=queue.event, scheduled_start=timezone.now() + HOUR)

    services.open_queue(queue)
    services.open_queue(ahead)

    queue.refresh_from_db()
    assert (queue.scheduled_start, phase(ahead)) == (started, Phase.OPEN)


def test_pause_keeps_its_time_and_resume_ends_it(queue: Queue):
    services.pause_queue(queue)
    first = Queue.objects.get().paused_at
    services.pause_queue(queue)

    assert (phase(queue), Queue.objects.get().paused_at) == (Phase.PAUSED, first)

    services.resume_queue(queue)
    assert (phase(queue), Queue.objects.get().paused_at) == (Phase.OPEN, None)


def test_close_keeps_its_time_and_touches_nobody_in_line(queue: Queue, ben: User):
    """However long the line, closing is quick: a sweep frees who waits."""
    waiting = AdmissionFactory(queue=queue, user=ben)

    services.close_queue(queue)
    first = Queue.objects.get().closed_at
    services.close_queue(queue)

    assert (phase(queue), Queue.objects.get().closed_at) == (Phase.CLOSED, first)
    assert Admission.objects.values_list("pk", "status").get() == (waiting.pk, "waiting")


def test_close_is_on_the_board_at_once(queue: Queue, django_capture_on_commit_callbacks):
    services.publish_board(queue.pk)

    with django_capture_on_commit_callbacks(execute=True):
        services.close_queue(queue)

    assert services.read_board(queue).phase == "closed"


def sale(phase: Phase, **fields: object) -> sales.Sale:
    return sales.Sale(QueueFactory.build(event=EventFactory.build(), **fields), phase)


GENERAL = {"kind": Queue.Kind.GENERAL}
PRESALE = {"kind": Queue.Kind.PRESALE}


@pytest.mark.parametrize(
    ("shown", "phase"),
    [
        ([], SalePhase.UPCOMING),
        ([(Phase.SCHEDULED, GENERAL)], SalePhase.UPCOMING),
        ([(Phase.LOBBY, GENERAL), (Phase.CLOSED, PRESALE)], SalePhase.UPCOMING),
        ([(Phase.OPEN, PRESALE), (Phase.SCHEDULED, GENERAL)], SalePhase.PRESALE),
        ([(Phase.PAUSED, PRESALE)], SalePhase.PRESALE),
        ([(Phase.OPEN, PRESALE), (Phase.OPEN, GENERAL)], SalePhase.GENERAL),
        ([(Phase.SOLD_OUT, GENERAL)], SalePhase.SOLD_OUT),
        ([(Phase.SOLD_OUT, PRESALE), (Phase.SCHEDULED, GENERAL)], SalePhase.UPCOMING),
        ([(Phase.CLOSED, GENERAL)], SalePhase.ENDED),
    ],
)
def test_sale_phase_of_an_event_comes_from_its_queues(shown: list[tuple[Phase, dict]], phase: SalePhase):
    event = EventFactory.build()

    found = sales.sale_phase(event, [sale(each, **fields) for each, fields in shown], now=timezone.now())

    assert found == phase


@pytest.mark.parametrize(
    ("fields", "phase"),
    [
        ({"status": Event.Status.CANCELLED}, SalePhase.CANCELLED),
        ({"starts_at": timezone.now() - HOUR}, SalePhase.ENDED),
    ],
)
def test_sale_of_an_event_that_is_over_has_ended(fields: dict, phase: SalePhase):
    assert sales.sale_phase(EventFactory.build(**fields), [sale(Phase.OPEN)], now=timezone.now()) == phase


def test_button_leads_to_the_general_sale_then_the_presale_then_the_next_to_open():
    now = timezone.now()
    general, presale = sale(Phase.OPEN, **GENERAL), sale(Phase.OPEN, **PRESALE)
    soon, later = (sale(Phase.SCHEDULED, scheduled_start=now + HOUR * hours) for hours in (1, 2))
    closed = sale(Phase.CLOSED)

    assert sales.next_sale([closed, later, presale, soon, general]) is general
    assert sales.next_sale([closed, later, presale, soon]) is presale
    assert sales.next_sale([closed, later, soon]) is soon
    assert sales.next_sale([closed]) is None
