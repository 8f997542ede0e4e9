"""The ceiling of a queue. Steps of a caller's transaction: they carry none of their own.

Only a queue with an allocation has its tickets counted, by a guarded UPDATE right before that of the tiers. `queue` is
as it was read behind the gate, where allocations stay as they are; `hold_allocation` alone also takes an earlier look.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from events import availability
from events.availability import Availability, TierAvailability, level_of
from queues.models import Queue
from queues.refusals import NoneLeftInQueue, TooFewLeftInQueue, UsedAboveAllocation

# From the worst to the best.
LEVELS = ("gone", "few", "some", "plenty")


class AllocationMismatchError(Exception):
    """The counter does not cover what is to be given back: rows and counter disagree, which is a defect."""


def check_allocation(queue: Queue, tickets: int) -> None:
    """Refuse politely, by the counter as `queue` was read; the guarded UPDATE has the last word.

    Raises:
        NoneLeftInQueue: the allocation is used up.
        TooFewLeftInQueue: it leaves fewer than `tickets`.
    """
    left = queue.allocation_left
    if left is None or left >= tickets:
        return
    raise TooFewLeftInQueue(left) if left else NoneLeftInQueue


def hold_allocation(queue: Queue, tickets: int) -> None:
    """Count `tickets` more, where there is an allocation.

    Raises:
        NoneLeftInQueue, TooFewLeftInQueue: the transaction must be rolled back.
    """
    if queue.allocation is None:
        return
    own = Queue.objects.filter(pk=queue.pk)
    if own.filter(allocation__gte=F("allocated_count") + tickets).update(
        allocated_count=F("allocated_count") + tickets
    ):
        return
    now = own.get()
    # It may have been lifted since it was read: then there is nothing to count.
    if now.allocation is not None:
        check_allocation(now, tickets)
        raise NoneLeftInQueue


def release_allocation(queue: Queue, tickets: int) -> None:
    """Count `tickets` less, where there is an allocation."""
    if queue.allocation is None:
        return
    counted = Queue.objects.filter(pk=queue.pk, allocated_count__gte=tickets)
    if not counted.update(allocated_count=F("allocated_count") - tickets):
        raise AllocationMismatchError(f"queue {queue.pk} cannot give back {tickets}")


def swap_allocation(queue: Queue, *, given_back: int, taken: int) -> None:
    """Count the difference only.

    Raises:
        NoneLeftInQueue, TooFewLeftInQueue: the transaction must be rolled back.
    """
    if taken > given_back:
        hold_allocation(queue, taken - given_back)
    elif taken < given_back:
        release_allocation(queue, given_back - taken)


def set_allocation(queue: Queue, allocation: int | None, *, used: int) -> None:
    """Write the ceiling, and how many tickets are `used`: counted by the caller, who has shut the event's gates."""
    Queue.objects.filter(pk=queue.pk).update(allocation=allocation, allocated_count=0 if allocation is None else used)


def correct_allocation(queue_id: int, *, used: int) -> None:
    """Set the counter, which differed from its rows, to what the rows say. The queue is locked, and the gates shared.

    Raises:
        UsedAboveAllocation: the allocation does not allow it; the transaction must be rolled back.
    """
    queue = Queue.objects.get(pk=queue_id)
    if queue.allocation is not None and used > queue.allocation:
        raise UsedAboveAllocation(queue.name, used)
    Queue.objects.filter(pk=queue_id).update(allocated_count=used)


def read_availability(queue: Queue, *, now: datetime | None = None) -> Availability:
    """Return what is left for this queue, for showing: of no tier more than its allocation leaves."""
    left = availability.read(queue.event, now=now)
    if queue.allocation is None:
        return left
    own = level_of(queue.at_most(queue.allocation), queue.allocation)
    tiers = [
        TierAvailability(tier.tier, queue.at_most(tier.available), min(tier.level, own, key=LEVELS.index))
        for tier in left.tiers
    ]
    return Availability(tiers=tiers, as_of=left.as_of)
