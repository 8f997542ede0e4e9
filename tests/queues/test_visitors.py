"""Standing in line without an account, and taking the place along to one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import signing
from django.core.signing import TimestampSigner
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Letter, User
from accounts.refusals import Refusal
from events.models import Event
from queues import admittance, captcha, cookies, refusals, services, tasks
from queues.board import Board
from queues.conditions import CardProgramme, Guest, SpentSolution
from queues.journey import Stage, journey_of
from queues.models import Admission, Queue
from queues.services import Entry
from queues.visitors import Visitor
from tests.factories import AdmissionFactory, AllowanceFactory, QueueFactory, UserFactory
from tests.statements import counted_statements
from tests.webhooks.facts import data_of
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(queue: Queue) -> Queue:
    """The open queue, which asks for no account."""
    Queue.objects.filter(pk=queue.pk).update(require_authentication=False)
    queue.refresh_from_db()
    return queue


@pytest.fixture
def vera() -> Visitor:
    return Visitor()


def join_refused(queue: Queue, visitor: Visitor, entry: Entry = services.Entry()) -> type[Refusal]:  # noqa: B008
    before = list(Admission.objects.values()), SpentSolution.objects.count()
    with pytest.raises(Refusal) as refused:
        services.join_as_visitor(queue, visitor, entry)
    assert (list(Admission.objects.values()), SpentSolution.objects.count()) == before
    return type(refused.value)


def standing(queue: Queue, fan: User | Visitor) -> tuple[int, str] | None:
    found = services.find_standing(queue, fan)
    return (found.pk, found.status) if found else None


# Joining


def test_visitor_stands_at_the_end_of_the_line_once(line: Queue, vera: Visitor, ben: User):
    first, _ = services.join_queue(line, ben)
    own, is_new = services.join_as_visitor(line, vera)
    again, is_new_again = services.join_as_visitor(line, vera)

    own.refresh_from_db()
    assert (own.user, own.visitor, own.status, is_new) == (None, vera.pk, Admission.Status.WAITING, True)
    assert (again, is_new_again, first.place < own.place) == (own, False, True)
    assert services.find_standing(line, vera) == own
    assert services.find_standing(line, Visitor()) is None


def test_visitor_who_comes_back_goes_to_the_end(line: Queue, vera: Visitor, ben: User):
    old, _ = services.join_as_visitor(line, vera)
    services.leave_queue(old)
    between, _ = services.join_queue(line, ben)

    new, is_new = services.join_as_visitor(line, vera)

    assert (is_new, old.place < between.place < new.place, services.find_standing(line, vera)) == (True, True, new)


def test_visitor_joins_with_as_many_statements_as_a_fan(line: Queue, vera: Visitor):
    with counted_statements() as sent:
        services.join_as_visitor(line, vera)

    assert len(sent) == 3


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        (lambda now: {"scheduled_start": now + timedelta(minutes=1)}, refusals.QueueNotOpen),
        (lambda now: {"closed_at": now}, refusals.QueueClosed),
        (lambda now: {"sold_out_at": now}, refusals.QueueSoldOut),
        (lambda now: {"require_authentication": True}, refusals.AccountRequired),
        (lambda now: {"enable_captcha": True}, refusals.CaptchaRequired),
    ],
)
def test_visitor_is_refused_by_what_the_queue_says_now(
    line: Queue, vera: Visitor, fields: Callable, refusal: type[Refusal]
):
    Queue.objects.update(**fields(timezone.now()))

    assert join_refused(line, vera) is refusal


def test_visitor_is_refused_while_the_line_is_full(line: Queue, vera: Visitor):
    Queue.objects.update(max_waiting=1)
    services.join_as_visitor(line, Visitor())

    assert join_refused(line, vera) is refusals.QueueFull


def test_visitor_is_refused_where_something_asks_for_an_account_all_the_same(line: Queue, vera: Visitor):
    Event.objects.update(require_identification=True)
    found = [join_refused(line, vera)]
    Event.objects.update(require_identification=False)
    Guest.objects.create(queue=line, address="example.org")
    found.append(join_refused(line, vera))
    Guest.objects.all().delete()
    line.eligible_cards.add(CardProgramme.objects.create(name="Gold", slug="gold"))
    found.append(join_refused(line, vera))

    assert found == [refusals.AccountRequired] * 3


def test_visitor_in_line_stays_there_when_the_queue_begins_to_ask_for_an_account(line: Queue, vera: Visitor):
    own, _ = services.join_as_visitor(line, vera)
    Queue.objects.update(require_authentication=True)

    assert services.join_as_visitor(line, vera) == (own, False)


def test_account_may_confirm_its_address_later_where_none_is_asked_for(line: Queue):
    fan = UserFactory()

    assert (services.find_needs(line, fan).is_ready, services.join_queue(line, fan)[1]) == (True, True)


def test_solved_sum_of_a_visitor_serves_that_visitor_once(line: Queue, vera: Visitor, ben: User):
    Queue.objects.update(enable_captcha=True, captcha_threshold="low")
    line.refresh_from_db()
    entry = Entry(captcha=captcha.solve(services.new_challenge(line, vera)))
    of_ben = Entry(captcha=captcha.solve(services.new_challenge(line, ben)))

    foreign = [join_refused(line, Visitor(), entry), join_refused(line, vera, of_ben)]
    own, is_new = services.join_as_visitor(line, vera, entry)
    services.leave_queue(own)

    assert (foreign, is_new) == ([refusals.CaptchaFailed] * 2, True)
    assert join_refused(line, vera, entry) is refusals.CaptchaFailed


# What must be true of every row


def test_admission_has_a_fan_or_a_visitor_and_not_both(queue: Queue, ben: User, vera: Visitor):
    for fan in ({}, {"user": ben, "visitor": vera.pk}):
        with pytest.raises(IntegrityError, match="admission_has_a_fan_or_a_visitor"), transaction.atomic():
            Admission.objects.create(queue=queue, **fan)


def test_visitor_stands_once_in_a_queue(queue: Queue, vera: Visitor):
    Admission.objects.create(queue=queue, visitor=vera.pk)
    Admission.objects.create(queue=queue, visitor=vera.pk, status="left")
    with pytest.raises(IntegrityError, match="visitor_stands_once_in_a_queue"), transaction.atomic():
        Admission.objects.create(queue=queue, visitor=vera.pk)


def test_nobody_holds_tickets_without_an_account(queue: Queue, vera: Visitor):
    turn = AdmissionFactory(queue=queue, user=None, visitor=vera.pk, admitted=True)
    with pytest.raises(IntegrityError, match="nobody_holds_tickets_without_an_account"), transaction.atomic():
        Admission.objects.filter(pk=turn.pk).update(has_hold=True)


def test_queue_with_a_code_asks_for_an_account(line: Queue):
    with pytest.raises(IntegrityError, match="queue_with_a_code_asks_for_an_account"), transaction.atomic():
        Queue.objects.update(require_access_code=True)


# Taking the place along


@pytest.mark.parametrize("admitted", [False, True])
def test_place_comes_along_to_the_account(line: Queue, vera: Visitor, ben: User, admitted: bool):
    own = AdmissionFactory(queue=line, user=None, visitor=vera.pk, admitted=admitted)

    services.take_place_along(line, vera, ben)
    services.take_place_along(line, vera, ben)

    after = Admission.objects.get()
    assert (after.user, after.visitor) == (ben, None)
    assert (after.pk, after.place, after.status, after.window_ends_at) == (
        own.pk,
        Admission.objects.values_list("place", flat=True).get(),
        own.status,
        own.window_ends_at,
    )
    assert services.find_standing(line, vera) is None


def test_account_that_stands_in_the_queue_goes_on_standing_there(line: Queue, vera: Visitor, ben: User):
    theirs, _ = services.join_as_visitor(line, vera)
    own, _ = services.join_queue(line, ben)

    services.take_place_along(line, vera, ben)

    assert (standing(line, ben), standing(line, vera)) == ((own.pk, "waiting"), (theirs.pk, "left"))
    assert Admission.objects.get(pk=theirs.pk).ended_at is not None


def test_place_in_another_queue_and_one_that_has_ended_stay(line: Queue, vera: Visitor, ben: User):
    elsewhere = AdmissionFactory(queue=QueueFactory(event=line.event), user=None, visitor=vera.pk)
    ended = AdmissionFactory(queue=line, user=None, visitor=vera.pk, status="expired")

    services.take_place_along(line, vera, ben)

    assert set(Admission.objects.values_list("pk", "visitor", "status")) == {
        (elsewhere.pk, vera.pk, "waiting"),
        (ended.pk, vera.pk, "expired"),
    }


def test_second_account_finds_no_place_to_take(line: Queue, vera: Visitor, ben: User, cleo: User):
    own, _ = services.join_as_visitor(line, vera)
    services.take_place_along(line, vera, ben)

    services.take_place_along(line, vera, cleo)

    assert (standing(line, ben), standing(line, cleo)) == ((own.pk, "waiting"), None)


def test_limit_of_the_account_is_no_reason_to_lose_the_place(line: Queue, vera: Visitor, ben: User):
    """What an account may buy is asked when it takes tickets."""
    AllowanceFactory(user=ben, event=line.event, order_count=1, order_limit=1)
    own, _ = services.join_as_visitor(line, vera)

    services.take_place_along(line, vera, ben)

    assert standing(line, ben) == (own.pk, "waiting")


# The cookie and the token


def request_with(value: str | None) -> Visitor | None:
    request = RequestFactory().get("/")
    if value is not None:
        request.COOKIES[cookies.NAME] = value
    return cookies.read_visitor(request)


@pytest.mark.parametrize("secure", [False, True])
def test_cookie_is_signed_and_kept_from_scripts_and_other_sites(vera: Visitor, settings: Settings, secure: bool):
    settings.SESSION_COOKIE_SECURE = secure

    cookie = cookies.remember_visitor(HttpResponse(), vera).cookies[cookies.NAME]

    names = ("httponly", "samesite", "secure", "max-age", "path")
    assert [cookie[name] for name in names] == [True, "Lax", secure or "", 90 * 86_400, "/"]
    assert request_with(cookie.value) == vera


def test_forged_cookie_names_nobody(vera: Visitor):
    other = Visitor()
    good = cookies.remember_visitor(HttpResponse(), vera).cookies[cookies.NAME].value
    forged = [
        None,
        "",
        str(vera.pk),
        good.replace(str(vera.pk), str(other.pk)),
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        TimestampSigner(salt="something else").sign(str(vera.pk)),
        signing.get_cookie_signer(salt=cookies.NAME + cookies.SALT).sign("no uuid"),
    ]

    assert [request_with(value) for value in forged] == [None] * len(forged)


def journey_at(queue: Queue, fan: User | Visitor) -> tuple[Stage, str]:
    board: Board = services.publish_board(queue.pk)
    own = journey_of(queue, services.find_standing(queue, fan), board, now=timezone.now())
    return own.stage, own.admittance_token or ""


def test_token_of_a_visitor_opens_nothing_until_its_own_browser_has_signed_in(line: Queue, vera: Visitor, ben: User):
    turn = AdmissionFactory(queue=line, user=None, visitor=vera.pk, admitted=True)
    stage, token = journey_at(line, vera)
    assert stage == Stage.ADMITTED

    of_another = admittance.taken_along(token, visitor=Visitor(), user=ben)
    for useless in (token, of_another):
        with pytest.raises(refusals.AdmittanceInvalid):
            admittance.read_token(useless, user=ben)
    own = admittance.taken_along(token, visitor=vera, user=ben)
    assert admittance.read_token(own, user=ben) == turn.public_id


def test_token_of_another_account_stays_what_it_is(admission: Admission, token: str, vera: Visitor, cleo: User):
    assert admittance.taken_along(token, visitor=vera, user=cleo) == token


def test_visitor_in_line_has_a_position(line: Queue, vera: Visitor):
    services.join_as_visitor(line, vera)

    assert journey_at(line, vera) == (Stage.WAITING, "")


def test_challenge_gives_a_browser_its_name_only_where_no_account_is_asked_for(line: Queue, client: Client):
    Queue.objects.update(enable_captcha=True, captcha_threshold="low")
    path = f"/api/v1/queues/{line.slug}/captcha/"

    first = client.get(path)
    visitor = request_with(first.cookies[cookies.NAME].value)
    second = client.get(path)
    line.refresh_from_db()
    own, _ = services.join_as_visitor(line, visitor or Visitor(), Entry(captcha=captcha.solve(second.json())))

    assert (own.visitor, cookies.NAME in second.cookies) == (visitor.pk if visitor else None, False)
    Queue.objects.update(require_authentication=True)
    refused = client.get(path)
    assert (refused.status_code, refused.cookies) == (401, {})


# What the others make of it


def test_tick_lets_a_visitor_in_and_ends_the_turn(line: Queue, vera: Visitor):
    own, _ = services.join_as_visitor(line, vera)
    services.tick_queue(line.pk)
    found = [standing(line, vera)]
    Admission.objects.update(window_ends_at=timezone.now())
    services.tick_queue(line.pk)

    assert [*found, standing(line, vera)] == [(own.pk, "admitted"), (own.pk, "expired")]


def test_visitor_can_show_up_and_leave(line: Queue, vera: Visitor):
    turn = AdmissionFactory(queue=line, user=None, visitor=vera.pk, admitted=True)

    services.claim_admission(turn)
    services.leave_queue(turn)

    turn.refresh_from_db()
    assert (turn.claimed_at is not None, turn.status) == (True, "left")


def test_fact_of_a_visitor_names_no_customer_and_that_of_the_account_does(
    line: Queue, vera: Visitor, ben: User, endpoint: Endpoint
):
    services.join_as_visitor(line, vera)
    services.take_place_along(line, vera, ben)
    services.tick_queue(line.pk)

    named = [data_of(name)["customer"] for name in ("admission.created", "admission.admitted")]
    assert named == [None, {"id": str(ben.pk)}]


def test_end_of_the_line_frees_a_visitor_and_writes_only_to_accounts(line: Queue, vera: Visitor, ben: User):
    services.join_as_visitor(line, vera)
    services.join_queue(line, ben)
    services.close_queue(line)

    tasks.free_waiting_fans()

    assert list(Admission.objects.values_list("status", flat=True)) == ["denied", "denied"]
    assert [letter.to for letter in Letter.objects.all()] == [ben.email]


def test_notice_is_written_only_to_accounts(line: Queue, vera: Visitor, ada: User, ben: User, cleo: User):
    services.join_as_visitor(line, vera)
    other = Visitor()
    services.join_as_visitor(line, other)
    services.join_queue(line, ben)

    notice = services.notify_waiting(line, text="The band is late.", created_by=ada)
    services.take_place_along(line, other, cleo)
    tasks.tell_waiting_fans()

    notice.refresh_from_db()
    assert sorted(letter.to for letter in Letter.objects.all()) == [ben.email, cleo.email]
    assert (notice.told_count, notice.reader_count, notice.finished_at is not None) == (2, 3, True)
