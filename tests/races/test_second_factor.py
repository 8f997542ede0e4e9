"""The code of an authenticator app, typed by two who know it."""

from collections import Counter
from datetime import datetime
from functools import partial

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts import services
from accounts.models import User
from tests.racing import Run, race, uncommitted, wait_until_somebody_waits

TYPED = 6


@pytest.fixture
def app(ben: User) -> Authenticator:
    return Authenticator.objects.create(user=ben, type="totp", data={})


def spend_unguarded(app: Authenticator, *, since: datetime) -> bool:
    """Read whether the code has served, and write what was read: the negative control."""
    seen = Authenticator.objects.get(pk=app.pk).last_used_at
    Authenticator.objects.filter(pk=app.pk).update(last_used_at=timezone.now())
    return seen is None or seen < since


def test_code_serves_one_of_many_at_the_same_instant(app: Authenticator):
    since = services.code_period_began_at()

    outcomes = race(lambda _: services.spend_code(app, since=since), TYPED)

    assert Counter(outcomes) == {True: 1, False: TYPED - 1}


@pytest.mark.parametrize(("spend", "outcome"), [(services.spend_code, False), (spend_unguarded, True)])
def test_code_that_serves_in_an_open_transaction_is_waited_for(app: Authenticator, spend, outcome: bool):
    act = partial(spend, app, since=services.code_period_began_at())
    with uncommitted(act):
        second = Run(act)
        wait_until_somebody_waits()

    assert second.outcome() is outcome
