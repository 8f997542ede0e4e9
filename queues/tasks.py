from celery import shared_task

from queues import services
from queues.models import Queue

TICK_SECONDS = 1


@shared_task
def tick_queues() -> None:
    """Send each live queue its tick, so that a slow one holds up no other."""
    for queue_id in Queue.objects.live().values_list("pk", flat=True):
        tick_queue.apply_async((queue_id,), expires=TICK_SECONDS)


@shared_task
def tick_queue(queue_id: int) -> None:
    services.tick_queue(queue_id)
