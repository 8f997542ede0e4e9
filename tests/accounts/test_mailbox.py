from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from accounts import mailbox
from accounts.models import Letter

pytestmark = pytest.mark.django_db

LINK = "http://127.0.0.1:8000/account/confirm-email/Mw:1abc/?next=%2Fqueues%2Fgeneral%2F&code=A"
CONTEXT = {
    "email": "o'ben@example.org",
    "activate_url": LINK,
    "password_reset_url": LINK,
    "signup_url": LINK,
    "from_email": "old@example.org",
    "to_email": "o'ben@example.org",
    "deleted_email": "old@example.org",
    "timestamp": timezone.now(),
    "ip": "192.0.2.1",
    "user_agent": "<script>alert(1)</script>",
}
LINKED = ["account_already_exists", "email_confirmation", "password_reset_key", "unknown_account"]
TOLD = ["email_changed", "email_deleted", "password_changed", "password_reset", "password_set"]


@pytest.fixture
def templates(tmp_path: Path, settings: Settings) -> Path:
    """Put a folder of the test's own first among the templates; return its `mail/`."""
    first = {**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}
    settings.TEMPLATES = [first]
    (tmp_path / "mail").mkdir()
    return tmp_path / "mail"


def test_letter_is_written_whole(templates: Path):
    (templates / "hello.subject.txt").write_text("Hello {{ name }}\n")
    (templates / "hello.txt").write_text("Dear {{ name }}, see {{ site_url }}\n")
    (templates / "hello.html").write_text("<p>Dear {{ name }}</p>\n")

    letter = mailbox.post(
        to="ben@example.org", template="hello", context={"name": "Ben & <Co>"}, kind=Letter.Kind.RECEIPT
    )

    kept = Letter.objects.values("to", "subject", "text", "html", "kind", "status", "attempts", "message_id").get()
    assert kept == {
        "to": "ben@example.org",
        "subject": "Hello Ben & <Co>",
        "text": "Dear Ben & <Co>, see http://127.0.0.1:8000",
        "html": "<p>Dear Ben &amp; &lt;Co&gt;</p>",
        "kind": "receipt",
        "status": "queued",
        "attempts": 0,
        "message_id": letter.message_id,
    }
    assert letter.message_id.endswith("@fairline.example>")


def test_subject_stays_one_line_and_within_its_length(templates: Path):
    (templates / "hello.subject.txt").write_text("{{ name }}")
    (templates / "hello.txt").write_text("text")
    (templates / "hello.html").write_text("html")

    letter = mailbox.post(
        to="ben@example.org",
        template="hello",
        context={"name": "A\r\nBcc: all@example.org\n" + "x" * 300},
        kind="notice",
    )

    assert letter.subject == ("A Bcc: all@example.org " + "x" * 300)[:250]


@pytest.mark.parametrize(
    "to", ["", "ben", "ben@example.org\nBcc: all@example.org", "ben@example.org, cleo@example.org"]
)
def test_letter_to_what_is_no_address_is_refused(to: str):
    with pytest.raises(ValidationError):
        mailbox.post(to=to, template="account/password_set", context=CONTEXT, kind="notice")

    assert not Letter.objects.exists()


def test_letter_is_gone_with_the_fact_that_it_told_of():
    with transaction.atomic():
        mailbox.post(to="ben@example.org", template="account/password_set", context=CONTEXT, kind="notice")
        transaction.set_rollback(True)

    assert not Letter.objects.exists()


@pytest.mark.parametrize("name", LINKED)
def test_account_letter_carries_its_link(name: str):
    letter = mailbox.post(to="ben@example.org", template=f"account/{name}", context=CONTEXT, kind="verification")

    assert LINK in letter.text.splitlines()
    assert f'href="{LINK.replace("&", "&amp;")}"' in letter.html
    assert letter.subject


@pytest.mark.parametrize("name", TOLD)
def test_account_notice_says_who_did_it_and_what_to_do(name: str):
    letter = mailbox.post(to="ben@example.org", template=f"account/{name}", context=CONTEXT, kind="notice")

    assert "192.0.2.1" in letter.text
    assert "<script>alert(1)</script>" in letter.text
    assert "<script>" not in letter.html
    assert "http://127.0.0.1:8000/account/password/reset/" in letter.text
    assert 'href="http://127.0.0.1:8000/account/password/reset/"' in letter.html
