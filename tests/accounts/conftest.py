"""A mail server of the tests' own, which answers what a test tells it to."""

import socket
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from allauth.account.models import EmailAddress
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from tests.accounts.programs import PASSWORD, Program
from tests.factories import UserFactory


class MailServer:
    """Take mail on a loopback port; `answers` gives the reply to RCPT and to DATA, `taken` what arrived."""

    def __init__(self) -> None:
        self.answers = {"RCPT": "250 OK", "DATA": "250 OK"}
        self.taken: list[tuple[str, bytes]] = []
        self.conversations = 0
        self.before_ok = lambda: None

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.conversations += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answers["RCPT"].startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answers["RCPT"]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers["DATA"].startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.taken.extend((address, envelope.content) for address in envelope.rcpt_tos)
            self.before_ok()
        return self.answers["DATA"]


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """Run a mail server, and make it the one that our mail goes to."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = MailServer()
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    yield server
    controller.stop()


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def verified_ben(db: None) -> User:
    """Ben with a password, and an address that allauth knows, too."""
    user: User = UserFactory(email="ben@example.org", name="Ben", password=PASSWORD, email_verified_at=timezone.now())
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user
