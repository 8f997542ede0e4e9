"""Access codes: their uses, the wrong ones, making them, and why one does not work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.alphabet import random_text
from accounts.models import User
from queues import guesses
from queues.conditions import CODE_LENGTH, AccessCode, normalised
from queues.models import Queue
from queues.refusals import AccessCodeInvalid, CodesTooLong, MaxUsesBelowUsed

RANDOM_LETTERS = 8
CODES_AT_ONCE = 1000

# The guarded count and the row that says whose use it is, in one statement: neither is ever there without the other.
TAKE_USE = """
WITH chosen AS (
    SELECT code.id FROM queues_accesscode code
    WHERE code.queue_id = %(queue)s
      AND CASE WHEN %(code)s <> '' THEN code.code = %(code)s
          ELSE code.id = (SELECT code_id FROM queues_readiness WHERE queue_id = %(queue)s AND user_id = %(user)s) END
      AND NOT EXISTS (
          SELECT FROM queues_accesscodeuse used WHERE used.user_id = %(user)s AND used.queue_id = %(queue)s)
), taken AS (
    UPDATE queues_accesscode SET use_count = use_count + 1
    WHERE id = (SELECT id FROM chosen) AND is_active AND use_count < max_uses
      AND (valid_from IS NULL OR valid_from <= statement_timestamp())
      AND (valid_until IS NULL OR valid_until > statement_timestamp())
    RETURNING id
)
INSERT INTO queues_accesscodeuse (code_id, queue_id, user_id) SELECT id, %(queue)s, %(user)s FROM taken
"""


class CodeState(models.TextChoices):
    """Whether a code works, and if not the real reason; for staff only."""

    WORKS = "works", _("It works.")
    UNKNOWN = "unknown", _("This queue has no such code.")
    INACTIVE = "inactive", _("It is not active.")
    NOT_YET_VALID = "not_yet_valid", _("It is not valid yet.")
    EXPIRED = "expired", _("It has expired.")
    USED_UP = "used_up", _("It is used up.")


def take_code_use(queue: Queue, user: User, code: str) -> None:
    """Take one use of the code, or else of the one remembered; a step of the caller's transaction.

    Takes nothing when the fan has used a code of this queue before, or when the code cannot be used. Locks the code's
    row until the transaction ends, so that its last use is given once.

    Raises:
        IntegrityError: the same fan has just used another code of this queue; the transaction must be rolled back.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE_USE, {"queue": queue.pk, "user": user.pk, "code": code})


@contextmanager
def guessing(user: User, code: str, address: str) -> Iterator[None]:
    """Count it where the block refuses `code`, and refuse at once who has guessed too often; no code is no guess.

    Raises:
        Throttled
    """
    if not code:
        yield
        return
    guesses.check(user.pk, address)
    try:
        yield
    except AccessCodeInvalid:
        guesses.count_wrong(user.pk, address)
        raise


@transaction.atomic
def make_access_codes(
    queue: Queue, *, count: int, prefix: str = "", max_uses: int = 1, description: str = ""
) -> list[AccessCode]:
    """Make codes that nobody guesses: the prefix and eight random letters without look-alikes.

    Raises:
        CodesTooLong: the prefix leaves no room. Nothing is made.
    """
    prefix = normalised(prefix)
    if len(prefix) + RANDOM_LETTERS > CODE_LENGTH:
        raise CodesTooLong
    made: list[AccessCode] = []
    while len(made) < count:
        texts = {prefix + random_text(RANDOM_LETTERS) for _ in range(count - len(made))}
        texts -= set(AccessCode.objects.filter(queue=queue, code__in=texts).values_list("code", flat=True))
        made += AccessCode.objects.bulk_create(
            AccessCode(queue=queue, code=text, max_uses=max_uses, description=description) for text in sorted(texts)
        )
    return made


@transaction.atomic
def change_max_uses(access_code: AccessCode, max_uses: int) -> None:
    """Set how many fans may use a code.

    Raises:
        MaxUsesBelowUsed: more have used it already. Nothing is changed.
    """
    if not AccessCode.objects.filter(pk=access_code.pk, use_count__lte=max_uses).update(max_uses=max_uses):
        raise MaxUsesBelowUsed


def explain_code(queue: Queue, code: str) -> tuple[CodeState, AccessCode | None]:
    """Say whether a code works now, or the real reason why it does not."""
    found = AccessCode.objects.filter(queue=queue, code=normalised(code)).annotate(now=Now()).first()
    return (CodeState.UNKNOWN, None) if found is None else (_state_of(found, found.now), found)


def _state_of(code: AccessCode, now: datetime) -> CodeState:
    if not code.is_active:
        return CodeState.INACTIVE
    if code.valid_from is not None and code.valid_from > now:
        return CodeState.NOT_YET_VALID
    if code.valid_until is not None and code.valid_until <= now:
        return CodeState.EXPIRED
    return CodeState.USED_UP if code.use_count >= code.max_uses else CodeState.WORKS
