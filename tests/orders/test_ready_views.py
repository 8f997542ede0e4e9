"""The countdown: what it says to who is ready, and what to who is not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event
from queues import captcha, services
from queues.conditions import CardPrefix, CardProgramme, Readiness
from queues.models import Admission, Queue
from queues.services import Entry
from tests.factories import AccessCodeFactory, AllowanceFactory
from tests.orders.test_entry_views import opens_later
from tests.pages import forms

pytestmark = pytest.mark.django_db

PAGE = "/queues/fall-tour-sale/"
READY = "You are ready. Stay here, or come back at"
OWN_FORMS = {f"{PAGE}{act}/" for act in ("join", "ready")}


@pytest.fixture
def upcoming(queue: Queue) -> Queue:
    """The queue before its opening; it asks for everything that a queue can ask for."""
    opens_later()
    Queue.objects.update(require_access_code=True, enable_captcha=True)
    programme = CardProgramme.objects.create(name="American Express", slug="amex")
    CardPrefix.objects.create(programme=programme, digits="37")
    queue.eligible_cards.add(programme)
    AccessCodeFactory(queue=queue, code="GOOD")
    queue.refresh_from_db()
    return queue


def show_everything(queue: Queue, user: User) -> None:
    solution = captcha.solve(services.new_challenge(queue, user))
    services.get_ready(queue, user, Entry(code="GOOD", card_prefix="378282", captcha=solution))


def look(client: Client, user: User) -> tuple[bool, set[str], bool]:
    """Return whether the page says that the fan is ready, its forms to the queue, and whether it reads itself again."""
    client.force_login(user)
    answer = client.get(PAGE)
    assert answer.templates[0].name == "orders/countdown.html"
    html = answer.content.decode()
    own_forms = {form.action for form in forms(answer)} & OWN_FORMS
    return READY in html, own_forms, 'data-at-zero="reload"' in html


def test_fan_who_has_shown_everything_is_ready(upcoming: Queue, ben: User, client: Client):
    assert look(client, ben) == (False, {f"{PAGE}ready/"}, True)

    show_everything(upcoming, ben)

    assert look(client, ben) == (True, {f"{PAGE}join/"}, False)
    html = client.get(PAGE).content.decode()
    told = ["Your presale code is accepted.", "Your card is accepted.", "press the button that will be here"]
    assert [words for words in told if words not in html] == []
    Queue.objects.update(scheduled_start=timezone.now())
    assert client.post(f"{PAGE}join/").status_code == 302
    assert Admission.objects.get().user == ben


def test_queue_that_asks_for_nothing_finds_every_fan_ready(queue: Queue, ben: User, client: Client):
    opens_later()

    assert look(client, ben) == (True, {f"{PAGE}join/"}, False)


LACKS: dict[str, tuple[Callable[[User, Queue], object], str]] = {
    "email": (lambda user, _: User.objects.filter(pk=user.pk).update(email_verified_at=None), "press the link"),
    "identity": (lambda _, queue: Event.objects.update(require_identification=True), "Verify your identity"),
    "limit": (
        lambda user, queue: AllowanceFactory(user=user, event=queue.event, order_count=1, order_limit=1),
        "cannot join",
    ),
    "invitation": (lambda _, queue: services.change_guests(queue, ["club.example"]), "invited guests"),
    "code": (lambda _, queue: queue.access_codes.update(is_active=False), "Enter Presale Code"),
    "check": (lambda *_: captcha_forgotten(), "Get ready"),
}


def captcha_forgotten() -> None:
    Readiness.objects.update(has_solved_captcha=False)


@pytest.mark.parametrize("what", LACKS)
def test_fan_who_lacks_one_thing_is_told_what(upcoming: Queue, ben: User, client: Client, what: str):
    show_everything(upcoming, ben)
    take_away, told = LACKS[what]
    take_away(ben, upcoming)

    is_ready, own_forms, reloads = look(client, ben)

    assert (is_ready, f"{PAGE}join/" in own_forms, reloads) == (False, False, True)
    assert told in client.get(PAGE).content.decode()


def test_stranger_is_told_to_sign_in(upcoming: Queue, client: Client):
    html = client.get(PAGE).content.decode()

    assert ("You need an account" in html, READY in html, 'data-at-zero="reload"' in html) == (True, False, True)


def test_ready_fan_who_comes_back_joins_by_the_button(upcoming: Queue, ben: User, client: Client):
    show_everything(upcoming, ben)
    Queue.objects.update(scheduled_start=timezone.now() - timedelta(seconds=1))
    client.force_login(ben)

    html = client.get(PAGE).content.decode()

    assert ("Join the line</button>" in html, "altcha-widget" in html) == (True, False)
