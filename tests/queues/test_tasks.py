from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from config.celery import app
from queues import tasks
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory, QueueFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    """Do tasks where they are asked for, instead of sending them."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def test_each_live_queue_has_its_tick(queue: Queue):
    first = AdmissionFactory(queue=queue)
    second = AdmissionFactory(queue=QueueFactory(event=queue.event))
    AdmissionFactory(queue=QueueFactory(event=queue.event, published_at=None))

    tasks.tick_queues()

    assert set(Admission.objects.admitted()) == {first, second}


def test_turns_end_after_the_queue_has_closed():
    over = AdmissionFactory(
        queue__closed_at=timezone.now(), admitted=True, window_ends_at=timezone.now() - timedelta(seconds=1)
    )

    tasks.tick_queues()

    assert Admission.objects.values_list("pk", "status").get() == (over.pk, "expired")


def test_message_to_tick_expires_before_the_next(monkeypatch: pytest.MonkeyPatch, queue: Queue):
    sent = []
    monkeypatch.setattr(tasks.tick_queue, "apply_async", lambda args, **options: sent.append((args, options)))

    tasks.tick_queues()

    assert sent == [((queue.pk,), {"expires": 1})]
