"""The pages of a queue that asks for no account, as a browser without one sees them."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event
from orders.models import Order
from queues import cookies
from queues.models import Admission, Queue
from tests.factories import UserFactory
from tests.orders.conftest import traces
from tests.pages import form_to, forms, submit

pytestmark = pytest.mark.django_db

WITHOUT_ACCOUNT = "You need no account to stand in line, only to buy."
TAKES_ACCOUNT = "Buying takes an account."


@pytest.fixture
def page(queue: Queue) -> str:
    """The page of a queue that asks for no account."""
    Queue.objects.update(require_authentication=False)
    return f"/queues/{queue.slug}/"


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def join(client: Client, page: str) -> Admission:
    submit(client, form_to(client.get(page), f"{page}join/"))
    return Admission.objects.latest("pk")


def let_in() -> None:
    now = timezone.now()
    Admission.objects.waiting().update(status="admitted", admitted_at=now, window_ends_at=now + timedelta(minutes=5))


def test_queue_that_asks_for_an_account_sends_a_stranger_to_sign_in(queue: Queue, client: Client):
    answer = client.post(f"/queues/{queue.slug}/join/")

    assert (answer.status_code, answer["Location"]) == (302, f"/account/login/?next=/queues/{queue.slug}/")
    assert (Admission.objects.count(), cookies.NAME in client.cookies) == (0, False)


def test_looking_gives_no_cookie_where_an_account_is_asked_for_or_signed_in(page: str, client: Client, ben: User):
    assert client.get(page[: page.index("queues")]).status_code == 200
    Queue.objects.update(require_authentication=True)
    client.get(page)
    Queue.objects.update(require_authentication=False)
    client.force_login(ben)
    client.get(page)

    assert cookies.NAME not in client.cookies


def test_form_that_is_sent_twice_at_once_joins_once(page: str, client: Client):
    """The second is on its way before the first is answered, or the first answer is lost."""
    shown = client.get(page)
    second = Client()
    second.cookies.load({name: cookie.value for name, cookie in client.cookies.items()})
    for browser in (client, second):
        browser.post(f"{page}join/")

    assert (WITHOUT_ACCOUNT in text(shown), Admission.objects.count()) == (True, 1)


def test_page_of_the_event_leads_a_stranger_to_the_page_that_joins(page: str, client: Client, ben: User, queue: Queue):
    address = f"/events/{queue.event.slug}/"
    stranger = client.get(address)
    client.force_login(ben)

    assert ([form.action for form in forms(stranger)], f'href="{page}"' in text(stranger)) == ([], True)
    assert f"{page}join/" in [form.action for form in forms(client.get(address))]


def test_visitor_joins_waits_and_finds_the_place_again(page: str, client: Client, queue: Queue):
    own = join(client, page)
    waiting = client.get(page)
    again = client.post(f"{page}join/")

    assert (own.user, waiting.templates[0].name, TAKES_ACCOUNT in text(waiting)) == (None, "orders/line.html", True)
    assert (again.status_code, list(Admission.objects.all())) == (302, [own])
    assert "You are in this line." in text(client.get(f"/events/{queue.event.slug}/"))
    assert Client().get(page).templates[0].name == "orders/join.html"


def test_before_the_opening_a_visitor_is_told_and_joins_then_by_itself(page: str, client: Client):
    Queue.objects.update(scheduled_start=timezone.now() + timedelta(minutes=5))
    ready = client.get(page)
    Queue.objects.update(enable_captcha=True)
    asked = client.get(page)

    assert [form.action for form in forms(ready)] == [f"{page}join/"]
    assert ([form.action for form in forms(asked)], WITHOUT_ACCOUNT in text(asked)) == ([], True)
    refused = client.post(f"{page}join/")
    assert (refused.status_code, Admission.objects.count()) == (423, 0)


def test_visitor_leaves(page: str, client: Client):
    own = join(client, page)

    client.post(f"{page}leave/")

    assert Admission.objects.values_list("pk", "status").get() == (own.pk, "left")


def test_turn_of_a_visitor_shows_tickets_and_holding_asks_to_sign_in(page: str, client: Client):
    join(client, page)
    let_in()
    claimed = client.post(f"{page}claim/", headers={"accept": "application/json"})
    shown = client.get(page)
    before = traces()
    form = form_to(shown, f"{page}hold/")

    answer = client.post(form.action, {**form.fields, "tier-floor": "2"})

    assert (claimed.status_code, shown.templates[0].name, TAKES_ACCOUNT in text(shown)) == (
        204,
        "orders/selection.html",
        True,
    )
    assert (answer.status_code, answer["Location"]) == (302, f"/account/login/?next={page}")
    assert traces() == before


@pytest.mark.parametrize("looks_first", [False, True])
def test_page_from_before_the_signing_in_still_holds_tickets(page: str, client: Client, ben: User, looks_first: bool):
    own = join(client, page)
    let_in()
    form = form_to(client.get(page), f"{page}hold/")
    client.force_login(ben)
    if looks_first:
        client.get(page)

    client.post(form.action, {**form.fields, "tier-floor": "2"})

    order = Order.objects.get()
    assert (order.buyer, order.admission, order.admission.user) == (ben, own, ben)


def test_form_of_another_visitor_holds_nothing(page: str, client: Client, ben: User):
    thief = Client()
    join(client, page)
    join(thief, page)
    let_in()
    form = form_to(client.get(page), f"{page}hold/")
    thief.force_login(ben)
    thief.get(page)
    before = traces()

    answer = thief.post(form.action, {**form.fields, "tier-floor": "2"})

    assert (answer.status_code, answer["X-Refusal"], traces()) == (403, "admittance_invalid", before)


def test_account_that_joins_with_a_visitors_browser_keeps_the_earlier_place(page: str, client: Client, ben: User):
    own = join(client, page)
    client.force_login(ben)

    client.post(f"{page}join/")

    assert Admission.objects.values_list("pk", "user", "visitor").get() == (own.pk, ben.pk, None)


def test_unconfirmed_account_takes_the_place_along_and_is_told_to_confirm(page: str, client: Client):
    own = join(client, page)
    let_in()
    client.force_login(UserFactory(email="new@example.org"))

    shown = client.get(page)
    form = form_to(shown, f"{page}hold/")
    refused = client.post(form.action, {**form.fields, "tier-floor": "2"})

    assert "Please confirm new@example.org" in text(shown)
    assert (refused.status_code, refused["X-Refusal"], Order.objects.count()) == (403, "email_not_verified", 0)
    assert Admission.objects.values_list("pk", "user__email").get() == (own.pk, "new@example.org")


def test_cookie_in_a_queue_for_accounts_takes_no_part(page: str, client: Client, ben: User, queue: Queue):
    join(client, page)
    Admission.objects.all().delete()
    Queue.objects.update(require_authentication=True)

    shown = client.get(page)
    client.force_login(ben)
    own = join(client, page)

    assert ("You need an account to stand in line" in text(shown), own.user) == (True, ben)


def test_identity_asked_for_later_sends_a_new_visitor_to_an_account(page: str, client: Client):
    Event.objects.update(require_identification=True)

    answer = client.post(f"{page}join/")

    assert (answer.status_code, answer["X-Refusal"], Admission.objects.count()) == (401, "sign_in_required", 0)


def test_expired_visitor_can_join_again(page: str, client: Client):
    join(client, page)
    Admission.objects.update(status="expired")

    again = join(client, page)

    assert (again.status, Admission.objects.count()) == ("waiting", 2)


def test_place_of_a_visitor_is_no_business_of_another_account(page: str, client: Client, ben: User):
    join(client, page)
    browser = Client()
    browser.force_login(ben)

    assert browser.get(page).templates[0].name == "orders/join.html"
    assert Admission.objects.get().user is None
