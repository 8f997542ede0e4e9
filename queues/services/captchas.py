"""The proof of work at a queue's door: challenges, the solutions that have served, and removing them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from queues import captcha
from queues.conditions import SpentSolution
from queues.models import Queue
from queues.refusals import CaptchaFailed, CaptchaRequired
from queues.visitors import Visitor

# Longer than any transaction: one that has read its solution as still good must find the row that it was spent by.
KEPT_AFTERWARDS = timedelta(minutes=1)


def new_challenge(queue: Queue, fan: User | Visitor) -> dict[str, Any]:
    """Return a challenge for this fan and this queue; nothing is written."""
    return captcha.new_challenge(
        queue_id=queue.pk, fan=str(fan.pk), threshold=queue.captcha_threshold, now=timezone.now()
    )


def lacks_captcha(queue: Any) -> bool:
    """Whether the fan has still to solve one; `queue` was read with `entry_facts`."""
    return queue.enable_captcha and not queue.has_solved_captcha


def check_captcha(queue: Any, fan: User | Visitor, sent: str, solution: captcha.Solution | None) -> None:
    """Check what the browser has worked out; a step of joining and of getting ready.

    Raises:
        CaptchaRequired: nothing was sent, and nothing is remembered.
        CaptchaFailed: wrong, expired, for another queue or fan, or spent.
    """
    if not lacks_captcha(queue):
        return
    if not sent:
        raise CaptchaRequired
    if solution is None or queue.is_solution_spent:
        raise CaptchaFailed
    if not solution.is_good_for(queue_id=queue.pk, fan=str(fan.pk), now=queue.now):
        raise CaptchaFailed


def spend_solution(solution: captcha.Solution) -> None:
    """Write down that a solution has served; a step of the caller's transaction.

    Raises:
        IntegrityError: it has served elsewhere at this very instant; the transaction must be rolled back.
    """
    expires_at = datetime.fromtimestamp(solution.expires, UTC)
    SpentSolution.objects.create(signature=solution.signature, expires_at=expires_at)


@transaction.atomic
def remove_expired_solutions() -> int:
    """Remove the solutions that could serve no more anyway; return how many."""
    removed, _ = SpentSolution.objects.filter(expires_at__lt=Now() - KEPT_AFTERWARDS).delete()
    return removed
