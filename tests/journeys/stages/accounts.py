"""Account pages, and the demo's mail."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.factories import IdentityCheckFactory, LetterFactory
from tests.journeys.stages.stage import sign_in_new_fan, stage
from tests.journeys.visitor import Visitor

# Accounts


@stage
def sign_in(visitor: Visitor) -> None:
    visitor.go("/account/login/")


@stage
def sign_in_refused(visitor: Visitor) -> None:
    visitor.go("/account/login/")
    visitor.fill("Email", "nobody@example.org")
    visitor.fill("Password", "whatever it was")
    visitor.press("Sign in")
    expect(visitor.focused).to_contain_text("Please check what you entered.")


@stage
def sign_up(visitor: Visitor) -> None:
    visitor.go("/account/signup/")


@stage
def sign_up_refused(visitor: Visitor) -> None:
    visitor.go("/account/signup/")
    visitor.fill("Your name", "Wanda Walker")
    visitor.fill("Email", "wanda.walker@example.org")
    visitor.fill("Password", "12345678")
    visitor.press("Create account")
    expect(visitor.focused).to_contain_text("Please check what you entered.")


@stage
def sign_out(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go("/account/logout/")


@stage
def address(visitor: Visitor) -> None:
    sign_in_new_fan(visitor, email_verified_at=None)
    visitor.go("/account/email/")


@stage
def change_password(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go("/account/password/change/")


@stage
def identity(visitor: Visitor) -> None:
    sign_in_new_fan(visitor, identity_verified_at=None)
    visitor.go("/account/identity/")


@stage
def identity_refused_for_now(visitor: Visitor) -> None:
    sign_in_new_fan(visitor, identity_verified_at=None)
    visitor.go("/account/identity/")
    document = {"name": "me.txt", "mimeType": "text/plain", "buffer": b"this is me"}
    visitor.page.locator("input[type=file]").set_input_files(document)  # type: ignore[arg-type]
    visitor.press("Send name and photo")
    expect(visitor.focused).to_contain_text("This file cannot be read as a photo.")


@stage
def identity_pending(visitor: Visitor) -> None:
    IdentityCheckFactory(user=sign_in_new_fan(visitor, identity_verified_at=None))
    visitor.go("/account/identity/")


@stage
def identity_refused(visitor: Visitor) -> None:
    IdentityCheckFactory(user=sign_in_new_fan(visitor, identity_verified_at=None), refused=True)
    visitor.go("/account/identity/")


@stage
def identity_verified(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go("/account/identity/?next=/tickets/")


@stage
def reset_password(visitor: Visitor) -> None:
    visitor.go("/account/password/reset/")


@stage
def reset_password_asked(visitor: Visitor) -> None:
    visitor.go("/account/password/reset/done/")


@stage
def link_out_of_date(visitor: Visitor) -> None:
    visitor.go("/account/confirm-email/nothing-of-that-kind/")


# The demo's mail


@stage
def mail(visitor: Visitor) -> None:
    LetterFactory.create_batch(2)
    visitor.go("/mail/")


@stage
def letter(visitor: Visitor) -> None:
    letter = LetterFactory(text="Hello,\n\nhere they are: http://127.0.0.1/tickets/\n\nFairline")
    visitor.go(f"/mail/{letter.pk}/")
