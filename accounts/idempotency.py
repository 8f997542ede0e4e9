"""Doing what is asked once, however often it is asked: `Idempotency-Key`.

The first statement of an act takes the key, as a row, and its transaction writes the answer into it: act and answer
are there together or not at all. Whoever asks the same at the same instant waits at the row for that transaction. An
act that is refused is rolled back, and the key with it: the next try is a new one.

The key is the first lock, before the gate; whoever waits for one holds nothing that anybody else wants.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _
from psycopg.errors import LockNotAvailable

from accounts.answers import KEY_LENGTH, KeptAnswerQuerySet
from accounts.models import KeptAnswer, User
from accounts.patience import Busy, patiently
from accounts.refusals import Refusal

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Longer than a provider takes to answer. One that takes longer is asked again, about the same payment.
LEASE_SECONDS = 60
RETRY_AFTER_SECONDS = 2
# Bounds the transaction; the next one goes on.
REMOVED_AT_ONCE = 5000

# Locks the row that is there, also where it gives none back. One that is expired, or was left behind, begins anew.
TAKE_KEY = """
INSERT INTO accounts_keptanswer AS kept (user_id, key, request_hash, body, headers, busy_until)
VALUES (%(user)s, %(key)s, %(request_hash)s, '', '{}', statement_timestamp() + make_interval(secs => %(lease)s))
ON CONFLICT (user_id, key) DO UPDATE SET
    request_hash = excluded.request_hash,
    status = NULL,
    body = '',
    headers = '{}',
    created_at = statement_timestamp(),
    busy_until = excluded.busy_until
WHERE kept.created_at <= statement_timestamp() - make_interval(secs => %(kept)s)
   OR (kept.request_hash = excluded.request_hash AND kept.status IS NULL
       AND (kept.busy_until IS NULL OR kept.busy_until <= statement_timestamp()))
RETURNING kept.id, kept.busy_until
"""


class IdempotencyKeyInvalid(Refusal):
    message = _("An Idempotency-Key is made of 1 to 255 printable ASCII characters.")


class IdempotencyMismatch(Refusal):
    message = _("This Idempotency-Key was used for another request. Please send a new one with what is new.")


class RequestInProgress(Refusal):
    """`facts["retry_after"]` says in how many seconds to ask again."""

    def __init__(self) -> None:
        message = _("The same request is still being worked on. Please ask again in a moment.")
        super().__init__(message, retry_after=RETRY_AFTER_SECONDS)


@dataclass(frozen=True)
class Asked:
    """What is asked, by whom, and under which key. Another account's same key is another key."""

    user: User
    key: str
    request_hash: str


@dataclass(frozen=True)
class Answer:
    """What is answered: `body` as it goes out."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)
    is_replayed: bool = False


class _Taken(NamedTuple):
    """A key that is ours: until `busy_until`, or until the transaction ends."""

    pk: int
    busy_until: datetime | None


@dataclass(frozen=True)
class _Started(Generic[T]):
    taken: _Taken
    made: T


def read_key(sent: str) -> str:
    """Return a key that may be one.

    Raises:
        IdempotencyKeyInvalid
    """
    if not 0 < len(sent) <= KEY_LENGTH or not sent.isascii() or not sent.isprintable():
        raise IdempotencyKeyInvalid
    return sent


def hash_request(method: str, path: str, body: bytes) -> str:
    """Return what tells one request from another."""
    head = json.dumps([method, path]).encode()
    return hashlib.sha256(head + b"\n" + body).hexdigest()


def create_once(asked: Asked, create: Callable[[], Answer]) -> Answer:
    """Call `create` and keep its answer, in one transaction; when the same is asked again, return the answer kept.

    For the edge, with no transaction open; passing trouble of the database is met by beginning the whole anew.
    `create` makes one service call and renders what that has made: rows that it has locked stay so meanwhile.

    Raises:
        IdempotencyMismatch: the key was used for something else.
        RequestInProgress: the same is being done elsewhere, and takes long.
        Busy
        What `create` raises: then nothing is changed and nothing is kept.
    """
    return patiently(_create, asked, create)


@transaction.atomic(durable=True)
def _create(asked: Asked, create: Callable[[], Answer]) -> Answer:
    taken = _take_key(asked)
    if taken is None:
        return _read_kept(asked)
    answer = create()
    _write(taken, answer)
    return answer


def start_once(asked: Asked, start: Callable[[], T], finish: Callable[[T], Answer]) -> Answer:
    """Call `start` in a transaction and, with none open, `finish`; when the same is asked again, return its answer.

    For what must ask somebody outside between two transactions. Where `finish` has raised, or the process has died and
    `LEASE_SECONDS` are over, the same request goes on: `start`, called again, must find what it has started.

    Raises:
        IdempotencyMismatch, Busy: as `create_once`.
        RequestInProgress: the same is being finished elsewhere.
        What `start` raises: then nothing is changed and nothing is kept.
        What `finish` raises: what was started stays so.
    """
    started = patiently(_start, asked, start)
    if isinstance(started, Answer):
        return started
    try:
        answer = finish(started.made)
    except Exception:
        _give_back(started.taken)
        raise
    _keep(started.taken, answer)
    return answer


@transaction.atomic(durable=True)
def _start(asked: Asked, start: Callable[[], T]) -> _Started[T] | Answer:
    taken = _take_key(asked, LEASE_SECONDS)
    return _read_kept(asked) if taken is None else _Started(taken, start())


def _take_key(asked: Asked, lease: int | None = None) -> _Taken | None:
    """Take the key, or return None and have the lock of the row that is there; waits for whoever is using it.

    Raises:
        RequestInProgress: for longer than one waits for a lock.
    """
    given: dict[str, int | float | str | None] = {
        "user": asked.user.pk,
        "key": asked.key,
        "request_hash": asked.request_hash,
        "lease": lease,
        "kept": KeptAnswer.KEPT.total_seconds(),
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(TAKE_KEY, given)
            row = cursor.fetchone()
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise RequestInProgress from error
        raise
    return _Taken(*row) if row else None


def _read_kept(asked: Asked) -> Answer:
    kept = KeptAnswer.objects.for_account(asked.user.pk).get(key=asked.key)
    if kept.request_hash != asked.request_hash:
        raise IdempotencyMismatch
    if kept.status is None:
        raise RequestInProgress
    return Answer(kept.status, kept.body, kept.headers, is_replayed=True)


def _keep(taken: _Taken, answer: Answer) -> None:
    try:
        patiently(_write, taken, answer)
    except Busy:
        # It is done; whoever asked shall hear of it. Whoever asks again after the lease goes on where this ended.
        logger.warning("Kept answer %s: not written", taken.pk)


def _give_back(taken: _Taken) -> None:
    # Otherwise the lease ends by itself.
    with suppress(Busy):
        patiently(_ours(taken).update, busy_until=None)


def _write(taken: _Taken, answer: Answer) -> None:
    _ours(taken).update(status=answer.status, body=answer.body, headers=answer.headers, busy_until=None)


def _ours(taken: _Taken) -> KeptAnswerQuerySet:
    """Return the row, unless somebody else has gone on with it because the lease was over."""
    return KeptAnswer.objects.filter(pk=taken.pk, busy_until=taken.busy_until)


@transaction.atomic
def remove_expired_answers() -> int:
    """Remove the oldest answers that count no more, so many at once at most; returns how many."""
    expired = KeptAnswer.objects.expired().order_by("created_at")
    # Whose key is being used again is just beginning anew.
    oldest = expired.select_for_update(skip_locked=True).values_list("pk", flat=True)[:REMOVED_AT_ONCE]
    removed, _ = KeptAnswer.objects.filter(pk__in=list(oldest)).delete()
    return removed
