"""Getting ready piece by piece: for programs, which are told of all that is missing, and not of the first thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery

from accounts.models import User
from accounts.refusals import Refusal
from queues import guesses
from queues.models import Allowance, Queue
from queues.refusals import AccessCodeInvalid, AccessCodeRequired, EmailNotVerified, IdentityNotVerified
from queues.services.allowances import check_allowance
from queues.services.captchas import check_captcha, lacks_captcha, spend_solution
from queues.services.entry import (
    EMPTY_HANDED,
    Entry,
    asks_for_proof,
    check_card,
    check_invitation,
    entry_facts,
    has_shown_code,
    remember,
    usable_code,
)

# Refuses, or returns what there is to remember.
Check = Callable[[Any, User, Entry], dict[str, Any]]


def get_ready_in_part(queue: Queue, user: User, entry: Entry) -> list[Refusal]:
    """Remember for the account what was shown and is good; return what joining would still be refused for.

    In the order in which joining asks; the phase and the room in the line are not asked. No use of a code is taken.
    Whoever has still to prove an e-mail address is taken as empty-handed: else codes could be guessed with any number
    of addresses.

    Raises:
        Throttled: nothing is looked at.
    """
    if not user.is_email_verified and asks_for_proof(_queue_for(queue.pk, user, EMPTY_HANDED)):
        entry = EMPTY_HANDED
    if entry.compared_code:
        guesses.check(user.pk, entry.address)
    try:
        missing = _show(queue, user, entry)
    except IntegrityError:
        # The same solution at the same instant from elsewhere: it is remembered by now, or refused.
        missing = _show(queue, user, entry)
    if entry.compared_code and any(isinstance(refusal, AccessCodeInvalid) for refusal in missing):
        guesses.count_wrong(user.pk, entry.address)
    return missing


@transaction.atomic
def _show(queue: Queue, user: User, entry: Entry) -> list[Refusal]:
    seen = _queue_for(queue.pk, user, entry)
    shown: dict[str, Any] = {}
    missing: list[Refusal] = []
    for check in CHECKS:
        try:
            shown |= check(seen, user, entry)
        except Refusal as refusal:
            missing.append(refusal)
    if shown:
        remember(queue, user, **shown)
    return missing


def _queue_for(queue_id: int, user: User, entry: Entry) -> Any:
    allowance = Allowance.objects.filter(user=user, event=OuterRef("event"))
    return (
        Queue.objects.select_related("event")
        .annotate(
            order_count=Subquery(allowance.values("order_count")),
            ticket_count=Subquery(allowance.values("ticket_count")),
            has_shown_code=has_shown_code(user),
            **entry_facts(user, entry),
        )
        .get(pk=queue_id)
    )


def _lacks_proof(queue: Any, user: User) -> bool:
    return asks_for_proof(queue) and not user.is_email_verified


def _show_address(queue: Any, user: User, entry: Entry) -> dict[str, Any]:
    if _lacks_proof(queue, user):
        raise EmailNotVerified
    return {}


def _show_identity(queue: Any, user: User, entry: Entry) -> dict[str, Any]:
    if queue.event.require_identification and not user.is_identity_verified:
        raise IdentityNotVerified
    return {}


def _show_limit(queue: Any, user: User, entry: Entry) -> dict[str, Any]:
    check_allowance(queue.order_count or 0, queue.ticket_count or 0, tickets=1, queue=queue)
    return {}


def _show_invitation(queue: Any, user: User, entry: Entry) -> dict[str, Any]:
    # Whoever has only typed an address learns nothing of who is invited.
    if not _lacks_proof(queue, user):
        check_invitation(queue)
    return {}


def _show_card(queue: Any, user: User, entry: Entry) -> dict[str, Any]:
    check_card(queue)
    return {"has_card": True} if queue.asks_for_card and not queue.has_shown_card else {}


def _show_code(queue: Any, user: User, entry: Entry) -> dict[str, Any]:
    if not queue.require_access_code or queue.has_used_code:
        return {}
    if entry.compared_code:
        return {"code": usable_code(queue, entry)}
    if queue.has_shown_code:
        return {}
    raise AccessCodeInvalid if queue.is_remembered else AccessCodeRequired


def _show_captcha(queue: Any, user: User, entry: Entry) -> dict[str, Any]:
    check_captcha(queue, user, entry.captcha, entry.solution)
    if not (entry.solution and lacks_captcha(queue)):
        return {}
    spend_solution(entry.solution)
    return {"has_solved_captcha": True}


CHECKS: tuple[Check, ...] = (
    _show_address,
    _show_identity,
    _show_limit,
    _show_invitation,
    _show_card,
    _show_code,
    _show_captcha,
)
