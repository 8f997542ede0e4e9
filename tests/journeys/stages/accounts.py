"""Account pages, and the demo's mail."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from playwright.sync_api import expect

from accounts.models import User
from tests.factories import IdentityCheckFactory, LetterFactory
from tests.journeys.sales import new_fan, new_sale
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
def your_data(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go("/account/data/")


@stage
def close_account(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go("/account/close/")


@stage
def close_account_with_a_wrong_password(visitor: Visitor) -> None:
    close_account(visitor)
    visitor.page.locator("main input[type=password]").fill("not it")
    visitor.page.locator("main form.form button").click()
    expect(visitor.focused).to_contain_text("Please check what you entered.")


@stage
def close_account_while_in_line(visitor: Visitor) -> None:
    new_sale().hold(sign_in_new_fan(visitor), floor=1)
    visitor.go("/account/close/")
    expect(visitor.page.locator("main")).to_contain_text("You cannot close your account just now.")


@stage
def close_account_with_tickets(visitor: Visitor) -> None:
    new_sale().buy(sign_in_new_fan(visitor), floor=1)
    visitor.go("/account/close/")
    expect(visitor.page.locator("main")).to_contain_text("an event that is still to come")


@stage
def account_closed(visitor: Visitor) -> None:
    close_account(visitor)
    visitor.page.locator("main input[type=password]").fill("correct horse battery")
    visitor.page.locator("main form.form button").click()
    expect(visitor.page.locator(".messages")).to_contain_text("Your account is closed.")


@stage
def reset_password(visitor: Visitor) -> None:
    visitor.go("/account/password/reset/")


@stage
def reset_password_asked(visitor: Visitor) -> None:
    visitor.go("/account/password/reset/done/")


def reset_link(user: User, key: str) -> str:
    return f"/account/password/reset/key/{user_pk_to_url_str(user)}-{key}/"


@stage
def reset_password_with_the_key(visitor: Visitor) -> None:
    fan = new_fan()
    visitor.go(reset_link(fan, default_token_generator.make_token(fan)))
    visitor.sees("Choose a new password")


@stage
def reset_password_refused(visitor: Visitor) -> None:
    reset_password_with_the_key(visitor)
    for field in visitor.page.locator("input[type=password]").all():
        field.fill("12345678")
    visitor.press("Save the new password")
    expect(visitor.focused).to_contain_text("Please check what you entered.")


@stage
def reset_password_with_an_old_key(visitor: Visitor) -> None:
    visitor.go(reset_link(new_fan(), "abc123-0123456789"))
    visitor.sees("This link no longer works")


@stage
def reset_password_done(visitor: Visitor) -> None:
    visitor.go("/account/password/reset/key/done/")


@stage
def reauthenticate(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go("/account/reauthenticate/")
    visitor.sees("Confirm that it is you")


@stage
def reauthenticate_refused(visitor: Visitor) -> None:
    reauthenticate(visitor)
    visitor.page.locator("input[type=password]").fill("not it")
    visitor.press("Go on")
    expect(visitor.focused).to_contain_text("Please check what you entered.")


def confirmation_link(fan: User) -> str:
    address = EmailAddress.objects.create(user=fan, email=fan.email, primary=True)
    return f"/account/confirm-email/{EmailConfirmationHMAC(address).key}/"


@stage
def confirm_address(visitor: Visitor) -> None:
    visitor.go(confirmation_link(new_fan(email_verified_at=None)))
    visitor.sees("Confirm your address")


@stage
def address_to_be_confirmed(visitor: Visitor) -> None:
    sign_in_new_fan(visitor, email_verified_at=None)
    visitor.go("/account/confirm-email/")


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
