"""The people of the demo's crowd: always the same, and easy to tell from visitors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.sessions.backends.cached_db import SessionStore

from accounts.models import User
from config.crowd import scene

PEOPLE = 120
# Only these ever buy, once each: the crowd takes a hundred tickets of twenty thousand and no more.
BUYERS = 30
SESSION_LASTS = 24 * 3600


@dataclass(frozen=True)
class Person:
    """One of the demo's crowd; `wishes` are the tiers there are."""

    number: int
    wishes: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"Demo fan {self.number}"

    @property
    def email(self) -> str:
        return f"fan-{self.number}@{settings.DEMO_CROWD_DOMAIN}"

    @property
    def buys(self) -> bool:
        return self.number % (PEOPLE // BUYERS) == 0


def put_people(tiers: Sequence[str]) -> list[Person]:
    """Return the crowd, with accounts that are verified; those who have one keep it."""
    people = [Person(number, tuple(tiers)) for number in range(1, PEOPLE + 1)]
    known = set(User.objects.filter(email__in=[person.email for person in people]).values_list("email", flat=True))
    scene.make_users({person.email: person.name for person in people if person.email not in known})
    SessionStore.clear_expired()
    return people


def session_of(person: Person) -> str:
    """Sign a person in for a day; returns the session's key."""
    return scene.sign_in(User.objects.get(email=person.email), lasts_seconds=SESSION_LASTS)
