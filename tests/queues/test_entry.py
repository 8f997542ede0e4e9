"""Whom a queue is for, and how many may stand in it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refusal
from queues import refusals, services
from queues.conditions import Guest, Readiness
from queues.models import Admission, Queue
from queues.services import Entry
from tests.factories import AccessCodeFactory, AdmissionFactory, UserFactory
from tests.pages import forms
from tests.queues.test_admin import errors_in, form_of
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db

PAGE = "/queues/fall-tour-sale/"
LONG_DOMAIN = ".".join(["x" * 60] * 4) + ".example"


def fan(email: str) -> User:
    return UserFactory(email=email, email_verified_at=timezone.now())


def refused(queue: Queue, user: User, entry: Entry | None = None) -> type:
    before = list(Admission.objects.order_by("pk").values())
    queue.refresh_from_db()
    with pytest.raises(Refusal) as refusal:
        services.join_queue(queue, user, entry or Entry())
    assert list(Admission.objects.order_by("pk").values()) == before
    return type(refusal.value)


@pytest.mark.parametrize("email", ["dora@fans.example.org", "eve@club.example"])
def test_audience_lets_its_addresses_and_domains_in(queue: Queue, email: str):
    services.change_guests(queue, ["Dora@fans.example.org", "club.example"])

    assert services.join_queue(queue, fan(email))[1] is True


@pytest.mark.parametrize("email", ["ed@fans.example.org", "eve@mail.club.example", "eve@notclub.example"])
def test_audience_keeps_everybody_else_out(queue: Queue, email: str):
    services.change_guests(queue, ["dora@fans.example.org", "club.example"])

    assert refused(queue, fan(email)) is refusals.NotInAudience


@pytest.mark.parametrize("email", ["dora@fans.example.org", "ed@fans.example.org"])
def test_who_is_invited_is_told_to_nobody_who_has_not_proved_the_address(queue: Queue, email: str):
    services.change_guests(queue, ["dora@fans.example.org"])
    somebody = UserFactory(email=email)

    with pytest.raises(refusals.EmailNotVerified):
        services.get_ready(queue, somebody, Entry())
    assert (services.find_needs(queue, somebody).invitation, Readiness.objects.count()) == (False, 0)
    assert refused(queue, somebody) is refusals.EmailNotVerified


@pytest.mark.parametrize("act", [services.join_queue, services.get_ready])
def test_address_that_was_only_typed_is_no_invitation_where_no_account_is_asked_for(queue: Queue, act):
    """Staff at two forms may ask for the one and the other, though neither form takes both."""
    Guest.objects.create(queue=queue, address="vera@example.org")
    Queue.objects.update(require_authentication=False)
    queue.refresh_from_db()
    eve = UserFactory(email="vera@example.org")

    with pytest.raises(refusals.EmailNotVerified):
        act(queue, eve, Entry())
    assert (services.find_needs(queue, eve).email, Admission.objects.count(), Readiness.objects.count()) == (True, 0, 0)


def test_queue_without_an_audience_is_for_all_again(queue: Queue, ben: User):
    services.change_guests(queue, ["club.example"])
    services.change_guests(queue, [])

    assert services.join_queue(queue, ben)[1] is True


def test_audience_is_asked_before_the_code(queue: Queue, ben: User):
    Queue.objects.update(require_access_code=True)
    code = AccessCodeFactory(queue=queue)
    services.change_guests(queue, ["club.example"])

    assert refused(queue, ben, Entry(code="WRONG")) is refusals.NotInAudience
    assert refused(queue, ben, Entry(code=code.code)) is refusals.NotInAudience
    code.refresh_from_db()
    assert code.use_count == 0
    with pytest.raises(refusals.NotInAudience):
        services.get_ready(queue, ben, Entry(code=code.code))
    assert Readiness.objects.count() == 0


def test_full_line_takes_nobody_more_until_somebody_has_gone(queue: Queue, ben: User, cleo: User):
    Queue.objects.update(max_waiting=2)
    AdmissionFactory(queue=queue, admitted=True)
    AdmissionFactory(queue=queue, status="left")
    first = AdmissionFactory(queue=queue)
    assert services.join_queue(queue, ben)[1] is True

    assert refused(queue, cleo) is refusals.QueueFull
    assert services.join_queue(queue, ben)[1] is False
    services.leave_queue(first)
    assert services.join_queue(queue, cleo)[1] is True


def test_full_line_is_named_last(queue: Queue, ben: User):
    Queue.objects.update(max_waiting=1, require_access_code=True)
    code = AccessCodeFactory(queue=queue)
    AdmissionFactory(queue=queue)

    assert refused(queue, ben, Entry(code="WRONG")) is refusals.AccessCodeInvalid
    assert refused(queue, ben, Entry(code=code.code)) is refusals.QueueFull
    code.refresh_from_db()
    assert code.use_count == 0


def test_join_with_every_condition_takes_four_statements(queue: Queue, ben: User):
    Queue.objects.update(max_waiting=10, require_access_code=True)
    queue.refresh_from_db()
    services.change_guests(queue, [ben.email])
    code = AccessCodeFactory(queue=queue)

    with counted_statements() as sent:
        services.join_queue(queue, ben, Entry(code=code.code))

    assert len(sent) == 4


def test_line_is_counted_for_whoever_joins_and_for_nobody_else(queue: Queue, ben: User):
    """Everyone's browser asks for the page, and a line may be long."""
    Queue.objects.update(max_waiting=10)

    with counted_statements() as sent:
        services.find_needs(queue, ben)
        services.get_ready(queue, ben, Entry())
    with counted_statements() as joining:
        services.join_queue(queue, ben)

    assert [sum("COUNT(" in statement for statement in some) for some in (sent, joining)] == [0, 1]


# Pages


def test_full_line_answers_when_to_come_back(queue: Queue, ben: User, client: Client):
    Queue.objects.update(max_waiting=1)
    AdmissionFactory(queue=queue)
    client.force_login(ben)

    answer = client.post(f"{PAGE}join/")

    assert (answer.status_code, answer["X-Refusal"], answer["Retry-After"]) == (429, "queue_full", "30")
    assert "This line is full at the moment." in answer.content.decode()


@pytest.mark.parametrize("later", [False, True])
def test_fan_who_is_not_invited_is_told_at_once(queue: Queue, ben: User, client: Client, later: bool):
    services.change_guests(queue, ["club.example"])
    if later:
        Queue.objects.update(scheduled_start=timezone.now() + timedelta(hours=1))
    client.force_login(ben)

    answer = client.get(PAGE)

    assert "your e-mail address is not among them" in answer.content.decode()
    assert [form.action for form in forms(answer) if form.action.startswith(PAGE)] == []
    refusal = client.post(f"{PAGE}join/")
    assert (refusal.status_code, refusal["X-Refusal"]) == (
        (423, "queue_not_open") if later else (403, "not_in_audience")
    )


# The desk


def test_audience_is_written_one_a_line(queue: Queue, ada: User, client: Client):
    client.force_login(ada)
    address = f"/admin/queues/queue/{queue.pk}/change/"
    form = form_of(queue.event, slug=queue.slug, max_waiting=500)

    assert client.post(address, {**form, "guests": "Dora@Example.org\r\n\r\n@club.example\r\n"}).status_code == 302
    queue.refresh_from_db()
    written = list(Guest.objects.order_by("address").values_list("queue", "address"))
    assert (queue.max_waiting, written) == (500, [(queue.pk, "club.example"), (queue.pk, "dora@example.org")])
    assert "club.example\ndora@example.org" in client.get(address).content.decode()

    refusal = client.post(address, {**form, "guests": "club.example\nnobody at home"})
    too_long = client.post(address, {**form, "guests": f"club.example\nben@{LONG_DOMAIN}"})
    assert errors_in(refusal) == ["“nobody at home” is neither an e-mail address nor a domain."]
    assert too_long.status_code == 200
    assert Guest.objects.count() == 2

    assert client.post(address, {**form, "guests": ""}).status_code == 302
    assert Guest.objects.count() == 0
