"""Access codes at the organiser's desk."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from queues import services
from queues.conditions import AccessCode, AccessCodeUse
from queues.models import Queue
from queues.refusals import MaxUsesBelowUsed
from tests.factories import AccessCodeFactory, MembershipFactory, QueueFactory
from tests.queues.test_admin import ASKED, errors_in, form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def presale(queue: Queue) -> Queue:
    Queue.objects.filter(pk=queue.pk).update(require_access_code=True)
    queue.refresh_from_db()
    return queue


def address(queue: Queue, action: str) -> str:
    return f"/admin/queues/queue/{queue.pk}/{action}/"


def said(desk: Client, queue: Queue, action: str, **typed: Any) -> list[str]:
    answer = desk.post(address(queue, action), {**ASKED, **typed}, follow=True)
    return [str(message) for message in answer.context["messages"]]


def code_form(queue: Queue, *, initial: int = 0, **fields: Any) -> dict[str, Any]:
    row = {"code": "FALLVIBES2024", "max_uses": 5000, "description": "", "is_active": "on", **fields}
    form = form_of(queue.event, slug=queue.slug, require_access_code="on", metadata="{}")
    form |= {"access_codes-TOTAL_FORMS": 1, "access_codes-INITIAL_FORMS": initial}
    return {**form, **{f"access_codes-0-{name}": value for name, value in row.items()}}


def existing(code: AccessCode, **fields: Any) -> dict[str, Any]:
    return code_form(code.queue, initial=1, **{"id": code.pk, "code": code.code, **fields})


def test_codes_are_set_up_beside_the_queue_in_the_zone_of_its_event(desk: Client, queue: Queue):
    queue.event.time_zone = "America/New_York"
    queue.event.save(update_fields=["time_zone"])
    times: dict[str, Any] = {"valid_from": "2030-08-28T10:00", "valid_until": "2030-08-28T22:00"}

    answer = desk.post(
        address(queue, "change"), code_form(queue, code=" fallvibes2024 ", description="Artist fan club", **times)
    )

    assert answer.status_code == 302
    queue.refresh_from_db()
    assert queue.require_access_code is True
    assert AccessCode.objects.values_list(
        "queue", "code", "max_uses", "use_count", "description", "is_active", "valid_from", "valid_until"
    ).get() == (
        queue.pk,
        "FALLVIBES2024",
        5000,
        0,
        "Artist fan club",
        True,
        datetime(2030, 8, 28, 14, tzinfo=UTC),
        datetime(2030, 8, 29, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"code": "FALL VIBES"}, "A code is made of letters A to Z, digits and hyphens."),
        ({"code": "X" * 21}, "Ensure this value has at most 20 characters (it has 21)."),
        ({"max_uses": 0}, "Ensure this value is greater than or equal to 1."),
        (
            {"valid_from": "2030-08-28T10:00", "valid_until": "2030-08-28T09:00"},
            "A code must become valid before it expires.",
        ),
    ],
)
def test_form_says_what_a_code_cannot_be(desk: Client, queue: Queue, fields: dict, sentence: str):
    assert errors_in(desk.post(address(queue, "change"), code_form(queue, **fields))) == [sentence]
    assert AccessCode.objects.count() == 0


def test_counter_is_read_only_and_what_was_not_changed_stays(desk: Client, presale: Queue, monkeypatch: Any):
    code = AccessCodeFactory(queue=presale, code="FALLVIBES2024", max_uses=5)
    save = AccessCode.save

    def save_after_a_use(self: AccessCode, **fields: Any) -> None:
        AccessCode.objects.filter(pk=code.pk).update(use_count=1)
        save(self, **fields)

    monkeypatch.setattr(AccessCode, "save", save_after_a_use)
    assert desk.post(address(presale, "change"), existing(code, use_count=99, max_uses=7)).status_code == 302

    code.refresh_from_db()
    assert (code.use_count, code.max_uses) == (1, 7)


def test_fewer_uses_than_taken_are_refused_in_plain_words(desk: Client, presale: Queue):
    code = AccessCodeFactory(queue=presale, max_uses=5, use_count=3)

    refused = desk.post(address(presale, "change"), existing(code, max_uses=2))

    assert errors_in(refused) == ["More fans than that have used this code already."]
    assert AccessCode.objects.get().max_uses == 5


def test_form_is_looked_at_again_when_a_code_was_used_while_it_was_saved(
    desk: Client, presale: Queue, monkeypatch: Any
):
    code = AccessCodeFactory(queue=presale, max_uses=5)
    change = services.change_max_uses
    tried: list[int] = []

    def change_too_late_once(row: AccessCode, max_uses: int) -> None:
        tried.append(max_uses)
        if len(tried) == 1:
            raise MaxUsesBelowUsed
        change(row, max_uses)

    monkeypatch.setattr(services, "change_max_uses", change_too_late_once)
    assert desk.post(address(presale, "change"), existing(code, max_uses=2)).status_code == 302

    assert (tried, AccessCode.objects.get().max_uses) == ([2, 2], 2)


def test_code_cannot_be_deleted_but_made_inactive(desk: Client, presale: Queue, ben: User):
    code = AccessCodeFactory(queue=presale, max_uses=5)
    AccessCodeUse.objects.create(code=code, queue=code.queue, user=ben)

    form = existing(code, max_uses=5, DELETE="on")
    del form["access_codes-0-is_active"]
    assert desk.post(address(presale, "change"), form).status_code == 302

    assert AccessCode.objects.values_list("is_active", flat=True).get() is False


def test_codes_are_made_in_bulk(desk: Client, presale: Queue):
    assert said(desk, presale, "make_codes", count=30, prefix="fan-", max_uses=2, description="Fan club") == [
        "General sale: 30 codes made."
    ]

    made = AccessCode.objects.filter(queue=presale)
    assert set(made.values_list("max_uses", "description")) == {(2, "Fan club")}
    assert (made.count(), {code.code[:4] for code in made}) == (30, {"FAN-"})


@pytest.mark.parametrize("typed", [{"count": 0}, {"count": 1001}, {"count": 5, "prefix": "X" * 13}, {"max_uses": 0}])
def test_dialog_asks_again_for_what_makes_no_sense(desk: Client, presale: Queue, typed: dict):
    answer = desk.post(address(presale, "make_codes"), {**ASKED, "count": 5, "max_uses": 1, **typed})

    assert (answer.status_code, bool(answer.context["form"].errors)) == (200, True)
    assert AccessCode.objects.count() == 0


def test_staff_see_why_a_code_does_not_work(desk: Client, presale: Queue):
    AccessCodeFactory(queue=presale, code="GOOD", max_uses=5, use_count=2)
    AccessCodeFactory(queue=presale, code="GONE", max_uses=5, use_count=5)

    found = [said(desk, presale, "check_code", code=typed) for typed in (" good", "GONE", "NEVER")]

    assert found == [
        ["GOOD: It works. Used by 2 of 5 fans."],
        ["GONE: It is used up. Used by 5 of 5 fans."],
        ["NEVER: This queue has no such code."],
    ]


def test_codes_are_downloaded_as_csv(desk: Client, presale: Queue):
    AccessCodeFactory(queue=presale, code="FALLVIBES2024", max_uses=5, use_count=2, description="=1+1")
    AccessCodeFactory(queue=QueueFactory(event=presale.event), code="ELSEWHERE")

    answer = desk.get(address(presale, "download_codes"))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.decode().splitlines() == [
        "code,max_uses,use_count,is_active,valid_from,valid_until,description",
        "FALLVIBES2024,5,2,True,,,'=1+1",
    ]


def test_codes_are_offered_only_where_the_queue_asks_for_one(desk: Client, queue: Queue):
    page = address(queue, "change")
    assert address(queue, "make_codes") not in desk.get(page).content.decode()

    Queue.objects.update(require_access_code=True)

    html = desk.get(page).content.decode()
    assert [name for name in ("make_codes", "check_code", "download_codes") if address(queue, name) not in html] == []


@pytest.mark.parametrize("action", ["make_codes", "check_code", "download_codes"])
def test_codes_of_another_house_are_out_of_reach(client: Client, presale: Queue, action: str):
    code = AccessCodeFactory(queue=presale)
    client.force_login(MembershipFactory().user)
    typed = {**ASKED, "count": 5, "max_uses": 1, "code": code.code}

    answers = [client.post(address(presale, action), typed), client.get(address(presale, action))]

    assert code.code not in "".join(answer.content.decode() for answer in answers)
    assert answers[0].status_code in {302, 403, 404}
    assert AccessCode.objects.count() == 1


def test_page_of_a_queue_with_many_codes_shows_some_at_a_time(desk: Client, presale: Queue):
    services.make_access_codes(presale, count=100)

    shown = desk.get(address(presale, "change")).content.decode()

    assert sum(f'name="access_codes-{n}-code"' in shown for n in range(100)) == 20
