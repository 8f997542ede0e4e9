"""The organiser's desk of endpoints and facts."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Membership, Organizer, User
from tests.factories import EndpointFactory, FactFactory, MembershipFactory
from tests.statements import counted_statements
from webhooks.models import Endpoint, Fact

pytestmark = pytest.mark.django_db

ADD = "/admin/webhooks/endpoint/add/"
URL = "https://example.org/fairline"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def typed(organizer: Organizer, **fields: Any) -> dict[str, Any]:
    return {"organizer": organizer.pk, "url": URL, "types": ["order.paid"], "is_active": "on", **fields}


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def test_organiser_names_an_address_and_what_it_wants(desk: Client, organizer: Organizer):
    answer = desk.post(ADD, typed(organizer, types=["order.paid", "queue.sold_out"]))

    assert answer.status_code == 302
    assert list(Endpoint.objects.values_list("organizer", "url", "types", "is_active")) == [
        (organizer.pk, URL, ["order.paid", "queue.sold_out"], True)
    ]


def test_form_says_what_happens_and_what_does_not(desk: Client, settings: Settings):
    settings.FACTS_KEPT_DAYS = 7

    page = desk.get(ADD).content.decode()

    assert "what you choose below is recorded under “Facts” whenever it happens. It is kept for 7 days." in page
    assert "Nothing is sent to the address yet: this version records, and does not deliver." in page


def test_only_organizer_is_chosen_already(desk: Client, organizer: Organizer):
    assert desk.get(ADD).context["adminform"].form.initial["organizer"] == organizer.pk


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("my program", "This is not a web address. One looks like https://example.org/fairline."),
        ("ftp://example.org/", "The address has to begin with https://, so that nobody can listen in."),
        ("http://example.org/", "The address has to begin with https://, so that nobody can listen in."),
        (
            "https://ada:secret@example.org/",
            "Leave the name and the password out of the address: anyone may read them.",
        ),
        ("https://example.org/#here", "Leave out what follows the “#”: it would never be sent."),
    ],
)
def test_form_says_in_plain_words_what_is_wrong_with_an_address(
    desk: Client, organizer: Organizer, settings: Settings, url: str, says: str
):
    settings.DEMO = False

    answer = desk.post(ADD, typed(organizer, url=url))

    assert errors(answer) == {"url": [says]}
    assert Endpoint.objects.count() == 0


@pytest.mark.parametrize(
    ("types", "says"),
    [
        ([], "Choose at least one: an address that wants to know nothing would never hear anything."),
        (["order.lost"], "“order.lost” is not something that can be told. Choose from the list."),
    ],
)
def test_form_says_in_plain_words_what_is_wrong_with_the_types(
    desk: Client, organizer: Organizer, types: list[str], says: str
):
    answer = desk.post(ADD, typed(organizer, types=types))

    assert errors(answer) == {"types": [says]}
    assert Endpoint.objects.count() == 0


def test_demo_takes_an_address_on_this_machine(desk: Client, organizer: Organizer, settings: Settings):
    settings.DEMO = True

    desk.post(ADD, typed(organizer, url="http://localhost:9000/"))

    assert Endpoint.objects.get().url == "http://localhost:9000/"


def test_address_is_named_once_by_an_organizer(desk: Client, organizer: Organizer):
    EndpointFactory(url=URL)
    first = desk.post(ADD, typed(organizer))

    second = desk.post(ADD, typed(organizer))

    assert first.status_code == 302
    assert errors(second) == {"__all__": ["This address is there already: change the types it wants instead."]}
    assert Endpoint.objects.count() == 2


def test_endpoint_is_changed_silenced_and_removed(desk: Client, endpoint: Endpoint, organizer: Organizer):
    page = reverse("admin:webhooks_endpoint_change", args=[endpoint.pk])
    assert desk.get(page).context["adminform"].form.initial["types"] == endpoint.types

    silenced = typed(organizer)
    del silenced["is_active"]
    desk.post(page, silenced)

    assert list(Endpoint.objects.values_list("url", "types", "is_active")) == [(URL, ["order.paid"], False)]
    desk.post(reverse("admin:webhooks_endpoint_delete", args=[endpoint.pk]), {"post": "yes"})
    assert Endpoint.objects.count() == 0


def test_organiser_cannot_name_an_address_for_another(desk: Client):
    stranger = MembershipFactory().organizer

    answer = desk.post(ADD, typed(stranger))

    assert list(errors(answer)) == ["organizer"]
    assert Endpoint.objects.count() == 0


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("manager", 200), ("door", 403)])
def test_endpoints_are_for_owners_and_managers(client: Client, role: str, status: int):
    member = MembershipFactory(role=Membership.Role(role))
    client.force_login(member.user)

    assert [client.get(page).status_code for page in (ADD, "/admin/webhooks/fact/")] == [status] * 2


def test_fact_is_shown_as_it_would_be_told(desk: Client, organizer: Organizer):
    fact = FactFactory(organizer=organizer, data={"queue": {"name": "<b>General</b>"}})

    page = desk.get(reverse("admin:webhooks_fact_change", args=[fact.pk])).content.decode()

    assert "&quot;type&quot;: &quot;queue.sold_out&quot;" in page
    assert "&lt;b&gt;General&lt;/b&gt;" in page
    assert "<b>General</b>" not in page


def test_facts_are_written_by_nobody_at_the_desk(desk: Client, organizer: Organizer):
    fact = FactFactory(organizer=organizer)
    before = list(Fact.objects.values())
    pages = ["add", f"{fact.pk}/change", f"{fact.pk}/delete"]

    answers = [desk.post(f"/admin/webhooks/fact/{page}/", {"type": "order.paid", "post": "yes"}) for page in pages]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert list(Fact.objects.values()) == before


def test_lists_take_as_many_statements_for_three_as_for_one(desk: Client, organizer: Organizer):
    numbers = []
    for rows in (1, 2):
        EndpointFactory.create_batch(rows, organizer=organizer)
        FactFactory.create_batch(rows, organizer=organizer)
        with counted_statements() as sent:
            desk.get("/admin/webhooks/endpoint/")
            desk.get("/admin/webhooks/fact/")
        numbers.append(len(sent))

    assert numbers == [11, 11]
