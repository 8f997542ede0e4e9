"""Standing in line: joining, showing up, leaving, coming to an end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.db.models.functions import Coalesce, Now

from accounts.closing import AccountClosed
from accounts.models import User
from queues import facts, locks
from queues.models import Admission, Allowance, Phase, Queue
from queues.refusals import (
    AdmittanceExpired,
    AdmittanceInvalid,
    EmailNotVerified,
    IdentityNotVerified,
    NotInLine,
    QueueClosed,
    QueueNotOpen,
    QueueSoldOut,
)
from queues.services.allowances import check_allowance
from queues.services.captchas import lacks_captcha, spend_solution
from queues.services.codes import guessing, take_code_use
from queues.services.entry import EMPTY_HANDED, Entry, asks_for_proof, check_entry, entry_facts, remember, waiting_count
from queues.visitors import Visitor
from webhooks import outbox
from webhooks.models import FactType

NEVER_INSIDE = {Admission.Status.WAITING, Admission.Status.DENIED}


def find_standing(queue: Queue, fan: User | Visitor) -> Admission | None:
    """Return the fan's live admission to `queue`, or else the latest that ended."""
    return Admission.objects.for_fan(fan).filter(queue=queue).order_by("-pk").first()


def join_queue(queue: Queue, user: User, entry: Entry = EMPTY_HANDED) -> tuple[Admission, bool]:
    """Stand in line at the end, or go on standing where one stands.

    `entry` is what the fan brings where the queue asks for something; a code is used once, and may be left out by
    who has used or shown one before.
    Returns the fan's admission and whether it is new. However often and from wherever a fan joins, there is one.

    Raises:
        QueueNotOpen, QueueClosed, QueueSoldOut: by the queue's phase. A paused queue can be joined.
        AccountClosed: at the same instant.
        EmailNotVerified: the queue asks for an account, or invites addresses.
        IdentityNotVerified: the event requires it.
        OrderLimitReached, TicketLimitReached: the fan could not buy anything here.
        NotInAudience, CardNotEligible, QueueFull
        AccessCodeRequired, AccessCodeInvalid, Throttled: by the code.
        CaptchaRequired, CaptchaFailed: a solution serves once, and one shown before is remembered.
        Nothing is written in any of these cases.
    """
    with guessing(user, entry.compared_code, entry.address):
        try:
            return _join(queue, user, entry)
        except IntegrityError:
            # The same fan joined at the same instant from elsewhere and was first: find that admission, or refuse
            # the solution that has served there.
            return _join(queue, user, entry)


@transaction.atomic
def _join(queue: Queue, user: User, entry: Entry) -> tuple[Admission, bool]:
    if queue.require_access_code:
        # Before the line: whoever waits for the code's row must not hold up the tick. Rolled back with a refusal.
        take_code_use(queue, user, entry.compared_code)
    locks.share_line(queue.pk, user.pk)
    # Read after the lock: whoever closes or draws has the line alone, so what is read here still holds at the insert.
    fresh = _queue_for(queue.pk, user, entry)
    if fresh.live_admission is not None:
        return Admission.objects.get(pk=fresh.live_admission), False
    if fresh.is_account_closed:
        raise AccountClosed
    check_phase(fresh, fresh.now)
    if asks_for_proof(fresh) and not user.is_email_verified:
        raise EmailNotVerified
    if fresh.event.require_identification and not user.is_identity_verified:
        raise IdentityNotVerified
    check_allowance(fresh.order_count or 0, fresh.ticket_count or 0, tickets=1, queue=fresh)
    check_entry(fresh, user, entry)
    if entry.solution and lacks_captcha(fresh):
        spend_solution(entry.solution)
    if fresh.asks_for_card and not fresh.has_shown_card:
        # Whoever comes back is not asked again.
        remember(fresh, user, has_card=True)
    admission = Admission.objects.create(queue=fresh, user=user)
    if fresh.is_heard:
        facts.publish_joined(admission)
    return admission, True


def _queue_for(queue_id: int, user: User, entry: Entry) -> Any:
    """Read in one statement what joining depends on: the queue, the time, and what the fan has already."""
    live = Admission.objects.for_fan(user).live().filter(queue=OuterRef("pk"))
    allowance = Allowance.objects.filter(user=user, event=OuterRef("event"))
    return (
        Queue.objects.select_related("event")
        .annotate(
            live_admission=Subquery(live.values("pk")),
            is_account_closed=Exists(User.objects.filter(pk=user.pk, closed_at__isnull=False)),
            order_count=Subquery(allowance.values("order_count")),
            ticket_count=Subquery(allowance.values("ticket_count")),
            is_heard=outbox.is_heard(FactType.ADMISSION_CREATED, organizer=OuterRef("event__organizer")),
            waiting_count=waiting_count(),
            **entry_facts(user, entry),
        )
        .get(pk=queue_id)
    )


def check_phase(queue: Queue, now: datetime) -> None:
    """Refuse where the queue cannot be joined at `now`; a step of joining.

    Raises:
        QueueNotOpen, QueueClosed, QueueSoldOut
    """
    match queue.phase(now):
        case Phase.DRAFT | Phase.SCHEDULED | Phase.LOBBY:
            raise QueueNotOpen(queue.scheduled_start)
        case Phase.CLOSED:
            raise QueueClosed
        case Phase.SOLD_OUT:
            raise QueueSoldOut


@transaction.atomic
def claim_admission(admission: Admission) -> None:
    """Say that the admitted fan is there. Twice changes nothing.

    Raises:
        AdmittanceInvalid: the turn has not come, or never will.
        AdmittanceExpired: the turn is over.
    """
    shown_up = (
        Admission.objects.within_window().filter(pk=admission.pk).update(claimed_at=Coalesce(F("claimed_at"), Now()))
    )
    if not shown_up:
        raise AdmittanceInvalid if admission.status in NEVER_INSIDE else AdmittanceExpired


@transaction.atomic
def leave_queue(admission: Admission) -> None:
    """Give up the place in line, or the turn. One with a hold is left through `orders.services`.

    Raises:
        NotInLine: the admission has ended already, or holds tickets.
    """
    left = (
        Admission.objects.live()
        .filter(pk=admission.pk, has_hold=False)
        .update(status=Admission.Status.LEFT, ended_at=Now())
    )
    if not left:
        raise NotInLine


def correct_hold(admission_id: int, *, has_hold: bool) -> None:
    """Set whether an admitted fan holds tickets to what the orders say. The gate and the admission are locked."""
    Admission.objects.admitted().filter(pk=admission_id).update(has_hold=has_hold)


def lock_turn(admission_id: int, *, ending: Admission.Status) -> Admission:
    """Lock an admission that may end as `ending`, for `end_admission`; a step of the caller's transaction."""
    return Admission.objects.lock().annotate(is_heard=facts.is_end_heard(ending)).get(pk=admission_id)


def end_admission(admission: Admission, status: Admission.Status) -> None:
    """End an admission together with its order; a step of the caller's transaction, who holds the row's lock.

    One that is completed or expires has been locked by `lock_turn`.
    """
    admission.move_to(status)
    admission.has_hold = False
    Admission.objects.filter(pk=admission.pk).update(status=status, has_hold=False, ended_at=Now())
    facts.publish_end(admission)
