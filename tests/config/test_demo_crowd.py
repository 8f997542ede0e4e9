"""The demo's crowd: bounded in people, pace and purchases, and out of the visitor's way."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from config.concert import EVENT_SLUG, load_concert
from config.crowd.background import LINE, NEWCOMERS_A_SECOND, ask_anew, newcomers
from config.crowd.people import BUYERS, PEOPLE, Person, put_people, session_of
from config.management.commands.crowd import demo_sale, gather_people
from events.models import Event, Tier
from queues.models import Queue
from tests.factories import LetterFactory

TIERS = ["vip", "floor"]


def board(waiting: int, phase: str = "open") -> dict[str, Any]:
    return {"phase": phase, "waiting": waiting}


@pytest.mark.parametrize(
    ("waiting", "coming", "away", "sent"),
    [
        pytest.param(0, 0, 100, NEWCOMERS_A_SECOND, id="never more a second"),
        pytest.param(LINE - 1, 0, 100, 1, id="until the line is long enough"),
        pytest.param(LINE, 0, 100, 0, id="long enough"),
        pytest.param(LINE + 20, 0, 100, 0, id="visitors have made it longer"),
        pytest.param(LINE - 2, 1, 100, 1, id="who is on the way counts"),
        pytest.param(LINE - 2, 5, 100, 0, id="enough are on the way"),
        pytest.param(0, 0, 1, 1, id="one is left"),
        pytest.param(0, 0, 0, 0, id="nobody is left"),
    ],
)
def test_crowd_sends_as_many_as_make_a_line(waiting: int, coming: int, away: int, sent: int):
    assert newcomers(board(waiting), coming=coming, away=away) == sent


@pytest.mark.parametrize("phase", ["unknown", "scheduled", "paused", "sold_out", "closed"])
def test_crowd_stays_away_while_nobody_is_let_in(phase: str):
    assert newcomers(board(0, phase), coming=0, away=100) == 0


def test_crowd_may_buy_little_of_what_there_is():
    people = [Person(number, tuple(TIERS)) for number in range(1, PEOPLE + 1)]
    assert sum(person.buys for person in people) == BUYERS
    assert BUYERS * 4 <= 20_000 // 100


@pytest.mark.django_db
def test_crowd_is_made_once_verified_and_easy_to_tell():
    people = put_people(TIERS)
    before = list(User.objects.order_by("pk").values())
    assert put_people(TIERS) == people
    assert list(User.objects.order_by("pk").values()) == before
    assert {(user.email, user.name) for user in User.objects.all()} == {
        (f"fan-{number}@crowd.example.com", f"Demo fan {number}") for number in range(1, PEOPLE + 1)
    }
    assert all(user.is_email_verified and user.is_identity_verified for user in User.objects.all())
    assert not any(user.has_usable_password() or user.is_staff for user in User.objects.all())


@pytest.mark.django_db
def test_crowd_is_signed_in_for_a_day(client: Client, settings: Settings):
    person = put_people(TIERS)[4]
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of(person)
    assert client.get("/tickets/").context["user"].email == person.email
    assert client.session.get_expiry_age() == 24 * 3600


@pytest.mark.django_db
def test_crowd_goes_to_the_general_sale_of_the_concert():
    load_concert(now=timezone.now())
    sale = demo_sale()
    assert Event.objects.get(slug=sale.event_slug).slug == EVENT_SLUG
    assert {line.slug for line in sale.lines} <= set(Queue.objects.values_list("slug", flat=True))
    tiers = Tier.objects.filter(event__slug=EVENT_SLUG).in_order()
    assert gather_people()[0].wishes == tuple(tier.slug for tier in tiers)


@pytest.mark.django_db(transaction=True)
def test_crowd_asks_on_a_new_connection_after_one_has_broken():
    person = Person(1, tuple(TIERS))

    def fail(person: Person) -> None:
        connection.ensure_connection()
        raise OperationalError("the server closed the connection unexpectedly")

    with pytest.raises(OperationalError):
        ask_anew(fail, person)
    assert connection.connection is None
    assert ask_anew(lambda person: User.objects.count(), person) == 0


@pytest.mark.django_db
def test_crowd_refuses_outside_a_demo(settings: Settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="it runs only with DEMO=1"):
        call_command("crowd")
    assert not User.objects.exists()


@pytest.mark.django_db
def test_crowd_s_letters_are_left_out_of_the_demo_s_mail(client: Client, settings: Settings):
    settings.DEMO = True
    own = LetterFactory(to="visitor@example.org", subject="Yours")
    for number in range(60):
        LetterFactory(to=f"fan-{number}@crowd.example.com")
    assert list(client.get(reverse("accounts:mail")).context["letters"]) == [own]
