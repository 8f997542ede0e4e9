"""The door of a queue that asks for something: a code, a card, an invitation, room."""

from __future__ import annotations

from playwright.sync_api import expect

from queues import guesses
from queues import services as queue_services
from queues.conditions import CardPrefix, CardProgramme
from queues.services.entry import change_guests
from tests.factories import AccessCodeFactory, AdmissionFactory
from tests.journeys.sales import Sale, new_fan, new_sale, soon
from tests.journeys.stages.stage import sign_in_new_fan, stage
from tests.journeys.visitor import Visitor

CODE = "FALLVIBES2024"


def new_presale(**queue_fields: object) -> Sale:
    """Put a presale on sale that asks for a code."""
    sale = new_sale(**{"name": "Artist presale", "kind": "presale", "require_access_code": True, **queue_fields})
    AccessCodeFactory(queue=sale.queue, code=CODE)
    return sale


def new_card_presale(**queue_fields: object) -> Sale:
    sale = new_sale(**{"name": "Card presale", "kind": "presale", **queue_fields})
    programme, _ = CardProgramme.objects.get_or_create(slug="amex", defaults={"name": "American Express"})
    CardPrefix.objects.get_or_create(programme=programme, digits="34")
    sale.queue.eligible_cards.add(programme)
    return sale


# Codes


@stage
def code_form(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_presale().journey)


@stage
def code_form_for_a_stranger(visitor: Visitor) -> None:
    visitor.go(f"{new_presale().journey}?code={CODE}")


@stage
def code_missing(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_presale().journey)
    visitor.press("Access Presale")
    expect(visitor.focused).to_contain_text("Please enter your presale code")


@stage
def code_wrong(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_presale().journey)
    visitor.fill("Presale code", "FALLVIBES2042")
    visitor.press("Access Presale")
    expect(visitor.focused).to_contain_text("This presale code does not work here.")
    expect(visitor.page.get_by_label("Presale code", exact=True)).to_have_value("FALLVIBES2042")


@stage
def code_guessed_too_often(visitor: Visitor) -> None:
    fan = sign_in_new_fan(visitor)
    for _ in range(guesses.WRONG_AN_ACCOUNT):
        guesses.count_wrong(fan.pk, "")
    visitor.go(new_presale().journey)
    visitor.fill("Presale code", CODE)
    visitor.press("Access Presale")
    expect(visitor.focused).to_contain_text("Too many wrong attempts.")


@stage
def code_in_a_link(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(f"{new_presale().journey}?code={CODE}")
    expect(visitor.page.get_by_label("Presale code", exact=True)).to_have_value(CODE)


@stage
def code_form_before_the_opening(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_presale(scheduled_start=soon(hours=2)).journey)


@stage
def code_remembered(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_presale(scheduled_start=soon(hours=2)).journey)
    visitor.fill("Presale code", CODE.lower())
    visitor.press("Access Presale")
    expect(visitor.page.get_by_text("Your presale code is accepted.")).to_be_visible()


@stage
def event_with_a_presale(visitor: Visitor) -> None:
    visitor.go(new_presale(scheduled_end=soon(hours=12)).page)


# Cards


@stage
def card_form(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_card_presale().journey)


@stage
def card_wrong(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_card_presale().journey)
    visitor.fill("First six digits of your card", "510510")
    visitor.press("Access Presale")
    expect(visitor.focused).to_contain_text("the digits you entered are of none of them")


@stage
def card_that_is_no_card(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_card_presale().journey)
    visitor.fill("First six digits of your card", "34")
    visitor.press("Access Presale")
    expect(visitor.focused).to_contain_text("Please enter the first six to eight digits, and no more.")


@stage
def card_remembered(visitor: Visitor) -> None:
    sign_in_new_fan(visitor)
    visitor.go(new_card_presale(scheduled_start=soon(hours=2)).journey)
    visitor.fill("First six digits of your card", "3411 11")
    visitor.press("Access Presale")
    expect(visitor.page.get_by_text("Your card is accepted.")).to_be_visible()


# Invitations and room


@stage
def not_invited(visitor: Visitor) -> None:
    sale = new_sale(name="Members' presale", kind="presale")
    change_guests(sale.queue, ["club.example"])
    sign_in_new_fan(visitor)
    visitor.go(sale.journey)


@stage
def not_invited_before_the_opening(visitor: Visitor) -> None:
    sale = new_sale(name="Members' presale", kind="presale", scheduled_start=soon(hours=2))
    change_guests(sale.queue, ["club.example"])
    sign_in_new_fan(visitor)
    visitor.go(sale.journey)


@stage
def line_full(visitor: Visitor) -> None:
    sale = new_sale(max_concurrent_admissions=1, max_waiting=1)
    sale.let_in(new_fan())
    AdmissionFactory(queue=sale.queue)
    sign_in_new_fan(visitor)
    visitor.go(sale.journey)
    visitor.press("Join the line")
    expect(visitor.focused).to_contain_text("This line is full at the moment.")


@stage
def turn_over_behind_a_code(visitor: Visitor) -> None:
    """Whoever has used a code once is not asked for it again."""
    sale = new_presale()
    fan = sign_in_new_fan(visitor)
    admission, _ = queue_services.join_queue(sale.queue, fan, queue_services.Entry(code=CODE))
    queue_services.leave_queue(admission)
    visitor.go(sale.journey)
    expect(visitor.named("Join the line")).to_be_visible()
