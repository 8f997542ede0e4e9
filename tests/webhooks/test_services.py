"""Old facts go."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.config.test_settings import start
from tests.factories import FactFactory
from tests.statements import counted_statements
from webhooks import services, tasks
from webhooks.models import Fact

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def aged(*ages: timedelta) -> list[Fact]:
    return [FactFactory(happened_at=timezone.now() - age) for age in ages]


@pytest.mark.parametrize("days", [1, 30])
def test_facts_go_when_they_have_been_kept_long_enough(settings: Settings, days: int):
    settings.FACTS_KEPT_DAYS = days
    kept = timedelta(days=days)
    _, _, young, new = aged(kept + MINUTE, kept, kept - MINUTE, timedelta())

    tasks.remove_old_facts()

    assert list(Fact.objects.in_order()) == [young, new]


def test_old_facts_go_in_batches_the_first_ones_first(settings: Settings, monkeypatch):
    monkeypatch.setattr(services, "REMOVED_AT_ONCE", 2)
    month = timedelta(days=settings.FACTS_KEPT_DAYS)
    facts = aged(*[month] * 5, timedelta())

    first = services.remove_old_facts()
    left = list(Fact.objects.in_order())
    tasks.remove_old_facts()

    assert (first, left) == (2, facts[2:])
    assert list(Fact.objects.all()) == facts[5:]


def test_removing_takes_one_statement_and_reads_no_fact(settings: Settings):
    aged(*[timedelta(days=settings.FACTS_KEPT_DAYS)] * 3)

    with counted_statements() as sent:
        assert services.remove_old_facts() == 3

    assert [statement.partition(" ")[0] for statement in sent] == ["DELETE"]


def test_second_call_finds_nothing_left(settings: Settings):
    aged(timedelta(days=settings.FACTS_KEPT_DAYS))

    assert [services.remove_old_facts() for _ in range(2)] == [1, 0]


def test_keeping_nothing_stops_the_start():
    started = start(FACTS_KEPT_DAYS="0")

    assert started.returncode == 1
    assert "FACTS_KEPT_DAYS=0 keeps nothing: set it to 1 or more." in started.stderr
