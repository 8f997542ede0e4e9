"""More time for everyone inside."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from orders import services
from orders.models import Order
from queues import services as queue_services
from queues.models import Admission, Queue
from queues.refusals import NobodyInside
from tests.factories import AdmissionFactory, QueueFactory
from tests.orders.conftest import traces

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def window(admission: Admission) -> datetime:
    admission.refresh_from_db()
    assert admission.window_ends_at is not None
    return admission.window_ends_at


def test_extension_moves_turn_and_hold_together(queue: Queue, admission: Admission, order: Order):
    before = window(admission)

    extended = services.extend_windows(queue, minutes=7)

    order.refresh_from_db()
    assert (extended, window(admission), order.hold_ends_at) == (1, before + 7 * MINUTE, before + 7 * MINUTE)


def test_extension_gives_more_time_to_show_up_where_there_is_an_end_to_it(queue: Queue):
    soon = timezone.now() + MINUTE
    bounded = AdmissionFactory(queue=queue, admitted=True, claim_ends_at=soon)
    unbounded = AdmissionFactory(queue=queue, admitted=True)

    services.extend_windows(queue, minutes=7)

    assert Admission.objects.get(pk=bounded.pk).claim_ends_at == soon + 7 * MINUTE
    assert Admission.objects.get(pk=unbounded.pk).claim_ends_at is None


def test_extension_reaches_those_inside_this_queue_alone(queue: Queue, admission: Admission):
    now = timezone.now()
    AdmissionFactory(queue=queue)
    AdmissionFactory(queue=queue, admitted=True, window_ends_at=now)
    AdmissionFactory(queue=queue, status="completed", admitted_at=now, window_ends_at=now + MINUTE)
    AdmissionFactory(queue=QueueFactory(event=queue.event), admitted=True)
    others = Admission.objects.exclude(pk=admission.pk).order_by("pk")
    before = list(others.values())

    assert services.extend_windows(queue, minutes=7) == 1
    assert list(others.values()) == before


def test_hold_that_has_lapsed_stays_so(queue: Queue, admission: Admission, order: Order):
    over = timezone.now()
    AdmissionFactory(queue=queue, admitted=True)
    Order.objects.update(hold_ends_at=over)
    Admission.objects.filter(pk=admission.pk).update(window_ends_at=over)

    services.extend_windows(queue, minutes=7)
    services.expire_next_order()

    order.refresh_from_db()
    assert (order.status, order.hold_ends_at) == ("lapsed", over)


def test_extension_for_nobody_is_refused(queue: Queue):
    AdmissionFactory(queue=queue)
    before = traces()

    with pytest.raises(NobodyInside):
        services.extend_windows(queue, minutes=7)

    assert traces() == before


def test_extended_turn_can_be_used_until_its_new_end(queue: Queue, admission: Admission, token: str, ben: User):
    Admission.objects.update(window_ends_at=timezone.now() + timedelta(milliseconds=500))
    services.extend_windows(queue, minutes=1)
    Admission.objects.update(window_ends_at=timezone.now() + MINUTE - timedelta(seconds=1))
    queue_services.expire_lapsed_admissions(queue.pk)

    assert services.hold_tickets(user=ben, token=token, wanted={"floor": 1}).hold_ends_at == window(admission)


def test_extension_reaches_visitors_without_an_account(queue: Queue, admission: Admission):
    visitor = AdmissionFactory(queue=queue, user=None, visitor=uuid4(), admitted=True)
    before = window(visitor)

    assert services.extend_windows(queue, minutes=7) == 2
    assert window(visitor) == before + 7 * MINUTE
