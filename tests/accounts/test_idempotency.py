"""What is asked twice with one key is done once, and answered alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from accounts import closing, idempotency
from accounts.idempotency import Answer, Asked, create_once, hash_request, read_key, start_once
from accounts.models import KeptAnswer, Letter, User
from accounts.patience import Busy
from accounts.refusals import Refusal
from tests.factories import LetterFactory
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

DAY = timedelta(hours=24)
MINUTE = timedelta(minutes=1)
HEADERS = {"Location": "/letters/1/"}


class ProviderError(Exception):
    pass


@pytest.fixture
def create() -> Callable[[], Answer]:
    """An act that is done anew whenever it is called: its answer says the how manieth time it was."""
    times = count(1)

    def write_letter() -> Answer:
        LetterFactory()
        return Answer(201, f'{{"time":{next(times)},"name":"Zoë"}}', HEADERS)

    return write_letter


def asked(user: User, *, key: str = "first try", body: bytes = b"{}", path: str = "/letters/") -> Asked:
    return Asked(user, key, hash_request("POST", path, body))


def rows() -> list[dict[str, Any]]:
    names = ("user", "key", "status", "body", "headers", "busy_until")
    return [dict(kept) for kept in KeptAnswer.objects.order_by("pk").values(*names)]


def row(user: User, **facts: Any) -> dict[str, Any]:
    kept = {"user": user.pk, "key": "first try", "status": None, "body": "", "headers": {}, "busy_until": None}
    return kept | facts


def move(**changes: timedelta) -> None:
    """Set times of every row to so long from now."""
    KeptAnswer.objects.update(**{name: timezone.now() + span for name, span in changes.items()})


def traces() -> tuple[list, list]:
    return list(KeptAnswer.objects.order_by("pk").values()), list(Letter.objects.order_by("pk").values())


def refused(act: Callable[[], object]) -> type[Refusal]:
    before = traces()
    with pytest.raises(Refusal) as refusal:
        act()
    assert traces() == before
    return type(refusal.value)


def test_asked_again_it_is_answered_alike_and_not_done_again(ben: User, create: Callable):
    first = create_once(asked(ben), create)
    again = create_once(asked(ben), create)

    assert first == Answer(201, '{"time":1,"name":"Zoë"}', HEADERS)
    assert again == Answer(201, '{"time":1,"name":"Zoë"}', HEADERS, is_replayed=True)
    assert Letter.objects.count() == 1
    assert rows() == [row(ben, status=201, body='{"time":1,"name":"Zoë"}', headers=HEADERS)]


@pytest.mark.parametrize("other", [{"body": b'{"a": 1}'}, {"path": "/lines/"}, {"body": b""}])
def test_key_of_another_request_is_refused(ben: User, create: Callable, other: dict):
    create_once(asked(ben), create)

    assert refused(lambda: create_once(asked(ben, **other), create)) is idempotency.IdempotencyMismatch


def test_another_key_is_another_request(ben: User, create: Callable):
    answers = [create_once(asked(ben, key=key), create) for key in ("first try", "second try")]

    assert [answer.is_replayed for answer in answers] == [False, False]
    assert Letter.objects.count() == 2


def test_same_key_of_another_account_is_another_key(ben: User, cleo: User, create: Callable):
    answers = [create_once(asked(user, body=user.email.encode()), create) for user in (ben, cleo)]

    assert [answer.is_replayed for answer in answers] == [False, False]
    assert Letter.objects.count() == 2


def test_requests_are_told_apart_by_method_path_and_body():
    requests = [
        ("POST", "/a", b"b"),
        ("PUT", "/a", b"b"),
        ("POST", "/b", b"b"),
        ("POST", "/a", b"c"),
        ("POST", "/a\nb", b""),
        ("POST", "/a", b"\nb"),
    ]

    assert len({hash_request(*request) for request in requests}) == len(requests)


@pytest.mark.parametrize("key", ["a", "a b", '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "k" * 255])
def test_key_is_any_printable_word(key: str):
    assert read_key(key) == key


@pytest.mark.parametrize("key", ["", "k" * 256, "ключ", "a\tb", "a\x00", "é"])
def test_key_that_cannot_be_kept_is_refused(key: str):
    with pytest.raises(idempotency.IdempotencyKeyInvalid):
        read_key(key)


def test_what_is_refused_keeps_nothing_and_can_be_tried_anew(ben: User, create: Callable):
    def refuse() -> Answer:
        create()
        raise closing.AccountClosed

    assert refused(lambda: create_once(asked(ben), refuse)) is closing.AccountClosed
    assert rows() == []

    assert create_once(asked(ben), create).is_replayed is False
    assert Letter.objects.count() == 1


def test_act_may_go_on_after_a_constraint_that_stops_its_first_try(ben: User, create: Callable):
    """As joining and holding do: inside, their own transactions are savepoints."""

    @transaction.atomic
    def write_twice() -> Answer:
        LetterFactory(message_id=Letter.objects.get().message_id)
        return create()

    def write() -> Answer:
        LetterFactory()
        try:
            return write_twice()
        except IntegrityError:
            return create()

    create_once(asked(ben), write)

    assert Letter.objects.count() == 2
    assert [kept["status"] for kept in rows()] == [201]


def test_nothing_is_created_inside_another_transaction(ben: User, create: Callable):
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        create_once(asked(ben), create)

    assert traces() == ([], [])


@pytest.mark.parametrize(("age", "is_kept"), [(DAY - MINUTE, True), (DAY, False), (DAY + MINUTE, False)])
def test_answer_counts_for_a_day(ben: User, create: Callable, age: timedelta, is_kept: bool):
    create_once(asked(ben), create)
    move(created_at=-age)

    assert create_once(asked(ben), create).is_replayed is is_kept
    assert Letter.objects.count() == (1 if is_kept else 2)


def test_key_that_has_expired_may_name_another_request_for_a_day(ben: User, create: Callable):
    create_once(asked(ben), create)
    move(created_at=-DAY)

    create_once(asked(ben, body=b"other"), create)

    assert rows() == [row(ben, status=201, body='{"time":2,"name":"Zoë"}', headers=HEADERS)]
    assert create_once(asked(ben, body=b"other"), create).is_replayed
    assert refused(lambda: create_once(asked(ben), create)) is idempotency.IdempotencyMismatch


def test_refusal_under_an_expired_key_leaves_what_was_kept(ben: User, create: Callable):
    create_once(asked(ben), create)
    move(created_at=-DAY)

    def refuse() -> Answer:
        raise closing.AccountClosed

    assert refused(lambda: create_once(asked(ben), refuse)) is closing.AccountClosed


def test_passing_trouble_begins_the_whole_anew(ben: User, create: Callable, monkeypatch):
    """Not only what is created: a deadlock rolls the key back, too."""
    monkeypatch.setattr(connection, "close", lambda: None)
    troubles = iter([OperationalError("deadlock detected")])

    def create_in_trouble() -> Answer:
        answer = create()
        for trouble in troubles:
            raise trouble
        return answer

    answer = create_once(asked(ben), create_in_trouble)

    assert answer == Answer(201, '{"time":2,"name":"Zoë"}', HEADERS)
    assert (Letter.objects.count(), [kept["body"] for kept in rows()]) == (1, [answer.body])


def test_key_costs_two_statements_more(ben: User, create: Callable):
    with counted_statements() as without:
        create()
    with counted_statements() as with_key:
        create_once(asked(ben), create)
    with counted_statements() as replayed:
        create_once(asked(ben), create)

    assert [sql.split("(")[0].strip() for sql in with_key[:1]] == ["INSERT INTO accounts_keptanswer AS kept"]
    assert [len(without), len(with_key), len(replayed)] == [1, 3, 2]
    assert with_key[-1].startswith('UPDATE "accounts_keptanswer"')


# In two transactions: what asks somebody outside in between.


@pytest.fixture
def start() -> Callable[[], Letter]:
    """Begin what is found again when it is begun again."""
    return lambda: Letter.objects.first() or LetterFactory()


@pytest.fixture
def finish() -> Callable[[Letter], Answer]:
    times = count(1)
    return lambda letter: Answer(200, f'{{"time":{next(times)}}}')


def fail(letter: Letter) -> Answer:
    raise ProviderError


def leave_behind(user: User, start: Callable) -> None:
    """Do as a process does that dies between the two transactions."""
    idempotency._start(asked(user), start)


def test_finished_twice_it_is_answered_alike(ben: User, start: Callable, finish: Callable):
    answers = [start_once(asked(ben), start, finish) for _ in range(2)]

    assert answers == [Answer(200, '{"time":1}'), Answer(200, '{"time":1}', is_replayed=True)]
    assert rows() == [row(ben, status=200, body='{"time":1}')]


def test_finishing_has_no_transaction_open_and_what_was_started_is_committed(ben: User, start: Callable):
    def finish(letter: Letter) -> Answer:
        with transaction.atomic(durable=True):
            return Answer(200, str(Letter.objects.filter(pk=letter.pk).count()))

    assert start_once(asked(ben), start, finish).body == "1"


def test_while_it_is_finished_the_same_is_in_progress_and_another_a_mismatch(ben: User, start: Callable):
    def finish(letter: Letter) -> Answer:
        again = refused(lambda: start_once(asked(ben), start, fail))
        other = refused(lambda: start_once(asked(ben, body=b"other"), start, fail))
        return Answer(200, f"{again.__name__} {other.__name__}")

    assert start_once(asked(ben), start, finish).body == "RequestInProgress IdempotencyMismatch"


def test_refused_start_keeps_nothing(ben: User, start: Callable):
    def refuse() -> Letter:
        start()
        raise closing.AccountClosed

    assert refused(lambda: start_once(asked(ben), refuse, fail)) is closing.AccountClosed
    assert traces() == ([], [])


def test_failed_finish_keeps_what_was_started_and_the_same_goes_on_at_once(
    ben: User, start: Callable, finish: Callable
):
    with pytest.raises(ProviderError):
        start_once(asked(ben), start, fail)
    assert rows() == [row(ben)]

    assert start_once(asked(ben), start, finish) == Answer(200, '{"time":1}')
    assert Letter.objects.count() == 1


def test_what_was_left_behind_is_gone_on_with_when_the_lease_is_over(ben: User, start: Callable, finish: Callable):
    leave_behind(ben, start)
    [kept] = KeptAnswer.objects.all()
    assert kept.busy_until is not None
    assert round((kept.busy_until - timezone.now()).total_seconds()) in {59, 60}
    move(busy_until=timedelta(seconds=5))
    assert refused(lambda: start_once(asked(ben), start, fail)) is idempotency.RequestInProgress
    move(busy_until=timedelta())

    assert start_once(asked(ben), start, finish) == Answer(200, '{"time":1}')
    assert (Letter.objects.count(), [kept["status"] for kept in rows()]) == (1, [200])


def test_key_that_was_left_behind_is_no_other_request_s(ben: User, start: Callable):
    leave_behind(ben, start)
    move(busy_until=-MINUTE)

    other = asked(ben, body=b"other")
    assert refused(lambda: start_once(other, start, fail)) is idempotency.IdempotencyMismatch


@pytest.mark.parametrize("ends", ["answered", "failed"])
def test_who_finishes_after_the_lease_does_not_touch_what_somebody_else_goes_on_with(
    ben: User, start: Callable, ends: str
):
    def finish_late(letter: Letter) -> Answer:
        move(busy_until=-MINUTE)
        leave_behind(ben, start)
        return Answer(200, "late") if ends == "answered" else fail(letter)

    try:
        start_once(asked(ben), start, finish_late)
    except ProviderError:
        pass

    [kept] = rows()
    assert (kept["status"], kept["busy_until"] > timezone.now()) == (None, True)


def test_answer_that_cannot_be_kept_is_given_all_the_same(ben: User, start: Callable, finish: Callable, monkeypatch):
    def busy(*args: object) -> None:
        raise Busy

    monkeypatch.setattr(idempotency, "_write", busy)

    assert start_once(asked(ben), start, finish) == Answer(200, '{"time":1}')
