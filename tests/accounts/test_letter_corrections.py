"""Letters that bounced: seen by staff, with the server's words, and sent again to the right address."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts import services
from accounts.models import Letter, User
from orders import services as order_services
from tests.factories import LetterFactory, UserFactory

pytestmark = pytest.mark.django_db

LETTERS = "/admin/accounts/letter/"
WORDS = "SMTPRecipientsRefused: (550, b'no such mailbox here')"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(UserFactory(email="root@example.org", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def bounced(db: None) -> Letter:
    return LetterFactory(to="ben@exmaple.org", status="failed", last_error=WORDS, attempts=1)


def send_again(desk: Client, *letters: Letter) -> list[str]:
    chosen = {"action": "send_again", "_selected_action": [letter.pk for letter in letters]}
    return [str(said) for said in desk.post(LETTERS, chosen, follow=True).context["messages"]]


def test_bounced_letters_are_found_with_the_words_of_the_server(desk: Client, bounced: Letter):
    LetterFactory()
    page = desk.get(LETTERS, {"status__exact": "failed"})
    assert list(page.context["cl"].result_list) == [bounced]
    assert "no such mailbox here" in page.content.decode()
    assert "no such mailbox here" in desk.get(f"{LETTERS}{bounced.pk}/change/").content.decode()


def test_address_is_corrected_and_the_letter_sent_again(desk: Client, bounced: Letter):
    before = Letter.objects.values().get(pk=bounced.pk)
    desk.post(f"{LETTERS}{bounced.pk}/change/", {"to": "ben@example.org", "text": "Something else", "status": "sent"})
    assert Letter.objects.values().get(pk=bounced.pk) == {**before, "to": "ben@example.org"}

    assert send_again(desk, bounced)[-1] == "1 letter is on its way."

    now = Letter.objects.get(pk=bounced.pk)
    assert (now.to, now.status, now.last_error, now.attempts) == ("ben@example.org", "queued", "", 0)
    entries = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert entries == ["To: ben@exmaple.org → ben@example.org", "Queued to be sent again."]


def test_address_that_is_none_is_not_taken(desk: Client, bounced: Letter):
    before = Letter.objects.values().get(pk=bounced.pk)
    page = desk.post(f"{LETTERS}{bounced.pk}/change/", {"to": "ben at home"})
    assert (page.status_code, "Enter a valid email address." in page.content.decode()) == (200, True)
    assert (Letter.objects.values().get(pk=bounced.pk), LogEntry.objects.count()) == (before, 0)


def test_organisers_do_not_touch_letters(client: Client, ada: User, bounced: Letter):
    client.force_login(ada)
    before = Letter.objects.values().get(pk=bounced.pk)
    assert client.post(f"{LETTERS}{bounced.pk}/change/", {"to": "ada@example.org"}).status_code == 403
    assert Letter.objects.values().get(pk=bounced.pk) == before


def test_letter_of_a_closed_account_is_neither_corrected_nor_sent_again(desk: Client, ben: User):
    letter = LetterFactory(to=ben.email, status="failed")
    order_services.close_account(ben)
    before = Letter.objects.values().get(pk=letter.pk)

    assert desk.post(f"{LETTERS}{letter.pk}/change/", {"to": "x@example.org"}).status_code == 403
    assert send_again(desk, letter)[0].startswith("Whoever this letter was to has closed the account")
    for act in (lambda: services.resend_letter(letter), lambda: services.correct_letter(letter, to="x@example.org")):
        with pytest.raises(services.LetterErased):
            act()
    assert Letter.objects.values().get(pk=letter.pk) == before


def test_closing_takes_the_addresses_out_of_the_log_of_letters(desk: Client, ben: User):
    letter = LetterFactory(to="ben@exmaple.org", status="failed")
    desk.post(f"{LETTERS}{letter.pk}/change/", {"to": ben.email})
    order_services.close_account(ben)

    assert [entry.change_message for entry in LogEntry.objects.all()] == [""]
