"""The board: what everyone may know of a queue."""

import json
import random
from datetime import datetime, timedelta

import pytest
import redis
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from events.models import Tier
from queues import board as boards
from queues import services
from queues.board import Board, people_ahead
from queues.models import Admission, Queue
from tests.factories import AdmissionFactory, QueueFactory

pytestmark = pytest.mark.django_db


def stand_in_line(queue: Queue, number: int) -> list[Admission]:
    """Put many fans in line at once."""
    first = User.objects.count()
    fans = User.objects.bulk_create([User(email=f"crowd{first + n}@example.org") for n in range(number)])
    return Admission.objects.bulk_create([Admission(queue=queue, user=fan) for fan in fans])


def url(queue: Queue) -> str:
    return f"/api/v1/queues/{queue.slug}/board/"


def test_board_tells_what_everyone_may_know(queue: Queue, vip: Tier):
    queue.scheduled_end = timezone.now() + timedelta(hours=1)
    queue.message = "Doors are at seven."
    queue.save()
    Tier.objects.filter(pk=vip.pk).update(reserved_count=5)
    AdmissionFactory(queue=queue, admitted=True)
    first, second = AdmissionFactory.create_batch(2, queue=queue)

    services.publish_board(queue.pk)

    told = json.loads(boards.read_json(queue.slug) or b"")
    assert abs(datetime.fromisoformat(told.pop("as_of")) - timezone.now()) < timedelta(seconds=10)
    assert told == {
        "phase": "open",
        "opens_at": queue.scheduled_start.isoformat().replace("+00:00", "Z"),
        "closes_at": queue.scheduled_end.isoformat().replace("+00:00", "Z"),
        "waiting": 2,
        "admitted": 1,
        "admitted_through": first.place - 1,
        "places_given": second.place,
        "marks": [[first.place, 0], [second.place, 1]],
        "rate": {"low": 20.0, "high": 20.0},
        "held_up_by": "",
        "tiers": [{"tier": "vip", "level": "gone"}, {"tier": "floor", "level": "plenty"}],
        "message": "Doors are at seven.",
        "near_seconds": 2.0,
        "far_seconds": 2.0,
    }


def test_board_of_an_empty_line(queue: Queue):
    last = AdmissionFactory(queue=queue, admitted=True)

    board = services.publish_board(queue.pk)

    assert (board.waiting, board.marks, board.admitted_through, board.closes_at) == (0, [], last.place, None)


def test_board_before_anybody_came(queue: Queue):
    board = services.publish_board(queue.pk)

    assert (board.waiting, board.admitted_through) == (0, board.places_given)


def test_board_names_only_the_tiers_of_its_queue(queue: Queue, floor: Tier):
    queue.tiers.add(floor)

    assert services.publish_board(queue.pk).tiers == [{"tier": "floor", "level": "plenty"}]


def test_board_counts_only_its_own_queue(queue: Queue):
    AdmissionFactory(queue=QueueFactory(event=queue.event))
    AdmissionFactory(queue=QueueFactory(event=queue.event), admitted=True)

    board = services.publish_board(queue.pk)

    assert (board.waiting, board.admitted, board.marks) == (0, 0, [])


def test_board_survives_its_json(queue: Queue):
    stand_in_line(queue, 3)
    board = services.publish_board(queue.pk)

    read = Board.from_json(board.as_json())

    assert read.as_json() == board.as_json()
    assert [read.people_ahead(place) for place, _ in board.marks] == [0, 1, 2]


@pytest.mark.parametrize("waiting", [1, 100, 101, 102, 199, 200, 201, 1500])
def test_position_is_exact_in_front_and_off_by_a_hundredth_behind(queue: Queue, waiting: int):
    """With gaps: those who left, and those of other queues, take places that nobody stands on."""
    line = stand_in_line(queue, waiting)
    chance = random.Random(waiting)
    leavers = chance.sample(line, waiting // 4) + line[waiting // 2 : waiting // 2 + waiting // 10]
    Admission.objects.filter(pk__in=[admission.pk for admission in leavers]).update(status="left")
    places = list(Admission.objects.waiting().in_line_order().values_list("place", flat=True))

    board = services.publish_board(queue.pk)

    errors = [abs(board.people_ahead(place) - ahead) for ahead, place in enumerate(places)]
    assert board.waiting == len(places)
    assert len(board.marks) <= 201
    assert max(errors[:100], default=0) == 0
    assert max(errors) <= len(places) / 100


def test_place_behind_the_last_mark_is_behind_everybody():
    marks = [(10, 0), (20, 1)]

    def shown(place: int) -> int:
        return people_ahead(marks, place, waiting=2, places_given=30)

    assert [shown(place) for place in (5, 10, 14, 15, 20, 21, 30)] == [0, 0, 0, 1, 1, 2, 2]
    assert people_ahead([], 7, waiting=0, places_given=7) == 0


def test_place_given_after_the_board_was_made_is_behind_those_given_in_between():
    """So many at most can have joined this queue; were they left out, the next board would worsen the position."""
    marks = [(10, 0), (20, 1)]

    shown = [people_ahead(marks, place, waiting=2, places_given=30) for place in (31, 32, 40)]

    assert shown == [2, 3, 11]


def test_position_of_a_late_comer_only_gets_better(queue: Queue):
    stand_in_line(queue, 3)
    before = services.publish_board(queue.pk)
    AdmissionFactory(queue=QueueFactory(event=queue.event))
    late = stand_in_line(queue, 4)

    after = services.publish_board(queue.pk)

    assert [after.people_ahead(fan.place) for fan in late] == [3, 4, 5, 6]
    assert [before.people_ahead(fan.place) for fan in late] == [4, 5, 6, 7]


def test_board_of_another_release_is_made_anew(queue: Queue):
    get_redis_connection("default").set(boards.key(queue.slug), json.dumps({"phase": "scheduled"}))

    assert services.read_board(queue).phase == "open"
    assert services.board_json(queue.slug) == services.read_board(queue).as_json()


@given(
    places=st.lists(st.integers(1, 10_000), min_size=1, max_size=300, unique=True).map(sorted),
    step=st.integers(1, 40),
)
def test_nobody_who_stands_further_back_is_shown_further_in_front(places: list[int], step: int):
    marks = [(place, ahead) for ahead, place in enumerate(places) if ahead % step == 0 or ahead == len(places) - 1]

    shown = [people_ahead(marks, place, waiting=len(places), places_given=0) for place in places]

    assert shown == sorted(shown)
    assert {ahead: shown[ahead] for _, ahead in marks} == {ahead: ahead for _, ahead in marks}
    assert 0 <= min(shown) <= max(shown) < len(places)


def test_board_is_read_from_redis(queue: Queue, django_assert_num_queries):
    services.publish_board(queue.pk)

    with django_assert_num_queries(0):
        board = services.read_board(queue)

    assert board.phase == "open"


def test_board_is_kept_for_ten_seconds(queue: Queue, redis_client: redis.Redis):
    services.publish_board(queue.pk)

    assert 9_000 < redis_client.pttl(f"board:{queue.slug}") <= 10_000


def test_missing_board_is_made_and_kept(queue: Queue, redis_client: redis.Redis):
    made = services.board_json(queue.slug)

    assert made == redis_client.get(f"board:{queue.slug}")


def test_board_changes_with_the_tick(queue: Queue):
    before = services.read_board(queue)
    AdmissionFactory(queue=queue)

    services.tick_queue(queue.pk)

    assert (before.admitted, services.read_board(queue).admitted) == (0, 1)


@pytest.mark.usefixtures("dead_redis")
def test_board_is_answered_without_redis(queue: Queue, client: Client, caplog):
    AdmissionFactory(queue=queue)

    answer = client.get(url(queue))
    services.tick_queue(queue.pk)

    assert (answer.status_code, answer.json()["waiting"]) == (200, 1)
    assert services.read_board(queue).admitted == 1
    assert "not read from Redis" in caplog.text


def test_board_is_public_for_a_second(queue: Queue, client: Client):
    answer = client.get(url(queue))

    assert {name: answer[name] for name in ("Content-Type", "Cache-Control", "Access-Control-Allow-Origin")} == {
        "Content-Type": "application/json",
        "Cache-Control": "public, max-age=1",
        "Access-Control-Allow-Origin": "*",
    }
    assert "Set-Cookie" not in answer


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_board_is_only_read(queue: Queue, client: Client, method: str):
    assert getattr(client, method)(url(queue)).status_code == 405


def test_there_is_no_board_of_a_draft_or_of_nothing(client: Client):
    draft = QueueFactory(published_at=None)

    assert [client.get(url(draft)).status_code, client.get("/api/v1/queues/nothing/board/").status_code] == [404, 404]
