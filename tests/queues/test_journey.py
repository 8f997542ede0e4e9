from datetime import timedelta

import pytest
from django.core import signing
from django.utils import timezone

from accounts.models import User
from queues import admittance, services
from queues.board import Board
from queues.journey import Journey, Stage, WaitRange, estimate_wait, journey_of
from queues.models import Admission, Phase, Queue
from queues.refusals import AdmittanceInvalid
from tests.factories import AdmissionFactory

pytestmark = pytest.mark.django_db


def journey(queue: Queue, user: User) -> Journey:
    standing = services.find_standing(queue, user)
    return journey_of(queue, standing, services.publish_board(queue.pk), now=timezone.now())


def expected(queue: Queue, **facts: object) -> Journey:
    nothing = {"place": None, "position": None, "people_ahead": None, "estimated_wait": None, "reason": ""}
    turn = {"admittance_token": None, "admittance_expires_at": None, "order_code": ""}
    known = {"phase": Phase.OPEN, "queue_size": 0, "starts_at": queue.scheduled_start}
    return Journey(**{**nothing, **turn, **known, **facts})  # type: ignore[arg-type]


def test_journey_has_not_started_before_joining(queue: Queue, ben: User):
    AdmissionFactory(queue=queue)

    assert journey(queue, ben) == expected(queue, stage=Stage.NOT_STARTED, queue_size=1)


def test_journey_in_line_tells_place_position_and_wait(queue: Queue, ben: User):
    AdmissionFactory.create_batch(2, queue=queue)
    own = AdmissionFactory(queue=queue, user=ben)
    AdmissionFactory(queue=queue)
    Queue.objects.update(admission_rate_per_minute=60, max_concurrent_admissions=10, admission_window_seconds=600)
    queue.refresh_from_db()

    assert journey(queue, ben) == expected(
        queue,
        stage=Stage.WAITING,
        place=own.place,
        position=3,
        people_ahead=2,
        estimated_wait=WaitRange(low=2, high=120),
        queue_size=4,
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"window_ends_at": timezone.now()}, ""),
        ({"claim_ends_at": timezone.now()}, "absent"),
        ({"claim_ends_at": timezone.now(), "window_ends_at": timezone.now()}, "absent"),
    ],
)
def test_journey_of_a_turn_that_is_over_has_expired_before_the_sweep_says_so(
    admission: Admission, queue: Queue, ben: User, fields: dict, reason: str
):
    Admission.objects.update(**fields)
    before = journey(queue, ben)
    services.expire_lapsed_admissions(queue.pk)

    assert before == journey(queue, ben) == expected(queue, stage=Stage.EXPIRED, reason=reason)


def test_journey_of_a_turn_with_a_hold_goes_on_until_the_sweep_has_ended_both(
    admission: Admission, queue: Queue, ben: User
):
    Admission.objects.update(has_hold=True, window_ends_at=timezone.now())

    assert journey(queue, ben).stage == Stage.ADMITTED


def test_journey_at_the_turn_brings_the_token(admission: Admission, queue: Queue, ben: User):
    own = journey(queue, ben)

    assert own == expected(
        queue,
        stage=Stage.ADMITTED,
        admittance_token=own.admittance_token,
        admittance_expires_at=admission.window_ends_at,
    )
    assert admittance.read_token(own.admittance_token or "", user=ben) == admission.public_id


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("completed", Stage.COMPLETED),
        ("expired", Stage.EXPIRED),
        ("left", Stage.NOT_STARTED),
        ("denied", Stage.NOT_STARTED),
    ],
)
def test_journey_that_has_ended_opens_nothing(queue: Queue, ben: User, status: str, stage: Stage):
    AdmissionFactory(queue=queue, user=ben, status=status, order_code="ABCDEFGH", reason="queue_closed")

    assert journey(queue, ben) == expected(queue, stage=stage, order_code="ABCDEFGH", reason="queue_closed")


def test_journey_tells_the_phase(queue: Queue, ben: User):
    Queue.objects.update(scheduled_start=timezone.now() + timedelta(minutes=1))
    queue.refresh_from_db()

    assert journey(queue, ben) == expected(queue, stage=Stage.NOT_STARTED, phase=Phase.SCHEDULED)


@pytest.mark.parametrize(
    ("low", "high", "wait"),
    [(20.0, 300.0, WaitRange(20, 300)), (0.0, 300.0, WaitRange(20, None)), (0.0, 0.0, WaitRange(0, None))],
)
def test_wait_is_a_range_by_the_rate_of_the_board(queue: Queue, low: float, high: float, wait: WaitRange):
    facts = {**services.publish_board(queue.pk).__dict__, "rate": {"low": low, "high": high}}

    assert estimate_wait(100, Board(**facts)) == wait


def test_token_is_read_by_its_own_fan_only(admission: Admission, token: str, ben: User, cleo: User):
    assert admittance.read_token(token, user=ben) == admission.public_id
    with pytest.raises(AdmittanceInvalid):
        admittance.read_token(token, user=cleo)


@pytest.mark.parametrize("broken", ["", "x", "a:b:c", "é", "A" * 5000])
def test_what_is_no_token_opens_nothing(ben: User, broken: str):
    with pytest.raises(AdmittanceInvalid):
        admittance.read_token(broken, user=ben)


def test_changed_or_foreign_signature_opens_nothing(admission: Admission, token: str, ben: User):
    payload = [str(admission.public_id), ben.pk]
    forged = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        signing.dumps(payload, salt="something else"),
        signing.dumps(payload, salt=admittance.SALT, key="another key"),
        signing.dumps(["no uuid", ben.pk], salt=admittance.SALT),
        signing.dumps([ben.pk], salt=admittance.SALT),
    ]

    for each in forged:
        with pytest.raises(AdmittanceInvalid):
            admittance.read_token(each, user=ben)
