"""Getting ready by program: what is remembered, what is missing, and what makes no sense at the door."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event
from queues import captcha, guesses, services
from queues.conditions import AccessCode, Guest, Readiness, SpentSolution
from queues.models import Admission, Queue
from queues.services import Entry
from tests.factories import AccessCodeFactory, AdmissionFactory, AllowanceFactory
from tests.orders.programs import API, act, ask_for_card, ask_for_code, everything, refusal, refused
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

LACKS_NOTHING = {"ready": True, "missing": []}


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A program that is signed in as Ben."""
    client.force_login(ben)
    return client


@pytest.fixture
def upcoming(queue: Queue) -> Queue:
    """The queue before its opening; it asks for a code, a card and a sum."""
    Queue.objects.update(scheduled_start=timezone.now() + timedelta(minutes=5), enable_captcha=True)
    ask_for_code(queue)
    ask_for_card(queue)
    queue.refresh_from_db()
    return queue


def show(client: Client, **body: Any) -> tuple[bool, list[str]]:
    answer = act(client, "ready", body)
    assert answer.status_code == 200
    told = answer.json()
    assert set(told) == {"ready", "missing"}
    return told["ready"], told["missing"]


def lacks(*codes: str) -> tuple[bool, list[str]]:
    return not codes, list(codes)


def solved(queue: Queue, user: User) -> str:
    return captcha.solve(services.new_challenge(queue, user))


def remembered() -> list[tuple]:
    return list(Readiness.objects.values_list("user", "code__code", "has_card", "has_solved_captcha"))


def test_queue_that_asks_for_nothing_finds_everyone_ready_and_keeps_nothing(queue: Queue, bens: Client):
    before = everything()

    answer = act(bens, "ready")

    assert (answer.status_code, answer.json(), everything()) == (200, LACKS_NOTHING, before)


def test_what_is_left_empty_is_as_what_is_left_out(upcoming: Queue, bens: Client):
    told = show(bens, access_code="", card_prefix="", captcha="")

    assert (told, remembered()) == (show(bens), [])


def test_what_is_good_is_remembered_piece_by_piece(upcoming: Queue, ben: User, bens: Client):
    solution = solved(upcoming, ben)

    assert show(bens) == lacks("card_not_eligible", "access_code_required", "captcha_required")
    assert remembered() == []
    code = {"access_code": "good", "card_prefix": "411111", "captcha": "bm8="}
    assert show(bens, **code) == lacks("card_not_eligible", "captcha_failed")
    assert remembered() == [(ben.pk, "GOOD", False, False)]
    assert show(bens, card_prefix="378282", access_code="BAD") == lacks("access_code_invalid", "captcha_required")
    assert remembered() == [(ben.pk, "GOOD", True, False)]
    assert show(bens, captcha=solution) == lacks()
    assert remembered() == [(ben.pk, "GOOD", True, True)]
    assert show(bens, captcha=solution, card_prefix="411111") == lacks()
    assert (AccessCode.objects.get().use_count, SpentSolution.objects.count()) == (0, 1)


def test_whoever_is_ready_joins_with_empty_hands(upcoming: Queue, ben: User, bens: Client):
    shown = {"access_code": "GOOD", "card_prefix": "378282", "captcha": solved(upcoming, ben)}
    assert show(bens, **shown) == lacks()
    Queue.objects.update(scheduled_start=timezone.now())

    assert act(bens, "join").status_code == 201
    # And is ready still: the code that has been used is asked for no more.
    AccessCode.objects.update(is_active=False)
    assert show(bens) == lacks()


MISSING: dict[str, Callable[[Queue, User], object]] = {
    "email_not_verified": lambda *_: User.objects.update(email_verified_at=None),
    "identity_not_verified": lambda *_: Event.objects.update(require_identification=True),
    "order_limit_reached": lambda q, ben: AllowanceFactory(user=ben, event=q.event, order_count=1, order_limit=1),
    "ticket_limit_reached": lambda q, ben: AllowanceFactory(user=ben, event=q.event, ticket_count=99, ticket_limit=99),
    "not_in_audience": lambda q, _: Guest.objects.create(queue=q, address="club.example"),
    "card_not_eligible": lambda q, _: ask_for_card(q),
    "access_code_required": lambda q, _: ask_for_code(q),
    "captcha_required": lambda *_: Queue.objects.update(enable_captcha=True),
}


@pytest.mark.parametrize("code", MISSING)
def test_what_joining_would_be_refused_for_is_missing(queue: Queue, ben: User, bens: Client, code: str):
    MISSING[code](queue, ben)
    before = everything()

    assert (show(bens), everything()) == (lacks(code), before)
    assert act(bens, "join").json()["code"] == code
    ben.refresh_from_db()
    queue.refresh_from_db()
    assert services.find_needs(queue, ben).is_ready is False


def test_all_that_is_missing_is_told_in_the_order_of_joining(queue: Queue, ben: User, bens: Client):
    alone = {"email_not_verified", "ticket_limit_reached"}
    together = [code for code in MISSING if code not in alone]
    for code in together:
        MISSING[code](queue, ben)

    assert show(bens) == lacks(*together)


@pytest.mark.parametrize("end", ["scheduled_start", "sold_out_at", "closed_at"])
def test_neither_phase_nor_room_is_asked(queue: Queue, bens: Client, end: str):
    Queue.objects.update(**{end: timezone.now() + timedelta(minutes=5)}, max_waiting=1)
    AdmissionFactory(queue=queue)

    assert show(bens) == lacks()


def test_whoever_has_not_proved_an_address_is_taken_as_empty_handed(upcoming: Queue, ben: User, bens: Client):
    Guest.objects.create(queue=upcoming, address="club.example")
    User.objects.update(email_verified_at=None)
    good = {"access_code": "GOOD", "card_prefix": "378282", "captcha": solved(upcoming, ben)}
    before = everything()
    nothing = lacks("email_not_verified", "card_not_eligible", "access_code_required", "captcha_required")

    shown = [show(bens, **good), show(bens, access_code="BAD", captcha="bm8=")]

    # Neither whether a code is right nor who is invited can be learned so, nor is it a guess.
    assert (shown, everything()) == ([nothing] * 2, before)
    User.objects.update(email_verified_at=timezone.now())
    guesses.check(ben.pk, "")
    assert show(bens, **good) == lacks("not_in_audience")


def test_address_need_not_be_proved_where_no_account_is_asked_for(queue: Queue, bens: Client):
    Queue.objects.update(require_authentication=False)
    User.objects.update(email_verified_at=None)
    assert show(bens) == lacks()


@pytest.mark.parametrize("invited", ["ben@example.org", "club.example"])
def test_list_of_guests_is_told_to_nobody_who_has_only_typed_an_address(queue: Queue, bens: Client, invited: str):
    Queue.objects.update(require_authentication=False)
    User.objects.update(email_verified_at=None)
    Guest.objects.create(queue=queue, address=invited)
    ask_for_card(queue)
    before = everything()

    told = show(bens, card_prefix="378282")

    assert (told, everything()) == (lacks("email_not_verified", "card_not_eligible"), before)
    assert act(bens, "join", {"card_prefix": "378282"}).json()["code"] == "email_not_verified"


def test_remembered_code_that_has_stopped_working_is_missing(upcoming: Queue, bens: Client):
    show(bens, access_code="GOOD", card_prefix="378282")
    AccessCode.objects.update(is_active=False)

    assert show(bens) == lacks("access_code_invalid", "captcha_required")


def test_code_that_will_work_at_the_opening_is_good_now(upcoming: Queue, bens: Client):
    AccessCodeFactory(queue=upcoming, code="AT-TEN", valid_from=upcoming.scheduled_start)

    assert show(bens, access_code="AT-TEN", card_prefix="378282") == lacks("captcha_required")


def test_too_many_wrong_codes_are_refused_whatever_comes_then(upcoming: Queue, ben: User, bens: Client):
    for _ in range(guesses.WRONG_AN_ACCOUNT):
        show(bens, access_code="BAD")
    before = everything()

    answer = act(bens, "ready", {"access_code": "GOOD", "card_prefix": "378282"})

    assert (refusal(answer), answer.headers["Retry-After"], everything()) == (refused(429, "throttled"), "600", before)
    assert show(bens, card_prefix="378282") == lacks("access_code_required", "captcha_required")


def test_right_codes_are_no_guesses(upcoming: Queue, ben: User, bens: Client):
    for _ in range(guesses.WRONG_AN_ACCOUNT + 1):
        assert show(bens, access_code="GOOD") == lacks("card_not_eligible", "captcha_required")


def test_solution_that_has_served_elsewhere_is_not_remembered(upcoming: Queue, ben: User, bens: Client):
    solution = solved(upcoming, ben)
    services.get_ready_in_part(upcoming, ben, Entry(captcha=solution))
    Readiness.objects.all().delete()
    before = everything()

    shown = show(bens, captcha=solution)

    assert (shown[1][-1], everything()) == ("captcha_failed", before)


def test_getting_ready_takes_six_statements_at_most(upcoming: Queue, ben: User, bens: Client):
    body = {"access_code": "GOOD", "card_prefix": "378282", "captcha": solved(upcoming, ben)}
    with counted_statements() as nothing:
        show(bens)
    with counted_statements() as all_at_once:
        show(bens, **body)

    # The account, the queue, the door; and the code, the solution, what is remembered.
    assert (len(nothing), len(all_at_once)) == (3, 6)


# What makes no sense


NONSENSE: list[Any] = [
    [],
    [{}],
    None,
    7,
    "text",
    True,
    {"access_code": 7},
    {"access_code": None},
    {"access_code": ["GOOD"]},
    {"access_code": True},
    {"access_code": "x" * 21},
    {"access_code": "\x00"},
    {"access_code": "\ud800"},
    {"card_prefix": 378282},
    {"card_prefix": "37828"},
    {"card_prefix": "378282246"},
    {"card_prefix": "378282\n"},
    {"card_prefix": "\u0663\u0667\u0668\u0662\u0668\u0662"},
    {"card_prefix": "378\x00282"},
    {"captcha": {}},
    {"captcha": 1.5},
    {"captcha": "x" * 1001},
    {"captcha": "\x00"},
]


@pytest.mark.parametrize("name", ["ready", "join"])
@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: json.dumps(body)[:40])
def test_nonsense_is_refused_by_field(queue: Queue, bens: Client, body: Any, name: str):
    before = everything()

    answer = bens.post(f"{API}/{name}/", json.dumps(body), content_type="application/json")

    fields = list(body) if isinstance(body, dict) else ["non_field_errors"]
    assert (refusal(answer), everything()) == (refused(400, "invalid"), before)
    assert list(answer.json()["errors"]) == fields


@pytest.mark.parametrize("name", ["ready", "join"])
@pytest.mark.parametrize(
    "sent", [b"{", b"\xff", b'{"captcha": NaN}', b"[" * 100_000], ids=["open", "no UTF-8", "no number", "deep"]
)
def test_what_cannot_be_read_is_refused(bens: Client, queue: Queue, name: str, sent: bytes):
    answer = bens.post(f"{API}/{name}/", sent, content_type="application/json")

    assert (refusal(answer), Admission.objects.count()) == (refused(400, "malformed"), 0)


@pytest.mark.parametrize("name", ["ready", "join"])
def test_form_is_no_body_for_a_program(bens: Client, queue: Queue, name: str):
    answer = bens.post(f"{API}/{name}/", {"access_code": "GOOD"})

    assert (refusal(answer), Admission.objects.count()) == (refused(415, "unsupported_media_type"), 0)


def test_nothing_sent_is_nothing_shown(queue: Queue, bens: Client):
    answers = [bens.generic("POST", f"{API}/{name}/") for name in ("ready", "join")]

    assert [answer.status_code for answer in answers] == [200, 201]
