"""The line, as programs go through it: joining, the journey, showing up, leaving."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event
from orders.models import Order, Payment
from queues import captcha, guesses
from queues import services as queue_services
from queues.conditions import AccessCode, Guest, SpentSolution
from queues.models import Admission, Queue
from tests.factories import AccessCodeFactory, AdmissionFactory, AllowanceFactory, QueueFactory
from tests.orders.programs import (
    ACTS,
    API,
    act,
    ask_for_card,
    ask_for_code,
    everything,
    journey,
    refusal,
    refused,
    told,
)
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

SOON = timedelta(minutes=5)


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A program that is signed in as Ben."""
    client.force_login(ben)
    return client


# Joining


def test_joining_answers_the_journey(queue: Queue, ben: User, bens: Client):
    AdmissionFactory(queue=queue)

    answer = act(bens, "join")

    own = Admission.objects.get(user=ben)
    wait = {"low": 0, "high": 3}
    stands = {"place": own.place, "position": 2, "people_ahead": 1, "estimated_wait_seconds": wait, "queue_size": 2}
    assert (answer.status_code, answer.json()) == (201, told(queue, stage="waiting", **stands))


def test_joining_in_two_tabs_is_one_place(queue: Queue, ben: User, bens: Client):
    first, second = act(bens, "join"), act(bens, "join")

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json() == journey(bens)
    assert Admission.objects.values_list("user", "status").get() == (ben.pk, "waiting")


def test_joining_of_an_admitted_fan_answers_the_turn(admission: Admission, token: str, bens: Client):
    answer = act(bens, "join")

    assert (answer.status_code, answer.json()["stage"], answer.json()["admittance_token"]) == (200, "admitted", token)


def test_joining_takes_what_the_queue_asks_for(queue: Queue, ben: User, bens: Client):
    Queue.objects.update(require_access_code=True, enable_captcha=True)
    AccessCodeFactory(queue=queue, code="GOOD")
    ask_for_card(queue)
    solution = captcha.solve(bens.get(f"{API}/captcha/").json())

    answer = act(bens, "join", {"access_code": " good ", "card_prefix": "378282", "captcha": solution, "more": [1]})

    assert (answer.status_code, Admission.objects.get().user) == (201, ben)
    assert (AccessCode.objects.get().use_count, SpentSolution.objects.count()) == (1, 1)


def guess_too_often(queue: Queue, ben: User) -> None:
    ask_for_code(queue)
    for _ in range(guesses.WRONG_AN_ACCOUNT):
        guesses.count_wrong(ben.pk, "")


def use_up_tickets(queue: Queue, ben: User) -> None:
    AllowanceFactory(user=ben, event=queue.event, ticket_count=queue.ticket_limit, ticket_limit=queue.ticket_limit)


def fill(queue: Queue, _: User) -> None:
    Queue.objects.update(max_waiting=1)
    AdmissionFactory(queue=queue)


Setup = Callable[[Queue, User], object]

AT_THE_DOOR: dict[str, tuple[int, Setup, dict[str, str]]] = {
    "queue_not_open": (423, lambda *_: Queue.objects.update(scheduled_start=timezone.now() + SOON), {}),
    "queue_closed": (409, lambda *_: Queue.objects.update(closed_at=timezone.now()), {}),
    "queue_sold_out": (409, lambda *_: Queue.objects.update(sold_out_at=timezone.now()), {}),
    "email_not_verified": (403, lambda *_: User.objects.update(email_verified_at=None), {}),
    "identity_not_verified": (403, lambda *_: Event.objects.update(require_identification=True), {}),
    "order_limit_reached": (
        409,
        lambda q, ben: AllowanceFactory(user=ben, event=q.event, order_count=1, order_limit=1),
        {},
    ),
    "ticket_limit_reached": (409, use_up_tickets, {}),
    "not_in_audience": (403, lambda q, _: Guest.objects.create(queue=q, address="club.example"), {}),
    "card_not_eligible": (403, lambda q, _: ask_for_card(q), {"card_prefix": "411111"}),
    "access_code_required": (403, lambda q, _: ask_for_code(q), {}),
    "access_code_invalid": (403, lambda q, _: ask_for_code(q), {"access_code": "BAD"}),
    "throttled": (429, guess_too_often, {"access_code": "GOOD"}),
    "captcha_required": (403, lambda *_: Queue.objects.update(enable_captcha=True), {}),
    "captcha_failed": (403, lambda *_: Queue.objects.update(enable_captcha=True), {"captcha": "bm8="}),
    "queue_full": (429, fill, {}),
}


@pytest.mark.parametrize("code", AT_THE_DOOR)
def test_joining_is_refused_with_its_code_and_leaves_no_trace(queue: Queue, ben: User, bens: Client, code: str):
    status, happens, body = AT_THE_DOOR[code]
    happens(queue, ben)
    before = everything()

    answer = act(bens, "join", body)

    assert (refusal(answer), everything()) == (refused(status, code), before)


def test_refusal_says_all_that_it_knows(queue: Queue, bens: Client):
    opens_at = timezone.now() + SOON
    Queue.objects.update(scheduled_start=opens_at)

    answer = act(bens, "join")

    assert answer.json() == {
        "type": "http://127.0.0.1:8000/api/refusals/#queue_not_open",
        "title": "Queue not open",
        "status": 423,
        "detail": "The sale has not opened yet.",
        "code": "queue_not_open",
        "opens_at": opens_at.isoformat().replace("+00:00", "Z"),
    }


def test_joining_by_a_program_takes_no_more_statements_than_by_the_page(queue: Queue, bens: Client, cleo: User):
    queue_services.publish_board(queue.pk)
    with counted_statements() as by_program:
        act(bens, "join")
    bens.force_login(cleo)
    with counted_statements() as by_page:
        bens.post(f"/queues/{queue.slug}/join/")

    assert Admission.objects.count() == 2
    # The account, the queue; and the three of joining.
    assert (len(by_program), len(by_page)) == (5, 5)


# Who asks


def test_stranger_signs_in_first(queue: Queue, client: Client):
    AdmissionFactory(queue=queue)
    before = everything()

    answers = [*(act(client, name) for name in ACTS), client.get(f"{API}/journey/")]

    assert [refusal(answer) for answer in answers] == [refused(401, "sign_in_required")] * 5
    assert (everything(), dict(client.cookies)) == (before, {})


def test_session_without_the_token_against_forgery_does_nothing(queue: Queue, ben: User, admission: Admission):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ben)
    before = everything()

    answers = [act(browser, name) for name in ACTS]

    assert [refusal(answer) for answer in answers] == [refused(403, "csrf_failed")] * 4
    assert everything() == before


def test_queue_that_nobody_may_know_does_not_exist(queue: Queue, bens: Client):
    draft = QueueFactory(published_at=None)

    for slug in (draft.slug, "no-such-queue"):
        answers = [bens.post(f"/api/v1/queues/{slug}/{name}/", content_type="application/json") for name in ACTS]
        answers.append(bens.get(f"/api/v1/queues/{slug}/journey/"))
        assert [refusal(answer) for answer in answers] == [refused(404, "not_found")] * 5


def test_acts_are_posts_and_the_journey_is_none(queue: Queue, bens: Client):
    answers = [*(bens.get(f"{API}/{name}/") for name in ACTS), act(bens, "journey")]

    assert [refusal(answer) for answer in answers] == [refused(405, "method_not_allowed")] * 5


@pytest.mark.parametrize("stands", ["admission", "order"])
def test_standing_of_another_fan_is_nobodys_business(
    request: pytest.FixtureRequest, queue: Queue, cleo: User, client: Client, stands: str
):
    request.getfixturevalue(stands)
    client.force_login(cleo)
    before = everything()

    answers = [act(client, "claim"), act(client, "leave")]

    assert journey(client) == told(queue)
    codes = [refused(403, "admittance_invalid"), refused(409, "not_in_line")]
    assert ([refusal(answer) for answer in answers], everything()) == (codes, before)


# Showing up


def test_claim_in_two_tabs_is_noted_once(queue: Queue, admission: Admission, token: str, bens: Client):
    Admission.objects.update(claim_ends_at=timezone.now() + SOON)
    first = act(bens, "claim")
    noted = Admission.objects.values().get()
    second = act(bens, "claim")

    assert (first.status_code, second.status_code, noted["claimed_at"] is None) == (200, 200, False)
    assert first.json() == second.json() == journey(bens)
    assert (first.json()["admittance_token"], Admission.objects.values().get()) == (token, noted)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"status": "waiting"}, 403, "admittance_invalid"),
        ({"status": "denied"}, 403, "admittance_invalid"),
        ({"status": "left"}, 409, "admittance_expired"),
        ({"status": "completed"}, 409, "admittance_expired"),
        ({"status": "expired"}, 409, "admittance_expired"),
        ({"window_ends_at": timezone.now()}, 409, "admittance_expired"),
        ({"claim_ends_at": timezone.now()}, 409, "admittance_expired"),
    ],
)
def test_claim_of_no_turn_is_refused(admission: Admission, bens: Client, fields: dict, status: int, code: str):
    Admission.objects.update(**fields)
    before = everything()

    answer = act(bens, "claim")

    assert (refusal(answer), everything()) == (refused(status, code), before)


@pytest.mark.parametrize(
    ("name", "status", "code"), [("claim", 403, "admittance_invalid"), ("leave", 409, "not_in_line")]
)
def test_fan_who_has_not_joined_has_nothing_to_claim_or_leave(
    queue: Queue, bens: Client, name: str, status: int, code: str
):
    assert (refusal(act(bens, name)), Admission.objects.count()) == (refused(status, code), 0)


# Leaving


@pytest.mark.parametrize("admitted", [False, True])
def test_leaving_in_two_tabs_leaves_once(queue: Queue, ben: User, bens: Client, admitted: bool):
    AdmissionFactory(queue=queue, user=ben, admitted=admitted)

    first = act(bens, "leave")
    left = everything()
    second = act(bens, "leave")

    assert (first.status_code, first.content, refusal(second)) == (204, b"", refused(409, "not_in_line"))
    assert (Admission.objects.get().status, everything()) == ("left", left)
    assert journey(bens) == told(queue)


def test_leaving_gives_back_what_is_held(order: Order, queue: Queue, bens: Client):
    answer = act(bens, "leave")

    order.refresh_from_db()
    assert (answer.status_code, order.status, Admission.objects.get().status) == (204, "cancelled", "left")


@pytest.mark.parametrize("status", ["completed", "expired", "denied"])
def test_what_has_ended_is_not_left(queue: Queue, ben: User, bens: Client, status: str):
    AdmissionFactory(queue=queue, user=ben, status=status)
    before = everything()

    assert (refusal(act(bens, "leave")), everything()) == (refused(409, "not_in_line"), before)


def test_leaving_is_refused_while_a_payment_is_open(payment: Payment, bens: Client):
    before = everything()

    assert (refusal(act(bens, "leave")), everything()) == (refused(409, "payment_in_progress"), before)
