"""Word from the organiser to the line."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import mailbox
from accounts.models import Letter, User
from queues import services, tasks
from queues.models import Admission, Notice, Queue
from queues.refusals import NobodyWaiting, NoticeOut
from queues.services import notices
from tests.factories import AdmissionFactory, NoticeFactory, QueueFactory

pytestmark = pytest.mark.django_db

TEXT = "The band is late. <b>Stay</b>."


def told() -> list[str]:
    return list(Letter.objects.order_by("pk").values_list("to", flat=True))


def progress(notice: Notice) -> tuple[int, int, bool]:
    notice.refresh_from_db()
    return notice.told_count, notice.reader_count, notice.finished_at is not None


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Batches of two."""
    monkeypatch.setattr(notices, "TOLD_AT_ONCE", 2)
    return 2


def test_notice_goes_to_everyone_who_waits_and_to_nobody_else(queue: Queue, ada: User, ben: User, cleo: User):
    AdmissionFactory(queue=queue, user=ben)
    AdmissionFactory(queue=queue, user=cleo, admitted=True)
    AdmissionFactory(queue=queue, status="left")
    AdmissionFactory(queue=QueueFactory(event=queue.event))

    notice = services.notify_waiting(queue, text=TEXT, created_by=ada)
    tasks.tell_waiting_fans()
    tasks.tell_waiting_fans()

    letter = Letter.objects.get()
    assert (letter.to, letter.subject, letter.kind) == (ben.email, "News about your place in line: Fall Tour", "mass")
    assert letter.text.startswith(
        'Hello Ben,\n\nThe organiser of Fall Tour writes to everyone in the line "General sale":\n\n'
        f"{TEXT}\n\nSee your place in line:\nhttp://127.0.0.1:8000/queues/fall-tour-sale/\n"
    )
    assert "The band is late. &lt;b&gt;Stay&lt;/b&gt;." in letter.html
    assert (progress(notice), notice.created_by) == ((1, 1, True), ada)


def test_notice_goes_out_in_batches_in_the_order_of_the_line(queue: Queue, ada: User, few: int):
    line = AdmissionFactory.create_batch(5, queue=queue)
    notice = services.notify_waiting(queue, text=TEXT, created_by=ada)

    assert services.tell_next_fans() == (notice.pk, few)
    assert (told(), progress(notice)) == ([fan.user.email for fan in line[:2]], (2, 5, False))

    tasks.tell_waiting_fans()
    assert (told(), progress(notice)) == ([fan.user.email for fan in line], (5, 5, True))


def test_notice_of_just_one_batch_is_finished(queue: Queue, ada: User, few: int):
    AdmissionFactory.create_batch(few, queue=queue)
    notice = services.notify_waiting(queue, text=TEXT, created_by=ada)

    tasks.tell_waiting_fans()

    assert (len(told()), progress(notice)) == (2, (2, 2, True))


def test_whoever_comes_later_is_not_told_nor_whoever_comes_back(queue: Queue, ada: User, ben: User, few: int):
    first = AdmissionFactory(queue=queue)
    own = AdmissionFactory(queue=queue, user=ben)
    last = AdmissionFactory(queue=queue)
    notice = services.notify_waiting(queue, text=TEXT, created_by=ada)
    services.tell_next_fans()
    services.leave_queue(own)
    services.join_queue(queue, ben)
    AdmissionFactory(queue=queue)

    tasks.tell_waiting_fans()

    assert (told(), progress(notice)) == ([first.user.email, ben.email, last.user.email], (3, 3, True))


def test_two_notices_go_to_everyone_once_each(queue: Queue, ada: User, few: int):
    line = AdmissionFactory.create_batch(3, queue=queue)
    for _ in range(2):
        services.notify_waiting(queue, text=TEXT, created_by=ada)

    tasks.tell_waiting_fans()

    assert told() == [fan.user.email for fan in line] * 2


def test_batch_that_breaks_off_is_sent_whole_by_the_next_sweep(
    queue: Queue, ada: User, few: int, monkeypatch: pytest.MonkeyPatch
):
    line = AdmissionFactory.create_batch(3, queue=queue)
    notice = services.notify_waiting(queue, text=TEXT, created_by=ada)
    post_to_each = mailbox.post_to_each

    def post_and_die(*args: Any, **options: Any) -> None:
        post_to_each(*args, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(mailbox, "post_to_each", post_and_die)
        with pytest.raises(KeyboardInterrupt):
            tasks.tell_waiting_fans()
    assert (told(), progress(notice)) == ([], (0, 3, False))

    tasks.tell_waiting_fans()

    assert (told(), progress(notice)) == ([fan.user.email for fan in line], (3, 3, True))


def test_notice_that_cannot_be_posted_does_not_stop_the_others(
    queue: Queue, ada: User, monkeypatch: pytest.MonkeyPatch
):
    fan = AdmissionFactory(queue=queue)
    broken, _ = (services.notify_waiting(queue, text=TEXT, created_by=ada) for _ in range(2))
    tell_fans = notices.tell_fans
    monkeypatch.setattr(notices, "tell_fans", lambda pk: 1 / 0 if pk == broken.pk else tell_fans(pk))

    tasks.tell_waiting_fans()

    assert (told(), progress(broken)) == ([fan.user.email], (0, 1, False))


def test_notice_that_is_stopped_goes_no_further(queue: Queue, ada: User, few: int):
    AdmissionFactory.create_batch(5, queue=queue)
    notice = services.notify_waiting(queue, text=TEXT, created_by=ada)
    services.tell_next_fans()
    gone = Letter.objects.order_by("pk").first()
    assert gone is not None
    Letter.objects.filter(pk=gone.pk).update(status="sent", sent_at=timezone.now())

    kept_back = services.stop_notice(notice)
    tasks.tell_waiting_fans()

    assert (kept_back, list(Letter.objects.order_by("pk").values_list("status", flat=True))) == (
        1,
        ["sent", "withdrawn"],
    )
    assert (progress(notice), notice.is_stopped) == ((2, 5, True), True)


def test_letter_that_is_being_sent_is_not_kept_back(queue: Queue, ada: User):
    AdmissionFactory(queue=queue)
    notice = services.notify_waiting(queue, text=TEXT, created_by=ada)
    tasks.tell_waiting_fans()
    Letter.objects.update(leased_until=timezone.now() + timedelta(minutes=1))

    with pytest.raises(NoticeOut):
        services.stop_notice(notice)

    assert (Letter.objects.get().status, Notice.objects.get().stopped_at) == ("queued", None)


def test_stopping_keeps_no_other_letter_back(queue: Queue, ada: User):
    AdmissionFactory(queue=queue)
    first, second = (services.notify_waiting(queue, text=TEXT, created_by=ada) for _ in range(2))
    tasks.tell_waiting_fans()

    services.stop_notice(first)

    assert services.measure_progress(first) == services.Progress(sent=0, failed=0, queued=0, readers=1)
    assert services.measure_progress(second) == services.Progress(sent=0, failed=0, queued=1, readers=1)


def test_notice_to_nobody_is_refused(queue: Queue, ada: User):
    AdmissionFactory(queue=queue, admitted=True)

    with pytest.raises(NobodyWaiting):
        services.notify_waiting(queue, text=TEXT, created_by=ada)

    assert not Notice.objects.exists()


def test_notice_never_says_that_more_were_told_than_waited():
    with pytest.raises(ValidationError, match="notice_goes_to_nobody_who_came_later"):
        NoticeFactory.build(told_count=2).validate_constraints()


def test_message_to_the_line_is_on_the_board_at_once(queue: Queue, django_capture_on_commit_callbacks: Any):
    said = []
    for text in ("We are a little late.", ""):
        with django_capture_on_commit_callbacks(execute=True):
            services.change_message(queue, text=text)
        said.append(services.read_board(queue).message)

    assert said == ["We are a little late.", ""]


def test_fan_who_waits_in_a_queue_that_ends_before_the_notice_came_is_freed_once(queue: Queue, ada: User):
    AdmissionFactory(queue=queue)
    notice = services.notify_waiting(queue, text=TEXT, created_by=ada)
    Queue.objects.update(closed_at=timezone.now())

    tasks.free_waiting_fans()
    tasks.tell_waiting_fans()

    assert (Letter.objects.count(), Admission.objects.waiting().count()) == (1, 0)
    assert progress(notice) == (0, 1, True)
