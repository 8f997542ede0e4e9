"""Showing up in time: what the pages say before, while and after the time for it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from queues import services
from queues.models import Admission, Queue
from queues.templatetags.line import as_span
from tests.factories import AdmissionFactory
from tests.pages import form_to, submit

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MISSED = "It was your turn, and you did not show up within 45 seconds. So the turn has gone to the next in line."
RAN_OUT = "You had 10 minutes to buy."


@pytest.fixture
def bens(client: Client, ben: User) -> Client:
    """A browser in which Ben is signed in."""
    client.force_login(ben)
    return client


@pytest.fixture
def page(queue: Queue) -> str:
    """The page of a queue that gives 45 seconds to show up."""
    Queue.objects.update(claim_window_seconds=45)
    return f"/queues/{queue.slug}/"


def absent(queue: Queue, user: User) -> Admission:
    """Let the time of a fan to show up be over."""
    absent: Admission = AdmissionFactory(queue=queue, user=user, admitted=True, claim_ends_at=timezone.now())
    return absent


def shown(client: Client, page: str) -> tuple[str, bool, bool]:
    """Return the page's template, and whether it tells of the absence and of the time to buy."""
    answer = client.get(page)
    html = answer.content.decode()
    return answer.templates[0].name or "", MISSED in html, RAN_OUT in html


def test_line_says_how_long_a_fan_may_stay_away(page: str, queue: Queue, ben: User, bens: Client):
    AdmissionFactory(queue=queue, user=ben)
    warning = "whoever does not show up within 45 seconds loses the turn to the next in line"
    said = warning in bens.get(page).content.decode()
    Queue.objects.update(claim_window_seconds=0)

    assert (said, "does not show up" in bens.get(page).content.decode()) == (True, False)


@pytest.mark.usefixtures("admission")
def test_selection_asks_the_fan_to_show_up(page: str, bens: Client):
    in_a_hurry = bens.get(page).content.decode()
    Queue.objects.update(claim_window_seconds=0)
    at_leisure = bens.get(page).content.decode()

    assert "Please tell us that you are here: without a word from you within 45 seconds" in in_a_hurry
    assert "Please tell us that you are here." in at_leisure


def test_fan_who_has_shown_up_is_asked_no_more(page: str, admission: Admission, bens: Client):
    submit(bens, form_to(bens.get(page), f"{page}claim/"))

    assert "Please tell us that you are here" not in bens.get(page).content.decode()


def test_missed_turn_is_told_at_once_and_after_the_sweep(page: str, queue: Queue, ben: User, bens: Client):
    absent(queue, ben)
    at_once = shown(bens, page)
    services.tick_queue(queue.pk)

    assert at_once == shown(bens, page) == ("orders/expired.html", True, False)
    assert Admission.objects.get().status == "expired"


def test_turn_that_ran_out_is_not_told_as_missed(page: str, queue: Queue, ben: User, bens: Client):
    now = timezone.now()
    AdmissionFactory(queue=queue, user=ben, admitted=True, claimed_at=now - HOUR, claim_ends_at=now, window_ends_at=now)
    at_once = shown(bens, page)
    services.tick_queue(queue.pk)

    assert at_once == shown(bens, page) == ("orders/expired.html", False, True)


@pytest.mark.parametrize("is_swept", [False, True])
def test_fan_who_comes_too_late_reads_why_and_can_join_again(
    page: str, queue: Queue, admission: Admission, bens: Client, is_swept: bool
):
    form = form_to(bens.get(page), f"{page}claim/")
    Admission.objects.update(claim_ends_at=timezone.now())
    if is_swept:
        services.tick_queue(queue.pk)

    answer = submit(bens, form)

    assert (answer.status_code, answer.templates[0].name) == (200 if is_swept else 409, "orders/expired.html")
    assert MISSED in answer.content.decode()
    assert form_to(answer, f"{page}join/").method == "post"
    assert Admission.objects.get().claimed_at is None


@pytest.mark.usefixtures("admission")
@pytest.mark.parametrize(
    ("fields", "status", "is_noted"),
    [
        ({}, 204, True),
        ({"claim_ends_at": timezone.now()}, 205, False),
        ({"status": "expired"}, 205, False),
        ({"status": "waiting"}, 205, False),
    ],
)
def test_script_is_told_whether_its_page_still_holds(
    page: str, bens: Client, fields: dict, status: int, is_noted: bool
):
    Admission.objects.update(**fields)

    answer = bens.post(f"{page}claim/", headers={"accept": "application/json"})

    assert (answer.status_code, answer.content) == (status, b"")
    assert (Admission.objects.get().claimed_at is not None) is is_noted


def test_fan_who_missed_the_turn_joins_again_at_the_end(page: str, queue: Queue, ben: User, bens: Client):
    missed = absent(queue, ben)
    services.tick_queue(queue.pk)

    submit(bens, form_to(bens.get(page), f"{page}join/"))

    again = Admission.objects.waiting().get()
    assert (again.user, again.place > missed.place, again.reason) == (ben, True, "")


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 second"), (45, "45 seconds"), (119, "119 seconds"), (120, "2 minutes")]
)
def test_span_is_written_in_seconds_while_it_is_short(seconds: int, words: str):
    assert as_span(seconds) == words
