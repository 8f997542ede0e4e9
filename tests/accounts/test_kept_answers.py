"""Kept answers: what the database takes of them, and how they go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import idempotency, tasks
from accounts.models import KeptAnswer, User
from tests.factories import KeptAnswerFactory
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

DAY = timedelta(hours=24)
MINUTE = timedelta(minutes=1)


def test_expired_answers_go():
    old, due, young, new = KeptAnswerFactory.create_batch(4)
    for kept, age in ((old, DAY + MINUTE), (due, DAY), (young, DAY - MINUTE)):
        KeptAnswer.objects.filter(pk=kept.pk).update(created_at=timezone.now() - age)

    tasks.remove_expired_answers()

    assert list(KeptAnswer.objects.order_by("pk")) == [young, new]


def test_expired_answers_go_in_batches_the_oldest_first(monkeypatch):
    monkeypatch.setattr(idempotency, "REMOVED_AT_ONCE", 2)
    answers = KeptAnswerFactory.create_batch(5)
    for age, kept in enumerate(answers):
        KeptAnswer.objects.filter(pk=kept.pk).update(created_at=timezone.now() - DAY - age * MINUTE)

    first = idempotency.remove_expired_answers()
    left = list(KeptAnswer.objects.order_by("pk"))
    tasks.remove_expired_answers()

    assert (first, left) == (2, answers[:3])
    assert not KeptAnswer.objects.exists()


def test_removing_takes_two_statements():
    KeptAnswerFactory.create_batch(3, created_at=timezone.now() - DAY)

    with counted_statements() as sent:
        assert idempotency.remove_expired_answers() == 3

    assert [sql.partition(" ")[0] for sql in sent] == ["SELECT", "DELETE"]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": None, "body": "{}"},
        {"status": None, "headers": {"Location": "/a/"}},
        {"busy_until": timezone.now()},
    ],
)
def test_answer_is_kept_whole(changes: dict):
    kept = KeptAnswerFactory()

    with pytest.raises(IntegrityError, match="answer_is_kept_whole"), transaction.atomic():
        KeptAnswer.objects.filter(pk=kept.pk).update(**changes)


def test_account_has_a_key_once(ben: User):
    KeptAnswerFactory(user=ben, key="a")

    with pytest.raises(IntegrityError, match="fan_uses_a_key_for_one_request"), transaction.atomic():
        KeptAnswerFactory(user=ben, key="a")
