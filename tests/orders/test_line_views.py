"""The page of a queue, and what can be done there."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event, Tier
from orders import services
from orders.models import Order, Payment
from queues.models import Admission, Allowance, Queue
from tests.factories import AdmissionFactory, QueueFactory, UserFactory
from tests.orders.conftest import traces
from tests.pages import form_to, submit

pytestmark = pytest.mark.django_db


def page(queue: Queue) -> str:
    return f"/queues/{queue.slug}/"


def shown(client: Client, queue: Queue) -> tuple[int, str]:
    answer = client.get(page(queue))
    return answer.status_code, answer.templates[0].name or ""


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A browser in which Ben is signed in."""
    client.force_login(ben)
    return client


@pytest.mark.parametrize(
    ("fields", "template"),
    [
        (lambda now: {"scheduled_start": now + timedelta(minutes=5)}, "orders/countdown.html"),
        (
            lambda now: {"scheduled_start": now + timedelta(minutes=5), "lobby_opens_at": now},
            "orders/countdown.html",
        ),
        (lambda now: {}, "orders/join.html"),
        (lambda now: {"paused_at": now}, "orders/join.html"),
        (lambda now: {"sold_out_at": now}, "orders/sold_out.html"),
        (lambda now: {"closed_at": now}, "orders/closed.html"),
    ],
)
@pytest.mark.parametrize("signed_in", [False, True])
def test_page_before_joining_is_that_of_the_phase(
    queue: Queue, bens: Client, fields: Callable, template: str, signed_in: bool
):
    Queue.objects.update(**fields(timezone.now()))

    assert shown(bens if signed_in else Client(), queue) == (200, template)


@pytest.mark.parametrize(
    ("status", "template"),
    [
        ("waiting", "orders/line.html"),
        ("admitted", "orders/selection.html"),
        ("expired", "orders/expired.html"),
        ("left", "orders/join.html"),
        ("denied", "orders/join.html"),
    ],
)
def test_page_is_that_of_the_fans_stage(queue: Queue, ben: User, bens: Client, status: str, template: str):
    now = timezone.now()
    AdmissionFactory(queue=queue, user=ben, status=status, admitted_at=now, window_ends_at=now + timedelta(minutes=5))

    assert shown(bens, queue) == (200, template)


def test_page_of_a_completed_turn_leads_to_the_order(order: Order, bens: Client, queue: Queue):
    services.settle_payment(paid(services.start_payment(order, holders=["Ben", "Bea"], email="ben@example.org")))

    answer = bens.get(page(queue))

    assert (answer.status_code, answer["Location"]) == (302, order.get_absolute_url())


def test_whoever_may_buy_more_is_let_into_the_line_again(order: Order, bens: Client, queue: Queue):
    Event.objects.update(max_orders_per_customer=2)
    services.settle_payment(paid(services.start_payment(order, holders=["Ben", "Bea"], email="ben@example.org")))

    assert shown(bens, queue) == (200, "orders/join.html")

    Queue.objects.update(max_purchases_per_customer=1)
    answer = bens.get(page(queue))

    assert (answer.status_code, answer["Location"]) == (302, order.get_absolute_url())


def paid(payment: Payment) -> Payment:
    Payment.objects.filter(pk=payment.pk).update(status="confirmed", captured_amount=payment.total)
    payment.refresh_from_db()
    return payment


def test_page_of_a_draft_does_not_exist(bens: Client):
    draft = QueueFactory(published_at=None)

    answers = [
        bens.get(page(draft)),
        *(bens.post(f"{page(draft)}{act}/") for act in ("join", "claim", "leave", "hold")),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5


def test_page_is_never_kept(queue: Queue, bens: Client):
    assert "no-store" in bens.get(page(queue))["Cache-Control"]


def test_looking_changes_nothing(queue: Queue, admission: Admission, bens: Client, order: Order):
    before = traces()

    for path in ("", "join/", "claim/", "leave/", "hold/"):
        bens.get(f"{page(queue)}{path}")

    assert traces() == before


@pytest.mark.parametrize("act", ["join", "claim", "leave", "hold"])
def test_acts_are_posts(queue: Queue, bens: Client, act: str):
    assert bens.get(f"{page(queue)}{act}/").status_code == 405


def test_joining_leads_to_the_line(queue: Queue, ben: User, bens: Client):
    answer = submit(bens, form_to(bens.get(page(queue)), f"{page(queue)}join/"))

    assert answer.redirect_chain == [(page(queue), 302)]
    assert answer.templates[0].name == "orders/line.html"
    assert Admission.objects.values_list("user", "status").get() == (ben.pk, "waiting")


def test_stranger_signs_in_first_and_comes_back(queue: Queue, client: Client):
    answer = client.post(f"{page(queue)}join/")

    assert answer["Location"] == f"/account/login/?next=/queues/{queue.slug}/"
    assert client.post(f"{page(queue)}hold/")["Location"] == answer["Location"]
    assert not Admission.objects.exists()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"scheduled_start": timezone.now() + timedelta(days=1)},
            (423, "queue_not_open", "orders/countdown.html"),
        ),
        ({"closed_at": timezone.now()}, (409, "queue_closed", "orders/closed.html")),
        ({"sold_out_at": timezone.now()}, (409, "queue_sold_out", "orders/sold_out.html")),
    ],
)
def test_refused_join_shows_the_page_with_the_reason(
    queue: Queue, bens: Client, fields: dict, expected: tuple[int, str, str]
):
    Queue.objects.update(**fields)

    answer = bens.post(f"{page(queue)}join/")

    assert (answer.status_code, answer["X-Refusal"], answer.templates[0].name) == expected
    assert not Admission.objects.exists()


def test_unverified_fan_is_told_what_to_do(queue: Queue, client: Client):
    client.force_login(UserFactory())

    answer = client.post(f"{page(queue)}join/")

    assert (answer.status_code, answer["X-Refusal"]) == (403, "email_not_verified")
    assert "Email verification required" in answer.content.decode()


def test_fan_without_a_verified_identity_is_told_what_to_do_and_where(queue: Queue, bens: Client):
    Event.objects.update(require_identification=True)

    answer = bens.post(f"{page(queue)}join/")

    text = answer.content.decode()
    assert (answer.status_code, answer["X-Refusal"]) == (403, "identity_not_verified")
    assert "Identity verification required" in text
    assert f'href="/account/identity/?next={page(queue)}"' in text
    assert f'action="{page(queue)}join/"' not in text


@pytest.mark.parametrize("opens_in", [timedelta(hours=1), timedelta(hours=-1)])
def test_queue_s_page_asks_for_the_identity_only_while_it_is_missing(
    queue: Queue, bens: Client, ben: User, opens_in: timedelta
):
    Queue.objects.update(scheduled_start=timezone.now() + opens_in)
    link = f'href="/account/identity/?next={page(queue)}"'

    def is_asked() -> bool:
        return link in bens.get(page(queue)).content.decode()

    found = [is_asked()]
    Event.objects.update(require_identification=True)
    found.append(is_asked())
    User.objects.filter(pk=ben.pk).update(identity_verified_at=timezone.now())
    found.append(is_asked())

    assert found == [False, True, False]


def test_claiming_notes_that_the_fan_is_there(queue: Queue, admission: Admission, bens: Client):
    submit(bens, form_to(bens.get(page(queue)), f"{page(queue)}claim/"))

    assert Admission.objects.get().claimed_at is not None


@pytest.mark.parametrize("status", ["waiting", "expired"])
def test_claiming_without_a_turn_leads_back(queue: Queue, ben: User, bens: Client, status: str):
    AdmissionFactory(queue=queue, user=ben, status=status)

    answer = bens.post(f"{page(queue)}claim/")

    assert (answer.status_code, answer["Location"]) == (302, page(queue))
    assert Admission.objects.get().claimed_at is None


def test_leaving_leads_to_the_event(queue: Queue, ben: User, bens: Client):
    AdmissionFactory(queue=queue, user=ben)

    answer = submit(bens, form_to(bens.get(page(queue)), f"{page(queue)}leave/"))

    assert answer.redirect_chain == [(f"/events/{queue.event.slug}/", 302)]
    assert Admission.objects.get().status == "left"


def test_leaving_while_paying_is_refused(queue: Queue, payment: Payment, bens: Client):
    answer = bens.post(f"{page(queue)}leave/")

    assert (answer.status_code, answer["X-Refusal"]) == (409, "payment_in_progress")
    assert Admission.objects.get().status == "admitted"


def test_holding_leads_to_the_order(queue: Queue, admission: Admission, bens: Client):
    form = form_to(bens.get(page(queue)), f"{page(queue)}hold/")

    answer = bens.post(form.action, {**form.fields, "tier-floor": "2"})

    order = Order.objects.get()
    assert (answer.status_code, answer["Location"], order.ticket_count()) == (302, f"/orders/{order.code}/", 2)


@pytest.mark.parametrize("typed", [{"tier-floor": "5"}, {"tier-floor": "-1"}, {"tier-floor": "two"}])
def test_choice_that_makes_no_sense_is_shown_again(queue: Queue, admission: Admission, bens: Client, typed: dict):
    form = form_to(bens.get(page(queue)), f"{page(queue)}hold/")
    before = traces()

    answer = bens.post(form.action, {**form.fields, "tier-vip": "1", **typed})

    kept = form_to(answer, f"{page(queue)}hold/").fields
    assert (answer.status_code, answer.templates[0].name) == (400, "orders/selection.html")
    assert (kept["tier-vip"], kept["tier-floor"]) == ("1", typed["tier-floor"])
    assert traces() == before


def test_refused_choice_is_kept_and_the_reason_told(queue: Queue, admission: Admission, bens: Client, vip: Tier):
    form = form_to(bens.get(page(queue)), f"{page(queue)}hold/")
    Tier.objects.filter(pk=vip.pk).update(sold_count=4)

    answer = bens.post(form.action, {**form.fields, "tier-vip": "2", "tier-floor": "1"})

    kept = form_to(answer, f"{page(queue)}hold/").fields
    assert (answer.status_code, answer["X-Refusal"]) == (409, "sold_out")
    assert "Not enough tickets available: 1 ticket is left of VIP." in answer.content.decode()
    assert (kept["tier-vip"], kept["tier-floor"]) == ("2", "1")
    assert not Order.objects.exists()


def test_choosing_nothing_is_told(queue: Queue, admission: Admission, bens: Client):
    form = form_to(bens.get(page(queue)), f"{page(queue)}hold/")

    answer = bens.post(form.action, form.fields)

    assert (answer.status_code, answer["X-Refusal"]) == (400, "nothing_chosen")
    assert "Please choose at least one ticket." in answer.content.decode()


def test_hold_after_the_turn_shows_that_it_is_over(queue: Queue, admission: Admission, bens: Client):
    form = form_to(bens.get(page(queue)), f"{page(queue)}hold/")
    Admission.objects.update(status="expired")

    answer = bens.post(form.action, {**form.fields, "tier-floor": "1"})

    assert (answer.status_code, answer["X-Refusal"], answer.templates[0].name) == (
        409,
        "admittance_expired",
        "orders/expired.html",
    )


def test_another_fans_token_opens_nothing(queue: Queue, token: str, cleo: User, client: Client):
    client.force_login(cleo)

    answer = client.post(f"{page(queue)}hold/", {"token": token, "tier-floor": "1"})

    assert (answer.status_code, answer["X-Refusal"]) == (403, "admittance_invalid")
    assert (Order.objects.count(), Allowance.objects.count()) == (0, 0)


def test_selection_shows_what_is_held(queue: Queue, order: Order, bens: Client):
    fields = form_to(bens.get(page(queue)), f"{page(queue)}hold/").fields

    assert (fields["tier-floor"], fields["tier-vip"] in {"", "0"}) == ("2", True)
