"""Access codes: who gets in with one, who does not, and what is left behind."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError
from django.utils import timezone

from accounts.alphabet import ALPHABET
from accounts.models import User
from accounts.refusals import Refusal
from queues import guesses, refusals, services
from queues.conditions import AccessCode, AccessCodeUse, Readiness
from queues.models import Admission, Queue
from queues.services import CodeState, Entry
from tests.factories import AccessCodeFactory, AdmissionFactory, AllowanceFactory, QueueFactory, UserFactory
from tests.statements import counted_statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def presale(queue: Queue) -> Queue:
    """The open queue, which asks for a code."""
    Queue.objects.filter(pk=queue.pk).update(require_access_code=True)
    queue.refresh_from_db()
    return queue


@pytest.fixture
def code(presale: Queue) -> AccessCode:
    return AccessCodeFactory(queue=presale, code="FALLVIBES2024", max_uses=5)


@pytest.fixture(autouse=True)
def _no_guesses() -> None:
    guesses._own_memory.clear()
    cache.clear()


def rows() -> list[Any]:
    """Return everything that an attempt at the door could write."""
    return [list(model._default_manager.order_by("pk").values()) for model in (AccessCode, AccessCodeUse, Admission)]


def refused(queue: Queue, user: User, typed: str = "", address: str = "") -> Refusal:
    before = rows()
    with pytest.raises(Refusal) as refusal:
        services.join_queue(queue, user, Entry(code=typed, address=address))
    assert rows() == before
    return refusal.value


def change(row: Queue | AccessCode, **fields: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**fields)
    row.refresh_from_db()


def use_count(code: AccessCode) -> int:
    return AccessCode.objects.get(pk=code.pk).use_count


@pytest.mark.parametrize("typed", ["FALLVIBES2024", "fallvibes2024", "  FallVibes2024 "])
def test_code_lets_a_fan_in_however_it_is_written(presale: Queue, code: AccessCode, ben: User, typed: str):
    _, is_new = services.join_queue(presale, ben, Entry(code=typed))

    assert is_new
    assert (use_count(code), AccessCodeUse.objects.values_list("code", "user").get()) == (1, (code.pk, ben.pk))


@pytest.mark.parametrize("typed", ["", "   "])
def test_queue_that_asks_for_a_code_refuses_without_one(presale: Queue, code: AccessCode, ben: User, typed: str):
    refusal = refused(presale, ben, typed)

    assert (type(refusal), str(refusal)) == (refusals.AccessCodeRequired, "Please enter your presale code")


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "unknown": ("NOSUCHCODE", {}),
    "inactive": ("FALLVIBES2024", {"is_active": False}),
    "not_yet_valid": ("FALLVIBES2024", {"valid_from": timezone.now() + timedelta(days=300)}),
    "expired": ("FALLVIBES2024", {"valid_until": timezone.now()}),
    "used_up": ("FALLVIBES2024", {"use_count": 5}),
}


@pytest.mark.parametrize("reason", WRONG)
def test_wrong_code_is_refused_in_one_wording_and_staff_see_the_reason(
    presale: Queue, code: AccessCode, ben: User, reason: str
):
    typed, fields = WRONG[reason]
    change(code, **fields)

    refusal = refused(presale, ben, typed)

    assert (type(refusal), refusal.facts) == (refusals.AccessCodeInvalid, {})
    assert str(refusal) == "This presale code does not work here. Please check it and try again."
    assert services.explain_code(presale, typed.lower())[0] == CodeState(reason)


def test_code_of_another_queue_opens_nothing(presale: Queue, code: AccessCode, ben: User):
    elsewhere = AccessCodeFactory(queue__event=presale.event, code="MSGVIP2024")

    assert type(refused(presale, ben, "MSGVIP2024")) is refusals.AccessCodeInvalid
    assert use_count(elsewhere) == 0


def test_queue_that_asks_for_nothing_takes_no_use(queue: Queue, ben: User):
    code = AccessCodeFactory(queue=queue, code="SPARE")

    services.join_queue(queue, ben, Entry(code="SPARE"))

    assert (use_count(code), AccessCodeUse.objects.count()) == (0, 0)


def test_coming_back_needs_no_second_use_and_no_code(presale: Queue, code: AccessCode, ben: User):
    change(code, max_uses=1)
    for typed in ("FALLVIBES2024", "", "FALLVIBES2024", "ANOTHER"):
        standing, is_new = services.join_queue(presale, ben, Entry(code=typed))
        assert is_new
        services.leave_queue(standing)

    assert (use_count(code), AccessCodeUse.objects.count()) == (1, 1)


def test_one_fan_takes_one_use_of_a_queue_and_no_more_with_another_code(presale: Queue, code: AccessCode, ben: User):
    second = AccessCodeFactory(queue=presale, code="SECOND")
    standing, _ = services.join_queue(presale, ben, Entry(code="FALLVIBES2024"))
    services.leave_queue(standing)

    services.join_queue(presale, ben, Entry(code="SECOND"))

    assert (use_count(code), use_count(second)) == (1, 0)


def test_refused_join_gives_the_use_back(presale: Queue, code: AccessCode, ben: User):
    AllowanceFactory(user=ben, event=presale.event, order_count=1, order_limit=1)

    assert type(refused(presale, ben, "FALLVIBES2024")) is refusals.OrderLimitReached


def test_code_is_asked_for_after_phase_address_and_limit(presale: Queue, code: AccessCode):
    fan = UserFactory()
    allowance = AllowanceFactory(user=fan, event=presale.event, order_count=1, order_limit=1)
    change(presale, scheduled_start=timezone.now() + timedelta(minutes=1))
    found = [type(refused(presale, fan, "WRONG"))]
    change(presale, scheduled_start=timezone.now() - timedelta(minutes=1))
    found.append(type(refused(presale, fan, "WRONG")))
    User.objects.filter(pk=fan.pk).update(email_verified_at=timezone.now())
    fan.refresh_from_db()
    found.append(type(refused(presale, fan, "WRONG")))
    allowance.delete()
    found.append(type(refused(presale, fan, "WRONG")))

    assert found == [
        refusals.QueueNotOpen,
        refusals.EmailNotVerified,
        refusals.OrderLimitReached,
        refusals.AccessCodeInvalid,
    ]


def test_fan_in_line_is_not_asked_again(presale: Queue, ben: User):
    standing = AdmissionFactory(queue=presale, user=ben)

    assert services.join_queue(presale, ben) == (standing, False)


@pytest.mark.parametrize("others", [0, 3])
def test_join_with_a_code_takes_four_statements(presale: Queue, code: AccessCode, ben: User, others: int):
    AdmissionFactory.create_batch(others, queue=presale)

    with counted_statements() as sent:
        services.join_queue(presale, ben, Entry(code="FALLVIBES2024", address="192.0.2.1"))

    assert len(sent) == 4


def test_database_refuses_a_use_too_many(code: AccessCode):
    with pytest.raises(IntegrityError, match="code_never_used_too_often"):
        AccessCode.objects.filter(pk=code.pk).update(use_count=6)


# Getting ready


def test_code_shown_before_the_opening_is_remembered_and_not_used(presale: Queue, code: AccessCode, ben: User):
    opening = timezone.now() + timedelta(minutes=5)
    change(presale, scheduled_start=opening)
    change(code, valid_from=opening)

    services.get_ready(presale, ben, Entry(code="fallvibes2024"))

    assert (use_count(code), services.find_needs(presale, ben).code) == (0, False)
    change(presale, scheduled_start=timezone.now())
    change(code, valid_from=timezone.now() - timedelta(seconds=1))
    assert services.join_queue(presale, ben)[1] is True
    assert use_count(code) == 1


def test_latest_code_shown_is_the_one_remembered(presale: Queue, code: AccessCode, ben: User):
    second = AccessCodeFactory(queue=presale, code="SECOND")
    for typed in ("FALLVIBES2024", "SECOND"):
        services.get_ready(presale, ben, Entry(code=typed))

    assert Readiness.objects.values_list("queue", "user", "code").get() == (presale.pk, ben.pk, second.pk)


def test_remembered_code_that_is_used_up_meanwhile_is_asked_for_again(presale: Queue, code: AccessCode, ben: User):
    services.get_ready(presale, ben, Entry(code="FALLVIBES2024"))
    change(code, use_count=5)

    assert type(refused(presale, ben)) is refusals.AccessCodeInvalid
    assert services.find_needs(presale, ben).code is True


@pytest.mark.parametrize(
    ("typed", "refusal"), [("", refusals.AccessCodeRequired), ("NOSUCHCODE", refusals.AccessCodeInvalid)]
)
def test_wrong_code_is_not_remembered(presale: Queue, code: AccessCode, ben: User, typed: str, refusal: type[Refusal]):
    with pytest.raises(refusal):
        services.get_ready(presale, ben, Entry(code=typed))

    assert Readiness.objects.count() == 0


# Guessing


def guess_until_throttled(queue: Queue, user: User, address: str = "") -> int:
    for number in range(200):
        if type(refused(queue, user, "WRONG", address)) is refusals.Throttled:
            return number
    return -1


def test_guesses_of_an_account_are_limited_even_from_many_addresses(presale: Queue, code: AccessCode, ben: User):
    for number in range(guesses.WRONG_AN_ACCOUNT):
        assert type(refused(presale, ben, "WRONG", f"192.0.2.{number}")) is refusals.AccessCodeInvalid

    refusal = refused(presale, ben, "FALLVIBES2024", "192.0.2.200")

    assert (type(refusal), refusal.facts) == (refusals.Throttled, {"retry_after": 600})


def test_guesses_of_an_address_are_limited_whoever_guesses(presale: Queue, code: AccessCode, ben: User, monkeypatch):
    monkeypatch.setattr(guesses, "WRONG_AN_ADDRESS", 3)
    for _ in range(3):
        refused(presale, UserFactory(email_verified_at=timezone.now()), "WRONG", "192.0.2.1")

    assert type(refused(presale, ben, "FALLVIBES2024", "192.0.2.1")) is refusals.Throttled
    assert services.join_queue(presale, ben, Entry(code="FALLVIBES2024", address="192.0.2.2"))[1] is True


def test_guesses_from_the_many_addresses_of_one_household_count_together(
    presale: Queue, code: AccessCode, ben: User, monkeypatch
):
    monkeypatch.setattr(guesses, "WRONG_AN_ADDRESS", 3)
    for number in range(3):
        refused(presale, UserFactory(email_verified_at=timezone.now()), "WRONG", f"2001:db8:0:1::{number}")

    assert type(refused(presale, ben, "FALLVIBES2024", "2001:db8:0:1:ffff::1")) is refusals.Throttled
    assert services.join_queue(presale, ben, Entry(code="FALLVIBES2024", address="2001:db8:0:2::1"))[1] is True


def test_old_addresses_in_new_clothes_stay_apart(presale: Queue, code: AccessCode, ben: User, monkeypatch):
    monkeypatch.setattr(guesses, "WRONG_AN_ADDRESS", 1)
    refused(presale, UserFactory(email_verified_at=timezone.now()), "WRONG", "::ffff:192.0.2.1")

    assert type(refused(presale, ben, "FALLVIBES2024", "192.0.2.1")) is refusals.Throttled
    assert services.join_queue(presale, ben, Entry(code="FALLVIBES2024", address="::ffff:192.0.2.2"))[1] is True


def test_guesses_are_limited_without_redis(presale: Queue, code: AccessCode, ben: User, dead_redis: None):
    assert guess_until_throttled(presale, ben) == guesses.WRONG_AN_ACCOUNT


def test_getting_ready_counts_wrong_guesses_too(presale: Queue, code: AccessCode, ben: User):
    for _ in range(guesses.WRONG_AN_ACCOUNT):
        with pytest.raises(refusals.AccessCodeInvalid):
            services.get_ready(presale, ben, Entry(code="WRONG"))

    with pytest.raises(refusals.Throttled):
        services.get_ready(presale, ben, Entry(code="FALLVIBES2024"))


def test_right_codes_and_missing_ones_are_no_guesses(presale: Queue, code: AccessCode, ben: User):
    for _ in range(guesses.WRONG_AN_ACCOUNT + 1):
        refused(presale, ben, "")
    for _ in range(guesses.WRONG_AN_ACCOUNT + 1):
        services.leave_queue(services.join_queue(presale, ben, Entry(code="FALLVIBES2024"))[0])

    assert services.join_queue(presale, ben, Entry(code="FALLVIBES2024"))[1] is True


# Making codes


def test_codes_are_made_without_look_alikes(presale: Queue):
    made = services.make_access_codes(presale, count=50, prefix="fan-", max_uses=2, description="Fan club")

    kept = AccessCode.objects.filter(queue=presale)
    assert (kept.count(), len({code.code for code in made})) == (50, 50)
    assert set(kept.values_list("max_uses", "use_count", "description", "is_active")) == {(2, 0, "Fan club", True)}
    assert {code.code[:4] for code in made} == {"FAN-"}
    assert set("".join(code.code[4:] for code in made)) <= set(ALPHABET)
    assert not set("0O1IL") & set(ALPHABET)


def test_prefix_that_leaves_no_room_is_refused(presale: Queue):
    with pytest.raises(refusals.CodesTooLong):
        services.make_access_codes(presale, count=1, prefix="THIRTEENCHARS")

    assert AccessCode.objects.count() == 0


def test_uses_of_a_code_are_not_set_below_those_taken(code: AccessCode):
    change(code, use_count=3)

    with pytest.raises(refusals.MaxUsesBelowUsed):
        services.change_max_uses(code, 2)
    assert AccessCode.objects.get().max_uses == 5

    services.change_max_uses(code, 3)
    assert AccessCode.objects.get().max_uses == 3


def test_same_code_may_be_in_two_queues_but_not_twice_in_one(code: AccessCode):
    AccessCodeFactory(queue=QueueFactory(), code=code.code)

    with pytest.raises(IntegrityError, match="code_is_unique_in_a_queue"):
        AccessCodeFactory(queue=code.queue, code=code.code)
