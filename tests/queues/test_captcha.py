"""The proof of work at the door: what a solution is good for, and that it serves once."""

import base64
import json
from datetime import timedelta
from typing import Any

import altcha
import pytest
import redis
from django.conf import settings
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refusal
from config.errors import answer_to
from queues import captcha, refusals, services, tasks
from queues.captcha import MOST_SUMS
from queues.conditions import AccessCode, Readiness, SpentSolution
from queues.models import Admission, Queue
from queues.services import Entry
from tests.factories import AccessCodeFactory, AdmissionFactory, QueueFactory
from tests.orders.test_entry_views import opens_later
from tests.pages import form_to, forms, submit
from tests.queues.test_admin import form_of
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

PAGE = "/queues/fall-tour-sale/"
CHALLENGE = "/api/v1/queues/fall-tour-sale/captcha/"


@pytest.fixture
def guarded(queue: Queue) -> Queue:
    """The open queue, which asks for a solved sum."""
    Queue.objects.filter(pk=queue.pk).update(enable_captcha=True)
    queue.refresh_from_db()
    return queue


def solved(queue: Queue, user: User) -> str:
    return captcha.solve(services.new_challenge(queue, user))


def reworked(solution: str, **changes: Any) -> str:
    """Return a solution with some of what it says exchanged."""
    return base64.b64encode(json.dumps({**json.loads(base64.b64decode(solution)), **changes}).encode()).decode()


def unpacked(solution: str) -> dict[str, Any]:
    return dict(json.loads(base64.b64decode(solution)))


def written() -> tuple[int, int, int]:
    return Admission.objects.count(), SpentSolution.objects.count(), Readiness.objects.count()


def refused(queue: Queue, user: User, sent: str) -> type:
    """Come to the door with a solution, open and before the opening; return the one answer."""
    before = written()
    answers = set()
    for act in (services.join_queue, services.get_ready):
        with pytest.raises(Refusal) as refusal:
            act(queue, user, Entry(captcha=sent))
        answers.add(type(refusal.value))
    assert written() == before
    [answer] = answers
    return answer


# What a solution is good for


def test_solved_sum_lets_the_fan_in(guarded: Queue, ben: User):
    own, is_new = services.join_queue(guarded, ben, Entry(captcha=solved(guarded, ben)))

    assert (own.user, is_new, written()) == (ben, True, (1, 1, 0))


def test_queue_without_the_check_asks_for_nothing(queue: Queue, ben: User):
    services.join_queue(queue, ben, Entry(captcha="whatever"))

    assert written() == (1, 0, 0)


def test_fan_without_a_solution_is_asked_for_one(guarded: Queue, ben: User):
    assert refused(guarded, ben, "") is refusals.CaptchaRequired


def test_solution_is_of_no_use_for_another_account_or_queue(guarded: Queue, ben: User, cleo: User):
    elsewhere = QueueFactory(event=guarded.event, enable_captcha=True)

    assert refused(guarded, cleo, solved(guarded, ben)) is refusals.CaptchaFailed
    assert refused(guarded, ben, solved(elsewhere, ben)) is refusals.CaptchaFailed


@pytest.mark.parametrize("name", ["fan", "queue", "expires"])
def test_nothing_can_be_written_in_front_of_what_was_signed(guarded: Queue, ben: User, cleo: User, name: str):
    """The library checks the last value of a name; a reader of the first would believe the forger."""
    own = {"fan": str(cleo.pk), "queue": str(guarded.pk), "expires": "99999999999"}
    theirs = unpacked(solved(QueueFactory(event=guarded.event) if name == "queue" else guarded, ben))
    forged = theirs["salt"].replace(f"{name}=", f"{name}={own[name]}&{name}=", 1)
    sent = reworked(solved(guarded, ben), **{**theirs, "salt": forged})
    assert altcha.verify_solution(sent, captcha._key(), check_expires=True)[0] is True

    assert refused(guarded, cleo if name == "fan" else ben, sent) is refusals.CaptchaFailed


WRONG: dict[str, dict[str, Any]] = {
    "number": {"number": -1},
    "number_as_text": {"number": "1"},
    "yes": {"number": True},
    "challenge": {"challenge": "0" * 64},
    "signature": {"signature": "0" * 64},
    "signature_no_table_takes": {"signature": "\0" * 64},
    "signature_nobody_can_write": {"signature": "\ud800"},
    "challenge_nobody_can_write": {"challenge": "\ud800"},
    "no_salt": {"salt": None},
    "salt_of_nobody": {"salt": "0" * 24 + "?expires=9999999999&"},
    "weaker_algorithm": {"algorithm": "SHA-1"},
    "list": {"signature": ["a"]},
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_solution_is_refused(guarded: Queue, ben: User, what: str):
    assert refused(guarded, ben, reworked(solved(guarded, ben), **WRONG[what])) is refusals.CaptchaFailed


@pytest.mark.parametrize("sent", ["x", "é" * 9, "bnVsbA==", "MQ==", "W10=", "A" * 2000, "W1tb" * 249])
def test_what_is_no_solution_at_all_is_refused(guarded: Queue, ben: User, sent: str):
    assert refused(guarded, ben, sent) is refusals.CaptchaFailed


@pytest.mark.parametrize(("seconds", "is_good"), [(2, True), (0, False), (-1, False)])
def test_solution_is_good_until_it_expires(guarded: Queue, ben: User, seconds: int, is_good: bool):
    issued = timezone.now() - captcha.LIFETIME + timedelta(seconds=seconds)
    challenge = captcha.new_challenge(queue_id=guarded.pk, fan=str(ben.pk), threshold="low", now=issued)
    read = captcha.read_solution(captcha.solve(challenge))
    assert read is not None

    ends_at = issued.replace(microsecond=0) + captcha.LIFETIME
    assert read.is_good_for(queue_id=guarded.pk, fan=str(ben.pk), now=ends_at - timedelta(seconds=1)) is True
    assert read.is_good_for(queue_id=guarded.pk, fan=str(ben.pk), now=ends_at) is False


def test_expired_solution_is_refused(guarded: Queue, ben: User):
    long_ago = timezone.now() - captcha.LIFETIME - timedelta(seconds=1)
    challenge = captcha.new_challenge(queue_id=guarded.pk, fan=str(ben.pk), threshold="low", now=long_ago)

    assert refused(guarded, ben, captcha.solve(challenge)) is refusals.CaptchaFailed


@pytest.mark.parametrize("threshold", MOST_SUMS)
def test_threshold_sets_the_work(guarded: Queue, ben: User, threshold: str):
    Queue.objects.update(captcha_threshold=threshold)
    guarded.refresh_from_db()

    assert services.new_challenge(guarded, ben)["maxNumber"] == MOST_SUMS[threshold]


# It serves once


@pytest.mark.parametrize("spend", [services.join_queue, services.get_ready])
def test_solution_serves_once_even_when_redis_is_emptied(
    guarded: Queue, ben: User, redis_client: redis.Redis, spend: Any
):
    solution = solved(guarded, ben)
    spend(guarded, ben, Entry(captcha=solution))
    Admission.objects.update(status=Admission.Status.LEFT)
    Readiness.objects.all().delete()
    redis_client.flushall()

    assert refused(guarded, ben, solution) is refusals.CaptchaFailed
    assert refused(guarded, ben, reworked(solution, took=7)) is refusals.CaptchaFailed
    assert services.join_queue(guarded, ben, Entry(captcha=solved(guarded, ben)))[1] is True


def test_database_refuses_a_solution_that_has_served(guarded: Queue, ben: User):
    SpentSolution.objects.create(signature="a" * 64, expires_at=timezone.now())

    with pytest.raises(IntegrityError, match="solution_serves_once"):
        SpentSolution.objects.create(signature="a" * 64, expires_at=timezone.now())


def test_fan_in_line_is_never_asked(guarded: Queue, ben: User):
    own, _ = services.join_queue(guarded, ben, Entry(captcha=solved(guarded, ben)))

    for sent in ("", "nonsense", solved(guarded, ben)):
        assert services.join_queue(guarded, ben, Entry(captcha=sent)) == (own, False)
    assert written() == (1, 1, 0)


def test_solution_shown_early_is_remembered_for_the_account(guarded: Queue, ben: User, cleo: User):
    services.get_ready(guarded, ben, Entry(captcha=solved(guarded, ben)))
    services.get_ready(guarded, ben, Entry())

    assert written() == (0, 1, 1)
    assert services.join_queue(guarded, ben)[1] is True
    with pytest.raises(refusals.CaptchaRequired):
        services.join_queue(guarded, cleo)
    assert written() == (1, 1, 1)


def test_refused_join_spends_nothing(guarded: Queue, ben: User):
    Queue.objects.update(max_waiting=1)
    AdmissionFactory(queue=guarded)
    solution = solved(guarded, ben)

    with pytest.raises(refusals.QueueFull):
        services.join_queue(guarded, ben, Entry(captcha=solution))
    assert SpentSolution.objects.count() == 0
    Queue.objects.update(max_waiting=2)
    assert services.join_queue(guarded, ben, Entry(captcha=solution))[1] is True


def test_check_stands_between_code_and_full(guarded: Queue, ben: User):
    Queue.objects.update(max_waiting=1, require_access_code=True)
    guarded.refresh_from_db()
    AdmissionFactory(queue=guarded)
    AccessCodeFactory(queue=guarded, code="GOOD")
    for entry, refusal in [
        (Entry(captcha=solved(guarded, ben)), refusals.AccessCodeRequired),
        (Entry(code="GOOD"), refusals.CaptchaRequired),
        (Entry(code="GOOD", captcha=solved(guarded, ben)), refusals.QueueFull),
    ]:
        with pytest.raises(refusal):
            services.join_queue(guarded, ben, entry)
    assert (AccessCode.objects.get().use_count, SpentSolution.objects.count()) == (0, 0)


def test_check_costs_a_join_one_statement(guarded: Queue, ben: User, cleo: User):
    entry = Entry(captcha=solved(guarded, ben))
    with counted_statements() as sent:
        services.join_queue(guarded, ben, entry)
    assert [statement.split()[0] for statement in sent] == ["SELECT", "SELECT", "INSERT", "INSERT"]
    assert "queues_spentsolution" in sent[2]

    services.get_ready(guarded, cleo, Entry(captcha=solved(guarded, cleo)))
    with counted_statements() as sent:
        services.join_queue(guarded, cleo)
    assert len(sent) == 3


def test_expired_solutions_are_removed_and_no_other():
    now = timezone.now()
    for number, age in enumerate([timedelta(hours=-1), timedelta(seconds=30), timedelta(minutes=2)]):
        SpentSolution.objects.create(signature=str(number), expires_at=now - age)

    tasks.remove_expired_solutions()

    # One that has expired just now may still be read as good by a join that is under way.
    assert list(SpentSolution.objects.order_by("signature").values_list("signature", flat=True)) == ["0", "1"]


# Over HTTP


def test_challenge_is_given_to_who_is_signed_in(guarded: Queue, ben: User, client: Client):
    stranger = client.get(CHALLENGE)
    client.force_login(ben)
    answer = client.get(CHALLENGE)

    assert (stranger.status_code, stranger.json()["code"]) == (401, "sign_in_required")
    assert sorted(answer.json()) == ["algorithm", "challenge", "maxNumber", "salt", "signature"]
    assert "no-store" in answer["Cache-Control"]
    assert (written(), client.post(CHALLENGE).status_code) == ((0, 0, 0), 405)
    assert settings.SECRET_KEY not in answer.content.decode()


@pytest.mark.parametrize("change", [{"enable_captcha": False}, {"published_at": None}])
def test_queue_that_asks_for_none_gives_no_challenge(guarded: Queue, ben: User, client: Client, change: dict):
    Queue.objects.update(**change)
    client.force_login(ben)

    assert client.get(CHALLENGE).status_code == 404


def test_fan_joins_by_the_page(guarded: Queue, ben: User, client: Client):
    client.force_login(ben)
    door = client.get(PAGE)
    told = [f'challengeurl="{CHALLENGE}"', "<noscript>", "That takes JavaScript"]
    assert [words for words in told if words not in door.content.decode()] == []

    answer = submit(client, form_to(door, f"{PAGE}join/"), captcha=captcha.solve(client.get(CHALLENGE).json()))

    assert (answer.templates[0].name, Admission.objects.get().user) == ("orders/line.html", ben)


@pytest.mark.parametrize(("sent", "code"), [("", "captcha_required"), ("nonsense\0", "captcha_failed")])
def test_refused_check_is_told(guarded: Queue, ben: User, client: Client, sent: str, code: str):
    client.force_login(ben)

    answer = client.post(f"{PAGE}join/", {"captcha": sent})

    refusal = answer.context["refusal"]
    assert (answer.status_code, answer["X-Refusal"], answer_to(refusal).code) == (403, code, code)
    assert (answer.templates[0].name, written()) == ("orders/join.html", (0, 0, 0))
    assert f'challengeurl="{CHALLENGE}"' in answer.content.decode()


def test_sum_is_solved_before_the_opening_and_joining_asks_for_nothing_more(guarded: Queue, ben: User, client: Client):
    opens_later()
    client.force_login(ben)
    solution = captcha.solve(client.get(CHALLENGE).json())

    ready = submit(client, form_to(client.get(PAGE), f"{PAGE}ready/"), captcha=solution)

    assert (ready.templates[0].name, written()) == ("orders/countdown.html", (0, 1, 1))
    assert "altcha" not in ready.content.decode()
    Queue.objects.update(scheduled_start=timezone.now())
    submit(client, form_to(client.get(PAGE), f"{PAGE}join/"))
    assert Admission.objects.get().user == ben


def test_event_page_leads_to_the_check_and_not_past_it(guarded: Queue, ben: User, client: Client):
    client.force_login(ben)
    answer = client.get("/events/fall-tour/")

    assert [form.action for form in forms(answer) if form.action.endswith("/join/")] == []
    assert f'href="{PAGE}">Join the line</a>' in answer.content.decode()


def test_organiser_sets_the_check(queue: Queue, ada: User, client: Client):
    client.force_login(ada)
    form = form_of(queue.event, slug=queue.slug, enable_captcha="on", captcha_threshold="high")

    assert client.post(f"/admin/queues/queue/{queue.pk}/change/", form).status_code == 302
    queue.refresh_from_db()
    assert (queue.enable_captcha, queue.captcha_threshold) == (True, "high")


def test_queue_keeps_programs_out_unless_told_otherwise():
    assert (Queue().enable_captcha, Queue().captcha_threshold) == (True, "medium")
