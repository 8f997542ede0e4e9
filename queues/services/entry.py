"""What a queue asks at its door, beyond what every queue asks: checked at joining, and before it for who gets ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Subquery, When
from django.db.models.functions import Now

from accounts.models import User
from queues.captcha import Solution, read_solution
from queues.conditions import (
    CARD_DIGITS,
    AccessCode,
    CardPrefix,
    Guest,
    Readiness,
    SpentSolution,
    normalised,
    uses_of,
)
from queues.models import Admission, Queue
from queues.refusals import (
    AccessCodeInvalid,
    AccessCodeRequired,
    CardNotEligible,
    EmailNotVerified,
    NotInAudience,
    QueueFull,
)
from queues.services.allowances import has_allowance_left
from queues.services.captchas import check_captcha, lacks_captcha, spend_solution
from queues.services.codes import guessing


@dataclass(frozen=True)
class Entry:
    """What a fan brings to the door: what was typed, and the network address it came from."""

    code: str = ""
    # The first digits of a card: compared, and never kept.
    card_prefix: str = field(default="", repr=False)
    address: str = ""
    # What the browser has worked out, as ALTCHA writes it.
    captcha: str = field(default="", repr=False)

    @cached_property
    def solution(self) -> Solution | None:
        return read_solution(self.captcha)

    @property
    def card_beginnings(self) -> list[str]:
        return [self.card_prefix[:length] for length in range(1, min(len(self.card_prefix), CARD_DIGITS) + 1)]

    @property
    def compared_code(self) -> str:
        return normalised(self.code)


EMPTY_HANDED = Entry()


@dataclass(frozen=True)
class Needs:
    """What stands between the fan and the line, save the opening."""

    email: bool = False
    identity: bool = False
    # As many tickets or orders are held already as one person may have.
    limit: bool = False
    code: bool = False
    invitation: bool = False
    card: bool = False
    captcha: bool = False
    cards: Sequence[str] = ()

    @property
    def is_ready(self) -> bool:
        """Whether joining would ask for nothing more."""
        missing = (self.email, self.identity, self.limit, self.code, self.invitation, self.card, self.captcha)
        return not any(missing)


def door_facts(entry: Entry) -> dict[str, Any]:
    """Return what the door depends on whoever comes, as annotations of a query of queues."""
    cards = CardPrefix.objects.filter(programme__queues=OuterRef("pk"), digits__in=entry.card_beginnings)
    signature = entry.solution.signature if entry.solution else ""
    return {
        "now": Now(),
        "asks_for_card": asks_for_card(),
        "is_card_eligible": Exists(cards),
        "has_guests": Exists(Guest.objects.filter(queue=OuterRef("pk"))),
        "is_solution_spent": Exists(SpentSolution.objects.filter(signature=signature)),
    }


def waiting_count() -> Case:
    """Return how many wait, as an annotation of a query of queues; NULL, and not counted, where there is room for all.

    For joining alone: it takes longer the longer the line is.
    """
    waiting = Admission.objects.waiting().filter(queue=OuterRef("pk")).order_by().values("queue")
    counted = Subquery(waiting.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
    return Case(When(max_waiting__isnull=False, then=counted))


def entry_facts(user: User, entry: Entry) -> dict[str, Any]:
    """Return what the door depends on for this fan, as annotations of a query of queues."""
    address = user.email.lower()
    own_names = [address, address.partition("@")[2]]
    return {
        **door_facts(entry),
        "has_shown_card": Exists(_readiness(user, has_card=True)),
        "is_guest": Exists(Guest.objects.filter(queue=OuterRef("pk"), address__in=own_names)),
        "has_used_code": Exists(uses_of(user)),
        "is_remembered": Exists(_readiness(user, code__isnull=False)),
        "has_solved_captcha": Exists(_readiness(user, has_solved_captcha=True)),
    }


def asks_for_card() -> Exists:
    """Return whether the queue is for holders of certain cards, as an annotation of a query of queues."""
    return Exists(Queue.eligible_cards.through.objects.filter(queue=OuterRef("pk")))


def asks_for_proof(queue: Any) -> bool:
    """Whether the fan's address has to be proved: where an account is asked for, or addresses are invited.

    `queue` was read with `entry_facts`.
    """
    return bool(queue.require_authentication or queue.has_guests)


def check_entry(queue: Any, user: User, entry: Entry) -> None:
    """Check what the queue asks, in the order of the design; a step of joining, after the code's use was taken.

    `queue` was read with `entry_facts` and its `waiting_count`.

    Raises:
        NotInAudience, CardNotEligible
        AccessCodeRequired: no code was typed or remembered.
        AccessCodeInvalid: whatever the reason.
        CaptchaRequired, CaptchaFailed
        QueueFull
    """
    check_invitation(queue)
    check_card(queue)
    if queue.require_access_code and not queue.has_used_code:
        raise AccessCodeInvalid if entry.compared_code or queue.is_remembered else AccessCodeRequired
    check_captcha(queue, user, entry.captcha, entry.solution)
    check_room(queue)


def check_room(queue: Any) -> None:
    """Refuse while as many wait as may; a step of joining.

    Raises:
        QueueFull
    """
    if queue.max_waiting is not None and (queue.waiting_count or 0) >= queue.max_waiting:
        raise QueueFull


def check_invitation(queue: Any) -> None:
    """Refuse whom the queue is not for; a step of joining and of getting ready.

    Raises:
        NotInAudience
    """
    if queue.has_guests and not queue.is_guest:
        raise NotInAudience


def check_card(queue: Any) -> None:
    """Refuse without an eligible card, shown now or before; a step of joining and of getting ready.

    Raises:
        CardNotEligible
    """
    if queue.asks_for_card and not (queue.has_shown_card or queue.is_card_eligible):
        raise CardNotEligible


def find_needs(queue: Queue, user: User) -> Needs:
    """Return what the fan has still to do. A remembered code that has stopped working is asked for again."""
    facts = {**entry_facts(user, EMPTY_HANDED), "has_shown_code": has_shown_code(user)}
    seen: Any = Queue.objects.annotate(**facts).get(pk=queue.pk)
    return Needs(
        email=asks_for_proof(seen) and not user.is_email_verified,
        identity=queue.event.require_identification and not user.is_identity_verified,
        limit=not has_allowance_left(user, queue),
        code=seen.require_access_code and not (seen.has_used_code or seen.has_shown_code),
        # Whoever has only typed an address learns nothing of who is invited.
        invitation=user.is_email_verified and seen.has_guests and not seen.is_guest,
        card=seen.asks_for_card and not seen.has_shown_card,
        captcha=lacks_captcha(seen),
        cards=[card.name for card in seen.eligible_cards.order_by("name")] if seen.asks_for_card else [],
    )


def has_shown_code(user: User) -> Exists:
    """Return whether the fan has shown a code that still works, as an annotation of a query of queues."""
    usable = AccessCode.objects.usable_at_the_opening().filter(pk=OuterRef("code"))
    return Exists(_readiness(user).filter(Exists(usable)))


def get_ready(queue: Queue, user: User, entry: Entry) -> None:
    """Check what was typed before the opening, and remember it for the account. No use is taken.

    Raises:
        EmailNotVerified
        NotInAudience, CardNotEligible, AccessCodeRequired, AccessCodeInvalid, Throttled
        CaptchaRequired, CaptchaFailed
        Nothing is remembered in any of these cases.
    """
    with guessing(user, entry.compared_code, entry.address):
        try:
            _get_ready(queue, user, entry)
        except IntegrityError:
            # The same solution at the same instant from elsewhere: it is remembered by now, or refused.
            _get_ready(queue, user, entry)


@transaction.atomic
def _get_ready(queue: Queue, user: User, entry: Entry) -> None:
    seen: Any = Queue.objects.annotate(**entry_facts(user, entry)).get(pk=queue.pk)
    if asks_for_proof(seen) and not user.is_email_verified:
        raise EmailNotVerified
    check_invitation(seen)
    check_card(seen)
    shown: dict[str, Any] = {}
    if seen.require_access_code and not seen.has_used_code and (entry.compared_code or not seen.is_remembered):
        shown["code"] = usable_code(queue, entry)
    if seen.asks_for_card:
        shown["has_card"] = True
    check_captcha(seen, user, entry.captcha, entry.solution)
    if entry.solution and lacks_captcha(seen):
        spend_solution(entry.solution)
        shown["has_solved_captcha"] = True
    if shown:
        remember(queue, user, **shown)


def usable_code(queue: Queue, entry: Entry) -> AccessCode:
    """Return the code that was typed, if it would let a fan in; a step of getting ready.

    Raises:
        AccessCodeRequired: nothing was typed.
        AccessCodeInvalid: whatever the reason.
    """
    if not entry.compared_code:
        raise AccessCodeRequired
    code = AccessCode.objects.usable_at_the_opening().filter(queue=queue, code=entry.compared_code).first()
    if code is None:
        raise AccessCodeInvalid
    return code


def remember(queue: Queue, user: User, **shown: Any) -> None:
    """Keep what the fan has shown, with what was kept before; a step of the caller's transaction."""
    Readiness.objects.bulk_create(
        [Readiness(queue=queue, user=user, **shown)],
        update_conflicts=True,
        unique_fields=["user", "queue"],
        update_fields=list(shown),
    )


@transaction.atomic
def change_guests(queue: Queue, addresses: list[str]) -> None:
    """Let the queue be for these addresses and domains, or for all when there are none."""
    wanted = {address.lower() for address in addresses}
    Guest.objects.filter(queue=queue).exclude(address__in=wanted).delete()
    Guest.objects.bulk_create(
        [Guest(queue=queue, address=address) for address in sorted(wanted)], ignore_conflicts=True
    )


def _readiness(user: User, **facts: Any) -> Any:
    return Readiness.objects.filter(user=user, queue=OuterRef("pk"), **facts)
