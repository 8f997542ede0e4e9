"""The door of a presale, as a browser without scripts sees it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from queues import guesses
from queues.conditions import AccessCode, AccessCodeUse, Readiness
from queues.models import Admission, Queue
from tests.factories import AccessCodeFactory, AdmissionFactory
from tests.pages import form_to, forms, submit

pytestmark = pytest.mark.django_db

PAGE = "/queues/fall-tour-sale/"
WORDS = ("Enter Presale Code", "You need a valid presale code to access this sale.", "Access Presale", "Enter code")


@pytest.fixture
def code(queue: Queue) -> AccessCode:
    Queue.objects.filter(pk=queue.pk).update(require_access_code=True)
    code: AccessCode = AccessCodeFactory(queue=queue, code="FALLVIBES2024", max_uses=5)
    return code


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    client.force_login(ben)
    return client


def opens_later() -> None:
    Queue.objects.update(scheduled_start=timezone.now() + timedelta(hours=1))


def test_page_asks_for_the_code_in_the_words_of_the_reference(code: AccessCode, bens: Client):
    html = bens.get(PAGE).content.decode()

    assert [words for words in WORDS if words not in html] == []
    assert 'maxlength="20"' in html
    assert "Join the line</button>" not in html


def test_code_leads_into_the_line(code: AccessCode, ben: User, bens: Client):
    answer = submit(bens, form_to(bens.get(PAGE), f"{PAGE}join/"), code=" fallvibes2024")

    assert (answer.redirect_chain, answer.templates[0].name) == ([(PAGE, 302)], "orders/line.html")
    assert AccessCodeUse.objects.values_list("code", "user").get() == (code.pk, ben.pk)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", (403, "access_code_required", "Please enter your presale code")),
        ("WRONG", (403, "access_code_invalid", "This presale code does not work here.")),
    ],
)
def test_refused_code_is_told_and_kept(code: AccessCode, bens: Client, typed: str, expected: tuple[int, str, str]):
    answer = submit(bens, form_to(bens.get(PAGE), f"{PAGE}join/"), code=typed)

    status, name, sentence = expected
    assert (answer.status_code, answer["X-Refusal"], sentence in answer.content.decode()) == (status, name, True)
    assert form_to(answer, f"{PAGE}join/").fields["code"] == typed
    assert (Admission.objects.count(), AccessCodeUse.objects.count()) == (0, 0)


@pytest.mark.parametrize("typed", ["X" * 21, "NUL\0"])
def test_code_that_cannot_be_one_is_told_and_kept(code: AccessCode, bens: Client, typed: str):
    answer = bens.post(f"{PAGE}join/", {"code": typed})

    assert (answer.status_code, answer.templates[0].name) == (400, "orders/join.html")
    assert "field__error" in answer.content.decode()
    assert Admission.objects.count() == 0


def test_too_many_guesses_are_told_with_the_time_to_wait(code: AccessCode, bens: Client):
    for _ in range(guesses.WRONG_AN_ACCOUNT):
        assert bens.post(f"{PAGE}join/", {"code": "WRONG"}).status_code == 403

    answer = bens.post(f"{PAGE}join/", {"code": "FALLVIBES2024"})

    assert (answer.status_code, answer["X-Refusal"], answer["Retry-After"]) == (429, "throttled", "600")
    assert Admission.objects.count() == 0


def test_address_that_guesses_is_the_browsers(code: AccessCode, bens: Client, monkeypatch):
    monkeypatch.setattr(guesses, "WRONG_AN_ADDRESS", 1)
    bens.post(f"{PAGE}join/", {"code": "WRONG"}, REMOTE_ADDR="192.0.2.1")

    answers = [
        bens.post(f"{PAGE}join/", {"code": "FALLVIBES2024"}, REMOTE_ADDR=address)
        for address in ("192.0.2.1", "192.0.2.2")
    ]

    assert [answer.status_code for answer in answers] == [429, 302]


@pytest.mark.parametrize("later", [False, True])
def test_link_fills_the_code_in(code: AccessCode, bens: Client, later: bool):
    if later:
        opens_later()

    answer = bens.get(f"{PAGE}?code=FALLVIBES2024")

    assert form_to(answer, f"{PAGE}{'ready' if later else 'join'}/").fields["code"] == "FALLVIBES2024"
    assert Readiness.objects.count() == 0


def test_link_keeps_its_code_over_signing_in(code: AccessCode, client: Client):
    html = client.get(f"{PAGE}?code=FALLVIBES2024").content.decode()

    assert f"/account/login/?next={PAGE}%3Fcode%3DFALLVIBES2024" in html


def test_code_is_shown_before_the_opening_and_joining_asks_for_nothing_more(code: AccessCode, ben: User, bens: Client):
    opens_later()
    ready = submit(bens, form_to(bens.get(PAGE), f"{PAGE}ready/"), code="FALLVIBES2024")

    assert "Your presale code is accepted." in ready.content.decode()
    assert [form.action for form in forms(ready) if form.action.startswith(PAGE)] == [f"{PAGE}join/"]
    Queue.objects.update(scheduled_start=timezone.now())
    door = form_to(bens.get(PAGE), f"{PAGE}join/")
    assert "code" not in door.fields
    submit(bens, door)
    assert (Admission.objects.get().user, AccessCodeUse.objects.get().code) == (ben, code)


def test_wrong_code_before_the_opening_is_told(code: AccessCode, bens: Client):
    opens_later()

    answer = submit(bens, form_to(bens.get(PAGE), f"{PAGE}ready/"), code="WRONG")

    assert (answer.status_code, answer["X-Refusal"]) == (403, "access_code_invalid")
    assert answer.templates[0].name == "orders/countdown.html"
    assert Readiness.objects.count() == 0


@pytest.mark.parametrize("ended", ["left", "expired"])
def test_who_comes_back_is_not_asked_again(code: AccessCode, ben: User, bens: Client, queue: Queue, ended: str):
    AccessCodeUse.objects.create(code=code, queue=code.queue, user=ben)
    AdmissionFactory(queue=queue, user=ben, status=ended)

    answer = submit(bens, form_to(bens.get(PAGE), f"{PAGE}join/"))

    assert answer.templates[0].name == "orders/line.html"
    assert AccessCodeUse.objects.count() == 1


def test_stranger_signs_in_before_showing_a_code(code: AccessCode, client: Client):
    assert client.post(f"{PAGE}ready/", {"code": "FALLVIBES2024"})["Location"] == f"/account/login/?next={PAGE}"
    assert Readiness.objects.count() == 0


def test_event_page_leads_to_the_code_and_not_into_the_line(code: AccessCode, bens: Client):
    answer = bens.get("/events/fall-tour/")

    assert [form.action for form in forms(answer) if form.action.endswith("/join/")] == []
    assert "Enter Presale Code" in answer.content.decode()


def test_queue_without_a_code_asks_for_none(queue: Queue, bens: Client):
    assert "Presale Code" not in bens.get(PAGE).content.decode()
