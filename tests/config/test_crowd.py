"""The rehearsal's crowd: who comes, by whose clock, and what it finds when it comes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.crowd import scene
from config.crowd.browser import Page
from config.crowd.plans import MISBEHAVIOUR, PRESALE, Kind, code_uses, demand, draw_plans, scaled_quantities
from config.crowd.standing import poll_pause
from config.crowd.tally import Join, Passage, Row, count_inversions, match_joins, p95_ms
from events.models import Tier
from queues.models import AccessCode, Phase, Queue
from tests.factories import LetterFactory

TIERS = ["vip", "floor", "lower-bowl", "upper-bowl"]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# The crowd


def test_crowd_is_the_same_for_the_same_seed_and_another_for_another():
    assert draw_plans(60, 7, TIERS) == draw_plans(60, 7, TIERS)
    assert draw_plans(60, 7, TIERS) != draw_plans(60, 8, TIERS)


@pytest.mark.parametrize("fans", [20, 23, 50, 500])
def test_crowd_has_every_kind_of_misbehaviour_and_more_who_just_buy(fans: int):
    kinds = Counter(plan.kind for plan in draw_plans(fans, 3, TIERS))
    assert kinds.total() == fans
    assert [kind for kind in MISBEHAVIOUR if not kinds[kind]] == []
    assert kinds[Kind.BUYS] >= fans // 2 or fans < 50


@pytest.mark.parametrize("fans", [20, 23, 50, 500])
@pytest.mark.parametrize("seed", range(5))
def test_stock_is_scarce_and_less_than_certain_buyers_take(fans: int, seed: int):
    plans = draw_plans(fans, seed, TIERS)
    quantities = scaled_quantities(plans)
    total = sum(quantities.values())
    assert sorted(quantities) == sorted(TIERS)
    assert 0 < total <= demand(plans).total() * 0.4
    assert total <= sum(plan.quantity for plan in plans if plan.is_buyer)
    assert scene.scarce_tiers(demand(plans), quantities) != []


def test_first_of_each_kind_comes_early_save_those_who_need_a_line_to_leave():
    first: dict[Kind, float] = {}
    for plan in draw_plans(200, 1, TIERS):
        first.setdefault(plan.kind, plan.arrives_after)
    assert {kind for kind in MISBEHAVIOUR if first[kind] > 0.5} == {Kind.LEAVES}


@pytest.mark.parametrize("fans", [20, 50, 500])
def test_crowd_comes_to_both_sales_ready_and_late(fans: int):
    plans = draw_plans(fans, 6, TIERS)
    ways = Counter((plan.queue, plan.is_ready) for plan in plans)
    assert len(ways) == 4
    assert ways[PRESALE, True] + ways[PRESALE, False] <= fans // 3
    assert {plan.has_code for plan in plans if plan.kind == Kind.GUESSES} == {False}
    assert {plan.has_code for plan in plans if plan.kind == Kind.BUYS_IN_TWO_QUEUES} == {True}


@pytest.mark.parametrize("fans", [20, 500])
def test_most_programs_are_good_ones_and_some_are_not(fans: int):
    plans = draw_plans(fans, 6, TIERS)
    assert 0 < sum(not plan.is_careful for plan in plans) <= fans // 4
    assert 0 < sum(plan.loses_answers for plan in plans) <= fans // 4


def test_code_works_for_nearly_all_who_have_it():
    plans = draw_plans(100, 6, TIERS)
    holders = sum(plan.has_code for plan in plans)
    assert holders * 0.85 < code_uses(plans) < holders


# The clocks


def test_inversion_is_found_where_a_later_asker_is_admitted_in_an_earlier_tick():
    first = Passage(sent=0, answered=1, admitted_at=at(20))
    later = Passage(sent=2, answered=3, admitted_at=at(10))
    assert count_inversions([first, later]) == count_inversions([later, first]) == 1


@pytest.mark.parametrize(
    ("first", "later"),
    [
        pytest.param(Passage(0, 1, at(10)), Passage(2, 3, at(20)), id="in order"),
        pytest.param(Passage(0, 1, at(10)), Passage(2, 3, at(10)), id="same tick"),
        pytest.param(Passage(0, 1, at(20)), Passage(1, 2, at(10)), id="asked just as the other was answered"),
        pytest.param(Passage(0, 5, at(20)), Passage(2, 3, at(10)), id="asked at the same time"),
        pytest.param(Passage(0, 1, None, at(5)), Passage(2, 3, at(10)), id="left before"),
        pytest.param(Passage(0, 1, at(10)), Passage(2, 3, None, None), id="still waits behind"),
    ],
)
def test_no_inversion_is_found_where_there_is_none(first: Passage, later: Passage):
    assert count_inversions([first, later]) == count_inversions([later, first]) == 0


def test_inversion_is_found_where_somebody_is_still_waiting_or_left_only_afterwards():
    admitted = Passage(sent=2, answered=3, admitted_at=at(10))
    assert count_inversions([Passage(0, 1), admitted]) == 1
    assert count_inversions([Passage(0, 1, None, at(11)), admitted]) == 1


def test_inversions_are_counted_as_every_pair_that_is_one():
    rng = Random(5)
    passages = []
    for _ in range(80):
        sent = rng.uniform(0, 50)
        admitted_at = at(rng.randrange(60)) if rng.random() < 0.8 else None
        gone_at = at(rng.randrange(60)) if admitted_at is None and rng.random() < 0.5 else None
        passages.append(Passage(sent, sent + rng.uniform(0, 5), admitted_at, gone_at))
    pairs = sum(
        early.answered < late.sent
        and late.admitted_at is not None
        and (early.admitted_at or early.gone_at or at(9999)) > late.admitted_at
        for early in passages
        for late in passages
    )
    assert count_inversions(passages) == pairs > 100


def test_joins_are_matched_to_the_rows_they_made():
    noon = NOON.timestamp()
    joins = [
        Join("ben", "general", noon + 0.0, noon + 1.0),
        Join("ben", "general", noon + 0.2, noon + 0.9),
        Join("ben", "general", noon + 5.0, noon + 5.5),
        Join("ben", "general", noon + 9.0, noon + 9.5),
        Join("cleo", "general", noon + 0.3, noon + 0.8),
        Join("cleo", "presale", noon + 0.2, noon + 0.7),
    ]
    rows = [
        Row("ben", "general", at(0.5), at(3), None),
        Row("cleo", "general", at(0.4), None, at(4)),
        Row("cleo", "presale", at(0.4), at(2), None),
        Row("ben", "general", at(9.2), None, None),
        Row("ada", "general", at(0.5), None, None),
    ]
    assert match_joins(joins, rows) == {
        "general": [
            Passage(noon + 0.0, noon + 0.9, at(3), None),
            Passage(noon + 0.3, noon + 0.8, None, at(4)),
            Passage(noon + 9.0, noon + 9.5, None, None),
        ],
        "presale": [Passage(noon + 0.2, noon + 0.7, at(2), None)],
    }


def test_p95_is_the_nearest_rank():
    assert p95_ms([]) is None
    assert p95_ms([0.0123]) == 12.3
    assert p95_ms([number / 1000 for number in range(1, 101)]) == 95.0
    assert p95_ms([number / 1000 for number in range(1, 21)]) == 19.0


def test_board_is_asked_by_its_own_advice():
    board = {"waiting": 100, "near_seconds": 2.0, "far_seconds": 12.0, "marks": [[11, 0], [61, 50], [110, 99]]}
    near = [poll_pause(board, 11, Random(n)) for n in range(50)]
    middle = [poll_pause(board, 62, Random(n)) for n in range(50)]
    assert (min(near) >= 1.8, max(near) <= 2.2) == (True, True)
    assert (min(middle) >= 6.3, max(middle) <= 7.7) == (True, True)


def test_page_gives_its_forms_as_a_browser_would_send_them():
    text = """
      <form action="/queues/sale/join/" method="post"><input type="hidden" name="csrfmiddlewaretoken" value="abc">
        <input type="checkbox" name="terms"><input name="email" value="a@b.example"><button name="go" value="1">Go
      </form><form method="post"><input name="token" value="t"></form>"""
    page = Page("/orders/AB/payment/", 200, text, {}, 0, 1)
    join, here = page.forms
    assert (join.action, join.fields) == ("/queues/sale/join/", {"csrfmiddlewaretoken": "abc", "email": "a@b.example"})
    assert (here.action, here.fields) == ("/orders/AB/payment/", {"token": "t"})
    assert (page.form("/join/"), page.form("/payment/"), page.form("/leave/")) == (join, here, None)


# The scene


@pytest.mark.django_db
def test_scene_is_the_concert_with_a_small_stock_and_short_windows():
    queue = scene.set_up_concert()
    assert scene.tiers_of(queue) == TIERS
    stock = {"vip": 1, "floor": 2, "lower-bowl": 3, "upper-bowl": 4}
    sale = scene.scale_sale(queue, stock, fans=50, code_uses=7)
    assert dict(Tier.objects.filter(event=queue.event).values_list("slug", "quantity")) == stock
    assert AccessCode.objects.get(queue__slug=sale.presale.slug, code=sale.presale.code).max_uses == 7
    for line in sale.lines:
        found = Queue.objects.get(slug=line.slug)
        assert (found.admission_window_seconds, found.claim_window_seconds) == (sale.window_seconds, sale.claim_seconds)
        assert found.phase(timezone.now()) == Phase.SCHEDULED
    assert sale.window_seconds < 30
    assert scene.unsold(["vip", "floor"], sale) == ["vip", "floor"]
    assert not scene.is_sold_out(sale)
    Tier.objects.filter(event=queue.event).update(sold_count=4, quantity=4)
    assert scene.unsold(["vip", "floor"], sale) == []
    assert not scene.is_sold_out(sale)
    Queue.objects.filter(slug=sale.general.slug).update(sold_out_at=timezone.now())
    assert scene.is_sold_out(sale)


@pytest.mark.django_db
def test_scene_opens_the_presale_first_and_the_general_sale_beside_it():
    sale = scene.scale_sale(scene.set_up_concert(), {}, fans=50, code_uses=7)
    sale = scene.open_soon(sale)
    opened = dict(Queue.objects.values_list("slug", "scheduled_start"))
    assert [opened[line.slug].timestamp() for line in sale.lines] == [line.opens_at for line in sale.lines]
    assert 0 < sale.general.opens_at - sale.presale.opens_at < sale.window_seconds
    later = timezone.now() + timedelta(hours=1)
    running = Queue.objects.select_related("event").filter(slug__in=[line.slug for line in sale.lines])
    assert [queue.phase(later) for queue in running] == [Phase.OPEN, Phase.OPEN]


@pytest.mark.django_db
def test_scene_makes_verified_accounts_that_are_signed_in(client: Client, settings: Any):
    plans = draw_plans(20, 1, TIERS)
    sessions = scene.make_accounts(plans)
    assert sorted(sessions) == sorted(plan.email for plan in plans if not plan.signs_up)
    email, key = next(iter(sessions.items()))
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    user = client.get("/tickets/").context["user"]
    assert (user.email, user.is_email_verified, user.has_usable_password()) == (email, True, False)
    assert user.is_identity_verified


@pytest.mark.django_db
def test_scene_finds_the_link_in_the_newest_letter():
    for key in ("old", "new"):
        LetterFactory(
            to="fan@example.org", kind="verification", text=f"Here:\n\nhttp://x/account/confirm-email/{key}/\n"
        )
    assert scene.link_of_letter("fan@example.org") == "http://x/account/confirm-email/new/"
    with pytest.raises(LookupError, match=r"No letter with a link was written to nobody@example\.org"):
        scene.link_of_letter("nobody@example.org")
