"""From the hold to the ticket in a browser without scripts."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Letter, User
from events.models import Tier
from orders import services
from orders.models import Order, Payment, Ticket
from queues import services as queue_services
from queues.models import Admission, Queue
from tests.bookkeeping import assert_counters_equal_rows
from tests.orders.conftest import traces
from tests.pages import form_to, submit

pytestmark = pytest.mark.django_db

TYPED = {"holder-1": "Ben", "holder-2": "Bea", "email": "ben@example.org", "terms": "on"}


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A browser in which Ben is signed in."""
    client.force_login(ben)
    return client


def url(order: Order, act: str = "") -> str:
    return f"/orders/{order.code}/{act}/" if act else f"/orders/{order.code}/"


def test_whole_path_from_the_line_to_the_tickets(queue: Queue, ben: User):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ben)
    line = f"/queues/{queue.slug}/"

    assert submit(browser, form_to(browser.get(line), f"{line}join/")).templates[0].name == "orders/line.html"
    queue_services.tick_queue(queue.pk)
    names = submit(browser, form_to(browser.get(line), f"{line}hold/"), **{"tier-floor": "2"})
    order = Order.objects.get()
    counter = submit(browser, form_to(names, url(order, "pay")), **TYPED)
    assert counter.redirect_chain == [(url(order, "payment"), 302)]
    confirmation = submit(browser, form_to(counter, ""), to=url(order, "payment"), outcome="confirm")

    assert confirmation.redirect_chain == [(url(order, "return"), 302), (url(order), 302)]
    assert confirmation.templates[0].name == "orders/confirmation.html"
    assert order.code in confirmation.content.decode()
    assert browser.get(line)["Location"] == url(order)
    tickets = browser.get("/tickets/")
    assert [str(ticket.public_id) in tickets.content.decode() for ticket in Ticket.objects.all()] == [True, True]
    assert_counters_equal_rows(queue.event)


def test_checkout_asks_for_names_and_shows_what_is_paid(order: Order, bens: Client):
    answer = bens.get(url(order))

    fields = form_to(answer, url(order, "pay")).fields
    assert answer.templates[0].name == "orders/checkout.html"
    assert {name: fields[name] for name in TYPED if name != "terms"} == {
        "holder-1": "Ben",
        "holder-2": "",
        "email": "ben@example.org",
    }
    assert "$330.00" in answer.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"holder-2": ""},
        {"holder-2": "x" * 151},
        {"email": "nobody"},
        {"email": f"ben@{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}.example"},
        {"email": ""},
        {"terms": ""},
    ],
)
def test_names_that_make_no_sense_are_shown_again(order: Order, bens: Client, wrong: dict[str, str]):
    form = form_to(bens.get(url(order)), url(order, "pay"))
    before = traces()

    answer = bens.post(form.action, {**form.fields, **TYPED, "holder-1": "Benjamin", **wrong})

    assert (answer.status_code, answer.templates[0].name) == (400, "orders/checkout.html")
    assert form_to(answer, form.action).fields["holder-1"] == "Benjamin"
    assert traces() == before


def test_names_of_spaces_are_no_names(order: Order, bens: Client):
    answer = bens.post(url(order, "pay"), {**TYPED, "holder-2": "   "})

    assert (answer.status_code, Payment.objects.count()) == (400, 0)


def test_declined_payment_comes_back_with_names_and_a_second_try_succeeds(order: Order, bens: Client):
    bens.post(url(order, "pay"), TYPED)
    declined = bens.post(url(order, "payment"), {"outcome": "decline"}, follow=True)

    form = form_to(declined, url(order, "pay"))
    assert declined.templates[0].name == "orders/checkout.html"
    assert "The payment was declined." in declined.content.decode()
    assert (form.fields["holder-1"], form.fields["holder-2"]) == ("Ben", "Bea")
    assert form.fields["terms"] == "on"

    submit(bens, form)
    answer = bens.post(url(order, "payment"), {"outcome": "confirm"}, follow=True)
    assert answer.templates[0].name == "orders/confirmation.html"
    assert_counters_equal_rows(order.event)


def test_abandoned_payment_can_be_gone_on_with_or_cancelled(order: Order, bens: Client):
    bens.post(url(order, "pay"), TYPED)
    answer = bens.post(url(order, "payment"), {"outcome": "abandon"}, follow=True)

    assert "A payment for this order is in progress." in answer.content.decode()
    assert bens.get(url(order, "payment")).status_code == 200
    answer = submit(bens, form_to(answer, url(order, "cancel-payment")))
    assert (answer.redirect_chain, Order.objects.get().is_held) == ([(url(order), 302)], True)
    assert form_to(answer, url(order, "pay")).fields["holder-2"] == "Bea"


def test_paying_twice_opens_one_payment(order: Order, bens: Client):
    answers = [bens.post(url(order, "pay"), TYPED) for _ in range(2)]

    assert [answer["Location"] for answer in answers] == [url(order, "payment")] * 2
    assert Payment.objects.count() == 1


def test_confirming_twice_and_going_back_change_nothing(payment: Payment, bens: Client):
    bens.post(url(payment.order, "payment"), {"outcome": "confirm"}, follow=True)
    before = traces()

    answers = [
        bens.post(url(payment.order, "payment"), {"outcome": "confirm"}),
        bens.post(url(payment.order, "pay"), TYPED),
        bens.get(url(payment.order, "payment")),
        bens.get(url(payment.order, "return")),
        bens.post(url(payment.order, "cancel-payment")),
        bens.post(url(payment.order, "give-back")),
    ]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, url(payment.order))] * 6
    assert traces() == before


def test_free_order_skips_the_payment(token: str, ben: User, bens: Client, vip: Tier):
    Tier.objects.update(price=0)
    order = services.hold_tickets(user=ben, token=token, wanted={"vip": 2})

    answer = bens.post(url(order, "pay"), TYPED, follow=True)

    assert (answer.redirect_chain, answer.templates[0].name) == ([(url(order), 302)], "orders/confirmation.html")
    assert_counters_equal_rows(order.event)


def test_giving_back_leads_to_the_selection(order: Order, bens: Client, queue: Queue):
    answer = submit(bens, form_to(bens.get(url(order)), url(order, "give-back")))

    assert answer.redirect_chain == [(f"/queues/{queue.slug}/", 302)]
    assert answer.templates[0].name == "orders/selection.html"
    assert_counters_equal_rows(order.event)


def test_giving_back_while_paying_is_refused(payment: Payment, bens: Client):
    answer = bens.post(url(payment.order, "give-back"))

    assert (answer.status_code, answer["X-Refusal"]) == (409, "payment_in_progress")
    assert answer.templates[0].name == "orders/checkout.html"
    assert Order.objects.get().is_held


def test_paying_after_the_time_is_over_is_refused(order: Order, bens: Client):
    now = timezone.now()
    Order.objects.update(hold_ends_at=now)
    Admission.objects.update(window_ends_at=now)

    answer = bens.post(url(order, "pay"), TYPED)

    assert (answer.status_code, answer["X-Refusal"]) == (409, "hold_lapsed")
    assert not Payment.objects.exists()


def test_lapsed_order_says_so(order: Order, bens: Client):
    Order.objects.update(hold_ends_at=timezone.now() - timedelta(seconds=1))
    services.expire_order(order)

    assert bens.get(url(order)).templates[0].name == "orders/expired.html"
    answer = bens.post(url(order, "pay"), TYPED)
    assert (answer.status_code, answer["Location"]) == (302, url(order))


@pytest.mark.parametrize("status", ["cancelled", "replaced"])
def test_order_that_is_no_more_leads_to_the_line(order: Order, bens: Client, queue: Queue, status: str):
    Order.objects.update(status=status)

    assert bens.get(url(order))["Location"] == f"/queues/{queue.slug}/"


ADDRESSES = [("get", ""), ("post", "pay"), ("get", "payment"), ("post", "payment"), ("get", "return")]
ADDRESSES += [("post", "cancel-payment"), ("post", "give-back")]


@pytest.mark.parametrize(("method", "act"), ADDRESSES)
def test_order_of_another_fan_does_not_exist(payment: Payment, cleo: User, client: Client, method: str, act: str):
    client.force_login(cleo)
    before = traces()

    answer = getattr(client, method)(url(payment.order, act), TYPED)

    assert (answer.status_code, traces()) == (404, before)


@pytest.mark.parametrize(("method", "act"), ADDRESSES)
def test_stranger_signs_in_first(payment: Payment, client: Client, method: str, act: str):
    before = traces()

    answer = getattr(client, method)(url(payment.order, act))

    assert answer["Location"] == f"/account/login/?next={url(payment.order, act)}"
    assert traces() == before


@pytest.mark.parametrize("act", ["pay", "cancel-payment", "give-back"])
def test_acts_are_posts(order: Order, bens: Client, act: str):
    assert bens.get(url(order, act)).status_code == 405


def test_looking_at_an_order_changes_nothing(payment: Payment, bens: Client):
    services.submit_payment(payment)
    before = traces()

    for act in ("", "payment", "return"):
        bens.get(url(payment.order, act))

    assert traces() == before


def test_confirmation_mail_goes_to_the_address_of_the_order(order: Order, bens: Client):
    bens.post(url(order, "pay"), {**TYPED, "email": "office@example.org"})
    answer = bens.post(url(order, "payment"), {"outcome": "confirm"}, follow=True)

    assert "office@example.org" in answer.content.decode()
    assert Letter.objects.values_list("to", "kind").get() == ("office@example.org", "receipt")
    assert order.code in Letter.objects.get().text


@pytest.mark.parametrize("path", ["/orders/<code>/", "/orders/AAAAAAAA/", "/orders/%00/"])
def test_order_that_never_was_does_not_exist(bens: Client, path: str):
    assert bens.get(path).status_code == 404


def test_names_are_shown_as_they_are_and_not_as_markup(order: Order, bens: Client):
    bens.post(url(order, "pay"), {**TYPED, "holder-1": "<script>alert(1)</script>"})
    bens.post(url(order, "payment"), {"outcome": "confirm"})
    bens.get(url(order, "return"))

    pages = [bens.get(url(order)), bens.get("/tickets/"), bens.get(Ticket.objects.order_by("pk")[0].get_absolute_url())]

    assert [re.search("<script>alert", answer.content.decode()) for answer in pages] == [None] * 3
