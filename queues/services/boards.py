"""Making the board and putting it where everyone reads it."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from accounts.instants import written
from queues import board as boards
from queues import pacing
from queues.board import Board, Mark
from queues.models import Phase, Queue
from queues.services.allocations import read_availability
from queues.services.traffic import measure_traffic

# Every n-th place of the line behind the exact front, and its last; one pass over an index.
MARKS = """
SELECT place, ahead FROM (
    SELECT place, row_number() OVER (ORDER BY place) - 1 AS ahead, count(*) OVER () AS waiting
    FROM queues_admission WHERE queue_id = %(queue)s AND status = 'waiting'
) AS line
WHERE ahead < %(exact)s
   OR ahead %% greatest(1, ceil((waiting - %(exact)s) / %(further)s::numeric)::bigint) = 0
   OR ahead = waiting - 1
ORDER BY place
"""


def publish_board(queue_id: int) -> Board:
    """Make the board of a queue anew and keep it for everyone."""
    queue = Queue.objects.select_related("event").annotate(now=Now()).get(pk=queue_id)
    board = build_board(queue)
    boards.keep(queue.slug, board)
    return board


def board_json(slug: str) -> bytes | None:
    """Return the board of a published queue as JSON, made if there is none; None if there is no such queue."""
    kept = boards.read_json(slug)
    if kept is not None:
        return kept
    queue_id = Queue.objects.published().filter(slug=slug).values_list("pk", flat=True).first()
    return _make_once(queue_id, slug) if queue_id is not None else None


def read_board(queue: Queue) -> Board:
    """Return the board of a queue, made if there is none."""
    try:
        return Board.from_json(boards.read_json(queue.slug) or _make_once(queue.pk, queue.slug))
    except TypeError:
        # An older or newer release keeps boards in the same place for as long as both run.
        return publish_board(queue.pk)


def _make_once(queue_id: int, slug: str) -> bytes:
    """Make a missing board, or wait for the reader who is making it: not every reader makes one."""
    made = None if boards.claim_making(slug) else boards.await_json(slug)
    return made or publish_board(queue_id).as_json()


def build_board(queue: Queue) -> Board:
    """Work the board out of the database. `queue` comes with its event and the database's `now`."""
    now = queue.now  # type: ignore[attr-defined]
    # Read before the line: a place given in between is then counted twice rather than not at all.
    places_given = _places_given()
    marks = _read_marks(queue)
    waiting = marks[-1][1] + 1 if marks else 0
    traffic = measure_traffic(queue)
    advice = pacing.poll_advice(waiting, polls_per_second=settings.BOARD_POLLS_PER_SECOND)
    rate = _rate(queue, traffic, now)
    return Board(
        as_of=written(now),
        phase=str(queue.phase(now)),
        opens_at=written(queue.scheduled_start),
        closes_at=written(queue.scheduled_end) if queue.scheduled_end else None,
        waiting=waiting,
        admitted=traffic.active,
        # Before the first that waits everybody has been admitted or is gone; where nobody waits, everybody.
        admitted_through=marks[0][0] - 1 if marks else places_given,
        places_given=places_given,
        marks=marks,
        rate={"low": rate.low, "high": rate.high},
        held_up_by=pacing.held_up_by(traffic, max_concurrent=queue.max_concurrent_admissions),
        tiers=_levels(queue),
        message=queue.message,
        near_seconds=advice.near,
        far_seconds=advice.far,
    )


def _rate(queue: Queue, traffic: pacing.Traffic, now: datetime) -> pacing.RateRange:
    """Estimate how fast the line moves; not at all while nobody is let in, and then no wait can be known."""
    if queue.phase(now) != Phase.OPEN or traffic.available == 0:
        return pacing.RateRange(low=0, high=0)
    return pacing.rate_range(
        traffic.recent,
        now=now,
        rate_per_minute=queue.admission_rate_per_minute,
        max_concurrent=queue.max_concurrent_admissions,
        window_seconds=queue.admission_window_seconds,
    )


def _read_marks(queue: Queue) -> list[Mark]:
    with connection.cursor() as cursor:
        cursor.execute(MARKS, {"queue": queue.pk, "exact": boards.EXACT_MARKS, "further": boards.FURTHER_MARKS})
        return cursor.fetchall()


def _places_given() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM queues_place")
        return int(cursor.fetchone()[0])


def _levels(queue: Queue) -> list[dict[str, str]]:
    """Say how much is left of each tier that the queue opens."""
    opened = set(queue.open_tiers().values_list("slug", flat=True))
    left = read_availability(queue).tiers
    return [{"tier": tier.tier, "level": tier.level} for tier in left if tier.tier in opened]
