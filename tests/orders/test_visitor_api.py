"""The line without an account, as programs and other sites' pages go through it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from accounts.models import User
from orders import api, services
from queues import captcha, cookies
from queues import services as queue_services
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory, UserFactory
from tests.orders.programs import ACTS, API, act, everything, journey, refusal, refused, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def line(queue: Queue) -> Queue:
    """The queue, which asks for no account."""
    Queue.objects.update(require_authentication=False)
    queue.refresh_from_db()
    return queue


def let_in() -> None:
    now = timezone.now()
    Admission.objects.update(status="admitted", admitted_at=now, window_ends_at=now + timedelta(minutes=5))


def test_visitor_joins_by_a_cookie_and_finds_the_place_again(line: Queue, client: Client):
    joined, again = act(client, "join"), act(client, "join")

    own = Admission.objects.get()
    wait = {"low": 0, "high": 0}
    stands = {"place": own.place, "position": 1, "people_ahead": 0, "estimated_wait_seconds": wait, "queue_size": 1}
    assert (joined.status_code, again.status_code, own.user) == (201, 200, None)
    assert joined.json() == again.json() == journey(client) == told(line, stage="waiting", **stands)
    cookie = client.cookies[cookies.NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_stranger_is_told_of_the_queue_and_gets_a_name_to_join_with(line: Queue, client: Client):
    AdmissionFactory(queue=line)

    assert (journey(client), list(client.cookies)) == (told(line, queue_size=1), ["visitor"])


def test_place_of_a_visitor_is_nobody_elses(line: Queue, client: Client, ben: User):
    act(client, "join")
    let_in()
    stranger, bens = Client(), Client()
    bens.force_login(ben)
    forged = Client()
    forged.cookies[cookies.NAME] = "00000000-0000-0000-0000-000000000000:1:signature"
    before = everything()

    for other in (stranger, bens, forged):
        assert journey(other) == told(line)
        assert refusal(act(other, "claim")) == refused(403, "admittance_invalid")
        assert refusal(act(other, "leave")) == refused(409, "not_in_line")
    assert everything() == before


def test_visitor_shows_up_and_leaves(client: Client):
    act(client, "join")
    let_in()

    claimed, left = act(client, "claim"), act(client, "leave")

    assert (claimed.status_code, claimed.json()["stage"], left.status_code) == (200, "admitted", 204)
    own = Admission.objects.get()
    assert (own.claimed_at is None, own.status) == (False, "left")


def test_visitor_solves_the_sum_that_the_cookie_was_made_for(client: Client):
    Queue.objects.update(enable_captcha=True)
    solution = captcha.solve(client.get(f"{API}/captcha/").json())
    before = everything()

    refusals = [refusal(act(client, "join")), refusal(act(Client(), "join", {"captcha": solution}))]

    assert (refusals, everything()) == ([refused(403, "captcha_required"), refused(403, "captcha_failed")], before)
    assert act(client, "join", {"captcha": solution}).status_code == 201


def test_visitor_gets_nothing_ready(line: Queue, client: Client):
    act(client, "join")
    before = everything()

    assert (refusal(act(client, "ready")), everything()) == (refused(401, "sign_in_required"), before)


@pytest.mark.parametrize("name", ["journey", "join", "claim"])
def test_place_comes_along_to_the_account_that_signs_in(client: Client, ben: User, name: str):
    act(client, "join")
    let_in()
    own = Admission.objects.get()
    client.force_login(ben)

    answer = client.get(f"{API}/journey/") if name == "journey" else act(client, name)

    assert (answer.status_code, answer.json()["stage"]) == (200, "admitted")
    assert Admission.objects.values_list("pk", "user", "visitor").get() == (own.pk, ben.pk, None)


@pytest.mark.parametrize("view", [api.JoinView, api.ClaimView, api.LeaveView, api.JourneyView])
def test_place_does_not_come_along_to_an_account_that_closes_at_this_instant(client: Client, view: type[APIView]):
    act(client, "join")
    closing = UserFactory()
    ask = APIRequestFactory().get if view is api.JourneyView else APIRequestFactory().post
    request = ask(API)
    request.COOKIES[cookies.NAME] = client.cookies[cookies.NAME].value
    # As it was looked up a moment ago.
    force_authenticate(request, User.objects.get(pk=closing.pk))
    services.close_account(closing)
    before = everything()

    answer = view.as_view()(request, slug="fall-tour-sale").render()

    assert (answer.status_code, answer.data["code"], everything()) == (403, "account_closed", before)


def test_queue_that_begins_to_ask_for_an_account_keeps_its_visitors_and_takes_no_more(line: Queue, client: Client):
    act(client, "join")
    Queue.objects.update(require_authentication=True)
    before = everything()

    inside, outside = client.get(f"{API}/journey/"), Client().get(f"{API}/journey/")

    assert (inside.status_code, inside.json()["stage"]) == (200, "waiting")
    answers = [outside, act(client, "join"), *(act(Client(), name) for name in ACTS)]
    assert [refusal(answer) for answer in answers] == [refused(401, "sign_in_required")] * 6
    assert everything() == before
    assert act(client, "leave").status_code == 204
    assert queue_services.find_standing(line, UserFactory()) is None
