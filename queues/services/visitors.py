"""Standing in line without an account, where the queue asks for none, and taking the place along to one."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Subquery, Value
from django.db.models.functions import Now

from accounts import closing
from accounts.models import User
from queues import facts, locks
from queues.models import Admission, Queue
from queues.refusals import AccountRequired
from queues.services.captchas import check_captcha, spend_solution
from queues.services.entry import EMPTY_HANDED, Entry, Needs, check_room, door_facts, waiting_count
from queues.services.line import check_phase
from queues.visitors import Visitor
from webhooks import outbox
from webhooks.models import FactType


def join_as_visitor(queue: Queue, visitor: Visitor, entry: Entry = EMPTY_HANDED) -> tuple[Admission, bool]:
    """Stand in line at the end without an account, or go on standing where one stands; as `join_queue` does.

    Raises:
        QueueNotOpen, QueueClosed, QueueSoldOut: by the queue's phase. A paused queue can be joined.
        AccountRequired: the queue asks for what only an account can show.
        CaptchaRequired, CaptchaFailed, QueueFull
        Nothing is written in any of these cases.
    """
    try:
        return _join(queue, visitor, entry)
    except IntegrityError:
        # The same browser at the same instant from another tab, or a solution that has served just now.
        return _join(queue, visitor, entry)


@transaction.atomic
def _join(queue: Queue, visitor: Visitor, entry: Entry) -> tuple[Admission, bool]:
    locks.share_line_without_account(queue.pk)
    fresh = _queue_for(queue.pk, visitor, entry)
    if fresh.live_admission is not None:
        return Admission.objects.get(pk=fresh.live_admission), False
    check_phase(fresh, fresh.now)
    if asks_for_account(fresh):
        raise AccountRequired
    check_captcha(fresh, visitor, entry.captcha, entry.solution)
    check_room(fresh)
    if fresh.enable_captcha and entry.solution:
        spend_solution(entry.solution)
    admission = Admission.objects.create(queue=fresh, visitor=visitor.pk)
    if fresh.is_heard:
        facts.publish_joined(admission)
    return admission, True


def _queue_for(queue_id: int, visitor: Visitor, entry: Entry) -> Any:
    live = Admission.objects.for_fan(visitor).live().filter(queue=OuterRef("pk"))
    return (
        Queue.objects.select_related("event")
        .annotate(
            live_admission=Subquery(live.values("pk")),
            has_solved_captcha=Value(False),
            is_heard=outbox.is_heard(FactType.ADMISSION_CREATED, organizer=OuterRef("event__organizer")),
            waiting_count=waiting_count(),
            **door_facts(entry),
        )
        .get(pk=queue_id)
    )


def asks_for_account(queue: Any) -> bool:
    """Whether the queue asks for an account, or for what only an account can show, however it came to do so."""
    asks_more = queue.event.require_identification or queue.has_guests or queue.asks_for_card
    return queue.require_authentication or asks_more


def find_needs_of_visitor(queue: Queue) -> Needs:
    """Return what a visitor has to do at joining; nothing of it is remembered before."""
    return Needs(captcha=queue.enable_captcha)


def take_place_along(queue: Queue, visitor: Visitor, user: User) -> None:
    """Give the place that `visitor` has in the line, or the turn, to the account that has signed in there.

    Of several accounts one gets it. An account that stands in the queue already goes on standing there, and the
    visitor's place is left. Without a place nothing happens.

    Raises:
        AccountClosed: at the same instant.
    """
    try:
        _take_along(queue, visitor, user)
    except IntegrityError:
        # The account has joined at the same instant from elsewhere: now it stands there.
        _take_along(queue, visitor, user)


@transaction.atomic
def _take_along(queue: Queue, visitor: Visitor, user: User) -> None:
    place = Admission.objects.for_fan(visitor).live().filter(queue=queue)
    if not place.exists():
        return
    closing.keep_open(user)
    own = Admission.objects.for_fan(user).live().filter(queue=OuterRef("queue"))
    if not place.filter(~Exists(own)).update(user=user, visitor=None):
        place.update(status=Admission.Status.LEFT, ended_at=Now())
