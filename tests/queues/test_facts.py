"""What a line tells to the organizer's programs: in the transaction that makes it, and only where somebody listens."""

import inspect
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Organizer, User
from accounts.refusals import Refusal
from events.models import Event, Tier
from queues import services
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory, EndpointFactory
from tests.statements import counted_statements
from tests.webhooks.facts import as_told, data_of, told
from webhooks.models import Endpoint, Fact, FactType

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
# A tick of an empty queue, and one that expires and admits somebody, where nobody listens; see test_ticks.
IDLE_TICK, TICK = 18, 20


class ChangedMindError(Exception):
    pass


def change(row: Queue | Event | Tier | Admission | Endpoint, **fields: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**fields)


def sale_of(queue: Queue) -> dict[str, Any]:
    """Return what every fact of the cast's queue says of it."""
    return {
        "event": {
            "slug": "fall-tour",
            "name": "Fall Tour",
            "date": as_told(queue.event.starts_at),
            "venue": {"name": "Madison Square Garden", "city": "New York, NY"},
            "total_tickets": 105,
        },
        "queue": {"slug": "fall-tour-sale", "name": "General sale", "metadata": {}},
    }


def passage(admission: Admission) -> dict[str, Any]:
    """Return what a fact says of an admission as its row is now."""
    admission.refresh_from_db()
    times = ("joined_at", "admitted_at", "claim_ends_at", "window_ends_at", "ended_at")
    return {
        "admission": {
            "id": str(admission.public_id),
            "queue": "fall-tour-sale",
            "status": admission.status,
            "place": admission.place,
            **{time: as_told(getattr(admission, time)) for time in times},
        },
        "customer": {"id": str(admission.user_id)},
        **sale_of(admission.queue),
    }


@pytest.fixture(params=["nobody", "inactive", "another type", "another organizer"])
def deaf(request: pytest.FixtureRequest, organizer: Organizer) -> None:
    """Nobody who would listen to what happens in a line."""
    match request.param:
        case "inactive":
            EndpointFactory(organizer=organizer, is_active=False)
        case "another type":
            EndpointFactory(organizer=organizer, types=[FactType.ORDER_PAID])
        case "another organizer":
            EndpointFactory()


def test_join_is_told_with_all_there_is_to_know(queue: Queue, ben: User, endpoint: Endpoint):
    change(queue, metadata={"campaign": "autumn"})

    admission, _ = services.join_queue(queue, ben)

    fact = Fact.objects.get()
    expected = passage(admission)
    expected["queue"]["metadata"] = {"campaign": "autumn"}
    assert (fact.type, fact.organizer, fact.admission) == (
        "admission.created",
        queue.event.organizer,
        admission.public_id,
    )
    assert fact.data == expected
    assert abs(fact.happened_at - timezone.now()) < 10 * SECOND


def test_fact_says_of_the_fan_no_more_than_an_id(queue: Queue, ben: User, endpoint: Endpoint):
    services.join_queue(queue, ben)

    assert data_of("admission.created")["customer"] == {"id": str(ben.pk)}
    assert ben.email not in str(Fact.objects.get().data)


def test_joining_twice_is_told_once(queue: Queue, ben: User, endpoint: Endpoint):
    services.join_queue(queue, ben)
    services.join_queue(queue, ben)

    assert told() == ["admission.created"]


def test_refused_join_is_not_told(queue: Queue, ben: User, endpoint: Endpoint):
    change(queue, closed_at=timezone.now())

    with pytest.raises(Refusal):
        services.join_queue(queue, ben)

    assert (told(), Admission.objects.count()) == ([], 0)


def test_join_that_is_taken_back_is_not_told(queue: Queue, ben: User, endpoint: Endpoint):
    with pytest.raises(ChangedMindError), transaction.atomic():
        services.join_queue(queue, ben)
        assert told() == ["admission.created"]
        raise ChangedMindError

    assert (told(), Admission.objects.count()) == ([], 0)


def test_join_to_which_nobody_listens_costs_nothing(queue: Queue, ben: User, deaf: None):
    with counted_statements() as sent:
        services.join_queue(queue, ben)

    assert (len(sent), told()) == (3, [])


@pytest.mark.parametrize("listeners", [1, 3])
def test_join_that_is_heard_takes_two_statements_more(queue: Queue, ben: User, organizer: Organizer, listeners: int):
    EndpointFactory.create_batch(listeners, organizer=organizer)

    with counted_statements() as sent:
        services.join_queue(queue, ben)

    assert (len(sent), told()) == (5, ["admission.created"])


def test_listener_hears_of_what_comes_after_it(queue: Queue, ben: User, cleo: User, organizer: Organizer):
    services.join_queue(queue, ben)
    late = EndpointFactory(organizer=organizer)
    second, _ = services.join_queue(queue, cleo)
    change(late, is_active=False)
    AdmissionFactory(queue=queue)

    assert list(Fact.objects.values_list("admission", flat=True)) == [second.public_id]


def test_tick_tells_of_everyone_it_lets_in_by_their_places(queue: Queue, endpoint: Endpoint):
    change(queue, admission_rate_per_minute=6000, claim_window_seconds=30)
    line = AdmissionFactory.create_batch(3, queue=queue)
    change(line[2], place=-1)

    services.tick_queue(queue.pk)

    facts = Fact.objects.in_order()
    assert [fact.type for fact in facts] == ["admission.admitted"] * 3
    assert [fact.admission for fact in facts] == [line[number].public_id for number in (2, 0, 1)]
    assert [fact.data for fact in facts] == [passage(line[number]) for number in (2, 0, 1)]
    assert facts[0].data["admission"]["claim_ends_at"] is not None


def test_tick_tells_of_every_turn_that_it_ends(queue: Queue, endpoint: Endpoint):
    over = AdmissionFactory.create_batch(2, queue=queue, admitted=True, window_ends_at=timezone.now())
    AdmissionFactory(queue=queue, admitted=True)

    services.tick_queue(queue.pk)

    facts = Fact.objects.in_order()
    assert [(fact.type, fact.admission) for fact in facts] == [
        ("admission.expired", admission.public_id) for admission in over
    ]
    assert [fact.data for fact in facts] == [passage(admission) for admission in over]
    assert facts[0].data["admission"]["status"] == "expired"
    assert facts[0].data["admission"]["ended_at"] is not None


def test_tick_that_is_taken_back_tells_nothing(queue: Queue, endpoint: Endpoint):
    AdmissionFactory(queue=queue)
    AdmissionFactory(queue=queue, admitted=True, window_ends_at=timezone.now())

    acts = [inspect.unwrap(act) for act in (services.expire_lapsed_admissions, services.admit_due_fans)]

    with pytest.raises(ChangedMindError), transaction.atomic():
        assert [act(queue.pk) for act in acts] == [1, 1]
        assert told() == ["admission.expired", "admission.admitted"]
        raise ChangedMindError

    assert told() == []
    assert Admission.objects.filter(status="expired").count() == 0


def tick_after(queue: Queue, fans: int) -> int:
    """Let some in and put as many out in one tick; returns how many statements it took."""
    AdmissionFactory.create_batch(fans, queue=queue)
    AdmissionFactory.create_batch(fans, queue=queue, admitted=True, window_ends_at=timezone.now())
    Admission.objects.exclude(admitted_at=None).update(admitted_at=timezone.now() - 5 * SECOND)
    with counted_statements() as sent:
        services.tick_queue(queue.pk)
    return len(sent)


def test_tick_to_which_nobody_listens_costs_nothing(queue: Queue, deaf: None):
    change(queue, admission_rate_per_minute=6000)

    assert (tick_after(queue, 3), told()) == (TICK, [])


def test_tick_that_is_heard_takes_six_statements_more_however_many_it_tells_of(
    queue: Queue, endpoint: Endpoint, redis_client
):
    change(queue, admission_rate_per_minute=6000)
    numbers = []
    for fans in (1, 3):
        redis_client.flushdb()
        numbers.append(tick_after(queue, fans))

    assert numbers == [TICK + 6] * 2
    assert (
        told() == ["admission.expired", "admission.admitted"] + ["admission.expired"] * 3 + ["admission.admitted"] * 3
    )


def test_idle_tick_that_is_heard_costs_nothing(queue: Queue, endpoint: Endpoint):
    with counted_statements() as sent:
        services.tick_queue(queue.pk)

    assert (len(sent), told()) == (IDLE_TICK, [])


def test_leaving_and_being_sent_away_are_not_told(queue: Queue, endpoint: Endpoint):
    services.leave_queue(AdmissionFactory(queue=queue))
    services.leave_queue(AdmissionFactory(queue=queue, admitted=True))
    AdmissionFactory(queue=queue)
    services.close_queue(queue)

    assert services.free_fans(queue.pk) == 1
    assert told() == []


def test_queue_that_sells_out_is_told_once(queue: Queue, floor: Tier, vip: Tier, endpoint: Endpoint):
    for tier in (floor, vip):
        change(tier, sold_count=tier.quantity)

    marked = [services.mark_sold_out(queue.pk) for _ in range(3)]

    fact = Fact.objects.get()
    assert marked == [True, False, False]
    assert (fact.type, fact.admission, fact.data) == ("queue.sold_out", None, sale_of(queue))


def test_queue_that_sells_out_again_is_told_again(queue: Queue, floor: Tier, vip: Tier, endpoint: Endpoint):
    for tier in (floor, vip):
        change(tier, sold_count=tier.quantity)
    services.mark_sold_out(queue.pk)
    change(vip, quantity=6)
    services.reopen_next_restocked_queue()
    change(vip, sold_count=6)

    services.mark_sold_out(queue.pk)

    assert told() == ["queue.sold_out"] * 2


def test_queue_that_sells_out_unheard_is_not_told(queue: Queue, floor: Tier, vip: Tier, deaf: None):
    for tier in (floor, vip):
        change(tier, sold_count=tier.quantity)

    assert services.mark_sold_out(queue.pk) is True
    assert told() == []


def test_tickets_of_an_event_are_counted_over_all_its_tiers(queue: Queue, floor: Tier, ben: User, endpoint: Endpoint):
    queue.tiers.set([floor])

    services.join_queue(queue, ben)

    assert data_of("admission.created")["event"]["total_tickets"] == 105
