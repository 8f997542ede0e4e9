"""The last use of a code."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count

from django.db import connection
from django.utils import timezone

from accounts.models import User
from queues import locks, refusals, services
from queues.conditions import AccessCode, AccessCodeUse
from queues.models import Admission, Queue
from queues.services import Entry, codes
from tests.factories import AccessCodeFactory, UserFactory
from tests.racing import Gate, Run, race, uncommitted, wait_until_somebody_waits

FANS = 6
# The negative control: it reads how many are left, and writes what it has read.
UNGUARDED = codes.TAKE_USE.replace(
    "use_count = use_count + 1", "use_count = (SELECT seen.use_count + 1 FROM seen)"
).replace("use_count < max_uses", "(SELECT seen.use_count < seen.max_uses FROM seen)")
UNGUARDED = UNGUARDED.replace(
    "taken AS (",
    "seen AS MATERIALIZED (SELECT * FROM queues_accesscode WHERE id = (SELECT id FROM chosen)), taken AS (",
)


def presale(queue: Queue, max_uses: int) -> AccessCode:
    Queue.objects.filter(pk=queue.pk).update(require_access_code=True)
    queue.refresh_from_db()
    code: AccessCode = AccessCodeFactory(queue=queue, code="LASTONE", max_uses=max_uses)
    return code


def rush(queue: Queue) -> Counter[object]:
    fans = UserFactory.create_batch(FANS, email_verified_at=timezone.now())
    outcomes = race(lambda n: services.join_queue(queue, fans[n], Entry(code="LASTONE")), FANS)
    return Counter("in" if isinstance(outcome, tuple) else type(outcome) for outcome in outcomes)


def counted() -> tuple[int, int, int]:
    return AccessCode.objects.get().use_count, AccessCodeUse.objects.count(), Admission.objects.count()


def test_last_use_is_given_once_however_many_ask(queue: Queue):
    presale(queue, 1)

    assert rush(queue) == {"in": 1, refusals.AccessCodeInvalid: FANS - 1}
    assert counted() == (1, 1, 1)


def test_as_many_uses_are_given_as_there_are(queue: Queue):
    presale(queue, 4)

    assert rush(queue) == {"in": 4, refusals.AccessCodeInvalid: FANS - 4}
    assert counted() == (4, 4, 4)


def test_one_fan_in_several_tabs_takes_one_use(queue: Queue, ben: User):
    presale(queue, 3)

    outcomes = race(lambda _: services.join_queue(queue, ben, Entry(code="LASTONE")), 4)

    own = Admission.objects.get()
    assert Counter(outcomes) == {(own, True): 1, (own, False): 3}
    assert counted() == (1, 1, 1)


def test_last_use_taken_in_an_open_transaction_is_waited_for(queue: Queue, ben: User, cleo: User):
    presale(queue, 1)

    assert overtaking(queue, ben, cleo) is refusals.AccessCodeInvalid
    assert counted() == (1, 1, 1)


def test_without_the_guard_the_last_use_is_given_twice(queue: Queue, ben: User, cleo: User, monkeypatch):
    """The negative control."""
    presale(queue, 1)
    monkeypatch.setattr(codes, "TAKE_USE", UNGUARDED)

    assert overtaking(queue, ben, cleo) is tuple
    assert counted() == (1, 2, 2)


def overtaking(queue: Queue, first: User, second: User) -> type:
    """Let `second` ask while the join of `first` is not yet committed; return what became of it."""
    with uncommitted(partial(services.join_queue, queue, first, Entry(code="LASTONE"))):
        late = Run(partial(services.join_queue, queue, second, Entry(code="LASTONE")))
        wait_until_somebody_waits()
    return type(late.outcome())


def test_one_fan_with_two_codes_takes_one_use(queue: Queue, ben: User, monkeypatch):
    presale(queue, 1)

    assert with_two_codes(queue, ben, monkeypatch) == [("LASTONE", 1), ("SECOND", 0)]
    assert (AccessCodeUse.objects.count(), Admission.objects.count()) == (1, 1)


def test_without_the_constraint_a_fan_with_two_codes_takes_two_uses(queue: Queue, ben: User, monkeypatch):
    """The negative control."""
    presale(queue, 1)

    with without_the_constraint():
        assert with_two_codes(queue, ben, monkeypatch) == [("LASTONE", 1), ("SECOND", 1)]


@contextmanager
def without_the_constraint() -> Iterator[None]:
    table, name = "queues_accesscodeuse", "fan_uses_one_code_of_a_queue"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        try:
            yield
        finally:
            AccessCodeUse.objects.all().delete()
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE (user_id, queue_id)")


def with_two_codes(queue: Queue, fan: User, monkeypatch) -> list[tuple[str, int]]:
    """Let a fan ask from a second tab, with another code, while the join of the first is not yet committed.

    The second stops on its way to the line, if it comes so far, until the first is in. Return the uses of each code.
    """
    AccessCodeFactory(queue=queue, code="SECOND")
    gate, calls, share_line = Gate(), count(), locks.share_line

    def stop_the_second(queue_id: int, user_id: int) -> None:
        if next(calls) == 1:
            gate.stop_here()
        share_line(queue_id, user_id)

    monkeypatch.setattr(locks, "share_line", stop_the_second)
    with uncommitted(partial(services.join_queue, queue, fan, Entry(code="LASTONE"))):
        late = Run(partial(services.join_queue, queue, fan, Entry(code="SECOND")))
        wait_until_somebody_waits(unless=gate.reached.is_set)
    gate.opened.set()
    assert late.outcome() == (Admission.objects.get(), False)
    return list(AccessCode.objects.order_by("code").values_list("code", "use_count"))
