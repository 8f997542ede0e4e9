import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from email import message_from_bytes, policy
from threading import Barrier, Thread

import psycopg
import pytest
from allauth.account.models import EmailAddress
from django.core.mail import get_connection
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts import services
from accounts.models import Letter
from accounts.tasks import send_queued_letters
from tests.accounts.conftest import MailServer
from tests.factories import LetterFactory, UserFactory

pytestmark = pytest.mark.django_db

QUIET = {"status": "queued", "leased_until": None, "sent_at": None}


def send_next() -> bool:
    with closing(get_connection()) as mail:
        return services.send_next_letter(mail)


def make_due() -> None:
    Letter.objects.update(not_before=timezone.now() - timedelta(seconds=1), leased_until=None)


def test_sweep_sends_what_is_due_over_one_connection(mail_server: MailServer):
    LetterFactory(kind="mass", to="mass@example.org")
    LetterFactory(kind="verification", to="first@example.org", subject="Grüße", text="Ja → nein.", html="<p>Ja</p>")
    LetterFactory(to="later@example.org", not_before=timezone.now() + timedelta(minutes=1))

    send_queued_letters()

    assert [to for to, _ in mail_server.taken] == ["first@example.org", "mass@example.org"]
    assert mail_server.conversations == 1
    letters = Letter.objects.order_by("pk")
    assert [letter.status for letter in letters] == ["sent", "sent", "queued"]
    assert [(letter.sent_at is None, letter.leased_until) for letter in letters] == [
        (False, None),
        (False, None),
        (True, None),
    ]


def test_sent_mail_is_text_and_html_with_its_message_id(mail_server: MailServer):
    letter = LetterFactory(to="ben@example.org", subject="Grüße", text="Ja → nein.", html="<p>Ja</p>")

    assert send_next() is True

    mail = message_from_bytes(mail_server.taken[0][1], policy=policy.default)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert html
    assert (mail["Subject"], mail["To"], mail["Message-ID"]) == ("Grüße", "ben@example.org", letter.message_id)
    assert mail["From"] == "Fairline <tickets@fairline.example>"
    assert (text.get_content().strip(), html.get_content().strip()) == ("Ja → nein.", "<p>Ja</p>")
    assert send_next() is False


def test_letter_refused_for_now_is_tried_again_after_longer_and_longer_times(mail_server: MailServer):
    letter = LetterFactory()
    mail_server.answers["RCPT"] = "451 come back later"
    delays = []

    for _ in range(7):
        make_due()
        send_next()
        letter.refresh_from_db()
        delays.append(round((letter.not_before - timezone.now()).total_seconds()))

    assert delays == [5, 30, 120, 600, 3600, 3600, 3600]
    assert (letter.status, letter.attempts, letter.leased_until, letter.sent_at) == ("queued", 7, None, None)
    assert "come back later" in letter.last_error
    mail_server.answers["RCPT"] = "250 OK"
    make_due()
    send_next()
    letter.refresh_from_db()
    assert (letter.status, letter.attempts, letter.last_error) == ("sent", 8, "")


def test_letter_that_was_never_taken_fails_in_the_end(mail_server: MailServer):
    letter = LetterFactory(attempts=services.GIVE_UP_AFTER_ATTEMPTS - 1)
    mail_server.answers["RCPT"] = "451 come back later"

    send_next()

    letter.refresh_from_db()
    assert (letter.status, letter.attempts) == ("failed", services.GIVE_UP_AFTER_ATTEMPTS)


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_letter_refused_for_good_fails_at_once_and_the_next_one_goes(mail_server: MailServer, command: str):
    letter = LetterFactory(kind="verification", to="nobody@example.org")
    mail_server.answers[command] = "550 no such mailbox"

    send_next()

    letter.refresh_from_db()
    assert (letter.status, letter.attempts, letter.leased_until) == ("failed", 1, None)
    assert "no such mailbox" in letter.last_error
    mail_server.answers[command] = "250 OK"
    LetterFactory(to="ben@example.org")
    send_queued_letters()
    assert [to for to, _ in mail_server.taken] == ["ben@example.org"]


def test_sweep_goes_on_after_a_letter_that_cannot_be_composed(mail_server: MailServer):
    broken = LetterFactory(kind="verification", subject="two\nlines")
    LetterFactory(to="ben@example.org")

    send_queued_letters()

    broken.refresh_from_db()
    assert [to for to, _ in mail_server.taken] == ["ben@example.org"]
    assert (broken.status, broken.last_error[:14]) == ("queued", "BadHeaderError")


@pytest.fixture
def silent_server(settings: Settings) -> Iterator[socket.socket]:
    """Listen, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        settings.EMAIL_TIMEOUT = 0.3
        yield server


def test_letter_waits_for_another_try_when_the_server_never_answers(silent_server: socket.socket):
    letter = LetterFactory()
    began = time.monotonic()

    assert send_next() is True

    letter.refresh_from_db()
    assert time.monotonic() - began < 3
    assert {name: getattr(letter, name) for name in QUIET} == QUIET
    assert letter.attempts == 1
    assert "timed out" in letter.last_error


def test_letter_waits_for_another_try_when_there_is_no_server(silent_server: socket.socket):
    letter = LetterFactory()
    silent_server.close()

    send_next()

    letter.refresh_from_db()
    assert {name: getattr(letter, name) for name in QUIET} == QUIET
    assert letter.last_error.startswith("ConnectionRefusedError")


def test_lease_outlasts_the_slowest_conversation(settings: Settings):
    settings.EMAIL_TIMEOUT = 5
    letter = LetterFactory()
    began = timezone.now()

    leased = services._lease_next_letter()

    letter.refresh_from_db()
    assert leased == letter
    assert timedelta(seconds=59) < letter.leased_until - began < timedelta(seconds=61)
    assert send_next() is False


@pytest.mark.django_db(transaction=True)
def test_letter_goes_twice_with_one_message_id_when_the_mark_is_lost(mail_server: MailServer):
    letter = LetterFactory()
    pid = connection.connection.info.backend_pid
    url = connection.get_connection_params()

    def cut_database() -> None:
        address = {key: url[key] for key in ("dbname", "user", "password", "host", "port") if url.get(key)}
        with psycopg.connect(**address, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])

    mail_server.before_ok = cut_database
    with pytest.raises(OperationalError):
        send_next()

    connection.close()
    letter.refresh_from_db()
    assert (letter.status, letter.attempts) == ("queued", 1)
    assert letter.leased_until > timezone.now()
    mail_server.before_ok = lambda: None
    assert send_next() is False
    make_due()
    assert send_next() is True
    letter.refresh_from_db()
    assert (letter.status, letter.attempts) == ("sent", 2)
    mails = [message_from_bytes(content)["Message-ID"] for _, content in mail_server.taken]
    assert mails == [letter.message_id, letter.message_id]


@pytest.mark.django_db(transaction=True)
def test_letter_goes_once_when_many_sweeps_run_at_once(mail_server: MailServer):
    for n in range(6):
        LetterFactory(to=f"fan{n}@example.org")
    barrier = Barrier(4)

    def sweep() -> None:
        barrier.wait()
        send_queued_letters()
        connection.close()

    threads = [Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(to for to, _ in mail_server.taken) == [f"fan{n}@example.org" for n in range(6)]
    assert set(Letter.objects.values_list("status", "attempts")) == {("sent", 1)}


def test_slow_mail_server_keeps_one_worker_busy_and_no_more(mail_server: MailServer):
    on_its_way = LetterFactory(leased_until=timezone.now() + timedelta(seconds=5))
    LetterFactory(to="ben@example.org")

    assert send_next() is False
    assert mail_server.conversations == 0

    Letter.objects.filter(pk=on_its_way.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    send_queued_letters()
    assert len(mail_server.taken) == 2


def test_as_many_workers_as_may_send_the_most_urgent_letters_first(mail_server: MailServer, settings: Settings):
    settings.LETTERS_AT_A_TIME = 3
    letters = [LetterFactory(kind=kind) for kind in ("mass", "receipt", "notice", "verification")]

    taken = [services._lease_next_letter() for _ in range(4)]

    assert taken == [letters[3], letters[1], letters[2], None]


def test_letters_being_sent_are_counted_without_reading_those_that_wait():
    Letter.objects.bulk_create(LetterFactory.build_batch(500))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_letter")

    assert "letter_being_sent" in Letter.objects.being_sent().explain()


@pytest.mark.django_db(transaction=True)
def test_sweep_refuses_to_run_inside_a_transaction(mail_server: MailServer):
    letter = LetterFactory()

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        send_next()

    letter.refresh_from_db()
    assert (mail_server.taken, letter.attempts) == ([], 0)


@pytest.mark.parametrize("status", ["sent", "failed"])
def test_letter_sent_again_by_hand_is_a_new_mail(mail_server: MailServer, status: str):
    letter = LetterFactory(
        status=status,
        sent_at=timezone.now() if status == "sent" else None,
        attempts=3,
        last_error="x",
        message_id="<1@x>",
    )

    services.resend_letter(letter)

    letter.refresh_from_db()
    assert (letter.status, letter.attempts, letter.last_error, letter.sent_at) == ("queued", 0, "", None)
    assert letter.message_id != "<1@x>"
    assert send_next() is True


def test_queued_letter_sent_again_by_hand_only_goes_sooner():
    letter = LetterFactory(not_before=timezone.now() + timedelta(hours=1), attempts=3, message_id="<1@x>")

    services.resend_letter(letter)

    letter.refresh_from_db()
    assert (letter.status, letter.attempts, letter.message_id) == ("queued", 3, "<1@x>")
    assert letter.not_before <= timezone.now()


def test_mark_of_an_older_attempt_does_not_touch_a_letter_queued_again():
    letter = LetterFactory(status="failed")
    sent_meanwhile = Letter.objects.get(pk=letter.pk)
    services.resend_letter(letter)

    services._mark_sent(sent_meanwhile)
    services._mark_not_sent(sent_meanwhile, OSError("late"))

    letter.refresh_from_db()
    assert (letter.status, letter.last_error) == ("queued", "")


def test_verified_address_is_the_account_s_own():
    user = UserFactory()

    services.mark_email_verified(user)

    user.refresh_from_db()
    assert user.is_email_verified
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [(user.email, True, True)]


def test_address_changed_meanwhile_is_not_taken_as_verified():
    user = UserFactory(email="old@example.org")
    stale = type(user).objects.get(pk=user.pk)
    services.change_email(user, email="new@example.org")

    services.mark_email_verified(stale)

    user.refresh_from_db()
    assert (user.email, user.email_verified_at) == ("new@example.org", None)


def test_changed_address_has_to_be_verified_anew():
    user = UserFactory()
    services.mark_email_verified(user)

    services.change_email(user, email=" New@Example.org")

    kept = type(user).objects.get(pk=user.pk)
    assert (user.email, kept.email, kept.email_verified_at) == ("new@example.org", "new@example.org", None)
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("new@example.org", False, True)]


def test_address_of_another_account_is_refused():
    UserFactory(email="taken@example.org")
    user = UserFactory(email="ben@example.org")
    services.mark_email_verified(user)

    with pytest.raises(services.EmailTaken):
        services.change_email(user, email="taken@example.org")

    user.refresh_from_db()
    assert (user.email, user.is_email_verified) == ("ben@example.org", True)
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("ben@example.org", True)]
