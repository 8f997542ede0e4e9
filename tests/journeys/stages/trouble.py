"""What a visitor sees when something is not possible, or not there, or goes wrong."""

from __future__ import annotations

from django.db import connection, transaction
from playwright.sync_api import expect

from tests.factories import MembershipFactory
from tests.journeys.sales import new_sale
from tests.journeys.stages.stage import failing, sign_in_new_fan, stage
from tests.journeys.visitor import Visitor

MORE_THAN_ANYTHING_ASKS_FOR = 21 * 1024 * 1024


@failing(413)
def refusal(visitor: Visitor) -> None:
    sign_in_new_fan(visitor, identity_verified_at=None)
    visitor.go("/account/identity/")
    film = {"name": "film.jpg", "mimeType": "image/jpeg", "buffer": bytes(MORE_THAN_ANYTHING_ASKS_FOR)}
    visitor.page.locator("input[type=file]").set_input_files(film)  # type: ignore[arg-type]
    visitor.press("Send name and photo")
    expect(visitor.page.get_by_text("What you have sent is too large.")).to_be_visible()


@stage
def page_not_found(visitor: Visitor) -> None:
    visitor.go("/nothing/")


@stage
def page_of_others(visitor: Visitor) -> None:
    visitor.sign_in(MembershipFactory().user)
    visitor.go("/admin/accounts/user/")
    visitor.sees("You may not see this page")


@stage
def form_out_of_date(visitor: Visitor) -> None:
    visitor.go("/account/login/")
    visitor.page.context.clear_cookies()
    visitor.fill("Email", "ben@example.org")
    visitor.fill("Password", "whatever it was")
    visitor.press("Sign in")
    visitor.sees("Please send that again")


@failing(503)
def busy(visitor: Visitor) -> None:
    sale = new_sale()
    # Whatever the page needs is not to be had in time; no sweep needs it.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE events_venue IN ACCESS EXCLUSIVE MODE")
        visitor.go(sale.page)
    visitor.sees("Very many people are here just now")


@failing(500)
def our_fault(visitor: Visitor) -> None:
    sale = new_sale()
    # No form lets this in; it stands for whatever nobody has thought of.
    sale.change_event(time_zone="Nowhere/At_all")
    visitor.go(sale.page)
    visitor.sees("Something went wrong on our side")
    sale.change_event(time_zone="UTC")
