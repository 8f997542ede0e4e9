import time
from collections.abc import Callable

from celery import shared_task

from queues import services
from queues.models import Queue

TICK_SECONDS = 1
# A sweep ends by itself before the work piles up behind it; what is left, the next one finds.
SWEEP_SECONDS = 20.0


@shared_task
def tick_queues() -> None:
    """Send each live queue its tick, so that a slow one holds up no other."""
    for queue_id in Queue.objects.live().values_list("pk", flat=True):
        tick_queue.apply_async((queue_id,), expires=TICK_SECONDS)


@shared_task
def tick_queue(queue_id: int) -> None:
    services.tick_queue(queue_id)


@shared_task
def mark_sold_out_queues() -> None:
    _each(services.mark_next_sold_out_queue)


@shared_task
def reopen_restocked_queues() -> None:
    _each(services.reopen_next_restocked_queue)


def _each(do_next: Callable[..., int | None]) -> None:
    """Call `do_next` until nothing is left to do, each row once."""
    done: set[int] = set()
    while (pk := do_next(excluding=done)) is not None:
        done.add(pk)


@shared_task
def remove_expired_solutions() -> None:
    services.remove_expired_solutions()


@shared_task
def free_waiting_fans() -> None:
    """Free and write to whoever waits in a queue that has ended."""
    _in_batches(services.free_next_fans)


@shared_task
def tell_waiting_fans() -> None:
    """Post the organisers' notices to whoever waits."""
    _in_batches(services.tell_next_fans)


def _in_batches(do_next: Callable[..., tuple[int, int] | None]) -> None:
    """Call `do_next` until nothing is left to do; a row of which a batch was empty is left to the next sweep."""
    passed: set[int] = set()
    ends_at = time.monotonic() + SWEEP_SECONDS
    while time.monotonic() < ends_at:
        found = do_next(excluding=passed)
        if found is None:
            return
        pk, done = found
        if not done:
            passed.add(pk)
