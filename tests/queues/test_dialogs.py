"""What an organiser says and gives to the line, by the dialogs of the queue's page."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from accounts.models import Letter, User
from queues import locks, services, tasks
from queues.models import Admission, Notice, Queue
from tests.factories import AdmissionFactory, MembershipFactory, NoticeFactory
from tests.racing import uncommitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    """Ada at her desk."""
    client.force_login(ada)
    return client


def press(desk: Client, queue: Queue, action: str, **typed: Any) -> Any:
    path = f"/admin/queues/queue/{queue.pk}/{action}/"
    return desk.post(path, {"_form_submitted": "True", **typed}, follow=True)


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def logged() -> list[tuple[str, str, str]]:
    return [(str(entry.user), entry.object_repr, entry.change_message) for entry in LogEntry.objects.order_by("pk")]


def test_message_to_the_line_is_changed_and_taken_away(desk: Client, queue: Queue):
    first = said(press(desk, queue, "message", text="We are late."))
    queue.refresh_from_db()
    shown = desk.get(f"/admin/queues/queue/{queue.pk}/message/").content.decode()

    assert (queue.message, first) == ("We are late.", ["General sale: Message to the line: “–” → “We are late.”"])
    assert "We are late.</textarea>" in shown

    press(desk, queue, "message", text="")
    queue.refresh_from_db()
    assert queue.message == ""


def test_everyone_who_waits_is_written_to_and_the_progress_shown(desk: Client, queue: Queue, ada: User, ben: User):
    AdmissionFactory(queue=queue, user=ben)
    page = press(desk, queue, "notify", text="We are late.")

    assert said(page) == ["General sale: Everyone who waits is written to: “We are late.”"]
    assert "0 of 1 sent, 0 failed, going out" in page.content.decode()
    tasks.tell_waiting_fans()
    assert "0 of 1 sent, 0 failed, going out" in desk.get("/admin/queues/notice/").content.decode()
    Letter.objects.update(status="sent", sent_at=timezone.now())
    assert "1 of 1 sent, 0 failed, done" in desk.get(f"/admin/queues/queue/{queue.pk}/change/").content.decode()
    assert "1 of 1 sent, 0 failed, done" in desk.get("/admin/queues/notice/").content.decode()
    assert Notice.objects.values_list("created_by", flat=True).get() == ada.pk
    assert Letter.objects.values_list("to", flat=True).get() == ben.email


def test_notice_to_nobody_is_refused_in_plain_words(desk: Client, queue: Queue):
    assert said(press(desk, queue, "notify", text="Hello?")) == ["Nobody is waiting in this line."]
    assert (Notice.objects.count(), logged()) == (0, [])


def test_empty_notice_and_endless_one_are_not_sent(desk: Client, queue: Queue):
    AdmissionFactory(queue=queue)
    answers = [press(desk, queue, "notify", text=text).context["form"].errors for text in ("", " ", "x" * 2001)]
    assert [list(errors) for errors in answers] == [["text"]] * 3
    assert not Notice.objects.exists()


def test_all_windows_are_extended_by_some_minutes(desk: Client, queue: Queue):
    ends_at = timezone.now() + timedelta(minutes=1)
    AdmissionFactory(queue=queue, admitted=True, window_ends_at=ends_at)

    assert said(press(desk, queue, "extend", minutes=5)) == ["General sale: 5 more minutes for 1 fan inside."]
    assert Admission.objects.get().window_ends_at == ends_at + timedelta(minutes=5)


@pytest.mark.parametrize("minutes", ["0", "-5", "61", "soon", ""])
def test_minutes_that_make_no_sense_are_asked_for_again(desk: Client, queue: Queue, minutes: str):
    AdmissionFactory(queue=queue, admitted=True)
    before = list(Admission.objects.values())

    errors = press(desk, queue, "extend", minutes=minutes).context["form"].errors
    assert errors == {"minutes": ["Please give between 1 and 60 minutes." if minutes else "This field is required."]}
    assert list(Admission.objects.values()) == before


def test_extension_for_nobody_is_refused_in_plain_words(desk: Client, queue: Queue):
    assert said(press(desk, queue, "extend", minutes=5)) == ["Nobody is inside just now."]


@pytest.mark.parametrize("action", ["message", "notify", "pace", "extend"])
def test_dialog_about_another_house_s_queue_does_not_exist(client: Client, queue: Queue, action: str):
    client.force_login(MembershipFactory().user)
    path = f"/admin/queues/queue/{queue.pk}/{action}/"

    assert [client.get(path).status_code, client.post(path, {"text": "x"}).status_code] == [403, 403]


def test_message_is_one_line_and_never_markup(desk: Client, queue: Queue):
    page = press(desk, queue, "message", text="<b>Late</b>\n <script>alert(1)</script>")
    queue.refresh_from_db()

    assert queue.message == "<b>Late</b> <script>alert(1)</script>"
    assert "<script>alert(1)" not in page.content.decode()


def test_pace_is_changed_from_the_next_tick_on(desk: Client, queue: Queue):
    AdmissionFactory.create_batch(3, queue=queue)
    Queue.objects.update(max_concurrent_admissions=1)
    services.tick_queue(queue.pk)
    inside = [Admission.objects.admitted().count()]

    page = press(desk, queue, "pace", rate_per_minute=6000, most_inside=2)
    for _ in range(2):
        services.tick_queue(queue.pk)

    assert said(page) == ["General sale: People let in a minute: 300 → 6000. Inside at once: 1 → 2."]
    assert [*inside, Admission.objects.admitted().count()] == [1, 2]


def test_pace_begins_with_how_it_is(desk: Client, queue: Queue):
    shown = desk.get(f"/admin/queues/queue/{queue.pk}/pace/").context["form"]
    assert [shown[name].value() for name in ("rate_per_minute", "most_inside")] == [300, 200]


@pytest.mark.parametrize(("rate", "most"), [("0", "1"), ("1", "0"), ("", "x"), ("-1", "2147483648")])
def test_pace_that_lets_nobody_in_is_asked_for_again(desk: Client, queue: Queue, rate: str, most: str):
    before = Queue.objects.values().get()

    assert press(desk, queue, "pace", rate_per_minute=rate, most_inside=most).context["form"].errors
    assert (Queue.objects.values().get(), logged()) == (before, [])


def test_pace_of_a_closed_queue_is_refused(desk: Client, queue: Queue):
    Queue.objects.update(closed_at=timezone.now())

    press(desk, queue, "pace", rate_per_minute=1, most_inside=1)

    assert (Queue.objects.get().max_concurrent_admissions, logged()) == (200, [])


def test_notice_is_stopped_from_its_page(desk: Client, queue: Queue):
    AdmissionFactory.create_batch(2, queue=queue)
    press(desk, queue, "notify", text="We are late.")
    tasks.tell_waiting_fans()
    notice = Notice.objects.get()

    first, again = (
        said(desk.post(f"/admin/queues/notice/{notice.pk}/stop/", {"_form_submitted": "True"}, follow=True))
        for _ in range(2)
    )

    assert first == ["We are late.: Stopped; 2 letters were kept back."]
    assert again == ["There is nothing to stop: every letter has gone out, or was stopped before."]
    assert "0 of 2 sent, 0 failed, stopped" in desk.get("/admin/queues/notice/").content.decode()
    assert set(Letter.objects.values_list("status", flat=True)) == {"withdrawn"}


def test_notice_of_another_house_is_not_stopped(client: Client, queue: Queue):
    notice = NoticeFactory(queue=queue)
    client.force_login(MembershipFactory().user)

    answer = client.post(f"/admin/queues/notice/{notice.pk}/stop/", {"_form_submitted": "True"})

    notice.refresh_from_db()
    assert (answer.status_code, notice.stopped_at) == (403, None)


def test_notice_is_read_only(desk: Client, queue: Queue):
    notice = NoticeFactory(queue=queue)
    page = f"/admin/queues/notice/{notice.pk}/change/"

    assert desk.get(page).status_code == 200
    assert desk.post(page, {"text": "x"}).status_code == 403


def test_each_act_is_in_the_log_with_who_and_what(desk: Client, queue: Queue, ada: User):
    AdmissionFactory(queue=queue)
    AdmissionFactory(queue=queue, admitted=True)
    acts: dict[str, dict[str, Any]] = {
        "message": {"text": "Late."},
        "notify": {"text": "Very late."},
        "pace": {"rate_per_minute": 60, "most_inside": 100},
        "extend": {"minutes": 5},
        "pause": {},
        "resume": {},
        "close": {},
    }
    for action, typed in acts.items():
        press(desk, queue, action, **typed)

    assert logged() == [
        ("ada@example.org", "General sale", what)
        for what in (
            "Message to the line: “–” → “Late.”",
            "Everyone who waits is written to: “Very late.”",
            "People let in a minute: 300 → 60. Inside at once: 200 → 100.",
            "5 more minutes for 1 fan inside.",
            "Paused.",
            "Resumed.",
            "Closed.",
        )
    ]


@pytest.mark.django_db(transaction=True)
def test_closing_under_a_line_that_stays_busy_says_so_and_is_not_logged(
    desk: Client, queue: Queue, ben: User, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(locks, "LONG_LINE_WAIT_MS", 50)

    with uncommitted(lambda: services.join_queue(queue, ben)):
        answer = press(desk, queue, "close")

    assert said(answer) == ["There is a lot going on right now. Nothing is lost: please try again in a moment."]
    assert (Queue.objects.get().closed_at, logged()) == (None, [])
