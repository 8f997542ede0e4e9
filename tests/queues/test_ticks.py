"""The tick: who is put out, who is let in."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from events.models import Event, Tier
from queues import services
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory, QueueFactory
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
WAITING, ADMITTED, EXPIRED = Admission.Status.WAITING, Admission.Status.ADMITTED, Admission.Status.EXPIRED


def change(row: Queue | Event | Tier | Admission, **fields: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**fields)


def admitted(queue: Queue) -> list[int]:
    """Return the pks of whom the queue has inside, in the order of their places."""
    return list(Admission.objects.admitted().filter(queue=queue).in_line_order().values_list("pk", flat=True))


def pks(admissions: list[Admission]) -> list[int]:
    return [admission.pk for admission in admissions]


def a_second_later() -> None:
    """Move everything that has happened a second into the past."""
    Admission.objects.exclude(admitted_at=None).update(
        admitted_at=F("admitted_at") - SECOND, window_ends_at=F("window_ends_at") - SECOND
    )


@pytest.fixture
def line(queue: Queue) -> list[Admission]:
    """Ten fans in line, who may come in one a second."""
    change(queue, admission_rate_per_minute=60)
    line: list[Admission] = AdmissionFactory.create_batch(10, queue=queue)
    return line


def test_tick_admits_from_the_front_at_the_pace_of_the_queue(queue: Queue, line: list[Admission]):
    seen = []
    for _ in range(4):
        services.tick_queue(queue.pk)
        seen.append(admitted(queue))
        a_second_later()

    assert seen == [pks(line[:number]) for number in (2, 3, 4, 5)]


def test_admitted_fan_has_the_window_of_the_queue(queue: Queue, line: list[Admission]):
    change(queue, admission_window_seconds=90)

    services.tick_queue(queue.pk)

    first = Admission.objects.get(pk=line[0].pk)
    assert first.admitted_at is not None
    assert first.window_ends_at == first.admitted_at + timedelta(seconds=90)
    assert abs(first.admitted_at - timezone.now()) < 10 * SECOND
    assert (first.claim_ends_at, first.claimed_at, first.has_hold) == (None, None, False)


def test_admitted_fan_has_to_show_up_where_the_queue_wants_it(queue: Queue, line: list[Admission]):
    change(queue, claim_window_seconds=30)

    services.tick_queue(queue.pk)

    first = Admission.objects.get(pk=line[0].pk)
    assert first.admitted_at is not None
    assert first.claim_ends_at == first.admitted_at + timedelta(seconds=30)


def test_tick_goes_by_places_and_not_by_rows(queue: Queue, line: list[Admission]):
    """A place may be lower than that of an older row: a lottery gives them so."""
    change(line[7], place=-1)

    services.tick_queue(queue.pk)

    assert admitted(queue) == pks([line[7], line[0]])


def test_tick_passes_over_who_has_left(queue: Queue, line: list[Admission]):
    services.leave_queue(line[0])

    services.tick_queue(queue.pk)

    assert admitted(queue) == pks(line[1:3])


def test_tick_admits_nobody_above_the_cap(queue: Queue, line: list[Admission]):
    change(queue, admission_rate_per_minute=6000, max_concurrent_admissions=3)

    for _ in range(3):
        services.tick_queue(queue.pk)
        a_second_later()

    assert admitted(queue) == pks(line[:3])


def test_end_of_a_turn_makes_room_for_the_next(queue: Queue, line: list[Admission]):
    change(queue, admission_rate_per_minute=6000, max_concurrent_admissions=3)
    services.tick_queue(queue.pk)
    change(line[1], window_ends_at=timezone.now())
    a_second_later()

    services.tick_queue(queue.pk)

    assert admitted(queue) == pks([line[0], line[2], line[3]])


def test_tick_admits_nobody_above_the_rate_of_the_last_minute(queue: Queue, line: list[Admission]):
    change(queue, admission_rate_per_minute=5)
    recent = timezone.now() - timedelta(seconds=59)
    AdmissionFactory.create_batch(5, queue=queue, admitted=True, admitted_at=recent, status="completed")

    services.tick_queue(queue.pk)
    at_first = admitted(queue)
    Admission.objects.filter(status="completed").update(admitted_at=F("admitted_at") - 2 * SECOND)
    services.tick_queue(queue.pk)

    assert (at_first, admitted(queue)) == ([], pks(line[:1]))


def test_rate_counts_who_came_in_and_has_left_again(queue: Queue, line: list[Admission]):
    change(queue, admission_rate_per_minute=2)
    services.tick_queue(queue.pk)
    services.leave_queue(Admission.objects.get(pk=line[0].pk))

    services.tick_queue(queue.pk)

    assert admitted(queue) == []


def test_nobody_is_let_into_an_empty_shop(queue: Queue, line: list[Admission], floor: Tier, vip: Tier):
    change(queue, admission_rate_per_minute=6000)
    change(floor, reserved_count=100)
    change(vip, reserved_count=3)

    for _ in range(2):
        services.tick_queue(queue.pk)
        a_second_later()

    assert admitted(queue) == pks(line[:2])


def test_shopper_with_a_hold_leaves_the_free_tickets_to_the_others(
    queue: Queue, line: list[Admission], floor: Tier, vip: Tier
):
    change(queue, admission_rate_per_minute=6000)
    change(floor, reserved_count=100)
    change(vip, reserved_count=3)
    AdmissionFactory(queue=queue, admitted=True, has_hold=True)

    services.tick_queue(queue.pk)

    assert set(pks(line[:2])) < set(admitted(queue))
    assert Admission.objects.waiting().count() == 8


def test_only_tickets_of_this_queue_count(queue: Queue, line: list[Admission], floor: Tier, vip: Tier):
    queue.tiers.add(vip)
    change(vip, sold_count=5)

    services.tick_queue(queue.pk)
    without = admitted(queue)
    queue.tiers.add(floor)
    services.tick_queue(queue.pk)

    assert (without, admitted(queue)) == ([], pks(line[:2]))


def test_tickets_count_from_their_release_on(queue: Queue, line: list[Admission], floor: Tier, vip: Tier):
    Tier.objects.update(release_at=timezone.now() + timedelta(minutes=1))

    services.tick_queue(queue.pk)
    before = admitted(queue)
    change(vip, release_at=timezone.now())
    services.tick_queue(queue.pk)

    assert (before, admitted(queue)) == ([], pks(line[:2]))


@pytest.mark.parametrize("mark", ["paused_at", "sold_out_at", "closed_at", "scheduled_end"])
def test_queue_that_is_not_open_admits_nobody(queue: Queue, line: list[Admission], mark: str):
    change(queue, **{mark: timezone.now()})

    services.tick_queue(queue.pk)

    assert admitted(queue) == []


def test_queue_admits_nobody_before_its_opening(queue: Queue, line: list[Admission]):
    change(queue, scheduled_start=timezone.now() + timedelta(minutes=1))
    services.tick_queue(queue.pk)
    before = admitted(queue)

    change(queue, scheduled_start=timezone.now())
    services.tick_queue(queue.pk)

    assert (before, admitted(queue)) == ([], pks(line[:2]))


def test_resumed_queue_goes_on_where_it_was(queue: Queue, line: list[Admission]):
    services.pause_queue(queue)
    services.tick_queue(queue.pk)

    services.resume_queue(queue)
    services.tick_queue(queue.pk)

    assert admitted(queue) == pks(line[:2])


def test_tick_ends_turns_that_are_over_even_while_paused(queue: Queue, ben: User, cleo: User):
    over = AdmissionFactory(queue=queue, user=ben, admitted=True, window_ends_at=timezone.now())
    on = AdmissionFactory(queue=queue, user=cleo, admitted=True)
    services.pause_queue(queue)

    services.tick_queue(queue.pk)

    over.refresh_from_db()
    on.refresh_from_db()
    assert (over.status, on.status, on.ended_at) == (EXPIRED, ADMITTED, None)
    assert abs(over.ended_at - timezone.now()) < 10 * SECOND


def test_turn_with_a_hold_is_left_to_the_sweep_over_orders(queue: Queue):
    over = AdmissionFactory(queue=queue, admitted=True, has_hold=True, window_ends_at=timezone.now() - SECOND)

    assert services.expire_lapsed_admissions(queue.pk) == 0

    assert Admission.objects.values_list("pk", "status").get() == (over.pk, ADMITTED)


@pytest.mark.parametrize(
    ("claim_ends_in", "claimed", "expired"), [(-1, False, 1), (-1, True, 0), (60, False, 0), (None, False, 0)]
)
def test_fan_who_does_not_show_up_loses_the_turn(queue: Queue, claim_ends_in: int | None, claimed: bool, expired: int):
    now = timezone.now()
    ends_at = None if claim_ends_in is None else now + timedelta(seconds=claim_ends_in)
    AdmissionFactory(queue=queue, admitted=True, claim_ends_at=ends_at, claimed_at=now if claimed else None)

    assert services.expire_lapsed_admissions(queue.pk) == expired
    assert Admission.objects.values_list("status", "reason").get() == (
        ("expired", "absent") if expired else (ADMITTED, "")
    )


@pytest.mark.parametrize(("claim_ends_in", "claimed"), [(None, False), (60, False), (-1, True)])
def test_turn_that_is_over_without_absence_names_no_reason(queue: Queue, claim_ends_in: int | None, claimed: bool):
    now = timezone.now()
    ends_at = None if claim_ends_in is None else now + timedelta(seconds=claim_ends_in)
    claimed_at = now if claimed else None
    AdmissionFactory(queue=queue, admitted=True, window_ends_at=now, claim_ends_at=ends_at, claimed_at=claimed_at)

    assert services.expire_lapsed_admissions(queue.pk) == 1

    assert Admission.objects.values_list("status", "reason").get() == ("expired", "")


def test_turn_of_a_fan_who_stays_away_is_given_to_the_next(queue: Queue):
    change(queue, max_concurrent_admissions=1, claim_window_seconds=30)
    absent, following = AdmissionFactory.create_batch(2, queue=queue)
    services.tick_queue(queue.pk)
    Admission.objects.filter(pk=absent.pk).update(
        admitted_at=timezone.now() - timedelta(seconds=30), claim_ends_at=timezone.now()
    )

    services.tick_queue(queue.pk)

    assert dict(Admission.objects.values_list("pk", "status")) == {absent.pk: "expired", following.pk: ADMITTED}


def test_tick_leaves_other_queues_alone(queue: Queue, line: list[Admission]):
    other = QueueFactory(event=queue.event)
    AdmissionFactory(queue=other)
    AdmissionFactory(queue=other, admitted=True, window_ends_at=timezone.now())

    services.tick_queue(queue.pk)

    assert list(Admission.objects.filter(queue=other).order_by("pk").values_list("status", flat=True)) == [
        WAITING,
        ADMITTED,
    ]


def test_whole_line_is_admitted_in_its_order(queue: Queue, line: list[Admission]):
    order: list[int] = []
    for _ in range(12):
        services.tick_queue(queue.pk)
        order += [pk for pk in admitted(queue) if pk not in order]
        a_second_later()

    assert order == pks(line)


def statements_of_a_tick(queue: Queue) -> int:
    with counted_statements() as sent:
        services.tick_queue(queue.pk)
    return len(sent)


def test_tick_takes_as_many_statements_for_three_as_for_one(queue: Queue, redis_client):
    numbers = []
    for fans in (1, 3):
        AdmissionFactory.create_batch(fans, queue=queue)
        AdmissionFactory.create_batch(fans, queue=queue, admitted=True, window_ends_at=timezone.now())
        change(queue, admission_rate_per_minute=6000)
        redis_client.flushdb()
        numbers.append(statements_of_a_tick(queue))
        a_second_later()

    assert numbers == [20, 20]
    assert Admission.objects.waiting().count() == 0


def test_idle_tick_takes_no_more(queue: Queue):
    assert statements_of_a_tick(queue) == 18
