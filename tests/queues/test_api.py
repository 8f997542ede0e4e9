"""The queues as programs are told of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from events.models import Event, Tier
from queues import captcha, cookies, services
from queues.conditions import CardProgramme
from queues.models import Admission, Queue
from queues.refusals import CaptchaFailed
from queues.services import Entry
from tests.factories import AccessCodeFactory, AdmissionFactory, QueueFactory, TierFactory
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

QUEUE = "/api/v1/queues/fall-tour-sale/"
BOARD, AVAILABILITY, CHALLENGE = (f"{QUEUE}{name}/" for name in ("board", "availability", "captcha"))
OPENS = datetime(2100, 5, 1, 10, tzinfo=UTC)
ASKS_NOTHING = {
    "account": False,
    "verified_email": False,
    "verified_identity": False,
    "access_code": False,
    "card": False,
    "invitation": False,
    "captcha": False,
}


def told(client: Client, address: str = QUEUE) -> dict[str, Any]:
    answer = client.get(address)
    assert answer.status_code == 200
    return dict(answer.json())


def required(client: Client) -> set[str]:
    return {name for name, is_required in told(client)["requires"].items() if is_required}


def test_queue_is_told_as_fans_may_know_it(client: Client, queue: Queue):
    Queue.objects.update(
        scheduled_start=OPENS, scheduled_end=OPENS + timedelta(days=1), message="Be there.", kind="presale"
    )

    assert told(client) == {
        "slug": "fall-tour-sale",
        "name": "General sale",
        "kind": "presale",
        "event": "fall-tour",
        "phase": "scheduled",
        "starts_at": "2100-05-01T10:00:00Z",
        "ends_at": "2100-05-02T10:00:00Z",
        "message": "Be there.",
        "tiers": ["vip", "floor"],
        "max_tickets_per_order": 4,
        "requires": {**ASKS_NOTHING, "account": True, "verified_email": True},
        "cards": [],
    }


@pytest.mark.parametrize(
    ("change", "phase"),
    [
        ({}, "open"),
        ({"paused_at": OPENS}, "paused"),
        ({"sold_out_at": OPENS}, "sold_out"),
        ({"closed_at": OPENS}, "closed"),
        ({"scheduled_start": OPENS, "lobby_opens_at": datetime(2020, 1, 1, tzinfo=UTC)}, "lobby"),
    ],
)
def test_queue_tells_its_phase(client: Client, queue: Queue, change: dict[str, Any], phase: str):
    Queue.objects.update(**change)

    assert told(client)["phase"] == phase


def test_queue_names_only_the_tiers_that_it_opens(client: Client, queue: Queue, floor: Tier):
    queue.tiers.add(floor)

    assert told(client)["tiers"] == ["floor"]


def test_queue_tells_each_thing_that_it_asks(client: Client, queue: Queue, ben: User):
    Queue.objects.update(require_authentication=False)
    found = [told(client)["requires"] == ASKS_NOTHING]
    Queue.objects.update(enable_captcha=True)
    found.append(required(client) == {"captcha"})
    Event.objects.update(require_identification=True)
    found.append(required(client) == {"captcha", "account", "verified_identity"})
    Event.objects.update(require_identification=False)
    queue.guests.create(address=ben.email)
    found.append(required(client) == {"captcha", "account", "verified_email", "invitation"})
    Queue.objects.update(require_authentication=True, require_access_code=True, enable_captcha=False)
    found.append(required(client) == {"account", "verified_email", "invitation", "access_code"})

    assert found == [True] * 5


def test_queue_names_the_cards_that_it_is_for_and_not_how_they_begin(client: Client, queue: Queue):
    for name, digits in {"Silver": "411111", "Gold": "522222"}.items():
        programme = CardProgramme.objects.create(name=name, slug=name.lower())
        programme.prefixes.create(digits=digits)
        queue.eligible_cards.add(programme)
    CardProgramme.objects.create(name="Another", slug="another")

    answer = client.get(QUEUE)

    assert (answer.json()["cards"], answer.json()["requires"]["card"]) == (["Gold", "Silver"], True)
    assert [digits for digits in ("411111", "522222") if digits in answer.content.decode()] == []


def test_queue_keeps_codes_guests_rates_and_fans_to_itself(client: Client, queue: Queue, ben: User, cleo: User):
    AccessCodeFactory(queue=queue, code="HUSH-HUSH")
    Queue.objects.update(metadata={"note": "HUSH-HUSH"}, admission_rate_per_minute=98_765, allocation=98_765)
    queue.guests.create(address=ben.email)
    AdmissionFactory(queue=queue, user=cleo)
    client.force_login(ben)
    told = {address: client.get(address).content.decode() for address in (QUEUE, BOARD, AVAILABILITY)}

    private = ("HUSH-HUSH", ben.email, cleo.email, "metadata")
    assert [word for word in private if any(word in answer for answer in told.values())] == []
    assert ["98765" in told[address] for address in (QUEUE, AVAILABILITY)] == [False, False]


@pytest.mark.parametrize("address", [QUEUE, BOARD, AVAILABILITY, CHALLENGE])
@pytest.mark.parametrize("fields", [{"published_at": None}, {"slug": "another"}, {"event": None}])
def test_queue_that_nobody_can_see_is_not_there(client: Client, queue: Queue, address: str, fields: dict[str, Any]):
    Queue.objects.update(enable_captcha=True)
    Event.objects.update(status=Event.Status.DRAFT) if "event" in fields else Queue.objects.update(**fields)

    answer = client.get(address)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_queue_takes_as_many_statements_for_three_rows_as_for_one(client: Client, queue: Queue):
    numbers = []
    for more in (1, 3):
        for number in range(more):
            queue.eligible_cards.create(name=f"Card {number}", slug=f"card-{more}-{number}")
            TierFactory(event=queue.event)
        with counted_statements() as sent:
            told(client)
        numbers.append(len(sent))

    assert numbers == [3, 3]


def test_queue_that_one_has_is_not_sent_again_until_it_changes(client: Client, queue: Queue):
    first = client.get(QUEUE)
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get(QUEUE, headers=known)
    Queue.objects.update(paused_at=timezone.now())
    changed = client.get(QUEUE, headers=known)

    assert (first.status_code, first.headers["Cache-Control"]) == (200, "public, max-age=1")
    assert (again.status_code, again.content) == (304, b"")
    assert (changed.status_code, changed.json()["phase"]) == (200, "paused")


# The board


def test_board_is_sent_as_it_was_made(client: Client, queue: Queue):
    Queue.objects.update(message='Schön, “da” zu sein: "as_of":"')
    made = services.publish_board(queue.pk)

    answer = client.get(BOARD)

    assert (answer.content, answer.headers["ETag"]) == (made.as_json(), f'"{made.as_of}"')


@pytest.mark.parametrize("known", ["{}", "W/{}", '"x", {}', "*"])
def test_board_that_one_has_is_not_sent_again(client: Client, queue: Queue, known: str):
    first = client.get(BOARD)
    header = known.format(first.headers["ETag"])

    again = client.get(BOARD, headers={"If-None-Match": header})
    services.publish_board(queue.pk)
    newer = client.get(BOARD, headers={"If-None-Match": '"x"' if known == "*" else header})

    assert (again.status_code, again.content, newer.status_code) == (304, b"", 200)
    names = ("Cache-Control", "Access-Control-Allow-Origin", "ETag")
    assert {name: again[name] for name in names} == {name: first[name] for name in names}
    assert newer.headers["ETag"] != first.headers["ETag"]


# What is left


def test_availability_of_a_queue_is_not_sent_again(client: Client, queue: Queue):
    first = client.get(AVAILABILITY)
    again = client.get(AVAILABILITY, headers={"If-None-Match": first.headers["ETag"]})

    assert first.json() == {
        "tiers": [
            {"tier": "vip", "available": 5, "level": "plenty"},
            {"tier": "floor", "available": 100, "level": "plenty"},
        ],
        "as_of": first.json()["as_of"],
    }
    assert (again.status_code, again.content) == (304, b"")


# The check against programs


def test_stranger_is_asked_to_sign_in_before_there_is_a_challenge(client: Client, queue: Queue):
    Queue.objects.update(enable_captcha=True)

    answer = client.get(CHALLENGE)

    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert answer.json() == {
        "type": "http://127.0.0.1:8000/api/refusals/#sign_in_required",
        "title": "Sign in required",
        "status": 401,
        "detail": "You need an account to stand in this line. Please sign in, or create one.",
        "code": "sign_in_required",
    }
    assert (answer.cookies, "no-store" in answer.headers["Cache-Control"]) == ({}, True)


def test_challenge_in_altchas_words_lets_its_fan_in_and_no_other(client: Client, queue: Queue, ben: User, cleo: User):
    Queue.objects.update(enable_captcha=True)
    queue.refresh_from_db()
    client.force_login(ben)
    answer = client.get(CHALLENGE)
    challenge = answer.json()

    assert (answer.headers["Content-Type"], challenge["algorithm"]) == ("application/json", "SHA-256")
    assert challenge["maxNumber"] == captcha.MOST_SUMS["low"]
    assert (answer.cookies, "no-store" in answer.headers["Cache-Control"]) == ({}, True)
    entry = Entry(captcha=captcha.solve(challenge))
    with pytest.raises(CaptchaFailed):
        services.join_queue(queue, cleo, entry)
    services.join_queue(queue, ben, entry)
    assert list(Admission.objects.values_list("user", flat=True)) == [ben.pk]


def test_visitor_gets_a_name_with_the_first_challenge_and_keeps_it(client: Client, queue: Queue):
    Queue.objects.update(enable_captcha=True, require_authentication=False)

    first, second = client.get(CHALLENGE), client.get(CHALLENGE)

    assert ([*first.cookies], [*second.cookies]) == ([cookies.NAME], [])
    named = first.cookies[cookies.NAME]
    assert (named["httponly"], named["samesite"], named["max-age"]) == (True, "Lax", 90 * 24 * 3600)


def test_queues_are_not_told_apart_by_who_asks(client: Client, queue: Queue, ben: User):
    QueueFactory(event=queue.event, slug="other")
    stranger = [client.get(address).content for address in (QUEUE, BOARD, AVAILABILITY)]
    client.force_login(ben)
    AdmissionFactory(queue=QueueFactory(event=queue.event), user=ben)
    with counted_statements() as sent:
        own = [client.get(address).content for address in (QUEUE, BOARD, AVAILABILITY)]

    assert own == stranger
    assert [statement for statement in sent if "accounts_user" in statement or "session" in statement] == []
