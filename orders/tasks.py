import logging
import time
from collections.abc import Callable

from celery import shared_task

from orders import services

logger = logging.getLogger(__name__)

# A sweep ends by itself before the work piles up behind it; what is left, the next one finds.
SWEEP_SECONDS = 20.0


@shared_task
def expire_lapsed_orders() -> None:
    sweep(services.expire_next_order)


@shared_task
def settle_confirmed_payments() -> None:
    sweep(services.settle_next_payment)


@shared_task
def refund_unplaced_payments() -> None:
    sweep(services.refund_next_payment)


@shared_task
def tell_buyers_of_cancelled_events() -> None:
    """Write to whoever has tickets of an event that is cancelled, batch after batch."""
    ends_at = time.monotonic() + SWEEP_SECONDS
    while time.monotonic() < ends_at and services.tell_next_buyers():
        pass


def sweep(do_next: Callable[..., int | None]) -> None:
    """Call `do_next` until nothing is left to do, each row once."""
    done: set[int] = set()
    ends_at = time.monotonic() + SWEEP_SECONDS
    while time.monotonic() < ends_at:
        pk = do_next(excluding=done)
        if pk is None:
            return
        done.add(pk)
